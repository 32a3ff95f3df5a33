/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files on OpenSSL's libcrypto share.
 */
#ifndef OS_USER_CRYPTO_H
#define OS_USER_CRYPTO_H

#include "os/crypto.h"
#include "os/user/internal.h"

/*
 * The status of a call of libcrypto's that failed: NV_ERR_NO_MEMORY where its errors say so
 * (not all do), otherwise as given. Empties the thread's list of them.
 */
enum nv_status crypto_failure(enum nv_status otherwise);

#endif
