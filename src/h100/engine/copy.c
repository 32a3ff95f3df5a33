// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The copy engine (HOPPER_DMA_COPY_A). Methods set registers; LAUNCH_DMA looks at all of them,
 * moves the data, then releases the semaphore, then interrupts:
 *
 *   source lines --> components put in order, constants --> destination lines    (REMAP_ENABLE)
 *   source lines -----------------------------------------> destination lines
 *   nothing      --> zeroes ------------------------------> destination lines    (MEMORY_SCRUB)
 *
 * Lines lie a pitch apart or in block-linear surfaces. Secure copies are in copy_secure.c; what is
 * not done is in docs/limits.md.
 */
#include "h100/engine/copy.h"

#include <string.h>

#include "base/bits.h"
#include "h100/engine/classes.h"
#include "h100/engine/surface.h"
#include "os/os.h"

#define COMPONENT_COST 256u /* as many bytes moved at once */
#define REMAP_BYTES 4096u   /* of elements on either side that are put together at a time */

/* Methods, from and to. */
static const struct {
	u16 first, last;
} known_methods[] = {
	{ NVC8B5_NOP, NVC8B5_NOP },
	{ NVC8B5_PM_TRIGGER, NVC8B5_PM_TRIGGER },
	{ NVC8B5_SET_MONITORED_FENCE_TYPE, NVC8B5_SET_MONITORED_FENCE_SIGNAL_ADDR_BASE_LOWER },
	{ NVC8B5_SET_SEMAPHORE_A, NVC8B5_SET_SEMAPHORE_PAYLOAD_UPPER },
	{ NVC8B5_SET_RENDER_ENABLE_A, NVC8B5_SET_DST_PHYS_MODE },
	{ NVC8B5_LAUNCH_DMA, NVC8B5_LAUNCH_DMA },
	{ NVC8B5_OFFSET_IN_UPPER, NVC8B5_LINE_COUNT },
	{ NVC8B5_SET_SECURE_COPY_MODE, NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_LOWER },
	{ NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_UPPER, NVC8B5_SET_ENCRYPT_IV_ADDR_LOWER },
	{ NVC8B5_SET_MEMORY_SCRUB_PARAMETERS, NVC8B5_SET_DST_ORIGIN },
	{ NVC8B5_SET_SRC_BLOCK_SIZE, NVC8B5_SET_SRC_ORIGIN },
	{ NVC8B5_SRC_ORIGIN_X, NVC8B5_DST_ORIGIN_Y },
	{ NVC8B5_PM_TRIGGER_END, NVC8B5_PM_TRIGGER_END },
};

#define REGISTERS ((NVC8B5_DST_ORIGIN_Y + 4) / 4)

/* How far a launch has come: lines, and bytes of the next (elements where they are remapped). */
struct progress {
	u32 line;
	u64 at;
};

struct copy {
	u32 registers[REGISTERS];
	bool render_chosen;	 /* SET_RENDER_ENABLE_C was written: always on before */
	struct progress stopped; /* of the launch that was */
};

static u32 get(const struct copy *copy, u32 method)
{
	return copy->registers[method / 4];
}

static u64 get_address(const struct copy *copy, u32 upper, u32 lower)
{
	return REG_GET(NVC8B5_OFFSET_IN_UPPER_UPPER, get(copy, upper)) << 32 | get(copy, lower);
}

/* -- Errors ------------------------------------------------------------------------------------ */

enum h100_method_result copy_refuse(struct h100_engine_call *call, u32 why)
{
	static const u32 errors[] = {
		ROBUST_CHANNEL_CE0_ERROR, ROBUST_CHANNEL_CE1_ERROR, ROBUST_CHANNEL_CE2_ERROR,
		ROBUST_CHANNEL_CE3_ERROR, ROBUST_CHANNEL_CE4_ERROR, ROBUST_CHANNEL_CE5_ERROR,
		ROBUST_CHANNEL_CE6_ERROR, ROBUST_CHANNEL_CE7_ERROR, ROBUST_CHANNEL_CE8_ERROR,
		ROBUST_CHANNEL_CE9_ERROR,
	};

	call->error = errors[min(call->instance, (u32)ARRAY_SIZE(errors) - 1)];
	call->error_info = why;
	return H100_METHOD_ERROR;
}

