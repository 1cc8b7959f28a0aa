// SPDX-License-Identifier: GPL-2.0
/* Cgroups by the names of units and containers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup_name.h"
#include "fixture.h"
#include "program_output.h"
#include "unit.h"

#define V2 "/sys/fs/cgroup"
#define V1 "/sys/fs/cgroup/memory"

/* Two ids begin with 3f2a1b. */
#define WEB    "3f2a1b5c00112233445566778899aabbccddeeff00112233445566778899aabb"
#define DB     "3f2a1bff00112233445566778899aabbccddeeff00112233445566778899aabb"
#define POD    "77aa00bb00112233445566778899aabbccddeeff00112233445566778899aabb"
#define ASLEEP "0123456789112233445566778899aabbccddeeff00112233445566778899aabb"

#define USER1 "/user.slice/user-1.slice/user@1.service"
#define USER2 "/user.slice/user-2.slice/user@2.service"

#define DOCKER "/var/lib/docker/containers/"
#define PODMAN "/.local/share/containers/storage/overlay-containers/containers.json"

/**
 * struct names - a machine
 * @fixture: its files
 * @tree: its cgroups
 * @path: what PATH was before
 * @home: what HOME was before
 */
struct names {
	struct fixture fixture;
	struct cg_tree tree;
	char *path;
	char *home;
};

/* No engine of this machine shall be asked, and no home of it be read. */
static void names_begin(struct names *names, const char *mounts)
{
	char text[PATH_MAX + 8];

	names->fixture = fixture_create();
	names->path = strdup(getenv("PATH"));
	names->home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
	snprintf(text, sizeof(text), "%s/bin", names->fixture.root);
	setenv("PATH", text, 1);
	setenv("HOME", "/home/me", 1);
	fixture_write(&names->fixture, "/proc/self/mounts", mounts);
	fixture_write(&names->fixture, V2 "/cgroup.controllers", "memory pids\n");
	EXPECT_NUMBER(cg_find(&names->tree, names->fixture.root), 0);
}

static void names_end(struct names *names)
{
	fixture_destroy(&names->fixture);
	setenv("PATH", names->path, 1);
	if (names->home)
		setenv("HOME", names->home, 1);
	else
		unsetenv("HOME");
	free(names->path);
	free(names->home);
}

static void names_begin_v2(struct names *names)
{
	names_begin(names, "cgroup2 " V2 " cgroup2 rw 0 0\n");
}

/* A program of this name, which is a script. */
static void names_add_program(const struct names *names, const char *name, const char *script)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "/bin/%s", name);
	fixture_write(&names->fixture, path, "#!/bin/sh\n");
	fixture_write(&names->fixture, path, script);
	snprintf(path, sizeof(path), "%s/bin/%s", names->fixture.root, name);
	EXPECT_NUMBER(chmod(path, 0755), 0);
}

static void expect_name(const struct names *names, const char *name, const char *expected)
{
	char path[PATH_MAX] = "";
	struct error error = {};

	EXPECT_NUMBER(cgroup_name_resolve(&names->tree, name, path, sizeof(path), &error), 0);
	EXPECT_STRING(*path ? cg_name(&names->tree, path) : "", expected);
	EXPECT_STRING(error.text, "");
}

static void expect_no_name(const struct names *names, const char *name, const char *reason)
{
	char path[PATH_MAX] = "";
	struct error error = {};

	EXPECT_NUMBER(cgroup_name_resolve(&names->tree, name, path, sizeof(path), &error), -1);
	EXPECT_NUMBER(error.status, STATUS_MISUSE);
	EXPECT_WITHIN(error.text, reason);
	EXPECT_TRUE(!strchr(error.text, '\n'));
}

