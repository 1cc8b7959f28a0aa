/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cgroups with the memory controller: find, make, limit, fork into, read, remove. Files and keys
 * go by one name, which is that of cgroup v2; what v1 calls them, and how it counts, is known to
 * cgroup_v1.c alone.
 *
 * Every function returns 0 or -errno and says nothing. -ENOENT and -ENODEV from reading a cgroup
 * that was made mean that somebody removed it.
 */
#ifndef MEMSTRESS_USER_CGROUP_H
#define MEMSTRESS_USER_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

/* "max": no limit. As a value from cg_read_keys(): the kernel does not have this key */
#define CG_UNLIMITED (~0ULL)
#define CG_MISSING   (~0ULL)

/*
 * The files that a cgroup may have; what they are called is the version's matter. CG_KERNEL is
 * what v1 has for the kernel line of memory.stat, CG_SWAP what is swapped out, CG_FAILCNT what
 * comes nearest to max events. CG_PIDS counts with those below it; CG_THREADS lists those of the
 * cgroup alone. CG_MOVE_CHARGE says what charges follow a process that is moved into it.
 */
enum cg_file {
	CG_USAGE,
	CG_PEAK,
	CG_KERNEL,
	CG_SWAP,
	CG_MAX,
	CG_HIGH,
	CG_LOW,
	CG_MIN,
	CG_SWAP_MAX,
	CG_ZSWAP_MAX,
	CG_OOM_GROUP,
	CG_STAT,
	CG_EVENTS,
	CG_EVENTS_LOCAL,
	CG_FAILCNT,
	CG_PRESSURE,
	CG_PIDS,
	CG_THREADS,
	CG_MOVE_CHARGE,
	CG_FILES,
};

struct cgroup;

/**
 * struct cg_ops - what differs between the versions of the cgroup file system
 * @version: 1 or 2
 * @max_moves_swap_max: writing CG_MAX writes a part of CG_SWAP_MAX, too, which is wrong between the
 *	two
 * @limit_comes_first: a limit is in force before its write reclaims what is above it; else when it
 *	has done so
 * @is_unified: all controllers are on this hierarchy. Then who moves a process needs a right to
 *	the cgroup above both, too, and managers of users that systemd has can have the controller
 * @files: their names; NULL if this version has none like it
 * @key: what it calls this key of memory.stat
 * @read_number: as cg_read_number(), of a file that this version has
 * @write_number: as cg_write_number(), the same
 * @open_notice: an eventfd that counts the OOMs of @cg, given a descriptor of CG_EVENTS; what
 *	came of it is in that file somewhat later. NULL: that descriptor itself has EPOLLPRI
 * @holds_below: the limit of the directory @path is one for those below it, too
 * @enable: give children of the directory @fd the memory controller. *@changed is set if they
 *	did not have it. -EOPNOTSUPP: the controller is not there; -EBUSY: processes are in the
 *	way; -ENOTEMPTY: v1 does not count children here, and there are some already
 * @put_back: undo that, and what a dead run has done. 0 or -errno; -ETXTBSY: somebody else still
 *	relies on it
 * @relies: the cgroup whose directory is @fd is no run's and needs what enable() did for it
 * @is_root: the directory is the root of the whole tree, not of what a namespace or a container
 *	shows of it
 * @can_host: a child with the controller can be made in this directory, by the look of it
 * @takes_processes: processes can be in the cgroup @path, and not only in those below it
 * @find_of: which cgroup a process is in, as cg_name() would tell it. @process is its number, or
 *	"self". -EACCES: /proc does not tell
 * @fork: as cg_fork(), into @cg
 * @kill: SIGKILL to everything in @cg
 * @delegated: the files that belong to whoever may manage a cgroup; NULL ends them
 * @inside: what the child is called that the processes of such a cgroup are in, as they cannot be
 *	in one that gives controllers to children. NULL: they can
 */
