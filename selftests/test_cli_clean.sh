#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress clean: what tools that were killed have left is put in order, and nothing else.
. "$(dirname "$0")/cli.sh"

# crash NAME: exec dies of SIGKILL, and what its command had begun lives on in the cgroup
crash() {
	start_exec --max 8M --cgroup "/$1" -- sh -c 'sleep 60 & wait'
	await has_processes "$1" 2 || return
	sleeper=$(tail -n 1 "$cgroups/$1/cgroup.procs")
	kill -KILL "$tool"
	finish
	await has_processes "$1" 1
}

cleans_up_after_the_dead() {
	run clean
	expect 0 && said '^nothing is left over' || return
	crash memstress-dead && mkdir "$cgroups/memstress-dead/below" "$cgroups/memstress-1" || return
	start_exec --max 8M --cgroup /memstress-alive -- sleep 60
	await has_processes memstress-alive 1 || return
	run clean --dry-run
	expect 1 && said "^would remove $cgroups/memstress-dead and kill 1 process in it$" || return
	has_processes memstress-dead 1 || complain "it was done all the same" || return
	run clean --json
	expect 0 && is_json "$tmp/out" && is leftover path "$cgroups/memstress-dead" &&
		is leftover processes 1 && [ "$(wc -l <"$tmp/out")" -eq 1 ] || return
	await is_over "$sleeper" && [ ! -e "$cgroups/memstress-dead" ] || complain "it is still there" ||
		return
	# What lives, and what only has such a name.
	has_processes memstress-alive 1 && rmdir "$cgroups/memstress-1" || return
	kill "$tool"
	finish
	expect 143 || return
	run clean
	expect 0 && said '^nothing is left over'
}

cleans_up_the_controller() {
	needs_v2 cgroup.subtree_control || return
	echo -memory >"$cgroups/cgroup.subtree_control"
	crash memstress-dead
	is_enabled || complain "not enabled"
	run clean
	expect 0 && said "^took the memory controller from the children of $cgroups$" && ! is_enabled
	result=$?
	echo +memory >"$cgroups/cgroup.subtree_control"
	return $result
}

cleans_up_without_privilege() {
	crash memstress-dead || return
	run_as nobody memstress clean
	expect 1 && one_line "cannot put $cgroups/memstress-dead in order: Permission denied" || return
	run clean
	expect 0 && said "^removed $cgroups/memstress-dead and killed 1 process in it$"
}

tests="
	cleans_up_after_the_dead
	cleans_up_the_controller
	cleans_up_without_privilege
"
run_tests "$tests"
