// SPDX-License-Identifier: GPL-2.0
/*
 * Where engines keep the names of their containers: root's, and those of a user who runs them
 * without root. Docker has a folder for each container, with config.v2.json in it; podman's
 * library has one list for each storage driver.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "compiler.h"
#include "container.h"

static const char *container_string(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) :
								NULL;
}

static void container_take_id(struct json_object *object, const char *key, char *id)
{
	const char *text = container_string(object, key);

	if (text && strlen(text) == CONTAINER_ID_LENGTH)
		snprintf(id, CONTAINER_ID_LENGTH + 1, "%s", text);
}

/* A home is its user's, who could put what is never read to its end where a file is to be. */
static int container_load(const char *path, struct json_object **object)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat file;

	*object = NULL;
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &file) && S_ISREG(file.st_mode))
		*object = json_object_from_fd(fd);
	close(fd);
	return 0;
}

/* Names begin with a slash there. */
static int container_read_docker(const char *file, const char *name, char *id)
{
	struct json_object *config;
	int ret = container_load(file, &config);
	const char *seen;

	if (!config)
		return ret;
	seen = container_string(config, "Name");
	if (seen && !strcmp(seen + (*seen == '/'), name))
		container_take_id(config, "ID", id);
	json_object_put(config);
	return 0;
}

static bool container_has_name(struct json_object *container, const char *name)
{
	struct json_object *names;
	size_t i;

	if (!json_object_object_get_ex(container, "names", &names) ||
	    !json_object_is_type(names, json_type_array))
		return false;
	for (i = 0; i < json_object_array_length(names); i++) {
		const char *seen = json_object_get_string(json_object_array_get_idx(names, i));

		if (seen && !strcmp(seen, name))
			return true;
	}
	return false;
}

static int container_read_podman(const char *file, const char *name, char *id)
{
	struct json_object *list;
	int ret = container_load(file, &list);
	size_t i, count;

	if (!list)
		return ret;
	count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	for (i = 0; i < count && !*id; i++) {
		struct json_object *container = json_object_array_get_idx(list, i);

		if (container_has_name(container, name))
			container_take_id(container, "id", id);
	}
	json_object_put(list);
	return 0;
}

static int container_note_error(const char *path, int error)
{
	(void)path;
	return error == EACCES || error == EPERM;
}

/* Reads the files that @pattern means. -ENOENT: there are none; -EACCES: not all can be read. */
static int container_read_all(const char *pattern,
			      int (*read)(const char *file, const char *name, char *id),
			      const char *name, char *id)
{
	glob_t files;
	int ret = 0;
	size_t i;

	switch (glob(pattern, 0, container_note_error, &files)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		return -ENOENT;
	default:
		return -EACCES;
	}
	for (i = 0; i < files.gl_pathc && !*id; i++) {
		int failed = read(files.gl_pathv[i], name, id);

		ret = failed ? failed : ret;
	}
	globfree(&files);
	return *id ? 0 : ret;
}

/* @root_path is where root's are, @home_path where those of a user are below the home. */
static int container_read_both(const char *root, const char *root_path, const char *home_path,
			       int (*read)(const char *file, const char *name, char *id),
			       const char *name, char *id)
{
	const char *home = getenv("HOME");
	char pattern[PATH_MAX];
	int ret, ret_home;

	snprintf(pattern, sizeof(pattern), "%s%s", root, root_path);
	ret = container_read_all(pattern, read, name, id);
	if (*id || !home)
		return ret;
	snprintf(pattern, sizeof(pattern), "%s%s%s", root, home, home_path);
	ret_home = container_read_all(pattern, read, name, id);
	return *id || ret == -ENOENT ? ret_home : ret;
}

static int container_find_docker_id(const char *root, const char *name, char *id)
{
	return container_read_both(root, "/var/lib/docker/containers/*/config.v2.json",
				   "/.local/share/docker/containers/*/config.v2.json",
				   container_read_docker, name, id);
}

static int container_find_podman_id(const char *root, const char *name, char *id)
{
	return container_read_both(root,
				   "/var/lib/containers/storage/*-containers/*containers.json",
				   "/.local/share/containers/storage/*-containers/*containers.json",
				   container_read_podman, name, id);
}

const struct container_engine container_docker = {
	.name = "docker",
	.label = "docker",
	.find_id = container_find_docker_id,
};

const struct container_engine container_podman = {
	.name = "podman",
	.label = "libpod",
	.find_id = container_find_podman_id,
};
