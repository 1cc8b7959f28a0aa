// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "clock.h"
#include "job.h"
#include "workload.h"

#define JOB_TIMEOUT_NS (300 * NS_PER_S)

#define JOB_KIND_NAMES                                             \
	"page, kmalloc, cache, vmalloc, percpu, exact, kvmalloc; " \
	"anon, file, memfd, pipe, socket, pagetable, stack, hugetlb, dentry"
#define JOB_FREE_NAMES  "singly, bulk, rcu, split"
#define JOB_SIZE_HELP   "a whole number, with K, M, G or T if you like"
#define JOB_AMOUNT_HELP JOB_SIZE_HELP ", or 1% to 100%"

static const char *const job_untils[] = {
	[UNTIL_DONE] = "done",
	[UNTIL_OOM] = "oom",
	[UNTIL_ENOMEM] = "enomem",
};

static const char *const job_expects[] = {
	[EXPECT_DONE] = "done",     [EXPECT_OOM] = "oom",         [EXPECT_ENOMEM] = "enomem",
	[EXPECT_KILLED] = "killed", [EXPECT_SURVIVE] = "survive",
};

static const char *const job_free_orders[] = {
	[MEMSTRESS_FREE_FIFO] = "fifo",
	[MEMSTRESS_FREE_LIFO] = "lifo",
	[MEMSTRESS_FREE_RANDOM] = "random",
};

const char *job_until_name(enum until until)
{
	return until == UNTIL_USAGE ? "usage" : job_untils[until];
}

const char *job_expect_name(enum expect expect)
{
	return job_expects[expect];
}

const char *job_free_order_name(__u32 order)
{
	return job_free_orders[order];
}

struct job_text job_objects(const struct step *step)
{
	struct job_text text;

	if (step->kind->has_order)
		snprintf(text.s, sizeof(text.s), "%s, order %u", step->kind->name, step->order);
	else
		snprintf(text.s, sizeof(text.s), "%s, %llu bytes", step->kind->name,
			 step->object_size);
	return text;
}

struct job_text job_manner(const struct step *step)
{
	struct job_text text;
	int length;

	if (step->kind->workload) {
		step->kind->workload->describe(step, text.s, sizeof(text.s));
		return text;
	}
	length = snprintf(text.s, sizeof(text.s), "policy %s", kind_policy_name(step->policy));

	if (step->context != MEMSTRESS_CONTEXT_TASK)
		length += snprintf(text.s + length, sizeof(text.s) - length, ", in %s",
				   kind_context_name(step->context));
	if (step->cpu != JOB_CPU_ANY)
		length +=
			snprintf(text.s + length, sizeof(text.s) - length, " on CPU %d", step->cpu);
	if (step->method != MEMSTRESS_ALLOC_SINGLY)
		length += snprintf(text.s + length, sizeof(text.s) - length, ", by %s",
				   kind_alloc_method_name(step->method));
	if (step->alignment)
		snprintf(text.s + length, sizeof(text.s) - length, ", aligned to %u",
			 step->alignment);
	return text;
}

struct step *job_step(struct job *job)
{
	if (job->chosen)
		return &job->steps[job->chosen - 1];
	return job->step_count ? &job->steps[job->step_count - 1] : &job->defaults;
}

int job_refuse(struct error *error, const char *where, const char *value, const char *allowed)
{
	return error_set(error, STATUS_MISUSE, "%s: '%s' is not allowed; give %s", where, value,
			 allowed);
}

/* Index of @value in @names, or -1. */
static int job_choose(const char *const *names, unsigned int count, const char *value)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!strcmp(names[i], value))
			return i;
	return -1;
}

static int job_set_size(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_step(context);

	if (units_parse_amount(value, &step->size) || !step->size.value)
		return job_refuse(error, where, value, JOB_AMOUNT_HELP ", more than 0");
	step->count = 0;
	return 0;
}

static int job_set_count(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_step(context);

	if (units_parse_number(value, &step->count) || !step->count)
		return job_refuse(error, where, value, "a whole number, at least 1");
	step->size.unit = AMOUNT_NONE;
	return 0;
}

