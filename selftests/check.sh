#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh: static analysis and style. Every function check_* below is one checker; it prints what
# it finds, and finding nothing is success. Works on the files that git knows or would add.
# The last line is: N passed, N failed, N skipped
#
# Environment: KDIR, headers to build the module against; KSELFTEST, a kernel tree with the
# kselftest headers and checkpatch.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
: "${KDIR:?}" "${KSELFTEST:?}"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# files PATTERN...: the existing files of the project that match a git pathspec
files() {
	git ls-files -co --exclude-standard "$@" | while read -r file; do
		[[ -f $file ]] && echo "$file"
	done
}

scripts() {
	files | while read -r file; do
		head -n 2 "$file" | grep -qE '^#!.*sh$|^# shellcheck shell=' && echo "$file"
	done
}

# In a copy, because everything has to be compiled again, and what is built stays as it is.
check_module() {
	make -C "$KDIR" M="$copy" -s W=1 C=2 CF=-Wsparse-error CONFIG_DEBUG_INFO_BTF_MODULES= \
		KCFLAGS=-Werror modules
}

check_user() {
	make -s -C "$copy/user" CC="gcc -Werror" V=1 >/dev/null
	make -s -C "$copy/selftests" CC="gcc -Werror" KSELFTEST="$KSELFTEST" V=1 >/dev/null
	# -Wno-decl: what the macros of kselftest_harness.h declare is never static.
	files 'user/*.c' 'selftests/*.c' | while read -r file; do
		# shellcheck disable=SC2046 # several flags
		sparse -Wsparse-error -Wno-decl -D_GNU_SOURCE -Ikmod/uapi -Iuser \
			$(pkg-config --cflags libnl-genl-3.0) \
			-I"$KSELFTEST/tools/testing/selftests" "$file"
	done
}

# The uapi header is for everybody's compiler, in C and in C++, without our other headers.
check_uapi() {
	files 'kmod/uapi/*.h' | while read -r header; do
		gcc -x c -std=c99 -pedantic -Wall -Wextra -fsyntax-only "$header"
		g++ -x c++ -std=c++11 -pedantic -Wall -Wextra -fsyntax-only "$header"
	done
}

checkpatch_ignores() {
	case $1 in
	# The one place that may know versions.
	kmod/compat.h)	echo LINUX_VERSION_CODE,CONSTANT_COMPARISON ;;
	# What TRACE_EVENT() takes are no arguments of a function, and laid out as all of them are.
	kmod/trace.h)	echo OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
	# The number of an ioctl stands right below its struct, as in uapi/linux/iommufd.h.
	kmod/uapi/*)	echo LINE_SPACING ;;
	# It asks whether there is a system call.
	selftests/test_numa.c)	echo ENOSYS,COMPLEX_MACRO ;;
	# Fixtures are declared, and values named, by macros, as kselftest_harness.h has it; and
	# there is no __weak outside the kernel.
	selftests/*)	echo COMPLEX_MACRO,MACRO_ARG_REUSE,PREFER_DEFINED_ATTRIBUTE_MACRO ;;
	# They ask whether there is a system call.
	user/cgroup_v2.c|user/process.c) echo ENOSYS ;;
	*)		echo NONE ;;
	esac
}

check_checkpatch() {
	files '*.[ch]' | while read -r file; do
		perl "$KSELFTEST/scripts/checkpatch.pl" --strict --no-tree --terse --show-types \
			--no-summary --max-line-length=100 \
			--ignore "$(checkpatch_ignores "$file")" -f "$file"
	done
}

check_cppcheck() {
	# It does not read the kernel's headers, so it is told which of their macros are loops.
	sed -n "s/^  - '\(.*\)'/#define \1(_x, ...) for (_x = any(); any();)/p" .clang-format \
		>"$copy/loops.h"
	files '*.c' | cppcheck --quiet --enable=warning,performance,portability --inline-suppr \
		--std=c11 --include="$copy/loops.h" -Ikmod -Ikmod/uapi \
		-I"$KSELFTEST/tools/testing/selftests" --suppress="*:$KSELFTEST/*" --file-list=-
}

check_clang_format() {
	files '*.[ch]' | while read -r file; do
		clang-format --dry-run --Werror "$file" 2>/dev/null || echo "clang-format -i $file"
	done
}

check_shellcheck() {
	scripts | xargs shellcheck -x -P SCRIPTDIR -f gcc
}

check_spdx() {
	# Licence texts are what the line refers to; in Markdown it would show.
	files ':!COPYING' ':!LICENSES' ':!*.md' | while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2\.0' ||
			echo "$file: no SPDX line"
	done
}

check_versions() {
	files '*.[ch]' '*Kbuild' '*Makefile' ':!kmod/compat.h' |
		xargs grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\>|linux/version\.h'
}

# comments FILE...: the comments of C files
comments() {
	cat "$@" | perl -0ne 'print "$1\n" while m{/\*(.*?)\*/}sg'
}

# Keys and types of JSON are ABI. Those of records stand in record.h, those of a command beside it;
# what record.h has with an underscore, but as a value or an explanation, is printed.
check_json_keys() {
	local file key told

	files 'user/*.c' | while read -r file; do
		told=$(comments "$file" user/record.h)
		grep -oP 'json_(begin|add_\w+)\((\w+, )?"\K\w+' "$file" | sort -u | while read -r key; do
			grep -qwF "$key" <<<"$told" ||
				echo "$file: no comment tells of \"$key\""
		done
	done
	perl -0ne 'm{/\*([^/]*?JSON: .*?)\*/}s or die; $_ = $1; s/\(.*?\)|"[^"]*"//sg;
		print "$1\n" while /(?|^ \*\t(\w+)\t|\b([a-z]+_\w+))/mg' user/record.h |
		sort -u | while read -r key; do
		grep -qwF "\"$key\"" user/*.c || echo "user/record.h: nothing prints \"$key\""
	done
}

# One version for all that is installed.
check_package_version() {
	local version

	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' dkms.conf)
	grep -qxF "#define MEMSTRESS_VERSION \"$version\"" user/version.h ||
		echo "user/version.h: not $version, which dkms.conf says"
	grep -qxF "MODULE_VERSION(\"$version\");" kmod/main.c ||
		echo "kmod/main.c: not $version, which dkms.conf says"
}

[[ -n $(files) ]] || { echo "check.sh: git lists no files here" >&2; exit 1; }
files Kbuild kmod user selftests | xargs cp --parents -t "$copy"
checkers=$(compgen -A function check_)
number=0
failed=0

echo "KTAP version 1"
echo "1..$(wc -l <<<"$checkers")"
for checker in $checkers; do
	number=$((number + 1))
	findings=$("$checker" 2>&1 </dev/null)
	if [[ -z $findings ]]; then
		echo "ok $number ${checker#check_}"
	else
		failed=$((failed + 1))
		# shellcheck disable=SC2001 # every line of many
		sed 's/^/# /' <<<"$findings"
		echo "not ok $number ${checker#check_}"
	fi
done
echo "$((number - failed)) passed, $failed failed, 0 skipped"
((!failed))
