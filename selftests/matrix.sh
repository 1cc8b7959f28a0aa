#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# matrix.sh [NAME...]: make test, with these tests, for every kernel of the list in each of its
# guests, one after the other, and a table of the results. Without NAMEs it is all tests or what is
# quick, as the list says. With QUICK=1 only what is quick, in the guests that are marked for that,
# and not what make test does by itself: the first kernel in its first guest. The last line is:
# N passed, N failed, N skipped
set -euo pipefail
cd "$(dirname "$0")/.."

logs=build/matrix
mkdir -p "$logs"
rows=$logs/rows	# kernel, guest, passed, failed, skipped, xfailed, minutes
: >"$rows"

# pairs: KERNEL GUEST QUICK (1 or nothing), a line each
pairs() {
	local kernels kernel guests guest quick

	kernels=$(selftests/vm/kernel.sh names)
	for kernel in $kernels; do
		guests=$(selftests/vm/kernel.sh guests "$kernel")
		for guest in $guests; do
			[[ ! ${QUICK:-} || $guest == *+* ]] || continue
			quick=1
			[[ ${QUICK:-} || $guest != *!* ]] || quick=
			echo "$kernel ${guest%%[!a-z0-9]*} $quick"
		done
	done
}

list=$(pairs)
if [[ ${QUICK:-} ]]; then
	default="$(selftests/vm/kernel.sh names | sed -n 1p) $(selftests/vm/guest.sh names | sed -n 1p) "
	list=$(grep -v "^$default" <<<"$list")
fi
mapfile -t pairs <<<"$list"

# All downloads and builds come first: none of them shall disturb a test.
for kernel in $(printf '%s\n' "${pairs[@]}" | cut -d ' ' -f 1 | uniq); do
	make -s kernel KERNEL="$kernel"
done

for pair in "${pairs[@]}"; do
	read -r kernel guest quick <<<"$pair"
	pair="$kernel $guest"
	log=$logs/${kernel//:/-}-$guest.log
	echo "# $kernel $guest: $log" >&2
	SECONDS=0
	make -s test KERNEL="$kernel" GUEST="$guest" QUICK="$quick" TESTS="$*" </dev/null >"$log" 2>"$log.err" || true
	# Without its last line it has failed, whatever it ended with.
	awk -v pair="$pair" -v seconds=$SECONDS '
		{ last = $0 }
		/^# expected failures among the skipped: / { xfailed = $NF }
		END {
			if (last !~ /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/)
				last = "0 passed, 1 failed, 0 skipped"
			split(last, n)
			print pair, n[1], n[3], n[5] - xfailed, xfailed + 0, seconds / 60
		}' "$log" >>"$rows"
	sed -n '/^# Summary:/,/^# expected failures/p' "$log" | grep -E '^# (>|not ok) ' |
		sed "s/^# /# $pair: /" || true
	sed -n 's/^# ok .*# \(SKIP\|XFAIL\) /\1 /p' "$log" | sort | uniq -c | sed "s/^ */# $pair: /"
done

awk '
	BEGIN {
		row = "%-12s %-8s %7s %7s %8s %6s %8s\n"
		printf row, "kernel", "guest", "passed", "failed", "skipped", "xfail", "minutes"
	}
	{
		printf row, $1, $2, $3, $4, $5, $6, sprintf("%.1f", $7)
		for (i = 3; i <= 6; i++)
			sum[i] += $i
	}
	END {
		printf "%d passed, %d failed, %d skipped\n", sum[3], sum[4], sum[5] + sum[6]
		exit sum[4] > 0
	}' "$rows"