struct cg_ops {
	unsigned int version;
	bool max_moves_swap_max;
	bool limit_comes_first;
	bool is_unified;
	const char *files[CG_FILES];
	const char *(*key)(const char *name);
	int (*read_number)(const struct cgroup *cg, enum cg_file file, __u64 *number);
	int (*write_number)(const struct cgroup *cg, enum cg_file file, __u64 number);
	int (*open_notice)(const struct cgroup *cg, int events_fd);
	bool (*holds_below)(const char *path);
	int (*enable)(int fd, bool *changed);
	int (*put_back)(int fd, bool changed);
	bool (*relies)(int fd);
	bool (*is_root)(const char *path);
	bool (*can_host)(const char *path);
	bool (*takes_processes)(const char *path);
	int (*find_of)(const char *root, const char *process, char *name, size_t size);
	pid_t (*fork)(const struct cgroup *cg, int *pidfd);
	int (*kill)(const struct cgroup *cg);
	const char *const *delegated;
	const char *inside;
};

extern const struct cg_ops cg_v1_ops;
extern const struct cg_ops cg_v2_ops;

const struct cg_ops *cg_ops_of(unsigned int version);

/* Whether the v2 tree at @mount has the memory controller */
bool cg_v2_has_memory(const char *mount);

/**
 * struct cg_tree - the hierarchy that has the memory controller
 * @ops: of its version
 * @root: what is put before every path; "" unless this is a test
 * @mount: where it is mounted
 * @charges_hugetlb: huge pages of the pool are charged, too: a mount option of v2
 */
struct cg_tree {
	const struct cg_ops *ops;
	const char *root;
	char mount[PATH_MAX];
	bool charges_hugetlb;
};

/**
 * struct cgroup - a cgroup that cg_create() made, or cg_look() found
 * @tree: where it is
 * @path: of its directory
 * @fd: the directory; -1: there is none
 * @parent_fd: the directory above; -1: it is not ours
 * @id: cgroup_id(), which is the inode number of the directory
 * @enabled: the parent's children got the memory controller for it
 */
struct cgroup {
	const struct cg_tree *tree;
	char path[PATH_MAX];
	int fd;
	int parent_fd;
	__u64 id;
	bool enabled;
};

/* Finds the tree that has the memory controller, on a hybrid host too. -ENOENT: there is none */
int cg_find(struct cg_tree *tree, const char *root);

/*
 * The directory of the cgroup that a user calls @name: a path below the mount, with or without
 * the mount in front. -EINVAL: it cannot be one.
 */
int cg_resolve(const struct cg_tree *tree, const char *name, char *path, size_t size);

/* The same the other way round: as the kernel calls the cgroup at @path, "/" being the root */
const char *cg_name(const struct cg_tree *tree, const char *path);

/* Whether a path, or a name, is that of @above, or of one below it */
bool cg_is_within(const char *name, const char *above);

/*
 * The name of the cgroup that has an id (cgroup_id()). -ESTALE: there is none any more; -EPERM:
 * this needs CAP_DAC_READ_SEARCH.
 */
int cg_name_of_id(const struct cg_tree *tree, __u64 id, char *name, size_t size);

/*
 * Where a cgroup of ours may be made if the user does not care: under the root of the tree, else
 * beside the tool's own cgroup. -EACCES: nowhere; -EROFS: nor for anybody else, as engines mount
 * the tree for containers
 */
int cg_default_parent(const struct cg_tree *tree, char *path, size_t size);

/* Whether our own cgroup, or one above it, was delegated to somebody (cgroup_mark.h) */
bool cg_is_below_delegated(const struct cg_tree *tree);

/*
 * Makes the cgroup at @path, marks it as made, and enables the controller for it. -EEXIST: it
 * exists; -ENOENT: its parent does not; -EAGAIN: somebody removes it each time before it can be
 * locked; else as struct cg_ops.enable.
 */
int cg_create(struct cgroup *cg, const struct cg_tree *tree, const char *path);

/*
 * Kills what is inside, removes the cgroup and what is below it, and puts back what cg_create()
 * changed, whatever happens. -ENOENT: somebody else had removed it; -EBUSY: it would not become
 * empty.
 */
int cg_remove(struct cgroup *cg, __u64 timeout_ns);

/* Lets one that was made stay; it is no leftover */
void cg_leave(struct cgroup *cg);

/*
 * The cgroup at @path, which is somebody else's: to be read, and given back by cg_look_away().
 * -ENOENT: there is none.
 */
