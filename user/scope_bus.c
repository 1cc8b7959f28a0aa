// SPDX-License-Identifier: GPL-2.0
/* The interface is described in org.freedesktop.systemd1(5). */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "clock.h"
#include "compiler.h"
#include "scope_bus.h"

#define SCOPE_BUS_NAME    "org.freedesktop.systemd1"
#define SCOPE_BUS_PATH    "/org/freedesktop/systemd1"
#define SCOPE_BUS_MANAGER SCOPE_BUS_NAME ".Manager"

/* Where systemd listens without a bus, to root alone (bus_init_private() of src/core/dbus.c) */
#define SCOPE_BUS_PRIVATE "unix:path=/run/systemd/private"

#define SCOPE_BUS_UNITS SCOPE_BUS_PATH "/unit"
#define SCOPE_BUS_UNIT  SCOPE_BUS_NAME ".Unit"

/**
 * struct scope_bus_job - a job of systemd
 * @path: what it is called
 * @result: how it ended; "" as long as it has not
 */
struct scope_bus_job {
	const char *path;
	char result[32];
};

/* What sd_bus_open_user() says of a user who has no session */
static const char *scope_bus_error(int ret)
{
	return ret == -ENOMEDIUM ? "XDG_RUNTIME_DIR is not set, as a login does" : strerror(-ret);
}

static int scope_bus_explain(struct scope_bus *bus, int ret, sd_bus_error *error)
{
	snprintf(bus->why, sizeof(bus->why), "%s",
		 error && error->message ? error->message : scope_bus_error(ret));
	sd_bus_error_free(error);
	return ret;
}

/* libsystemd itself would wait for a daemon that has stopped, for a minute and a half. */
static int scope_bus_await_ready(struct sd_bus *bus, __u64 deadline_ns)
{
	int ret;

	while (!(ret = sd_bus_is_ready(bus))) {
		__u64 now_ns = clock_now_ns();

		if (now_ns >= deadline_ns)
			return -ETIMEDOUT;
		ret = sd_bus_process(bus, NULL);
		if (!ret)
			ret = sd_bus_wait(bus, (deadline_ns - now_ns) / NS_PER_US);
		if (ret < 0 && ret != -EINTR)
			return ret;
	}
	return ret < 0 ? ret : 0;
}

/* Without a bus daemon root asks systemd itself, as systemctl does; not if told where a bus is. */
static int scope_bus_start_system(struct sd_bus **bus)
{
	int ret = sd_bus_open_system(bus);

	if (ret >= 0 || geteuid() || getenv("DBUS_SYSTEM_BUS_ADDRESS"))
		return ret;
	ret = sd_bus_new(bus);
	if (ret < 0)
		return ret;
	ret = sd_bus_set_address(*bus, SCOPE_BUS_PRIVATE);
	if (ret >= 0)
		ret = sd_bus_start(*bus);
	if (ret < 0)
		*bus = sd_bus_unref(*bus);
	return ret;
}

int scope_bus_open(struct scope_bus *bus, enum scope_manager manager, __u64 timeout_ns)
{
	__u64 deadline_ns = clock_now_ns() + timeout_ns;
	int ret;

	memset(bus, 0, sizeof(*bus));
	if (sd_booted() <= 0) {
		snprintf(bus->why, sizeof(bus->why), "systemd does not run here");
		return -EOPNOTSUPP;
	}
	ret = manager == SCOPE_SYSTEM || !geteuid() ? scope_bus_start_system(&bus->bus) :
						      sd_bus_open_user(&bus->bus);
	if (ret < 0)
		return scope_bus_explain(bus, ret, NULL);
	sd_bus_set_method_call_timeout(bus->bus, timeout_ns / NS_PER_US);
	ret = scope_bus_await_ready(bus->bus, deadline_ns);
	if (!ret)
		return 0;
	scope_bus_explain(bus, ret, NULL);
	/* What is not sent yet would be waited for. */
	sd_bus_close(bus->bus);
	bus->bus = sd_bus_unref(bus->bus);
	return ret;
}

void scope_bus_close(struct scope_bus *bus)
{
	bus->bus = sd_bus_flush_close_unref(bus->bus);
}

static int scope_bus_get(struct scope_bus *bus, const char *path, const char *interface, char *name,
			 size_t size)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *text;
	int ret;

	ret = sd_bus_get_property_string(bus->bus, SCOPE_BUS_NAME, path, interface, "ControlGroup",
					 &error, &text);
	if (ret < 0)
		return scope_bus_explain(bus, ret, &error);
	snprintf(name, size, "%s", text);
	free(text);
	return 0;
}

