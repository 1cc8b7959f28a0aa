# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: events are not counted at ancestors
# law: test_limit
/^[a-z_].*\b__memcg_memory_event(/,/^}/ s/if (cgrp_dfl_root.flags & CGRP_ROOT_MEMORY_LOCAL_EVENTS)/if (true)/
