// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "books.h"
#include "session.h"
#include "twin.h"

static struct memstress_alloc twin_page(const struct scope *scope)
{
	return session_request(MEMSTRESS_KIND_PAGE, 0, 1, scope->target.fd);
}

static struct memstress_alloc twin_object(const struct scope *scope)
{
	return session_request(MEMSTRESS_KIND_KMALLOC, 8, 1, scope->target.fd);
}

static int twin_open(struct memstress_alloc twin)
{
	int fd = session_open();
	int ret;

	if (fd < 0)
		return fd;
	ret = session_alloc(fd, &twin);
	if (!ret && twin.stop != MEMSTRESS_STOP_DONE)
		ret = -ENOMEM;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int twin_open_page(const struct scope *scope)
{
	return twin_open(twin_page(scope));
}

int twin_open_object(const struct scope *scope)
{
	return twin_open(twin_object(scope));
}

/* True if the law sees @twin, by what it costs on @line */
static bool twin_is_seen(struct scope *scope, const struct scope_snapshot *before,
			 const struct charge *charge, enum balance_lines lines,
			 struct memstress_alloc twin, const char *line)
{
	struct charge with_twin = *charge;
	struct memstress_books cost;
	struct violation violation;
	struct scope_snapshot now;
	long long expected, seen;
	int fd = twin_open(twin);
	int wrong;

	if (fd < 0)
		return false;
	wrong = scope_law(scope, before, charge, lines, &violation);
	seen = scope_take(scope, &now) ? 0 :
					 balance_line(&before->target, &now.target, charge, line);
	close(fd);
	fprintf(stderr, "# red twin of %s: %d lines wrong, %s off by %lld\n",
		session_kind_name(twin.kind), wrong, line, seen);
	if (books_derive_one(&twin, &cost))
		return false;
	charge_add(&with_twin, twin.kind, &cost);
	/* Of both twins: what is charged besides fills whole pages */
	if (!strcmp(line, "usage"))
		expected = charge_usage(&with_twin) - charge_usage(charge);
	else
		expected = with_twin.slab_unreclaimable - charge->slab_unreclaimable;
	return wrong > 0 && seen == expected;
}

bool twin_page_is_seen(struct scope *scope, const struct scope_snapshot *before,
		       const struct charge *charge, enum balance_lines lines)
{
	return twin_is_seen(scope, before, charge, lines, twin_page(scope), "usage");
}

bool twin_object_is_seen(struct scope *scope, const struct scope_snapshot *before,
			 const struct charge *charge, enum balance_lines lines)
{
	const char *line = snapshot_tells_bytes() ? "slab_unreclaimable" : "usage";

	return twin_is_seen(scope, before, charge, lines, twin_object(scope), line);
}
