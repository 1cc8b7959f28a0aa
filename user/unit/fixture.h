/* SPDX-License-Identifier: GPL-2.0 */
/* A tree of files in a temporary directory that looks like a machine's /proc and /sys. */
#ifndef MEMSTRESS_USER_UNIT_FIXTURE_H
#define MEMSTRESS_USER_UNIT_FIXTURE_H

#include <limits.h>

#include "compiler.h"

struct fixture {
	char root[PATH_MAX / 4];
};

struct fixture fixture_create(void);
void fixture_destroy(struct fixture *fixture);

/* @path is below the root and begins with a slash; directories are made as needed */
void fixture_write(const struct fixture *fixture, const char *path, const char *text);
void fixture_mkdir(const struct fixture *fixture, const char *path);

/* The file's text; "" if there is none. Valid until the next call */
const char *fixture_read(const struct fixture *fixture, const char *path);

#endif /* MEMSTRESS_USER_UNIT_FIXTURE_H */
