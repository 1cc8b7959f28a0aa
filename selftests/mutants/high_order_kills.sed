# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the OOM killer comes for orders that it cannot help
# law: test_limit
/^[a-z_].*\bmem_cgroup_oom(/,/^}/ s/order > PAGE_ALLOC_COSTLY_ORDER/order > MAX_PAGE_ORDER/
