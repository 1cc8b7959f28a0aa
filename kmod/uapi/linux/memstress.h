/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctl ABI of /dev/memstress.
 *
 * One open file is a *session*. It owns every object that was allocated through
 * it, and closing its last descriptor frees them all, also when the process is
 * killed.
 *
 * General rules
 * -------------
 *
 * Every request is a struct that begins with __u32 size and __u32 flags. The
 * caller sets size to the sizeof() of the struct that it was compiled with.
 * Structs only ever grow, at their end:
 *
 *  - a struct longer than the kernel's is accepted if the bytes that the kernel
 *    does not know are zero, and those bytes are left alone;
 *  - a shorter one is accepted if it has all the fields of ABI version 1; the rest
 *    is taken as zero, and the answer is cut to the given size.
 *
 * Unknown flags and non-zero __reserved fields are refused, so that they can be
 * given a meaning later. A field marked [out] is written by the kernel and not
 * read. All others are read, and left as they were unless marked [in/out].
 *
 * Every ioctl returns 0, or -1 with errno:
 *
 *  - ENOTTY: no such ioctl.
 *  - E2BIG: the struct is longer than a page, or has non-zero bytes that this
 *    kernel does not know.
 *  - EINVAL: malformed: size too small, an unknown flag, a reserved field that
 *    is not zero, a number outside the enumeration or range of its field.
 *  - EFAULT: the struct or the histogram is not accessible. Nothing is kept.
 *  - EOPNOTSUPP: well-formed, but this kernel, kind or context cannot do it; or the
 *    directory is of a hierarchy that the memory controller is not on: of another one
 *    of cgroup v1, or of cgroup v2 on a host where memory is on v1.
 *  - EPERM: needs CAP_SYS_ADMIN of the caller and of whoever opened the session: memory
 *    that nobody pays for, asked for or because the payer would be the root, forced
 *    policies, interrupt contexts, naming a payer, SETTLE; and of the caller alone, to be
 *    the first to ask for a size of the cache kind.
 *  - EACCES: only the thread group that opened the session may allocate, unless it has
 *    made the session a shared one (SETUP), which only that group may.
 *  - EBADF: a descriptor is not open, or is not the directory of a cgroup.
 *  - ENOENT: no holding has this handle, or the payer's cgroup was removed.
 *  - ESRCH: there is no process with the payer's id.
 *  - ENODEV: the CPU asked for is not online.
 *  - EBUSY: another call is working on this holding, or it is mapped and was to be freed.
 *  - EDQUOT: the payer has no finite limit on itself or on an ancestor, and the
 *    module parameter require_limit is set.
 *  - ENOMEM: memory for the request itself (not for its objects) was refused; nothing
 *    is kept of it. So may open() answer. FREE and LEDGER need no memory.
 *  - ENOSPC: the module has as many slab caches of its own as it makes (64 sizes).
 *  - ESTALE: the session's memory was given back for it, by the dead-man timer
 *    or on a global OOM. ALLOC, FREE, LEDGER and SETUP are over for this session.
 */
#ifndef _UAPI_LINUX_MEMSTRESS_H
#define _UAPI_LINUX_MEMSTRESS_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MEMSTRESS_DEVICE      "/dev/memstress"
#define MEMSTRESS_ABI_VERSION 1
#define MEMSTRESS_IOC_TYPE    0xBD

enum {
	MEMSTRESS_CMD_BASE = 0x40,
	MEMSTRESS_CMD_INFO = MEMSTRESS_CMD_BASE,
	MEMSTRESS_CMD_ALLOC,
	MEMSTRESS_CMD_FREE,
	MEMSTRESS_CMD_LEDGER,
	MEMSTRESS_CMD_SETTLE,
	MEMSTRESS_CMD_AUDIT,
	MEMSTRESS_CMD_SETUP,
};

/**
 * enum memstress_kind - an allocator family of the kernel
 * @MEMSTRESS_KIND_PAGE: alloc_pages(), of an order; charged in whole pages
 * @MEMSTRESS_KIND_KMALLOC: kmalloc(), of a size; charged by the byte up to the
 *	largest kmalloc cache, in whole pages above it
 * @MEMSTRESS_KIND_CACHE: kmem_cache_alloc() from a cache of the module's own that
 *	is never merged with another; charged by the byte
 * @MEMSTRESS_KIND_VMALLOC: vmalloc(), of a size; charged in whole pages
 * @MEMSTRESS_KIND_PERCPU: alloc_percpu(), of a size a CPU; charged by the byte,
 *	for every possible CPU. On most kernels only policies that may do all that
 *	GFP_KERNEL may make new chunks; others are refused when no page is at hand
 * @MEMSTRESS_KIND_EXACT: alloc_pages_exact(), of a size; charged in whole pages. For a moment the
 *	next power of two of pages is taken and charged, then the tail is given back
 * @MEMSTRESS_KIND_KVMALLOC: kvmalloc(), of a size; above a page it falls back to vmalloc() where
 *	kmalloc() fails, and each object is charged as what it has become. The caps count it
 *	as kmalloc(), which takes no less. Smaller than what vmalloc() may map by huge pages,
 *	for that rounds it up
 * @MEMSTRESS_KIND_END: one past the last
 *
 * 0 is no kind.
 */
