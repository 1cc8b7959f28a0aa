# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: memory.stat keeps the objcg pointer of a freed slab object
# law: test_conservation
/^[a-z_].*\b__memcg_slab_free_hook(/,/^}/ s/stock, -obj_size,/stock, -(int)s->size,/
