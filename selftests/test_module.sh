#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module is loaded, used a little and unloaded, again and again, and leaves nothing: no device,
# no cache, no thread, no mapping, no memory, and no word of the kernel about it. Then the same while
# somebody uses it, listens, or is killed for want of memory.

rounds=100
use_every=10
half=$((rounds / 2))
victim_rounds=20

number=0
failed=0

# result NAME COMMAND...: a test is passed if the command succeeds
result() {
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number $name"
	else
		failed=$((failed + 1))
		echo "not ok $number $name"
	fi
}

# skip NAME REASON
skip() {
	number=$((number + 1))
	echo "ok $number $1 # SKIP $2"
}

# Modules' own memory, and what vmalloc() has not yet purged of it
mappings() {
	grep -c module_alloc /proc/vmallocinfo
}

# Prints all that is there because the module is or was
leftovers() {
	for path in /dev/memstress /sys/module/memstress /sys/class/misc/memstress \
		    /sys/devices/virtual/misc/memstress /sys/kernel/slab/memstress*; do
		[ ! -e "$path" ] || echo "$path"
	done
	grep -F memstress /proc/misc /proc/modules /proc/slabinfo /proc/vmallocinfo
	grep -x memstress /proc/[0-9]*/comm 2>/dev/null
	[ "$(mappings)" -le "$mappings_before" ] ||
		echo "module mappings: expected $mappings_before, seen $(mappings)"
}

# Caches and mappings are taken away in the background
is_clean() {
	tries=100
	while [ -n "$(leftovers)" ]; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ]; then
			leftovers | sed "s/^/# round $1: /"
			return 1
		fi
		sleep 0.05
	done
}

# Memory that a leak would show in, in kB: reclaimable slab is sysfs' dentries, and comes and goes
memory_kb() {
	awk '/^(SUnreclaim|KernelStack|Percpu|VmallocUsed):/ { sum += $2 } END { print sum }' \
		/proc/meminfo
}

# What was logged at warning level or worse since the mark, but for what the OOM killer says of those
# whom a test makes it kill, and for late timers, which tell of the host (kmsg.c)
warnings() {
	dmesg -r | awk -v mark="$mark" '
		index($0, mark) { seen = 1; next }
		/ invoked oom-killer: / { oom = 1 }
		/ Killed process / && oom { oom = 0; next }
		oom || /hrtimer: interrupt took|clocksource: / { next }
		seen && match($0, /^<[0-9]+>/) && substr($0, 2, RLENGTH - 2) % 8 <= 4'
}

is_quiet() {
	[ -z "$(warnings)" ] && return
	warnings | sed 's/^/# /'
	return 1
}

# A session in each round; now and then objects too, and once those of all kinds
use() {
	exec 3<>/dev/memstress || return
	exec 3<&-
	if [ "$1" -eq $half ]; then
		./test_session >"$log" 2>&1
	elif [ $(($1 % use_every)) -eq 0 ]; then
		./test_age >"$log" 2>&1
	fi && return
	cat "$log"
	return 1
}

# Prints a key of the first event that a session's opening makes
first_event() {
	memstress events --json --count 1 >"$log" &
	listener=$!
	await_listener $listener
	exec 3<>/dev/memstress
	exec 3<&-
	wait $listener
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$log"
}

# Signals are taken care of when it has joined
await_listener() {
	tries=200
	until find "/proc/$1/fd" -exec readlink {} \; 2>/dev/null | grep -q signalfd; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return
		sleep 0.05
	done
}

stays_while_open() {
	exec 3<>/dev/memstress || return
	! rmmod memstress 2>/dev/null
	stays=$?
	exec 3<&-
	return $stays
}

unloads_under_a_listener() {
	memstress events >"$log" 2>&1 &
	listener=$!
	await_listener $listener && rmmod memstress
	unloaded=$?
	kill $listener && wait $listener && [ $unloaded -eq 0 ] && modprobe memstress
}

# A listener that lives longer than the module finds out
tells_a_reload() {
	before=$(first_event epoch)
	same=$(first_event epoch)
	rmmod memstress && modprobe memstress || return
	after=$(first_event epoch)
	sequence=$(first_event sequence)
	echo "# epoch $before, $same, after a reload $after, sequence $sequence"
	[ "$before" -eq "$same" ] && [ "$before" -ne "$after" ] && [ "$sequence" -le 4 ]
}

kills() {
	cat "$victims/memory.events" "$victims/memory.oom_control" 2>/dev/null |
		sed -n 's/^oom_kill //p'
}

