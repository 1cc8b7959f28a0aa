# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the tail pages of a block that is split are not uncharged
# law: test_free_paths
/^[a-z_].*\bsplit_page_memcg(/,/^}/ s/i < nr; i++/i < 1; i++/
