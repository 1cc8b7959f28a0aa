# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: reclaim above memory.high is no high event
# law: test_throttle
/^[a-z_].*\breclaim_high(/,/^}/ s/memcg_memory_event(memcg, MEMCG_HIGH);/;/
