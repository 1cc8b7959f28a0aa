// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_mark.h"
#include "clock.h"
#include "scope.h"

#define SCOPE_TOOL   "tool"
#define SCOPE_SUFFIX ".scope"

/* How long systemd may take to see that a scope is empty, and to remove it. */
#define SCOPE_REMOVE_TIMEOUT (10 * NS_PER_S)

static void scope_complete(const char *name, char *unit, size_t size)
{
	size_t length = strlen(name), tail = strlen(SCOPE_SUFFIX);
	bool is_complete = length > tail && !strcmp(name + length - tail, SCOPE_SUFFIX);

	snprintf(unit, size, "%s%s", name, is_complete ? "" : SCOPE_SUFFIX);
}

int scope_find(struct scope *scope, const struct cg_tree *tree, const char *name)
{
	char manager[PATH_MAX / 2];
	int ret;

	memset(scope, 0, sizeof(*scope));
	scope->tree = tree;
	scope->cg.fd = -1;
	scope->tool_fd = -1;
	scope->slice = geteuid() ? "app.slice" : "system.slice";
	scope_complete(name, scope->unit, sizeof(scope->unit));
	if (geteuid() && !tree->ops->is_unified) {
		snprintf(scope->bus.why, sizeof(scope->bus.why),
			 "on cgroup v%u users' managers have no memory controller",
			 tree->ops->version);
		return -EOPNOTSUPP;
	}
	ret = scope_bus_open(&scope->bus, SCOPE_OWN, SCOPE_BUS_TIMEOUT);
	if (!ret)
		ret = scope_bus_manager_cgroup(&scope->bus, manager, sizeof(manager));
	if (ret) {
		scope_bus_close(&scope->bus);
		return ret;
	}
	if (!strcmp(manager, "/"))
		*manager = '\0';
	if (snprintf(scope->cg.path, sizeof(scope->cg.path), "%s%s/%s/%s", tree->mount, manager,
		     scope->slice, scope->unit) >= (int)sizeof(scope->cg.path))
		return -ENAMETOOLONG;
	return 0;
}

static int scope_is_where_we_are(const struct scope *scope)
{
	const struct cg_tree *tree = scope->tree;
	char name[PATH_MAX];
	int ret = tree->ops->find_of(tree->root, "self", name, sizeof(name));

	if (ret)
		return ret;
	return strcmp(name, cg_name(tree, scope->cg.path)) ? -ENOENT : 0;
}

/* Where there are controllers for children, there are no processes. */
static int scope_enter_tool(struct scope *scope)
{
	int ret;

	if (mkdirat(scope->cg.fd, SCOPE_TOOL, 0755))
		return -errno;
	scope->tool_fd = openat(scope->cg.fd, SCOPE_TOOL, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scope->tool_fd < 0)
		return -errno;
	ret = cg_lock_shared(scope->tool_fd);
	if (ret)
		return ret;
	cg_mark(scope->tool_fd, CG_MADE);
	return cg_write_at(scope->tool_fd, "cgroup.procs", "0");
}

static int scope_enter(struct scope *scope)
{
	char path[PATH_MAX];
	int ret = scope_is_where_we_are(scope);

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s", scope->cg.path);
	ret = cg_look(&scope->cg, scope->tree, path);
	if (!ret)
		ret = cg_lock_shared(scope->cg.fd);
	if (ret)
		return ret;
	cg_mark(scope->cg.fd, CG_MADE);
	return scope_enter_tool(scope);
}

int scope_start(struct scope *scope, struct error *error)
{
	const struct cg_tree *tree = scope->tree;
	int ret;

	ret = tree->ops->find_of(tree->root, "self", scope->home, sizeof(scope->home));
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "cannot tell our own cgroup: %s",
				 strerror(-ret));
	ret = scope_bus_start(&scope->bus, scope->unit, scope->slice, getpid());
	if (ret == -EEXIST || ret == -EINVAL)
		return error_set(error, ret == -EEXIST ? STATUS_FAILED : STATUS_MISUSE,
				 "systemd refuses: %s", scope->bus.why);
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "systemd does not start %s: %s",
				 scope->unit, scope->bus.why);
	scope_bus_close(&scope->bus);
	ret = scope_enter(scope);
	if (ret == -ENOENT)
		return error_set(error, STATUS_UNSUPPORTED,
				 "systemd has started %s, but not with memory at %s", scope->unit,
				 scope->cg.path);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot enter %s: %s", scope->cg.path,
				 strerror(-ret));
	return 0;
}

/* If we are in several hierarchies, we leave them all by ending. */
static bool scope_go_home(const struct scope *scope)
{
	const struct cg_tree *tree = scope->tree;
	char path[PATH_MAX];
	int fd, ret;

	if (!tree->ops->is_unified ||
	    snprintf(path, sizeof(path), "%s%s", tree->mount, scope->home) >= (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ret = cg_write_at(fd, "cgroup.procs", "0");
	close(fd);
	return !ret;
}

static bool scope_await_removal(const struct scope *scope)
{
	__u64 deadline_ns = clock_now_ns() + SCOPE_REMOVE_TIMEOUT;
	struct pollfd poll_fd = { .events = POLLIN };
	char news[4096];

	poll_fd.fd = cg_watch_removal(&scope->cg);
	while (cg_is_there(&scope->cg)) {
		__u64 now_ns = clock_now_ns();

		if (poll_fd.fd < 0 || now_ns >= deadline_ns)
			break;
		poll(&poll_fd, 1, (deadline_ns - now_ns) / NS_PER_MS + 1);
		while (read(poll_fd.fd, news, sizeof(news)) > 0)
			continue;
	}
	if (poll_fd.fd >= 0)
		close(poll_fd.fd);
	return !cg_is_there(&scope->cg);
}

int scope_end(struct scope *scope, struct error *error)
{
	int ret = 0;

	scope_bus_close(&scope->bus);
	if (*scope->home && scope_go_home(scope)) {
		unlinkat(scope->cg.fd, SCOPE_TOOL, AT_REMOVEDIR);
		if (scope->cg.fd >= 0 && !scope_await_removal(scope))
			ret = error_set(error, STATUS_FAILED, "systemd has not removed %s",
					scope->cg.path);
	} else if (scope->tool_fd >= 0) {
		/* Locked until we end, for what can be locked is a leftover, and we are in it. */
		return 0;
	}
	if (scope->tool_fd >= 0)
		close(scope->tool_fd);
	scope->tool_fd = -1;
	cg_look_away(&scope->cg);
	return ret;
}
