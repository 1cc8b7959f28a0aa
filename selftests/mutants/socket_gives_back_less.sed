# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: of a socket that is given back a page stays charged
# law: test_release
/^[a-z_].*\bmem_cgroup_sk_uncharge(/,/^}/ s/refill_stock(memcg, nr_pages)/refill_stock(memcg, nr_pages - 1)/
