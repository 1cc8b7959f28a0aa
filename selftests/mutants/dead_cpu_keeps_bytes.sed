# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the stock of bytes of a CPU that went offline stays
# law: test_hotplug
/^[a-z_].*\bmemcg_hotplug_cpu_dead(/,/^}/ s/drain_obj_stock(&per_cpu(obj_stock, cpu));/;/
