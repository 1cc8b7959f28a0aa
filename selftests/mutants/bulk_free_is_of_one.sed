# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: of slab objects that are freed together only the first is uncharged
# law: test_free_paths
/^[a-z_].*\b__memcg_slab_free_hook(/,/^}/ s/i < objects/i < 1/
