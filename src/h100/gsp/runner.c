// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Who runs the firmware: a thread that the driver lends, or the GPU's own (h100.h says when which).
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/bits.h"
#include "h100/gsp/gpu.h"

#define TICK_NS 2000000ull     /* how often the own thread looks while drivers lend theirs */
#define IDLE_TICKS 25u	       /* without a doorbell, before it sleeps */
#define RETRY_NS 1000000ull    /* messages wait for space in the status queue */
#define ADVANCE_NS 1000000ull  /* the model is moved at most so often */
#define LOCK_RETRY_NS 20000ull /* how often who cannot just leave looks again */
#define CHAOS_DELAY_NS 200000u
#define FOREVER (~(u64)0)

static u64 now_ns(struct h100 *gpu)
{
	return gpu->host.now_ns(gpu->host.ctx);
}

void runner_schedule(struct h100 *gpu)
{
	u64 when = h100_scenario_when(&gpu->state.scenario, gpu->index);
	u64 start = gpu->state.start_ns;

	os_store_relaxed(&gpu->next_event_ns, when < FOREVER - start ? start + when : FOREVER);
}

void runner_event(struct h100 *gpu, const struct h100_event *event)
{
	switch (event->kind) {
	case H100_EVENT_OFF_BUS:
		h100_state_set_present(&gpu->state, false);
		h100_chip_set_present(gpu->chip, false);
		break;
	case H100_EVENT_ON_BUS:
		h100_chip_set_present(gpu->chip, true);
		h100_state_set_present(&gpu->state, true);
		break;
	case H100_EVENT_GSP_CRASH:
		fw_crash(&gpu->fw);
		break;
	case H100_EVENT_GSP_HANG:
		gpu->fw.hung = true;
		break;
	case H100_EVENT_GSP_WAKE:
		gpu->fw.hung = false;
		runner_work(gpu, H100_WORK_GSP | H100_WORK_ERRORS);
		break;
	default:
		h100_state_event(&gpu->state, event);
		if (event->kind == H100_EVENT_ECC_SBE || event->kind == H100_EVENT_ECC_DBE)
			fw_ecc_error(&gpu->fw, event->kind == H100_EVENT_ECC_DBE);
		break;
	}
}

/* Moves the model to the present; what it cannot do itself is done here. */
static void advance(struct h100 *gpu, u64 now)
{
	const struct h100_event *event;

	if (now - gpu->advanced_ns < ADVANCE_NS && now < os_load_relaxed(&gpu->next_event_ns))
		return;
	gpu->advanced_ns = now;
	do {
		event = h100_state_update(&gpu->state, now);
		runner_schedule(gpu);
		if (event)
			runner_event(gpu, event);
	} while (event);
}

static bool event_due(struct h100 *gpu)
{
	u64 when = os_load_relaxed(&gpu->next_event_ns);

	return when != FOREVER && now_ns(gpu) >= when;
}

static bool has_work(struct h100 *gpu)
{
	return (os_load_acquire(&gpu->work) & ~RUNNER_BUSY) != 0 ||
	       os_load_relaxed(&gpu->waiting) != 0 || event_due(gpu);
}

static void post(struct h100 *gpu)
{
	sem_post(&gpu->wake);
}

static void sleep_ns(u64 ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000),
			       .tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&ts, NULL);
}

/* Chaos: late, or (on a lent thread) not this time. True: leave it. */
static bool disturb(struct h100 *gpu, bool lent)
{
	if (gpu->fw.rng == 0)
		return false;
	if (lent)
		return fw_random(&gpu->fw, 4) == 0;
	sleep_ns(fw_random(&gpu->fw, CHAOS_DELAY_NS));
	return false;
}

/* Takes the work, which may be none, and the right to do it; false when another thread has that. */
static bool take(struct h100 *gpu, u32 *work)
{
	do {
		*work = os_load_relaxed(&gpu->work);
		if ((*work & RUNNER_BUSY) != 0)
			return false;
	} while (!os_cmpxchg32(&gpu->work, *work, RUNNER_BUSY));
	return true;
}

