// SPDX-License-Identifier: GPL-2.0
/*
 * The ledger: which holdings a session has, and their sums. Pure bookkeeping: it
 * allocates nothing and charges nothing. The caller holds the session's lock.
 */
#include <linux/string.h>

#include "internal.h"

void ms_ledger_init(struct ms_ledger *ledger)
{
	memset(ledger, 0, sizeof(*ledger));
	ledger->holdings = RB_ROOT;
}

static struct ms_holding *ms_ledger_entry(struct rb_node *node)
{
	return rb_entry_safe(node, struct ms_holding, node);
}

/* Links @holding under its handle; false if the handle is taken. */
static bool ms_ledger_link(struct ms_ledger *ledger, struct ms_holding *holding)
{
	struct rb_node **link = &ledger->holdings.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		u32 handle = ms_ledger_entry(*link)->handle;

		if (handle == holding->handle)
			return false;
		parent = *link;
		link = holding->handle < handle ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&holding->node, parent, link);
	rb_insert_color(&holding->node, &ledger->holdings);
	return true;
}

/* Names @holding with the next free handle and makes it part of the sums. */
void ms_ledger_insert(struct ms_ledger *ledger, struct ms_holding *holding)
{
	do {
		if (!++ledger->last_handle)
			ledger->last_handle = 1;
		holding->handle = ledger->last_handle;
	} while (!ms_ledger_link(ledger, holding));
	holding->state = MS_HOLDING_FILLING;
}

/* From here on others see it. */
void ms_ledger_publish(struct ms_ledger *ledger, struct ms_holding *holding)
{
	holding->state = MS_HOLDING_READY;
	ledger->count[holding->request.ops->kind]++;
}

/* Its objects must have been taken out of the sums before. */
void ms_ledger_remove(struct ms_ledger *ledger, struct ms_holding *holding)
{
	if (holding->state != MS_HOLDING_FILLING)
		ledger->count[holding->request.ops->kind]--;
	rb_erase(&holding->node, &ledger->holdings);
}

/* The holding with the smallest handle above @handle, half-made ones left out. */
struct ms_holding *ms_ledger_next(const struct ms_ledger *ledger, u32 handle)
{
	struct rb_node *node = ledger->holdings.rb_node;
	struct ms_holding *next = NULL;

	while (node) {
		struct ms_holding *holding = ms_ledger_entry(node);

		if (holding->handle > handle) {
			next = holding;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	while (next && next->state == MS_HOLDING_FILLING)
		next = ms_ledger_entry(rb_next(&next->node));
	return next;
}

struct ms_holding *ms_ledger_find(const struct ms_ledger *ledger, u32 handle)
{
	struct ms_holding *holding = handle ? ms_ledger_next(ledger, handle - 1) : NULL;

	return holding && holding->handle == handle ? holding : NULL;
}

/* The oldest or the newest holding that can be freed: nobody works on it, nobody maps it. */
struct ms_holding *ms_ledger_pick(const struct ms_ledger *ledger, bool newest)
{
	struct rb_node *node = newest ? rb_last(&ledger->holdings) : rb_first(&ledger->holdings);

	while (node && (ms_ledger_entry(node)->state != MS_HOLDING_READY ||
			ms_ledger_entry(node)->mappings))
		node = newest ? rb_prev(node) : rb_next(node);
	return ms_ledger_entry(node);
}

void ms_ledger_add(struct ms_ledger *ledger, struct ms_holding *holding, struct ms_count count)
{
	const struct ms_request *request = &holding->request;

	holding->count = ms_count_add(holding->count, count);
	ms_kind_add_books(&ledger->books[request->ops->kind], request, count);
}

void ms_ledger_sub(struct ms_ledger *ledger, struct ms_holding *holding, struct ms_count count)
{
	const struct ms_request *request = &holding->request;

	holding->count = ms_count_sub(holding->count, count);
	ms_kind_sub_books(&ledger->books[request->ops->kind], request, count);
}

static void ms_ledger_sum_books(struct memstress_books *sum, const struct memstress_books *books)
{
	sum->objects += books->objects;
	sum->uncharged_objects += books->uncharged_objects;
	sum->requested_bytes += books->requested_bytes;
	sum->page_charged_bytes += books->page_charged_bytes;
	sum->byte_charged_bytes += books->byte_charged_bytes;
	sum->footprint_bytes += books->footprint_bytes;
}

/* Fills in the sums of @kind, or of all kinds if it is 0. */
void ms_ledger_sum(const struct ms_ledger *ledger, u32 kind, struct memstress_ledger *cmd)
{
	u32 i;

	for (i = 0; i < MEMSTRESS_KIND_END; i++) {
		if (kind && kind != i)
			continue;
		ms_ledger_sum_books(&cmd->books, &ledger->books[i]);
		cmd->holdings += ledger->count[i];
	}
	/* Only pages can be mapped. */
	if (!kind || kind == MEMSTRESS_KIND_PAGE) {
		cmd->lingering_objects = ledger->lingering_objects;
		cmd->lingering_bytes = ledger->lingering_bytes;
	}
}