static void finds_units(void)
{
	struct names names;

	names_begin_v2(&names);
	fixture_mkdir(&names.fixture, V2 "/system.slice/ssh.service");
	fixture_mkdir(&names.fixture, V2 "/system.slice/system-getty.slice/getty@tty1.service");
	fixture_mkdir(&names.fixture, V2 "/system.slice/_memory.service");
	fixture_mkdir(&names.fixture, V2 "/system.slice/dbus.service");
	fixture_mkdir(&names.fixture, V2 USER1 "/app.slice/dbus.service");
	fixture_mkdir(&names.fixture, V2 USER1 "/app.slice/mine.service");
	fixture_mkdir(&names.fixture, V2 USER2 "/app.slice/ours.service");
	fixture_mkdir(&names.fixture, V2 USER1 "/app.slice/ours.service");
	expect_name(&names, "unit:ssh", "/system.slice/ssh.service");
	expect_name(&names, "unit:ssh.service", "/system.slice/ssh.service");
	expect_name(&names, "unit:system.slice", "/system.slice");
	expect_name(&names, "unit:user@1.service", USER1);
	expect_name(&names, "unit:getty@tty1",
		    "/system.slice/system-getty.slice/getty@tty1.service");
	expect_name(&names, "unit:memory", "/system.slice/_memory.service");
	/* The system's comes first; of users' there must be one. */
	expect_name(&names, "unit:dbus", "/system.slice/dbus.service");
	expect_name(&names, "unit:mine", USER1 "/app.slice/mine.service");
	expect_no_name(&names, "unit:ours", "'ours.service' is one of 2 cgroups; give the path: ");
	expect_no_name(&names, "unit:ours",
		       USER1 "/app.slice/ours.service, " USER2 "/app.slice/ours.service");
	expect_no_name(&names, "unit:sshd", "no unit sshd.service has a cgroup");
	expect_no_name(&names, "unit:", "takes the name of a unit");
	expect_no_name(&names, "unit:a/b", "takes the name of a unit");
	names_end(&names);
}

static void finds_units_on_v1(void)
{
	struct names names;

	names_begin(&names, "cgroup " V1 " cgroup rw,memory 0 0\n");
	fixture_mkdir(&names.fixture, V1 "/system.slice/ssh.service");
	fixture_mkdir(&names.fixture, "/sys/fs/cgroup/systemd/system.slice/cron.service");
	expect_name(&names, "unit:ssh", "/system.slice/ssh.service");
	expect_no_name(&names, "unit:cron", "with memory below");
	names_end(&names);
}

static void finds_containers_by_id(void)
{
	struct names names;

	names_begin_v2(&names);
	fixture_mkdir(&names.fixture, V2 "/system.slice/docker-" WEB ".scope/init.scope");
	fixture_mkdir(&names.fixture, V2 "/docker/" DB);
	fixture_mkdir(&names.fixture, V2 "/machine.slice/libpod-" POD ".scope/container");
	fixture_mkdir(&names.fixture, V2 "/machine.slice/libpod-conmon-" POD ".scope");
	fixture_mkdir(&names.fixture, V2 "/system.slice/docker.service");
	expect_name(&names, WEB, "/system.slice/docker-" WEB ".scope");
	expect_name(&names, "3f2a1b5", "/system.slice/docker-" WEB ".scope");
	expect_name(&names, "3f2a1bf", "/docker/" DB);
	expect_name(&names, "77aa00", "/machine.slice/libpod-" POD ".scope");
	expect_name(&names, "docker:3f2a1b5", "/system.slice/docker-" WEB ".scope");
	expect_name(&names, "podman:7", "/machine.slice/libpod-" POD ".scope");
	expect_no_name(&names, "3f2a1b", "'3f2a1b' is one of 2 cgroups; give the path: ");
	expect_no_name(&names, "3f2a1b", "/system.slice/docker-" WEB ".scope");
	expect_no_name(&names, "3f2a1b", "/docker/" DB);
	expect_no_name(&names, "docker:3f", "'3f' is one of 2 cgroups");
	expect_no_name(&names, "docker:77aa00", "no container of docker with this name or id");
	expect_no_name(&names, "podman:3f2a1b", "no container of podman with this name or id");
	expect_no_name(&names, "abcdef", "neither such a cgroup nor one of a container");
	/* Too short, not of the digits, or there: paths. */
	expect_name(&names, "77aa0", "/77aa0");
	expect_name(&names, "3F2A1B5", "/3F2A1B5");
	expect_name(&names, "/abcdef", "/abcdef");
	fixture_mkdir(&names.fixture, V2 "/77aa00");
	expect_name(&names, "77aa00", "/77aa00");
	names_end(&names);
}

