#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# matrix.sh [NAME...]: make test, with these tests, for every kernel of the list, one after the
# other, and a table of the results. The last line is: N passed, N failed, N skipped
set -euo pipefail
cd "$(dirname "$0")/.."

logs=build/matrix
mkdir -p "$logs"
rows=$logs/rows	# kernel, passed, failed, skipped, xfailed, minutes
: >"$rows"

mapfile -t kernels < <(selftests/vm/kernel.sh names)

# All downloads come first: none of them shall disturb a test.
for kernel in "${kernels[@]}"; do
	make -s kernel KERNEL="$kernel"
done

for kernel in "${kernels[@]}"; do
	log=$logs/${kernel//:/-}.log
	echo "# $kernel: $log" >&2
	SECONDS=0
	make -s test KERNEL="$kernel" TESTS="$*" </dev/null >"$log" 2>&1 || true
	# Without its last line it has failed, whatever it ended with.
	awk -v kernel="$kernel" -v seconds=$SECONDS '
		{ last = $0 }
		/^# expected failures among the skipped: / { xfailed = $NF }
		END {
			if (last !~ /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/)
				last = "0 passed, 1 failed, 0 skipped"
			split(last, n)
			print kernel, n[1], n[3], n[5] - xfailed, xfailed + 0, seconds / 60
		}' "$log" >>"$rows"
	grep '^# not ok ' "$log" | sed "s/^# /# $kernel: /" || true
done

awk '
	BEGIN {
		row = "%-12s %7s %7s %8s %6s %8s\n"
		printf row, "kernel", "passed", "failed", "skipped", "xfail", "minutes"
	}
	{
		printf row, $1, $2, $3, $4, $5, sprintf("%.1f", $6)
		for (i = 2; i <= 5; i++)
			sum[i] += $i
	}
	END {
		printf "%d passed, %d failed, %d skipped\n", sum[2], sum[3], sum[4] + sum[5]
		exit sum[3] > 0
	}' "$rows"
