# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a refusal without reclaim raises no max event
# law: test_limit
/^[a-z_].*\btry_charge_memcg(/,/^}/ s/if (!raised_max_event)/if (false)/
