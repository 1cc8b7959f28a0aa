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
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/memstress.h>
#include <linux/memstress_netlink.h>

struct kmem_cache;
struct mem_cgroup;
struct page;
struct vm_area_struct;
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
 * @fallback: those that came from where the allocator falls back to
 */
struct ms_count {
	u64 objects;
	u64 uncharged;
	u64 fallback;
};

static inline struct ms_count ms_count_add(struct ms_count a, struct ms_count b)
{
	a.objects += b.objects;
	a.uncharged += b.uncharged;
	a.fallback += b.fallback;
	return a;
}

static inline struct ms_count ms_count_sub(struct ms_count a, struct ms_count b)
{
	a.objects -= b.objects;
	a.uncharged -= b.uncharged;
	a.fallback -= b.fallback;
	return a;
}

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

/* context.c: where a piece of work runs */

/* Objects in a round, booked and reserved under the caps: enough to make the locks cheap. */
#define MS_BATCH_OBJECTS 256

/**
 * struct ms_place - a context, and a CPU
 * @context: enum memstress_context
 * @pinned: on @cpu and no other
 * @cpu: its number
 */
struct ms_place {
	u32 context;
	bool pinned;
	u32 cpu;
};

int ms_context_init(void);
void ms_context_exit(void);
u64 ms_context_bitmap(void);
bool ms_context_interrupts(u32 context);
int ms_context_check(u32 context, bool pinned, u32 cpu);
bool ms_context_is_over(const struct ms_place *place, u64 objects, u64 ns);
u64 ms_context_rest(const struct ms_place *place, u64 now);
int ms_context_run(const struct ms_place *place, void (*round)(void *data), void *data);

/* lineage.c: a payer and its ancestors */

/* Deeper cgroups are seldom; what their farther ancestors inherit cannot be judged. */
#define MS_LINEAGE_DEPTH 16

/**
 * struct ms_lineage - a memcg and its ancestors, without a reference
 * @level: how many ancestors it has
 * @serials: of its css and those of its ancestors, the nearest first
 */
struct ms_lineage {
	u32 level;
	u64 serials[MS_LINEAGE_DEPTH];
};

enum ms_lineage_answer {
	MS_LINEAGE_RIGHT,
	MS_LINEAGE_WRONG,
	MS_LINEAGE_FORGOTTEN, /* an ancestor beyond MS_LINEAGE_DEPTH, or somebody at its level */
};

void ms_lineage_trace(struct ms_lineage *lineage, const struct mem_cgroup *memcg);
enum ms_lineage_answer ms_lineage_judge(const struct ms_lineage *lineage,
					const struct mem_cgroup *owner);

/* kind.c, kinds/: the allocator families */

/* What one call of a method that takes many at once is given; their pointers lie on the stack. */
#define MS_BULK_OBJECTS 32

/**
 * struct ms_request - what each object of a holding is
 * @ops: its kind
 * @cache: the slab cache, for the cache kind
 * @size: bytes of an object; 0 for kinds with an order
 * @order: page order; 0 for kinds without
 * @gfp: complete flags, __GFP_ACCOUNT and __GFP_ZERO included
 * @node: NUMA node or NUMA_NO_NODE
 * @policy: enum memstress_policy that @gfp was made from
 * @usable: ksize() of an object, for those from a kmalloc cache; else 0
 * @flags: enum memstress_alloc_flags
 * @method: enum memstress_alloc_method
 * @alignment: bytes; 0: the kind's own choice
 * @unpaid: no cgroup pays, because it was not asked for or because of who would
 * @unit: the books of one object; the numbers of objects in it mean nothing
 * @fallback: how one is charged that the allocator made in the way it falls back to
 */
struct ms_request {
	const struct ms_kind_ops *ops;
	struct kmem_cache *cache;
	u64 size;
	u32 order;
	gfp_t gfp;
	int node;
	u32 policy;
	size_t usable;
	u32 flags;
	u32 method;
	u32 alignment;
	bool unpaid;
	struct memstress_books unit;
	struct memstress_books fallback;
};

