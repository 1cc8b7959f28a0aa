/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User memory, and kernel memory that a process gets by what it asks of the kernel: kinds
 * of it that a worker takes and gives back, and which lines of memory.stat that must move.
 * What each kind needs besides (files, mappings, their tables) is there before, so that
 * nothing else moves.
 */
#ifndef MEMSTRESS_SELFTESTS_USER_MEMORY_H
#define MEMSTRESS_SELFTESTS_USER_MEMORY_H

#include <sys/types.h>

#include "moves.h"

enum user_memory {
	USER_ANON,       /* small pages, and a page table for each 2 MiB */
	USER_THP,        /* huge pages */
	USER_PAGETABLES, /* of a page each */
	USER_SHMEM,      /* pages of a memfd, written */
	USER_MAPPED,     /* the same, mapped */
	USER_FILE,       /* page cache that cannot be written back: ramfs */
	USER_PIPE,
	USER_SOCK, /* received and not yet read */
	USER_STACKS,
	USER_MEMORY_END,
};

const char *user_memory_name(enum user_memory kind);

/* Why this machine has not this kind; NULL if it has */
const char *user_memory_missing(enum user_memory kind);

/* In whoever starts the worker, before and after it; 0 or -errno */
int user_memory_open(void);
void user_memory_close(void);

/* In the worker: first of all; then takes @bytes, or about so much; gives back what it took */
int user_memory_begin(void);
int user_memory_take(enum user_memory kind, unsigned long long *bytes);
int user_memory_give(enum user_memory kind);

/*
 * In the worker: reclaims its USER_ANON, each page once, wherever the LRU has it, and the few
 * pages of its own that are not locked. A page that is still on its way to the LRU stays
 * (scope_visit_cpus()), and so does one that swap refuses.
 */
int user_memory_page_out(void);

/* In whoever started the worker: where the bytes are that it would page out */
struct user_memory_place {
	long long resident, swapped;
};

int user_memory_find(pid_t worker, struct user_memory_place *place);

/*
 * What @bytes of a kind must move in the cgroup of the worker. @bytes is what taking them
 * has returned; @before is the cgroup without them.
 */
void user_memory_moves(struct moves *moves, enum user_memory kind, unsigned long long bytes,
		       const struct snapshot *before);

/* The same after giving it back: what the kernel may keep for the process */
void user_memory_moves_given(struct moves *moves, enum user_memory kind, unsigned long long bytes);

#endif /* MEMSTRESS_SELFTESTS_USER_MEMORY_H */