/* Gives the right back; false, and more work with it, when some came meanwhile. */
static bool finish(struct h100 *gpu, u32 *work)
{
	if (os_cmpxchg32(&gpu->work, RUNNER_BUSY, 0))
		return true;
	*work = os_exchange(&gpu->work, RUNNER_BUSY) & ~RUNNER_BUSY;
	return false;
}

static void leave(struct h100 *gpu, u32 work)
{
	os_fetch_or(&gpu->work, work);
	os_fetch_and(&gpu->work, ~RUNNER_BUSY);
}

/* After giving the right back, or trying to: that orders memory, as the host wants it. */
static void kick(struct h100 *gpu)
{
	if (gpu->host.kick)
		gpu->host.kick(gpu->host.ctx);
}

/* The time, as exact as the model needs it: the clock proper is read when the cheaper one moved. */
static u64 run_time(struct h100 *gpu)
{
	u64 coarse;

	if (gpu->host.coarse_ns) {
		coarse = gpu->host.coarse_ns(gpu->host.ctx);
		if (coarse == gpu->coarse_ns && os_load_relaxed(&gpu->next_event_ns) == FOREVER)
			return gpu->now_ns;
		gpu->coarse_ns = coarse;
	}
	gpu->now_ns = now_ns(gpu);
	return gpu->now_ns;
}

bool runner_run(struct h100 *gpu, bool lent)
{
	bool did = false, done;
	u32 work;
	u64 now;

	if (!has_work(gpu) || !take(gpu, &work))
		return false;
	if (lent)
		os_store_relaxed(&gpu->activity, os_load_relaxed(&gpu->activity) + 1);
	do {
		if (disturb(gpu, lent)) {
			leave(gpu, work);
			/* The own thread was not told of what came while this one was at it. */
			if (gpu->threads && !gpu->lending)
				post(gpu);
			return did;
		}
		if ((work & H100_WORK_INVALIDATE) != 0)
			gpu_invalidate(gpu);
		now = run_time(gpu);
		advance(gpu, now);
		did = fw_run(&gpu->fw, work, now, lent) || work != 0 || did;
		os_store_relaxed(&gpu->waiting, fw_waiting(&gpu->fw));
		done = finish(gpu, &work);
		kick(gpu);
	} while (!done);
	return did;
}

void runner_lock(struct h100 *gpu)
{
	u32 work;

	while (!take(gpu, &work))
		sleep_ns(LOCK_RETRY_NS);
	if (work != 0)
		os_fetch_or(&gpu->work, work);
}

void runner_unlock(struct h100 *gpu)
{
	leave(gpu, 0);
	kick(gpu);
	if (gpu->threads)
		post(gpu);
}

void runner_work(struct h100 *gpu, u32 work)
{
	u32 before;

	/* Not the firmware's: it need not be there. */
	if ((work & H100_WORK_DOORBELL) != 0)
		gpu_doorbells(gpu);
	work &= ~(u32)H100_WORK_DOORBELL;
	if (work == 0)
		return;
	before = os_fetch_or(&gpu->work, work);
	if (!gpu->threads)
		return;
	if (!gpu->lending) {
		/* One post is enough until the work is taken. */
		if (before == 0)
			post(gpu);
		return;
	}
	if (os_load_acquire(&gpu->asleep) != 0 && os_exchange(&gpu->asleep, 0) != 0)
		post(gpu);
}

/* -- The own thread ---------------------------------------------------------------------------- */

