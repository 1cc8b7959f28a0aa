#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress run: until what it allocates, how that ends, and whether it was expected; what it says and
# what it refuses.
. "$(dirname "$0")/cli.sh"

until_oom() {
	run run --kind page --max 16M --until oom
	expect 0 && said '^PASS: the OOM killer killed worker' && said 'signal 9 (Killed)' &&
		said "oom_kill  *0  *1$local_columns" && silent "$tmp/err"
}

until_oom_reports_what_the_killed_held() {
	max=16777216
	run run --json --kind page --max $max --until oom
	expect 0 && is_stream && is verdict pass true && is verdict outcome oom || return
	is exit signal 9 && is alloc stop killed && is alloc payer_id "$(value cgroup id)" || return
	is killed pid "$(value worker pid)" && is oom oom_cgroup "$(value cgroup name)" || return
	baseline=$(value counters usage_bytes baseline)
	charged=$(value alloc page_charged_bytes)
	between $((max - $(stock))) $((baseline + charged)) $max || return
	if [ -e "$(any_cgroup)/$peak" ]; then
		between $((max - $(stock))) "$(value counters peak_bytes after)" $max || return
	fi
	between 0 "$(value release usage_bytes)" "$(stock)" && between 1 "$(value release since_kill_ns)" \
		30000000000 && between 1 "$(value release since_mark_ns)" 30000000000
}

until_oom_of_every_kind() {
	for kind in kmalloc,object-size=96 kmalloc,object-size=16K cache vmalloc percpu,object-size=64; do
		run run --json --kind $kind --max 8M --until oom
		expect 0 && is verdict outcome oom || complain $kind || return
	done
}

