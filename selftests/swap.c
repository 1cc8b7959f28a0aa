// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "books.h"
#include "cpu.h"
#include "swap.h"

/* More than SWAP_SLOTS_CACHE_SIZE of include/linux/swap_slots.h, which is 64 */
#define SLOTS 128

bool swap_is_on(void)
{
	FILE *file = fopen("/proc/swaps", "r");
	char line[256];
	int lines = 0;

	/* The first one is a heading */
	while (file && fgets(line, sizeof(line), file))
		lines++;
	if (file)
		fclose(file);
	return lines > 1;
}

/* One by one: 6.12 gives back several neighbours at once past the cache (__swap_entries_free()) */
static int pass_slots(void)
{
	size_t page = books_page_size(), bytes = SLOTS * page, at;
	char *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ret = 0;

	if (memory == MAP_FAILED)
		return -errno;
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	memset(memory, 1, bytes);
	if (madvise(memory, bytes, MADV_PAGEOUT))
		ret = -errno;
	for (at = 0; at < bytes && !ret; at += page)
		if (madvise(memory + at, page, MADV_DONTNEED))
			ret = -errno;
	munmap(memory, bytes);
	return ret;
}

int swap_settle(void)
{
	int last = cpu_last_online(), cpu;
	int ret = 0;

	for (cpu = 0; cpu <= last && !ret; cpu++)
		if (!cpu_run_on(cpu))
			ret = pass_slots();
	return cpu_run_on(-1) ? -EIO : ret;
}
