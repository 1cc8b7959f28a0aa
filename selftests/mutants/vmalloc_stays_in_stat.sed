# SPDX-License-Identifier: GPL-2.0
# mm/vmalloc.c: vmalloc() stays in memory.stat when it is freed
# law: test_return
s/mod_lruvec_page_state(vm->pages\[i\], NR_VMALLOC, -1);/;/
