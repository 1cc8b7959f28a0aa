#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress fill: usage is held at a level, whatever others do.
. "$(dirname "$0")/cli.sh"

# start_fill ARGUMENT...: fill in the background, as JSON; sets $tool
start_fill() {
	: >"$tmp/out"
	memstress fill --json "$@" >"$tmp/out" 2>"$tmp/err" &
	tool=$!
}

# is_at CGROUP BYTES: its usage is, within 1 %
is_at() {
	seen=$(cat "$cgroups/$1/$usage")
	[ "$seen" -ge $(($2 - $2 / 100)) ] && [ "$seen" -le $(($2 + $2 / 100)) ]
}

holds() {
	[ "$(value fill_move held_bytes)" -ge "$1" ] && [ "$(value fill_move held_bytes)" -le "$2" ]
}

# stranger CGROUP MIB: uses memory in there, until its file is removed
stranger() {
	below "$1" dd if=/dev/zero of="$tmp/ramfs/stranger" bs=1M count="$2" 2>/dev/null
}

with_ramfs() {
	mkdir "$tmp/ramfs" && mount -t ramfs ramfs "$tmp/ramfs" || return
	"$@"
	result=$?
	umount "$tmp/ramfs" && rmdir "$tmp/ramfs" || return
	return $result
}

# end_fill [SIGNAL]
end_fill() {
	kill -"${1:-INT}" "$tool"
	finish
}

moves_as_others_do() {
	make_parent memstress-fill 64M || return
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432 && await holds 32000000 33554432 || return
	stranger memstress-fill 8
	await is_at memstress-fill 33554432 && await holds 23500000 25200000 || return
	rm "$tmp/ramfs/stranger"
	await is_at memstress-fill 33554432 && await holds 32000000 33554432 || return
	end_fill
	expect 0 && is_stream && is filled reached true && is filled level_bytes 33554432 &&
		is fill percent 50 && is fill group_path "$cgroups/memstress-fill" && is fill view_ends false
}

fill_holds_a_share() {
	with_ramfs moves_as_others_do
	result=$?
	await rmdir "$cgroups/memstress-fill" && return $result
}

# What counts is the usage that the limit is for, and not that of the cgroup below
fill_of_the_tightest_limit() {
	make_parent memstress-fill 32M || return
	[ -n "$v1" ] || echo +memory >"$cgroups/memstress-fill/cgroup.subtree_control" || return
	mkdir "$cgroups/memstress-fill/child" && echo 64M >"$cgroups/memstress-fill/child/$limit" || return
	run fill --json --in memstress-fill/child --hold 500ms 80%
	expect 0 && is filled level_bytes 26843545 && is fill group_path "$cgroups/memstress-fill" &&
		is fill path "$cgroups/memstress-fill/child" && between 26575110 "$(value filled highest_bytes)" \
		27111980 && between 500000000 "$(value filled held_ns)" 30000000000
	result=$?
	run fill --in memstress-fill/child --hold 100ms 16M
	expect 0 && said "^fill *$cgroups/memstress-fill/child to 16M, by anon, 4096 bytes, in small pages$" &&
		said 'held for' || result=1
	await rmdir "$cgroups/memstress-fill/child" && await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_by_other_kinds() {
	make_parent memstress-fill 64M || return
	for kind in memfd page kmalloc,object-size=4096 pipe dentry; do
		run fill --json --in memstress-fill --kind $kind --hold 500ms 50%
		expect 0 && is filled reached true && is fill kind ${kind%%,*} || complain $kind || break
	done
	await rmdir "$cgroups/memstress-fill" && [ "$status" -eq 0 ]
}

# A container sees its own part of the tree; what is above it may be tighter
fill_says_where_its_view_ends() {
	make_parent memstress-fill 64M && mkdir "$cgroups/memstress-fill/tool" || return
	run_as below memstress-fill/tool unshare -m sh -c "mount --bind $cgroups/memstress-fill $cgroups &&
		exec memstress fill --hold 100ms 16M"
	expect 0 && said '^view  *ends at the root of what can be seen here; above it may be limits$'
	result=$?
	rmdir "$cgroups/memstress-fill/tool" && await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_without_privilege() {
	make_parent memstress-parent 64M && mkdir "$cgroups/memstress-parent/tool" || return
	chown -R nobody "$cgroups/memstress-parent"
	run_as below memstress-parent/tool nobody memstress fill --json --hold 500ms 50%
	expect 0 && is filled reached true && is fill group_path "$cgroups/memstress-parent"
	result=$?
	rmdir "$cgroups/memstress-parent/tool" && await rmdir "$cgroups/memstress-parent" || return
	return $result
}

fill_needs_no_module() {
	make_parent memstress-fill 64M || return
	without_dev fill --json --in memstress-fill --hold 500ms 50%
	expect 0 && is filled reached true
	result=$?
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_without_work() {
	make_parent memstress-fill 64M || return
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432 || return
	worker=$(value worker pid)
	before=$(ticks "$tool" "$worker")
	sleep 2
	after=$(ticks "$tool" "$worker")
	end_fill TERM
	expect 0 && between 0 $((after - before)) 20
	result=$?
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_tells_of_its_end() {
	make_parent memstress-fill 64M || return
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432
	kill -KILL "$(value worker pid)"
	finish
	expect 1 && is filled worker_died true && one_line 'the process that held the memory was killed'
	result=$?
	# Nobody is left to end it, but the holder goes with it.
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432
	end_fill KILL
	await is_over "$(value worker pid)"
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

too_much_is_there_already() {
	make_parent memstress-fill 64M && stranger memstress-fill 16 || return
	run fill --quiet --in memstress-fill --hold 300ms 8M
	expect 1 && one_line '8M was not reached: usage was 1[67]' && silent "$tmp/out"
}

fill_does_not_reach_it() {
	with_ramfs too_much_is_there_already
	result=$?
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_refuses_misuse() {
	make_parent memstress-fill 8M && make_parent memstress-free || return
	while IFS='|' read -r expected arguments; do
		# shellcheck disable=SC2086 # they are several
		run fill $arguments
		expect 2 && one_line "$expected" && silent "$tmp/out" || complain "fill $arguments" || break
	done <<-EOF
		how much|
		unexpected argument '2'|1 2
		'0' is no level|0
		'120%' is no level|120%
		unknown option '--size'|--size 1M 5M
		it is the level that says how much|--kind anon,size=1M 5M
		noaccount are not for fill|--kind page,noaccount 5M
		there can be only one|--kind anon --kind page 5M
		there is no cgroup|--in memstress-nope 5M
		more than the limit of|--in memstress-fill 9M
		of what|50% --in memstress-free
		exclude each other|--json 5M -q
	EOF
	rmdir "$cgroups/memstress-fill" "$cgroups/memstress-free" && [ "$status" -eq 2 ]
}

tests="
	fill_by_other_kinds
"
# For limits that v1 does not have, or only refuses
[ -n "$v1" ] || tests="$tests
	fill_holds_a_share
	fill_of_the_tightest_limit
	fill_says_where_its_view_ends
	fill_without_privilege
	fill_needs_no_module
	fill_without_work
	fill_tells_of_its_end
	fill_does_not_reach_it
	fill_refuses_misuse
"
run_tests "$tests"
