# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: who is killed may charge over the limit for ever
# law: test_escape
/^[a-z_].*\btry_charge_memcg(/,/^}/ s/if (unlikely(current->flags & PF_MEMALLOC))/if (unlikely(current->flags \& PF_MEMALLOC) || task_is_dying())/
