/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The red twin of a law: a second session, not in the sum, charges the target behind
 * the law's back. A law that does not notice proves nothing when it is green.
 */
#ifndef MEMSTRESS_SELFTESTS_TWIN_H
#define MEMSTRESS_SELFTESTS_TWIN_H

#include <stdbool.h>

#include "scope.h"

/* A session that holds one page, or one object of 8 bytes, charged to the target */
int twin_open_page(const struct scope *scope);
int twin_open_object(const struct scope *scope);

/* True if the law goes red when one page is added, and memory.current tells how much */
bool twin_page_is_seen(struct scope *scope, const struct scope_snapshot *before,
		       const struct charge *charge, enum balance_lines lines);

/*
 * The same for one object of 8 bytes. memory.current cannot tell it from a page, if it
 * notices at all; slab_unreclaimable must, to the byte.
 */
bool twin_object_is_seen(struct scope *scope, const struct scope_snapshot *before,
			 const struct charge *charge, enum balance_lines lines);

#endif /* MEMSTRESS_SELFTESTS_TWIN_H */
