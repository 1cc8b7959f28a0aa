// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "books.h"
#include "clock.h"
#include "headroom.h"
#include "session.h"

/* More than any test leaves */
#define FILL_PAGES 65536

#define AWAIT_DEADLINE_NS (5 * NS_PER_S)

long long headroom_set(struct scope *scope, const struct cgroup *cg, long long pages)
{
	int ret = session_settle(scope->session, scope->target.fd);
	long long usage;

	if (!ret && cg != &scope->target)
		ret = session_settle(scope->session, cg->fd);
	if (ret)
		return ret;
	usage = cgroup_read_number(cg, "memory.current");
	if (usage < 0)
		return usage;
	ret = cgroup_write_number(cg, "memory.max", usage + pages * books_page_size());
	return ret ? ret : usage;
}

int headroom_lift(struct scope *scope, const struct cgroup *cg, long long max)
{
	if (cg == &scope->parent)
		return cgroup_write_number(cg, "memory.max", max);
	return cgroup_write(cg, "memory.max", "max");
}

static long long fill(const struct scope *scope, int session, __u32 policy)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, 0, FILL_PAGES, scope->target.fd);
	int ret;

	alloc.policy = policy;
	ret = session_alloc(session, &alloc);
	if (ret)
		return ret;
	return alloc.stop == MEMSTRESS_STOP_FAILED ? (long long)alloc.books.objects : -EOVERFLOW;
}

long long headroom_fill(const struct scope *scope, int session)
{
	return fill(scope, session, MEMSTRESS_POLICY_NOWAIT);
}

long long headroom_await(const struct scope *scope, int session, long long pages)
{
	__u64 deadline = clock_deadline_ns(AWAIT_DEADLINE_NS);
	long long sum = 0, filled;

	do {
		filled = fill(scope, session, MEMSTRESS_POLICY_NORETRY);
		if (filled < 0)
			return filled;
		sum += filled;
	} while (sum < pages && clock_poll(deadline));
	return sum;
}

long long headroom_grow(int session, const struct cgroup *payer, unsigned int order,
			long long pages)
{
	struct memstress_alloc alloc =
		session_request(MEMSTRESS_KIND_PAGE, order, pages >> order, payer->fd);
	int ret;

	alloc.policy = MEMSTRESS_POLICY_RETRY_MAYFAIL;
	ret = alloc.count ? session_alloc(session, &alloc) : 0;
	return ret ? ret : (long long)alloc.books.objects << order;
}
