/* SPDX-License-Identifier: GPL-2.0 */
/* Checks of a machine: is it ready, and what to do if not. */
#ifndef MEMSTRESS_USER_CHECK_H
#define MEMSTRESS_USER_CHECK_H

enum check_state {
	CHECK_GOOD,
	CHECK_BAD,  /* in the way of a run */
	CHECK_NOTE, /* good to know */
};

/**
 * struct check - one of them, done
 * @state: how it ended
 * @found: what is there
 * @advice: what to do about it; "" if there is nothing to do
 */
struct check {
	enum check_state state;
	char found[256];
	char advice[256];
};

/**
 * struct check_row - one of them
 * @name: what is looked at; NULL ends the table
 * @look: does it
 */
struct check_row {
	const char *name;
	void (*look)(struct check *check);
};

extern const struct check_row checks[];

#endif /* MEMSTRESS_USER_CHECK_H */
