#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tool on this machine, and on one that lacks what it needs: version and help, memstress doctor
# and memstress kinds; no device, no permission, no memory controller, or two cgroup trees.
. "$(dirname "$0")/cli.sh"

tells_about_itself() {
	run --version && expect 0 && said '^memstress [0-9]' || return
	run run --help && expect 0 && said '^usage: memstress run' && silent "$tmp/err"
}

finds_the_machine_ready() {
	run doctor && expect 0 && said 'This machine is ready' || return
	run doctor --json && expect 0 && is_json "$tmp/out"
}

lists_kinds() {
	run kinds && expect 0 || return
	for kind in page kmalloc cache vmalloc percpu exact kvmalloc \
		anon file memfd pipe socket pagetable stack hugetlb dentry; do
		said "^  $kind " || return
	done
	run kinds --json && expect 0 && is_json "$tmp/out"
}

without_a_device() {
	without_dev run --kind page --size 1M --max 8M
	expect 4 && one_line 'modprobe memstress' || return
	without_dev kinds
	expect 0 && said '^  page .* no: needs the module$' && said '^  anon .* 4K: ' &&
		said 'modprobe memstress' || return
	run_as unshare -m sh -c "mount -t tmpfs tmpfs /dev && exec memstress doctor"
	expect 1 && said 'not ready'
}

# As images of containers have it
without_the_kernel_log() {
	: >"$tmp/kmsg"
	for fake in /dev/null "$tmp/kmsg"; do
		run_as unshare -m sh -c "mount --bind $fake /dev/kmsg && exec memstress doctor"
		expect 0 && said "kmsg .*cannot be read: it is not the kernel's log here" || return
		run_as unshare -m sh -c "mount --bind $fake /dev/kmsg &&
			exec memstress exec --max 8M --swap-max 0 -- $eater"
		expect 137 && one_line 'dd was killed by the OOM killer' ||
			return
		run_as unshare -m sh -c "mount --bind $fake /dev/kmsg &&
			exec memstress run --kind anon --size 1M --max 8M"
		expect 0 && said "cannot read /dev/kmsg: it is not the kernel's log here" || return
	done
}

without_permission() {
	run_as nobody memstress run --kind page --size 1M --max 8M
	expect 4 && one_line 'memstress: Permission denied' || return
	run_as nobody memstress doctor
	expect 1 && said 'not ready'
}

# The device may be opened, but no cgroup made
without_permission_for_cgroups() {
	chmod 666 /dev/memstress
	run_as nobody memstress run --kind page --size 1M --max 8M
	chmod 600 /dev/memstress
	expect 4 && one_line 'cgroup'
}

without_a_memory_controller() {
	run_as unshare -m sh -c "umount $cgroups && exec memstress run --kind page --size 1M --max 8M"
	expect 4 && one_line 'no cgroup tree with memory' || return
	run_as unshare -m sh -c "umount $cgroups && exec memstress stat"
	expect 4 && one_line 'no cgroup tree with memory' || return
	run_as unshare -m sh -c "umount $cgroups && exec memstress doctor"
	expect 1 && said 'bad   cgroup'
}

on_a_hybrid_host() {
	mkdir "$tmp/unified"
	run_as unshare -m sh -c "mount -t cgroup2 cgroup2 $tmp/unified && exec memstress doctor"
	expect 0 && said "cgroup  *v1 with the memory controller" || return
	run_as unshare -m sh -c "mount -t cgroup2 cgroup2 $tmp/unified && exec memstress run --json \
		--kind page --size 1M --max 8M --payer outside"
	expect 0 && is cgroup version 1 && is verdict books exact && rmdir "$tmp/unified"
}

tests="
	tells_about_itself
	finds_the_machine_ready
	lists_kinds
	without_a_device
	without_the_kernel_log
	without_permission
	without_permission_for_cgroups
	without_a_memory_controller
"
[ -z "$v1" ] || tests="$tests
	on_a_hybrid_host
"
run_tests "$tests"
