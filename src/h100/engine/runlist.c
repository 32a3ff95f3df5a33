// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Whose turn it is. Groups of a runlist that have work take turns by time slice, and a group's
 * channels among themselves whenever one comes off. A blocked channel is in neither list.
 */
#include "base/bits.h"
#include "h100/engine/fifo.h"

#define NEVER (~(u64)0)
/* A blocked channel is looked at after an eighth of the time that it has waited. */
#define LOOK_FIRST_NS 20000ull
#define LOOK_LAST_NS 1000000ull
#define LOOK_LONG_NS 10000000ull /* of one that has waited for over a second */
#define LONG_NS 1000000000ull
/* Others wait meanwhile: of more than so many blocked channels the rest is looked at later. */
#define LOOKS_MAX 128u
#define LOOK_REST_NS 200000ull

struct fifo_runlist *runlist_ready(struct h100_fifo *fifo)
{
	u32 i, count = fifo->suspended ? 0 : fifo->config.engines->runlists;

	for (i = 0; i < count; i++) {
		struct fifo_runlist *runlist = &fifo->runlist[(fifo->turn + i) % count];

		if (!runlist->busy && !list_empty(&runlist->pending))
			return runlist;
	}
	return NULL;
}

void runlist_crowd(struct h100_fifo *fifo)
{
	os_store_relaxed(&fifo->crowded,
			 fifo->runners >= fifo->runners_max && runlist_ready(fifo) ? 1u : 0u);
}

void runlist_wait_off(struct h100_fifo *fifo, struct h100_channel *channel)
{
	struct fifo_runlist *runlist = &fifo->runlist[channel->group->runlist];

	if (runlist->current != channel)
		return;
	/* One with work without end would be current again before this thread has the lock. */
	channel->held++;
	while (runlist->current == channel) {
		os_store_relaxed(&runlist->preempt, 1u);
		pthread_cond_wait(&fifo->changed, &fifo->lock);
	}
	if (--channel->held != 0)
		return;
	h100_memory_enter(fifo->config.memory);
	channel_look(channel);
	h100_memory_leave(fifo->config.memory);
}

/* -- Blocked channels -------------------------------------------------------------------------- */

static u64 look_interval_ns(u64 waited_ns)
{
	if (waited_ns >= LONG_NS)
		return LOOK_LONG_NS;
	return min(max(waited_ns / 8, (u64)LOOK_FIRST_NS), (u64)LOOK_LAST_NS);
}

static void block(struct h100_channel *channel, u64 now)
{
	struct h100_fifo *fifo = channel->fifo;
	struct fifo_client *client = channel->client;
	struct fifo_acquire *acquire = &channel->acquire;

	acquire->next_ns = now + look_interval_ns(now - acquire->since_ns);
	acquire->write = fifo->blocked_write;
	channel->state = FIFO_BLOCKED;
	list_add_tail(&channel->blocked_node, &client->blocked);
	if (list_empty(&fifo->blocked))
		fifo->blocked_ns = NEVER;
	if (!list_linked(&client->blocked_node))
		list_add_tail(&client->blocked_node, &fifo->blocked);
	fifo->blocked_ns = min(fifo->blocked_ns, acquire->next_ns);
	/* Another thread may lead, and sleep for longer than that. */
	threads_wake(fifo);
}

void blocked_remove(struct h100_channel *channel)
{
	struct fifo_client *client = channel->client;

	list_del(&channel->blocked_node);
	if (list_empty(&client->blocked))
		list_del(&client->blocked_node);
}

static void look_at_blocked(struct h100_channel *channel, u64 now)
{
	enum fifo_result result;
	struct fifo_run run;

	fifo_run_init(&run, channel);
	result = semaphore_check(&run);
	if (result == FIFO_RESULT_BLOCKED) {
		channel->acquire.next_ns = now + look_interval_ns(now - channel->acquire.since_ns);
		return;
	}
	if (result == FIFO_RESULT_OK) {
		blocked_remove(channel);
		channel_pend(channel);
	} else {
		/* May take others of its group along. */
		channel_fail(channel, &run.error);
	}
}