/* -- What a launch is -------------------------------------------------------------------------- */

/* One side of the transfer. */
struct side {
	struct h100_end end;
	u64 base;
	bool pitch; /* else a surface */
	s64 stride;
	u32 element; /* bytes */
	struct h100_surface surface;
	u32 layer, x, y; /* where in the surface: x in elements */
};

/* How an element is made: for each component of it, where from. */
struct remap {
	u32 component; /* bytes */
	u32 sources, destinations;
	u8 from[4]; /* NVC8B5_SET_REMAP_COMPONENTS_DST_X_* */
	u8 constants[2][4];
	bool reads;    /* a component comes from the source */
	bool complete; /* every component is written */
};

struct launch {
	struct h100_mover mover;
	u32 flags;
	u64 elements; /* a line */
	u32 lines;
	struct side source, destination;
	struct remap remap;
	bool remapped, scrub, secure;
	struct copy_secure message; /* where it is secure */
	struct progress progress;
};

#define FLAG(launch, name) REG_GET(NVC8B5_LAUNCH_DMA_##name, (launch)->flags)
#define IS(launch, name, value) (FLAG(launch, name) == NVC8B5_LAUNCH_DMA_##name##_##value)

/* Methods of one side. */
struct side_methods {
	u32 upper, lower, pitch, phys_mode, block, width, height, depth, layer, x, y;
};

static const struct side_methods source_methods = {
	NVC8B5_OFFSET_IN_UPPER,	  NVC8B5_OFFSET_IN_LOWER,    NVC8B5_PITCH_IN,
	NVC8B5_SET_SRC_PHYS_MODE, NVC8B5_SET_SRC_BLOCK_SIZE, NVC8B5_SET_SRC_WIDTH,
	NVC8B5_SET_SRC_HEIGHT,	  NVC8B5_SET_SRC_DEPTH,	     NVC8B5_SET_SRC_LAYER,
	NVC8B5_SRC_ORIGIN_X,	  NVC8B5_SRC_ORIGIN_Y,
};
static const struct side_methods destination_methods = {
	NVC8B5_OFFSET_OUT_UPPER,  NVC8B5_OFFSET_OUT_LOWER,   NVC8B5_PITCH_OUT,
	NVC8B5_SET_DST_PHYS_MODE, NVC8B5_SET_DST_BLOCK_SIZE, NVC8B5_SET_DST_WIDTH,
	NVC8B5_SET_DST_HEIGHT,	  NVC8B5_SET_DST_DEPTH,	     NVC8B5_SET_DST_LAYER,
	NVC8B5_DST_ORIGIN_X,	  NVC8B5_DST_ORIGIN_Y,
};

static enum h100_method_result surface_prepare(struct h100_engine_call *call,
					       const struct copy *copy, struct launch *l,
					       struct side *s, const struct side_methods *m)
{
	u32 block = get(copy, m->block);

	if (REG_GET(NVC8B5_SET_SRC_BLOCK_SIZE_WIDTH, block) !=
		    NVC8B5_SET_SRC_BLOCK_SIZE_WIDTH_ONE_GOB ||
	    REG_GET(NVC8B5_SET_SRC_BLOCK_SIZE_HEIGHT, block) >
		    NVC8B5_SET_SRC_BLOCK_SIZE_HEIGHT_THIRTYTWO_GOBS ||
	    REG_GET(NVC8B5_SET_SRC_BLOCK_SIZE_DEPTH, block) >
		    NVC8B5_SET_SRC_BLOCK_SIZE_DEPTH_THIRTYTWO_GOBS ||
	    REG_GET(NVC8B5_SET_SRC_BLOCK_SIZE_GOB_HEIGHT, block) !=
		    NVC8B5_SET_SRC_BLOCK_SIZE_GOB_HEIGHT_GOB_HEIGHT_FERMI_8)
		return COPY_REFUSE(call, INVALID_VALUE);
	if (!is_aligned(s->base, H100_GOB_BYTES))
		return COPY_REFUSE(call, INVALID_ALIGNMENT);
	s->surface = (struct h100_surface){
		.width = (u64)get(copy, m->width) * s->element,
		.height = get(copy, m->height),
		.depth = get(copy, m->depth),
		.block_rows_log2 = (u32)REG_GET(NVC8B5_SET_SRC_BLOCK_SIZE_HEIGHT, block),
		.block_slices_log2 = (u32)REG_GET(NVC8B5_SET_SRC_BLOCK_SIZE_DEPTH, block),
	};
	s->layer = get(copy, m->layer);
	s->x = get(copy, m->x);
	s->y = get(copy, m->y);
	if (s->layer >= s->surface.depth)
		return COPY_REFUSE(call, 2D_LAYER_EXCEEDS_DEPTH);
	if (s->x + l->elements > get(copy, m->width) || (u64)s->y + l->lines > s->surface.height)
		return COPY_REFUSE(call, MEM2MEM_RECT_OUT_OF_BOUNDS);
	return H100_METHOD_OK;
}

