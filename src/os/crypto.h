/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What shared code asks of an operating system's cryptography; a part of os.h that only
 * confidential computing needs. src/os/user has it on OpenSSL's libcrypto, src/os/linux on the
 * kernel's; src/os/hmac.c and hkdf.c serve both, src/os/x509.c the kernel.
 *
 * A context is made beforehand and is used by one caller at a time; what is done with it then takes
 * no memory unless it says so. (libcrypto's hashes take some of the library's own at each begin;
 * without it, finish says so.) Functions may sleep. NV_ERR_NO_MEMORY for any exhausted resource,
 * and where the system's library fails and does not say why; what is checked is refused in both
 * cases. Whoever owns a secret wipes it: contexts wipe theirs when they are destroyed.
 */
#ifndef OS_CRYPTO_H
#define OS_CRYPTO_H

#include "os/os.h"

/*
 * Whether the system has all of this; else NV_ERR_NOT_SUPPORTED, and the log names what is missing.
 * For whoever is about to rely on it: without asking, what is missing looks like exhausted memory.
 * Takes memory.
 */
enum nv_status os_crypto_check(void);

/* -- Secrets ----------------------------------------------------------------------------------- */

/* Overwrites it, whatever the compiler thinks of writes that nobody reads. */
void os_wipe(void *mem, size_t size);
/* Whether both are the same bytes, in a time that only their size decides. */
bool os_equal_secret(const void *a, const void *b, size_t size);

/* -- Hashes (FIPS 180-4) ----------------------------------------------------------------------- */

enum os_hash_kind { OS_SHA256, OS_SHA384 };
#define OS_SHA256_SIZE 32u
#define OS_SHA384_SIZE 48u
#define OS_HASH_SIZE_MAX 48u
#define OS_HASH_BLOCK_MAX 128u

static inline u32 os_hash_size(enum os_hash_kind kind)
{
	return kind == OS_SHA256 ? OS_SHA256_SIZE : OS_SHA384_SIZE;
}

/* Bytes that the hash takes in at a time. */
static inline u32 os_hash_block(enum os_hash_kind kind)
{
	return kind == OS_SHA256 ? 64u : 128u;
}

struct os_hash;
/* A hash of nothing as yet; NULL: no memory. */
struct os_hash *os_hash_create(enum os_hash_kind kind);
void os_hash_destroy(struct os_hash *hash); /* NULL is ignored */
/* Forgets what it has hashed. */
void os_hash_begin(struct os_hash *hash);
void os_hash_update(struct os_hash *hash, const void *data, size_t size);
/*
 * The digest (os_hash_size bytes) of all that was hashed since begin, which is then forgotten.
 * Tells of what went wrong since then; the digest is zero in that case.
 */
enum nv_status os_hash_finish(struct os_hash *hash, void *digest);
/* The digest of what was hashed so far, which goes on. Takes memory. */
enum nv_status os_hash_peek(const struct os_hash *hash, void *digest);
/* All at once. Takes memory. */
enum nv_status os_hash_digest(enum os_hash_kind kind, const void *data, size_t size, void *digest);

/* -- HMAC (RFC 2104) --------------------------------------------------------------------------- */

struct os_hmac;
/* Without a key; NULL: no memory. */
struct os_hmac *os_hmac_create(enum os_hash_kind kind);
void os_hmac_destroy(struct os_hmac *hmac); /* NULL is ignored */
/* A key of any size, copied. Also begins. Until the first one the key is of no bytes. */
enum nv_status os_hmac_set_key(struct os_hmac *hmac, const void *key, size_t size);
void os_hmac_begin(struct os_hmac *hmac);
void os_hmac_update(struct os_hmac *hmac, const void *data, size_t size);
/* As os_hash_finish. */
enum nv_status os_hmac_finish(struct os_hmac *hmac, void *mac);
/* All at once. Takes memory. */
enum nv_status os_hmac_mac(enum os_hash_kind kind, const void *key, size_t key_size,
			   const void *data, size_t size, void *mac);

/* -- HKDF (RFC 5869) --------------------------------------------------------------------------- */

/* prk: os_hash_size bytes. Takes memory. */
enum nv_status os_hkdf_extract(enum os_hash_kind kind, const void *salt, size_t salt_size,
			       const void *ikm, size_t ikm_size, void *prk);
/*
 * out: size bytes, at most 255 times the hash's (else NV_ERR_INVALID_ARGUMENT); all zero when it
 * fails. Takes memory.
 */
enum nv_status os_hkdf_expand(enum os_hash_kind kind, const void *prk, size_t prk_size,
			      const void *info, size_t info_size, void *out, size_t size);

/* -- AES-256-GCM (NIST SP 800-38D) with IVs of 96 and tags of 128 bits ------------------------- */

