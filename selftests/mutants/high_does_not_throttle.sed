# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: nobody is slowed down above memory.high
# law: test_throttle
/^[a-z_].*\bcalculate_high_delay(/,/^}/ s/if (!max_overage)/if (true)/