enum memstress_kind {
	MEMSTRESS_KIND_PAGE = 1,
	MEMSTRESS_KIND_KMALLOC,
	MEMSTRESS_KIND_CACHE,
	MEMSTRESS_KIND_VMALLOC,
	MEMSTRESS_KIND_PERCPU,
	MEMSTRESS_KIND_EXACT,
	MEMSTRESS_KIND_KVMALLOC,
	MEMSTRESS_KIND_END,
};

/**
 * enum memstress_context - where an allocation or a free runs
 * @MEMSTRESS_CONTEXT_TASK: in the calling thread
 * @MEMSTRESS_CONTEXT_KWORKER: in a kernel worker thread. At the limit it is the payer's
 *	cgroup that the OOM killer looks into, as always. A caller that is being killed
 *	takes the worker's allocation with it; but for anybody else who is killed, the
 *	allocation goes on until the limit gives way, or nobody is left to be killed
 * @MEMSTRESS_CONTEXT_SOFTIRQ: in a softirq, by a timer
 * @MEMSTRESS_CONTEXT_HARDIRQ: in a hardirq, by a timer. Not on PREEMPT_RT
 * @MEMSTRESS_CONTEXT_END: one past the last
 *
 * The caller waits, and ends the call as in its own context. In an interrupt, at most 64
 * objects are made or freed, and none is begun after 100 us; then the caller looks whether
 * to go on, and raises the next one. Interrupts take policies that do not sleep (NOWAIT,
 * ATOMIC, NOLOCK) and kinds whose allocator may be called there; 5.10 never charges what is
 * allocated in one (memcg_kmem_bypass() in mm/memcontrol.c), so there MEMSTRESS_ALLOC_ACCOUNT
 * is EOPNOTSUPP in them. INFO tells what this module can do.
 */
enum memstress_context {
	MEMSTRESS_CONTEXT_TASK,
	MEMSTRESS_CONTEXT_KWORKER,
	MEMSTRESS_CONTEXT_SOFTIRQ,
	MEMSTRESS_CONTEXT_HARDIRQ,
	MEMSTRESS_CONTEXT_END,
};

/**
 * enum memstress_policy - how hard the allocator tries
 * @MEMSTRESS_POLICY_KERNEL: GFP_KERNEL: reclaims, may invoke the OOM killer
 * @MEMSTRESS_POLICY_NOWAIT: GFP_NOWAIT: no direct reclaim, fails at the limit
 * @MEMSTRESS_POLICY_ATOMIC: GFP_ATOMIC: no direct reclaim; its charge is forced
 *	over the limit from 6.1, counted against the cap on forced bytes
 * @MEMSTRESS_POLICY_NOIO: GFP_NOIO: reclaims without starting I/O
 * @MEMSTRESS_POLICY_NOFS: GFP_NOFS: reclaims without calling into file systems
 * @MEMSTRESS_POLICY_NORETRY: GFP_KERNEL | __GFP_NORETRY: one round of reclaim, no
 *	OOM killer
 * @MEMSTRESS_POLICY_RETRY_MAYFAIL: GFP_KERNEL | __GFP_RETRY_MAYFAIL: reclaims as
 *	long as there is progress, no OOM killer
 * @MEMSTRESS_POLICY_NOFAIL: GFP_KERNEL | __GFP_NOFAIL: never fails; its charge is
 *	forced, counted against the cap on forced bytes. EOPNOTSUPP where the
 *	kernel would warn: more than order 1
 * @MEMSTRESS_POLICY_NOLOCK: alloc_pages_nolock() and kmalloc_nolock(), where the kernel exports
 *	both: they take no lock that is held, so they fail also while there is memory (see
 *	@max_failures). Orders up to 3, objects of the kmalloc caches, no NUMA node. What
 *	kmalloc_nolock() takes from a larger cache than the object's, or gives uncharged,
 *	is given back and counts as refused
 * @MEMSTRESS_POLICY_END: one past the last
 *
 * __GFP_NOWARN is always added. See Documentation/core-api/memory-allocation.rst.
 */
enum memstress_policy {
	MEMSTRESS_POLICY_KERNEL,
	MEMSTRESS_POLICY_NOWAIT,
	MEMSTRESS_POLICY_ATOMIC,
	MEMSTRESS_POLICY_NOIO,
	MEMSTRESS_POLICY_NOFS,
	MEMSTRESS_POLICY_NORETRY,
	MEMSTRESS_POLICY_RETRY_MAYFAIL,
	MEMSTRESS_POLICY_NOFAIL,
	MEMSTRESS_POLICY_NOLOCK,
	MEMSTRESS_POLICY_END,
};

/**
 * struct memstress_books - what some objects are, and what the kernel must have charged
 * @objects: number of objects
 * @uncharged_objects: those of them that the kernel gave without a charge though it
 *	was asked for one. Known for percpu: what lies in the first chunk, made at
 *	boot, is free (pcpu_alloc_first_chunk() in mm/percpu.c)
 * @requested_bytes: what was asked for: objects times object size (for percpu the
 *	size a CPU, for pages the page size times 2^order)
 * @page_charged_bytes: expected charge of what is charged in whole pages. Moves
 *	memory.current by as much
 * @byte_charged_bytes: expected charge of what is charged by the byte through an
 *	objcg. Moves its line of memory.stat by as much, and memory.current by
 *	the sum over the objcg rounded up to whole pages
 * @footprint_bytes: memory taken, charged or not, as the module's caps count it, with the
 *	pointers to objcgs that the kernel keeps beside accounted objects
 *
 * Both charges are 0 for memory that is not accounted, and for the root cgroup.
 * On cgroup v1 memory.current is memory.usage_in_bytes, memory.kmem.usage_in_bytes and
 * memory.memsw.usage_in_bytes move by as much, and memory.stat has no line for kernel
 * memory. The formulas stand with each kind in kmod/kinds/. Never grows.
 */
