#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress squeeze: the limit of a cgroup is lowered until the kernel kills or refuses, and put back.
. "$(dirname "$0")/cli.sh"

# The limit is what it was
is_put_back() {
	is_limited_to "$old"
}

is_limited_to() {
	[ "$(cat "$cgroups/memstress-squeezed/$limit")" = "$1" ]
}

# crowd_left: how many of it
crowd_left() {
	grep -c . "$cgroups/memstress-squeezed/cgroup.procs"
}

# page_cache MIB: in there, clean, of a disk that nobody has written to, and that stays open
page_cache() {
	[ -e /sys/class/zram-control ] || modprobe zram || return
	disk=$(cat /sys/class/zram-control/hot_add) &&
		echo "$1M" >"/sys/block/zram$disk/disksize" && exec 8<"/dev/zram$disk" || return
	read_again && uses_at_least $(($1 * 1048576))
}

# What was reclaimed of it comes back
read_again() {
	below memstress-squeezed dd if="/dev/zram$disk" of=/dev/null bs=1M 2>/dev/null
}

# start_squeeze ARGUMENT...: in the background, as JSON; sets $tool
start_squeeze() {
	memstress squeeze --json memstress-squeezed "$@" >"$tmp/out" 2>"$tmp/err" &
	tool=$!
}

# step NUMBER KEY: of its line
step() {
	grep '"type":"lowered"' "$tmp/out" | grep "\"step\":$1," >"$tmp/step"
	sed -n "s/.*\"$2\":\([0-9a-z]*\).*/\1/p" "$tmp/step"
}

it_kills() {
	crowd 4 4 || return
	run squeeze --json memstress-squeezed --step 2M --every 200ms
	expect 0 && is_stream && is squeezed outcome killed && is squeezed left restored || return
	is_put_back || complain "not put back" || return
	between 1 "$(value squeezed kills)" 4 || return
	[ "$(crowd_left)" -eq $((4 - $(value squeezed kills))) ] || complain "$(crowd_left) are left" ||
		return
	is killed name dd && is squeeze pace steps && is squeeze limit max || return
	is lowered step "$(value squeezed step)" && is lowered errno 0 &&
		is lowered oom_kill "$(value squeezed kills)"
}

squeeze_kills() {
	squeezed it_kills
}

# As long as there is somebody, one after the other
it_kills_on() {
	crowd 4 4 || return
	run squeeze memstress-squeezed --to 4M --kills 0
	expect 0 && said '^floor: 4M is reached, and [34] were killed; memory.max is max again$' &&
		said 'kernel log: killed [0-9]* (dd), which had [34]' && said 'oom_kill +[34]$' || return
	[ "$(crowd_left)" -le 1 ] || complain "$(crowd_left) are left" || return
	run squeeze memstress-squeezed --step 1M --kills 2 --keep
	expect 0 && is_limited_to 0
}

squeeze_kills_all() {
	squeezed it_kills_on
}

# By three quarters, of which nobody needs anything
it_reclaims() {
	page_cache 16 || return
	run squeeze --json memstress-squeezed --step 4M --every 100ms --floor 5M
	expect 0 && is_stream && is squeezed outcome floor && is squeezed kills 0 && is_put_back || return
	is lowered limit_bytes 5242880 && is lowered limit_now_bytes 5242880 || return
	between 0 "$(value lowered usage_after_bytes)" 5242880 || return
	[ $(($(step 1 limit_bytes) - $(step 2 limit_bytes))) -eq 4194304 ] || complain "$(cat "$tmp/out")" ||
		return
	between 1 "$(step 2 write_ns)" 10000000000 || return
	# A CPU has a batch of what was charged, and of what memory.stat counts two.
	gone=$(($(step 2 usage_before_bytes) - $(step 2 usage_after_bytes)))
	between $((gone - 3 * $(stock))) "$(step 2 reclaimed_bytes)" $((gone + 3 * $(stock))) || return
	# Its last one is as long as the others.
	between 100000000 $(($(value squeezed time_ns) - $(value squeeze time_ns))) 60000000000
}

