# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: an atomic charge is not forced over the limit
# law: test_limit
/^[a-z_].*\btry_charge_memcg(/,/^}/ s/(__GFP_NOFAIL | __GFP_HIGH)/__GFP_NOFAIL/
