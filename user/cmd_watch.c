// SPDX-License-Identifier: GPL-2.0
/* memstress watch: a live view of cgroups, on all of the terminal. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cgroup_name.h"
#include "clock.h"
#include "commands.h"
#include "live.h"
#include "loop.h"
#include "option.h"
#include "output.h"
#include "signals.h"
#include "watch.h"
#include "watch_page.h"

#define WATCH_INTERVAL_NS     NS_PER_S
#define WATCH_INTERVAL_MIN_NS (50 * NS_PER_MS)

/**
 * struct watch_command - a view under way
 * @watch: what is watched
 * @loop: waits for keys, signals and the kernel log
 * @signal_fd: signals
 * @has_news: the page is not what it should be
 * @is_over: somebody wants the end
 * @old_mask: the signals that were blocked before
 */
struct watch_command {
	struct watch watch;
	struct loop loop;
	int signal_fd;
	bool has_news;
	bool is_over;
	sigset_t old_mask;
};

/* A source of the loop that has to say which cgroup it is for. */
struct watch_listener {
	struct watch_command *command;
	struct watch_cgroup *cgroup;
};

static int watch_set_interval(void *context, const char *where, const char *value,
			      struct error *error)
{
	struct watch *watch = &((struct watch_command *)context)->watch;

	if (units_parse_ns(value, &watch->interval_ns) ||
	    watch->interval_ns < WATCH_INTERVAL_MIN_NS)
		return error_set(error, STATUS_MISUSE,
				 "%s: '%s' is not allowed; give a time of at least 50ms", where,
				 value);
	return 0;
}

static const struct option watch_options[] = { { "interval", "TIME", "look so often (1s)",
						 watch_set_interval },
					       {} };

static const struct option_group watch_groups[] = { { "Options", watch_options }, {} };

static void watch_on_signal(void *context)
{
	struct watch_command *command = context;
	struct signalfd_siginfo info;

	while (read(command->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT)
			command->has_news = true;
		else
			command->is_over = true;
	}
}

static void watch_on_key(void *context)
{
	struct watch_command *command = context;
	struct watch *watch = &command->watch;
	enum live_key key;

	while ((key = live_key()) != LIVE_NONE) {
		command->has_news = true;
		command->is_over |= key == LIVE_QUIT;
		if (command->is_over)
			break;
		if (key == LIVE_UP)
			watch->selected = (watch->selected + watch->count - 1) % watch->count;
		else if (key == LIVE_DOWN)
			watch->selected = (watch->selected + 1) % watch->count;
	}
}

static void watch_on_kmsg(void *context)
{
	struct watch_listener *listener = context;
	struct watch_command *command = listener->command;

	if (watch_hear(&command->watch, listener->cgroup))
		loop_remove(&command->loop, listener->cgroup->kmsg.fd);
	command->has_news = true;
}

static bool watch_is_due(void *context)
{
	const struct watch_command *command = context;

	return command->has_news || command->is_over;
}

static void watch_show(struct watch_command *command)
{
	static struct page page;
	int rows, columns;

	live_measure(&rows, &columns);
	page_init(&page, rows, columns);
	watch_page_draw(&command->watch, &page);
	live_show(&page);
	command->has_news = false;
}

static void watch_go_on(struct watch_command *command)
{
	__u64 next_ns = clock_now_ns();

	while (!command->is_over) {
		if (clock_now_ns() >= next_ns) {
			watch_look(&command->watch);
			next_ns = clock_now_ns() + command->watch.interval_ns;
		}
		watch_show(command);
		loop_await(&command->loop, watch_is_due, command, next_ns, 0);
	}
}

/* Whoever ends the tool ends it with its terminal put back. */
static int watch_block_signals(struct watch_command *command)
{
	sigset_t set;

	signals_fill_ends(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, &command->old_mask);
	command->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return command->signal_fd < 0 ? -errno : 0;
}

