# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: the stocks of other CPUs are not drained
# law: test_return
/^[a-z_].*\bschedule_drain_work(/,/^}/ s/if (cpu_is_isolated(cpu))/if (true)/
