// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The host engine with its threads: doorbells that are rung by many threads at once, idleness,
 * channels that wait for each other, errors and freeing under work.
 */
#include "h100_host_rig.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "base/bits.h"
#include "unit.h"

#define USERD_VA 0x300000000ull /* for channels that move GPPut themselves */
#define RINGERS 40u
/* 1,000,000 rings in all where there is time for it: LEAFHOPPER_RINGS. */
#define RINGS_QUICK 40000u
#define RINGS_SANITIZED 8000u

struct threads_rig {
	struct host_rig host;
	bool arms;    /* the test's host can arm pages */
	u32 armed;    /* atomic: times */
	u32 is_armed; /* atomic */
	struct h100_doorbell *doorbell;
	u32 *page;
	u32 pesters; /* atomic: rings again whenever the page is armed */
};

static bool on_arm(void *ctx, struct h100_doorbell *doorbell)
{
	struct threads_rig *t = container_of((struct rig *)ctx, struct threads_rig, host.rig);

	os_fetch_add(&t->armed, 1);
	os_store_release(&t->is_armed, 1u);
	os_fence();
	/* Rung at the worst time, each time. */
	if (os_load_relaxed(&t->pesters) != 0)
		os_store_relaxed(&t->page[NVC361_NOTIFY_CHANNEL_PENDING / 4], 1u);
	return os_load_relaxed(&t->arms);
}

static struct threads_rig *open_rig(bool arms)
{
	struct threads_rig *t = calloc(1, sizeof(*t));
	int fd;

