// SPDX-License-Identifier: GPL-2.0
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

struct fixture fixture_create(void)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture fixture = {};

	snprintf(fixture.root, sizeof(fixture.root), "%s/memstress-unit-XXXXXX",
		 tmp ? tmp : "/tmp");
	if (!mkdtemp(fixture.root)) {
		perror("mkdtemp");
		exit(1);
	}
	return fixture;
}

static int fixture_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void fixture_destroy(struct fixture *fixture)
{
	nftw(fixture->root, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void fixture_mkdir(const struct fixture *fixture, const char *path)
{
	char full[PATH_MAX];
	char *slash;

	snprintf(full, sizeof(full), "%s%s/", fixture->root, path);
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
}

void fixture_write(const struct fixture *fixture, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%.*s", (int)(strrchr(path, '/') - path), path);
	fixture_mkdir(fixture, full);
	snprintf(full, sizeof(full), "%s%s", fixture->root, path);
	file = fopen(full, "w");
	if (!file) {
		perror(full);
		exit(1);
	}
	fputs(text, file);
	fclose(file);
}

const char *fixture_read(const struct fixture *fixture, const char *path)
{
	static char text[4096];
	char full[PATH_MAX];
	size_t length = 0;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", fixture->root, path);
	file = fopen(full, "r");
	if (file) {
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[length] = '\0';
	return text;
}
