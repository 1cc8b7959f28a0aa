#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress attach: a process that is moved, and what becomes of its charges.
. "$(dirname "$0")/cli.sh"

# make_mover: memstress-from and -to, and in the first a shell that has 4M, and a child; sets $mover
make_mover() {
	mkdir "$cgroups/memstress-from" "$cgroups/memstress-to" || return
	: >"$tmp/starting"
	sh -c "echo \$\$ >$cgroups/memstress-from/cgroup.procs || exit
		text=\$(dd if=/dev/zero bs=1M count=4 2>/dev/null | tr '\\000' x)
		sleep 600 &
		rm $tmp/starting
		wait" &
	mover=$!
	await [ ! -e "$tmp/starting" ] && await has_processes memstress-from 2 &&
		await uses memstress-from 4194304
}

end_mover() {
	for name in from to; do
		xargs -r kill <"$cgroups/memstress-$name/cgroup.procs"
	done
	wait "$mover" 2>/dev/null
	await rmdir "$cgroups/memstress-from" && await rmdir "$cgroups/memstress-to"
}

old_charges_stay() {
	run attach "$mover" memstress-to
	expect 0 && said '^1 process was moved into' && said '^ *[0-9.]*M  *[0-9.]*M  /memstress-from$' &&
		said 'stays with the cgroup that was charged' || return
	has_processes memstress-from 1 && has_processes memstress-to 1 &&
		uses memstress-from 4194304 || return
	run attach --json --tree "$mover" "$cgroups/memstress-to"
	expect 0 && is_json "$tmp/out" && is attach processes 1 && is attach moves_anon false &&
		is attach_from path "$cgroups/memstress-from" && has_processes memstress-to 2 || return
	between 4194304 "$(value attach_from usage_after_bytes)" 33554432 &&
		between 0 "$(value attach usage_after_bytes)" 2097152 || return
	run attach --tree "$mover" memstress-to
	expect 0 && said '^nobody had to be moved'
}

# Where the kernel can still do it
old_charges_follow() {
	mode=$cgroups/memstress-to/memory.move_charge_at_immigrate
	echo 3 >"$mode" 2>/dev/null
	[ "$(cat "$mode")" = 3 ] || {
		skipped="this kernel moves no charges"
		return 1
	}
	run attach --json --tree "$mover" memstress-to
	expect 0 && is attach moves_anon true && is attach moves_file true || return
	between 4194304 "$(value attach usage_after_bytes)" 33554432 &&
		between 0 "$(value attach_from usage_after_bytes)" 2097152
}

not_everybody_may_move() {
	run attach "$mover" memstress-nope
	expect 2 && one_line 'there is no cgroup' || return
	run attach 99999999 memstress-to
	expect 2 && one_line 'there is no such process' || return
	run attach 2 memstress-to
	expect 1 && one_line 'cannot move 2 into .*; kernel threads stay where they are' || return
	run_as nobody memstress attach "$mover" memstress-to
	expect 4 || return
	if [ -n "$v1" ]; then
		one_line 'the process and cgroup.procs there must be yours'
	else
		one_line "write to cgroup.procs there and in $cgroups, which is above both"
	fi
}

# What has controllers for those below it has no processes
not_every_cgroup_takes_processes() {
	echo +memory >"$cgroups/memstress-to/cgroup.subtree_control" || return
	run attach "$mover" memstress-to
	expect 4 && one_line 'gives controllers to cgroups below it' && has_processes memstress-from 2
}

# with_mover FUNCTION
with_mover() {
	make_mover && "$1"
	result=$?
	end_mover || return
	return $result
}

attach_leaves_old_charges() {
	with_mover old_charges_stay
}

attach_takes_charges_along_on_v1() {
	with_mover old_charges_follow
}

attach_needs_permission() {
	with_mover not_everybody_may_move
}

attach_needs_a_leaf() {
	needs_v2 cgroup.subtree_control || return
	with_mover not_every_cgroup_takes_processes
}

tests="
	attach_leaves_old_charges
	attach_needs_permission
	attach_needs_a_leaf
"
[ -z "$v1" ] || tests="$tests
	attach_takes_charges_along_on_v1
"
run_tests "$tests"
