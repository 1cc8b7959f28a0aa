# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a freed slab object gives back its size, not that of its objcg pointer
# law: test_return
/^[a-z_].*\b__memcg_slab_free_hook(/,/^}/ s/__refill_obj_stock(objcg, stock, obj_size, true)/__refill_obj_stock(objcg, stock, s->size, true)/
