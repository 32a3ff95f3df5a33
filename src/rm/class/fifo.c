// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The tables come by three commands of the driver's own: devices (with the runlist of each), the
 * interrupt vectors of the engines, and how many channels a runlist has.
 */
#include "rm/class/fifo.h"

#include "base/bitmap.h"
#include "rm/class/state.h"

#define CHANNELS_PER_USERD_PAGE 8u
#define METHOD_BUFFER_LIMIT KIB(256)

enum nv_status rm_fifo_init(struct rm_fifo *fifo)
{
	list_init(&fifo->objects);
	return os_mutex_init(&fifo->lock, LOCK_RANK_CHANNEL, "rm channels");
}

void rm_fifo_reset(struct rm_fifo *fifo)
{
	u32 i;

	os_mutex_lock(&fifo->lock);
	for (i = 0; i < RM_FIFO_RUNLISTS; i++) {
		struct rm_runlist *runlist = &fifo->runlists[i];

		os_free(runlist->channels);
		os_free(runlist->ids);
		os_memset(runlist, 0, sizeof(*runlist));
	}
	fifo->engine_count = 0;
	fifo->runlist_count = 0;
	fifo->generation++;
	os_store_release(&fifo->ready, 0);
	os_mutex_unlock(&fifo->lock);
}

void rm_fifo_fini(struct rm_fifo *fifo)
{
	rm_fifo_reset(fifo);
	os_mutex_destroy(&fifo->lock);
}

/* -- Learning ---------------------------------------------------------------------------------- */

/* What the firmware says, before it is known to make sense. */
struct tables {
	struct rm_fifo_engine engines[RM_FIFO_ENGINES];
	u32 indices[RM_FIFO_ENGINES]; /* MC_ENGINE_IDX_* */
	u32 engine_count, runlist_count;
	u32 channels[RM_FIFO_RUNLISTS];
	u32 method_buffer_bytes;
	union {
		NV2080_CTRL_FIFO_GET_DEVICE_INFO_TABLE_PARAMS devices;
		NV2080_CTRL_INTERNAL_INTR_GET_KERNEL_TABLE_PARAMS interrupts;
		NV2080_CTRL_INTERNAL_FIFO_GET_NUM_CHANNELS_PARAMS channel_count;
		NV2080_CTRL_CE_GET_FAULT_METHOD_BUFFER_SIZE_PARAMS method_buffer;
	} ask;
};

static enum nv_status add_engine(struct tables *t, const NV2080_CTRL_FIFO_DEVICE_ENTRY *entry)
{
	const NvU32 *data = entry->engineData;
	struct rm_fifo_engine *engine;

	if (!data[ENGINE_INFO_TYPE_IS_HOST_DRIVEN_ENGINE])
		return NV_OK;
	if (t->engine_count == RM_FIFO_ENGINES ||
	    data[ENGINE_INFO_TYPE_RUNLIST] >= RM_FIFO_RUNLISTS ||
	    data[ENGINE_INFO_TYPE_RM_ENGINE_TYPE] == NV2080_ENGINE_TYPE_NULL ||
	    data[ENGINE_INFO_TYPE_RM_ENGINE_TYPE] >= NV2080_ENGINE_TYPE_LAST)
		return NV_ERR_INVALID_DATA;
	t->indices[t->engine_count] = data[ENGINE_INFO_TYPE_MC];
	engine = &t->engines[t->engine_count++];
	engine->type = data[ENGINE_INFO_TYPE_RM_ENGINE_TYPE];
	engine->runlist = data[ENGINE_INFO_TYPE_RUNLIST];
	engine->nonstall_vector = RM_NO_ID;
	t->runlist_count = max(t->runlist_count, engine->runlist + 1);
	return NV_OK;
}

static enum nv_status learn_engines(struct rm_gpu *gpu, struct tables *t)
{
	NV2080_CTRL_FIFO_GET_DEVICE_INFO_TABLE_PARAMS *p = &t->ask.devices;
	enum nv_status status = NV_OK;
	u32 first = 0, i;

