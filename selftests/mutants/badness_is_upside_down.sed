# SPDX-License-Identifier: GPL-2.0
# mm/oom_kill.c: a high oom_score_adj protects
# law: test_choice
/^[a-z_].*\boom_badness(/,/^}/ s/points += adj;/points -= adj;/
