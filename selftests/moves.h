/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must have moved between two snapshots of a cgroup, line by line; nothing else
 * may. Lines have the names of cgroup v2, also on v1, which has fewer of them. What is
 * said of a line that the kernel does not have is left out.
 */
#ifndef MEMSTRESS_SELFTESTS_MOVES_H
#define MEMSTRESS_SELFTESTS_MOVES_H

#include "balance.h"

#define MOVES_MAX 32

/* Pages are on one of these lists; which one, reclaim may decide anew at any time */
#define MOVES_LRU "inactive_anon+active_anon+inactive_file+active_file+unevictable"

struct move {
	const char *line; /* or several with + between them: their sum */
	long long least, most;
};

struct moves {
	unsigned int count;
	struct move move[MOVES_MAX];
};

enum moves_of {
	MOVES_OF_PAYER,
	MOVES_OF_ANCESTOR, /* on v1 only its total_ lines tell of a descendant */
};

/* Several of one line add up */
void moves_add(struct moves *moves, const char *line, long long amount);
void moves_add_range(struct moves *moves, const char *line, long long least, long long most);

/* Of this line nothing is said */
void moves_allow(struct moves *moves, const char *line);

/* Kernel memory of the module */
void moves_add_charge(struct moves *moves, const struct charge *charge);

/*
 * Slab objects of @line of a cgroup that was @before: bytes there, and what rounding up
 * makes of them in the counters of pages, where that is known
 */
void moves_add_slab(struct moves *moves, const struct snapshot *before, const char *line,
		    long long bytes);

/*
 * Number of lines that moved otherwise, the worst of them in @violation. Lines that count
 * events are not looked at: reclaim and faults of tasks inside move them.
 */
int moves_check(const struct snapshot *before, const struct snapshot *after,
		const struct moves *moves, enum moves_of of, struct violation *violation);

/*
 * What must hold of any snapshot while nothing moves: 0 or 1 for each line that is less
 * than nothing or more than the machine has, and for usage if what the lines tell of
 * users, the kernel and sockets does not add up to it
 */
int moves_check_sanity(const struct snapshot *snap, struct violation *violation);

#endif /* MEMSTRESS_SELFTESTS_MOVES_H */
