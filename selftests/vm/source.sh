#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# source.sh: print the folder that has, laid out as in a kernel tree, what we use of the kernel's
# source: the kselftest headers and makefiles, its cgroup helpers, and checkpatch. Unpacked on first
# use from the distribution's source package, which is 130 MB of xz and of which nothing else is kept.
set -euo pipefail
here=$(dirname "$0")
. "$here/apt.sh"

package=$("$here/kernel.sh" source)
tree=$cache/$package

# What an older memstress has unpacked may lack some.
if [[ ! -e $tree/scripts/subarch.include ]]; then
	say "fetching $package"
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	apt_download "$tmp" "$package" || { cat "$apt_log" >&2; die "cannot fetch $package"; }
	dpkg-deb --fsys-tarfile "$tmp"/*.deb | tar -C "$tmp" -xf - "./usr/src/$package.tar.xz"
	rm "$tmp"/*.deb
	tar -C "$tmp" -xf "$tmp/usr/src/$package.tar.xz" --wildcards --no-wildcards-match-slash \
		"$package/tools/testing/selftests/*.h" \
		"$package/tools/testing/selftests/lib.mk" \
		"$package/tools/testing/selftests/Makefile" \
		"$package/tools/testing/selftests/run_kselftest.sh" \
		"$package/tools/testing/selftests/kselftest/*" \
		"$package/tools/testing/selftests/cgroup/cgroup_util.[ch]" \
		"$package/scripts/checkpatch.pl" \
		"$package/scripts/subarch.include" \
		"$package/scripts/const_structs.checkpatch" \
		"$package/scripts/spelling.txt"
	rm -rf "$tree"
	mv -T "$tmp/$package" "$tree"
fi
echo "$tree"
