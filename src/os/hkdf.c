// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * HKDF (RFC 5869) of os/crypto.h on its HMAC.
 */
#include "os/crypto.h"

#define ROUNDS_MAX 255u

enum nv_status os_hkdf_extract(enum os_hash_kind kind, const void *salt, size_t salt_size,
			       const void *ikm, size_t ikm_size, void *prk)
{
	/* No salt is as many zeros as the hash has bytes: HMAC pads a key of no bytes to the same.
	 */
	return os_hmac_mac(kind, salt, salt_size, ikm, ikm_size, prk);
}

/* T(n) = HMAC(prk, T(n - 1) || info || n), T(0) is empty, out is T(1) || T(2) ... */
enum nv_status os_hkdf_expand(enum os_hash_kind kind, const void *prk, size_t prk_size,
			      const void *info, size_t info_size, void *out, size_t size)
{
	u32 hash_size = os_hash_size(kind);
	u8 block[OS_HASH_SIZE_MAX], counter = 0;
	struct os_hmac *hmac = NULL;
	enum nv_status status;
	size_t done = 0, part;

	if (size > (size_t)ROUNDS_MAX * hash_size) {
		os_memset(out, 0, size);
		return NV_ERR_INVALID_ARGUMENT;
	}
	hmac = os_hmac_create(kind);
	status = hmac ? os_hmac_set_key(hmac, prk, prk_size) : NV_ERR_NO_MEMORY;
	while (status == NV_OK && done < size) {
		if (counter)
			os_hmac_update(hmac, block, hash_size);
		counter++;
		os_hmac_update(hmac, info, info_size);
		os_hmac_update(hmac, &counter, 1);
		status = os_hmac_finish(hmac, block);
		part = size - done < hash_size ? size - done : hash_size;
		os_memcpy((u8 *)out + done, block, part);
		done += part;
	}
	if (status != NV_OK)
		os_wipe(out, size);
	os_wipe(block, sizeof(block));
	os_hmac_destroy(hmac);
	return status;
}
