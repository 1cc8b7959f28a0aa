# SPDX-License-Identifier: GPL-2.0
#
# Reads the list of skips and then the results of a run, and prints what does not agree: skips that
# the list does not have, and lines of the list whose program ran and whose test did not skip.
#
# Variables: kernel, guest; only, the one test that ran, if it was not all of them. Expected failures
# are not skips: fix.c decides about them.

function matches(glob, text) {
	gsub(/[^A-Za-z0-9_ *-]/, "\\\\&", glob)
	gsub(/\*/, ".*", glob)
	return text ~ "^" glob "$"
}

function skipped(test, reason,		i, listed) {
	skips[program]++
	for (i = 1; i <= rows; i++) {
		if (matches(programs[i], program) && matches(tests[i], test)) {
			seen[i] = 1
			listed = 1
		}
	}
	if (!listed)
		print program ": " test " skips: " reason
}

NR == FNR {
	if (/^#/ || !NF || !matches($1, kernel) || !matches($2, guest))
		next
	programs[++rows] = $3
	sub(/^[^\t]+\t+[^\t]+\t+[^\t]+\t+/, "")
	tests[rows] = $0
	next
}

/^# selftests: memstress: /	{ program = $4; ran[program] = 1 }
# Harnesses of older kernels tell a skip without its name.
/^# #  RUN /			{ running = $4 }
/# *(SKIP +)?(XFAIL|TODO)/	{ next }
/^# 1\.\.0 # SKIP/		{ sub(/.*# SKIP */, ""); skipped("-", $0) }
# By its exit status alone.
/^ok [0-9]+ selftests: memstress: .* # SKIP$/ && !skips[program] { skipped("-", "no reason") }
/^# ok .*# *SKIP/ {
	test = reason = $0
	sub(/.*# *SKIP */, "", reason)
	sub(/^# ok [0-9]+ */, "", test)
	sub(/ *# *SKIP.*/, "", test)
	skipped(test ? test : running, reason)
}

END {
	for (i = 1; i <= rows; i++)
		for (program in ran)
			if (!seen[i] && !only && matches(programs[i], program))
				print program ": " tests[i] " is in the list of skips, and does not skip"
}