static int job_set_until(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_step(context);
	int until = job_choose(job_untils, ARRAY_SIZE(job_untils), value);

	if (until >= 0) {
		step->until = until;
		return 0;
	}
	if (units_parse_amount(value, &step->usage) || !step->usage.value)
		return job_refuse(error, where, value,
				  "done, oom, enomem, or a size or percentage");
	step->until = UNTIL_USAGE;
	return 0;
}

static int job_set_order(void *context, const char *where, const char *value, struct error *error)
{
	struct step *step = job_kernel_step(context, where, error);
	__u64 order;

	if (!step)
		return -1;
	if (step->kind && !step->kind->has_order)
		return error_set(error, STATUS_MISUSE, "%s: %s has sizes, not orders: give %s",
				 where, step->kind->name, "object-size");
	/* How far it goes, the kernel tells. */
	if (units_parse_number(value, &order) || order > UINT_MAX)
		return job_refuse(error, where, value, "a whole number");
	step->order = order;
	return 0;
}

static int job_set_object_size(void *context, const char *where, const char *value,
			       struct error *error)
{
	struct step *step = job_step(context);

	if (step->kind && step->kind->has_order)
		return error_set(error, STATUS_MISUSE, "%s: %s has orders, not sizes: give %s",
				 where, step->kind->name, "order");
	if (units_parse_bytes(value, &step->object_size) || !step->object_size)
		return job_refuse(error, where, value, JOB_SIZE_HELP ", more than 0");
	return 0;
}

static int job_set_time(__u64 *ns, const char *where, const char *value, struct error *error)
{
	if (units_parse_ns(value, ns) || !*ns)
		return job_refuse(error, where, value,
				  "a whole number with ms, s, m or h, more than 0");
	return 0;
}

static int job_set_wait(void *context, const char *where, const char *value, struct error *error)
{
	return job_set_time(&job_step(context)->wait_ns, where, value, error);
}

static int job_set_kind(void *context, const char *where, const char *value, struct error *error);

static const struct option job_step_options[] = {
	{ "kind", "KIND[,KEY=VALUE]...",
	  "begin a step: make objects of this kind, of kernel memory, by the\n"
	  "module: page, kmalloc, cache, vmalloc, percpu, exact, kvmalloc; or of\n"
	  "user memory and what the kernel keeps for a process, which needs no\n"
	  "module: anon, file, memfd, pipe, socket, pagetable, stack, hugetlb,\n"
	  "dentry.\n"
	  "KEY=VALUE is any option for steps, so that\n"
	  "--kind page,order=2 is --kind page --order 2",
	  job_set_kind },
	{ "size", "SIZE", "how much in all, as it is asked for; % of the effective limit",
	  job_set_size },
	{ "count", "N", "how many objects, instead of --size", job_set_count },
	{ "until", "WHAT",
	  "what ends the step: done (all of --size or --count), oom (the OOM\n"
	  "killer), enomem (a refusal), or a usage of the cgroup: SIZE, or %\n"
	  "of the effective limit, the tightest of it and its ancestors;\n"
	  "without --size or --count there is no other bound",
	  job_set_until },
	{ "wait", "TIME", "do nothing for so long before the step begins (0)", job_set_wait },
	{ "order", "N", "of each object of the kind page: 2^N pages (0)", job_set_order },
	{ "object-size", "SIZE",
	  "of each object of the other kinds (1K, vmalloc 64K, exact 20K;\n"
	  "percpu: a CPU; anon, file, memfd a page, pipe 64K, socket 32K,\n"
	  "hugetlb the kernel's default size of huge pages, or another of its)",
	  job_set_object_size },
	{}
};

/* @item is KEY=VALUE or KEY. */
static int job_set_key(struct job *job, const char *kind_where, const char *kind, char *item,
		       struct error *error)
{
	char *value = strchr(item, '=');
	const struct option *option;
	char where[512];

	if (value)
		*value++ = '\0';
	option = option_find_in_groups(job_step_groups, item);
	if (!option || option->set == job_set_kind)
		return error_set(error, STATUS_MISUSE,
				 "%s %s: unknown key '%s'; see the steps in run --help", kind_where,
				 kind, item);
	snprintf(where, sizeof(where), "%s %s: %s", kind_where, kind, item);
	if (option->argument && !value)
		return error_set(error, STATUS_MISUSE, "%s needs a value: %s=%s", where, item,
				 option->argument);
	if (!option->argument && value)
		return error_set(error, STATUS_MISUSE, "%s takes no value, not '%s'", where, value);
	return option->set(job, where, value, error);
}

