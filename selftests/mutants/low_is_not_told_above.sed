# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: the parent is not told how much of memory.low is used
# law: test_protection
/^[a-z_].*\bpropagate_protected_usage(/,/^}/ s/atomic_long_add(delta, &c->parent->children_low_usage);/;/