	do {
		os_memset(p, 0, sizeof(*p));
		p->baseIndex = first;
		status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_FIFO_GET_DEVICE_INFO_TABLE, p,
						 sizeof(*p));
		if (status != NV_OK)
			return status;
		if (p->numEntries > ARRAY_SIZE(p->entries) || (p->bMore && p->numEntries == 0))
			return NV_ERR_INVALID_DATA;
		for (i = 0; i < p->numEntries && status == NV_OK; i++)
			status = add_engine(t, &p->entries[i]);
		first += p->numEntries;
	} while (status == NV_OK && p->bMore &&
		 first < NV2080_CTRL_FIFO_GET_DEVICE_INFO_TABLE_MAX_DEVICES);
	return status == NV_OK && t->engine_count == 0 ? NV_ERR_INVALID_DATA : status;
}

static enum nv_status learn_interrupts(struct rm_gpu *gpu, struct tables *t)
{
	NV2080_CTRL_INTERNAL_INTR_GET_KERNEL_TABLE_PARAMS *p = &t->ask.interrupts;
	enum nv_status status;
	u32 i, j;

	os_memset(p, 0, sizeof(*p));
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_INTERNAL_INTR_GET_KERNEL_TABLE, p,
					 sizeof(*p));
	if (status != NV_OK)
		return status;
	if (p->tableLen > ARRAY_SIZE(p->table))
		return NV_ERR_INVALID_DATA;
	for (i = 0; i < p->tableLen; i++) {
		for (j = 0; j < t->engine_count; j++)
			if (t->indices[j] == p->table[i].engineIdx)
				t->engines[j].nonstall_vector = p->table[i].vectorNonStall;
	}
	return NV_OK;
}

static enum nv_status learn_channels(struct rm_gpu *gpu, struct tables *t)
{
	NV2080_CTRL_INTERNAL_FIFO_GET_NUM_CHANNELS_PARAMS *p = &t->ask.channel_count;
	enum nv_status status;
	u32 i;

	for (i = 0; i < t->engine_count; i++) {
		u32 runlist = t->engines[i].runlist;

		if (t->channels[runlist])
			continue;
		os_memset(p, 0, sizeof(*p));
		p->runlistId = runlist;
		status = rm_gpu_internal_control(
			gpu, NV2080_CTRL_CMD_INTERNAL_FIFO_GET_NUM_CHANNELS, p, sizeof(*p));
		if (status != NV_OK)
			return status;
		if (p->numChannels == 0 || p->numChannels > RM_FIFO_CHANNELS)
			return NV_ERR_INVALID_DATA;
		t->channels[runlist] = p->numChannels;
	}
	return NV_OK;
}

static enum nv_status learn_method_buffers(struct rm_gpu *gpu, struct tables *t)
{
	NV2080_CTRL_CE_GET_FAULT_METHOD_BUFFER_SIZE_PARAMS *p = &t->ask.method_buffer;
	enum nv_status status;

	os_memset(p, 0, sizeof(*p));
	status = rm_gpu_internal_control(gpu, NV2080_CTRL_CMD_CE_GET_FAULT_METHOD_BUFFER_SIZE, p,
					 sizeof(*p));
	if (status == NV_OK && (p->size == 0 || p->size > METHOD_BUFFER_LIMIT))
		status = NV_ERR_INVALID_DATA;
	t->method_buffer_bytes = (u32)align_up(p->size, OS_PAGE_SIZE);
	return status;
}

static void publish(struct rm_fifo *fifo, const struct tables *t)
{
	u32 i;

	os_mutex_lock(&fifo->lock);
	if (!fifo->ready) {
		os_memcpy(fifo->engines, t->engines, sizeof(fifo->engines));
		fifo->engine_count = t->engine_count;
		fifo->runlist_count = t->runlist_count;
		fifo->method_buffer_bytes = t->method_buffer_bytes;
		for (i = 0; i < t->runlist_count; i++)
			fifo->runlists[i].channel_count = t->channels[i];
		os_store_release(&fifo->ready, 1);
	}
	os_mutex_unlock(&fifo->lock);
}

enum nv_status rm_fifo_get(struct rm_gpu *gpu, struct rm_fifo **out)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(gpu)->fifo;
	struct tables *t;
	enum nv_status status;

	*out = fifo;
	if (os_load_acquire(&fifo->ready))
		return NV_OK;
	t = os_alloc(sizeof(*t));
	if (!t)
		return NV_ERR_NO_MEMORY;
	status = learn_engines(gpu, t);
	if (status == NV_OK)
		status = learn_interrupts(gpu, t);
	if (status == NV_OK)
		status = learn_channels(gpu, t);
	if (status == NV_OK)
		status = learn_method_buffers(gpu, t);
	if (status == NV_OK)
		publish(fifo, t);
	os_free(t);
	return status;
}

