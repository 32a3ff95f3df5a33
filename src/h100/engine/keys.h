/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Key slots: what the firmware has derived of a session's secret, for the engines of secure
 * channels. The firmware loads them and cannot read them back; a channel takes copies of its keys
 * when it is made. Spaces and places are those of the table in docs/confidential-computing.md.
 *
 *   space  0 GSP   1 SEC2                  2 to 9 LCE0 to LCE7 (COPY2 to COPY9)
 *   place          0, 1 user data, HMAC    0, 1 user h2d, d2h
 *                  2, 3 kernel             2, 3 kernel          4, 5 peers
 */
#ifndef H100_ENGINE_KEYS_H
#define H100_ENGINE_KEYS_H

#include <pthread.h>

#include "abi/status.h"
#include "base/types.h"

#define H100_KEY_BYTES 32u
#define H100_IV_BYTES 12u

#define H100_KEY_SPACES 10u
#define H100_KEY_SPACE_SEC2 1u
#define H100_KEY_SPACE_LCE0 2u
#define H100_KEY_PLACES 8u
/* In a space, behind those of clients' channels come those of the driver's own. */
#define H100_KEY_PLACE_KERNEL 2u

struct h100_key {
	bool loaded;
	u8 key[H100_KEY_BYTES];
	u8 mask[H100_IV_BYTES]; /* every IV is combined with it (exclusive or); none for HMAC */
};

struct h100_keys {
	pthread_mutex_t lock;
	struct h100_key slot[H100_KEY_SPACES][H100_KEY_PLACES];
};

/* NV_ERR_NO_MEMORY. */
enum nv_status h100_keys_init(struct h100_keys *keys);
void h100_keys_fini(struct h100_keys *keys); /* wipes them */
/*
 * Any thread. Channels that are there keep the key that was in the slot before.
 * NV_ERR_INVALID_ARGUMENT: no such slot, or a key of zeroes.
 */
enum nv_status h100_keys_load(struct h100_keys *keys, u32 space, u32 place,
			      const u8 key[H100_KEY_BYTES], const u8 mask[H100_IV_BYTES]);
/* All of them: no channel can be made with them from then on. Those that are there are gone before
 * (h100_fifo_reset). */
void h100_keys_wipe(struct h100_keys *keys);
/* For engines, who wipe it. False, and all zero: nothing is loaded there. */
bool h100_keys_get(struct h100_keys *keys, u32 space, u32 place, struct h100_key *key);

#endif
