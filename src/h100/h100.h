/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The software H100 as its host sees it: a PCI function. Config space, BAR accesses, DMA by bus
 * address and MSI-X are all that passes between it and a driver.
 *
 *            config / BAR reads and writes
 *   driver ---------------------------------> h100 function (answers at once)
 *          <--- MSI-X --- interrupt tree          | mailboxes, doorbells
 *                                            firmware and engines (own threads, or lent ones)
 *   system memory <------------ DMA --------------/
 */
#ifndef H100_H100_H
#define H100_H100_H

#include "abi/status.h"
#include "base/types.h"

struct h100;
struct h100_doorbell;
struct h100_fabric;

/* What a GPU asks of the machine it sits in. Callbacks may come from any of its threads. */
struct h100_host {
	void *ctx;
	/* Bus-master accesses; false when any byte is not mapped for this device. */
	bool (*dma_read)(void *ctx, u64 address, void *data, size_t size);
	bool (*dma_write)(void *ctx, u64 address, const void *data, size_t size);
	/*
	 * Around many accesses: in between no mapping of this device changes, so that each access
	 * is cheaper; those who change one wait. The number is another one whenever a page that
	 * dma_map_page gave before may be gone. All three may be NULL.
	 */
	u32 (*dma_begin)(void *ctx);
	void (*dma_end)(void *ctx);
	/* The page at a page-aligned bus address as memory that both sides see, or NULL. It may be
	 * used between dma_begin and dma_end, also later ones that return the same number. */
	void *(*dma_map_page)(void *ctx, u64 address);
	/*
	 * The same for engines: by any number of threads at once, and by one that dma_begin let in.
	 * dma_enter returns what dma_leave takes. With it, dma_map_page may be called and its pages
	 * used in between. Both may be NULL.
	 */
	void *(*dma_enter)(void *ctx);
	void (*dma_leave)(void *ctx, void *token);
	/* A message-signalled interrupt; enables and masks have been looked at. */
	void (*msix)(void *ctx, u64 address, u32 data);
	u64 (*now_ns)(void *ctx); /* monotonic; drives PTIMER */
	/*
	 * Moves on with now_ns every few milliseconds at least, and is cheaper to read: tells when
	 * another look at now_ns is worth it. May be NULL.
	 */
	u64 (*coarse_ns)(void *ctx);
	void (*log)(void *ctx, int level, const char *text);
	/*
	 * Something happened that a driver may be waiting for (a reply, a register), and after it
	 * an atomic operation that orders memory. May be NULL. With it, a reply that was made on a
	 * lent thread raises no interrupt: that thread looks for it.
	 */
	void (*kick)(void *ctx);
	/*
	 * True while a thread of the driver waits for this GPU and looks at its memory again and
	 * again, at every kick at the latest: a reply made meanwhile raises no interrupt either.
	 * May be NULL.
	 */
	bool (*waiting)(void *ctx);
	/*
	 * An engine has an error for the firmware, which has no thread of its own (config.threads):
	 * h100_lend or the like is due. Any thread, with locks held. May be NULL.
	 */
	void (*errors)(void *ctx);
	/*
	 * From now on the next store to this page, by any process, has h100_doorbell_rang called;
	 * a store meanwhile may do so as well. False: it cannot, or not yet, and the page is looked
	 * at from time to time as long as its client has channels that are scheduled; where it
	 * takes more than a moment the host returns and calls h100_doorbell_armed. All doorbells of
	 * the GPU wait meanwhile. May be NULL. Not called any more once h100_doorbell_destroy has
	 * returned.
	 */
	bool (*doorbell_arm)(void *ctx, struct h100_doorbell *doorbell);
	/*
	 * A descriptor is to be made for what owner (of h100_video_export) maps; false: it has
	 * enough. One of its descriptors was closed. They call no GPU. Both may be NULL.
	 */
	bool (*video_take)(void *ctx, u32 owner);
	void (*video_give)(void *ctx, u32 owner);
};

/* Confidential mode, as its hardware says it. */
enum h100_cc {
	H100_CC_OFF,
	H100_CC_ON,
	H100_CC_DEVTOOLS, /* on, and debuggers may look */
};

struct h100_config {
	const char *profile; /* text of the profile file */
	size_t profile_size;
	const char *scenario; /* text of the scenario file, or NULL */
	size_t scenario_size;
	u32 index; /* which GPU of the machine: serial number, UUID and links follow from it */
	u32 count; /* GPUs in the machine: NVLink topology */
	struct h100_fabric *fabric; /* where its links end; NULL: no peer's memory is reached */
	bool threads;		    /* an own thread; false: works only when h100_lend is called */
	bool engine_threads;	    /* engines have own ones all the same */
	bool lending;		    /* drivers lend their threads: see h100_lend */
	u32 chaos;		    /* tests: 0, or a seed for random delays and reordering */
	enum h100_cc cc;
	const char *issuer; /* PEM: who certifies the GPU (docs/confidential-computing.md); NULL:
			       the project's test issuer. Looked at where cc is not H100_CC_OFF */
	size_t issuer_size;
};

/*
 * What the links of a machine's GPUs meet in: GPUs that were made with it reach each other's video
 * memory. Outlives them. NV_ERR_NO_MEMORY.
 */
enum nv_status h100_fabric_create(struct h100_fabric **out);
void h100_fabric_destroy(struct h100_fabric *fabric);

