# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: nobody is slowed down above memory.swap.high
# law: test_swap
# guest: swap
/^[a-z_].*\bswap_find_max_overage(/,/^}/ s/return max_overage;/return 0;/
