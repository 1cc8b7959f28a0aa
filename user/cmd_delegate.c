// SPDX-License-Identifier: GPL-2.0
/* memstress delegate: a cgroup that a user may manage. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cgroup_name.h"
#include "commands.h"
#include "delegation.h"
#include "error.h"
#include "job.h"
#include "json.h"
#include "option.h"
#include "output.h"
#include "target.h"
#include "units.h"

/**
 * struct delegate - what was asked for
 * @job: the cgroup and its limits; first, as its options know nothing of the rest
 * @remove: remove it
 * @words: the user, if it is to be made, and the cgroup
 */
struct delegate {
	struct job job;
	bool remove;
	const char *words[2];
};

static int delegate_set_remove(void *context, const char *where, const char *value,
			       struct error *error)
{
	return option_set_flag(&((struct delegate *)context)->remove, where, value, error);
}

static int delegate_set_json(void *context, const char *where, const char *value,
			     struct error *error)
{
	return option_set_flag(&((struct delegate *)context)->job.json, where, value, error);
}

static const struct option delegate_options[] = {
	{ "remove", NULL, "remove what was made so, if nobody is in it; without USER",
	  delegate_set_remove },
	{ "json", NULL, "a line of JSON", delegate_set_json },
	{}
};

static const struct option_group delegate_groups[] = { { "The cgroup's limits", limits_options },
						       { "Options", delegate_options },
						       {} };

static const char delegate_help[] =
	"\n"
	"Makes the cgroup NAME, a path below the mount, and gives it to USER, by name or\n"
	"number: its directory, and its files cgroup.procs and cgroup.threads and\n"
	"cgroup.subtree_control, on cgroup v1 tasks and cgroup.procs. Its limits stay root's,\n"
	"and hold for all that USER makes below it. It stays until it is removed.\n"
	"\n"
	"On cgroup v2 nobody but root brings a process in from outside, as that takes the\n"
	"right to write to cgroup.procs of the first cgroup above both; and processes can\n"
	"only be in those below it, for which \"inside\" is made. On v1 USER brings his own\n"
	"processes in himself. (runuser, not su, which systemd takes for a login, and moves\n"
	"into a session.)\n"
	"\n"
	"Examples:\n"
	"  memstress delegate anna --max 10M anna-job\n"
	"  memstress delegate --remove anna-job\n";

void cmd_delegate_help(void)
{
	option_print_help(delegate_groups);
	output_print("%s", delegate_help);
}

static const struct passwd *delegate_find_user(const char *name)
{
	__u64 uid;

	if (!units_parse_number(name, &uid) && uid < (uid_t)-1)
		return getpwuid(uid);
	return getpwnam(name);
}

static void delegate_print(const struct target *target, const struct passwd *user)
{
	const char *name = cg_name(&target->tree, target->path) + 1;
	const char *inside = target->tree.ops->inside;
	const char *who = user->pw_name;

	output_print("%s is %s's, max %s\n\n", target->path, who,
		     target->bytes[LIMITS_MAX] == CG_UNLIMITED ?
			     "none" :
			     units_bytes(target->bytes[LIMITS_MAX]).s);
	if (inside) {
		output_print("Root brings processes in:\n\n");
		output_print("  memstress exec --in %s/%s -- runuser %s\n", name, inside, who);
		output_print("  memstress attach --tree PID %s/%s\n\n", name, inside);
		output_print("In there %s needs no privilege:\n\n", who);
		output_print("  memstress exec --max 50%% -- CMD\n");
	} else {
		output_print("%s needs no privilege:\n\n", who);
		output_print("  memstress attach --tree PID %s\n", name);
		output_print("  memstress exec --in %s -- CMD\n", name);
		output_print("  memstress exec --max 50%% --cgroup %s/job -- CMD\n", name);
	}
	output_print("\nTo remove it: memstress delegate --remove %s\n", name);
}

/*
 * Type "delegate". Keys: path, name (the kernel's), version (of cgroups), user, uid, max_bytes
 * (null: none), inside (the path of the cgroup below it that processes are brought into; null: they
 * can be in itself).
 */
static void delegate_print_json(const struct target *target, const struct passwd *user)
{
	const char *inside = target->tree.ops->inside;
	struct json_object *line = json_begin("delegate");
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", target->path, inside ? inside : "");
	json_add_string(line, "path", target->path);
	json_add_string(line, "name", cg_name(&target->tree, target->path));
	json_add_number(line, "version", target->tree.ops->version);
	json_add_string(line, "user", user->pw_name);
	json_add_number(line, "uid", user->pw_uid);
	json_add_bytes(line, "max_bytes", target->bytes[LIMITS_MAX]);
	json_add_string(line, "inside", inside ? path : NULL);
	json_end(line);
}

static int delegate_make(struct target *target, const struct job *job, const struct passwd *user,
			 struct error *error)
{
	struct error other;
	int ret;

	ret = target_create(target, job, error);
	if (!ret) {
		ret = delegation_give(&target->cg, user->pw_uid, user->pw_gid);
		if (ret)
			error_set(error, ret == -EPERM ? STATUS_UNSUPPORTED : STATUS_FAILED,
				  "cannot give %s to %s: %s", target->path, user->pw_name,
				  strerror(-ret));
	}
	if (ret)
		target_remove(target, &other);
	else
		cg_leave(&target->cg);
	return ret;
}

static int delegate_give(struct delegate *delegate, struct error *error)
{
	const struct passwd *user = delegate_find_user(delegate->words[0]);
	struct target target;
	sigset_t all, old;
	int ret;

	if (!user)
		return error_set(error, STATUS_MISUSE, "there is no user '%s'", delegate->words[0]);
	if (target_prepare(&target, &delegate->job, false, error))
		return -1;
	/* What is begun is done. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	ret = delegate_make(&target, &delegate->job, user, error);
	if (!ret && delegate->job.json)
		delegate_print_json(&target, user);
	else if (!ret)
		delegate_print(&target, user);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

static int delegate_remove(const char *name, struct error *error)
{
	char path[PATH_MAX];
	struct cg_tree tree;

	if (cgroup_name_find_tree(&tree, error))
		return -1;
	if (cg_resolve(&tree, name, path, sizeof(path)))
		return error_set(error, STATUS_MISUSE, "'%s' is not allowed; give a path below %s",
				 name, tree.mount);
	return delegation_remove(&tree, path, error);
}

static int delegate_go(struct delegate *delegate, unsigned int count, struct error *error)
{
	char name[PATH_MAX];

	if (delegate->remove && count == 1)
		return delegate_remove(delegate->words[0], error);
	if (delegate->remove)
		return error_set(error, STATUS_MISUSE, "which cgroup? give --remove NAME");
	if (count < 2)
		return error_set(error, STATUS_MISUSE, "to whom, and which cgroup? give USER NAME");
	/* With a slash, so that it is a path whatever else a name alone may be. */
	if (snprintf(name, sizeof(name), "/%s", delegate->words[1]) >= (int)sizeof(name))
		return error_set(error, STATUS_MISUSE, "the name is too long");
	delegate->job.cgroup_option = "NAME";
	delegate->job.cgroup = *delegate->words[1] == '/' ? name + 1 : name;
	return delegate_give(delegate, error);
}

int cmd_delegate(int argc, char **argv)
{
	struct delegate delegate = {};
	unsigned int count;
	struct error error;

	job_init(&delegate.job);
	switch (option_parse_words(delegate_groups, &delegate, argc, argv, delegate.words, 2,
				   &count, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return delegate_go(&delegate, count, &error) ? error_report(&error) : STATUS_HELD;
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
