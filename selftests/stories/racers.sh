#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 40 processes of 3 MiB, whose limit is lowered to 6M while another one writes it, too. There are kernels
# on which such a write never ends: the tool has to say so in ten seconds, get out of it, and name the fix.
. "$(dirname "$0")/story.sh"

# Nobody is killed for a limit that is lowered there.
if is_v1; then
	echo "1..0 # SKIP cgroup v1"
	exit 4
fi

group=/crowd
dir=/sys/fs/cgroup$group
fix='mm: memcg: stop reclaim when a limit update is superseded'

# As selftests/fix.c has it: whether this kernel goes on for a limit that is not in force any more
superseded_limits_last() {
	local release

	release=$(uname -v | sed -n 's/.*Debian \([0-9.]*\).*/\1/p')
	echo "${release:-$(uname -r)}" | awk -F '[.-]' '
		$1 == 6 && $2 == 1 { exit $3 >= 188 }
		$1 == 6 && $2 == 12 { exit $3 >= 109 }
		{ exit $1 > 7 || ($1 == 7 && $2 >= 3) }'
}

crowd_is_there() {
	types "uname -r; uname -v"
	types "mkdir $dir; for i in \$(seq 40); do
sh -c 'echo 0 >$dir/cgroup.procs; exec eat 3 stay' >/dev/null & done"
	expect 0 || return
	until (($(stat_of $group usage_bytes) >= $(mib 120))); do
		sleep 0.2
	done
	types "memstress stat $group"
	is "$(stat_of $group pids)" 40 && is "$(cat $dir/memory.max)" max
}

# The time that the record of the step has, of which the write takes eight seconds
is_told_in_ten_seconds() {
	sed -n 's/^ *\([0-9.]*\) s  the write of 6M has not ended.*/\1/p' "$tmp/out" |
		awk '{ seen = $1 <= 10 } END { exit !seen }' || complain "not told in ten seconds"
}

squeeze_is_raced() {
	types "memstress squeeze $group --to 6M --racers 1 --kills 0"
	if superseded_limits_last; then
		expect 1 && is_told_in_ten_seconds && said ' ended it, .* later$' || return
		said '^stuck: the write of 6M did not end by itself; memory.max is max again' && said "$fix"
	else
		expect 0 && said '^floor: 6M is reached, and \(3[6-9]\|40\) were killed; memory.max is max again'
	fi
}

# Nor does anybody write on.
limit_is_what_it_was() {
	is "$(cat $dir/memory.max)" max || return
	is "$(readlink /proc/[0-9]*/exe | grep -c '/memstress$')" 0
}

nothing_is_left() {
	types "kill -KILL \$(cat $dir/cgroup.procs); until rmdir $dir 2>/dev/null; do sleep 0.1; done"
	expect 0
}

run_cases systemd_is_well crowd_is_there squeeze_is_raced limit_is_what_it_was nothing_is_left