/* Lines that lie a pitch apart, which may be negative, must not overlap. */
static bool pitch_holds(const struct launch *l, const struct side *s)
{
	u64 line = l->elements * s->element;

	return l->lines < 2 || line <= (u64)(s->stride < 0 ? -s->stride : s->stride);
}

static enum h100_method_result side_prepare(struct h100_engine_call *call, const struct copy *copy,
					    struct launch *l, struct side *s,
					    const struct side_methods *m)
{
	static const u8 apertures[] = {
		[NVC8B5_SET_SRC_PHYS_MODE_TARGET_LOCAL_FB] = H100_APERTURE_VIDEO,
		[NVC8B5_SET_SRC_PHYS_MODE_TARGET_COHERENT_SYSMEM] = H100_APERTURE_SYSTEM_COHERENT,
		[NVC8B5_SET_SRC_PHYS_MODE_TARGET_NONCOHERENT_SYSMEM] =
			H100_APERTURE_SYSTEM_NONCOHERENT,
		[NVC8B5_SET_SRC_PHYS_MODE_TARGET_PEERMEM] = H100_APERTURE_PEER,
	};

	s->base = get_address(copy, m->upper, m->lower);
	s->stride = (s32)get(copy, m->pitch);
	if (s->end.physical) {
		if (!call->privileged)
			return COPY_REFUSE(call, INVALID_OPERATION);
		s->end.aperture = apertures[REG_GET(NVC8B5_SET_SRC_PHYS_MODE_TARGET,
						    get(copy, m->phys_mode))];
		if (s->end.aperture == H100_APERTURE_PEER)
			s->end.aperture = h100_aperture_peer((u32)REG_GET(
				NVC8B5_SET_SRC_PHYS_MODE_PEER_ID, get(copy, m->phys_mode)));
		if (call->memory->confidential && !l->secure &&
		    s->end.aperture != H100_APERTURE_VIDEO)
			return COPY_REFUSE(call, INVALID_CONFIG);
	}
	/* What was outside may stay there; else plaintext does not leave the GPU, nor come in. */
	if (call->memory->confidential && IS(l, COPY_TYPE, NONPROT2NONPROT))
		s->end.outside = s->end.outside_only = true;
	return s->pitch ? H100_METHOD_OK : surface_prepare(call, copy, l, s, m);
}

static enum h100_method_result remap_prepare(struct h100_engine_call *call, const struct copy *copy,
					     struct remap *r)
{
	u32 word = get(copy, NVC8B5_SET_REMAP_COMPONENTS), i;
	const u32 constants[2] = { get(copy, NVC8B5_SET_REMAP_CONST_A),
				   get(copy, NVC8B5_SET_REMAP_CONST_B) };
	const u8 from[4] = {
		(u8)REG_GET(NVC8B5_SET_REMAP_COMPONENTS_DST_X, word),
		(u8)REG_GET(NVC8B5_SET_REMAP_COMPONENTS_DST_Y, word),
		(u8)REG_GET(NVC8B5_SET_REMAP_COMPONENTS_DST_Z, word),
		(u8)REG_GET(NVC8B5_SET_REMAP_COMPONENTS_DST_W, word),
	};

