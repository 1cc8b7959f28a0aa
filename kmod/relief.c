// SPDX-License-Identifier: GPL-2.0
/*
 * Relief: on a global OOM all sessions' memory is given back before anybody is
 * killed for it. An OOM of a memcg does not come here (out_of_memory() calls the
 * notifiers only if !is_memcg_oom()).
 */
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>

#include "internal.h"

static int ms_relief_notify(struct notifier_block *block, unsigned long unused, void *freed_pages)
{
	if (ms_limits_oom_relief())
		*(unsigned long *)freed_pages += ms_session_reclaim_all() >> PAGE_SHIFT;
	return NOTIFY_OK;
}

static struct notifier_block ms_relief_block = {
	.notifier_call = ms_relief_notify,
};

int ms_relief_init(void)
{
	return register_oom_notifier(&ms_relief_block);
}

void ms_relief_exit(void)
{
	unregister_oom_notifier(&ms_relief_block);
}