	assert_non_null(t);
	host_open(&t->host, true);
	h100_memory_enter(&t->host.rig.memory);
	rig_map_video(&t->host.rig, USERD_VA, USERD_OFFSET, HOST_CHANNELS * 0x200);
	h100_memory_leave(&t->host.rig.memory);
	t->arms = arms;
	t->host.rig.host.doorbell_arm = on_arm;
	assert_int_equal(h100_fifo_doorbell_create(t->host.fifo, CLIENT, &fd, &t->doorbell), NV_OK);
	t->page = mmap(NULL, H100_DOORBELL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(t->page, MAP_FAILED);
	return t;
}

static void close_rig(struct threads_rig *t)
{
	munmap(t->page, H100_DOORBELL_BYTES);
	host_close(&t->host);
	free(t);
}

/* A client's store, and what its host does if the page was armed. */
static void ring_page(struct threads_rig *t, u32 token)
{
	os_fence();
	if (os_load_relaxed(&t->arms) && os_exchange(&t->is_armed, 0u) != 0)
		h100_fifo_doorbell_rang(t->doorbell);
	os_store_release(&t->page[NVC361_NOTIFY_CHANNEL_PENDING / 4], token);
}

/* -- Many ring one page ------------------------------------------------------------------------ */

struct ringer {
	struct threads_rig *t;
	struct host_channel *c;
	u32 rings;
	bool ok;
	pthread_t thread;
};

/* Each ring is for one release, which must come: the next is made only then. */
static void *ringer_main(void *arg)
{
	struct ringer *r = arg;
	struct host_rig *h = &r->t->host;
	u32 i, offset = r->c->n * 64;

	r->ok = true;
	for (i = 1; i <= r->rings && r->ok; i++) {
		r->c->pb = r->c->entry = 0;
		host_release(h, r->c, offset, i);
		host_put(h, r->c);
		/* Equal tokens from all: the word only says that somebody rang. */
		ring_page(r->t, 1);
		r->ok = host_wait(h, offset, i) && host_wait_empty(h, r->c);
	}
	return NULL;
}

static void storm(bool arms)
{
	struct threads_rig *t = open_rig(arms);
	struct ringer ringers[RINGERS];
	const char *count = getenv("LEAFHOPPER_RINGS");
	u32 total = count	     ? (u32)strtoul(count, NULL, 0)
		    : UNIT_SANITIZED ? RINGS_SANITIZED
				     : RINGS_QUICK;
	u32 i;

	for (i = 0; i < RINGERS; i++)
		ringers[i] = (struct ringer){
			.t = t,
			.c = host_channel(&t->host, i, host_group(&t->host, i % 8)),
			.rings = total / RINGERS,
		};
	for (i = 0; i < RINGERS; i++)
		assert_int_equal(pthread_create(&ringers[i].thread, NULL, ringer_main, &ringers[i]),
				 0);
	for (i = 0; i < RINGERS; i++)
		pthread_join(ringers[i].thread, NULL);
	for (i = 0; i < RINGERS; i++)
		if (!ringers[i].ok)
			fail_msg("a ring of channel %u was lost", i);
	assert_int_equal(os_load_relaxed(&t->host.errors), 0);
	close_rig(t);
}

static void test_storm_armed(void **state)
{
	storm(true);
}

static void test_storm_polled(void **state)
{
	storm(false);
}

/* -- Idle -------------------------------------------------------------------------------------- */

static u64 cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* After work all threads sleep, and nothing looks at anything. */
static void test_idle(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	u64 before;
	u32 i;

	for (i = 1; i <= 100; i++) {
		host_release(h, c, 0, i);
		host_put(h, c);
		ring_page(t, 0);
		assert_true(host_wait(h, 0, i));
		c->pb = c->entry = 0;
		assert_true(host_wait_empty(h, c));
	}
	os_sleep_us(50000);
	assert_int_not_equal(os_load_relaxed(&t->is_armed), 0);
	before = cpu_ns();
	os_sleep_us(300000);
	assert_true(cpu_ns() - before < 2000000);
	/* And it wakes. */
	host_release(h, c, 0, 1000);
	host_put(h, c);
	ring_page(t, 0);
	assert_true(host_wait(h, 0, 1000));
	close_rig(t);
}

/* A host that arms a page after a while: until then it is looked at, from then on no more. */
static void test_armed_later(void **state)
{
	struct threads_rig *t = open_rig(false);
	struct host_rig *h = &t->host;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	u32 i, before;

	for (i = 1; i <= 20; i++) {
		before = os_load_acquire(&t->armed);
		/* Not armed: the store is seen all the same. */
		host_release(h, c, 0, 2 * i);
		host_put(h, c);
		ring_page(t, 1);
		assert_true(host_wait(h, 0, 2 * i));
		while (os_load_acquire(&t->armed) == before)
			os_sleep_us(100);
		/* One that comes while it is being armed is found. */
		host_release(h, c, 0, 2 * i + 1);
		host_put(h, c);
		if (i % 2)
			ring_page(t, 1);
		h100_fifo_doorbell_armed(t->doorbell);
		assert_true(host_wait(h, 0, 2 * i + 1));
		c->pb = c->entry = 0;
		assert_true(host_wait_empty(h, c));
		h100_fifo_doorbell_rang(t->doorbell);
	}
	before = os_load_acquire(&t->armed);
	h100_fifo_doorbell_rang(t->doorbell);
	while (os_load_acquire(&t->armed) == before)
		os_sleep_us(100);
	/* Nor is the leader to be in the middle of it. */
	os_sleep_us(20000);
	h100_fifo_doorbell_armed(t->doorbell);
	host_release(h, c, 0, 1000);
	host_put(h, c);
	ring_page(t, 1);
	os_sleep_us(20000);
	assert_int_not_equal(os_load_relaxed(host_data(h, 0)), 1000);
	h100_fifo_doorbell_rang(t->doorbell);
	assert_true(host_wait(h, 0, 1000));
	close_rig(t);
}

/* Rings by register wake it as well. */
static void test_register(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *c = host_channel(h, 3, host_group(h, 2));
	u32 i;

	for (i = 1; i <= 50; i++) {
		if (i % 10 == 0)
			os_sleep_us(2000);
		host_release(h, c, 0, i);
		host_submit(h, c);
		assert_true(host_wait(h, 0, i));
	}
	close_rig(t);
}

/* -- Blocked channels -------------------------------------------------------------------------- */

/* What the CPU writes is found without a ring. */
static void test_cpu_release(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	u32 i;

	for (i = 1; i <= 20; i++) {
		host_acquire(h, c, 0x40, i, NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE);
		host_release(h, c, 0, i);
		host_submit(h, c);
		os_sleep_us(i * 100);
		assert_int_equal(os_load_acquire(host_data(h, 0)), i - 1);
		os_store_release(host_data(h, 0x40), i);
		assert_true(host_wait(h, 0, i));
	}
	close_rig(t);
}

/* Channels of eight runlists hand a token around. */
static void test_relay(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *c[8];
	u32 rounds = UNIT_SANITIZED ? 30 : 100, i, round;

	for (i = 0; i < 8; i++)
		c[i] = host_channel(h, i, host_group(h, i));
	for (round = 0; round < rounds; round++)
		for (i = 0; i < 8; i++) {
			u32 value = round * 8 + i;

			host_acquire(h, c[i], 0, value, NVC86F_SEM_EXECUTE_OPERATION_ACQ_CIRC_GEQ);
			host_release(h, c[i], 0, value + 1);
		}
	for (i = 0; i < 8; i++)
		host_submit(h, c[7 - i]);
	assert_true(host_wait(h, 0, rounds * 8));
	close_rig(t);
}

/* -- Errors and freeing under work ------------------------------------------------------------- */

struct worker {
	struct threads_rig *t;
	struct host_channel *c;
	u32 done; /* atomic */
	u32 *stop;
	bool ok;
	pthread_t thread;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct host_rig *h = &w->t->host;
	u32 i;

