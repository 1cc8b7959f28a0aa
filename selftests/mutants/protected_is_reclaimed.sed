# SPDX-License-Identifier: GPL-2.0
# mm/vmscan.c: memory.min protects nothing
# law: test_protection
{ /if (mem_cgroup_below_min(target_memcg, memcg))/ s/mem_cgroup_below_min(target_memcg, memcg)/false/ }
