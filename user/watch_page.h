/* SPDX-License-Identifier: GPL-2.0 */
/* What a watch shows, on a page. */
#ifndef MEMSTRESS_USER_WATCH_PAGE_H
#define MEMSTRESS_USER_WATCH_PAGE_H

#include "page.h"
#include "watch.h"

/* On all of @page, which is empty */
void watch_page_draw(const struct watch *watch, struct page *page);

/*
 * "[####::..|..]": @bytes of @limit_bytes, up to @peak_bytes, and a mark at @high_bytes; CG_MISSING
 * are left out. @width columns
 */
void watch_page_gauge(char *text, int width, __u64 bytes, __u64 peak_bytes, __u64 high_bytes,
		      __u64 limit_bytes);

#endif /* MEMSTRESS_USER_WATCH_PAGE_H */
