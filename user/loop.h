/* SPDX-License-Identifier: GPL-2.0 */
/* The event loop: descriptors, what to do about each, and waiting for something to be true. */
#ifndef MEMSTRESS_USER_LOOP_H
#define MEMSTRESS_USER_LOOP_H

#include <stdbool.h>

#include <linux/types.h>

/* A job has up to 64 workers with two each, and up to 64 writers of limits */
#define LOOP_SOURCES_MAX 224

/**
 * struct loop_source - a descriptor that is watched
 * @fd: it; -1: the place is free
 * @handle: called with @context when it is ready
 * @context: for @handle
 */
struct loop_source {
	int fd;
	void (*handle)(void *context);
	void *context;
};

/**
 * struct loop - all that is watched
 * @epoll_fd: -1: it is not open
 * @sources: in the order in which they were added
 */
struct loop {
	int epoll_fd;
	struct loop_source sources[LOOP_SOURCES_MAX];
};

/* 0 or -errno */
int loop_init(struct loop *loop);
void loop_destroy(struct loop *loop);

/* @events as for epoll_ctl(). 0 or -errno */
int loop_add(struct loop *loop, int fd, __u32 events, void (*handle)(void *context), void *context);
void loop_remove(struct loop *loop, int fd);

/* Handles what is ready now */
void loop_poll(struct loop *loop);

/*
 * Handles what comes until @is_true is. @deadline_ns is a time of CLOCK_MONOTONIC, or 0: none.
 * What no descriptor tells of is looked at every @look_ns, or 0: never. False when the deadline
 * came first.
 */
bool loop_await(struct loop *loop, bool (*is_true)(void *context), void *context, __u64 deadline_ns,
		__u64 look_ns);

#endif /* MEMSTRESS_USER_LOOP_H */
