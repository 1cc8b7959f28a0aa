#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mutants.sh [MUTANT...]: how many faults of a kernel the tests find. Each file of mutants/ puts one
# fault into the source of small:7.3. That kernel is built with it and tested, and a table tells which
# tests have failed on it. The last line is: N caught, N survived
#
# Environment: TESTS, those to run (all laws); LIMIT, seconds that a kernel may take (900); STOP=,
# empty: all of them run to their end, also when something has failed; COMPARE=1: what the kernel's
# own test_memcontrol and test_kmem (tools/testing/selftests/cgroup) find of the same faults, in
# another column.
#
# A mutant is a sed script. Its second line names the file of the kernel that it is for, and says
# what is wrong then, the third the law that is about it, whose test comes first; a fourth one may
# name the guest that it shows in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$here/..
. "$here/vm/apt.sh"

kernel=small:7.3
pristine=$("$here/vm/kernel.sh" headers "$kernel")
source=${pristine%/builds/*}/sources/$("$here/vm/kernel.sh" source "$kernel")
build=$top/build/mutant
logs=$top/build/mutants
read -ra tests <<<"${TESTS:-$(make -s -C "$here" list LAWS=1 | xargs)}"
export LIMIT=${LIMIT:-900}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp" "$build"' EXIT
mkdir -p "$logs"

# head_of MUTANT KEY: what stands behind KEY in its first lines
head_of() {
	sed -n "3,4s/^# $2: //p" "$here/mutants/$1.sed"
}

file_of() {
	sed -n '2s/^# \([^:]*\): .*/\1/p' "$here/mutants/$1.sed"
}

# mutate MUTANT: puts the file with the fault into $tmp/mutated
mutate() {
	local file hunks

	file=$(file_of "$1")
	[[ -f $source/$file ]] || die "$1: $kernel has no ${file:-file named in its second line}"
	sed -f "$here/mutants/$1.sed" "$source/$file" >"$tmp/mutated"
	hunks=$(diff -U0 "$source/$file" "$tmp/mutated" | grep -c '^@@' || true)
	((hunks == 1)) || die "$1: changes $hunks places of $file, not one"
}

# with_mutant MUTANT COMMAND...: in a view of the file system where the kernel's source has the fault
# and its folder is the copy, so that all is found where it was, and make builds no more than it must.
with_mutant() {
	local file unshare=(unshare --mount --propagation unchanged)

	file=$(file_of "$1")
	shift
	((EUID == 0)) || unshare+=(--map-root-user)
	# In a chroot / is no mount; what it lies in is as private as whoever made it wanted.
	# shellcheck disable=SC2016 # the inner shell's
	env -u MAKEFLAGS -u MAKELEVEL "${unshare[@]}" sh -c '
		mount --make-rprivate / 2>/dev/null || true
		mount --bind "$1" "$2" && mount --bind "$3" "$4" && shift 4 && exec "$@"' - \
		"$tmp/mutated" "$source/$file" "$build" "$pristine" "$@"
}

build_mutant() {
	rm -rf "$build"
	cp -a "$pristine" "$build"
	with_mutant "$1" make -s -C "$source" O="$pristine" -j"$(nproc)" bzImage modules
}

# order MUTANT: the tests, and that of its law first, if it is one of them
order() {
	local law test

	law=$(head_of "$1" law)
	for test in "${tests[@]}"; do
		[[ $test != "$law" ]] || echo "$test"
	done
	for test in "${tests[@]}"; do
		[[ $test == "$law" ]] || echo "$test"
	done
}

# run_tests GUEST TESTS [COMMAND...]: by way of COMMAND, until something fails
run_tests() {
	local guest=$1 names=$2

	shift 2
	"$@" make -s -C "$top" test PACKAGES= KERNEL="$kernel" GUEST="$guest" TESTS="$names" \
		STOP="${STOP-1}"
}

rivals=(test_memcontrol test_kmem)

# They reclaim pages of files that they make where they are, for which it takes a disk.
build_rivals() {
	local rival

	for rival in "${rivals[@]}"; do
		make -s -C "$source/tools/testing/selftests/cgroup" OUTPUT="$tmp/cgroup" \
			"$tmp/cgroup/$rival" || return
	done
	cat >"$tmp/cgroup/run.sh" <<-'END'
		disk=/dev/zram$(cat /sys/class/zram-control/hot_add) || exit
		echo 512M >"/sys/block/${disk#/dev/}/disksize" && mke2fs "$disk" >/dev/null || exit
		mkdir /tmp/disk && mount -t ext2 "$disk" /tmp/disk && cd /tmp/disk || exit
		for rival; do "/selftests/$rival"; done
	END
}