struct memstress_books {
	__aligned_u64 objects;
	__aligned_u64 uncharged_objects;
	__aligned_u64 requested_bytes;
	__aligned_u64 page_charged_bytes;
	__aligned_u64 byte_charged_bytes;
	__aligned_u64 footprint_bytes;
};

/**
 * enum memstress_feature - bits of memstress_info.features
 * @MEMSTRESS_FEATURE_KMEM: this kernel accounts kernel memory (CONFIG_MEMCG_KMEM or
 *	CONFIG_MEMCG, and not cgroup.memory=nokmem)
 * @MEMSTRESS_FEATURE_PAYER: another cgroup can be made to pay
 * @MEMSTRESS_FEATURE_SETTLE: SETTLE works
 * @MEMSTRESS_FEATURE_REQUIRE_LIMIT: payers without a finite limit are refused
 * @MEMSTRESS_FEATURE_OOM_RELIEF: an OOM that is not a cgroup's takes the memory of all
 *	sessions back: of the machine, of a cpuset or a memory policy, or by SysRq-f
 * @MEMSTRESS_FEATURE_CHARGED_INTERRUPTS: this kernel charges what is allocated in interrupts
 * @MEMSTRESS_FEATURE_MAPS_CHARGED: what is charged can be mapped. 5.10 maps only what nobody
 *	pays for
 */
enum memstress_feature {
	MEMSTRESS_FEATURE_KMEM = 1 << 0,
	MEMSTRESS_FEATURE_PAYER = 1 << 1,
	MEMSTRESS_FEATURE_SETTLE = 1 << 2,
	MEMSTRESS_FEATURE_REQUIRE_LIMIT = 1 << 3,
	MEMSTRESS_FEATURE_OOM_RELIEF = 1 << 4,
	MEMSTRESS_FEATURE_CHARGED_INTERRUPTS = 1 << 5,
	MEMSTRESS_FEATURE_MAPS_CHARGED = 1 << 6,
};

/**
 * enum memstress_kind_feature - bits of memstress_info.kind_features
 * @MEMSTRESS_KIND_FEATURE_NODE: a NUMA node can be given
 * @MEMSTRESS_KIND_FEATURE_ORDER: objects have an order, not an object size
 * @MEMSTRESS_KIND_FEATURE_MAPPABLE: MEMSTRESS_ALLOC_MAPPABLE works; not on 32-bit kernels
 */
enum memstress_kind_feature {
	MEMSTRESS_KIND_FEATURE_NODE = 1 << 0,
	MEMSTRESS_KIND_FEATURE_ORDER = 1 << 1,
	MEMSTRESS_KIND_FEATURE_MAPPABLE = 1 << 2,
};

/**
 * struct memstress_info - argument of MEMSTRESS_IOC_INFO
 * @size: sizeof(struct memstress_info)
 * @flags: must be 0
 * @kind: enum memstress_kind to tell about in the kind_ and object_ fields, or 0
 * @order: with a @kind that has orders, the order for the object_ fields; else 0
 * @object_size: with a @kind that has sizes, bytes for the object_ fields. 0: the
 *	object_ fields stay 0
 * @abi_version: [out] MEMSTRESS_ABI_VERSION of the module
 * @page_size: [out] bytes
 * @kinds: [out] bitmap, 1 << enum memstress_kind, of what this kernel can do
 * @contexts: [out] bitmap, 1 << enum memstress_context
 * @policies: [out] bitmap, 1 << enum memstress_policy
 * @features: [out] bitmap of enum memstress_feature
 * @possible_cpus: [out] CPUs that percpu objects are multiplied by
 * @online_cpus: [out] CPUs that can hold a stock of charges now
 * @online_nodes: [out] NUMA nodes with memory or CPUs
 * @charge_batch_pages: [out] pages that a CPU's stock takes at a time
 *	(MEMCG_CHARGE_BATCH of include/linux/memcontrol.h)
 * @session_max_bytes: [out] cap on a session's footprint
 * @total_max_bytes: [out] cap on the footprint of all sessions
 * @unaccounted_max_bytes: [out] cap on what no cgroup pays for, all sessions
 * @forced_max_bytes: [out] cap on what ATOMIC and NOFAIL took, all sessions
 * @total_bytes: [out] footprint of all sessions now
 * @deadman_ms: [out] time since the beginning of the last call after which a session's
 *	memory is given back, also while that call still runs; 0: never
 * @__reserved: must be 0
 * @kind_policies: [out] bitmap, 1 << enum memstress_policy, for @kind
 * @kind_contexts: [out] bitmap, 1 << enum memstress_context, for @kind
 * @kind_features: [out] bitmap of enum memstress_kind_feature
 * @kind_min: [out] smallest object size in bytes, or order
 * @kind_max: [out] largest object size in bytes, or order
 * @object_page_charged_bytes: [out] charge of one accounted object, in whole pages; of kvmalloc
 *	as long as it does not fall back
 * @object_byte_charged_bytes: [out] charge of one accounted object, by the byte
 * @object_footprint_bytes: [out] what one object counts against the caps
 * @kind_alloc_methods: [out] bitmap, 1 << enum memstress_alloc_method, for @kind
 * @kind_free_methods: [out] bitmap, 1 << enum memstress_free_method, for @kind
 * @kind_alignment_max: [out] largest alignment in bytes; 0: none can be asked for
 *
 * Does not allocate anything for the session. EOPNOTSUPP: @kind is not supported
 * by this kernel. EINVAL: no such kind, or a size or order outside its range.
 */
