// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Whether the running kernel has the algorithms: they are modules, which may be missing or refused.
 */
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <crypto/kpp.h>
#include <linux/err.h>
#include <linux/module.h>

#include "os/linux/crypto/crypto.h"

/*
 * What the kernel loads when it is asked for an algorithm: whoever makes an initramfs takes it
 * along. (Soft dependencies would be loaded and unloaded with the module.)
 */
MODULE_INFO(weakdep, "gcm ctr ghash_generic aesni_intel ghash_clmulni_intel sha256_ssse3 "
		     "sha512_ssse3 sha512_generic drbg jitterentropy_rng");

/* An error to be told, or 0. */
static int try_hash(enum os_hash_kind kind)
{
	struct crypto_shash *tfm = crypto_alloc_shash(hash_algorithm(kind), 0, UNWANTED);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	crypto_free_shash(tfm);
	return 0;
}

static int try_gcm(void)
{
	struct crypto_aead *tfm = crypto_alloc_aead(GCM_NAME, 0, UNWANTED);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	crypto_free_aead(tfm);
	return 0;
}

static int try_ecdh(void)
{
	struct crypto_kpp *tfm = crypto_alloc_kpp(ECDH_NAME, 0, UNWANTED);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	crypto_free_kpp(tfm);
	return 0;
}

static enum nv_status tell(const char *name, int err)
{
	if (!err)
		return NV_OK;
	os_log(OS_LOG_ERROR, "the kernel has no %s (error %d)", name, err);
	return err == -ENOMEM ? NV_ERR_NO_MEMORY : NV_ERR_NOT_SUPPORTED;
}

enum nv_status os_crypto_check(void)
{
	enum nv_status status = account_fails() ? NV_ERR_NO_MEMORY : NV_OK;

	if (status == NV_OK)
		status = tell(hash_algorithm(OS_SHA256), try_hash(OS_SHA256));
	if (status == NV_OK)
		status = tell(hash_algorithm(OS_SHA384), try_hash(OS_SHA384));
	if (status == NV_OK)
		status = tell(GCM_NAME, try_gcm());
	if (status == NV_OK)
		status = tell(ECDH_NAME, try_ecdh());
	return status;
}
