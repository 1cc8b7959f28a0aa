#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress run: how long it holds what it has, and what ends it early: time, signals, caps of the
# module, a death.
. "$(dirname "$0")/cli.sh"

holds_without_work() {
	start --kind page --size 1M --max 16M --hold 3s
	await has_record hold || return
	worker=$(value worker pid)
	before=$(ticks "$tool" "$worker")
	sleep 2
	after=$(ticks "$tool" "$worker")
	finish
	expect 0 && between 0 $((after - before)) 20 || return
	held=$(value hold time_ns)
	freed=$(value free time_ns)
	between 3000000000 $((freed - held)) 30000000000
}

holds_longer_than_the_dead_man() {
	deadman=$(cat $parameters/deadman_ms)
	echo 600 >$parameters/deadman_ms
	run run --json --kind page --size 1M --max 16M --hold 3s
	echo "$deadman" >$parameters/deadman_ms
	expect 0 && is free objects 256
}

meets_a_cap_of_the_module() {
	cap=$(cat $parameters/session_max_bytes)
	echo 1048576 >$parameters/session_max_bytes
	run run --kind page --size 2M --max 16M
	echo "$cap" >$parameters/session_max_bytes
	expect 1 && said 'a cap of the module'
}

gives_up_in_time() {
	run run --json --kind page --size 1M --max 16M --hold 60s --timeout 1s
	expect 1 && is_stream && is verdict outcome stopped
}

# stops_on SIGNAL
stops_on() {
	start --kind page --size 1M --max 16M --hold 60s
	await has_record hold || return
	kill -"$1" "$tool"
	finish
	expect 1 && is_stream && is verdict outcome stopped && is alloc stop "done" &&
		await is_over "$(value worker pid)"
}

stops_on_signals() {
	stops_on INT && stops_on TERM && stops_on HUP
}

# The worker sleeps in the kernel, above memory.high, when the signal comes
stops_while_throttled() {
	needs_v2 memory.high || return
	start --kind page --size 32M --max 64M --high 2M
	await has_record events || return
	kill -INT "$tool"
	finish
	expect 1 && is verdict outcome stopped || return
	# Before 5.18 ("memcg: synchronously enforce memory.high for large overcharges") it was on
	# its way back to user mode that a task was throttled, with all that it had asked for.
	if kernel_before 5 18; then
		is alloc stop "done" && is alloc objects 8192
	else
		is alloc stop killed && between 1 "$(value alloc objects)" 8191
	fi
}

worker_is_killed() {
	start --kind page --size 1M --max 16M --hold 60s "$@"
	await has_record hold || return
	kill -KILL "$(value worker pid)"
	finish
}

survives_its_worker() {
	worker_is_killed
	expect 1 && is_stream && is verdict outcome killed && is exit signal 9 && is alloc objects 256 ||
		return
	worker_is_killed --expect killed
	expect 0 || return
	worker_is_killed --expect oom
	expect 1
}

# Nobody is left to clean up, but the worker dies and gives the memory back
dies_with_its_worker() {
	start --kind page --size 1M --max 16M --cgroup /memstress-orphan --hold 60s
	await has_record hold || return
	kill -KILL "$tool"
	finish
	await is_over "$(value worker pid)" && await rmdir "$cgroups/memstress-orphan"
}

# The reader of its output goes away
survives_its_reader() {
	memstress run --json --kind page --size 1M --max 16M --hold 1s 2>"$tmp/err" | head -n 1 >"$tmp/out"
	has_record run && await unchanged
}

# start_unread ARGUMENT...: in the background, until it waits for its reader; sets $tool
start_unread() {
	open_unread || return
	memstress run --json --cgroup /memstress-unread --max 16M --kind anon --size 4M --hold 60s \
		--growth steps --step 4K --every 5ms "$@" >&9 2>"$tmp/err" &
	tool=$!
	await has_processes memstress-unread 1 && sleep "${SLOWNESS:-1}"
}

finish_unread() {
	finish
	exec 9<&-
	expect 1 && one_line 'cannot write to standard output: nobody reads it'
}

# The reader of its output sleeps, and what ends a run ends it all the same
is_not_held_up_by_its_reader() {
	start_unread --timeout 3s && finish_unread || return
	for signal in INT TERM QUIT; do
		start_unread && kill -$signal "$tool" && finish_unread || return
	done
}

# As some daemons start their children: no stdin, and SIGCHLD ignored
survives_a_bare_environment() {
	run_as env -i PATH=/usr/bin sh -c 'trap "" CHLD; exec memstress run --kind page --max 8M \
		--until oom <&-'
	expect 0 && said 'signal 9 (Killed)'
}

tests="
	holds_without_work
	holds_longer_than_the_dead_man
	meets_a_cap_of_the_module
	gives_up_in_time
	stops_on_signals
	stops_while_throttled
	survives_its_worker
	dies_with_its_worker
	survives_its_reader
	is_not_held_up_by_its_reader
	survives_a_bare_environment
"
run_tests "$tests"
