// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Who rang: pages of clients, tokens by register, and the channels that they are for.
 *
 *   ARMED --store--> host --h100_doorbell_rang--> BUSY --quiet--> SLOW, looked at by time
 *     ^                                             ^             |  |
 *     |                                             `---a store---'  |
 *     `---- the host says that it is armed, and GPPut is read again '
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "h100/engine/fifo.h"

#define PAGE_BYTES 4096u
#define TOKEN_WORDS (H100_CHANNELS_PER_RUNLIST / 32)
#define TOKEN_CHID_MASK 0xffffu
#define TOKEN_RUNLIST_SHIFT 16u
#define CLIENT_HASH 0x9e3779b1u
#define ROOM_FIRST 16u

/* -- Clients ----------------------------------------------------------------------------------- */

static struct list *bucket(struct h100_fifo *fifo, u32 handle)
{
	return &fifo->clients[(handle * CLIENT_HASH >> 20) % FIFO_CLIENT_BUCKETS];
}

struct fifo_client *client_get(struct h100_fifo *fifo, u32 handle)
{
	struct list *list = bucket(fifo, handle);
	struct fifo_client *client;

	list_for_each_entry (client, list, node) {
		if (client->handle == handle) {
			client->refs++;
			return client;
		}
	}
	client = os_alloc(sizeof(*client));
	if (!client)
		return NULL;
	client->handle = handle;
	client->refs = 1;
	list_init(&client->blocked);
	list_node_init(&client->blocked_node);
	list_add_tail(&client->node, list);
	return client;
}

void client_put(struct h100_fifo *fifo, struct fifo_client *client)
{
	if (--client->refs != 0)
		return;
	list_del(&client->node);
	os_free(client->channels);
	os_free(client);
}

enum nv_status client_reserve(struct fifo_client *client)
{
	struct h100_channel **channels;
	u32 room;

	if (client->reserved == client->room) {
		room = max(client->room * 2, (u32)ROOM_FIRST);
		channels = os_alloc(room * sizeof(struct h100_channel *));
		if (!channels)
			return NV_ERR_NO_MEMORY;
		os_memcpy(channels, client->channels, client->count * sizeof(*channels));
		os_free(client->channels);
		client->channels = channels;
		client->room = room;
	}
	client->reserved++;
	return NV_OK;
}

void client_add(struct fifo_client *client, struct h100_channel *channel)
{
	channel->client_index = client->count;
	client->channels[client->count++] = channel;
}

void client_remove(struct fifo_client *client, struct h100_channel *channel)
{
	struct h100_channel *last = client->channels[--client->count];

	client->channels[channel->client_index] = last;
	last->client_index = channel->client_index;
}

static void client_look(struct fifo_client *client)
{
	u32 i;

	for (i = 0; i < client->count; i++)
		channel_look(client->channels[i]);
}

/* -- Tokens ------------------------------------------------------------------------------------ */

void h100_fifo_rang(struct h100_fifo *fifo, const u32 *tokens, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		u32 chid = tokens[i] & TOKEN_CHID_MASK;
		u32 runlist = tokens[i] >> TOKEN_RUNLIST_SHIFT;

		if (chid >= H100_CHANNELS_PER_RUNLIST || runlist >= fifo->config.engines->runlists)
			continue;
		os_fetch_or(&fifo->rung[runlist * TOKEN_WORDS + chid / 32], BIT32(chid % 32));
	}
	os_store_release(&fifo->any_rung, 1u);
	threads_wake(fifo);
}

static void take_tokens(struct h100_fifo *fifo)
{
	u32 i, words = fifo->config.engines->runlists * TOKEN_WORDS;

	if (os_load_relaxed(&fifo->any_rung) == 0 || os_exchange(&fifo->any_rung, 0u) == 0)
		return;
	for (i = 0; i < words; i++) {
		u32 bits =
			os_load_relaxed(&fifo->rung[i]) != 0 ? os_exchange(&fifo->rung[i], 0u) : 0;

		for (; bits != 0; bits &= bits - 1) {
			struct h100_channel *channel = fifo->channels[i * 32 + bits_first(bits)];

			if (channel)
				channel_look(channel);
		}
	}
}

/* -- Pages ------------------------------------------------------------------------------------- */

static u32 *word_of(const struct h100_doorbell *doorbell)
{
	return &doorbell->page[NVC361_NOTIFY_CHANNEL_PENDING / sizeof(u32)];
}