static void to_tail(struct list_node *node, struct list *list)
{
	list_del(node);
	list_add_tail(node, list);
}

/* The next channel of the next client, each once a pass; NULL: that was all. */
static struct h100_channel *next_blocked(struct h100_fifo *fifo, struct list *done)
{
	struct list_node *node;

	while ((node = list_first(&fifo->blocked)) != NULL) {
		struct fifo_client *client = list_entry(node, struct fifo_client, blocked_node);
		struct h100_channel *channel =
			list_entry(list_first(&client->blocked), struct h100_channel, blocked_node);

		if (channel->acquire.pass == fifo->blocked_pass) {
			to_tail(node, done);
			continue;
		}
		channel->acquire.pass = fifo->blocked_pass;
		to_tail(&channel->blocked_node, &client->blocked);
		to_tail(node, &fifo->blocked);
		return channel;
	}
	return NULL;
}

/* Of what a pass leaves over, the next ones look at all as well, however long it has waited. */
static bool is_due(struct h100_fifo *fifo, struct fifo_acquire *acquire, u64 now)
{
	bool written = acquire->write != fifo->blocked_write;

	acquire->write = fifo->blocked_write;
	return written || acquire->next_ns <= now;
}

void blocked_check(struct h100_fifo *fifo, bool all)
{
	struct h100_channel *channel = NULL;
	u64 now, next = NEVER;
	struct list done;
	u32 i;

	if (list_empty(&fifo->blocked) || fifo->suspended)
		return;
	now = fifo_now(fifo);
	if (!all && now < fifo->blocked_ns)
		return;
	list_init(&done);
	fifo->blocked_pass++;
	fifo->blocked_write += all;
	h100_memory_enter(fifo->config.memory);
	for (i = 0; i < LOOKS_MAX && (channel = next_blocked(fifo, &done)) != NULL; i++) {
		if (is_due(fifo, &channel->acquire, now))
			look_at_blocked(channel, now);
		if (channel->state == FIFO_BLOCKED)
			next = min(next, channel->acquire.next_ns);
	}
	h100_memory_leave(fifo->config.memory);
	list_splice_tail(&done, &fifo->blocked);
	fifo->blocked_ns = channel ? min(next, now + LOOK_REST_NS) : next;
}

void blocked_resume(struct h100_fifo *fifo, u64 slept_ns)
{
	struct h100_channel *channel;
	struct h100_group *group;
	u64 now = fifo_now(fifo);

	list_for_each_entry (group, &fifo->groups, node)
		list_for_each_entry (channel, &group->channels, group_node)
			channel->acquire.since_ns = min(channel->acquire.since_ns + slept_ns, now);
	fifo->blocked_ns = 0;
}

u64 blocked_next_ns(struct h100_fifo *fifo)
{
	return fifo->suspended || list_empty(&fifo->blocked) ? NEVER : fifo->blocked_ns;
}

/* -- Running ----------------------------------------------------------------------------------- */

static struct h100_channel *take(struct fifo_runlist *runlist)
{
	struct list_node *node = list_first(&runlist->pending);
	struct h100_channel *channel;
	struct h100_group *group;

	if (!node)
		return NULL;
	group = list_entry(node, struct h100_group, pending_node);
	channel = list_entry(list_first(&group->pending), struct h100_channel, pending_node);
	list_del(&channel->pending_node);
	if (list_empty(&group->pending))
		list_del(&group->pending_node);
	channel->state = FIFO_RUNNING;
	channel->rung = false;
	return channel;
}

static void account(struct h100_fifo *fifo, const struct fifo_run *run, u64 now, u64 busy_ns)
{
	struct h100_state *state = fifo->config.state;

	if (!state || run->kinds == 0)
		return;
	if ((run->kinds & BIT32(H100_ENGINE_KIND_GR)) != 0)
		h100_state_account_busy(state, H100_ENGINE_GRAPHICS, now, busy_ns);
	if ((run->kinds & BIT32(H100_ENGINE_KIND_COPY)) != 0) {
		h100_state_account_busy(state, H100_ENGINE_COPY, now, busy_ns);
		h100_state_account_busy(state, H100_ENGINE_MEMORY, now, busy_ns);
	}
}