struct memstress_info {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 order;
	__aligned_u64 object_size;
	__u32 abi_version;
	__u32 page_size;
	__aligned_u64 kinds;
	__aligned_u64 contexts;
	__aligned_u64 policies;
	__aligned_u64 features;
	__u32 possible_cpus;
	__u32 online_cpus;
	__u32 online_nodes;
	__u32 charge_batch_pages;
	__aligned_u64 session_max_bytes;
	__aligned_u64 total_max_bytes;
	__aligned_u64 unaccounted_max_bytes;
	__aligned_u64 forced_max_bytes;
	__aligned_u64 total_bytes;
	__u32 deadman_ms;
	__u32 __reserved;
	__aligned_u64 kind_policies;
	__aligned_u64 kind_contexts;
	__aligned_u64 kind_features;
	__aligned_u64 kind_min;
	__aligned_u64 kind_max;
	__aligned_u64 object_page_charged_bytes;
	__aligned_u64 object_byte_charged_bytes;
	__aligned_u64 object_footprint_bytes;
	__aligned_u64 kind_alloc_methods;
	__aligned_u64 kind_free_methods;
	__aligned_u64 kind_alignment_max;
};
#define MEMSTRESS_IOC_INFO _IO(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_INFO)

/**
 * enum memstress_alloc_flags - bits of memstress_alloc.flags
 * @MEMSTRESS_ALLOC_ACCOUNT: charge the objects (__GFP_ACCOUNT, for the cache kind
 *	SLAB_ACCOUNT). Without it nobody pays, and CAP_SYS_ADMIN is needed
 * @MEMSTRESS_ALLOC_ZERO: zero the objects (__GFP_ZERO; percpu is always zeroed)
 * @MEMSTRESS_ALLOC_CPU: the context runs on @cpu. Not for the task context: there the
 *	caller's affinity decides (sched_setaffinity(2)). A CPU that goes offline
 *	meanwhile ends the call: stop reason FAILED, ENODEV
 * @MEMSTRESS_ALLOC_PAYER_PID: @payer_fd is not a descriptor but the id, in the caller's pid
 *	namespace, of a process whose cgroup at the start of the call pays for all of it
 * @MEMSTRESS_ALLOC_SPLITTABLE: pages of an order are not compound, so that
 *	MEMSTRESS_FREE_SPLIT can free them singly. For kinds with that method. Not with
 *	MEMSTRESS_ALLOC_MAPPABLE
 * @MEMSTRESS_ALLOC_MAPPABLE: the holding can be mapped with mmap(2), see @mmap_offset: pages,
 *	compound, and zeroed without being asked for. @count is for at most
 *	MEMSTRESS_MAPPABLE_MAX_BYTES. EOPNOTSUPP: the kind cannot be mapped, or is to be
 *	charged, which this kernel cannot map (no MEMSTRESS_FEATURE_MAPS_CHARGED). Not
 *	with MEMSTRESS_ALLOC_SPLITTABLE
 */
enum memstress_alloc_flags {
	MEMSTRESS_ALLOC_ACCOUNT = 1 << 0,
	MEMSTRESS_ALLOC_ZERO = 1 << 1,
	MEMSTRESS_ALLOC_CPU = 1 << 2,
	MEMSTRESS_ALLOC_PAYER_PID = 1 << 3,
	MEMSTRESS_ALLOC_SPLITTABLE = 1 << 4,
	MEMSTRESS_ALLOC_MAPPABLE = 1 << 5,
};

/**
 * enum memstress_alloc_method - how objects are made
 * @MEMSTRESS_ALLOC_SINGLY: one by one, with the kind's own function
 * @MEMSTRESS_ALLOC_BULK: up to 32 in one call: kmem_cache_alloc_bulk(), which gives all or
 *	nothing, and alloc_pages_bulk() of order 0 (from 5.16; it was there before, and gave
 *	accounted pages without a charge), which may give fewer: accounted pages one at a time.
 *	A call is one attempt, and refused if it gives nothing. Not in a hardirq
 * @MEMSTRESS_ALLOC_GROW: of half the size, then krealloc() to the size. While it copies, there
 *	are both, and both charged. Without a node
 * @MEMSTRESS_ALLOC_SHRINK: of twice the size, which must not be above the kind_max of INFO,
 *	then krealloc() to the size, which leaves the object where it is and so its charge
 *	what it was. Without a node
 * @MEMSTRESS_ALLOC_METHOD_END: one past the last
 *
 * EOPNOTSUPP: the kind does not make objects like that, see the kind_alloc_methods of INFO, or
 * not these. The policy NOLOCK has only SINGLY.
 */
enum memstress_alloc_method {
	MEMSTRESS_ALLOC_SINGLY,
	MEMSTRESS_ALLOC_BULK,
	MEMSTRESS_ALLOC_GROW,
	MEMSTRESS_ALLOC_SHRINK,
	MEMSTRESS_ALLOC_METHOD_END,
};

