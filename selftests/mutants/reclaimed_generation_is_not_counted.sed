# SPDX-License-Identifier: GPL-2.0
# mm/vmscan.c: what is reclaimed by generations is not counted
/^[a-z_].*\bevict_folios(/,/^}/ { /item = PGSTEAL_KSWAPD/ { n; s/\breclaimed\b/0/ } }
