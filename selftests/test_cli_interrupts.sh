#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tool, ended by a signal at any moment: each command that does something is begun, and some
# time later gets one of the signals that end a process. When it has ended, cgroups, limits,
# controllers, processes, sessions and the terminal are as before; after SIGKILL, when
# "memstress clean" has been there. SEED of the environment repeats the choices, if not what they
# come upon.

. "$(dirname "$0")/cli.sh"

all='INT TERM HUP QUIT USR1 KILL'
rounds=3
[ "${SLOWNESS:-1}" -eq 1 ] || rounds=1
[ -z "$SOAK" ] || rounds=50
seed=${SEED:-$(date +%s)}

# draw N: sets $drawn to a number below it
draw() {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	drawn=$((seed / 8 % $1))
}

# pause MS
pause() {
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

limit_of() {
	cat "$cgroups/memstress-place/$limit"
}

is_as_before() {
	[ "$(limit_of)" = "$place_limit" ] && [ "$(machine | sort)" = "$(cat "$tmp/place")" ]
}

no_session_is_left() {
	run sessions --json
	! grep -q '"type":"session"' "$tmp/out"
}

# What a process that was killed had changed may still be put back by another, or has to be asked for
is_put_in_order() {
	is_as_before || {
		memstress clean >/dev/null
		is_as_before
	}
}

# number_of SIGNAL
number_of() {
	case $1 in
	HUP) echo 1 ;;
	INT) echo 2 ;;
	KILL) echo 9 ;;
	QUIT) echo 3 ;;
	TERM) echo 15 ;;
	USR1) echo 10 ;;
	esac
}

# What a command leaves by intent, and is taken back before it is judged
undo=true

# judge SIGNAL MS: what was ended then. If it was too early for the tool to notice, it dies of it
judge() {
	case $status in
	0 | 1 | $((128 + $(number_of "$1")))) ;;
	*)
		sed 's/^/# err: /' "$tmp/err"
		complain "exit code $status after $1 at $2 ms"
		return
		;;
	esac
	$undo || return
	if [ "$1" = KILL ]; then
		await is_put_in_order
	else
		is_as_before
	fi || complain "after $1 at $2 ms: $(machine | sort | diff "$tmp/place" - | xargs)," \
		"limit $(limit_of), was $place_limit" || return
	if ! await no_tool_is_left || ! await no_session_is_left; then
		complain "after $1 at $2 ms"
	fi
}

# begin_tool ARGUMENT...: in the background; sets $tool
begin_tool() {
	memstress "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
	tool=$!
}

# one_of WORD...: sets $chosen
one_of() {
	draw $#
	shift "$drawn"
	chosen=$1
}

has_died() {
	[ ! -e "/proc/$tool" ] || grep -qs '^State:.Z' "/proc/$tool/status"
}

# send SIGNAL: to the tool, and again if that was lost: before the tool listens it has ignored SIGINT
# and SIGQUIT, as all that a shell begins in the background
send() {
	kill "-$1" "$tool" 2>/dev/null
	tries=$((200 * ${SLOWNESS:-1}))
	until has_died || [ $tries -eq 0 ]; do
		sleep 0.05
		tries=$((tries - 1))
	done
	has_died || kill "-$1" "$tool"
}

# ended_by SIGNALS MS BEGIN ARGUMENT...: begun again and again, and each time sent one of the
# signals at a random moment up to MS, which is longer where all is slow
ended_by() {
	signals=$1
	most=$(($2 * ${SLOWNESS:-1}))
	begin=$3
	shift 3
	first=$seed
	round=0
	while [ $round -lt "$rounds" ]; do
		# shellcheck disable=SC2086 # they are several
		one_of $signals
		draw $most
		moment=$drawn
		$begin "$@" || return
		pause $moment
		send "$chosen"
		finish
		judge "$chosen" $moment || complain "SEED=$first, round $round" || return
		round=$((round + 1))
	done
}

# in_place COMMAND...: with a cgroup that is somebody else's
in_place() {
	make_parent memstress-place 64M || return
	place_limit=$(limit_of)
	machine | sort >"$tmp/place"
	"$@"
	result=$?
	await rmdir "$cgroups/memstress-place" || return
	return $result
}

run_is_interrupted() {
	in_place ended_by "$all" 1000 begin_tool \
		run --kind page --size 8M --kind anon --size 8M --max 64M --hold 1m
}

run_until_oom_is_interrupted() {
	in_place ended_by "$all" 1000 begin_tool run --kind page --max 16M --until oom
}

run_in_a_cgroup_is_interrupted() {
	in_place ended_by "$all" 1000 begin_tool \
		run --in memstress-place --max 32M --kind page --size 8M --hold 1m
}