	r->component = (u32)REG_GET(NVC8B5_SET_REMAP_COMPONENTS_COMPONENT_SIZE, word) + 1;
	r->sources = (u32)REG_GET(NVC8B5_SET_REMAP_COMPONENTS_NUM_SRC_COMPONENTS, word) + 1;
	r->destinations = (u32)REG_GET(NVC8B5_SET_REMAP_COMPONENTS_NUM_DST_COMPONENTS, word) + 1;
	memcpy(r->from, from, sizeof(from));
	memcpy(r->constants, constants, sizeof(constants));
	r->complete = true;
	for (i = 0; i < r->destinations; i++) {
		if (from[i] > NVC8B5_SET_REMAP_COMPONENTS_DST_X_NO_WRITE)
			return COPY_REFUSE(call, INVALID_VALUE);
		if (from[i] <= NVC8B5_SET_REMAP_COMPONENTS_DST_X_SRC_W) {
			if (from[i] >= r->sources)
				return COPY_REFUSE(call, BAD_SRC_PIXEL_COMP_REF);
			r->reads = true;
		}
		if (from[i] == NVC8B5_SET_REMAP_COMPONENTS_DST_X_NO_WRITE)
			r->complete = false;
	}
	return H100_METHOD_OK;
}

/* What the flags ask for that there is not. */
static enum h100_method_result flags_check(struct h100_engine_call *call, const struct launch *l)
{
	if (FLAG(l, DATA_TRANSFER_TYPE) > NVC8B5_LAUNCH_DMA_DATA_TRANSFER_TYPE_NON_PIPELINED ||
	    FLAG(l, INTERRUPT_TYPE) > NVC8B5_LAUNCH_DMA_INTERRUPT_TYPE_NON_BLOCKING)
		return COPY_REFUSE(call, INVALID_VALUE);
	if (IS(l, COPY_TYPE, RESERVED) || !IS(l, VPRMODE, VPR_NONE) ||
	    IS(l, SEMAPHORE_TYPE, RELEASE_CONDITIONAL_INTR_SEMAPHORE))
		return COPY_REFUSE(call, INVALID_CONFIG);
	/* One line, as it is. */
	if (IS(l, COPY_TYPE, SECURE) &&
	    (!call->secure || !IS(l, SRC_MEMORY_LAYOUT, PITCH) ||
	     !IS(l, DST_MEMORY_LAYOUT, PITCH) || IS(l, MULTI_LINE_ENABLE, TRUE) ||
	     IS(l, REMAP_ENABLE, TRUE) || IS(l, MEMORY_SCRUB_ENABLE, TRUE)))
		return COPY_REFUSE(call, INVALID_CONFIG);
	if (IS(l, MEMORY_SCRUB_ENABLE, TRUE) && IS(l, REMAP_ENABLE, TRUE))
		return COPY_REFUSE(call, INVALID_CONFIG);
	return H100_METHOD_OK;
}

/* What secure copies have beside the two sides. The IV of a decryption is the channel's own next.
 */
static enum h100_method_result message_prepare(struct h100_engine_call *call,
					       const struct copy *copy, struct launch *l)
{
	u32 mode = get(copy, NVC8B5_SET_SECURE_COPY_MODE);
	bool encrypt = REG_GET(NVC8B5_SET_SECURE_COPY_MODE_MODE, mode) ==
		       NVC8B5_SET_SECURE_COPY_MODE_MODE_ENCRYPT;
	const struct side *plain = encrypt ? &l->source : &l->destination;
	const struct side *cipher = encrypt ? &l->destination : &l->source;

	if ((mode & ~(u32)REG_MASK(NVC8B5_SET_SECURE_COPY_MODE_MODE)) != 0)
		return COPY_REFUSE(call, UNUSED_FIELD);
	l->message = (struct copy_secure){
		.encrypt = encrypt,
		.size = (u32)l->elements,
		.plain = plain->end,
		.cipher = cipher->end,
		.plain_at = plain->base,
		.cipher_at = cipher->base,
		.iv = get_address(copy, NVC8B5_SET_ENCRYPT_IV_ADDR_UPPER,
				  NVC8B5_SET_ENCRYPT_IV_ADDR_LOWER),
	};
	l->message.tag = encrypt ? get_address(copy, NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_UPPER,
					       NVC8B5_SET_ENCRYPT_AUTH_TAG_ADDR_LOWER)
				 : get_address(copy, NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_UPPER,
					       NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_LOWER);
	return copy_secure_check(call, &l->message);
}

