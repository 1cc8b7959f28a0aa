# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the part of a page that a drained stock of bytes leaves is forgotten
# law: test_return
/^[a-z_].*\bdrain_obj_stock_slot(/,/^}/ s/atomic_add(nr_bytes, &old->nr_charged_bytes);/;/
