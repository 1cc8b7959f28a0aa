// SPDX-License-Identifier: GPL-2.0
/*
 * eat MIB [stay]: what people take memhog for: so much anonymous memory, each page written to.
 * With "stay" it keeps it until a signal comes. To be linked statically, for containers that have
 * no library.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t size, at;
	char *memory;

	if (argc < 2 || argc > 3 || atol(argv[1]) <= 0) {
		fprintf(stderr, "eat MIB [stay]\n");
		return 2;
	}
	size = (size_t)atol(argv[1]) << 20;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		fprintf(stderr, "eat: no %s MiB: %s\n", argv[1], strerror(errno));
		return 1;
	}
	/* Pages of one value would cost zram nothing. */
	for (at = 0; at < size; at += page)
		memcpy(memory + at + 1, &at, sizeof(at));
	printf("ate %s MiB\n", argv[1]);
	fflush(stdout);
	if (argc == 3)
		pause();
	return 0;
}