#define OS_GCM_KEY_SIZE 32u
#define OS_GCM_IV_SIZE 12u
#define OS_GCM_TAG_SIZE 16u
#define OS_GCM_AAD_MAX 1024u /* for larger ones the kernel would take memory each time */

struct os_gcm;
/*
 * For messages of at most max_size bytes, associated data and text each; of the former also at most
 * OS_GCM_AAD_MAX. Below 2 GiB. NULL: no memory, or a larger size.
 */
struct os_gcm *os_gcm_create(size_t max_size);
void os_gcm_destroy(struct os_gcm *gcm); /* NULL is ignored */
/* May take memory; after a failure there is no key. */
enum nv_status os_gcm_set_key(struct os_gcm *gcm, const u8 key[OS_GCM_KEY_SIZE]);
/*
 * in and out are size bytes each, the same memory or memory that does not overlap; either may be 0
 * bytes. NV_ERR_INVALID_ARGUMENT: larger than what the context is for; NV_ERR_INVALID_STATE: it has
 * no key. out and tag are all zero when it fails.
 *
 * Others may write to the ciphertext's memory meanwhile: the tag is that of the text that was
 * given. That no IV is used twice with a key is the caller's to see to.
 */
enum nv_status os_gcm_encrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      u8 tag[OS_GCM_TAG_SIZE]);
/*
 * The same the other way. NV_ERR_INVALID_DATA: the tag is not that of these bytes. out is all zero
 * when it fails: no byte that is not proven is ever left there. Others may write to in and tag
 * meanwhile: what is left in out is what was proven. They do not share out and aad.
 */
enum nv_status os_gcm_decrypt(struct os_gcm *gcm, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			      size_t aad_size, const void *in, size_t size, void *out,
			      const u8 tag[OS_GCM_TAG_SIZE]);

/* -- Elliptic curve P-384 (NIST SP 800-186) ---------------------------------------------------- */

/* Numbers are big endian; a point is X||Y, a signature r||s. These functions take memory. */
#define OS_P384_SIZE 48u
#define OS_P384_POINT_SIZE 96u
#define OS_P384_SIGNATURE_SIZE 96u

/* One end of a key exchange (ECDH, NIST SP 800-56A): a private key. */
struct os_p384_key;
/*
 * From a private key, or a fresh one where private_key is NULL. NV_ERR_INVALID_ARGUMENT: the number
 * is 0 or not below the order n of the group; the kernel takes neither 1, n - 2 nor n - 1.
 */
enum nv_status os_p384_key_create(const u8 private_key[OS_P384_SIZE], struct os_p384_key **key);
void os_p384_key_destroy(struct os_p384_key *key); /* NULL is ignored */
void os_p384_key_public(const struct os_p384_key *key, u8 point[OS_P384_POINT_SIZE]);
/*
 * The secret shared with the owner of that public key: the x coordinate of the product.
 * NV_ERR_INVALID_DATA: no point of the curve. The secret is all zero when it fails.
 */
enum nv_status os_p384_key_shared(const struct os_p384_key *key, const u8 peer[OS_P384_POINT_SIZE],
				  u8 secret[OS_P384_SIZE]);

/* NV_ERR_INVALID_DATA: no point of the curve. */
enum nv_status os_p384_check_point(const u8 point[OS_P384_POINT_SIZE]);

/*
 * ECDSA (FIPS 186-4) over a digest; its leftmost 384 bits count. NV_ERR_INVALID_DATA: not a
 * signature of that key, or no key.
 */
enum nv_status os_p384_verify(const u8 key[OS_P384_POINT_SIZE], const void *digest, size_t size,
			      const u8 signature[OS_P384_SIGNATURE_SIZE]);

/* -- Certificates (X.509, RFC 5280) ------------------------------------------------------------ */

#define OS_X509_CHAIN_MAX 16u

/*
 * The P-384 key that a certificate (DER, exactly size bytes) is for. NV_ERR_INVALID_DATA: no
 * certificate, or a key of another kind.
 */
enum nv_status os_x509_public_key(const void *certificate, size_t size,
				  u8 point[OS_P384_POINT_SIZE]);
/*
 * Whether a chain holds: certificates in DER, one directly behind the other and nothing else, at
 * most OS_X509_CHAIN_MAX. The first is the given root or one that it signed, each other one is
 * signed by the one before, the last is the owner's, whose key is told. All signatures are ECDSA
 * with P-384 and SHA-384, issuers are certificate authorities, the owner's key may sign
 * (digitalSignature, where its use is told), all are valid at the given time
 * (seconds since 1970-01-01 UTC). NV_ERR_INVALID_DATA: anything else; the key is then all zero.
 */
enum nv_status os_x509_verify_chain(const void *root, size_t root_size, const void *chain,
				    size_t chain_size, u64 time, u8 point[OS_P384_POINT_SIZE]);

#endif
