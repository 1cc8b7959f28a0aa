// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: events say what happened, in order and without delaying it; a dump says
 * what the ledgers say; and both only to whom they may.
 */
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "books.h"
#include "listener.h"
#include "memstress_test.h"
#include "param.h"
#include "scope.h"
#include "worker.h"

#define LIMIT_BYTES (64LL << 20)
#define TIMEOUT_S   120
#define NOBODY      65534

/* Longer than any event takes: a kernel worker has to get a CPU */
#define EVENT_NS (10 * NS_PER_S)

/* In a socket's buffer: some 1 KiB an event, with what the kernel adds to it */
#define ROOM_FOR_ALL (32 << 20)

FIXTURE(events)
{
	struct scope scope;
	struct listener listener;
	struct worker worker;
	struct param param;
};

static int open_and_close(unsigned int times)
{
	while (times--) {
		int fd = session_open();

		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

/* What comes from now on is this process's: events of others may still have been on their way */
static int begin_to_listen(struct listener *listener)
{
	struct event event = { .command = 0 };
	int ret = listener_join(listener);

	if (!ret)
		ret = open_and_close(1);
	while (!ret && (event.command != MEMSTRESS_EVENT_CLOSED || event.pid != getpid()))
		ret = listener_next(listener, clock_deadline_ns(EVENT_NS), &event);
	return ret;
}

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, scope_create(&self->scope, "events", LIMIT_BYTES));
	ASSERT_EQ(0, listener_open(&self->listener));
	ASSERT_EQ(0, begin_to_listen(&self->listener));
}

FIXTURE_TEARDOWN(events)
{
	EXPECT_EQ(0, param_restore(&self->param));
	if (self->worker.page)
		worker_kill(&self->worker);
	listener_close(&self->listener);
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static int next(struct _test_data_events *self, struct event *event)
{
	return listener_next(&self->listener, clock_deadline_ns(EVENT_NS), event);
}

static int await(struct _test_data_events *self, __u64 session, int command, struct event *event)
{
	return listener_await(&self->listener, clock_deadline_ns(EVENT_NS), session, command,
			      event);
}

static __u64 root_id(void)
{
	struct stat st = { 0 };
	int fd = cgroup_open_root();

	if (fd >= 0 && fstat(fd, &st))
		st.st_ino = 0;
	close(fd);
	return st.st_ino;
}

/* An event follows another at once, and happened after it and before now */
static bool follows(const struct event *before, const struct event *event)
{
	if (event->sequence == before->sequence + 1 && event->epoch == before->epoch &&
	    !event->lost && event->ns >= before->ns && event->ns <= clock_now_ns())
		return true;
	fprintf(stderr,
		"# sequence %llu after %llu, epoch %llu after %llu, lost %llu, ns %llu after %llu\n",
		event->sequence, before->sequence, event->epoch, before->epoch, event->lost,
		event->ns, before->ns);
	return false;
}

TEST_F(events, life_of_a_session)
{
	struct event opened, stopped, released, closed;
	__u64 begin = clock_now_ns();
	struct memstress_alloc alloc;
	struct memstress_books books;
	int fd = session_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &opened));
	EXPECT_EQ(MEMSTRESS_EVENT_OPENED, opened.command);
	EXPECT_LT(0, opened.session);
	EXPECT_EQ(getpid(), opened.pid);
	EXPECT_STREQ("test_events", opened.comm);
	EXPECT_EQ(root_id(), opened.cgroup_id);
	EXPECT_LE(begin, opened.ns);
	EXPECT_LT(0, opened.epoch);

	alloc = session_request(MEMSTRESS_KIND_KMALLOC, 96, 10, self->scope.target.fd);
	alloc.policy = MEMSTRESS_POLICY_NOFS;
	alloc.context = MEMSTRESS_CONTEXT_KWORKER;
	ASSERT_EQ(0, session_alloc(fd, &alloc));
	ASSERT_EQ(0, next(self, &stopped));
	EXPECT_TRUE(follows(&opened, &stopped));
	EXPECT_EQ(MEMSTRESS_EVENT_STOPPED, stopped.command);
	EXPECT_EQ(opened.session, stopped.session);
	EXPECT_EQ(getpid(), stopped.pid);
	EXPECT_EQ(MEMSTRESS_STOP_DONE, stopped.stop);
	EXPECT_EQ(MEMSTRESS_KIND_KMALLOC, stopped.kind);
	EXPECT_EQ(MEMSTRESS_CONTEXT_KWORKER, stopped.context);
	EXPECT_EQ(MEMSTRESS_POLICY_NOFS, stopped.policy);
	EXPECT_EQ(alloc.handle, stopped.handle);
	EXPECT_EQ(self->scope.target.id, stopped.payer_id);
	EXPECT_EQ(0, stopped.failures);
	EXPECT_EQ(0, stopped.first_errno);
	EXPECT_EQ(0, stopped.error);
	ASSERT_EQ(0, books_derive(&alloc, 10, &books));
	EXPECT_TRUE(books_equal("stopped", &books, &stopped.books));

	ASSERT_EQ(0, session_free(fd, alloc.handle, 4));
	ASSERT_EQ(0, next(self, &released));
	EXPECT_TRUE(follows(&stopped, &released));
	EXPECT_EQ(MEMSTRESS_EVENT_RELEASED, released.command);
	EXPECT_EQ(opened.session, released.session);
	EXPECT_EQ(MEMSTRESS_CAUSE_FREE, released.cause);
	EXPECT_EQ(-1, released.since_victim_ns);
	ASSERT_EQ(0, books_derive(&alloc, 4, &books));
	EXPECT_TRUE(books_equal("freed", &books, &released.books));

	ASSERT_EQ(0, close(fd));
	stopped = released;
	ASSERT_EQ(0, next(self, &released));
	EXPECT_TRUE(follows(&stopped, &released));
	EXPECT_EQ(MEMSTRESS_EVENT_RELEASED, released.command);
	EXPECT_EQ(opened.session, released.session);
	EXPECT_EQ(MEMSTRESS_CAUSE_CLOSE, released.cause);
	ASSERT_EQ(0, books_derive(&alloc, 6, &books));
	EXPECT_TRUE(books_equal("closed", &books, &released.books));

	ASSERT_EQ(0, next(self, &closed));
	EXPECT_TRUE(follows(&released, &closed));
	EXPECT_EQ(MEMSTRESS_EVENT_CLOSED, closed.command);
	EXPECT_EQ(opened.session, closed.session);
	EXPECT_EQ(getpid(), closed.pid);
}

