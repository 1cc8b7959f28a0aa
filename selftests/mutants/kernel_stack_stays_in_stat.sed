# SPDX-License-Identifier: GPL-2.0
# kernel/fork.c: kernel stacks stay in memory.stat when a task ends
# law: test_release
/^[a-z_].*\bexit_task_stack_account(/,/^}/ s/account_kernel_stack(tsk, -1);/;/
