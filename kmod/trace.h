/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events for tracefs: one for each ALLOC that has asked for an object, and each FREE that has
 * freed one. Numbers are those of <linux/memstress.h>, with handle 0 for all of a session;
 * charged_bytes are page_charged_bytes and byte_charged_bytes.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM memstress

#if !defined(_MS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MS_TRACE_H

#include <linux/tracepoint.h>

#include "internal.h"

/* clang-format off */
TRACE_EVENT(memstress_alloc,
	TP_PROTO(const struct ms_session *session, const struct ms_holding *holding, u32 context,
		 u32 stop, const struct ms_tally *tally),
	TP_ARGS(session, holding, context, stop, tally),
	TP_STRUCT__entry(
		__field(u64, session)
		__field(u32, handle)
		__field(u32, kind)
		__field(u32, context)
		__field(u32, stop)
		__field(u64, objects)
		__field(u64, charged_bytes)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->session = session->id;
		__entry->handle = holding->handle;
		__entry->kind = holding->request.ops->kind;
		__entry->context = context;
		__entry->stop = stop;
		__entry->objects = tally->books.objects;
		__entry->charged_bytes =
			tally->books.page_charged_bytes + tally->books.byte_charged_bytes;
		__entry->ns = tally->total_ns;
	),
	TP_printk("session=%llu handle=%u kind=%u context=%u stop=%u objects=%llu charged_bytes=%llu ns=%llu",
		  __entry->session, __entry->handle, __entry->kind, __entry->context,
		  __entry->stop, __entry->objects, __entry->charged_bytes, __entry->ns)
);

TRACE_EVENT(memstress_free,
	TP_PROTO(const struct ms_session *session, u32 handle, u32 context,
		 const struct ms_tally *tally),
	TP_ARGS(session, handle, context, tally),
	TP_STRUCT__entry(
		__field(u64, session)
		__field(u32, handle)
		__field(u32, context)
		__field(u64, objects)
		__field(u64, charged_bytes)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->session = session->id;
		__entry->handle = handle;
		__entry->context = context;
		__entry->objects = tally->books.objects;
		__entry->charged_bytes =
			tally->books.page_charged_bytes + tally->books.byte_charged_bytes;
		__entry->ns = tally->total_ns;
	),
	TP_printk("session=%llu handle=%u context=%u objects=%llu charged_bytes=%llu ns=%llu",
		  __entry->session, __entry->handle, __entry->context, __entry->objects,
		  __entry->charged_bytes, __entry->ns)
);
/* clang-format on */

#endif /* _MS_TRACE_H */

/* Found by the -I of Kbuild. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
