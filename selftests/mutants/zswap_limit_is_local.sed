# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: memory.zswap.max of an ancestor does not count
# law: test_swap
# guest: swap
/^[a-z_].*\bobj_cgroup_may_zswap(/,/^}/ s/memcg = parent_mem_cgroup(memcg)/memcg = root_mem_cgroup/
