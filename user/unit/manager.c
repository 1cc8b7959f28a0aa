// SPDX-License-Identifier: GPL-2.0
/* What it knows of the interface is from org.freedesktop.systemd1(5), as is scope_bus.c. */
#include <signal.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "manager.h"
#include "unit.h"

#define MANAGER_NAME "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1/unit/job_2eservice"

/* How long the tests wait for one that is mute. */
#define MANAGER_TIMEOUT_US 200000

static __u64 manager_max = MANAGER_MAX;

/* The unit that has the cgroup, or the nearest one above it. */
static int manager_get_unit(sd_bus_message *message)
{
	const char *cgroup;
	int ret = sd_bus_message_read(message, "s", &cgroup);

	if (ret < 0)
		return ret;
	if (strncmp(cgroup, MANAGER_CGROUP, strlen(MANAGER_CGROUP)))
		return sd_bus_reply_method_errorf(message, MANAGER_NAME ".NoSuchUnit",
						  "no unit of %s", cgroup);
	return sd_bus_reply_method_return(message, "o", MANAGER_PATH);
}

static int manager_get_property(sd_bus_message *message)
{
	const char *interface, *name;
	int ret = sd_bus_message_read(message, "ss", &interface, &name);

	if (ret < 0)
		return ret;
	if (!strcmp(interface, MANAGER_NAME ".Unit") && !strcmp(name, "Id"))
		return sd_bus_reply_method_return(message, "v", "s", MANAGER_UNIT);
	if (!strcmp(interface, MANAGER_NAME ".Service") && !strcmp(name, "ControlGroup"))
		return sd_bus_reply_method_return(message, "v", "s", MANAGER_CGROUP);
	if (!strcmp(interface, MANAGER_NAME ".Service") && !strcmp(name, "MemoryMax"))
		return sd_bus_reply_method_return(message, "v", "t", manager_max);
	if (!strcmp(interface, MANAGER_NAME ".Service") && !strcmp(name, "MemoryHigh"))
		return sd_bus_reply_method_return(message, "v", "t", UINT64_MAX);
	return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_UNKNOWN_PROPERTY, "no %s", name);
}

static int manager_set(sd_bus_message *message)
{
	const char *unit, *name;
	int is_runtime, ret;

	ret = sd_bus_message_read(message, "sb", &unit, &is_runtime);
	if (ret >= 0)
		ret = sd_bus_message_enter_container(message, 'a', "(sv)");
	if (ret >= 0)
		ret = sd_bus_message_read(message, "(sv)", &name, "t", &manager_max);
	if (ret < 0)
		return ret;
	if (strcmp(unit, MANAGER_UNIT) || !is_runtime || strcmp(name, "MemoryMax"))
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_INVALID_ARGS, "no");
	return sd_bus_reply_method_return(message, NULL);
}

static int manager_on_message(sd_bus_message *message, void *is_mute, sd_bus_error *error)
{
	(void)error;
	if (*(bool *)is_mute)
		return 1;
	if (sd_bus_message_is_method_call(message, MANAGER_NAME ".Manager",
					  "GetUnitByControlGroup"))
		return manager_get_unit(message);
	if (sd_bus_message_is_method_call(message, MANAGER_NAME ".Manager", "SetUnitProperties"))
		return manager_set(message);
	if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get"))
		return manager_get_property(message);
	return 0;
}

static noreturn void manager_serve(int fd, bool is_mute)
{
	sd_id128_t id =
		SD_ID128_MAKE(6d, 65, 6d, 73, 74, 72, 65, 73, 73, 2d, 75, 6e, 69, 74, 2e, 63);
	sd_bus *bus = NULL;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = sd_bus_new(&bus);
	if (ret >= 0)
		ret = sd_bus_set_fd(bus, fd, fd);
	if (ret >= 0)
		ret = sd_bus_set_server(bus, 1, id);
	if (ret >= 0)
		ret = sd_bus_add_filter(bus, NULL, manager_on_message, &is_mute);
	if (ret >= 0)
		ret = sd_bus_start(bus);
	while (ret >= 0) {
		ret = sd_bus_process(bus, NULL);
		if (!ret)
			ret = sd_bus_wait(bus, UINT64_MAX);
	}
	_exit(0);
}

static int manager_connect(struct scope_bus *bus, int fd)
{
	int ret = sd_bus_new(&bus->bus);

	if (ret >= 0)
		ret = sd_bus_set_fd(bus->bus, fd, fd);
	if (ret >= 0)
		ret = sd_bus_start(bus->bus);
	if (ret >= 0)
		sd_bus_set_method_call_timeout(bus->bus, MANAGER_TIMEOUT_US);
	return ret;
}

bool manager_begin(struct manager *manager, bool is_mute)
{
	int fds[2];

	memset(manager, 0, sizeof(*manager));
	EXPECT_NUMBER(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	manager->pid = fork();
	if (!manager->pid) {
		close(fds[0]);
		manager_serve(fds[1], is_mute);
	}
	close(fds[1]);
	EXPECT_TRUE(manager_connect(&manager->bus, fds[0]) >= 0);
	return true;
}

void manager_end(struct manager *manager)
{
	scope_bus_close(&manager->bus);
	kill(manager->pid, SIGKILL);
	waitpid(manager->pid, NULL, 0);
}
