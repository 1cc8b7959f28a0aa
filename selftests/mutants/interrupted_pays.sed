# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: what an interrupt allocates is charged to the task that it interrupts
# law: test_attribution
/^[a-z_].*\bcurrent_obj_cgroup(/,/^}/ s/memcg = this_cpu_read(int_active_memcg)/memcg = this_cpu_read(int_active_memcg) ? : mem_cgroup_from_task(current)/
