# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the OOM killer comes without an oom event
# law: test_limit
/^[a-z_].*\bmem_cgroup_oom(/,/^}/ s/memcg_memory_event(memcg, MEMCG_OOM);/;/
