# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# run_cases NAME...: runs the functions of these names as tests and tells about them in KTAP. For
# scripts that source this, with a folder tmp for the time of it all. complain says what went wrong,
# in the middle of a test; one that found the fault it expected of others names that in xfail.

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

complain() {
	echo "# $*"
	return 1
}

# run COMMAND...: sets $status
run() {
	status=0
	"$@" >"$tmp/out" 2>&1 </dev/null || status=$?
}

# expect STATUS: of what was run last
expect() {
	((status == $1)) && return
	sed 's/^/# /' "$tmp/out"
	complain "exit code $status, expected $1"
}

# said PATTERN
said() {
	grep -q -e "$1" "$tmp/out" && return
	sed 's/^/# /' "$tmp/out"
	complain "did not say: $1"
}

run_cases() {
	local name number=0 failed=0

	echo "KTAP version 1"
	echo "1..$#"
	for name; do
		number=$((number + 1))
		xfail=
		if "$name"; then
			echo "ok $number $name${xfail:+ # XFAIL $xfail}"
		else
			failed=$((failed + 1))
			echo "not ok $number $name"
		fi
	done
	((!failed))
}
