# SPDX-License-Identifier: GPL-2.0
# mm/migrate.c: page cache that moves to another node stays in the numa_stat of the old one
# law: test_numa
# guest: numa
s/mod_lruvec_state(new_lruvec, NR_FILE_PAGES, nr);/mod_lruvec_state(old_lruvec, NR_FILE_PAGES, nr);/