TEST_F(events, refused_and_undone)
{
	struct event opened, stopped, released;
	struct memstress_alloc alloc;
	struct memstress_books books;
	int fd = session_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &opened));

	/* Refused before any object was asked for: no event, as the next one shows */
	alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 0, self->scope.target.fd);
	EXPECT_ERRNO(EINVAL, session_alloc(fd, &alloc));

	/* The answer cannot be written */
	alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 3, self->scope.target.fd);
	alloc.histogram = 8;
	EXPECT_ERRNO(EFAULT, session_alloc(fd, &alloc));
	ASSERT_EQ(0, next(self, &stopped));
	EXPECT_TRUE(follows(&opened, &stopped));
	EXPECT_EQ(MEMSTRESS_EVENT_STOPPED, stopped.command);
	ASSERT_EQ(0, books_derive(&alloc, 3, &books));
	EXPECT_TRUE(books_equal("made", &books, &stopped.books));
	ASSERT_EQ(0, next(self, &released));
	EXPECT_TRUE(follows(&stopped, &released));
	EXPECT_EQ(MEMSTRESS_EVENT_RELEASED, released.command);
	EXPECT_EQ(MEMSTRESS_CAUSE_UNDONE, released.cause);
	EXPECT_TRUE(books_equal("undone", &books, &released.books));

	/* More than the limit, without the OOM killer */
	alloc = session_request(MEMSTRESS_KIND_PAGE, 4, LIMIT_BYTES, self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(fd, &alloc));
	stopped = released;
	ASSERT_EQ(0, next(self, &released));
	EXPECT_TRUE(follows(&stopped, &released));
	EXPECT_EQ(MEMSTRESS_STOP_FAILED, released.stop);
	EXPECT_EQ(1, released.failures);
	EXPECT_EQ(ENOMEM, released.first_errno);
	EXPECT_TRUE(books_equal("failed", &alloc.books, &released.books));
	ASSERT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(events, deadman, TIMEOUT_S)
{
	struct event opened, stopped, released;
	struct memstress_alloc alloc;
	int fd = session_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &opened));
	alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 7, self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(fd, &alloc));
	ASSERT_EQ(0, await(self, opened.session, MEMSTRESS_EVENT_STOPPED, &stopped));
	ASSERT_EQ(0, param_set_number(&self->param, "deadman_ms", 1));
	ASSERT_EQ(0, await(self, opened.session, MEMSTRESS_EVENT_RELEASED, &released));
	EXPECT_EQ(MEMSTRESS_CAUSE_DEADMAN, released.cause);
	EXPECT_TRUE(books_equal("given back", &stopped.books, &released.books));
	ASSERT_EQ(0, close(fd));
	/* Nothing was left for the close */
	ASSERT_EQ(0, next(self, &stopped));
	while (stopped.session != opened.session)
		ASSERT_EQ(0, next(self, &stopped));
	EXPECT_EQ(MEMSTRESS_EVENT_CLOSED, stopped.command);
}

