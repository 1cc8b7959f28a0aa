# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a refusal after reclaim raises one max event too many
# law: test_limit
/^[a-z_].*\btry_charge_memcg(/,/^}/ s/raised_max_event = true;/;/
