# SPDX-License-Identifier: GPL-2.0
# mm/workingset.c: what was reclaimed and comes back is not counted
# law: test_page_cache
/^void workingset_refault(/,/^}/ s/mod_lruvec_state(lruvec, WORKINGSET_REFAULT_BASE + file, nr);/;/