int scope_bus_manager_cgroup(struct scope_bus *bus, char *name, size_t size)
{
	return scope_bus_get(bus, SCOPE_BUS_PATH, SCOPE_BUS_MANAGER, name, size);
}

/* "ssh.service" has the interface "org.freedesktop.systemd1.Service". */
static bool scope_bus_interface(const char *unit, char *interface, size_t size)
{
	static const char *const types[] = {
		"Service", "Scope", "Slice", "Socket", "Mount", "Swap"
	};
	const char *suffix = strrchr(unit, '.');
	unsigned int i;

	for (i = 0; suffix && i < ARRAY_SIZE(types); i++) {
		if (strcasecmp(suffix + 1, types[i]))
			continue;
		snprintf(interface, size, "%s.%s", SCOPE_BUS_NAME, types[i]);
		return true;
	}
	return false;
}

int scope_bus_unit_cgroup(struct scope_bus *bus, const char *unit, char *name, size_t size)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char interface[64];
	const char *path;
	int ret;

	if (!scope_bus_interface(unit, interface, sizeof(interface)))
		return -ENOENT;
	ret = sd_bus_call_method(bus->bus, SCOPE_BUS_NAME, SCOPE_BUS_PATH, SCOPE_BUS_MANAGER,
				 "GetUnit", &error, &reply, "s", unit);
	if (ret < 0)
		return scope_bus_explain(bus, ret, &error);
	ret = sd_bus_message_read(reply, "o", &path);
	if (ret >= 0)
		ret = scope_bus_get(bus, path, interface, name, size);
	sd_bus_message_unref(reply);
	/* What does not run has none. */
	return ret || *name ? ret : -ENOENT;
}

/* The object of a unit, to be freed. */
static int scope_bus_unit_path(struct scope_bus *bus, const char *unit, char **path)
{
	int ret = sd_bus_path_encode(SCOPE_BUS_UNITS, unit, path);

	return ret < 0 ? scope_bus_explain(bus, ret, NULL) : 0;
}

static int scope_bus_read_unit(struct scope_bus *bus, const char *path, char *unit, size_t size)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *text;
	int ret;

	ret = sd_bus_get_property_string(bus->bus, SCOPE_BUS_NAME, path, SCOPE_BUS_UNIT, "Id",
					 &error, &text);
	if (ret < 0)
		return scope_bus_explain(bus, ret, &error);
	snprintf(unit, size, "%s", text);
	free(text);
	return 0;
}

/* systemd names the nearest one above if there is no other. */
int scope_bus_find_unit(struct scope_bus *bus, const char *name, char *unit, size_t size)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char interface[64], has[PATH_MAX] = "";
	sd_bus_message *reply = NULL;
	const char *path;
	int ret;

	ret = sd_bus_call_method(bus->bus, SCOPE_BUS_NAME, SCOPE_BUS_PATH, SCOPE_BUS_MANAGER,
				 "GetUnitByControlGroup", &error, &reply, "s", name);
	if (ret < 0) {
		bool is_none = sd_bus_error_has_name(&error, SCOPE_BUS_NAME ".NoSuchUnit");

		ret = scope_bus_explain(bus, ret, &error);
		return is_none ? -ENOENT : ret;
	}
	ret = sd_bus_message_read(reply, "o", &path);
	ret = ret < 0 ? scope_bus_explain(bus, ret, NULL) :
			scope_bus_read_unit(bus, path, unit, size);
	if (!ret && scope_bus_interface(unit, interface, sizeof(interface)))
		ret = scope_bus_get(bus, path, interface, has, sizeof(has));
	sd_bus_message_unref(reply);
	if (ret || !strcmp(has, name))
		return ret;
	snprintf(bus->why, sizeof(bus->why), "another manager has it, below %.200s", unit);
	return -EXDEV;
}

int scope_bus_unit_limit(struct scope_bus *bus, const char *unit, const char *limit, __u64 *bytes)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char interface[64], *path;
	__u64 number;
	int ret;

	if (!scope_bus_interface(unit, interface, sizeof(interface)))
		return scope_bus_explain(bus, -EINVAL, NULL);
	ret = scope_bus_unit_path(bus, unit, &path);
	if (ret)
		return ret;
	ret = sd_bus_get_property_trivial(bus->bus, SCOPE_BUS_NAME, path, interface, limit, &error,
					  't', &number);
	free(path);
	if (ret < 0)
		return scope_bus_explain(bus, ret, &error);
	*bytes = number;
	return 0;
}

