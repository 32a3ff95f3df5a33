// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Threads of the host engine. One at a time leads: it looks after doorbells and blocked channels,
 * and when it finds a runlist with work it runs that itself, which saves waking another. Who leads
 * next is decided only when there is a need for it:
 *
 *   leader --work--> runner --runlist empty--> leader again, if nobody has taken over
 *      | another runlist is ready            follower --leader is wanted, or away for a tick-->
 * leader
 *      `--wakes a follower
 *
 * With nothing to do the pages are armed, the leader sleeps until threads_wake, followers sleep
 * until they are wanted.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "h100/engine/fifo.h"

#define NEVER (~(u64)0)
#define SPIN_NS 50000ull      /* after a ring, before pages are armed */
#define SLOW_NS 1000000ull    /* between looks at pages that cannot be armed */
#define TICK_NS 500000ull     /* how long nobody leads while channels run */
#define RECENT_NS 10000000ull /* after a ring followers stay on the clock for so long */

static struct timespec after(u64 ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns += (u64)ts.tv_nsec;
	ts.tv_sec += (time_t)(ns / 1000000000);
	ts.tv_nsec = (long)(ns % 1000000000);
	return ts;
}

void threads_wake(struct h100_fifo *fifo)
{
	os_exchange(&fifo->event, 1u);
	if (os_load_relaxed(&fifo->asleep) != 0 && os_exchange(&fifo->asleep, 0u) != 0)
		sem_post(&fifo->wake);
}

void threads_poll(struct h100_fifo *fifo)
{
	if (os_load_relaxed(&fifo->event) == 0 || os_load_relaxed(&fifo->leading) != 0 ||
	    !fifo->config.threads)
		return;
	pthread_cond_signal(&fifo->follow);
}

void threads_look(struct h100_fifo *fifo)
{
	u32 *words[FIFO_WATCHED], count, i;

	if (os_load_relaxed(&fifo->leading) != 0 || !fifo->config.threads ||
	    pthread_mutex_trylock(&fifo->lock) != 0)
		return;
	count = doorbell_words(fifo, words);
	for (i = 0; i < count; i++)
		if (os_load_relaxed(words[i]) != 0)
			os_store_relaxed(&fifo->event, 1u);
	pthread_mutex_unlock(&fifo->lock);
	threads_poll(fifo);
}

/* -- Leading ----------------------------------------------------------------------------------- */

static inline void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* Looks at the words until one is there, or something else happens, or time is up. */
static void spin(struct h100_fifo *fifo, u32 **words, u32 count, u64 until)
{
	u32 i;

	do {
		for (i = 0; i < count; i++)
			if (os_load_relaxed(words[i]) != 0)
				return;
		if (os_load_relaxed(&fifo->event) != 0)
			return;
		relax();
	} while (fifo_now(fifo) < until);
}

/* Lock held, given up meanwhile. True: look again. */
static bool look_at_pages(struct h100_fifo *fifo)
{
	u32 *words[FIFO_WATCHED], count;
	u64 until;

	doorbell_look_begin(fifo);
	count = doorbell_words(fifo, words);
	until = fifo->last_ring_ns + (fifo->runners_max > 1 ? SPIN_NS : 0);
	until = min(until, blocked_next_ns(fifo));
	if (count != 0 && fifo_now(fifo) < until) {
		pthread_mutex_unlock(&fifo->lock);
		/* Not seen: the time is up, which the next round finds. */
		spin(fifo, words, count, until);
		pthread_mutex_lock(&fifo->lock);
		doorbell_look_end(fifo);
		return true;
	}
	doorbell_look_end(fifo);
	return count != 0 && doorbell_arm_all(fifo);
}

u64 threads_quiet_ns(struct h100_fifo *fifo)
{
	u64 next = blocked_next_ns(fifo), now = fifo_now(fifo), ns = NEVER;

	if (next != NEVER)
		ns = next > now ? next - now : 1;
	return doorbell_slow(fifo) ? min(ns, (u64)SLOW_NS) : ns;
}

/* Lock held, given up meanwhile. */
static void sleep_until_woken(struct h100_fifo *fifo)
{
	u64 ns = threads_quiet_ns(fifo);
	struct timespec ts;

	pthread_mutex_unlock(&fifo->lock);
	os_exchange(&fifo->asleep, 1u);
	if (os_load_acquire(&fifo->event) == 0) {
		if (ns == NEVER) {
			while (sem_wait(&fifo->wake) != 0 && errno == EINTR)
				;
		} else {
			ts = after(ns);
			while (sem_clockwait(&fifo->wake, CLOCK_MONOTONIC, &ts) != 0 &&
			       errno == EINTR)
				;
		}
	}
	os_exchange(&fifo->asleep, 0u);
	pthread_mutex_lock(&fifo->lock);
}

static void start_thread(struct h100_fifo *fifo);

/* Another runlist is ready: somebody else has to see to it. */
static void want_leader(struct h100_fifo *fifo)
{
	if (fifo->waiting == 0 && fifo->thread_count < fifo->runners_max + 1)
		start_thread(fifo);
	fifo->wanted = true;
	pthread_cond_signal(&fifo->follow);
}

/* Until there is a runlist to be run, or the end. Lock held, given up meanwhile. */
static struct fifo_runlist *lead(struct h100_fifo *fifo)
{
	struct fifo_runlist *runlist;

	while (!fifo->stop) {
		os_exchange(&fifo->event, 0u);
		doorbell_collect(fifo);
		blocked_check(fifo, os_exchange(&fifo->recheck, 0u) != 0);
		runlist = fifo->runners < fifo->runners_max ? runlist_ready(fifo) : NULL;
		if (runlist)
			return runlist;
		if (!look_at_pages(fifo))
			sleep_until_woken(fifo);
	}
	return NULL;
}

/* -- Following --------------------------------------------------------------------------------- */

/*
 * Returns when this thread is to lead. While channels run or have run of late, by the clock: the
 * leader may be in the middle of a long copy.
 */
static void follow(struct h100_fifo *fifo)
{
	struct timespec ts;
	int rc;

	while (!fifo->stop) {
		if (fifo->wanted && fifo->leading == 0)
			return;
		rc = 0;
		if (fifo->runners != 0 || fifo_now(fifo) - fifo->last_ring_ns < RECENT_NS) {
			ts = after(TICK_NS);
			rc = pthread_cond_clockwait(&fifo->follow, &fifo->lock, CLOCK_MONOTONIC,
						    &ts);
		} else {
			fifo->waiting++;
			pthread_cond_wait(&fifo->follow, &fifo->lock);
			fifo->waiting--;
			continue;
		}
		if (fifo->leading == 0 && (rc == ETIMEDOUT || os_load_relaxed(&fifo->event) != 0))
			return;
	}
}

static void *thread_main(void *arg)
{
	struct h100_fifo *fifo = arg;
	struct fifo_runlist *runlist;

	pthread_setname_np(pthread_self(), "h100-host");
	pthread_mutex_lock(&fifo->lock);
	while (!fifo->stop) {
		if (fifo->leading != 0) {
			follow(fifo);
			continue;
		}
		os_store_relaxed(&fifo->leading, 1u);
		fifo->wanted = false;
		runlist = lead(fifo);
		os_store_relaxed(&fifo->leading, 0u);
		if (!runlist)
			break;
		/* Taken before others are told of the next one. */
		runlist->busy = true;
		if (fifo->runners + 1 < fifo->runners_max && runlist_ready(fifo))
			want_leader(fifo);
		else if (fifo->thread_count == 1)
			start_thread(fifo);
		else if (fifo->waiting != 0)
			pthread_cond_signal(&fifo->follow);
		runlist_run(fifo, runlist);
	}
	pthread_mutex_unlock(&fifo->lock);
	return NULL;
}

static void start_thread(struct h100_fifo *fifo)
{
	if (pthread_create(&fifo->thread[fifo->thread_count], NULL, thread_main, fifo) == 0)
		fifo->thread_count++;
}

enum nv_status threads_init(struct h100_fifo *fifo)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	fifo->runners_max = min(max((u32)(cpus > 0 ? cpus : 1), 1u), FIFO_THREADS_MAX - 1);
	if (!fifo->config.threads)
		fifo->runners_max = 1;
	if (sem_init(&fifo->wake, 0, 0) != 0)
		return NV_ERR_NO_MEMORY;
	pthread_cond_init(&fifo->follow, NULL);
	return NV_OK;
}

enum nv_status threads_start(struct h100_fifo *fifo)
{
	if (!fifo->config.threads || fifo->stop || fifo->thread_count != 0)
		return NV_OK;
	start_thread(fifo);
	return fifo->thread_count != 0 ? NV_OK : NV_ERR_NO_MEMORY;
}

void threads_stop(struct h100_fifo *fifo)
{
	u32 i, count;

	pthread_mutex_lock(&fifo->lock);
	fifo->stop = true;
	for (i = 0; i < H100_ENGINES_MAX; i++)
		os_store_relaxed(&fifo->runlist[i].preempt, 1u);
	count = fifo->thread_count;
	pthread_cond_broadcast(&fifo->follow);
	pthread_mutex_unlock(&fifo->lock);
	threads_wake(fifo);
	for (i = 0; i < count; i++)
		pthread_join(fifo->thread[i], NULL);
	fifo->thread_count = 0;
}

void threads_fini(struct h100_fifo *fifo)
{
	pthread_cond_destroy(&fifo->follow);
	sem_destroy(&fifo->wake);
}
