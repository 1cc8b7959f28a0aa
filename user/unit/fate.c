// SPDX-License-Identifier: GPL-2.0
/* What became of containers: whom the tool finds in them, what engines say, what is made of it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fate.h"
#include "fixture.h"
#include "unit.h"

#define ID "3f2a1b5c77aa00112233445566778899aabbccddeeff00112233445566778899"

static void knows_cgroups_of_containers(void)
{
	static const struct {
		const char *path;
		const char *label;
		const struct container_engine *engine;
	} containers[] = {
		{ "/sys/fs/cgroup/system.slice/docker-" ID ".scope", "docker", &container_docker },
		{ "/sys/fs/cgroup/memory/docker/" ID, "", &container_docker },
		{ "/sys/fs/cgroup/machine.slice/libpod-" ID ".scope", "libpod", &container_podman },
		{ "/sys/fs/cgroup/kubepods.slice/cri-containerd-" ID ".scope", "cri-containerd",
		  NULL },
	};
	static const char *const others[] = {
		"/sys/fs/cgroup",
		"/sys/fs/cgroup/system.slice/docker.service",
		"/sys/fs/cgroup/machine.slice/libpod-conmon-" ID ".scope",
		"/sys/fs/cgroup/system.slice/docker-" ID ".scope/init.scope",
	};
	struct container container;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(containers); i++) {
		EXPECT_TRUE(container_is_at(containers[i].path, &container));
		EXPECT_STRING(container.id, ID);
		EXPECT_STRING(container.label, containers[i].label);
		EXPECT_TRUE(container.engine == containers[i].engine);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_TRUE(!container_is_at(others[i], &container));
}

/* Asks a program called docker that is this script. */
static struct container_report ask(const char *script, __u64 timeout_ns)
{
	struct container container = { .engine = &container_docker, .id = ID };
	struct fixture fixture = fixture_create();
	char path[PATH_MAX], *old = strdup(getenv("PATH"));
	struct container_report report;

	fixture_write(&fixture, "/bin/docker", script);
	snprintf(path, sizeof(path), "%s/bin/docker", fixture.root);
	chmod(path, 0755);
	snprintf(path, sizeof(path), "%s/bin:%s", fixture.root, old);
	setenv("PATH", path, 1);
	container_report_ask(&container, timeout_ns, &report);
	setenv("PATH", old, 1);
	free(old);
	fixture_destroy(&fixture);
	return report;
}

static void asks_engines(void)
{
	struct container container = { .label = "cri-containerd", .id = ID };
	struct container_report report;

	report = ask("#!/bin/sh\n"
		     "[ \"$1 $2 $3 $4\" = 'inspect --type container --format' ] || exit 1\n"
		     "[ \"$6 $7\" = '-- " ID "' ] || exit 1\n"
		     "echo warning: old >&2\n"
		     "echo ${5%% *} exited false 0 137 true\n",
		     10 * NS_PER_S);
	EXPECT_TRUE(report.is_known);
	EXPECT_STRING(report.status, "exited");
	EXPECT_TRUE(!report.is_running);
	EXPECT_NUMBER(report.exit_code, 137);
	EXPECT_TRUE(report.oom_killed);
	report = ask("#!/bin/sh\necho ${5%% *} running true 4711 0 false\n", 10 * NS_PER_S);
	EXPECT_TRUE(report.is_known && report.is_running && !report.oom_killed);
	EXPECT_NUMBER(report.pid, 4711);

	report = ask("#!/bin/sh\necho\necho Error: no such container >&2\nexit 1\n", 10 * NS_PER_S);
	EXPECT_TRUE(!report.is_known);
	EXPECT_STRING(report.why, "Error: no such container");
	report = ask("#!/bin/sh\necho hello\n", 10 * NS_PER_S);
	EXPECT_TRUE(!report.is_known);
	EXPECT_STRING(report.why, "its answer makes no sense");
	container_report_ask(&container, NS_PER_S, &report);
	EXPECT_TRUE(!report.is_known);
	EXPECT_WITHIN(report.why, "knows no engine that calls cgroups 'cri-containerd-'");
}

/* Nor does one that has closed its output. */
static void waits_for_no_engine(void)
{
	static const char *const scripts[] = {
		"#!/bin/sh\nexec sleep 100\n",
		"#!/bin/sh\nexec >&- 2>&-\nexec sleep 100\n",
	};
	struct container_report report;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(scripts); i++) {
		__u64 begin_ns = clock_now_ns();

		report = ask(scripts[i], 200 * NS_PER_MS);
		EXPECT_TRUE(!report.is_known);
		EXPECT_WITHIN(report.why, "it has not answered in 200");
		EXPECT_TRUE(clock_now_ns() - begin_ns < 20 * NS_PER_S);
	}
}

