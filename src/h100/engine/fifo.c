// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The host engine as a whole, and the address spaces that channels share.
 */
#include "h100/engine/fifo.h"

#include "base/bits.h"

#define TOKEN_WORDS (H100_CHANNELS_PER_RUNLIST / 32)

/* -- Life -------------------------------------------------------------------------------------- */

static void init_lists(struct h100_fifo *fifo)
{
	u32 i;

	list_init(&fifo->groups);
	list_init(&fifo->spaces);
	list_init(&fifo->blocked);
	list_init(&fifo->errors);
	list_init(&fifo->doorbells);
	list_init(&fifo->busy);
	for (i = 0; i < FIFO_CLIENT_BUCKETS; i++)
		list_init(&fifo->clients[i]);
}

/* A channel's work may be to ring for another one's. */
static void rang_by_engine(void *ctx, u32 token)
{
	h100_fifo_rang(ctx, &token, 1);
}

enum nv_status h100_fifo_create(const struct h100_fifo_config *config, struct h100_fifo **out)
{
	const struct h100_engines *engines = config->engines;
	struct h100_fifo *fifo = os_alloc(sizeof(*fifo));
	u32 i;

	*out = NULL;
	if (!fifo)
		return NV_ERR_NO_MEMORY;
	fifo->config = *config;
	init_lists(fifo);
	for (i = engines->count; i-- > 0;) {
		struct fifo_runlist *runlist = &fifo->runlist[engines->info[i].runlist];

		runlist->engine = &engines->info[i];
		list_init(&runlist->pending);
	}
	fifo->channels = os_alloc(engines->runlists * H100_CHANNELS_PER_RUNLIST *
				  sizeof(struct h100_channel *));
	fifo->rung = os_alloc(engines->runlists * TOKEN_WORDS * sizeof(u32));
	if (!fifo->channels || !fifo->rung || threads_init(fifo) != NV_OK) {
		os_free(fifo->channels);
		os_free(fifo->rung);
		os_free(fifo);
		return NV_ERR_NO_MEMORY;
	}
	pthread_mutex_init(&fifo->lock, NULL);
	pthread_cond_init(&fifo->changed, NULL);
	h100_mmu_set_doorbell(config->mmu, rang_by_engine, fifo);
	*out = fifo;
	return NV_OK;
}

void h100_fifo_stop(struct h100_fifo *fifo)
{
	threads_stop(fifo);
}

void h100_fifo_suspend(struct h100_fifo *fifo, bool on)
{
	u32 i;

	pthread_mutex_lock(&fifo->lock);
	if (on && !fifo->suspended)
		fifo->suspended_ns = fifo_now(fifo);
	else if (!on && fifo->suspended)
		blocked_resume(fifo, fifo_now(fifo) - fifo->suspended_ns);
	fifo->suspended = on;
	for (i = 0; on && i < fifo->config.engines->runlists; i++)
		if (fifo->runlist[i].current)
			runlist_wait_off(fifo, fifo->runlist[i].current);
	pthread_mutex_unlock(&fifo->lock);
	if (!on)
		threads_wake(fifo);
}

void h100_fifo_reset(struct h100_fifo *fifo)
{
	struct list_node *node;

	while ((node = list_first(&fifo->groups)) != NULL) {
		struct h100_group *group = list_entry(node, struct h100_group, node);

		while ((node = list_first(&group->channels)) != NULL)
			h100_channel_destroy(list_entry(node, struct h100_channel, group_node));
		h100_group_destroy(group);
	}
	while ((node = list_first(&fifo->spaces)) != NULL) {
		struct h100_space *space = list_entry(node, struct h100_space, node);

		space->refs = 1;
		h100_space_put(space);
	}
}

void h100_fifo_destroy(struct h100_fifo *fifo)
{
	struct list_node *node;

	if (!fifo)
		return;
	threads_stop(fifo);
	h100_fifo_reset(fifo);
	h100_mmu_set_doorbell(fifo->config.mmu, NULL, NULL);
	while ((node = list_first(&fifo->doorbells)) != NULL)
		h100_fifo_doorbell_destroy(list_entry(node, struct h100_doorbell, node));
	threads_fini(fifo);
	pthread_cond_destroy(&fifo->changed);
	pthread_mutex_destroy(&fifo->lock);
	os_free(fifo->channels);
	os_free(fifo->rung);
	os_free(fifo);
}

