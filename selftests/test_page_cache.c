// SPDX-License-Identifier: GPL-2.0
/*
 * The law of statistics, of pages of files: whoever brings one in pays for it, also when others
 * write it; it is dirty until it is on the disk; and what is faulted in, reclaimed and read again
 * is counted, page by page.
 */
#include <limits.h>

#include "books.h"
#include "cpu.h"
#include "lru.h"
#include "memstress_test.h"
#include "moves.h"
#include "page_cache.h"
#include "scope.h"
#include "user_memory.h"
#include "worker.h"

LAW("pages of files are on the right lines until they are gone, and what becomes of them counts");

#define TIMEOUT_S 60

#define MIB         (1024 * 1024LL)
#define LIMIT_BYTES (64 * MIB)
#define DISK_BYTES  (16 * MIB)
#define FILE_BYTES  (4 * MIB)
#define ANON_BYTES  (3 * MIB)

/*
 * At most, of what is in slabs for a page of a file: a struct buffer_head and its share of a
 * node of the mapping's xarray, and the pointers to their objcgs.
 */
#define SLAB_BYTES 128

FIXTURE(page_cache)
{
	struct scope scope;
	struct scope_snapshot before;
	struct page_cache cache;
	const char *missing;
};

static int set_up(struct _test_data_page_cache *self)
{
	int ret = page_cache_open(&self->cache, DISK_BYTES);

	if (ret == -ENOENT) {
		self->missing = "there is no zram, for a disk of our own";
		return 0;
	}
	return ret ? ret : scope_create(&self->scope, "page-cache", LIMIT_BYTES);
}

/* A worker of the scope may have the disk open, too */
static int tear_down(struct _test_data_page_cache *self)
{
	int ret;

	if (self->missing)
		return 0;
	ret = page_cache_clean(&self->cache);
	if (!ret)
		ret = page_cache_drop(&self->cache);
	if (!ret)
		ret = scope_remove(&self->scope);
	return ret ? ret : page_cache_close(&self->cache);
}

FIXTURE_SETUP(page_cache)
{
	ASSERT_EQ(0, set_up(self));
}

FIXTURE_TEARDOWN(page_cache)
{
	EXPECT_EQ(0, tear_down(self));
}

/* @bytes of page cache, of which @dirty are; with what is in slabs for them */
static struct moves moves_of(long long bytes, long long dirty)
{
	const long long page = books_page_size();
	const long long slab = bytes / page * SLAB_BYTES;
	struct moves moves = { 0 };

	moves_add_range(&moves, "usage", bytes, bytes + slab + page);
	moves_add_range(&moves, "kernel", 0, slab + page);
	moves_add_range(&moves, "slab_reclaimable", 0, slab);
	moves_add_range(&moves, "slab_unreclaimable", 0, slab);
	moves_add_range(&moves, "slab", 0, slab);
	moves_add(&moves, "file", bytes);
	moves_add(&moves, MOVES_LRU, bytes);
	moves_add(&moves, "file_dirty", dirty);
	return moves;
}

/* The payer and all above it, and nobody beside it. Number of wrong lines */
static int law(struct _test_data_page_cache *self, long long bytes, long long dirty,
	       const char *when)
{
	const struct moves moves = moves_of(bytes, dirty), none = { 0 };
	int wrong;

	wrong = scope_moves_await(&self->scope, &self->scope.target, &self->before.target, &moves,
				  MOVES_OF_PAYER, when);
	wrong += scope_moves_await(&self->scope, &self->scope.parent, &self->before.parent, &moves,
				   MOVES_OF_ANCESTOR, when);
	return wrong + scope_moves_await(&self->scope, &self->scope.sibling, &self->before.sibling,
					 &none, MOVES_OF_PAYER, when);
}

