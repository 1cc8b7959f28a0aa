# SPDX-License-Identifier: GPL-2.0
# mm/oom_kill.c: oom_score_adj -1000 protects nobody
# law: test_choice
/^[a-z_].*\boom_badness(/,/^}/ s/adj == OOM_SCORE_ADJ_MIN ||/adj < OOM_SCORE_ADJ_MIN ||/