bool h100_fifo_run_for(struct h100_fifo *fifo, u64 ns)
{
	u64 start = fifo_now(fifo);
	struct fifo_runlist *runlist;
	bool did = false;

	pthread_mutex_lock(&fifo->lock);
	do {
		os_exchange(&fifo->event, 0u);
		doorbell_collect(fifo);
		blocked_check(fifo, true);
		runlist = runlist_ready(fifo);
		if (runlist) {
			runlist_run(fifo, runlist);
			did = true;
		}
	} while (runlist && fifo_now(fifo) - start < ns);
	pthread_mutex_unlock(&fifo->lock);
	return did;
}

bool h100_fifo_run(struct h100_fifo *fifo)
{
	return h100_fifo_run_for(fifo, ~(u64)0);
}

u64 h100_fifo_quiet_ns(struct h100_fifo *fifo)
{
	u64 ns;
	u32 i;

	pthread_mutex_lock(&fifo->lock);
	/* Pages are never armed here: each is one to be looked at by time. */
	for (i = 0; i < FIFO_WATCHED && doorbell_arm_all(fifo); i++)
		;
	ns = os_load_relaxed(&fifo->event) != 0 || runlist_ready(fifo) || i == FIFO_WATCHED
		     ? 1
		     : threads_quiet_ns(fifo);
	pthread_mutex_unlock(&fifo->lock);
	return ns;
}

bool h100_fifo_error_take(struct h100_fifo *fifo, struct h100_fifo_error *error)
{
	struct h100_group *group;
	struct list_node *node;

	pthread_mutex_lock(&fifo->lock);
	node = list_first(&fifo->errors);
	if (node) {
		group = list_entry(node, struct h100_group, error_node);
		list_del(node);
		*error = group->error;
	}
	pthread_mutex_unlock(&fifo->lock);
	return node != NULL;
}

/* -- Address spaces ---------------------------------------------------------------------------- */

enum nv_status h100_space_create(struct h100_fifo *fifo, struct h100_space **out)
{
	struct h100_space *space = os_alloc(sizeof(*space));

	*out = space;
	if (!space)
		return NV_ERR_NO_MEMORY;
	space->fifo = fifo;
	space->refs = 1;
	pthread_mutex_lock(&fifo->lock);
	list_add_tail(&space->node, &fifo->spaces);
	pthread_mutex_unlock(&fifo->lock);
	return NV_OK;
}

struct h100_space *h100_space_get(struct h100_space *space)
{
	pthread_mutex_lock(&space->fifo->lock);
	space->refs++;
	pthread_mutex_unlock(&space->fifo->lock);
	return space;
}

void h100_space_put(struct h100_space *space)
{
	struct h100_fifo *fifo = space->fifo;
	bool last;

	pthread_mutex_lock(&fifo->lock);
	last = --space->refs == 0;
	if (last)
		list_del(&space->node);
	pthread_mutex_unlock(&fifo->lock);
	if (last) {
		if (space->valid)
			h100_mmu_invalidate(fifo->config.mmu, &space->pdb);
		os_free(space);
	}
}

/* Channels that run in it come off: they took the page directory when they began. */
static void take_off(struct h100_fifo *fifo, const struct h100_space *space)
{
	u32 i;

	for (i = 0; i < fifo->config.engines->runlists; i++) {
		struct h100_channel *current = fifo->runlist[i].current;

		if (current && current->config.space == space)
			runlist_wait_off(fifo, current);
	}
}

void h100_space_set(struct h100_space *space, const struct h100_pdb *pdb)
{
	struct h100_fifo *fifo = space->fifo;
	struct h100_pdb old;
	bool had;

	pthread_mutex_lock(&fifo->lock);
	had = space->valid;
	old = space->pdb;
	space->valid = pdb != NULL;
	if (pdb)
		space->pdb = *pdb;
	take_off(fifo, space);
	pthread_mutex_unlock(&fifo->lock);
	if (had)
		h100_mmu_invalidate(fifo->config.mmu, &old);
}

bool h100_space_pdb(struct h100_space *space, struct h100_pdb *pdb)
{
	bool valid;

	pthread_mutex_lock(&space->fifo->lock);
	valid = space->valid;
	*pdb = space->pdb;
	pthread_mutex_unlock(&space->fifo->lock);
	return valid;
}
