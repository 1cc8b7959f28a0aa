# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a stock of bytes that grows beyond 16 bits is cut
# law: test_return
/^[a-z_].*\b__refill_obj_stock(/,/^}/ s/stock_nr_bytes > U16_MAX/stock_nr_bytes > 4 * U16_MAX/
