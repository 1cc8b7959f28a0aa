# SPDX-License-Identifier: GPL-2.0
# mm/vmscan.c: what is reclaimed by generations is not counted
# law: test_page_cache
/^[a-z_].*\bevict_folios(/,/^}/ { /item = PGSTEAL_KSWAPD/ { n; s/\breclaimed\b/0/ } }
