# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a slab object whose charge is refused is given out all the same
# law: test_refusal
/^[a-z_].*\b__memcg_slab_post_alloc_hook(/,/^}/ { /if (__obj_cgroup_charge(/ { n; s/return false/return true/ } }
