# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a group above the cgroup whose limit it is dies as a whole
# law: test_victim
/^[a-z_].*\bmem_cgroup_get_oom_group(/,/^}/ s/if (memcg == oom_domain)/if (false)/