job_is_interrupted() {
	cat >"$tmp/job.ini" <<-EOF
		[cgroup group]
		max = 64M
		[worker one]
		cgroup = group
		copies = 3
		hold = 1m
		[step]
		kind = anon
		size = 4M
		[at 300ms]
		cgroup = group
		max = 32M
	EOF
	in_place ended_by "$all" 1000 begin_tool run "$tmp/job.ini"
}

fill_is_interrupted() {
	in_place ended_by "$all" 1000 begin_tool fill --in memstress-place 50%
}

# What a shell has begun in the background ignores SIGINT and SIGQUIT, and so does a command of exec
# then
exec_is_interrupted() {
	in_place ended_by 'TERM HUP USR1 KILL' 500 begin_tool exec --max 32M -- sleep 60
}

exec_in_a_cgroup_is_interrupted() {
	in_place ended_by 'TERM HUP USR1 KILL' 500 begin_tool \
		exec --in memstress-place --max 32M -- sleep 60
}

is_occupied() {
	[ "$(cat "$cgroups/memstress-place/$usage")" -gt 8388608 ]
}

# begin_squeeze ARGUMENT...: of a process that waits for a reader; it may have been killed before
begin_squeeze() {
	if [ -z "$holder" ] || is_over "$holder"; then
		sh -c "echo 0 >$cgroups/memstress-place/cgroup.procs &&
			exec dd if=/dev/zero bs=8M" >&9 2>/dev/null &
		holder=$!
	fi
	await is_occupied && begin_tool squeeze memstress-place "$@"
}

# squeeze_ended ARGUMENT...
squeeze_ended() {
	mkfifo "$tmp/nobody" && exec 9<>"$tmp/nobody" || return
	holder=
	ended_by "$all" 1000 begin_squeeze --step 1M --every 100ms "$@"
	result=$?
	kill -KILL "$holder" 2>/dev/null
	wait "$holder" 2>/dev/null
	exec 9<&-
	rm "$tmp/nobody"
	return $result
}

squeeze_is_interrupted() {
	in_place squeeze_ended
}

squeeze_with_racers_is_interrupted() {
	in_place squeeze_ended --racers 2
}

# undelegate: what is there is whole, and can be removed as such; but who is killed may leave a part
undelegate() {
	[ "$chosen" != KILL ] || memstress clean >/dev/null
	[ ! -d "$cgroups/memstress-place/inner" ] ||
		memstress delegate --remove memstress-place/inner >/dev/null
}

delegate_is_interrupted() {
	undo=undelegate
	in_place ended_by "$all" 50 begin_tool delegate --max 10M nobody memstress-place/inner
	result=$?
	undo=true
	return $result
}

# It is in the one cgroup or in the other
attach_is_interrupted() {
	sleep 1h &
	holder=$!
	in_place attach_ended
	result=$?
	kill "$holder"
	wait "$holder" 2>/dev/null
	return $result
}

begin_attach() {
	echo "$holder" >"$cgroups/cgroup.procs" && begin_tool attach "$holder" memstress-place
}

attach_ended() {
	ended_by "$all" 50 begin_attach
	result=$?
	kill -0 "$holder" || complain "the process is gone" || result=1
	echo "$holder" >"$cgroups/cgroup.procs"
	return $result
}

# looks_ended COMMAND...: of those that change nothing
looks_ended() {
	for look; do
		ended_by "$all" 50 begin_tool "$look" || complain "$look" || return
	done
}

looks_are_interrupted() {
	in_place looks_ended stat sessions kinds doctor
}

audit_is_interrupted() {
	in_place ended_by "$all" 2000 begin_tool audit
}

events_are_interrupted() {
	in_place ended_by "$all" 500 begin_tool events
}

clean_is_interrupted() {
	in_place ended_by "$all" 100 begin_tool clean
}

begin_view() {
	TERM=linux memstress watch --interval 100ms memstress-place <&7 >&7 2>"$tmp/err" &
	tool=$!
}

# Who is killed cannot put it back
view_is_interrupted() {
	ended_by 'INT TERM HUP QUIT USR1' 1000 begin_view || return
	[ "$(stty -g <&7)" = "$modes" ] || complain "the terminal is $(stty -g <&7), was $modes"
}

watch_is_interrupted() {
	on_terminal in_place view_is_interrupted
}

run_tests "
	run_is_interrupted
	run_until_oom_is_interrupted
	run_in_a_cgroup_is_interrupted
	job_is_interrupted
	fill_is_interrupted
	exec_is_interrupted
	exec_in_a_cgroup_is_interrupted
	squeeze_is_interrupted
	squeeze_with_racers_is_interrupted
	delegate_is_interrupted
	attach_is_interrupted
	looks_are_interrupted
	audit_is_interrupted
	events_are_interrupted
	clean_is_interrupted
	watch_is_interrupted
"
