/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What those need to know of CSL contexts (rm/cc/csl.h) who have one without looking inside:
 * unified memory, by rm/uvm.h.
 */
#ifndef RM_CC_CSL_IV_H
#define RM_CC_CSL_IV_H

#include "base/types.h"

#define CSL_IV_SIZE 12u
#define CSL_CRYPT_AUTH_TAG_SIZE 16u
#define CSL_SIGN_AUTH_TAG_SIZE 32u
/* Text and associated data each; a buffer of unified memory has 2 MiB. */
#define CSL_MESSAGE_MAX (4u << 20)

enum csl_operation { CSL_OPERATION_ENCRYPT, CSL_OPERATION_DECRYPT };

/* The layout of UvmCslIv. */
struct csl_iv {
	u8 iv[CSL_IV_SIZE];
	u8 fresh; /* 1: no message was encrypted with it as yet */
};

#endif
