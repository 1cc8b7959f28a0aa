#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress run with huge pages of a pool: that there are enough, and who is charged for them.
. "$(dirname "$0")/cli.sh"

# with_pool PAGES COMMAND...: while there are so many huge pages of the kernel's default size
with_pool() {
	pool=/proc/sys/vm/nr_hugepages
	[ -e $pool ] || {
		skipped="this kernel has no huge pages of a pool"
		return 1
	}
	pages=$(cat $pool)
	# They are of one piece each.
	[ ! -e /proc/sys/vm/compact_memory ] || echo 1 >/proc/sys/vm/compact_memory
	echo "$1" >$pool
	if [ "$(cat $pool)" -eq "$1" ]; then
		shift
		"$@"
		result=$?
	else
		complain "there are $(cat $pool) huge pages, not $1"
		result=1
	fi
	echo "$pages" >$pool
	return $result
}

# in_pool: huge pages that nobody has
in_pool() {
	sed -n 's/^HugePages_Free: *//p' /proc/meminfo
}

no_huge_pages() {
	run run --kind hugetlb --size 8M --max 64M
	expect 4 && one_line '0 huge pages of 2M are free, of 4 that are needed; echo 4 >/proc/sys/vm/nr_hugepages' ||
		return
	run kinds
	expect 0 && said '^  hugetlb .* no: 0 huge pages of 2M are free' || return
	run run --kind hugetlb,object-size=6M --count 1 --max 64M
	expect 4 && one_line 'no huge pages of 6M; it has .*2M' && [ "$(cat /proc/sys/vm/nr_hugepages)" -eq 0 ]
}

huge_pages_need_a_pool() {
	with_pool 0 no_huge_pages
}

# run_in_pool BYTES: what four of six huge pages must be charged is BYTES, and a table of each level
run_in_pool() {
	run run --json --kind hugetlb --size 8M --max 64M
	expect 0 && is_stream && is verdict pass true && is alloc objects 4 && is free objects 4 &&
		is alloc page_charged_bytes $(($1 + 2 * page)) && is alloc more_bytes $page || return
	bound=$(value verdict bound_bytes)
	between $(($1 + 2 * page - bound)) "$(moved_by)" $(($1 + 2 * page + bound)) && between 6 "$(in_pool)" 6
}

uncharged_huge_pages() {
	run_in_pool 0 || return
	run run --json --kind hugetlb --max 64M --until enomem
	expect 0 && is verdict outcome enomem && is alloc objects 6 && between 6 "$(in_pool)" 6 || return
	run run --kind hugetlb --size 14M --max 64M
	expect 4 && one_line '6 huge pages of 2M are free, of 7 that are needed; echo 7 >' || return
	run run --kind hugetlb --max 64M --until 50%
	expect 4 && one_line 'nobody pays for it here' || return
	run fill --kind hugetlb --in memstress-pool 50%
	expect 4 && one_line 'nobody pays for it here'
}

huge_pages_are_of_the_pool() {
	make_parent memstress-pool 64M || return
	with_pool 6 uncharged_huge_pages
	result=$?
	await rmdir "$cgroups/memstress-pool" && return $result
}

huge_pages_in_the_controller() {
	start --kind hugetlb --size 8M --in memstress-pool --hold 60s
	await has_record hold && between 8388608 "$(cat "$cgroups/memstress-pool/hugetlb.2MB.current")" 8388608
	result=$?
	kill -INT "$tool"
	finish
	between 0 "$(cat "$cgroups/memstress-pool/hugetlb.2MB.current")" 0 && return $result
}

# Whose they are, their own controller knows in any case
huge_pages_have_a_controller() {
	needs_v2 "controller of huge pages where memory is" || return
	grep -qw hugetlb "$cgroups/cgroup.controllers" || {
		skipped="this kernel has no controller of huge pages"
		return 1
	}
	enabled=$(grep -w hugetlb "$cgroups/cgroup.subtree_control")
	echo +hugetlb >"$cgroups/cgroup.subtree_control" && make_parent memstress-pool 64M || return
	with_pool 6 huge_pages_in_the_controller
	result=$?
	await rmdir "$cgroups/memstress-pool"
	[ -n "$enabled" ] || echo -hugetlb >"$cgroups/cgroup.subtree_control"
	return $result
}

charged_huge_pages() {
	run_in_pool 8388608 || return
	# 6.13 and later have a line for them.
	if [ -n "$(value counters hugetlb held)" ]; then
		between 8388608 $(($(value counters hugetlb held) + $(stock))) $((8388608 + 2 * $(stock))) || return
	fi
	# At the limit it is refused, and nobody is killed.
	run run --json --kind hugetlb --max 6M --swap-max 0 --until enomem
	expect 0 && is verdict outcome enomem && is exit code 0 && is alloc objects 2 || return
	run run --json --kind hugetlb --max 16M --until 50%
	expect 0 && is alloc objects 3
}

huge_pages_are_charged_where_mounted_so() {
	needs_v2 "memory_hugetlb_accounting" || return
	options=$(awk '$2 == "/sys/fs/cgroup" && $3 == "cgroup2" { print $4 }' /proc/mounts)
	mount -o "remount,$options,memory_hugetlb_accounting" /sys/fs/cgroup 2>/dev/null || {
		skipped="this kernel has no memory_hugetlb_accounting"
		return 1
	}
	with_pool 6 charged_huge_pages
	result=$?
	mount -o "remount,$options" /sys/fs/cgroup && return $result
}

tests="
	huge_pages_need_a_pool
	huge_pages_are_of_the_pool
	huge_pages_have_a_controller
	huge_pages_are_charged_where_mounted_so
"
run_tests "$tests"