	w->ok = true;
	for (i = 1; w->ok && os_load_relaxed(w->stop) == 0; i++) {
		w->c->pb = w->c->entry = 0;
		host_release(h, w->c, w->c->n * 64, i);
		host_put(h, w->c);
		ring_page(w->t, 0);
		w->ok = host_wait(h, w->c->n * 64, i) && host_wait_empty(h, w->c);
		os_store_relaxed(&w->done, i);
	}
	return NULL;
}

/* One channel faults and is reset again and again; three others of its runlist run on. */
static void test_faults_beside_work(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *bad = host_channel(h, 8, host_group(h, 0));
	struct worker workers[3];
	struct h100_fifo_error error;
	u32 stop = 0, i, before, round, rounds = UNIT_SANITIZED ? 20 : 100;

	for (i = 0; i < 3; i++) {
		workers[i] = (struct worker){ .t = t,
					      .c = host_channel(h, i, host_group(h, 0)),
					      .stop = &stop };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]),
				 0);
	}
	for (round = 0; round < rounds; round++) {
		before = os_load_relaxed(&h->errors);
		bad->pb = bad->entry = 0;
		host_release(h, bad, DATA_BYTES + 0x100, 1);
		host_submit(h, bad);
		for (i = 0; os_load_relaxed(&h->errors) == before && i < 20000; i++)
			os_sleep_us(100);
		assert_true(h100_fifo_error_take(h->fifo, &error));
		assert_int_equal(error.chid, 8);
		assert_true(h100_channel_failed(bad->channel));
		h100_channel_reset(bad->channel);
		h100_channel_schedule(bad->channel, true);
	}
	os_store_relaxed(&stop, 1u);
	for (i = 0; i < 3; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_true(workers[i].ok && workers[i].done > 0);
	}
	close_rig(t);
}