/* What happens around a kill, in the order in which it must */
TEST_F_TIMEOUT(events, story_of_a_kill, TIMEOUT_S)
{
	struct memstress_alloc alloc, *asked;
	struct event opened, victim, event;
	struct memstress_books released = { 0 }, made = { 0 };
	bool killed = false;
	int status, fd;
	pid_t pid;

	ASSERT_EQ(0, worker_start(&self->worker, &self->scope.target));
	pid = self->worker.pid;
	do {
		ASSERT_EQ(0, next(self, &opened));
	} while (opened.command != MEMSTRESS_EVENT_OPENED || opened.pid != pid);
	EXPECT_EQ(self->scope.target.id, opened.cgroup_id);

	asked = &self->worker.page->alloc;
	*asked = session_request(MEMSTRESS_KIND_PAGE, 0, LIMIT_BYTES, MEMSTRESS_PAYER_CALLER);
	worker_tell(&self->worker, WORKER_ALLOC);
	ASSERT_EQ(0, worker_wait(&self->worker, &status));
	ASSERT_TRUE(WIFSIGNALED(status));

	do {
		ASSERT_EQ(0, next(self, &victim));
		/* Of the worker's warming up: it made one page and freed it */
		if (victim.command == MEMSTRESS_EVENT_STOPPED)
			EXPECT_EQ(1, victim.books.objects);
	} while (victim.command != MEMSTRESS_EVENT_VICTIM);
	EXPECT_EQ(pid, victim.pid);
	EXPECT_EQ(pid, victim.tid);
	EXPECT_EQ(self->scope.target.id, victim.cgroup_id);
	EXPECT_STREQ("test_events", victim.comm);
	EXPECT_EQ(-1, victim.session);
	EXPECT_LT(opened.ns, victim.ns);

	/* Who is marked again says nothing new */
	do {
		ASSERT_EQ(0, next(self, &event));
		if (event.command != MEMSTRESS_EVENT_VICTIM)
			EXPECT_EQ(opened.session, event.session);
		EXPECT_LE(victim.ns, event.ns);
		switch (event.command) {
		case MEMSTRESS_EVENT_STOPPED:
			EXPECT_EQ(MEMSTRESS_STOP_KILLED, event.stop);
			EXPECT_FALSE(killed);
			killed = true;
			made = event.books;
			break;
		case MEMSTRESS_EVENT_RELEASED:
			EXPECT_TRUE(killed);
			EXPECT_EQ(MEMSTRESS_CAUSE_KILLED, event.cause);
			/* It may have been marked more than once since: the last one counts */
			EXPECT_LE(0, event.since_victim_ns);
			EXPECT_GE((__s64)(event.ns - victim.ns), event.since_victim_ns);
			EXPECT_EQ(0, released.objects);
			released = event.books;
			fprintf(stderr, "# %llu bytes released %lld us after the mark\n",
				released.page_charged_bytes, event.since_victim_ns / 1000);
			break;
		}
	} while (event.command != MEMSTRESS_EVENT_CLOSED);
	EXPECT_TRUE(killed);
	EXPECT_TRUE(books_equal("made", &asked->books, &made));
	EXPECT_TRUE(books_equal("released", &made, &released));

	/* Its like, of somebody who was not marked */
	fd = session_open();
	ASSERT_LE(0, fd);
	alloc = session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(fd, &alloc));
	ASSERT_EQ(0, close(fd));
	do {
		ASSERT_EQ(0, next(self, &event));
	} while (event.command != MEMSTRESS_EVENT_RELEASED);
	EXPECT_EQ(-1, event.since_victim_ns);
}

static void remember_session(const struct event *event, void *data)
{
	*(struct event *)data = *event;
}

/* What the module has numbered so far, told with a session */
static int sequence_now(struct listener *asker, __u64 *sequence)
{
	struct event session = { .sequence = 0 };
	int ret = listener_ask(asker, MEMSTRESS_NETLINK_GET_SESSION, true, 0, NULL, 0,
			       remember_session, &session);

	*sequence = session.sequence;
	return ret;
}

/* Room for some events and not for many */
#define SMALL_BUFFER 8192

/* Reads until an event of this number: all have gone to all listeners that had room */
static int read_up_to(struct listener *listener, __u64 sequence)
{
	struct event event = { .sequence = 0 };
	int ret = 0;

	while (event.sequence < sequence && !ret)
		ret = listener_next(listener, clock_deadline_ns(EVENT_NS), &event);
	return ret;
}

