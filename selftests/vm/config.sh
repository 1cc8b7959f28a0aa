# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What kernel configurations say, for scripts that source this.

# missing_options FRAGMENT CONFIG: lines of the fragment that the configuration does not follow. Of two
# for one option the last one counts; n is followed as well where there is no such option.
missing_options() {
	awk -F = '
		/^#/ || !NF	{ next }
		NR != FNR	{ value[$1] = $0; next }
		{ wanted[$1] = $0 }
		END {
			for (option in wanted) {
				line = wanted[option]
				has = value[option]
				if (has != line && (has || line !~ /=n$/))
					print line
			}
		}' "$1" "$2" | sort
}

# config_slowness CONFIG: how many times longer things take on such a kernel than on a distribution's,
# at the most. Limits of time are multiplied with it: of a run, a program, a test, and of what a test
# waits for.
config_slowness() {
	if grep -qx 'CONFIG_KASAN=y' "$1"; then
		echo 8
	elif grep -qx 'CONFIG_PROVE_LOCKING=y' "$1"; then
		echo 4
	else
		echo 1
	fi
}
