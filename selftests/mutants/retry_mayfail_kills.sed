# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a charge that may fail makes the OOM killer come
# law: test_limit
/^[a-z_].*\btry_charge_memcg(/,/^}/ s/if (gfp_mask & __GFP_RETRY_MAYFAIL)/if (false)/
