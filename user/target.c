// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_name.h"
#include "clock.h"
#include "target.h"

/* Dead tasks of a big cgroup take their time; an emulated machine is slow. */
#define TARGET_REMOVE_TIMEOUT (20 * NS_PER_S)

/* One that is there, and can take processes if any are to come. */
static int target_find_existing(struct target *target, const struct job *job, struct error *error)
{
	struct cgroup cg;

	if (cgroup_name_look(&target->tree, job->in, &cg, error))
		return -1;
	cg_look_away(&cg);
	snprintf(target->path, sizeof(target->path), "%s", cg.path);
	target->is_found = true;
	if (!job->outside && !target->tree.ops->takes_processes(target->path))
		return error_set(error, STATUS_UNSUPPORTED, "--in: %s gives controllers to %s",
				 target->path,
				 "cgroups below it, and so has no processes; name one of those");
	return 0;
}

/* In a scope, unless who is no root is in a part of the tree that was delegated to him. */
static bool target_find_scope(struct target *target, const char *name)
{
	int ret;

	if (geteuid() && cg_is_below_delegated(&target->tree)) {
		snprintf(target->scope.bus.why, sizeof(target->scope.bus.why), "not needed here");
		return false;
	}
	ret = scope_find(&target->scope, &target->tree, name);
	if (ret)
		return false;
	target->is_in_scope = snprintf(target->path, sizeof(target->path), "%s/" SCOPE_JOB,
				       target->scope.cg.path) < (int)sizeof(target->path);
	return target->is_in_scope;
}

/*
 * A name alone may be anywhere, and a path is where it says. Without systemd, names are those of
 * the tree's root.
 */
static int target_find_place(struct target *target, const struct job *job, struct error *error)
{
	char parent[PATH_MAX - 64], name[64];
	int ret;

	if (job->in)
		return target_find_existing(target, job, error);
	snprintf(name, sizeof(name), "memstress-%d", getpid());
	if (!job->cgroup && target_find_scope(target, name))
		return 0;
	if (job->cgroup && !strchr(job->cgroup, '/') && target_find_scope(target, job->cgroup))
		return 0;
	if (job->cgroup) {
		ret = cg_resolve(&target->tree, job->cgroup, target->path, sizeof(target->path));
		if (ret)
			return error_set(error, STATUS_MISUSE,
					 "%s: '%s' is not allowed; give a name or path below %s",
					 job->cgroup_option, job->cgroup, target->tree.mount);
		return 0;
	}
	ret = cg_default_parent(&target->tree, parent, sizeof(parent));
	if (ret == -EROFS)
		return error_set(error, STATUS_UNSUPPORTED,
				 "%s is mounted read-only; mount -o remount,rw %s, or %s",
				 target->tree.mount, target->tree.mount,
				 "give the container a tree that can be written to");
	if (ret)
		return error_set(error, STATUS_UNSUPPORTED,
				 "no place for a cgroup below %s: %s (no scope of systemd: %s); %s %s",
				 target->tree.mount, strerror(-ret), target->scope.bus.why,
				 "be root, or give a path with", job->cgroup_option);
	snprintf(target->path, sizeof(target->path), "%s/%s", parent, name);
	return 0;
}

/* What this version of cgroups has no limit for. What it has is what the help calls --max. */
static int target_check_limits(const struct target *target, const struct job *job,
			       struct error *error)
{
	const struct limits *limits = &job->limits;

	if (limits_check(limits, target->tree.ops, "--", error))
		return -1;
	/* What it limits is memory and swap together. */
	if (target->tree.ops->version == 1 && limits->of[LIMITS_SWAP_MAX].unit &&
	    !limits->of[LIMITS_MAX].unit)
		return error_set(error, STATUS_MISUSE,
				 "--swap-max: on cgroup v1 it needs --max as well");
	return 0;
}

static int target_find_limits(struct target *target, const struct job *job, struct error *error)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s", target->path);
	/* Its own max is about to be replaced. */
	if (target->is_found && job->limits.of[LIMITS_MAX].unit && strcmp(path, target->tree.mount))
		*strrchr(path, '/') = '\0';
	ret = cg_effective_max(&target->tree, path, &target->effective_bytes,
			       target->effective_path, sizeof(target->effective_path));
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot read the limits above %s: %s",
				 target->path, strerror(-ret));
	if (limits_resolve(&job->limits, target->effective_bytes, target->bytes, "--", error))
		return -1;
	if (target->bytes[LIMITS_MAX] < target->effective_bytes) {
		target->effective_bytes = target->bytes[LIMITS_MAX];
		snprintf(target->effective_path, sizeof(target->effective_path), "%s",
			 target->path);
	}
	return 0;
}

