#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress run: growth in time, and churn.
. "$(dirname "$0")/cli.sh"

# levels: the objects after each move
levels() {
	sed -n 's/.*"type":"level".*"objects":\([0-9]*\),.*/\1/p' "$tmp/out" | xargs
}

# has_levels OBJECTS...: and no others
has_levels() {
	[ "$(levels)" = "$*" ] || complain "the levels are $(levels), expected $*"
}

# level_is_timely NUMBER MS: that move was not before its time, and not seconds after it
level_is_timely() {
	grep '"type":"level"' "$tmp/out" | sed -n "$1p" >"$tmp/level"
	at=$(sed 's/.*"time_ns":\([0-9]*\),.*/\1/' "$tmp/level")
	begun=$(value step time_ns)
	between "$2" $(((at - begun) / 1000000)) $(($2 + 3000 * ${SLOWNESS:-1})) ||
		complain "move $1"
}

grows_by_a_rate() {
	run run --json --kind anon,size=2M,growth=linear,rate=2M/s --max 64M
	# 2 MiB a second are 51.2 pages in 100 ms.
	expect 0 && is alloc objects 512 && has_levels 51 102 153 204 256 307 358 409 460 512 || return
	level_is_timely 1 100 && level_is_timely 5 500 && level_is_timely 10 1000
}

grows_by_steps() {
	run run --json --kind memfd,size=1M,growth=steps,step=384K,every=200ms --max 64M
	expect 0 && has_levels 96 192 256 && level_is_timely 3 400 || return
	run run --kind memfd,size=1M,growth=geometric,step=64K,factor=3,every=100ms --max 64M
	expect 0 && said 'step 1: at 64K, 16 objects$' && said 'step 1: at 192K, 48 objects$' &&
		said 'step 1: at 1M, 256 objects$' && said ', geometric, step 64K, factor 3, every 100.0 ms$'
}

# What was up there is in the peak, and what is held in the end is what the books are of
grows_and_falls() {
	run run --json --kind anon,size=16M,growth=spike,step=1M,every=100ms,times=2 --max 64M
	expect 0 && has_levels 4096 256 4096 256 && is alloc objects 256 && is free objects 256 || return
	if [ -e "$(any_cgroup)/$peak" ]; then
		between 16777216 "$(value counters peak_bytes held)" 67108864 || return
	fi
	between $((1048576 - $(stock))) "$(moved_by)" $((1048576 + $(tables 16777216) + $(stock))) || return
	run run --json --kind memfd,size=64K,growth=leak,step=64K,factor=4,every=100ms --max 64M
	expect 0 && has_levels 16 4 16 8 16 12 16 16
}

grows_at_random() {
	for try in 1 2; do
		run run --json --kind anon,size=4M,growth=random,step=1M,every=20ms,times=20 --seed 5 --max 64M
		expect 0 || return
		levels >"$tmp/levels.$try"
	done
	cmp "$tmp/levels.1" "$tmp/levels.2" && [ "$(wc -w <"$tmp/levels.1")" -eq 20 ] || return
	run run --json --kind anon,size=4M,growth=random,step=1M,every=20ms,times=20 --seed 6 --max 64M
	expect 0 && levels >"$tmp/levels.2" && ! cmp -s "$tmp/levels.1" "$tmp/levels.2"
}

# The shell that triples its string every so often
grows_until_oom() {
	run run --json --kind anon,growth=geometric,step=1M,factor=3,every=200ms --max 16M --swap-max 0 \
		--until oom
	# 1, 3 and 9 MiB were there; 27 are too much.
	expect 0 && is verdict outcome oom && has_levels 256 768 2304 &&
		between 2304 "$(value alloc objects)" 4096 && is alloc stop killed
}

# Between two moves nobody does anything
grows_without_work() {
	start --kind anon,size=2M,growth=steps,step=1M,every=3s --max 64M
	await has_record level || return
	worker=$(value worker pid)
	before=$(ticks "$tool" "$worker") woken=$(wakeups "$tool" "$worker")
	sleep 2
	after=$(ticks "$tool" "$worker") woken=$(($(wakeups "$tool" "$worker") - woken))
	finish
	# A task's time is that of its CPU less what was stolen from that, which only a paravirtual
	# clock tells (update_rq_clock_task() of kernel/sched/core.c), and an emulated CPU has none.
	# So who looks again and again is known by how often it wakes. A step may come.
	expect 0 && between 0 $((after - before)) 20 && between 0 $woken 8
}

stops_while_it_grows() {
	start --kind anon,growth=steps,step=1M,every=60s --max 64M --size 8M
	await has_record level || return
	kill -INT "$tool"
	finish
	expect 1 && is_stream && is verdict outcome stopped && is alloc stop killed && is alloc objects 256 &&
		await is_over "$(value worker pid)" || return
	start --kind memfd,growth=steps,step=1M,every=60s --max 64M --size 8M
	await has_record level || return
	kill -KILL "$(value worker pid)"
	finish
	expect 1 && is verdict outcome killed && is alloc stop killed && is alloc objects 256
}

# has_churned STEP ROUNDS OBJECTS: as many rounds of as many objects, but for what a busy machine
# had no time for
has_churned() {
	rounds=$(value churn rounds)
	between 2 "$rounds" "$2" && is churn step "$1" && is churn objects $((rounds * $3))
}

churns_while_it_holds() {
	run run --json --kind anon,size=8M,churn=10M/s --max 64M --hold 1s
	# Ten a second, of 1 MiB; and one at once
	expect 0 && has_churned 1 11 256 && is churn held_objects 2048 && is free objects 2048
}

grows_kernel_memory() {
	run run --json --kind page,size=2M,growth=linear,rate=2M/s --payer outside --max 64M
	expect 0 && is verdict books exact && has_levels 51 102 153 204 256 307 358 409 460 512 &&
		is audit right_objects 512 && is free objects 512 || return
	cost_of 96 || return
	run run --json --kind kmalloc,object-size=96,count=1000,growth=spike,step=1000,every=100ms,times=3 \
		--payer outside --max 64M
	# 1000 bytes are eleven of them.
	expect 0 && is verdict books exact && is alloc objects 11 &&
		is alloc byte_charged_bytes $((11 * cost)) && has_levels 1000 11 1000 11 1000 11 || return
	run run --json --kind page,growth=steps,step=3M,every=100ms --max 8M --until oom
	expect 0 && is verdict outcome oom && has_levels 768 1536
}

churns_kernel_memory() {
	run run --json --kind kmalloc,size=1M,churn=1M/s --kind vmalloc,size=1M,churn=640K/s --payer outside \
		--max 64M --hold 1s
	expect 0 && is verdict books exact && has_churned 2 11 1 && is free objects 1040
}

tests="
	grows_kernel_memory
	churns_kernel_memory
"
# What needs no module
tests="$tests
	grows_by_a_rate
	grows_by_steps
	grows_and_falls
	grows_at_random
	grows_until_oom
	grows_without_work
	stops_while_it_grows
	churns_while_it_holds
"
run_tests "$tests"
