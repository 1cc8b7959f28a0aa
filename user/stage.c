// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "stage.h"

/* Dead tasks of a big cgroup take their time; an emulated machine is slow. */
#define STAGE_REMOVE_TIMEOUT (20 * NS_PER_S)

const struct cgroup *stage_cgroup(const struct stage *stage, int index)
{
	return index < 0 ? &stage->top.cg : &stage->below[index];
}

struct cg_loan *stage_loan(struct stage *stage, int index)
{
	return index < 0 && stage->top.is_found ? &stage->top.loan : NULL;
}

/* Those above come before those below. */
int stage_parent(const struct stage *stage, int index)
{
	const char *name = stage->scenario->cgroups[index].name;
	const char *slash = strrchr(name, '/');

	while (slash && --index >= 0) {
		const char *above = stage->scenario->cgroups[index].name;

		if (strlen(above) == (size_t)(slash - name) && !strncmp(above, name, slash - name))
			return index;
	}
	return -1;
}

__u64 stage_effective(const struct stage *stage, int index)
{
	__u64 effective = stage->top.effective_bytes;

	for (; index >= 0; index = stage_parent(stage, index))
		if (stage->bytes[index][LIMITS_MAX] < effective)
			effective = stage->bytes[index][LIMITS_MAX];
	return effective;
}

static void stage_where(const struct stage *stage, unsigned int line, char *where, size_t size)
{
	snprintf(where, size, "%s:%u: ", stage->scenario->file->path, line);
}

static int stage_prepare_below(struct stage *stage, unsigned int i, struct error *error)
{
	const struct scenario_cgroup *cgroup = &stage->scenario->cgroups[i];
	const struct cg_ops *ops = stage->top.tree.ops;
	char where[512];

	stage_where(stage, cgroup->line, where, sizeof(where));
	if (limits_check(&cgroup->limits, ops, where, error))
		return -1;
	if (ops->version == 1 && cgroup->limits.of[LIMITS_SWAP_MAX].unit &&
	    !cgroup->limits.of[LIMITS_MAX].unit)
		return error_set(error, STATUS_MISUSE,
				 "%sswap-max: on cgroup v1 it needs max as well", where);
	return limits_resolve(&cgroup->limits, stage_effective(stage, stage_parent(stage, i)),
			      stage->bytes[i], where, error);
}

int stage_resolve(const struct stage *stage, const struct scenario_time *time,
		  __u64 bytes[LIMITS_END], struct error *error)
{
	int above = time->cgroup < 0 ? -1 : stage_parent(stage, time->cgroup);
	char where[512];

	stage_where(stage, time->line, where, sizeof(where));
	if (limits_check(&time->limits, stage->top.tree.ops, where, error))
		return -1;
	return limits_resolve(&time->limits, stage_effective(stage, above), bytes, where, error);
}

int stage_prepare(struct stage *stage, const struct scenario *scenario, struct error *error)
{
	__u64 bytes[LIMITS_END];
	unsigned int i;

	memset(stage, 0, sizeof(*stage));
	stage->scenario = scenario;
	if (target_prepare(&stage->top, &scenario->run, false, error))
		return -1;
	for (i = 0; i < scenario->cgroup_count; i++)
		if (stage_prepare_below(stage, i, error))
			return -1;
	for (i = 0; i < scenario->time_count; i++)
		if (stage_resolve(stage, &scenario->times[i], bytes, error))
			return -1;
	return 0;
}

static int stage_create_below(struct stage *stage, unsigned int i, struct error *error)
{
	const struct scenario_cgroup *cgroup = &stage->scenario->cgroups[i];
	struct cgroup *cg = &stage->below[i];
	char path[PATH_MAX];
	unsigned int j;
	int ret;

	if (snprintf(path, sizeof(path), "%s/%s", stage->top.path, cgroup->name) >=
	    (int)sizeof(path))
		return error_set(error, STATUS_MISUSE, "%s:%u: the path of [cgroup %s] is too long",
				 stage->scenario->file->path, cgroup->line, cgroup->name);
	ret = cg_create(cg, &stage->top.tree, path);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot make cgroup %s: %s", path,
				 strerror(-ret));
	stage->made++;
	for (j = 0; j < LIMITS_END; j++) {
		enum cg_file file = limits_rows[j].file;

		ret = cgroup->limits.of[j].unit ? cg_write_number(cg, file, stage->bytes[i][j]) : 0;
		if (ret == -EOPNOTSUPP)
			return error_set(error, STATUS_UNSUPPORTED, "%s has no %s", path,
					 cg->tree->ops->files[file]);
		if (ret)
			return error_set(error, STATUS_FAILED, "cannot write %llu to %s/%s: %s",
					 stage->bytes[i][j], path, cg->tree->ops->files[file],
					 strerror(-ret));
	}
	return 0;
}

int stage_create(struct stage *stage, struct error *error)
{
	unsigned int i;

	if (target_create(&stage->top, &stage->scenario->run, error))
		return -1;
	for (i = 0; i < stage->scenario->cgroup_count; i++)
		if (stage_create_below(stage, i, error))
			return -1;
	return 0;
}

static int stage_remove_below(struct stage *stage, struct error *error)
{
	int ret = 0;

	while (stage->made) {
		struct cgroup *cg = &stage->below[--stage->made];
		int failed = cg_remove(cg, STAGE_REMOVE_TIMEOUT);

		if (failed && !ret)
			ret = error_set(error, STATUS_FAILED, "cannot remove cgroup %s: %s",
					cg->path, strerror(-failed));
	}
	return ret;
}

/*
 * A top that is somebody else's is left first: its lock would keep the removal of those below from
 * putting back that they have the controller.
 */
int stage_remove(struct stage *stage, struct error *error)
{
	bool is_found = stage->top.is_found;
	struct error second;
	int ret;

	ret = is_found ? target_remove(&stage->top, error) : stage_remove_below(stage, error);
	if (!ret)
		return is_found ? stage_remove_below(stage, error) :
				  target_remove(&stage->top, error);
	if (is_found)
		stage_remove_below(stage, &second);
	else
		target_remove(&stage->top, &second);
	return ret;
}

/* As the log names cgroups from the real root, a namespace sees the end of that only. */
static bool stage_is_called(const struct cgroup *cg, const char *name)
{
	const char *own = cg_name(cg->tree, cg->path);
	size_t length = strlen(name), own_length = strlen(own);

	return length >= own_length && !strcmp(name + length - own_length, own);
}

int stage_find(const struct stage *stage, const char *name)
{
	int i;

	/* The longest one is meant. */
	for (i = (int)stage->made - 1; i >= 0; i--)
		if (stage_is_called(&stage->below[i], name))
			return i;
	return stage_is_called(&stage->top.cg, name) ? -1 : -2;
}
