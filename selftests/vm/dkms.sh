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

out=$top/build/dkms
totals=$out/totals	# lines of: passed failed skipped xfailed
number=0

# copy_tree DIR: what git knows of it or would add
copy_tree() {
	mkdir "$1"
	(cd "$top" && git ls-files -co --exclude-standard | while read -r file; do
		[[ ! -f $file ]] || echo "$file"
	done | xargs -d '\n' cp --parents -t "$1")
}

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

# add_unit ROOT: boot into the test and into nothing that could disturb it
add_unit() {
	local system=$1/etc/systemd/system vm=/root/memstress/selftests/vm unit

	cat >"$system/memstress-vm.service" <<-EOF
		[Service]
		Environment=HOME=/root
		ExecStart=$vm/lab_run.sh dkms_boot $vm/dkms_boot.sh
	EOF
	for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer getty.target \
		    getty-static.service serial-getty@ttyS0.service; do
		ln -sf /dev/null "$system/$unit"
	done
	mkdir -p "$system/multi-user.target.wants"
	ln -s ../memstress-vm.service "$system/multi-user.target.wants"
	# Without one, systemd believes that this is the first boot and sets up everything.
	tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id"
}

boot() {
	local suite=$1 release=$2 logs=$out/$1/$2

	"$here/lab.sh" "$root" "$release" "$logs" | sed -u 's/^/# /'
	number=$((number + 1))
	tail -n 1 "$logs/results.log" | awk -f "$here/counts.awk" | tee -a "$totals" |
		awk -v result="$number selftests: memstress: dkms_boot $suite $release" '
			{ print ($2 ? "not ok " : "ok ") result }'
}

# The root stays as it is: what is changed goes to a folder over it.
test_lab() {
	local suite=$1 lower root=$out/$1/root

	lower=$("$here/root.sh" lab "$suite")
	rm -rf "${out:?}/$suite"
	mkdir -p "$root" "$out/$suite/upper" "$out/$suite/work"
	mount -t overlay overlay "$root" -o "$overlay_options,\
lowerdir=$lower,upperdir=$out/$suite/upper,workdir=$out/$suite/work"
	trim_modules "$root"
	copy_tree "$root/root/memstress"
	number=$((number + 1))
	run_program "$number" "dkms_install $suite" 1800 "$totals" "$here/root.sh" run "$root" \
		"$root/root/memstress" /mnt/selftests/vm/dkms_install.sh
	trim_modules "$root"
	add_unit "$root"
	for release in "$root"/boot/vmlinuz-*; do
		boot "$suite" "${release##*/vmlinuz-}"
	done
	umount "$root"
	rm -rf "$out/$suite/upper" "$out/$suite/work"
}

# From here on in a mount namespace of its own.
test_labs() {
	# As in root.sh.
	mount --make-rprivate / 2>/dev/null || true
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
	overlay_options=$2
	shift 2
	test_labs "$@"
	exit
fi

(($#)) || mapfile -t names < <(awk '!/^#/ { print $1 }' "$here/labs")
set -- "${@:-${names[@]}}"
# All downloads come first.
for suite; do
	"$here/root.sh" lab "$suite" >/dev/null
done
if ((EUID)); then
	# A user namespace cannot set the attributes that overlayfs has otherwise.
	exec unshare --mount --propagation unchanged --map-root-user "$0" --unshared userxattr "$@"
else
	exec unshare --mount --propagation unchanged "$0" --unshared rw "$@"
fi
