# SPDX-License-Identifier: GPL-2.0
# mm/workingset.c: what was reclaimed by generations and comes back is not counted
# law: test_page_cache
/^[a-z_].*\blru_gen_refault(/,/^}/ s/mod_lruvec_state(lruvec, WORKINGSET_REFAULT_BASE + type, delta);/;/
