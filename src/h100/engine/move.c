// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Moving data page by page. Both ends of a copy are looked up as far as their pages reach, and what
 * both reach is one memmove; where the CPU has no pointer, a buffer of a page goes between.
 */
#include "h100/engine/move.h"

#include <emmintrin.h>
#include <string.h>

#include "base/bits.h"
#include "h100/engine/fabric.h"
#include "os/os.h"

#define TURN_BYTES KIB(512)  /* moved between two looks at whether others wait */
#define STREAM_BYTES MIB(16) /* from so much on, a copy goes past the caches, as memcpy's does */
#define STREAM_PIECE 64u
#define LAST_ADDRESS (~(u64)0)
#define RUN_COST 128u /* what a short run costs more than its bytes */

void h100_mover_init(struct h100_mover *m, struct h100_engine_call *call, u8 client, u16 engine_id)
{
	*m = (struct h100_mover){
		.call = call,
		.client = client,
		.engine_id = engine_id,
	};
}

static enum h100_method_result fault(struct h100_mover *m)
{
	m->call->fault.client = m->client;
	m->call->fault.engine_id = m->engine_id;
	return H100_METHOD_FAULT;
}

static enum h100_method_result unreachable(struct h100_mover *m, const struct h100_end *end,
					   u64 address, enum h100_fault_type type)
{
	struct h100_fault *f = &m->call->fault;

	memset(f, 0, sizeof(*f));
	f->type = type;
	f->va = address;
	f->pdb = m->call->pdb;
	if (end->physical)
		f->access = end->write ? NV_PFAULT_ACCESS_TYPE_PHYS_WRITE
				       : NV_PFAULT_ACCESS_TYPE_PHYS_READ;
	else
		f->access = end->write ? H100_ACCESS_WRITE : H100_ACCESS_READ;
	return fault(m);
}

static u32 privilege(const struct h100_mover *m)
{
	return m->call->privileged ? H100_ACCESS_PRIVILEGED : 0;
}

/* Makes the end know where address lies. */
static enum h100_method_result look_up(struct h100_mover *m, struct h100_end *end, u64 address)
{
	u32 access = (end->write ? H100_ACCESS_WRITE : H100_ACCESS_READ) | privilege(m) |
		     (m->passing ? H100_ACCESS_PASSING : 0) |
		     (end->outside ? H100_ACCESS_OUTSIDE : 0);

	if (end->known && address - end->start < end->t.bytes)
		return H100_METHOD_OK;
	end->known = false;
	end->start = address;
	if (end->physical) {
		if (h100_aperture_is_peer(end->aperture) &&
		    !h100_peer_usable(m->call->memory, end->aperture))
			return unreachable(m, end, address, H100_FAULT_UNSUPPORTED_APERTURE);
		if (m->call->memory->confidential && !end->outside &&
		    end->aperture != H100_APERTURE_VIDEO)
			return unreachable(m, end, address, H100_FAULT_UNSUPPORTED_APERTURE);
		end->t = (struct h100_translation){
			.aperture = end->aperture,
			.address = address,
			.bytes = address != LAST_ADDRESS ? LAST_ADDRESS - address : 1,
		};
	} else if (!h100_mmu_translate(m->call->mmu, &m->call->pdb, address, access, &end->t,
				       &m->call->fault)) {
		return fault(m);
	}
	end->known = true;
	return H100_METHOD_OK;
}

enum h100_method_result h100_move_find(struct h100_mover *m, struct h100_end *end, u64 address,
				       struct h100_span *span)
{
	enum h100_method_result result = look_up(m, end, address);
	u64 offset, bytes;

	if (result != H100_METHOD_OK)
		return result;
	offset = address - end->start;
	span->sparse = end->t.sparse;
	span->aperture = end->t.aperture;
	span->address = end->t.address + offset;
	span->bytes = end->t.bytes - offset;
	span->at = NULL;
	if (span->sparse)
		return H100_METHOD_OK;
	if ((end->video_only && span->aperture != H100_APERTURE_VIDEO) ||
	    (end->outside_only && span->aperture == H100_APERTURE_VIDEO))
		return unreachable(m, end, address, H100_FAULT_UNSUPPORTED_APERTURE);
	span->at = h100_memory_pointer(m->call->memory, span->aperture, span->address, &bytes);
	if (!span->at) {
		if (span->aperture == H100_APERTURE_VIDEO)
			return unreachable(m, end, address, H100_FAULT_REGION_VIOLATION);
		bytes = h100_aperture_is_peer(span->aperture)
				? span->bytes
				: OS_PAGE_SIZE - span->address % OS_PAGE_SIZE;
	}
	span->bytes = min(span->bytes, bytes);
	return H100_METHOD_OK;
}

