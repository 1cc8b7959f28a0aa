// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>

#include "compiler.h"
#include "cgroup.h"
#include "check.h"
#include "device.h"
#include "kmsg.h"
#include "module.h"
#include "scope.h"
#include "units.h"

__printf(3, 4) static void check_set(struct check *check, enum check_state state,
				     const char *format, ...)
{
	va_list args;

	check->state = state;
	va_start(args, format);
	vsnprintf(check->found, sizeof(check->found), format, args);
	va_end(args);
}

__printf(2, 3) static void check_advise(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->advice, sizeof(check->advice), format, args);
	va_end(args);
}

/* A short file as text without the newline. */
static int check_read(const char *path, char *text, size_t size)
{
	ssize_t length = cg_read_at(AT_FDCWD, path, text, size);

	if (length < 0)
		return length;
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static void check_kernel(struct check *check)
{
	unsigned int major = 0, minor = 0;
	struct utsname uts;

	uname(&uts);
	if (sscanf(uts.release, "%u.%u", &major, &minor) == 2 &&
	    (major > 5 || (major == 5 && minor >= 10))) {
		check_set(check, CHECK_GOOD, "%s", uts.release);
		return;
	}
	check_set(check, CHECK_BAD, "%s is too old", uts.release);
	check_advise(check, "boot 5.10 or later");
}

static void check_module(struct check *check)
{
	char version[64];

	if (!check_read("/sys/module/memstress/version", version, sizeof(version))) {
		check_set(check, CHECK_GOOD, "loaded, version %s", version);
		return;
	}
	check_set(check, CHECK_BAD, "not loaded");
	check_advise(check, "modprobe memstress");
}

static void check_device(struct check *check)
{
	struct memstress_info info;
	int fd = device_open();
	int ret;

	if (fd < 0) {
		check_set(check, CHECK_BAD, "cannot be opened: %s", strerror(-fd));
		check_advise(check, fd == -EACCES || fd == -EPERM ?
					    "be root, or of the group that may open it" :
					    "modprobe memstress");
		return;
	}
	memset(&info, 0, sizeof(info));
	ret = device_info(fd, &info);
	close(fd);
	if (ret || info.abi_version != MEMSTRESS_ABI_VERSION) {
		check_set(check, CHECK_BAD, "speaks ABI version %u, this tool %u", info.abi_version,
			  MEMSTRESS_ABI_VERSION);
		check_advise(check, "install tool and module of the same version");
		return;
	}
	check_set(check, CHECK_GOOD, "can be opened, ABI version %u", info.abi_version);
}

static void check_privilege(struct check *check)
{
	unsigned long long effective = 0;
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (status)
		fclose(status);
	if (effective & (1ULL << CAP_SYS_ADMIN)) {
		check_set(check, CHECK_GOOD, "CAP_SYS_ADMIN");
		return;
	}
	check_set(check, CHECK_NOTE,
		  "no CAP_SYS_ADMIN: no --payer outside, no exact counters, no atomic and nofail");
	check_advise(check, "be root");
}

static void check_cgroup(struct check *check)
{
	char parent[PATH_MAX];
	struct scope scope;
	struct cg_tree tree;
	int ret = cg_find(&tree, "");

	if (ret) {
		check_set(check, CHECK_BAD, "no cgroup tree with the memory controller is mounted");
		check_advise(check, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
		return;
	}
	if (!scope_find(&scope, &tree, "memstress")) {
		scope_bus_close(&scope.bus);
		check_set(check, CHECK_GOOD,
			  "v%u with the memory controller; new ones are made in scopes of systemd",
			  tree.ops->version);
		return;
	}
	ret = cg_default_parent(&tree, parent, sizeof(parent));
	if (ret) {
		check_set(check, CHECK_BAD,
			  "v%u at %s, but no cgroup can be made there: %s; no scope of systemd: %s",
			  tree.ops->version, tree.mount, strerror(-ret), scope.bus.why);
		if (ret == -EROFS)
			check_advise(check, "mount -o remount,rw %s", tree.mount);
		else
			check_advise(check, "be root, or name a delegated cgroup with --cgroup");
		return;
	}
	check_set(check, CHECK_GOOD, "v%u with the memory controller; new ones are made in %s",
		  tree.ops->version, parent);
}

static void check_kmem(struct check *check)
{
	char cmdline[4096];

	if (check_read("/proc/cmdline", cmdline, sizeof(cmdline))) {
		check_set(check, CHECK_NOTE, "/proc/cmdline cannot be read");
	} else if (strstr(cmdline, "cgroup.memory=") && strstr(cmdline, "nokmem")) {
		check_set(check, CHECK_BAD, "kernel memory is not charged");
		check_advise(check, "boot without cgroup.memory=nokmem");
	} else {
		check_set(check, CHECK_GOOD, "kernel memory is charged");
	}
}

static void check_caps(struct check *check)
{
	struct memstress_info info;
	struct error error;
	int fd = module_open(&info, &error);

	if (fd < 0) {
		check_set(check, CHECK_NOTE, "unknown");
		return;
	}
	close(fd);
	check_set(check, CHECK_NOTE,
		  "%s a session, %s in all (%s taken), %s unaccounted, %s forced",
		  units_bytes(info.session_max_bytes).s, units_bytes(info.total_max_bytes).s,
		  units_bytes(info.total_bytes).s, units_bytes(info.unaccounted_max_bytes).s,
		  units_bytes(info.forced_max_bytes).s);
	check_advise(check, "they are in /sys/module/memstress/parameters");
}

static void check_rails(struct check *check)
{
	struct memstress_info info;
	struct error error;
	int fd = module_open(&info, &error);

	if (fd < 0) {
		check_set(check, CHECK_NOTE, "unknown");
		return;
	}
	close(fd);
	check_set(check, CHECK_NOTE, "a limit is %s; on a global OOM memory is %s; dead-man %s",
		  info.features & MEMSTRESS_FEATURE_REQUIRE_LIMIT ? "required" : "not required",
		  info.features & MEMSTRESS_FEATURE_OOM_RELIEF ? "given back" : "kept",
		  info.deadman_ms ? units_ns(info.deadman_ms * 1000000ULL).s : "off");
}

/* printk.devkmsg of the kernel's command line, or that sysctl, takes it from readers too. */
static const char *check_why_no_kmsg(int ret)
{
	char text[32];

	if (ret == -ENODEV)
		return "give the container the machine's /dev/kmsg";
	if (!check_read("/proc/sys/kernel/printk_devkmsg", text, sizeof(text)) &&
	    !strcmp(text, "off"))
		return "boot without printk.devkmsg=off, or sysctl kernel.printk_devkmsg=on";
	return "be root, or sysctl kernel.dmesg_restrict=0";
}

static void check_kmsg(struct check *check)
{
	int fd = kmsg_open_device("/dev/kmsg");

	if (fd >= 0) {
		close(fd);
		check_set(check, CHECK_GOOD, "can be read");
		return;
	}
	check_set(check, CHECK_NOTE, "cannot be read: %s: victims will have no names",
		  kmsg_why(fd));
	check_advise(check, "%s", check_why_no_kmsg(fd));
}

static void check_swap(struct check *check)
{
	unsigned long long total = 0;
	char line[128];
	FILE *meminfo = fopen("/proc/meminfo", "re");

	while (meminfo && fgets(line, sizeof(line), meminfo))
		if (sscanf(line, "SwapTotal: %llu kB", &total) == 1)
			break;
	if (meminfo)
		fclose(meminfo);
	if (total)
		check_set(check, CHECK_NOTE, "%s: user memory may be swapped before an OOM",
			  units_bytes(total << 10).s);
	else
		check_set(check, CHECK_NOTE, "none");
}

static void check_panic(struct check *check)
{
	char on_oom[16] = "0", on_oops[16] = "0";

	check_read("/proc/sys/vm/panic_on_oom", on_oom, sizeof(on_oom));
	check_read("/proc/sys/kernel/panic_on_oops", on_oops, sizeof(on_oops));
	if (!strcmp(on_oom, "2")) {
		check_set(check, CHECK_BAD, "the machine panics on every OOM, also of a cgroup");
		check_advise(check, "sysctl vm.panic_on_oom=0");
		return;
	}
	check_set(check, CHECK_NOTE, "the machine panics on a global OOM: %s, on an oops: %s",
		  strcmp(on_oom, "0") ? "yes" : "no", strcmp(on_oops, "0") ? "yes" : "no");
}

/* In the order in which things have to be put right. */
const struct check_row checks[] = { { "kernel", check_kernel }, { "module", check_module },
				    { "device", check_device }, { "privilege", check_privilege },
				    { "cgroup", check_cgroup }, { "kmem", check_kmem },
				    { "kmsg", check_kmsg },     { "caps", check_caps },
				    { "rails", check_rails },   { "swap", check_swap },
				    { "panic", check_panic },   {} };
