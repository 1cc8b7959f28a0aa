# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What a guest says at its end, and what it is made of. Sourced by what runs the tests in the guest,
# which sets vm, the folder of this file.
#
# shellcheck disable=SC2154

totals=/run/totals	# a line for each program: passed failed skipped xfailed
leaks=/run/leaks	# a line for each thing that was left behind

say() {
	echo "memstress-vm: $*"
}

leak() {
	echo "$*" >>"$leaks"
	say "LEAK: $*"
}

scan_log() {
	dmesg >/run/dmesg
	awk -f "$vm/splats.awk" /run/dmesg >/run/splats
	sed 's/^/memstress-vm: SPLAT: /' /run/splats
	# The console shows warnings as they come; for reading afterwards it gets everything.
	{
		echo "---- the whole kernel log ----"
		cat /run/dmesg
	} >/dev/ttyS0
}

verdict() {
	touch "$leaks"
	awk -v kernel="$(uname -r)" \
	    -v splats="$(wc -l </run/splats)" -v leaks="$(wc -l <"$leaks")" '
		{ passed += $1; failed += $2; skipped += $3; xfailed += $4 }
		END {
			good = passed && !failed && !splats && !leaks
			printf "memstress-vm: verdict %s kernel=%s", good ? "PASS" : "FAIL", kernel
			printf " passed=%d failed=%d skipped=%d xfailed=%d splats=%d leaks=%d\n",
				passed, failed, skipped, xfailed, splats, leaks
		}' "$totals"
}