static void count(struct h100_mover *m, const struct h100_span *in, const struct h100_span *out,
		  u64 size)
{
	if (in->aperture != H100_APERTURE_VIDEO)
		m->read_bytes += size;
	if (out->aperture != H100_APERTURE_VIDEO)
		m->written_bytes += size;
}

/*
 * What was copied is in memory before anything that follows, and accounted for. Once for many
 * pages: a fence, or an atomic operation, waits for all stores that go past the caches.
 */
static void settle(struct h100_mover *m)
{
	_mm_sfence();
	h100_memory_account(m->call->memory, H100_APERTURE_SYSTEM_COHERENT, m->read_bytes,
			    m->written_bytes);
	m->read_bytes = m->written_bytes = 0;
}

void h100_move_rest(struct h100_mover *m, struct h100_end *a, struct h100_end *b)
{
	m->call->moved = 0;
	settle(m);
	h100_memory_yield(m->call->memory);
	if (a)
		a->known = false;
	if (b)
		b->known = false;
}

enum h100_method_result h100_move_spent(struct h100_mover *m, struct h100_end *a,
					struct h100_end *b, u64 bytes)
{
	struct h100_engine_call *call = m->call;

	call->moved += bytes + RUN_COST;
	if (call->moved < TURN_BYTES)
		return H100_METHOD_OK;
	h100_move_rest(m, a, b);
	if (call->stopped && call->stopped(call))
		return H100_METHOD_STOPPED;
	return H100_METHOD_OK;
}

static enum h100_method_result span_read(struct h100_mover *m, const struct h100_end *end,
					 u64 address, const struct h100_span *span, void *data,
					 u64 size)
{
	struct h100_memory *memory = m->call->memory;

	if (span->sparse) {
		memset(data, 0, size);
	} else if (span->at) {
		memcpy(data, span->at, size);
		h100_memory_account(memory, span->aperture, size, 0);
	} else if (!h100_memory_read(memory, span->aperture, span->address, data, size)) {
		return unreachable(m, end, address, H100_FAULT_REGION_VIOLATION);
	}
	return H100_METHOD_OK;
}

static enum h100_method_result span_write(struct h100_mover *m, const struct h100_end *end,
					  u64 address, const struct h100_span *span,
					  const void *data, u64 size)
{
	struct h100_memory *memory = m->call->memory;

	if (span->sparse)
		return H100_METHOD_OK;
	if (span->at) {
		h100_memory_store(span->at, data, size);
		h100_memory_account(memory, span->aperture, 0, size);
	} else if (!h100_memory_write(memory, span->aperture, span->address, data, size)) {
		return unreachable(m, end, address, H100_FAULT_REGION_VIOLATION);
	}
	return H100_METHOD_OK;
}

/* What lies at the address, and how much of the size lies there in one span. */
static enum h100_method_result find_piece(struct h100_mover *m, struct h100_end *end, u64 address,
					  u64 size, struct h100_span *span, u64 *piece)
{
	enum h100_method_result result = h100_move_find(m, end, address, span);

	*piece = result == H100_METHOD_OK ? min(size, span->bytes) : 0;
	return result;
}

enum h100_method_result h100_move_read(struct h100_mover *m, struct h100_end *from, u64 address,
				       void *data, u64 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	struct h100_span span;
	u64 at, piece;

	for (at = 0; at < size && result == H100_METHOD_OK; at += piece) {
		result = find_piece(m, from, address + at, size - at, &span, &piece);
		if (result == H100_METHOD_OK)
			result = span_read(m, from, address + at, &span, (u8 *)data + at, piece);
	}
	return result;
}

enum h100_method_result h100_move_write(struct h100_mover *m, struct h100_end *to, u64 address,
					const void *data, u64 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	struct h100_span span;
	u64 at, piece;

	for (at = 0; at < size && result == H100_METHOD_OK; at += piece) {
		result = find_piece(m, to, address + at, size - at, &span, &piece);
		if (result == H100_METHOD_OK)
			result = span_write(m, to, address + at, &span, (const u8 *)data + at,
					    piece);
	}
	return result;
}

/* Aligned to 16 bytes, whole pieces, nothing overlaps. Ordered by settle. */
static void stream(u8 *to, const u8 *from, u64 size)
{
	for (u64 i = 0; i < size; i += STREAM_PIECE) {
		const __m128i *in = (const __m128i *)(from + i);
		__m128i a = _mm_load_si128(in), b = _mm_load_si128(in + 1);
		__m128i c = _mm_load_si128(in + 2), d = _mm_load_si128(in + 3);
		__m128i *out = (__m128i *)(to + i);

		_mm_prefetch((const char *)(from + i + 8 * STREAM_PIECE), _MM_HINT_T0);
		_mm_stream_si128(out, a);
		_mm_stream_si128(out + 1, b);
		_mm_stream_si128(out + 2, c);
		_mm_stream_si128(out + 3, d);
	}
}