static int watch_listen(struct watch_command *command)
{
	static struct watch_listener listeners[WATCH_CGROUPS_MAX];
	struct watch *watch = &command->watch;
	unsigned int i;
	int ret;

	ret = loop_init(&command->loop);
	if (!ret)
		ret = loop_add(&command->loop, command->signal_fd, EPOLLIN, watch_on_signal,
			       command);
	if (!ret)
		ret = loop_add(&command->loop, STDIN_FILENO, EPOLLIN, watch_on_key, command);
	for (i = 0; i < watch->count && !ret; i++) {
		listeners[i] = (struct watch_listener){ command, &watch->cgroups[i] };
		/* The log is no more than a part of the view. */
		if (watch->cgroups[i].kmsg.fd >= 0 &&
		    loop_add(&command->loop, watch->cgroups[i].kmsg.fd, EPOLLIN, watch_on_kmsg,
			     &listeners[i]))
			kmsg_close(&watch->cgroups[i].kmsg);
	}
	return ret;
}

static int watch_view(struct watch_command *command, struct error *error)
{
	int ret = watch_block_signals(command);

	if (!ret && live_open(error))
		return -1;
	if (!ret)
		ret = watch_listen(command);
	if (!ret)
		watch_go_on(command);
	live_close();
	if (ret)
		return error_set(error, STATUS_FAILED, "cannot wait for keys and signals: %s",
				 strerror(-ret));
	return 0;
}

static void watch_end(struct watch_command *command)
{
	watch_close(&command->watch);
	if (command->signal_fd >= 0)
		close(command->signal_fd);
	loop_destroy(&command->loop);
	signals_put_back(&command->old_mask);
}

/* They are all looked at first: a wrong one shows nothing. */
static int watch_add_all(struct watch *watch, char *const *names, struct error *error)
{
	struct cgroup cg;

	if (cgroup_name_find_tree(&watch->tree, error))
		return -1;
	do {
		if (watch->count == WATCH_CGROUPS_MAX)
			return error_set(error, STATUS_MISUSE, "%s: %d cgroups fit into a view",
					 *names, WATCH_CGROUPS_MAX);
		if (cgroup_name_look(&watch->tree, *names, &cg, error))
			return -1;
		watch_add(watch, &cg);
	} while (*names && *++names);
	return 0;
}

static int watch_run(struct watch_command *command, char *const *names)
{
	struct error error;
	int ret;

	sigprocmask(SIG_BLOCK, NULL, &command->old_mask);
	ret = watch_add_all(&command->watch, names, &error);
	if (!ret)
		ret = watch_view(command, &error);
	watch_end(command);
	return ret ? error_report(&error) : STATUS_HELD;
}

static const char watch_help[] =
	"\n"
	"CGROUP is as stat takes it; none: your own. Up and down select another one; q, ^C,\n"
	"SIGTERM and the like end it.\n"
	"\n"
	"  usage, limit, %, psi, pids  as stat shows them\n"
	"  [####::..|..]  usage (#) of the limit, the peak (:), and memory.high (|)\n"
	"  events         since the cgroup was made, and in brackets since watch began\n"
	"  memory.stat    what usage is made of\n"
	"\n"
	"Below, those whom the OOM killer has killed since, if /dev/kmsg may be read.\n"
	"Colours are left out if NO_COLOR is set.\n";

void cmd_watch_help(void)
{
	option_print_help(watch_groups);
	output_print("%s", watch_help);
}

int cmd_watch(int argc, char **argv)
{
	static struct watch_command command = { .watch = { .interval_ns = WATCH_INTERVAL_NS },
						.loop = { .epoll_fd = -1 },
						.signal_fd = -1 };
	struct error error;
	int next = 0;

	switch (option_parse(watch_groups, &command, argc, argv, &next, &error)) {
	case OPTION_HELP:
		return COMMAND_HELP;
	case OPTION_GO:
		return watch_run(&command, argv + next);
	case OPTION_ERROR:
		break;
	}
	return error_report(&error);
}
