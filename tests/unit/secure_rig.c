// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include "secure_rig.h"

#include <string.h>

#include "base/bits.h"
#include "unit.h"

/* -- Keys -------------------------------------------------------------------------------------- */

static struct key_store *store_make(void)
{
	struct key_store *keys = key_store_create();
	u8 master[KEY_SIZE], mask[KEY_IV_SIZE];
	u32 space, place, i;

	assert_non_null(keys);
	for (i = 0; i < sizeof(master); i++)
		master[i] = (u8)(7 * i + 3);
	assert_int_equal(key_store_set_master(keys, master), NV_OK);
	for (space = 0; space < KEY_SPACE_COUNT; space++)
		assert_int_equal(key_store_derive_space(keys, space), NV_OK);
	key_store_clear_master(keys);
	for (space = KEY_SPACE_SEC2; space < KEY_SPACE_COUNT; space++) {
		for (place = 0; place < 4; place++) {
			memset(mask, (int)(0x11 * space + place), sizeof(mask));
			if (space != KEY_SPACE_SEC2 || place % 2 == 0)
				assert_int_equal(
					key_store_deposit_iv_mask(keys, KEY_ID(space, place), mask),
					NV_OK);
		}
	}
	return keys;
}

/* The firmware's part: the same keys by a store of the GPU's own. */
static void keys_load(struct h100_keys *slots)
{
	struct key_store *keys = store_make();
	struct key_pair pair;
	u32 space, place;

	for (space = KEY_SPACE_SEC2; space < KEY_SPACE_COUNT; space++) {
		for (place = 0; place < 4; place += 2) {
			assert_int_equal(key_store_retrieve(keys, KEY_ID(space, place),
							    ROTATE_IV_ALL_VALID, &pair),
					 NV_OK);
			assert_int_equal(h100_keys_load(slots, space, place, pair.send.key,
							pair.send.iv_mask),
					 NV_OK);
			assert_int_equal(h100_keys_load(slots, space, place + 1, pair.receive.key,
							pair.receive.iv_mask),
					 NV_OK);
		}
	}
	key_store_destroy(keys);
}

/* -- Rig --------------------------------------------------------------------------------------- */

void secure_open(struct secure_rig *r, u32 engine, bool threads)
{
	memset(r, 0, sizeof(*r));
	host_open(&r->h, threads);
	r->h.rig.memory.confidential = true;
	rig_map_system(&r->h.rig, SYSTEM_VA, 0, SYSTEM_BYTES);
	rig_flush(&r->h.rig);
	keys_load(&r->h.keys);
	r->keys = store_make();
	r->engine = engine;
	r->group = host_group(&r->h, h100_engines_find(&r->h.engines, engine)->runlist);
}

void secure_close(struct secure_rig *r)
{
	host_close(&r->h);
	key_store_destroy(r->keys);
}

static void put_le(u8 *bytes, u64 value)
{
	for (u32 i = 0; i < 8; i++)
		bytes[i] = (u8)(value >> 8 * i);
}

struct h100_secure_start secure_start(const struct key_pair *material)
{
	struct h100_secure_start start = { 0 };

	put_le(start.decrypt + 4, material->send.channel_counter);
	put_le(start.encrypt + 4, material->receive.channel_counter);
	put_le(start.nonce + 24, material->receive.channel_counter);
	return start;
}

/* The driver's encryption is the GPU's decryption. */
static enum nv_status rotate(void *owner, enum csl_operation operation, const u8 *iv, u32 size)
{
	struct secure_channel *s = owner;
	struct h100_secure_start start = { 0 };
	u32 which;

	if (size == CSL_NONCE_SIZE) {
		which = H100_SECURE_NONCE;
		memcpy(start.nonce, iv, size);
	} else if (operation == CSL_OPERATION_ENCRYPT) {
		which = H100_SECURE_DECRYPT;
		memcpy(start.decrypt, iv, size);
	} else {
		which = H100_SECURE_ENCRYPT;
		memcpy(start.encrypt, iv, size);
	}
	return h100_channel_rotate(s->c->channel, which, &start);
}

enum nv_status secure_channel(struct secure_rig *r, struct secure_channel *s, u32 n, bool kernel)
{
	struct h100_channel_config config = host_channel_config(&r->h, n, r->group);
	struct key_pair material;
	struct csl_channel channel = {
		.keys = r->keys,
		.secure = true,
		.kernel = kernel,
		.engine = r->engine,
		.material = &material,
		.rotate = rotate,
		.owner = s,
	};
	enum nv_status status;
	u32 id;

	memset(s, 0, sizeof(*s));
	s->rig = r;
	assert_int_equal(key_store_channel_key(r->engine, kernel, &id), NV_OK);
	assert_int_equal(key_store_retrieve(r->keys, id, ROTATE_IV_ALL_VALID, &material), NV_OK);
	config.secure = true;
	config.kernel = config.privileged = kernel;
	config.start = secure_start(&material);
	status = host_channel_make(&r->h, &config, &s->c);
	if (status != NV_OK)
		return status;
	assert_int_equal(csl_init_context(&s->csl, &channel), NV_OK);
	assert_int_equal(h100_channel_add_object(s->c->channel,
						 r->engine == NV2080_ENGINE_TYPE_SEC2
							 ? HOPPER_SEC2_WORK_LAUNCH_A
							 : HOPPER_DMA_COPY_A,
						 NULL),
			 NV_OK);
	return NV_OK;
}

void secure_channel_end(struct secure_channel *s)
{
	csl_deinit_context(&s->csl);
	h100_channel_destroy(s->c->channel);
}

bool secure_run(struct secure_channel *s, struct h100_fifo_error *error)
{
	struct host_rig *h = &s->rig->h;

	host_end(h, s->c);
	host_put(h, s->c);
	host_ring(h, s->c);
	h100_fifo_run(h->fifo);
	/* Nothing before GPPut is read again, also where it stopped: not by host_submit, which
	 * waits for an empty channel before the error is taken. */
	if (s->c->pb > HOST_PB_BYTES / 2)
		s->c->pb = s->c->entry = 0;
	if (h100_fifo_error_take(h->fifo, error))
		return false;
	assert_int_equal(host_gp_get(h, s->c), s->c->put);
	return true;
}

void secure_run_fails(struct secure_channel *s, u32 code, u32 info)
{
	struct h100_fifo_error error;

	assert_false(secure_run(s, &error));
	assert_int_equal(error.code, code);
	assert_int_equal(error.info, info);
	assert_int_equal(error.chid, s->c->n);
	assert_int_equal(error.engine_type, s->rig->engine);
	h100_channel_reset(s->c->channel);
	h100_channel_schedule(s->c->channel, true);
}
