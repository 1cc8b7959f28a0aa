// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "kmsg.h"

#define NS_PER_US 1000ULL

/* oom_rs of oom_kill_process(), with a second for the difference of two clocks */
#define OOM_REPORTS    10
#define OOM_REPORTS_US 6000000ULL

int kmsg_mark(struct kmsg *kmsg)
{
	kmsg->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg->fd < 0)
		return -errno;
	if (lseek(kmsg->fd, 0, SEEK_END) < 0) {
		close(kmsg->fd);
		return -errno;
	}
	return 0;
}

void kmsg_close(struct kmsg *kmsg)
{
	close(kmsg->fd);
	kmsg->fd = -1;
}

int kmsg_next(struct kmsg *kmsg, struct kmsg_record *record)
{
	char buf[8192], *text;
	ssize_t len;

	len = read(kmsg->fd, buf, sizeof(buf) - 1);
	if (len < 0)
		return errno == EAGAIN ? 0 : -errno;
	buf[len] = '\0';

	/* "priority,sequence,time,flags;text", then lines of a dictionary */
	record->level = atoi(buf) & 7;
	if (sscanf(buf, "%*u,%*u,%llu", &record->time_us) != 1)
		record->time_us = 0;
	text = strchr(buf, ';');
	text = text ? text + 1 : buf;
	text[strcspn(text, "\n")] = '\0';
	snprintf(record->text, sizeof(record->text), "%.1000s", text);
	return 1;
}

int kmsg_find(struct kmsg *kmsg, struct kmsg_record *record, const char *const *strings)
{
	const char *const *string;
	int ret;

	while ((ret = kmsg_next(kmsg, record)) == 1) {
		for (string = strings; *string; string++)
			if (!strstr(record->text, *string))
				break;
		if (!*string)
			return 1;
	}
	return ret;
}

/* OOMs that were reported in the last five seconds */
static int kmsg_count_oom_reports(void)
{
	unsigned long long times[OOM_REPORTS] = { 0 }, now = clock_now_ns() / NS_PER_US;
	struct kmsg kmsg = { .fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC) };
	struct kmsg_record record;
	unsigned int next = 0;
	int ret, count = 0;

	if (kmsg.fd < 0)
		return -errno;
	while ((ret = kmsg_next(&kmsg, &record)) == 1 || ret == -EPIPE)
		if (ret == 1 && strstr(record.text, " invoked oom-killer: "))
			times[next++ % OOM_REPORTS] = record.time_us;
	kmsg_close(&kmsg);
	for (next = 0; next < OOM_REPORTS; next++)
		count += times[next] && times[next] + OOM_REPORTS_US > now;
	return ret ? ret : count;
}

int kmsg_await_oom_reports(void)
{
	__u64 deadline = clock_deadline_ns(4 * OOM_REPORTS_US * NS_PER_US);
	int count;

	do {
		count = kmsg_count_oom_reports();
	} while (count > OOM_REPORTS / 2 && clock_poll(deadline));
	if (count < 0)
		return count;
	return count > OOM_REPORTS / 2 ? -ETIMEDOUT : 0;
}

/*
 * Warnings of a timer that came late, because the host had taken the CPU away from the
 * guest: hrtimer_interrupt() in kernel/time/hrtimer.c, clocksource_watchdog() in
 * kernel/time/clocksource.c. They tell of the host.
 */
static bool kmsg_is_late_timer(const struct kmsg_record *record)
{
	return strstr(record->text, "hrtimer: interrupt took") ||
	       strstr(record->text, "clocksource: ");
}

static bool kmsg_is_warning(const struct kmsg_record *record)
{
	return record->level <= KMSG_WARNING && !kmsg_is_late_timer(record);
}

static bool kmsg_is_splat(const struct kmsg_record *record)
{
	static const char *const splats[] = {
		"WARNING:",
		"BUG:",
		"kernel BUG at",
		"Oops",
		"general protection fault",
		"blocked for more than",
		"soft lockup",
		"locking dependency",
		"Bad page",
		"page_counter underflow",
		"refcount_t:",
		"Objects remaining in",
		"page allocation failure",
		"percpu: allocation failed",
		NULL,
	};
	const char *const *splat;

	for (splat = splats; *splat; splat++)
		if (strstr(record->text, *splat))
			return true;
	return false;
}

static int kmsg_count(struct kmsg *kmsg, bool (*matches)(const struct kmsg_record *))
{
	struct kmsg_record record;
	int ret, count = 0;

	while ((ret = kmsg_next(kmsg, &record)) == 1) {
		if (!matches(&record))
			continue;
		fprintf(stderr, "# kernel log: <%d> %s\n", record.level, record.text);
		count++;
	}
	return ret ? ret : count;
}

int kmsg_count_warnings(struct kmsg *kmsg)
{
	return kmsg_count(kmsg, kmsg_is_warning);
}

int kmsg_count_splats(struct kmsg *kmsg)
{
	return kmsg_count(kmsg, kmsg_is_splat);
}
