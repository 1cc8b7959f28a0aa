// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "process.h"
#include "program.h"
#include "signals.h"

/* How often is looked at what no descriptor tells of. */
#define PROGRAM_LOOK (10 * NS_PER_MS)

/* How long after the kill the kernel log may keep its word of it, on a slow machine. */
#define PROGRAM_LOG_TIMEOUT (2 * NS_PER_S)

/* How long those who have got the same signal, or are on their way out, may still take. */
#define PROGRAM_LEAVE_TIMEOUT (200 * NS_PER_MS)

/*
 * All but two that stop the tool together with the program. SIGTTOU is among them: the tool may
 * write to the terminal when it is in the background.
 */
static void program_fill_signals(sigset_t *set)
{
	signals_fill(set);
	sigdelset(set, SIGTSTP);
	sigdelset(set, SIGTTIN);
}

void program_init(struct program *program)
{
	/* Whoever ignores this inherits it, and could not be told how a child ended. */
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t set;

	memset(program, 0, sizeof(*program));
	program->failure_fd = -1;
	program->signal_fd = -1;
	program->kmsg.fd = -1;
	program->loop.epoll_fd = -1;
	program->knows_pids = kmsg_knows_pids();
	program_fill_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &program->old_mask);
	sigaction(SIGCHLD, &by_default, &program->old_child);
	terminal_open(&program->terminal);
}

/* It is of what the tool itself has told, and how it ends is the program's to say. */
static void program_forget_pipe(void)
{
	const struct timespec now = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigtimedwait(&set, NULL, &now);
}

void program_release(struct program *program)
{
	terminal_close(&program->terminal);
	sigaction(SIGCHLD, &program->old_child, NULL);
	program_forget_pipe();
	signals_put_back(&program->old_mask);
}

void program_put_terminal_back(struct program *program)
{
	if (program->ending.signal)
		terminal_put_back(&program->terminal);
}

