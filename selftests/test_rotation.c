// SPDX-License-Identifier: GPL-2.0
/*
 * The law of rotation: cgroups that are charged in turn on one CPU, and uncharged on
 * another, each get what is theirs. A CPU has stocks for few of them (one up to 6.15;
 * NR_MEMCG_STOCK 7 and NR_OBJ_STOCK 5 in mm/memcontrol.c of 7.3), so that the next one's
 * charge drains the stock of another.
 */
#include "books.h"
#include "cpu.h"
#include "memstress_test.h"
#include "scope.h"
#include "twin.h"

LAW("cgroups charged in turn on one CPU and uncharged on another each get what is theirs");

#define LIMIT_BYTES (256 << 20)
#define MEMBERS_MAX 9
#define ROUNDS      16
#define TIMEOUT_S   120

/*
 * One of each is made in a turn. None of them fills a batch or, of those charged by the
 * byte, a page; all turns together are many times what the stocks may hold.
 */
static const struct {
	__u32 kind;
	__u64 size;
	__u64 count;
} turn[] = {
	{ MEMSTRESS_KIND_PAGE, 0, 20 },
	{ MEMSTRESS_KIND_KMALLOC, 200, 5 },
	{ MEMSTRESS_KIND_PERCPU, 24, 2 },
};

FIXTURE(rotation)
{
	struct scope scope;
	struct cgroup member[MEMBERS_MAX];
	struct snapshot before[MEMBERS_MAX];
	struct charge charge[MEMBERS_MAX];
	__u32 handle[ROUNDS][MEMBERS_MAX][ARRAY_SIZE(turn)];
	struct charge made[ROUNDS][MEMBERS_MAX][ARRAY_SIZE(turn)];
	struct snapshot target, parent, sibling;
	unsigned int members;
	long long bound; /* of what CPUs may keep of one member */
	int other_cpu;
	int fd;
};

FIXTURE_VARIANT(rotation)
{
	unsigned int members;
};

#define VARIANT(_members)                                 \
	FIXTURE_VARIANT_ADD(rotation, cgroups_##_members) \
	{                                                 \
		.members = _members,                      \
	}

VARIANT(1);
VARIANT(2);
VARIANT(5);
VARIANT(6);
VARIANT(7);
VARIANT(8);
VARIANT(9);

static int settle(struct _test_data_rotation *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < self->members && !ret; i++)
		ret = session_settle(self->scope.session, self->member[i].fd);
	if (!ret)
		ret = scope_settle(&self->scope);
	return ret ? ret : scope_flush(&self->scope);
}

FIXTURE_SETUP(rotation)
{
	struct memstress_alloc largest =
		session_request(MEMSTRESS_KIND_KMALLOC, 200, 1, MEMSTRESS_PAYER_CALLER);
	struct memstress_books one;
	char name[32];
	unsigned int i;

	ASSERT_EQ(0, scope_create(&self->scope, "rotation", LIMIT_BYTES));
	self->members = variant->members;
	self->fd = session_open();
	ASSERT_LE(0, self->fd);
	for (i = 0; i < self->members; i++) {
		snprintf(name, sizeof(name), "member-%u", i);
		ASSERT_EQ(0, cgroup_create(&self->member[i], &self->scope.target, name));
	}
	ASSERT_EQ(0, books_derive_one(&largest, &one));
	/* Newer kernels have an objcg for each node, of which any CPU may keep something */
	self->bound =
		cpu_count_nodes() * balance_stock_bound(&self->scope.info, one.byte_charged_bytes);
	self->other_cpu = cpu_last_online();
	scope_visit_cpus();
	ASSERT_EQ(0, settle(self));
	for (i = 0; i < self->members; i++)
		ASSERT_EQ(0, snapshot_take(&self->before[i], &self->member[i]));
	ASSERT_EQ(0, snapshot_take(&self->target, &self->scope.target));
	ASSERT_EQ(0, snapshot_take(&self->parent, &self->scope.parent));
	ASSERT_EQ(0, snapshot_take(&self->sibling, &self->scope.sibling));
}

FIXTURE_TEARDOWN(rotation)
{
	unsigned int i;

	EXPECT_EQ(0, cpu_run_on(-1));
	EXPECT_EMPTY_LEDGER(self->fd);
	EXPECT_EQ(0, close(self->fd));
	for (i = 0; i < self->members; i++)
		EXPECT_EQ(0, cgroup_remove(&self->member[i]));
	EXPECT_EQ(0, scope_remove(&self->scope));
}

/* All take their turn, on one CPU */
static int charge_round(struct _test_data_rotation *self, unsigned int round)
{
	unsigned int i, what;
	int ret = 0;

	for (i = 0; i < self->members; i++) {
		for (what = 0; what < ARRAY_SIZE(turn); what++) {
			struct charge *made = &self->made[round][i][what];
			struct memstress_alloc alloc =
				session_request(turn[what].kind, turn[what].size, turn[what].count,
						self->member[i].fd);
			struct memstress_books books;

			ret = session_alloc(self->fd, &alloc);
			if (!ret)
				ret = books_derive(&alloc, alloc.count, &books);
			if (ret)
				return ret;
			self->handle[round][i][what] = alloc.handle;
			charge_add(made, alloc.kind, &books);
			charge_plus(&self->charge[i], made);
		}
	}
	return 0;
}

