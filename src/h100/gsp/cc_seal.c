// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * AES-256-GCM of the messages between driver and firmware, on memory of the firmware's own.
 *
 *   IV: | number of the message, 8 bytes, lowest first | zero, 4 bytes |
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "h100/gsp/cc.h"

#define IV_BYTES 12u

bool cc_direction_start(struct cc_direction *d, const u8 key[CC_KEY_BYTES])
{
	d->count = 0;
	d->cipher = EVP_CIPHER_CTX_new();
	if (d->cipher && EVP_CipherInit_ex(d->cipher, EVP_aes_256_gcm(), NULL, key, NULL, 1) == 1)
		return true;
	cc_direction_stop(d);
	return false;
}

void cc_direction_stop(struct cc_direction *d)
{
	EVP_CIPHER_CTX_free(d->cipher);
	memset(d, 0, sizeof(*d));
}

/* The next IV; false when there is none. */
static bool next_iv(struct cc_direction *d, u8 iv[IV_BYTES])
{
	u32 i;

	if (!d->cipher || d->count == ~(u64)0)
		return false;
	d->count++;
	memset(iv, 0, IV_BYTES);
	for (i = 0; i < sizeof(d->count); i++)
		iv[i] = (u8)(d->count >> 8 * i);
	return true;
}

static bool transform(struct cc_direction *d, int encrypt, u8 *text, u32 bytes, const u8 *aad)
{
	u8 iv[IV_BYTES];
	int n;

	return next_iv(d, iv) && EVP_CipherInit_ex(d->cipher, NULL, NULL, NULL, iv, encrypt) == 1 &&
	       (!aad || EVP_CipherUpdate(d->cipher, NULL, &n, aad, CC_AAD_BYTES) == 1) &&
	       EVP_CipherUpdate(d->cipher, text, &n, text, (int)bytes) == 1;
}

bool cc_seal(struct cc_direction *d, u8 *text, u32 bytes, const u8 aad[CC_AAD_BYTES],
	     u8 tag[CC_TAG_BYTES])
{
	u8 rest[CC_TAG_BYTES];
	int n;
	bool done = transform(d, 1, text, bytes, aad) &&
		    EVP_CipherFinal_ex(d->cipher, rest, &n) == 1 &&
		    EVP_CIPHER_CTX_ctrl(d->cipher, EVP_CTRL_AEAD_GET_TAG, CC_TAG_BYTES, tag) == 1;

	if (!done)
		OPENSSL_cleanse(text, bytes);
	return done;
}

bool cc_open(struct cc_direction *d, u8 *text, u32 bytes, const u8 aad[CC_AAD_BYTES],
	     const u8 tag[CC_TAG_BYTES])
{
	u8 want[CC_TAG_BYTES], rest[CC_TAG_BYTES];
	bool done;
	int n;

	memcpy(want, tag, sizeof(want));
	done = transform(d, 0, text, bytes, aad) &&
	       EVP_CIPHER_CTX_ctrl(d->cipher, EVP_CTRL_AEAD_SET_TAG, CC_TAG_BYTES, want) == 1 &&
	       EVP_CipherFinal_ex(d->cipher, rest, &n) == 1;
	if (!done)
		OPENSSL_cleanse(text, bytes);
	return done;
}
