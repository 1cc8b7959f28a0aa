#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress events and memstress sessions: the story of a run as others see it.
. "$(dirname "$0")/cli.sh"

# listen ARGUMENT...: memstress events in the background, into heard; sets $listener
listen() {
	: >"$tmp/heard"
	memstress events "$@" >"$tmp/heard" 2>"$tmp/err" &
	listener=$!
	# Signals are taken care of when it has joined.
	await is_listening $listener
}

is_listening() {
	find "/proc/$1/fd" -exec readlink {} \; | grep -q signalfd
}

# types: of the lines of heard
types() {
	sed -n 's/^{"schema":1,"type":"\([a-z]*\)".*/\1/p' "$tmp/heard" | xargs
}

both_are_closed() {
	[ "$(grep -c '"type":"closed"' "$tmp/heard")" -eq 2 ]
}

# The story of a kill in its order. The tool opens a session of its own before the worker's, which
# it closes after it; "opened" and "closed" of theirs stand around the rest.
events_tell_a_story() {
	listen --json || return
	run run --json --kind page --max 16M --until oom
	expect 0 || return
	victim=$(value worker pid)
	bytes=$(value alloc page_charged_bytes)
	mark_ns=$(value release since_mark_ns)
	await both_are_closed || return
	kill $listener && wait $listener
	status=$?
	expect 0 && is_json "$tmp/heard" || return
	cp "$tmp/heard" "$tmp/out"
	case $(types) in
	"opened opened "*"victim "*"stopped released closed closed") ;;
	*) complain "heard $(types)" ;;
	esac || return
	is victim pid "$victim" && is stopped pid "$victim" && is stopped stop killed &&
		is stopped page_charged_bytes "$bytes" && is released page_charged_bytes "$bytes" &&
		is released cause killed && is released since_victim_ns "$mark_ns"
}

events_for_people() {
	listen --count 2 || return
	run kinds && wait $listener
	status=$?
	expect 0 || return
	cp "$tmp/heard" "$tmp/out"
	said 'session [0-9]* opened by [0-9]* (memstress) of /' && said 'session [0-9]* closed' &&
		[ "$(wc -l <"$tmp/out")" -eq 2 ]
}

events_end_in_time() {
	run events --timeout 100ms && expect 0 && silent "$tmp/out" || return
	run events --count 0
	expect 2 && one_line 'count' || return
	run events --timeout soon
	expect 2 && one_line 'timeout'
}

sessions_are_shown() {
	run sessions && expect 0 && said '^There is no session' || return
	start --kind kmalloc,object-size=96,count=7 --max 16M --hold 60s
	await grep -q '"type":"hold"' "$tmp/out" || return
	pid=$(value worker pid)
	cgroup=$(value cgroup name)
	memstress sessions >"$tmp/table" 2>&1
	memstress sessions --json >"$tmp/lines" 2>&1
	kill "$tool"
	finish
	is_json "$tmp/lines" && cp "$tmp/lines" "$tmp/out" && cost_of 96 || return
	grep -q "^ *[0-9][0-9]*  $pid (memstress)  7 kmalloc  *$((7 * cost))  open  *$cgroup" "$tmp/table" ||
		complain "$(cat "$tmp/table")" || return
	is holdings objects 7 && is holdings requested_bytes 672 && is session pid "$pid" &&
		is session cgroup "$cgroup"
}

without_permission_to_listen() {
	run_as nobody memstress events
	expect 4 && one_line 'root only' || return
	run_as nobody memstress sessions
	expect 4 && one_line 'root only'
}

tests="
	events_tell_a_story
	events_for_people
	events_end_in_time
	sessions_are_shown
	without_permission_to_listen
"
run_tests "$tests"
