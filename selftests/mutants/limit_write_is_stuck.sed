# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a write to memory.max goes on when a later one has replaced it
# law: test_squeeze
/^[a-z_].*\bmemory_max_write(/,/^}/ s/if (max != READ_ONCE(memcg->memory.max))/if (false)/