static int target_tell_taken(const struct target *target, const struct job *job,
			     struct error *error)
{
	return error_set(error, STATUS_FAILED,
			 "cgroup %s exists already, perhaps of another run; give another %s",
			 target->path, job->cgroup_option);
}

int target_prepare(struct target *target, const struct job *job, bool must_be_limited,
		   struct error *error)
{
	memset(target, 0, sizeof(*target));
	target->cg.fd = -1;
	if (cgroup_name_find_tree(&target->tree, error) ||
	    target_check_limits(target, job, error) || target_find_place(target, job, error))
		return -1;
	/* What is there already has limits of its own, which are not ours to read. */
	if (!target->is_found && !access(target->path, F_OK))
		return target_tell_taken(target, job, error);
	if (target_find_limits(target, job, error))
		return -1;
	if (must_be_limited && target->effective_bytes == CG_UNLIMITED)
		return error_set(error, STATUS_MISUSE,
				 "cgroup %s %s no limit, which is not safe; give --max SIZE",
				 target->path, target->is_found ? "has" : "would have");
	return 0;
}

static int target_tell_create(const struct target *target, const struct job *job, int ret,
			      struct error *error)
{
	const char *path = target->path;

	switch (ret) {
	case -EEXIST:
		return target_tell_taken(target, job, error);
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
	case -ETIMEDOUT:
		return error_set(error, STATUS_FAILED,
				 "cannot make cgroup %s: somebody has locked the one above it",
				 path);
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

static int target_set(struct target *target, enum cg_file file, __u64 bytes, struct error *error)
{
	const char *name = target->tree.ops->files[file];
	int ret;

	ret = target->is_found ? cg_lend(&target->loan, &target->cg, file, bytes) :
				 cg_write_number(&target->cg, file, bytes);
	if (cg_loan_explain(&target->cg, file, ret, error))
		return -1;
	if (ret == -EOPNOTSUPP)
		return error_set(error, STATUS_UNSUPPORTED, "%s has no %s%s", target->path, name,
				 file == CG_SWAP_MAX ? ": swap is not accounted on this machine" :
						       "");
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot write %llu to %s/%s: %s", bytes,
				 target->path, name, strerror(-ret));
	return 0;
}

/* Or the kernel would kill who is in there already, and may take for ever to do so. */
static int target_check_room(const struct target *target, struct error *error)
{
	__u64 usage;

	if (!target->is_found || cg_read_number(&target->cg, CG_USAGE, &usage) ||
	    usage <= target->bytes[LIMITS_MAX])
		return 0;
	return error_set(error, STATUS_FAILED,
			 "%s uses %llu bytes already, more than the max of %llu; "
			 "memstress squeeze lowers limits below the usage",
			 target->path, usage, target->bytes[LIMITS_MAX]);
}

static int target_tell_enter(const struct target *target, int ret, struct error *error)
{
	return error_set(error, STATUS_FAILED, "cannot enter cgroup %s: %s", target->path,
			 strerror(-ret));
}

/* What is not set is as it was. */
static void target_read_limits(struct target *target, const struct job *job)
{
	unsigned int i;

	for (i = 0; i < LIMITS_END; i++)
		if (!job->limits.of[i].unit)
			cg_read_number(&target->cg, limits_rows[i].file, &target->bytes[i]);
}

int target_create(struct target *target, const struct job *job, struct error *error)
{
	unsigned int i;
	int ret;

	if (target->is_found) {
		ret = cg_look(&target->cg, &target->tree, target->path);
		if (ret)
			return target_tell_enter(target, ret, error);
		target_read_limits(target, job);
	} else {
		if (target->is_in_scope && scope_start(&target->scope, error))
			return -1;
		ret = cg_create(&target->cg, &target->tree, target->path);
		if (ret)
			return target_tell_create(target, job, ret, error);
	}
	if (job->limits.of[LIMITS_MAX].unit && target_check_room(target, error))
		return -1;
	for (i = 0; i < LIMITS_END; i++)
		if (job->limits.of[i].unit &&
		    target_set(target, limits_rows[i].file, target->bytes[i], error))
			return -1;
	return 0;
}

/* Whoever has removed it meanwhile has removed its limits, too. */
static int target_leave(struct target *target, struct error *error)
{
	int ret = cg_take_back(&target->loan, &target->cg);

	cg_look_away(&target->cg);
	if (ret && ret != -ENOENT && ret != -ENODEV)
		return error_set(error, STATUS_FAILED, "cannot put the limits of %s back: %s",
				 target->path, strerror(-ret));
	return 0;
}

int target_remove_cgroup(struct target *target, struct error *error)
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

int target_remove(struct target *target, struct error *error)
{
	int ret;

	if (target->is_found)
		return target_leave(target, error);
	ret = target_remove_cgroup(target, error);
	if (target->is_in_scope && scope_end(&target->scope, error))
		ret = -1;
	return ret;
}
