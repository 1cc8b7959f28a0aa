# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the stock of pages of a CPU that went offline stays
# law: test_hotplug
/^[a-z_].*\bmemcg_hotplug_cpu_dead(/,/^}/ s/drain_stock_fully(&per_cpu(memcg_stock, cpu));/;/
