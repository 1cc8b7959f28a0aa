// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "holding.h"
#include "worker.h"
#include "workload.h"

void holding_release(struct holding *holding)
{
	free(holding->pieces);
	memset(holding, 0, sizeof(*holding));
}

static int holding_add_piece(struct holding *holding, const struct memstress_alloc *alloc)
{
	struct holding_piece *pieces;

	if (!alloc->handle)
		return 0;
	/* Grown when it is full, which is at every power of two. */
	if (!(holding->count & (holding->count - 1))) {
		pieces = realloc(holding->pieces,
				 (2 * holding->count + 1) * sizeof(*holding->pieces));
		if (!pieces)
			return -ENOMEM;
		holding->pieces = pieces;
	}
	holding->pieces[holding->count++] = (struct holding_piece){
		.handle = alloc->handle,
		.objects = alloc->books.objects,
	};
	return 0;
}

int holding_add(struct holding *holding, const struct memstress_alloc *alloc)
{
	struct memstress_books *books = &holding->sum.books;

	books->objects += alloc->books.objects;
	books->uncharged_objects += alloc->books.uncharged_objects;
	books->requested_bytes += alloc->books.requested_bytes;
	books->page_charged_bytes += alloc->books.page_charged_bytes;
	books->byte_charged_bytes += alloc->books.byte_charged_bytes;
	books->footprint_bytes += alloc->books.footprint_bytes;
	holding->sum.stop = alloc->stop;
	holding->sum.payer_id = alloc->payer_id;
	holding->sum.failures += alloc->failures;
	if (!holding->sum.first_errno)
		holding->sum.first_errno = alloc->first_errno;
	holding->sum.total_ns += alloc->total_ns;
	if (alloc->slowest_ns > holding->sum.slowest_ns)
		holding->sum.slowest_ns = alloc->slowest_ns;
	if (books->objects > holding->most)
		holding->most = books->objects;
	return holding_add_piece(holding, alloc);
}

bool holding_book(struct holding *holding, const struct step *step, struct memstress_alloc *alloc)
{
	if (alloc->stop == WORKER_NO_ANSWER && step->kind->workload)
		alloc->stop = MEMSTRESS_STOP_KILLED;
	if (alloc->stop == WORKER_NO_ANSWER)
		return false;
	/* Without memory for the list only a part of it cannot be freed alone. */
	holding_add(holding, alloc);
	return true;
}

void holding_take(struct holding *holding, const struct memstress_books *freed)
{
	struct memstress_books *books = &holding->sum.books;
	__u64 left = freed->objects;

	holding->dropped += freed->objects;
	books->objects -= freed->objects;
	books->uncharged_objects -= freed->uncharged_objects;
	books->requested_bytes -= freed->requested_bytes;
	books->page_charged_bytes -= freed->page_charged_bytes;
	books->byte_charged_bytes -= freed->byte_charged_bytes;
	books->footprint_bytes -= freed->footprint_bytes;
	while (left && holding->count) {
		struct holding_piece *piece = &holding->pieces[holding->count - 1];
		__u64 taken = left < piece->objects ? left : piece->objects;

		piece->objects -= taken;
		left -= taken;
		if (!piece->objects)
			holding->count--;
	}
}

void holding_charge(struct holding *holding, const struct step *step, struct charge *charge)
{
	struct memstress_books *books = &holding->sum.books;

	memset(charge, 0, sizeof(*charge));
	step->kind->workload->charge(step, books->objects, holding->most, charge);
	charge->more_bytes += workload_lingering(step, holding->dropped);
	books->page_charged_bytes = charge->page_bytes;
	books->byte_charged_bytes = charge->byte_bytes;
	books->footprint_bytes = charge_usage(charge, workload_page_size());
}
