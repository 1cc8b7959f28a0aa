// SPDX-License-Identifier: GPL-2.0
/* Processes that write limits, into files that look like a cgroup's. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"
#include "unit.h"
#include "writer.h"

#define JOB "/sys/fs/cgroup/job"

#define PATIENCE (10 * NS_PER_S)

struct desk {
	struct fixture fixture;
	struct cg_tree tree;
	struct cgroup cg;
	struct loop loop;
};

static void begin(struct desk *desk)
{
	char path[PATH_MAX];

	desk->fixture = fixture_create();
	fixture_write(&desk->fixture, "/proc/self/mounts",
		      "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
	fixture_write(&desk->fixture, "/sys/fs/cgroup/cgroup.controllers", "memory\n");
	fixture_write(&desk->fixture, JOB "/memory.max", "max\n");
	fixture_write(&desk->fixture, JOB "/memory.swap.max", "max\n");
	EXPECT_NUMBER(cg_find(&desk->tree, desk->fixture.root), 0);
	EXPECT_NUMBER(cg_resolve(&desk->tree, "job", path, sizeof(path)), 0);
	EXPECT_NUMBER(cg_look(&desk->cg, &desk->tree, path), 0);
	EXPECT_NUMBER(loop_init(&desk->loop), 0);
}

static void end(struct desk *desk)
{
	loop_destroy(&desk->loop);
	cg_look_away(&desk->cg);
	fixture_destroy(&desk->fixture);
}

static bool is_idle(void *context)
{
	return !((const struct writer *)context)->is_busy;
}

static bool await(struct desk *desk, struct writer *writer)
{
	return loop_await(&desk->loop, is_idle, writer, clock_now_ns() + PATIENCE, 0);
}

static void writes_what_it_is_told(void)
{
	struct writer_order order = { WRITER_WRITE, 4096, CG_MISSING };
	struct writer writer;
	struct desk desk;

	begin(&desk);
	EXPECT_NUMBER(writer_start(&writer, &desk.loop, &desk.cg, CG_MAX, NULL), 0);
	writer_tell(&writer, &order);
	EXPECT_TRUE(await(&desk, &writer));
	EXPECT_NUMBER(writer.answer.error, 0);
	EXPECT_NUMBER(writer.answer.writes, 1);
	EXPECT_WITHIN(fixture_read(&desk.fixture, JOB "/memory.max"), "4096");
	EXPECT_STRING(fixture_read(&desk.fixture, JOB "/memory.swap.max"), "max\n");
	order.swap_bytes = 8192;
	writer_tell(&writer, &order);
	EXPECT_TRUE(await(&desk, &writer));
	EXPECT_WITHIN(fixture_read(&desk.fixture, JOB "/memory.swap.max"), "8192");
	EXPECT_NUMBER(writer_end(&writer), 0);
	EXPECT_NUMBER(writer_end(&writer), 0);
	end(&desk);
}

static void races_until_it_is_told(void)
{
	const struct writer_order race = { WRITER_RACE, 4096, CG_MISSING };
	const struct writer_order stop = { .what = WRITER_STOP };
	struct writer writer;
	struct desk desk;

	begin(&desk);
	EXPECT_NUMBER(writer_start(&writer, &desk.loop, &desk.cg, CG_MAX, NULL), 0);
	/* However early that comes. */
	writer_interrupt(&writer);
	writer_tell(&writer, &race);
	EXPECT_TRUE(!loop_await(&desk.loop, is_idle, &writer, clock_now_ns() + 20 * NS_PER_MS, 0));
	/* A signal ends a write, and not the race. */
	writer_interrupt(&writer);
	writer_tell(&writer, &stop);
	EXPECT_TRUE(await(&desk, &writer));
	EXPECT_TRUE(writer.answer.writes > 0);
	/* It is there for the next one. */
	writer_tell(&writer, &race);
	writer_tell(&writer, &stop);
	EXPECT_TRUE(await(&desk, &writer));
	EXPECT_NUMBER(writer_end(&writer), 0);
	end(&desk);
}

