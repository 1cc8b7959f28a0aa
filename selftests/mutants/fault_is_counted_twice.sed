# SPDX-License-Identifier: GPL-2.0
# mm/memory.c: a fault counts twice at the cgroup
# law: test_statistics
/^[a-z_].*\bmm_account_fault(/,/^}/ s/count_memcg_event_mm(mm, PGFAULT);/count_memcg_event_mm(mm, PGFAULT), &/