static enum h100_method_result launch_prepare(struct h100_engine_call *call,
					      const struct copy *copy, struct launch *l)
{
	enum h100_method_result result;

	l->scrub = IS(l, MEMORY_SCRUB_ENABLE, TRUE);
	l->remapped = IS(l, REMAP_ENABLE, TRUE);
	l->secure = IS(l, COPY_TYPE, SECURE);
	l->elements = get(copy, NVC8B5_LINE_LENGTH_IN);
	l->lines = IS(l, MULTI_LINE_ENABLE, TRUE) ? get(copy, NVC8B5_LINE_COUNT) : 1;
	l->source.pitch = IS(l, SRC_MEMORY_LAYOUT, PITCH);
	l->source.end.physical = IS(l, SRC_TYPE, PHYSICAL);
	l->destination.pitch = IS(l, DST_MEMORY_LAYOUT, PITCH);
	l->destination.end.physical = IS(l, DST_TYPE, PHYSICAL);
	l->destination.end.write = true;
	l->source.element = l->destination.element = 1;
	if (l->remapped) {
		result = remap_prepare(call, copy, &l->remap);
		if (result != H100_METHOD_OK)
			return result;
		l->source.element = l->remap.component * l->remap.sources;
		l->destination.element = l->remap.component * l->remap.destinations;
	}
	result = side_prepare(call, copy, l, &l->destination, &destination_methods);
	if (result != H100_METHOD_OK)
		return result;
	if (l->destination.pitch && !pitch_holds(l, &l->destination))
		return l->destination.stride < 0 ? COPY_REFUSE(call, DST_LINE_EXCEEDS_NEG_PITCH)
						 : COPY_REFUSE(call, DST_LINE_EXCEEDS_PITCH);
	if (l->scrub || (l->remapped && !l->remap.reads))
		return H100_METHOD_OK;
	result = side_prepare(call, copy, l, &l->source, &source_methods);
	if (result != H100_METHOD_OK)
		return result;
	if (l->source.pitch && !pitch_holds(l, &l->source))
		return l->source.stride < 0 ? COPY_REFUSE(call, SRC_LINE_EXCEEDS_NEG_PITCH)
					    : COPY_REFUSE(call, SRC_LINE_EXCEEDS_PITCH);
	return l->secure ? message_prepare(call, copy, l) : H100_METHOD_OK;
}

/* -- Moving ------------------------------------------------------------------------------------ */

/* Where byte x of a line lies, and how many bytes of the line follow it there. */
static u64 side_address(const struct side *s, u32 line, u64 x, u64 *run)
{
	u64 in_surface;

	if (s->pitch) {
		*run = ~x;
		return s->base + (u64)(s->stride * line) + x;
	}
	in_surface = (u64)s->x * s->element + x;
	*run = H100_GOB_RUN - in_surface % H100_GOB_RUN;
	return s->base + h100_surface_offset(&s->surface, in_surface, s->y + line, s->layer);
}

static enum h100_method_result side_read(struct launch *l, struct side *s, u32 line, u64 x,
					 u8 *data, u64 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	u64 run, at, piece;

	for (; size != 0 && result == H100_METHOD_OK; x += piece, data += piece, size -= piece) {
		at = side_address(s, line, x, &run);
		piece = min(size, run);
		result = h100_move_read(&l->mover, &s->end, at, data, piece);
	}
	return result;
}

static enum h100_method_result side_write(struct launch *l, struct side *s, u32 line, u64 x,
					  const u8 *data, u64 size)
{
	enum h100_method_result result = H100_METHOD_OK;
	u64 run, at, piece;

	for (; size != 0 && result == H100_METHOD_OK; x += piece, data += piece, size -= piece) {
		at = side_address(s, line, x, &run);
		piece = min(size, run);
		result = h100_move_write(&l->mover, &s->end, at, data, piece);
	}
	return result;
}

/* Each of these goes on at l->progress.at, and leaves there where it was stopped. */
static enum h100_method_result copy_line(struct launch *l, u32 line)
{
	enum h100_method_result result = H100_METHOD_OK;
	u64 from_run, to_run, from, to, piece;
	u64 *x = &l->progress.at;

