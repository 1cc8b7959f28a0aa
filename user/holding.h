/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a step holds: made in one piece, or in many as it grows. What the module made is a holding
 * of its own for each piece, which has to be known to free a part.
 */
#ifndef MEMSTRESS_USER_HOLDING_H
#define MEMSTRESS_USER_HOLDING_H

#include "charge.h"
#include "job.h"

/**
 * struct holding_piece - what one ALLOC of the module has made
 * @handle: of it
 * @objects: of it, those that are left
 */
struct holding_piece {
	__u32 handle;
	__u64 objects;
};

/**
 * struct holding - a step's objects
 * @sum: the answers of all pieces as if they were one; its books are of what is held now
 * @most: the highest number of objects that there were
 * @dropped: how many were freed meanwhile
 * @pieces: the module's, in the order in which they were made
 * @count: number of them
 */
struct holding {
	struct memstress_alloc sum;
	__u64 most;
	__u64 dropped;
	struct holding_piece *pieces;
	unsigned int count;
};

void holding_release(struct holding *holding);

/* Adds an answer. 0 or -ENOMEM */
int holding_add(struct holding *holding, const struct memstress_alloc *alloc);

/*
 * Adds what the worker has answered for @step; user memory is there also if it could not answer any
 * more. False if the answer is lost
 */
bool holding_book(struct holding *holding, const struct step *step, struct memstress_alloc *alloc);

/* Takes away what was freed, the newest objects */
void holding_take(struct holding *holding, const struct memstress_books *freed);

/* What must be charged for the holding of @step, which is of user memory; into its books, too */
void holding_charge(struct holding *holding, const struct step *step, struct charge *charge);

#endif /* MEMSTRESS_USER_HOLDING_H */
