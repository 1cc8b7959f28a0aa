# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the charges of a removed cgroup go to its grandparent, unless that is the root
# law: test_lifetime
/^[a-z_].*\b__memcg_reparent_objcgs(/,/^}/ s/WRITE_ONCE(iter->memcg, parent)/WRITE_ONCE(iter->memcg, parent_mem_cgroup(parent) ? : parent)/
