#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress exec: a command in a cgroup of its own, or in one that is there; how it ended, and that
# nothing of it is left.
. "$(dirname "$0")/cli.sh"

# report ARGUMENT...: exec, what it tells being what the others print; sets $status
report() {
	memstress exec --json "$@" >"$tmp/err" 2>"$tmp/out"
	status=$?
}

# own_cgroup: shell code for the directory of who runs it
own_cgroup() {
	if [ -n "$v1" ]; then
		echo "$cgroups\$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)"
	else
		echo "$cgroups\$(sed -n 's/^0:://p' /proc/self/cgroup)"
	fi
}

exec_passes_the_exit_code() {
	run exec --max 8M -- sh -c 'echo word; exit 3'
	expect 3 && said '^word$' && one_line 'sh exited with code 3; highest usage .*, max 8M$' || return
	echo text >"$tmp/text"
	run exec --max 8M cat <"$tmp/text"
	expect 0 && said '^text$' && one_line 'cat exited with code 0' || return
	run exec -q --max 8M -- sh -c 'exit 137'
	expect 137 && silent "$tmp/out" && silent "$tmp/err" || return
	report --max 8M -- sh -c 'exit 137'
	expect 137 && is_json "$tmp/out" && is exec cause exit && is exec code 137 && is exec signal null ||
		return
	# As some daemons start their children
	run_as sh -c 'trap "" CHLD; exec memstress exec -- sh -c "exit 3" <&-'
	expect 3 && one_line 'no limit$'
}

# As su does where systemd makes a session for it; on v1 the kernel does not tell of the dead
exec_tells_who_has_left() {
	mkdir "$cgroups/memstress-elsewhere" || return
	leave="echo \$\$ >$cgroups/memstress-elsewhere/cgroup.procs"
	run exec --max 8M -- sh -c "$leave"
	expect 0 && rmdir "$cgroups/memstress-elsewhere" || return
	if [ -n "$v1" ]; then
		one_line 'sh exited with code 0; .*, max 8M$'
		return
	fi
	grep -qx 'memstress: sh had left its cgroup, for /memstress-elsewhere' "$tmp/err" ||
		complain "stderr: $(cat "$tmp/err")" || return
	# Below its own is no other.
	report --max 8M -- sh -c "d=$(own_cgroup); mkdir \$d/below && echo \$\$ >\$d/below/cgroup.procs"
	expect 0 && is exec moved_to null
}

# unheard ARGUMENT...: exec, whose stderr nobody reads any more; sets $status
unheard() {
	mkfifo "$tmp/deaf" && exec 9<>"$tmp/deaf" || return
	(exec 8>"$tmp/deaf" 9<&-
		memstress exec "$@" 2>&8) &
	tool=$!
	exec 9<&-
	finish
	rm "$tmp/deaf"
}

# What it cannot tell is no reason to end otherwise
exec_outlives_its_reader() {
	unheard --max 8M -- sh -c 'sleep 0.3; exit 3'
	expect 3 || return
	unheard --max 8M -- memstress-no-such-command
	expect 127 || return
	# The command does not ignore SIGPIPE, or have it blocked
	run exec -q --max 8M -- grep -E 'Sig(Ign|Blk):.*[13579bdf]...$' /proc/self/status
	expect 1 && silent "$tmp/out"
}

exec_limits_the_command() {
	run exec --max 8M -- sh -c "cat $(own_cgroup)/$limit"
	expect 0 && said '^8388608$' || return
	[ -n "$v1" ] || {
		run exec --max 8M --high 50% --swap-max 0 --oom-group -- sh -c "cd $(own_cgroup) &&
			cat memory.max memory.high memory.swap.max memory.oom.group | xargs"
		expect 0 && said '^8388608 4194304 0 1$' || return
		report --max 8M --high 50% --low 2M --min 1M --oom-group -- true
		expect 0 && is exec high_bytes 4194304 && is exec low_bytes 2097152 &&
			is exec min_bytes 1048576 && is exec oom_group true || return
	}
	report --max 8M -- true
	expect 0 && is exec max_bytes 8388608 && is exec low_bytes null && is exec zswap_max_bytes null &&
		is exec oom_group false
}

