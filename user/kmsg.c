// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kmsg.h"

/* include/linux/proc_ns.h: PROC_PID_INIT_INO, the initial pid namespace */
#define KMSG_INITIAL_PIDS 0xEFFFFFFCU

/* Documentation/admin-guide/devices.txt */
#define KMSG_DEVICE makedev(1, 11)

int kmsg_open_device(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat device;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &device) && S_ISCHR(device.st_mode) && device.st_rdev == KMSG_DEVICE)
		return fd;
	close(fd);
	return -ENODEV;
}

const char *kmsg_why(int ret)
{
	return ret == -ENODEV ? "it is not the kernel's log here" : strerror(-ret);
}

int kmsg_open(struct kmsg *kmsg, const char *cgroup)
{
	memset(kmsg, 0, sizeof(*kmsg));
	snprintf(kmsg->cgroup, sizeof(kmsg->cgroup), "%s", cgroup);
	kmsg->fd = kmsg_open_device("/dev/kmsg");
	if (kmsg->fd < 0)
		return kmsg->fd;
	if (lseek(kmsg->fd, 0, SEEK_END) < 0) {
		int ret = -errno;

		kmsg_close(kmsg);
		return ret;
	}
	return 0;
}

void kmsg_close(struct kmsg *kmsg)
{
	if (kmsg->fd >= 0)
		close(kmsg->fd);
	kmsg->fd = -1;
}

bool kmsg_knows_pids(void)
{
	struct stat pids;

	return !stat("/proc/self/ns/pid", &pids) && pids.st_ino == KMSG_INITIAL_PIDS;
}

/*
 * The log names cgroups from the real root, a cgroup namespace sees the end of that only. So the
 * end is compared, of whole names.
 */
bool kmsg_is_ours(const struct kmsg *kmsg, const char *name)
{
	size_t length = strlen(name), ours = strlen(kmsg->cgroup);
	const char *at = name;

	while (kmsg->with_below && (at = strstr(at, kmsg->cgroup))) {
		at += ours;
		if (*at == '/')
			return true;
	}
	return length >= ours && !strcmp(name + length - ours, kmsg->cgroup);
}

/* Copies what follows @key in @text, up to @stop or to the end. False if there is no @key. */
static bool kmsg_field(const char *text, const char *key, const char *stop, char *value,
		       size_t size)
{
	const char *begin = strstr(text, key);
	const char *end;

	*value = '\0';
	if (!begin)
		return false;
	begin += strlen(key);
	end = strstr(begin, stop);
	snprintf(value, size, "%.*s", end ? (int)(end - begin) : (int)strlen(begin), begin);
	return true;
}

/* Anybody may give a task a name that a terminal would obey. */
static void kmsg_name_task(struct kmsg_oom *oom, const char *text, const char *key,
			   const char *stop)
{
	char *at;

	kmsg_field(text, key, stop, oom->task, sizeof(oom->task));
	for (at = oom->task; *at; at++)
		if (iscntrl((unsigned char)*at))
			*at = '?';
}

/* The last one in @text: the name of a task may look like anything. */
static const char *kmsg_last(const char *text, const char *key)
{
	const char *last = NULL;

	while ((text = strstr(text, key)))
		last = text++;
	return last;
}

static void kmsg_add_victim(struct kmsg *kmsg, int pid)
{
	if (kmsg->victim_count < KMSG_VICTIMS)
		kmsg->victims[kmsg->victim_count++] = pid;
}

static bool kmsg_take_victim(struct kmsg *kmsg, int pid)
{
	unsigned int i;

	for (i = 0; i < kmsg->victim_count; i++) {
		if (kmsg->victims[i] == pid) {
			kmsg->victims[i] = kmsg->victims[--kmsg->victim_count];
			return true;
		}
	}
	return false;
}