TEST_F_TIMEOUT(page_cache, dirty_until_written, TIMEOUT_S)
{
	const struct cgroup *target = &self->scope.target, *sibling = &self->scope.sibling;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
	ASSERT_EQ(0, page_cache_write(&self->cache, target, 0, FILE_BYTES));
	EXPECT_EQ(0, law(self, FILE_BYTES, FILE_BYTES, "written"));
	ASSERT_EQ(0, page_cache_clean(&self->cache));
	EXPECT_EQ(0, law(self, FILE_BYTES, 0, "on the disk"));
	/* What is written by others stays with who pays for the page */
	ASSERT_EQ(0, page_cache_write(&self->cache, sibling, 0, FILE_BYTES / 2));
	EXPECT_EQ(0, law(self, FILE_BYTES, FILE_BYTES / 2, "half of it written by others"));
	ASSERT_EQ(0, page_cache_clean(&self->cache));
	EXPECT_EQ(0, law(self, FILE_BYTES, 0, "on the disk again"));
	ASSERT_EQ(0, page_cache_drop(&self->cache));
	EXPECT_EQ(0, law(self, 0, 0, "dropped"));
}

/* Of the payer as it is now: nothing is waited for */
static int wrong_lines(struct _test_data_page_cache *self, long long bytes, long long dirty)
{
	const struct moves moves = moves_of(bytes, dirty);
	struct scope_snapshot now;
	struct violation violation;
	int ret = scope_take_exact(&self->scope, &now);

	return ret ? ret :
		     moves_check(&self->before.target, &now.target, &moves, MOVES_OF_PAYER,
				 &violation);
}

/* A page that is clean, and one that is not there, which the law does not know of */
TEST_F_TIMEOUT(page_cache, red_twin, TIMEOUT_S)
{
	const long long page = books_page_size();

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, scope_baseline(&self->scope, &self->before));
	ASSERT_EQ(0, page_cache_write(&self->cache, &self->scope.target, 0, FILE_BYTES));
	EXPECT_EQ(0, law(self, FILE_BYTES, FILE_BYTES, "written"));
	EXPECT_LE(1, wrong_lines(self, FILE_BYTES,
				 FILE_BYTES + page + balance_batch_slack("file_dirty")));
	EXPECT_LE(2, wrong_lines(self, FILE_BYTES + page + 2 * balance_batch_slack("file"),
				 FILE_BYTES));
	EXPECT_EQ(0, wrong_lines(self, FILE_BYTES, FILE_BYTES));
}

/* By how much a line that counts events has grown, in pages */
static bool counted(const struct cgroup *cg, const struct snapshot *before,
		    const struct snapshot *now, const char *line, long long least, long long most)
{
	long long slack = balance_batch_slack(line);
	long long seen = snapshot_value(now, line) - snapshot_value(before, line);
	char what[64];

	snprintf(what, sizeof(what), "%s of memory.stat", line);
	return law_at_least(cg->path, what, least - slack, seen) &
	       law_at_most(cg->path, what, most + slack, seen);
}

/* At the payer and above it the same; beside it nothing. On v1 lines of children are total_ */
static bool all_counted(struct _test_data_page_cache *self, const char *line, long long least,
			long long most)
{
	struct scope_snapshot now;
	char total[64];
	bool held;

	snprintf(total, sizeof(total), "%s%s", cgroup_is_v1() ? "total_" : "", line);
	if (scope_take_exact(&self->scope, &now))
		return false;
	held = counted(&self->scope.target, &self->before.target, &now.target, line, least, most);
	held &= counted(&self->scope.parent, &self->before.parent, &now.parent, total, least, most);
	return held &
	       counted(&self->scope.sibling, &self->before.sibling, &now.sibling, line, 0, 0);
}

/* On one CPU, and so one node: generations only know what comes back to where it was */
static int read_file(struct _test_data_page_cache *self)
{
	int ret = cpu_run_on(0), err;

	if (!ret)
		ret = page_cache_read(&self->cache, &self->scope.target, 0, FILE_BYTES);
	err = cpu_run_on(-1);
	return ret ? ret : err;
}

/* Lowering memory.max reclaims what is above it; the pages of the file are all there is */
static long long reclaim(struct _test_data_page_cache *self, long long bytes)
{
	const struct cgroup *target = &self->scope.target;
	long long usage = cgroup_read_number(target, "memory.current");
	long long was = page_cache_resident(&self->cache, 0, FILE_BYTES);
	int ret = cgroup_write_number(target, "memory.max", usage - bytes);

	if (!ret)
		ret = cgroup_write_number(target, "memory.max", LIMIT_BYTES);
	return ret ? ret : was - page_cache_resident(&self->cache, 0, FILE_BYTES);
}

