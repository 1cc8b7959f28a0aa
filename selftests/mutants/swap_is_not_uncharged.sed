# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: swap stays charged when it is given back
# law: test_swap
# guest: swap
/^[a-z_].*\b__mem_cgroup_uncharge_swap(/,/^}/ s/page_counter_uncharge(&memcg->swap, nr_pages);/;/