/* Whoever does not read is told that it has lost events, and how many it can count */
TEST_F_TIMEOUT(events, loss_is_detected, TIMEOUT_S)
{
	const unsigned int times = 500;
	struct event first, last, event;
	struct listener attentive;
	__u64 sequence;

	ASSERT_EQ(0, listener_open(&attentive));
	ASSERT_EQ(0, listener_set_buffer(&attentive, ROOM_FOR_ALL));
	ASSERT_EQ(0, listener_join(&attentive));
	ASSERT_EQ(0, listener_set_buffer(&self->listener, SMALL_BUFFER));
	ASSERT_EQ(0, open_and_close(1));
	ASSERT_EQ(0, next(self, &first));
	EXPECT_EQ(MEMSTRESS_EVENT_OPENED, first.command);
	ASSERT_EQ(0, next(self, &last));
	EXPECT_TRUE(follows(&first, &last));

	ASSERT_EQ(0, open_and_close(times));
	sequence = last.sequence + 2 * times;
	ASSERT_EQ(0, read_up_to(&attentive, sequence));

	/* What was there when the buffer became full is still there; then comes the gap */
	EXPECT_ERRNO(ENOBUFS, next(self, &event));
	while (!listener_next(&self->listener, clock_now_ns() + 100 * NS_PER_MS, &event)) {
		EXPECT_TRUE(follows(&last, &event));
		last = event;
	}
	EXPECT_LT(last.sequence, sequence);
	ASSERT_EQ(0, open_and_close(1));
	ASSERT_EQ(0, next(self, &event));
	EXPECT_EQ(sequence + 1, event.sequence);
	EXPECT_EQ(last.epoch, event.epoch);
	/* It was this listener's loss, not the module's */
	EXPECT_EQ(0, event.lost);
	fprintf(stderr, "# %llu of %u events lost\n", sequence - last.sequence, 2 * times);
	listener_close(&attentive);
}

static long voluntary_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nvcsw;
}

static int alloc_and_free(struct _test_data_events *self, int fd, unsigned int times)
{
	struct memstress_alloc request =
		session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->scope.target.fd);
	int ret = 0;

	while (times-- && !ret) {
		struct memstress_alloc alloc = request;

		ret = session_alloc(fd, &alloc);
		if (!ret && alloc.stop != MEMSTRESS_STOP_DONE)
			ret = -ENOMEM;
		if (!ret)
			ret = session_free(fd, alloc.handle, 0);
	}
	return ret;
}

/*
 * With a listener that never reads, and an event for each call: no call waits. To wait is to
 * give up the CPU of one's own accord, which the kernel counts.
 */
TEST_F_TIMEOUT(events, flood_stalls_nobody, TIMEOUT_S)
{
	const unsigned int times = 5000;
	__u64 begin, deadline, deaf_ns, alone_ns, before, after;
	struct listener asker;
	long switches;
	int fd;

	ASSERT_EQ(0, listener_open(&asker));
	ASSERT_EQ(0, listener_set_buffer(&self->listener, SMALL_BUFFER));
	fd = session_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, alloc_and_free(self, fd, 10));
	ASSERT_EQ(0, sequence_now(&asker, &before));

	switches = voluntary_switches();
	begin = clock_now_ns();
	EXPECT_EQ(0, alloc_and_free(self, fd, times));
	deaf_ns = clock_now_ns() - begin;
	EXPECT_EQ(switches, voluntary_switches());
	/* The measure is one: it sees a wait, if not of a time that is over before it begins */
	deadline = clock_deadline_ns(NS_PER_S);
	while (voluntary_switches() == switches && clock_poll(deadline))
		;
	EXPECT_LT(switches, voluntary_switches());

	/* And there was a flood */
	ASSERT_EQ(0, sequence_now(&asker, &after));
	EXPECT_EQ(before + 2 * times, after);

	/* Without a listener there are no events at all */
	listener_close(&self->listener);
	begin = clock_now_ns();
	EXPECT_EQ(0, alloc_and_free(self, fd, times));
	alone_ns = clock_now_ns() - begin;
	ASSERT_EQ(0, sequence_now(&asker, &after));
	EXPECT_EQ(before + 2 * times, after);
	fprintf(stderr, "# an ALLOC and a FREE: %llu ns with a deaf listener, %llu ns without\n",
		deaf_ns / times, alone_ns / times);
	EXPECT_EQ(0, close(fd));
	listener_close(&asker);
}

struct flood {
	struct _test_data_events *self;
	pthread_barrier_t *start;
	pthread_t thread;
	int fd, cpu, ret;
};

/* Nothing else runs on its CPU until it is done, kernel workers neither */
static void *flood_cpu(void *arg)
{
	const struct sched_param param = { .sched_priority = 1 };
	struct flood *flood = arg;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(flood->cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) || sched_setscheduler(0, SCHED_FIFO, &param))
		flood->ret = -errno;
	pthread_barrier_wait(flood->start);
	if (!flood->ret)
		flood->ret = alloc_and_free(flood->self, flood->fd, 3000);
	return NULL;
}

