# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: swap that is refused is no max event
# law: test_swap
# guest: swap
/^[a-z_].*\b__mem_cgroup_try_charge_swap(/,/^}/ s/memcg_memory_event(memcg, MEMCG_SWAP_MAX);/;/
