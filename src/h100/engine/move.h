/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Moving data for an engine's method: by virtual or physical address, page by page, with faults as
 * that engine reports them. All return H100_METHOD_OK or fill the call and return why not.
 */
#ifndef H100_ENGINE_MOVE_H
#define H100_ENGINE_MOVE_H

#include "h100/engine/class.h"

/* One end of a transfer. A new one begins with its first four fields; the rest is what it knows. */
struct h100_end {
	bool physical;
	u32 aperture; /* of a physical one */
	bool write;
	bool video_only; /* what lies in other memory faults */
	/*
	 * In confidential mode what lies in other memory faults unless outside says that it may;
	 * with outside_only what lies in the GPU's own does.
	 */
	bool outside, outside_only;

	bool known; /* where the bytes from start on lie */
	u64 start;
	struct h100_translation t;
};

/* A run of bytes at one end. */
struct h100_span {
	u8 *at; /* NULL: by h100_memory_read and _write only, or nothing there */
	bool sparse;
	u32 aperture;
	u64 address;
	u64 bytes;
};

/* Who the engine is in faults. */
struct h100_mover {
	struct h100_engine_call *call;
	u8 client;
	u16 engine_id;
	u64 done; /* bytes of the copy or fill under way, or of one that was stopped */
	u64 read_bytes, written_bytes; /* system memory's, not accounted yet */
	bool passing;		       /* a long copy: what it finds will not be looked for again */
};

void h100_mover_init(struct h100_mover *m, struct h100_engine_call *call, u8 client, u16 engine_id);
/* What lies at the address; the span holds until the next yield. */
enum h100_method_result h100_move_find(struct h100_mover *m, struct h100_end *end, u64 address,
				       struct h100_span *span);
/* Between runs, after about so many bytes: may let others have their turn, after which both ends
 * know nothing. H100_METHOD_STOPPED: the channel is not to go on. */
enum h100_method_result h100_move_spent(struct h100_mover *m, struct h100_end *a,
					struct h100_end *b, u64 bytes);
/* The same for what is not stopped in its middle: lets others have their turn now. */
void h100_move_rest(struct h100_mover *m, struct h100_end *a, struct h100_end *b);
enum h100_method_result h100_move_read(struct h100_mover *m, struct h100_end *from, u64 address,
				       void *data, u64 size);
enum h100_method_result h100_move_write(struct h100_mover *m, struct h100_end *to, u64 address,
					const void *data, u64 size);
/* Any length; where the two overlap within a page, as memmove. */
enum h100_method_result h100_move_copy(struct h100_mover *m, struct h100_end *to, u64 to_address,
				       struct h100_end *from, u64 from_address, u64 size);
/* size bytes of a pattern of period bytes (1 .. 64), over and over. */
enum h100_method_result h100_move_fill(struct h100_mover *m, struct h100_end *to, u64 address,
				       const u8 *pattern, u32 period, u64 size);

/* A semaphore release or a report. */
struct h100_report {
	u64 address; /* virtual */
	u64 payload;
	bool wide;	 /* the payload has 64 bits */
	bool four_words; /* 16 bytes: the payload and the time, which is written first */
	bool reduction;
	enum h100_memory_op op; /* with reduction: on the payload */
	bool outside;		/* in confidential mode it may lie outside of the GPU */
};

/* The address is aligned to what is written: the engine has looked. */
enum h100_method_result h100_move_report(struct h100_mover *m, const struct h100_report *report);

#endif
