/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types and prototypes of the module, grouped by the file that defines them.
 * kmod/README.md has the object model, who owns what, and the order of locks.
 */
#ifndef _MS_INTERNAL_H
#define _MS_INTERNAL_H

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/memstress.h>

struct kmem_cache;
struct mem_cgroup;
struct ms_request;

/* chain.c: objects linked through themselves */

/**
 * struct ms_link - the first words of a free-standing object
 * @next: the object's neighbour in its chain
 *
 * For the page kind it lies in page->lru, for all others in the object itself.
 */
struct ms_link {
	struct ms_link *next;
};

/**
 * struct ms_count - a number of objects of one request
 * @objects: all of them
 * @uncharged: those that the kernel gave without a charge though asked for one
 */
struct ms_count {
	u64 objects;
	u64 uncharged;
};

enum ms_chain_age {
	MS_CHAIN_NEWEST_FIRST,
	MS_CHAIN_OLDEST_FIRST,
};

/**
 * struct ms_chain - some objects, with no memory but their own
 * @first: head; popped first
 * @age: which end @first is
 * @count: how many
 */
struct ms_chain {
	struct ms_link *first;
	enum ms_chain_age age;
	struct ms_count count;
};

void ms_chain_push(struct ms_chain *chain, const struct ms_request *request, struct ms_link *link);
struct ms_link *ms_chain_pop(struct ms_chain *chain, const struct ms_request *request);
void ms_chain_splice(struct ms_chain *chain, struct ms_chain *newer, struct ms_link *newer_last);
void ms_chain_order(struct ms_chain *chain, enum memstress_free_order order, u64 seed);

/* kind.c, kinds/: the allocator families */

/**
 * struct ms_request - what each object of a holding is
 * @ops: its kind
 * @cache: the slab cache, for the cache kind
 * @size: bytes of an object; 0 for kinds with an order
 * @order: page order; 0 for kinds without
 * @gfp: complete flags, __GFP_ACCOUNT and __GFP_ZERO included
 * @node: NUMA node or NUMA_NO_NODE
 * @policy: enum memstress_policy that @gfp was made from
 * @flags: enum memstress_alloc_flags
 * @unpaid: no cgroup pays, because it was not asked for or because of who would
 * @unit: the books of one object; the numbers of objects in it mean nothing
 */
struct ms_request {
	const struct ms_kind_ops *ops;
	struct kmem_cache *cache;
	u64 size;
	u32 order;
	gfp_t gfp;
	int node;
	u32 policy;
	u32 flags;
	bool unpaid;
	struct memstress_books unit;
};

/**
 * struct ms_kind_ops - one allocator family
 * @kind: its id
 * @features: enum memstress_kind_feature
 * @policies: bitmap of enum memstress_policy that it takes
 * @smallest: size or order
 * @largest: size or order on this machine
 * @prepare: completes request->unit (and cache) for an object as requested; a
 *	request that is not accounted has no charges. May sleep and allocate,
 *	never on the account of the caller. 0 or -errno
 * @alloc: one object, or NULL
 * @free: gives it back
 * @uncharged: whether this object of an accounted request was given without a charge;
 *	NULL: none is, as far as can be known
 */
struct ms_kind_ops {
	enum memstress_kind kind;
	u32 features;
	u64 policies;
	u64 smallest;
	u64 (*largest)(void);
	int (*prepare)(struct ms_request *request);
	struct ms_link *(*alloc)(const struct ms_request *request);
	void (*free)(const struct ms_request *request, struct ms_link *link);
	bool (*uncharged)(const struct ms_link *link);
};

extern const struct ms_kind_ops ms_page_ops;
extern const struct ms_kind_ops ms_kmalloc_ops;
extern const struct ms_kind_ops ms_cache_ops;
extern const struct ms_kind_ops ms_vmalloc_ops;
extern const struct ms_kind_ops ms_percpu_ops;

const struct ms_kind_ops *ms_kind_get(u32 kind);
u64 ms_kind_bitmap(void);
int ms_kind_check(const struct memstress_alloc *cmd);
int ms_kind_prepare(const struct memstress_alloc *cmd, struct ms_request *request);
int ms_kind_describe(struct memstress_info *cmd);
void ms_kind_add_books(struct memstress_books *sum, const struct ms_request *request,
		       struct ms_count count);
void ms_kind_sub_books(struct memstress_books *sum, const struct ms_request *request,
		       struct ms_count count);
void ms_kind_exit(void);

void ms_cache_exit(void);

static inline bool ms_request_accounted(const struct ms_request *request)
{
	return request->flags & MEMSTRESS_ALLOC_ACCOUNT;
}

static inline bool ms_request_uncharged(const struct ms_request *request,
					const struct ms_link *link)
{
	return request->ops->uncharged && !request->unpaid && request->ops->uncharged(link);
}

/* policy.c: from enum memstress_policy to GFP flags */
u64 ms_policy_bitmap(void);
gfp_t ms_policy_gfp(u32 policy);
bool ms_policy_forced(u32 policy);

/* stride.c: how far apart a slab cache puts its objects */
int ms_stride_measure(struct kmem_cache *cache, size_t size, gfp_t gfp, size_t *stride);

