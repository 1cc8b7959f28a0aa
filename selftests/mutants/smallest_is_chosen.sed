# SPDX-License-Identifier: GPL-2.0
# mm/oom_kill.c: the smallest process dies, not the largest
# law: test_choice
/^[a-z_].*\boom_evaluate_task(/,/^}/ s/points < oc->chosen_points/(oc->chosen \&\& points > oc->chosen_points)/
