# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a removed cgroup is kept by the stocks of the CPUs
# law: test_lifetime
/^[a-z_].*\bmem_cgroup_css_offline(/,/^}/ s/drain_all_stock(memcg);/;/
