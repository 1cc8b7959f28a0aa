#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh test [NAME...]: run selftests (all of them unless named) in a VM; KTAP on stdout
# run.sh soak MINUTES SEED [NAME...]: run them again and again, in another order each time
# run.sh run COMMAND...: run a command in a VM; its output on stdout
# run.sh shell: be root in a VM
#
# Environment: KERNEL (see kernel.sh), GUEST (see guest.sh), LIMIT (seconds for the whole
# run, instead of half an hour, or more on a kernel that is slow), CASE (of one test program, the
# only one to run), SEED (of tests that choose at random), DEPTH (of who pays below its parent, 1 to 10,
# where a test has a choice), STOP=1 (at the first failure), SELFTESTS (see initramfs.sh).
#
# Success is one thing only: the last line that the guest wrote is its verdict, and it says PASS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/apt.sh"

kernel=${KERNEL:-$("$here/kernel.sh" names | head -n 1)}
mode=${1:?test, soak, run or shell}

slowness=$("$here/kernel.sh" slowness "$kernel")
boot_limit=$((90 * slowness))
limit=${LIMIT:-$((1800 * slowness))}
vmlinuz=$("$here/kernel.sh" vmlinuz "$kernel")
release=$("$here/kernel.sh" release "$kernel")
machine=$("$here/guest.sh" machine)
words=$("$here/guest.sh" words)
read -ra machine <<<"$machine"
out=$top/build/vm/$release/$mode${GUEST:+-$GUEST}
mkdir -p "$out"
results=$out/results.log
console=$out/console.log

# Two runs would overwrite each other's logs, and disturb each other's clocks.
exec {lock}>"$out/lock"
flock -n "$lock" || { say "waiting for another run"; flock "$lock"; }

[[ ${DEPTH:-1} =~ ^([1-9]|10)$ ]] || die "DEPTH=$DEPTH: a number of levels, 1 to 10"

# at_depths NAME...: the same, and those that have a choice of depths (depth.c) once for each of them
at_depths() {
	local name

	for name; do
		if [[ ${DEPTH:-} ]] || ! grep -qx "$name" <<<"$deep"; then
			echo "$name"
		else
			printf '%s\n' "$name"@{1,3,10}
		fi
	done
}

case $mode in
test)
	shift
	(($#)) || mapfile -t names < <(make -s -C "$top/selftests" list)
	set -- test "$@" "${names[@]}"
	;;
soak)
	seconds=$((${2:?} * 60)) seed=${3:?}
	shift 3
	(($#)) || mapfile -t names < <(make -s -C "$top/selftests" list)
	deep=$(make -s -C "$top/selftests" list DEPTHS=1)
	mapfile -t names < <(at_depths "$@" "${names[@]}")
	set -- soak "$seconds" "$seed" "${names[@]}"
	limit=$((limit + seconds))
	;;
run)
	shift
	# The guest writes to a terminal whatever happens to its words here.
	[[ -t 1 ]] || set -- env NO_COLOR=1 "$@"
	set -- run "$@"
	;;
shell)
	set -- shell "${TERM:-dumb}"
	;;
esac
"$here/initramfs.sh" "$kernel" "$out/initramfs.cpio" "$@"

# no_timer_check: the check can hang under emulation on a loaded host.
cmdline="console=ttyS0 no_timer_check panic=-1 oops=panic log_buf_len=16M printk.devkmsg=on"
# The kernel hands what it does not know itself to init, as its environment.
cmdline+=" SLOWNESS=$slowness${words:+ $words}"
cmdline+="${CASE:+ CASE=$CASE}${SEED:+ SEED=$SEED}${DEPTH:+ DEPTH=$DEPTH}${STOP:+ STOP=$STOP}"
[[ $mode != soak ]] || cmdline+=" SOAK=1"
# What makes this guest again, for tests that fail.
again="make test KERNEL=$kernel"
for word in GUEST MEM SMP NODES SWAP CGROUP; do
	again+=${!word:+ $word=${!word}}
done
cmdline+=" AGAIN=\"$again\""
# Of the list; a path could be anything.
[[ $kernel == */* ]] || cmdline+=" KERNEL=$kernel"
qemu=(
	qemu-system-x86_64 -no-user-config -nodefaults -display none -nic none -no-reboot
	"${machine[@]}"
	-kernel "$vmlinuz" -initrd "$out/initramfs.cpio" -append "$cmdline"
)

if [[ $mode == shell ]]; then
	read -ra accel < <("$here/accel.sh")
	exec "${qemu[@]}" "${accel[@]}" -serial mon:stdio -serial null
fi

show() {
	case $mode,$1 in
	test,memstress-vm:* | soak,memstress-vm:*)
				echo "# $1" ;;
	run,memstress-vm:*)	;;
	*)			echo "$1" ;;
	esac
}

qemu_pid=
trap '[[ -z $qemu_pid ]] || kill "$qemu_pid"' EXIT

# boot ACCEL...: false if the guest never gets to userspace
boot() {
	local fd line

	: >"$console"
	: >"$results"
	exec {fd}< <(exec timeout --foreground -k 5 "$limit" "${qemu[@]}" "$@" \
		-serial "file:$console" -serial stdio </dev/null 2>"$out/qemu.log")
	qemu_pid=$!
	if ! IFS= read -r -t "$boot_limit" -u "$fd" line; then
		kill "$qemu_pid" 2>/dev/null || true
		qemu_pid=
		return 1
	fi
	while
		echo "$line" >>"$results"
		show "$line"
		IFS= read -r -u "$fd" line
	do :; done
	qemu_pid=
}

read -ra accel < <("$here/accel.sh")
if ! boot "${accel[@]}"; then
	# A guest can hang before userspace: under KVM for good, under emulation once in a while.
	say "the guest did not get to userspace; trying once more"
	read -ra accel < <("$here/accel.sh" tcg)
	boot "${accel[@]}" || say "the guest did not get to userspace again"
fi

last=$(tail -n 1 "$results")
[[ $mode == run ]] || say "logs of this run: $out"
case $last in
"memstress-vm: verdict PASS "*)
	exit 0
	;;
"memstress-vm: verdict "*)
	[[ $mode == test ]] || grep '^memstress-vm: ' "$results" >&2
	;;
*)
	where=$(sed -n 's/.*memstress-vm: test //p' "$console" | tail -n 1)
	show "memstress-vm: no verdict: the guest crashed or ran out of time${where:+ in $where}"
	say "no verdict; the last words of the guest:"
	tail -n 60 "$console" >&2
	cat "$out/qemu.log" >&2
	;;
esac
[[ $mode == test ]] || say "logs of this run: $out"
exit 1
