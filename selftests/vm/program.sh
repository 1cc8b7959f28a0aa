# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# run_program NUMBER NAME LIMIT TOTALS COMMAND...: runs one test program and has ktap.awk judge
# it. Sourced in the guest and on the host, which is why it is POSIX sh. The sourcing script sets
# ktap, the path of ktap.awk.
#
# Environment: STOP, not empty: the program ends with its first failure
#
# shellcheck disable=SC2154

uptime_seconds() {
	cut -d ' ' -f 1 /proc/uptime
}

run_program() {
	_number=$1 _name=$2 _limit=$3 _totals=$4
	shift 4
	echo "# selftests: memstress: $_name"
	{
		_start=$(uptime_seconds)
		# A session of its own, so that what it sends to its group stays in the family. By
		# its path, or busybox runs its own timeout, which spares the program's children.
		_status=0
		setsid /usr/bin/timeout -k 5 "$_limit" "$@" </dev/null 2>&1 || _status=$?
		# The newline ends whatever line the program was in when it died.
		printf '\n\001%d %s %d\n' "$_status" \
			"$(echo "$(uptime_seconds) $_start" | awk '{ print $1 - $2 }')" "$_limit"
	} 2>/dev/null | awk -v name="$_name" -v number="$_number" -v totals="$_totals" -v stop="${STOP:-}" \
		-f "$ktap"
}
