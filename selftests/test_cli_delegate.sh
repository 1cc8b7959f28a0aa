#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress delegate: a cgroup that somebody without privilege can use, but not leave.
. "$(dirname "$0")/cli.sh"

# inside COMMAND...: as nobody, from where root has brought him in
inside() {
	below memstress-nobody/inside nobody "$@"
}

delegated_on_v2() {
	for file in . cgroup.procs cgroup.threads cgroup.subtree_control inside; do
		[ "$(stat -c %U "$cgroups/memstress-nobody/$file")" = nobody ] ||
			complain "$file is not his" || return
	done
	# shellcheck disable=SC2086 # they are several
	run_as inside "memstress exec --max 50% --swap-max 0 -- $eater"
	expect 137 && one_line 'for the limit of its cgroup; .*max 4M$' || return
	run_as inside "echo \$\$ >$cgroups/cgroup.procs"
	expect 1 || return
	# What he has made is gone, and what root has made for him is still so.
	grep -qw memory "$cgroups/memstress-nobody/cgroup.subtree_control" ||
		complain "the controller was taken away" || return
	run_as nobody "memstress exec --in memstress-nobody/inside -- true"
	expect 1 && one_line 'cannot start true in'
}

delegated_on_v1() {
	for file in . cgroup.procs tasks; do
		[ "$(stat -c %U "$cgroups/memstress-nobody/$file")" = nobody ] ||
			complain "$file is not his" || return
	done
	run_as nobody "memstress exec --cgroup /memstress-nobody/job --max 50% -- $eater"
	expect 137 && one_line 'killed by the OOM killer .*; highest usage 4M, max 4M$' || return
	run_as nobody "memstress exec --in memstress-nobody -- $eater"
	expect 137 && one_line 'max 8M$' || return
	run_as nobody "memstress attach \$\$ memstress-nobody && exec $eater"
	expect 137 && said '^1 process was moved into'
}

belongs_to_nobody() {
	[ "$(stat -c %U "$cgroups/memstress-nobody/$limit")" = root ] || complain "its limit is his" || return
	run_as nobody "$eater"
	expect 0 || return
	if [ -n "$v1" ]; then
		delegated_on_v1
	else
		delegated_on_v2
	fi || return
	run clean
	expect 0 && said '^nothing is left over' || return
	leaf=/inside
	[ -z "$v1" ] || leaf=
	sh -c "echo \$\$ >$cgroups/memstress-nobody$leaf/cgroup.procs && exec sleep 60" &
	sleeper=$!
	await has_processes "memstress-nobody$leaf" 1 || return
	run delegate --remove memstress-nobody
	kill $sleeper
	expect 1 && one_line '1 process is in'
}

delegates_a_cgroup() {
	run delegate --max 8M --swap-max 0 nobody memstress-nobody
	expect 0 && said "^$cgroups/memstress-nobody is nobody's, max 8M$" &&
		said '^To remove it: memstress delegate --remove memstress-nobody$' || return
	belongs_to_nobody
	result=$?
	for _ in 1 2 3 4 5; do
		run delegate --remove "$cgroups/memstress-nobody"
		[ "$status" != 0 ] || break
		sleep 1
	done
	expect 0 && silent "$tmp/err" || return
	return $result
}

delegates_no_other() {
	run delegate nobody --json memstress-nobody/
	expect 0 && is_json "$tmp/out" && is delegate uid 65534 && is delegate max_bytes null || return
	run delegate nobody memstress-nobody
	expect 1 && one_line 'exists already' || return
	run_as nobody memstress delegate nobody memstress-mine
	expect 4 && one_line 'cannot make cgroup .*memstress-mine: Permission denied' || return
	run delegate --remove memstress-nobody && expect 0 && silent "$tmp/out" || return
	run delegate --remove memstress-nobody
	expect 2 && one_line 'there is no cgroup' || return
	make_parent memstress-parent || return
	run delegate --remove memstress-parent
	rmdir "$cgroups/memstress-parent"
	expect 2 && one_line 'was not made by memstress delegate'
}

# It relies on what the last run that ends would take away
delegation_keeps_the_controller() {
	needs_v2 cgroup.subtree_control || return
	echo -memory >"$cgroups/cgroup.subtree_control"
	start_exec --max 8M --cgroup /memstress-first -- sleep 60
	await has_processes memstress-first 1 || return
	run delegate nobody --max 8M memstress-nobody
	expect 0
	kill "$tool"
	finish
	run stat memstress-nobody
	expect 0 && said '     8M'
	result=$?
	run delegate --remove memstress-nobody
	expect 0 && ! is_enabled || complain "left enabled" || result=1
	echo +memory >"$cgroups/cgroup.subtree_control"
	return $result
}

tests="
	delegates_a_cgroup
	delegates_no_other
	delegation_keeps_the_controller
"
run_tests "$tests"