/* The group had its time: others of the runlist go before it. */
static void rotate(struct fifo_runlist *runlist, struct h100_group *group)
{
	group->used_ns = 0;
	if (list_linked(&group->pending_node)) {
		list_del(&group->pending_node);
		list_add_tail(&group->pending_node, &runlist->pending);
	}
}

static void came_off(struct h100_channel *channel, enum fifo_result result,
		     const struct fifo_run *run, u64 now)
{
	struct h100_fifo *fifo = channel->fifo;

	/* Its group failed meanwhile, by another channel of it. */
	if (channel->state == FIFO_FAILED)
		return;
	if (result == FIFO_RESULT_ERROR) {
		channel_fail(channel, &run->error);
		return;
	}
	if (!channel->active || channel->held != 0) {
		channel->state = FIFO_IDLE;
		return;
	}
	switch (result) {
	case FIFO_RESULT_BLOCKED:
		block(channel, now);
		break;
	case FIFO_RESULT_PREEMPTED:
	case FIFO_RESULT_YIELD:
		channel_pend(channel);
		break;
	default:
		channel->state = FIFO_IDLE;
		if (channel->rung) {
			h100_memory_enter(fifo->config.memory);
			channel_look(channel);
			h100_memory_leave(fifo->config.memory);
		}
		break;
	}
}

static void run_channel(struct h100_fifo *fifo, struct fifo_runlist *runlist,
			struct h100_channel *channel)
{
	struct h100_group *group = channel->group;
	u64 slice_us = min(group->timeslice_us << group->interleave, (u64)FIFO_TIMESLICE_MAX_US);
	u64 slice_ns = slice_us * 1000, start = fifo_now(fifo), now;
	enum fifo_result result;
	struct fifo_run run;

	fifo_run_init(&run, channel);
	run.deadline_ns = start + (slice_ns > group->used_ns ? slice_ns - group->used_ns : 0);
	run.turn_ns = start + FIFO_TURN_NS;
	runlist->current = channel;
	os_store_relaxed(&runlist->preempt, 0u);
	pthread_mutex_unlock(&fifo->lock);

	result = gpfifo_run(&run);
	now = fifo_now(fifo);
	account(fifo, &run, now, now - start);

	pthread_mutex_lock(&fifo->lock);
	runlist->current = NULL;
	came_off(channel, result, &run, now);
	group->used_ns += now - start;
	if (result == FIFO_RESULT_YIELD || group->used_ns >= slice_ns)
		rotate(runlist, group);
	pthread_cond_broadcast(&fifo->changed);
	if (run.kinds != 0 || os_load_relaxed(&fifo->recheck) != 0) {
		os_store_relaxed(&fifo->recheck, 0u);
		blocked_check(fifo, true);
	}
}

void runlist_run(struct h100_fifo *fifo, struct fifo_runlist *runlist)
{
	struct h100_channel *channel;

	runlist->busy = true;
	fifo->runners++;
	fifo->turn = (u32)(runlist - fifo->runlist) + 1;
	runlist_crowd(fifo);
	while (!fifo->stop && !fifo->suspended && (channel = take(runlist)) != NULL) {
		run_channel(fifo, runlist, channel);
		/* Somebody else had to look after doorbells, or has not begun to. */
		if (os_load_relaxed(&fifo->event) != 0 && os_load_relaxed(&fifo->leading) == 0)
			doorbell_collect(fifo);
		if (!fifo->config.threads || os_load_relaxed(&fifo->crowded) != 0)
			break;
	}
	fifo->runners--;
	runlist->busy = false;
	runlist_crowd(fifo);
	pthread_cond_broadcast(&fifo->changed);
	/* There was no thread for it before, and the leader may sleep. */
	if (runlist_ready(fifo))
		threads_wake(fifo);
}