static void set_busy(struct h100_doorbell *doorbell)
{
	struct h100_fifo *fifo = doorbell->fifo;

	if (!list_linked(&doorbell->busy_node))
		list_add_tail(&doorbell->busy_node, &fifo->busy);
	doorbell->state = FIFO_DOORBELL_BUSY;
	fifo->last_ring_ns = fifo_now(fifo);
}

/* It is SLOW. A look must follow. */
static void set_armed(struct h100_doorbell *doorbell)
{
	doorbell->state = FIFO_DOORBELL_ARMED;
	list_del(&doorbell->busy_node);
}

/* Makes it the client's, and busy. */
static enum nv_status doorbell_begin(struct h100_doorbell *doorbell, u32 client)
{
	struct h100_fifo *fifo = doorbell->fifo;

	pthread_mutex_lock(&fifo->lock);
	doorbell->client = client_get(fifo, client);
	if (doorbell->client) {
		list_add_tail(&doorbell->node, &fifo->doorbells);
		set_busy(doorbell);
		threads_wake(fifo);
	}
	pthread_mutex_unlock(&fifo->lock);
	return doorbell->client ? NV_OK : NV_ERR_NO_MEMORY;
}

static struct h100_doorbell *doorbell_new(struct h100_fifo *fifo)
{
	struct h100_doorbell *doorbell = os_alloc(sizeof(*doorbell));

	if (!doorbell)
		return NULL;
	doorbell->fifo = fifo;
	doorbell->fd = -1;
	list_node_init(&doorbell->busy_node);
	return doorbell;
}

enum nv_status h100_fifo_doorbell_attach(struct h100_fifo *fifo, u32 client, void *page, void *ctx,
					 struct h100_doorbell **out)
{
	struct h100_doorbell *doorbell = doorbell_new(fifo);

	*out = NULL;
	if (!doorbell)
		return NV_ERR_NO_MEMORY;
	doorbell->page = page;
	doorbell->ctx = ctx;
	if (doorbell_begin(doorbell, client) != NV_OK) {
		os_free(doorbell);
		return NV_ERR_NO_MEMORY;
	}
	*out = doorbell;
	return NV_OK;
}

enum nv_status h100_fifo_doorbell_create(struct h100_fifo *fifo, u32 client, int *fd,
					 struct h100_doorbell **out)
{
	struct h100_doorbell *doorbell = doorbell_new(fifo);
	void *page = MAP_FAILED;

