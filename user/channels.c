// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "channels.h"
#include "clock.h"
#include "output.h"
#include "signals.h"

void channels_block_signals(sigset_t *old)
{
	sigset_t set;

	signals_fill_ends(&set);
	sigprocmask(SIG_BLOCK, &set, old);
	/* A reader of ours that goes away is no reason to leave a cgroup behind. */
	signal(SIGPIPE, SIG_IGN);
	/* Whoever ignores this inherits it, and could not be told how its worker ended. */
	signal(SIGCHLD, SIG_DFL);
}

static void channels_saw_kill(struct channels *channels)
{
	if (!channels->kill_ns)
		channels->kill_ns = clock_now_ns();
}

static void channels_on_signal(void *context)
{
	struct channels *channels = context;
	struct signalfd_siginfo info;

	if (read(channels->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	output_set_deadline(clock_now_ns());
	if (!channels->stopped)
		record_add_text(channels->log, RECORD_STOP, "the tool got signal %u (%s)",
				info.ssi_signo, strsignal(info.ssi_signo));
	channels->stopped = true;
}

static void channels_on_timeout(void *context)
{
	struct channels *channels = context;

	loop_remove(&channels->loop, channels->timer_fd);
	if (!channels->stopped)
		record_add_text(channels->log, RECORD_STOP, "the time allowed was over");
	channels->stopped = true;
}

static ssize_t channels_read_events(struct channels *channels, struct snapshot_events *events)
{
	char text[512];
	ssize_t length = pread(channels->events_fd, text, sizeof(text) - 1, 0);

	if (length < 0)
		return -errno;
	text[length] = '\0';
	snapshot_parse_events(text, events);
	return snapshot_read_failcnt(channels->cg, events);
}

/* Where only a notice tells of an OOM, they are counted here. */
static void channels_count_ooms(struct channels *channels, struct snapshot_events *events)
{
	eventfd_t count;

	if (channels->notice_fd < 0)
		return;
	events->value[EVENT_OOM] = channels->events.value[EVENT_OOM];
	if (!eventfd_read(channels->notice_fd, &count))
		events->value[EVENT_OOM] += count;
}

static void channels_on_events(void *context)
{
	struct channels *channels = context;
	struct record record = { .type = RECORD_EVENTS };
	struct snapshot_events now;
	bool moved = false;
	int i;

	if (channels_read_events(channels, &now)) {
		channels->vanished = true;
		loop_remove(&channels->loop,
			    channels->notice_fd < 0 ? channels->events_fd : channels->notice_fd);
		return;
	}
	channels_count_ooms(channels, &now);
	for (i = 0; i < EVENT_END; i++) {
		record.events.value[i] = CG_MISSING;
		if (now.value[i] == CG_MISSING)
			continue;
		record.events.value[i] = now.value[i] - channels->events.value[i];
		if (record.events.value[i])
			moved = true;
	}
	if (!moved)
		return;
	channels->kills = now.value[EVENT_OOM_KILL] - channels->kills_before;
	if (channels->kills)
		channels_saw_kill(channels);
	channels->events = now;
	record_add(channels->log, &record);
}

void channels_look(struct channels *channels)
{
	if (channels->notice_fd >= 0 && !channels->vanished)
		channels_on_events(channels);
}

void channels_count(struct channels *channels)
{
	if (!channels->vanished)
		channels_on_events(channels);
}

static void channels_on_removal(void *context)
{
	struct channels *channels = context;
	char text[4096];

	while (read(channels->removal_fd, text, sizeof(text)) > 0)
		continue;
	if (!cg_is_there(channels->cg))
		channels->vanished = true;
}

static void channels_on_kmsg(void *context)
{
	struct channels *channels = context;
	struct record record = { .type = RECORD_OOM };
	int ret;

	while ((ret = kmsg_next(&channels->kmsg, &record.oom)) == 1) {
		if (record.oom.what == KMSG_KILLED) {
			channels->kills_told++;
			if (record.oom.pid == channels->kmsg.known_pid)
				channels->known_is_killed = true;
			channels_saw_kill(channels);
		}
		record_add(channels->log, &record);
		/* __oom_kill_process() counts before it logs. */
		if (record.oom.what == KMSG_KILLED)
			channels_look(channels);
	}
	if (ret) {
		record_add_text(channels->log, RECORD_NOTE,
				"cannot read the kernel log any more: %s", strerror(-ret));
		loop_remove(&channels->loop, channels->kmsg.fd);
	}
}

static void channels_hear(struct channels *channels, const struct event *event)
{
	if (!channels->session || event->session != channels->session)
		return;
	if (event->command == MEMSTRESS_EVENT_CLOSED)
		channels->session_closed = true;
	/* The last one counts: it has the rest. */
	if (event->command == MEMSTRESS_EVENT_RELEASED && event->is_victim) {
		channels->is_marked = true;
		channels->since_mark_ns = event->since_victim_ns;
	}
}

static void channels_on_module(void *context)
{
	struct channels *channels = context;
	struct event event;
	int ret;

	while ((ret = events_next(&channels->module, &event))) {
		if (ret > 0)
			channels_hear(channels, &event);
		/* What is lost is not told, and the run does without. */
		else if (ret != -ENOBUFS)
			break;
	}
	if (ret) {
		record_add_text(channels->log, RECORD_NOTE,
				"cannot hear the module's events any more: %s", strerror(-ret));
		loop_remove(&channels->loop, events_fd(&channels->module));
	}
}

struct channels_search {
	int pid;
	__u64 session;
};

static void channels_see_session(const struct session *session, void *context)
{
	struct channels_search *search = context;

	if (session->pid == search->pid)
		search->session = session->id;
}

void channels_follow(struct channels *channels, int pid)
{
	struct channels_search search = { .pid = pid };
	struct events events;

	/* Not by its pid in an event, which is one of the initial namespace. */
	if (!channels->module.socket || events_open(&events))
		return;
	if (!events_each_session(&events, channels_see_session, &search))
		channels->session = search.session;
	events_close(&events);
}

static int channels_open_signals(struct channels *channels)
{
	sigset_t set;

	signals_fill_ends(&set);
	channels->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (channels->signal_fd < 0)
		return -errno;
	return loop_add(&channels->loop, channels->signal_fd, EPOLLIN, channels_on_signal,
			channels);
}

static int channels_open_timer(struct channels *channels, __u64 timeout_ns)
{
	struct itimerspec timer = {
		.it_value = { .tv_sec = timeout_ns / NS_PER_S, .tv_nsec = timeout_ns % NS_PER_S },
	};

	output_set_deadline(timeout_ns ? clock_in_ns(timeout_ns) : 0);
	channels->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (channels->timer_fd < 0 || timerfd_settime(channels->timer_fd, 0, &timer, NULL))
		return -errno;
	return loop_add(&channels->loop, channels->timer_fd, EPOLLIN, channels_on_timeout,
			channels);
}

/* The values are those of the time before anything is notified. */
static int channels_open_notice(struct channels *channels)
{
	channels->notice_fd =
		channels->cg->tree->ops->open_notice(channels->cg, channels->events_fd);
	if (channels->notice_fd < 0)
		return channels->notice_fd;
	channels->events.value[EVENT_OOM] = 0;
	return loop_add(&channels->loop, channels->notice_fd, EPOLLIN, channels_on_events,
			channels);
}

static int channels_open_events(struct channels *channels)
{
	int ret;

	channels->events_fd = cg_open(channels->cg, CG_EVENTS, O_RDONLY);
	if (channels->events_fd < 0)
		return channels->events_fd;
	/* Only what changes after a read is told. */
	ret = channels_read_events(channels, &channels->events);
	if (ret)
		return ret;
	channels->kills_before = channels->events.value[EVENT_OOM_KILL];
	if (channels->cg->tree->ops->open_notice)
		return channels_open_notice(channels);
	return loop_add(&channels->loop, channels->events_fd, EPOLLPRI, channels_on_events,
			channels);
}

static int channels_open_removal(struct channels *channels)
{
	channels->removal_fd = cg_watch_removal(channels->cg);
	if (channels->removal_fd < 0)
		return channels->removal_fd;
	return loop_add(&channels->loop, channels->removal_fd, EPOLLIN, channels_on_removal,
			channels);
}

/* The kernel log says who was killed; without it the run only knows less. */
static void channels_open_kmsg(struct channels *channels)
{
	const struct cgroup *cg = channels->cg;
	int ret = kmsg_open(&channels->kmsg, cg_name(cg->tree, cg->path));

	if (!ret)
		ret = loop_add(&channels->loop, channels->kmsg.fd, EPOLLIN, channels_on_kmsg,
			       channels);
	if (!ret)
		return;
	kmsg_close(&channels->kmsg);
	record_add_text(channels->log, RECORD_NOTE, "cannot read /dev/kmsg: %s", kmsg_why(ret));
}

/* The module's events tell when memory was freed; without them that is only seen in the usage. */
static int channels_open_module(struct channels *channels)
{
	int ret = events_open(&channels->module);

	if (!ret) {
		ret = events_join(&channels->module);
		if (ret)
			events_close(&channels->module);
	}
	if (ret) {
		record_add_text(channels->log, RECORD_NOTE, "cannot hear the module's events: %s",
				strerror(-ret));
		return 0;
	}
	return loop_add(&channels->loop, events_fd(&channels->module), EPOLLIN, channels_on_module,
			channels);
}

static int channels_begin(struct channels *channels, struct record_log *log,
			  const struct cgroup *cg)
{
	memset(channels, 0, sizeof(*channels));
	channels->log = log;
	channels->cg = cg;
	channels->kmsg.fd = -1;
	channels->events_fd = -1;
	channels->notice_fd = -1;
	channels->removal_fd = -1;
	channels->signal_fd = -1;
	channels->timer_fd = -1;
	return loop_init(&channels->loop);
}

int channels_open_ends(struct channels *channels, struct record_log *log)
{
	int ret = channels_begin(channels, log, NULL);

	return ret ? ret : channels_open_signals(channels);
}

int channels_open(struct channels *channels, struct record_log *log, const struct cgroup *cg,
		  __u64 timeout_ns, bool with_module)
{
	int ret = channels_begin(channels, log, cg);

	if (ret)
		return ret;
	/* In the order in which they are to be heard when several have news. */
	channels_open_kmsg(channels);
	ret = channels_open_events(channels);
	if (!ret)
		ret = channels_open_removal(channels);
	if (!ret && with_module)
		ret = channels_open_module(channels);
	if (!ret)
		ret = channels_open_signals(channels);
	if (!ret)
		ret = channels_open_timer(channels, timeout_ns);
	return ret;
}

static void channels_close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void channels_close(struct channels *channels)
{
	/* What is left to say has time, unless somebody wants the end. */
	if (!channels->stopped)
		output_set_deadline(0);
	channels_close_fd(channels->timer_fd);
	channels_close_fd(channels->signal_fd);
	channels_close_fd(channels->removal_fd);
	channels_close_fd(channels->notice_fd);
	channels_close_fd(channels->events_fd);
	kmsg_close(&channels->kmsg);
	events_close(&channels->module);
	loop_destroy(&channels->loop);
}
