// SPDX-License-Identifier: GPL-2.0
/* The one place where the events of trace.h are defined and not only declared. */
#define CREATE_TRACE_POINTS
#include "trace.h"
