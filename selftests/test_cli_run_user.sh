#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress run with user memory, and what the kernel keeps for it: the books balance, to the byte or
# within a bound that is known.
. "$(dirname "$0")/cli.sh"

# has_moved BYTES: exactly
has_moved() {
	between "$1" "$(moved_by)" "$1"
}

# With the module, which settles: to the byte
user_memory_is_exact() {
	size=33554432
	for how in anon anon,mlock anon,object-size=64K; do
		run run --json --kind $how --size $size --max 128M
		expect 0 && is verdict books exact && has_moved $((size + $(tables $size))) ||
			complain $how || return
	done
	if ! grep -q never /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null; then
		run run --kind anon,thp=on --size $size --max 128M
		expect 4 && one_line 'no transparent huge pages' || return
	elif ! grep -q '\[never\]' /sys/kernel/mm/transparent_hugepage/enabled; then
		run run --json --kind anon,thp=on --size $size --max 128M
		expect 0 && is verdict books exact && is alloc objects 16 &&
			has_moved $((size + $(tables $size))) || return
	fi
	run run --json --kind pagetable --count 1000 --max 32M
	expect 0 && is verdict books exact && has_moved $(((1000 + 2 + 1) * page))
}

# within_bound KIND BYTES MORE: usage moves by as much, or up to MORE more
within_bound() {
	run run --json --kind "$1" --max 128M
	expect 0 && is verdict books within && is alloc page_charged_bytes "$2" &&
		is alloc more_bytes "$3" && is verdict bound_bytes "$3" || return
	between "$2" "$(moved_by)" $(($2 + $3)) || complain "$1"
}

# What the kernel keeps besides has a bound, which is of slab objects whose size nobody tells
user_memory_is_within_its_bound() {
	within_bound memfd,size=16M 16777216 $((65 * 1024)) &&
		within_bound pipe,size=8M 8388608 $((128 * 10240)) &&
		within_bound stack,count=50 $((50 * 16384)) $((50 * 53248)) || return
	if [ -n "$v1" ]; then
		run run --kind socket --count 10 --max 8M
		expect 4 && one_line 'cgroup v1 counts sockets apart'
	else
		within_bound socket,count=64 $((64 * 32768)) $((64 * 57344))
	fi
}

# The module is charged for its own books of a holding, too, of which usage takes a page at most
user_memory_beside_kernel_memory() {
	cost_of 1024 || return
	run run --json --kind page,size=4M --kind anon,size=4M --kind kmalloc,object-size=1K,count=1000 \
		--kind memfd,size=4M --max 64M
	expect 0 && is verdict pass true && is verdict books within && is free objects 4072 || return
	least=$((3 * 4194304 + $(tables 4194304) + 1000 * cost))
	between $least "$(moved_by)" $((least + page + $(value verdict bound_bytes))) || return
	run run --kind page,size=4M --kind anon,size=4M --max 64M
	expect 0 && said '^  *1  page, order 0  *done  *1024  *4194304  *4194304$' &&
		said "^  *2  anon, 4096 bytes  *done  *1024  *4194304  *$((4194304 + $(tables 4194304)))$" &&
		said 'the books balance within 4K'
}

# What was made when the OOM killer struck is known all the same
user_memory_until_oom() {
	max=16777216
	for kind in anon memfd pagetable pipe stack; do
		run run --json --kind $kind --max 16M --swap-max 0 --until oom
		expect 0 && is verdict outcome oom && is exit signal 9 && is alloc stop killed ||
			complain $kind || return
		least=$(value alloc page_charged_bytes)
		most=$((least + $(value alloc more_bytes) + $(value counters usage_bytes baseline)))
		between 1 "$least" "$max" || complain $kind || return
		between $((max - $(stock))) "$most" 99999999 || complain $kind || return
	done
	run run --kind anon --max 16M --swap-max 0 --until oom
	expect 0 && said '^PASS: the OOM killer killed worker' && said 'signal 9 (Killed)'
}

user_memory_until_a_share() {
	most=16777216
	# The first fault makes two objects (anon_vma_prepare() of mm/rmap.c). They are 864 bytes where
	# slabs are watched for overruns, and of what is rounded up to a page they may begin another.
	cost_of 8 || return
	[ "$cost" -eq 16 ] || most=$((most + page))
	run run --json --kind anon --max 32M --until 50%
	# A page less than half of it has room for a page, and perhaps a table.
	expect 0 && between $((16777216 - 3 * page)) "$(value counters usage_bytes held)" $most || return
	run run --json --kind memfd,size=4M --kind anon --max 32M --until 50%
	expect 0 && between $((16777216 - 3 * page)) "$(value counters usage_bytes held)" $most
}

# What a softirq receives is dropped there, or passes it where GFP_ATOMIC may; then the next socket
# meets the OOM killer
sockets_until_the_limit() {
	needs_v2 "sockets in memory.usage_in_bytes" || return
	run run --json --kind socket --max 8M --swap-max 0 --until oom
	case $(value verdict outcome) in
	oom) expect 0 && is alloc stop killed ;;
	enomem) expect 1 && is alloc stop failed && is exit code 0 ;;
	*) complain "it ended by $(value verdict outcome)" ;;
	esac && between 1 "$(value alloc requested_bytes)" 8388608
}

