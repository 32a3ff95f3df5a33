/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The libraries that os_gcm is on. A cipher is used by one caller at a time, as its os_gcm, and
 * wipes its secrets when it is destroyed.
 */
#ifndef OS_USER_GCM_H
#define OS_USER_GCM_H

#include "os/user/crypto.h"

struct gcm_library {
	void *(*create)(void); /* NULL: no memory */
	void (*destroy)(void *cipher);
	enum nv_status (*set_key)(void *cipher, const u8 key[OS_GCM_KEY_SIZE]);
	/* A message. After it, updates in its order, of any size but 0; then its tag. */
	enum nv_status (*begin)(void *cipher, bool encrypt, const u8 iv[OS_GCM_IV_SIZE],
				const void *aad, size_t aad_size);
	enum nv_status (*update)(void *cipher, const void *in, size_t size, void *out);
	enum nv_status (*make_tag)(void *cipher, u8 tag[OS_GCM_TAG_SIZE]);
	/* NV_ERR_INVALID_DATA: it is another one. */
	enum nv_status (*check_tag)(void *cipher, u8 tag[OS_GCM_TAG_SIZE]);
};

extern const struct gcm_library gcm_libcrypto;
/* libipsec-mb's; NULL: it was not there when this was built, or is no faster on this CPU. */
const struct gcm_library *gcm_ipsec(void);

#endif
