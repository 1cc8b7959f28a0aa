#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Whose the memory is, object by object: memstress audit, and the audit of a run; and the books of an
# empty payer, which must be exact.
. "$(dirname "$0")/cli.sh"

audits_each_kind() {
	run audit && expect 0 && said '^PASS: all is charged to whom it should be' || return
	said 'page, order 0  *there  *256  *256  *0  *0  *0  *the payer$' || return
	said 'percpu, .*the kernel does not tell$' && said ' 0 off.$' && silent "$tmp/err" || return
	if kernel_before 5 13; then
		said 'vmalloc, .* removed .* the payer$'
	else
		said 'vmalloc, .* removed .* its parent$'
	fi || return
	run audit --json --kind page && expect 0 && is_json "$tmp/out" || return
	is audit payer removed && is audit right_objects 256 && is audit first_index null &&
		is verdict pass true && is verdict misplaced_objects 0 && is verdict settled true || return
	run audit --kind nosuch && expect 2 && one_line "unknown kind 'nosuch'"
}

audits_what_it_runs() {
	run run --json --kind page --size 1M --kind kmalloc,count=10 --max 8M
	expect 0 && is_stream && is audit step 2 && is audit unasked_objects 10 || return
	run run --json --kind vmalloc --size 1M --max 8M --payer outside
	expect 0 && is audit right_objects 16 && is audit wrong_objects 0 && is audit unowned_objects 0 &&
		is audit right_id "$(value cgroup id)" && is audit first_owner_id null
}

# uses_or_ends CGROUP BYTES: or it is too late for that
uses_or_ends() {
	uses "$@" || has_record verdict
}

# Its worker is moved in the middle of a step, so another cgroup pays for the rest
notices_that_somebody_else_pays() {
	make_parent memstress-other 256M || return
	for try in 1 2 3 4 5 6 7 8 9 10; do
		start --kind page --size 200M --max 256M --cgroup /memstress-moved
		await has_record step && await uses_or_ends memstress-moved 16777216
		value worker pid >"$cgroups/memstress-other/cgroup.procs" 2>/dev/null
		finish
		# On a busy machine the move may come when all is made.
		[ "$(value audit wrong_objects)" = 0 ] || break
		echo "# $current: try $try came too late"
	done
	expect 1 && is verdict pass false && is verdict outcome "done" && is audit unowned_objects 0 &&
		is audit first_owner_id "$(stat -c %i "$cgroups/memstress-other")" &&
		is audit first_index "$(value audit right_objects)" &&
		between 1 "$(value audit wrong_objects)" 51200
	result=$?
	await rmdir "$cgroups/memstress-other" || return
	return $result
}

# books_of ARGUMENT...: must be exact, with an empty payer
books_of() {
	run run --json --max 32M --payer outside "$@"
	expect 0 && is verdict books exact || complain "$*" || return
	[ "$(value counters usage_bytes baseline)" = 0 ] || complain "the empty payer is not empty"
}

outside_payer_is_exact() {
	books_of --kind page --size 4M && books_of --kind page,order=3 --size 4M || return
	books_of --kind kmalloc,object-size=8,count=10001 || return
	books_of --kind kmalloc,object-size=96,count=777 --kind cache,object-size=96,count=777 || return
	books_of --kind percpu,object-size=12,count=333 --kind vmalloc --size 1M || return
	books_of --kind page --size 1M --kind kmalloc --size 1M --free random --seed 7
}

# The red twin of the above: something else is charged to the payer while it holds
outside_payer_notices_a_stranger() {
	start --kind page --size 1M --max 16M --payer outside --cgroup /memstress-twin --hold 3s
	await has_record hold || return
	sh -c "echo \$\$ >$cgroups/memstress-twin/cgroup.procs && exec sleep 60" &
	stranger=$!
	finish
	expect 1 && is verdict books wrong && await is_over $stranger
}

nobody_pays_without_an_account() {
	run run --json --kind page,noaccount --size 4M --payer outside
	expect 0 && is alloc payer_id 0 && is alloc page_charged_bytes 0 || return
	[ "$(value counters usage_bytes held)" = 0 ] || complain "somebody paid"
}

tests="
	audits_each_kind
	audits_what_it_runs
	notices_that_somebody_else_pays
	outside_payer_is_exact
	outside_payer_notices_a_stranger
	nobody_pays_without_an_account
"
run_tests "$tests"
