#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 70% of a limit are filled: by a user without privilege of a limit within the one that root has set,
# and by the module in a container that was given the device; and what free says there.
engine=docker
. "$(dirname "$0")/engine.sh"

cgroup=/anna-fill

group_is_delegated() {
	types "useradd --create-home anna && memstress delegate anna --max 200M $cgroup"
	expect 0 && is "$(stat_of $cgroup max_bytes)" "$(mib 200)"
}

# anna_fills LIMIT: in a cgroup of hers with this limit, and stays. Sets $line, the first of it
anna_fills() {
	local fill="memstress fill 70%"

	if is_v1; then
		stays "runuser anna -c 'exec memstress exec --cgroup $cgroup/job --max $1 -- $fill'"
	else
		stays "memstress exec --in $cgroup/inside -- runuser anna -c 'exec memstress exec --max $1 -- $fill'"
	fi
}

# is_filled CGROUP MIB: within 1%, and for some time
is_filled() {
	local tries=60 near=$(($(mib "$2") / 100)) bytes looks=0

	until ((looks == 5)); do
		((tries--)) || complain "usage is $bytes" || return
		sleep 1
		bytes=$(stat_of "$1" usage_bytes)
		if (($(mib "$2") - near <= bytes && bytes <= $(mib "$2") + near)); then
			looks=$((looks + 1))
		else
			looks=0
		fi
	done
	types "memstress stat $1"
}

# Of her own, which is the tighter one
nested_limit_is_filled() {
	local own

	anna_fills 100M
	own=$(echo "$line" | grep -o "/[^ ]*$cgroup/[^ ]*")
	[[ $line == *"to 70M, 70% of its max 100M"* && $own ]] || complain "$line" || return
	is_filled "$own" 70 || return
	is "$(stat_of "$own" oom_kill)" 0 && is_over
}

# Root's is the tighter one, and what counts is the usage of that
limit_above_is_filled() {
	anna_fills 400M
	[[ $line == *"$cgroup to 140M, 70% of its max 200M"* ]] || complain "$line" || return
	is_filled $cgroup 140 && is "$(stat_of $cgroup oom_kill)" 0 && is_over
}

# filler: the process, by what it is called; its worker came later
filler() {
	ps -e -o pid=,args= | awk '$2 ~ /memstress$/ && $3 == "fill" { print $1; exit }'
}

# is_over: the one who fills is told to end
is_over() {
	types "kill -INT $(filler)"
	ended
	is "$status" 0
}

group_is_removed() {
	types "memstress delegate --remove $cgroup && userdel --remove anna"
	expect 0
}

# free_of COLUMN: in the container
free_of() {
	"$engine" exec eater busybox free -b | awk -v column="$1" '$1 == "Mem:" { print $column }'
}

# With the tool and its libraries from outside
container_has_the_device() {
	begin --memory 200m --memory-swap 200m --device /dev/memstress -v /usr:/usr:ro -v /lib:/lib:ro \
		-v /lib64:/lib64:ro || return
	types "$engine exec eater memstress kinds"
	expect 0 && said '^ *page ' && ! grep -q '^ *page .* no: ' "$tmp/out"
}

# free tells of the machine, whose limit is no container's.
container_fills_its_limit() {
	local before used

	before=$(free_of 3)
	stays "$engine exec eater memstress fill --kind page 70%"
	[[ $line == *"to 140M, 70% of its max 200M"* ]] || complain "$line" || return
	is_filled "$subject" 140 || return
	types "$engine exec eater busybox free -b"
	is "$(free_of 2)" $(($(awk '/^MemTotal:/ { print $2 }' /proc/meminfo) * 1024)) || return
	used=$(($(free_of 3) - before))
	echo "# used by $((used >> 20)) MiB more, filled by 140"
	between "$(mib 110)" "$used" "$(mib 170)" || return
	types "memstress sessions"
	is_over && end
}

# The cgroup namespace of the container, where there is one, is all that can be seen.
container_says_where_its_view_ends() {
	begin --memory 200m --memory-swap 200m -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro || return
	types "$engine exec eater memstress fill 70% --hold 2s"
	expect 0 && said 'to 140M, 70% of its max 200M' && said '^view  *ends at' && end
}

run_cases systemd_is_well group_is_delegated nested_limit_is_filled limit_above_is_filled \
	group_is_removed image_is_imported container_has_the_device container_fills_its_limit \
	container_says_where_its_view_ends nothing_is_left
