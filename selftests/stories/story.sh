# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# For stories, which source this: scripts that do as a user does, show what is typed and what it says,
# and claim something of it, a case each (see vm/cases.sh). They run as root in a lab machine, where
# the tree is installed: make lab-test, or in make lab by their path.
set -uo pipefail
stories=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$stories/../vm/cases.sh"

# quote: what comes in, as comments of KTAP
quote() {
	sed 's/^/# /'
}

# types LINE: a line for the shell, which is shown, and what it says; sets $status
types() {
	echo "\$ $1" | quote
	run bash -c "$1"
	quote <"$tmp/out"
	((!status)) || echo "# (exit code $status)"
}

# stays LINE: the same for one that does not end by itself once it has said something, or else ends
# soon. Sets $line, what it has said first; ended() has the rest
stays() {
	echo "\$ $1 &" | quote
	exec {stay}< <(exec bash -c "exec $1" 2>&1)
	stay_pid=$!
	line=
	IFS= read -r -t 120 -u "$stay" line
	[[ ! $line ]] || echo "$line" | quote
}

# ended: waits for what stays() began, and has the rest of what it says; sets $status
ended() {
	status=0
	wait "${stay_pid:?nothing has begun}" || status=$?
	cat <&"$stay" >"$tmp/out"
	quote <"$tmp/out"
	exec {stay}<&-
	((!status)) || echo "# (exit code $status)"
}

# is TEXT EXPECTED
is() {
	[[ $1 == "$2" ]] || complain "'$1', expected '$2'"
}

# between LEAST NUMBER MOST
between() {
	(($1 <= $2 && $2 <= $3)) || complain "$2, expected $1 to $3"
}

# stat_of CGROUP KEY: a number that memstress stat has of it
stat_of() {
	memstress stat --json --digest "$1" | grep -o "\"$2\":[0-9]*" | head -n 1 | cut -d : -f 2
}

# is_v1: the version of cgroups that this machine has booted with, for memory
is_v1() {
	[[ -e /sys/fs/cgroup/memory ]]
}

# path_of CGROUP: its directory
path_of() {
	memstress stat --json "$1" | grep -o '"path":"[^"]*' | cut -d '"' -f 4
}

mib() {
	echo $(($1 << 20))
}

# stat_lag: bytes that a line of memory.stat may lack of what is charged: up to 64 pages for each CPU
# (MEMCG_CHARGE_BATCH), which readers do not ask for
stat_lag() {
	echo $(($(nproc) * 64 * $(getconf PAGESIZE)))
}

# swap_on SIZE: on memory, compressed. There is none before
swap_on() {
	types "modprobe zram && echo $1 >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0"
	expect 0
}

# Whoever closes it makes udev look at it, and it is busy then.
swap_off() {
	types "swapoff /dev/zram0 && timeout 20 sh -c 'until echo 1 >/sys/block/zram0/reset; do sleep 0.1; done' 2>/dev/null"
	expect 0
}

systemd_is_well() {
	types "systemctl is-system-running --wait"
	expect 0 || complain "$(systemctl --failed --plain)"
}
