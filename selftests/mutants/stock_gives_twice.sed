# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a stock gives two pages for one
# law: test_conservation
/^[a-z_].*\bconsume_stock(/,/^}/ s/stock_pages -= nr_pages/stock_pages -= (nr_pages + 1) \/ 2/
