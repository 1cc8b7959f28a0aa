// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cache.h"

/* Of struct xa_node, with whatever a slab cache puts between objects. */
#define CACHE_NODE_BYTES 1024

/* Of a node: XA_CHUNK_SIZE of include/linux/xarray.h, without CONFIG_BASE_SMALL. */
#define CACHE_NODE_SLOTS 64

#define CACHE_CHUNK 65536

__u64 cache_tree_bytes(__u64 bytes)
{
	__u64 below = bytes / workload_page_size(), nodes = 0;

	while (below > 1) {
		below = (below + CACHE_NODE_SLOTS - 1) / CACHE_NODE_SLOTS;
		nodes += below;
	}
	return nodes * CACHE_NODE_BYTES;
}

int cache_write(int fd, __u64 offset, __u64 bytes)
{
	static const char chunk[CACHE_CHUNK];
	__u64 done = 0;

	while (done < bytes) {
		__u64 rest = bytes - done;
		ssize_t n = pwrite(fd, chunk, rest < CACHE_CHUNK ? rest : CACHE_CHUNK,
				   (off_t)(offset + done));

		if (n <= 0)
			return n ? -errno : -ENOSPC;
		done += n;
	}
	return 0;
}

/* An error shows in the usage; what is left goes with the file. */
void cache_drop(int fd, __u64 offset, __u64 bytes, bool is_last)
{
	const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int ret;

	if (is_last)
		ret = ftruncate(fd, (off_t)offset);
	else
		ret = fallocate(fd, hole, (off_t)offset, (off_t)bytes);
	(void)ret;
}
