#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kselftest.sh: the suite as a part of a kernel tree. Its folder is linked and copied to
# tools/testing/selftests/memstress of one, and built and installed there by the kernel's own
# makefiles; what they install runs in the VM by run_kselftest.sh. KTAP; the last line is:
# N passed, N failed, N skipped
#
# Environment: run.sh's, and KSELFTEST, a kernel tree.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$here/..
. "$here/vm/cases.sh"

from=${KSELFTEST:?}/tools/testing/selftests
tree=$tmp/linux
tests=$tree/tools/testing/selftests
installed=$tmp/installed
# In the VM all of it would be make test once more.
some="test_features test_abi test_session test_conservation test_v1"

# A tree of those files that building a collection takes
make_tree() {
	mkdir -p "$tests" "$tree/scripts"
	cp -r "$from"/{Makefile,lib.mk,run_kselftest.sh,kselftest} "$from"/*.h "$tests"
	cp "$KSELFTEST/scripts/subarch.include" "$tree/scripts"
}

# install_collection ARGUMENT...: all that there is of it
install_collection() {
	local word

	rm -rf "$installed"
	run env -u MAKEFLAGS -u MAKELEVEL -u KSELFTEST make -C "$tests" TARGETS=memstress \
		KSFT_INSTALL_PATH="$installed" "$@" install
	expect 0 || return
	make -s -C "$here" list | sed 's/^/memstress:/' | diff - "$installed/kselftest-list.txt" ||
		complain "these are not all the programs" || return
	for word in $(make -s -C "$here" list) cli.sh features settings config; do
		[[ -e $installed/memstress/$word ]] || complain "$word is not installed" || return
	done
}

is_linked() {
	ln -s "$here" "$tests/memstress"
	install_collection O="$tmp/objects"
}

is_copied() {
	rm "$tests/memstress"
	mkdir "$tests/memstress"
	(cd "$here" && git ls-files -co --exclude-standard |
		xargs -d '\n' cp --parents -t "$tests/memstress") &&
		cp -r "$top/kmod/uapi" "$tests/memstress"
	install_collection
}

runs_where_it_is_installed() {
	local name number=0

	# shellcheck disable=SC2046,SC2086 # several
	run env SELFTESTS="$installed" "$here/vm/run.sh" run \
		sh /selftests/run_kselftest.sh $(printf ' -t memstress:%s' $some)
	expect 0 || return
	for name in $some; do
		number=$((number + 1))
		said "^ok $number selftests: memstress: $name" || return
	done
	said "^ok $number selftests: memstress: test_v1 # SKIP" && ! grep -q '^not ok' "$tmp/out"
}

skips_without_the_module() {
	local remove="rmmod memstress && rm /lib/modules/*/memstress.ko && depmod"

	run env SELFTESTS="$installed" "$here/vm/run.sh" run sh -c \
		"$remove && sh /selftests/run_kselftest.sh -t memstress:test_abi -t memstress:test_module.sh"
	expect 0 && said '^ok 1 selftests: memstress: test_abi # SKIP' &&
		said '^# 1..0 # SKIP no /dev/memstress' &&
		said '^ok 2 selftests: memstress: test_module.sh # SKIP'
}

make_tree
run_cases is_linked is_copied runs_where_it_is_installed skips_without_the_module | tee "$tmp/ktap"
awk '/^ok/ { passed++ } /^not ok/ { failed++ }
	END { printf "%d passed, %d failed, 0 skipped\n", passed, failed; exit failed > 0 }' "$tmp/ktap"
