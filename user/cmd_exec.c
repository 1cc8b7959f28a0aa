// SPDX-License-Identifier: GPL-2.0
/* memstress exec: a command in a cgroup with limits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "ending.h"
#include "job.h"
#include "json.h"
#include "output.h"
#include "program.h"
#include "target.h"

static int exec_set_json(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct job *)context)->json, where, value, error);
}

static int exec_set_quiet(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct job *)context)->quiet, where, value, error);
}

static const struct option exec_options[] = { { "json", NULL, "tell how it ended in a line of JSON",
						exec_set_json },
					      { "quiet", NULL, "do not tell (-q)", exec_set_quiet },
					      {} };

static const struct option_group exec_groups[] = { { "The cgroup", job_place_options },
						   { "Its limits", limits_options },
						   { "Options", exec_options },
						   {} };

static const char exec_help_end[] =
	"\n"
	"Standard input, output and error are the command's own, as is the terminal; what\n"
	"memstress has to say goes to standard error. SIGINT, SIGTERM, SIGHUP and SIGQUIT\n"
	"to memstress are sent on to all processes in the cgroup, other signals to the\n"
	"command. When the command has ended, what it has left in the cgroup is killed, and\n"
	"the cgroup removed. If memstress itself dies of SIGKILL, the command does too, but\n"
	"the cgroup and what else is in there stay, until memstress clean removes them.\n"
	"With --in, nobody is killed: those whom a signal reaches are the command and its\n"
	"descendants, and who is left at the end stays.\n"
	"\n"
	"Where systemd runs, su and login move a user who is in no session yet into one, and\n"
	"so out of the cgroup; runuser and setpriv leave him there. On cgroup v2 it is told\n"
	"if the command itself was elsewhere when it ended.\n"
	"\n"
	"Exit codes: the command's own; 128 and the signal that it died of; 126 it cannot\n"
	"be executed, 127 it is not found; 2 misuse; 1 or 4 no cgroup could be made for it,\n"
	"and the reason is told.\n"
	"\n"
	"Examples:\n"
	"  memstress exec --max 512M -- make -j8\n"
	"  memstress exec --max 50M --swap-max 0 -- bash\n"
	"  memstress exec --in docker:web -- dd if=/dev/zero of=/dev/null bs=64M count=1\n";

void cmd_exec_help(void)
{
	option_print_help(exec_groups);
	output_print("%s", exec_help_end);
}

static const char *exec_limit(const struct target *target, char *text, size_t size)
{
	if (target->effective_bytes == CG_UNLIMITED)
		return "no limit";
	if (target->bytes[LIMITS_MAX] == target->effective_bytes)
		snprintf(text, size, "max %s", units_bytes(target->bytes[LIMITS_MAX]).s);
	else
		snprintf(text, size, "max %s, of %s", units_bytes(target->effective_bytes).s,
			 target->effective_path);
	return text;
}

static void exec_tell(const struct target *target, const struct ending *ending, const char *program)
{
	__u64 peak = ending_peak(ending);
	char limit[PATH_MAX + 64];

	/* Before 5.19 v2 had no memory.peak. */
	error_say("%s; highest usage %s, %s", ending_tell(ending, program).s,
		  peak == CG_MISSING ? "not known here" : units_bytes(peak).s,
		  exec_limit(target, limit, sizeof(limit)));
	if (*ending->moved_to)
		error_say("%s had left its cgroup, for %s", program, ending->moved_to);
	if (ending->left)
		error_say("%u process%s left in its cgroup, and killed", ending->left,
			  ending->left == 1 ? " was" : "es were");
}

/*
 * Type "exec". Keys: command, cgroup (its path), version (of the file system), max_bytes,
 * high_bytes, low_bytes, min_bytes, swap_max_bytes, zswap_max_bytes, effective_max_bytes,
 * effective_max_path and oom_group (as in the record cgroup of a run, record.h), cause ("exit",
 * "signal", "oom": the OOM killer), code and signal (null: not so), oom_kills (in the cgroup, the
 * command included), oom_limit (whose it was: "own", "below", "above", "machine"; null: there was
 * none, or it is not known), oom_cgroup (the kernel's name for the one above, or null), peak_bytes
 * (null: not known), left (processes), moved_to (the kernel's name of the cgroup that the command
 * was in when it ended; null: in its own or below it, or on v1, which does not tell), total_ns.
 */