/* Channels go while they work, wait, or are about to begin; then all of it while they do. */
static void test_freeing_under_work(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	u32 round, rounds = UNIT_SANITIZED ? 20 : 100, i, j;

	for (round = 0; round < rounds; round++) {
		struct h100_group *groups[4];
		struct host_channel *c[8];

		for (i = 0; i < 4; i++)
			groups[i] = host_group(h, i);
		for (i = 0; i < 8; i++) {
			c[i] = host_channel(h, i, groups[i % 4]);
			for (j = 0; j < 60; j++)
				host_release(h, c[i], i * 64, j);
			if (i % 3 == 0)
				host_acquire(h, c[i], 0x4000, 1,
					     NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE);
			host_put(h, c[i]);
			ring_page(t, i);
		}
		os_sleep_us(round % 7 * 20);
		if (round + 1 == rounds)
			break;
		for (i = 0; i < 8; i++) {
			if (i % 4 == 1)
				h100_group_schedule(groups[i % 4], false);
			h100_channel_destroy(c[i]->channel);
		}
		for (i = 0; i < 4; i++)
			h100_group_destroy(groups[i]);
	}
	assert_int_equal(os_load_relaxed(&h->errors), 0);
	close_rig(t);
}

/* Doorbells come and go while the leader looks at pages. */
static void test_doorbells_come_and_go(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	struct h100_doorbell *doorbell;
	u32 i;
	int fd;

	for (i = 1; i <= 200; i++) {
		assert_int_equal(h100_fifo_doorbell_create(h->fifo, i, &fd, &doorbell), NV_OK);
		h100_fifo_doorbell_rang(doorbell);
		c->pb = c->entry = 0;
		host_release(h, c, 0, i);
		host_put(h, c);
		ring_page(t, 0);
		h100_fifo_doorbell_destroy(doorbell);
		assert_true(host_wait(h, 0, i) && host_wait_empty(h, c));
	}
	close_rig(t);
}

/* -- Work without end -------------------------------------------------------------------------- */

static void move_put(struct host_rig *h, struct host_channel *c, u32 put)
{
	u64 va = USERD_VA + USERD(c->n) - USERD_OFFSET + offsetof(struct Nvc86fControl, GPPut);

	host_do(h, c, 0, NVC86F_SEM_ADDR_LO, bits_low32(va));
	host_do(h, c, 0, NVC86F_SEM_ADDR_HI, bits_high32(va));
	host_do(h, c, 0, NVC86F_SEM_PAYLOAD_LO, put);
	host_do(h, c, 0, NVC86F_SEM_EXECUTE, NVC86F_SEM_EXECUTE_OPERATION_RELEASE);
	host_end(h, c);
}

/*
 * A ring that feeds itself: the entry at its beginning moves GPPut to behind the middle, and the
 * one in the middle to behind the beginning. All others do nothing.
 */
static struct host_channel *endless(struct host_rig *h, u32 n, struct h100_group *group)
{
	struct host_channel *c = host_channel(h, n, group);

	move_put(h, c, HOST_ENTRIES / 2 + 10);
	c->put = HOST_ENTRIES / 2;
	move_put(h, c, 10);
	c->put = HOST_ENTRIES / 2 + 10;
	host_submit(h, c);
	return c;
}

static u32 reference(struct host_rig *h, const struct host_channel *c)
{
	u8 *userd = h->rig.video + USERD(c->n);

	return os_load_acquire((u32 *)(userd + offsetof(struct Nvc86fControl, Reference)));
}

static bool gets_on(struct host_rig *h, const struct host_channel *c)
{
	u32 before = host_gp_get(h, c), tries;

	for (tries = 0; tries < 10000; tries++) {
		if (host_gp_get(h, c) != before)
			return true;
		os_sleep_us(1000);
	}
	return false;
}

