#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A unit of systemd that may use 200M, whose limit is lowered for a time. systemd may write its own to
# the cgroup at any time, and the two have to agree in the end.
. "$(dirname "$0")/story.sh"

unit=eater.service
subject=unit:eater
path=
max=memory.max
! is_v1 || max=memory.limit_in_bytes

# agrees MIB: the kernel and systemd, also when that has begun anew
agrees() {
	types "cat $path/$max; systemctl show -p MemoryMax --value $unit"
	is "$(xargs <"$tmp/out")" "$(mib "$1") $(mib "$1")" || return
	types "systemctl daemon-reload; cat $path/$max; systemctl show -p MemoryMax --value $unit"
	expect 0 && is "$(xargs <"$tmp/out")" "$(mib "$1") $(mib "$1")"
}

# is_lowered_to MIB: waits for it
is_lowered_to() {
	local tries=600

	until [[ $(cat "$path/$max") == "$(mib "$1")" ]]; do
		((tries--)) || complain "the limit has not become $1M: $(cat "$path/$max")" || return
		sleep 0.1
	done
}

# With swap, nobody needs to be killed. What is swapped out stays there, so each squeeze goes lower.
unit_is_made() {
	swap_on 1G || return
	types "systemd-run --unit=$unit -p MemoryMax=200M eat 60 stay"
	expect 0 || return
	path=$(path_of $subject)
	until journalctl -u $unit | grep -q 'ate 60 MiB'; do
		sleep 0.2
	done
	types "memstress stat $subject"
	expect 0 && is "$(stat_of $subject max_bytes)" "$(mib 200)"
}

squeeze_puts_it_back() {
	types "memstress squeeze $subject --step 5M --every 200ms --floor 50M"
	expect 0 && said "^floor: 50M is reached, and nobody was killed; $max is 200M again" &&
		said "^systemd agrees: MemoryMax of $unit is 200M" && agrees 200
}

# systemd 247 and 252 write their own limit then, and that is told; 257 does not.
reload_meanwhile_is_fine() {
	stays "memstress squeeze $subject --to 45M --every 30s"
	is_lowered_to 45 || return
	types "systemctl daemon-reload; cat $path/$max"
	ended
	if (($(systemctl --version | awk 'NR == 1 { print $2 }') < 257)); then
		said 'the limit is 200M now, as somebody else has written$' || return
	else
		said "^floor: 45M is reached, and nobody was killed; $max is 200M again" || return
	fi
	expect 0 && agrees 200
}

# A later step writes over what systemd has written.
another_limit_meanwhile_counts() {
	stays "memstress squeeze $subject --step 2M --every 2s --floor 37M"
	sleep 3
	types "systemctl set-property --runtime $unit MemoryMax=192M"
	expect 0 || return
	ended
	expect 0 && said "$max is 192M, as somebody else has written, and stays so" && agrees 192
}

sigkill_puts_it_back() {
	stays "memstress squeeze $subject --to 32M --every 1h"
	is_lowered_to 32 || return
	types "kill -KILL $stay_pid"
	ended
	is "$status" 137 && is_lowered_to 192 && agrees 192
}

what_is_kept_systemd_knows() {
	types "memstress squeeze $subject --to 28M --keep"
	expect 0 && said "^systemd agrees: MemoryMax of $unit is 28M" && agrees 28
}

# The file alone is written, and that is said.
without_a_bus_it_goes_back_too() {
	types "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere memstress squeeze $path --to 24M"
	expect 0 && said "$max is 28M again" &&
		said "^systemd cannot be asked what it has for $unit: " && agrees 28
}

nothing_is_left() {
	types "systemctl revert $unit; systemctl stop $unit"
	[[ ! -e $path ]] || complain "$path is still there" || return
	is "$(find /run/systemd/transient /run/systemd/system.control -name "$unit*" 2>/dev/null)" "" &&
		swap_off
}

run_cases systemd_is_well unit_is_made squeeze_puts_it_back reload_meanwhile_is_fine \
	another_limit_meanwhile_counts sigkill_puts_it_back what_is_kept_systemd_knows \
	without_a_bus_it_goes_back_too nothing_is_left
