# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# run_all NAME...: runs selftests one after the other, in the guest, sourced by init.sh. Names the
# one that leaves something behind, and takes that away, so that the next one is not blamed.
# init.sh's: vm, totals, leak(), cgroups(), wait_until().
#
# shellcheck disable=SC2154

# shellcheck disable=SC2034 # program.sh's
ktap=$vm/ktap.awk
. "$vm/program.sh"

user_processes() {
	# A kernel thread has no executable.
	for exe in /proc/[0-9]*/exe; do
		readlink "$exe" >/dev/null && echo "$exe" | cut -d / -f 3
	done
}

scan_leftovers() {
	for pid in $(user_processes | grep -vxF -f /run/processes); do
		# The list is made by processes, and they are gone by now.
		[ -d "/proc/$pid" ] || continue
		leak "$1: process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		kill -KILL "$pid"
	done
	cgroups | while read -r cgroup; do
		leak "$1: cgroup ${cgroup#/sys/fs/cgroup}"
		# cgroup.kill came with 5.14.
		xargs -r kill -KILL <"$cgroup/cgroup.procs"
		wait_until 2 rmdir "$cgroup" 2>/dev/null
	done
}

# A test that unloads the module may forget to load it again, and without a module the others
# would skip. In the VM that is a failure.
module_is_there() {
	[ -c /dev/memstress ] || modprobe memstress
}

run_all() {
	. /selftests/settings
	cd /selftests || return
	user_processes >/run/processes
	timeout=$((timeout * ${SLOWNESS:-1}))
	number=0

	echo "KTAP version 1"
	echo "1..$#"
	for name; do
		number=$((number + 1))
		# For splats.awk, which tells by it whose splat it is.
		echo "memstress-vm: test $name" >/dev/kmsg
		if [ ! -x "$name" ]; then
			echo "not ok $number selftests: memstress: $name # no such test"
			echo 0 1 0 0 >>"$totals"
		elif ! module_is_there; then
			echo "not ok $number selftests: memstress: $name # no module"
			echo 0 1 0 0 >>"$totals"
		else
			run_program "$number" "$name" "$timeout" "$totals" "./$name"
		fi
		scan_leftovers "$name"
	done
	echo "memstress-vm: end of tests" >/dev/kmsg
}