# run_rivals GUEST [COMMAND...]: names of their tests that are well, by way of COMMAND. Some are not
# always, so it takes two runs to say that one is, without a fault, and that one is not, with it.
run_rivals() {
	local guest=$1

	shift
	{ "$@" env SELFTESTS="$tmp/cgroup" KERNEL="$kernel" GUEST="$guest" "$here/vm/run.sh" run \
		sh /selftests/run.sh "${rivals[@]}" 2>>"$logs/rivals.log" || true; } |
		sed -n 's/^ok [0-9]* \([^ ]*\)$/\1/p' | sort
}

# lost_rivals GUEST COMMAND...: names of their tests that are not well any more
lost_rivals() {
	run_rivals "$@" >"$tmp/rivals"
	comm -23 "$tmp/rivals-${1:-2cpu}" "$tmp/rivals" >"$tmp/lost"
	[[ ! -s $tmp/lost ]] || run_rivals "$@" | comm -23 "$tmp/lost" -
}

# noticed LOG: the tests that have failed, or what else has
noticed() {
	{
		sed -n 's/^# not ok .*memstress: \([^ ]*\) .*/\1/p' "$1"
		grep -q '^# memstress-vm: SPLAT' "$1" && echo "(kernel log)"
		grep -q '^# memstress-vm: LEAK' "$1" && echo "(leftovers)"
		grep -q '^# memstress-vm: no verdict' "$1" && echo "(no verdict)"
	} | sort -u | xargs
}

# test_mutant MUTANT: a line of the table; false if it survives
test_mutant() {
	local log=$logs/$1.log guest found lost

	mutate "$1"
	build_mutant "$1" >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "$1: does not build: $log"; }
	guest=$(head_of "$1" guest)
	found=
	if ! run_tests "$guest" "$(order "$1" | xargs)" with_mutant "$1" >"$log" 2>&1; then
		found=$(noticed "$log")
		[[ $found ]] || { tail -n 20 "$log" >&2; die "$1: nobody says what has failed: $log"; }
	fi
	printf '%-36s %s' "$1" "${found:-SURVIVED}"
	if [[ ${COMPARE:-} ]]; then
		lost=$(lost_rivals "$guest" with_mutant "$1" | xargs)
		printf ' | %s' "${lost:--}"
		[[ ! $lost ]] || rivals_caught=$((rivals_caught + 1))
	fi
	echo
	[[ $found ]]
}

if [[ ${COMPARE:-} ]]; then
	build_rivals >"$logs/rivals.log" 2>&1 ||
		{ cat "$logs/rivals.log" >&2; die "the kernel's own tests do not build"; }
fi
if (($#)); then
	mutants=("$@")
else
	mapfile -t mutants < <(cd "$here/mutants" && printf '%s\n' *.sed | sed 's/\.sed$//')
fi
for mutant in "${mutants[@]}"; do
	[[ -f $here/mutants/$mutant.sed ]] || die "there is no mutant $mutant"
	[[ -f $here/$(head_of "$mutant" law).c ]] || die "$mutant: there is no law of that name"
	mutate "$mutant"
done

# What fails without a fault has caught nothing.
for guest in $(for mutant in "${mutants[@]}"; do head_of "$mutant" guest | grep . || echo 2cpu; done | sort -u); do
	say "without a fault, $guest: $logs/none-$guest.log"
	run_tests "$guest" "${tests[*]}" >"$logs/none-$guest.log" 2>&1 ||
		{ tail -n 20 "$logs/none-$guest.log" >&2; die "the tests fail without a fault"; }
	if [[ ${COMPARE:-} ]]; then
		run_rivals "$guest" >"$tmp/rivals"
		run_rivals "$guest" | comm -12 "$tmp/rivals" - >"$tmp/rivals-$guest"
		[[ -s $tmp/rivals-$guest ]] || die "the kernel's own tests do not run, $guest"
	fi
done

caught=0
rivals_caught=0
for mutant in "${mutants[@]}"; do
	if test_mutant "$mutant"; then
		caught=$((caught + 1))
	fi
done
[[ ! ${COMPARE:-} ]] || echo "# ${rivals[*]} caught $rivals_caught"
echo "$caught caught, $((${#mutants[@]} - caught)) survived"