/* A cgroup of these processes, which their status describes. */
static void write_process(const struct fixture *fixture, const char *pid, const char *name,
			  const char *numbers)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	snprintf(text, sizeof(text),
		 "Name:\t%s\nPid:\t%s\nNSpid:\t%s\nSigPnd:\t0000000000000000\n"
		 "ShdPnd:\t0000000000000000\n",
		 name, pid, numbers);
	fixture_write(fixture, path, text);
}

static void finds_the_first_process(void)
{
	struct fixture fixture = fixture_create();
	char own[16], numbers[32], path[PATH_MAX];
	struct first_process first;
	struct cg_tree tree;
	struct cgroup cg;

	snprintf(own, sizeof(own), "%d", getpid());
	snprintf(numbers, sizeof(numbers), "%d\t1", getpid());
	fixture_write(&fixture, "/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
	fixture_write(&fixture, "/sys/fs/cgroup/cgroup.controllers", "memory\n");
	fixture_write(&fixture, "/sys/fs/cgroup/job/cgroup.procs", "10\n11\n");
	fixture_write(&fixture, "/sys/fs/cgroup/job/init/cgroup.procs", own);
	/* One of the machine, the second of a container, and the first of one within it. */
	write_process(&fixture, "10", "monitor", "10");
	write_process(&fixture, "11", "second", "11\t2");
	write_process(&fixture, "12", "inner", "12\t7\t1");
	EXPECT_NUMBER(cg_find(&tree, fixture.root), 0);
	EXPECT_NUMBER(cg_resolve(&tree, "job", path, sizeof(path)), 0);
	EXPECT_NUMBER(cg_look(&cg, &tree, path), 0);
	write_process(&fixture, own, "shares", own);
	EXPECT_TRUE(first_process_find(&first, &cg) < 0);
	EXPECT_NUMBER(first.fd, -1);
	fixture_write(&fixture, "/sys/fs/cgroup/job/cgroup.procs", "10\n11\n12\n");
	write_process(&fixture, own, "first of all", numbers);
	EXPECT_NUMBER(first_process_find(&first, &cg), 0);
	EXPECT_NUMBER(first.pid, getpid());
	EXPECT_STRING(first.name, "first of all");
	EXPECT_TRUE(!first_process_has_ended(&first));
	EXPECT_TRUE(!first_process_is_dying(&first, fixture.root));
	first_process_close(&first);
	cg_look_away(&cg);
	fixture_destroy(&fixture);
}

static void sees_the_end_of_a_process(void)
{
	struct first_process first;
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	EXPECT_NUMBER(first_process_open(&first, "", pid), 0);
	EXPECT_TRUE(!first_process_has_ended(&first));
	EXPECT_TRUE(!first_process_is_dying(&first, ""));
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_TRUE(first_process_has_ended(&first));
	/* Since 6.15. */
	if (first.has_status)
		EXPECT_NUMBER(first.status, SIGKILL);
	first_process_close(&first);
}

/* A process that a signal waits for, one that is on its way out, and one that is not. */
static void sees_a_process_die(void)
{
	struct fixture fixture = fixture_create();
	struct first_process first = { .pid = 7, .fd = 0 };

	fixture_write(&fixture, "/proc/7/stat", "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0\n");
	write_process(&fixture, "7", "eat", "7\t1");
	EXPECT_TRUE(!first_process_is_dying(&first, fixture.root));
	fixture_write(&fixture, "/proc/7/stat", "7 (a) b) D 1 7 7 0 -1 4194564 1 0 0 0\n");
	EXPECT_TRUE(first_process_is_dying(&first, fixture.root));
	fixture_write(&fixture, "/proc/7/stat", "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0\n");
	fixture_write(&fixture, "/proc/7/status", "Name:\teat\nShdPnd:\t0000000000000100\n");
	EXPECT_TRUE(first_process_is_dying(&first, fixture.root));
	fixture_write(&fixture, "/proc/7/status", "Name:\teat\nShdPnd:\t0000000000004000\n");
	EXPECT_TRUE(!first_process_is_dying(&first, fixture.root));
	fixture_destroy(&fixture);
}

/* Statuses as waitpid() has them: SIGKILL, SIGTERM, and exit(137). */
static void tells_137_apart(void)
{
	static const struct {
		int status;      /* -1: the kernel does not tell */
		int engine_code; /* -1: cannot be asked */
		bool is_victim;
		bool log_is_complete;
		enum fate_how how;
		enum fate_oom oom;
		int code;
	} fates[] = {
		{ 9, 137, true, true, FATE_SIGNAL, FATE_OOM_YES, 137 },
		{ 9, 137, false, true, FATE_SIGNAL, FATE_OOM_NO, 137 },
		{ 9, -1, false, false, FATE_SIGNAL, FATE_OOM_UNTOLD, 137 },
		{ 15, 143, false, false, FATE_SIGNAL, FATE_OOM_NO, 143 },
		{ 137 << 8, 137, false, true, FATE_EXIT, FATE_OOM_NO, 137 },
		{ 137 << 8, -1, false, false, FATE_EXIT, FATE_OOM_NO, 137 },
		{ -1, 137, true, true, FATE_ENDED, FATE_OOM_YES, 137 },
		{ -1, 137, false, true, FATE_ENDED, FATE_OOM_NO, 137 },
		{ -1, 137, false, false, FATE_ENDED, FATE_OOM_UNTOLD, 137 },
		{ -1, 3, false, false, FATE_ENDED, FATE_OOM_NO, 3 },
		{ -1, -1, false, false, FATE_ENDED, FATE_OOM_UNTOLD, FATE_NO_CODE },
		{ -1, -1, true, true, FATE_ENDED, FATE_OOM_YES, FATE_NO_CODE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fates); i++) {
		struct first_process first = { .pid = 7, .name = "eat", .fd = -1 };
		struct fate_seen seen = { true, fates[i].is_victim, fates[i].log_is_complete };
		struct fate fate = { .is_container = true };

		first.has_status = fates[i].status >= 0;
		first.status = fates[i].status;
		fate.report.is_known = fates[i].engine_code >= 0;
		fate.report.exit_code = fates[i].engine_code;
		fate_judge(&fate, &first, &seen);
		EXPECT_NUMBER(fate.how, fates[i].how);
		EXPECT_NUMBER(fate.oom, fates[i].oom);
		EXPECT_NUMBER(fate.code, fates[i].code);
		EXPECT_NUMBER(fate.pid, 7);
		EXPECT_TRUE(!fate.is_restarted);
	}
}

static void judges_the_living_and_the_restarted(void)
{
	struct first_process first = { .pid = 7, .fd = -1 };
	struct fate fate = { .is_container = true };
	struct fate_seen seen = {};

	fate.report.is_known = true;
	fate.report.is_running = true;
	fate.report.pid = 7;
	fate_judge(&fate, &first, &seen);
	EXPECT_NUMBER(fate.how, FATE_LIVES);
	EXPECT_NUMBER(fate.code, FATE_NO_CODE);
	/* Somebody else in it was killed, which its engine will say when it ends. */
	fate.kills = 1;
	EXPECT_TRUE(!fate_is_contradicted(&fate));
	/* Its flag is that of the container that runs now. */
	seen.has_ended = true;
	fate.report.pid = 8;
	fate.kills = 1;
	fate_judge(&fate, &first, &seen);
	EXPECT_TRUE(fate.is_restarted);
	EXPECT_NUMBER(fate.code, FATE_NO_CODE);
	EXPECT_TRUE(!fate_is_contradicted(&fate));
}

static void sees_contradictions(void)
{
	struct fate fate = { .is_container = true, .kills = 2 };

	/* An engine that says nothing contradicts nobody. */
	EXPECT_TRUE(!fate_is_contradicted(&fate));
	fate.report.is_known = true;
	EXPECT_TRUE(fate_is_contradicted(&fate));
	fate.report.oom_killed = true;
	EXPECT_TRUE(!fate_is_contradicted(&fate));
	fate.kills = 0;
	EXPECT_TRUE(fate_is_contradicted(&fate));
	fate.report.oom_killed = false;
	EXPECT_TRUE(!fate_is_contradicted(&fate));
}

const struct unit_test unit_fate_tests[] = {
	{ "fate_knows_cgroups_of_containers", knows_cgroups_of_containers },
	{ "fate_asks_engines", asks_engines },
	{ "fate_waits_for_no_engine", waits_for_no_engine },
	{ "fate_finds_the_first_process", finds_the_first_process },
	{ "fate_sees_the_end_of_a_process", sees_the_end_of_a_process },
	{ "fate_sees_a_process_die", sees_a_process_die },
	{ "fate_tells_137_apart", tells_137_apart },
	{ "fate_judges_the_living_and_the_restarted", judges_the_living_and_the_restarted },
	{ "fate_sees_contradictions", sees_contradictions },
	{},
};