/* Others have their turns beside it, and who wants it off does not wait for its end. */
static void test_endless_entries(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct h100_group *group = host_group(h, 0);
	struct host_channel *hog = endless(h, 0, group);
	struct host_channel *other = host_channel(h, 1, host_group(h, 0));
	u32 i;

	for (i = 1; i <= 5; i++) {
		host_release(h, other, 0, i);
		host_submit(h, other);
		assert_true(host_wait(h, 0, i));
		h100_memory_pause(&h->rig.memory);
		h100_memory_resume(&h->rig.memory);
		/* Waits for it to come off, though it has work all the time. */
		h100_group_preempt(group, true);
		assert_int_equal(h100_channel_add_object(hog->channel, HOPPER_DMA_COPY_A, NULL),
				 NV_OK);
		h100_channel_remove_object(hog->channel, HOPPER_DMA_COPY_A);
		h100_space_set(h->space, &h->rig.pdb);
	}
	assert_int_equal(os_load_relaxed(&h->errors), 0);
	h100_channel_schedule(hog->channel, false);
	h100_channel_schedule(hog->channel, true);
	assert_true(gets_on(h, hog));
	h100_channel_destroy(hog->channel);
	close_rig(t);
}

/* As many of them as there are threads, and one more: each runlist has its turn. */
static void test_endless_runlists(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *hogs[4], *other;
	struct h100_group *group;
	u32 i;

	h->fifo->runners_max = 2;
	for (i = 0; i < ARRAY_SIZE(hogs); i++) {
		group = host_group(h, i);
		assert_int_equal(h100_group_set_timeslice(group, ~(u64)0), NV_OK);
		hogs[i] = endless(h, i, group);
	}
	other = host_channel(h, 10, host_group(h, 6));
	for (i = 1; i <= 5; i++) {
		host_release(h, other, 0, i);
		host_submit(h, other);
		assert_true(host_wait(h, 0, i));
	}
	for (i = 0; i < ARRAY_SIZE(hogs); i++)
		assert_true(gets_on(h, hogs[i]));
	close_rig(t);
}

/* The longest slice that is to be had, at the highest level: another group has its turn after it.
 */
static void test_longest_slice(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct h100_group *group = host_group(h, 0);
	struct host_channel *other = host_channel(h, 10, host_group(h, 0)), *hog;
	u32 i;

	assert_int_equal(h100_group_set_timeslice(group, (u64)3600 * 1000000), NV_OK);
	assert_int_equal(h100_group_timeslice(group), FIFO_TIMESLICE_MAX_US);
	assert_int_equal(h100_group_set_interleave(group, NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH),
			 NV_OK);
	hog = endless(h, 0, group);
	for (i = 1; i <= 5; i++) {
		assert_true(gets_on(h, hog));
		host_release(h, other, 0, i);
		host_submit(h, other);
		assert_true(host_wait(h, 0, i));
	}
	close_rig(t);
}

/* One segment of many short launches: who wants memory does not wait for its end. */
static void test_many_launches(void **state)
{
	const u32 launches = 2000, bytes = DATA_BYTES / 2 - 0x10000;
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	const struct h100_engine_info *ce =
		h100_engines_find(&h->engines, NV2080_ENGINE_TYPE_COPY3);
	struct host_channel *c = host_channel(h, 0, host_group(h, ce->runlist));
	u64 to = DATA_VA + DATA_BYTES / 2;
	u32 i;

	assert_int_equal(h100_channel_add_object(c->channel, HOPPER_DMA_COPY_A, NULL), NV_OK);
	host_do(h, c, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	host_do(h, c, 4, NVC8B5_OFFSET_IN_UPPER, bits_high32(DATA_VA));
	host_do(h, c, 4, NVC8B5_OFFSET_IN_LOWER, bits_low32(DATA_VA) + 0x10000);
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_UPPER, bits_high32(to));
	host_do(h, c, 4, NVC8B5_OFFSET_OUT_LOWER, bits_low32(to));
	host_do(h, c, 4, NVC8B5_LINE_LENGTH_IN, bytes);
	host_do(h, c, 0, NVC86F_SET_REFERENCE, 1);
	for (i = 0; i < launches; i++)
		host_do(h, c, 4, NVC8B5_LAUNCH_DMA, 0x182);
	host_do(h, c, 0, NVC86F_SET_REFERENCE, 2);
	host_end(h, c);
	host_submit(h, c);
	while (reference(h, c) == 0)
		os_sleep_us(20);
	for (i = 0; i < 3; i++) {
		h100_memory_pause(&h->rig.memory);
		assert_int_equal(reference(h, c), 1);
		h100_memory_resume(&h->rig.memory);
	}
	assert_true(host_wait_empty(h, c));
	assert_int_equal(reference(h, c), 2);
	assert_int_equal(os_load_relaxed(&h->errors), 0);
	close_rig(t);
}

