# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: memory of sockets stays in memory.stat
# law: test_release
/^[a-z_].*\bmem_cgroup_sk_uncharge(/,/^}/ s/mod_memcg_state(memcg, MEMCG_SOCK, -nr_pages);/;/
