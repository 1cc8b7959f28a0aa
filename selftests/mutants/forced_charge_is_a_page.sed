# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a forced charge is one page whatever it is for
# law: test_limit
/^[a-z_].*\btry_charge_memcg(/,/^}/ s/page_counter_charge(&memcg->memory, nr_pages)/page_counter_charge(\&memcg->memory, 1)/
