# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A kernel that the user has built, for kernel.sh: the folder that has its .config and its bzImage,
# that is the one of O=, if it was built with that.
#
# shellcheck disable=SC2034,SC2154 # kernel.sh's

. "$here/config.sh"

has_option() {
	grep -qx "$1=y" "$headers/.config"
}

# What the module cannot be built, or the guest not be booted, without.
check_tree() {
	[[ -f $headers/.config ]] ||
		die "$headers has no .config: configure it, or name the folder that was given as O="
	has_option CONFIG_X86_64 ||
		die "$headers is configured for $(sed -n 's,^# Linux/\([^ ]*\) .*,\1,p' "$headers/.config")\
, and the guest is an x86_64"
	has_option CONFIG_MODULES || die "$headers has no CONFIG_MODULES: memstress is one"
	has_option CONFIG_MEMCG || die "$headers has no CONFIG_MEMCG: there is nothing to test"
	[[ -f $headers/include/config/kernel.release && -f $headers/arch/x86/boot/bzImage ]] ||
		die "$headers is not built: make -C $headers"
	[[ -f $headers/Module.symvers ]] ||
		die "$headers has no Module.symvers: make -C $headers modules"
}

locate() {
	[[ -d $kernel ]] || die "there is no folder $kernel"
	headers=$(cd "$kernel" && pwd)
	check_tree
	release=$(<"$headers/include/config/kernel.release")
	root=
	slowness=$(config_slowness "$headers/.config")
	source=
	module=$top/build/module/$release/memstress.ko
}

fetch() {
	local missing

	vmlinuz=$headers/arch/x86/boot/bzImage
	modules=$headers
	missing=$(missing_options "$top/selftests/config" "$headers/.config" | xargs)
	[[ -z $missing ]] || say "$kernel lacks $missing; to add it all: \
cat $top/selftests/config >>$headers/.config; make -C $headers olddefconfig"
}

refresh() {
	:
}