	for (; *x < l->elements && result == H100_METHOD_OK; *x += l->mover.done) {
		from = side_address(&l->source, line, *x, &from_run);
		to = side_address(&l->destination, line, *x, &to_run);
		piece = min(l->elements - *x, min(from_run, to_run));
		result = h100_move_copy(&l->mover, &l->destination.end, to, &l->source.end, from,
					piece);
	}
	return result;
}

static enum h100_method_result fill_line(struct launch *l, u32 line, const u8 *pattern, u32 period)
{
	struct side *s = &l->destination;
	u64 size = l->elements * period, run, at, piece;
	enum h100_method_result result = H100_METHOD_OK;
	u64 *x = &l->progress.at;
	u8 turned[16];

	for (; *x < size && result == H100_METHOD_OK; *x += l->mover.done) {
		at = side_address(s, line, *x, &run);
		piece = min(size - *x, run);
		for (u32 i = 0; i < period; i++)
			turned[i] = pattern[(*x + i) % period];
		result = h100_move_fill(&l->mover, &s->end, at, turned, period, piece);
	}
	return result;
}

/* A destination element's component. */
static const u8 *component_of(const struct remap *r, u32 i, const u8 *source)
{
	u32 from = r->from[i];

	if (from <= NVC8B5_SET_REMAP_COMPONENTS_DST_X_SRC_W)
		return source + from * r->component;
	return r->constants[from - NVC8B5_SET_REMAP_COMPONENTS_DST_X_CONST_A];
}

static bool component_written(const struct remap *r, u32 i)
{
	return r->from[i] != NVC8B5_SET_REMAP_COMPONENTS_DST_X_NO_WRITE;
}

/* Elements of which some components stay as they are: the others one by one. */
static enum h100_method_result write_components(struct launch *l, u32 line, u64 element,
						const u8 *made)
{
	const struct remap *r = &l->remap;
	enum h100_method_result result = H100_METHOD_OK;

	for (u32 i = 0; i < r->destinations && result == H100_METHOD_OK; i++) {
		if (component_written(r, i))
			result = side_write(l, &l->destination, line,
					    element * l->destination.element + i * r->component,
					    made + i * r->component, r->component);
	}
	return result;
}

static enum h100_method_result remap_some(struct launch *l, u32 line, u64 first, u32 count)
{
	const struct remap *r = &l->remap;
	u32 in = l->source.element, out = l->destination.element;
	u8 source[REMAP_BYTES], made[REMAP_BYTES];
	enum h100_method_result result = H100_METHOD_OK;

	if (r->reads)
		result = side_read(l, &l->source, line, first * in, source, (u64)count * in);
	if (result != H100_METHOD_OK)
		return result;
	for (u32 e = 0; e < count; e++) {
		for (u32 i = 0; i < r->destinations; i++) {
			if (component_written(r, i))
				memcpy(made + e * out + i * r->component,
				       component_of(r, i, source + e * in), r->component);
		}
	}
	if (r->complete)
		return side_write(l, &l->destination, line, first * out, made, (u64)count * out);
	for (u32 e = 0; e < count && result == H100_METHOD_OK; e++)
		result = write_components(l, line, first + e, made + e * out);
	return result;
}

static enum h100_method_result remap_line(struct launch *l, u32 line)
{
	u32 widest = max(l->source.element, l->destination.element);
	u32 most = REMAP_BYTES / widest, count, cost;
	enum h100_method_result result = H100_METHOD_OK;
	u64 *e = &l->progress.at;
	u8 pattern[16] = { 0 };

	if (!l->remap.reads && l->remap.complete) {
		for (u32 i = 0; i < l->remap.destinations; i++)
			memcpy(pattern + i * l->remap.component, component_of(&l->remap, i, NULL),
			       l->remap.component);
		return fill_line(l, line, pattern, l->destination.element);
	}
	/* Components one by one take longer than their bytes. */
	cost = l->remap.complete ? widest : COMPONENT_COST * l->remap.destinations;
	for (; *e < l->elements && result == H100_METHOD_OK; *e += count) {
		count = (u32)min(l->elements - *e, (u64)most);
		result = remap_some(l, line, *e, count);
		if (result == H100_METHOD_OK)
			result = h100_move_spent(&l->mover, &l->source.end, &l->destination.end,
						 (u64)count * cost);
	}
	return result;
}

