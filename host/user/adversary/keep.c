// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What the adversary remembers of what passed: the last of each kind, secrets, a record of all. */
#include <string.h>

#include "host/user/adversary/internal.h"

#define SECRET_MIN 8u
#define HASH_BITS 14u
#define RECORD_MAGIC 0x5241484cu /* "LHAR" */

/* -- The last of each kind --------------------------------------------------------------------- */

static bool is_clear_spdm(enum adversary_object kind, s32 code)
{
	return (kind == ADVERSARY_SPDM_REQUEST || kind == ADVERSARY_SPDM_RESPONSE) && code >= 0 &&
	       code < 256;
}

void object_keep(struct watch *w, const struct object *o)
{
	struct kept *kept = is_clear_spdm(o->kind, o->code) ? &w->spdm[o->code] : &w->kept[o->kind];

	if (o->size > kept->room) {
		os_free(kept->bytes);
		kept->room = kept->size = 0;
		kept->bytes = os_alloc(o->size);
		if (!kept->bytes)
			return;
		kept->room = o->size;
	}
	object_read(o, 0, kept->bytes, o->size);
	kept->size = o->size;
}

const struct kept *object_kept(const struct watch *w, enum adversary_object kind, s32 code)
{
	const struct kept *kept = is_clear_spdm(kind, code) ? &w->spdm[code] : &w->kept[kind];

	return kept->size != 0 ? kept : NULL;
}

/* -- Secrets ----------------------------------------------------------------------------------- */

static u64 head_of(const u8 *bytes)
{
	u64 head;

	os_memcpy(&head, bytes, sizeof(head));
	return head;
}

static u32 hash_of(u64 head)
{
	return (u32)(head * 0x9e3779b97f4a7c15ull >> (64 - HASH_BITS));
}

enum nv_status adversary_secret(struct adversary *a, const char *name, const void *bytes, u32 size)
{
	struct secret s = { .name = name, .size = size };
	enum nv_status status = NV_ERR_NO_MEMORY;

	_Static_assert(BUCKETS == 1u << HASH_BITS, "a bucket for each hash");
	if (size < SECRET_MIN)
		return NV_ERR_INVALID_ARGUMENT;
	s.bytes = os_alloc(size);
	if (!s.bytes)
		return NV_ERR_NO_MEMORY;
	os_memcpy(s.bytes, bytes, size);
	s.head = head_of(s.bytes);
	pthread_rwlock_wrlock(&a->rules_lock);
	if (!a->secrets)
		a->secrets = os_alloc(SECRETS_MAX * sizeof(s));
	if (a->secrets && a->secret_count < SECRETS_MAX) {
		s32 *bucket = &a->buckets[hash_of(s.head)];

		s.next = *bucket;
		*bucket = (s32)a->secret_count;
		a->secrets[a->secret_count++] = s;
		status = NV_OK;
	}
	pthread_rwlock_unlock(&a->rules_lock);
	if (status != NV_OK)
		os_free_secret(s.bytes, size);
	return status;
}

void adversary_give_up(struct adversary *a)
{
	pthread_rwlock_wrlock(&a->rules_lock);
	for (u32 i = 0; i < a->secret_count; i++)
		os_free_secret(a->secrets[i].bytes, a->secrets[i].size);
	os_free(a->secrets);
	a->secrets = NULL;
	a->secret_count = 0;
	for (u32 i = 0; i < BUCKETS; i++)
		a->buckets[i] = ADVERSARY_ANY;
	pthread_rwlock_unlock(&a->rules_lock);
}

void watch_look_for(struct watch *w, const u8 *bytes, size_t size)
{
	struct adversary *a = w->a;

	pthread_rwlock_rdlock(&a->rules_lock);
	w->searched += size;
	for (size_t at = 0; a->secret_count != 0 && at + SECRET_MIN <= size; at++) {
		u64 head = head_of(bytes + at);
		s32 i = a->buckets[hash_of(head)];

		for (; i != ADVERSARY_ANY; i = a->secrets[i].next) {
			const struct secret *s = &a->secrets[i];

			if (s->head != head || s->size > size - at ||
			    memcmp(bytes + at, s->bytes, s->size) != 0)
				continue;
			a->found_name = s->name;
			os_fetch_add(&a->found, 1);
		}
	}
	pthread_rwlock_unlock(&a->rules_lock);
}

/* -- Record ------------------------------------------------------------------------------------ */

/* Numbers as this machine has them. */
struct record {
	u32 magic;
	u16 gpu, object;
	u64 time_ns;
	u32 code; /* of an SPDM message, or ~0 */
	u32 size; /* of the bytes that follow */
};

static void write_bytes(FILE *file, const struct object *o)
{
	u32 first = min(o->size, o->ring_bytes - o->start % o->ring_bytes);

	fwrite(object_at(o, 0), 1, first, file);
	fwrite(o->ring, 1, o->size - first, file);
}

void object_record(struct watch *w, const struct object *o)
{
	const struct record record = {
		.magic = RECORD_MAGIC,
		.gpu = (u16)w->index,
		.object = (u16)o->kind,
		.time_ns = os_time_ns(),
		.code = (u32)o->code,
		.size = o->size,
	};
	FILE *file = w->a->record;

	if (!file || ((o->kind == ADVERSARY_PAGE_READ || o->kind == ADVERSARY_PAGE_WRITTEN) &&
		      !w->a->record_pages))
		return;
	flockfile(file);
	fwrite(&record, 1, sizeof(record), file);
	write_bytes(file, o);
	funlockfile(file);
}

void adversary_record(struct adversary *a, FILE *file, bool pages)
{
	if (a->record)
		fclose(a->record);
	a->record_pages = pages;
	a->record = file;
}