static int job_set_kind(void *context, const char *where, const char *value, struct error *error)
{
	return job_begin_step(context, where, value, error);
}

int job_begin_step(struct job *job, const char *where, const char *value, struct error *error)
{
	char *copy, *item, *rest = NULL;
	const struct kind *kind;
	struct step *step;
	int ret = 0;

	copy = strdup(value);
	if (!copy)
		return error_set(error, STATUS_FAILED, "out of memory");
	item = strtok_r(copy, ",", &rest);
	kind = item ? kind_find(item) : NULL;
	if (!kind) {
		ret = job_refuse(error, where, item ? item : value, "one of " JOB_KIND_NAMES);
		goto out;
	}
	if (job->step_count == JOB_STEPS_MAX) {
		ret = error_set(error, STATUS_MISUSE, "%s: more than %d steps", where,
				JOB_STEPS_MAX);
		goto out;
	}
	step = &job->steps[job->step_count++];
	*step = job->defaults;
	step->kind = kind;
	/* A default that this kind has no use for is meant for the others. */
	if (kind->workload)
		job_forget_kernel(step);
	if (kind->has_order)
		step->object_size = 0;
	else
		step->order = 0;
	while (!ret && (item = strtok_r(NULL, ",", &rest)))
		ret = job_set_key(job, where, kind->name, item, error);
out:
	free(copy);
	return ret;
}

static int job_set_cgroup(void *context, const char *where, const char *value, struct error *error)
{
	struct job *job = context;

	if (!*value)
		return job_refuse(error, where, value, "a name or path");
	job->cgroup = value;
	return 0;
}

static int job_set_in(void *context, const char *where, const char *value, struct error *error)
{
	(void)where;
	(void)error;
	((struct job *)context)->in = value;
	return 0;
}

static int job_set_payer(void *context, const char *where, const char *value, struct error *error)
{
	struct job *job = context;

	job->outside = !strcmp(value, "outside");
	if (!job->outside && strcmp(value, "inside"))
		return job_refuse(error, where, value, "inside or outside");
	return 0;
}

static int job_set_expect(void *context, const char *where, const char *value, struct error *error)
{
	struct job *job = context;
	int expect = job_choose(job_expects, EXPECT_END, value);

	if (expect < 0)
		return job_refuse(error, where, value, "done, oom, enomem, killed or survive");
	job->expect = expect;
	job->expect_given = true;
	return 0;
}

static int job_set_hold(void *context, const char *where, const char *value, struct error *error)
{
	return job_set_time(&((struct job *)context)->hold_ns, where, value, error);
}

static int job_set_timeout(void *context, const char *where, const char *value, struct error *error)
{
	struct job *job = context;

	job->timeout_given = true;
	return job_set_time(&job->timeout_ns, where, value, error);
}

static int job_set_free(void *context, const char *where, const char *value, struct error *error)
{
	struct job *job = context;
	int order = job_choose(job_free_orders, ARRAY_SIZE(job_free_orders), value);

	if (order < 0)
		return job_refuse(error, where, value, "fifo, lifo or random");
	job->free_order = order;
	return 0;
}

static int job_set_free_by(void *context, const char *where, const char *value, struct error *error)
{
	if (kind_free_method_find(value, &((struct job *)context)->free_by))
		return job_refuse(error, where, value, "one of " JOB_FREE_NAMES);
	return 0;
}

static int job_set_free_context(void *context, const char *where, const char *value,
				struct error *error)
{
	if (kind_context_find(value, &((struct job *)context)->free_context))
		return job_refuse(error, where, value, "one of " JOB_CONTEXT_NAMES);
	return 0;
}

static int job_set_seed(void *context, const char *where, const char *value, struct error *error)
{
	struct job *job = context;

	if (units_parse_number(value, &job->seed))
		return job_refuse(error, where, value, "a whole number");
	job->seed_given = true;
	return 0;
}

static int job_set_json(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct job *)context)->json, where, value, error);
}

static int job_set_quiet(void *context, const char *where, const char *value, struct error *error)
{
	return option_set_flag(&((struct job *)context)->quiet, where, value, error);
}