/* Lines that follow one another without a gap, at both sides, are one. */
static void lines_join(struct launch *l)
{
	struct side *s = &l->source, *d = &l->destination;
	u64 line = l->elements;

	if (l->remapped || !d->pitch || d->stride <= 0 || (u64)d->stride != line ||
	    (!l->scrub && (!s->pitch || s->stride != d->stride)))
		return;
	l->elements = line * l->lines;
	l->lines = 1;
}

static enum h100_method_result transfer(struct launch *l)
{
	static const u8 zero[1];
	enum h100_method_result result = H100_METHOD_OK;

	if (l->secure)
		return copy_secure_do(&l->mover, &l->message);
	if (l->elements == 0)
		return H100_METHOD_OK;
	lines_join(l);
	while (l->progress.line < l->lines) {
		u32 line = l->progress.line;

		if (l->scrub)
			result = fill_line(l, line, zero, sizeof(zero));
		else if (l->remapped)
			result = remap_line(l, line);
		else
			result = copy_line(l, line);
		if (result != H100_METHOD_OK)
			break;
		l->progress.line++;
		l->progress.at = 0;
	}
	return result;
}

/* -- Semaphore --------------------------------------------------------------------------------- */

/* False: no reduction of that number, or one of floating-point numbers. */
static bool reduction_find(const struct launch *l, enum h100_memory_op *op)
{
	bool is_signed = IS(l, SEMAPHORE_REDUCTION_SIGN, SIGNED);

	switch (FLAG(l, SEMAPHORE_REDUCTION)) {
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_IMIN:
		*op = is_signed ? H100_MEMORY_MIN_SIGNED : H100_MEMORY_MIN_UNSIGNED;
		return true;
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_IMAX:
		*op = is_signed ? H100_MEMORY_MAX_SIGNED : H100_MEMORY_MAX_UNSIGNED;
		return true;
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_IXOR:
		*op = H100_MEMORY_XOR;
		return true;
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_IAND:
		*op = H100_MEMORY_AND;
		return true;
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_IOR:
		*op = H100_MEMORY_OR;
		return true;
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_IADD:
		*op = H100_MEMORY_ADD;
		return true;
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_INC:
		*op = H100_MEMORY_INC;
		return true;
	case NVC8B5_LAUNCH_DMA_SEMAPHORE_REDUCTION_DEC:
		*op = H100_MEMORY_DEC;
		return true;
	default:
		return false;
	}
}

static enum h100_method_result report_prepare(struct h100_engine_call *call,
					      const struct copy *copy, const struct launch *l,
					      struct h100_report *report)
{
	u32 alignment;

	report->address = get_address(copy, NVC8B5_SET_SEMAPHORE_A, NVC8B5_SET_SEMAPHORE_B);
	report->wide = IS(l, SEMAPHORE_PAYLOAD_SIZE, TWO_WORD);
	report->payload = get(copy, NVC8B5_SET_SEMAPHORE_PAYLOAD);
	if (report->wide)
		report->payload |= (u64)get(copy, NVC8B5_SET_SEMAPHORE_PAYLOAD_UPPER) << 32;
	report->four_words = IS(l, SEMAPHORE_TYPE, RELEASE_FOUR_WORD_SEMAPHORE);
	report->reduction = IS(l, SEMAPHORE_REDUCTION_ENABLE, TRUE);
	if (report->reduction && !reduction_find(l, &report->op))
		return COPY_REFUSE(call, INVALID_VALUE);
	alignment = report->four_words ? 16 : report->wide ? 8 : 4;
	if (!is_aligned(report->address, alignment))
		return COPY_REFUSE(call, INVALID_ALIGNMENT);
	return H100_METHOD_OK;
}

/* -- Methods ----------------------------------------------------------------------------------- */