/* Sleeps until posted, or for ns (FOREVER: only that). */
static void wait(struct h100 *gpu, u64 ns)
{
	struct timespec ts;
	int rc;

	if (ns == FOREVER) {
		do {
			rc = sem_wait(&gpu->wake);
		} while (rc != 0 && errno == EINTR);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns += (u64)ts.tv_nsec;
	ts.tv_sec += (time_t)(ns / 1000000000);
	ts.tv_nsec = (long)(ns % 1000000000);
	do {
		rc = sem_clockwait(&gpu->wake, CLOCK_MONOTONIC, &ts);
	} while (rc != 0 && errno == EINTR);
}

u64 runner_quiet_ns(struct h100 *gpu)
{
	u64 when = os_load_relaxed(&gpu->next_event_ns), now, quiet = FOREVER;

	if (when != FOREVER) {
		now = now_ns(gpu);
		quiet = when > now ? when - now : 1;
	}
	if (!gpu->engine_threads)
		quiet = min(quiet, h100_fifo_quiet_ns(gpu->fifo));
	if (os_load_relaxed(&gpu->waiting) != 0)
		quiet = min(quiet, (u64)RETRY_NS);
	return quiet;
}

static bool stopping(struct h100 *gpu)
{
	return os_load_acquire(&gpu->stop) != 0;
}

static void work_for_all(struct h100 *gpu)
{
	while (!stopping(gpu)) {
		runner_run(gpu, false);
		wait(gpu, runner_quiet_ns(gpu));
	}
}

/* Looks at intervals and takes what no lender has taken for one of them. */
static void work_behind_lenders(struct h100 *gpu)
{
	u32 seen = 0, idle = 0;
	bool left = false;

	while (!stopping(gpu)) {
		u32 activity = os_load_acquire(&gpu->activity);
		bool work = (os_load_acquire(&gpu->work) & ~RUNNER_BUSY) != 0;

		if (os_exchange(&gpu->at_once, 0) != 0 || (work && left && activity == seen) ||
		    event_due(gpu) || os_load_relaxed(&gpu->waiting) != 0) {
			runner_run(gpu, false);
			work = false;
		}
		idle = activity == seen && !work ? idle + 1 : 0;
		left = work;
		seen = activity;
		if (idle < IDLE_TICKS) {
			wait(gpu, min(runner_quiet_ns(gpu), (u64)TICK_NS));
			continue;
		}
		os_exchange(&gpu->asleep, 1);
		if ((os_load_acquire(&gpu->work) & ~RUNNER_BUSY) == 0 && !stopping(gpu))
			wait(gpu, runner_quiet_ns(gpu));
		os_exchange(&gpu->asleep, 0);
		idle = 0;
	}
}

static void *thread_main(void *arg)
{
	struct h100 *gpu = arg;

	pthread_setname_np(pthread_self(), "h100-gsp");
	if (gpu->lending)
		work_behind_lenders(gpu);
	else
		work_for_all(gpu);
	return NULL;
}

enum nv_status runner_start(struct h100 *gpu)
{
	if (!gpu->threads)
		return NV_OK;
	if (sem_init(&gpu->wake, 0, 0) != 0)
		return NV_ERR_NO_MEMORY;
	if (pthread_create(&gpu->thread, NULL, thread_main, gpu) != 0) {
		sem_destroy(&gpu->wake);
		gpu->threads = false;
		return NV_ERR_NO_MEMORY;
	}
	return NV_OK;
}

void runner_stop(struct h100 *gpu)
{
	if (!gpu->threads)
		return;
	os_store_release(&gpu->stop, 1);
	post(gpu);
	pthread_join(gpu->thread, NULL);
	sem_destroy(&gpu->wake);
	gpu->threads = false;
}

void h100_kick(struct h100 *gpu)
{
	if (!gpu->threads || (os_load_acquire(&gpu->work) & ~RUNNER_BUSY) == 0)
		return;
	os_exchange(&gpu->at_once, 1);
	os_exchange(&gpu->asleep, 0);
	post(gpu);
}

bool h100_lend(struct h100 *gpu)
{
	bool did = runner_run(gpu, true);

	/* Engines without threads work here too. */
	if (!gpu->engine_threads && h100_fifo_run_for(gpu->fifo, RUNNER_ENGINES_NS))
		did = true;
	return did;
}