int cg_look(struct cgroup *cg, const struct cg_tree *tree, const char *path);
void cg_look_away(struct cgroup *cg);

/*
 * The cgroup at @path, which a run has left, becomes ours, to be removed by cg_remove(), or given
 * back as it is by cg_look_away(). -EBUSY: somebody uses it.
 */
int cg_adopt(struct cgroup *cg, const struct cg_tree *tree, const char *path);

/*
 * Calls @see for every process in @cg and below, as far as this pid namespace has a number for it.
 * In user/cgroup_below.c, as are the next four.
 */
void cg_each_process(const struct cgroup *cg, void (*see)(pid_t pid, void *context), void *context);
unsigned int cg_count_processes(const struct cgroup *cg);

/* Sends @signal to them, and to nobody who has the number of one that has ended meanwhile */
void cg_signal(const struct cgroup *cg, int signal);

/* Calls @see for each directory below @path, those above before those below, by their names */
void cg_each_below(const char *path, void (*see)(const char *path, void *context), void *context);

/* Removes the cgroups below @cg that are empty */
void cg_remove_below(const struct cgroup *cg);

/* Whether what has the path is still what was made */
bool cg_is_there(const struct cgroup *cg);

/*
 * An inotify descriptor that has news when @cg, or one beside it, is removed. What waits on the
 * files of a cgroup is not told of that by all kernels. Returns it or -errno
 */
int cg_watch_removal(const struct cgroup *cg);

/* The tightest limit of the cgroup at @path and those above it, and who has it */
int cg_effective_max(const struct cg_tree *tree, const char *path, __u64 *bytes, char *owner,
		     size_t size);

/*
 * fork() into @cg, or beside the caller if it is NULL. Returns as fork() does, and a pidfd to the
 * parent; or -errno
 */
pid_t cg_fork(const struct cgroup *cg, int *pidfd);

/* Returns a descriptor or -errno */
int cg_open(const struct cgroup *cg, enum cg_file file, int flags);

/*
 * -EOPNOTSUPP: there is no such file on this kernel or version. CG_SWAP_MAX is of swap alone; v1
 * cannot say that of a cgroup without a max: -EINVAL.
 */
int cg_read_number(const struct cgroup *cg, enum cg_file file, __u64 *number);
int cg_write_number(const struct cgroup *cg, enum cg_file file, __u64 number);
int cg_read_keys(const struct cgroup *cg, enum cg_file file, const char *const *keys,
		 unsigned int count, __u64 *values);

/* As cg_read_number(), of a file that there need not be: CG_MISSING */
int cg_read_number_if_any(const struct cgroup *cg, enum cg_file file, __u64 *number);

/* As cg_read_keys(), from a text that was read by other means */
void cg_parse_keys(const char *text, const char *const *keys, unsigned int count, __u64 *values);

/* The text of a file. Returns its length or -errno, as above */
ssize_t cg_read_text(const struct cgroup *cg, enum cg_file file, char *buffer, size_t size);

/* How many threads are in @cg and in those below it. 0 or -errno */
int cg_count_threads(const struct cgroup *cg, __u64 *threads);

/* True if @word is one of the words of @text, which blanks separate */
bool cg_has_word(const char *text, const char *word);

/*
 * For the versions: the number in a file by its own name; a file of an open directory, or of one
 * by its path; fork() with CLONE_INTO_CGROUP, or a move; SIGKILL to all that cgroup.procs lists,
 * there and below.
 */
int cg_read_number_at(const struct cgroup *cg, const char *name, __u64 *number);
int cg_write_text_at(const struct cgroup *cg, const char *name, const char *text);
ssize_t cg_read_at(int fd, const char *file, char *buffer, size_t size);
ssize_t cg_read_path(const char *path, const char *file, char *buffer, size_t size);
int cg_write_at(int fd, const char *file, const char *text);
pid_t cg_fork_into(const struct cgroup *cg, int *pidfd);
pid_t cg_fork_moved(const struct cgroup *cg, int *pidfd);
int cg_kill_listed(const struct cgroup *cg);

#endif /* MEMSTRESS_USER_CGROUP_H */
