// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cgroup_matches.h"
#include "container.h"
#include "program_output.h"

#define CONTAINER_SCOPE ".scope"

/**
 * struct container_search - for containers
 * @engine: whose; NULL: anybody's
 * @prefix: what their ids begin with
 * @matches: their cgroups
 * @last: the one that was found last, and
 * @last_id: its id
 */
struct container_search {
	const struct container_engine *engine;
	const char *prefix;
	struct cgroup_matches matches;
	char last[PATH_MAX];
	char last_id[CONTAINER_ID_LENGTH + 1];
};

static bool container_is_hex(const char *text, size_t length)
{
	return strspn(text, "0123456789abcdef") >= length;
}

bool container_is_prefix(const char *word)
{
	size_t length = strlen(word);

	return length >= CONTAINER_ID_LEAST && length <= CONTAINER_ID_LENGTH &&
	       container_is_hex(word, length);
}

/* Splits the name of a directory into what is before the id, dashes removed, and the id. */
static bool container_parse(const char *base, char *label, size_t size, char *id)
{
	size_t length = strlen(base), tail = strlen(CONTAINER_SCOPE);
	const char *start;

	if (length > tail && !strcmp(base + length - tail, CONTAINER_SCOPE))
		length -= tail;
	if (length < CONTAINER_ID_LENGTH)
		return false;
	start = base + length - CONTAINER_ID_LENGTH;
	if (!container_is_hex(start, CONTAINER_ID_LENGTH) || (start > base && start[-1] != '-'))
		return false;
	snprintf(label, size, "%.*s", start > base ? (int)(start - base - 1) : 0, base);
	memcpy(id, start, CONTAINER_ID_LENGTH);
	id[CONTAINER_ID_LENGTH] = '\0';
	return true;
}

/* Monitors have cgroups of their own, with the id in it. */
static bool container_is_monitor(const char *label)
{
	size_t length = strlen(label), tail = strlen("conmon");

	return length >= tail && !strcmp(label + length - tail, "conmon");
}

static bool container_is_of(const struct container_engine *engine, const char *label)
{
	if (!engine)
		return true;
	return !strncmp(label, engine->label, strlen(engine->label)) ||
	       (!*label && engine == &container_docker);
}

bool container_is_at(const char *path, struct container *container)
{
	memset(container, 0, sizeof(*container));
	if (!container_parse(strrchr(path, '/') + 1, container->label, sizeof(container->label),
			     container->id) ||
	    container_is_monitor(container->label))
		return false;
	if (container_is_of(&container_podman, container->label))
		container->engine = &container_podman;
	else if (container_is_of(&container_docker, container->label))
		container->engine = &container_docker;
	return true;
}

static void container_see(const char *path, void *context)
{
	struct container_search *search = context;
	char label[64], id[CONTAINER_ID_LENGTH + 1];
	size_t last = strlen(search->last);

	if (!container_parse(strrchr(path, '/') + 1, label, sizeof(label), id) ||
	    strncmp(id, search->prefix, strlen(search->prefix)) || container_is_monitor(label) ||
	    !container_is_of(search->engine, label))
		return;
	/* One within the other is the same container. */
	if (last && !strcmp(id, search->last_id) && !strncmp(path, search->last, last) &&
	    path[last] == '/')
		return;
	snprintf(search->last, sizeof(search->last), "%s", path);
	memcpy(search->last_id, id, sizeof(id));
	cgroup_matches_add(&search->matches, path);
}

static void container_search(struct container_search *search, const struct cg_tree *tree,
			     const struct container_engine *engine, const char *prefix)
{
	memset(search, 0, sizeof(*search));
	search->engine = engine;
	search->prefix = prefix;
	cgroup_matches_init(&search->matches, tree);
	cg_each_below(tree->mount, container_see, search);
}

/* What engines take for a name; no more than that goes to their programs. */
static bool container_is_name(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && (c == name || !strchr("_.-", *c)))
			return false;
	return c > name;
}

/* The engine's own program may ask a daemon for what we may not read. */
static void container_ask(const struct container_engine *engine, const char *name, char *id)
{
	const char *const argv[] = { engine->name, "inspect", "--type", "container", "--format",
				     "{{.Id}}",    "--",      name,     NULL };
	const struct program_question question = { argv, false, PROGRAM_OUTPUT_TIMEOUT };
	char text[CONTAINER_ID_LENGTH + 2];

	if (!program_output(&question, text, sizeof(text)) &&
	    strspn(text, "0123456789abcdef") == CONTAINER_ID_LENGTH)
		memcpy(id, text, CONTAINER_ID_LENGTH);
}

int container_find(const struct cg_tree *tree, const struct container_engine *engine,
		   const char *name, char *path, size_t size, struct error *error)
{
	char id[CONTAINER_ID_LENGTH + 1] = {};
	struct container_search search;

	if (!container_is_name(name))
		return error_set(error, STATUS_MISUSE,
				 "%s:%s: %s: takes the name or id of a container", engine->name,
				 name, engine->name);
	/* As the engines do it: names before beginnings of ids. */
	if (engine->find_id(tree->root, name, id))
		container_ask(engine, name, id);
	if (!*id && !container_is_hex(name, strlen(name)))
		return error_set(error, STATUS_MISUSE, "%s:%s: %s knows no container of this name",
				 engine->name, name, engine->name);
	container_search(&search, tree, *id ? NULL : engine, *id ? id : name);
	if (!search.matches.count && *id)
		return error_set(error, STATUS_MISUSE,
				 "%s:%s: container %.12s has no cgroup below %s; does it run?",
				 engine->name, name, id, tree->mount);
	if (!search.matches.count)
		return error_set(error, STATUS_MISUSE,
				 "%s:%s: no container of %s with this name or id has a cgroup below %s",
				 engine->name, name, engine->name, tree->mount);
	if (cgroup_matches_judge(&search.matches, name, error))
		return -1;
	snprintf(path, size, "%s", search.matches.path);
	return 0;
}

int container_find_by_prefix(const struct cg_tree *tree, const char *prefix, char *path,
			     size_t size, struct error *error)
{
	struct container_search search;

	container_search(&search, tree, NULL, prefix);
	if (!search.matches.count)
		return error_set(error, STATUS_MISUSE,
				 "'%s': below %s there is neither such a cgroup nor %s", prefix,
				 tree->mount, "one of a container whose id begins so");
	if (cgroup_matches_judge(&search.matches, prefix, error))
		return -1;
	snprintf(path, size, "%s", search.matches.path);
	return 0;
}
