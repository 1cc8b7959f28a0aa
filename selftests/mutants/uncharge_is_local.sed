# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: an uncharge is not one of the ancestors
# law: test_return
/^[a-z_].*\bpage_counter_uncharge(/,/^}/ s/c = c->parent/c = NULL/
