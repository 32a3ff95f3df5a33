/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Published known answers that the tests of os/crypto.h share, in a process and in the kernel.
 * Bytes are text in hexadecimal; "0b*20" is twenty times that byte. A table ends with an empty one.
 */
#ifndef TESTS_CRYPTO_ANSWERS_H
#define TESTS_CRYPTO_ANSWERS_H

#include "base/types.h"

/* Those bytes; how many, at most room. */
size_t answer_bytes(const char *text, u8 *bytes, size_t room);

/* FIPS 180-4's examples (csrc.nist.gov, "Examples with intermediate values"). */
#define HASH_ANSWERS 4u
struct hash_answer {
	const char *text;
	const char *sha256, *sha384;
};
extern const struct hash_answer hash_answers[HASH_ANSWERS + 1];
/* The same of a million times "a": SHA-256, SHA-384. */
extern const char *const million_answers[2];

/* RFC 4231, section 4 (its case 5 is of a truncated output). */
#define HMAC_ANSWERS 6u
struct hmac_answer {
	const char *key;
	const char *data, *text; /* one of them */
	const char *sha256, *sha384;
};
extern const struct hmac_answer hmac_answers[HMAC_ANSWERS + 1];

/* RFC 5869, appendix A.1 to A.3: SHA-256. */
#define HKDF_ANSWERS 3u
struct hkdf_answer {
	const char *ikm, *salt, *info, *prk, *okm;
};
extern const struct hkdf_answer hkdf_answers[HKDF_ANSWERS + 1];

/*
 * The cases 13 to 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), and one of NIST's
 * CAVP (gcmEncryptExtIV256).
 */
#define GCM_ANSWERS 5u
struct gcm_answer {
	const char *key, *iv, *aad, *plain, *cipher, *tag;
};
extern const struct gcm_answer gcm_answers[GCM_ANSWERS + 1];

/* RFC 5903, section 8.2 (both ends), and the first case of NIST's CAVP (KAS ECC CDH, P-384). */
#define ECDH_ANSWERS 3u
struct ecdh_answer {
	const char *private_key, *x, *y, *peer_x, *peer_y, *secret;
};
extern const struct ecdh_answer ecdh_answers[ECDH_ANSWERS + 1];
extern const char p384_order[], p384_prime[];

/* RFC 6979, A.2.6. SHA-512 is longer than the order: its leftmost bits count. */
#define ECDSA_ANSWERS 4u
struct ecdsa_answer {
	const char *hash, *text, *r, *s;
};
extern const struct ecdsa_answer ecdsa_answers[ECDSA_ANSWERS + 1];
extern const char ecdsa_signer_x[], ecdsa_signer_y[];

#endif
