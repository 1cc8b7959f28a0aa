# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a reset of memory.peak forgets the mark
# law: test_peak
/^[a-z_].*\bpeak_write(/,/^}/ s/WRITE_ONCE(pc->local_watermark, usage);/;/