exec_tells_of_the_oom_killer() {
	# shellcheck disable=SC2086 # they are several
	run exec --max 8M --swap-max 0 -- $eater
	expect 137 && one_line 'dd was killed by the OOM killer for the limit of its cgroup; .*max 8M$' ||
		return
	run exec --max 8M --swap-max 0 -- sh -c "$eater; exit 5"
	expect 5 && grep -q 'sh exited with code 5; the OOM killer killed 1 other process in there' \
		"$tmp/err" || complain "$(cat "$tmp/err")" || return
	# shellcheck disable=SC2016 # the command expands it
	report --max 8M --swap-max 0 -- sh -c 'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done'
	expect 137 && is exec cause oom && is exec signal 9 && is exec oom_kills 1 && is exec oom_limit own
}

exec_tells_of_an_ancestor() {
	make_parent memstress-parent 8M || return
	if [ -n "$v1" ]; then
		echo 8M >"$cgroups/memstress-parent/memory.memsw.limit_in_bytes"
	else
		echo 0 >"$cgroups/memstress-parent/memory.swap.max"
	fi
	# shellcheck disable=SC2086 # they are several
	report --cgroup /memstress-parent/job --max 64M -- $eater
	expect 137 && is exec cause oom && is exec oom_limit above && is exec oom_cgroup /memstress-parent &&
		is exec effective_max_path "$cgroups/memstress-parent"
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

# Killed by somebody else, without and with an OOM kill of another process before
exec_tells_a_kill_from_an_oom() {
	run exec --max 8M -- sh -c 'kill -9 $$'
	expect 137 && one_line 'sh was killed by signal 9 (Killed), not by the OOM killer; highest' || return
	report --max 8M --swap-max 0 -- sh -c "$eater 2>/dev/null; kill -9 \$\$" 2>/dev/null
	expect 137 && grep '^{' "$tmp/out" >"$tmp/json" && mv "$tmp/json" "$tmp/out" || return
	is exec cause signal && is exec signal 9 && is exec oom_kills 1
}

exec_cannot_execute() {
	run exec --max 8M -- memstress-no-such-command
	expect 127 && one_line 'memstress-no-such-command: command not found' || return
	run exec --max 8M -- "$tmp"
	expect 126 && one_line "cannot execute $tmp: Permission denied" || return
	run exec --max 8M
	expect 2 && one_line 'which command' || return
	run exec --cgroup ../x -- true
	expect 2 && one_line "--cgroup: '../x'" || return
	run exec --frob -- true
	expect 2 && one_line '--frob'
}

exec_kills_what_is_left() {
	run exec --max 8M -- sh -c 'sleep 60 >/dev/null 2>&1 & exit 4'
	expect 4 && grep -q '1 process was left in its cgroup, and killed' "$tmp/err" ||
		complain "$(cat "$tmp/err")" || return
	# In a cgroup that it has made itself
	report --max 8M --cgroup /memstress-left -- sh -c "sleep 60 >/dev/null 2>&1 &
		cd $(own_cgroup) && mkdir -p below/deeper && echo \$! >below/cgroup.procs"
	expect 0 && is exec left 1
}

# passes_on SIGNAL CODE: to all who are in there
passes_on() {
	start_exec --max 8M --cgroup /memstress-signal -- sh -c 'sleep 60; :'
	await has_processes memstress-signal 2 || return
	sleeper=$(tail -n 1 "$cgroups/memstress-signal/cgroup.procs")
	kill -"$1" "$tool"
	finish
	expect "$2" && is exec cause signal && is exec signal $(($2 - 128)) && await is_over "$sleeper"
}

exec_passes_signals_on() {
	passes_on TERM 143 && passes_on HUP 129 || return
	# In the background a shell has SIGINT ignored for the others; this one listens all the same.
	memstress exec --max 64M -- memstress run --json --kind page --size 1M --max 8M --hold 60s \
		>"$tmp/out" 2>"$tmp/err" &
	tool=$!
	await has_record hold || return
	kill -INT "$tool"
	finish
	expect 1 && is_stream && is verdict outcome stopped || return
	# It may do with it what it wants.
	start_exec --max 8M --cgroup /memstress-signal -- sh -c 'trap "exit 6" USR1; sleep 60 & wait'
	await has_processes memstress-signal 2 || return
	kill -USR1 "$tool"
	finish
	expect 6 && is exec left 1
}

# Nobody is left to clean up, but the command dies
exec_dies_with_its_tool() {
	start_exec --max 8M --cgroup /memstress-orphan -- sleep 60
	await has_processes memstress-orphan 1 || return
	sleeper=$(cat "$cgroups/memstress-orphan/cgroup.procs")
	kill -KILL "$tool"
	finish
	await is_over "$sleeper" && await rmdir "$cgroups/memstress-orphan"
}

runs_in_a_place() {
	run exec --in memstress-place -- sh -c "cat $(own_cgroup)/$limit; exit 3"
	expect 3 && said '^33554432$' && one_line 'sh exited with code 3; highest usage .*max 32M$' || return
	run exec --in "pid:$sleeper" --max 8M -- sh -c "cat $(own_cgroup)/$limit"
	expect 0 && said '^8388608$' && one_line 'max 8M$' || return
	# What it has counted is the command's, and what was before is not.
	for try in 1 2; do
		# shellcheck disable=SC2086 # they are several
		report --in memstress-place --max 8M --swap-max 0 -- $eater
		expect 137 && is exec cause oom && is exec oom_kills 1 && is exec oom_limit own ||
			complain "try $try" || return
	done
	run exec --in memstress-place -- true
	expect 0 && one_line 'true exited with code 0; highest usage not known here'
}

# Signals reach the command and its own
signals_in_a_place() {
	start_exec --in memstress-place -- sh -c 'sleep 60; :'
	await has_processes memstress-place 3 || return
	kill "$tool"
	finish
	expect 143 && is exec left 0 && await has_processes memstress-place 1 || return
	report --in memstress-place -- sh -c 'sleep 60 >/dev/null 2>&1 &'
	expect 0 && is exec left 0 && has_processes memstress-place 2 || return
	kill "$(grep -vx "$sleeper" "$cgroups/memstress-place/cgroup.procs")"
	await has_processes memstress-place 1
}

# A run that dies, and one that lives
limits_of_a_place() {
	start_exec --in memstress-place --max 8M -- sleep 60
	await has_processes memstress-place 2 || return
	run exec --in memstress-place --max 16M -- true
	expect 1 && one_line "another run has set $cgroups/memstress-place/$limit" || return
	run clean
	expect 0 && said '^nothing is left over' || return
	kill -KILL "$tool"
	finish
	[ "$(cat "$cgroups/memstress-place/$limit")" = 8388608 ] || complain "not set" || return
	run clean
	expect 0 && said "^put the limits of $cgroups/memstress-place back$" || return
	run exec --in memstress-place --max 16M -- sh -c "echo 24M >$cgroups/memstress-place/$limit"
	seen=$(cat "$cgroups/memstress-place/$limit")
	echo 32M >"$cgroups/memstress-place/$limit"
	expect 0 || return
	[ "$seen" = 25165824 ] || complain "what others have set is gone: $seen"
}

places_that_there_are_not() {
	run exec --in memstress-nope -- true
	expect 2 && one_line 'there is no cgroup' || return
	run exec --in ../x -- true
	expect 2 && one_line "'../x' is no cgroup" || return
	[ -n "$v1" ] && return
	mkdir "$cgroups/memstress-inner" && echo +memory >"$cgroups/memstress-inner/cgroup.subtree_control"
	run exec --in memstress-inner -- true
	rmdir "$cgroups/memstress-inner"
	expect 4 && one_line 'gives controllers to cgroups below it'
}

exec_in_a_cgroup_that_is_there() {
	with_place runs_in_a_place
}

exec_in_a_cgroup_leaves_others_alone() {
	with_place signals_in_a_place
}

exec_in_a_cgroup_puts_limits_back() {
	with_place limits_of_a_place
}

exec_in_a_cgroup_is_refused() {
	with_place places_that_there_are_not
}

exec_without_privilege() {
	run_as nobody memstress exec --max 8M -- true
	expect 4 && one_line 'no place for a cgroup below .*(no scope of systemd: ' || return
	make_parent memstress-parent 16M && mkdir "$cgroups/memstress-parent/tool" || return
	chown -R nobody "$cgroups/memstress-parent"
	run_as below memstress-parent/tool nobody "memstress exec --max 8M --swap-max 0 -- $eater"
	expect 137 && one_line 'dd was killed by the OOM killer for .* its cgroup'
	result=$?
	rmdir "$cgroups/memstress-parent/tool" "$cgroups/memstress-parent"
	return $result
}

tests="
	exec_passes_the_exit_code
	exec_tells_who_has_left
	exec_outlives_its_reader
	exec_limits_the_command
	exec_tells_of_the_oom_killer
	exec_tells_of_an_ancestor
	exec_tells_a_kill_from_an_oom
	exec_cannot_execute
	exec_kills_what_is_left
	exec_passes_signals_on
	exec_dies_with_its_tool
	exec_in_a_cgroup_that_is_there
	exec_in_a_cgroup_leaves_others_alone
	exec_in_a_cgroup_puts_limits_back
	exec_in_a_cgroup_is_refused
	exec_without_privilege
"
run_tests "$tests"