/*
 * When no worker gets a CPU, as all are flooded at once, the ring becomes full. The ALLOCs go
 * on; who listens is told how many events are missing.
 */
TEST_F_TIMEOUT(events, ring_overflow_is_told, TIMEOUT_S)
{
	struct flood floods[CPU_SETSIZE];
	struct event before, event;
	unsigned int i, cpus = 0;
	__u64 lost = 0, sequence;
	pthread_barrier_t start;
	struct listener asker;
	cpu_set_t all;
	int fd, cpu;

	ASSERT_EQ(0, listener_open(&asker));
	ASSERT_EQ(0, listener_set_buffer(&self->listener, ROOM_FOR_ALL));
	fd = session_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &before));
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, CPU_COUNT(&all)));
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		floods[cpus] =
			(struct flood){ .self = self, .start = &start, .fd = fd, .cpu = cpu };
		ASSERT_EQ(0, pthread_create(&floods[cpus].thread, NULL, flood_cpu, &floods[cpus]));
		cpus++;
	}
	for (i = 0; i < cpus; i++) {
		ASSERT_EQ(0, pthread_join(floods[i].thread, NULL));
		EXPECT_EQ(0, floods[i].ret);
	}
	pthread_barrier_destroy(&start);
	ASSERT_EQ(0, sequence_now(&asker, &sequence));
	EXPECT_EQ(before.sequence + 6000 * cpus, sequence);

	/*
	 * Those that had place are in order. When the ring is empty again, the next one says
	 * what is missing before it.
	 */
	while (!listener_next(&self->listener, clock_deadline_ns(NS_PER_S), &event)) {
		EXPECT_EQ(before.sequence + event.lost + 1, event.sequence);
		lost += event.lost;
		before = event;
	}
	ASSERT_EQ(0, open_and_close(1));
	ASSERT_EQ(0, next(self, &event));
	EXPECT_EQ(MEMSTRESS_EVENT_OPENED, event.command);
	EXPECT_EQ(sequence + 1, event.sequence);
	EXPECT_EQ(before.sequence + event.lost + 1, event.sequence);
	lost += event.lost;
	EXPECT_LT(0, lost);
	fprintf(stderr, "# %llu of %u events had no place\n", lost, 6000 * cpus);
	EXPECT_EQ(0, close(fd));
	listener_close(&asker);
}

/* What a child that is nobody, or root elsewhere, is told; the number of the wrong step */
static int try_all(const char *extack)
{
	__u64 id = 1;
	struct listener listener;

	if (listener_open(&listener))
		return 1;
	if (listener_join(&listener) != -EPERM)
		return 2;
	if (listener_ask(&listener, MEMSTRESS_NETLINK_GET_SESSION, true, 0, NULL, 0, NULL, NULL) !=
		    -EPERM ||
	    strcmp(listener.extack, extack))
		return 3;
	if (listener_ask(&listener, MEMSTRESS_NETLINK_GET_SESSION, false, MEMSTRESS_A_SESSION_ID,
			 &id, sizeof(id), NULL, NULL) != -EPERM ||
	    strcmp(listener.extack, extack))
		return 4;
	return 0;
}

static const char needs_capability[] = "memstress: this needs CAP_SYS_ADMIN";

static int become_nobody(void)
{
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ? -errno : 0;
}

static int as_nobody(void)
{
	return become_nobody() ? 10 : try_all(needs_capability);
}

/* Root in a user namespace of its own, and in the initial network namespace */
static int as_root_of_a_namespace(void)
{
	if (become_nobody() || unshare(CLONE_NEWUSER))
		return 10;
	return try_all(needs_capability);
}

/* Who was given a socket of root's cannot use root's rights */
static int as_heir_of_a_socket(void)
{
	struct listener listener;

	if (listener_open(&listener) || become_nobody())
		return 10;
	if (listener_join(&listener) != -EPERM)
		return 11;
	if (listener_ask(&listener, MEMSTRESS_NETLINK_GET_SESSION, true, 0, NULL, 0, NULL, NULL) !=
	    -EPERM)
		return 12;
	return 0;
}

/* There, the family is not */
static int in_a_network_namespace(void)
{
	struct listener listener;

	if (unshare(CLONE_NEWNET))
		return 10;
	return listener_open(&listener) == -ENOENT ? 0 : 11;
}