/**
 * struct ms_kind_ops - one allocator family
 * @kind: its id
 * @features: enum memstress_kind_feature
 * @policies: bitmap of enum memstress_policy that it takes
 * @contexts: bitmap of enum memstress_context that it can be allocated in
 * @alloc_methods: bitmap of enum memstress_alloc_method
 * @free_methods: bitmap of enum memstress_free_method
 * @alignment_max: largest alignment that can be asked for, a power of two; 0: none
 * @smallest: size or order
 * @largest: size or order on this machine
 * @prepare: completes request->unit (and fallback, and cache) for an object as requested; a
 *	request that is not accounted has no charges. May sleep and allocate,
 *	never on the account of the caller. 0 or -errno
 * @alloc: one object, or NULL
 * @alloc_bulk: at most MS_BULK_OBJECTS in one call of the allocator; returns how many it gave
 * @free: gives it back
 * @free_bulk: many in one call of the allocator
 * @free_split: of an object that was made to be split, each page by itself
 * @uncharged: whether this object of an accounted request was given without a charge;
 *	NULL: none is, as far as can be known
 * @fallback: whether this object is charged as request->fallback says, and not as
 *	request->unit; NULL: none is
 * @charged_page: the page, of the object's pages from 0 on, that says who is charged for it;
 *	NULL past the last, and if nothing of this object does. NULL: of none of the kind
 * @mapped_page: the first page of an object that can be mapped; for kinds with
 *	MEMSTRESS_KIND_FEATURE_MAPPABLE
 */
struct ms_kind_ops {
	enum memstress_kind kind;
	u32 features;
	u64 policies;
	u64 contexts;
	u64 alloc_methods;
	u64 free_methods;
	u64 alignment_max;
	u64 smallest;
	u64 (*largest)(void);
	int (*prepare)(struct ms_request *request);
	struct ms_link *(*alloc)(const struct ms_request *request);
	u32 (*alloc_bulk)(const struct ms_request *request, struct ms_link **links, u32 count);
	void (*free)(const struct ms_request *request, struct ms_link *link);
	void (*free_bulk)(const struct ms_request *request, struct ms_link **links, u32 count);
	void (*free_split)(const struct ms_request *request, struct ms_link *link);
	bool (*uncharged)(const struct ms_link *link);
	bool (*fallback)(const struct ms_link *link);
	struct page *(*charged_page)(const struct ms_request *request, struct ms_link *link,
				     u64 index);
	struct page *(*mapped_page)(struct ms_link *link);
};

extern const struct ms_kind_ops ms_page_ops;
extern const struct ms_kind_ops ms_kmalloc_ops;
extern const struct ms_kind_ops ms_cache_ops;
extern const struct ms_kind_ops ms_vmalloc_ops;
extern const struct ms_kind_ops ms_percpu_ops;
extern const struct ms_kind_ops ms_exact_ops;
extern const struct ms_kind_ops ms_kvmalloc_ops;

const struct ms_kind_ops *ms_kind_get(u32 kind);
u64 ms_kind_bitmap(void);
int ms_kind_check(const struct memstress_alloc *cmd);
int ms_kind_check_free(const struct ms_request *request, u32 method);
int ms_kind_prepare(const struct memstress_alloc *cmd, struct ms_request *request);
int ms_kind_prepare_pages(struct ms_request *request);
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

static inline bool ms_request_nolock(const struct ms_request *request)
{
	return request->policy == MEMSTRESS_POLICY_NOLOCK;
}

/* @link alone, as it counts. */
static inline struct ms_count ms_request_count(const struct ms_request *request,
					       const struct ms_link *link)
{
	const struct ms_kind_ops *ops = request->ops;

	return (struct ms_count){
		.objects = 1,
		.uncharged = ops->uncharged && !request->unpaid && ops->uncharged(link),
		.fallback = ops->fallback && ops->fallback(link),
	};
}

bool ms_request_referenced(const struct ms_request *request, struct ms_link *link);

/* policy.c: from enum memstress_policy to GFP flags */

/* Those that are GFP flags, which the page allocator and what asks it take all of. */
#define MS_POLICIES_OF_GFP                                                     \
	(BIT_ULL(MEMSTRESS_POLICY_KERNEL) | BIT_ULL(MEMSTRESS_POLICY_NOWAIT) | \
	 BIT_ULL(MEMSTRESS_POLICY_ATOMIC) | BIT_ULL(MEMSTRESS_POLICY_NOIO) |   \
	 BIT_ULL(MEMSTRESS_POLICY_NOFS) | BIT_ULL(MEMSTRESS_POLICY_NORETRY) |  \
	 BIT_ULL(MEMSTRESS_POLICY_RETRY_MAYFAIL) | BIT_ULL(MEMSTRESS_POLICY_NOFAIL))

u64 ms_policy_bitmap(void);
gfp_t ms_policy_gfp(u32 policy);
bool ms_policy_forced(u32 policy);
bool ms_policy_sleeps(u32 policy);

/* stride.c: how far apart a slab cache puts its objects */
int ms_stride_measure(struct kmem_cache *cache, size_t size, gfp_t gfp, size_t *stride);

