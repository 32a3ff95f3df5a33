/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A whole GPU: its condition, its firmware, and the thread that may run it. Its function is in the
 * same process (local.c), or in the kernel (host/linux/gpu).
 */
#ifndef H100_GSP_GPU_H
#define H100_GSP_GPU_H

#include <pthread.h>
#include <semaphore.h>

#include "h100/engine/engines.h"
#include "h100/engine/host.h"
#include "h100/engine/keys.h"
#include "h100/gsp/firmware.h"

struct h100 {
	struct h100_host host;
	struct h100_chip *chip;
	struct h100_state state;
	u32 index;
	struct h100_fabric *fabric; /* NULL: no way to other GPUs */
	enum h100_cc cc;
	struct spdm_measures measures; /* where cc is not off */
	char *issuer;		       /* PEM, a private key among it, until gpu_start; or NULL */
	u32 issuer_bytes;

	/* The engines, each with locks of its own */
	struct h100_engines engines;
	struct h100_keys keys;
	struct h100_memory memory;
	struct h100_mmu *mmu;
	struct h100_fifo *fifo;

	/*
	 * Whoever set RUNNER_BUSY runs the firmware: state, fw and what follows up to work are its
	 * own.
	 */
	struct fw fw;
	u64 now_ns;	 /* when it last read the clock */
	u64 coarse_ns;	 /* the cheaper clock then */
	u64 advanced_ns; /* up to when the model was moved */

	u32 work;	   /* atomic: H100_WORK_* bits that nobody took yet, and RUNNER_BUSY */
	u32 waiting;	   /* atomic: messages wait for space */
	u64 next_event_ns; /* atomic: when the scenario wants something, ~0: never */

	/* The own thread */
	bool threads, engine_threads, lending;
	pthread_t thread;
	sem_t wake;
	u32 stop;     /* atomic */
	u32 asleep;   /* atomic: sleeps until wake is posted */
	u32 at_once;  /* atomic: a kick came */
	u32 activity; /* atomic: counts the runs of lent threads */
};

/* In h100.work: a thread runs the firmware, and looks for more work before it is done. */
#define RUNNER_BUSY 0x80000000u
#define RUNNER_ENGINES_NS 2000000u /* of engines without threads, before the firmware's turn */

/*
 * gpu.c. gpu_init parses profile and scenario; then gpu_start powers the firmware on, with the
 * function that gpu_identify describes and its video memory, both of the caller. Statuses as
 * h100_create's; nothing is left on failure. gpu_stop, then gpu_fini.
 */
enum nv_status gpu_init(struct h100 *gpu, const struct h100_host *host,
			const struct h100_config *config);
void gpu_fini(struct h100 *gpu);
void gpu_identify(const struct h100 *gpu, struct h100_function_identity *identity);
enum nv_status gpu_start(struct h100 *gpu, struct h100_chip *chip, u8 *video, u32 chaos);
void gpu_stop(struct h100 *gpu);
/* Hands on what was rung by register, invalidates as the register says: for work bits. */
void gpu_doorbells(struct h100 *gpu);
void gpu_invalidate(struct h100 *gpu);
void gpu_log(struct h100 *gpu, int level, const char *text);

/* runner.c */
enum nv_status runner_start(struct h100 *gpu);
void runner_stop(struct h100 *gpu);
/* From register accesses: notes the work, and wakes the thread if it must be. */
void runner_work(struct h100 *gpu, u32 work);
/* Runs the firmware as long as there is work; false when there was none or another thread is at it.
 */
bool runner_run(struct h100 *gpu, bool lent);
/* For how long there is nothing to do for certain unless work comes; ~0: for ever. */
u64 runner_quiet_ns(struct h100 *gpu);
/* Waits until nobody runs the firmware, and keeps others from it; not for what is done often. */
void runner_lock(struct h100 *gpu);
/* Work that came meanwhile is the own thread's, which this wakes, or the next lender's. */
void runner_unlock(struct h100 *gpu);
/* Does what the scenario or the test wants; runner locked. */
void runner_event(struct h100 *gpu, const struct h100_event *event);
/* When the scenario's next event is due; runner locked. */
void runner_schedule(struct h100 *gpu);

#endif
