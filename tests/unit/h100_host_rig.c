// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include "h100_host_rig.h"

#include <string.h>
#include <time.h>

#include "base/bits.h"
#include "engine.h"
#include "unit.h"

static u64 host_now(void *ctx)
{
	return os_time_ns();
}

static void on_raise(void *ctx, u32 vector)
{
	struct host_rig *h = ctx;

	if (vector < ARRAY_SIZE(h->raised))
		os_fetch_add(&h->raised[vector], 1);
}

static void on_errors(void *ctx)
{
	struct host_rig *h = ctx;

	os_fetch_add(&h->errors, 1);
}

static const struct h100_fifo_ops ops = { .raise = on_raise, .errors = on_errors };

void host_open(struct host_rig *h, bool threads)
{
	struct h100_fifo_config config = {
		.host = &h->rig.host,
		.ops = &ops,
		.ctx = h,
		.engines = &h->engines,
		.keys = &h->keys,
		.memory = &h->rig.memory,
		.threads = threads,
	};
	u32 n;

	memset(h, 0, sizeof(*h));
	profile_load("h100-sxm-80gb", &h->profile);
	h100_engines_init(&h->engines, &h->profile);
	assert_int_equal(h100_keys_init(&h->keys), NV_OK);
	rig_init(&h->rig, true);
	h->rig.host.now_ns = host_now;
	config.mmu = h->rig.mmu;
	for (n = 0; n < HOST_CHANNELS; n++)
		rig_map_video(&h->rig, CHANNEL_VA(n), n * CHANNEL_BYTES, CHANNEL_BYTES);
	rig_map_video(&h->rig, DATA_VA, DATA_OFFSET, DATA_BYTES);
	h100_memory_leave(&h->rig.memory);
	assert_int_equal(h100_fifo_create(&config, &h->fifo), NV_OK);
	assert_int_equal(h100_space_create(h->fifo, &h->space), NV_OK);
	h100_space_set(h->space, &h->rig.pdb);
}

void host_close(struct host_rig *h)
{
	h100_space_put(h->space);
	h100_fifo_destroy(h->fifo);
	h100_keys_fini(&h->keys);
	h100_memory_enter(&h->rig.memory);
	rig_destroy(&h->rig);
}

struct h100_group *host_group(struct host_rig *h, u32 runlist)
{
	struct h100_group *group;

	assert_int_equal(h100_group_create(h->fifo, runlist, &group), NV_OK);
	return group;
}

struct h100_channel_config host_channel_config(struct host_rig *h, u32 n, struct h100_group *group)
{
	return (struct h100_channel_config){
		.group = group,
		.client = CLIENT,
		.chid = n,
		.space = h->space,
		.gpfifo = CHANNEL_VA(n),
		.gpfifo_entries = HOST_ENTRIES,
		.userd_aperture = H100_APERTURE_VIDEO,
		.userd_address = USERD(n),
	};
}

enum nv_status host_channel_make(struct host_rig *h, const struct h100_channel_config *config,
				 struct host_channel **out)
{
	struct host_channel *c = &h->channel[config->chid];
	enum nv_status status;

	memset(h->rig.video + USERD(config->chid), 0, 0x200);
	memset(c, 0, sizeof(*c));
	c->n = config->chid;
	status = h100_channel_create(h->fifo, config, &c->channel);
	if (status == NV_OK)
		h100_channel_schedule(c->channel, true);
	*out = c;
	return status;
}

struct host_channel *host_channel(struct host_rig *h, u32 n, struct h100_group *group)
{
	struct h100_channel_config config = host_channel_config(h, n, group);
	struct host_channel *c;

	assert_int_equal(host_channel_make(h, &config, &c), NV_OK);
	return c;
}

u32 *host_data(struct host_rig *h, u32 offset)
{
	return (u32 *)(h->rig.video + DATA_OFFSET + offset);
}

static u32 *userd(struct host_rig *h, const struct host_channel *c, size_t offset)
{
	return (u32 *)(h->rig.video + USERD(c->n) + offset);
}

u32 host_gp_get(struct host_rig *h, const struct host_channel *c)
{
	return os_load_acquire(userd(h, c, offsetof(struct Nvc86fControl, GPGet)));
}

