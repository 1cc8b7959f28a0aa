# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: swap is charged over its limit
# law: test_swap
# guest: swap
/^[a-z_].*\b__mem_cgroup_try_charge_swap(/,/^}/ s/!page_counter_try_charge(&memcg->swap, nr_pages, &counter)/(page_counter_charge(\&memcg->swap, nr_pages), counter = NULL, false)/
