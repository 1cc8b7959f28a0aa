// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "fate_watch.h"

/* How long an engine may take to say who is who. */
#define FATE_WATCH_FIND_TIMEOUT (5 * NS_PER_S)

#define FATE_WATCH_PAUSE (200 * NS_PER_MS)

void fate_watch_find(struct fate_watch *watch, const struct cgroup *cg)
{
	struct container_report report;

	memset(watch, 0, sizeof(*watch));
	watch->root = cg->tree->root;
	watch->first.fd = -1;
	watch->is_container = container_is_at(cg->path, &watch->container);
	if (!watch->is_container || !first_process_find(&watch->first, cg))
		return;
	container_report_ask(&watch->container, FATE_WATCH_FIND_TIMEOUT, &report);
	if (report.is_known && report.pid > 0)
		first_process_open(&watch->first, watch->root, report.pid);
}

void fate_watch_end(struct fate_watch *watch)
{
	if (watch->loop && !watch->has_ended)
		loop_remove(watch->loop, watch->first.fd);
	watch->loop = NULL;
	first_process_close(&watch->first);
}

static void fate_watch_on_end(void *context)
{
	struct fate_watch *watch = context;

	watch->has_ended = true;
	loop_remove(watch->loop, watch->first.fd);
}

int fate_watch_begin(struct fate_watch *watch, struct loop *loop)
{
	int ret;

	if (watch->first.fd < 0)
		return 0;
	ret = loop_add(loop, watch->first.fd, EPOLLIN, fate_watch_on_end, watch);
	if (!ret)
		watch->loop = loop;
	return ret;
}

bool fate_watch_is_dying(const struct fate_watch *watch)
{
	return !watch->has_ended && first_process_is_dying(&watch->first, watch->root);
}

void fate_watch_conclude(struct fate_watch *watch, const struct fate_seen *seen, __u64 timeout_ns,
			 struct fate *fate)
{
	__u64 deadline_ns = clock_now_ns() + timeout_ns;
	struct container_report *report = &fate->report;

	fate->is_container = true;
	fate->container = watch->container;
	for (;;) {
		__u64 now_ns = clock_now_ns();

		container_report_ask(&watch->container,
				     deadline_ns > now_ns ? deadline_ns - now_ns : NS_PER_MS,
				     report);
		if (!seen->has_ended || !report->is_known || !report->is_running ||
		    report->pid != watch->first.pid)
			break;
		if (clock_now_ns() + FATE_WATCH_PAUSE >= deadline_ns)
			break;
		clock_pause_ns(FATE_WATCH_PAUSE);
	}
	first_process_has_ended(&watch->first);
	fate_judge(fate, &watch->first, seen);
}
