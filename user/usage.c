// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "usage.h"

static int usage_take_events(const struct cgroup *cg, struct snapshot_events *events)
{
	int ret = cg_read_keys(cg, CG_EVENTS, snapshot_event_names, EVENT_END, events->value);

	/* The root of cgroup v2 counts none. */
	if (ret == -EOPNOTSUPP)
		snapshot_parse_events("", events);
	else if (ret)
		return ret;
	return snapshot_read_failcnt(cg, events);
}

/* A cgroup whose tree has no pids controller, or does not hand it down, has to be counted. */
static int usage_take_pids(const struct cgroup *cg, __u64 *pids)
{
	int ret = cg_read_number(cg, CG_PIDS, pids);

	if (ret == -EOPNOTSUPP)
		ret = cg_count_threads(cg, pids);
	/* Somebody below may have closed a directory to others. */
	if (ret == -EACCES) {
		*pids = CG_MISSING;
		ret = 0;
	}
	return ret;
}

void usage_parse_pressure(const char *text, char *some_avg10, size_t size)
{
	const char *value;

	*some_avg10 = '\0';
	if (strncmp(text, "some ", strlen("some ")))
		return;
	value = strstr(text, "avg10=");
	if (!value)
		return;
	value += strlen("avg10=");
	snprintf(some_avg10, size, "%.*s", (int)strcspn(value, "\n "), value);
}

/* The file may be there and not be readable, where PSI was not enabled at boot. */
static void usage_take_pressure(const struct cgroup *cg, struct usage *usage)
{
	char text[256];

	if (cg_read_text(cg, CG_PRESSURE, text, sizeof(text)) < 0)
		*text = '\0';
	usage_parse_pressure(text, usage->some_avg10, sizeof(usage->some_avg10));
}

int usage_take(const struct cgroup *cg, struct usage *usage)
{
	int ret;

	memset(usage, 0, sizeof(*usage));
	ret = cg_read_number_if_any(cg, CG_USAGE, &usage->bytes);
	if (ret)
		return ret;
	ret = cg_read_number_if_any(cg, CG_PEAK, &usage->peak_bytes);
	if (ret)
		return ret;
	ret = cg_read_number_if_any(cg, CG_MAX, &usage->max_bytes);
	if (ret)
		return ret;
	ret = cg_effective_max(cg->tree, cg->path, &usage->effective_bytes, usage->effective_path,
			       sizeof(usage->effective_path));
	if (ret)
		return ret;
	ret = usage_take_events(cg, &usage->events);
	if (ret)
		return ret;
	usage_take_pressure(cg, usage);
	return usage_take_pids(cg, &usage->pids);
}

struct units_text usage_share(const struct usage *usage)
{
	struct units_text text = { "-" };

	if (usage->bytes != CG_MISSING && usage->effective_bytes != CG_UNLIMITED &&
	    usage->effective_bytes)
		snprintf(text.s, sizeof(text.s), "%.1f%%",
			 100.0 * (double)usage->bytes / (double)usage->effective_bytes);
	return text;
}

void usage_print_events(const struct usage *usage, char *text, size_t size)
{
	static const struct {
		enum snapshot_event event;
		const char *name;
	} shown[] = {
		{ EVENT_MAX, "max" }, { EVENT_FAILCNT, "failcnt" }, { EVENT_HIGH, "high" },
		{ EVENT_OOM, "oom" }, { EVENT_OOM_KILL, "kill" },
	};
	size_t length = 0;
	unsigned int i;

	snprintf(text, size, "none");
	for (i = 0; i < ARRAY_SIZE(shown) && length < size; i++) {
		__u64 count = usage->events.value[shown[i].event];

		if (count && count != CG_MISSING)
			length += snprintf(text + length, size - length, "%s%s %llu",
					   length ? " " : "", shown[i].name, count);
	}
}
