// SPDX-License-Identifier: GPL-2.0
/* The options for steps of kernel memory. */
#include <limits.h>
#include <stddef.h>

#include "job.h"

#define JOB_POLICY_NAMES \
	"kernel, nowait, atomic, noio, nofs, noretry, retry-mayfail, nofail, nolock"
#define JOB_METHOD_NAMES "singly, bulk, grow, shrink"

struct step *job_kernel_step(struct job *job, const char *where, struct error *error)
{
	struct step *step = job_step(job);

	if (!step->kind || !step->kind->workload)
		return step;
	error_set(error, STATUS_MISUSE, "%s: this is for kernel memory, and %s is user memory",
		  where, step->kind->name);
	return NULL;
}

static int job_set_policy(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);

	if (!step)
		return -1;
	if (kind_policy_find(value, &step->policy))
		return job_refuse(error, where, value, "one of " JOB_POLICY_NAMES);
	step->policy_given = true;
	return 0;
}

static int job_set_context(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);

	if (!step)
		return -1;
	if (kind_context_find(value, &step->context))
		return job_refuse(error, where, value, "one of " JOB_CONTEXT_NAMES);
	return 0;
}

static int job_set_cpu(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);
	__u64 cpu;

	if (!step)
		return -1;
	if (units_parse_number(value, &cpu) || cpu > INT_MAX)
		return job_refuse(error, where, value, "the number of a CPU");
	step->cpu = cpu;
	return 0;
}

static int job_set_method(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);

	if (!step)
		return -1;
	if (kind_alloc_method_find(value, &step->method))
		return job_refuse(error, where, value, "one of " JOB_METHOD_NAMES);
	return 0;
}

static int job_set_align(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);
	__u64 bytes;

	if (!step)
		return -1;
	if (units_parse_bytes(value, &bytes) || !bytes || bytes > UINT_MAX || bytes & (bytes - 1))
		return job_refuse(error, where, value, "a power of two");
	step->alignment = bytes;
	return 0;
}

static int job_set_node(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);
	__u64 node;

	if (!step)
		return -1;
	if (units_parse_number(value, &node) || node > INT_MAX)
		return job_refuse(error, where, value, "the number of a NUMA node");
	step->node = node;
	return 0;
}

static int job_set_zero(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);

	(void)value;
	if (!step)
		return -1;
	step->zero = true;
	return 0;
}

static int job_set_noaccount(void *context, const char *where, const char *value,
			     struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);

	(void)value;
	if (!step)
		return -1;
	step->account = false;
	return 0;
}

const struct option job_kernel_options[] = {
	{ "policy", "POLICY",
	  "how hard the allocator tries: kernel (default), nowait (default in\n"
	  "interrupts), atomic, noio, nofs, noretry, retry-mayfail, nofail,\n"
	  "nolock",
	  job_set_policy },
	{ "context", "WHERE",
	  "where the allocator is called: task (default), kworker, softirq or\n"
	  "hardirq; the last two need root",
	  job_set_context },
	{ "cpu", "N", "the CPU of that context, which is not the task's", job_set_cpu },
	{ "method", "METHOD",
	  "how objects are made: singly (default), bulk (many in one call; page\n"
	  "of order 0, cache), grow or shrink (kmalloc, by krealloc)",
	  job_set_method },
	{ "align", "SIZE", "of each object of the kind percpu: a power of two, up to a page",
	  job_set_align },
	{ "node", "N", "the NUMA node that must give the memory", job_set_node },
	{ "zero", NULL, "ask for zeroed memory", job_set_zero },
	{ "noaccount", NULL, "charge nobody", job_set_noaccount },
	{}
};

void job_forget_kernel(struct step *step)
{
	step->policy = MEMSTRESS_POLICY_KERNEL;
	step->context = MEMSTRESS_CONTEXT_TASK;
	step->cpu = JOB_CPU_ANY;
	step->method = MEMSTRESS_ALLOC_SINGLY;
	step->alignment = 0;
	step->node = MEMSTRESS_NODE_ANY;
	step->zero = false;
	step->account = true;
}
