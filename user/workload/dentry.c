// SPDX-License-Identifier: GPL-2.0
/*
 * Dentries: names of one file, on a ramfs of the worker's own that nothing is mounted on. So each
 * takes a struct dentry and nothing else, which stays until its name is removed
 * (d_make_persistent(), formerly dget(), in simple_link() of fs/libfs.c), and all go with the
 * descriptor, also if the worker is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h>

#include "cgroup.h"

#include "workload.h"

#define DENTRY_SLAB "/sys/kernel/slab/dentry"

/* Of struct dentry where nothing is debugged. */
#define DENTRY_SIZE_USUAL 192

/* To say whose it is: obj_full_size() of mm/memcontrol.c, formerly of mm/slab.h. */
#define DENTRY_OBJCG_BYTES sizeof(void *)

/* A name within the dentry itself (DNAME_INLINE_LEN of include/linux/dcache.h, 24 or more). */
#define DENTRY_NAME_MAX 20

static const char dentry_file[] = "file";

/* 0: the kernel does not tell, or not this user. */
static __u64 dentry_slab_number(const char *name)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), DENTRY_SLAB "/%s", name);
	return cg_read_at(-1, path, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

static __u64 dentry_default_size(void)
{
	__u64 size = dentry_slab_number("object_size");

	return size ? size : DENTRY_SIZE_USUAL;
}

static void dentry_describe(const struct step *step, char *text, size_t size)
{
	(void)step;
	snprintf(text, size, "links of one file");
}

/* A directory of a file system that goes with it; or -errno. */
static int dentry_mount(void)
{
	int context = syscall(SYS_fsopen, "ramfs", FSOPEN_CLOEXEC), ret;

	if (context < 0)
		return -errno;
	ret = syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (!ret)
		ret = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (ret < 0)
		ret = -errno;
	close(context);
	return ret;
}

static const char *dentry_missing(const struct step *step, unsigned int version)
{
	static char text[96];
	int fd = dentry_mount();

	(void)step;
	(void)version;
	if (fd < 0) {
		snprintf(text, sizeof(text), "a file system of its own cannot be mounted: %s%s",
			 strerror(-fd), fd == -EPERM ? "; this needs root" : "");
		return text;
	}
	close(fd);
	return dentry_slab_number("slab_size") ?
		       NULL :
		       "the kernel does not tell how large a dentry is: " DENTRY_SLAB;
}

static void dentry_charge(const struct step *step, __u64 objects, __u64 most, struct charge *charge)
{
	static __u64 slab_size;
	__u64 bytes;

	(void)most;
	if (!slab_size)
		slab_size = dentry_slab_number("slab_size");
	bytes = objects * ((slab_size ? slab_size : step->object_size) + DENTRY_OBJCG_BYTES);
	charge->byte_bytes += bytes;
	charge->slab_bytes += bytes;
}

static int dentry_open(struct workload_run *run)
{
	int fd = dentry_mount(), file;

	run->state.directory.fd = fd;
	if (fd < 0)
		return fd;
	file = openat(fd, dentry_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0)
		return -errno;
	close(file);
	return 0;
}

static void dentry_name(__u64 index, char *name)
{
	snprintf(name, DENTRY_NAME_MAX, "%llx", index);
}

static int dentry_make(struct workload_run *run, __u64 index)
{
	int fd = run->state.directory.fd;
	char name[DENTRY_NAME_MAX];

	dentry_name(index, name);
	return linkat(fd, dentry_file, fd, name, 0) ? -errno : 0;
}

static void dentry_drop(struct workload_run *run, __u64 index)
{
	char name[DENTRY_NAME_MAX];

	dentry_name(index, name);
	unlinkat(run->state.directory.fd, name, 0);
}

static void dentry_close(struct workload_run *run)
{
	if (run->state.directory.fd >= 0)
		close(run->state.directory.fd);
}

const struct workload workload_dentry = {
	.is_freed_by_rcu = true,
	.default_size = dentry_default_size,
	.describe = dentry_describe,
	.missing = dentry_missing,
	.charge = dentry_charge,
	.open = dentry_open,
	.make = dentry_make,
	.drop = dentry_drop,
	.close = dentry_close,
};