# Somebody takes more than there is, again and again, until the file is gone
make_victims() {
	while [ -e "$log.go" ]; do
		sh -c "echo 0 >$victims/cgroup.procs && exec dd if=/dev/zero of=/dev/null bs=32M count=1" \
			2>/dev/null
	done
}

# The tracepoint of the OOM killer fires while our probe comes and goes
unloads_among_victims() {
	victims=/sys/fs/cgroup/memory/memstress-victims
	[ -d /sys/fs/cgroup/memory ] || victims=/sys/fs/cgroup/memstress-victims
	mkdir $victims || return
	for file in memory.max memory.limit_in_bytes; do
		[ ! -e $victims/$file ] || echo 4M >$victims/$file
	done
	[ ! -e $victims/memory.swap.max ] || echo 0 >$victims/memory.swap.max
	: >"$log.go"
	make_victims &
	maker=$!
	unloaded=0
	killed=$(kills)
	for _ in $(seq $victim_rounds); do
		memstress events >"$log" 2>&1 &
		listener=$!
		await_listener $listener
		seen=$(kills)
		tries=200
		while [ "$(kills)" -eq "$seen" ] && [ $tries -gt 0 ]; do
			tries=$((tries - 1))
			sleep 0.01
		done
		rmmod memstress && unloaded=$((unloaded + 1))
		kill $listener
		wait $listener
		modprobe memstress
	done
	killed=$(($(kills) - killed))
	rm "$log.go"
	wait $maker
	rmdir $victims || { sleep 0.5 && rmdir $victims; }
	echo "# unloaded $unloaded times among $killed kills"
	[ $unloaded -eq $victim_rounds ] && [ $killed -ge $victim_rounds ]
}

# Bit 18 of the taint says that it is no module for production; since 6.0
is_tainted_by_test() {
	[ $(($(cat /proc/sys/kernel/tainted) >> 18 & 1)) -eq 1 ]
}

cd "$(dirname "$0")" || exit
log=$(mktemp)
trap 'rm -f "$log"' EXIT

modprobe memstress 2>/dev/null || {
	echo "1..0 # SKIP no module memstress"
	exit 4
}
echo "TAP version 13"
echo "1..13"
rmmod memstress
mappings_before=$(mappings)
mark="memstress test_module.sh $$"
echo "$mark" >/dev/kmsg

not_loaded=0
not_used=0
not_unloaded=0
not_clean=0
round=1
while [ $round -le $rounds ]; do
	modprobe memstress || not_loaded=$((not_loaded + 1))
	use $round || not_used=$((not_used + 1))
	rmmod memstress || not_unloaded=$((not_unloaded + 1))
	is_clean $round || not_clean=$((not_clean + 1))
	# By now everything has happened once, caches included
	[ $round -ne $half ] || half_kb=$(memory_kb)
	round=$((round + 1))
done
grown_kb=$(($(memory_kb) - half_kb))
lost_kb=$(((rounds - half) * 4))

result "loads $rounds times" [ $not_loaded -eq 0 ]
result "can be used each time" [ $not_used -eq 0 ]
result "unloads each time" [ $not_unloaded -eq 0 ]
result "leaves nothing each time" [ $not_clean -eq 0 ]
result "leaves no symbol" [ -z "$(grep -F '[memstress]' /proc/kallsyms)" ]
echo "# kernel memory after $half rounds $half_kb kB, after $rounds $grown_kb kB more;"
echo "# a page lost each time would be $lost_kb kB"
# Those have records of their own of all that was ever allocated, and kmemleak tells of leaks
if grep -q ' kmemleak_alloc$' /proc/kallsyms; then
	skip "loses less than a page each time" "this kernel keeps records of each allocation"
else
	result "loses less than a page each time" [ $grown_kb -lt $lost_kb ]
fi
modprobe memstress || exit
result "stays while a session is open" stays_while_open
result "unloads under a listener" unloads_under_a_listener
result "tells listeners of a reload" tells_a_reload
result "no warning in the kernel log" is_quiet
# The OOM killer's reports are warnings; what else there is, the VM finds
result "unloads among victims" unloads_among_victims

result "would have seen it" [ -n "$(leftovers)" ]
if [ "$(uname -r | cut -d . -f 1)" -ge 6 ]; then
	result "taints as a test" is_tainted_by_test
else
	skip "taints as a test" "this kernel has no TAINT_TEST"
fi
[ $failed -eq 0 ]
