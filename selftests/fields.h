/* SPDX-License-Identifier: GPL-2.0 */
/* The fields of every struct of the ABI, and which of them the kernel writes. */
#ifndef MEMSTRESS_SELFTESTS_FIELDS_H
#define MEMSTRESS_SELFTESTS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/memstress.h>

struct field {
	const char *name;
	size_t offset, size;
	bool out;
};

/* A line a field would hide what is in and what is out */
/* clang-format off */
#define FIELD(_struct, _name, _out)						\
	{ #_name, offsetof(struct memstress_##_struct, _name),			\
	  sizeof(((struct memstress_##_struct *)0)->_name), _out }
#define IN(_struct, _name)	FIELD(_struct, _name, false)
#define OUT(_struct, _name)	FIELD(_struct, _name, true)
#define LAST			{ NULL, 0, 0, false }

static const struct field info_fields[] = {
	IN(info, size), IN(info, flags), IN(info, kind), IN(info, order), IN(info, object_size),
	OUT(info, abi_version), OUT(info, page_size), OUT(info, kinds), OUT(info, contexts),
	OUT(info, policies), OUT(info, features), OUT(info, possible_cpus),
	OUT(info, online_cpus), OUT(info, online_nodes), OUT(info, charge_batch_pages),
	OUT(info, session_max_bytes), OUT(info, total_max_bytes),
	OUT(info, unaccounted_max_bytes), OUT(info, forced_max_bytes), OUT(info, total_bytes),
	OUT(info, deadman_ms), IN(info, __reserved), OUT(info, kind_policies),
	OUT(info, kind_contexts), OUT(info, kind_features), OUT(info, kind_min),
	OUT(info, kind_max), OUT(info, object_page_charged_bytes),
	OUT(info, object_byte_charged_bytes), OUT(info, object_footprint_bytes),
	OUT(info, kind_alloc_methods), OUT(info, kind_free_methods),
	OUT(info, kind_alignment_max), LAST
};

static const struct field alloc_fields[] = {
	IN(alloc, size), IN(alloc, flags), IN(alloc, kind), IN(alloc, context), IN(alloc, policy),
	IN(alloc, order), IN(alloc, node), IN(alloc, payer_fd), IN(alloc, object_size),
	IN(alloc, count), IN(alloc, deadline_ns), IN(alloc, max_failures), IN(alloc, cpu),
	IN(alloc, histogram), OUT(alloc, handle), OUT(alloc, stop), OUT(alloc, first_errno),
	OUT(alloc, __reserved2), OUT(alloc, payer_id), OUT(alloc, books.objects),
	OUT(alloc, books.uncharged_objects), OUT(alloc, books.requested_bytes),
	OUT(alloc, books.page_charged_bytes), OUT(alloc, books.byte_charged_bytes),
	OUT(alloc, books.footprint_bytes), OUT(alloc, failures), OUT(alloc, total_ns),
	OUT(alloc, slowest_ns), IN(alloc, method), IN(alloc, alignment),
	OUT(alloc, mmap_offset), LAST
};

static const struct field free_fields[] = {
	IN(free, size), IN(free, flags), IN(free, handle), IN(free, order), IN(free, method),
	IN(free, context), IN(free, count), IN(free, seed), OUT(free, books.objects),
	OUT(free, books.uncharged_objects), OUT(free, books.requested_bytes),
	OUT(free, books.page_charged_bytes), OUT(free, books.byte_charged_bytes),
	OUT(free, books.footprint_bytes), OUT(free, total_ns), OUT(free, slowest_ns),
	IN(free, cpu), IN(free, __reserved), LAST
};

static const struct field ledger_fields[] = {
	IN(ledger, size), IN(ledger, flags), IN(ledger, handle), IN(ledger, kind),
	OUT(ledger, books.objects), OUT(ledger, books.uncharged_objects),
	OUT(ledger, books.requested_bytes), OUT(ledger, books.page_charged_bytes),
	OUT(ledger, books.byte_charged_bytes), OUT(ledger, books.footprint_bytes),
	OUT(ledger, holdings), OUT(ledger, bookkeeping_bytes), OUT(ledger, payer_id),
	OUT(ledger, object_size), OUT(ledger, alloc_flags), OUT(ledger, order),
	OUT(ledger, policy), OUT(ledger, in_flight), OUT(ledger, lingering_objects),
	OUT(ledger, lingering_bytes), OUT(ledger, mappings), OUT(ledger, session_flags),
	OUT(ledger, mmap_offset), LAST
};

static const struct field settle_fields[] = {
	IN(settle, size), IN(settle, flags), IN(settle, cgroup_fd), IN(settle, __reserved),
	IN(settle, timeout_ns), OUT(settle, cgroup_id), OUT(settle, usage_bytes),
	OUT(settle, bound_bytes), OUT(settle, passes), OUT(settle, state), LAST
};

static const struct field audit_fields[] = {
	IN(audit, size), IN(audit, flags), IN(audit, handle), OUT(audit, first_handle),
	OUT(audit, right_objects), OUT(audit, wrong_objects), OUT(audit, unowned_objects),
	OUT(audit, unasked_objects), OUT(audit, holdings), OUT(audit, busy_holdings),
	OUT(audit, first_index), OUT(audit, first_owner_id), OUT(audit, right_id), LAST
};

static const struct field setup_fields[] = {
	IN(setup, size), IN(setup, flags), LAST
};

/* clang-format on */

#endif /* MEMSTRESS_SELFTESTS_FIELDS_H */
