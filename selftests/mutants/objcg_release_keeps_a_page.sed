# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: whole pages that are left when an objcg dies stay charged
# law: test_return
/^[a-z_].*\bobj_cgroup_release(/,/^}/ s/if (nr_pages) {/if (nr_pages > 1) {/
