#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dkms.sh root: is it root who wants this done?
# dkms.sh check: can it be installed here? If not, one line says why
# dkms.sh install VERSION: hand the source in /usr/src/memstress-VERSION to DKMS, and have it build
#	and install the module for every kernel that has headers here. DKMS does the same by
#	itself for the kernels that come later
# dkms.sh unload: take the module out of the kernel
# dkms.sh uninstall: take all versions out of DKMS, which takes them from all kernels
set -euo pipefail
tree=/var/lib/dkms/memstress
# su leaves the user's, where programs for root are not.
PATH+=:/usr/sbin:/sbin

say() {
	echo "memstress: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# What make has in its environment is for our Makefile, and the kernel's would take it for its own.
run_dkms() {
	env -i PATH="$PATH" HOME="${HOME:-/}" LC_ALL=C dkms "$@"
}

# kernels: those with headers. The link to the headers may lead nowhere
kernels() {
	local include
	for include in /lib/modules/*/build/include; do
		[[ ! -d $include ]] || cut -d / -f 4 <<<"$include"
	done
}

check() {
	local running

	command -v dkms >/dev/null || die "there is no dkms here; install it first"
	[[ $(kernels) ]] || die "no kernel here has its headers; install linux-headers-$(uname -r)"
	running=$(uname -r)
	[[ -d /lib/modules/$running/build/include ]] || say "no headers of the running kernel \
$running: no module for it until they are installed"
}

# install_for KERNEL. 77: dkms.conf excludes this kernel; dkms 2 says 9
install_for() {
	local output status=0

	output=$(run_dkms install -m memstress -v "$version" -k "$1" 2>&1) || status=$?
	case $status in
	0)
		say "the module is installed for $1"
		;;
	9|77)
		say "skipped $1, which has no CONFIG_MEMCG or is older than 5.10"
		;;
	*)
		echo "$output" >&2
		say "DKMS could not install the module for $1"
		return 1
		;;
	esac
}

install_all() {
	local kernel failed=

	run_dkms add -m memstress -v "$version" >/dev/null
	while read -r kernel; do
		install_for "$kernel" || failed=1
	done < <(kernels)
	[[ -z $failed ]] || die "what was installed can be removed with make uninstall"
}

unload() {
	local users

	[[ -d /sys/module/memstress ]] || return 0
	rmmod memstress 2>/dev/null && return
	users=$(</sys/module/memstress/refcnt)
	die "the module is in use ($users times), close /dev/memstress first; nothing was removed"
}

# remove_index DIR: what depmod made for a kernel of which only the headers are here
remove_index() {
	[[ -e $1/modules.builtin || $(find "$1" -name '*.ko*' -print -quit) ]] || rm -f "$1"/modules.*
}

# served_kernels: those that DKMS has a module of ours for. A line of its status is
# "memstress/VERSION, KERNEL, ARCHITECTURE: installed"; before 3.0 there was a comma for the slash
served_kernels() {
	run_dkms status -m memstress | sed -n 's,^memstress[/,][^,]*\, *\([^,]*\)\,.*,\1,p'
}

uninstall() {
	local dir log version kernels kernel

	for dir in "$tree"/*/; do
		[[ -L ${dir}source ]] || continue
		command -v dkms >/dev/null || die "there is no dkms here, which has to remove $dir"
		version=$(basename "$dir")
		kernels=$(served_kernels)
		log=$(run_dkms remove -m memstress -v "$version" --all 2>&1) ||
			{ echo "$log" >&2; die "DKMS could not remove $dir"; }
		rm -rf "/usr/src/memstress-$version"
		for kernel in $kernels; do
			remove_index "/lib/modules/$kernel"
		done
	done
}

case ${1:?root, check, install, unload or uninstall} in
root)
	((!EUID)) || die "only root can do this; say sudo make"
	;;
check)
	check
	;;
install)
	version=${2:?which version}
	install_all
	;;
unload)
	unload
	;;
uninstall)
	uninstall
	;;
*)
	die "dkms.sh: what is '$1'?"
	;;
esac
