// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <unistd.h>

#include "books.h"
#include "session.h"
#include "twin.h"

/* True if the law sees @twin, by what it costs on @line */
static bool twin_is_seen(struct scope *scope, const struct scope_snapshot *before,
			 const struct charge *charge, enum balance_lines lines,
			 struct memstress_alloc *twin, const char *line)
{
	struct memstress_books cost;
	struct violation violation;
	struct scope_snapshot now;
	long long expected, seen;
	int fd = session_open();
	int wrong;

	if (fd < 0)
		return false;
	if (books_derive_one(twin, &cost) || session_alloc(fd, twin) ||
	    twin->stop != MEMSTRESS_STOP_DONE) {
		close(fd);
		return false;
	}
	wrong = scope_law(scope, before, charge, lines, &violation);
	expected = cost.page_charged_bytes + cost.byte_charged_bytes;
	seen = scope_take(scope, &now) ? 0 :
					 balance_line(&before->target, &now.target, charge, line);
	close(fd);
	fprintf(stderr, "# red twin of %s: %d lines wrong, %s off by %lld\n",
		session_kind_name(twin->kind), wrong, line, seen);
	return wrong > 0 && seen == expected;
}

bool twin_page_is_seen(struct scope *scope, const struct scope_snapshot *before,
		       const struct charge *charge, enum balance_lines lines)
{
	struct memstress_alloc page = session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);

	return twin_is_seen(scope, before, charge, lines, &page, "usage");
}

bool twin_object_is_seen(struct scope *scope, const struct scope_snapshot *before,
			 const struct charge *charge, enum balance_lines lines)
{
	struct memstress_alloc object =
		session_request(MEMSTRESS_KIND_KMALLOC, 8, 1, scope->target.fd);

	return twin_is_seen(scope, before, charge, lines, &object, "slab_unreclaimable");
}
