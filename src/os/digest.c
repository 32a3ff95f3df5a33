// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The hash of one piece, on os/crypto.h's hashes, for every implementation of those.
 */
#include "os/crypto.h"

enum nv_status os_hash_digest(enum os_hash_kind kind, const void *data, size_t size, void *digest)
{
	struct os_hash *hash = os_hash_create(kind);
	enum nv_status status;

	if (!hash) {
		os_memset(digest, 0, os_hash_size(kind));
		return NV_ERR_NO_MEMORY;
	}
	os_hash_update(hash, data, size);
	status = os_hash_finish(hash, digest);
	os_hash_destroy(hash);
	return status;
}
