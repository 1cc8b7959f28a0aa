# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: after a migration the old cgroup goes on to pay
# law: test_attribution
/^[a-z_].*\bmem_cgroup_kmem_attach(/,/^}/ s/set_bit(CURRENT_OBJCG_UPDATE_BIT, .*);/;/
