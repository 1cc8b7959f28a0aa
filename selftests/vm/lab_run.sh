#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lab_run.sh PROGRAM...: what memstress-vm.service does (see lab.sh): runs tests, has their KTAP judged,
# looks at the kernel log, gives the verdict, switches off.
set -uo pipefail
vm=$(dirname "$0")
# shellcheck disable=SC2034 # program.sh's
ktap=$vm/ktap.awk
. "$vm/program.sh"
. "$vm/verdict.sh"
number=0

# mawk keeps its input until it has much of it, and a guest may die before that.
awk() {
	command awk -W interactive "$@"
}

exec >/dev/ttyS1 2>&1 </dev/null
stty -F /dev/ttyS1 raw -echo
dmesg -n 5
say "up $(cut -d ' ' -f 1 /proc/uptime)"
for program; do
	name=$(basename "$program" .sh)
	number=$((number + 1))
	echo "memstress-vm: test $name" >/dev/kmsg
	run_program "$number" "$name" 1500 "$totals" "$program"
done
scan_log
verdict
# Setting a tty's parameters waits for its output.
stty -F /dev/ttyS1 raw -echo
# systemctl would have a word to say after the verdict.
systemctl poweroff --force --force >/dev/null 2>&1