	*out = NULL;
	*fd = -1;
	if (!doorbell)
		return NV_ERR_NO_MEMORY;
	doorbell->fd = memfd_create("h100 doorbell", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* Whoever maps it cannot take it away from us. */
	if (doorbell->fd >= 0 && ftruncate(doorbell->fd, H100_DOORBELL_BYTES) == 0 &&
	    fcntl(doorbell->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, doorbell->fd, 0);
	if (page == MAP_FAILED)
		goto fail;
	doorbell->page = page;
	if (doorbell_begin(doorbell, client) != NV_OK)
		goto fail;
	*fd = doorbell->fd;
	*out = doorbell;
	return NV_OK;

fail:
	if (page != MAP_FAILED)
		munmap(page, PAGE_BYTES);
	if (doorbell->fd >= 0)
		close(doorbell->fd);
	os_free(doorbell);
	return NV_ERR_NO_MEMORY;
}

void h100_fifo_doorbell_destroy(struct h100_doorbell *doorbell)
{
	struct h100_fifo *fifo = doorbell->fifo;

	pthread_mutex_lock(&fifo->lock);
	/* Pages that are rung all the time are looked at all the time, but for this. */
	fifo->leaving++;
	while (fifo->looking) {
		threads_wake(fifo);
		pthread_cond_wait(&fifo->changed, &fifo->lock);
	}
	if (--fifo->leaving == 0)
		pthread_cond_broadcast(&fifo->changed);
	list_del(&doorbell->node);
	if (list_linked(&doorbell->busy_node))
		list_del(&doorbell->busy_node);
	client_put(fifo, doorbell->client);
	pthread_mutex_unlock(&fifo->lock);
	if (doorbell->fd >= 0) {
		munmap(doorbell->page, PAGE_BYTES);
		close(doorbell->fd);
	}
	os_free(doorbell);
}

/* Takes the word, if one is there; in a burst. */
static void page_look(struct h100_doorbell *doorbell)
{
	u32 *word = word_of(doorbell);

	if (os_load_relaxed(word) == 0 || os_exchange(word, 0u) == 0)
		return;
	set_busy(doorbell);
	client_look(doorbell->client);
}

void h100_fifo_doorbell_rang(struct h100_doorbell *doorbell)
{
	struct h100_fifo *fifo = doorbell->fifo;

	pthread_mutex_lock(&fifo->lock);
	set_busy(doorbell);
	/* The store may be under way yet: GPPut was written before it, and says all there is. */
	h100_memory_enter(fifo->config.memory);
	client_look(doorbell->client);
	h100_memory_leave(fifo->config.memory);
	pthread_mutex_unlock(&fifo->lock);
	threads_wake(fifo);
}

void h100_fifo_doorbell_armed(struct h100_doorbell *doorbell)
{
	struct h100_fifo *fifo = doorbell->fifo;
	bool rung = false;

	pthread_mutex_lock(&fifo->lock);
	/* Rung meanwhile: busy as before. */
	if (doorbell->state == FIFO_DOORBELL_SLOW) {
		set_armed(doorbell);
		h100_memory_enter(fifo->config.memory);
		page_look(doorbell);
		client_look(doorbell->client);
		h100_memory_leave(fifo->config.memory);
		rung = doorbell->state == FIFO_DOORBELL_BUSY;
	}
	pthread_mutex_unlock(&fifo->lock);
	if (rung)
		threads_wake(fifo);
}

void h100_doorbell_set_ctx(struct h100_doorbell *doorbell, void *ctx)
{
	os_store_release(&doorbell->ctx, ctx);
}

void *h100_doorbell_get_ctx(const struct h100_doorbell *doorbell)
{
	return os_load_acquire(&doorbell->ctx);
}

void doorbell_collect(struct h100_fifo *fifo)
{
	struct h100_doorbell *doorbell;

	h100_memory_enter(fifo->config.memory);
	take_tokens(fifo);
	list_for_each_entry (doorbell, &fifo->busy, busy_node)
		page_look(doorbell);
	h100_memory_leave(fifo->config.memory);
}

u32 doorbell_words(struct h100_fifo *fifo, u32 **words)
{
	struct h100_doorbell *doorbell;
	u32 count = 0;

	list_for_each_entry (doorbell, &fifo->busy, busy_node)
		if (doorbell->state == FIFO_DOORBELL_BUSY && count < FIFO_WATCHED)
			words[count++] = word_of(doorbell);
	return count;
}

bool doorbell_slow(struct h100_fifo *fifo)
{
	struct h100_doorbell *doorbell;

	list_for_each_entry (doorbell, &fifo->busy, busy_node)
		if (doorbell->state == FIFO_DOORBELL_SLOW && doorbell->client->count != 0)
			return true;
	return false;
}

static struct h100_doorbell *first_busy(struct h100_fifo *fifo)
{
	struct h100_doorbell *doorbell;

	list_for_each_entry (doorbell, &fifo->busy, busy_node)
		if (doorbell->state == FIFO_DOORBELL_BUSY)
			return doorbell;
	return NULL;
}

/* In front of the look that follows: a store from now on is told. */
static void arm(struct h100_fifo *fifo, struct h100_doorbell *doorbell)
{
	const struct h100_host *host = fifo->config.host;
	bool armed = false;

	doorbell->state = FIFO_DOORBELL_SLOW;
	pthread_mutex_unlock(&fifo->lock);
	if (host->doorbell_arm)
		armed = host->doorbell_arm(host->ctx, doorbell);
	pthread_mutex_lock(&fifo->lock);
	/* Rung meanwhile: busy as before. */
	if (armed && doorbell->state == FIFO_DOORBELL_SLOW)
		set_armed(doorbell);
}

void doorbell_look_begin(struct h100_fifo *fifo)
{
	while (fifo->leaving != 0)
		pthread_cond_wait(&fifo->changed, &fifo->lock);
	fifo->looking = true;
}

void doorbell_look_end(struct h100_fifo *fifo)
{
	fifo->looking = false;
	pthread_cond_broadcast(&fifo->changed);
}

bool doorbell_arm_all(struct h100_fifo *fifo)
{
	struct h100_doorbell *doorbell;
	bool any = false;

	doorbell_look_begin(fifo);
	while (!fifo->stop && fifo->leaving == 0 && (doorbell = first_busy(fifo)) != NULL) {
		arm(fifo, doorbell);
		h100_memory_enter(fifo->config.memory);
		page_look(doorbell);
		client_look(doorbell->client);
		h100_memory_leave(fifo->config.memory);
		any = true;
		/* One that is rung all the time is not to keep the leader here. */
		if (runlist_ready(fifo) || doorbell->state == FIFO_DOORBELL_BUSY)
			break;
	}
	doorbell_look_end(fifo);
	return any;
}