# On a ramfs, whose pages are page cache of the kind that a disk has
page_cache_of_both_sorts() {
	size=8388608
	mkdir "$tmp/ramfs" && mount -t ramfs ramfs "$tmp/ramfs" || return
	for how in file file,clean; do
		run run --json --kind $how,dir="$tmp/ramfs" --size $size --max 64M
		expect 0 && is verdict books within && between $size "$(moved_by)" $((size * 13 / 10)) &&
			between $size "$(value alloc page_charged_bytes)" $size
		result=$?
		[ "$result" -eq 0 ] || break
	done
	umount "$tmp/ramfs" && rmdir "$tmp/ramfs"
	[ "$result" -eq 0 ] || complain "$how" || return
	mkdir "$tmp/shm" && mount -t tmpfs tmpfs "$tmp/shm" || return
	run run --kind file,dir="$tmp/shm" --size 1M --max 8M
	umount "$tmp/shm" && rmdir "$tmp/shm"
	expect 4 && one_line 'is on a tmpfs'
}

# What a dentry takes: a slab object, and to whom it is charged
dentry() {
	echo $(($(cat /sys/kernel/slab/dentry/slab_size) + 8))
}

# On v2 memory.stat has them, too; it may be late
dentries_are_charged_by_the_byte() {
	bytes=$((40000 * $(dentry)))
	run run --json --kind dentry --count 40000 --max 64M
	expect 0 && is_stream && is verdict books within && is alloc page_charged_bytes 0 &&
		is alloc byte_charged_bytes $bytes && is alloc more_bytes 0 && is free objects 40000 || return
	bound=$(value verdict bound_bytes)
	between 4096 "$bound" 65536 && between $((bytes - bound)) "$(moved_by)" $((bytes + bound)) || return
	if [ -z "$v1" ]; then
		slab=$(($(value counters slab held) - $(value counters slab baseline)))
		between $((bytes - $(stock))) $slab $((bytes + $(stock))) || return
	fi
	run_as nobody memstress kinds
	expect 0 && said '^  dentry .*this needs root$'
}

dentries_until_oom() {
	max=16777216
	run run --json --kind dentry --max $max --swap-max 0 --until oom
	expect 0 && is verdict outcome oom && is exit signal 9 && is alloc stop killed || return
	bytes=$(value alloc byte_charged_bytes)
	between 1 "$bytes" $max && between $((max - $(stock))) \
		$((bytes + page + $(value counters usage_bytes baseline))) 99999999 || return
	! grep ramfs /proc/mounts
}

user_memory_needs_no_module() {
	size=33554432
	without_dev run --json --kind anon --size $size --max 64M
	expect 0 && is_stream && is verdict books within && is verdict bound_bytes "$(stock)" &&
		is alloc page_charged_bytes $((size + $(tables $size))) || return
	between $((size + $(tables $size) - $(stock))) "$(moved_by)" $((size + $(tables $size) + $(stock))) ||
		return
	for kind in memfd pagetable pipe stack dentry; do
		without_dev run --json --kind $kind --count 10 --max 64M
		expect 0 && is verdict books within && is alloc objects 10 && is free objects 10 ||
			complain $kind || return
	done
	# Nothing limits it, and nothing is there to be limited.
	without_dev run --quiet --kind anon --size 4M
	expect 0 && silent "$tmp/err"
}

# The red twin: somebody else uses memory in there meanwhile
user_memory_notices_a_stranger() {
	mkdir "$tmp/ramfs" && mount -t ramfs ramfs "$tmp/ramfs" || return
	start --kind anon,size=4M,growth=steps,step=2M,every=3s --max 64M --cgroup /memstress-twin
	await has_record level || return
	(
		sh -c "echo \$\$ >$cgroups/memstress-twin/cgroup.procs &&
			exec dd if=/dev/zero of=$tmp/ramfs/stranger bs=1M count=8" 2>/dev/null
	)
	finish
	umount "$tmp/ramfs" && rmdir "$tmp/ramfs"
	expect 1 && is verdict books wrong && is verdict outcome "done"
}

user_memory_without_privilege() {
	make_parent memstress-parent 64M && mkdir "$cgroups/memstress-parent/tool" || return
	chown -R nobody "$cgroups/memstress-parent"
	run_as below memstress-parent/tool nobody memstress run --json --kind anon --size 8M
	expect 0 && is_stream && is verdict books within && is alloc objects 2048
	result=$?
	run_as below memstress-parent/tool nobody memstress run --kind anon --max 8M --swap-max 0 --until oom
	expect 0 && said '^PASS: the OOM killer killed' || result=1
	rmdir "$cgroups/memstress-parent/tool" "$cgroups/memstress-parent"
	return $result
}

tests="
	user_memory_is_exact
	user_memory_is_within_its_bound
	user_memory_beside_kernel_memory
	user_memory_until_oom
	user_memory_until_a_share
	sockets_until_the_limit
	page_cache_of_both_sorts
	dentries_are_charged_by_the_byte
	dentries_until_oom
"
# What needs no module
tests="$tests
	user_memory_needs_no_module
	user_memory_notices_a_stranger
	user_memory_without_privilege
"
run_tests "$tests"