static noreturn void program_main(const struct program *program, pid_t parent, int failure_fd,
				  char **argv)
{
	int error;

	/* Nobody would be left to remove its cgroup, or to say how it ended. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	sigaction(SIGCHLD, &program->old_child, NULL);
	sigprocmask(SIG_SETMASK, &program->old_mask, NULL);
	execvp(argv[0], argv);
	error = errno;
	if (write(failure_fd, &error, sizeof(error)) != sizeof(error))
		_exit(EXIT_FAILURE);
	_exit(STATUS_NOT_FOUND);
}

static int program_start(struct program *program, char **argv)
{
	pid_t parent = getpid();
	int pipe[2], pidfd;
	pid_t pid;

	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	program->failure_fd = pipe[0];
	pid = cg_fork(program->cg, &pidfd);
	if (!pid)
		program_main(program, parent, pipe[1], argv);
	close(pipe[1]);
	if (pid < 0)
		return pid;
	close(pidfd);
	program->pid = pid;
	return 0;
}

/*
 * On v1 whoever has ended is shown in the root (proc_cgroup_show() in kernel/cgroup/cgroup.c), and
 * a session does not take memory along. A cgroup may be gone by now; one of which there is no trace
 * has another name here than the kernel gives it.
 */
static void program_see_where(struct program *program)
{
	static const char deleted[] = " (deleted)";
	const struct cg_tree *tree = program->cg->tree;
	char number[16], name[sizeof(program->ending.moved_to)], path[PATH_MAX];
	size_t length, tail = strlen(deleted);

	snprintf(number, sizeof(number), "%d", program->pid);
	if (!tree->ops->is_unified || tree->ops->find_of(tree->root, number, name, sizeof(name)))
		return;
	length = strlen(name);
	if (length > tail && !strcmp(name + length - tail, deleted))
		name[length - tail] = '\0';
	else if (snprintf(path, sizeof(path), "%s%s", tree->mount, name) >= (int)sizeof(path) ||
		 access(path, F_OK))
		return;
	if (!cg_is_within(name, cg_name(tree, program->cg->path)))
		strcpy(program->ending.moved_to, name);
}

/* The tool stops with it, or the shell would go on waiting for somebody who waits for it. */
static void program_on_child(struct program *program)
{
	siginfo_t info = {};
	int status;

	if (!waitid(P_PID, program->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
		program_see_where(program);
	if (waitpid(program->pid, &status, WUNTRACED | WNOHANG) != program->pid)
		return;
	if (WIFSTOPPED(status)) {
		/* Without a terminal nobody controls jobs. */
		if (program->terminal.fd >= 0)
			kill(getpid(), SIGSTOP);
		return;
	}
	program->has_ended = true;
	program->ending.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	program->ending.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* Calls @see for those who are with it. */
static void program_each(const struct program *program, void (*see)(pid_t pid, void *context),
			 void *context)
{
	struct process_list list;
	unsigned int i;

	if (!program->is_shared) {
		cg_each_process(program->cg, see, context);
		return;
	}
	if (process_tree(&list, program->cg->tree->root, program->pid))
		return;
	for (i = 0; i < list.count; i++)
		see(list.pids[i], context);
	process_list_free(&list);
}

struct program_search {
	pid_t pid;
	bool is_found;
};

static void program_compare(pid_t pid, void *context)
{
	struct program_search *search = context;

	if (pid == search->pid)
		search->is_found = true;
}

static void program_send(const struct program *program, int signal)
{
	if (program->is_shared)
		process_signal_tree(program->cg->tree->root, program->pid, signal);
	else
		cg_signal(program->cg, signal);
}

static void program_pass_on(struct program *program, const struct signalfd_siginfo *info)
{
	struct program_search sender = { .pid = info->ssi_pid };
	int signal = info->ssi_signo;

	/*
	 * From the kernel: a key of the terminal, which the program has got as well; or its end,
	 * of which the leader of a session is told for all of it.
	 */
	if (info->ssi_code > 0 && (signal != SIGHUP || getsid(0) != getpid()))
		return;
	/* "kill 0" of a script reaches its process group, and shall not come back to it. */
	program_each(program, program_compare, &sender);
	if (sender.is_found)
		return;
	/* Those that a key may send, or the end of a session, reach more than one process. */
	if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT)
		program_send(program, signal);
	else
		kill(program->pid, signal);
}

static void program_on_signal(void *context)
{
	struct program *program = context;
	struct signalfd_siginfo info;

	while (!program->has_ended &&
	       read(program->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			program_on_child(program);
		/* A shell sends it to its job. What a shell in there has stopped stays so. */
		else if (info.ssi_signo == SIGCONT)
			kill(program->pid, SIGCONT);
		else
			program_pass_on(program, &info);
	}
}

static void program_hear(struct program *program, const struct kmsg_oom *oom)
{
	struct ending *ending = &program->ending;

	if (oom->what == KMSG_CHOSEN) {
		ending->limit_told = true;
		if (!*oom->oom_memcg)
			ending->limit = LIMIT_MACHINE;
		else if (kmsg_is_ours(&program->kmsg, oom->oom_memcg))
			ending->limit = LIMIT_OWN;
		else
			ending->limit = LIMIT_ABOVE;
		snprintf(ending->limit_name, sizeof(ending->limit_name), "%s", oom->oom_memcg);
	} else if (oom->what == KMSG_KILLED && program->knows_pids) {
		ending->kills_told++;
		if (oom->pid == program->pid)
			ending->is_victim = true;
	}
}

static void program_on_kmsg(void *context)
{
	struct program *program = context;
	struct kmsg_oom oom;
	int ret;

	while ((ret = kmsg_next(&program->kmsg, &oom)) == 1)
		program_hear(program, &oom);
	if (ret)
		loop_remove(&program->loop, program->kmsg.fd);
}

/* The log says for whose limit it was; without it only that is known less well. */
static void program_open_kmsg(struct program *program)
{
	int ret = kmsg_open(&program->kmsg, cg_name(program->cg->tree, program->cg->path));

	if (!ret)
		ret = loop_add(&program->loop, program->kmsg.fd, EPOLLIN, program_on_kmsg, program);
	if (ret)
		kmsg_close(&program->kmsg);
}

static int program_open_signals(struct program *program)
{
	sigset_t set;

	program_fill_signals(&set);
	program->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (program->signal_fd < 0)
		return -errno;
	return loop_add(&program->loop, program->signal_fd, EPOLLIN, program_on_signal, program);
}

static bool program_has_ended(void *context)
{
	return ((const struct program *)context)->has_ended;
}

static bool program_log_is_complete(void *context)
{
	const struct program *program = context;

	return program->ending.kills_told >= ending_kills(&program->ending);
}

static bool program_is_alone(void *context)
{
	struct program *program = context;

	program->ending.left = program->is_shared ? 0 : cg_count_processes(program->cg);
	return !program->ending.left;
}

static void program_conclude(struct program *program, int *exec_error)
{
	struct ending *ending = &program->ending;

	if (read(program->failure_fd, exec_error, sizeof(*exec_error)) != sizeof(*exec_error))
		*exec_error = 0;
	loop_await(&program->loop, program_is_alone, program,
		   clock_now_ns() + PROGRAM_LEAVE_TIMEOUT, PROGRAM_LOOK);
	ending->is_read = !snapshot_take(program->cg, &ending->snapshot) &&
			  !cg_read_number_if_any(program->cg, CG_MAX, &ending->max_bytes);
	if (program->is_shared)
		ending_take_off(ending, &program->before);
	if (program->kmsg.fd >= 0 && program->knows_pids)
		loop_await(&program->loop, program_log_is_complete, program,
			   clock_now_ns() + PROGRAM_LOG_TIMEOUT, 0);
	/* What lies there though it is not counted by a pid. */
	loop_poll(&program->loop);
}

static void program_close(struct program *program)
{
	if (program->signal_fd >= 0)
		close(program->signal_fd);
	if (program->failure_fd >= 0)
		close(program->failure_fd);
	kmsg_close(&program->kmsg);
	loop_destroy(&program->loop);
}

int program_run(struct program *program, const struct cgroup *cg, bool is_shared, char **argv,
		int *exec_error)
{
	int ret;

	program->cg = cg;
	program->is_shared = is_shared;
	/* The root of cgroup v2 has no counters, and none afterwards. */
	if (is_shared)
		snapshot_take(cg, &program->before);
	ret = loop_init(&program->loop);
	if (!ret) {
		program_open_kmsg(program);
		ret = program_open_signals(program);
	}
	if (!ret)
		ret = program_start(program, argv);
	if (!ret) {
		loop_await(&program->loop, program_has_ended, program, 0, 0);
		program_conclude(program, exec_error);
	}
	program_close(program);
	return ret;
}
