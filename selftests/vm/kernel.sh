#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh QUESTION [KERNEL]: one kernel of the list (the first unless named), or a kernel build
# tree (a path, that is anything with a slash in it).
#
#   names     of all kernels of the list
#   source    the distribution's package of its source
#   guests    those in which make test-all runs it, with the marks of the list
#   release   uname -r of it
#   headers   the folder to build modules against (KDIR)
#   root      in which root that folder is, if not on this machine
#   slowness  how many times longer things take on it than on one without debugging
#   module    where memstress.ko for it is built
#   vmlinuz   what to boot
#   modules   the folder with its modules.builtin
#   refresh   fetches anew what is kept of it
#
# What an answer needs is fetched, or built, on first use. Where a kernel comes from is one of four:
# kernel_host.sh, kernel_root.sh, kernel_build.sh, kernel_tree.sh. Each has the functions locate
# (sets release, headers, root and module, and slowness unless it is 1), fetch (sets vmlinuz and
# modules) and refresh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/apt.sh"

kernels=$(grep -v '^#' "$here/kernels")
question=${1:?names, source, guests, release, headers, root, module, vmlinuz, modules or refresh}
kernel=${2:-$(awk 'NR == 1 { print $1 }' <<<"$kernels")}

# read_release ROOT: the metapackage depends on exactly one: linux-headers-RELEASE (= VERSION)
read_release() {
	local headers=linux-headers-$flavour depends
	depends=$(dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${Depends}' "$headers" 2>/dev/null) ||
		die "$headers is not installed"
	[[ $depends =~ linux-headers-([^ ,]+)\ \(=\ ([^\)]+)\) ]] ||
		die "$headers depends on no exact release: $depends"
	release=${BASH_REMATCH[1]}
	version=${BASH_REMATCH[2]}
	# Backports move on.
	[[ $release == "${kernel#*:}".* ]] || die "there is no $kernel any more: $suite has $release"
}

if [[ $kernel == */* ]]; then
	. "$here/kernel_tree.sh"
else
	# shellcheck disable=SC2034 # guests, by its name
	read -r suite flavour source guests < <(awk -v k="$kernel" '$1 == k { $1 = ""; print }' <<<"$kernels") ||
		die "there is no $kernel, only $(awk '{ print $1 }' <<<"$kernels" | xargs) and paths"
	if [[ -f $here/${flavour%%+*}.config ]]; then
		. "$here/kernel_build.sh"
	elif [[ $suite == "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" ]]; then
		. "$here/kernel_host.sh"
	else
		. "$here/kernel_root.sh"
	fi
fi

case $question in
names)
	awk '{ print $1 }' <<<"$kernels"
	;;
source|guests)
	echo "${!question}"
	;;
release|headers|root|slowness|module)
	# shellcheck disable=SC2034 # by its name
	slowness=1
	locate
	echo "${!question}"
	;;
vmlinuz|modules)
	locate
	fetch
	echo "${!question}"
	;;
refresh)
	refresh
	;;
*)
	die "kernel.sh: what is '$question'?"
	;;
esac
