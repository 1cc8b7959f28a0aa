#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dkms.sh [SUITE...]: install the tree in lab machines (all of the list in labs unless named), as a
# user would, with an upgrade of the kernel; boot each with both kernels, and see whether it works
# there and can be removed. KTAP; the last line is: N passed, N failed, N skipped
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/apt.sh"
# shellcheck disable=SC2034 # program.sh's
ktap=$here/ktap.awk
. "$here/program.sh"
. "$here/lab_machine.sh"

out=$top/build/dkms
totals=$out/totals	# lines of: passed failed skipped xfailed
number=0

# trim_modules ROOT: of the kernels' own modules, only what a guest loads stays. depmod reads all of
# them each time that DKMS installs or removes one, which takes minutes under emulation
trim_modules() {
	local modules release

	for modules in "$1"/lib/modules/*/kernel; do
		release=$(basename "$(dirname "$modules")")
		"$here/root.sh" run "$1" "$1/mnt" modprobe -aS "$release" --show-depends \
			virtio_pci 9pnet_virtio 9p overlay autofs4 configfs fuse 2>/dev/null |
			awk -v root="$1" '$1 == "insmod" { print root $2 }' >"$out/keep" || true
		find "$modules" -name '*.ko*' | { grep -vxF -f "$out/keep" || true; } | xargs -r -d '\n' rm
		"$here/root.sh" run "$1" "$1/mnt" depmod "$release"
	done
}

boot() {
	local suite=$1 release=$2 logs=$out/$1/$2

	"$here/lab.sh" "$root" "$release" "$logs" | sed -u 's/^/# /'
	number=$((number + 1))
	tail -n 1 "$logs/results.log" | awk -f "$here/counts.awk" | tee -a "$totals" |
		awk -v result="$number selftests: memstress: dkms_boot $suite $release" '
			{ print ($2 ? "not ok " : "ok ") result }'
}

test_lab() {
	local suite=$1 lower root=$out/$1/root

	lower=$("$here/root.sh" lab "$suite")
	mount_root "$lower" "$out/$suite"
	trim_modules "$root"
	copy_tree "$root/root/memstress"
	number=$((number + 1))
	run_program "$number" "dkms_install $suite" 1800 "$totals" "$here/root.sh" run "$root" \
		"$root/root/memstress" /mnt/selftests/vm/dkms_install.sh
	trim_modules "$root"
	add_unit "$root" selftests/vm/dkms_boot.sh
	for release in "$root"/boot/vmlinuz-*; do
		boot "$suite" "${release##*/vmlinuz-}"
	done
	umount_root "$out/$suite"
}

# From here on in a mount namespace of its own.
test_labs() {
	keep_mounts
	mkdir -p "$out"
	: >"$totals"
	echo "KTAP version 1"
	echo "1..$((3 * $#))"
	for suite; do
		test_lab "$suite"
	done
	awk '
		{ for (i = 1; i <= 4; i++) n[i] += $i }
		END {
			printf "%d passed, %d failed, %d skipped\n", n[1], n[2], n[3] + n[4]
			exit n[2] > 0
		}' "$totals"
}

if [[ ${1:-} == --unshared ]]; then
	shift
	test_labs "$@"
	exit
fi

(($#)) || mapfile -t names < <(awk '!/^#/ { print $1 }' "$here/labs")
set -- "${@:-${names[@]}}"
# All downloads come first.
for suite; do
	"$here/root.sh" lab "$suite" >/dev/null
done
own_mounts "$0" --unshared "$@"