static void finds_containers_on_v1(void)
{
	struct names names;

	names_begin(&names, "cgroup " V1 " cgroup rw,memory 0 0\n");
	fixture_mkdir(&names.fixture, V1 "/docker/" WEB "/docker/" DB);
	fixture_mkdir(&names.fixture, "/sys/fs/cgroup/pids/docker/" WEB);
	fixture_mkdir(&names.fixture, V1 "/libpod_parent/libpod-" POD "/inner/libpod-" POD);
	fixture_mkdir(&names.fixture, V1 "/libpod_parent/conmon/libpod-conmon-" POD);
	expect_name(&names, "3f2a1b5", "/docker/" WEB);
	expect_name(&names, "docker:" DB, "/docker/" WEB "/docker/" DB);
	expect_name(&names, "podman:77aa", "/libpod_parent/libpod-" POD);
	names_end(&names);
}

static void knows_names_of_docker(void)
{
	struct names names;

	names_begin_v2(&names);
	fixture_mkdir(&names.fixture, V2 "/system.slice/docker-" WEB ".scope");
	fixture_mkdir(&names.fixture, V2 "/elsewhere/" DB);
	fixture_write(&names.fixture, DOCKER WEB "/config.v2.json",
		      "{\"ID\":\"" WEB "\",\"Name\":\"/web\",\"State\":{\"Running\":true}}");
	/* A name that looks like the beginning of another one's id. */
	fixture_write(&names.fixture, DOCKER DB "/config.v2.json",
		      "{\"ID\":\"" DB "\",\"Name\":\"/3f2a1b5\"}");
	fixture_write(&names.fixture, DOCKER ASLEEP "/config.v2.json",
		      "{\"ID\":\"" ASLEEP "\",\"Name\":\"/asleep\"}");
	fixture_write(&names.fixture, DOCKER "broken/config.v2.json", "{\"ID\":");
	fixture_write(&names.fixture, DOCKER "short/config.v2.json",
		      "{\"ID\":\"12\",\"Name\":\"/short\"}");
	expect_name(&names, "docker:web", "/system.slice/docker-" WEB ".scope");
	expect_name(&names, "docker:3f2a1b5", "/elsewhere/" DB);
	expect_name(&names, "docker:3f2a1b5c", "/system.slice/docker-" WEB ".scope");
	expect_no_name(&names, "docker:asleep", "container 012345678911 has no cgroup below");
	expect_no_name(&names, "docker:short", "docker knows no container of this name");
	expect_no_name(&names, "docker:we", "docker knows no container of this name");
	expect_no_name(&names, "docker:", "takes the name or id");
	expect_no_name(&names, "docker:--help", "takes the name or id");
	expect_no_name(&names, "docker:a/b", "takes the name or id");
	names_end(&names);
}

