# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: who is slowed down above memory.high cannot be killed
# law: test_throttle
/^[a-z_].*\b__mem_cgroup_handle_over_high(/,/^}/ s/schedule_timeout_killable(penalty/schedule_timeout_uninterruptible(penalty/
