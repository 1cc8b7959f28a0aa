# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: a page above the limit is allowed
# law: test_limit
/^[a-z_].*\bpage_counter_try_charge(/,/^}/ s/if (new > c->max)/if (new > 1 \&\& (unsigned long)new - 1 > c->max)/
