# SPDX-License-Identifier: GPL-2.0
# mm/page_alloc.c: a block of pages is uncharged as one page
# law: test_return
s/__memcg_kmem_uncharge_page(page, order);/__memcg_kmem_uncharge_page(page, 0);/