squeeze_reclaims() {
	squeezed it_reclaims
}

it_goes_by_rate() {
	page_cache 16 || return
	run squeeze memstress-squeezed --json --rate 20M/s --floor 50% --every 50ms --keep
	expect 0 && is squeezed outcome floor && is squeezed left kept || return
	is_limited_to "$(value squeezed limit_bytes)" || return
	# 8 of 20 a second
	between 350000000 $(($(value squeezed time_ns) - $(value squeeze time_ns))) 30000000000
}

squeeze_goes_by_rate() {
	squeezed it_goes_by_rate
}

# it_is_stopped_by SIGNAL
it_is_stopped_by() {
	start_squeeze --to 8M --every 1h
	await is_limited_to 8388608 || return
	kill -"$1" "$tool"
	finish
	expect 1 && is_stream && is squeezed outcome stopped && is squeezed left restored && is_put_back
}

# Somebody has to put it back when the tool cannot
it_stops() {
	page_cache 16 && it_is_stopped_by TERM && read_again && it_is_stopped_by HUP && read_again || return
	start_squeeze --to 8M --every 1h
	await is_limited_to 8388608 || return
	kill -KILL "$tool"
	finish
	await is_put_back && await no_tool_is_left
}

squeeze_stops_on_signals() {
	squeezed it_stops
}

is_lowered() {
	! is_put_back
}

# Nobody reads what it has to say
it_stops_unread() {
	page_cache 16 && open_unread || return
	memstress squeeze --json memstress-squeezed --step 4K --every 5ms >&9 2>"$tmp/err" &
	tool=$!
	await is_lowered && sleep "${SLOWNESS:-1}" && is_lowered || complain "it has ended" || return
	kill -INT "$tool"
	finish
	expect 1 && one_line 'cannot write to standard output: nobody reads it' && is_put_back
}

squeeze_is_not_held_up_by_its_reader() {
	squeezed it_stops_unread
}

it_leaves_what_others_write() {
	page_cache 16 || return
	start_squeeze --to 8M --every 1h
	await is_limited_to 8388608 && echo 12M >"$cgroups/memstress-squeezed/$limit" || return
	kill -TERM "$tool"
	finish
	expect 1 && is squeezed left foreign && is squeezed now_bytes 12582912 && is_limited_to 12582912
}

squeeze_leaves_what_others_write() {
	squeezed it_leaves_what_others_write
}

it_is_alone() {
	page_cache 16 || return
	start_squeeze --to 8M --every 1h
	await is_limited_to 8388608 || return
	run squeeze memstress-squeezed --to 4M
	expect 1 && one_line "another run has set $cgroups/memstress-squeezed/$limit" || return
	run exec --in memstress-squeezed --max 32M -- true
	expect 1 && one_line 'another run has set' && is_limited_to 8388608 || return
	kill -TERM "$tool"
	finish
	expect 1 && is squeezed left restored && is_put_back
}

squeeze_is_alone() {
	squeezed it_is_alone
}

# Who would have put the limit back is killed as well, and all are stopped first, or it might be quicker
it_is_put_back_later() {
	page_cache 16 || return
	start_squeeze --to 8M --every 1h
	await is_limited_to 8388608 || return
	killall -STOP memstress
	killall -KILL memstress
	finish
	await no_tool_is_left && is_limited_to 8388608 || complain "somebody has put it back" || return
	run clean
	expect 0 && said "^put the limits of $cgroups/memstress-squeezed back$" && is_put_back
}

squeeze_is_put_back_later() {
	squeezed it_is_put_back_later
}

