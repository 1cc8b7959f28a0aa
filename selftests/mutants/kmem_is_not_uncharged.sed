# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol-v1.c: kernel memory stays in memory.kmem of v1 when it is freed
# law: test_v1
# guest: v1
/^[a-z_].*\bmemcg1_account_kmem(/,/^}/ s/page_counter_uncharge(&memcg->kmem, -nr_pages);/;/
