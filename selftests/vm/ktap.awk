# SPDX-License-Identifier: GPL-2.0
#
# Reads the KTAP of one test program, shows it nested ("# " before each line) and judges it.
# What ends the input is a line "\001STATUS SECONDS LIMIT" (exit status, wall time, the time it was
# allowed) and not the end of file: a process that the program left behind may hold the pipe open.
#
# Variables: name; number, of this program in the whole; totals, a file that gets one more line
# "passed failed skipped xfailed"; stop, not empty: nothing is read after the first failure, and the
# program dies of what it says next.
#
# Only the program's own results count (unindented lines), whatever they are nested in or made of.
# A program that fails without saying "not ok" (crash, time out, no plan or fewer results than
# planned) counts as one failure more, so that no way of ending early looks like success.

function count(verdict) {
	results++
	if ($0 ~ /# *(SKIP +)?(XFAIL|TODO)/)
		xfailed++
	else if ($0 ~ /# *SKIP/)
		skipped++
	else if (verdict == "ok")
		passed++
	else
		failed++
}

function conclude(why) {
	printf "%s %d selftests: memstress: %s%s\n", failed ? "not ok" : "ok", number, name, why
	print passed + 0, failed + 0, skipped + 0, xfailed + 0 >>totals
}

function judge(status, seconds, limit,		why) {
	skipped_whole = status == 4 && !passed && !failed
	if (skipped_whole && !skipped)
		skipped++

	if ((status == 124 || status >= 128) && seconds >= limit)
		why = "TIMEOUT " limit " seconds"
	else if (status >= 128)
		why = "killed by signal " status - 128
	else if (status && !skipped_whole && !failed)
		why = "exit=" status
	else if (!plans && !skipped_whole)
		why = "no plan"
	else if (results != planned && !skipped_whole)
		why = "planned " planned ", ran " results
	if (why)
		failed++
	else if (failed)
		why = failed " not ok"

	printf "# %s: %d passed, %d failed, %d skipped, %d xfailed in %.1f s\n",
		name, passed, failed, skipped, xfailed, seconds
	conclude(why ? " # " why : !passed && skipped ? " # SKIP" : "")
}

/^\001/ {
	judge(substr($1, 2) + 0, $2, $3)
	exit
}
/^$/ { next }
/^1\.\.[0-9]+/ { plans++; planned += substr($0, 4) }
/^ok / { count("ok") }
/^not ok / { count("not ok") }
{ print "# " $0; fflush() }
stop && failed {
	conclude(" # STOP=" stop)
	exit
}
