/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection (Documentation/fault-injection/fault-injection.rst): the n-th
 * allocation of the calling thread fails, be it of a slab object or of pages, with
 * whatever flags but __GFP_NOFAIL.
 */
#ifndef MEMSTRESS_SELFTESTS_FAULT_H
#define MEMSTRESS_SELFTESTS_FAULT_H

#include <stdbool.h>

#define FAULT_SETTINGS 7

struct fault {
	int fd; /* of fail-nth */
	bool set[FAULT_SETTINGS];
	char saved[FAULT_SETTINGS][16];
};

/* Lets every allocation be one that may fail. -ENOENT: this kernel cannot do it */
int fault_setup(struct fault *fault);

/* Puts the settings back; does nothing if it was not set up */
int fault_restore(struct fault *fault);

/* The @nth allocation from here on fails; only numbers from 1 */
int fault_arm(const struct fault *fault, unsigned int nth);

/* None fails any more. Returns how many were still to come; 0: it has failed */
int fault_disarm(const struct fault *fault);

#endif /* MEMSTRESS_SELFTESTS_FAULT_H */
