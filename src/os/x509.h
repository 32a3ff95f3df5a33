/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Certificates without a library: what os/crypto.h promises of them, on its hashes and P-384. Only
 * what a GPU's certificates have is known, and all else refused (docs/limits.md lists it): DER
 * alone, version 3, names of ASCII, of extensions that libraries look into those named below.
 * Whatever is taken here OpenSSL's libcrypto takes too.
 */
#ifndef OS_X509_H
#define OS_X509_H

#include "os/crypto.h"
#include "os/der.h"

/* keyUsage, its first byte */
#define X509_USAGE_DIGITAL_SIGNATURE 0x80u
#define X509_USAGE_KEY_CERT_SIGN 0x04u

/* A certificate's fields; spans are in the caller's bytes. Absent ones have no bytes. */
struct x509_certificate {
	struct der whole;
	struct der body; /* what the signature is over */
	struct der issuer, subject;
	struct der subject_key_id, authority_key_id;
	u64 from, to; /* seconds since 1970; to is the first when it holds no more */
	bool authority;
	bool path_limited;
	u32 path_max; /* authorities that may follow, where it is limited */
	bool tells_usage;
	u8 usage;
	u8 point[OS_P384_POINT_SIZE];
	u8 signature[OS_P384_SIGNATURE_SIZE];
};

/* Takes one from the front, of which neither signature nor key is checked. */
bool x509_take_certificate(struct der *from, struct x509_certificate *certificate);

/* os_x509_public_key and os_x509_verify_chain of os/crypto.h. */
enum nv_status x509_public_key(const void *certificate, size_t size, u8 point[OS_P384_POINT_SIZE]);
enum nv_status x509_verify_chain(const void *root, size_t root_size, const void *chain,
				 size_t chain_size, u64 time, u8 point[OS_P384_POINT_SIZE]);

#endif
