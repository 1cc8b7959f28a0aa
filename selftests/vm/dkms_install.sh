#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make install and make uninstall, in a lab machine that is not running: a chroot, with the tree in
# /mnt. At the end it is installed, and there are two kernels to boot.
set -uo pipefail
here=$(dirname "$0")
. "$here/cases.sh"
cd "$here/../.." || exit

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
kernel=$(ls /lib/modules)

# Everything that make install could leave behind, with what depmod makes of the modules. The tree
# is elsewhere. DKMS makes a key for itself when it signs its first module.
list_files() {
	find / -xdev \( -path /proc -o -path /dev -o -path /mnt -o -path /root -o -path /tmp -o \
		-path '/var/lib/dkms/mok.*' \) -prune -o \
		-printf '%p %y %m %u:%g %l\n'
	cksum /lib/modules/*/modules.*
}

files_are_as_before() {
	list_files | sort >"$tmp/now"
	diff "$tmp/before" "$tmp/now" >"$tmp/diff" || complain "changed: $(head -n 20 "$tmp/diff")"
}

# is_installed KERNEL: as the kernel's own tools see it
is_installed() {
	local path

	path=$(modinfo -k "$1" -n memstress 2>&1) || complain "modinfo: $path" || return
	[[ $path == /lib/modules/$1/updates/dkms/memstress.ko* ]] || complain "it is in $path" || return
	[[ $(modinfo -k "$1" -F version memstress) == "$version" &&
	   $(modinfo -k "$1" -F vermagic memstress) == "$1 "* ]] ||
		complain "$(modinfo -k "$1" memstress)" || return
	dkms status -m memstress -v "$version" -k "$1" 2>"$tmp/err" | grep -q ': installed' ||
		complain "dkms status: $(dkms status)"
}

# is_refused REASON COMMAND...: that one line, and nothing was changed
is_refused() {
	local reason=$1

	shift
	run "$@"
	((status)) || complain "not refused" || return
	said "^memstress: .*$reason" || return
	(($(grep -c '^memstress: ' "$tmp/out") == 1)) || complain "$(cat "$tmp/out")" || return
	files_are_as_before
}

# without PATH REASON: make install is refused if there is no PATH
without() {
	local result=0

	mv "$1" /root/hidden
	list_files | sort >"$tmp/before"
	is_refused "$2" make install || result=1
	mv /root/hidden "$1"
	list_files | sort >"$tmp/before"
	return $result
}

refuses_without_dkms() {
	without /usr/sbin/dkms 'there is no dkms here'
}

refuses_without_headers() {
	without "/lib/modules/$kernel/build" 'no kernel here has its headers; install linux-headers-'
}

# For packagers: files are placed, nothing is run
destdir_takes_all_files() {
	run make install DESTDIR="$tmp/dest" PREFIX=/usr
	expect 0 && files_are_as_before || return
	(cd "$tmp/dest" && find . -type f | grep -v '^./usr/src/.*\.[ch]$' | sort) >"$tmp/placed"
	diff "$tmp/placed" - >"$tmp/diff" <<-EOF || complain "$(cat "$tmp/diff")" || return
		./usr/bin/memstress
		./usr/lib/udev/rules.d/60-memstress.rules
		./usr/share/bash-completion/completions/memstress
		$(cd jobs && printf './usr/share/memstress/jobs/%s\n' *.ini | sort)
		./usr/src/memstress-$version/COPYING
		./usr/src/memstress-$version/Kbuild
		./usr/src/memstress-$version/LICENSES/Linux-syscall-note
		./usr/src/memstress-$version/dkms.conf
	EOF
	run make uninstall DESTDIR="$tmp/dest" PREFIX=/usr
	expect 0 || return
	[[ -z $(find "$tmp/dest" -type f) ]] || complain "left: $(find "$tmp/dest" -type f)"
}

installs() {
	run make install
	expect 0 && said "the module is installed for $kernel" && is_installed "$kernel" || return
	[[ $(/usr/local/bin/memstress --version) == "memstress $version" ]] || complain "no tool"
}

replaces_an_older_version() {
	sed -i 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="0.0.1"/' dkms.conf
	run make install
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$version\"/" dkms.conf
	expect 0 && installs || return
	[[ ! -e /usr/src/memstress-0.0.1 && ! -e /var/lib/dkms/memstress/0.0.1 ]] ||
		complain "the older version is still there"
}

uninstalls() {
	run make uninstall
	expect 0 && files_are_as_before
}

uninstalls_what_is_not_there() {
	uninstalls
}

# A kernel with everything but CONFIG_MEMCG, as far as its headers tell
make_kernel_without_memcg() {
	local headers=/usr/src/linux-headers-$other file

	mkdir -p "/lib/modules/$other"
	cp -a "$(readlink -f "/lib/modules/$kernel/build")" "$headers"
	ln -s "$headers" "/lib/modules/$other/build"
	for file in .config include/config/auto.conf include/generated/autoconf.h; do
		sed -i '/CONFIG_MEMCG\>/d' "$headers/$file"
	done
}

# The exit code of DKMS: 9 in version 2, later 77
skips_a_kernel_without_memcg() {
	other=$kernel-without-memcg
	make_kernel_without_memcg
	run make install
	expect 0 && said "skipped $other" && is_installed "$kernel" || return
	[[ -z $(find "/lib/modules/$other" -name 'memstress*') ]] || complain "not skipped" || return
	run dkms build -m memstress -v "$version" -k "$other"
	((status == 9 || status == 77)) || expect 77 || return
	said 'BUILD_EXCLUSIVE' && ! grep -q 'make.log' "$tmp/out"
}

dkms_is() {
	dpkg --compare-versions "$(dpkg-query -W -f '${Version}' dkms)" "$@"
}

# What the packages of that kernel do when they are installed
lets_that_kernel_be_installed() {
	run /etc/kernel/postinst.d/dkms "$other"
	said BUILD_EXCLUSIVE || return
	if dkms_is ge 3.0.10 && dkms_is lt 3.0.11~; then
		# To this version what was skipped has failed.
		expect 11 || return
		xfail="https://github.com/dkms-project/dkms/issues/302, fixed in 3.0.11"
	else
		expect 0 || return
	fi
	[[ -z $(find "/lib/modules/$other" -name 'memstress*') ]] || complain "not skipped" || return
	rm -rf "/lib/modules/$other" "/usr/src/linux-headers-$other"
}

# By the hooks of the packages
upgrades_with_the_kernel() {
	local packages=/var/lib/memstress-vm base kernels

	# The image of newer kernels pre-depends on a newer one than there is.
	for base in "$packages"/linux-base_*.deb; do
		[[ ! -e $base ]] || { run dpkg -i "$base" && expect 0; } || return
	done
	run env INITRD=No dpkg -i "$packages"/*.deb
	expect 0 || return
	mapfile -t kernels < <(ls /lib/modules)
	((${#kernels[@]} == 2)) || complain "kernels: ${kernels[*]}" || return
	echo "# kernels: ${kernels[*]}"
	is_installed "${kernels[0]}" && is_installed "${kernels[1]}"
}

echo "# dkms $(dpkg-query -W -f '${Version}' dkms), kernel $kernel"
list_files | sort >"$tmp/before"
run_cases refuses_without_dkms refuses_without_headers destdir_takes_all_files installs \
	replaces_an_older_version uninstalls uninstalls_what_is_not_there \
	skips_a_kernel_without_memcg lets_that_kernel_be_installed upgrades_with_the_kernel
