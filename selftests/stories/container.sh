# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A container that may use 150M, and something in it that eats 40M, 100M and 200M; with swap and
# without. What the engine says of it, and what memstress says. For docker.sh and podman.sh, which set
# $engine.
#
# shellcheck disable=SC2154 # engine.sh's
. "$(dirname "${BASH_SOURCE[0]}")/engine.sh"

# What an idle container uses besides is little.
eaten_is_used() {
	local before after anon=anon

	! is_v1 || anon=rss
	begin --memory 150m --memory-swap 150m || return
	types "memstress stat $subject"
	expect 0 && is "$(stat_of "$subject" effective_max_bytes)" "$(mib 150)" || return
	before=$(stat_of "$subject" usage_bytes)
	eats 40 || return
	types "memstress stat $subject"
	after=$(stat_of "$subject" usage_bytes)
	between "$(mib 40)" $((after - before)) "$(mib 44)" &&
		between $(($(mib 40) - $(stat_lag))) "$(stat_of "$subject" $anon)" "$(mib 44)"
}

engine_says_the_same() {
	local figure

	types "$engine stats --no-stream --format '{{.MemUsage}} {{.MemPerc}}' eater"
	expect 0 || return
	figure=$(sed 's/[^0-9].*//' "$tmp/out")
	between 38 "$figure" 46
}

# By the beginning of its id, whatever the engine calls the cgroup
id_is_a_name() {
	local id

	id=$("$engine" ps -q --filter name=eater)
	types "memstress stat ${id:0:12}"
	expect 0 && said "/.*$id" || return
	is "$(stat_of "${id:0:12}" effective_max_bytes)" "$(mib 150)"
}

digest_tells_of_what() {
	types "$engine exec eater killall eat"
	ended
	eats 100 || return
	types "memstress stat --digest $subject"
	expect 0 && said '^ *\(anon\|rss\)  *10[0-9]' || return
	types "$engine exec eater killall eat"
	ended
	expect 143
}

# The kernel kills the eater and not the first process of the container.
too_much_is_killed_for() {
	stays "$engine exec eater eat 200 stay"
	ended
	expect 137 && is "$line" "" || return
	types "memstress stat $subject"
	said 'kill 1' && is "$(stat_of "$subject" oom_kill)" 1 || return
	is "$(inspect .State.Running)" true
	end
}

# is_over COMMAND: a container that runs this and nothing else
is_over() {
	"$engine" rm -f eater >/dev/null 2>&1
	types "$engine run --name eater --network none --memory 150m --memory-swap 150m $image $1"
	expect 137
}

# is_killed_too: what was killed second, though the first one's memory was enough. The kernel takes a
# victim for done when its pages are unmapped, and some are given back only after that (MMF_OOM_SKIP
# in exit_mmap() of mm/mmap.c); whoever comes in between chooses again.
is_killed_too() {
	said '^ended: the container has, at 20M, in step 1, and 2 were killed' &&
		said "^$engine says: exited, exit code 137" && ended && end || return
	# shellcheck disable=SC2034 # run_cases'
	xfail="the kernel has chosen once more before the first victim had given all back"
}

# The flag is set when a container ends, not before. On v1 nobody is killed for a limit that is
# lowered.
squeeze_tells_what_both_say() {
	begin --memory 150m || return
	eats 60 || return
	types "memstress squeeze $subject --to 20M"
	if ((!status)) && grep -q '^ended: ' "$tmp/out"; then
		is_killed_too
		return
	fi
	expect 0 && said '^the container lives: its first process, [0-9]* (sleep), has survived$' &&
		said "^$engine says: running$" && ! said '^the kernel contradicts' >/dev/null || return
	if is_v1; then
		said '^refused: ' || return
		types "$engine exec eater killall eat"
	else
		said '^killed: at 20M, in step 1, 1 was killed; memory.max is 150M again' || return
	fi
	ended
	((status)) && end
}

oom_kill_is_137() {
	is_over "eat 200" && ended_by 137 true || return
	types "dmesg | grep -o 'oom-kill:.*' | tail -n 1"
	oom_killed || complain "not of this container" || return
	end
}

oom_kill_of_a_child_is_137() {
	is_over "sh -c 'eat 200; exit \$?'" && ended_by 137 true || return
	oom_killed || complain "the kernel's log does not tell of it" || return
	end
}

exit_with_137_is_no_oom_kill() {
	is_over "sh -c 'exit 137'" && ended_by 137 false || return
	! oom_killed && end
}

sigkill_is_no_oom_kill() {
	begin --memory 150m || return
	types "$engine kill --signal KILL eater; $engine wait eater"
	ended_by 137 false || return
	! oom_killed && end
}

# see_swap: sets $swapped, what the container has in swap, by the files that say so
see_swap() {
	local path usage

	path=$(path_of "$subject")
	if is_v1; then
		types "cat $path/memory.usage_in_bytes $path/memory.memsw.usage_in_bytes"
		{ read -r usage; read -r swapped; } <"$tmp/out"
		swapped=$((swapped - usage))
	else
		types "cat $path/memory.swap.current"
		swapped=$(cat "$tmp/out")
	fi
}

# Twice the memory is what memory and swap may be together.
swap_takes_the_rest() {
	local swapped

	swap_on 1G || return
	begin --memory 150m || return
	types "$engine inspect --format '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}' eater"
	is "$(cat "$tmp/out")" "$(mib 150) $(mib 300)" || return
	eats 200 || return
	types "memstress stat $subject"
	is "$(stat_of "$subject" oom_kill)" 0 && see_swap || return
	between "$(mib 50)" "$swapped" "$(mib 70)" && between "$(mib 200)" \
		$((swapped + $(stat_of "$subject" usage_bytes))) "$(mib 215)" || return
	types "$engine exec eater killall eat"
	ended
	expect 143
}

more_than_both_is_killed_for() {
	stays "$engine exec eater eat 400 stay"
	ended
	expect 137 && is "$line" "" && is "$(stat_of "$subject" oom_kill)" 1 || return
	end && swap_off
}

run_cases systemd_is_well versions_are_known image_is_imported eaten_is_used engine_says_the_same \
	id_is_a_name digest_tells_of_what too_much_is_killed_for squeeze_tells_what_both_say oom_kill_is_137 \
	oom_kill_of_a_child_is_137 exit_with_137_is_no_oom_kill sigkill_is_no_oom_kill swap_takes_the_rest \
	more_than_both_is_killed_for nothing_is_left
