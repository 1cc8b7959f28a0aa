# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A kernel of the suite that this machine runs, for kernel.sh. The installed headers decide the
# version, and the image follows them: a module only loads into the kernel it was built for. The
# image is not installed, only unpacked.
#
# shellcheck disable=SC2034,SC2154 # kernel.sh's

locate() {
	read_release ""
	headers=/lib/modules/$release/build
	root=
	module=$top/memstress.ko
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

fetch() {
	# The archive keeps only its newest image; headers of an older one have to move on.
	fetch_image || { apt_install "linux-headers-$flavour" && locate && fetch_image; } ||
		{ cat "$apt_log" >&2; die "cannot fetch linux-image-$release $version"; }
	vmlinuz=$image/boot/vmlinuz-$release
	modules=$image/lib/modules/$release
}

refresh() {
	apt_root update
	apt_install "linux-headers-$flavour"
	locate
	fetch
}
