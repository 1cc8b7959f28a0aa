// SPDX-License-Identifier: GPL-2.0
/* Dispatch: which ioctls there are, their sizes, copying in and out. */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "internal.h"

/* Copies the answer to the caller, cut to the size of its struct. */
int ms_ioctl_respond(struct ms_ucmd *ucmd, size_t size)
{
	if (copy_to_user(ucmd->ubuffer, ucmd->cmd, min_t(size_t, ucmd->user_size, size)))
		return -EFAULT;
	return 0;
}

/* The caller now, and whoever opened the file then. */
bool ms_ioctl_privileged(struct file *file)
{
	return capable(CAP_SYS_ADMIN) && file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN);
}

static int ms_ioctl_info(struct ms_ucmd *ucmd)
{
	struct memstress_info *cmd = ucmd->cmd;
	struct memstress_info info = {
		.size = cmd->size,
		.kind = cmd->kind,
		.order = cmd->order,
		.object_size = cmd->object_size,
		.abi_version = MEMSTRESS_ABI_VERSION,
		.page_size = PAGE_SIZE,
		.kinds = ms_kind_bitmap(),
		.contexts = ms_context_bitmap(),
		.policies = ms_policy_bitmap(),
		.possible_cpus = num_possible_cpus(),
		.online_cpus = num_online_cpus(),
		.online_nodes = num_online_nodes(),
		.charge_batch_pages = MEMCG_CHARGE_BATCH,
		.features = MEMSTRESS_FEATURE_PAYER | MEMSTRESS_FEATURE_SETTLE,
	};
	int ret;

	if (cmd->flags || cmd->__reserved)
		return -EINVAL;
	if (ms_memcg_accounts_kernel())
		info.features |= MEMSTRESS_FEATURE_KMEM;
	if (MS_COMPAT_CHARGES_INTERRUPTS)
		info.features |= MEMSTRESS_FEATURE_CHARGED_INTERRUPTS;
	if (MS_COMPAT_MAPS_CHARGED)
		info.features |= MEMSTRESS_FEATURE_MAPS_CHARGED;
	ms_limits_describe(&info);
	ret = ms_kind_describe(&info);
	if (ret)
		return ret;
	*cmd = info;
	return ms_ioctl_respond(ucmd, sizeof(*cmd));
}

union ms_ioctl_cmd {
	struct memstress_info info;
	struct memstress_alloc alloc;
	struct memstress_free free;
	struct memstress_ledger ledger;
	struct memstress_settle settle;
	struct memstress_audit audit;
	struct memstress_setup setup;
};

/**
 * struct ms_ioctl_op - one ioctl
 * @cmd: its number
 * @size: of the struct we know
 * @min_size: smallest struct accepted: all fields of ABI version 1
 * @execute: does it and answers
 */
struct ms_ioctl_op {
	unsigned int cmd;
	size_t size;
	size_t min_size;
	int (*execute)(struct ms_ucmd *ucmd);
};

#define MS_IOCTL_OP(_name, _NAME, _last, _execute)                        \
	[MEMSTRESS_CMD_##_NAME - MEMSTRESS_CMD_BASE] = {                  \
		.cmd = MEMSTRESS_IOC_##_NAME,                             \
		.size = sizeof(struct memstress_##_name),                 \
		.min_size = offsetofend(struct memstress_##_name, _last), \
		.execute = _execute,                                      \
	}

static const struct ms_ioctl_op ms_ioctl_ops[] = {
	MS_IOCTL_OP(info, INFO, kind_alignment_max, ms_ioctl_info),
	MS_IOCTL_OP(alloc, ALLOC, mmap_offset, ms_alloc),
	MS_IOCTL_OP(free, FREE, __reserved, ms_free),
	MS_IOCTL_OP(ledger, LEDGER, mmap_offset, ms_session_ledger),
	MS_IOCTL_OP(settle, SETTLE, state, ms_settle),
	MS_IOCTL_OP(audit, AUDIT, right_id, ms_audit),
	MS_IOCTL_OP(setup, SETUP, flags, ms_session_setup),
};

static const struct ms_ioctl_op *ms_ioctl_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd) - MEMSTRESS_CMD_BASE;

	if (nr >= ARRAY_SIZE(ms_ioctl_ops))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(ms_ioctl_ops));
	return ms_ioctl_ops[nr].cmd == cmd ? &ms_ioctl_ops[nr] : NULL;
}

long ms_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct ms_ioctl_op *op = ms_ioctl_find(cmd);
	struct ms_ucmd ucmd = {
		.session = file->private_data,
		.file = file,
		.ubuffer = (void __user *)arg,
	};
	union ms_ioctl_cmd buffer;
	int ret;

	/* The structs are ABI: they may only grow, and then this and test_abi.c with them. */
	BUILD_BUG_ON(sizeof(struct memstress_info) != 216);
	BUILD_BUG_ON(sizeof(struct memstress_alloc) != 184);
	BUILD_BUG_ON(sizeof(struct memstress_free) != 112);
	BUILD_BUG_ON(sizeof(struct memstress_ledger) != 144);
	BUILD_BUG_ON(sizeof(struct memstress_settle) != 56);
	BUILD_BUG_ON(sizeof(struct memstress_audit) != 88);
	BUILD_BUG_ON(sizeof(struct memstress_setup) != 8);

	if (!op)
		return -ENOTTY;
	if (get_user(ucmd.user_size, (u32 __user *)ucmd.ubuffer))
		return -EFAULT;
	if (ucmd.user_size < op->min_size)
		return -EINVAL;
	if (ucmd.user_size > PAGE_SIZE)
		return -E2BIG;

	memset(&buffer, 0, sizeof(buffer));
	ret = copy_struct_from_user(&buffer, op->size, ucmd.ubuffer, ucmd.user_size);
	if (ret)
		return ret;
	ucmd.cmd = &buffer;
	ms_session_touch(ucmd.session);
	return op->execute(&ucmd);
}
