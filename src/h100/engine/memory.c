// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Physical memory as engines see it. Every access goes piece by piece, none across a page of 4 KiB
 * of system memory; a piece is done by a pointer where the host gives one, else by a DMA access.
 */
#include "h100/engine/memory.h"

#include <string.h>

#include "base/bits.h"
#include "h100/engine/fabric.h"
#include "h100/engine/state.h"
#include "os/os.h"

/* What this thread got from dma_enter. A thread is in one burst at a time. */
static _Thread_local void *dma_token;

enum nv_status h100_memory_init(struct h100_memory *m, const struct h100_host *host,
				struct h100_chip *chip, struct h100_state *state, u8 *video,
				u64 video_bytes)
{
	pthread_rwlockattr_t attr;
	int rc;

	memset(m, 0, sizeof(*m));
	m->video = video;
	m->video_bytes = video_bytes;
	m->host = host;
	m->chip = chip;
	m->state = state;
	if (pthread_rwlockattr_init(&attr) != 0)
		return NV_ERR_NO_MEMORY;
	/* Bursts follow one another closely: who pauses must not wait for a gap between all. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	rc = pthread_rwlock_init(&m->bursts, &attr);
	pthread_rwlockattr_destroy(&attr);
	if (rc != 0)
		return NV_ERR_NO_MEMORY;
	if (pthread_mutex_init(&m->atomics, NULL) != 0) {
		pthread_rwlock_destroy(&m->bursts);
		return NV_ERR_NO_MEMORY;
	}
	return NV_OK;
}

void h100_memory_fini(struct h100_memory *m)
{
	pthread_mutex_destroy(&m->atomics);
	pthread_rwlock_destroy(&m->bursts);
}

/* -- Bursts ------------------------------------------------------------------------------------ */

void h100_memory_enter(struct h100_memory *m)
{
	OS_BUG_ON(pthread_rwlock_rdlock(&m->bursts) != 0);
	if (m->host->dma_enter)
		dma_token = m->host->dma_enter(m->host->ctx);
}

static void account(struct h100_memory *m)
{
	u64 read = __atomic_exchange_n(&m->read_bytes, 0, __ATOMIC_RELAXED);
	u64 written = __atomic_exchange_n(&m->written_bytes, 0, __ATOMIC_RELAXED);

	if (m->state && (read | written) != 0)
		h100_state_account_pcie(m->state, m->host->now_ns(m->host->ctx), written, read);
}

void h100_memory_leave(struct h100_memory *m)
{
	if (m->host->dma_leave)
		m->host->dma_leave(m->host->ctx, dma_token);
	dma_token = NULL;
	if ((os_load_relaxed(&m->read_bytes) | os_load_relaxed(&m->written_bytes)) != 0)
		account(m);
	OS_BUG_ON(pthread_rwlock_unlock(&m->bursts) != 0);
}

void h100_memory_yield(struct h100_memory *m)
{
	h100_memory_leave(m);
	h100_memory_enter(m);
}

void h100_memory_pause(struct h100_memory *m)
{
	OS_BUG_ON(pthread_rwlock_wrlock(&m->bursts) != 0);
	h100_port_pause(m);
}

void h100_memory_resume(struct h100_memory *m)
{
	h100_port_resume(m);
	OS_BUG_ON(pthread_rwlock_unlock(&m->bursts) != 0);
}

void h100_memory_drain(struct h100_memory *m)
{
	OS_BUG_ON(pthread_rwlock_wrlock(&m->bursts) != 0);
	OS_BUG_ON(pthread_rwlock_unlock(&m->bursts) != 0);
}

void h100_memory_account(struct h100_memory *m, u32 aperture, u64 read_bytes, u64 written_bytes)
{
	if (aperture == H100_APERTURE_VIDEO || h100_aperture_is_peer(aperture))
		return;
	if (read_bytes != 0)
		__atomic_fetch_add(&m->read_bytes, read_bytes, __ATOMIC_RELAXED);
	if (written_bytes != 0)
		__atomic_fetch_add(&m->written_bytes, written_bytes, __ATOMIC_RELAXED);
}

/* -- Pieces ------------------------------------------------------------------------------------ */

static bool is_system(struct h100_memory *m, u32 aperture)
{
	return (aperture == H100_APERTURE_SYSTEM_COHERENT ||
		aperture == H100_APERTURE_SYSTEM_NONCOHERENT) &&
	       (!m->chip || h100_chip_bus_master(m->chip));
}

u8 *h100_memory_pointer(struct h100_memory *m, u32 aperture, u64 address, u64 *bytes)
{
	u64 in_page = address % OS_PAGE_SIZE;
	u8 *page;

	if (aperture == H100_APERTURE_VIDEO) {
		if (address >= m->video_bytes)
			return NULL;
		*bytes = m->video_bytes - address;
		return m->video + address;
	}
	if (!is_system(m, aperture) || !dma_token || !m->host->dma_map_page)
		return NULL;
	page = m->host->dma_map_page(m->host->ctx, address - in_page);
	if (!page)
		return NULL;
	*bytes = OS_PAGE_SIZE - in_page;
	return page + in_page;
}

#ifdef __SANITIZE_THREAD__
u32 h100_memory_words;
#endif

void h100_memory_load(void *data, const u8 *at, u64 size)
{
	u64 value;

	if (size == 8 && is_aligned((uintptr_t)at, 8)) {
		value = os_load_acquire((const u64 *)at);
		memcpy(data, &value, 8);
	} else if (size == 4 && is_aligned((uintptr_t)at, 4)) {
		value = os_load_acquire((const u32 *)at);
		memcpy(data, &value, 4);
	} else {
		memmove(data, at, size);
	}
}

void h100_memory_store(u8 *at, const void *data, u64 size)
{
	u64 word;
	u32 half;

	if (size == 8 && is_aligned((uintptr_t)at, 8)) {
		memcpy(&word, data, 8);
		h100_memory_tell();
		os_store_release((u64 *)at, word);
	} else if (size == 4 && is_aligned((uintptr_t)at, 4)) {
		memcpy(&half, data, 4);
		h100_memory_tell();
		os_store_release((u32 *)at, half);
	} else {
		memmove(at, data, size);
	}
}

/* How much of size lies before the end of the page. */
static u64 page_piece(u64 address, u64 size)
{
	return min(size, (u64)OS_PAGE_SIZE - address % OS_PAGE_SIZE);
}

bool h100_memory_read(struct h100_memory *m, u32 aperture, u64 address, void *data, u64 size)
{
	u8 *to = data;
	u64 end;

	if (add_overflows(address, size, &end))
		return false;
	if (h100_aperture_is_peer(aperture))
		return h100_peer_read(m, aperture, address, data, size);
	while (size != 0) {
		u64 bytes = 0, piece;
		const u8 *at = h100_memory_pointer(m, aperture, address, &bytes);

		if (at) {
			piece = min(size, bytes);
			h100_memory_load(to, at, piece);
		} else {
			piece = page_piece(address, size);
			if (!is_system(m, aperture) ||
			    !m->host->dma_read(m->host->ctx, address, to, piece))
				return false;
		}
		h100_memory_account(m, aperture, piece, 0);
		to += piece;
		address += piece;
		size -= piece;
	}
	return true;
}

bool h100_memory_write(struct h100_memory *m, u32 aperture, u64 address, const void *data, u64 size)
{
	const u8 *from = data;
	u64 end;

	if (add_overflows(address, size, &end))
		return false;
	if (h100_aperture_is_peer(aperture))
		return h100_peer_write(m, aperture, address, data, size);
	while (size != 0) {
		u64 bytes = 0, piece;
		u8 *at = h100_memory_pointer(m, aperture, address, &bytes);

		if (at) {
			piece = min(size, bytes);
			h100_memory_store(at, from, piece);
		} else {
			piece = page_piece(address, size);
			if (!is_system(m, aperture) ||
			    !m->host->dma_write(m->host->ctx, address, from, piece))
				return false;
		}
		h100_memory_account(m, aperture, 0, piece);
		from += piece;
		address += piece;
		size -= piece;
	}
	return true;
}

/* -- Atomic operations ------------------------------------------------------------------------- */

static s64 sign_extend(u64 value, u32 width)
{
	return width == 4 ? (s64)(s32)(u32)value : (s64)value;
}

/* Both values are cut to width. */
static u64 apply(enum h100_memory_op op, u64 old, u64 operand, u32 width)
{
	switch (op) {
	case H100_MEMORY_MIN_SIGNED:
		return sign_extend(operand, width) < sign_extend(old, width) ? operand : old;
	case H100_MEMORY_MAX_SIGNED:
		return sign_extend(operand, width) > sign_extend(old, width) ? operand : old;
	case H100_MEMORY_MIN_UNSIGNED:
		return operand < old ? operand : old;
	case H100_MEMORY_MAX_UNSIGNED:
		return operand > old ? operand : old;
	case H100_MEMORY_XOR:
		return old ^ operand;
	case H100_MEMORY_AND:
		return old & operand;
	case H100_MEMORY_OR:
		return old | operand;
	case H100_MEMORY_ADD:
		return old + operand;
	case H100_MEMORY_INC:
		return old >= operand ? 0 : old + 1;
	case H100_MEMORY_DEC:
		return old == 0 || old > operand ? operand : old - 1;
	case H100_MEMORY_EXCHANGE:
	default:
		return operand;
	}
}

static u64 fetch_op32(u32 *at, enum h100_memory_op op, u64 operand)
{
	u32 old = os_load_relaxed(at);

	while (!__atomic_compare_exchange_n(at, &old, (u32)apply(op, old, operand, 4), true,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	return old;
}

static u64 fetch_op64(u64 *at, enum h100_memory_op op, u64 operand)
{
	u64 old = os_load_relaxed(at);

	while (!__atomic_compare_exchange_n(at, &old, apply(op, old, operand, 8), true,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	return old;
}

u64 h100_memory_fetch_op_at(u8 *at, u32 width, enum h100_memory_op op, u64 operand)
{
	return width == 4 ? fetch_op32((u32 *)at, op, operand) : fetch_op64((u64 *)at, op, operand);
}

/* Against other engines only: the host has no way to lock the word against its CPUs. */
static bool fetch_op_by_dma(struct h100_memory *m, u64 address, u32 width, enum h100_memory_op op,
			    u64 operand, u64 *old)
{
	u64 value = 0, changed;
	bool done;

	pthread_mutex_lock(&m->atomics);
	done = m->host->dma_read(m->host->ctx, address, &value, width);
	if (done) {
		changed = apply(op, value, operand, width);
		done = m->host->dma_write(m->host->ctx, address, &changed, width);
	}
	pthread_mutex_unlock(&m->atomics);
	*old = value;
	return done;
}

bool h100_memory_fetch_op(struct h100_memory *m, u32 aperture, u64 address, u32 width,
			  enum h100_memory_op op, u64 operand, u64 *old)
{
	u64 bytes = 0, before;
	u8 *at;

	if ((width != 4 && width != 8) || !is_aligned(address, width))
		return false;
	if (width == 4)
		operand = (u32)operand;
	at = h100_memory_pointer(m, aperture, address, &bytes);
	if (at && bytes < width)
		return false;
	if (at)
		before = h100_memory_fetch_op_at(at, width, op, operand);
	else if (h100_aperture_is_peer(aperture)) {
		if (!h100_peer_fetch_op(m, aperture, address, width, op, operand, &before))
			return false;
	} else if (!is_system(m, aperture) ||
		   !fetch_op_by_dma(m, address, width, op, operand, &before))
		return false;
	h100_memory_account(m, aperture, width, width);
	if (old)
		*old = before;
	return true;
}
