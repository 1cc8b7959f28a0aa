# SPDX-License-Identifier: GPL-2.0
# mm/oom_kill.c: who shares the mm of a victim is not killed
# law: test_victim
/^[a-z_].*\b__oom_kill_process(/,/^}/ s/if (!process_shares_mm(p, mm))/if (true)/
