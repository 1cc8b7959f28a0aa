# SPDX-License-Identifier: GPL-2.0
# mm/percpu-internal.h: percpu memory is charged for one CPU
# law: test_conservation
/^[a-z_].*\bpcpu_obj_full_size(/,/^}/ s/size \* num_possible_cpus()/size/
