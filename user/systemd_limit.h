/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The limit that systemd has for the cgroup of a unit, which it writes there when it likes: at a
 * reload, when it is told another one, when units beside it start.
 *
 * Who lowers the limit for a time writes the file, and does not tell systemd. That would have to
 * write it itself, as the first process of the machine, and such a write reclaims and kills before
 * it returns, if it returns at all. And what it is told for a time it keeps in a file below /run,
 * which overrides the unit's own from then on. So its limit stays what it was, and the file agrees
 * once it is put back; unless somebody has told systemd another one meanwhile, which is looked at.
 */
#ifndef MEMSTRESS_USER_SYSTEMD_LIMIT_H
#define MEMSTRESS_USER_SYSTEMD_LIMIT_H

#include "cgroup.h"
#include "scope_bus.h"

/**
 * struct systemd_limit - of one cgroup
 * @is_unit: it is one of a unit, as far as is known
 * @manager: who is asked
 * @cgroup: as the kernel calls it
 * @unit: which
 * @name: of the limit: MemoryMax or MemoryHigh
 * @is_known: systemd could be asked; else @why says why not
 * @bytes: its limit, when it was asked at last; CG_UNLIMITED: none
 * @why: in words
 */
struct systemd_limit {
	bool is_unit;
	enum scope_manager manager;
	const char *cgroup;
	char unit[256];
	const char *name;
	bool is_known;
	__u64 bytes;
	char why[256];
};

/*
 * Asks about the limit @file, CG_MAX or CG_HIGH, of @cg, which has to stay. Takes some seconds at
 * most, as all here
 */
void systemd_limit_find(struct systemd_limit *limit, const struct cgroup *cg, enum cg_file file);

/* Asks again. True: it was known, and is another one now */
bool systemd_limit_has_moved(struct systemd_limit *limit);

/* Tells systemd that it is another one, until the machine boots again. 0 or -errno */
int systemd_limit_set(struct systemd_limit *limit, __u64 bytes);

/* As the kernel has it, in whole pages */
__u64 systemd_limit_bytes(const struct systemd_limit *limit);

/* Asks for @unit and @bytes of @cgroup by a connection that there is. 0 or -errno, and @why */
int systemd_limit_ask(struct systemd_limit *limit, struct scope_bus *bus);

#endif /* MEMSTRESS_USER_SYSTEMD_LIMIT_H */
