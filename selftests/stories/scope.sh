#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where systemd runs it is asked for scopes: by root over the bus or without one, and by a user of his
# own manager.
. "$(dirname "$0")/story.sh"

# scope_of LINE: the scope that a line says it was in
scope_of() {
	sed -n 's|.*/\([^/]*\.scope\)/job$|\1|p' <<<"$1" | head -n 1
}

# in_scope_of SLICE: what has said its cgroup was in a scope below it, which is gone by now
in_scope_of() {
	local scope

	scope=$(scope_of "$(grep -e ':memory:' -e '^0::' "$tmp/out")")
	expect 0 && said "$1/$scope/job\$" && [[ $scope ]] || return
	is "$(systemctl list-units --all --plain --no-legend "$scope")" ""
}

# as_anna LINE: as who has logged in types it
as_anna() {
	types "systemd-run --quiet --wait --collect --pipe -p User=anna -p PAMName=login sh -c '$1'"
}

root_gets_a_scope() {
	types "memstress exec --max 10M -- cat /proc/self/cgroup"
	in_scope_of /system.slice
}

it_can_be_named() {
	types "memstress exec --max 10M --cgroup bigger -- cat /proc/self/cgroup"
	in_scope_of /system.slice && said '/bigger\.scope/job$'
}

# There are two ways to systemd, and one of them needs no other daemon.
no_bus_is_needed() {
	types "unshare --mount sh -c 'mount -t tmpfs none /run/dbus; memstress exec --max 10M -- cat /proc/self/cgroup'"
	in_scope_of /system.slice
}

its_limit_holds() {
	types "memstress exec --max 20M --swap-max 0 -- eat 30"
	expect 137 && said 'eat was killed by the OOM killer' && said 'max 20M'
}

# As with systemd-run --scope, and then the limits of the unit do not count.
it_is_not_in_the_callers_unit() {
	types "systemd-run --quiet --wait --collect --pipe -p MemoryMax=20M -p MemorySwapMax=0 memstress exec --max 60M -- eat 30"
	expect 0 && said 'ate 30 MiB'
}

user_is_made() {
	types "useradd --create-home anna"
	expect 0
}

user_needs_no_privilege() {
	as_anna "memstress exec --max 10M -- cat /proc/self/cgroup"
	in_scope_of "/user-$(id -u anna).slice/user@$(id -u anna).service/app.slice"
}

users_limit_holds() {
	as_anna "memstress exec --max 20M --swap-max 0 -- eat 30"
	expect 137 && said 'eat was killed by the OOM killer' && said 'max 20M'
}

# On v1 only root can limit memory.
user_is_told_why_not() {
	as_anna "memstress exec --max 10M -- true"
	expect 4 && said "users' managers have no memory controller"
}

user_without_a_manager_is_told() {
	types "setpriv --reuid anna --regid anna --clear-groups env -u XDG_RUNTIME_DIR memstress exec --max 10M -- true"
	expect 4 && said 'no place for a cgroup below .*(no scope of systemd: .*); be root, or' || return
	is_v1 || said 'XDG_RUNTIME_DIR is not set'
}

user_is_forgotten() {
	types "loginctl terminate-user anna; while pgrep -u anna >/dev/null; do sleep 0.2; done; userdel --remove anna 2>/dev/null"
	expect 0
}

users="user_needs_no_privilege users_limit_holds"
! is_v1 || users=user_is_told_why_not
# shellcheck disable=SC2086 # several
run_cases systemd_is_well root_gets_a_scope it_can_be_named no_bus_is_needed its_limit_holds \
	it_is_not_in_the_callers_unit user_is_made $users user_without_a_manager_is_told \
	user_is_forgotten
