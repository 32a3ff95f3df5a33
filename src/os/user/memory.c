// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory and strings of os.h on the C library, with the allocation that fails on demand and the
 * count of what is live.
 */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/user/internal.h"

#define ALLOC_MAX 0x7fffffffu /* as kvmalloc in the kernel */

#ifdef OS_ALLOC_FAULTS

/* Counted per CPU so that counting costs threads no shared line; only the sum means anything. */
#define SHARDS 64u

static struct shard {
	u64 live, bytes, total;
} __attribute__((aligned(CACHE_LINE))) shards[SHARDS];

static u64 fail_countdown; /* 0: off */
static OS_TLS u64 fail_countdown_thread;
static u64 failed;

bool os_user_fail_alloc(u64 nth)
{
	__atomic_store_n(&fail_countdown, nth, __ATOMIC_SEQ_CST);
	return true;
}

bool os_user_fail_alloc_thread(u64 nth)
{
	fail_countdown_thread = nth;
	return true;
}

bool alloc_must_fail(void)
{
	u64 left = os_load_relaxed(&fail_countdown);
	bool fail = false;

	while (left && !__atomic_compare_exchange_n(&fail_countdown, &left, left - 1, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	if (left == 1)
		fail = true;
	if (fail_countdown_thread && --fail_countdown_thread == 0)
		fail = true;
	if (fail)
		os_fetch_add(&failed, 1);
	return fail;
}

void alloc_count(size_t bytes)
{
	struct shard *s = &shards[cpu_slot() % SHARDS];

	__atomic_fetch_add(&s->live, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->total, 1, __ATOMIC_RELAXED);
}

void alloc_uncount(size_t bytes)
{
	struct shard *s = &shards[cpu_slot() % SHARDS];

	__atomic_fetch_sub(&s->live, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&s->bytes, bytes, __ATOMIC_RELAXED);
}

void os_user_alloc_stats(struct os_user_alloc_stats *stats)
{
	u32 i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < SHARDS; i++) {
		stats->live += os_load_relaxed(&shards[i].live);
		stats->bytes += os_load_relaxed(&shards[i].bytes);
		stats->total += os_load_relaxed(&shards[i].total);
	}
	stats->failed = os_load_relaxed(&failed);
}

#else

bool os_user_fail_alloc(u64 nth)
{
	return false;
}

bool os_user_fail_alloc_thread(u64 nth)
{
	return false;
}

void os_user_alloc_stats(struct os_user_alloc_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
}

#endif

/* Blocks up to this size are kept by the thread that frees them; calloc takes none of those. */
#define KEPT_BY_THREAD 1024u

static inline size_t block_size(void *mem)
{
#ifdef OS_ALLOC_FAULTS
	return malloc_usable_size(mem);
#else
	return 0;
#endif
}

static inline void *alloc_zeroed(size_t size)
{
	void *mem;

	if (size > KEPT_BY_THREAD)
		return calloc(1, size);
	mem = malloc(size);
	__asm__("" : "+r"(mem)); /* or the compiler makes a calloc of the two */
	return mem ? memset(mem, 0, size) : NULL;
}

void *os_alloc(size_t size)
{
	void *mem;

	lockdep_may_sleep("os_alloc");
	if (!size || size > ALLOC_MAX || alloc_must_fail())
		return NULL;
	mem = alloc_zeroed(size);
	if (mem)
		alloc_count(block_size(mem));
	return mem;
}

void os_free(void *mem)
{
	if (!mem)
		return;
	alloc_uncount(block_size(mem));
	free(mem);
}

void os_free_secret(void *mem, size_t size)
{
	if (!mem)
		return;
	explicit_bzero(mem, size);
	os_free(mem);
}

size_t os_strnlen(const char *s, size_t max)
{
	/* "any": no object is that large */
	return max > SSIZE_MAX ? strlen(s) : strnlen(s, max);
}

int os_strcmp(const char *a, const char *b)
{
	return strcmp(a, b);
}

int os_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(buf, size, fmt, ap);
}

int os_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return length;
}
