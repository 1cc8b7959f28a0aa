# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: what is too large for a stock is not given back
# law: test_return
/^[a-z_].*\brefill_stock(/,/^}/ s/^\t\tmemcg_uncharge(memcg, nr_pages);/\t\t;/
