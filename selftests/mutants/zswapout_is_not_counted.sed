# SPDX-License-Identifier: GPL-2.0
# mm/zswap.c: what goes into zswap is not counted
# law: test_swap
# guest: swap
s/count_objcg_events(objcg, ZSWPOUT, nr_pages);/;/