const struct option job_place_options[] = {
	{ "cgroup", "NAME|PATH",
	  "make this cgroup (memstress-PID); it must not exist. Under systemd a\n"
	  "NAME is that of a delegated scope, and the cgroup is in it; a PATH has\n"
	  "a slash, and is below the mount",
	  job_set_cgroup },
	{ "in", "CGROUP",
	  "make none but use this one, which is there: a path, pid:N, unit:NAME,\n"
	  "docker:NAME, podman:NAME or the beginning of a container's id. Limits\n"
	  "that are set for it are put back at the end, unless others have set them again",
	  job_set_in },
	{}
};

const struct option job_run_options[] = {
	{ "payer", "WHERE",
	  "inside (default): the worker is placed in the cgroup and pays for\n"
	  "itself; outside: the cgroup stays empty and is made to pay, so that\n"
	  "its books must be exact to the byte",
	  job_set_payer },
	{ "expect", "WHAT",
	  "what must happen for exit code 0: done, oom, enomem, killed or\n"
	  "survive; follows from the last step's --until",
	  job_set_expect },
	{ "hold", "TIME", "keep everything so long before it is freed", job_set_hold },
	{ "free", "ORDER", "free in this order: fifo (default), lifo or random", job_set_free },
	{ "free-by", "METHOD",
	  "how objects are freed: singly (default), bulk (many in one call;\n"
	  "kmalloc, cache), rcu (by callbacks of call_rcu()) or split (pages of\n"
	  "an order, made so that they can be split)",
	  job_set_free_by },
	{ "free-context", "WHERE",
	  "where objects are freed: task (default), kworker, softirq or hardirq;\n"
	  "the last two need root",
	  job_set_free_context },
	{ "seed", "N", "of --free random and --growth random", job_set_seed },
	{ "timeout", "TIME", "give up after this (5m and the time of --hold, --wait and --growth)",
	  job_set_timeout },
	{ "json", NULL, "JSON lines, one for everything that is observed", job_set_json },
	{ "quiet", NULL, "print nothing but the reason of a failure", job_set_quiet },
	{}
};

const struct option_group job_step_groups[] = { { "Steps", job_step_options },
						{ "Steps of kernel memory", job_kernel_options },
						{ "Steps of user memory", job_user_options },
						{ "Growth of a step", job_growth_options },
						{} };

const struct option_group job_options[] = {
	{ "Steps (after a --kind: for that step; before the first: for all)", job_step_options },
	{ "Steps of kernel memory", job_kernel_options },
	{ "Steps of user memory", job_user_options },
	{ "Growth of a step", job_growth_options },
	{ "The cgroup", job_place_options },
	{ "Its limits", limits_options },
	{ "The run", job_run_options },
	{}
};

void job_init(struct job *job)
{
	memset(job, 0, sizeof(*job));
	job->cgroup_option = "--cgroup";
	job->defaults.node = MEMSTRESS_NODE_ANY;
	job->defaults.cpu = JOB_CPU_ANY;
	job->defaults.account = true;
}

bool job_has_user_memory(const struct job *job)
{
	unsigned int i;

	for (i = 0; i < job->step_count; i++)
		if (job->steps[i].kind->workload)
			return true;
	return false;
}

bool job_has_kernel_memory(const struct job *job)
{
	unsigned int i;

	for (i = 0; i < job->step_count; i++)
		if (!job->steps[i].kind->workload)
			return true;
	return false;
}

static int job_check_growth(const struct job *job, const struct step *step, const char *where,
			    struct error *error)
{
	bool is_bounded = step->count || step->size.unit != AMOUNT_NONE ||
			  step->until == UNTIL_USAGE;

	if ((step->growth.shape == GROWTH_RANDOM || step->growth.shape == GROWTH_SPIKE) &&
	    !is_bounded)
		return error_set(error, STATUS_MISUSE,
				 "%s: growth %s goes up to where? give --size or --count", where,
				 growth_name(step->growth.shape));
	if (step->growth.churn_bytes && !job->hold_ns)
		return error_set(error, STATUS_MISUSE, "%s: churn is for --hold TIME", where);
	return 0;
}

