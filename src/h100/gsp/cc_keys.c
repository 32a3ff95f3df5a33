// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The keys of a session as the GPU derives them, the same as the driver's by the table in
 * docs/confidential-computing.md, and the slots that the engines find them in.
 *
 *   key       HKDF-SHA256-Expand(master, label, 32), which is HMAC(master, label | 1)
 *   HMAC key  SHA-256 of the data key before it
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "h100/gsp/firmware.h"

#define LABEL_MAX 40u
#define LCE_SPACES 8u

enum kind { KIND_NONE, KIND_PLAIN, KIND_MASKED, KIND_HMAC };

struct place {
	const char *label;
	enum kind kind;
};

static const struct place gsp_places[CC_PLACES] = {
	[0] = { "cpu_gsp_locked_rpc", KIND_PLAIN },
	[1] = { "gsp_cpu_locked_rpc", KIND_PLAIN },
	[2] = { "cpu_gsp_dma", KIND_PLAIN },
	[3] = { "gsp_cpu_dma", KIND_PLAIN },
	[5] = { "gsp_cpu_replayable_fault", KIND_PLAIN },
	[7] = { "gsp_cpu_non_replayable_fault", KIND_PLAIN },
};

static const struct place sec2_places[CC_PLACES] = {
	[0] = { "cpu_sec2_data_user", KIND_MASKED },
	[1] = { NULL, KIND_HMAC },
	[2] = { "cpu_sec2_data_kernel", KIND_MASKED },
	[3] = { NULL, KIND_HMAC },
};

static const struct place lce_places[CC_PLACES] = {
	[0] = { "h2d_user", KIND_MASKED },   [1] = { "d2h_user", KIND_MASKED },
	[2] = { "h2d_kernel", KIND_MASKED }, [3] = { "d2h_kernel", KIND_MASKED },
	[4] = { "h2d_p2p", KIND_MASKED },    [5] = { "d2h_p2p", KIND_MASKED },
};

static const struct place *place_of(u32 space, u32 place)
{
	if (place >= CC_PLACES || space >= H100_KEY_SPACE_LCE0 + LCE_SPACES)
		return NULL;
	if (space == 0)
		return &gsp_places[place];
	return space == H100_KEY_SPACE_SEC2 ? &sec2_places[place] : &lce_places[place];
}

bool cc_derive(const u8 master[CC_KEY_BYTES], u32 space, u32 place, u8 key[CC_KEY_BYTES])
{
	const struct place *p = place_of(space, place);
	unsigned int bytes = 0;
	char label[LABEL_MAX];
	int length;

	if (!p || p->kind == KIND_NONE)
		return false;
	if (p->kind == KIND_HMAC)
		return cc_derive(master, space, place - 1, key) &&
		       EVP_Digest(key, CC_KEY_BYTES, key, &bytes, EVP_sha256(), NULL) == 1;
	length = space < H100_KEY_SPACE_LCE0 ? snprintf(label, sizeof(label), "%s", p->label)
					     : snprintf(label, sizeof(label), "Lce%u_%s",
							space - H100_KEY_SPACE_LCE0, p->label);
	label[length++] = 1; /* the terminator's place: HKDF counts its blocks from 1 */
	return HMAC(EVP_sha256(), master, CC_KEY_BYTES, (const u8 *)label, (size_t)length, key,
		    &bytes) != NULL;
}

static enum nv_status load(struct fw *fw, u32 space, u32 place, u8 mask[CC_MASK_BYTES])
{
	const struct place *p = place_of(space, place);
	enum nv_status status = NV_ERR_NO_MEMORY;
	u8 key[CC_KEY_BYTES];

	memset(mask, 0, CC_MASK_BYTES);
	if (p->kind == KIND_NONE)
		return NV_OK;
	if (cc_derive(fw->cc->master, space, place, key) &&
	    (p->kind != KIND_MASKED || RAND_bytes(mask, CC_MASK_BYTES) == 1))
		status = h100_keys_load(fw->keys, space, place, key, mask);
	OPENSSL_cleanse(key, sizeof(key));
	return status;
}

enum nv_status cc_load_space(struct fw *fw, u32 space, u8 masks[CC_PLACES][CC_MASK_BYTES])
{
	struct fw_cc *cc = fw->cc;
	const u32 all = (1u << (H100_KEY_SPACE_LCE0 + LCE_SPACES)) - 1;
	enum nv_status status;
	u32 i;

	if (!place_of(space, 0))
		return NV_ERR_INVALID_ARGUMENT;
	if (!cc->has_master || (cc->derived & 1u << space) != 0)
		return NV_ERR_INVALID_STATE;
	for (i = 0; i < CC_PLACES; i++) {
		status = load(fw, space, i, masks[i]);
		if (status != NV_OK)
			return status;
	}
	cc->derived |= 1u << space;
	if (cc->derived == all) {
		OPENSSL_cleanse(cc->master, sizeof(cc->master));
		cc->has_master = false;
	}
	return NV_OK;
}
