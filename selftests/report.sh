#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# report.sh [NAME...]: run the host's unit tests (NAME unit) and the selftests in the VM (all
# other names), both as KTAP, and add up. The last line is: N passed, N failed, N skipped
#
# Environment: QUICK=1, without NAMEs: only what is quick; SOAK, minutes: the selftests alone, again and
# again for so long, in an order that SEED repeats; and run.sh's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034 # program.sh uses it
ktap=$here/vm/ktap.awk
. "$here/vm/program.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
totals=$tmp/totals	# lines of: passed failed skipped xfailed
touch "$totals"

selftests=()
if ((!$#)) && [[ ${QUICK:-} ]]; then
	mapfile -t names < <(make -s -C "$here" list QUICK=1)
	set -- unit "${names[@]}"
fi
for name; do
	[[ $name == unit ]] || selftests+=("$name")
done

run_unit() {
	echo "KTAP version 1"
	echo "1..1"
	run_program 1 unit 300 "$totals" make -s -C "$here/../user" unit
}

run_selftests() {
	local mode=(test)

	if [[ ${SOAK:-} ]]; then
		mode=(soak "$SOAK" "${SEED:-$SRANDOM}")
		echo "# make soak MINUTES=$SOAK SEED=${mode[2]} does this again"
	fi
	"$here/vm/run.sh" "${mode[@]}" "${selftests[@]}" | tee "$tmp/vm" || true
	tail -n 1 "$tmp/vm" | awk -f "$here/vm/counts.awk" >>"$totals"
}

# What skips is known of a kernel and a guest of the lists. A path, or a guest of another shape, has
# what it has; but how it mounts cgroups is what a guest of that name is about.
check_skips() {
	local guest=${GUEST:-${CGROUP:-}}

	[[ ${KERNEL:-} != */* && ! ${SMP:-}${NODES:-}${SWAP:-} ]] || return 0
	[[ $guest && $guest != v2 ]] || guest=$("$here/vm/guest.sh" names | head -n 1)
	awk -v kernel="${KERNEL:-$("$here/vm/kernel.sh" names | head -n 1)}" -v guest="$guest" \
		-v only="${CASE:-}" \
		-f "$here/vm/skips.awk" "$here/vm/skips" "$1" >"$tmp/skips"
}

{
	if ((!$#)) && [[ ! ${SOAK:-} ]] || [[ " $* " == *" unit "* ]]; then
		run_unit
	fi
	if ((!$# || ${#selftests[@]})); then
		run_selftests
	fi
} | tee "$tmp/ktap"

# failed_cases: what they have said, from the results
failed_cases() {
	awk '
		/^(not )?ok / || /^# #  RUN / || /^# ok / { said = ""; next }
		/^# not ok / { printf "%s%s\n", said, $0; said = ""; next }
		{ said = said $0 "\n" }' "$tmp/ktap"
}

touch "$tmp/skips"
check_skips "$tmp/ktap"
echo "0 $(wc -l <"$tmp/skips") 0 0" >>"$totals"

echo "#"
echo "# Summary:"
failed_cases | sed 's/^\(# \)\?/# > /'
grep -E '^(not ok |# .* xfailed in |# memstress-vm: (LEAK|SPLAT|no verdict|verdict))' "$tmp/ktap" |
	sed 's/^not/# not/' || true
sed 's/^/# not ok /' "$tmp/skips"

# An expected failure has proved nothing either: in the three numbers it is a skip.
read -r passed failed skipped xfailed < <(awk '
	{ for (i = 1; i <= 4; i++) n[i] += $i }
	END { print n[1] + 0, n[2] + 0, n[3] + 0, n[4] + 0 }' "$totals")
echo "# expected failures among the skipped: $xfailed"
echo "$passed passed, $failed failed, $((skipped + xfailed)) skipped"
((!failed))