/* memcg.c: whose memcg pays */
struct mem_cgroup *ms_memcg_get_caller(void);
struct mem_cgroup *ms_memcg_get_fd(int fd);
struct mem_cgroup *ms_memcg_get_root(void);
void ms_memcg_put(struct mem_cgroup *memcg);
u64 ms_memcg_id(const struct mem_cgroup *memcg);
bool ms_memcg_is_root(const struct mem_cgroup *memcg);
bool ms_memcg_has_limit(struct mem_cgroup *memcg);
bool ms_memcg_accounts_kernel(void);
bool ms_memcg_on_v2(void);

/* ledger.c: what a session holds */

enum ms_holding_state {
	MS_HOLDING_FILLING, /* its ALLOC runs; nobody else sees it */
	MS_HOLDING_READY,
	MS_HOLDING_FREEING, /* a FREE has taken its chain */
};

/**
 * struct ms_holding - the objects of one ALLOC
 * @node: in ms_ledger.holdings, by @handle
 * @handle: its name, never 0
 * @state: who may touch @chain
 * @request: what its objects are
 * @payer_id: cgroup id of the payer when it was made
 * @count: booked, in @chain or with the FREE that took it
 * @chain: the objects
 *
 * Owned by its ALLOC while FILLING, by its FREE while FREEING, else by the ledger.
 * All but @request and @payer_id are protected by the session's lock.
 */
struct ms_holding {
	struct rb_node node;
	u32 handle;
	enum ms_holding_state state;
	struct ms_request request;
	u64 payer_id;
	struct ms_count count;
	struct ms_chain chain;
};

/**
 * struct ms_ledger - all holdings of a session and their sums
 * @holdings: tree of struct ms_holding
 * @last_handle: given last
 * @books: sums, by kind
 * @count: number of holdings, by kind, those that are FILLING left out
 *
 * Protected by the session's lock.
 */
struct ms_ledger {
	struct rb_root holdings;
	u32 last_handle;
	struct memstress_books books[MEMSTRESS_KIND_END];
	u64 count[MEMSTRESS_KIND_END];
};

void ms_ledger_init(struct ms_ledger *ledger);
void ms_ledger_insert(struct ms_ledger *ledger, struct ms_holding *holding);
void ms_ledger_publish(struct ms_ledger *ledger, struct ms_holding *holding);
void ms_ledger_remove(struct ms_ledger *ledger, struct ms_holding *holding);
struct ms_holding *ms_ledger_find(const struct ms_ledger *ledger, u32 handle);
struct ms_holding *ms_ledger_next(const struct ms_ledger *ledger, u32 handle);
struct ms_holding *ms_ledger_pick(const struct ms_ledger *ledger, bool newest);
void ms_ledger_add(struct ms_ledger *ledger, struct ms_holding *holding, struct ms_count count);
void ms_ledger_sub(struct ms_ledger *ledger, struct ms_holding *holding, struct ms_count count);
void ms_ledger_sum(const struct ms_ledger *ledger, u32 kind, struct memstress_ledger *cmd);

/* session.c: one open file */

/**
 * struct ms_session - one open file of /dev/memstress
 * @owner: thread group that may ALLOC
 * @peers: in the list of all sessions; protected by its mutex
 * @deadman: gives the memory back when the session has been idle too long
 * @active_jiffies: when the last ioctl began
 * @lock: protects all below
 * @ledger: what it holds
 * @dead: its memory was given back; it takes no more
 * @in_flight: ALLOC and FREE calls under way
 * @footprint_bytes: counted against session_max_bytes; protected by the lock of
 *	limits.c
 *
 * Created by open, destroyed by the last close. No reference is needed: whoever
 * else finds a session does so through the list, under its mutex.
 */
struct ms_session {
	struct pid *owner;
	struct list_head peers;
	struct delayed_work deadman;
	unsigned long active_jiffies;

	spinlock_t lock; /* protects what follows */
	struct ms_ledger ledger;
	bool dead;
	u32 in_flight;

	u64 footprint_bytes;
};

/**
 * struct ms_ucmd - one ioctl under way
 * @session: of the file
 * @file: it came through
 * @ubuffer: the caller's struct
 * @user_size: its size, read once
 * @cmd: our copy, zero-extended to what we know
 */
struct ms_ucmd {
	struct ms_session *session;
	struct file *file;
	void __user *ubuffer;
	u32 user_size;
	void *cmd;
};

int ms_session_init(void);
void ms_session_exit(void);
struct ms_session *ms_session_create(void);
void ms_session_destroy(struct ms_session *session);
void ms_session_touch(struct ms_session *session);
void ms_session_rearm_all(void);
u64 ms_session_reclaim_all(void);
int ms_session_alloc(struct ms_ucmd *ucmd);
int ms_session_free(struct ms_ucmd *ucmd);
int ms_session_ledger(struct ms_ucmd *ucmd);

/* limits.c: what may be taken from this machine, and what is */
void ms_limits_init(void);
u64 ms_limits_reserve(struct ms_session *session, const struct ms_request *request, u64 objects);
void ms_limits_release(struct ms_session *session, const struct ms_request *request, u64 objects);
unsigned int ms_limits_deadman_ms(void);
bool ms_limits_require_limit(void);
bool ms_limits_oom_relief(void);
void ms_limits_describe(struct memstress_info *cmd);

/* relief.c: memory back on a global OOM */
int ms_relief_init(void);
void ms_relief_exit(void);

/* settle.c: counters made exact */
int ms_settle(struct ms_ucmd *ucmd);

/* ioctl.c: dispatch, and the answer */
long ms_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int ms_ioctl_respond(struct ms_ucmd *ucmd, size_t size);
bool ms_ioctl_privileged(struct file *file);

#endif /* _MS_INTERNAL_H */
