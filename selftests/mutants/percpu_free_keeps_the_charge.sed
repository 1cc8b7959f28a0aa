# SPDX-License-Identifier: GPL-2.0
# mm/percpu.c: percpu memory stays charged when it is freed
# law: test_return
/^[a-z_].*\bpcpu_memcg_free_hook(/,/^}/ s/obj_cgroup_uncharge(objcg, pcpu_obj_full_size(size));/;/
