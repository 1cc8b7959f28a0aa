# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: what is uncharged stays protected
# law: test_protection
/^[a-z_].*\bpage_counter_cancel(/,/^}/ s/propagate_protected_usage(counter, new);/;/
