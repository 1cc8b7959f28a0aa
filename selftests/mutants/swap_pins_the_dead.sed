# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: swap that is given back keeps the cgroup all the same
# law: test_swap
# guest: swap
/^[a-z_].*\b__mem_cgroup_uncharge_swap(/,/^}/ s/mem_cgroup_private_id_put(memcg, nr_pages);/;/