/**
 * enum memstress_stop - why an ALLOC ended
 * @MEMSTRESS_STOP_DONE: all objects were made
 * @MEMSTRESS_STOP_FAILED: the kernel refused @max_failures + 1 objects
 * @MEMSTRESS_STOP_KILLED: the caller has a fatal signal pending. What the session holds
 *	is freed before the call returns, if the caller has no other thread and the
 *	file no other descriptor; @books tells what was made all the same
 * @MEMSTRESS_STOP_LIMIT: the next object would have passed a cap of the module
 * @MEMSTRESS_STOP_DEADLINE: the time given was over
 * @MEMSTRESS_STOP_UNKILLABLE: the kernel refused an object to a caller that the OOM
 *	killer may not kill (oom_score_adj -1000). To let it live, everything
 *	that the session held was freed, but for what is mapped or another call is working on:
 *	such a task could otherwise fault for ever on its way back to user mode
 * @MEMSTRESS_STOP_END: one past the last
 */
enum memstress_stop {
	MEMSTRESS_STOP_DONE,
	MEMSTRESS_STOP_FAILED,
	MEMSTRESS_STOP_KILLED,
	MEMSTRESS_STOP_LIMIT,
	MEMSTRESS_STOP_DEADLINE,
	MEMSTRESS_STOP_UNKILLABLE,
	MEMSTRESS_STOP_END,
};

#define MEMSTRESS_MAPPABLE_MAX_BYTES (2ULL << 30)

#define MEMSTRESS_NODE_ANY        (-1)
#define MEMSTRESS_PAYER_CALLER    (-1)
#define MEMSTRESS_PAYER_NOBODY    (-2)
#define MEMSTRESS_HISTOGRAM_SLOTS 48

/**
 * struct memstress_alloc - argument of MEMSTRESS_IOC_ALLOC
 * @size: sizeof(struct memstress_alloc)
 * @flags: enum memstress_alloc_flags
 * @kind: enum memstress_kind
 * @context: enum memstress_context
 * @policy: enum memstress_policy
 * @order: for kinds with an order: 0 to the kind_max of INFO; else 0
 * @node: NUMA node that must give the memory (__GFP_THISNODE), or
 *	MEMSTRESS_NODE_ANY: the caller's memory policy decides
 * @payer_fd: directory of the cgroup that pays, also an empty one, or
 *	MEMSTRESS_PAYER_CALLER: the caller's cgroup at the time of each charge, in other
 *	contexts than the task at the start of the call. MEMSTRESS_PAYER_NOBODY: nothing is
 *	said of who pays, which is for other contexts: the kernel must then charge
 *	nobody, also with MEMSTRESS_ALLOC_ACCOUNT.
 *	Naming a cgroup needs CAP_SYS_ADMIN and MEMSTRESS_ALLOC_ACCOUNT. Where the
 *	memory controller is not enabled in a cgroup v2, its nearest ancestor with
 *	the controller pays. EOPNOTSUPP: the controller is on another hierarchy
 * @object_size: bytes, for kinds without an order, within the kind_min and
 *	kind_max of INFO; else 0
 * @count: objects to make, at least 1; there is no upper bound but the caps
 * @deadline_ns: end at the next object when this time has passed since the call;
 *	0: no deadline
 * @max_failures: refused objects to go on after; 0: the first one ends the call
 * @cpu: with MEMSTRESS_ALLOC_CPU the number of an online CPU; else must be 0
 * @histogram: address of MEMSTRESS_HISTOGRAM_SLOTS __u64, or 0. Slot n is set to the
 *	number of attempts that took 2^n ns or more but less than 2^(n+1); the
 *	first one also has those of 0 ns, the last one everything longer
 * @handle: [out] names the holding; 0 if no object was made
 * @stop: [out] enum memstress_stop
 * @first_errno: [out] why the first refused object was refused, or 0
 * @__reserved2: [out] 0
 * @payer_id: [out] id of the cgroup that pays (cgroup_id(), on 64-bit kernels the inode
 *	number of its directory), as resolved at the start, which is also whom the
 *	books believe to pay for all of it; 0 if nobody does
 * @books: [out] the objects made
 * @failures: [out] objects refused
 * @total_ns: [out] time of all attempts together
 * @slowest_ns: [out] time of the slowest attempt
 * @method: enum memstress_alloc_method, one of the kind_alloc_methods of INFO
 * @alignment: bytes that the address of an object is a multiple of, a power of two up to the
 *	kind_alignment_max of INFO; 0: the kind's own choice
 * @mmap_offset: [out] with MEMSTRESS_ALLOC_MAPPABLE: where in the device mmap(2) finds the
 *	holding, with the oldest object first; else 0
 *
 * Stopping early is a success: see @stop and @books. The answer is written also
 * when the caller is being killed; put the struct into a shared mapping that is
 * already touched to read it from another process.
 *
 * The objects of a call form one holding. A session may have any number of them.
 *
 * mmap(2) of the descriptor at @mmap_offset, or at a page within the holding, shows as much of
 * it as is asked for, to whoever has the descriptor. All pages are there at once, and count
 * in the RSS of the process as those of a file do: the OOM killer sees them, and, if they are
 * charged, so does the line file_mapped of the payer's memory.stat (mapped_file on cgroup v1).
 * Before 6.2 they do so only when the thread that maps has had 64 page faults more, or has
 * unmapped a page (check_sync_rss_stat() and add_mm_rss_vec() in mm/memory.c).
 * A page is charged once, to its payer, whoever maps it and how often. MAP_SHARED only. A child
 * inherits the mapping; parts can be unmapped, moved and protected; it cannot grow, is in no
 * core dump, and what MADV_DONTNEED drops is gone (SIGBUS). The pages stay as long as the
 * descriptor or a mapping does. mmap(2) answers
 *
 *  - ENOENT: no holding is at this offset.
 *  - EINVAL: the holding is not MAPPABLE, or MAP_PRIVATE was asked for.
 *  - ENXIO: the holding ends before the mapping would.
 *  - EBUSY: another call is working on the holding.
 *  - EINTR: a fatal signal came.
 *  - ENOMEM: there is no memory for page tables.
 *  - ESTALE: as of ioctls.
 */