/* H100_METHOD_OK and *render false: the launch is to have no effect. */
static enum h100_method_result render(struct h100_engine_call *call, const struct copy *copy,
				      bool *wanted)
{
	*wanted = true;
	if (!copy->render_chosen)
		return H100_METHOD_OK;
	switch (REG_GET(NVC8B5_SET_RENDER_ENABLE_C_MODE, get(copy, NVC8B5_SET_RENDER_ENABLE_C))) {
	case NVC8B5_SET_RENDER_ENABLE_C_MODE_TRUE:
		return H100_METHOD_OK;
	case NVC8B5_SET_RENDER_ENABLE_C_MODE_FALSE:
		*wanted = false;
		return H100_METHOD_OK;
	default:
		return COPY_REFUSE(call, INVALID_CONFIG);
	}
}

/* Everything is looked at before anything is done. */
static enum h100_method_result launch(struct h100_engine_call *call, struct copy *copy, u32 flags)
{
	struct launch l = { .flags = flags };
	struct h100_report report = { 0 };
	enum h100_method_result result;
	bool wanted;

	h100_mover_init(&l.mover, call, (u8)(NV_PFAULT_CLIENT_HUB_HSCE0 + call->instance),
			(u16)(NV_PFAULT_MMU_ENG_ID_CE0 + call->instance));
	result = render(call, copy, &wanted);
	if (result != H100_METHOD_OK || !wanted)
		return result;
	result = flags_check(call, &l);
	if (result == H100_METHOD_OK && !IS(&l, DATA_TRANSFER_TYPE, NONE))
		result = launch_prepare(call, copy, &l);
	if (result == H100_METHOD_OK && !IS(&l, SEMAPHORE_TYPE, NONE))
		result = report_prepare(call, copy, &l, &report);
	if (call->resumed)
		l.progress = copy->stopped;
	if (result == H100_METHOD_OK && !IS(&l, DATA_TRANSFER_TYPE, NONE))
		result = transfer(&l);
	if (result == H100_METHOD_STOPPED)
		copy->stopped = l.progress;
	if (result == H100_METHOD_OK && !IS(&l, SEMAPHORE_TYPE, NONE))
		result = h100_move_report(&l.mover, &report);
	if (result == H100_METHOD_OK && !IS(&l, INTERRUPT_TYPE, NONE) && call->nonstall)
		call->nonstall(call);
	return result;
}

static bool method_known(u32 method)
{
	for (u32 i = 0; i < ARRAY_SIZE(known_methods); i++) {
		if (method >= known_methods[i].first && method <= known_methods[i].last)
			return true;
	}
	return false;
}

static enum h100_method_result copy_method(struct h100_engine_call *call, void *object, u32 method,
					   u32 data)
{
	struct copy *copy = object;

	if (!is_aligned(method, 4) || !method_known(method))
		return COPY_REFUSE(call, INVALID_OPERATION);
	if (method / 4 < REGISTERS)
		copy->registers[method / 4] = data;
	switch (method) {
	case NVC8B5_LAUNCH_DMA:
		return launch(call, copy, data);
	case NVC8B5_SET_RENDER_ENABLE_C:
		copy->render_chosen = true;
		break;
	case NVC8B5_SET_SRC_ORIGIN: /* both halves of the origin at once */
		copy->registers[NVC8B5_SRC_ORIGIN_X / 4] =
			(u32)REG_GET(NVC8B5_SET_SRC_ORIGIN_X, data);
		copy->registers[NVC8B5_SRC_ORIGIN_Y / 4] =
			(u32)REG_GET(NVC8B5_SET_SRC_ORIGIN_Y, data);
		break;
	case NVC8B5_SET_DST_ORIGIN:
		copy->registers[NVC8B5_DST_ORIGIN_X / 4] =
			(u32)REG_GET(NVC8B5_SET_DST_ORIGIN_X, data);
		copy->registers[NVC8B5_DST_ORIGIN_Y / 4] =
			(u32)REG_GET(NVC8B5_SET_DST_ORIGIN_Y, data);
		break;
	default:
		break;
	}
	return H100_METHOD_OK;
}

const struct h100_engine_class h100_copy_class = {
	.class_id = HOPPER_DMA_COPY_A,
	.object_bytes = sizeof(struct copy),
	.kind = H100_ENGINE_KIND_COPY,
	.method = copy_method,
};
