#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Job files: each of jobs/ with the expectation that it contains, or refused for what it needs and
# the machine does not have; expectations that are wrong; what is no job; and that nothing is left
# behind. Without the module those with kernel memory are refused.
#
# Environment: JOBS, the folder of the jobs; and cli.sh's.
. "$(dirname "$0")/cli.sh"

# one_literal TEXT: one_line(), for what is no pattern
one_literal() {
	one_line '' || return
	grep -q -F -e "$1" "$tmp/err" || complain "stderr does not say: $1: $(cat "$tmp/err")"
}

# job: what comes in, as a job file
job() {
	cat >"$tmp/j"
}

# workers: the processes of the run that start() began
workers() {
	sed -n 's/.*"type":"worker".*"pid":\([0-9]*\).*/\1/p' "$tmp/out"
}

# needs FILE WHAT: the job says so
needs() {
	grep -q "^needs = .*$2" "$1"
}

has_swap() {
	[ "$(wc -l </proc/swaps)" -gt 1 ]
}

# lacks FILE: what the job needs that is not here; nothing: it can be run
lacks() {
	if needs "$1" v1 && [ -z "$v1" ]; then
		echo v1
	elif needs "$1" v2 && [ -n "$v1" ]; then
		echo v2
	elif needs "$1" no-swap; then
		! has_swap || echo no-swap
	elif needs "$1" swap && ! has_swap; then
		echo swap
	fi
}

