// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: what may be taken from this machine, and how much is taken.
 *
 * Kernel memory is invisible to the OOM killer's choice, so caps of our own stand
 * between a slip of the finger and a dead machine. All are module parameters and
 * can be changed at run time; what is already held is not affected.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "internal.h"

static unsigned long long ms_limits_session_max;
module_param_named(session_max_bytes, ms_limits_session_max, ullong, 0644);
MODULE_PARM_DESC(session_max_bytes, "cap on the memory of a session (default: total_max_bytes)");

static unsigned long long ms_limits_total_max;
module_param_named(total_max_bytes, ms_limits_total_max, ullong, 0644);
MODULE_PARM_DESC(total_max_bytes, "cap on the memory of all sessions (default: 25 % of RAM)");

static unsigned long long ms_limits_unaccounted_max;
module_param_named(unaccounted_max_bytes, ms_limits_unaccounted_max, ullong, 0644);
MODULE_PARM_DESC(unaccounted_max_bytes,
		 "cap on memory that nobody pays for (default: total_max_bytes / 4)");

static unsigned long long ms_limits_forced_max;
module_param_named(forced_max_bytes, ms_limits_forced_max, ullong, 0644);
MODULE_PARM_DESC(forced_max_bytes,
		 "cap on memory taken with ATOMIC or NOFAIL (default: total_max_bytes / 4)");

static bool ms_limits_require = true;
module_param_named(require_limit, ms_limits_require, bool, 0644);
MODULE_PARM_DESC(require_limit,
		 "refuse payers without a finite limit, also on an ancestor (default: Y)");

static bool ms_limits_relief = true;
module_param_named(oom_relief, ms_limits_relief, bool, 0644);
MODULE_PARM_DESC(oom_relief, "on a global OOM, take the memory of all sessions back (default: Y)");

static unsigned int ms_limits_deadman = 15 * 60 * 1000;

static int ms_limits_set_deadman(const char *value, const struct kernel_param *param)
{
	int ret = param_set_uint(value, param);

	if (!ret)
		ms_session_rearm_all();
	return ret;
}

static const struct kernel_param_ops ms_limits_deadman_ops = {
	.set = ms_limits_set_deadman,
	.get = param_get_uint,
};
module_param_cb(deadman_ms, &ms_limits_deadman_ops, &ms_limits_deadman, 0644);
MODULE_PARM_DESC(deadman_ms,
		 "free the memory of a session so long without a call; 0: never (default: 15 min)");

/* Protects the sums below and the footprint of each session. */
static DEFINE_SPINLOCK(ms_limits_lock);
static u64 ms_limits_total;
static u64 ms_limits_unaccounted;
static u64 ms_limits_forced;

/* Gives what was not set on the command line its default. */
void ms_limits_init(void)
{
	if (!ms_limits_total_max)
		ms_limits_total_max = (u64)totalram_pages() * PAGE_SIZE / 4;
	if (!ms_limits_session_max)
		ms_limits_session_max = ms_limits_total_max;
	if (!ms_limits_unaccounted_max)
		ms_limits_unaccounted_max = ms_limits_total_max / 4;
	if (!ms_limits_forced_max)
		ms_limits_forced_max = ms_limits_total_max / 4;
}

/* How many objects of @bytes still fit under @max, @objects at the most. */
static u64 ms_limits_fit(u64 used, u64 max, u64 bytes, u64 objects)
{
	if (used >= max)
		return 0;
	return min(objects, div64_u64(max - used, bytes));
}

static void ms_limits_move(struct ms_session *session, const struct ms_request *request, s64 bytes)
{
	lockdep_assert_held(&ms_limits_lock);
	session->footprint_bytes += bytes;
	ms_limits_total += bytes;
	if (request->unpaid)
		ms_limits_unaccounted += bytes;
	if (ms_policy_forced(request->policy))
		ms_limits_forced += bytes;
}

/* Takes room for up to @objects; returns for how many there was any. */
u64 ms_limits_reserve(struct ms_session *session, const struct ms_request *request, u64 objects)
{
	u64 bytes = request->unit.footprint_bytes;

	spin_lock(&ms_limits_lock);
	objects = ms_limits_fit(session->footprint_bytes, ms_limits_session_max, bytes, objects);
	objects = ms_limits_fit(ms_limits_total, ms_limits_total_max, bytes, objects);
	if (request->unpaid)
		objects = ms_limits_fit(ms_limits_unaccounted, ms_limits_unaccounted_max, bytes,
					objects);
	if (ms_policy_forced(request->policy))
		objects = ms_limits_fit(ms_limits_forced, ms_limits_forced_max, bytes, objects);
	ms_limits_move(session, request, objects * bytes);
	spin_unlock(&ms_limits_lock);
	return objects;
}

void ms_limits_release(struct ms_session *session, const struct ms_request *request, u64 objects)
{
	spin_lock(&ms_limits_lock);
	ms_limits_move(session, request, -(objects * request->unit.footprint_bytes));
	spin_unlock(&ms_limits_lock);
}

unsigned int ms_limits_deadman_ms(void)
{
	return READ_ONCE(ms_limits_deadman);
}

bool ms_limits_require_limit(void)
{
	return READ_ONCE(ms_limits_require);
}

bool ms_limits_oom_relief(void)
{
	return READ_ONCE(ms_limits_relief);
}

void ms_limits_describe(struct memstress_info *cmd)
{
	if (ms_limits_require_limit())
		cmd->features |= MEMSTRESS_FEATURE_REQUIRE_LIMIT;
	if (ms_limits_oom_relief())
		cmd->features |= MEMSTRESS_FEATURE_OOM_RELIEF;
	cmd->session_max_bytes = ms_limits_session_max;
	cmd->total_max_bytes = ms_limits_total_max;
	cmd->unaccounted_max_bytes = ms_limits_unaccounted_max;
	cmd->forced_max_bytes = ms_limits_forced_max;
	cmd->deadman_ms = ms_limits_deadman_ms();
	spin_lock(&ms_limits_lock);
	cmd->total_bytes = ms_limits_total;
	spin_unlock(&ms_limits_lock);
}
