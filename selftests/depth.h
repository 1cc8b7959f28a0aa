/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many levels below its parent a scope's target is: 1, 3 or 10. All kinds, contexts and
 * payers meet all of them: two by two in "make test", and in "make soak", where such a program
 * runs once for each, all with all.
 */
#ifndef MEMSTRESS_SELFTESTS_DEPTH_H
#define MEMSTRESS_SELFTESTS_DEPTH_H

/* memstress_test.h's: the number of the test that begins */
void depth_begin_test(unsigned int number);

/*
 * For the row @row of the test that has begun: DEPTH of the environment, or else one such that
 * each of three rows in succession has another one, and so has a row in each of three tests
 */
unsigned int depth_choose(unsigned int row);

#endif /* MEMSTRESS_SELFTESTS_DEPTH_H */
