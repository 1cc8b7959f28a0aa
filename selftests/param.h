/* SPDX-License-Identifier: GPL-2.0 */
/* A parameter of the module, changed for a test and put back after it. */
#ifndef MEMSTRESS_SELFTESTS_PARAM_H
#define MEMSTRESS_SELFTESTS_PARAM_H

struct param {
	char name[32];
	char saved[64];
};

/* Sets a parameter and remembers what it was */
int param_set(struct param *param, const char *name, const char *value);
int param_set_number(struct param *param, const char *name, unsigned long long value);

/* Does nothing if it was not set */
int param_restore(struct param *param);

#endif /* MEMSTRESS_SELFTESTS_PARAM_H */