static void copy_bytes(u8 *to, const u8 *from, u64 size, bool past_caches)
{
	uintptr_t out = (uintptr_t)to, in = (uintptr_t)from;

	if (past_caches && is_aligned(size, STREAM_PIECE) && is_aligned(out | in, 16) &&
	    (out >= in + size || in >= out + size))
		stream(to, from, size);
	else
		memmove(to, from, size);
}

/* One run, within a page at both ends; with a pointer at neither, no longer than the buffer. */
static enum h100_method_result copy_run(struct h100_mover *m, const struct h100_end *to,
					u64 to_address, const struct h100_span *out,
					const struct h100_end *from, u64 from_address,
					const struct h100_span *in, u64 size)
{
	struct h100_memory *memory = m->call->memory;
	enum h100_method_result result;
	u8 buffer[OS_PAGE_SIZE];

	if (out->at && in->at) {
		copy_bytes(out->at, in->at, size, m->passing);
		count(m, in, out, size);
		return H100_METHOD_OK;
	}
	if (out->at && !in->sparse) {
		result = span_read(m, from, from_address, in, out->at, size);
		h100_memory_account(memory, out->aperture, 0, size);
		return result;
	}
	if (in->at && !out->sparse) {
		h100_memory_account(memory, in->aperture, size, 0);
		return span_write(m, to, to_address, out, in->at, size);
	}
	result = span_read(m, from, from_address, in, buffer, size);
	if (result == H100_METHOD_OK)
		result = span_write(m, to, to_address, out, buffer, size);
	return result;
}

enum h100_method_result h100_move_copy(struct h100_mover *m, struct h100_end *to, u64 to_address,
				       struct h100_end *from, u64 from_address, u64 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	struct h100_span in, out;

	m->done = 0;
	m->passing = size >= STREAM_BYTES;
	while (size != 0 && result == H100_METHOD_OK) {
		u64 piece;

		result = h100_move_find(m, from, from_address, &in);
		if (result == H100_METHOD_OK)
			result = h100_move_find(m, to, to_address, &out);
		if (result != H100_METHOD_OK)
			break;
		piece = min(min(size, TURN_BYTES), min(in.bytes, out.bytes));
		if ((!in.at && !out.at) || in.sparse || out.sparse)
			piece = min(piece, (u64)OS_PAGE_SIZE);
		result = copy_run(m, to, to_address, &out, from, from_address, &in, piece);
		m->done += piece;
		if (result == H100_METHOD_OK)
			result = h100_move_spent(m, to, from, piece);
		to_address += piece;
		from_address += piece;
		size -= piece;
	}
	settle(m);
	m->passing = false;
	return result;
}

enum h100_method_result h100_move_fill(struct h100_mover *m, struct h100_end *to, u64 address,
				       const u8 *pattern, u32 period, u64 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	u8 buffer[OS_PAGE_SIZE];
	u32 full = (u32)sizeof(buffer) - (u32)sizeof(buffer) % period; /* whole patterns */
	u32 i;

	m->done = 0;
	for (i = 0; i < full && i < size; i += period)
		memcpy(buffer + i, pattern, period);
	while (size != 0 && result == H100_METHOD_OK) {
		u64 piece = min(size, (u64)full);

		result = h100_move_write(m, to, address, buffer, piece);
		m->done += piece;
		if (result == H100_METHOD_OK)
			result = h100_move_spent(m, to, NULL, piece);
		address += piece;
		size -= piece;
	}
	return result;
}

/* -- Reports ----------------------------------------------------------------------------------- */

#define REPORT_TIME 8u /* where the time lies in a report of four words */

enum h100_method_result h100_move_report(struct h100_mover *m, const struct h100_report *report)
{
	struct h100_engine_call *call = m->call;
	/* A narrow payload of four words has a word of zeroes behind it. */
	u32 width = report->wide || (report->four_words && !report->reduction) ? 8 : 4;
	u64 payload = report->wide ? report->payload : (u32)report->payload;
	u32 access = privilege(m);
	u64 now;
	bool done = true;

	/* The driver knows what it tells, and to whom. */
	if (report->outside || call->privileged)
		access |= H100_ACCESS_OUTSIDE;

	if (report->four_words) {
		now = call->now_ns(call);
		done = h100_virtual_write(call->mmu, &call->pdb, report->address + REPORT_TIME,
					  &now, sizeof(now), access, &call->fault);
	}
	if (done && report->reduction)
		done = h100_virtual_fetch_op(call->mmu, &call->pdb, report->address, width,
					     report->op, payload, NULL, access, &call->fault);
	else if (done)
		done = h100_virtual_write(call->mmu, &call->pdb, report->address, &payload, width,
					  access, &call->fault);
	return done ? H100_METHOD_OK : fault(m);
}
