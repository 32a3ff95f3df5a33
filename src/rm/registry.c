// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The registry (NV_ESC_RM_ACCESS_REGISTRY, NVreg_RegistryDwords). Entries are typed: a dword and
 * bytes of one name are two entries, and a dword read falls back to the first four bytes of the
 * bytes.
 */
#include "rm/registry.h"

#include "rm/instance.h"

enum registry_type { REGISTRY_DWORD, REGISTRY_BINARY };

struct registry_key {
	struct list_node node;
	const struct rm_gpu *gpu; /* NULL: global */
	enum registry_type type;
	u32 dword;
	u8 *data;
	u32 size;
	char name[];
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

/* Lock held. The entry of exactly that scope. */
static struct registry_key *key_find(struct rm_registry *r, const struct rm_gpu *gpu,
				     const char *name, enum registry_type type)
{
	struct registry_key *key;

	list_for_each_entry (key, &r->keys, node) {
		if (key->gpu == gpu && key->type == type && same_name(key->name, name))
			return key;
	}
	return NULL;
}

/* Lock held. The GPU's own entry before the global one. */
static struct registry_key *key_lookup(struct rm_registry *r, const struct rm_gpu *gpu,
				       const char *name, enum registry_type type)
{
	struct registry_key *key = gpu ? key_find(r, gpu, name, type) : NULL;

	return key ? key : key_find(r, NULL, name, type);
}

static struct registry_key *key_create(struct rm_registry *r, const struct rm_gpu *gpu,
				       const char *name, enum registry_type type)
{
	size_t length = os_strnlen(name, ~(size_t)0);
	struct registry_key *key = os_alloc(sizeof(*key) + length + 1);

	if (!key)
		return NULL;
	os_memcpy(key->name, name, length + 1);
	key->gpu = gpu;
	key->type = type;
	list_add_tail(&key->node, &r->keys);
	return key;
}

static void key_free(struct registry_key *key)
{
	list_del(&key->node);
	os_free(key->data);
	os_free(key);
}

static enum nv_status write_dword(struct rm_registry *r, const struct rm_gpu *gpu, const char *name,
				  u32 value)
{
	struct registry_key *key = key_find(r, gpu, name, REGISTRY_DWORD);

	if (!key)
		key = key_create(r, gpu, name, REGISTRY_DWORD);
	if (!key)
		return NV_ERR_GENERIC;
	key->dword = value;
	return NV_OK;
}

enum nv_status rm_registry_init(struct rm_registry *r, const struct rm_registry_entry *entries,
				u32 count)
{
	enum nv_status status = os_mutex_init(&r->lock, LOCK_RANK_LEAF, "rm registry");
	u32 i;

	if (status != NV_OK)
		return status;
	list_init(&r->keys);
	for (i = 0; i < count; i++) {
		if (write_dword(r, NULL, entries[i].name, entries[i].value) != NV_OK) {
			rm_registry_fini(r);
			return NV_ERR_NO_MEMORY;
		}
	}
	return NV_OK;
}

void rm_registry_fini(struct rm_registry *r)
{
	struct registry_key *key, *next;

	list_for_each_entry_safe (key, next, &r->keys, node)
		key_free(key);
	os_mutex_destroy(&r->lock);
}

enum nv_status rm_registry_read_dword(struct rm *rm, const struct rm_gpu *gpu, const char *name,
				      u32 *value)
{
	struct rm_registry *r = &rm->registry;
	enum nv_status status = NV_OK;
	struct registry_key *key;

	if (!name)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&r->lock);
	key = key_lookup(r, gpu, name, REGISTRY_DWORD);
	if (key) {
		*value = key->dword;
	} else {
		key = key_lookup(r, gpu, name, REGISTRY_BINARY);
		if (key && key->size >= sizeof(*value))
			os_memcpy(value, key->data, sizeof(*value));
		else
			status = NV_ERR_GENERIC;
	}
	os_mutex_unlock(&r->lock);
	return status;
}

enum nv_status rm_registry_write_dword(struct rm *rm, const struct rm_gpu *gpu, const char *name,
				       u32 value)
{
	enum nv_status status;

	if (!name)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&rm->registry.lock);
	status = write_dword(&rm->registry, gpu, name, value);
	os_mutex_unlock(&rm->registry.lock);
	return status;
}

enum nv_status rm_registry_read_binary(struct rm *rm, const struct rm_gpu *gpu, const char *name,
				       void *data, u32 *size)
{
	struct rm_registry *r = &rm->registry;
	enum nv_status status = NV_ERR_GENERIC;
	struct registry_key *key;

	if (!name)
		return NV_ERR_INVALID_ARGUMENT;
	os_mutex_lock(&r->lock);
	key = key_lookup(r, gpu, name, REGISTRY_BINARY);
	if (key && key->size <= *size) {
		os_memcpy(data, key->data, key->size);
		*size = key->size;
		status = NV_OK;
	}
	os_mutex_unlock(&r->lock);
	return status;
}

enum nv_status rm_registry_write_binary(struct rm *rm, const struct rm_gpu *gpu, const char *name,
					const void *data, u32 size)
{
	struct rm_registry *r = &rm->registry;
	enum nv_status status = NV_OK;
	struct registry_key *key;
	u8 *copy;

	if (!name || size == 0)
		return NV_ERR_INVALID_ARGUMENT;
	copy = os_alloc(size);
	if (!copy)
		return NV_ERR_GENERIC;
	os_memcpy(copy, data, size);
	os_mutex_lock(&r->lock);
	key = key_find(r, gpu, name, REGISTRY_BINARY);
	if (!key)
		key = key_create(r, gpu, name, REGISTRY_BINARY);
	if (key) {
		u8 *old = key->data;

		key->data = copy;
		key->size = size;
		copy = old;
	} else {
		status = NV_ERR_GENERIC;
	}
	os_mutex_unlock(&r->lock);
	os_free(copy);
	return status;
}

void rm_registry_forget_gpu(struct rm *rm, const struct rm_gpu *gpu)
{
	struct rm_registry *r = &rm->registry;
	struct registry_key *key, *next;

	os_mutex_lock(&r->lock);
	list_for_each_entry_safe (key, next, &r->keys, node) {
		if (key->gpu == gpu)
			key_free(key);
	}
	os_mutex_unlock(&r->lock);
}

void rm_registry_for_each_dword(struct rm *rm, void (*emit)(void *ctx, const char *name, u32 value),
				void *ctx)
{
	struct rm_registry *r = &rm->registry;
	struct registry_key *key;

	os_mutex_lock(&r->lock);
	list_for_each_entry (key, &r->keys, node) {
		if (!key->gpu && key->type == REGISTRY_DWORD)
			emit(ctx, key->name, key->dword);
	}
	os_mutex_unlock(&r->lock);
}

void rm_registry_for_each_binary(struct rm *rm, const struct rm_gpu *gpu,
				 void (*emit)(void *ctx, const char *name), void *ctx)
{
	struct rm_registry *r = &rm->registry;
	struct registry_key *key;

	os_mutex_lock(&r->lock);
	list_for_each_entry (key, &r->keys, node) {
		if (key->gpu == gpu && key->type == REGISTRY_BINARY)
			emit(ctx, key->name);
	}
	os_mutex_unlock(&r->lock);
}