/* NV_ERR_INVALID_ARGUMENT: the profile, scenario or issuer is malformed (message by host->log). */
enum nv_status h100_create(const struct h100_host *host, const struct h100_config *config,
			   struct h100 **out);
/* Stops its threads; no callback comes after. */
void h100_destroy(struct h100 *gpu);

/* Config space, 4 KiB; width 1, 2 or 4, naturally aligned. Off the bus: all ones. */
u32 h100_cfg_read(struct h100 *gpu, u32 offset, u32 width);
void h100_cfg_write(struct h100 *gpu, u32 offset, u32 width, u32 value);

/* BAR index as in PCI (0 registers, 2 video memory, 4 control); width 1, 2, 4 or 8. Never sleeps.
 */
u64 h100_bar_size(struct h100 *gpu, u32 bar);
u64 h100_bar_read(struct h100 *gpu, u32 bar, u64 offset, u32 width);
void h100_bar_write(struct h100 *gpu, u32 bar, u64 offset, u32 width, u64 value);

/*
 * Lends the calling thread: does what the firmware has queued, on this thread, and returns whether
 * there was anything; false too when another thread is at it. The caller may hold driver locks; no
 * callback re-enters the driver but msix.
 *
 * Who does the work of a doorbell, given an own thread (config.threads):
 *
 *   config.lending false   the doorbell wakes the own thread.
 *   config.lending true    whoever waits for the reply is expected to lend, so the doorbell wakes
 * nobody while calls are frequent. The own thread then looks every 2 ms and takes what has been
 * left for a whole period (messages nobody waits for); after 50 ms without work it sleeps until the
 * next doorbell. h100_kick has it work at once: hosts call it when a waiter goes to sleep without
 * lending.
 */
bool h100_lend(struct h100 *gpu);
void h100_kick(struct h100 *gpu);

/* The firmware container that a driver boots it with: docs/boot.md says what is in it. */
const void *h100_firmware_image(size_t *size);

/*
 * Video memory for clients to map. The memory behind a page-aligned range gets a memfd of its own
 * (once: contents are kept, engines wait meanwhile), which whoever has it can reach nothing else
 * by. *fd stays the GPU's: pass it on or duplicate it. *fd_size says how much of the range it backs
 * from the range's start on, *fd_offset where in it; less than size where the range is parts of
 * earlier ones: call again for the rest. The range must not be written through a BAR at the same
 * time. The memfd is on owner's account (video_take). NV_ERR_INVALID_ARGUMENT: not page aligned,
 * empty or past the end; NV_ERR_INSUFFICIENT_RESOURCES: owner has enough; NV_ERR_NO_MEMORY: no
 * descriptor, mapping or memory; NV_ERR_NOT_SUPPORTED: confidential mode, where nobody maps any.
 */
enum nv_status h100_video_export(struct h100 *gpu, u32 owner, u64 offset, u64 size, int *fd,
				 u64 *fd_offset, u64 *fd_size);
/*
 * The range (as above; otherwise, and in confidential mode, nothing happens) reads as zero from now
 * on and costs nothing until it is touched again. Those who mapped what was exported of it keep
 * memory that is nobody's; an export's descriptor is closed once all of it is gone.
 */
void h100_video_discard(struct h100 *gpu, u64 offset, u64 size);

/*
 * Doorbells of clients: a page of 64 KiB as a memfd, whose word at NVC361_NOTIFY_CHANNEL_PENDING
 * says that some channel of the client has work. It takes the place of the register of that name
 * for whoever maps it. client: its RM client handle, 0: the driver's own channels.
 *
 * A page that is busy is looked at again and again. One that is quiet is armed (see doorbell_arm):
 * the host has h100_doorbell_rang called at the next store, before or after it is in the page.
 * The descriptor is the GPU's. NV_ERR_NO_MEMORY, NV_ERR_INSUFFICIENT_RESOURCES.
 */
#define H100_DOORBELL_BYTES 65536u
enum nv_status h100_doorbell_create(struct h100 *gpu, u32 client, int *fd,
				    struct h100_doorbell **out);
/* Nobody rings it any more: mappings may be left, and do nothing. */
void h100_doorbell_destroy(struct h100 *gpu, struct h100_doorbell *doorbell);
/*
 * What the last call of doorbell_arm for it was for is done: from now on stores are told. Any
 * thread; not from within doorbell_arm.
 */
void h100_doorbell_armed(struct h100 *gpu, struct h100_doorbell *doorbell);
/* Any thread; waits for no engine. Not from within doorbell_arm. */
void h100_doorbell_rang(struct h100 *gpu, struct h100_doorbell *doorbell);
/* A pointer of the host's. */
void h100_doorbell_set_ctx(struct h100_doorbell *doorbell, void *ctx);
void *h100_doorbell_get_ctx(const struct h100_doorbell *doorbell);

/*
 * Faults on purpose: "off-bus", "on-bus" (as it was before), "gsp-crash", "gsp-hang", "gsp-wake",
 * "ecc-sbe N", "ecc-dbe N", or any line of a scenario file; one with "at" happens at that time
 * after the GPU was made. NV_ERR_INVALID_ARGUMENT for anything else, NV_ERR_NO_MEMORY.
 */
enum nv_status h100_inject(struct h100 *gpu, const char *command);

#endif