static int in_child(int (*function)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(function());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(events, only_for_cap_sys_admin)
{
	EXPECT_EQ(0, in_child(as_nobody));
	EXPECT_EQ(0, in_child(as_heir_of_a_socket));
	EXPECT_EQ(0, in_child(in_a_network_namespace));
}

/* Debian's 5.10 lets only root make user namespaces; what nobody can be is no hole */
TEST_F(events, not_for_root_of_a_namespace)
{
	int ret = in_child(as_root_of_a_namespace);

	if (ret == 10)
		SKIP(return, "no user namespaces for everybody here");
	EXPECT_EQ(0, ret);
}

struct malformed {
	const char *what;
	int command;
	bool dump;
	__u16 type;
	const void *value;
	unsigned int length;
	int error;
	const char *extack; /* NULL: it is the kernel's, any text will do */
};

TEST_F(events, malformed_requests)
{
	static const __u64 none = ~0ULL;
	static const __u32 narrow = 1;
	static const struct malformed all[] = {
		{ "no id", MEMSTRESS_NETLINK_GET_SESSION, false, 0, NULL, 0, EINVAL,
		  "memstress: the id of the session is missing" },
		{ "no such id", MEMSTRESS_NETLINK_GET_SESSION, false, MEMSTRESS_A_SESSION_ID, &none,
		  sizeof(none), ENOENT, "memstress: no session has this id" },
		{ "dump of an id", MEMSTRESS_NETLINK_GET_SESSION, true, MEMSTRESS_A_SESSION_ID,
		  &none, sizeof(none), EINVAL,
		  "memstress: a dump is of all sessions, not of an id" },
		{ "id too short", MEMSTRESS_NETLINK_GET_SESSION, false, MEMSTRESS_A_SESSION_ID,
		  &narrow, sizeof(narrow), EINVAL, NULL },
		{ "attribute of an answer", MEMSTRESS_NETLINK_GET_SESSION, false,
		  MEMSTRESS_A_SESSION_PID, &narrow, sizeof(narrow), EINVAL, NULL },
		{ "unknown attribute", MEMSTRESS_NETLINK_GET_SESSION, true, 200, &narrow,
		  sizeof(narrow), EINVAL, NULL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		const struct malformed *m = &all[i];
		int ret = listener_ask(&self->listener, m->command, m->dump, m->type, m->value,
				       m->length, NULL, NULL);

		EXPECT_EQ(m->error, -ret)
		TH_LOG("%s: %s", m->what, strerror(-ret));
		EXPECT_NE('\0', self->listener.extack[0])
		TH_LOG("%s: no text", m->what);
		if (m->extack)
			EXPECT_STREQ(m->extack, self->listener.extack);
		if (m->error == ENOENT)
			EXPECT_EQ(NLMSG_LENGTH(GENL_HDRLEN), self->listener.extack_offset);
	}
	EXPECT_ERRNO(EOPNOTSUPP, listener_ask(&self->listener, MEMSTRESS_NETLINK_COMMAND_END, false,
					      0, NULL, 0, NULL, NULL));
	/* Events are not asked for */
	EXPECT_ERRNO(EOPNOTSUPP, listener_ask(&self->listener, MEMSTRESS_EVENT_OPENED, false, 0,
					      NULL, 0, NULL, NULL));
}

struct dump {
	unsigned int count, found;
	__s64 last, wanted;
	bool ordered;
	struct event session;
};

static void see_session(const struct event *session, void *data)
{
	struct dump *dump = data;

	dump->count++;
	if (session->session <= dump->last)
		dump->ordered = false;
	dump->last = session->session;
	if (session->session == dump->wanted) {
		dump->found++;
		dump->session = *session;
	}
}

/* All sessions, and one of them in particular */
static int dump_sessions(struct listener *asker, __s64 wanted, struct dump *dump)
{
	*dump = (struct dump){ .last = 0, .wanted = wanted, .ordered = true };
	return listener_ask(asker, MEMSTRESS_NETLINK_GET_SESSION, true, 0, NULL, 0, see_session,
			    dump);
}

static const __u64 some_sizes[MEMSTRESS_KIND_END] = {
	[MEMSTRESS_KIND_PAGE] = 1,
	[MEMSTRESS_KIND_KMALLOC] = 200,
	[MEMSTRESS_KIND_VMALLOC] = 10000,
};

TEST_F(events, dump_says_what_the_ledger_says)
{
	struct memstress_ledger ledger, of_kind;
	struct event opened, stopped, single;
	struct memstress_alloc alloc;
	struct listener asker;
	struct dump dump;
	__u64 id;
	__u32 kind;
	int fd;

	ASSERT_EQ(0, listener_open(&asker));
	fd = session_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &opened));
	for (kind = 1; kind < MEMSTRESS_KIND_END; kind++) {
		if (!some_sizes[kind])
			continue;
		alloc = session_request(kind, some_sizes[kind], 3 + kind, self->scope.target.fd);
		ASSERT_EQ(0, session_alloc(fd, &alloc));
		ASSERT_EQ(0, await(self, opened.session, MEMSTRESS_EVENT_STOPPED, &stopped));
	}

	ASSERT_EQ(0, dump_sessions(&asker, opened.session, &dump));
	EXPECT_EQ(1, dump.found);
	/* The scope's is another one */
	EXPECT_LE(2, dump.count);
	EXPECT_TRUE(dump.ordered);
	EXPECT_EQ(getpid(), dump.session.pid);
	EXPECT_STREQ("test_events", dump.session.comm);
	EXPECT_EQ(root_id(), dump.session.cgroup_id);
	EXPECT_FALSE(dump.session.shared);
	EXPECT_FALSE(dump.session.dead);
	EXPECT_EQ(0, dump.session.in_flight);
	EXPECT_EQ(stopped.sequence, dump.session.sequence);
	EXPECT_EQ(stopped.epoch, dump.session.epoch);
	ASSERT_EQ(0, session_ledger(fd, 0, &ledger));
	EXPECT_EQ(ledger.bookkeeping_bytes, dump.session.bookkeeping_bytes);
	for (kind = 1; kind < MEMSTRESS_KIND_END; kind++) {
		of_kind = (struct memstress_ledger){ .size = sizeof(of_kind), .kind = kind };
		ASSERT_EQ(0, session_ioctl(fd, MEMSTRESS_IOC_LEDGER, &of_kind));
		EXPECT_TRUE(books_equal(session_kind_name(kind), &of_kind.books,
					&dump.session.ledger[kind]));
		EXPECT_EQ(of_kind.holdings, dump.session.holdings[kind]);
	}

	/* Asked for by its name, it is told the same */
	id = opened.session;
	ASSERT_EQ(0,
		  listener_ask(&asker, MEMSTRESS_NETLINK_GET_SESSION, false, MEMSTRESS_A_SESSION_ID,
			       &id, sizeof(id), remember_session, &single));
	EXPECT_EQ(0, memcmp(&single, &dump.session, sizeof(single)));

	ASSERT_EQ(0, session_share(fd, true));
	ASSERT_EQ(0, dump_sessions(&asker, opened.session, &dump));
	EXPECT_TRUE(dump.session.shared);

	ASSERT_EQ(0, param_set_number(&self->param, "deadman_ms", 1));
	ASSERT_EQ(0, await(self, opened.session, MEMSTRESS_EVENT_RELEASED, &stopped));
	ASSERT_EQ(0, dump_sessions(&asker, opened.session, &dump));
	EXPECT_TRUE(dump.session.dead);
	EXPECT_EQ(0, dump.session.ledger[MEMSTRESS_KIND_PAGE].objects);
	EXPECT_EQ(0, close(fd));
	EXPECT_ERRNO(ENOENT, listener_ask(&asker, MEMSTRESS_NETLINK_GET_SESSION, false,
					  MEMSTRESS_A_SESSION_ID, &id, sizeof(id), NULL, NULL));
	listener_close(&asker);
}

