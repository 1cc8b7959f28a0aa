# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: a charge that is refused stays on who refuses it
# law: test_refusal
/^[a-z_].*\bpage_counter_try_charge(/,/^}/ s/atomic_long_sub(nr_pages, &c->usage);/;/
