// SPDX-License-Identifier: GPL-2.0
#include "manager.h"
#include "unit.h"

bool manager_begin(struct manager *manager, bool is_mute)
{
	(void)manager;
	(void)is_mute;
	unit_skip("built without libsystemd");
	return false;
}

void manager_end(struct manager *manager)
{
	(void)manager;
}
