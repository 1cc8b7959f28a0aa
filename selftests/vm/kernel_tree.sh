# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A kernel that the user has built, for kernel.sh: the folder that has its .config and its bzImage,
# that is the one of O=, if it was built with that.
#
# shellcheck disable=SC2034,SC2154 # kernel.sh's

locate() {
	headers=$(cd "$kernel" && pwd) || die "there is no $kernel"
	[[ -f $headers/include/config/kernel.release ]] ||
		die "$headers is not a kernel build tree (or is not built: make -C $headers)"
	release=$(<"$headers/include/config/kernel.release")
	root=
	source=
	module=$top/build/module/$release/memstress.ko
}

# missing_options FRAGMENT: lines of it that the kernel was built without
missing_options() {
	grep '^CONFIG_' "$1" | grep -vxF -f "$headers/.config"
}

fetch() {
	local missing

	vmlinuz=$headers/arch/x86/boot/bzImage
	modules=$headers
	[[ -f $vmlinuz ]] || die "there is no $vmlinuz: make -C $headers bzImage"

	missing=$(missing_options "$top/selftests/config" | xargs) || true
	[[ -z $missing ]] || say "$kernel lacks $missing; to add it, from its source: \
scripts/kconfig/merge_config.sh -O $headers $headers/.config $top/selftests/config"
}

refresh() {
	:
}
