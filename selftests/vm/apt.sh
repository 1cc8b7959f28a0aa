# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The distribution's client, for scripts that source this: install, download, and where downloads
# are kept. apt's own words go to a log and are shown only when it fails.

cache=${MEMSTRESS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/memstress}
apt_log=$cache/apt.log
mkdir -p "$cache"

say() {
	echo "memstress: $*" >&2
}

die() {
	say "$*"
	exit 1
}

apt_root() {
	local sudo=()
	((EUID)) && sudo=(sudo)
	# The timeout is for a machine whose first boot is still installing in the background.
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -y -q -o DPkg::Lock::Timeout=600 "$@" >>"$apt_log" 2>&1
}

# Package lists may be missing (a fresh root) or name files that the mirror has dropped since.
# Updating costs seconds, so it is done only when the command fails without.
apt_retry() {
	"$@" || { apt_root update && "$@"; }
}

apt_install() {
	: >"$apt_log"
	apt_retry apt_root install --no-install-recommends "$@" ||
		{ cat "$apt_log" >&2; die "apt-get could not install: $*"; }
}

apt_get_deb() {
	(cd "$1" && apt-get -q download "$2" >>"$apt_log" 2>&1)
}

# apt_download DIR PACKAGE[=VERSION]: leaves the .deb as DIR/*.deb
apt_download() {
	: >"$apt_log"
	apt_retry apt_get_deb "$1" "$2"
}
