# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the last page of a batch of user pages stays charged
# law: test_release
/^[a-z_].*\buncharge_batch(/,/^}/ s/memcg_uncharge(memcg, ug->nr_memory)/memcg_uncharge(memcg, ug->nr_memory - (ug->nr_memory > 1))/
