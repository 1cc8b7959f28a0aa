// SPDX-License-Identifier: GPL-2.0
/*
 * The law of the victim, of many: among the tasks below the limit that is met the OOM killer
 * takes the one with the most memory and oom_score_adj; with it die its threads, whoever shares
 * its memory, and the group that its cgroup belongs to; nobody else does. The charge is made
 * from outside, so that whom it is made for is none of the candidates.
 */
#include "books.h"
#include "candidate.h"
#include "cpu.h"
#include "memstress_test.h"
#include "one_go.h"
#include "scope.h"

LAW("the OOM killer takes the largest by RSS and oom_score_adj below the limit, and no other");

#define TIMEOUT_S 60

#define MIB         (1024 * 1024LL)
#define LIMIT_BYTES (256 * MIB) /* of the parent */
#define MET_BYTES   (64 * MIB)  /* the limit that is met */
#define PAST_BYTES  (2 * MIB)   /* less than the smallest victim has */
#define DIE_NS      (10 * NS_PER_S)

/* Where a candidate is; those below are two children of the target */
enum place {
	PARENT,
	TARGET,
	BELOW_A,
	BELOW_B,
	SIBLING,
	OUTSIDE, /* of the parent */
	PLACES,
};

struct part {
	enum place place;
	unsigned int mib;
	int adj;
	bool dies;
	enum candidate_shape shape;
};

#define PARTS_MAX 5

FIXTURE(choice)
{
	struct scope scope;
	struct cgroup below[2], outside;
	const struct cgroup *place[PLACES]; /* NULL: not needed */
	struct candidate candidate[PARTS_MAX];
	struct one_go one_go;
	long long killed_before[PLACES];
	const char *missing;
	int fd;
};

FIXTURE_VARIANT(choice)
{
	enum place limited;
	unsigned int groups; /* places that die as a whole (memory.oom.group), a bit each */
	struct part part[PARTS_MAX];
};

#define GROUP(_place) (1U << (_place))

/* clang-format off */
FIXTURE_VARIANT_ADD(choice, largest)
{
	.limited = PARENT,
	.part = { { TARGET, 8 }, { TARGET, 14, .dies = true }, { SIBLING, 11 } },
};

FIXTURE_VARIANT_ADD(choice, largest_of_a_sibling)
{
	.limited = PARENT,
	.part = { { TARGET, 8 }, { TARGET, 11 }, { SIBLING, 14, .dies = true } },
};

FIXTURE_VARIANT_ADD(choice, largest_far_below)
{
	.limited = PARENT,
	.part = { { BELOW_A, 8 }, { BELOW_B, 14, .dies = true }, { SIBLING, 11 } },
};

FIXTURE_VARIANT_ADD(choice, only_below_the_limit)
{
	.limited = TARGET,
	.part = { { TARGET, 8 }, { TARGET, 11, .dies = true }, { SIBLING, 20 },
		  { SIBLING, 4, 1000 }, { OUTSIDE, 24, 1000 } },
};

FIXTURE_VARIANT_ADD(choice, raised)
{
	.limited = PARENT,
	.part = { { TARGET, 14 }, { TARGET, 8, 500, .dies = true }, { SIBLING, 11, 100 } },
};

FIXTURE_VARIANT_ADD(choice, raised_to_1000)
{
	.limited = PARENT,
	.part = { { TARGET, 20 }, { SIBLING, 4, 1000, .dies = true }, { TARGET, 14, 500 } },
};

FIXTURE_VARIANT_ADD(choice, lowered)
{
	.limited = PARENT,
	.part = { { TARGET, 20, -500 }, { SIBLING, 8, .dies = true }, { TARGET, 4 } },
};

FIXTURE_VARIANT_ADD(choice, lowered_to_999)
{
	.limited = PARENT,
	.part = { { TARGET, 20, -999 }, { SIBLING, 4, .dies = true } },
};

FIXTURE_VARIANT_ADD(choice, lowered_to_999_but_alone)
{
	.limited = PARENT,
	.part = { { TARGET, 20, -999, true }, { SIBLING, 8, -999 }, { TARGET, 24, -1000 } },
};

FIXTURE_VARIANT_ADD(choice, never_at_minus_1000)
{
	.limited = PARENT,
	.part = { { TARGET, 24, -1000 }, { SIBLING, 6, .dies = true }, { TARGET, 14, -1000 } },
};

FIXTURE_VARIANT_ADD(choice, nobody)
{
	.limited = PARENT,
	.part = { { TARGET, 20, -1000 }, { SIBLING, 8, -1000 }, { OUTSIDE, 24, 1000 } },
};

FIXTURE_VARIANT_ADD(choice, with_its_threads)
{
	.limited = PARENT,
	.part = { { TARGET, 14, .dies = true, .shape = CANDIDATE_THREADS }, { TARGET, 8 },
		  { SIBLING, 11, .shape = CANDIDATE_THREADS } },
};