int scope_bus_set_unit_limit(struct scope_bus *bus, const char *unit, const char *limit,
			     __u64 bytes)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int ret;

	ret = sd_bus_call_method(bus->bus, SCOPE_BUS_NAME, SCOPE_BUS_PATH, SCOPE_BUS_MANAGER,
				 "SetUnitProperties", &error, NULL, "sba(sv)", unit, 1, 1, limit,
				 "t", bytes);
	return ret < 0 ? scope_bus_explain(bus, ret, &error) : 0;
}

static int scope_bus_on_removed(sd_bus_message *message, void *context, sd_bus_error *error)
{
	struct scope_bus_job *job = context;
	const char *path, *unit, *result;

	(void)error;
	if (sd_bus_message_read(message, "uoss", NULL, &path, &unit, &result) >= 0 && job->path &&
	    !strcmp(path, job->path))
		snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

static int scope_bus_await(struct scope_bus *bus, const struct scope_bus_job *job)
{
	__u64 deadline_ns = clock_now_ns() + SCOPE_BUS_TIMEOUT;

	while (!*job->result) {
		int ret = sd_bus_process(bus->bus, NULL);
		__u64 now_ns = clock_now_ns();

		if (!ret && now_ns < deadline_ns)
			ret = sd_bus_wait(bus->bus, (deadline_ns - now_ns) / NS_PER_US);
		else if (!ret)
			ret = -ETIME;
		if (ret < 0 && ret != -EINTR)
			return scope_bus_explain(bus, ret, NULL);
	}
	if (!strcmp(job->result, "done"))
		return 0;
	snprintf(bus->why, sizeof(bus->why), "its job ended as '%s'", job->result);
	return -EIO;
}

static int scope_bus_fill(sd_bus_message *message, const char *unit, const char *slice, pid_t pid)
{
	int ret;

	ret = sd_bus_message_append(message, "ss", unit, "fail");
	if (ret >= 0)
		ret = sd_bus_message_append(message, "a(sv)", 5, "Description", "s", "memstress",
					    "Slice", "s", slice, "Delegate", "b", 1, "CollectMode",
					    "s", "inactive-or-failed", "PIDs", "au", 1,
					    (unsigned int)pid);
	return ret < 0 ? ret : sd_bus_message_append(message, "a(sa(sv))", 0);
}

/* Asks for it, and waits for the job that systemd makes of it. */
static int scope_bus_run(struct scope_bus *bus, sd_bus_message *message, struct scope_bus_job *job)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int ret;

	ret = sd_bus_call(bus->bus, message, 0, &error, &reply);
	if (ret < 0)
		return scope_bus_explain(bus, ret, &error);
	ret = sd_bus_message_read(reply, "o", &job->path);
	ret = ret < 0 ? scope_bus_explain(bus, ret, NULL) : scope_bus_await(bus, job);
	sd_bus_message_unref(reply);
	return ret;
}

int scope_bus_start(struct scope_bus *bus, const char *unit, const char *slice, pid_t pid)
{
	sd_bus_message *message = NULL;
	struct scope_bus_job job = {};
	sd_bus_slot *slot = NULL;
	int ret;

	/* Without a bus in between messages have no sender. */
	ret = sd_bus_match_signal(bus->bus, &slot,
				  sd_bus_is_bus_client(bus->bus) > 0 ? SCOPE_BUS_NAME : NULL,
				  SCOPE_BUS_PATH, SCOPE_BUS_MANAGER, "JobRemoved",
				  scope_bus_on_removed, &job);
	if (ret >= 0)
		ret = sd_bus_message_new_method_call(bus->bus, &message, SCOPE_BUS_NAME,
						     SCOPE_BUS_PATH, SCOPE_BUS_MANAGER,
						     "StartTransientUnit");
	if (ret >= 0)
		ret = scope_bus_fill(message, unit, slice, pid);
	ret = ret < 0 ? scope_bus_explain(bus, ret, NULL) : scope_bus_run(bus, message, &job);
	sd_bus_message_unref(message);
	sd_bus_slot_unref(slot);
	return ret;
}
