#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lab.sh ROOT RELEASE LOGS: boot a root (see root.sh lab) under systemd with its kernel RELEASE, and
# show what its unit memstress-vm.service writes to ttyS1; the last line is its verdict (verdict.sh)
# if it got that far. Nothing is written to ROOT. Logs are kept in the folder LOGS.
# lab.sh ROOT RELEASE LOGS shell: boot it with the console here
#
# Environment: MEM (of the guest), SMP, LIMIT (seconds), CGROUP=v1 or hybrid (as systemd has them in
# its legacy or hybrid mode).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"

root=$1 release=$2 logs=$3
boot_limit=300	# until the first line on ttyS1

# pack OUTPUT: the initramfs
pack() (
	number=100
	tree=$(mktemp -d)
	trap 'rm -rf "$tree"' EXIT
	mkdir "$tree"/{bin,modules,proc,sys,dev}
	cp "$(command -v busybox)" "$tree/bin"
	for applet in sh mkdir mount umount insmod switch_root; do
		ln -s busybox "$tree/bin/$applet"
	done
	install -m 755 "$here/lab_init.sh" "$tree/init"
	# In the order in which they are to be loaded.
	while read -r module; do
		number=$((number + 1))
		case $module in
		*.xz)	xz -dc "$root$module" ;;
		*)	cat "$root$module" ;;
		esac >"$tree/modules/$number"
	done < <("$here/root.sh" run "$root" "$root/mnt" \
		modprobe -aS "$release" --show-depends virtio_pci 9pnet_virtio 9p overlay |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }')
	(cd "$tree" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null) >"$1"
)

mkdir -p "$logs"
pack "$logs/initramfs.cpio"

cmdline="console=ttyS0 no_timer_check panic=-1 oops=panic log_buf_len=16M printk.devkmsg=on"
case ${CGROUP:-v2} in
v1)	cmdline+=" systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1" ;;
hybrid)	cmdline+=" systemd.unified_cgroup_hierarchy=0" ;;
esac
# Of two, the later one counts.
[[ ${4:-} != shell ]] || cmdline+=" loglevel=4"
qemu=(
	qemu-system-x86_64 -no-user-config -nodefaults -display none -nic none -no-reboot
	-m "${MEM:-2G}" -smp "${SMP:-2}"
	-kernel "$root/boot/vmlinuz-$release" -initrd "$logs/initramfs.cpio" -append "$cmdline"
	-fsdev "local,id=root,path=$root,security_model=none,readonly=on,multidevs=remap"
	-device "virtio-9p-pci,fsdev=root,mount_tag=root9"
)

if [[ ${4:-} == shell ]]; then
	read -ra accel < <("$here/accel.sh")
	exec "${qemu[@]}" "${accel[@]}" -serial mon:stdio
fi

qemu_pid=
trap '[[ -z $qemu_pid ]] || kill "$qemu_pid"' EXIT

# boot ACCEL...: false if systemd never gets to the unit
boot() {
	local fd line

	exec {fd}< <(exec timeout --foreground -k 5 "${LIMIT:-1800}" "${qemu[@]}" "$@" \
		-serial "file:$logs/console.log" -serial stdio </dev/null 2>"$logs/qemu.log")
	qemu_pid=$!
	: >"$logs/results.log"
	if ! IFS= read -r -t "$boot_limit" -u "$fd" line; then
		kill "$qemu_pid" 2>/dev/null || true
		qemu_pid=
		return 1
	fi
	while
		echo "$line" | tee -a "$logs/results.log"
		IFS= read -r -u "$fd" line
	do :; done
	qemu_pid=
}

read -ra accel < <("$here/accel.sh")
if ! boot "${accel[@]}"; then
	# As in run.sh: it happens.
	say "the guest did not get to its tests; trying once more"
	read -ra accel < <("$here/accel.sh" tcg)
	boot "${accel[@]}" || say "the guest did not get to its tests again"
fi
if ! tail -n 1 "$logs/results.log" | grep -q '^memstress-vm: verdict '; then
	say "no verdict; the last words of the guest:"
	{ tail -n 40 "$logs/console.log"; cat "$logs/qemu.log"; } >&2
fi
