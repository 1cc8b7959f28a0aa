/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Containers, by the cgroups that engines make for them: docker-ID.scope, docker/ID,
 * libpod-ID.scope, libpod_parent/libpod-ID, and the like of others.
 */
#ifndef MEMSTRESS_USER_CONTAINER_H
#define MEMSTRESS_USER_CONTAINER_H

#include "cgroup.h"
#include "error.h"

/* Of an id, in hexadecimal digits, and of what is taken for its beginning */
#define CONTAINER_ID_LENGTH 64
#define CONTAINER_ID_LEAST  6

/**
 * struct container_engine - who runs containers
 * @name: as users call it, and as its program is called
 * @label: what it puts before ids; ids without anything before them are docker's
 * @find_id: the id of the container @name by the files of the engine; "" if it has none of this
 *	name. -ENOENT or -EACCES: there are no files, or they cannot be read
 */
struct container_engine {
	const char *name;
	const char *label;
	int (*find_id)(const char *root, const char *name, char *id);
};

extern const struct container_engine container_docker;
extern const struct container_engine container_podman;

/**
 * struct container - one that has a cgroup
 * @engine: whose; NULL: not one of those above
 * @label: what there is before its id
 * @id: it
 */
struct container {
	const struct container_engine *engine;
	char label[64];
	char id[CONTAINER_ID_LENGTH + 1];
};

/* Whether the cgroup of this directory is one of a container, by its name */
bool container_is_at(const char *path, struct container *container);

/* The cgroup of the container that @engine knows by this name, or by its id. 0 or -1 */
int container_find(const struct cg_tree *tree, const struct container_engine *engine,
		   const char *name, char *path, size_t size, struct error *error);

/* Whether it may be the beginning of an id */
bool container_is_prefix(const char *word);

/* The cgroup of the container, whoever runs it, whose id begins so. 0 or -1 */
int container_find_by_prefix(const struct cg_tree *tree, const char *prefix, char *path,
			     size_t size, struct error *error);

#endif /* MEMSTRESS_USER_CONTAINER_H */
