#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# memstress run with kernel memory: made and freed in every way, in every order and context.
. "$(dirname "$0")/cli.sh"

# memcg_kmem_bypass() of mm/memcontrol.c let nobody be charged in an interrupt before 5.15
charges_interrupts() {
	case $(uname -r) in 5.1[0-4].*) false ;; esac
}

made_in_every_way() {
	for how in cache,method=bulk kmalloc,method=grow kmalloc,method=shrink \
		kmalloc,method=shrink,object-size=65536 percpu,align=64 exact kvmalloc; do
		run run --json --kind $how --size 1M --max 8M --payer outside
		expect 0 && is verdict books exact || complain $how || return
	done
	# alloc_pages_bulk() is as old as 5.13
	run run --json --kind page,method=bulk --size 1M --max 8M --payer outside
	if kernel_before 5 13; then
		expect 4 && one_line 'cannot be allocated by bulk' || return
	else
		expect 0 && is step method bulk && is alloc objects 256 || return
	fi
	run run --kind vmalloc,method=grow --size 1M --max 8M
	expect 4 && one_line 'cannot be allocated by grow' || return
	run run --kind page,order=1,method=bulk --size 1M --max 8M
	kernel_before 5 13 || { expect 2 && one_line 'only order 0'; } || return
	run run --kind percpu,align=24 --size 1M --max 8M
	expect 2 && one_line "'24' is not allowed; give a power of two" || return
	run run --kind percpu,align=8192 --size 1M --max 8M
	expect 2 && one_line 'up to 4096'
}

freed_in_every_way() {
	for how in singly:page bulk:cache bulk:kmalloc rcu:page rcu:percpu split:page,order=3; do
		run run --json --kind "${how#*:}" --size 1M --max 8M --free-by "${how%%:*}"
		expect 0 && is free method "${how%%:*}" && is free context task ||
			complain "$how" || return
	done
	for context in kworker softirq hardirq; do
		run run --json --kind page --size 1M --max 8M --free-context $context
		expect 0 && is free context $context || complain $context || return
	done
	run run --size 1M --kind cache --kind vmalloc --max 8M --free-by bulk
	expect 4 && one_line 'step 2 (vmalloc): this kind cannot be freed by bulk' || return
	run run --kind kmalloc,object-size=8 --size 1M --max 8M --free-by rcu
	expect 2 && one_line 'by rcu it is at least 16' || return
	run run --kind cache --size 1M --max 8M --free-by bulk --free-context hardirq
	expect 2 && one_line 'cannot be done in a hardirq' || return
	run run --kind cache --size 1M --max 8M --free-by magic
	expect 2 && one_line 'one of singly, bulk, rcu, split'
}

in_every_context() {
	for context in kworker softirq hardirq; do
		run run --json --kind page --context $context --cpu 0 --size 2M --max 8M --payer outside
		if [ $context != kworker ] && ! charges_interrupts; then
			expect 4 && one_line 'charges nobody' || complain $context || return
			continue
		fi
		expect 0 && is step context $context && is step cpu 0 && is alloc objects 512 &&
			is verdict books exact || complain $context || return
	done
	run run --kind page --context softirq --policy kernel --size 1M --max 8M
	expect 2 && one_line 'may sleep' || return
	run run --kind vmalloc --context hardirq --size 1M --max 8M
	expect 4 && one_line 'in a hardirq' || return
	run run --kind page --context kworker --cpu 9999 --size 1M --max 8M
	expect 2 && one_line 'no CPU 9999'
}

frees_in_any_order() {
	for order in fifo lifo random; do
		run run --json --kind cache --size 1M --max 8M --free $order
		expect 0 && is free order $order && is free objects 1024 || return
	done
}

what_the_kernel_lacks_is_unsupported() {
	run run --kind vmalloc --policy atomic --size 1M --max 8M
	expect 4 && one_line 'policy atomic' || return
	run run --kind page,order=2 --policy nofail --size 1M --max 8M
	expect 4 && one_line 'nofail'
}

tests="
	made_in_every_way
	freed_in_every_way
	in_every_context
	frees_in_any_order
	what_the_kernel_lacks_is_unsupported
"
run_tests "$tests"
