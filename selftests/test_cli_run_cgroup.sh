#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress run: the cgroup that it makes, or that is there: limits and names, two runs at once, a
# subtree of somebody without privilege, and the controller that is taken back in the end.
. "$(dirname "$0")/cli.sh"

sets_limits() {
	needs_v2 "memory.high and memory.oom.group" || return
	start --kind page --size 1M --max 16M --high 50% --low 2M --min 1M --swap-max 0 --oom-group \
		--cgroup /memstress-limits --hold 60s
	await has_record hold || return
	seen=$(cd "$cgroups/memstress-limits" &&
		cat memory.max memory.high memory.low memory.min memory.swap.max memory.oom.group | xargs)
	kill -INT "$tool"
	finish
	[ "$seen" = "16777216 8388608 2097152 1048576 0 1" ] || complain "limits are $seen"
}

# What v1 has instead of sets_limits: what is written is the limit of memory and swap together
sets_limits_of_v1() {
	start --kind page --size 1M --max 16M --swap-max 4M --cgroup /memstress-limits --hold 60s
	await has_record hold || return
	seen=$(cd "$cgroups/memstress-limits" &&
		cat memory.limit_in_bytes memory.memsw.limit_in_bytes | xargs)
	kill -INT "$tool"
	finish
	[ "$seen" = "16777216 20971520" ] || complain "limits are $seen"
}

refuses_what_v1_lacks() {
	run run --kind page --size 1M --max 8M --high 4M
	expect 4 && one_line '--high: cgroup v1 has no such thing' && silent "$tmp/out" || return
	run run --kind page --size 1M --max 8M --oom-group
	expect 4 && one_line '--oom-group: cgroup v1 has no such thing' && silent "$tmp/out" || return
	make_parent memstress-parent 8M || return
	run run --kind page --size 1M --swap-max 4M --cgroup /memstress-parent/job
	expect 2 && one_line '--swap-max: on cgroup v1 it needs --max'
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

# A subtree that belongs to somebody without privilege
in_a_delegated_cgroup() {
	make_parent memstress-parent 16M && mkdir "$cgroups/memstress-parent/tool" || return
	chown -R nobody "$cgroups/memstress-parent"
	chmod 666 /dev/memstress
	run_as below memstress-parent/tool nobody memstress run --kind page --until oom
	expect 0 && said "^cgroup  $cgroups/memstress-parent/memstress-" &&
		said 'counters cannot be made exact' && said '^PASS'
	result=$?
	run_as below memstress-parent/tool nobody memstress run --json --kind page --size 1M \
		--payer outside
	expect 4 && is_stream && one_line 'needs root' || result=1
	chmod 600 /dev/memstress
	rmdir "$cgroups/memstress-parent/tool" "$cgroups/memstress-parent"
	return $result
}

refuses_a_cgroup_that_exists() {
	mkdir "$cgroups/memstress-taken"
	run run --kind page --size 1M --max 8M --cgroup /memstress-taken
	expect 1 && one_line 'exists already' && rmdir "$cgroups/memstress-taken" || return
	run run --kind page --size 1M --max 8M --cgroup /memstress-no/job
	expect 1 && one_line 'does not exist'
}

two_runs_of_one_name() {
	start --kind page --size 1M --max 8M --cgroup /memstress-both --hold 60s
	await has_record hold || return
	memstress run --kind page --size 1M --max 8M --cgroup /memstress-both 2>"$tmp/second"
	second=$?
	[ -d "$cgroups/memstress-both" ] || complain "the second run removed the cgroup of the first" ||
		return
	kill -INT "$tool"
	finish
	mv "$tmp/second" "$tmp/err"
	status=$second
	expect 1 && one_line 'exists already'
}

two_runs_of_two_names() {
	start --kind page --size 1M --max 8M --hold 2s
	memstress run --quiet --kind kmalloc --max 8M --until oom || complain "the second failed" || return
	finish
	expect 0
}

makes_some_in_a_place() {
	run run --json --kind page --size 4M --in memstress-place
	expect 0 && is_stream && is cgroup existed true && is cgroup max_bytes 33554432 &&
		is cgroup effective_max_path "$cgroups/memstress-place" || return
	run run --kind page --in memstress-place --max 8M --until oom
	expect 0 && said ', which was there before$' && said '^limits  max 8M' &&
		said 'for the limit of its cgroup' || return
	run run --json --kind page --size 4M --payer outside --in memstress-place
	expect 0 && is verdict books null && is audit right_objects 1024 || return
	# Nobody in there is killed for a max of ours.
	start --kind page --size 16M --payer outside --in memstress-place --hold 60s
	await has_record hold || return
	memstress exec --in memstress-place --max 8M -- true 2>"$tmp/second"
	second=$?
	kill -INT "$tool"
	finish
	mv "$tmp/second" "$tmp/err"
	status=$second
	expect 1 && one_line 'uses .* bytes already, more than the max of 8388608'
}

runs_in_a_cgroup_that_is_there() {
	with_place makes_some_in_a_place
}

survives_the_loss_of_its_cgroup() {
	start --kind page --size 1M --max 8M --payer outside --cgroup /memstress-lost --hold 60s
	await has_record hold || return
	rmdir "$cgroups/memstress-lost"
	finish
	# At once, and not when the hold is over.
	expect 1 && is_stream && one_line 'memstress-lost was removed' &&
		between 1 "$(value error time_ns)" 45000000000
}

# The last of two runs puts it back, though it was the first who enabled it
puts_the_controller_back() {
	needs_v2 cgroup.subtree_control || return
	echo -memory >"$cgroups/cgroup.subtree_control"
	start --kind page --size 1M --max 8M --cgroup /memstress-first --hold 60s
	await has_record hold && is_enabled || complain "not enabled" || return
	mv "$tmp/out" "$tmp/first"
	first=$tool
	start --kind page --size 1M --max 8M --cgroup /memstress-last --hold 60s
	await has_record hold || return
	kill -INT "$first"
	wait "$first"
	is_enabled && [ -e "$cgroups/memstress-last/memory.max" ]
	result=$?
	kill -INT "$tool"
	finish
	! is_enabled || complain "left enabled" || result=1
	echo +memory >"$cgroups/cgroup.subtree_control"
	return $result
}

tests="
	sets_limits
	in_a_delegated_cgroup
	refuses_a_cgroup_that_exists
	two_runs_of_one_name
	two_runs_of_two_names
	runs_in_a_cgroup_that_is_there
	survives_the_loss_of_its_cgroup
	puts_the_controller_back
"
[ -z "$v1" ] || tests="$tests
	sets_limits_of_v1
	refuses_what_v1_lacks
"
run_tests "$tests"
