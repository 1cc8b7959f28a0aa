/* SPDX-License-Identifier: GPL-2.0 */
/* The words of the kernel's own headers for what the compiler can do. */
#ifndef MEMSTRESS_USER_COMPILER_H
#define MEMSTRESS_USER_COMPILER_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define __printf(a, b)    __attribute((__format__(__printf__, a, b)))

#endif /* MEMSTRESS_USER_COMPILER_H */
