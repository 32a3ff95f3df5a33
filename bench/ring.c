// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include "ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "host/user/handoff.h"
#include "os/crypto.h"
#include "tests/check.h"

#define CHUNK_MIN ((u32)KIB(64))
#define RING_MIN ((u32)KIB(512))

struct ring {
	const u8 *from;
	u8 *to, *text, *tags;
	u64 size;
	u32 piece, chunk, slots;
	_Alignas(64) u32 made;
	_Alignas(64) u32 taken;
};

static struct os_gcm *cipher(u32 piece)
{
	static const u8 key[OS_GCM_KEY_SIZE] = { 7 };
	struct os_gcm *gcm = os_gcm_create(piece);

	CHECK(gcm && os_gcm_set_key(gcm, key) == NV_OK);
	return gcm;
}

/* Chunk number n, one way. */
static void work(const struct ring *r, struct os_gcm *gcm, u32 n, bool encrypt)
{
	u8 *text = r->text + (u64)(n % r->slots) * r->chunk;
	u8 *tag = r->tags + (u64)(n % r->slots) * (r->chunk / r->piece) * OS_GCM_TAG_SIZE;
	u64 at, begin = (u64)n * r->chunk;
	u8 iv[OS_GCM_IV_SIZE] = { 0 };

	for (at = 0; at < r->chunk && begin + at < r->size; at += r->piece) {
		u64 message = (begin + at) / r->piece;

		memcpy(iv, &message, sizeof(message));
		if (encrypt)
			CHECK(os_gcm_encrypt(gcm, iv, NULL, 0, r->from + begin + at, r->piece,
					     text + at, tag) == NV_OK);
		else
			CHECK(os_gcm_decrypt(gcm, iv, NULL, 0, text + at, r->piece,
					     r->to + begin + at, tag) == NV_OK);
		tag += OS_GCM_TAG_SIZE;
	}
}

static u32 chunks(const struct ring *r)
{
	return (u32)((r->size + r->chunk - 1) / r->chunk);
}

static void *decrypts(void *arg)
{
	struct ring *r = arg;
	struct os_gcm *gcm = cipher(r->piece);

	for (u32 i = 0; i < chunks(r); i++) {
		while (__atomic_load_n(&r->made, __ATOMIC_ACQUIRE) == i)
			sched_yield();
		work(r, gcm, i, false);
		__atomic_store_n(&r->taken, i + 1, __ATOMIC_RELEASE);
	}
	os_gcm_destroy(gcm);
	return NULL;
}

static void by_two(struct ring *r, struct os_gcm *gcm)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, decrypts, r) == 0);
	for (u32 i = 0; i < chunks(r); i++) {
		while (i - __atomic_load_n(&r->taken, __ATOMIC_ACQUIRE) == r->slots)
			sched_yield();
		work(r, gcm, i, true);
		__atomic_store_n(&r->made, i + 1, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
}

static void by_one(const struct ring *r, struct os_gcm *encrypt)
{
	struct os_gcm *decrypt = cipher(r->piece);

	for (u32 i = 0; i < chunks(r); i++) {
		work(r, encrypt, i, true);
		work(r, decrypt, i, false);
	}
	os_gcm_destroy(decrypt);
}

double ring_ns(const u8 *from, u8 *to, u64 size, u32 piece, u32 threads)
{
	struct os_gcm *gcm = cipher(piece);
	struct ring r = { .from = from, .to = to, .size = size, .piece = piece };
	u64 begin;

	r.chunk = max(piece, CHUNK_MIN);
	r.slots = max(RING_MIN / r.chunk, 2u);
	r.text = calloc(r.slots, r.chunk);
	r.tags = calloc(r.slots, (u64)(r.chunk / piece) * OS_GCM_TAG_SIZE);
	CHECK(r.text && r.tags);
	begin = handoff_now();
	if (threads > 1)
		by_two(&r, gcm);
	else
		by_one(&r, gcm);
	begin = handoff_now() - begin;
	free(r.text);
	free(r.tags);
	os_gcm_destroy(gcm);
	return (double)begin;
}