static bool is_blocked(struct h100_channel *channel)
{
	bool blocked;

	pthread_mutex_lock(&channel->fifo->lock);
	blocked = channel->state == FIFO_BLOCKED;
	pthread_mutex_unlock(&channel->fifo->lock);
	return blocked;
}

/* One of a group fails while another one of it runs: both stop, and can begin anew at once. */
static void test_failure_beside_work(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct h100_group *group = host_group(h, 0);
	struct host_channel *hog = endless(h, 0, group), *c = host_channel(h, 1, group);
	struct h100_fifo_error error;
	u32 round, rounds = UNIT_SANITIZED ? 5 : 10, tries, before;

	/* It comes off by itself as seldom as can be. */
	assert_int_equal(h100_group_set_timeslice(group, ~(u64)0), NV_OK);
	for (round = 1; round <= rounds; round++) {
		h100_channel_schedule(hog->channel, false);
		c->channel->config.acquire_timeout_ns = 50000000;
		host_acquire(h, c, 0x4000, 1, NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE);
		host_submit(h, c);
		for (tries = 0; tries < 100000 && !is_blocked(c->channel); tries++)
			os_sleep_us(20);
		assert_true(is_blocked(c->channel));
		before = host_gp_get(h, hog);
		os_sleep_us(500);
		assert_int_equal(host_gp_get(h, hog), before);
		h100_channel_schedule(hog->channel, true);
		for (tries = 0; tries < 5000 && os_load_relaxed(&h->errors) < round; tries++)
			os_sleep_us(1000);
		assert_int_equal(os_load_relaxed(&h->errors), round);
		assert_true(h100_channel_failed(hog->channel));
		assert_true(h100_fifo_error_take(h->fifo, &error));
		assert_int_equal(error.chid, 1);
		h100_channel_reset(c->channel);
		assert_false(h100_channel_failed(hog->channel));
		h100_group_schedule(group, true);
		assert_true(gets_on(h, hog));
	}
	close_rig(t);
}

/* A client that rings without an end, for nothing, holds up neither others nor their leaving. */
static void test_endless_rings(void **state)
{
	struct threads_rig *t = open_rig(true);
	struct host_rig *h = &t->host;
	struct host_channel *c = host_channel(h, 0, host_group(h, 0));
	struct h100_doorbell *doorbell;
	u32 i;
	int fd;

	os_store_relaxed(&t->pesters, 1u);
	for (i = 1; i <= 20; i++) {
		assert_int_equal(h100_fifo_doorbell_create(h->fifo, i, &fd, &doorbell), NV_OK);
		host_acquire(h, c, 0x4000, i, NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE);
		host_release(h, c, 0, i);
		host_submit(h, c);
		os_sleep_us(300);
		/* By the CPU: found by time only. */
		os_store_release(host_data(h, 0x4000), i);
		assert_true(host_wait(h, 0, i));
		h100_fifo_doorbell_destroy(doorbell);
	}
	os_store_relaxed(&t->pesters, 0u);
	close_rig(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm_armed),
		cmocka_unit_test(test_storm_polled),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_armed_later),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_cpu_release),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_faults_beside_work),
		cmocka_unit_test(test_freeing_under_work),
		cmocka_unit_test(test_doorbells_come_and_go),
		cmocka_unit_test(test_endless_entries),
		cmocka_unit_test(test_endless_runlists),
		cmocka_unit_test(test_longest_slice),
		cmocka_unit_test(test_many_launches),
		cmocka_unit_test(test_endless_rings),
		cmocka_unit_test(test_failure_beside_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
