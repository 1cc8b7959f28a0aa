#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress stat: numbers of cgroups as their files have them, and how cgroups are named.
. "$(dirname "$0")/cli.sh"

# make_family: memstress-stat with a limit of 16M and an OOM, its child, and a process in that;
# sets $sleeper
make_family() {
	make_parent memstress-stat 16M || return
	[ -n "$v1" ] || echo +memory >"$cgroups/memstress-stat/cgroup.subtree_control" || return
	mkdir "$cgroups/memstress-stat/child" || return
	run run --kind page --cgroup /memstress-stat/job --until oom
	expect 0 || return
	sh -c "echo \$\$ >$cgroups/memstress-stat/child/cgroup.procs && exec sleep 600" &
	sleeper=$!
	await grep -q . "$cgroups/memstress-stat/child/cgroup.procs"
}

end_family() {
	kill "$sleeper" 2>/dev/null
	wait "$sleeper" 2>/dev/null
	await rmdir "$cgroups/memstress-stat/child" && rmdir "$cgroups/memstress-stat"
}

# with_family FUNCTION
with_family() {
	make_family && "$1"
	result=$?
	end_family || return
	return $result
}

# key FILE NAME: the number of a line, of a file of the child
key() {
	awk -v name="$2" '$1 == name { print $2 }' "$cgroups/memstress-stat/child/$1"
}

# Numbers move at any time: by CPUs that give back what they have in stock, by a late flush
shows_what_files_say() {
	run stat --json --digest memstress-stat/child
	total=${v1:+total_}
	{
		[ "$(value stat usage_bytes)" = "$(cat "$cgroups/memstress-stat/child/$usage")" ] &&
			[ "$(value stat pgfault)" = "$(key memory.stat "${total}pgfault")" ]
	} || return
	if [ -n "$v1" ]; then
		[ "$(value stat rss)" = "$(key memory.stat total_rss)" ] &&
			[ "$(value stat cache)" = "$(key memory.stat total_cache)" ] &&
			[ "$(value stat kernel)" = \
				"$(cat "$cgroups/memstress-stat/child/memory.kmem.usage_in_bytes")" ]
	else
		[ "$(value stat anon)" = "$(key memory.stat anon)" ] &&
			[ "$(value stat file)" = "$(key memory.stat file)" ] &&
			[ "$(value stat slab)" = "$(key memory.stat slab)" ] &&
			[ "$(value stat swap)" = "$(cat "$cgroups/memstress-stat/child/memory.swap.current" \
				2>/dev/null)" ]
	fi
}

# What the sum is made of; before 5.18 there is no line for all of the kernel's memory
adds_up() {
	if [ -n "$v1" ]; then
		lines='rss cache kernel'
	elif [ -n "$(value stat kernel)" ]; then
		lines='anon file sock kernel'
	else
		lines='anon file sock kernel_stack pagetables percpu slab'
	fi
	sum=0
	for line in $lines; do
		bytes=$(value stat "$line")
		sum=$((sum + ${bytes:-0}))
	done
	is stat sum_bytes $sum
}

the_child_is_as_its_files() {
	await shows_what_files_say && expect 0 && is_json "$tmp/out" || return
	is stat path "$cgroups/memstress-stat/child" && is stat name /memstress-stat/child || return
	is stat max_bytes null && is stat effective_max_bytes 16777216 || return
	is stat effective_max_path "$cgroups/memstress-stat" && is stat pids 1 || return
	if [ -e "$cgroups/memstress-stat/child/$peak" ]; then
		is stat peak_bytes "$(cat "$cgroups/memstress-stat/child/$peak")"
	else
		is stat peak_bytes null
	fi || return
	adds_up || return
	run stat "pid:$sleeper"
	expect 0 && said '^  usage  *limit  *%' &&
		said '  16M  *[0-9.]*%  .*  1  .*  none  */memstress-stat/child, limit of /memstress-stat$' ||
		return
	run stat --digest memstress-stat/child "$cgroups/memstress-stat/"
	expect 0 && said '^  kernel memory$' && said '^  left over  ' &&
		said '  none  */memstress-stat/child, limit' && said '  /memstress-stat$'
}

# events_of FILE NAME...: of the parent, as stat puts them
events_of() {
	file=$cgroups/memstress-stat/$1
	shift
	for event; do
		awk -v event="$event" '$1 == event && $2 { sub("oom_", "", $1); print $1, $2 }' "$file"
	done | xargs
}