it_sees_a_removal() {
	page_cache 16 || return
	start_squeeze --to 8M --every 1h
	await is_limited_to 8388608 && rmdir "$cgroups/memstress-squeezed" || return
	finish
	mkdir "$cgroups/memstress-squeezed"
	expect 1 && one_line 'memstress-squeezed was removed'
}

squeeze_sees_a_removal() {
	squeezed it_sees_a_removal
}

it_is_raced() {
	page_cache 16 || return
	run squeeze --json memstress-squeezed --to 8M --racers 2
	expect 0 && is squeezed outcome floor && is lowered limit_now_bytes 8388608 && is_put_back || return
	between 2 "$(value lowered race_writes)" 1000000000 && between 0 "$(value lowered usage_after_bytes)" 8388608
}

squeeze_is_raced() {
	squeezed it_is_raced
}

# Whether memory_max_write() of this kernel goes on for a limit that is not in force any more; what is
# between the series was not looked at
superseded_limits_last() {
	set -- "$(uname -v | sed -n 's/.*Debian \([0-9.]*\).*/\1/p')"
	[ -n "$1" ] || set -- "$(uname -r)"
	echo "$1" | awk -F '[.-]' '{ exit !($1 < 6 || ($1 == 6 && ($2 < 1 || ($2 == 1 && $3 < 188) ||
		($2 == 12 && $3 < 109)))) }'
}

# 120M that nobody can reclaim, and 6M are allowed: by one, while the other allows all
it_may_be_stuck() {
	crowd 40 3 || return
	run squeeze --json memstress-squeezed --to 6M --racers 1 --kills 0
	is_stream && is_put_back || complain "not put back" || return
	no_tool_is_left || complain "a writer is left" || return
	if superseded_limits_last; then
		expect 1 && is lowered "done" false && is squeezed outcome stuck && is recovered by signal ||
			return
		between 8000000000 "$(value lowered write_ns)" 10000000000 || return
		is squeezed flaw 'mm: memcg: stop reclaim when a limit update is superseded'
	else
		expect 0 && is lowered "done" true && is squeezed outcome floor && is squeezed flaw null &&
			between 36 "$(value squeezed kills)" 40
	fi
}

squeeze_may_be_stuck() {
	squeezed it_may_be_stuck
}

it_lowers_high() {
	crowd 1 4 || return
	run squeeze --json memstress-squeezed --limit high --to 50%
	expect 0 && is squeezed outcome floor && is squeezed kills 0 && is squeeze file memory.high || return
	[ "$(cat "$cgroups/memstress-squeezed/memory.high")" = max ] && is_put_back
}

squeeze_lowers_high() {
	squeezed it_lowers_high
}

it_is_refused_without() {
	crowd 1 4 || return
	run squeeze memstress-squeezed --to 64M
	expect 2 && one_line '--to 64M: .* there is nothing to take' || return
	run squeeze memstress-no --to 1M
	expect 2 && one_line 'there is no cgroup' || return
	run_as below memstress-squeezed memstress squeeze memstress-squeezed --to 1M
	expect 2 && one_line 'the tool itself is in' || return
	run_as nobody memstress squeeze memstress-squeezed --to 1M
	expect 4 && one_line 'cannot write memory.*: Permission denied' && is_put_back || return
	[ -z "$v1" ] || {
		run squeeze memstress-squeezed --limit high --to 1M
		expect 4 && one_line '--limit high: cgroup v1 has no such thing'
	}
}

squeeze_refuses_nonsense() {
	squeezed it_is_refused_without
}

# What v1 does instead of a kill
it_is_refused() {
	crowd 2 4 && echo 32M >"$cgroups/memstress-squeezed/$limit" || return
	old=33554432
	both=$cgroups/memstress-squeezed/memory.memsw.limit_in_bytes
	echo 48M >"$both"
	run squeeze --json memstress-squeezed --step 1M --every 100ms
	expect 0 && is_stream && is squeezed outcome refused && is squeezed kills 0 && is lowered errno 16 ||
		return
	is_put_back && [ "$(cat "$both")" = 50331648 ] || complain "not put back: $(cat "$both")" || return
	[ "$(crowd_left)" -eq 2 ]
}