const struct rm_fifo_engine *rm_fifo_engine(const struct rm_fifo *fifo, u32 type)
{
	u32 i;

	for (i = 0; i < fifo->engine_count; i++)
		if (fifo->engines[i].type == type)
			return &fifo->engines[i];
	return NULL;
}

/* -- Ids --------------------------------------------------------------------------------------- */

/* The tables of a runlist come with its first channel or group. */
static struct rm_runlist *runlist_tables(struct rm_fifo *fifo, u32 index)
{
	struct rm_runlist *runlist = &fifo->runlists[index];
	size_t words = BITMAP_WORDS(runlist->channel_count);

	if (runlist->ids)
		return runlist;
	runlist->channels = os_alloc(runlist->channel_count * sizeof(*runlist->channels));
	runlist->ids = os_alloc(2 * words * sizeof(u64));
	if (!runlist->channels || !runlist->ids) {
		os_free(runlist->channels);
		os_free(runlist->ids);
		runlist->channels = NULL;
		runlist->ids = NULL;
		return NULL;
	}
	runlist->groups = runlist->ids + words;
	return runlist;
}

static u32 find_free(const struct rm_runlist *runlist, u32 wanted, u32 index)
{
	u32 id = wanted == RM_NO_ID ? 0 : wanted;

	if (wanted != RM_NO_ID)
		return id < runlist->channel_count && !bitmap_test(runlist->ids, id) ? id
										     : BITMAP_NONE;
	do {
		id = bitmap_find_clear(runlist->ids, runlist->channel_count, id);
		if (id == BITMAP_NONE || index == RM_NO_ID || id % CHANNELS_PER_USERD_PAGE == index)
			return id;
		id++;
	} while (id < runlist->channel_count);
	return BITMAP_NONE;
}

enum nv_status rm_fifo_take_channel(struct rm_fifo *fifo, u32 runlist_index, u32 wanted, u32 index,
				    struct rm_channel *channel, u32 *chid)
{
	struct rm_runlist *runlist = runlist_tables(fifo, runlist_index);
	u32 id;

	if (!runlist)
		return NV_ERR_NO_MEMORY;
	id = find_free(runlist, wanted, index);
	if (id == BITMAP_NONE)
		return NV_ERR_NO_FREE_FIFOS;
	bitmap_set(runlist->ids, id);
	runlist->channels[id] = channel;
	runlist->used++;
	*chid = id;
	return NV_OK;
}

void rm_fifo_hide_channel(struct rm_fifo *fifo, u32 runlist, u32 chid)
{
	fifo->runlists[runlist].channels[chid] = NULL;
}

void rm_fifo_free_channel(struct rm_fifo *fifo, u32 runlist, u32 chid)
{
	rm_fifo_hide_channel(fifo, runlist, chid);
	bitmap_clear(fifo->runlists[runlist].ids, chid);
	fifo->runlists[runlist].used--;
}

struct rm_channel *rm_fifo_channel(const struct rm_fifo *fifo, u32 runlist, u32 chid)
{
	const struct rm_runlist *r = &fifo->runlists[runlist];

	return r->channels && chid < r->channel_count ? r->channels[chid] : NULL;
}

enum nv_status rm_fifo_take_group(struct rm_fifo *fifo, u32 runlist_index, u32 *id)
{
	struct rm_runlist *runlist = runlist_tables(fifo, runlist_index);

	if (!runlist)
		return NV_ERR_NO_MEMORY;
	*id = bitmap_find_clear(runlist->groups, runlist->channel_count, 0);
	if (*id == BITMAP_NONE)
		return NV_ERR_NO_FREE_FIFOS;
	bitmap_set(runlist->groups, *id);
	runlist->used++;
	return NV_OK;
}

void rm_fifo_free_group(struct rm_fifo *fifo, u32 runlist, u32 id)
{
	bitmap_clear(fifo->runlists[runlist].groups, id);
	fifo->runlists[runlist].used--;
}
