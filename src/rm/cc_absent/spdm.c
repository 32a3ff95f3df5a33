// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What of cc/spdm.h is asked of a session, in a driver without cryptography, which has none.
 */
#include "rm/cc/spdm.h"

enum nv_status rm_spdm_attest(struct rm_spdm *spdm, const u8 nonce[RM_SPDM_NONCE_BYTES],
			      void *report, u32 room, u32 *bytes)
{
	return NV_ERR_NOT_READY;
}

enum nv_status rm_spdm_certificates(const struct rm_spdm *spdm, char *pem, u32 room, u32 *bytes)
{
	return NV_ERR_NOT_READY;
}
