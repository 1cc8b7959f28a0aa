# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: a charge that an ancestor refuses stays on those below
# law: test_refusal
/^[a-z_].*\bpage_counter_try_charge(/,/^}/ s/c != \*fail/false/
