# SPDX-License-Identifier: GPL-2.0
# mm/oom_kill.c: a kill is no oom_kill event
# law: test_victim
/^[a-z_].*\b__oom_kill_process(/,/^}/ s/memcg_memory_event_mm(mm, MEMCG_OOM_KILL);/;/