/* memcg.c: whose memcg pays */
struct mem_cgroup *ms_memcg_get_caller(void);
struct mem_cgroup *ms_memcg_get_fd(int fd);
struct mem_cgroup *ms_memcg_get_pid(int nr);
struct mem_cgroup *ms_memcg_get_root(void);
void ms_memcg_put(struct mem_cgroup *memcg);
u64 ms_memcg_id(const struct mem_cgroup *memcg);
u64 ms_memcg_task_id(struct task_struct *task);
bool ms_memcg_is_root(const struct mem_cgroup *memcg);
bool ms_memcg_has_limit(struct mem_cgroup *memcg);
bool ms_memcg_accounts_kernel(void);
bool ms_memcg_on_v2(void);

/* ledger.c: what a session holds */

enum ms_holding_state {
	MS_HOLDING_FILLING, /* its ALLOC runs; nobody else sees it */
	MS_HOLDING_READY,
	MS_HOLDING_READING, /* an AUDIT or an mmap walks its chain */
	MS_HOLDING_FREEING, /* a FREE has taken its chain */
};

/**
 * struct ms_holding - the objects of one ALLOC
 * @node: in ms_ledger.holdings, by @handle
 * @handle: its name, never 0
 * @state: who may touch @chain
 * @request: what its objects are
 * @payer_id: cgroup id of the payer when it was made
 * @lineage: of the payer; nothing if nobody pays
 * @mappings: in address spaces; it is not freed while there is one and the session lives
 * @count: booked, in @chain or with the FREE that took it
 * @chain: the objects
 *
 * Owned by its ALLOC while FILLING, by whoever reads it while READING, by its FREE while
 * FREEING, else by the ledger.
 * All but @request, @payer_id and @lineage are protected by the session's lock.
 */
struct ms_holding {
	struct rb_node node;
	u32 handle;
	enum ms_holding_state state;
	struct ms_request request;
	u64 payer_id;
	struct ms_lineage lineage;
	u32 mappings;
	struct ms_count count;
	struct ms_chain chain;
};

/**
 * struct ms_ledger - all holdings of a session and their sums
 * @holdings: tree of struct ms_holding
 * @last_handle: given last
 * @books: sums, by kind
 * @count: number of holdings, by kind, those that are FILLING left out
 * @lingering_objects: given back while somebody still referenced them
 * @lingering_bytes: their footprint
 *
 * Protected by the session's lock.
 */
struct ms_ledger {
	struct rb_root holdings;
	u32 last_handle;
	struct memstress_books books[MEMSTRESS_KIND_END];
	u64 count[MEMSTRESS_KIND_END];
	u64 lingering_objects;
	u64 lingering_bytes;
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

/* victim.c: whom the OOM killer has marked */

/**
 * struct ms_process_id - a thread group, for as long as the machine is up
 * @pid: its number in the initial pid namespace
 * @start_ns: when it was started
 */
struct ms_process_id {
	pid_t pid;
	u64 start_ns;
};

void ms_victim_init(void);
void ms_victim_exit(void);
bool ms_victim_attached(void);
struct ms_process_id ms_victim_id(struct task_struct *task);
u64 ms_victim_ns(const struct ms_process_id *id);

/* session.c: one open file */

/**
 * struct ms_session - one open file of /dev/memstress
 * @id: its name, never 0
 * @owner: thread group that may ALLOC and SETUP
 * @opener: the same, also when it has exited
 * @peers: in the list of all sessions; protected by its mutex
 * @deadman: gives the memory back when the session has been idle too long
 * @active_jiffies: when the last ioctl began
 * @lock: protects all below
 * @ledger: what it holds
 * @shared: others than @owner may ALLOC, too
 * @dead: its memory was given back; it takes no more
 * @cause: why that was
 * @in_flight: ALLOC and FREE calls under way
 * @footprint_bytes: counted against session_max_bytes; protected by the lock of
 *	limits.c
 *
 * Created by open, destroyed by the last close. No reference is needed: whoever
 * else finds a session does so through the list, under its mutex.
 */
struct ms_session {
	u64 id;
	struct pid *owner;
	struct ms_process_id opener;
	struct list_head peers;
	struct delayed_work deadman;
	unsigned long active_jiffies;

