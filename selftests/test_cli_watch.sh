#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress watch: the view on a terminal, which is left as it was.
. "$(dirname "$0")/cli.sh"

watch_needs_a_terminal() {
	run watch
	expect 4 && one_line 'memstress stat shows the same' && silent "$tmp/out" || return
	run watch memstress-no
	expect 2 && one_line 'there is no cgroup'
}

is_on_screen() {
	grep -q -e "$1" /dev/vcs5
}

takes_the_terminal() {
	await is_on_screen 'memstress watch ' && await is_on_screen '  memory.stat  ' &&
		is_on_screen '  4[.0-9]*M *max .*no limit .*/memstress-squeezed  ' || return
	[ "$(stty -g <&7)" != "$modes" ] || complain "nobody has taken the terminal"
}

# ends_the_view SIGNAL [FUNCTION]: which leaves the terminal as it was
ends_the_view() {
	printf '\033[H\033[2J' >&7
	TERM=linux memstress watch --interval 100ms memstress-squeezed <&7 >&7 2>"$tmp/err" &
	tool=$!
	takes_the_terminal && ${2:-true}
	result=$?
	kill -"$1" "$tool"
	finish
	: >"$tmp/out"
	[ $result -eq 0 ] && expect 0 && silent "$tmp/err" || return
	[ "$(stty -g <&7)" = "$modes" ] || complain "the terminal is $(stty -g <&7), was $modes"
}

sees_a_kill() {
	echo 1M >"$cgroups/memstress-squeezed/memory.max" &&
		await is_on_screen '  killed by the OOM killer .* (dd) had .*/memstress-squeezed  '
}

it_is_shown() {
	crowd 1 4 && ends_the_view TERM || return
	# On v1 a lower limit kills nobody.
	[ -z "$v1" ] || return 0
	ends_the_view HUP sees_a_kill
}

watch_takes_a_terminal() {
	on_terminal squeezed it_is_shown
}

tests="
	watch_needs_a_terminal
	watch_takes_a_terminal
"
run_tests "$tests"