void host_word(struct host_rig *h, struct host_channel *c, u32 word)
{
	assert_true(c->pb + 4 <= HOST_PB_BYTES);
	os_store_relaxed((u32 *)(h->rig.video + c->n * CHANNEL_BYTES + 0x1000 + c->pb), word);
	c->pb += 4;
}

void host_do(struct host_rig *h, struct host_channel *c, u32 subchannel, u32 method, u32 data)
{
	host_word(h, c,
		  (u32)(REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_INC_METHOD) |
			REG_PREP(NVC86F_DMA_METHOD_COUNT, 1) |
			REG_PREP(NVC86F_DMA_METHOD_SUBCHANNEL, subchannel) |
			REG_PREP(NVC86F_DMA_METHOD_ADDRESS, method / 4)));
	host_word(h, c, data);
}

void host_entry(struct host_rig *h, struct host_channel *c, u32 low, u32 high)
{
	u32 *entry = (u32 *)(h->rig.video + c->n * CHANNEL_BYTES + c->put * 8);

	os_store_relaxed(&entry[0], low);
	os_store_relaxed(&entry[1], high);
	c->put = (c->put + 1) % HOST_ENTRIES;
}

void host_end(struct host_rig *h, struct host_channel *c)
{
	u64 va = CHANNEL_VA(c->n) + 0x1000 + c->entry;

	host_entry(
		h, c, bits_low32(va),
		(u32)(bits_high32(va) | REG_PREP(NVC86F_GP_ENTRY1_LENGTH, (c->pb - c->entry) / 4)));
	c->entry = c->pb;
}

void host_put(struct host_rig *h, struct host_channel *c)
{
	os_store_release(userd(h, c, offsetof(struct Nvc86fControl, GPPut)), c->put);
}

void host_ring(struct host_rig *h, const struct host_channel *c)
{
	u32 token = c->n | h100_channel_runlist(c->channel) << 16;

	h100_fifo_rang(h->fifo, &token, 1);
}

void host_submit(struct host_rig *h, struct host_channel *c)
{
	host_put(h, c);
	host_ring(h, c);
	/* The pushbuffer is used again from its beginning once it has been read. */
	if (c->pb > HOST_PB_BYTES / 2) {
		assert_true(host_wait_empty(h, c));
		c->pb = c->entry = 0;
	}
}

static void semaphore(struct host_rig *h, struct host_channel *c, u32 offset, u32 value,
		      u32 execute)
{
	u64 va = DATA_VA + offset;

	host_do(h, c, 0, NVC86F_SEM_ADDR_LO, bits_low32(va));
	host_do(h, c, 0, NVC86F_SEM_ADDR_HI, bits_high32(va));
	host_do(h, c, 0, NVC86F_SEM_PAYLOAD_LO, value);
	host_do(h, c, 0, NVC86F_SEM_EXECUTE, execute);
	host_end(h, c);
}

void host_release(struct host_rig *h, struct host_channel *c, u32 offset, u32 value)
{
	semaphore(h, c, offset, value, NVC86F_SEM_EXECUTE_OPERATION_RELEASE);
}

void host_acquire(struct host_rig *h, struct host_channel *c, u32 offset, u32 value, u32 execute)
{
	semaphore(h, c, offset, value, execute);
}

/* A GPU without threads works here. */
static bool eventually(struct host_rig *h, bool (*done)(struct host_rig *h, const void *arg),
		       const void *arg)
{
	u64 end = os_time_ns() + 5000000000ull * (UNIT_SANITIZED ? 4 : 1);

	while (!done(h, arg)) {
		if (os_time_ns() > end)
			return false;
		if (!h->fifo->config.threads)
			h100_fifo_run(h->fifo);
		else
			os_sleep_us(20);
	}
	return true;
}

struct word {
	u32 offset, value;
};

static bool is_word(struct host_rig *h, const void *arg)
{
	const struct word *word = arg;

	return os_load_acquire(host_data(h, word->offset)) == word->value;
}

bool host_wait(struct host_rig *h, u32 offset, u32 value)
{
	struct word word = { offset, value };

	return eventually(h, is_word, &word);
}

static bool is_empty(struct host_rig *h, const void *arg)
{
	const struct host_channel *c = arg;

	return host_gp_get(h, c) == c->put;
}

bool host_wait_empty(struct host_rig *h, const struct host_channel *c)
{
	return eventually(h, is_empty, c);
}
