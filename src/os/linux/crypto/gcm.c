// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * AES-256-GCM of os/crypto.h on the kernel's AEAD. That takes pages, of one message at once, and
 * reads ciphertext more than once: a message goes through a room (crypto.h), so that stacks and
 * vmalloc's memory are as good as any, and nobody who shares the caller's memory can have one thing
 * hashed and another one used.
 *
 *   request's pages:  | associated data, in the context | text | tag |     the last two in the room
 */
#include <crypto/aead.h>
#include <linux/err.h>

#include "os/linux/crypto/crypto.h"

struct os_gcm {
	struct crypto_aead *cipher;
	struct aead_request *request;
	struct crypto_wait wait;
	struct room_size *rooms;
	size_t max_size;
	bool keyed;
	u8 iv[OS_GCM_IV_SIZE];
	u8 aad[OS_GCM_AAD_MAX];
};

/* os_alloc does not scatter what fits into a page: the associated data is one piece. */
static_assert(sizeof(struct os_gcm) + 256 < PAGE_SIZE);

struct os_gcm *os_gcm_create(size_t max_size)
{
	struct os_gcm *gcm;

	if (max_size > INT_MAX)
		return NULL;
	gcm = os_alloc(sizeof(*gcm));
	if (!gcm)
		return NULL;
	gcm->max_size = max_size;
	crypto_init_wait(&gcm->wait);
	gcm->cipher = account_fails() ? ERR_PTR(-ENOMEM) : crypto_alloc_aead(GCM_NAME, 0, UNWANTED);
	if (IS_ERR(gcm->cipher))
		gcm->cipher = NULL;
	if (gcm->cipher && !account_fails())
		gcm->request = aead_request_alloc(gcm->cipher, GFP_KERNEL);
	if (!gcm->request || crypto_aead_setauthsize(gcm->cipher, OS_GCM_TAG_SIZE) != 0) {
		os_gcm_destroy(gcm);
		return NULL;
	}
	aead_request_set_callback(gcm->request,
				  CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &gcm->wait);
	return gcm;
}

void os_gcm_destroy(struct os_gcm *gcm)
{
	if (!gcm)
		return;
	room_release(gcm->rooms);
	if (gcm->request)
		aead_request_free(gcm->request);
	if (gcm->cipher)
		crypto_free_aead(gcm->cipher);
	os_free_secret(gcm, sizeof(*gcm));
}

enum nv_status os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE])
{
	gcm->keyed = false;
	if (!gcm->rooms)
		gcm->rooms = room_reserve(gcm->max_size);
	gcm->keyed = gcm->rooms && !account_fails() &&
		     crypto_aead_setkey(gcm->cipher, key, OS_GCM_KEY_SIZE) == 0;
	return gcm->keyed ? NV_OK : NV_ERR_NO_MEMORY;
}

static enum nv_status check(const struct os_gcm *gcm, size_t aad_size, size_t size)
{
	if (aad_size > gcm->max_size || aad_size > OS_GCM_AAD_MAX || size > gcm->max_size)
		return NV_ERR_INVALID_ARGUMENT;
	return gcm->keyed ? NV_OK : NV_ERR_INVALID_STATE;
}

/* What is in the room, in place; the size is that of the cipher's input. */
static void prepare(struct os_gcm *gcm, struct room *room, const u8 *iv, const void *aad,
		    size_t aad_size, size_t size)
{
	struct scatterlist *sg = room->sg + 1;

	os_memcpy(gcm->iv, iv, sizeof(gcm->iv));
	os_memcpy(gcm->aad, aad, aad_size);
	if (aad_size) {
		sg = room->sg;
		sg_set_buf(sg, gcm->aad, aad_size);
	}
	aead_request_set_crypt(gcm->request, sg, sg, size, gcm->iv);
	aead_request_set_ad(gcm->request, aad_size);
}

enum nv_status os_gcm_encrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      u8 tag[OS_GCM_TAG_SIZE])
{
	enum nv_status status = check(gcm, aad_size, size);
	struct room *room;
	int err;

	if (status == NV_OK) {
		room = room_take(gcm->rooms);
		os_memcpy(room->bytes, in, size);
		prepare(gcm, room, iv, aad, aad_size, size);
		err = crypto_wait_req(crypto_aead_encrypt(gcm->request), &gcm->wait);
		if (err) {
			status = NV_ERR_NO_MEMORY;
			os_wipe(room->bytes, size);
		} else {
			os_memcpy(out, room->bytes, size);
			os_memcpy(tag, room->bytes + size, OS_GCM_TAG_SIZE);
		}
		room_give(gcm->rooms, room);
	}
	if (status != NV_OK) {
		os_memset(out, 0, size);
		os_memset(tag, 0, OS_GCM_TAG_SIZE);
	}
	return status;
}

enum nv_status os_gcm_decrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      const u8 tag[OS_GCM_TAG_SIZE])
{
	enum nv_status status = check(gcm, aad_size, size);
	struct room *room;
	int err;

	if (status == NV_OK) {
		room = room_take(gcm->rooms);
		os_memcpy(room->bytes, in, size);
		os_memcpy(room->bytes + size, tag, OS_GCM_TAG_SIZE);
		prepare(gcm, room, iv, aad, aad_size, size + OS_GCM_TAG_SIZE);
		err = crypto_wait_req(crypto_aead_decrypt(gcm->request), &gcm->wait);
		if (!err)
			os_memcpy(out, room->bytes, size);
		else
			status = err == -EBADMSG ? NV_ERR_INVALID_DATA : NV_ERR_NO_MEMORY;
		os_wipe(room->bytes, size);
		room_give(gcm->rooms, room);
	}
	if (status != NV_OK)
		os_wipe(out, size);
	return status;
}