FIXTURE_VARIANT_ADD(choice, with_who_shares_its_memory)
{
	.limited = PARENT,
	.part = { { TARGET, 14, .dies = true, .shape = CANDIDATE_SHARER }, { TARGET, 8 },
		  { SIBLING, 11, .shape = CANDIDATE_SHARER } },
};

FIXTURE_VARIANT_ADD(choice, with_its_group)
{
	.limited = PARENT,
	.groups = GROUP(TARGET),
	.part = { { TARGET, 14, .dies = true }, { TARGET, 4, .dies = true },
		  { TARGET, 4, -999, true }, { TARGET, 8, -1000 }, { SIBLING, 11 } },
};

FIXTURE_VARIANT_ADD(choice, with_the_highest_group)
{
	.limited = PARENT,
	.groups = GROUP(TARGET) | GROUP(BELOW_A),
	.part = { { BELOW_A, 14, .dies = true }, { BELOW_B, 4, .dies = true }, { SIBLING, 11 } },
};

FIXTURE_VARIANT_ADD(choice, with_the_group_at_the_limit)
{
	.limited = PARENT,
	.groups = GROUP(PARENT),
	.part = { { TARGET, 14, .dies = true }, { SIBLING, 4, .dies = true }, { OUTSIDE, 20 } },
};

FIXTURE_VARIANT_ADD(choice, with_a_group_far_below)
{
	.limited = PARENT,
	.groups = GROUP(BELOW_A),
	.part = { { BELOW_A, 14, .dies = true }, { BELOW_A, 4, .dies = true }, { BELOW_B, 11 } },
};

FIXTURE_VARIANT_ADD(choice, without_a_group_above_the_limit)
{
	.limited = TARGET,
	.groups = GROUP(PARENT),
	.part = { { TARGET, 14, .dies = true }, { TARGET, 4 }, { SIBLING, 8 } },
};

FIXTURE_VARIANT_ADD(choice, without_the_group_of_others)
{
	.limited = PARENT,
	.groups = GROUP(SIBLING),
	.part = { { TARGET, 14, .dies = true }, { SIBLING, 4 }, { SIBLING, 8 } },
};

/* clang-format on */

static bool needs(const struct _fixture_variant_choice *variant, enum place place)
{
	unsigned int i;

	for (i = 0; i < PARTS_MAX; i++)
		if (variant->part[i].mib && variant->part[i].place == place)
			return true;
	return variant->groups & GROUP(place);
}

static int make_places(struct _test_data_choice *self,
		       const struct _fixture_variant_choice *variant)
{
	int ret = cgroup_create(&self->outside, &self->scope.top, "outside");

	self->place[PARENT] = &self->scope.parent;
	self->place[TARGET] = &self->scope.target;
	self->place[SIBLING] = &self->scope.sibling;
	self->place[OUTSIDE] = &self->outside;
	if (ret || !(needs(variant, BELOW_A) || needs(variant, BELOW_B)))
		return ret;
	self->place[BELOW_A] = &self->below[0];
	self->place[BELOW_B] = &self->below[1];
	ret = cgroup_create(&self->below[0], &self->scope.target, "a");
	return ret ? ret : cgroup_create(&self->below[1], &self->scope.target, "b");
}

static int form_groups(struct _test_data_choice *self, unsigned int groups)
{
	enum place place;
	int ret = 0;

	for (place = 0; place < PLACES && !ret; place++)
		if (groups & GROUP(place))
			ret = cgroup_write(self->place[place], "memory.oom.group", "1");
	return ret;
}

FIXTURE_SETUP(choice)
{
	unsigned int i;

	if (variant->groups && cgroup_is_v1()) {
		self->missing = "cgroup v1 has no memory.oom.group";
		return;
	}
	ASSERT_EQ(0, scope_create(&self->scope, "choice", LIMIT_BYTES));
	ASSERT_EQ(0, make_places(self, variant));
	ASSERT_EQ(0, form_groups(self, variant->groups));
	/* Or what should kill would be swapped out; v1 has no such limit without another */
	if (!cgroup_is_v1() && cgroup_read_number(&self->scope.parent, "memory.swap.max") >= 0)
		ASSERT_EQ(0, cgroup_write_number(&self->scope.parent, "memory.swap.max", 0));
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, cpu_run_on(0));
	for (i = 0; i < PARTS_MAX; i++) {
		const struct part *part = &variant->part[i];

		if (part->mib)
			ASSERT_EQ(0, candidate_start(&self->candidate[i], self->place[part->place],
						     part->mib * MIB, part->adj, part->shape));
	}
}

