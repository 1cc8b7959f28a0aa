# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: what comes back from zswap stays in memory.stat
# law: test_swap
# guest: swap
/^[a-z_].*\bobj_cgroup_uncharge_zswap(/,/^}/ s/mod_memcg_state(memcg, MEMCG_ZSWAPPED, -1);/;/