/* More sessions than one message has room for */
TEST_F(events, dump_of_many)
{
	struct listener asker;
	struct dump before, dump;
	int fds[300];
	unsigned int i;

	ASSERT_EQ(0, listener_open(&asker));
	ASSERT_EQ(0, dump_sessions(&asker, 0, &before));
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = session_open();
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, dump_sessions(&asker, 0, &dump));
	EXPECT_EQ(before.count + ARRAY_SIZE(fds), dump.count);
	EXPECT_TRUE(dump.ordered);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		EXPECT_EQ(0, close(fds[i]));
	ASSERT_EQ(0, dump_sessions(&asker, 0, &dump));
	EXPECT_EQ(before.count, dump.count);
	listener_close(&asker);
}

static void *open_and_close_until(void *arg)
{
	const bool *stop = arg;
	static int ret;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED) && !ret)
		ret = open_and_close(1);
	return &ret;
}

TEST_F_TIMEOUT(events, dump_while_sessions_come_and_go, TIMEOUT_S)
{
	struct listener asker;
	struct event opened;
	bool stop = false;
	pthread_t thread;
	struct dump dump;
	unsigned int i;
	void *ret;
	int fd;

	ASSERT_EQ(0, listener_open(&asker));
	fd = session_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &opened));
	ASSERT_EQ(0, pthread_create(&thread, NULL, open_and_close_until, &stop));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, dump_sessions(&asker, opened.session, &dump));
		EXPECT_EQ(1, dump.found);
		EXPECT_TRUE(dump.ordered);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(0, *(int *)ret);
	EXPECT_EQ(0, close(fd));
	listener_close(&asker);
}

