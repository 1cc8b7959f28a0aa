# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: each uncharge of pages pins the memcg once more
# law: test_return
/^[a-z_].*\bobj_cgroup_uncharge_pages(/,/^}/ s/css_put(&memcg->css);/;/
