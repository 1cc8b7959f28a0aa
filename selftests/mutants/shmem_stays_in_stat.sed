# SPDX-License-Identifier: GPL-2.0
# mm/filemap.c: shmem that is freed stays in memory.stat
# law: test_release
/^[a-z_].*\bfilemap_unaccount_folio(/,/^}/ s/lruvec_stat_mod_folio(folio, NR_SHMEM, -nr);/;/
