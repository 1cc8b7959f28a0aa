#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# packages.sh GROUP...: install what is missing of these groups of the packages list.
set -euo pipefail
here=$(dirname "$0")

missing=()
while read -r group package; do
	[[ " $* " == *" $group "* && " ${missing[*]} " != *" $package "* ]] || continue
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=unknown
	[[ $status == installed ]] || missing+=("$package")
done < <(grep -v '^#' "$here/packages")

((${#missing[@]})) || exit 0
# Not before, for it makes the folder of the cache.
. "$here/apt.sh"
command -v apt-get >/dev/null ||
	die "no apt-get here; install the like of: ${missing[*]}; then say PACKAGES= to make"
say "installing ${missing[*]}"
apt_install "${missing[@]}"
