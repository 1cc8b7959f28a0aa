# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a refused charge stays on memory and swap
# law: test_v1
# guest: v1
/^[a-z_].*\btry_charge_memcg(/,/^}/ s/page_counter_uncharge(&memcg->memsw, batch);/;/
