#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The limit of a container of 512M in which 610M are kept, part of it in swap, is lowered by steps
# until somebody is killed, and then to 20M.
engine=docker
. "$(dirname "$0")/engine.sh"

# Nobody is killed for a limit that is lowered there.
if is_v1; then
	echo "1..0 # SKIP cgroup v1"
	exit 4
fi

# state: of the container, as the engine tells it
state() {
	types "docker inspect --format \
'{{.State.Status}}, exit code {{.State.ExitCode}}, OOM killed {{.State.OOMKilled}}' eater"
}

# The first process is the one that has least, and 20M of memory and 128M of swap are less than that.
keepers_fit_with_swap() {
	swap_on 1G || return
	types "docker run -d --name eater --network none --memory 512m --memory-swap 640m $image eat 180 stay"
	expect 0 || return
	eats 200 || return
	second=$stay_pid second_fd=$stay
	eats 230 || return
	types "memstress stat $subject; docker top eater"
	is "$(stat_of "$subject" oom_kill)" 0
}

steps_end_with_the_first_kill() {
	types "memstress squeeze $subject --step 8M --every 1s"
	expect 0 && said '^killed: .* 1 was killed; memory.max is 512M again' || return
	said '^the container lives: its first process, [0-9]* (eat), has survived' || return
	said '^docker says: running$' || return
	# The largest, which is the last.
	ended
	expect 137
}

container_survives() {
	state
	said '^running, exit code 0,' || return
	types "docker top eater; memstress stat $subject"
	is "$(grep -c 'eat ' "$tmp/out")" 2
}

at_20m_all_are_killed() {
	types "memstress squeeze $subject --to 20M --kills 0"
	expect 0 && said '^ended: the container has, at 20M, .* killed' &&
		said '^its first process, [0-9]* (eat), was killed by the OOM killer: exit code 137' &&
		said '^docker says: exited, exit code 137, OOMKilled' || return
	stay_pid=$second stay=$second_fd
	ended
	expect 137 || return
	types "docker wait eater"
	is "$(cat "$tmp/out")" 137
}

engine_knows_why() {
	ended_by 137 true || return
	oom_killed || complain "the kernel's log does not tell of it" || return
	end && swap_off
}

run_cases systemd_is_well image_is_imported keepers_fit_with_swap steps_end_with_the_first_kill \
	container_survives at_20m_all_are_killed engine_knows_why nothing_is_left
