# SPDX-License-Identifier: GPL-2.0
# mm/memcontrol.c: a reset of memory.peak is one for every descriptor
# law: test_peak
/^[a-z_].*\bpeak_write(/,/^}/ s/if (usage > peer_ctx->value)/if (true)/
