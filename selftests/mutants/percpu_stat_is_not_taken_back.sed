# SPDX-License-Identifier: GPL-2.0
# mm/percpu.c: percpu memory stays in memory.stat when it is freed
# law: test_return
/^[a-z_].*\bpcpu_memcg_free_hook(/,/^}/ s/-pcpu_obj_full_size(size)/0/
