// SPDX-License-Identifier: GPL-2.0
/*
 * Chains: objects linked through themselves.
 *
 * A chain is singly linked, because the smallest object has room for one pointer.
 * It is popped at its head; which end of the history the head is can be turned
 * around by reversing the chain, once, in the order in which objects go.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "internal.h"

/* One digit of a random key; the number of buckets must fit on the stack. */
#define MS_SHUFFLE_BITS    5
#define MS_SHUFFLE_BUCKETS BIT(MS_SHUFFLE_BITS)
#define MS_SHUFFLE_PASSES  8

/* A chain of a hundred million objects must not hold the CPU while it is walked. */
#define MS_CHAIN_RESCHED 4096

/* Adds @link as the newest. The chain must have its newest object first. */
void ms_chain_push(struct ms_chain *chain, const struct ms_request *request, struct ms_link *link)
{
	link->next = chain->first;
	chain->first = link;
	chain->count = ms_count_add(chain->count, ms_request_count(request, link));
}

struct ms_link *ms_chain_pop(struct ms_chain *chain, const struct ms_request *request)
{
	struct ms_link *link = chain->first;

	if (!link)
		return NULL;
	chain->first = link->next;
	chain->count = ms_count_sub(chain->count, ms_request_count(request, link));
	return link;
}

/*
 * Moves all of @newer, whose last element is @newer_last, to the newest end of
 * @chain. Both must have their newest object first.
 */
void ms_chain_splice(struct ms_chain *chain, struct ms_chain *newer, struct ms_link *newer_last)
{
	if (!newer->first)
		return;
	newer_last->next = chain->first;
	chain->first = newer->first;
	chain->count = ms_count_add(chain->count, newer->count);
	memset(newer, 0, sizeof(*newer));
}

static void ms_chain_reverse(struct ms_chain *chain)
{
	struct ms_link *link = chain->first;
	struct ms_link *reversed = NULL;
	u64 walked = 0;

	while (link) {
		struct ms_link *next = link->next;

		link->next = reversed;
		reversed = link;
		link = next;
		if (++walked % MS_CHAIN_RESCHED == 0)
			cond_resched();
	}
	chain->first = reversed;
	chain->age = chain->age == MS_CHAIN_NEWEST_FIRST ? MS_CHAIN_OLDEST_FIRST :
							   MS_CHAIN_NEWEST_FIRST;
}

/*
 * Sorts the chain by a random key of MS_SHUFFLE_BITS * MS_SHUFFLE_PASSES bits, the
 * lowest digit first. The sort is stable and each digit is drawn when it is needed,
 * so no key is stored anywhere.
 */
static void ms_chain_shuffle(struct ms_chain *chain, u64 seed)
{
	struct {
		struct ms_link *first;
		struct ms_link *last;
	} buckets[MS_SHUFFLE_BUCKETS];
	struct rnd_state state;
	u64 walked = 0;
	int pass;
	int i;

	prandom_seed_state(&state, seed);
	for (pass = 0; pass < MS_SHUFFLE_PASSES; pass++) {
		struct ms_link *link = chain->first;
		struct ms_link *sorted;

		memset(buckets, 0, sizeof(buckets));
		while (link) {
			struct ms_link *next = link->next;

			if (walked % MS_CHAIN_RESCHED == 0 && fatal_signal_pending(current))
				break;
			i = prandom_u32_state(&state) % MS_SHUFFLE_BUCKETS;
			link->next = NULL;
			if (buckets[i].last)
				buckets[i].last->next = link;
			else
				buckets[i].first = link;
			buckets[i].last = link;
			link = next;
			if (++walked % MS_CHAIN_RESCHED == 0)
				cond_resched();
		}
		/* Nothing, or what a fatal signal leaves as it was. */
		sorted = link;
		for (i = MS_SHUFFLE_BUCKETS - 1; i >= 0; i--) {
			if (!buckets[i].last)
				continue;
			buckets[i].last->next = sorted;
			sorted = buckets[i].first;
		}
		chain->first = sorted;
		if (link)
			break;
	}
}

/* Puts the object that goes first in @order to the head. */
void ms_chain_order(struct ms_chain *chain, enum memstress_free_order order, u64 seed)
{
	if (order == MEMSTRESS_FREE_RANDOM)
		ms_chain_shuffle(chain, seed);
	else if ((order == MEMSTRESS_FREE_FIFO) != (chain->age == MS_CHAIN_OLDEST_FIRST))
		ms_chain_reverse(chain);
}
