// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Key material of secure channels. In the interface's words a message counter comes first, then the
 * channel counter, both little endian.
 */
#include "rm/cc/channel_keys.h"

#include "rm/cc/csl.h"
#include "rm/cc/session.h"

#define NONCE_CHANNEL 6u /* the word of a nonce where the channel counter is */
#define IV_CHANNEL 1u	 /* and of an IV */

struct rm_channel_keys {
	struct key_store *store;
	u32 id, engine;
	bool kernel;
	rm_channel_keys_tell tell;
	void *owner;
	struct os_mutex lock; /* LOCK_RANK_LEAF: taken */
	bool taken;	      /* by a context, or a rotation under way: what follows is theirs */
	bool spent;	      /* a context counted with the material */
	struct key_pair material;
};

enum nv_status rm_channel_keys_create(struct rm_gpu *gpu, u32 engine, bool kernel,
				      rm_channel_keys_tell tell, void *owner,
				      struct rm_channel_keys **out)
{
	struct key_store *store = rm_cc_keys(gpu);
	struct rm_channel_keys *keys;
	enum nv_status status;
	u32 id;

	*out = NULL;
	if (!store)
		return NV_ERR_NOT_SUPPORTED;
	if (key_store_channel_key(engine, kernel, &id) != NV_OK)
		return NV_ERR_INVALID_PARAMETER;
	keys = os_alloc(sizeof(*keys));
	if (!keys)
		return NV_ERR_NO_MEMORY;
	keys->store = store;
	keys->id = id;
	keys->engine = engine;
	keys->kernel = kernel;
	keys->tell = tell;
	keys->owner = owner;
	os_mutex_init(&keys->lock, LOCK_RANK_LEAF, "rm channel keys");
	status = key_store_retrieve(store, id, ROTATE_IV_ALL_VALID, &keys->material);
	if (status != NV_OK) {
		rm_channel_keys_destroy(keys);
		return status;
	}
	*out = keys;
	return NV_OK;
}

void rm_channel_keys_destroy(struct rm_channel_keys *keys)
{
	if (!keys)
		return;
	os_mutex_destroy(&keys->lock);
	os_free_secret(keys, sizeof(*keys));
}

/* -- The interface's form ---------------------------------------------------------------------- */

static void put_counter(u32 *words, u64 counter)
{
	words[0] = (u32)counter;
	words[1] = (u32)(counter >> 32);
}

void rm_channel_keys_describe(const struct rm_channel_keys *keys, NV_CHANNEL_ALLOC_PARAMS *params)
{
	const struct key_material *receive = &keys->material.receive;

	put_counter(params->encryptIv + IV_CHANNEL, keys->material.send.channel_counter);
	if (receive->signs)
		put_counter(params->hmacNonce + NONCE_CHANNEL, receive->channel_counter);
	else
		put_counter(params->decryptIv + IV_CHANNEL, receive->channel_counter);
}

static void bundle_cipher(const struct key_material *material, bool secrets,
			  CC_AES_CRYPTOBUNDLE *bundle)
{
	if (!material->valid)
		return;
	put_counter(bundle->iv + IV_CHANNEL, material->channel_counter);
	if (!secrets)
		return;
	os_memcpy(bundle->key, material->key, sizeof(bundle->key));
	os_memcpy(bundle->ivMask, material->iv_mask, sizeof(bundle->ivMask));
}

static void bundle_pair(const struct key_pair *pair, bool secrets, CC_KMB *kmb)
{
	os_memset(kmb, 0, sizeof(*kmb));
	bundle_cipher(&pair->send, secrets, &kmb->encryptBundle);
	if (!pair->receive.signs) {
		bundle_cipher(&pair->receive, secrets, &kmb->decryptBundle);
		return;
	}
	put_counter(kmb->hmacBundle.nonce + NONCE_CHANNEL, pair->receive.channel_counter);
	if (secrets)
		os_memcpy(kmb->hmacBundle.key, pair->receive.key, sizeof(kmb->hmacBundle.key));
	kmb->bIsWorkLaunch = true;
}

void rm_channel_keys_bundle(const struct rm_channel_keys *keys, CC_KMB *kmb)
{
	bundle_pair(&keys->material, true, kmb);
}

