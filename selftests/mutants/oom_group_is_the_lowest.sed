# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: of two groups that are to die as a whole the lower one does
# law: test_choice
/^[a-z_].*\bmem_cgroup_get_oom_group(/,/^}/ s/if (READ_ONCE(memcg->oom_group))/if (!oom_group \&\& READ_ONCE(memcg->oom_group))/
