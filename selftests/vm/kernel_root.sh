# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A kernel of another suite, for kernel.sh: it is installed in a root of that suite.
#
# shellcheck disable=SC2034,SC2154 # kernel.sh's

locate() {
	root=$("$here/root.sh" path "$suite" "$flavour")
	read_release "$root"
	headers=/lib/modules/$release/build
	module=$top/build/module/$release/memstress.ko
}

fetch() {
	vmlinuz=$root/boot/vmlinuz-$release
	modules=$root/lib/modules/$release
}

refresh() {
	"$here/root.sh" refresh "$suite" "$flavour" >/dev/null
}
