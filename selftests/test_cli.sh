#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tool as a user runs it: exit codes, what it says, what it leaves behind. After each test
# there must be the same cgroups and the same controllers enabled as before.

cgroups=/sys/fs/cgroup	# where the memory controller is
limit=memory.max
peak=memory.peak
local_columns='  *0  *1'
v1=
if [ -e $cgroups/memory/memory.usage_in_bytes ]; then
	cgroups=$cgroups/memory
	limit=memory.limit_in_bytes
	peak=memory.max_usage_in_bytes
	local_columns=
	v1=yes
fi
parameters=/sys/module/memstress/parameters
page=4096
wait_tries=$((600 * ${SLOWNESS:-1}))	# of 50 ms: emulated machines are slow

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
		usleep 50000
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

# start ARGUMENT...: the tool in the background, as JSON; sets $tool, its process
start() {
	: >"$tmp/out"
	memstress run --json "$@" >"$tmp/out" 2>"$tmp/err" &
	tool=$!
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

# kernel_before MAJOR MINOR
kernel_before() {
	uname -r | awk -F '[.-]' -v major="$1" -v minor="$2" \
		'{ exit !($1 < major || ($1 == major && $2 < minor)) }'
}

# One to look at what the kernel has; the root itself has little
any_cgroup() {
	find $cgroups -mindepth 1 -type d | head -n 1
}

has_record() {
	grep -q "\"type\":\"$1\"" "$tmp/out"
}

# What CPUs may have in stock for a cgroup
stock() {
	echo $((64 * page * $(nproc)))
}

machine() {
	find "$cgroups" -mindepth 1 -type d
	if [ -n "$v1" ]; then
		cat "$cgroups/memory.use_hierarchy"
	else
		cat "$cgroups/cgroup.subtree_control"
	fi
	cat "$parameters"/*
}

# make_parent NAME [MAX]: a cgroup for others to be made in
make_parent() {
	mkdir "$cgroups/$1" || return
	[ -z "$2" ] || echo "$2" >"$cgroups/$1/$limit"
}

tells_about_itself() {
	run --version && expect 0 && said '^memstress [0-9]' || return
	run run --help && expect 0 && said '^usage: memstress run' && silent "$tmp/err"
}

finds_the_machine_ready() {
	run doctor && expect 0 && said 'This machine is ready' || return
	run doctor --json && expect 0 && is_json "$tmp/out"
}

lists_kinds() {
	run kinds && expect 0 || return
	for kind in page kmalloc cache vmalloc percpu; do
		said "^  $kind " || return
	done
	run kinds --json && expect 0 && is_json "$tmp/out"
}

until_oom() {
	run run --kind page --max 16M --until oom
	expect 0 && said '^PASS: the OOM killer killed worker' && said 'signal 9 (Killed)' &&
		said "oom_kill  *0  *1$local_columns" && silent "$tmp/err"
}

until_oom_reports_what_the_killed_held() {
	max=16777216
	run run --json --kind page --max $max --until oom
	expect 0 && is_stream && is verdict pass true && is verdict outcome oom || return
	is exit signal 9 && is alloc stop killed && is alloc payer_id "$(value cgroup id)" || return
	is killed pid "$(value worker pid)" && is oom oom_cgroup "$(value cgroup name)" || return
	baseline=$(value counters usage_bytes baseline)
	charged=$(value alloc page_charged_bytes)
	between $((max - $(stock))) $((baseline + charged)) $max || return
	if [ -e "$(any_cgroup)/$peak" ]; then
		between $((max - $(stock))) "$(value counters peak_bytes after)" $max || return
	fi
	between 0 "$(value release usage_bytes)" "$(stock)" && between 1 "$(value release since_kill_ns)" \
		30000000000
}

until_oom_of_every_kind() {
	for kind in kmalloc,object-size=96 kmalloc,object-size=16K cache vmalloc percpu,object-size=64; do
		run run --json --kind $kind --max 8M --until oom
		expect 0 && is verdict outcome oom || complain $kind || return
	done
}

until_oom_of_an_ancestor() {
	make_parent memstress-parent 8M || return
	run run --kind page --cgroup memstress-parent/job --until oom
	expect 0 && said 'for the limit of an ancestor' && said 'has max 8M'
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

# The tool has more RSS than the worker, and shares its limit: it must not be the victim
until_oom_with_the_tool_below_the_limit() {
	make_parent memstress-parent 8M && mkdir "$cgroups/memstress-parent/tool" || return
	run_as below memstress-parent/tool memstress run --kind page --cgroup memstress-parent/job \
		--until oom
	expect 0 && said 'for the limit of an ancestor'
	result=$?
	rmdir "$cgroups/memstress-parent/tool" "$cgroups/memstress-parent"
	return $result
}

until_oom_of_a_group() {
	needs_v2 memory.oom.group || return
	run run --json --kind page --max 8M --oom-group --until oom
	expect 0 || return
	[ -e "$(any_cgroup)/memory.events" ] || complain "there is no cgroup to look at" || return
	# The key came with 5.17.
	grep -q oom_group_kill "$(any_cgroup)/memory.events" || return 0
	[ "$(value counters oom_group_kill after)" = 1 ] || complain "no group was killed"
}

until_done() {
	run run --json --kind page,order=1,count=10 --kind vmalloc --size 100K --max 16M
	expect 0 && is_stream && is verdict outcome "done" || return
	# 100K in objects of 64K
	is alloc objects 2 && is free objects 12 && is exit code 0
}

until_enomem() {
	run run --json --kind page,order=4 --max 8M --until enomem
	expect 0 && is verdict outcome enomem && is alloc stop failed && is alloc first_errno 12 &&
		is exit code 0 && between 100 "$(value alloc objects)" 128
}

until_enomem_by_policy() {
	for policy in nowait noretry retry-mayfail; do
		run run --json --kind kmalloc --policy $policy --max 8M --until enomem
		expect 0 && is alloc stop failed || complain $policy || return
	done
}

until_a_size() {
	run run --json --kind page --max 16M --until 8M
	expect 0 && between $((8388608 - page)) "$(value counters usage_bytes held)" 8388608
}

until_a_share_of_the_tightest_limit() {
	make_parent memstress-parent 8M || return
	run run --json --kind page --cgroup memstress-parent/job --max 16M --until 50%
	expect 0 && is cgroup effective_max_path "$cgroups/memstress-parent" &&
		between $((4194304 - page)) "$(value counters usage_bytes held)" 4194304
	result=$?
	enabled=$(cat "$cgroups/memstress-parent/cgroup.subtree_control" 2>/dev/null)
	[ -z "$enabled" ] || complain "left enabled: $enabled" || result=1
	rmdir "$cgroups/memstress-parent"
	return $result
}

judges_the_expectation() {
	run run --kind page --max 8M --until oom --expect survive
	expect 1 && said '^FAIL: expected survive' || return
	run run --kind page --size 1M --max 8M --expect oom
	expect 1 && said '^FAIL: expected oom' || return
	run run --kind page,order=4 --max 8M --until enomem --expect survive
	expect 0
}

is_quiet() {
	run run --kind page --size 1M --max 8M --quiet
	expect 0 && silent "$tmp/out" && silent "$tmp/err" || return
	run run --kind page --size 1M --max 8M --expect oom --quiet
	expect 1 && silent "$tmp/out" && one_line 'expected oom'
}

# books_of ARGUMENT...: must be exact, with an empty payer
books_of() {
	run run --json --max 32M --payer outside "$@"
	expect 0 && is verdict books exact || complain "$*" || return
	[ "$(value counters usage_bytes baseline)" = 0 ] || complain "the empty payer is not empty"
}

outside_payer_is_exact() {
	books_of --kind page --size 4M && books_of --kind page,order=3 --size 4M || return
	books_of --kind kmalloc,object-size=8,count=10001 || return
	books_of --kind kmalloc,object-size=96,count=777 --kind cache,object-size=96,count=777 || return
	books_of --kind percpu,object-size=12,count=333 --kind vmalloc --size 1M || return
	books_of --kind page --size 1M --kind kmalloc --size 1M --free random --seed 7
}

# The red twin of the above: something else is charged to the payer while it holds
outside_payer_notices_a_stranger() {
	start --kind page --size 1M --max 16M --payer outside --cgroup memstress-twin --hold 3s
	await has_record hold || return
	sh -c "echo \$\$ >$cgroups/memstress-twin/cgroup.procs && exec sleep 60" &
	stranger=$!
	finish
	expect 1 && is verdict books wrong && await is_over $stranger
}

nobody_pays_without_an_account() {
	run run --json --kind page,noaccount --size 4M --payer outside
	expect 0 && is alloc payer_id 0 && is alloc page_charged_bytes 0 || return
	[ "$(value counters usage_bytes held)" = 0 ] || complain "somebody paid"
}

frees_in_any_order() {
	for order in fifo lifo random; do
		run run --json --kind cache --size 1M --max 8M --free $order
		expect 0 && is free order $order && is free objects 1024 || return
	done
}

sets_limits() {
	needs_v2 "memory.high and memory.oom.group" || return
	start --kind page --size 1M --max 16M --high 50% --swap-max 0 --oom-group \
		--cgroup memstress-limits --hold 60s
	await has_record hold || return
	seen=$(cd "$cgroups/memstress-limits" &&
		cat memory.max memory.high memory.swap.max memory.oom.group | xargs)
	kill -INT "$tool"
	finish
	[ "$seen" = "16777216 8388608 0 1" ] || complain "limits are $seen"
}

# ticks PID...: CPU time used, in hundredths of a second
ticks() {
	for process; do
		cut -d ' ' -f 14,15 "/proc/$process/stat"
	done | awk '{ sum += $1 + $2 } END { print sum }'
}

holds_without_work() {
	start --kind page --size 1M --max 16M --hold 3s
	await has_record hold || return
	worker=$(value worker pid)
	before=$(ticks "$tool" "$worker")
	usleep 2000000
	after=$(ticks "$tool" "$worker")
	finish
	expect 0 && between 0 $((after - before)) 20 || return
	held=$(value hold time_ns)
	freed=$(value free time_ns)
	between 3000000000 $((freed - held)) 30000000000
}

holds_longer_than_the_dead_man() {
	deadman=$(cat $parameters/deadman_ms)
	echo 600 >$parameters/deadman_ms
	run run --json --kind page --size 1M --max 16M --hold 3s
	echo "$deadman" >$parameters/deadman_ms
	expect 0 && is free objects 256
}

meets_a_cap_of_the_module() {
	cap=$(cat $parameters/session_max_bytes)
	echo 1048576 >$parameters/session_max_bytes
	run run --kind page --size 2M --max 16M
	echo "$cap" >$parameters/session_max_bytes
	expect 1 && said 'a cap of the module'
}

gives_up_in_time() {
	run run --json --kind page --size 1M --max 16M --hold 60s --timeout 1s
	expect 1 && is_stream && is verdict outcome stopped
}

# stops_on SIGNAL
stops_on() {
	start --kind page --size 1M --max 16M --hold 60s
	await has_record hold || return
	kill -"$1" "$tool"
	finish
	expect 1 && is_stream && is verdict outcome stopped && is alloc stop "done" &&
		await is_over "$(value worker pid)"
}

stops_on_signals() {
	stops_on INT && stops_on TERM && stops_on HUP
}

# The worker sleeps in the kernel, above memory.high, when the signal comes
stops_while_throttled() {
	needs_v2 memory.high || return
	start --kind page --size 32M --max 64M --high 2M
	await has_record events || return
	kill -INT "$tool"
	finish
	expect 1 && is verdict outcome stopped || return
	# Before 5.18 ("memcg: synchronously enforce memory.high for large overcharges") it was on
	# its way back to user mode that a task was throttled, with all that it had asked for.
	if kernel_before 5 18; then
		is alloc stop "done" && is alloc objects 8192
	else
		is alloc stop killed && between 1 "$(value alloc objects)" 8191
	fi
}

worker_is_killed() {
	start --kind page --size 1M --max 16M --hold 60s "$@"
	await has_record hold || return
	kill -KILL "$(value worker pid)"
	finish
}

survives_its_worker() {
	worker_is_killed
	expect 1 && is_stream && is verdict outcome killed && is exit signal 9 && is alloc objects 256 ||
		return
	worker_is_killed --expect killed
	expect 0 || return
	worker_is_killed --expect oom
	expect 1
}

# Nobody is left to clean up, but the worker dies and gives the memory back
dies_with_its_worker() {
	start --kind page --size 1M --max 16M --cgroup memstress-orphan --hold 60s
	await has_record hold || return
	kill -KILL "$tool"
	finish
	await is_over "$(value worker pid)" && await rmdir "$cgroups/memstress-orphan"
}

# The reader of its output goes away
survives_its_reader() {
	memstress run --json --kind page --size 1M --max 16M --hold 1s 2>"$tmp/err" | head -n 1 >"$tmp/out"
	has_record run && await unchanged
}

# As some daemons start their children: no stdin, and SIGCHLD ignored
survives_a_bare_environment() {
	run_as env -i PATH=/usr/bin sh -c 'trap "" CHLD; exec memstress run --kind page --max 8M \
		--until oom <&-'
	expect 0 && said 'signal 9 (Killed)'
}

misuse_is_refused() {
	while IFS='|' read -r expected arguments; do
		# shellcheck disable=SC2086 # they are several
		run run $arguments
		expect 2 && one_line "$expected" && silent "$tmp/out" ||
			complain "run $arguments" || return
	done <<-EOF
		'mmap'|--kind mmap --size 1M --max 8M
		--size: '0'|--kind page --size 0 --max 8M
		order 99|--kind page,order=99 --size 1M --max 8M
		object-size 1|--kind kmalloc,object-size=1 --size 1M --max 8M
		object-size 1073741824|--kind cache,object-size=1G --size 1G --max 8M
		--max: 'banana'|--kind page --size 1M --max banana
		--max: '8MB'|--kind page --size 1M --max 8MB
		no limit|--kind page --size 1M
		of what|--kind page --size 1M --max 50%
		how much|--kind page --max 8M
		--cgroup: '../x'|--kind page --size 1M --max 8M --cgroup ../x
		--frob|--kind page --size 1M --max 8M --frob
	EOF
}

what_the_kernel_lacks_is_unsupported() {
	run run --kind vmalloc --policy atomic --size 1M --max 8M
	expect 4 && one_line 'policy atomic' || return
	run run --kind page,order=2 --policy nofail --size 1M --max 8M
	expect 4 && one_line 'nofail'
}

# Without tmpfs there would be no /dev/null to redirect from either
without_a_device() {
	for command in "run --kind page --size 1M --max 8M" kinds; do
		run_as unshare -m sh -c "mount -t tmpfs tmpfs /dev && exec memstress $command" </dev/null
		expect 4 && one_line 'modprobe memstress' || return
	done
	run_as unshare -m sh -c "mount -t tmpfs tmpfs /dev && exec memstress doctor"
	expect 1 && said 'not ready'
}

without_permission() {
	run_as nobody memstress run --kind page --size 1M --max 8M
	expect 4 && one_line 'memstress: Permission denied' || return
	run_as nobody memstress doctor
	expect 1 && said 'not ready'
}

# The device may be opened, but no cgroup made
without_permission_for_cgroups() {
	chmod 666 /dev/memstress
	run_as nobody memstress run --kind page --size 1M --max 8M
	chmod 600 /dev/memstress
	expect 4 && one_line 'cgroup'
}

# A subtree that belongs to somebody without privilege
in_a_delegated_cgroup() {
	make_parent memstress-parent 16M && mkdir "$cgroups/memstress-parent/tool" || return
	chown -R nobody "$cgroups/memstress-parent"
	chmod 666 /dev/memstress
	run_as below memstress-parent/tool nobody memstress run --kind page --until oom
	expect 0 && said "^cgroup  $cgroups/memstress-parent/memstress-" &&
		said 'counters cannot be made exact' && said '^PASS'
	result=$?
	run_as below memstress-parent/tool nobody memstress run --json --kind page --size 1M \
		--payer outside
	expect 4 && is_stream && one_line 'needs root' || result=1
	chmod 600 /dev/memstress
	rmdir "$cgroups/memstress-parent/tool" "$cgroups/memstress-parent"
	return $result
}

without_a_memory_controller() {
	run_as unshare -m sh -c "umount $cgroups && exec memstress run --kind page --size 1M --max 8M"
	expect 4 && one_line 'no cgroup tree with memory' || return
	run_as unshare -m sh -c "umount $cgroups && exec memstress doctor"
	expect 1 && said 'bad   cgroup'
}

refuses_a_cgroup_that_exists() {
	mkdir "$cgroups/memstress-taken"
	run run --kind page --size 1M --max 8M --cgroup memstress-taken
	expect 1 && one_line 'exists already' && rmdir "$cgroups/memstress-taken" || return
	run run --kind page --size 1M --max 8M --cgroup memstress-no/job
	expect 1 && one_line 'does not exist'
}

two_runs_of_one_name() {
	start --kind page --size 1M --max 8M --cgroup memstress-both --hold 60s
	await has_record hold || return
	memstress run --kind page --size 1M --max 8M --cgroup memstress-both 2>"$tmp/second"
	second=$?
	[ -d "$cgroups/memstress-both" ] || complain "the second run removed the cgroup of the first" ||
		return
	kill -INT "$tool"
	finish
	mv "$tmp/second" "$tmp/err"
	status=$second
	expect 1 && one_line 'exists already'
}

two_runs_of_two_names() {
	start --kind page --size 1M --max 8M --hold 2s
	memstress run --quiet --kind kmalloc --max 8M --until oom || complain "the second failed" || return
	finish
	expect 0
}

survives_the_loss_of_its_cgroup() {
	start --kind page --size 1M --max 8M --payer outside --cgroup memstress-lost --hold 60s
	await has_record hold || return
	rmdir "$cgroups/memstress-lost"
	finish
	# At once, and not when the hold is over.
	expect 1 && is_stream && one_line 'memstress-lost was removed' &&
		between 1 "$(value error time_ns)" 45000000000
}

is_enabled() {
	grep -qw memory "$cgroups/cgroup.subtree_control"
}

# The last of two runs puts it back, though it was the first who enabled it
puts_the_controller_back() {
	needs_v2 cgroup.subtree_control || return
	echo -memory >"$cgroups/cgroup.subtree_control"
	start --kind page --size 1M --max 8M --cgroup memstress-first --hold 60s
	await has_record hold && is_enabled || complain "not enabled" || return
	mv "$tmp/out" "$tmp/first"
	first=$tool
	start --kind page --size 1M --max 8M --cgroup memstress-last --hold 60s
	await has_record hold || return
	kill -INT "$first"
	wait "$first"
	is_enabled && [ -e "$cgroups/memstress-last/memory.max" ]
	result=$?
	kill -INT "$tool"
	finish
	! is_enabled || complain "left enabled" || result=1
	echo +memory >"$cgroups/cgroup.subtree_control"
	return $result
}

# What v1 has instead of sets_limits: what is written is the limit of memory and swap together
sets_limits_of_v1() {
	start --kind page --size 1M --max 16M --swap-max 4M --cgroup memstress-limits --hold 60s
	await has_record hold || return
	seen=$(cd "$cgroups/memstress-limits" &&
		cat memory.limit_in_bytes memory.memsw.limit_in_bytes | xargs)
	kill -INT "$tool"
	finish
	[ "$seen" = "16777216 20971520" ] || complain "limits are $seen"
}

refuses_what_v1_lacks() {
	run run --kind page --size 1M --max 8M --high 4M
	expect 4 && one_line '--high: cgroup v1 has no such thing' && silent "$tmp/out" || return
	run run --kind page --size 1M --max 8M --oom-group
	expect 4 && one_line '--oom-group: cgroup v1 has no such thing' && silent "$tmp/out" || return
	make_parent memstress-parent 8M || return
	run run --kind page --size 1M --swap-max 4M --cgroup memstress-parent/job
	expect 2 && one_line '--swap-max: on cgroup v1 it needs --max'
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

# A charge that its killer does not answer is refused, and nobody waits for ever
until_enomem_with_the_killer_disabled() {
	make_parent memstress-parent 8M && echo 1 >"$cgroups/memstress-parent/memory.oom_control" || return
	run run --json --kind page --cgroup memstress-parent/job --until enomem
	expect 0 && is alloc stop failed && is alloc first_errno 12 && is exit code 0
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

on_a_hybrid_host() {
	mkdir "$tmp/unified"
	run_as unshare -m sh -c "mount -t cgroup2 cgroup2 $tmp/unified && exec memstress doctor"
	expect 0 && said "cgroup  *v1 with the memory controller" || return
	run_as unshare -m sh -c "mount -t cgroup2 cgroup2 $tmp/unified && exec memstress run --json \
		--kind page --size 1M --max 8M --payer outside"
	expect 0 && is cgroup version 1 && is verdict books exact && rmdir "$tmp/unified"
}

unchanged() {
	machine | cmp -s "$tmp/machine" -
}

# test NAME: passed if the function of this name succeeds and leaves nothing
test_one() {
	current=$1
	number=$((number + 1))
	skipped=
	if "$1" && { unchanged || complain "left behind: $(machine | diff "$tmp/machine" - | xargs)"; }; then
		echo "ok $number $1"
	elif [ -n "$skipped" ]; then
		echo "ok $number $1 # SKIP $skipped"
	else
		failed=$((failed + 1))
		echo "not ok $number $1"
	fi
}

tests="
	tells_about_itself
	finds_the_machine_ready
	lists_kinds
	until_oom
	until_oom_reports_what_the_killed_held
	until_oom_of_every_kind
	until_oom_of_an_ancestor
	until_oom_with_the_tool_below_the_limit
	until_oom_of_a_group
	until_done
	until_enomem
	until_enomem_by_policy
	until_a_size
	until_a_share_of_the_tightest_limit
	judges_the_expectation
	is_quiet
	outside_payer_is_exact
	outside_payer_notices_a_stranger
	nobody_pays_without_an_account
	frees_in_any_order
	sets_limits
	holds_without_work
	holds_longer_than_the_dead_man
	meets_a_cap_of_the_module
	gives_up_in_time
	stops_on_signals
	stops_while_throttled
	survives_its_worker
	dies_with_its_worker
	survives_its_reader
	survives_a_bare_environment
	misuse_is_refused
	what_the_kernel_lacks_is_unsupported
	without_a_device
	without_permission
	without_permission_for_cgroups
	in_a_delegated_cgroup
	without_a_memory_controller
	refuses_a_cgroup_that_exists
	two_runs_of_one_name
	two_runs_of_two_names
	survives_the_loss_of_its_cgroup
	puts_the_controller_back
"
[ -z "$v1" ] || tests="$tests
	sets_limits_of_v1
	refuses_what_v1_lacks
	until_enomem_with_the_killer_disabled
	on_a_hybrid_host
"

[ -c /dev/memstress ] || {
	echo "1..0 # SKIP no /dev/memstress"
	exit 4
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
machine >"$tmp/machine"

echo "TAP version 13"
# shellcheck disable=SC2086 # they are several
set -- $tests
echo "1..$#"
for name; do
	test_one "$name"
done
[ $failed -eq 0 ]
