# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: an event counts twice in memory.events.local
# law: test_limit
/^[a-z_].*\b__memcg_memory_event(/,/^}/ s/atomic_long_inc(&memcg->memory_events_local\[event\])/atomic_long_add(2, \&memcg->memory_events_local[event])/
