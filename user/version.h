/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMSTRESS_USER_VERSION_H
#define MEMSTRESS_USER_VERSION_H

/* The same as PACKAGE_VERSION in dkms.conf and MODULE_VERSION in kmod/main.c */
#define MEMSTRESS_VERSION "0.1.0"

#endif /* MEMSTRESS_USER_VERSION_H */
