// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * AES-256-GCM of os/crypto.h on a library's (gcm.h). Those read what they hash from the buffers
 * that they are given, the ciphertext of a piece more than once: it goes through a buffer of the
 * context's, so that nobody who shares the caller's memory can have one thing hashed and another
 * one used.
 */
#include "os/user/gcm.h"

#include <limits.h>

#include "os/user/user.h"

#define PIECE 16384u /* stays in the nearest cache; a multiple of the cipher's block */

struct os_gcm {
	const struct gcm_library *library;
	void *cipher;
	u8 *piece;
	size_t max_size;
	bool keyed;
};

static u32 only_libcrypto; /* atomic */

bool os_user_gcm_only_libcrypto(bool only)
{
	os_store_release(&only_libcrypto, only);
	return gcm_ipsec() != NULL;
}

static const struct gcm_library *library(void)
{
	const struct gcm_library *fast = gcm_ipsec();

	return fast && !os_load_acquire(&only_libcrypto) ? fast : &gcm_libcrypto;
}

struct os_gcm *os_gcm_create(size_t max_size)
{
	struct os_gcm *gcm;

	if (max_size > INT_MAX)
		return NULL;
	gcm = os_alloc(sizeof(*gcm));
	if (!gcm)
		return NULL;
	gcm->max_size = max_size;
	gcm->library = library();
	gcm->cipher = gcm->library->create();
	gcm->piece = os_alloc(PIECE);
	if (gcm->cipher && gcm->piece)
		return gcm;
	os_gcm_destroy(gcm);
	return NULL;
}

void os_gcm_destroy(struct os_gcm *gcm)
{
	if (!gcm)
		return;
	if (gcm->cipher)
		gcm->library->destroy(gcm->cipher);
	os_free(gcm->piece);
	os_free(gcm);
}

enum nv_status os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE])
{
	enum nv_status status = gcm->library->set_key(gcm->cipher, key);

	gcm->keyed = status == NV_OK;
	return status;
}

/* One way or the other, but for the tag. The ciphertext that counts is the one in the piece. */
static enum nv_status transform(struct os_gcm *gcm, bool encrypt, const u8 *iv, const void *aad,
				size_t aad_size, const u8 *in, size_t size, u8 *out)
{
	enum nv_status status = gcm->library->begin(gcm->cipher, encrypt, iv, aad, aad_size);
	size_t at, part;

	for (at = 0; at < size && status == NV_OK; at += part) {
		part = size - at < PIECE ? size - at : PIECE;
		if (!encrypt)
			os_memcpy(gcm->piece, in + at, part);
		status = gcm->library->update(gcm->cipher, encrypt ? in + at : gcm->piece, part,
					      encrypt ? gcm->piece : out + at);
		if (encrypt && status == NV_OK)
			os_memcpy(out + at, gcm->piece, part);
	}
	return status;
}

static enum nv_status check(const struct os_gcm *gcm, size_t aad_size, size_t size)
{
	if (aad_size > gcm->max_size || aad_size > OS_GCM_AAD_MAX || size > gcm->max_size)
		return NV_ERR_INVALID_ARGUMENT;
	return gcm->keyed ? NV_OK : NV_ERR_INVALID_STATE;
}

enum nv_status os_gcm_encrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      u8 tag[OS_GCM_TAG_SIZE])
{
	enum nv_status status = check(gcm, aad_size, size);

	if (status == NV_OK)
		status = transform(gcm, true, iv, aad, aad_size, in, size, out);
	if (status == NV_OK)
		status = gcm->library->make_tag(gcm->cipher, tag);
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
	u8 want[OS_GCM_TAG_SIZE];

	if (status == NV_OK) {
		os_memcpy(want, tag, sizeof(want));
		status = transform(gcm, false, iv, aad, aad_size, in, size, out);
	}
	if (status == NV_OK)
		status = gcm->library->check_tag(gcm->cipher, want);
	if (status != NV_OK)
		os_wipe(out, size);
	return status;
}
