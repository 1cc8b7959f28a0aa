#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A shell that triples a string every three seconds starts outside, and is moved into a group that may
# use 20M: without swap it is killed at the limit, with swap it stays there and the rest is swapped out.
. "$(dirname "$0")/story.sh"

group=/growth
dir=/sys/fs/cgroup$group
max=memory.max
if is_v1; then
	dir=/sys/fs/cgroup/memory$group
	max=memory.limit_in_bytes
fi

# The last string has 73 MB.
shell_is_written() {
	cat >"$tmp/grow" <<-'END'
		string=$(head -c 100000 /dev/zero | tr '\0' x)
		echo begins
		for round in 1 2 3 4 5 6; do
			sleep 3
			string=$string$string$string
			echo ${#string}
		done
		sleep 1000
	END
	types "cat $tmp/grow"
}

group_is_limited() {
	types "mkdir $dir && echo 20M >$dir/$max"
	expect 0 && is "$(stat_of $group max_bytes)" "$(mib 20)"
}

shell_is_moved_in() {
	stays "bash $tmp/grow"
	is "$line" begins || return
	types "memstress attach $stay_pid $group"
	expect 0 && said '^1 process was moved into' || return
	types "memstress stat $group"
	between 0 "$(stat_of $group usage_bytes)" "$(mib 4)"
}

# reaches CONDITION...: the usage is watched until that is so. It has to have come near 20M, or where
# no peak is known (v2 before 5.19) to have met the limit
reaches() {
	local tries=60 peak

	until "$@"; do
		((tries--)) || complain "never came true: $*" || return
		sleep 2
		types "memstress stat $group"
	done
	peak=$(stat_of $group peak_bytes)
	if [[ $peak ]]; then
		between "$(mib 19)" "$peak" "$(mib 20)"
	else
		[[ $(uname -r) == 5.10.* ]] && (($(stat_of $group max)))
	fi
}

is_killed() {
	(($(stat_of $group oom_kill)))
}

# has_swapped MIB
has_swapped() {
	local bytes

	bytes=$(stat_of $group swap)
	((${bytes:-0} >= $(mib "$1")))
}

without_swap_it_is_killed() {
	reaches is_killed || return
	ended
	is "$status" 137 || return
	types "memstress stat $group"
	said 'kill 1 ' && is "$(stat_of $group oom_kill)" 1 || return
	types "dmesg | grep 'Killed process' | tail -n 1"
	said "Killed process $stay_pid (bash)"
}

# What does not fit is in swap, and is not in usage.
with_swap_it_stays() {
	swap_on 1G && shell_is_moved_in && reaches has_swapped 50 || return
	types "memstress stat $group; memstress stat --digest $group | grep '^  swap  '"
	said '^  swap  .* swapped out: not in usage' && is "$(stat_of $group oom_kill)" 0 || return
	between "$(mib 10)" "$(stat_of $group usage_bytes)" "$(mib 20)" || return
	is "$(cat /proc/"$stay_pid"/comm)" bash
}

# What is killed leaves it somewhat later.
is_removed() {
	types "until rmdir $dir 2>/dev/null; do sleep 0.1; done"
	expect 0
}

# A new one for the second shell, as events are counted for as long as a group is there
group_is_made_anew() {
	is_removed && group_is_limited
}

nothing_is_left() {
	types "kill \$(cat $dir/cgroup.procs)"
	ended
	is_removed && swap_off
}

run_cases systemd_is_well shell_is_written group_is_limited shell_is_moved_in without_swap_it_is_killed \
	group_is_made_anew with_swap_it_stays nothing_is_left