static void knows_names_of_podman(void)
{
	struct names names;
	char path[PATH_MAX];

	names_begin_v2(&names);
	fixture_mkdir(&names.fixture, V2 "/machine.slice/libpod-" POD ".scope/container");
	fixture_mkdir(&names.fixture, V2 USER1 "/user.slice/libpod-" DB ".scope");
	fixture_write(&names.fixture,
		      "/var/lib/containers/storage/overlay-containers/containers.json",
		      "[{\"id\":\"" ASLEEP "\",\"names\":[\"other\"]},\n"
		      "{\"id\":\"" POD "\",\"names\":[\"alias\",\"pod\"]}]");
	fixture_write(&names.fixture, "/home/me" PODMAN,
		      "[{\"id\":\"" DB "\",\"names\":[\"mine\"]},{\"id\":\"" WEB "\"},7]");
	expect_name(&names, "podman:pod", "/machine.slice/libpod-" POD ".scope");
	expect_name(&names, "podman:alias", "/machine.slice/libpod-" POD ".scope");
	expect_name(&names, "podman:mine", USER1 "/user.slice/libpod-" DB ".scope");
	expect_no_name(&names, "podman:other", "container 012345678911 has no cgroup below");
	expect_no_name(&names, "podman:web", "podman knows no container of this name");
	/* What would never be read to its end. */
	fixture_mkdir(&names.fixture, "/home/me/.local/share/containers/storage/a-containers");
	snprintf(path, sizeof(path), "%s%s", names.fixture.root,
		 "/home/me/.local/share/containers/storage/a-containers/containers.json");
	EXPECT_NUMBER(mkfifo(path, 0600), 0);
	expect_name(&names, "podman:mine", USER1 "/user.slice/libpod-" DB ".scope");
	names_end(&names);
}

/* Where there are no files to read. */
static void asks_the_engine(void)
{
	struct names names;

	names_begin_v2(&names);
	fixture_mkdir(&names.fixture, V2 "/system.slice/docker-" WEB ".scope");
	names_add_program(&names, "docker",
			  "#!/bin/sh\n"
			  "[ \"$*\" = 'inspect --type container --format {{.Id}} -- web' ] || exit 1\n"
			  "echo " WEB "\n");
	names_add_program(&names, "podman", "#!/bin/sh\necho Error: no such container\n");
	expect_name(&names, "docker:web", "/system.slice/docker-" WEB ".scope");
	expect_no_name(&names, "docker:nope", "docker knows no container of this name");
	expect_no_name(&names, "podman:web", "podman knows no container of this name");
	expect_name(&names, "docker:3f2a", "/system.slice/docker-" WEB ".scope");
	names_end(&names);
}

static void takes_the_output_of_programs(void)
{
	const char *const echo[] = { "echo", "words", NULL };
	const char *const shell[] = { "sh", "-c", "echo words; exit 3", NULL };
	const char *const input[] = { "cat", NULL };
	const char *const complaint[] = { "sh", "-c", "echo bad >&2", NULL };
	const char *const none[] = { "memstress-no-such-command", NULL };
	struct program_question question = { echo, false, PROGRAM_OUTPUT_TIMEOUT };
	char text[4];

	EXPECT_NUMBER(program_output(&question, text, sizeof(text)), 0);
	EXPECT_STRING(text, "wor");
	question.argv = shell;
	EXPECT_NUMBER(program_output(&question, text, sizeof(text)), -EIO);
	EXPECT_STRING(text, "wor");
	question.argv = input;
	EXPECT_NUMBER(program_output(&question, text, sizeof(text)), 0);
	EXPECT_STRING(text, "");
	question.argv = complaint;
	EXPECT_NUMBER(program_output(&question, text, sizeof(text)), 0);
	EXPECT_STRING(text, "");
	question.with_complaints = true;
	EXPECT_NUMBER(program_output(&question, text, sizeof(text)), 0);
	EXPECT_STRING(text, "bad");
	question.argv = none;
	EXPECT_NUMBER(program_output(&question, text, sizeof(text)), -ENOENT);
}

const struct unit_test unit_cgroup_name_tests[] = {
	{ "cgroup_name_finds_units", finds_units },
	{ "cgroup_name_finds_units_on_v1", finds_units_on_v1 },
	{ "cgroup_name_finds_containers_by_id", finds_containers_by_id },
	{ "cgroup_name_finds_containers_on_v1", finds_containers_on_v1 },
	{ "cgroup_name_knows_names_of_docker", knows_names_of_docker },
	{ "cgroup_name_knows_names_of_podman", knows_names_of_podman },
	{ "cgroup_name_asks_the_engine", asks_the_engine },
	{ "cgroup_name_takes_the_output_of_programs", takes_the_output_of_programs },
	{},
};