static void exec_print_json(const struct target *target, const struct ending *ending,
			    const char *program, __u64 total_ns)
{
	static const char *const limits[] = {
		[LIMIT_OWN] = "own",
		[LIMIT_BELOW] = "below",
		[LIMIT_ABOVE] = "above",
		[LIMIT_MACHINE] = "machine",
	};
	struct json_object *line = json_begin("exec");
	enum ending_limit limit = ending_kills(ending) ? ending_limit(ending) : LIMIT_UNKNOWN;

	json_add_string(line, "command", program);
	json_add_string(line, "cgroup", target->path);
	json_add_number(line, "version", target->tree.ops->version);
	json_add_bytes(line, "max_bytes", target->bytes[LIMITS_MAX]);
	json_add_bytes(line, "high_bytes", target->bytes[LIMITS_HIGH]);
	json_add_bytes(line, "low_bytes", target->bytes[LIMITS_LOW]);
	json_add_bytes(line, "min_bytes", target->bytes[LIMITS_MIN]);
	json_add_bytes(line, "swap_max_bytes", target->bytes[LIMITS_SWAP_MAX]);
	json_add_bytes(line, "zswap_max_bytes", target->bytes[LIMITS_ZSWAP_MAX]);
	json_add_bytes(line, "effective_max_bytes", target->effective_bytes);
	json_add_string(line, "effective_max_path",
			*target->effective_path ? target->effective_path : NULL);
	json_add_bool(line, "oom_group", target->bytes[LIMITS_OOM_GROUP] == 1);
	json_add_string(line, "cause", ending_cause_name(ending_cause(ending)));
	if (ending->signal) {
		json_add_null(line, "code");
		json_add_number(line, "signal", ending->signal);
	} else {
		json_add_number(line, "code", ending->code);
		json_add_null(line, "signal");
	}
	json_add_number(line, "oom_kills", ending_kills(ending));
	json_add_string(line, "oom_limit", limits[limit]);
	json_add_string(line, "oom_cgroup",
			limit == LIMIT_ABOVE && *ending->limit_name ? ending->limit_name : NULL);
	json_add_bytes(line, "peak_bytes", ending_peak(ending));
	json_add_number(line, "left", ending->left);
	json_add_string(line, "moved_to", *ending->moved_to ? ending->moved_to : NULL);
	json_add_number(line, "total_ns", total_ns);
	json_end_aside(line);
}

/* As a shell says it. */
static int exec_refused(const char *program, int exec_error, struct error *error)
{
	if (exec_error == ENOENT)
		return error_set(error, STATUS_NOT_FOUND, "%s: command not found", program);
	return error_set(error, STATUS_NOT_EXECUTED, "cannot execute %s: %s", program,
			 strerror(exec_error));
}

static int exec_limited(struct target *target, const struct job *job, struct program *program,
			char **argv, struct error *error)
{
	int ret, exec_error = 0;

	if (target_create(target, job, error))
		return -1;
	ret = program_run(program, &target->cg, target->is_found, argv, &exec_error);
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot start %s in %s: %s", argv[0],
				 target->path, strerror(-ret));
	if (exec_error)
		return exec_refused(argv[0], exec_error, error);
	return 0;
}

static int exec_command(const struct job *job, char **argv, struct error *error)
{
	__u64 start_ns = clock_now_ns();
	struct error remove_error;
	struct program program;
	struct target target;
	bool is_removed;
	int ret;

	if (target_prepare(&target, job, false, error))
		return error_report(error);
	program_init(&program);
	ret = exec_limited(&target, job, &program, argv, error);
	is_removed = !target_remove(&target, &remove_error);
	program_put_terminal_back(&program);
	if (!is_removed)
		error_report(&remove_error);
	if (ret) {
		ret = error_report(error);
	} else {
		if (job->json)
			exec_print_json(&target, &program.ending, argv[0],
					clock_now_ns() - start_ns);
		else if (!job->quiet)
			exec_tell(&target, &program.ending, argv[0]);
		ret = ending_exit_code(&program.ending);
	}
	program_release(&program);
	return ret || is_removed ? ret : STATUS_FAILED;
}

int cmd_exec(int argc, char **argv)
{
	struct error error;
	struct job job;
	int next;

	job_init(&job);
	switch (option_parse(exec_groups, &job, argc, argv, &next, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		if (next == argc)
			error_set(&error, STATUS_MISUSE, "which command? give -- CMD [ARG]...");
		else if (job.json && job.quiet)
			error_set(&error, STATUS_MISUSE, "--json and --quiet exclude each other");
		else if (!job_finish_place(&job, &error))
			return exec_command(&job, argv + next, &error);
		break;
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
