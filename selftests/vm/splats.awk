# SPDX-License-Identifier: GPL-2.0
#
# Reads a kernel log and prints every line by which the kernel says that something is wrong with
# it, preceded by the test that ran at that time (runner.sh writes marks into the log).

BEGIN { test = "boot" }

{ sub(/^\[ *[0-9.]+\] /, "") }

NR == 1 && !/^Linux version/ { print "the kernel log overran: its beginning is lost" }

/^memstress-vm: / { sub(/^memstress-vm: (test )?/, ""); test = $0; next }

/WARNING: / ||
/BUG: |kernel BUG at/ ||
/BUG [^ ]+ \(.*\): / ||			# slab debugging
/pagealloc: (memory corruption|single bit error)/ ||
/Oops: |general protection fault|Internal error:/ ||
/^UBSAN: / ||
/soft lockup|hard LOCKUP|INFO: task .* blocked for more than/ ||
/rcu: INFO: .*(stall|expedited)/ ||
/possible (circular|recursive) locking|inconsistent lock state|suspicious RCU usage/ ||
/scheduling while atomic|sleeping function called|Bad page (state|map)/ ||
/page_counter underflow|refcount_t: |list_(add|del) corruption/ ||
/Objects remaining in|Slab cache still has objects|kmem_cache_destroy/ ||
/page allocation failure|vmalloc error:|percpu: allocation failed/ ||
/new suspected memory leaks/ ||
/INFO: trying to register non-static key|INFO: lockdep is turned off/ ||
# Without a scan area, which it may be told to go without, kmemleak scans the whole object instead.
/ODEBUG: Out of memory|kmemleak: (Cannot allocate a kmemleak_object|Kernel memory leak detector dis)/ ||
/sysfs: cannot create duplicate/ ||
/unregister_netdevice: waiting|nobody cared/ {
	print test ": " $0
}
