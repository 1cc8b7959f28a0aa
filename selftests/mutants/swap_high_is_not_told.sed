# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: above memory.swap.high no event is counted
# law: test_swap
# guest: swap
/^[a-z_].*\bswap_find_max_overage(/,/^}/ s/if (overage)/if (false)/
