// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "cgroup_loan.h"
#include "cgroup_mark.h"
#include "compiler.h"

/* In the order in which a run sets them. */
static const enum cg_file cg_loans[CG_LOANS] = {
	CG_MAX, CG_HIGH, CG_LOW, CG_MIN, CG_SWAP_MAX, CG_ZSWAP_MAX, CG_OOM_GROUP,
};

static const char *const cg_loan_names[CG_FILES] = {
	[CG_MAX] = "memstress.old.max",
	[CG_HIGH] = "memstress.old.high",
	[CG_LOW] = "memstress.old.low",
	[CG_MIN] = "memstress.old.min",
	[CG_SWAP_MAX] = "memstress.old.swap_max",
	[CG_ZSWAP_MAX] = "memstress.old.zswap_max",
	[CG_OOM_GROUP] = "memstress.old.oom_group",
};

/* Attributes that only root may see, and those that whoever may write to the directory may set. */
#define CG_LOAN_ROOT  "trusted."
#define CG_LOAN_OWNER "user."

static bool cg_read_attribute(int fd, const char *kind, const char *name, __u64 *old)
{
	char attribute[64], text[32], *end;
	ssize_t length;

	snprintf(attribute, sizeof(attribute), "%s%s", kind, name);
	length = fgetxattr(fd, attribute, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	*old = strtoull(text, &end, 10);
	return !*end;
}

static int cg_write_attribute(int fd, const char *kind, const char *name, __u64 old)
{
	char attribute[64], text[32];

	snprintf(attribute, sizeof(attribute), "%s%s", kind, name);
	snprintf(text, sizeof(text), "%llu", old);
	return fsetxattr(fd, attribute, text, strlen(text), XATTR_CREATE) ? -errno : 0;
}

static void cg_remove_attribute(int fd, const char *kind, const char *name)
{
	char attribute[64];

	snprintf(attribute, sizeof(attribute), "%s%s", kind, name);
	fremovexattr(fd, attribute);
}

/* The owner of the directory could have root write for him what he may not. */
static bool cg_owner_has_limit(const struct cg_ops *ops, int fd, enum cg_file file)
{
	struct stat directory, limit;

	return ops->files[file] && !fstat(fd, &directory) &&
	       !fstatat(fd, ops->files[file], &limit, 0) && directory.st_uid == limit.st_uid;
}

static bool cg_read_loan(const struct cg_ops *ops, int fd, enum cg_file file, __u64 *old)
{
	const char *name = cg_loan_names[file];

	return cg_read_attribute(fd, CG_LOAN_ROOT, name, old) ||
	       (cg_owner_has_limit(ops, fd, file) &&
		cg_read_attribute(fd, CG_LOAN_OWNER, name, old));
}

static void cg_forget_loan(int fd, enum cg_file file)
{
	cg_remove_attribute(fd, CG_LOAN_ROOT, cg_loan_names[file]);
	cg_remove_attribute(fd, CG_LOAN_OWNER, cg_loan_names[file]);
}

/* -EEXIST: another run has come before. Without attributes, only this one can put it back. */
static int cg_note_loan(const struct cgroup *cg, enum cg_file file, __u64 old)
{
	const char *name = cg_loan_names[file];
	int ret = cg_write_attribute(cg->fd, CG_LOAN_ROOT, name, old);

	if (ret && ret != -EEXIST && cg_owner_has_limit(cg->tree->ops, cg->fd, file))
		ret = cg_write_attribute(cg->fd, CG_LOAN_OWNER, name, old);
	return ret == -EEXIST ? ret : 0;
}

bool cg_has_loan(const struct cg_ops *ops, int fd)
{
	unsigned int i;
	__u64 old;

	for (i = 0; i < ARRAY_SIZE(cg_loans); i++)
		if (cg_read_loan(ops, fd, cg_loans[i], &old))
			return true;
	return false;
}

static int cg_put_back(const struct cgroup *cg, enum cg_file file, __u64 old)
{
	int ret = cg_write_number(cg, file, old);

	if (!ret)
		cg_forget_loan(cg->fd, file);
	return ret;
}

int cg_take_back_left(const struct cgroup *cg)
{
	unsigned int i = ARRAY_SIZE(cg_loans);
	int ret = 0;
	__u64 old;

	if (!cg_has_loan(cg->tree->ops, cg->fd))
		return 0;
	if (!cg_lock_alone(cg->fd))
		return -ETXTBSY;
	while (i--) {
		enum cg_file file = cg_loans[i];
		int failed = 0;

		if (cg_read_loan(cg->tree->ops, cg->fd, file, &old))
			failed = cg_put_back(cg, file, old);
		ret = ret ? ret : failed;
	}
	return ret;
}

int cg_lend(struct cg_loan *loan, const struct cgroup *cg, enum cg_file file, __u64 number)
{
	__u64 old;
	int ret;

	if (!loan->count) {
		ret = cg_take_back_left(cg);
		if (!ret)
			ret = cg_lock_shared(cg->fd);
		if (ret)
			return ret;
	}
	ret = cg_read_number(cg, file, &old);
	if (ret)
		return ret;
	/* Before it is set. */
	if (cg_note_loan(cg, file, old))
		return -ETXTBSY;
	ret = cg_write_number(cg, file, number);
	if (ret) {
		cg_forget_loan(cg->fd, file);
		return ret;
	}
	loan->file[loan->count] = file;
	loan->old[loan->count++] = old;
	return 0;
}

int cg_take_back(struct cg_loan *loan, const struct cgroup *cg)
{
	int ret = 0;

	while (loan->count) {
		int failed;

		loan->count--;
		failed = cg_put_back(cg, loan->file[loan->count], loan->old[loan->count]);
		ret = ret ? ret : failed;
	}
	return ret;
}