static int job_finish_step(struct job *job, unsigned int i, struct error *error)
{
	struct step *step = &job->steps[i];
	char where[512];

	if (step->line)
		snprintf(where, sizeof(where), "%s:%u: step %u (%s)", job->file, step->line, i + 1,
			 step->kind->name);
	else
		snprintf(where, sizeof(where), "step %u (%s)", i + 1, step->kind->name);
	if (step->kind->workload && job_finish_user(job, step, where, error))
		return -1;
	if (!step->object_size)
		step->object_size = step->kind->object_size;
	if (growth_finish(&step->growth, where, error) || job_check_growth(job, step, where, error))
		return -1;
	step->free_by = job->free_by;
	step->free_context = job->free_context;
	if (!step->policy_given && kind_context_interrupts(step->context))
		step->policy = MEMSTRESS_POLICY_NOWAIT;
	if (step->cpu != JOB_CPU_ANY && step->context == MEMSTRESS_CONTEXT_TASK)
		return error_set(error, STATUS_MISUSE,
				 "%s: --cpu is for --context kworker, softirq or hardirq; "
				 "a task runs where taskset puts it",
				 where);
	if (step->until == UNTIL_DONE && !step->count && step->size.unit == AMOUNT_NONE)
		return error_set(error, STATUS_MISUSE,
				 "%s: how much? give --size, --count or --until", where);
	if (step->until == UNTIL_OOM && i + 1 < job->step_count)
		return error_set(error, STATUS_MISUSE,
				 "%s: --until oom ends the run; only the last step can have it",
				 where);
	if (step->until != UNTIL_DONE && !step->account)
		return error_set(error, STATUS_MISUSE,
				 "%s: what nobody pays for meets no limit: give --size or --count",
				 where);
	return 0;
}

int job_finish_place(const struct job *job, struct error *error)
{
	if (job->cgroup && job->in)
		return error_set(error, STATUS_MISUSE, "%s and --in exclude each other",
				 job->cgroup_option);
	return 0;
}

static bool job_walks(const struct job *job)
{
	unsigned int i;

	for (i = 0; i < job->step_count; i++)
		if (job->steps[i].growth.shape == GROWTH_RANDOM)
			return true;
	return false;
}

int job_finish(struct job *job, struct error *error)
{
	static const enum expect follows[] = {
		[UNTIL_DONE] = EXPECT_DONE,
		[UNTIL_OOM] = EXPECT_OOM,
		[UNTIL_ENOMEM] = EXPECT_ENOMEM,
		[UNTIL_USAGE] = EXPECT_DONE,
	};
	unsigned int i;

	if (!job->step_count)
		return error_set(error, STATUS_MISUSE,
				 "nothing to allocate; give --kind KIND, one of " JOB_KIND_NAMES);
	for (i = 0; i < job->step_count; i++)
		if (job_finish_step(job, i, error))
			return -1;
	if (job_finish_place(job, error))
		return -1;
	if (!job_has_kernel_memory(job) &&
	    (job->free_by != MEMSTRESS_FREE_SINGLY || job->free_context != MEMSTRESS_CONTEXT_TASK))
		return error_set(error, STATUS_MISUSE,
				 "--free-by and --free-context are for kernel memory");
	if (job->free_by == MEMSTRESS_FREE_RCU && job->free_context != MEMSTRESS_CONTEXT_TASK)
		return error_set(error, STATUS_MISUSE,
				 "--free-by rcu has a context of its own; give no --free-context");
	if (job->free_by == MEMSTRESS_FREE_BULK && job->free_context == MEMSTRESS_CONTEXT_HARDIRQ)
		return error_set(error, STATUS_MISUSE,
				 "--free-by bulk cannot be done in a hardirq; "
				 "give --free-context task, kworker or softirq");
	if (job->seed_given && job->free_order != MEMSTRESS_FREE_RANDOM && !job_walks(job))
		return error_set(error, STATUS_MISUSE,
				 "--seed is for --free random and --growth random");
	if (job->json && job->quiet)
		return error_set(error, STATUS_MISUSE, "--json and --quiet exclude each other");
	if (!job->expect_given)
		job->expect = follows[job->steps[job->step_count - 1].until];
	if (!job->timeout_ns)
		job->timeout_ns = JOB_TIMEOUT_NS + job->hold_ns;
	return 0;
}
