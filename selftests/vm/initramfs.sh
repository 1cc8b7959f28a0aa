#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initramfs.sh KERNEL OUTPUT WORD...: pack what the guest needs into one cpio archive: static
# busybox, the module, the tool, the selftests that are built, and the libraries they ask for. The
# WORDs tell init.sh what to do.
#
# Environment: GUEST and its settings (see guest.sh); SELFTESTS, a folder that is /selftests there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
kernel=$1 output=$2
shift 2

release=$("$here/kernel.sh" release "$kernel")
built=$("$here/kernel.sh" modules "$kernel")
module=$("$here/kernel.sh" module "$kernel")

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
modules=usr/lib/modules/$release

chmod 755 "$root"	# as mktemp left it, nobody but root could run anything
mkdir -p "$root"/{usr/{bin,lib,lib64},"$modules",dev,etc,proc,root,run,selftests,sys,tmp}
for dir in bin lib lib64; do
	ln -s "usr/$dir" "$root/$dir"
done
ln -s usr/bin "$root/sbin"
ln -s bin "$root/usr/sbin"

for applet in $(busybox --list); do
	ln -s busybox "$root/usr/bin/$applet"
done
cp --remove-destination "$(command -v busybox)" "$root/usr/bin/busybox"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'nobody:x:65534:65534:nobody:/:/bin/false' >>"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
printf '%s\n' "$@" >"$root/etc/memstress-vm"

install -m 755 "$here/init.sh" "$root/init"
install -D -m 644 -t "$root/usr/lib/memstress-vm" "$here"/{runner,program,verdict}.sh "$here"/*.awk

# add_module NAME: of the kernel's own, with what it depends on; not there if it is built in
add_module() {
	local file to depends name

	file=$(find "$built/" -name "${1//[-_]/[-_]}.ko*" -print -quit)
	to=$root/$modules/$1.ko
	[[ $file && ! -e $to ]] || return 0
	case $file in
	*.xz)	xz -dc "$file" >"$to" ;;
	*)	cp "$file" "$to" ;;
	esac
	depends=$(tr '\0' '\n' <"$to" | sed -n 's/^depends=//p')
	for name in ${depends//,/ }; do
		add_module "$name"
	done
}

cp "$module" "$root/$modules"
# For swap, and for page cache that can be reclaimed without it (page_cache.h).
add_module zram
cp "$built"/modules.{builtin,builtin.modinfo,order} "$root/$modules"
busybox depmod -b "$root" "$release"

install -m 755 "$top/user/memstress" "$root/usr/bin"
if [[ ${SELFTESTS:-} ]]; then
	cp -r "$SELFTESTS"/. "$root/selftests"
elif [[ $1 == test || $1 == soak ]]; then
	make -s -C "$top/selftests" install INSTALL_PATH="$root/selftests"
fi

# What ncurses has to know of terminals: the console, and what people mostly come from.
for type in l/linux v/vt100 x/xterm; do
	for terminfo in /usr/share/terminfo /lib/terminfo; do
		[[ ! -e $terminfo/$type ]] ||
			install -D -m 644 "$terminfo/$type" "$root/usr/share/terminfo/$type"
	done
done

# For program.sh.
cp --remove-destination /usr/bin/timeout "$root/usr/bin/timeout"

# ldd fails on scripts and on what is linked statically; neither asks for a library.
libraries=$(find "$root"/usr/bin/{memstress,timeout} "$root/selftests" -type f -exec ldd {} \; 2>/dev/null |
	grep -o '/[^ :]*' | sort -u) || true
for library in $libraries; do
	install -D "$library" "$root$library"
done

# Not compressed: unpacking under emulation costs more than reading.
(cd "$root" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null) >"$output"
