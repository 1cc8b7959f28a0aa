# SPDX-License-Identifier: GPL-2.0
# mm/vmscan.c: what is reclaimed is not counted
# law: test_page_cache
/^[a-z_].*\bshrink_inactive_list(/,/^}/ { /item = PGSTEAL_KSWAPD/ { n; s/nr_reclaimed/0/ } }
