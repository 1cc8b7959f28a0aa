# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# run_all NAME...: runs selftests one after the other, in the guest, sourced by init.sh. Names the
# one that leaves something behind, and takes that away, so that the next one is not blamed.
# soak SECONDS SEED NAME...: the same again and again, each round in another order, until that time is
# over. init.sh's: vm, totals, leak(), cgroups(), wait_until().
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

# STOP=1, and something has failed
is_cut_off() {
	[ "${STOP:-}" ] && awk '$2 { failed = 1 } END { exit !failed }' "$totals"
}

# What was cut off has not failed to take it away.
blame() {
	is_cut_off || leak "$@"
}

scan_leftovers() {
	for pid in $(user_processes | grep -vxF -f /run/processes); do
		# The list is made by processes, and they are gone by now.
		[ -d "/proc/$pid" ] || continue
		blame "$1: process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		kill -KILL "$pid"
	done
	cgroups | while read -r cgroup; do
		blame "$1: cgroup ${cgroup#/sys/fs/cgroup}"
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

# run_next NAME[@DEPTH]
run_next() {
	number=$((number + 1))
	program=${1%@*}
	levels=${1#"$program"}
	levels=${levels#@}
	# For splats.awk, which tells by it whose splat it is.
	echo "memstress-vm: test $1" >/dev/kmsg
	if [ ! -x "$program" ]; then
		echo "not ok $number selftests: memstress: $1 # no such test"
		echo 0 1 0 0 >>"$totals"
	elif ! module_is_there; then
		echo "not ok $number selftests: memstress: $1 # no module"
		echo 0 1 0 0 >>"$totals"
	else
		run_program "$number" "$1" "$timeout" "$totals" env ${levels:+"DEPTH=$levels"} "./$program"
	fi
	scan_leftovers "$1"
}

begin() {
	. /selftests/settings
	cd /selftests || return
	user_processes >/run/processes
	timeout=$((timeout * ${SLOWNESS:-1}))
	number=0
	echo "KTAP version 1"
}

end() {
	echo "memstress-vm: end of tests" >/dev/kmsg
}

run_all() {
	begin || return
	echo "1..$#"
	for name; do
		run_next "$name"
		if is_cut_off; then
			echo "# STOP=$STOP: the rest did not run"
			break
		fi
	done
	end
}

# shuffle SEED NAME...
shuffle() {
	seed=$1
	shift
	printf '%s\n' "$@" | awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand(), $0 }' |
		sort -n | cut -d ' ' -f 2
}

# The plan comes at the end, when it is known. SEED and SOAK are for the tests.
soak() {
	until=$(($(date +%s) + $1))
	SEED=$2
	export SEED
	shift 2
	begin || return
	# SOAK_PATIENCE of soak.h
	timeout=$((timeout * 30))
	while :; do
		echo "# a round of SEED=$SEED"
		for name in $(shuffle "$SEED" "$@"); do
			[ "$(date +%s)" -lt $until ] || break 2
			run_next "$name"
		done
		SEED=$((SEED + 1))
	done
	echo "1..$number"
	end
}