the_parent_tells_of_its_oom() {
	run stat --json memstress-stat
	expect 0 && is_json "$tmp/out" || return
	is stat max_bytes 16777216 && is stat effective_max_path "$cgroups/memstress-stat" &&
		is stat pids 1 || return
	run stat memstress-stat
	expect 0 || return
	if [ -n "$v1" ]; then
		said "  failcnt $(cat "$cgroups/memstress-stat/memory.failcnt")  */memstress-stat$"
	else
		said ' oom 1 kill 1 ' &&
			said "  $(events_of memory.events max high oom oom_kill)  */memstress-stat$"
	fi
}

no_privilege_is_needed() {
	run_as nobody memstress stat memstress-stat/child
	expect 0 && said '/memstress-stat/child, limit of' && silent "$tmp/err" || return
	run_as below memstress-stat/child nobody memstress stat --digest
	expect 0 && said '/memstress-stat/child, limit of' && silent "$tmp/err" || return
	run_as unshare -m sh -c "mount -t tmpfs tmpfs /dev && exec memstress stat / memstress-stat" \
		</dev/null
	expect 0 && said '  /$' && said '  /memstress-stat$'
}

what_has_no_memory_is_refused() {
	run stat memstress-stat memstress-nope
	expect 2 && one_line "there is no cgroup $cgroups/memstress-nope" && silent "$tmp/out" || return
	run stat ../memstress-stat
	expect 2 && one_line 'is no cgroup' && silent "$tmp/out" || return
	run stat pid:0
	expect 2 && one_line 'no such process' && silent "$tmp/out" || return
	[ -n "$v1" ] && return
	mkdir "$cgroups/memstress-stat/child/none"
	run stat memstress-stat/child/none
	rmdir "$cgroups/memstress-stat/child/none"
	expect 4 && one_line 'no memory controller' && silent "$tmp/out"
}

stat_shows_what_files_say() {
	with_family the_child_is_as_its_files
}

stat_tells_of_an_oom() {
	with_family the_parent_tells_of_its_oom
}

stat_needs_no_privilege() {
	with_family no_privilege_is_needed
}

stat_refuses_what_has_no_memory() {
	with_family what_has_no_memory_is_refused
}

# Cgroups that are called as those of units and containers are, without any of these
names_mean_units_and_containers() {
	id=3f2a1b5c00112233445566778899aabbccddeeff00112233445566778899
	mkdir "$cgroups/memstress-unit.service" "$cgroups/docker-${id}aaaa.scope" \
		"$cgroups/docker-${id}bbbb.scope" || return
	run stat unit:memstress-unit
	expect 0 && said '  /memstress-unit.service$' || return
	run stat "docker:${id}a"
	expect 0 && said "  /docker-${id}aaaa.scope$" || return
	run stat "${id}b"
	expect 0 && said "  /docker-${id}bbbb.scope$" || return
	run stat 3f2a1b5c
	expect 2 && one_line "'3f2a1b5c' is one of 2 cgroups; .*aaaa.scope, .*bbbb.scope" || return
	rmdir "$cgroups/memstress-unit.service" "$cgroups/docker-${id}aaaa.scope" \
		"$cgroups/docker-${id}bbbb.scope" || return
	run stat "${id}b"
	expect 2 && one_line 'one of a container whose id begins so' || return
	run stat unit:memstress-unit
	expect 2 && one_line 'no unit memstress-unit.service has a cgroup' || return
	run stat docker:web
	expect 2 && one_line 'docker knows no container of this name'
}

# Who may make a cgroup does not talk to the terminal of who looks at it
stat_shows_any_name() {
	name=$(printf 'memstress-\033[2J\377')
	mkdir "$cgroups/$name" || return
	run stat "$name"
	rmdir "$cgroups/$name" || return
	expect 0 && said '  /memstress-\\x1b\[2J\\xff$' || return
	run stat "$name"
	expect 2 && one_line 'there is no cgroup .*/memstress-\\x1b\[2J\\xff$'
}

tests="
	stat_shows_what_files_say
	stat_tells_of_an_oom
	stat_needs_no_privilege
	stat_refuses_what_has_no_memory
	names_mean_units_and_containers
	stat_shows_any_name
"
run_tests "$tests"
