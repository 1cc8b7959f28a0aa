# SPDX-License-Identifier: GPL-2.0
# mm/slub.c: kmalloc() of whole pages is on no line of slab
# law: test_conservation
/^[a-z_].*\b___kmalloc_large_node(/,/^}/ s/PAGE_SIZE << order);/0);/