squeeze_is_refused() {
	squeezed it_is_refused
}

# contained MIB: a container, by its cgroup, of one process that has so much. Its engine, on $path,
# says that it runs, and once it does not, that it has ended with 137 and no OOM kill
contained() {
	id=$(printf %064d 7)
	path=$tmp/engine
	rm -rf "$path"
	make_parent "docker-$id.scope" || return
	[ -n "$v1" ] || echo 0 >"$cgroups/docker-$id.scope/memory.swap.max" || return
	[ -p "$tmp/nobody" ] || mkfifo "$tmp/nobody"
	exec 9<>"$tmp/nobody"
	sh -c "echo 0 >$cgroups/docker-$id.scope/cgroup.procs && exec dd if=/dev/zero bs=${1}M" \
		>"$tmp/nobody" 2>/dev/null &
	process=$!
	mkdir "$path" && cat >"$path/docker" <<-END && chmod +x "$path/docker" || return
		#!/bin/sh
		mark=\${5%% *}
		if [ -n "\$(cat $cgroups/docker-$id.scope/cgroup.procs)" ]; then
			echo "\$mark running true $process 0 false"
		else
			echo "\$mark exited false 0 137 false"
		fi
	END
	await contains $(($1 * 1048576))
}

contains() {
	[ "$(cat "$cgroups/docker-$id.scope/$usage")" -ge "$1" ]
}

end_contained() {
	kill -KILL "$process" 2>/dev/null
	wait "$process" 2>/dev/null
	exec 9<&-
	await rmdir "$cgroups/docker-$id.scope"
}

it_tells_of_a_container() {
	contained 8 || return
	run_as env PATH="$path:$PATH" memstress squeeze --json "docker:$id" --to 1M
	expect 0 && is_stream || return
	if [ -n "$v1" ]; then
		is squeezed outcome refused && is squeezed how lives && is squeezed exit_code null &&
			is squeezed status running && is squeezed contradicted false
		return
	fi
	is squeezed outcome ended && is squeezed kills 1 && is squeezed left restored || return
	is squeezed engine docker && is squeezed id "$id" && is squeezed pid "$process" || return
	is squeezed oom_killed true && is squeezed exit_code 137 && is squeezed status exited || return
	# The engine's flag is not set.
	is squeezed kernel_kills 1 && is squeezed contradicted true && is squeezed restarted false
}

squeeze_tells_of_a_container() {
	it_tells_of_a_container
	result=$?
	end_contained || return
	return $result
}

it_waits_for_no_engine() {
	contained 8 || return
	printf '#!/bin/sh\nexec sleep 1000\n' >"$path/docker"
	run_as env PATH="$path:$PATH" memstress squeeze "$cgroups/docker-$id.scope" --to 7M
	expect 0 && said '^docker cannot be asked: it has not answered in'
}

squeeze_waits_for_no_engine() {
	it_waits_for_no_engine
	result=$?
	end_contained || return
	return $result
}

tests="
	squeeze_reclaims
	squeeze_goes_by_rate
	squeeze_stops_on_signals
	squeeze_is_not_held_up_by_its_reader
	squeeze_leaves_what_others_write
	squeeze_is_alone
	squeeze_is_put_back_later
	squeeze_sees_a_removal
	squeeze_is_raced
	squeeze_refuses_nonsense
	squeeze_tells_of_a_container
	squeeze_waits_for_no_engine
"
[ -z "$v1" ] || tests="$tests
	squeeze_is_refused
"
# For limits that v1 does not have, or only refuses
[ -n "$v1" ] || tests="$tests
	squeeze_kills
	squeeze_kills_all
	squeeze_may_be_stuck
	squeeze_lowers_high
"
run_tests "$tests"
