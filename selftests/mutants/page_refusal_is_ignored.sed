# SPDX-License-Identifier: GPL-2.0
# mm/page_alloc.c: pages whose charge is refused are given out all the same
# law: test_refusal
s/unlikely(__memcg_kmem_charge_page(page, gfp, order) != 0)/unlikely(__memcg_kmem_charge_page(page, gfp, order) > 0)/
