# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of the tool have in common, sourced by test_cli_*.sh and test_jobs.sh. They use it
# as a user does: exit codes, what it says, what it leaves behind. After each test there must be the
# same cgroups and the same controllers enabled as before.
#
# Environment: CASE, the only test to run; SLOWNESS, how many times longer things take here.
#
# shellcheck disable=SC2034

cgroups=/sys/fs/cgroup	# where the memory controller is
limit=memory.max
peak=memory.peak
usage=memory.current
local_columns='  *0  *1'
v1=
if [ -e $cgroups/memory/memory.usage_in_bytes ]; then
	cgroups=$cgroups/memory
	limit=memory.limit_in_bytes
	peak=memory.max_usage_in_bytes
	usage=memory.usage_in_bytes
	local_columns=
	v1=yes
fi
parameters=/sys/module/memstress/parameters
page=4096
wait_tries=$((600 * ${SLOWNESS:-1}))	# of 50 ms: emulated machines are slow

# Enough for a limit of 8M
eater="dd if=/dev/zero of=/dev/null bs=64M count=1"

number=0
failed=0

complain() {
	echo "# $current: $*"
	return 1
}

# needs_v2 WHAT: if this is cgroup v1, the test under way is skipped, as v1 has nothing like it
needs_v2() {
	[ -z "$v1" ] && return
	skipped="cgroup v1 has no $1"
	return 1
}

# await COMMAND...: until it succeeds
await() {
	tries=$wait_tries
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || complain "never came true: $*" || return
		sleep 0.05
	done
}

