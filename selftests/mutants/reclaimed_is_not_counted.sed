# SPDX-License-Identifier: GPL-2.0
# mm/vmscan.c: what is reclaimed is not counted
/^[a-z_].*\bshrink_inactive_list(/,/^}/ { /item = PGSTEAL_KSWAPD/ { n; s/nr_reclaimed/0/ } }
