# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: what comes back from zswap stays charged
# law: test_swap
# guest: swap
/^[a-z_].*\bobj_cgroup_uncharge_zswap(/,/^}/ s/obj_cgroup_uncharge(objcg, size);/;/
