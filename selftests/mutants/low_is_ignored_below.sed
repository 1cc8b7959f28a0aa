# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: children get nothing of the memory.low of their parent
# law: test_protection
/^[a-z_].*\bpage_counter_calculate_protection(/,/^}/ s/READ_ONCE(counter->low),/0,/
