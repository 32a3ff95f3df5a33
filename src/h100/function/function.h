/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What of the software GPU answers at once: config space, BARs, registers, the interrupt tree and
 * the mailboxes. Nothing here sleeps, allocates after init, or waits for a firmware: an access
 * latches state, reports work to be done elsewhere, and returns.
 *
 * Registers are one array of 32-bit words, accessed by relaxed atomic operations; what changes
 * several together (config space, interrupts, EMEM) has a spinlock beside it. Callbacks are made
 * without locks.
 */
#ifndef H100_FUNCTION_FUNCTION_H
#define H100_FUNCTION_FUNCTION_H

#include "abi/status.h"
#include "base/types.h"
#include "h100/function/chip.h"
#include "os/os.h"

struct h100_function;

struct h100_function_ops {
	/* Any context; latches and wakes. */
	void (*work)(void *ctx, u32 work);
	void (*msix)(void *ctx, u64 address, u32 data);
	/* INTA# became asserted: h100_function_intx says for how long. NULL: it leads nowhere. */
	void (*intx)(void *ctx);
	u64 (*now_ns)(void *ctx);
	void (*log)(void *ctx, int level, const char *text);
	/*
	 * Accesses to video memory, in bounds and aligned, where it is not contiguous:
	 * h100_video_load and h100_video_store do them once the byte is found. Not called when
	 * video is not NULL.
	 */
	u64 (*video_read)(void *ctx, u64 address, u32 width);
	void (*video_write)(void *ctx, u64 address, u32 width, u64 value);
};

#define H100_CFG_BYTES 4096u
#define H100_BAR0_BYTES (16u << 20)
#define H100_INTR_LEAVES 16u
#define H100_INTR_SUBTREES 8u
#define H100_MSIX_ENTRIES 9u
#define H100_STORE_WORDS 512u /* of all registers */
#define H100_REGISTER_ROWS 80u
#define H100_TOKEN_RUNLISTS 64u
#define H100_TOKEN_CHANNELS 2048u /* of a runlist */
#define H100_TOKEN_WORDS (H100_TOKEN_RUNLISTS * H100_TOKEN_CHANNELS / 32)

struct h100_msix_entry {
	u32 word[4]; /* address low, high, data, vector control */
};

/* Messages to be sent once the lock is given back. */
struct h100_messages {
	bool intx; /* INTA# became asserted */
	u32 count;
	struct {
		u64 address;
		u32 data;
	} message[H100_MSIX_ENTRIES];
};

struct h100_function {
	const struct h100_function_ops *ops;
	void *ctx;
	struct h100_function_identity identity;
	u8 *video; /* video memory, identity.video_bytes; NULL: by ops */

	u32 off_bus; /* atomic */
	u32 command; /* atomic: memory and bus-master enable as in config space */
	u32 intx;    /* atomic: a condition of the tree is true and no message says so */

	struct os_spinlock cfg_lock; /* cfg */
	u8 cfg[H100_CFG_BYTES];
	u8 cfg_writable[H100_CFG_BYTES];  /* bits that software may change */
	u8 cfg_clearable[H100_CFG_BYTES]; /* bits that writing 1 clears */

	u32 store[H100_STORE_WORDS];   /* atomic words */
	u16 slots[H100_REGISTER_ROWS]; /* where each row's words begin; never change */
	u32 gsp_run;		       /* atomic: enum h100_gsp_run */

	struct os_spinlock emem_lock; /* emem */
	u32 emem[H100_EMEM_WORDS];

	struct os_spinlock intr_lock; /* all of intr */
	struct {
		u32 leaf[H100_INTR_LEAVES];
		u32 enabled[H100_INTR_LEAVES];
		u32 top_enabled;
		u32 signalled; /* subtrees whose condition was true when last looked at */
		u32 pending;   /* MSI-X pending bits */
		struct h100_msix_entry msix[H100_MSIX_ENTRIES];
		bool msix_on, msix_masked, msi_on;
		u64 msi_address;
		u32 msi_data;
	} intr;

	/* Rung channels, a bit for each; and in which words there are any. Atomic. */
	u32 *rung;
	u32 rung_words[H100_TOKEN_WORDS / 32];

	u32 *logged; /* a bit for each word of BAR 0: a bad access to it was logged */
};

/* NV_ERR_INVALID_ARGUMENT (a BAR is no power of 2), NV_ERR_NO_MEMORY. */
enum nv_status h100_function_init(struct h100_function *fn, const struct h100_function_ops *ops,
				  void *ctx, const struct h100_function_identity *identity,
				  u8 *video);
