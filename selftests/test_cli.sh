#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tool as a user runs it: exit codes, what it says, what it leaves behind. After each test
# there must be the same cgroups and the same controllers enabled as before.

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
	for kind in page kmalloc cache vmalloc percpu exact kvmalloc \
		anon file memfd pipe socket pagetable stack hugetlb dentry; do
		said "^  $kind " || return
	done
	run kinds --json && expect 0 && is_json "$tmp/out"
}

audits_each_kind() {
	run audit && expect 0 && said '^PASS: all is charged to whom it should be' || return
	said 'page, order 0  *there  *256  *256  *0  *0  *0  *the payer$' || return
	said 'percpu, .*the kernel does not tell$' && said ' 0 off.$' && silent "$tmp/err" || return
	if kernel_before 5 13; then
		said 'vmalloc, .* removed .* the payer$'
	else
		said 'vmalloc, .* removed .* its parent$'
	fi || return
	run audit --json --kind page && expect 0 && is_json "$tmp/out" || return
	is audit payer removed && is audit right_objects 256 && is audit first_index null &&
		is verdict pass true && is verdict misplaced_objects 0 && is verdict settled true || return
	run audit --kind nosuch && expect 2 && one_line "unknown kind 'nosuch'"
}

audits_what_it_runs() {
	run run --json --kind page --size 1M --kind kmalloc,count=10 --max 8M
	expect 0 && is_stream && is audit step 2 && is audit unasked_objects 10 || return
	run run --json --kind vmalloc --size 1M --max 8M --payer outside
	expect 0 && is audit right_objects 16 && is audit wrong_objects 0 && is audit unowned_objects 0 &&
		is audit right_id "$(value cgroup id)" && is audit first_owner_id null
}

# uses CGROUP BYTES: it is charged that much
uses() {
	[ "$(cat "$cgroups/$1/$usage")" -ge "$2" ]
}

# Its worker is moved in the middle of a step, so another cgroup pays for the rest
# uses_or_ends CGROUP BYTES
uses_or_ends() {
	uses "$@" || has_record verdict
}

notices_that_somebody_else_pays() {
	make_parent memstress-other 256M || return
	for try in 1 2 3 4 5 6 7 8 9 10; do
		start --kind page --size 200M --max 256M --cgroup /memstress-moved
		await has_record step && await uses_or_ends memstress-moved 16777216
		value worker pid >"$cgroups/memstress-other/cgroup.procs" 2>/dev/null
		finish
		# On a busy machine the move may come when all is made.
		[ "$(value audit wrong_objects)" = 0 ] || break
		echo "# $current: try $try came too late"
	done
	expect 1 && is verdict pass false && is verdict outcome "done" && is audit unowned_objects 0 &&
		is audit first_owner_id "$(stat -c %i "$cgroups/memstress-other")" &&
		is audit first_index "$(value audit right_objects)" &&
		between 1 "$(value audit wrong_objects)" 51200
	result=$?
	await rmdir "$cgroups/memstress-other" || return
	return $result
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
		30000000000 && between 1 "$(value release since_mark_ns)" 30000000000
}

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
	grep -q "^ *[0-9][0-9]*  $pid (memstress)  7 kmalloc  *728  open  *$cgroup" "$tmp/table" ||
		complain "$(cat "$tmp/table")" || return
	is_json "$tmp/lines" && cp "$tmp/lines" "$tmp/out" || return
	is holdings objects 7 && is holdings requested_bytes 672 && is session pid "$pid" &&
		is session cgroup "$cgroup"
}

until_oom_of_every_kind() {
	for kind in kmalloc,object-size=96 kmalloc,object-size=16K cache vmalloc percpu,object-size=64; do
		run run --json --kind $kind --max 8M --until oom
		expect 0 && is verdict outcome oom || complain $kind || return
	done
}

