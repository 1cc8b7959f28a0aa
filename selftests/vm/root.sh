#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# root.sh path SUITE FLAVOUR: print the folder that has the suite installed with its kernel of this
#	flavour, the headers and their compiler; made on first use
# root.sh refresh SUITE FLAVOUR: make it anew, of what the archive has now
# root.sh sources SUITE: print apt's sources of the suite, at the mirrors that this machine uses
# root.sh lab SUITE: the same for a lab machine, one of the list in labs. The packages of the kernel
#	that it upgrades to are in its /var/lib/memstress-vm
# root.sh stories SUITE: the same with what the stories are about (see packages), and no upgrade
# root.sh refresh-lab SUITE, refresh-stories SUITE: make it anew
# root.sh run ROOT DIR COMMAND...: run a command in such a folder, with DIR as its /mnt
#
# A module has to be built by the compiler of its kernel, and the headers of another suite ask for
# that suite's C library. Nobody has to be root for this: user namespaces will do.
set -euo pipefail
here=$(dirname "$0")
. "$here/apt.sh"

question=${1:?path, refresh, sources, lab, stories, refresh-lab, refresh-stories or run}
shift

# repository LABEL: the mirror that this machine uses for it, if it does
repository() {
	apt-get indextargets --format "\$(REPO_URI)" \
		"Created-By: Packages" "Origin: Debian" "Label: $1" | sed -n '1s,/$,,p'
}

has_suite() {
	/usr/lib/apt/apt-helper download-file "$1/dists/$2/Release" "$tmp/Release" >>"$apt_log" 2>&1
}

# deb_line SUITE LABEL
deb_line() {
	local mirror
	mirror=$(repository "$2")
	[[ $mirror ]] || die "apt knows no mirror of $2; there must be one among its sources"
	has_suite "$mirror" "$1" || { cat "$apt_log" >&2; die "$1 is not at $mirror"; }
	echo "deb $mirror $1 main"
}

deb_lines() {
	deb_line "$base" Debian
	deb_line "$base-security" Debian-Security
	[[ $newest != *-backports ]] || deb_line "$newest" Debian
}

# make_root MMDEBSTRAP_OPTION...: makes $root of the suite $base, and $newest if that is backports
make_root() {
	local mode=unshare options=("$@")
	local lines setting

	"$here/packages.sh" root
	say "installing $(basename "$root") in a root of its own"
	mkdir -p "$cache/roots"
	tmp=$(mktemp -d "$cache/roots/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	: >"$apt_log"
	lines=$(deb_lines)
	# Proxies, certificates, and how strict this machine is about the age of a mirror.
	while read -r setting; do
		options+=(--aptopt="$setting")
	done < <(apt-config dump | grep -E '^Acquire::(https?|Check)')
	((EUID)) || mode=root

	mkdir "$tmp/root"
	# The guest has an initramfs of its own, and /dev will be this machine's.
	INITRD=No mmdebstrap --quiet --mode=$mode --variant=essential --format=tar \
		--aptopt='APT::Install-Recommends "false"' "${options[@]}" \
		"$base" - - <<<"$lines" 2>>"$apt_log" |
		tar -C "$tmp/root" -x --exclude='./dev/*' 2>>"$apt_log" ||
		{ cat "$apt_log" >&2; die "cannot install $base"; }
	rm -rf "$root"
	# By rename, so that a root that is half made is never taken for one.
	mv -T "$tmp/root" "$root"
}

make_kernel_root() {
	local suffix=
	# Apt takes nothing from backports unless told.
	[[ $suite == "$base" ]] || suffix=/$suite
	make_root --include="gcc make linux-headers-$flavour$suffix linux-image-$flavour$suffix"
}

# Of the groups that $use names
lab_packages() {
	awk -v groups="^(build|install|lab|$use|$use-$base)\$" \
		'$1 ~ groups && $2 !~ /^linux-/ { print $2 }' "$here/packages"
}

# has_packages ROOT: it was made with all that is listed today
has_packages() {
	local package info=$1/var/lib/dpkg/info

	[[ -d $info ]] || return
	for package in $(lab_packages); do
		[[ -e $info/$package.list || -e $info/$package:amd64.list ]] || return
	done
}

make_lab() {
	local packages fetch options=() archives=/var/lib/memstress-vm

	packages=$(lab_packages | xargs)
	fetch="mkdir -p \"\$1$archives/partial\"
		APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -y --download-only \\
			-o Dir::Cache::archives=\"\$1$archives\" \\
			install linux-headers-amd64/$newest linux-image-amd64/$newest"
	[[ $use != lab ]] || options+=(--customize-hook="$fetch")
	make_root "${options[@]}" \
		--include="make $packages linux-headers-amd64/$oldest linux-image-amd64/$oldest"
}

run_in() {
	local root=$1 dir=$2 options=(--mount --propagation unchanged)
	shift 2

	((!EUID)) || options+=(--map-root-user)
	# A user's own has no folders of what is root's, which chroot is here and depmod in there.
	PATH+=:/usr/sbin:/sbin
	# In a chroot / is no mount; what it lies in is as private as whoever made it wanted.
	# shellcheck disable=SC2016 # for the inner shell
	exec unshare "${options[@]}" sh -euc '
		root=$1 dir=$2
		shift 2
		mount --make-rprivate / 2>/dev/null || true
		mount --rbind /dev "$root/dev"
		mount --rbind /proc "$root/proc"
		mount --bind "$dir" "$root/mnt"
		exec chroot "$root" "$@"' sh "$root" "$dir" "$@"
}

case $question in
run)
	run_in "$@"
	;;
path|refresh)
	suite=$1 flavour=$2
	base=${suite%-backports} newest=$suite
	root=$cache/roots/$suite-$flavour
	if [[ $question == refresh || ! -d $root ]]; then
		make_kernel_root
	fi
	echo "$root"
	;;
lab|refresh-lab|stories|refresh-stories)
	use=${question#refresh-}
	read -r base oldest newest < <(grep "^$1[[:space:]]" "$here/labs") ||
		die "there is no lab machine $1, only $(awk '!/^#/ { print $1 }' "$here/labs" | xargs)"
	root=$cache/roots/$base-$use
	if [[ $question == refresh-* ]] || ! has_packages "$root"; then
		make_lab
	fi
	echo "$root"
	;;
sources)
	suite=$1
	base=${suite%-backports} newest=$suite
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	: >"$apt_log"
	deb_lines
	;;
*)
	die "root.sh: what is '$question'?"
	;;
esac