FIXTURE(reclaim)
{
	struct _test_data_page_cache of;
	const char *missing;
	int generations; /* as they were before */
};

FIXTURE_VARIANT(reclaim)
{
	bool generations;
};

#define VARIANT(_name, _generations)         \
	FIXTURE_VARIANT_ADD(reclaim, _name)  \
	{                                    \
		.generations = _generations, \
	}

VARIANT(lists, false);
VARIANT(generations, true);

FIXTURE_SETUP(reclaim)
{
	if (cgroup_is_v1())
		self->missing = "cgroup v1 does not count what is reclaimed";
	else if (variant->generations && !lru_can_have_generations())
		self->missing = "this kernel's LRU has no generations";
	if (self->missing)
		return;
	ASSERT_EQ(0, set_up(&self->of));
	self->missing = self->of.missing;
	self->generations = lru_generations();
	ASSERT_LE(0, self->generations);
	ASSERT_EQ(0, lru_set_generations(variant->generations ? LRU_GENERATIONS_ALL : 0));
}

FIXTURE_TEARDOWN(reclaim)
{
	if (self->missing)
		return;
	EXPECT_EQ(0, tear_down(&self->of));
	EXPECT_EQ(0, lru_set_generations(self->generations));
}

TEST_F_TIMEOUT(reclaim, is_counted, TIMEOUT_S)
{
	const long long page = books_page_size();
	struct _test_data_page_cache *of = &self->of;
	const struct cgroup *target = &of->scope.target;
	long long gone;

	if (self->missing)
		SKIP(return, "%s", self->missing);
	ASSERT_EQ(0, read_file(of));
	scope_visit_cpus();
	ASSERT_EQ(0, scope_baseline(&of->scope, &of->before));
	gone = reclaim(of, FILE_BYTES / 2);
	fprintf(stderr, "# %lld pages reclaimed\n", gone / page);
	EXPECT_TRUE(law_at_least(target->path, "bytes reclaimed", FILE_BYTES / 2 - page, gone));
	EXPECT_TRUE(all_counted(of, "pgsteal", gone / page, gone / page));
	EXPECT_TRUE(all_counted(of, "pgscan", gone / page, INT_MAX));
	EXPECT_TRUE(all_counted(of, "workingset_refault_file", 0, 0));

	ASSERT_EQ(0, read_file(of));
	EXPECT_TRUE(all_counted(of, "workingset_refault_file", gone / page, gone / page));
	EXPECT_TRUE(all_counted(of, "pgsteal", gone / page, gone / page));
}

FIXTURE(faults)
{
	struct _test_data_page_cache at;
	struct worker worker;
};

FIXTURE_SETUP(faults)
{
	ASSERT_EQ(0, user_memory_open());
	ASSERT_EQ(0, scope_create(&self->at.scope, "faults", LIMIT_BYTES));
	ASSERT_EQ(0, worker_start(&self->worker, &self->at.scope.target));
}

FIXTURE_TEARDOWN(faults)
{
	worker_kill(&self->worker);
	user_memory_close();
	EXPECT_EQ(0, scope_remove(&self->at.scope));
}

/* Each page that is touched for the first time is a fault, at the cgroup of who touches it */
TEST_F_TIMEOUT(faults, are_counted, TIMEOUT_S)
{
	const long long page = books_page_size();
	unsigned long long bytes = ANON_BYTES;

	ASSERT_EQ(0, worker_take(&self->worker, USER_ANON, &bytes));
	ASSERT_EQ(0, worker_give(&self->worker, USER_ANON));
	scope_visit_cpus();
	ASSERT_EQ(0, scope_baseline(&self->at.scope, &self->at.before));
	ASSERT_EQ(0, worker_take(&self->worker, USER_ANON, &bytes));
	EXPECT_TRUE(all_counted(&self->at, "pgfault", ANON_BYTES / page, ANON_BYTES / page));
	EXPECT_TRUE(all_counted(&self->at, "pgmajfault", 0, 0));
}

TEST_HARNESS_MAIN
