# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the active memcg counts for nothing in an interrupt
# law: test_attribution
/^[a-z_].*\bcurrent_obj_cgroup(/,/^}/ s/this_cpu_read(int_active_memcg)/NULL/
