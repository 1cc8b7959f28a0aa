# SPDX-License-Identifier: GPL-2.0
#
# Reads the last line of a guest and prints what it counted: passed failed skipped xfailed. A splat
# or a leak is a failure besides; and so is a line that is no verdict, of which nothing is proved.

/^(# )?memstress-vm: verdict / {
	sub(/^# /, "")
	for (i = 4; i <= NF; i++) {
		split($i, pair, "=")
		n[pair[1]] = pair[2]
	}
	good = $3 == "PASS"
	found = 1
}

END {
	failed = n["failed"] + n["splats"] + n["leaks"]
	if (!found || (!good && !failed))
		failed++
	print n["passed"] + 0, failed, n["skipped"] + 0, n["xfailed"] + 0
}
