# SPDX-License-Identifier: GPL-2.0
# mm/page-writeback.c: a page that is written is not dirty in memory.stat
# law: test_page_cache
/^[a-z_].*\bfolio_account_dirtied(/,/^}/ s/lruvec_stat_mod_folio(folio, NR_FILE_DIRTY, nr);/;/