	spinlock_t lock; /* protects what follows */
	struct ms_ledger ledger;
	bool shared;
	bool dead;
	enum memstress_cause cause;
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
u64 ms_session_reclaim(struct ms_session *session, enum memstress_cause cause);
u64 ms_session_bookkeeping(const struct ms_session *session);
int ms_session_walk(u64 after, int (*visit)(struct ms_session *session, void *data), void *data);
int ms_session_visit(u64 id, int (*visit)(struct ms_session *session, void *data), void *data);
int ms_session_ledger(struct ms_ucmd *ucmd);
struct ms_holding *ms_session_read(struct ms_session *session, u32 handle);
struct ms_holding *ms_session_read_next(struct ms_session *session, u32 *handle);
void ms_session_read_done(struct ms_session *session, struct ms_holding *holding);
int ms_session_setup(struct ms_ucmd *ucmd);
bool ms_session_may_alloc(const struct ms_session *session);
struct ms_holding *ms_holding_create(const struct ms_request *request);
void ms_holding_destroy(struct ms_holding *holding);

/* tally.c: what a call has come to */

/**
 * struct ms_tally - what an ALLOC or a FREE has come to
 * @books: objects made or freed
 * @lingering_objects: freed ones that somebody still referenced
 * @lingering_bytes: their footprint
 * @failures: objects refused
 * @first_errno: of the first refused one
 * @total_ns: time in the allocator
 * @slowest_ns: longest time in it for one object
 * @histogram: attempts by log2 of their time
 */
struct ms_tally {
	struct memstress_books books;
	u64 lingering_objects;
	u64 lingering_bytes;
	u64 failures;
	u32 first_errno;
	u64 total_ns;
	u64 slowest_ns;
	u64 histogram[MEMSTRESS_HISTOGRAM_SLOTS];
};

void ms_tally_time(struct ms_tally *tally, u64 ns);
void ms_tally_lingering(struct ms_tally *tally, const struct ms_request *request,
			struct ms_link *link);

/* rcu.c: objects freed when nobody in an RCU section can see them any more */
void ms_rcu_exit(void);
void ms_rcu_free(const struct ms_request *request, struct ms_chain *chain, u64 count,
		 struct ms_tally *tally);

/* event.c: what has happened */

/**
 * struct ms_event - something that listeners are told
 * @command: enum memstress_netlink_command; decides what of the rest there is
 * @sequence: its number
 * @ns: CLOCK_MONOTONIC
 * @epoch: of the module
 * @lost: events right before it that nobody was told
 * @session: id of the session, or 0
 * @process: whom it is about, @process.pid in the initial pid namespace
 * @stopped: of MEMSTRESS_EVENT_STOPPED
 * @released: of MEMSTRESS_EVENT_RELEASED
 * @books: of both
 */
struct ms_event {
	u32 command;
	u64 sequence;
	u64 ns;
	u64 epoch;
	u64 lost;
	u64 session;
	struct {
		pid_t pid;
		pid_t tid;
		char comm[TASK_COMM_LEN];
		u64 cgroup_id;
	} process;
	union {
		struct {
			u32 stop;
			u32 error;
			u32 kind;
			u32 context;
			u32 policy;
			u32 handle;
			u64 payer_id;
			u64 failures;
			u32 first_errno;
		} stopped;
		struct {
			u32 cause;
			bool is_victim;
			u64 since_victim_ns;
		} released;
	};
	struct memstress_books books;
};

int ms_event_init(void);
void ms_event_exit(void);
u64 ms_event_sequence(u64 *epoch);
void ms_event_opened(const struct ms_session *session);
void ms_event_closed(const struct ms_session *session);
void ms_event_stopped(const struct ms_session *session, const struct ms_holding *holding,
		      u32 context, u32 stop, int error, const struct ms_tally *tally);
void ms_event_released(const struct ms_session *session, enum memstress_cause cause,
		       const struct memstress_books *books);
void ms_event_victim(struct task_struct *task, u64 ns);

/* netlink.c: the generic netlink family */
int ms_netlink_init(void);
void ms_netlink_exit(void);
bool ms_netlink_listened(void);
int ms_netlink_multicast(const struct ms_event *event);

/* alloc.c */
int ms_alloc(struct ms_ucmd *ucmd);

/* free.c */
void ms_free_chain(struct ms_session *session, const struct ms_request *request,
		   struct ms_chain *chain, struct ms_tally *tally);
int ms_free(struct ms_ucmd *ucmd);

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

/* audit.c: who owns the objects */
int ms_audit(struct ms_ucmd *ucmd);

/* mmap.c: pages in address spaces */
u64 ms_mmap_offset(const struct ms_holding *holding);
int ms_mmap(struct file *file, struct vm_area_struct *vma);

/* settle.c: counters made exact */
int ms_settle(struct ms_ucmd *ucmd);

/* ioctl.c: dispatch, and the answer */
long ms_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int ms_ioctl_respond(struct ms_ucmd *ucmd, size_t size);
bool ms_ioctl_privileged(struct file *file);

#endif /* _MS_INTERNAL_H */
