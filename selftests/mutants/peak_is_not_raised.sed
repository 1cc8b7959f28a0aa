# SPDX-License-Identifier: GPL-2.0
# mm/page_counter.c: the peak does not follow the usage
# law: test_peak
/^[a-z_].*\bpage_counter_try_charge(/,/^}/ s/WRITE_ONCE(c->watermark, new);/;/