void h100_function_destroy(struct h100_function *fn);
/* The state after power-on; also what a function-level reset leaves. */
void h100_function_reset(struct h100_function *fn);

static inline bool h100_function_present(struct h100_function *fn)
{
	return os_load_relaxed(&fn->off_bus) == 0;
}
/* May the function reach system memory? */
bool h100_function_bus_master(struct h100_function *fn);
/* Is INTA# asserted? */
bool h100_function_intx(struct h100_function *fn);

/* Video memory is shared with engines and clients, so each access is one load or store. */
static inline u64 h100_video_load(const void *at, u32 width)
{
	switch (width) {
	case 1:
		return os_load_relaxed((const u8 *)at);
	case 2:
		return os_load_relaxed((const u16 *)at);
	case 4:
		return os_load_acquire((const u32 *)at);
	default:
		return os_load_acquire((const u64 *)at);
	}
}

static inline void h100_video_store(void *at, u32 width, u64 value)
{
	switch (width) {
	case 1:
		os_store_relaxed((u8 *)at, (u8)value);
		break;
	case 2:
		os_store_relaxed((u16 *)at, (u16)value);
		break;
	case 4:
		os_store_release((u32 *)at, (u32)value);
		break;
	default:
		os_store_release((u64 *)at, value);
		break;
	}
}

/* -- Accesses of the host: config.c, bar.c -- */

u32 h100_function_cfg_read(struct h100_function *fn, u32 offset, u32 width);
void h100_function_cfg_write(struct h100_function *fn, u32 offset, u32 width, u32 value);
u64 h100_function_bar_size(struct h100_function *fn, u32 bar);
u64 h100_function_bar_read(struct h100_function *fn, u32 bar, u64 offset, u32 width);
void h100_function_bar_write(struct h100_function *fn, u32 bar, u64 offset, u32 width, u64 value);

/*
 * -- What runs on the function: registers.c, intr.c, fsp.c, falcon.c --
 *
 * As in chip.h, without the h100_chip_.
 */

/* Is there a register that holds a value at an offset in BAR 0? The other two need it. */
bool h100_register_exists(u32 offset);
u32 h100_register_get(struct h100_function *fn, u32 offset);
void h100_register_set(struct h100_function *fn, u32 offset, u32 value);
void h100_intr_raise(struct h100_function *fn, u32 vector);
u32 h100_doorbells(struct h100_function *fn, u32 *tokens, u32 max);
u32 h100_fsp_receive(struct h100_function *fn, void *data, u32 size);
void h100_fsp_send(struct h100_function *fn, const void *data, u32 size);
void h100_fsp_set_ready(struct h100_function *fn, bool ready);
void h100_gsp_set_run(struct h100_function *fn, enum h100_gsp_run run);
void h100_gsp_interrupt(struct h100_function *fn, u32 bits);
void h100_wpr2_set(struct h100_function *fn, u64 start, u64 end);

/* -- Inside of the folder -- */

void h100_config_reset(struct h100_function *fn);
/* Once, before the first reset: no access is under way. */
void h100_registers_init(struct h100_function *fn);
void h100_registers_reset(struct h100_function *fn);
u32 h100_register_read(struct h100_function *fn, u32 offset);
void h100_register_write(struct h100_function *fn, u32 offset, u32 value);

void h100_intr_reset(struct h100_function *fn);
u32 h100_intr_leaf(struct h100_function *fn, u32 leaf);
u32 h100_intr_leaf_enabled(struct h100_function *fn, u32 leaf);
u32 h100_intr_top(struct h100_function *fn);
u32 h100_intr_top_enabled(struct h100_function *fn);
void h100_intr_leaf_clear(struct h100_function *fn, u32 leaf, u32 bits);
void h100_intr_leaf_enable(struct h100_function *fn, u32 leaf, u32 set, u32 clear);
void h100_intr_top_enable(struct h100_function *fn, u32 set, u32 clear);
u32 h100_msix_table_read(struct h100_function *fn, u32 word);
void h100_msix_table_write(struct h100_function *fn, u32 word, u32 value);
u32 h100_msix_pending(struct h100_function *fn);
/* Config space changed: what the capabilities say now. */
void h100_intr_configure(struct h100_function *fn, bool msix_on, bool msix_masked, bool msi_on,
			 u64 msi_address, u32 msi_data);

u64 h100_time_ns(struct h100_function *fn);
void h100_function_log(struct h100_function *fn, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