static int free_round(struct _test_data_rotation *self, unsigned int round)
{
	unsigned int i, what;
	int ret;

	for (i = 0; i < self->members; i++) {
		for (what = 0; what < ARRAY_SIZE(turn); what++) {
			ret = session_free(self->fd, self->handle[round][i][what], 0);
			if (ret)
				return ret;
			charge_minus(&self->charge[i], &self->made[round][i][what]);
		}
	}
	return 0;
}

/* Each member's bytes are rounded up by themselves */
static struct charge sum(const struct _test_data_rotation *self)
{
	struct charge all = { 0 };
	unsigned int i;

	for (i = 0; i < self->members; i++) {
		all.page_bytes += charge_usage(&self->charge[i]);
		all.slab_unreclaimable += self->charge[i].slab_unreclaimable;
		all.percpu += self->charge[i].percpu;
	}
	return all;
}

static bool within(const struct cgroup *cg, const struct snapshot *before,
		   const struct charge *charge, long long bound)
{
	struct snapshot now;

	return !snapshot_take(&now, cg) &&
	       law_at_most(cg->path, "usage before SETTLE is off by", bound,
			   llabs(balance_line(before, &now, charge, "usage")));
}

/* Before anything is settled: what the CPUs may keep of each, and nothing more */
static bool all_within_bound(struct _test_data_rotation *self)
{
	struct charge all = sum(self);
	bool all_within = true;
	unsigned int i;

	for (i = 0; i < self->members; i++)
		all_within &=
			within(&self->member[i], &self->before[i], &self->charge[i], self->bound);
	all_within &= within(&self->scope.target, &self->target, &all, self->members * self->bound);
	return all_within &
	       within(&self->scope.parent, &self->parent, &all, self->members * self->bound);
}

static int balance_of(const struct cgroup *cg, const struct snapshot *before,
		      const struct charge *charge, const char *when)
{
	struct violation violation;
	struct snapshot now;
	int wrong;

	if (snapshot_take(&now, cg))
		return 1;
	wrong = balance(before, &now, charge, BALANCE_ALL, &violation);
	violation.cgroup = cg->path;
	if (when)
		balance_report(when, wrong, &violation);
	return wrong;
}

/* Number of lines that are wrong, of each member and above; -errno. @when NULL: unreported */
static int law(struct _test_data_rotation *self, const char *when)
{
	const struct charge all = sum(self), nothing = { 0 };
	int ret = settle(self), wrong = 0;
	unsigned int i;

	if (ret)
		return ret;
	for (i = 0; i < self->members; i++)
		wrong += balance_of(&self->member[i], &self->before[i], &self->charge[i], when);
	wrong += balance_of(&self->scope.target, &self->target, &all, when);
	wrong += balance_of(&self->scope.parent, &self->parent, &all, when);
	return wrong + balance_of(&self->scope.sibling, &self->sibling, &nothing, when);
}

TEST_F_TIMEOUT(rotation, charged_here_freed_there, TIMEOUT_S)
{
	unsigned int round;

	ASSERT_EQ(0, cpu_run_on(0));
	for (round = 0; round < ROUNDS; round++)
		ASSERT_EQ(0, charge_round(self, round));
	EXPECT_TRUE(all_within_bound(self));
	EXPECT_EQ(0, law(self, "charged"));

	ASSERT_EQ(0, cpu_run_on(self->other_cpu));
	for (round = 0; round < ROUNDS; round += 2)
		ASSERT_EQ(0, free_round(self, round));
	EXPECT_TRUE(all_within_bound(self));
	EXPECT_EQ(0, law(self, "half of it freed on another CPU"));
	for (round = 1; round < ROUNDS; round += 2)
		ASSERT_EQ(0, free_round(self, round));
	EXPECT_TRUE(all_within_bound(self));
	EXPECT_EQ(0, law(self, "all of it freed"));
}

/* What one CPU keeps of a member is used by another one's free: the CPUs alternate */
TEST_F_TIMEOUT(rotation, cpus_in_turn, TIMEOUT_S)
{
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, cpu_run_on(round % 2 ? self->other_cpu : 0));
		ASSERT_EQ(0, charge_round(self, round));
		if (round)
			ASSERT_EQ(0, free_round(self, round - 1));
	}
	EXPECT_TRUE(all_within_bound(self));
	/* Of one CPU, and so of one node: newer kernels round up what is on each */
	EXPECT_EQ(0, law(self, "the last round is held"));
	ASSERT_EQ(0, free_round(self, ROUNDS - 1));
	EXPECT_EQ(0, law(self, "all of it freed"));
}

TEST_F_TIMEOUT(rotation, red_twin, TIMEOUT_S)
{
	struct memstress_alloc twin;
	int other = session_open();
	int wrong;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, charge_round(self, 0));
	twin = session_request(MEMSTRESS_KIND_PAGE, 0, 1, self->member[self->members - 1].fd);
	ASSERT_EQ(0, session_alloc(other, &twin));
	wrong = law(self, NULL);
	fprintf(stderr, "# red twin: %d lines wrong\n", wrong);
	/* Of the member, of the target and of the parent */
	EXPECT_LE(3, wrong);
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(0, law(self, "green again"));
	EXPECT_EQ(0, free_round(self, 0));
}

TEST_HARNESS_MAIN
