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

/* What is kept of a file: "OLD", or once it is set "OLD NOW". */
struct cg_note {
	__u64 old;
	__u64 now;
	bool is_set;
};

static bool cg_read_attribute(int fd, const char *kind, const char *name, struct cg_note *note)
{
	char attribute[64], text[64], *end;
	ssize_t length;

	snprintf(attribute, sizeof(attribute), "%s%s", kind, name);
	length = fgetxattr(fd, attribute, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	note->old = strtoull(text, &end, 10);
	note->is_set = *end == ' ';
	if (note->is_set)
		note->now = strtoull(end, &end, 10);
	return !*end;
}

static int cg_write_attribute(int fd, const char *kind, const char *name,
			      const struct cg_note *note, int flags)
{
	char attribute[64], text[64];

	snprintf(attribute, sizeof(attribute), "%s%s", kind, name);
	snprintf(text, sizeof(text), note->is_set ? "%llu %llu" : "%llu", note->old, note->now);
	return fsetxattr(fd, attribute, text, strlen(text), flags) ? -errno : 0;
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

static bool cg_read_note(const struct cg_ops *ops, int fd, enum cg_file file, struct cg_note *note)
{
	const char *name = cg_loan_names[file];

	return cg_read_attribute(fd, CG_LOAN_ROOT, name, note) ||
	       (cg_owner_has_limit(ops, fd, file) &&
		cg_read_attribute(fd, CG_LOAN_OWNER, name, note));
}

static void cg_remove_note(int fd, enum cg_file file)
{
	cg_remove_attribute(fd, CG_LOAN_ROOT, cg_loan_names[file]);
	cg_remove_attribute(fd, CG_LOAN_OWNER, cg_loan_names[file]);
}

/* -EEXIST: another run has come before. Without attributes, only this one can put it back. */
static int cg_write_note(const struct cgroup *cg, enum cg_file file, const struct cg_note *note,
			 int flags)
{
	const char *name = cg_loan_names[file];
	int ret = cg_write_attribute(cg->fd, CG_LOAN_ROOT, name, note, flags);

	if (ret && ret != -EEXIST && cg_owner_has_limit(cg->tree->ops, cg->fd, file))
		ret = cg_write_attribute(cg->fd, CG_LOAN_OWNER, name, note, flags);
	return ret == -EEXIST ? ret : 0;
}

bool cg_has_loan(const struct cg_ops *ops, int fd)
{
	struct cg_note note;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cg_loans); i++)
		if (cg_read_note(ops, fd, cg_loans[i], &note))
			return true;
	return false;
}

/* Who has set it meanwhile wants it so. */
static int cg_put_back(const struct cgroup *cg, enum cg_file file, const struct cg_note *note)
{
	__u64 number;
	int ret = cg_read_number(cg, file, &number);

	if (!ret && !(note->is_set && number != note->now))
		ret = cg_write_number(cg, file, note->old);
	if (!ret)
		cg_remove_note(cg->fd, file);
	return ret;
}

int cg_take_back_left(const struct cgroup *cg)
{
	unsigned int i = ARRAY_SIZE(cg_loans);
	struct cg_note note;
	int ret = 0;

	if (!cg_has_loan(cg->tree->ops, cg->fd))
		return 0;
	if (!cg_lock_alone(cg->fd))
		return -ETXTBSY;
	while (i--) {
		enum cg_file file = cg_loans[i];
		int failed = 0;

		if (cg_read_note(cg->tree->ops, cg->fd, file, &note))
			failed = cg_put_back(cg, file, &note);
		ret = ret ? ret : failed;
	}
	return ret;
}

/* -1: it was not begun. */
static int cg_loan_find(const struct cg_loan *loan, enum cg_file file)
{
	int i = loan->count;

	while (i-- && loan->file[i] != file)
		;
	return i;
}

static int cg_loan_lock(const struct cgroup *cg)
{
	int ret = cg_take_back_left(cg);

	/* Who lives may have set others. */
	return ret && ret != -ETXTBSY ? ret : cg_lock_shared(cg->fd);
}

/* It may be set again, and nobody knows yet to what. */
static int cg_loan_begin_again(struct cg_loan *loan, const struct cgroup *cg, unsigned int i)
{
	const struct cg_note note = { .old = loan->old[i] };

	loan->is_set[i] = false;
	return cg_write_note(cg, loan->file[i], &note, 0);
}

int cg_loan_begin(struct cg_loan *loan, const struct cgroup *cg, enum cg_file file)
{
	int i = cg_loan_find(loan, file);
	struct cg_note note = {};
	int ret;

	if (i >= 0)
		return cg_loan_begin_again(loan, cg, i);
	ret = loan->count ? 0 : cg_loan_lock(cg);
	if (!ret)
		ret = cg_read_number(cg, file, &note.old);
	if (ret)
		return ret;
	if (cg_write_note(cg, file, &note, XATTR_CREATE))
		return -ETXTBSY;
	loan->file[loan->count] = file;
	loan->is_set[loan->count] = false;
	loan->old[loan->count++] = note.old;
	return 0;
}

bool cg_loan_explain(const struct cgroup *cg, enum cg_file file, int ret, struct error *error)
{
	const char *name = cg->tree->ops->files[file];

	if (ret == -ETXTBSY)
		error_set(error, STATUS_FAILED, "another run has set %s/%s, and will put it back",
			  cg->path, name);
	else if (ret == -ETIMEDOUT)
		error_set(error, STATUS_FAILED, "cannot write %s/%s: %s", cg->path, name,
			  "somebody has locked the cgroup's directory");
	else
		return false;
	return true;
}

void cg_loan_is_set(struct cg_loan *loan, const struct cgroup *cg, enum cg_file file)
{
	int i = cg_loan_find(loan, file);
	struct cg_note note = { .is_set = true };

	if (i < 0 || cg_read_number(cg, file, &note.now))
		return;
	note.old = loan->old[i];
	loan->now[i] = note.now;
	loan->is_set[i] = true;
	cg_write_note(cg, file, &note, 0);
}

void cg_loan_forget(struct cg_loan *loan, const struct cgroup *cg)
{
	while (loan->count)
		cg_remove_note(cg->fd, loan->file[--loan->count]);
}

int cg_lend(struct cg_loan *loan, const struct cgroup *cg, enum cg_file file, __u64 number)
{
	int ret = cg_loan_begin(loan, cg, file);

	if (ret)
		return ret;
	ret = cg_write_number(cg, file, number);
	/* If it was refused it is as it was, and that is known. */
	cg_loan_is_set(loan, cg, file);
	return ret;
}

int cg_take_back(struct cg_loan *loan, const struct cgroup *cg)
{
	int ret = 0;

	while (loan->count) {
		unsigned int i = --loan->count;
		const struct cg_note note = { loan->old[i], loan->now[i], loan->is_set[i] };
		int failed = cg_put_back(cg, loan->file[i], &note);

		ret = ret ? ret : failed;
	}
	return ret;
}
