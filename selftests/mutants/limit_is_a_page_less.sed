# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: the last page below a limit is refused
# law: test_limit
/^[a-z_].*\bpage_counter_try_charge(/,/^}/ s/if (new > c->max)/if (new >= c->max)/
