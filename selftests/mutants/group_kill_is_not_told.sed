# SPDX-License-Identifier: GPL-2.0
# mm/oom_kill.c: a group that is killed is no oom_group_kill event
# law: test_victim
s/memcg_memory_event(oom_group, MEMCG_OOM_GROUP_KILL);/;/
