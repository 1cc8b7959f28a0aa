# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a stock that is drained gives back one page too few
# law: test_return
/^[a-z_].*\bdrain_stock(/,/^}/ s/memcg_uncharge(old, stock_pages)/memcg_uncharge(old, stock_pages - 1)/
