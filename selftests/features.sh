#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# features.sh: ask every kernel of the list what can be done on it, and write the answers into the
# table of README.md. test_features then checks them.
set -euo pipefail
cd "$(dirname "$0")/.."

table=$(mktemp)
trap 'rm -f "$table" "$table.md"' EXIT

for kernel in $(selftests/vm/kernel.sh names); do
	make -s test KERNEL="$kernel" TESTS=test_features </dev/null |
		sed -n "s/^# # \(| $kernel |.*\)/\1/p" >>"$table" || true
	grep -q "^| $kernel |" "$table" || { echo "features.sh: $kernel has no answer" >&2; exit 1; }
done

# After the two lines of the head there are rows, as many as there were kernels.
awk -v table="$table" '
	/^\| kernel \|/	{ print; getline; print; while ((getline row <table) > 0) print row; rows = 1; next }
	rows && /^\|/	{ next }
	{ rows = 0; print }' README.md >"$table.md"
cat "$table.md" >README.md
