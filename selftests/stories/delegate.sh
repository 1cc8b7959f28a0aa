#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A cgroup of 10M is given to a user without privilege, who eats 100 MiB outside of it and in it.
. "$(dirname "$0")/story.sh"

cgroup=/anna-job

user_is_made() {
	types "useradd --create-home anna"
	expect 0
}

cgroup_is_delegated() {
	types "memstress delegate anna --max 10M $cgroup"
	expect 0 || return
	path=$(path_of $cgroup)
	types "memstress stat $cgroup"
	expect 0 && is "$(stat_of $cgroup max_bytes)" "$(mib 10)"
}

# owner FILE
owner() {
	stat -c %U "$path/$1"
}

# On v1 tasks are what there were before threads had a file of their own.
anna_owns_its_processes() {
	local file limit

	types "ls -l $path | grep -e anna -e memory.max -e memory.limit"
	for file in cgroup.procs cgroup.threads tasks; do
		[[ ! -e $path/$file ]] || is "$(owner $file)" anna || return
	done
	is "$(owner .)" anna || return
	for limit in memory.max memory.limit_in_bytes; do
		[[ ! -e $path/$limit ]] || is "$(owner $limit)" root || return
	done
}

anna_may_not_raise_the_limit() {
	local file=memory.max

	! is_v1 || file=memory.limit_in_bytes
	types "runuser anna -c 'echo 1G >$path/$file'"
	((status)) && said 'Permission denied'
}

outside_100m_are_fine() {
	types "runuser anna -c 'eat 100'"
	expect 0 && said 'ate 100 MiB'
}

# inside LINE: anna types this in there. On v2 root has to bring her in
inside() {
	if is_v1; then
		types "runuser anna -c 'memstress exec --in $cgroup -- $1'"
	else
		types "memstress exec --in $cgroup/inside -- runuser anna -c '$1'"
	fi
}

inside_100m_are_killed_for() {
	inside "eat 100"
	expect 137 && said 'OOM killer' || return
	types "memstress stat $cgroup"
	said 'kill 1'
}

inside_5m_are_fine() {
	inside "eat 5"
	expect 0 && said 'ate 5 MiB'
}

# In there she needs nobody.
anna_limits_her_own() {
	if is_v1; then
		types "runuser anna -c 'memstress exec --cgroup $cgroup/job --max 5M -- eat 7'"
	else
		inside "memstress exec --max 50% -- eat 7"
	fi
	expect 137 && said 'eat was killed by the OOM killer for the limit of its cgroup.*max 5M'
}

without_a_limit_it_is_max() {
	types "memstress delegate anna ${cgroup}s"
	expect 0 || return
	types "memstress stat ${cgroup}s"
	said ' max  *-' || return
	types "memstress delegate --remove ${cgroup}s"
	expect 0
}

nothing_is_left() {
	types "memstress delegate --remove $cgroup"
	expect 0 && is "$(find /sys/fs/cgroup -name 'anna*')" "" || return
	types "userdel --remove anna"
	expect 0
}

run_cases systemd_is_well user_is_made cgroup_is_delegated anna_owns_its_processes \
	anna_may_not_raise_the_limit outside_100m_are_fine inside_100m_are_killed_for inside_5m_are_fine \
	anna_limits_her_own without_a_limit_it_is_max nothing_is_left
