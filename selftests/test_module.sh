#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module is loaded, used a little and unloaded, again and again, and leaves nothing: no device,
# no cache, no thread, no mapping, no memory, and no word of the kernel about it.

rounds=100
use_every=10
half=$((rounds / 2))

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
		usleep 50000
	done
}

# Memory that a leak would show in, in kB: reclaimable slab is sysfs' dentries, and comes and goes
memory_kb() {
	awk '/^(SUnreclaim|KernelStack|Percpu|VmallocUsed):/ { sum += $2 } END { print sum }' \
		/proc/meminfo
}

# What was logged at warning level or worse since the mark
warnings() {
	dmesg -r | awk -v mark="$mark" '
		index($0, mark) { seen = 1; next }
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

# Bit 18 of the taint says that it is no module for production; since 6.0
is_tainted_by_test() {
	[ $(($(cat /proc/sys/kernel/tainted) >> 18 & 1)) -eq 1 ]
}

cd "$(dirname "$0")" || exit
log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "TAP version 13"
echo "1..9"
[ ! -d /sys/module/memstress ] || rmmod memstress
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
result "loses less than a page each time" [ $grown_kb -lt $lost_kb ]
result "no warning in the kernel log" is_quiet

modprobe memstress || exit
result "would have seen it" [ -n "$(leftovers)" ]
if [ "$(uname -r | cut -d . -f 1)" -ge 6 ]; then
	result "taints as a test" is_tainted_by_test
else
	number=$((number + 1))
	echo "ok $number taints as a test # SKIP this kernel has no TAINT_TEST"
fi
[ $failed -eq 0 ]
