/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The key store of one GPU in confidential mode: every key of a session, derived from the session's
 * export master key, with the masks and channel counters that its IVs are made of. Ids, labels and
 * derivation are those of the r535 driver, because the GPU derives the same keys by itself;
 * docs/confidential-computing.md has the table.
 *
 * The life of a store: create, set_master, derive (all or a key space at a time), deposit the IV
 * masks that the GPU tells, clear_master, then retrieve for each channel; destroy wipes it all. Any
 * number of threads may use one.
 */
#ifndef RM_CC_KEY_STORE_H
#define RM_CC_KEY_STORE_H

#include "abi/r535.h"
#include "os/crypto.h"

#define KEY_SIZE OS_GCM_KEY_SIZE
#define KEY_IV_SIZE OS_GCM_IV_SIZE
#define KEY_LABEL_MAX 32u

enum key_space {
	KEY_SPACE_GSP,
	KEY_SPACE_SEC2,
	KEY_SPACE_LCE0, /* LCE0 to LCE7 are the copy engines COPY2 to COPY9 */
	KEY_SPACE_LCE7 = KEY_SPACE_LCE0 + 7,
	KEY_SPACE_COUNT,
};

/*
 * The keys of a space. They come in pairs: the even one is for what the CPU sends, the odd one for
 * what it receives, or, in SEC2's space, for what it signs.
 */
enum {
	KEY_CPU_GSP_LOCKED_RPC,
	KEY_GSP_CPU_LOCKED_RPC,
	KEY_CPU_GSP_DMA,
	KEY_GSP_CPU_DMA,
	KEY_GSP_RESERVED1, /* the GPU alone sends faults: no key */
	KEY_GSP_CPU_REPLAYABLE_FAULT,
	KEY_GSP_RESERVED2,
	KEY_GSP_CPU_NON_REPLAYABLE_FAULT,
	KEY_GSP_COUNT,
};
enum {
	KEY_SEC2_DATA_USER,
	KEY_SEC2_HMAC_USER,
	KEY_SEC2_DATA_KERNEL,
	KEY_SEC2_HMAC_KERNEL,
	KEY_SEC2_COUNT,
};
enum {
	KEY_LCE_H2D_USER,
	KEY_LCE_D2H_USER,
	KEY_LCE_H2D_KERNEL,
	KEY_LCE_D2H_KERNEL,
	KEY_LCE_H2D_P2P,
	KEY_LCE_D2H_P2P,
	KEY_LCE_COUNT,
};
/* Copy engines with keys: one space each. */
#define KEY_LCES 8u
/* A key's id: its space, and its place there. */
#define KEY_ID(space, key) ((u32)(space) << 16 | (u32)(key))

/* What of a pair is meant (enum ROTATE_IV_TYPE): what the CPU sends, receives or signs, or all. */
#define KEY_SENDS(type) ((type) == ROTATE_IV_ENCRYPT || (type) == ROTATE_IV_ALL_VALID)
#define KEY_RECEIVES(type) \
	((type) == ROTATE_IV_DECRYPT || (type) == ROTATE_IV_HMAC || (type) == ROTATE_IV_ALL_VALID)

/* What a channel gets of one key. Whoever has it wipes it. */
struct key_material {
	bool valid; /* the pair has this one, and it was asked for */
	bool signs; /* for HMAC, not for AES-GCM */
	u8 key[KEY_SIZE];
	u8 iv_mask[KEY_IV_SIZE]; /* every IV is combined with it (exclusive or); zero for HMAC */
	u64 channel_counter;	 /* no other retrieval from this key has it; 0 in GSP's space */
	u32 generation;		 /* how often the key was updated */
};
struct key_pair {
	struct key_material send, receive;
};

struct key_store;

/* NULL: no memory. */
struct key_store *key_store_create(void);
/* Wipes every secret. NULL is ignored. */
void key_store_destroy(struct key_store *store);

/*
 * The session's secret that all keys come from. NV_ERR_INVALID_ARGUMENT: all zero.
 * NV_ERR_INVALID_STATE: keys have been derived already; a store serves one session.
 */
enum nv_status key_store_set_master(struct key_store *store, const u8 master[KEY_SIZE]);
/* Once all keys are derived. No key can be derived from then on. */
void key_store_clear_master(struct key_store *store);

/*
 * HKDF-SHA256's expansion of the master key with the key's label; for the keys that sign, SHA-256
 * of the pair's data key. NV_ERR_INVALID_ARGUMENT: no such key; NV_ERR_INVALID_STATE: derived
 * already, no master key, or no data key as yet; NV_ERR_FATAL_ERROR: the key is all zero, which
 * copy engines refuse; it is not kept then.
 */
enum nv_status key_store_derive(struct key_store *store, u32 id);
/*
 * All keys of a space but those for peers, which no session uses. Status as above; no key that it
 * derived is left then.
 */
enum nv_status key_store_derive_space(struct key_store *store, u32 space);
/* NV_ERR_INVALID_ARGUMENT: no such key, or one that signs. */
enum nv_status key_store_deposit_iv_mask(struct key_store *store, u32 id,
					 const u8 mask[KEY_IV_SIZE]);

/*
 * For a channel: key material of the pair that id is of (either one's id), each with a channel
 * counter of its own. What GSP is sent with has none, and is given out once.
 * NV_ERR_INVALID_ARGUMENT: no such key, or the pair has none of what is asked for;
 * NV_ERR_INVALID_STATE: not derived; NV_ERR_IN_USE: given out already;
 * NV_ERR_INSUFFICIENT_RESOURCES: all counters of one of them are taken. pair is all zero when it
 * fails, and no counter is taken.
 */
enum nv_status key_store_retrieve(struct key_store *store, u32 id, u32 rotate_iv_type,
				  struct key_pair *pair);
/*
 * Another key in the place of this one: HKDF-SHA256's expansion, with the same label, of SHA-256 of
 * the old one (as later releases of the driver rotate keys; r535 refuses). Channel counters begin
 * anew. Channels keep the old key until they are made anew. Status as of key_store_derive, the old
 * key stays when it fails; NV_ERR_INVALID_STATE: not derived.
 */
enum nv_status key_store_update(struct key_store *store, u32 id);

/*
 * A key's label, NUL-terminated. NV_ERR_INVALID_ARGUMENT: no such key. The keys that sign have one,
 * though it is used for their update alone.
 */
enum nv_status key_store_label(u32 id, char label[KEY_LABEL_MAX]);
/*
 * The id of what a channel on that engine (NV2080_ENGINE_TYPE_*) sends with.
 * NV_ERR_INVALID_ARGUMENT: an engine without keys.
 */
enum nv_status key_store_channel_key(u32 engine, bool kernel, u32 *id);

#endif
