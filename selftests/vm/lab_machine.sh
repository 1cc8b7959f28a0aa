# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What becomes of a root (see root.sh lab) before it is booted, for scripts that source this. The root
# itself stays as it is: what is changed goes to a folder over it.
#
# shellcheck disable=SC2154 # top, of who sources this

# own_mounts COMMAND...: with mounts of its own, which are gone when it ends. Does not return
own_mounts() {
	local options=(--mount --propagation unchanged)

	export overlay_options=rw
	if ((EUID)); then
		# A user namespace cannot set the attributes that overlayfs has otherwise.
		overlay_options=userxattr
		options+=(--map-root-user)
	fi
	exec unshare "${options[@]}" "$@"
}

# keep_mounts: those that are made from here on are nobody else's
keep_mounts() {
	# As in root.sh.
	mount --make-rprivate / 2>/dev/null || true
}

# mount_root LOWER DIR: as DIR/root
mount_root() {
	rm -rf "${2:?}"
	mkdir -p "$2/root" "$2/upper" "$2/work"
	mount -t overlay overlay "$2/root" \
		-o "$overlay_options,lowerdir=$1,upperdir=$2/upper,workdir=$2/work"
}

# umount_root DIR: what was changed is forgotten
umount_root() {
	umount "$1/root"
	rm -rf "$1/upper" "$1/work"
}

# copy_tree DIR: what git knows of it or would add
copy_tree() {
	mkdir "$1"
	(cd "$top" && git ls-files -co --exclude-standard | while read -r file; do
		[[ ! -f $file ]] || echo "$file"
	done | xargs -d '\n' cp --parents -t "$1")
}

# quiet_boot ROOT UNIT...: without these, and without what could disturb
quiet_boot() {
	local etc=$1/etc unit

	shift
	for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer "$@"; do
		ln -sf /dev/null "$etc/systemd/system/$unit"
	done
	# Without one, systemd believes that this is the first boot and sets up everything.
	tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
}

# add_unit ROOT PROGRAM...: boot into these tests, paths in the tree, and into nothing else
add_unit() {
	local system=$1/etc/systemd/system tree=/root/memstress

	quiet_boot "$1" getty.target getty-static.service serial-getty@ttyS0.service
	shift
	cat >"$system/memstress-vm.service" <<-EOF
		[Service]
		Environment=HOME=/root
		ExecStart=$tree/selftests/vm/lab_run.sh ${*/#/$tree/}
	EOF
	mkdir -p "$system/multi-user.target.wants"
	ln -s ../memstress-vm.service "$system/multi-user.target.wants"
}

# add_login ROOT: root is logged in on the console, with the terminal that is here
add_login() {
	local drop_ins=$1/etc/systemd/system/serial-getty@ttyS0.service.d size

	quiet_boot "$1"
	mkdir -p "$drop_ins"
	cat >"$drop_ins/autologin.conf" <<-EOF
		[Service]
		Environment=TERM=${TERM:-dumb}
		ExecStart=
		ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I \$TERM
	EOF
	echo lab >"$1/etc/hostname"
	# A serial line does not tell it.
	if size=$(stty size 2>/dev/null); then
		echo "stty rows ${size% *} cols ${size#* }" >"$1/etc/profile.d/memstress-vm.sh"
	fi
}