/* -- Rotation ---------------------------------------------------------------------------------- */

static bool take(struct rm_channel_keys *keys)
{
	bool free;

	os_mutex_lock(&keys->lock);
	free = !keys->taken;
	keys->taken = true;
	os_mutex_unlock(&keys->lock);
	return free;
}

static void give_back(struct rm_channel_keys *keys)
{
	os_mutex_lock(&keys->lock);
	keys->taken = false;
	os_mutex_unlock(&keys->lock);
}

/* The channel keeps its keys: what was updated since is for those that are made anew. */
static bool is_same_key(const struct key_material *had, const struct key_material *next)
{
	return !next->valid || next->generation == had->generation;
}

static enum nv_status rotate_to(struct rm_channel_keys *keys, u32 type, const struct key_pair *next)
{
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS params;
	enum nv_status status;

	if (!is_same_key(&keys->material.send, &next->send) ||
	    !is_same_key(&keys->material.receive, &next->receive))
		return NV_ERR_INVALID_STATE;
	params.rotateIvType = type;
	bundle_pair(next, false, &params.updatedKmb);
	status = keys->tell(keys->owner, &params);
	if (status != NV_OK)
		return status;
	if (next->send.valid)
		keys->material.send = next->send;
	if (next->receive.valid)
		keys->material.receive = next->receive;
	return NV_OK;
}

/* The keys are taken. */
static enum nv_status rotate(struct rm_channel_keys *keys, u32 type, CC_KMB *kmb)
{
	struct key_pair next;
	enum nv_status status = key_store_retrieve(keys->store, keys->id, type, &next);

	if (status == NV_OK)
		status = rotate_to(keys, type, &next);
	if (status == NV_OK && kmb)
		bundle_pair(&next, true, kmb);
	os_wipe(&next, sizeof(next));
	return status;
}

enum nv_status rm_channel_keys_rotate(struct rm_channel_keys *keys, u32 type, CC_KMB *kmb)
{
	enum nv_status status;

	os_memset(kmb, 0, sizeof(*kmb));
	if (!take(keys))
		return NV_ERR_IN_USE;
	status = rotate(keys, type, kmb);
	give_back(keys);
	return status;
}

/* -- CSL contexts ------------------------------------------------------------------------------ */

/* The context has retrieved them, and counts on from there when the GPU does. */
static enum nv_status tell_iv(void *owner, enum csl_operation operation, const u8 *iv, u32 size)
{
	struct rm_channel_keys *keys = owner;
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS params = { 0 };

	if (size == CSL_NONCE_SIZE) {
		params.rotateIvType = ROTATE_IV_HMAC;
		os_memcpy(params.updatedKmb.hmacBundle.nonce, iv, size);
	} else if (operation == CSL_OPERATION_ENCRYPT) {
		params.rotateIvType = ROTATE_IV_ENCRYPT;
		os_memcpy(params.updatedKmb.encryptBundle.iv, iv, size);
	} else {
		params.rotateIvType = ROTATE_IV_DECRYPT;
		os_memcpy(params.updatedKmb.decryptBundle.iv, iv, size);
	}
	return keys->tell(keys->owner, &params);
}

enum nv_status rm_channel_keys_csl_init(struct rm_channel_keys *keys, struct csl_context *csl)
{
	struct csl_channel channel = {
		.keys = keys->store,
		.secure = true,
		.kernel = keys->kernel,
		.engine = keys->engine,
		.material = &keys->material,
		.rotate = tell_iv,
		.owner = keys,
	};
	enum nv_status status = NV_OK;

	if (csl->ready || !take(keys))
		return NV_ERR_IN_USE;
	if (keys->spent)
		status = rotate(keys, ROTATE_IV_ALL_VALID, NULL);
	if (status == NV_OK)
		status = csl_init_context(csl, &channel);
	if (status == NV_OK)
		keys->spent = true;
	else
		give_back(keys);
	return status;
}

void rm_channel_keys_csl_deinit(struct rm_channel_keys *keys, struct csl_context *csl)
{
	if (!csl->ready)
		return;
	csl_deinit_context(csl);
	give_back(keys);
}
