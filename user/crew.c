// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "crew.h"

void crew_init(struct crew *crew)
{
	unsigned int i;

	memset(crew, 0, sizeof(*crew));
	writer_init(&crew->keeper);
	writer_init(&crew->presser);
	for (i = 0; i < CREW_RACERS_MAX; i++)
		writer_init(&crew->racers[i]);
}

int crew_start(struct crew *crew, struct loop *loop, const struct cgroup *cg, enum cg_file file,
	       const struct writer_will *will, bool mourns, unsigned int racers)
{
	int ret;

	crew->old = will->order;
	ret = writer_start(&crew->keeper, loop, cg, file, mourns ? will : NULL);
	if (!ret)
		ret = writer_start(&crew->presser, loop, cg, file, NULL);
	while (!ret && crew->racer_count < racers)
		ret = writer_start(&crew->racers[crew->racer_count++], loop, cg, file, NULL);
	return ret;
}

int crew_end_writes(struct crew *crew)
{
	int ret = writer_end(&crew->presser);
	unsigned int i;

	for (i = 0; i < crew->racer_count; i++)
		if (writer_end(&crew->racers[i]))
			ret = -ETIMEDOUT;
	return ret;
}

int crew_end(struct crew *crew)
{
	int ret = crew_end_writes(crew);

	return writer_end(&crew->keeper) ? -ETIMEDOUT : ret;
}

void crew_press(struct crew *crew, __u64 bytes)
{
	const struct writer_order order = { WRITER_WRITE, bytes, CG_MISSING };

	writer_tell(&crew->presser, &order);
}

void crew_put_back(struct crew *crew, __u64 bytes)
{
	struct writer_order order = crew->old;

	order.bytes = bytes;
	writer_tell(&crew->keeper, &order);
}

void crew_race(struct crew *crew, __u64 bytes)
{
	struct writer_order order = { .what = WRITER_RACE, .swap_bytes = CG_MISSING };
	unsigned int i;

	for (i = 0; i < crew->racer_count; i++) {
		order.bytes = i % 2 ? bytes : crew->old.bytes;
		writer_tell(&crew->racers[i], &order);
	}
}

void crew_stop_race(struct crew *crew)
{
	const struct writer_order stop = { .what = WRITER_STOP };
	unsigned int i;

	for (i = 0; i < crew->racer_count; i++)
		if (crew->racers[i].is_busy)
			writer_tell(&crew->racers[i], &stop);
}

bool crew_is_racing(const struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->racer_count; i++)
		if (crew->racers[i].is_busy)
			return true;
	return false;
}

struct writer_answer crew_race_answer(const struct crew *crew)
{
	struct writer_answer race = {};
	unsigned int i;

	for (i = 0; i < crew->racer_count; i++) {
		const struct writer_answer *answer = &crew->racers[i].answer;

		race.writes += answer->writes;
		race.refused += answer->refused;
		if (answer->slowest_ns > race.slowest_ns)
			race.slowest_ns = answer->slowest_ns;
	}
	return race;
}

bool crew_is_writing(const struct crew *crew)
{
	return crew->presser.is_busy || crew_is_racing(crew);
}

void crew_interrupt(const struct crew *crew)
{
	unsigned int i;

	if (crew->presser.is_busy)
		writer_interrupt(&crew->presser);
	for (i = 0; i < crew->racer_count; i++)
		if (crew->racers[i].is_busy)
			writer_interrupt(&crew->racers[i]);
}
