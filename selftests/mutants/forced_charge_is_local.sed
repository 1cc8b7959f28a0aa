# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: a forced charge is not one of the ancestors
# law: test_limit
/^[a-z_].*\bpage_counter_charge(/,/^}/ s/c = c->parent/c = NULL/
