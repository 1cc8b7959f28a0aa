# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: kernel memory is charged to the caller whoever was made to pay
# law: test_conservation
/^[a-z_].*\bcurrent_obj_cgroup(/,/^}/ s/memcg = current->active_memcg;/memcg = NULL;/