until_oom_of_an_ancestor() {
	make_parent memstress-parent 8M || return
	run run --kind page --cgroup /memstress-parent/job --until oom
	expect 0 && said 'for the limit of an ancestor' && said 'has max 8M'
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

# The tool has more RSS than the worker, and shares its limit: it must not be the victim
until_oom_with_the_tool_below_the_limit() {
	make_parent memstress-parent 8M && mkdir "$cgroups/memstress-parent/tool" || return
	run_as below memstress-parent/tool memstress run --kind page --cgroup /memstress-parent/job \
		--until oom
	expect 0 && said 'for the limit of an ancestor'
	result=$?
	rmdir "$cgroups/memstress-parent/tool" "$cgroups/memstress-parent"
	return $result
}

until_oom_of_a_group() {
	needs_v2 memory.oom.group || return
	run run --json --kind page --max 8M --oom-group --until oom
	expect 0 || return
	[ -e "$(any_cgroup)/memory.events" ] || complain "there is no cgroup to look at" || return
	# The key came with 5.17.
	grep -q oom_group_kill "$(any_cgroup)/memory.events" || return 0
	[ "$(value counters oom_group_kill after)" = 1 ] || complain "no group was killed"
}

until_done() {
	run run --json --kind page,order=1,count=10 --kind vmalloc --size 100K --max 16M
	expect 0 && is_stream && is verdict outcome "done" || return
	# 100K in objects of 64K
	is alloc objects 2 && is free objects 12 && is exit code 0
}

until_enomem() {
	run run --json --kind page,order=4 --max 8M --until enomem
	expect 0 && is verdict outcome enomem && is alloc stop failed && is alloc first_errno 12 &&
		is exit code 0 && between 100 "$(value alloc objects)" 128
}

until_enomem_by_policy() {
	for policy in nowait noretry retry-mayfail; do
		run run --json --kind kmalloc --policy $policy --max 8M --until enomem
		expect 0 && is alloc stop failed || complain $policy || return
	done
}

# A charge that its killer does not answer is refused, and nobody waits for ever
until_enomem_with_the_killer_disabled() {
	make_parent memstress-parent 8M && echo 1 >"$cgroups/memstress-parent/memory.oom_control" || return
	run run --json --kind page --cgroup /memstress-parent/job --until enomem
	expect 0 && is alloc stop failed && is alloc first_errno 12 && is exit code 0
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

until_a_size() {
	run run --json --kind page --max 16M --until 8M
	expect 0 && between $((8388608 - page)) "$(value counters usage_bytes held)" 8388608
}

until_a_share_of_the_tightest_limit() {
	make_parent memstress-parent 8M || return
	run run --json --kind page --cgroup /memstress-parent/job --max 16M --until 50%
	expect 0 && is cgroup effective_max_path "$cgroups/memstress-parent" &&
		between $((4194304 - page)) "$(value counters usage_bytes held)" 4194304
	result=$?
	enabled=$(cat "$cgroups/memstress-parent/cgroup.subtree_control" 2>/dev/null)
	[ -z "$enabled" ] || complain "left enabled: $enabled" || result=1
	rmdir "$cgroups/memstress-parent"
	return $result
}

judges_the_expectation() {
	run run --kind page --max 8M --until oom --expect survive
	expect 1 && said '^FAIL: expected survive' || return
	run run --kind page --size 1M --max 8M --expect oom
	expect 1 && said '^FAIL: expected oom' || return
	run run --kind page,order=4 --max 8M --until enomem --expect survive
	expect 0
}

is_quiet() {
	run run --kind page --size 1M --max 8M --quiet
	expect 0 && silent "$tmp/out" && silent "$tmp/err" || return
	run run --kind page --size 1M --max 8M --expect oom --quiet
	expect 1 && silent "$tmp/out" && one_line 'expected oom'
}

misuse_is_refused() {
	while IFS='|' read -r expected arguments; do
		# shellcheck disable=SC2086 # they are several
		run run $arguments
		expect 2 && one_line "$expected" && silent "$tmp/out" ||
			complain "run $arguments" || return
	done <<-EOF
		'mmap'|--kind mmap --size 1M --max 8M
		--size: '0'|--kind page --size 0 --max 8M
		order 99|--kind page,order=99 --size 1M --max 8M
		object-size 1|--kind kmalloc,object-size=1 --size 1M --max 8M
		object-size 1073741824|--kind cache,object-size=1G --size 1G --max 8M
		--max: 'banana'|--kind page --size 1M --max banana
		--max: '8MB'|--kind page --size 1M --max 8MB
		no limit|--kind page --size 1M
		of what|--kind page --size 1M --max 50%
		how much|--kind page --max 8M
		--cgroup: '../x'|--kind page --size 1M --max 8M --cgroup ../x
		--frob|--kind page --size 1M --max 8M --frob
		policy: this is for kernel memory|--kind anon,policy=atomic --size 1M --max 8M
		this is for the kind anon, not for page|--kind page,thp=on --size 1M --max 8M
		this is for the kind file|--kind memfd,clean --size 1M --max 8M
		give no --payer outside|--kind anon --size 1M --max 8M --payer outside
		give --until oom|--kind anon --max 8M --until enomem
		only a limit would end it|--kind anon --until oom
		a multiple of 4096|--kind anon,object-size=100 --size 1M --max 8M
		is always 16384|--kind stack,object-size=4096 --size 1M --max 8M
		a multiple of 2097152|--kind hugetlb,object-size=4096 --size 1M --max 8M
		give --until enomem or --size|--kind hugetlb --max 8M --until oom
		needs a rate|--kind page,growth=linear --size 1M --max 8M
		growth once has no step|--kind anon,step=1M --size 1M --max 8M
		up to where|--kind anon,growth=spike --max 8M --until oom
		churn is for --hold|--kind page,churn=1M --size 1M --max 8M
	EOF
}

tests="
	until_oom
	until_oom_reports_what_the_killed_held
	until_oom_of_every_kind
	until_oom_of_an_ancestor
	until_oom_with_the_tool_below_the_limit
	until_oom_of_a_group
	until_done
	until_enomem
	until_enomem_by_policy
	until_a_size
	until_a_share_of_the_tightest_limit
	judges_the_expectation
	is_quiet
	misuse_is_refused
"
[ -z "$v1" ] || tests="$tests
	until_enomem_with_the_killer_disabled
"
run_tests "$tests"
