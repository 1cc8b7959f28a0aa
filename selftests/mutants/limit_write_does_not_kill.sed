# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: memory.max below what can be reclaimed kills nobody
# law: test_squeeze
/^[a-z_].*\bmemory_max_write(/,/^}/ s/if (!mem_cgroup_out_of_memory(memcg, GFP_KERNEL, 0))/if (true)/
