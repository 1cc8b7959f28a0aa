/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The LRU lists of pages, which each CPU adds to a batch at a time. What is in a batch is held, and
 * so charged, when whoever had it is gone: until that CPU has more to add, or is told to drain
 * (lru_add_drain() of mm/swap.c).
 */
#ifndef MEMSTRESS_USER_LRU_H
#define MEMSTRESS_USER_LRU_H

/* Has each CPU drain that this process may run on */
void lru_drain(void);

#endif /* MEMSTRESS_USER_LRU_H */