until_oom_of_an_ancestor() {
	make_parent memstress-parent 8M || return
	run run --kind page --cgroup /memstress-parent/job --until oom
	expect 0 && said 'for the limit of an ancestor' && said 'has max 8M'
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

# The tool has more RSS than the worker, and shares its limit: it must not be the victim
until_oom_with_the_tool_below_the_limit() {
	make_parent memstress-parent 8M && mkdir "$cgroups/memstress-parent/tool" || return
	run_as below memstress-parent/tool memstress run --kind page --cgroup /memstress-parent/job \
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

# memcg_kmem_bypass() of mm/memcontrol.c let nobody be charged in an interrupt before 5.15
charges_interrupts() {
	case $(uname -r) in 5.1[0-4].*) false ;; esac
}

made_in_every_way() {
	for how in cache,method=bulk kmalloc,method=grow kmalloc,method=shrink \
		kmalloc,method=shrink,object-size=65536 percpu,align=64 exact kvmalloc; do
		run run --json --kind $how --size 1M --max 8M --payer outside
		expect 0 && is verdict books exact || complain $how || return
	done
	# alloc_pages_bulk() is as old as 5.13
	run run --json --kind page,method=bulk --size 1M --max 8M --payer outside
	if kernel_before 5 13; then
		expect 4 && one_line 'cannot be allocated by bulk' || return
	else
		expect 0 && is step method bulk && is alloc objects 256 || return
	fi
	run run --kind vmalloc,method=grow --size 1M --max 8M
	expect 4 && one_line 'cannot be allocated by grow' || return
	run run --kind page,order=1,method=bulk --size 1M --max 8M
	kernel_before 5 13 || { expect 2 && one_line 'only order 0'; } || return
	run run --kind percpu,align=24 --size 1M --max 8M
	expect 2 && one_line "'24' is not allowed; give a power of two" || return
	run run --kind percpu,align=8192 --size 1M --max 8M
	expect 2 && one_line 'up to 4096'
}

freed_in_every_way() {
	for how in singly:page bulk:cache bulk:kmalloc rcu:page rcu:percpu split:page,order=3; do
		run run --json --kind "${how#*:}" --size 1M --max 8M --free-by "${how%%:*}"
		expect 0 && is free method "${how%%:*}" && is free context task ||
			complain "$how" || return
	done
	for context in kworker softirq hardirq; do
		run run --json --kind page --size 1M --max 8M --free-context $context
		expect 0 && is free context $context || complain $context || return
	done
	run run --size 1M --kind cache --kind vmalloc --max 8M --free-by bulk
	expect 4 && one_line 'step 2 (vmalloc): this kind cannot be freed by bulk' || return
	run run --kind kmalloc,object-size=8 --size 1M --max 8M --free-by rcu
	expect 2 && one_line 'by rcu it is at least 16' || return
	run run --kind cache --size 1M --max 8M --free-by bulk --free-context hardirq
	expect 2 && one_line 'cannot be done in a hardirq' || return
	run run --kind cache --size 1M --max 8M --free-by magic
	expect 2 && one_line 'one of singly, bulk, rcu, split'
}

in_every_context() {
	for context in kworker softirq hardirq; do
		run run --json --kind page --context $context --cpu 0 --size 2M --max 8M --payer outside
		if [ $context != kworker ] && ! charges_interrupts; then
			expect 4 && one_line 'charges nobody' || complain $context || return
			continue
		fi
		expect 0 && is step context $context && is step cpu 0 && is alloc objects 512 &&
			is verdict books exact || complain $context || return
	done
	run run --kind page --context softirq --policy kernel --size 1M --max 8M
	expect 2 && one_line 'may sleep' || return
	run run --kind vmalloc --context hardirq --size 1M --max 8M
	expect 4 && one_line 'in a hardirq' || return
	run run --kind page --context kworker --cpu 9999 --size 1M --max 8M
	expect 2 && one_line 'no CPU 9999'
}

until_a_size() {
	run run --json --kind page --max 16M --until 8M
	expect 0 && between $((8388608 - page)) "$(value counters usage_bytes held)" 8388608
}

until_a_share_of_the_tightest_limit() {
	make_parent memstress-parent 8M || return
	run run --json --kind page --cgroup /memstress-parent/job --max 16M --until 50%
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
	start --kind page --size 1M --max 16M --payer outside --cgroup /memstress-twin --hold 3s
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
	start --kind page --size 1M --max 16M --high 50% --low 2M --min 1M --swap-max 0 --oom-group \
		--cgroup /memstress-limits --hold 60s
	await has_record hold || return
	seen=$(cd "$cgroups/memstress-limits" &&
		cat memory.max memory.high memory.low memory.min memory.swap.max memory.oom.group | xargs)
	kill -INT "$tool"
	finish
	[ "$seen" = "16777216 8388608 2097152 1048576 0 1" ] || complain "limits are $seen"
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
	sleep 2
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
	start --kind page --size 1M --max 16M --cgroup /memstress-orphan --hold 60s
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
		policy: this is for kernel memory|--kind anon,policy=atomic --size 1M --max 8M
		this is for the kind anon, not for page|--kind page,thp=on --size 1M --max 8M
		this is for the kind file|--kind memfd,clean --size 1M --max 8M
		give no --payer outside|--kind anon --size 1M --max 8M --payer outside
		give --until oom|--kind anon --max 8M --until enomem
		only a limit would end it|--kind anon --until oom
		a multiple of 4096|--kind anon,object-size=100 --size 1M --max 8M
		is always 16384|--kind stack,object-size=4096 --size 1M --max 8M
		a multiple of 2097152|--kind hugetlb,object-size=4096 --size 1M --max 8M
		give --until enomem or --size|--kind hugetlb --max 8M --until oom
		needs a rate|--kind page,growth=linear --size 1M --max 8M
		growth once has no step|--kind anon,step=1M --size 1M --max 8M
		up to where|--kind anon,growth=spike --max 8M --until oom
		churn is for --hold|--kind page,churn=1M --size 1M --max 8M
	EOF
}

what_the_kernel_lacks_is_unsupported() {
	run run --kind vmalloc --policy atomic --size 1M --max 8M
	expect 4 && one_line 'policy atomic' || return
	run run --kind page,order=2 --policy nofail --size 1M --max 8M
	expect 4 && one_line 'nofail'
}

# without_dev ARGUMENT...: the tool where there are no devices at all, and so no module
without_dev() {
	# Without the redirection there would be no /dev/null to redirect from.
	run_as unshare -m sh -c "mount -t tmpfs tmpfs /dev && exec memstress $*" </dev/null
}

without_a_device() {
	without_dev run --kind page --size 1M --max 8M
	expect 4 && one_line 'modprobe memstress' || return
	without_dev kinds
	expect 0 && said '^  page .* no: needs the module$' && said '^  anon .* 4K: ' &&
		said 'modprobe memstress' || return
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

without_permission_to_listen() {
	run_as nobody memstress events
	expect 4 && one_line 'root only' || return
	run_as nobody memstress sessions
	expect 4 && one_line 'root only'
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
	run_as unshare -m sh -c "umount $cgroups && exec memstress stat"
	expect 4 && one_line 'no cgroup tree with memory' || return
	run_as unshare -m sh -c "umount $cgroups && exec memstress doctor"
	expect 1 && said 'bad   cgroup'
}

# make_family: memstress-stat with a limit of 16M and an OOM, its child, and a process in that;
# sets $sleeper
make_family() {
	make_parent memstress-stat 16M || return
	[ -n "$v1" ] || echo +memory >"$cgroups/memstress-stat/cgroup.subtree_control" || return
	mkdir "$cgroups/memstress-stat/child" || return
	run run --kind page --cgroup /memstress-stat/job --until oom
	expect 0 || return
	sh -c "echo \$\$ >$cgroups/memstress-stat/child/cgroup.procs && exec sleep 600" &
	sleeper=$!
	await grep -q . "$cgroups/memstress-stat/child/cgroup.procs"
}

end_family() {
	kill "$sleeper" 2>/dev/null
	wait "$sleeper" 2>/dev/null
	await rmdir "$cgroups/memstress-stat/child" && rmdir "$cgroups/memstress-stat"
}

# with_family FUNCTION
with_family() {
	make_family && "$1"
	result=$?
	end_family || return
	return $result
}

# key FILE NAME: the number of a line, of a file of the child
key() {
	awk -v name="$2" '$1 == name { print $2 }' "$cgroups/memstress-stat/child/$1"
}

# Numbers move at any time: by CPUs that give back what they have in stock, by a late flush
shows_what_files_say() {
	run stat --json --digest memstress-stat/child
	total=${v1:+total_}
	{
		[ "$(value stat usage_bytes)" = "$(cat "$cgroups/memstress-stat/child/$usage")" ] &&
			[ "$(value stat pgfault)" = "$(key memory.stat "${total}pgfault")" ]
	} || return
	if [ -n "$v1" ]; then
		[ "$(value stat rss)" = "$(key memory.stat total_rss)" ] &&
			[ "$(value stat cache)" = "$(key memory.stat total_cache)" ] &&
			[ "$(value stat kernel)" = \
				"$(cat "$cgroups/memstress-stat/child/memory.kmem.usage_in_bytes")" ]
	else
		[ "$(value stat anon)" = "$(key memory.stat anon)" ] &&
			[ "$(value stat file)" = "$(key memory.stat file)" ] &&
			[ "$(value stat slab)" = "$(key memory.stat slab)" ] &&
			[ "$(value stat swap)" = "$(cat "$cgroups/memstress-stat/child/memory.swap.current" \
				2>/dev/null)" ]
	fi
}

# What the sum is made of; before 5.18 there is no line for all of the kernel's memory
adds_up() {
	if [ -n "$v1" ]; then
		lines='rss cache kernel'
	elif [ -n "$(value stat kernel)" ]; then
		lines='anon file sock kernel'
	else
		lines='anon file sock kernel_stack pagetables percpu slab'
	fi
	sum=0
	for line in $lines; do
		bytes=$(value stat "$line")
		sum=$((sum + ${bytes:-0}))
	done
	is stat sum_bytes $sum
}

the_child_is_as_its_files() {
	await shows_what_files_say && expect 0 && is_json "$tmp/out" || return
	is stat path "$cgroups/memstress-stat/child" && is stat name /memstress-stat/child || return
	is stat max_bytes null && is stat effective_max_bytes 16777216 || return
	is stat effective_max_path "$cgroups/memstress-stat" && is stat pids 1 || return
	if [ -e "$cgroups/memstress-stat/child/$peak" ]; then
		is stat peak_bytes "$(cat "$cgroups/memstress-stat/child/$peak")"
	else
		is stat peak_bytes null
	fi || return
	adds_up || return
	run stat "pid:$sleeper"
	expect 0 && said '^  usage  *limit  *%' &&
		said '  16M  *[0-9.]*%  .*  1  .*  none  */memstress-stat/child, limit of /memstress-stat$' ||
		return
	run stat --digest memstress-stat/child "$cgroups/memstress-stat/"
	expect 0 && said '^  kernel memory$' && said '^  left over  ' &&
		said '  none  */memstress-stat/child, limit' && said '  /memstress-stat$'
}

# events_of FILE NAME...: of the parent, as stat puts them
events_of() {
	file=$cgroups/memstress-stat/$1
	shift
	for event; do
		awk -v event="$event" '$1 == event && $2 { sub("oom_", "", $1); print $1, $2 }' "$file"
	done | xargs
}

the_parent_tells_of_its_oom() {
	run stat --json memstress-stat
	expect 0 && is_json "$tmp/out" || return
	is stat max_bytes 16777216 && is stat effective_max_path "$cgroups/memstress-stat" &&
		is stat pids 1 || return
	run stat memstress-stat
	expect 0 || return
	if [ -n "$v1" ]; then
		said "  failcnt $(cat "$cgroups/memstress-stat/memory.failcnt")  */memstress-stat$"
	else
		said ' oom 1 kill 1 ' &&
			said "  $(events_of memory.events max high oom oom_kill)  */memstress-stat$"
	fi
}

no_privilege_is_needed() {
	run_as nobody memstress stat memstress-stat/child
	expect 0 && said '/memstress-stat/child, limit of' && silent "$tmp/err" || return
	run_as below memstress-stat/child nobody memstress stat --digest
	expect 0 && said '/memstress-stat/child, limit of' && silent "$tmp/err" || return
	run_as unshare -m sh -c "mount -t tmpfs tmpfs /dev && exec memstress stat / memstress-stat" \
		</dev/null
	expect 0 && said '  /$' && said '  /memstress-stat$'
}

what_has_no_memory_is_refused() {
	run stat memstress-stat memstress-nope
	expect 2 && one_line "there is no cgroup $cgroups/memstress-nope" && silent "$tmp/out" || return
	run stat ../memstress-stat
	expect 2 && one_line 'is no cgroup' && silent "$tmp/out" || return
	run stat pid:0
	expect 2 && one_line 'no such process' && silent "$tmp/out" || return
	[ -n "$v1" ] && return
	mkdir "$cgroups/memstress-stat/child/none"
	run stat memstress-stat/child/none
	rmdir "$cgroups/memstress-stat/child/none"
	expect 4 && one_line 'no memory controller' && silent "$tmp/out"
}

stat_shows_what_files_say() {
	with_family the_child_is_as_its_files
}

stat_tells_of_an_oom() {
	with_family the_parent_tells_of_its_oom
}

stat_needs_no_privilege() {
	with_family no_privilege_is_needed
}

stat_refuses_what_has_no_memory() {
	with_family what_has_no_memory_is_refused
}

# Cgroups that are called as those of units and containers are, without any of these
names_mean_units_and_containers() {
	id=3f2a1b5c00112233445566778899aabbccddeeff00112233445566778899
	mkdir "$cgroups/memstress-unit.service" "$cgroups/docker-${id}aaaa.scope" \
		"$cgroups/docker-${id}bbbb.scope" || return
	run stat unit:memstress-unit
	expect 0 && said '  /memstress-unit.service$' || return
	run stat "docker:${id}a"
	expect 0 && said "  /docker-${id}aaaa.scope$" || return
	run stat "${id}b"
	expect 0 && said "  /docker-${id}bbbb.scope$" || return
	run stat 3f2a1b5c
	expect 2 && one_line "'3f2a1b5c' is one of 2 cgroups; .*aaaa.scope, .*bbbb.scope" || return
	rmdir "$cgroups/memstress-unit.service" "$cgroups/docker-${id}aaaa.scope" \
		"$cgroups/docker-${id}bbbb.scope" || return
	run stat "${id}b"
	expect 2 && one_line 'one of a container whose id begins so' || return
	run stat unit:memstress-unit
	expect 2 && one_line 'no unit memstress-unit.service has a cgroup' || return
	run stat docker:web
	expect 2 && one_line 'docker knows no container of this name'
}

refuses_a_cgroup_that_exists() {
	mkdir "$cgroups/memstress-taken"
	run run --kind page --size 1M --max 8M --cgroup /memstress-taken
	expect 1 && one_line 'exists already' && rmdir "$cgroups/memstress-taken" || return
	run run --kind page --size 1M --max 8M --cgroup /memstress-no/job
	expect 1 && one_line 'does not exist'
}

two_runs_of_one_name() {
	start --kind page --size 1M --max 8M --cgroup /memstress-both --hold 60s
	await has_record hold || return
	memstress run --kind page --size 1M --max 8M --cgroup /memstress-both 2>"$tmp/second"
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

makes_some_in_a_place() {
	run run --json --kind page --size 4M --in memstress-place
	expect 0 && is_stream && is cgroup existed true && is cgroup max_bytes 33554432 &&
		is cgroup effective_max_path "$cgroups/memstress-place" || return
	run run --kind page --in memstress-place --max 8M --until oom
	expect 0 && said ', which was there before$' && said '^limits  max 8M' &&
		said 'for the limit of its cgroup' || return
	run run --json --kind page --size 4M --payer outside --in memstress-place
	expect 0 && is verdict books null && is audit right_objects 1024 || return
	# Nobody in there is killed for a max of ours.
	start --kind page --size 16M --payer outside --in memstress-place --hold 60s
	await has_record hold || return
	memstress exec --in memstress-place --max 8M -- true 2>"$tmp/second"
	second=$?
	kill -INT "$tool"
	finish
	mv "$tmp/second" "$tmp/err"
	status=$second
	expect 1 && one_line 'uses .* bytes already, more than the max of 8388608'
}

runs_in_a_cgroup_that_is_there() {
	with_place makes_some_in_a_place
}

survives_the_loss_of_its_cgroup() {
	start --kind page --size 1M --max 8M --payer outside --cgroup /memstress-lost --hold 60s
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
	start --kind page --size 1M --max 8M --cgroup /memstress-first --hold 60s
	await has_record hold && is_enabled || complain "not enabled" || return
	mv "$tmp/out" "$tmp/first"
	first=$tool
	start --kind page --size 1M --max 8M --cgroup /memstress-last --hold 60s
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
	start --kind page --size 1M --max 16M --swap-max 4M --cgroup /memstress-limits --hold 60s
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
	run run --kind page --size 1M --swap-max 4M --cgroup /memstress-parent/job
	expect 2 && one_line '--swap-max: on cgroup v1 it needs --max'
	result=$?
	rmdir "$cgroups/memstress-parent"
	return $result
}

# A charge that its killer does not answer is refused, and nobody waits for ever
until_enomem_with_the_killer_disabled() {
	make_parent memstress-parent 8M && echo 1 >"$cgroups/memstress-parent/memory.oom_control" || return
	run run --json --kind page --cgroup /memstress-parent/job --until enomem
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

# report ARGUMENT...: exec, what it tells being what the others print; sets $status
report() {
	memstress exec --json "$@" >"$tmp/err" 2>"$tmp/out"
	status=$?
}

# start_exec ARGUMENT...: the same in the background; sets $tool
start_exec() {
	memstress exec --json "$@" >"$tmp/err" 2>"$tmp/out" &
	tool=$!
}

# own_cgroup: shell code for the directory of who runs it
own_cgroup() {
	if [ -n "$v1" ]; then
		echo "$cgroups\$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)"
	else
		echo "$cgroups\$(sed -n 's/^0:://p' /proc/self/cgroup)"
	fi
}

# has_processes CGROUP NUMBER
has_processes() {
	[ "$(grep -c . "$cgroups/$1/cgroup.procs" 2>/dev/null)" = "$2" ]
}

# Enough for a limit of 8M
eater="dd if=/dev/zero of=/dev/null bs=64M count=1"

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

exec_limits_the_command() {
	run exec --max 8M -- sh -c "cat $(own_cgroup)/$limit"
	expect 0 && said '^8388608$' || return
	[ -n "$v1" ] || {
		run exec --max 8M --high 50% --swap-max 0 --oom-group -- sh -c "cd $(own_cgroup) &&
			cat memory.max memory.high memory.swap.max memory.oom.group | xargs"
		expect 0 && said '^8388608 4194304 0 1$'
	}
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

# make_mover: memstress-from and -to, and in the first a shell that has 4M, and a child; sets $mover
make_mover() {
	mkdir "$cgroups/memstress-from" "$cgroups/memstress-to" || return
	: >"$tmp/starting"
	sh -c "echo \$\$ >$cgroups/memstress-from/cgroup.procs || exit
		text=\$(dd if=/dev/zero bs=1M count=4 2>/dev/null | tr '\\000' x)
		sleep 600 &
		rm $tmp/starting
		wait" &
	mover=$!
	await [ ! -e "$tmp/starting" ] && await has_processes memstress-from 2 &&
		await uses memstress-from 4194304
}

end_mover() {
	for name in from to; do
		xargs -r kill <"$cgroups/memstress-$name/cgroup.procs"
	done
	wait "$mover" 2>/dev/null
	await rmdir "$cgroups/memstress-from" && await rmdir "$cgroups/memstress-to"
}

old_charges_stay() {
	run attach "$mover" memstress-to
	expect 0 && said '^1 process was moved into' && said '^ *[0-9.]*M  *[0-9.]*M  /memstress-from$' &&
		said 'stays with the cgroup that was charged' || return
	has_processes memstress-from 1 && has_processes memstress-to 1 &&
		uses memstress-from 4194304 || return
	run attach --json --tree "$mover" "$cgroups/memstress-to"
	expect 0 && is_json "$tmp/out" && is attach processes 1 && is attach moves_anon false &&
		is attach_from path "$cgroups/memstress-from" && has_processes memstress-to 2 || return
	between 4194304 "$(value attach_from usage_after_bytes)" 33554432 &&
		between 0 "$(value attach usage_after_bytes)" 2097152 || return
	run attach --tree "$mover" memstress-to
	expect 0 && said '^nobody had to be moved'
}

# Where the kernel can still do it
old_charges_follow() {
	mode=$cgroups/memstress-to/memory.move_charge_at_immigrate
	echo 3 >"$mode" 2>/dev/null
	[ "$(cat "$mode")" = 3 ] || {
		skipped="this kernel moves no charges"
		return 1
	}
	run attach --json --tree "$mover" memstress-to
	expect 0 && is attach moves_anon true && is attach moves_file true || return
	between 4194304 "$(value attach usage_after_bytes)" 33554432 &&
		between 0 "$(value attach_from usage_after_bytes)" 2097152
}

not_everybody_may_move() {
	run attach "$mover" memstress-nope
	expect 2 && one_line 'there is no cgroup' || return
	run attach 99999999 memstress-to
	expect 2 && one_line 'there is no such process' || return
	run attach 2 memstress-to
	expect 1 && one_line 'cannot move 2 into .*; kernel threads stay where they are' || return
	run_as nobody memstress attach "$mover" memstress-to
	expect 4 || return
	if [ -n "$v1" ]; then
		one_line 'the process and cgroup.procs there must be yours'
	else
		one_line "write to cgroup.procs there and in $cgroups, which is above both"
	fi
}

# What has controllers for those below it has no processes
not_every_cgroup_takes_processes() {
	echo +memory >"$cgroups/memstress-to/cgroup.subtree_control" || return
	run attach "$mover" memstress-to
	expect 4 && one_line 'gives controllers to cgroups below it' && has_processes memstress-from 2
}

# with_mover FUNCTION
with_mover() {
	make_mover && "$1"
	result=$?
	end_mover || return
	return $result
}

attach_leaves_old_charges() {
	with_mover old_charges_stay
}

attach_takes_charges_along_on_v1() {
	with_mover old_charges_follow
}

attach_needs_permission() {
	with_mover not_everybody_may_move
}

attach_needs_a_leaf() {
	needs_v2 cgroup.subtree_control || return
	with_mover not_every_cgroup_takes_processes
}

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
	expect 0 && said "^put the limits of $cgroups/memstress-place back$"
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
	for try in 1 2 3 4 5; do
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

# The limit is what it was
is_put_back() {
	is_limited_to "$old"
}

is_limited_to() {
	[ "$(cat "$cgroups/memstress-squeezed/$limit")" = "$1" ]
}

uses_at_least() {
	[ "$(cat "$cgroups/memstress-squeezed/$usage")" -ge "$1" ]
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

no_writer_is_left() {
	! find /proc -maxdepth 2 -name exe -exec readlink {} \; 2>/dev/null | grep -q '/memstress$'
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
	await is_put_back && await no_writer_is_left
}

squeeze_stops_on_signals() {
	squeezed it_stops
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
	no_writer_is_left || complain "a writer is left" || return
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
	[ -c /dev/tty5 ] || {
		skipped="this kernel has no virtual terminals"
		return 1
	}
	exec 7<>/dev/tty5
	modes=$(stty -g <&7)
	squeezed it_is_shown
	result=$?
	exec 7<&-
	return $result
}

# tables BYTES: what the page tables of as much take, from the beginning of 512 GiB
tables() {
	echo $(((($1 + 2097151) / 2097152 + ($1 + 1073741823) / 1073741824 + 1) * page))
}

# moved_by: usage, from the baseline to when all was held
moved_by() {
	echo $(($(value counters usage_bytes held) - $(value counters usage_bytes baseline)))
}

# has_moved BYTES: exactly
has_moved() {
	between "$1" "$(moved_by)" "$1"
}

# With the module, which settles: to the byte
user_memory_is_exact() {
	size=33554432
	for how in anon anon,mlock anon,object-size=64K; do
		run run --json --kind $how --size $size --max 128M
		expect 0 && is verdict books exact && has_moved $((size + $(tables $size))) ||
			complain $how || return
	done
	if ! grep -q never /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null; then
		run run --kind anon,thp=on --size $size --max 128M
		expect 4 && one_line 'no transparent huge pages' || return
	elif ! grep -q '\[never\]' /sys/kernel/mm/transparent_hugepage/enabled; then
		run run --json --kind anon,thp=on --size $size --max 128M
		expect 0 && is verdict books exact && is alloc objects 16 &&
			has_moved $((size + $(tables $size))) || return
	fi
	run run --json --kind pagetable --count 1000 --max 32M
	expect 0 && is verdict books exact && has_moved $(((1000 + 2 + 1) * page))
}

# within_bound KIND BYTES MORE: usage moves by as much, or up to MORE more
within_bound() {
	run run --json --kind "$1" --max 128M
	expect 0 && is verdict books within && is alloc page_charged_bytes "$2" &&
		is alloc more_bytes "$3" && is verdict bound_bytes "$3" || return
	between "$2" "$(moved_by)" $(($2 + $3)) || complain "$1"
}

# What the kernel keeps besides has a bound, which is of slab objects whose size nobody tells
user_memory_is_within_its_bound() {
	within_bound memfd,size=16M 16777216 $((65 * 1024)) &&
		within_bound pipe,size=8M 8388608 $((128 * 10240)) &&
		within_bound stack,count=50 $((50 * 16384)) $((50 * 53248)) || return
	if [ -n "$v1" ]; then
		run run --kind socket --count 10 --max 8M
		expect 4 && one_line 'cgroup v1 counts sockets apart'
	else
		within_bound socket,count=64 $((64 * 32768)) $((64 * 57344))
	fi
}

# The module is charged for its own books of a holding, too, of which usage takes a page at most
user_memory_beside_kernel_memory() {
	run run --json --kind page,size=4M --kind anon,size=4M --kind kmalloc,object-size=1K,count=1000 \
		--kind memfd,size=4M --max 64M
	expect 0 && is verdict pass true && is verdict books within && is free objects 4072 || return
	least=$((3 * 4194304 + $(tables 4194304) + 1000 * 1032))
	between $least "$(moved_by)" $((least + page + $(value verdict bound_bytes))) || return
	run run --kind page,size=4M --kind anon,size=4M --max 64M
	expect 0 && said '^  *1  page, order 0  *done  *1024  *4194304  *4194304$' &&
		said "^  *2  anon, 4096 bytes  *done  *1024  *4194304  *$((4194304 + $(tables 4194304)))$" &&
		said 'the books balance within 4K'
}

# What was made when the OOM killer struck is known all the same
user_memory_until_oom() {
	max=16777216
	for kind in anon memfd pagetable pipe stack; do
		run run --json --kind $kind --max 16M --swap-max 0 --until oom
		expect 0 && is verdict outcome oom && is exit signal 9 && is alloc stop killed ||
			complain $kind || return
		least=$(value alloc page_charged_bytes)
		most=$((least + $(value alloc more_bytes) + $(value counters usage_bytes baseline)))
		between 1 "$least" "$max" || complain $kind || return
		between $((max - $(stock))) "$most" 99999999 || complain $kind || return
	done
	run run --kind anon --max 16M --swap-max 0 --until oom
	expect 0 && said '^PASS: the OOM killer killed worker' && said 'signal 9 (Killed)'
}

user_memory_until_a_share() {
	run run --json --kind anon --max 32M --until 50%
	# A page less than half of it has room for a page, and perhaps a table.
	expect 0 && between $((16777216 - 3 * page)) "$(value counters usage_bytes held)" 16777216 || return
	run run --json --kind memfd,size=4M --kind anon --max 32M --until 50%
	expect 0 && between $((16777216 - 3 * page)) "$(value counters usage_bytes held)" 16777216
}

# What a softirq receives is dropped there, or passes it where GFP_ATOMIC may; then the next socket
# meets the OOM killer
sockets_until_the_limit() {
	needs_v2 "sockets in memory.usage_in_bytes" || return
	run run --json --kind socket --max 8M --swap-max 0 --until oom
	case $(value verdict outcome) in
	oom) expect 0 && is alloc stop killed ;;
	enomem) expect 1 && is alloc stop failed && is exit code 0 ;;
	*) complain "it ended by $(value verdict outcome)" ;;
	esac && between 1 "$(value alloc requested_bytes)" 8388608
}

# On a ramfs, whose pages are page cache of the kind that a disk has
page_cache_of_both_sorts() {
	size=8388608
	mkdir "$tmp/ramfs" && mount -t ramfs ramfs "$tmp/ramfs" || return
	for how in file file,clean; do
		run run --json --kind $how,dir="$tmp/ramfs" --size $size --max 64M
		expect 0 && is verdict books within && between $size "$(moved_by)" $((size * 13 / 10)) &&
			between $size "$(value alloc page_charged_bytes)" $size
		result=$?
		[ "$result" -eq 0 ] || break
	done
	umount "$tmp/ramfs" && rmdir "$tmp/ramfs"
	[ "$result" -eq 0 ] || complain "$how" || return
	mkdir "$tmp/shm" && mount -t tmpfs tmpfs "$tmp/shm" || return
	run run --kind file,dir="$tmp/shm" --size 1M --max 8M
	umount "$tmp/shm" && rmdir "$tmp/shm"
	expect 4 && one_line 'is on a tmpfs'
}

# What a dentry takes: a slab object, and to whom it is charged
dentry() {
	echo $(($(cat /sys/kernel/slab/dentry/slab_size) + 8))
}

# On v2 memory.stat has them, too; it may be late
dentries_are_charged_by_the_byte() {
	bytes=$((40000 * $(dentry)))
	run run --json --kind dentry --count 40000 --max 64M
	expect 0 && is_stream && is verdict books within && is alloc page_charged_bytes 0 &&
		is alloc byte_charged_bytes $bytes && is alloc more_bytes 0 && is free objects 40000 || return
	bound=$(value verdict bound_bytes)
	between 4096 "$bound" 65536 && between $((bytes - bound)) "$(moved_by)" $((bytes + bound)) || return
	if [ -z "$v1" ]; then
		slab=$(($(value counters slab held) - $(value counters slab baseline)))
		between $((bytes - $(stock))) $slab $((bytes + $(stock))) || return
	fi
	run_as nobody memstress kinds
	expect 0 && said '^  dentry .*this needs root$'
}

dentries_until_oom() {
	max=16777216
	run run --json --kind dentry --max $max --swap-max 0 --until oom
	expect 0 && is verdict outcome oom && is exit signal 9 && is alloc stop killed || return
	bytes=$(value alloc byte_charged_bytes)
	between 1 "$bytes" $max && between $((max - $(stock))) \
		$((bytes + page + $(value counters usage_bytes baseline))) 99999999 || return
	! grep ramfs /proc/mounts
}

# with_pool PAGES COMMAND...: while there are so many huge pages of the kernel's default size
with_pool() {
	pool=/proc/sys/vm/nr_hugepages
	[ -e $pool ] || {
		skipped="this kernel has no huge pages of a pool"
		return 1
	}
	pages=$(cat $pool)
	# They are of one piece each.
	[ ! -e /proc/sys/vm/compact_memory ] || echo 1 >/proc/sys/vm/compact_memory
	echo "$1" >$pool
	if [ "$(cat $pool)" -eq "$1" ]; then
		shift
		"$@"
		result=$?
	else
		complain "there are $(cat $pool) huge pages, not $1"
		result=1
	fi
	echo "$pages" >$pool
	return $result
}

# in_pool: huge pages that nobody has
in_pool() {
	sed -n 's/^HugePages_Free: *//p' /proc/meminfo
}

no_huge_pages() {
	run run --kind hugetlb --size 8M --max 64M
	expect 4 && one_line '0 huge pages of 2M are free, of 4 that are needed; echo 4 >/proc/sys/vm/nr_hugepages' ||
		return
	run kinds
	expect 0 && said '^  hugetlb .* no: 0 huge pages of 2M are free' || return
	run run --kind hugetlb,object-size=6M --count 1 --max 64M
	expect 4 && one_line 'no huge pages of 6M; it has .*2M' && [ "$(cat /proc/sys/vm/nr_hugepages)" -eq 0 ]
}

huge_pages_need_a_pool() {
	with_pool 0 no_huge_pages
}

# run_in_pool BYTES: what four of six huge pages must be charged is BYTES, and a table of each level
run_in_pool() {
	run run --json --kind hugetlb --size 8M --max 64M
	expect 0 && is_stream && is verdict pass true && is alloc objects 4 && is free objects 4 &&
		is alloc page_charged_bytes $(($1 + 2 * page)) && is alloc more_bytes $page || return
	bound=$(value verdict bound_bytes)
	between $(($1 + 2 * page - bound)) "$(moved_by)" $(($1 + 2 * page + bound)) && between 6 "$(in_pool)" 6
}

uncharged_huge_pages() {
	run_in_pool 0 || return
	run run --json --kind hugetlb --max 64M --until enomem
	expect 0 && is verdict outcome enomem && is alloc objects 6 && between 6 "$(in_pool)" 6 || return
	run run --kind hugetlb --size 14M --max 64M
	expect 4 && one_line '6 huge pages of 2M are free, of 7 that are needed; echo 7 >' || return
	run run --kind hugetlb --max 64M --until 50%
	expect 4 && one_line 'nobody pays for it here' || return
	run fill --kind hugetlb --in memstress-pool 50%
	expect 4 && one_line 'nobody pays for it here'
}

huge_pages_are_of_the_pool() {
	make_parent memstress-pool 64M || return
	with_pool 6 uncharged_huge_pages
	result=$?
	await rmdir "$cgroups/memstress-pool" && return $result
}

huge_pages_in_the_controller() {
	start --kind hugetlb --size 8M --in memstress-pool --hold 60s
	await has_record hold && between 8388608 "$(cat "$cgroups/memstress-pool/hugetlb.2MB.current")" 8388608
	result=$?
	kill -INT "$tool"
	finish
	between 0 "$(cat "$cgroups/memstress-pool/hugetlb.2MB.current")" 0 && return $result
}

# Whose they are, their own controller knows in any case
huge_pages_have_a_controller() {
	needs_v2 "controller of huge pages where memory is" || return
	grep -qw hugetlb "$cgroups/cgroup.controllers" || {
		skipped="this kernel has no controller of huge pages"
		return 1
	}
	enabled=$(grep -w hugetlb "$cgroups/cgroup.subtree_control")
	echo +hugetlb >"$cgroups/cgroup.subtree_control" && make_parent memstress-pool 64M || return
	with_pool 6 huge_pages_in_the_controller
	result=$?
	await rmdir "$cgroups/memstress-pool"
	[ -n "$enabled" ] || echo -hugetlb >"$cgroups/cgroup.subtree_control"
	return $result
}

charged_huge_pages() {
	run_in_pool 8388608 || return
	# 6.13 and later have a line for them.
	if [ -n "$(value counters hugetlb held)" ]; then
		between 8388608 $(($(value counters hugetlb held) + $(stock))) $((8388608 + 2 * $(stock))) || return
	fi
	# At the limit it is refused, and nobody is killed.
	run run --json --kind hugetlb --max 6M --swap-max 0 --until enomem
	expect 0 && is verdict outcome enomem && is exit code 0 && is alloc objects 2 || return
	run run --json --kind hugetlb --max 16M --until 50%
	expect 0 && is alloc objects 3
}

huge_pages_are_charged_where_mounted_so() {
	needs_v2 "memory_hugetlb_accounting" || return
	options=$(awk '$2 == "/sys/fs/cgroup" && $3 == "cgroup2" { print $4 }' /proc/mounts)
	mount -o "remount,$options,memory_hugetlb_accounting" /sys/fs/cgroup 2>/dev/null || {
		skipped="this kernel has no memory_hugetlb_accounting"
		return 1
	}
	with_pool 6 charged_huge_pages
	result=$?
	mount -o "remount,$options" /sys/fs/cgroup && return $result
}

user_memory_needs_no_module() {
	size=33554432
	without_dev run --json --kind anon --size $size --max 64M
	expect 0 && is_stream && is verdict books within && is verdict bound_bytes "$(stock)" &&
		is alloc page_charged_bytes $((size + $(tables $size))) || return
	between $((size + $(tables $size) - $(stock))) "$(moved_by)" $((size + $(tables $size) + $(stock))) ||
		return
	for kind in memfd pagetable pipe stack dentry; do
		without_dev run --json --kind $kind --count 10 --max 64M
		expect 0 && is verdict books within && is alloc objects 10 && is free objects 10 ||
			complain $kind || return
	done
	# Nothing limits it, and nothing is there to be limited.
	without_dev run --quiet --kind anon --size 4M
	expect 0 && silent "$tmp/err"
}

# The red twin: somebody else uses memory in there meanwhile
user_memory_notices_a_stranger() {
	mkdir "$tmp/ramfs" && mount -t ramfs ramfs "$tmp/ramfs" || return
	start --kind anon,size=4M,growth=steps,step=2M,every=3s --max 64M --cgroup /memstress-twin
	await has_record level || return
	(
		sh -c "echo \$\$ >$cgroups/memstress-twin/cgroup.procs &&
			exec dd if=/dev/zero of=$tmp/ramfs/stranger bs=1M count=8" 2>/dev/null
	)
	finish
	umount "$tmp/ramfs" && rmdir "$tmp/ramfs"
	expect 1 && is verdict books wrong && is verdict outcome "done"
}

user_memory_without_privilege() {
	make_parent memstress-parent 64M && mkdir "$cgroups/memstress-parent/tool" || return
	chown -R nobody "$cgroups/memstress-parent"
	run_as below memstress-parent/tool nobody memstress run --json --kind anon --size 8M
	expect 0 && is_stream && is verdict books within && is alloc objects 2048
	result=$?
	run_as below memstress-parent/tool nobody memstress run --kind anon --max 8M --swap-max 0 --until oom
	expect 0 && said '^PASS: the OOM killer killed' || result=1
	rmdir "$cgroups/memstress-parent/tool" "$cgroups/memstress-parent"
	return $result
}

# levels: the objects after each move
levels() {
	sed -n 's/.*"type":"level".*"objects":\([0-9]*\),.*/\1/p' "$tmp/out" | xargs
}

# has_levels OBJECTS...: and no others
has_levels() {
	[ "$(levels)" = "$*" ] || complain "the levels are $(levels), expected $*"
}

# level_is_timely NUMBER MS: that move was not before its time, and not seconds after it
level_is_timely() {
	grep '"type":"level"' "$tmp/out" | sed -n "$1p" >"$tmp/level"
	at=$(sed 's/.*"time_ns":\([0-9]*\),.*/\1/' "$tmp/level")
	begun=$(value step time_ns)
	between "$2" $(((at - begun) / 1000000)) $(($2 + 3000 * ${SLOWNESS:-1})) ||
		complain "move $1"
}

grows_by_a_rate() {
	run run --json --kind anon,size=2M,growth=linear,rate=2M/s --max 64M
	# 2 MiB a second are 51.2 pages in 100 ms.
	expect 0 && is alloc objects 512 && has_levels 51 102 153 204 256 307 358 409 460 512 || return
	level_is_timely 1 100 && level_is_timely 5 500 && level_is_timely 10 1000
}

grows_by_steps() {
	run run --json --kind memfd,size=1M,growth=steps,step=384K,every=200ms --max 64M
	expect 0 && has_levels 96 192 256 && level_is_timely 3 400 || return
	run run --kind memfd,size=1M,growth=geometric,step=64K,factor=3,every=100ms --max 64M
	expect 0 && said 'step 1: at 64K, 16 objects$' && said 'step 1: at 192K, 48 objects$' &&
		said 'step 1: at 1M, 256 objects$' && said ', geometric, step 64K, factor 3, every 100.0 ms$'
}

# What was up there is in the peak, and what is held in the end is what the books are of
grows_and_falls() {
	run run --json --kind anon,size=16M,growth=spike,step=1M,every=100ms,times=2 --max 64M
	expect 0 && has_levels 4096 256 4096 256 && is alloc objects 256 && is free objects 256 || return
	if [ -e "$(any_cgroup)/$peak" ]; then
		between 16777216 "$(value counters peak_bytes held)" 67108864 || return
	fi
	between $((1048576 - $(stock))) "$(moved_by)" $((1048576 + $(tables 16777216) + $(stock))) || return
	run run --json --kind memfd,size=64K,growth=leak,step=64K,factor=4,every=100ms --max 64M
	expect 0 && has_levels 16 4 16 8 16 12 16 16
}

grows_at_random() {
	for try in 1 2; do
		run run --json --kind anon,size=4M,growth=random,step=1M,every=20ms,times=20 --seed 5 --max 64M
		expect 0 || return
		levels >"$tmp/levels.$try"
	done
	cmp "$tmp/levels.1" "$tmp/levels.2" && [ "$(wc -w <"$tmp/levels.1")" -eq 20 ] || return
	run run --json --kind anon,size=4M,growth=random,step=1M,every=20ms,times=20 --seed 6 --max 64M
	expect 0 && levels >"$tmp/levels.2" && ! cmp -s "$tmp/levels.1" "$tmp/levels.2"
}

# The shell that triples its string every so often
grows_until_oom() {
	run run --json --kind anon,growth=geometric,step=1M,factor=3,every=200ms --max 16M --swap-max 0 \
		--until oom
	# 1, 3 and 9 MiB were there; 27 are too much.
	expect 0 && is verdict outcome oom && has_levels 256 768 2304 &&
		between 2304 "$(value alloc objects)" 4096 && is alloc stop killed
}

# Between two moves nobody does anything
grows_without_work() {
	start --kind anon,size=2M,growth=steps,step=1M,every=3s --max 64M
	await has_record level || return
	worker=$(value worker pid)
	before=$(ticks "$tool" "$worker")
	sleep 2
	after=$(ticks "$tool" "$worker")
	finish
	expect 0 && between 0 $((after - before)) 5
}

stops_while_it_grows() {
	start --kind anon,growth=steps,step=1M,every=60s --max 64M --size 8M
	await has_record level || return
	kill -INT "$tool"
	finish
	expect 1 && is_stream && is verdict outcome stopped && is alloc stop killed && is alloc objects 256 &&
		await is_over "$(value worker pid)" || return
	start --kind memfd,growth=steps,step=1M,every=60s --max 64M --size 8M
	await has_record level || return
	kill -KILL "$(value worker pid)"
	finish
	expect 1 && is verdict outcome killed && is alloc stop killed && is alloc objects 256
}

# has_churned STEP ROUNDS OBJECTS: as many rounds of as many objects, but for what a busy machine
# had no time for
has_churned() {
	rounds=$(value churn rounds)
	between 2 "$rounds" "$2" && is churn step "$1" && is churn objects $((rounds * $3))
}

churns_while_it_holds() {
	run run --json --kind anon,size=8M,churn=10M/s --max 64M --hold 1s
	# Ten a second, of 1 MiB; and one at once
	expect 0 && has_churned 1 11 256 && is churn held_objects 2048 && is free objects 2048
}

grows_kernel_memory() {
	run run --json --kind page,size=2M,growth=linear,rate=2M/s --payer outside --max 64M
	expect 0 && is verdict books exact && has_levels 51 102 153 204 256 307 358 409 460 512 &&
		is audit right_objects 512 && is free objects 512 || return
	run run --json --kind kmalloc,object-size=96,count=1000,growth=spike,step=1000,every=100ms,times=3 \
		--payer outside --max 64M
	# 1000 bytes are eleven of them.
	expect 0 && is verdict books exact && is alloc objects 11 &&
		is alloc byte_charged_bytes $((11 * 104)) && has_levels 1000 11 1000 11 1000 11 || return
	run run --json --kind page,growth=steps,step=3M,every=100ms --max 8M --until oom
	expect 0 && is verdict outcome oom && has_levels 768 1536
}

churns_kernel_memory() {
	run run --json --kind kmalloc,size=1M,churn=1M/s --kind vmalloc,size=1M,churn=640K/s --payer outside \
		--max 64M --hold 1s
	expect 0 && is verdict books exact && has_churned 2 11 1 && is free objects 1040
}

# start_fill ARGUMENT...: fill in the background, as JSON; sets $tool
start_fill() {
	: >"$tmp/out"
	memstress fill --json "$@" >"$tmp/out" 2>"$tmp/err" &
	tool=$!
}

# is_at CGROUP BYTES: its usage is, within 1 %
is_at() {
	seen=$(cat "$cgroups/$1/$usage")
	[ "$seen" -ge $(($2 - $2 / 100)) ] && [ "$seen" -le $(($2 + $2 / 100)) ]
}

holds() {
	[ "$(value fill_move held_bytes)" -ge "$1" ] && [ "$(value fill_move held_bytes)" -le "$2" ]
}

# stranger CGROUP MIB: uses memory in there, until its file is removed
stranger() {
	below "$1" dd if=/dev/zero of="$tmp/ramfs/stranger" bs=1M count="$2" 2>/dev/null
}

with_ramfs() {
	mkdir "$tmp/ramfs" && mount -t ramfs ramfs "$tmp/ramfs" || return
	"$@"
	result=$?
	umount "$tmp/ramfs" && rmdir "$tmp/ramfs" || return
	return $result
}

# end_fill [SIGNAL]
end_fill() {
	kill -"${1:-INT}" "$tool"
	finish
}

moves_as_others_do() {
	make_parent memstress-fill 64M || return
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432 && await holds 32000000 33554432 || return
	stranger memstress-fill 8
	await is_at memstress-fill 33554432 && await holds 23500000 25200000 || return
	rm "$tmp/ramfs/stranger"
	await is_at memstress-fill 33554432 && await holds 32000000 33554432 || return
	end_fill
	expect 0 && is_stream && is filled reached true && is filled level_bytes 33554432 &&
		is fill percent 50 && is fill group_path "$cgroups/memstress-fill" && is fill view_ends false
}

fill_holds_a_share() {
	with_ramfs moves_as_others_do
	result=$?
	await rmdir "$cgroups/memstress-fill" && return $result
}

# What counts is the usage that the limit is for, and not that of the cgroup below
fill_of_the_tightest_limit() {
	make_parent memstress-fill 32M || return
	[ -n "$v1" ] || echo +memory >"$cgroups/memstress-fill/cgroup.subtree_control" || return
	mkdir "$cgroups/memstress-fill/child" && echo 64M >"$cgroups/memstress-fill/child/$limit" || return
	run fill --json --in memstress-fill/child --hold 500ms 80%
	expect 0 && is filled level_bytes 26843545 && is fill group_path "$cgroups/memstress-fill" &&
		is fill path "$cgroups/memstress-fill/child" && between 26575110 "$(value filled highest_bytes)" \
		27111980 && between 500000000 "$(value filled held_ns)" 30000000000
	result=$?
	run fill --in memstress-fill/child --hold 100ms 16M
	expect 0 && said "^fill *$cgroups/memstress-fill/child to 16M, by anon, 4096 bytes, in small pages$" &&
		said 'held for' || result=1
	await rmdir "$cgroups/memstress-fill/child" && await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_by_other_kinds() {
	make_parent memstress-fill 64M || return
	for kind in memfd page kmalloc,object-size=4096 pipe dentry; do
		run fill --json --in memstress-fill --kind $kind --hold 500ms 50%
		expect 0 && is filled reached true && is fill kind ${kind%%,*} || complain $kind || break
	done
	await rmdir "$cgroups/memstress-fill" && [ "$status" -eq 0 ]
}

# A container sees its own part of the tree; what is above it may be tighter
fill_says_where_its_view_ends() {
	make_parent memstress-fill 64M && mkdir "$cgroups/memstress-fill/tool" || return
	run_as below memstress-fill/tool unshare -m sh -c "mount --bind $cgroups/memstress-fill $cgroups &&
		exec memstress fill --hold 100ms 16M"
	expect 0 && said '^view  *ends at the root of what can be seen here; above it may be limits$'
	result=$?
	rmdir "$cgroups/memstress-fill/tool" && await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_without_privilege() {
	make_parent memstress-parent 64M && mkdir "$cgroups/memstress-parent/tool" || return
	chown -R nobody "$cgroups/memstress-parent"
	run_as below memstress-parent/tool nobody memstress fill --json --hold 500ms 50%
	expect 0 && is filled reached true && is fill group_path "$cgroups/memstress-parent"
	result=$?
	rmdir "$cgroups/memstress-parent/tool" && await rmdir "$cgroups/memstress-parent" || return
	return $result
}

fill_needs_no_module() {
	make_parent memstress-fill 64M || return
	without_dev fill --json --in memstress-fill --hold 500ms 50%
	expect 0 && is filled reached true
	result=$?
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_without_work() {
	make_parent memstress-fill 64M || return
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432 || return
	worker=$(value worker pid)
	before=$(ticks "$tool" "$worker")
	sleep 2
	after=$(ticks "$tool" "$worker")
	end_fill TERM
	expect 0 && between 0 $((after - before)) 20
	result=$?
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_tells_of_its_end() {
	make_parent memstress-fill 64M || return
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432
	kill -KILL "$(value worker pid)"
	finish
	expect 1 && is filled worker_died true && one_line 'the process that held the memory was killed'
	result=$?
	# Nobody is left to end it, but the holder goes with it.
	start_fill --in memstress-fill 50%
	await is_at memstress-fill 33554432
	end_fill KILL
	await is_over "$(value worker pid)"
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

too_much_is_there_already() {
	make_parent memstress-fill 64M && stranger memstress-fill 16 || return
	run fill --quiet --in memstress-fill --hold 300ms 8M
	expect 1 && one_line '8M was not reached: usage was 1[67]' && silent "$tmp/out"
}

fill_does_not_reach_it() {
	with_ramfs too_much_is_there_already
	result=$?
	await rmdir "$cgroups/memstress-fill" || return
	return $result
}

fill_refuses_misuse() {
	make_parent memstress-fill 8M && make_parent memstress-free || return
	while IFS='|' read -r expected arguments; do
		# shellcheck disable=SC2086 # they are several
		run fill $arguments
		expect 2 && one_line "$expected" && silent "$tmp/out" || complain "fill $arguments" || break
	done <<-EOF
		how much|
		unexpected argument '2'|1 2
		'0' is no level|0
		'120%' is no level|120%
		unknown option '--size'|--size 1M 5M
		it is the level that says how much|--kind anon,size=1M 5M
		noaccount are not for fill|--kind page,noaccount 5M
		there can be only one|--kind anon --kind page 5M
		there is no cgroup|--in memstress-nope 5M
		more than the limit of|--in memstress-fill 9M
		of what|50% --in memstress-free
		exclude each other|--json 5M -q
	EOF
	rmdir "$cgroups/memstress-fill" "$cgroups/memstress-free" && [ "$status" -eq 2 ]
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
	audits_each_kind
	audits_what_it_runs
	notices_that_somebody_else_pays
	until_oom
	until_oom_reports_what_the_killed_held
	events_tell_a_story
	events_for_people
	events_end_in_time
	sessions_are_shown
	until_oom_of_every_kind
	until_oom_of_an_ancestor
	until_oom_with_the_tool_below_the_limit
	until_oom_of_a_group
	until_done
	until_enomem
	until_enomem_by_policy
	made_in_every_way
	freed_in_every_way
	in_every_context
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
	without_permission_to_listen
	in_a_delegated_cgroup
	without_a_memory_controller
	stat_shows_what_files_say
	stat_tells_of_an_oom
	stat_needs_no_privilege
	stat_refuses_what_has_no_memory
	names_mean_units_and_containers
	refuses_a_cgroup_that_exists
	two_runs_of_one_name
	two_runs_of_two_names
	runs_in_a_cgroup_that_is_there
	survives_the_loss_of_its_cgroup
	puts_the_controller_back
	user_memory_is_exact
	user_memory_is_within_its_bound
	user_memory_beside_kernel_memory
	user_memory_until_oom
	user_memory_until_a_share
	sockets_until_the_limit
	page_cache_of_both_sorts
	dentries_are_charged_by_the_byte
	dentries_until_oom
	huge_pages_need_a_pool
	huge_pages_are_of_the_pool
	huge_pages_have_a_controller
	huge_pages_are_charged_where_mounted_so
	grows_kernel_memory
	churns_kernel_memory
	fill_by_other_kinds
"
[ -z "$v1" ] || tests="$tests
	sets_limits_of_v1
	refuses_what_v1_lacks
	until_enomem_with_the_killer_disabled
	on_a_hybrid_host
	squeeze_is_refused
	attach_takes_charges_along_on_v1
"

# What needs no module
tests="$tests
	user_memory_needs_no_module
	user_memory_notices_a_stranger
	user_memory_without_privilege
	grows_by_a_rate
	grows_by_steps
	grows_and_falls
	grows_at_random
	grows_until_oom
	grows_without_work
	stops_while_it_grows
	churns_while_it_holds
	exec_passes_the_exit_code
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
	attach_leaves_old_charges
	attach_needs_permission
	attach_needs_a_leaf
	delegates_a_cgroup
	delegates_no_other
	delegation_keeps_the_controller
	cleans_up_after_the_dead
	cleans_up_the_controller
	cleans_up_without_privilege
	exec_without_privilege
	squeeze_reclaims
	squeeze_goes_by_rate
	squeeze_stops_on_signals
	squeeze_leaves_what_others_write
	squeeze_sees_a_removal
	squeeze_is_raced
	squeeze_refuses_nonsense
	squeeze_tells_of_a_container
	squeeze_waits_for_no_engine
	watch_needs_a_terminal
	watch_takes_a_terminal
"
# For limits that v1 does not have, or only refuses
[ -n "$v1" ] || tests="$tests
	squeeze_kills
	squeeze_kills_all
	squeeze_may_be_stuck
	squeeze_lowers_high
	fill_holds_a_share
	fill_of_the_tightest_limit
	fill_says_where_its_view_ends
	fill_without_privilege
	fill_needs_no_module
	fill_without_work
	fill_tells_of_its_end
	fill_does_not_reach_it
	fill_refuses_misuse
"

tests=${CASE:-$tests}

[ -c /dev/memstress ] || {
	echo "1..0 # SKIP no /dev/memstress"
	exit 4
}
command -v memstress >/dev/null || {
	echo "1..0 # SKIP no memstress in PATH"
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