/* dump_oom_summary() in mm/oom_kill.c and mem_cgroup_print_oom_context() in mm/memcontrol.c */
static bool kmsg_parse_chosen(struct kmsg *kmsg, const char *text, struct kmsg_oom *oom)
{
	const char *pid = kmsg_last(text, ",pid=");

	if (!pid || !kmsg_field(text, "oom-kill:constraint=", ",", oom->constraint,
				sizeof(oom->constraint)))
		return false;
	kmsg_field(text, ",oom_memcg=", ",task_memcg=", oom->oom_memcg, sizeof(oom->oom_memcg));
	kmsg_field(text, ",task_memcg=", ",task=", oom->task_memcg, sizeof(oom->task_memcg));
	if (!kmsg_is_ours(kmsg, oom->oom_memcg) && !kmsg_is_ours(kmsg, oom->task_memcg))
		return false;
	kmsg_name_task(oom, text, ",task=", pid);
	oom->pid = atoi(pid + strlen(",pid="));
	oom->what = KMSG_CHOSEN;
	kmsg_add_victim(kmsg, oom->pid);
	return true;
}

/* __oom_kill_process(): "...: Killed process PID (NAME) total-vm:NkB, anon-rss:NkB, ..." */
static bool kmsg_parse_killed(struct kmsg *kmsg, const char *text, struct kmsg_oom *oom)
{
	const char *number = text + strlen("Killed process ");
	const char *rest = kmsg_last(text, ") total-vm:");
	char anon[32];

	oom->pid = atoi(number);
	if (!kmsg_take_victim(kmsg, oom->pid) && !kmsg->group && oom->pid != kmsg->known_pid)
		return false;
	if (rest) {
		kmsg_name_task(oom, text, " (", rest);
		if (kmsg_field(rest, "anon-rss:", "kB", anon, sizeof(anon)))
			oom->anon_rss_bytes = strtoull(anon, NULL, 10) << 10;
	}
	oom->what = KMSG_KILLED;
	return true;
}

static bool kmsg_parse_text(struct kmsg *kmsg, const char *text, struct kmsg_oom *oom)
{
	static const char stats[] = "Memory cgroup stats for ";
	static const char tasks[] = "Tasks in ";
	const char *killed = strstr(text, "Killed process ");
	char name[PATH_MAX];

	if (!strncmp(text, "oom-kill:", strlen("oom-kill:")))
		return kmsg_parse_chosen(kmsg, text, oom);
	if (killed)
		return kmsg_parse_killed(kmsg, killed, oom);
	if (strstr(text, " invoked oom-killer: ")) {
		kmsg->ours = false;
		kmsg->group = false;
	} else if (!strncmp(text, stats, strlen(stats))) {
		kmsg_field(text, stats, ":", name, sizeof(name));
		kmsg->ours = kmsg_is_ours(kmsg, name);
	} else if (!strncmp(text, tasks, strlen(tasks))) {
		kmsg_field(text, tasks, " are going to be killed", name, sizeof(name));
		kmsg->group = kmsg_is_ours(kmsg, name);
	} else if (kmsg->ours && strstr(text, "no killable processes")) {
		oom->what = KMSG_NO_VICTIM;
		return true;
	}
	return false;
}

/*
 * msg_add_ext_text() in kernel/printk/printk.c writes \xNN for a backslash, for control characters
 * and for all that is not ASCII. Cgroups are compared by the names that they have.
 */
static void kmsg_unescape(char *text)
{
	char *to = text;
	unsigned int byte;
	int length;

	while (*text) {
		if (*text == '\\' && sscanf(text, "\\x%2x%n", &byte, &length) == 1) {
			*to++ = (char)byte;
			text += length;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT", then lines of a dictionary */
bool kmsg_parse(struct kmsg *kmsg, const char *record, struct kmsg_oom *oom)
{
	const char *text = strchr(record, ';');
	char line[8192];

	memset(oom, 0, sizeof(*oom));
	if (!text || sscanf(record, "%*u,%*u,%llu", &oom->time_us) != 1)
		return false;
	text++;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	kmsg_unescape(line);
	return kmsg_parse_text(kmsg, line, oom);
}

int kmsg_next(struct kmsg *kmsg, struct kmsg_oom *oom)
{
	char record[8192];

	for (;;) {
		ssize_t length = read(kmsg->fd, record, sizeof(record) - 1);

		if (length < 0 && errno == EAGAIN)
			return 0;
		/* Overwritten before it was read: the next read goes on with what is left. */
		if (length < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (length <= 0)
			return length ? -errno : 0;
		record[length] = '\0';
		if (kmsg_parse(kmsg, record, oom))
			return 1;
	}
}
