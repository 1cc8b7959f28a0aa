# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: a limit that is no multiple of a page is rounded up
# law: test_limit
/^[a-z_].*\bpage_counter_memparse(/,/^}/ s|bytes / PAGE_SIZE|(bytes + PAGE_SIZE - 1) / PAGE_SIZE|
