#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 of the guest. What to do is in /etc/memstress-vm, one word a line:
#
#   test NAME...		run these selftests
#   soak SECONDS SEED NAME...	run them for that time
#   run COMMAND...	run one command
#   shell TERM		give the user a shell on the console
#
# In the environment, from the kernel's command line: CGROUP=v1 or hybrid mounts cgroups as systemd
# does it in its legacy or hybrid mode, SWAP=zram puts swap there (see guests), KERNEL is which one of
# the list it has, SLOWNESS how many times longer things take on it (see config.sh).
#
# Two serial ports: ttyS0 is the kernel's console, ttyS1 carries results and nothing else, so that
# neither breaks the other's lines. The last line on ttyS1 is the verdict, and it is written only
# when everything that could still spoil it is over: programs, unload, leak scan, kernel log scan.
set -u
export PATH=/usr/bin HOME=/root
vm=/usr/lib/memstress-vm
zram_control=/sys/class/zram-control
. "$vm/verdict.sh"

mount_all() {
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mkdir /dev/pts /dev/shm
	# As udev makes them.
	ln -s /proc/self/fd /dev/fd
	ln -s fd/0 /dev/stdin
	ln -s fd/1 /dev/stdout
	ln -s fd/2 /dev/stderr
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs tmpfs /run
	mount -t tmpfs tmpfs /tmp
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	case ${CGROUP:-v2} in
	v2)	mount_v2 ;;
	*)	mount_v1 ;;
	esac
	mkdir $keeper
}

# The options that systemd uses.
mount_v2() {
	memory=/sys/fs/cgroup
	depth=1
	mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
	sed 's/[a-z]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
	keeper=$memory/keeper
}

mount_v1() {
	memory=/sys/fs/cgroup/memory
	depth=2
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
	awk '!/^#/ && $4 { print $1 }' /proc/cgroups | while read -r controller; do
		mkdir "/sys/fs/cgroup/$controller"
		mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
	done
	if [ "$CGROUP" = hybrid ]; then
		mkdir /sys/fs/cgroup/unified
		mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup/unified
	fi
	# As systemd does. Before 5.11 limits do not hold below the root without this.
	echo 1 >$memory/memory.use_hierarchy
	keeper=$memory/keeper
}

# Half as much as there is memory. False if this kernel has no zram.
swap_on_zram() {
	[ -e /sys/block/zram0 ] || modprobe zram || return
	awk '/^MemTotal:/ { print int($2 / 2) "K" }' /proc/meminfo >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
}

# The first disk leaves names of slab caches that it shared with others (sysfs_slab_alias() of
# mm/slub.c). So one comes and goes before they are counted; tests make their own.
pass_zram() {
	[ -e $zram_control ] || modprobe -q zram 2>/dev/null || return 0
	disk=$(cat $zram_control/hot_add) || return
	echo 1M >"/sys/block/zram$disk/disksize" && echo "$disk" >$zram_control/hot_remove
}

# Newer kernels set zswap up when it is enabled first (zswap_enabled_param_set() of mm/zswap.c), and
# that stays.
pass_zswap() {
	zswap=/sys/module/zswap/parameters/enabled
	[ -w $zswap ] || return 0
	enabled=$(cat $zswap)
	echo Y >$zswap
	echo "$enabled" >$zswap
}

# What the guest was to be and is not: no test can make up for it.
cannot() {
	echo 0 1 0 0 >>"$totals"
	say "$*" >&2
}

# wait_until SECONDS COMMAND...: for what the kernel tears down in the background
wait_until() {
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		usleep 100000
	done
}

# The first pid namespace of each depth leaves one (create_pid_cachep() of kernel/pid_namespace.c).
slabs() {
	find /sys/kernel/slab -mindepth 1 -maxdepth 1 ! -name 'pid_[0-9]*'
}

new_slabs() {
	slabs | grep -vxF -f /run/slabs | xargs
}

no_new_slabs() {
	[ -z "$(new_slabs)" ]
}

# /proc/cgroups counts a hierarchy's cgroups until they are freed (css_free_rwork_fn()).
dying_cgroups() {
	if [ $depth = 1 ]; then
		awk '$1 == "nr_dying_descendants" { print $2 }' $memory/cgroup.stat
	else
		awk -v there="$(find $memory -type d | wc -l)" \
			'$1 == "memory" { print $3 - there }' /proc/cgroups
	fi
}

no_dying_cgroups() {
	# Page cache keeps its cgroup alive, and is no leak.
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(dying_cgroups)" = 0 ]
}

# The first cgroup switches code of the page allocator (static keys such as cpusets_enabled_key), and
# the removal of the last one switches it back. A CPU that is emulated may still run what was there
# in between, which is an int3. So one cgroup stays, the keeper.
cgroups() {
	find /sys/fs/cgroup -mindepth $depth -depth -type d ! -path $keeper
}

scan_leaks() {
	[ -z "$(cgroups)" ] || leak "cgroups:" "$(cgroups | xargs)"
	if [ -d /sys/module/memstress ] && ! rmmod memstress; then
		leak "the module does not unload"
	fi
	# Freed slots of swap keep their cgroup until the CPU's cache of them is full, or swap is gone
	# (free_swap_slot() of mm/swap_slots.c, up to 6.12).
	[ -z "${SWAP:-}" ] || swapoff /dev/zram0 || leak "swap on $SWAP does not end"
	wait_until 5 no_new_slabs || leak "slab caches: $(new_slabs)"
	wait_until 20 no_dying_cgroups || leak "dying cgroups: $(dying_cgroups)"
	if [ -e /sys/kernel/debug/kmemleak ]; then
		# Objects younger than 5 s are not reported, and one scan may see stale pointers. What
		# it finds goes to the kernel log, where scan_log() counts it.
		for _ in 1 2; do
			sleep 6
			echo scan >/sys/kernel/debug/kmemleak
		done
		cat /sys/kernel/debug/kmemleak
	fi
}

main() {
	say "up $(cut -d ' ' -f 1 /proc/uptime)"
	[ $depth = 1 ] || [ -e $memory/memory.usage_in_bytes ] ||
		leak "CGROUP=$CGROUP: this kernel has no memory controller for cgroup v1"
	mode=$1
	shift
	case $mode in
	test)
		. "$vm/runner.sh"
		run_all "$@"
		;;
	soak)
		. "$vm/runner.sh"
		soak "$@"
		;;
	run)
		"$@" && counts="1 0 0 0" || counts="0 1 0 0"
		echo "$counts" >>"$totals"
		;;
	esac
	scan_leaks
	scan_log
	verdict
}

mount_all
ip link set lo up
hostname memstress
stty -F /dev/ttyS1 raw -echo
[ -z "${SWAP:-}" ] || swap_on_zram || cannot "there is no swap on $SWAP"
pass_zram
pass_zswap 2>/dev/null
slabs >/run/slabs
# Boot shows everything; from here on an OOM report must not slow down what is measured.
dmesg -n 5
modprobe memstress || cannot "the module does not load"

set --
while IFS= read -r word; do
	set -- "$@" "$word"
done </etc/memstress-vm

if [ "$1" = shell ]; then
	export TERM="$2"
	setsid cttyhack sh
else
	main "$@" </dev/null >/dev/ttyS1 2>&1
	# Setting a tty's parameters waits for its output: power must not go before the last line.
	stty -F /dev/ttyS1 raw -echo
fi
poweroff -f