/* In a pid namespace of its own, where the opener cannot be seen. The number of the wrong step */
static int see_nobody(__s64 session)
{
	struct listener asker;
	struct dump dump;
	int status, fd;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return 1;
	pid = fork();
	if (pid) {
		if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			return 2;
		return WEXITSTATUS(status);
	}
	fd = session_open();
	if (fd < 0 || listener_open(&asker))
		_exit(3);
	if (dump_sessions(&asker, session, &dump) || dump.found != 1 || dump.session.pid != -1)
		_exit(4);
	/* Its own it sees as it knows itself: the newest one is the last */
	if (dump_sessions(&asker, dump.last, &dump) || dump.session.pid != 1)
		_exit(5);
	_exit(0);
}

TEST_F(events, pids_of_who_asks)
{
	struct event opened;
	int status, fd;
	pid_t pid;

	fd = session_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &opened));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(see_nobody(opened.session));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(0, close(fd));
}

/* An instance of tracefs for this test alone */
struct tracefs {
	char mount[32];
	char instance[64];
};

static int tracefs_open(struct tracefs *tracefs)
{
	strcpy(tracefs->mount, "/tmp/memstress-tracefs-XXXXXX");
	if (!mkdtemp(tracefs->mount))
		return -errno;
	if (mount("tracefs", tracefs->mount, "tracefs", 0, NULL))
		return -errno;
	snprintf(tracefs->instance, sizeof(tracefs->instance), "%s/instances/memstress",
		 tracefs->mount);
	return mkdir(tracefs->instance, 0700) ? -errno : 0;
}

static int tracefs_close(const struct tracefs *tracefs)
{
	if (rmdir(tracefs->instance) || umount(tracefs->mount) || rmdir(tracefs->mount))
		return -errno;
	return 0;
}

static FILE *tracefs_file(const struct tracefs *tracefs, const char *name, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tracefs->instance, name);
	return fopen(path, mode);
}

static int tracefs_enable(const struct tracefs *tracefs, const char *text)
{
	FILE *file = tracefs_file(tracefs, "events/memstress/enable", "w");
	int ret;

	if (!file)
		return -errno;
	ret = fputs(text, file) < 0 ? -EIO : 0;
	return fclose(file) ? -errno : ret;
}

/* How many lines have @text; @fields gets what is behind it in the last of them */
static int tracefs_find(const struct tracefs *tracefs, const char *text, char *fields, size_t size)
{
	FILE *file = tracefs_file(tracefs, "trace", "r");
	char line[512];
	int count = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, text);

		if (!at)
			continue;
		count++;
		snprintf(fields, size, "%s", at + strlen(text));
		fields[strcspn(fields, "\n")] = '\0';
	}
	fclose(file);
	return count;
}

TEST_F(events, tracefs)
{
	char expected[256], seen[256] = "";
	struct memstress_alloc alloc;
	struct memstress_free req;
	struct tracefs tracefs;
	struct event opened;
	int fd;

	ASSERT_EQ(0, tracefs_open(&tracefs));
	fd = session_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next(self, &opened));
	ASSERT_EQ(0, tracefs_enable(&tracefs, "1"));
	alloc = session_request(MEMSTRESS_KIND_PAGE, 1, 5, self->scope.target.fd);
	ASSERT_EQ(0, session_alloc(fd, &alloc));
	req = (struct memstress_free){
		.size = sizeof(req),
		.handle = alloc.handle,
		.count = 2,
		.context = MEMSTRESS_CONTEXT_KWORKER,
	};
	ASSERT_EQ(0, session_ioctl(fd, MEMSTRESS_IOC_FREE, &req));
	/* What has freed nothing says nothing */
	EXPECT_ERRNO(ENOENT, session_free(fd, alloc.handle + 1, 0));
	ASSERT_EQ(0, tracefs_enable(&tracefs, "0"));
	EXPECT_EQ(0, session_free(fd, alloc.handle, 1));

	snprintf(expected, sizeof(expected),
		 "session=%lld handle=%u kind=%d context=%d stop=%d objects=5 charged_bytes=%lld ns=%llu",
		 opened.session, alloc.handle, MEMSTRESS_KIND_PAGE, MEMSTRESS_CONTEXT_TASK,
		 MEMSTRESS_STOP_DONE, 10LL * books_page_size(), alloc.total_ns);
	EXPECT_EQ(1, tracefs_find(&tracefs, "memstress_alloc: ", seen, sizeof(seen)));
	EXPECT_STREQ(expected, seen);
	snprintf(expected, sizeof(expected),
		 "session=%lld handle=%u context=%d objects=2 charged_bytes=%lld ns=%llu",
		 opened.session, alloc.handle, MEMSTRESS_CONTEXT_KWORKER, 4LL * books_page_size(),
		 req.total_ns);
	EXPECT_EQ(1, tracefs_find(&tracefs, "memstress_free: ", seen, sizeof(seen)));
	EXPECT_STREQ(expected, seen);
	EXPECT_EQ(0, tracefs_close(&tracefs));
	EXPECT_EQ(0, close(fd));
}

TEST_HARNESS_MAIN
