// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "target.h"

/* Dead tasks of a big cgroup take their time; an emulated machine is slow. */
#define TARGET_REMOVE_TIMEOUT (20 * NS_PER_S)

static int target_find_tree(struct target *target, struct error *error)
{
	int ret = cg_find(&target->tree, "");

	if (ret == -ENOENT)
		return error_set(error, STATUS_UNSUPPORTED,
				 "no cgroup tree with memory; mount -t cgroup2 none /sys/fs/cgroup");
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED, "cannot read the mounts: %s",
				 strerror(-ret));
	return 0;
}

static int target_find_place(struct target *target, const char *name, struct error *error)
{
	char parent[PATH_MAX - 64];
	int ret;

	if (name) {
		ret = cg_resolve(&target->tree, name, target->path, sizeof(target->path));
		if (ret)
			return error_set(error, STATUS_MISUSE,
					 "--cgroup: '%s' is not allowed; give a name or path below %s",
					 name, target->tree.mount);
		return 0;
	}
	ret = cg_default_parent(&target->tree, parent, sizeof(parent));
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED,
				 "no place for a cgroup below %s: %s; be root, or give --cgroup PATH",
				 target->tree.mount, strerror(-ret));
	snprintf(target->path, sizeof(target->path), "%s/memstress-%d", parent, getpid());
	return 0;
}

/* What this version of cgroups has no limit for. What it has is what the help calls --max. */
static int target_check_limits(const struct target *target, const struct job *job,
			       struct error *error)
{
	const struct cg_ops *ops = target->tree.ops;
	const char *option = NULL;

	if (job->high.unit && !ops->files[CG_HIGH])
		option = "--high";
	else if (job->oom_group && !ops->files[CG_OOM_GROUP])
		option = "--oom-group";
	if (option)
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s: cgroup v%u has no such thing, only --max and --swap-max",
				 option, ops->version);
	/* What it limits is memory and swap together. */
	if (ops->version == 1 && job->swap_max.unit && !job->max.unit)
		return error_set(error, STATUS_MISUSE,
				 "--swap-max: on cgroup v1 it needs --max as well");
	return 0;
}

/* A limit as asked for, @whole being 100 %. */
static int target_resolve_limit(const char *option, struct amount amount, __u64 whole, __u64 *bytes,
				struct error *error)
{
	*bytes = CG_UNLIMITED;
	if (amount.unit == AMOUNT_NONE)
		return 0;
	if (amount.unit == AMOUNT_PERCENT && whole == CG_UNLIMITED)
		return error_set(error, STATUS_MISUSE,
				 "%s: %llu%% of what? no limit is in force there; give a size",
				 option, amount.value);
	*bytes = units_resolve(amount, whole);
	return 0;
}

static int target_find_limits(struct target *target, const struct job *job, struct error *error)
{
	int ret;

	ret = cg_effective_max(&target->tree, target->path, &target->effective_bytes,
			       target->effective_path, sizeof(target->effective_path));
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot read the limits above %s: %s",
				 target->path, strerror(-ret));
	if (target_resolve_limit("--max", job->max, target->effective_bytes, &target->max_bytes,
				 error))
		return -1;
	if (target->max_bytes < target->effective_bytes) {
		target->effective_bytes = target->max_bytes;
		snprintf(target->effective_path, sizeof(target->effective_path), "%s",
			 target->path);
	}
	if (target_resolve_limit("--high", job->high, target->effective_bytes, &target->high_bytes,
				 error))
		return -1;
	return target_resolve_limit("--swap-max", job->swap_max, target->effective_bytes,
				    &target->swap_max_bytes, error);
}

static int target_tell_taken(const struct target *target, struct error *error)
{
	return error_set(error, STATUS_FAILED,
			 "cgroup %s exists already, perhaps of another run; give another --cgroup",
			 target->path);
}

int target_prepare(struct target *target, const struct job *job, bool must_be_limited,
		   struct error *error)
{
	memset(target, 0, sizeof(*target));
	target->cg.fd = -1;
	if (target_find_tree(target, error) || target_check_limits(target, job, error) ||
	    target_find_place(target, job->cgroup, error))
		return -1;
	/* What is there already has limits of its own, which are not ours to read. */
	if (!access(target->path, F_OK))
		return target_tell_taken(target, error);
	if (target_find_limits(target, job, error))
		return -1;
	if (must_be_limited && target->effective_bytes == CG_UNLIMITED)
		return error_set(error, STATUS_MISUSE,
				 "cgroup %s would have no limit, which is not safe; give --max SIZE",
				 target->path);
	return 0;
}

static int target_tell_create(const struct target *target, int ret, struct error *error)
{
	const char *path = target->path;

	switch (ret) {
	case -EEXIST:
		return target_tell_taken(target, error);
	case -ENOENT:
		return error_set(error, STATUS_FAILED,
				 "cannot make cgroup %s: the one above it does not exist", path);
	case -EOPNOTSUPP:
		return error_set(error, STATUS_UNSUPPORTED,
				 "cannot make cgroup %s: the one above it has no memory controller",
				 path);
	case -EBUSY:
		return error_set(error, STATUS_UNSUPPORTED,
				 "cannot make cgroup %s: the one above it has processes", path);
	case -ENOTEMPTY:
		return error_set(error, STATUS_UNSUPPORTED,
				 "cannot make cgroup %s: the one above it has children, and %s",
				 path, "its memory.use_hierarchy is 0");
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return error_set(error, STATUS_UNSUPPORTED, "cannot make cgroup %s: %s", path,
				 strerror(-ret));
	default:
		return error_set(error, STATUS_FAILED, "cannot make cgroup %s: %s", path,
				 strerror(-ret));
	}
}

static int target_set(const struct target *target, enum cg_file file, __u64 bytes,
		      struct error *error)
{
	const char *name = target->tree.ops->files[file];
	int ret = cg_write_number(&target->cg, file, bytes);

	if (ret == -EOPNOTSUPP)
		return error_set(error, STATUS_UNSUPPORTED, "%s has no %s%s", target->path, name,
				 file == CG_SWAP_MAX ? ": swap is not accounted on this machine" :
						       "");
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot write %llu to %s/%s: %s", bytes,
				 target->path, name, strerror(-ret));
	return 0;
}

int target_create(struct target *target, const struct job *job, struct error *error)
{
	int ret = cg_create(&target->cg, &target->tree, target->path);

	if (ret)
		return target_tell_create(target, ret, error);
	if (job->max.unit && target_set(target, CG_MAX, target->max_bytes, error))
		return -1;
	if (job->high.unit && target_set(target, CG_HIGH, target->high_bytes, error))
		return -1;
	if (job->swap_max.unit && target_set(target, CG_SWAP_MAX, target->swap_max_bytes, error))
		return -1;
	if (job->oom_group && target_set(target, CG_OOM_GROUP, 1, error))
		return -1;
	return 0;
}

int target_remove(struct target *target, struct error *error)
{
	int ret = cg_remove(&target->cg, TARGET_REMOVE_TIMEOUT);

	if (ret == -ENOENT)
		return error_set(error, STATUS_FAILED, "cgroup %s was removed by somebody else",
				 target->path);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot remove cgroup %s: %s", target->path,
				 strerror(-ret));
	return 0;
}