# Which job is in its name
runs_as_expected() {
	file=$jobs/${current#runs_}.ini
	missing=$(lacks "$file")
	if [ -n "$missing" ]; then
		run run "$file"
		expect 4 && one_literal "needs: '$missing' is not what is here"
	elif grep -q '^kind = page$' "$file" && [ ! -c /dev/memstress ]; then
		run run "$file"
		expect 4 && one_literal /dev/memstress
	else
		run run "$file"
		expect 0 && said '^PASS: '
	fi
}

two_workers() {
	job <<-EOF
		[cgroup outside]
		[cgroup inside]
		max = 10M
		swap-max = 0
		[worker free]
		cgroup = outside
		[step]
		kind = anon
		size = 30M
		[worker bound]
		cgroup = inside
		[step]
		kind = anon
		size = 30M
		[expect]
		free = ${1:-done}
		bound = ${2:-oom of inside}
	EOF
}

wrong_expectations_fail() {
	two_workers
	run run "$tmp/j" && expect 0 || return
	two_workers "done" "done"
	run run "$tmp/j" && said '^FAIL: expected of bound done: oom of inside$' && expect 1 || return
	two_workers oom
	run run "$tmp/j" && said '^FAIL: expected of free oom: done$' && expect 1 || return
	two_workers "done" "oom of outside"
	run run "$tmp/j" && said '^FAIL: expected of bound oom of outside: oom of inside$' && expect 1 || return
	two_workers "done" "some survive"
	run run "$tmp/j" && expect 1 || return
	two_workers "1 done" "none survive, all killed"
	run run "$tmp/j" && expect 0 || return
	two_workers "2 done"
	run run "$tmp/j" && expect 1
}

# Of a job without [expect], what the steps say is expected.
expectations_follow_from_steps() {
	two_workers
	sed -i '/expect/,$d' "$tmp/j"
	run run "$tmp/j" && said '^FAIL: expected of bound done: oom of inside$' && expect 1 || return
	echo 'until = oom' >>"$tmp/j"
	sed -i '$!b; s/.*/until = oom/' "$tmp/j"
	run run "$tmp/j" && expect 0
}

options_count_more() {
	two_workers
	run run "$tmp/j" --size 4M --expect "done" && expect 0 || return
	run run "$tmp/j" --kind memfd,size=4M && expect 2 && one_literal '--kind: whose steps?' || return
	printf 'max = 16M\n[step]\nkind = anon\nsize = 32M\n' | job
	run run "$tmp/j" --size 2M && expect 0 || return
	run run --kind memfd,size=3M "$tmp/j" && said '^ *1  memfd, .* 3145728 ' && expect 0
}

# same: what JSON says but for times, processes, and what a run is not told to do
same() {
	sed 's/"\(time_ns\|id\|pid\|[a-z_]*ns\|path\|name\|effective_max_path\)":[^,}]*//g; /"counters"/d' \
		"$tmp/out"
}

one_worker_is_as_by_options() {
	run run --json --max 16M --swap-max 0 --kind anon --size 2M --kind memfd --size 1M --hold 10ms
	expect 0 && same >"$tmp/options" || return
	cat <<-EOF | job
		hold = 10ms
		[cgroup]
		max = 16M
		swap-max = 0
		[worker one]
		[step]
		size = 2M
		kind = anon
		[step]
		kind = memfd
		size = 1M
		[expect]
		one = done
	EOF
	run run "$tmp/j" --json
	expect 0 || return
	same | diff "$tmp/options" - >"$tmp/diff" || complain "$(cat "$tmp/diff")"
}

tells_all_as_json() {
	run run --json "$jobs/growing_shell.ini" --every 800ms
	has_record worker worker_name '"shell"' && has_record moved cgroup '"limited"' &&
		has_record ended outcome '"oom"' && has_record ended limit_cgroup '"limited"' &&
		has_record used cgroup '"limited"' && has_record expected holds true &&
		has_record verdict pass true && expect 0 || return
	grep -v '^{"schema":1,"type":"[a-z_]*","time_ns":[0-9]*.*}$' "$tmp/out" >"$tmp/wrong"
	[ ! -s "$tmp/wrong" ] || complain "no records: $(cat "$tmp/wrong")"
}

# Several limits of a time in their order, and those of two times that are the same.
limits_change_in_time() {
	cat <<-EOF | job
		[cgroup]
		max = 100M
		[cgroup a]
		[worker keeper]
		cgroup = a
		hold = 1s
		[step]
		kind = anon
		size = 8M
		[at 200ms]
		cgroup = a
		max = 64M
		swap-max = 1M
		[at 500ms]
		cgroup = a
		max = 50%
		[at 500ms]
		max = 90M
	EOF
	run run --json "$tmp/j"
	expect 0 && [ "$(grep -c '"type":"written".*"done":true,"errno":0' "$tmp/out")" -eq 4 ] &&
		has_record written bytes 67108864 && has_record written bytes 1048576 &&
		has_record written bytes 52428800 && has_record written bytes 94371840
}

# began_after STEP NS: from the beginning, a step that waits so long
began_after() {
	at=$(sed -n "s/.*\"type\":\"step\",\"time_ns\":\([0-9]*\),.*\"step\":$1,.*\"wait_ns\":$2,.*/\1/p" "$tmp/out")
	[ "${at:-0}" -ge "$2" ] || complain "step $1 began at ${at:-no time}"
}

steps_wait() {
	run run --json --kind anon,size=1M --kind memfd,size=1M,wait=600ms --max 16M
	began_after 1 0 && began_after 2 600000000 && expect 0 || return
	printf '[worker a]\nwait=400ms\n[step]\nkind=anon\nsize=1M\n[worker b]\nafter=a\n' | job
	printf 'start=300ms\n[step]\nkind=memfd\nsize=1M\nwait=200ms\n' >>"$tmp/j"
	run run --json "$tmp/j"
	began_after 1 400000000 && expect 0 || return
	# One after the other: 400, 300 and 200 ms.
	at=$(sed -n 's/.*"type":"step","time_ns":\([0-9]*\),"worker_name":"b".*/\1/p' "$tmp/out")
	[ "${at:-0}" -ge 900000000 ] || complain "b began at ${at:-no time}"
}

# What is at a time when nobody is left is told, and not done.
later_times_are_not_done() {
	printf '[worker one]\n[step]\nkind = anon\nsize = 1M\n[at 1m]\nmax = 20M\n' | job
	run run "$tmp/j"
	expect 0 && said 'line 5, at .*, was not done'
}

long_job() {
	cat <<-EOF | job
		[cgroup a/b]
		max = 64M
		[cgroup c]
		[worker one]
		cgroup = a/b
		copies = 3
		hold = 1m
		[step]
		kind = anon
		size = 4M
		[worker two]
		cgroup = c
		[step]
		kind = anon
		growth = linear
		rate = 1M/s
		size = 60M
		[at 30s]
		cgroup = a
		max = 1M
	EOF
}

all_hold() {
	[ "$(grep -c '"type":"hold"' "$tmp/out")" -eq 3 ]
}

workers_are_over() {
	for pid in $(workers); do
		is_over "$pid" || return
	done
}

stops_on_signals() {
	long_job
	for signal in INT TERM HUP; do
		start "$tmp/j"
		await all_hold || return
		kill -$signal "$tool"
		finish
		expect 1 && has_record verdict pass false && workers_are_over && unchanged || return
	done
}

gives_up_in_time() {
	long_job
	run run "$tmp/j" --timeout 1s
	said '^FAIL: the time allowed was over' && expect 1
}

dies_with_its_workers() {
	long_job
	start "$tmp/j"
	await all_hold || return
	kill -KILL "$tool"
	finish
	await workers_are_over || return
	# Whoever was killed with it may still be in there.
	await unchanged_after_clean
}

unchanged_after_clean() {
	memstress clean >"$tmp/cleaned" 2>&1 && unchanged
}

# A worker that somebody else kills was not killed by the OOM killer.
tells_a_kill_from_an_oom() {
	long_job
	printf '[expect]\none = 1 killed, none oom, 2 done\ntwo = done\n' >>"$tmp/j"
	sed -i 's/hold = 1m/hold = 2s/; s/rate = 1M/rate = 20M/' "$tmp/j"
	start "$tmp/j"
	await all_hold || return
	kill -KILL "$(workers | head -n 1)"
	finish
	has_record ended outcome '"killed"' && expect 0
}

# refused TEXT MESSAGE: a job with this text, of which printf makes lines
refused() {
	# shellcheck disable=SC2059 # it has escapes
	printf "$1" | job
	run run "$tmp/j"
	expect 2 && one_literal "$tmp/j$2"
}

limits_that_change_are_put_back() {
	make_parent memstress-place 64M || return
	printf '%s\n' '[worker one]' 'hold = 500ms' '[step]' 'kind = anon' 'size = 4M' \
		'[worker two]' '[step]' 'kind = anon' 'size = 4M' \
		'[at 100ms]' 'max = 48M' '[at 300ms]' 'max = 32M' | job
	run run --json --in memstress-place "$tmp/j"
	seen=$(cat "$cgroups/memstress-place/$limit")
	await rmdir "$cgroups/memstress-place" && expect 0 && has_record written bytes 33554432 || return
	[ "$seen" = 67108864 ] || complain "not put back: $seen"
}

a_limit_of_another_run_is_left_alone() {
	make_parent memstress-place 64M || return
	memstress exec --quiet --in memstress-place --max 32M -- sleep 60 &
	other=$!
	await grep -q '^33554432$' "$cgroups/memstress-place/$limit" || return
	printf '%s\n' '[worker one]' 'hold = 1m' '[step]' 'kind = anon' 'size = 4M' \
		'[worker two]' '[step]' 'kind = anon' 'size = 4M' '[at 100ms]' 'max = 48M' | job
	run run --in memstress-place "$tmp/j"
	seen=$(cat "$cgroups/memstress-place/$limit")
	kill $other
	wait $other 2>/dev/null
	await rmdir "$cgroups/memstress-place" || return
	expect 1 && one_literal "another run has set $cgroups/memstress-place/$limit" || return
	[ "$seen" = 33554432 ] || complain "the limit is $seen"
}

what_is_no_job_is_refused() {
	one='[worker one]\n[step]\nkind = anon\nsize = 1M\n'
	refused 'max 1M\n' ':1: this is neither KEY = VALUE nor a [heading]' &&
		refused '[step\n' ':1: the heading has no ]' &&
		refused '[steps]\n' ':1: [steps] is not allowed; there are [cgroup]' &&
		refused '[step]\nsize = 1M\n' ':1: [step] has no kind' &&
		refused '\nmax = many\n' ":2: max: 'many' is not allowed; give a whole number" &&
		refused '[worker a]\nsise = 1\n' ":2: unknown key 'sise'; [worker a] has cgroup" &&
		refused '[worker a]\n' ':1: [worker a] has no [step]' &&
		refused '[worker a]\ncopies = 65\n' ":2: copies: '65' is not allowed; give" &&
		refused '[worker a]\nafter = b\n' ":2: after: 'b' is not allowed; give" &&
		refused "$one$one" ':5: [worker one] is in line 1 as well' &&
		refused "[cgroup a/../b]\n$one" ':1: [cgroup a/../b] is not allowed' &&
		refused "[cgroup a]\n[cgroup a]\n$one" ':2: [cgroup a] is in line 1 as well' &&
		refused "[cgroup a]\n$one" ":2: [worker one] cgroup: '/' is not allowed" &&
		refused "[cgroup a]\nmax = 1\nmax = 2\n$one" ':3: max: it is in line 2 as well' &&
		refused "${one}[at soon]\n" ":5: at: 'soon' is not allowed; give" &&
		refused "${one}[at 1s]\n" ':5: [at] has not one thing to do; give limits' &&
		refused "${one}[at 1s]\nworker = two\n" ':5: there is no [worker two]' &&
		refused "${one}[at 1s]\ncgroup = a\nmax = 1M\n" ":5: [at] cgroup: 'a' is not allowed; give one of /" &&
		refused "${one}[at 1s]\nmax = 10%%\n" ':5: max: 10% of what?' &&
		refused "${one}[at 1s]\nmax = 1M\n[expect]\none = well\n" ":8: one: 'well' is not allowed; give" &&
		refused "${one}[expect]\none = done of a\n" ":6: one: 'done of a' is not allowed; give" &&
		refused "${one}[expect]\none = oom of a\n" ":6: one: 'a' is not allowed; give" &&
		refused "${one}[expect]\ntwo = oom\n" ':6: there is no [worker two]' &&
		refused "needs = luck\n$one" ":1: needs: 'luck' is not allowed; give" &&
		refused '[worker a]\n[step]\nkind = anon\nuntil = oom\n[worker b]\n[step]\nkind = anon\nsize = 1M\n' \
			':3: step 1 (anon): only a limit would end it' || return
	run run "$tmp/none" && expect 2 && one_literal "cannot open the job $tmp/none: No such file"
}

what_is_missing_is_unsupported() {
	other=v1
	[ -z "$v1" ] || other=v2
	printf 'needs = %s\n[step]\nkind = anon\nsize = 1M\n' $other | job
	run run "$tmp/j" && expect 4 && one_literal "$tmp/j:1: needs: '$other' is not what is here" || return
	[ -n "$v1" ] || return 0
	printf '[cgroup a]\nhigh = 1M\n[worker b]\ncgroup = a\n[step]\nkind = anon\nsize = 1M\n' | job
	run run "$tmp/j" && expect 4 && one_literal "$tmp/j:1: high: cgroup v1 has no such thing"
}

run_test() {
	case $1 in
	runs_*)	runs_as_expected ;;
	*)	"$1" ;;
	esac
}

jobs=${JOBS:-}
for folder in "$(dirname "$0")/jobs" "$(dirname "$0")/../jobs"; do
	[ -n "$jobs" ] || [ ! -d "$folder" ] || jobs=$folder
done
[ -n "$jobs" ] || skip_all "no jobs"

tests="
	wrong_expectations_fail
	expectations_follow_from_steps
	options_count_more
	one_worker_is_as_by_options
	tells_all_as_json
	limits_change_in_time
	limits_that_change_are_put_back
	a_limit_of_another_run_is_left_alone
	steps_wait
	later_times_are_not_done
	stops_on_signals
	gives_up_in_time
	dies_with_its_workers
	tells_a_kill_from_an_oom
	what_is_no_job_is_refused
	what_is_missing_is_unsupported
"
for file in "$jobs"/*.ini; do
	file=${file##*/}
	tests="$tests runs_${file%.ini}"
done
run_anywhere "$tests"
