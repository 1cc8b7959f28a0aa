#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh QUESTION [KERNEL]: one kernel of the list (the first unless named).
#
#   release   uname -r of it
#   headers   the folder to build modules against (KDIR)
#   image     a folder with its boot/ and lib/modules/, fetched on first use
#   source    the distribution's package of its source
#
# The installed headers decide the version, and the image follows them: a module only loads into
# the kernel it was built for.
set -euo pipefail
here=$(dirname "$0")
. "$here/apt.sh"

kernels=$(grep -v '^#' "$here/kernels")
question=${1:?release, headers, image or source}
kernel=${2:-$(awk 'NR == 1 { print $1 }' <<<"$kernels")}

read -r headers source < <(awk -v k="$kernel" '$1 == k { print $2, $3 }' <<<"$kernels") ||
	die "KERNEL=$kernel is not supported yet; there is: $(awk '{ print $1 }' <<<"$kernels" | xargs)"

# The metapackage depends on exactly one release: linux-headers-RELEASE (= VERSION)
read_release() {
	local depends
	depends=$(dpkg-query -W -f '${Depends}' "$headers" 2>/dev/null) ||
		die "$headers is not installed"
	[[ $depends =~ linux-headers-([^ ,]+)\ \(=\ ([^\)]+)\) ]] ||
		die "$headers depends on no exact release: $depends"
	release=${BASH_REMATCH[1]}
	version=${BASH_REMATCH[2]}
	image=$cache/kernels/${release}_$version
}

fetch_image() {
	local tmp

	[[ -d $image ]] && return
	say "fetching linux-image-$release $version"
	mkdir -p "$cache/kernels"
	tmp=$(mktemp -d "$cache/kernels/tmp.XXXXXX")
	if apt_download "$tmp" "linux-image-$release=$version" &&
	   dpkg-deb -x "$tmp"/*.deb "$tmp/image"; then
		# By rename, so that an interrupted fetch is never taken for a kernel.
		mv -T "$tmp/image" "$image"
		rm -rf "$tmp"
	else
		rm -rf "$tmp"
		return 1
	fi
}

read_release
case $question in
release)
	echo "$release"
	;;
headers)
	echo "/lib/modules/$release/build"
	;;
image)
	# The archive keeps only its newest image; headers of an older one have to move on.
	fetch_image || { apt_install "$headers" && read_release && fetch_image; } ||
		{ cat "$apt_log" >&2; die "cannot fetch linux-image-$release $version"; }
	echo "$image"
	;;
source)
	echo "$source"
	;;
*)
	die "kernel.sh: what is '$question'?"
	;;
esac
