// SPDX-License-Identifier: GPL-2.0
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"
#include "unit.h"

static int pipes[2][2];
static int heard[2];
static int order[2], count;

static void hear(void *context)
{
	int i = *(int *)context;
	char byte;

	if (read(pipes[i][0], &byte, 1) == 1)
		heard[i]++;
	if (count < 2)
		order[count++] = i;
}

static bool both_heard(void *context)
{
	(void)context;
	return heard[0] && heard[1];
}

static bool never(void *context)
{
	(void)context;
	return false;
}

static void handles_in_order(void)
{
	static int index[2] = { 0, 1 };
	struct loop loop;
	int i;

	EXPECT_NUMBER(loop_init(&loop), 0);
	for (i = 0; i < 2; i++) {
		if (pipe(pipes[i]))
			return;
		EXPECT_NUMBER(loop_add(&loop, pipes[i][0], EPOLLIN, hear, &index[i]), 0);
	}
	EXPECT_NUMBER(write(pipes[1][1], "b", 1), 1);
	EXPECT_NUMBER(write(pipes[0][1], "a", 1), 1);
	EXPECT_TRUE(loop_await(&loop, both_heard, NULL, clock_now_ns() + NS_PER_S, 0));
	EXPECT_NUMBER(order[0], 0);
	EXPECT_NUMBER(order[1], 1);

	/* What is removed is heard no more. */
	loop_remove(&loop, pipes[0][0]);
	EXPECT_NUMBER(write(pipes[0][1], "c", 1), 1);
	loop_poll(&loop);
	EXPECT_NUMBER(heard[0], 1);
	loop_destroy(&loop);
	for (i = 0; i < 2; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static void keeps_deadlines(void)
{
	__u64 begin = clock_now_ns();
	struct loop loop;

	EXPECT_NUMBER(loop_init(&loop), 0);
	EXPECT_TRUE(!loop_await(&loop, never, NULL, begin + 20 * NS_PER_MS, 5 * NS_PER_MS));
	EXPECT_TRUE(clock_now_ns() - begin >= 20 * NS_PER_MS);
	loop_destroy(&loop);
}

const struct unit_test unit_loop_tests[] = {
	{ "loop_handles_in_order", handles_in_order },
	{ "loop_keeps_deadlines", keeps_deadlines },
	{},
};
