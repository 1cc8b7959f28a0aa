/* SPDX-License-Identifier: GPL-2.0 */
/* How much more is done in "make soak", which has the time for it: SOAK in the environment. */
#ifndef MEMSTRESS_SELFTESTS_SOAK_H
#define MEMSTRESS_SELFTESTS_SOAK_H

#include <stdlib.h>

/* How many times longer a test may take there */
#define SOAK_PATIENCE 30

static inline unsigned int soak_times(unsigned int usual, unsigned int in_soak)
{
	return getenv("SOAK") ? in_soak : usual;
}

#endif /* MEMSTRESS_SELFTESTS_SOAK_H */