struct memstress_alloc {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 context;
	__u32 policy;
	__u32 order;
	__s32 node;
	__s32 payer_fd;
	__aligned_u64 object_size;
	__aligned_u64 count;
	__aligned_u64 deadline_ns;
	__u32 max_failures;
	__u32 cpu;
	__aligned_u64 histogram;
	__u32 handle;
	__u32 stop;
	__u32 first_errno;
	__u32 __reserved2;
	__aligned_u64 payer_id;
	struct memstress_books books;
	__aligned_u64 failures;
	__aligned_u64 total_ns;
	__aligned_u64 slowest_ns;
	__u32 method;
	__u32 alignment;
	__aligned_u64 mmap_offset;
};
#define MEMSTRESS_IOC_ALLOC _IO(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_ALLOC)

/**
 * enum memstress_free_flags - bits of memstress_free.flags
 * @MEMSTRESS_FREE_ALL: every holding of the session; handle must be 0
 * @MEMSTRESS_FREE_CPU: the context runs on @cpu. Not for the task context
 */
enum memstress_free_flags {
	MEMSTRESS_FREE_ALL = 1 << 0,
	MEMSTRESS_FREE_CPU = 1 << 1,
};

/**
 * enum memstress_free_order - which object of a holding goes first
 * @MEMSTRESS_FREE_FIFO: the oldest
 * @MEMSTRESS_FREE_LIFO: the newest
 * @MEMSTRESS_FREE_RANDOM: random, the same for the same seed and history
 * @MEMSTRESS_FREE_ORDER_END: one past the last
 *
 * After a RANDOM free of a part, what remains of the holding has no age any more:
 * FIFO and LIFO then mean one end of that random order and the other.
 */
enum memstress_free_order {
	MEMSTRESS_FREE_FIFO,
	MEMSTRESS_FREE_LIFO,
	MEMSTRESS_FREE_RANDOM,
	MEMSTRESS_FREE_ORDER_END,
};

/**
 * enum memstress_free_method - how objects are freed
 * @MEMSTRESS_FREE_SINGLY: one by one, with the kind's own function
 * @MEMSTRESS_FREE_BULK: up to 32 in one call: kmem_cache_free_bulk(). Not in a hardirq
 * @MEMSTRESS_FREE_RCU: by a callback of call_rcu() for each, which runs in a softirq. The call
 *	waits for all that it has queued, also when it is killed, and one call at a time
 *	queues any. An object must have room for a struct rcu_head (16 bytes), and the
 *	context must be the task's, which queues them
 * @MEMSTRESS_FREE_SPLIT: split_page(), then each page by itself. For holdings made with
 *	MEMSTRESS_ALLOC_SPLITTABLE
 * @MEMSTRESS_FREE_METHOD_END: one past the last
 *
 * EOPNOTSUPP: the kind is not freed like that, see the kind_free_methods of INFO, or these
 * objects cannot be; with MEMSTRESS_FREE_ALL nothing is freed if some cannot be.
 *
 * What has its memory from vmalloc() is freed later if it is freed in an interrupt, by RCU too:
 * vfree() hands it to a work item of the kernel's own, which nobody can wait for. It is in no
 * books then, and soon not in the kernel's.
 */
enum memstress_free_method {
	MEMSTRESS_FREE_SINGLY,
	MEMSTRESS_FREE_BULK,
	MEMSTRESS_FREE_RCU,
	MEMSTRESS_FREE_SPLIT,
	MEMSTRESS_FREE_METHOD_END,
};

/**
 * struct memstress_free - argument of MEMSTRESS_IOC_FREE
 * @size: sizeof(struct memstress_free)
 * @flags: enum memstress_free_flags
 * @handle: the holding; it is gone when its last object is freed. Must be 0 with
 *	MEMSTRESS_FREE_ALL
 * @order: enum memstress_free_order
 * @method: enum memstress_free_method
 * @context: enum memstress_context
 * @count: objects to free; 0: all. More than there are is not an error
 * @seed: for RANDOM; else must be 0
 * @books: [out] the objects freed
 * @total_ns: [out] time of all frees together, without putting them in order
 * @slowest_ns: [out] time of the slowest free, which is a call of the allocator
 * @cpu: with MEMSTRESS_FREE_CPU the number of an online CPU; else must be 0
 * @__reserved: must be 0
 *
 * A fatal signal ends the call early; the rest is freed when the session closes.
 * EBUSY: the holding is mapped, or another call is working on it. With MEMSTRESS_FREE_ALL
 * such holdings are left out.
 * Works for every process that has the descriptor.
 */
