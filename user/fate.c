// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "fate.h"
#include "output.h"

/* As the engines have it. */
#define FATE_CODE_SIGNAL  128
#define FATE_CODE_SIGKILL (FATE_CODE_SIGNAL + SIGKILL)

static void fate_take_status(struct fate *fate, int status)
{
	if (WIFSIGNALED(status)) {
		fate->how = FATE_SIGNAL;
		fate->signal = WTERMSIG(status);
		fate->code = FATE_CODE_SIGNAL + fate->signal;
	} else {
		fate->how = FATE_EXIT;
		fate->code = WEXITSTATUS(status);
	}
}

static enum fate_oom fate_judge_oom(const struct fate *fate, const struct fate_seen *seen)
{
	if (seen->is_victim)
		return FATE_OOM_YES;
	if (fate->how == FATE_EXIT || (fate->how == FATE_SIGNAL && fate->signal != SIGKILL) ||
	    (fate->code != FATE_NO_CODE && fate->code != FATE_CODE_SIGKILL))
		return FATE_OOM_NO;
	return seen->log_is_complete ? FATE_OOM_NO : FATE_OOM_UNTOLD;
}

void fate_judge(struct fate *fate, const struct first_process *first, const struct fate_seen *seen)
{
	const struct container_report *report = &fate->report;

	fate->pid = first->pid;
	strcpy(fate->name, first->name);
	fate->how = FATE_LIVES;
	fate->oom = FATE_OOM_NO;
	fate->code = FATE_NO_CODE;
	if (!seen->has_ended)
		return;
	fate->how = FATE_ENDED;
	fate->is_restarted = first->pid && report->is_known && report->is_running &&
			     report->pid != first->pid;
	if (first->has_status)
		fate_take_status(fate, first->status);
	else if (report->is_known && !report->is_running)
		fate->code = report->exit_code;
	fate->oom = fate_judge_oom(fate, seen);
}

/* Engines set their flag when a container ends; one that was started again has the new one's. */
bool fate_is_contradicted(const struct fate *fate)
{
	return fate->report.is_known && !fate->report.is_running &&
	       fate->report.oom_killed != (fate->kills > 0);
}

const char *fate_how_name(enum fate_how how)
{
	static const char *const names[] = {
		[FATE_LIVES] = "lives",
		[FATE_SIGNAL] = "signal",
		[FATE_EXIT] = "exit",
		[FATE_ENDED] = "ended",
	};

	return names[how];
}

static void fate_tell_first(const struct fate *fate)
{
	output_print("its first process");
	if (fate->pid)
		output_print(", %d (%s),", fate->pid, fate->name);
}

static void fate_tell_oom(const struct fate *fate)
{
	if (fate->oom == FATE_OOM_YES)
		output_print(" was killed by the OOM killer");
	else if (fate->how == FATE_EXIT)
		output_print(" exited by itself");
	else if (fate->how == FATE_SIGNAL)
		output_print(" was killed by signal %d (%s)", fate->signal,
			     strsignal(fate->signal));
	else
		output_print(" has ended");
}

/* What 137 may mean, where the kernel has not told how it ended. */
static void fate_tell_code(const struct fate *fate)
{
	if (fate->code == FATE_NO_CODE)
		output_print("; nobody tells its exit code");
	else
		output_print(": exit code %d", fate->code);
	if (fate->oom == FATE_OOM_UNTOLD)
		output_print("; the kernel log does not tell whether the OOM killer did it");
	else if (fate->oom == FATE_OOM_NO && fate->how == FATE_SIGNAL && fate->signal == SIGKILL)
		output_print(", and not by the OOM killer");
	else if (fate->oom == FATE_OOM_NO && fate->how == FATE_ENDED &&
		 fate->code == FATE_CODE_SIGKILL)
		output_print(", its own or by somebody's SIGKILL; the OOM killer did not kill it");
	output_print("\n");
}

static void fate_tell_report(const struct fate *fate)
{
	const struct container_report *report = &fate->report;
	const char *engine = fate->container.engine ? fate->container.engine->name : "its engine";

	if (!report->is_known) {
		output_print("%s cannot be asked: %s\n", engine, report->why);
		return;
	}
	output_print("%s says: %s", engine, report->status);
	if (report->is_running)
		output_print("%s\n", fate->is_restarted ? "; it has started it again" : "");
	else
		output_print(", exit code %d, OOMKilled %s\n", report->exit_code,
			     report->oom_killed ? "true" : "false");
	if (!fate_is_contradicted(fate))
		return;
	if (fate->kills)
		output_print("the kernel contradicts: it counted %llu %s in the cgroup\n",
			     fate->kills, fate->kills == 1 ? "OOM kill" : "OOM kills");
	else
		output_print("the kernel contradicts: it counted no OOM kill in the cgroup\n");
}

void fate_tell(const struct fate *fate)
{
	if (fate->how == FATE_LIVES) {
		output_print("the container lives: ");
		fate_tell_first(fate);
		output_print("%s\n", fate->pid ? " has survived" : " is not known");
	} else {
		fate_tell_first(fate);
		fate_tell_oom(fate);
		fate_tell_code(fate);
	}
	fate_tell_report(fate);
}