FIXTURE_TEARDOWN(choice)
{
	unsigned int i;

	if (self->missing)
		return;
	EXPECT_EQ(0, cpu_run_on(-1));
	for (i = 0; i < PARTS_MAX; i++)
		candidate_end(&self->candidate[i]);
	EXPECT_EQ(0, one_go_end(&self->one_go));
	EXPECT_EQ(0, session_free_all(self->fd));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, cgroup_remove(&self->below[i]));
	EXPECT_EQ(0, cgroup_remove(&self->outside));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

static long long killed_at(const struct cgroup *cg)
{
	return cgroup_read_key(cg, "memory.events.local", "oom_kill");
}

/* So much that one of them has to die for it. What it came to, enum memstress_stop; -errno */
static int meet_the_limit(struct _test_data_choice *self, const struct cgroup *limited)
{
	const long long page = books_page_size();
	struct memstress_alloc alloc;
	enum place place;
	int ret;

	for (place = 0; place < PLACES; place++)
		if (self->place[place])
			self->killed_before[place] = killed_at(self->place[place]);
	ret = cgroup_write_number(limited, "memory.max", MET_BYTES);
	if (!ret)
		ret = scope_settle(&self->scope);
	if (!ret)
		ret = one_go_begin(&self->one_go);
	if (ret)
		return ret;
	alloc = session_request(MEMSTRESS_KIND_PAGE, 0,
				(MET_BYTES + PAST_BYTES -
				 cgroup_read_number(limited, "memory.current")) /
					page,
				self->scope.target.fd);
	ret = session_alloc(self->fd, &alloc);
	return ret ? ret : (int)alloc.stop;
}

static bool fates_are_right(struct _test_data_choice *self,
			    const struct _fixture_variant_choice *variant)
{
	__u64 deadline = clock_deadline_ns(DIE_NS);
	bool right = true;
	unsigned int i, pass;

	/* First those that are to die: so long do the others have to live */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < PARTS_MAX; i++) {
			const struct part *part = &variant->part[i];
			struct candidate *candidate = &self->candidate[i];
			char what[96];

			if (!part->mib || part->dies != !pass)
				continue;
			snprintf(what, sizeof(what),
				 "killed: that of %u MiB, oom_score_adj %d, with all of it",
				 part->mib, part->adj);
			right &= law_equal(self->place[part->place]->path, what, part->dies,
					   part->dies ? candidate_is_killed(candidate, deadline) :
							!candidate_lives(candidate));
		}
	}
	return right;
}

/*
 * Each process that is killed is counted where it is, those that only share its memory are not
 * (__oom_kill_process()). The victim of a group is killed, and again with all of the group if it
 * has not left it yet.
 */
static bool counts_are_right(struct _test_data_choice *self,
			     const struct _fixture_variant_choice *variant)
{
	long long sum = 0;
	enum place place;
	bool right = true;

	for (place = 0; place < PLACES; place++) {
		long long deaths = 0, seen;
		unsigned int i;

		if (!self->place[place])
			continue;
		for (i = 0; i < PARTS_MAX; i++)
			deaths += variant->part[i].mib && variant->part[i].place == place &&
				  variant->part[i].dies;
		seen = killed_at(self->place[place]) - self->killed_before[place];
		right &= law_at_least(self->place[place]->path, "oom_kill", deaths, seen);
		right &= law_at_most(self->place[place]->path, "oom_kill",
				     deaths + (deaths && variant->groups), seen);
		sum += seen;
	}
	if (cgroup_is_v1())
		return right;
	return right & law_equal(self->scope.parent.path, "oom_kill, of all below", sum,
				 cgroup_read_key(&self->scope.parent, "memory.events", "oom_kill"));
}

static bool anybody_dies(const struct _fixture_variant_choice *variant)
{
	unsigned int i;

	for (i = 0; i < PARTS_MAX; i++)
		if (variant->part[i].dies)
			return true;
	return false;
}

/* Of what has happened, if nobody should have died */
static bool red_twin_is_seen(struct _test_data_choice *self,
			     const struct _fixture_variant_choice *variant)
{
	struct _fixture_variant_choice twin = *variant;
	unsigned int i;

	for (i = 0; i < PARTS_MAX; i++)
		twin.part[i].dies = false;
	fprintf(stderr, "# red twin: the law must be broken\n");
	return !fates_are_right(self, &twin) && !counts_are_right(self, &twin);
}

TEST_F_TIMEOUT(choice, is_right, TIMEOUT_S)
{
	int stop;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	stop = meet_the_limit(self, self->place[variant->limited]);
	EXPECT_EQ(anybody_dies(variant) ? MEMSTRESS_STOP_DONE : MEMSTRESS_STOP_FAILED, stop);
	EXPECT_TRUE(fates_are_right(self, variant));
	EXPECT_TRUE(counts_are_right(self, variant));
	if (anybody_dies(variant))
		EXPECT_TRUE(red_twin_is_seen(self, variant));
}

TEST_HARNESS_MAIN