struct memstress_free {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 order;
	__u32 method;
	__u32 context;
	__aligned_u64 count;
	__aligned_u64 seed;
	struct memstress_books books;
	__aligned_u64 total_ns;
	__aligned_u64 slowest_ns;
	__u32 cpu;
	__u32 __reserved;
};
#define MEMSTRESS_IOC_FREE _IO(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_FREE)

/**
 * enum memstress_ledger_flags - bits of memstress_ledger.flags
 * @MEMSTRESS_LEDGER_NEXT: tell about the holding with the smallest handle above
 *	@handle, so that 0 begins a walk and ENOENT ends it
 * @MEMSTRESS_LEDGER_STALE: also of a session whose memory was given back for it, instead of
 *	ESTALE
 */
enum memstress_ledger_flags {
	MEMSTRESS_LEDGER_NEXT = 1 << 0,
	MEMSTRESS_LEDGER_STALE = 1 << 1,
};

/**
 * struct memstress_ledger - argument of MEMSTRESS_IOC_LEDGER
 * @size: sizeof(struct memstress_ledger)
 * @flags: enum memstress_ledger_flags
 * @handle: [in/out] a holding, or 0 for the sums of the session
 * @kind: [in/out] with @handle 0: the enum memstress_kind to sum, 0 for all.
 *	About a holding: must be 0, and its kind is returned
 * @books: [out] what is held now, including what a running ALLOC has booked
 * @holdings: [out] number of holdings summed; 1 for a holding
 * @bookkeeping_bytes: [out] with @handle and @kind 0: what the module itself was
 *	charged for this session and its holdings, by the byte. It is paid by
 *	the process that opened the session and by the callers of ALLOC, never
 *	by a payer that was named. Else 0
 * @payer_id: [out] of a holding, as ALLOC told it; else 0
 * @object_size: [out] of a holding: bytes; else 0
 * @alloc_flags: [out] of a holding: enum memstress_alloc_flags; else 0
 * @order: [out] of a holding; else 0
 * @policy: [out] of a holding: enum memstress_policy; else 0
 * @in_flight: [out] ALLOC and FREE calls under way in this session
 * @lingering_objects: [out] without a handle: objects that somebody still referenced when the
 *	session gave them back: a mapping, when its memory was taken back for it, or a
 *	pipe that pages of a mapping were spliced into. They are free, and no longer
 *	charged, only when the last reference goes, which nobody tells the module; so
 *	this never falls. They are in no other field, nor under any cap. Else 0
 * @lingering_bytes: [out] their footprint
 * @mappings: [out] of a holding: in how many pieces it is mapped, in all processes; else 0
 * @session_flags: [out] enum memstress_setup_flags, of the session
 * @mmap_offset: [out] of a holding, as ALLOC told it; else 0
 */
struct memstress_ledger {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 kind;
	struct memstress_books books;
	__aligned_u64 holdings;
	__aligned_u64 bookkeeping_bytes;
	__aligned_u64 payer_id;
	__aligned_u64 object_size;
	__u32 alloc_flags;
	__u32 order;
	__u32 policy;
	__u32 in_flight;
	__aligned_u64 lingering_objects;
	__aligned_u64 lingering_bytes;
	__u32 mappings;
	__u32 session_flags;
	__aligned_u64 mmap_offset;
};
#define MEMSTRESS_IOC_LEDGER _IO(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_LEDGER)

/**
 * enum memstress_settle_state - how far SETTLE came
 * @MEMSTRESS_SETTLE_EXACT: usage does not change any more by settling
 * @MEMSTRESS_SETTLE_MOVING: it was still moving when the time was over: somebody is
 *	charging, uncharging or draining meanwhile
 * @MEMSTRESS_SETTLE_FULL: usage is too near to a limit, or the machine has too little
 *	memory, to settle without reclaim
 * @MEMSTRESS_SETTLE_ISOLATED: as exact as it can be with CPUs that are isolated from the
 *	scheduler (isolcpus=): their stocks may not have been drained
 * @MEMSTRESS_SETTLE_END: one past the last
 */
enum memstress_settle_state {
	MEMSTRESS_SETTLE_EXACT,
	MEMSTRESS_SETTLE_MOVING,
	MEMSTRESS_SETTLE_FULL,
	MEMSTRESS_SETTLE_ISOLATED,
	MEMSTRESS_SETTLE_END,
};