# run ARGUMENT...: the tool in the foreground; sets $status
run() {
	memstress "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# run_as RUNNER ARGUMENT...: the same by way of another program
run_as() {
	"$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# nobody COMMAND...: without any privilege. The root of an initramfs may be closed to all but root
nobody() {
	mode=$(stat -c %a /)
	chmod a+rx /
	su -s /bin/sh nobody -c "$*"
	result=$?
	chmod "$mode" /
	return $result
}

# below CGROUP COMMAND...: from within a cgroup
below() {
	(
		echo 0 >"$cgroups/$1/cgroup.procs" || exit
		shift
		"$@"
	)
}

# without_dev ARGUMENT...: the tool where there are no devices at all, and so no module
without_dev() {
	# Without the redirection there would be no /dev/null to redirect from.
	run_as unshare -m sh -c "mount -t tmpfs tmpfs /dev && exec memstress $*" </dev/null
}

# start ARGUMENT...: the tool in the background, as JSON; sets $tool, its process
start() {
	: >"$tmp/out"
	memstress run --json "$@" >"$tmp/out" 2>"$tmp/err" &
	tool=$!
}

# start_exec ARGUMENT...: exec in the background, what it tells being what the others print; sets $tool
start_exec() {
	memstress exec --json "$@" >"$tmp/err" 2>"$tmp/out" &
	tool=$!
}

# open_unread: descriptor 9, a pipe that nobody reads, with room for four more pages
open_unread() {
	mkfifo "$tmp/unread" && exec 9<>"$tmp/unread" && rm "$tmp/unread" &&
		head -c $((12 * page)) /dev/zero >&9
}

# Waits for what start() began; sets $status
finish() {
	# The shell would tell how a killed one died.
	wait "$tool" 2>/dev/null
	status=$?
}

is_over() {
	! kill -0 "$1" 2>/dev/null
}

# expect STATUS: of the last run; shows what it said if it is another one
expect() {
	[ "$status" -eq "$1" ] && return
	sed 's/^/# out: /' "$tmp/out"
	sed 's/^/# err: /' "$tmp/err"
	complain "exit code $status, expected $1"
}

# said PATTERN: on stdout
said() {
	grep -q -e "$1" "$tmp/out" || complain "stdout does not say: $1"
}

silent() {
	[ ! -s "$1" ] || complain "expected nothing, seen: $(head -n 3 "$1")"
}

# one_line PATTERN: on stderr, and no more than that
one_line() {
	[ "$(wc -l <"$tmp/err")" -eq 1 ] || complain "stderr: $(cat "$tmp/err")" || return
	grep -q -e "^memstress: .*$1" "$tmp/err" || complain "stderr does not say: $1: $(cat "$tmp/err")"
}

# Every line of a file is one JSON value and nothing else
is_json() {
	awk '
		function fail() { bad = 1; return 0 }
		function eat(pattern) {
			if (!match(rest, "^" pattern))
				return 0
			rest = substr(rest, RLENGTH + 1)
			return 1
		}
		function string() {
			return eat("\"([^\"\\\\]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F][0-9a-fA-F]" \
				   "[0-9a-fA-F][0-9a-fA-F])*\"")
		}
		function members(end) {
			if (eat(end))
				return 1
			do {
				if (end == "}" && (!string() || !eat(":")))
					return fail()
				if (!value())
					return fail()
			} while (eat(","))
			return eat(end) || fail()
		}
		function value() {
			if (eat("[{]"))
				return members("}")
			if (eat("[[]"))
				return members("]")
			return string() || eat("(true|false|null)") ||
			       eat("-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?") || fail()
		}
		{
			rest = $0
			bad = 0
			if (!value() || bad || rest != "") {
				print "# no JSON at \"" substr(rest, 1, 40) "\": " $0
				wrong = 1
			}
		}
		END { exit wrong || !NR }' "$1"
}

# is_stream: of records, each with what all of them have, in the order of their times
is_stream() {
	is_json "$tmp/out" || return
	awk -F '[:,]' '
		!/^[{]"schema":1,"type":"[a-z_]+","time_ns":[0-9]+[,}]/ || $6 < last { exit wrong = 1 }
		{ last = $6 }
		END { exit wrong || !NR }' "$tmp/out" || complain "no stream of records"
}

# value TYPE KEY [WHEN]: from the last record of a type, the first key of this name
value() {
	grep "\"type\":\"$1\"" "$tmp/out" | grep "${3:+\"when\":\"$3\"}" | tail -n 1 |
		awk -v key="\"$2\":" '{
			at = index($0, key)
			if (!at)
				exit
			text = substr($0, at + length(key))
			if (match(text, /^"[^"]*"/))
				print substr(text, 2, RLENGTH - 2)
			else if (match(text, /^[^,}]*/))
				print substr(text, 1, RLENGTH)
		}'
}

# is TYPE KEY VALUE
is() {
	[ "$(value "$1" "$2")" = "$3" ] || complain "$1 $2 is \"$(value "$1" "$2")\", expected \"$3\""
}

# between LOW NUMBER HIGH
between() {
	# What is no number is not in between.
	{ [ "$2" -ge "$1" ] && [ "$2" -le "$3" ]; } 2>/dev/null || complain "expected $1 <= $2 <= $3"
}

# has_record TYPE [KEY VALUE]
has_record() {
	grep "\"type\":\"$1\"" "$tmp/out" | grep -q -F -e "${2:+\"$2\":$3}"
}

# kernel_before MAJOR MINOR
kernel_before() {
	uname -r | awk -F '[.-]' -v major="$1" -v minor="$2" \
		'{ exit !($1 < major || ($1 == major && $2 < minor)) }'
}

# One to look at what the kernel has; the root itself has little
any_cgroup() {
	find $cgroups -mindepth 1 -type d | head -n 1
}

# What CPUs may have in stock for a cgroup
stock() {
	echo $((64 * page * $(nproc)))
}

# tables BYTES: what the page tables of as much take, from the beginning of 512 GiB
tables() {
	echo $(((($1 + 2097151) / 2097152 + ($1 + 1073741823) / 1073741824 + 1) * page))
}

# moved_by: usage, from the baseline to when all was held
moved_by() {
	echo $(($(value counters usage_bytes held) - $(value counters usage_bytes baseline)))
}

# ticks PID...: CPU time used, in hundredths of a second
ticks() {
	for process; do
		cut -d ' ' -f 14,15 "/proc/$process/stat"
	done | awk '{ sum += $1 + $2 } END { print sum }'
}

# wakeups PID...: how often they have gone on after they had waited
wakeups() {
	for process; do
		cat "/proc/$process/status"
	done | awk '$1 == "voluntary_ctxt_switches:" { sum += $2 } END { print sum }'
}

# make_parent NAME [MAX]: a cgroup for others to be made in
make_parent() {
	mkdir "$cgroups/$1" || return
	[ -z "$2" ] || echo "$2" >"$cgroups/$1/$limit"
}

is_enabled() {
	grep -qw memory "$cgroups/cgroup.subtree_control"
}

# uses CGROUP BYTES: it is charged that much
uses() {
	[ "$(cat "$cgroups/$1/$usage")" -ge "$2" ]
}

# has_processes CGROUP NUMBER
has_processes() {
	[ "$(grep -c . "$cgroups/$1/cgroup.procs" 2>/dev/null)" = "$2" ]
}

# make_place: memstress-place, which has a limit of 32M and somebody in it; sets $sleeper
make_place() {
	make_parent memstress-place 32M || return
	sh -c "echo \$\$ >$cgroups/memstress-place/cgroup.procs && exec sleep 600" &
	sleeper=$!
	await has_processes memstress-place 1
}

end_place() {
	kill "$sleeper"
	wait "$sleeper" 2>/dev/null
	await rmdir "$cgroups/memstress-place"
}

# with_place FUNCTION: which must leave it as it was
with_place() {
	make_place && "$1"
	result=$?
	[ "$(cat "$cgroups/memstress-place/$limit")" = 33554432 ] || complain "its limit is not as before" ||
		result=1
	has_processes memstress-place 1 || complain "not one process is in it" || result=1
	end_place || return
	return $result
}

# begin_squeezed: memstress-squeezed, with nobody in there
begin_squeezed() {
	crowd=
	disk=
	make_parent memstress-squeezed || return
	[ -n "$v1" ] || echo 0 >"$cgroups/memstress-squeezed/memory.swap.max" || return
	old=$(cat "$cgroups/memstress-squeezed/$limit")
}

# Whoever is left in there is killed. What is in their pipe, and page cache, goes before the cgroup
# does: what is uncharged later may keep it on old kernels
end_squeezed() {
	for process in $crowd; do
		kill -KILL "$process" 2>/dev/null
		wait "$process" 2>/dev/null
	done
	exec 8<&- 9<&-
	await rmdir "$cgroups/memstress-squeezed" || return
	[ -z "$disk" ] || echo "$disk" >/sys/class/zram-control/hot_remove
}

# squeezed FUNCTION
squeezed() {
	begin_squeezed && "$1"
	result=$?
	end_squeezed || return
	return $result
}

uses_at_least() {
	[ "$(cat "$cgroups/memstress-squeezed/$usage")" -ge "$1" ]
}

# cost_of SIZE: what one object of kmalloc() is charged, in $cost: the size, that of a cache, and the
# pointer to who pays; a few times that where slabs are watched for overruns
cost_of() {
	cost=$(memstress run --json --kind "kmalloc,object-size=$1,count=1" --payer outside --max 64M |
		sed -n 's/.*"type":"alloc".*"byte_charged_bytes":\([0-9]*\).*/\1/p')
	if [ "$(cat /sys/kernel/slab/kmalloc-64/red_zone 2>/dev/null)" = 1 ]; then
		between $(($1 + 9)) "$cost" $((8 * $1 + 512))
	else
		between $(($1 + 8)) "$cost" $(($1 + 8))
	fi
}

no_tool_is_left() {
	! find /proc -maxdepth 2 -name exe -exec readlink {} \; 2>/dev/null | grep -q '/memstress$'
}

# on_terminal COMMAND...: with a terminal that nobody else uses as 7, whose settings are in $modes
on_terminal() {
	[ -c /dev/tty5 ] || {
		skipped="this kernel has no virtual terminals"
		return 1
	}
	exec 7<>/dev/tty5
	modes=$(stty -g <&7)
	"$@"
	result=$?
	exec 7<&-
	return $result
}

# crowd NUMBER MIB: processes in there that have so much each, and wait for a reader
crowd() {
	[ -p "$tmp/nobody" ] || mkfifo "$tmp/nobody"
	exec 9<>"$tmp/nobody"
	members=0
	while [ $members -lt "$1" ]; do
		sh -c "echo 0 >$cgroups/memstress-squeezed/cgroup.procs &&
			exec dd if=/dev/zero bs=${2}M" >"$tmp/nobody" 2>/dev/null &
		crowd="$crowd $!"
		members=$((members + 1))
	done
	await uses_at_least $(($1 * $2 * 1048576))
}

machine() {
	find "$cgroups" -mindepth 1 -type d
	if [ -n "$v1" ]; then
		cat "$cgroups/memory.use_hierarchy"
	else
		cat "$cgroups/cgroup.subtree_control"
	fi
	[ ! -d "$parameters" ] || cat "$parameters"/*
}

unchanged() {
	machine | cmp -s "$tmp/machine" -
}

# run_test NAME: one that is the function of this name; a script may have others
run_test() {
	"$1"
}

# test_one NAME: passed if it succeeds and leaves nothing
test_one() {
	current=$1
	number=$((number + 1))
	skipped=
	if run_test "$1" && { unchanged || complain "left behind: $(machine | diff "$tmp/machine" - | xargs)"; }; then
		echo "ok $number $1"
	elif [ -n "$skipped" ]; then
		echo "ok $number $1 # SKIP $skipped"
	else
		failed=$((failed + 1))
		echo "not ok $number $1"
	fi
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 4
}

# run_anywhere NAMES: of tests, in one word, with the module or without; what a script ends with, and
# its exit status
run_anywhere() {
	command -v memstress >/dev/null || skip_all "no memstress in PATH"
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	machine >"$tmp/machine"

	echo "TAP version 13"
	# shellcheck disable=SC2086 # they are several
	set -- ${CASE:-$1}
	echo "1..$#"
	for name; do
		test_one "$name"
	done
	[ $failed -eq 0 ]
}

# run_tests NAMES: the same, and none of them without the module
run_tests() {
	[ -c /dev/memstress ] || skip_all "no /dev/memstress"
	run_anywhere "$1"
}