static void tells_of_failure_and_death(void)
{
	const struct writer_order order = { WRITER_WRITE, 4096, CG_MISSING };
	struct writer writer;
	struct desk desk;

	begin(&desk);
	EXPECT_NUMBER(writer_start(&writer, &desk.loop, &desk.cg, CG_HIGH, NULL), 0);
	writer_tell(&writer, &order);
	EXPECT_TRUE(await(&desk, &writer));
	EXPECT_NUMBER(writer.answer.error, -EOPNOTSUPP);
	EXPECT_NUMBER(writer.answer.refused, 1);
	writer.is_busy = true;
	kill(writer.pid, SIGKILL);
	EXPECT_TRUE(await(&desk, &writer));
	EXPECT_NUMBER(writer.answer.error, -ESRCH);
	writer_tell(&writer, &order);
	EXPECT_TRUE(!writer.is_busy);
	EXPECT_NUMBER(writer.answer.error, -ESRCH);
	EXPECT_NUMBER(writer_end(&writer), 0);
	end(&desk);
}

static bool never(void *context)
{
	(void)context;
	return false;
}

/* A tool that dies while its limit is lowered. */
static void die_racing(struct desk *desk, const struct writer_will *old)
{
	const struct writer_order low = { WRITER_RACE, 4096, CG_MISSING };
	struct writer keeper, racer;

	if (writer_start(&keeper, &desk->loop, &desk->cg, CG_MAX, old) ||
	    writer_start(&racer, &desk->loop, &desk->cg, CG_MAX, NULL))
		_exit(1);
	writer_tell(&racer, &low);
	loop_await(&desk->loop, never, NULL, clock_now_ns() + 10 * NS_PER_MS, 0);
	raise(SIGKILL);
}

static bool gives(const void *context, __u64 *bytes)
{
	*bytes = *(const __u64 *)context;
	return true;
}

static bool gives_nothing(const void *context, __u64 *bytes)
{
	*bytes = *(const __u64 *)context;
	return false;
}

/* Where the heir cannot be seen, its exit code is what it says. */
static void settles(const void *context)
{
	_exit(*(const __u64 *)context == 16384 ? 7 : 1);
}

static bool somebody_has_settled(void)
{
	bool settled = false;
	int status;

	while (waitpid(-1, &status, 0) > 0)
		settled |= WIFEXITED(status) && WEXITSTATUS(status) == 7;
	return settled;
}

static void carries_out_a_last_will(void)
{
	const struct writer_will old = { .order = { WRITER_WRITE, 8192, CG_MISSING } };
	const __u64 more = 16384;
	const struct writer_will corrected = { old.order, gives, settles, &more };
	const struct writer_will uncorrected = { old.order, gives_nothing, settles, &more };
	struct writer keeper;
	struct desk desk;

	begin(&desk);
	/* Whom the tool leaves behind can be waited for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!fork())
		die_racing(&desk, &old);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	EXPECT_STRING(fixture_read(&desk.fixture, JOB "/memory.max"), "8192");

	/* It has become something else meanwhile, and nothing else. */
	if (!fork())
		die_racing(&desk, &corrected);
	EXPECT_TRUE(somebody_has_settled());
	EXPECT_STRING(fixture_read(&desk.fixture, JOB "/memory.max"), "16384");
	fixture_write(&desk.fixture, JOB "/memory.max", "");
	if (!fork())
		die_racing(&desk, &uncorrected);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	EXPECT_STRING(fixture_read(&desk.fixture, JOB "/memory.max"), "8192");

	/* One that was ended has nothing to carry out. */
	fixture_write(&desk.fixture, JOB "/memory.max", "4096");
	EXPECT_NUMBER(writer_start(&keeper, &desk.loop, &desk.cg, CG_MAX, &old), 0);
	EXPECT_NUMBER(writer_end(&keeper), 0);
	EXPECT_STRING(fixture_read(&desk.fixture, JOB "/memory.max"), "4096");
	end(&desk);
}

const struct unit_test unit_writer_tests[] = {
	{ "writer_writes_what_it_is_told", writes_what_it_is_told },
	{ "writer_races_until_it_is_told", races_until_it_is_told },
	{ "writer_tells_of_failure_and_death", tells_of_failure_and_death },
	{ "writer_carries_out_a_last_will", carries_out_a_last_will },
	{},
};