/**
 * struct memstress_settle - argument of MEMSTRESS_IOC_SETTLE
 * @size: sizeof(struct memstress_settle)
 * @flags: must be 0
 * @cgroup_fd: directory of a cgroup that has the memory controller; not the root
 * @__reserved: must be 0
 * @timeout_ns: give up after this time, but not before four passes; 0: two seconds
 * @cgroup_id: [out] the cgroup settled
 * @usage_bytes: [out] memory.current (v1: memory.usage_in_bytes) when done
 * @bound_bytes: [out] how much of @usage_bytes may belong to no object: for EXACT what
 *	rounding the byte-charged sum up to whole pages adds (less than a page
 *	for each objcg of the cgroup, less than a page a CPU for each of a
 *	descendant, live or dead), else also what stocks and remainders may hold
 * @passes: [out] rounds of draining it took
 * @state: [out] enum memstress_settle_state
 *
 * Charges are taken from the counters a batch at a time and kept in stocks, one or
 * more a CPU; bytes are kept as remainders. SETTLE gives back what is kept for this
 * cgroup and its descendants, so that the counters tell what is really held.
 *
 * On cgroup v2 the kernel drains only when memory.high is lowered below the usage. SETTLE
 * puts a page for the cgroup into a CPU's stock, writes memory.high one page below the
 * usage, puts back what stood there, and waits for all CPUs: draining that page
 * is enough to come below, so nothing is reclaimed, unless another drain is under way
 * in this moment and the kernel reclaims a little instead. It does so in a kernel
 * worker, which no signal can stop half-way. A task of the cgroup that charges in this
 * moment is throttled, and counted in the high event. A change of memory.high by
 * somebody else in this moment is lost.
 *
 * On cgroup v1 it drains when memory.force_empty is written, and would reclaim all that
 * it can, but for a signal: SETTLE writes from a kernel worker that pretends to have one.
 * So no limit changes, no task is throttled, refused or killed, and nothing is reclaimed.
 * Pages on their way to the LRU get there, on all CPUs (lru_add_drain_all()), which can
 * move lines of memory.stat, and no usage.
 *
 * Needs CAP_SYS_ADMIN.
 */
struct memstress_settle {
	__u32 size;
	__u32 flags;
	__s32 cgroup_fd;
	__u32 __reserved;
	__aligned_u64 timeout_ns;
	__aligned_u64 cgroup_id;
	__aligned_u64 usage_bytes;
	__aligned_u64 bound_bytes;
	__u32 passes;
	__u32 state;
};
#define MEMSTRESS_IOC_SETTLE _IO(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_SETTLE)

/**
 * struct memstress_audit - argument of MEMSTRESS_IOC_AUDIT
 * @size: sizeof(struct memstress_audit)
 * @flags: must be 0
 * @handle: a holding, or 0: all of the session
 * @first_handle: [out] holding of the first object that is not charged to whom it should be;
 *	0: there is none
 * @right_objects: [out] charged to whom they should be
 * @wrong_objects: [out] charged to another cgroup
 * @unowned_objects: [out] charged to nobody, though somebody was to pay
 * @unasked_objects: [out] about which the kernel cannot be asked. They are shown by counters
 *	only: what is charged by the byte, and what an ancestor has inherited that is 16
 *	or more levels above the payer
 * @holdings: [out] holdings looked at
 * @busy_holdings: [out] with @handle 0: left out because another call is working on them
 * @first_index: [out] its number in its holding, the oldest that is held being 0
 * @first_owner_id: [out] id of the cgroup that it is charged to; 0: nobody
 * @right_id: [out] with a @handle, id of the cgroup that the right objects are charged to;
 *	0: nobody, or there are none
 *
 * Asks the kernel itself to whom each object is charged, not the ledger: of pages, of
 * kmalloc() above the largest kmalloc cache, and of each page of a vmalloc area, one of which
 * is enough to make the object wrong. Who should be charged is the payer_id of ALLOC while
 * that cgroup has the memory controller, and then the nearest ancestor that has it (before
 * 5.13 what is dead goes on paying); nobody, if the payer_id is 0. What the root owns is
 * charged to nobody.
 *
 * A caller that pays itself and is moved to another cgroup meanwhile has wrong objects
 * without a fault of the kernel's.
 *
 * EBUSY: another call is working on @handle. EINTR: a fatal signal came. Needs no privilege.
 */
struct memstress_audit {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 first_handle;
	__aligned_u64 right_objects;
	__aligned_u64 wrong_objects;
	__aligned_u64 unowned_objects;
	__aligned_u64 unasked_objects;
	__aligned_u64 holdings;
	__aligned_u64 busy_holdings;
	__aligned_u64 first_index;
	__aligned_u64 first_owner_id;
	__aligned_u64 right_id;
};
#define MEMSTRESS_IOC_AUDIT _IO(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_AUDIT)

/**
 * enum memstress_setup_flags - bits of memstress_setup.flags
 * @MEMSTRESS_SETUP_SHARED: every process that has the descriptor may ALLOC, not only the
 *	thread group that opened the session
 */
enum memstress_setup_flags {
	MEMSTRESS_SETUP_SHARED = 1 << 0,
};

/**
 * struct memstress_setup - argument of MEMSTRESS_IOC_SETUP
 * @size: sizeof(struct memstress_setup)
 * @flags: enum memstress_setup_flags: what the session is from now on. A session that was opened
 *	has none of them
 *
 * For the thread group that opened the session: EACCES for others.
 *
 * In a shared session a charge can outlive its payer: a process allocates, is killed, and what
 * it was charged for stays with its cgroup until the last descriptor is closed. The privileges
 * that an ALLOC needs must be its caller's now, and the opener's then. The session is of the
 * opener all the same: it is who is told by netlink; each call of anybody begins the dead-man's
 * time anew; and where one of several callers may not be killed (MEMSTRESS_STOP_UNKILLABLE),
 * what all of them hold is freed.
 */
struct memstress_setup {
	__u32 size;
	__u32 flags;
};
#define MEMSTRESS_IOC_SETUP _IO(MEMSTRESS_IOC_TYPE, MEMSTRESS_CMD_SETUP)

#endif /* _UAPI_LINUX_MEMSTRESS_H */
