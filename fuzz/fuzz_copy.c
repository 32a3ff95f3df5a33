// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Any methods on a copy engine and a compute object, as two channels of one address space. A byte
 * picks the object and how the method is chosen; most are of those that do something.
 */
#include "fuzz_engine.h"
#include "h100/engine/class.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LAUNCHES 24u /* of one input, */
#define LOOKS 3u     /* and how long each may take */
#define VA 0x7f0000000000ull

struct record {
	u8 pick;
	u16 method;
	u32 data;
} __attribute__((packed));

static u32 looks;

static bool stopped(const struct h100_engine_call *call)
{
	return ++looks >= LOOKS;
}

static u64 now(const struct h100_engine_call *call)
{
	return 12345;
}

static void interrupt(const struct h100_engine_call *call)
{
}

/* 32 pages at VA: of either memory, of the peer's, read-only, nothing, a hole; tables at the end.
 */
static void map(struct fuzz_engine *f, struct h100_pdb *pdb)
{
	static const u32 shifts[] = { 56, 47, 38, 29 };
	u64 table = FUZZ_VIDEO_BYTES - 6 * OS_PAGE_SIZE, entry, next;

	*pdb = (struct h100_pdb){ H100_APERTURE_VIDEO, table };
	for (u32 i = 0; i < ARRAY_SIZE(shifts); i++, table = next) {
		next = table + OS_PAGE_SIZE;
		entry = next | 1u << 1;
		memcpy(f->video + table + ((VA >> shifts[i]) & (i == 0 ? 1 : 511)) * 8, &entry, 8);
	}
	next = table + OS_PAGE_SIZE;
	entry = next | 1u << 1;
	memcpy(f->video + table + ((VA >> 21) & 255) * 16 + 8, &entry, 8);
	for (u32 i = 0; i < 32; i++) {
		if (i % 8 == 7)
			entry = i == 7 ? 0 : REG_PREP(NV_MMU_VER3_PTE_PCF, 1);
		else if (i % 8 == 5)
			entry = (i == 13 ? (u64)FUZZ_BESIDE << 61
					 : h100_fabric_base(i == 29 ? 2 : 1)) |
				(u64)i * OS_PAGE_SIZE | 6 << 8 | 1u << 1 | 1;
		else if (i % 3 == 0)
			entry = (u64)i % 20 * OS_PAGE_SIZE | 6 << 8 | 1;
		else
			entry = (FUZZ_BUS + (u64)(i % FUZZ_PAGES) * 2 * OS_PAGE_SIZE) | 2u << 1 |
				(i == 20 ? 4 << 3 : 0) | 1;
		memcpy(f->video + next + (u64)i * 8, &entry, 8);
	}
}

static const u16 copy_methods[] = {
	NVC8B5_OFFSET_IN_LOWER,
	NVC8B5_OFFSET_OUT_LOWER,
	NVC8B5_PITCH_IN,
	NVC8B5_PITCH_OUT,
	NVC8B5_LINE_LENGTH_IN,
	NVC8B5_LINE_COUNT,
	NVC8B5_LAUNCH_DMA,
	NVC8B5_LAUNCH_DMA,
	NVC8B5_SET_SEMAPHORE_B,
	NVC8B5_SET_REMAP_COMPONENTS,
	NVC8B5_SET_SRC_BLOCK_SIZE,
	NVC8B5_SET_DST_BLOCK_SIZE,
	NVC8B5_SET_SRC_WIDTH,
	NVC8B5_SET_DST_WIDTH,
	NVC8B5_SET_SRC_HEIGHT,
	NVC8B5_SET_DST_HEIGHT,
	NVC8B5_SET_SRC_DEPTH,
	NVC8B5_SET_DST_DEPTH,
	NVC8B5_SET_SRC_LAYER,
	NVC8B5_SET_DST_LAYER,
	NVC8B5_SET_SRC_ORIGIN,
	NVC8B5_DST_ORIGIN_X,
	NVC8B5_DST_ORIGIN_Y,
	NVC8B5_SET_SRC_PHYS_MODE,
	NVC8B5_SET_DST_PHYS_MODE,
	NVC8B5_SET_SEMAPHORE_PAYLOAD,
	NVC8B5_SET_RENDER_ENABLE_C,
};

static const u16 compute_methods[] = {
	NVCBC0_LINE_LENGTH_IN,
	NVCBC0_LINE_COUNT,
	NVCBC0_OFFSET_OUT,
	NVCBC0_PITCH_OUT,
	NVCBC0_SET_DST_BLOCK_SIZE,
	NVCBC0_SET_DST_WIDTH,
	NVCBC0_SET_DST_HEIGHT,
	NVCBC0_SET_DST_DEPTH,
	NVCBC0_SET_DST_LAYER,
	NVCBC0_SET_DST_ORIGIN_BYTES_X,
	NVCBC0_SET_DST_ORIGIN_SAMPLES_Y,
	NVCBC0_LAUNCH_DMA,
	NVCBC0_LOAD_INLINE_DATA,
	NVCBC0_LOAD_INLINE_DATA,
	NVCBC0_SET_I2M_SEMAPHORE_B,
	NVCBC0_SET_REPORT_SEMAPHORE_B,
	NVCBC0_SET_REPORT_SEMAPHORE_D,
	NVCBC0_REPORT_SEMAPHORE_EXECUTE,
};

/* Registers that come up only by chance otherwise. */
static void prepare(struct h100_engine_call *call, const struct h100_engine_class *class,
		    void *object, bool is_copy)
{
	static const u16 uppers[2][3] = {
		{ NVCBC0_OFFSET_OUT_UPPER, NVCBC0_SET_I2M_SEMAPHORE_A,
		  NVCBC0_SET_REPORT_SEMAPHORE_A },
		{ NVC8B5_OFFSET_IN_UPPER, NVC8B5_OFFSET_OUT_UPPER, NVC8B5_SET_SEMAPHORE_A },
	};

	for (u32 i = 0; i < 3; i++)
		class->method(call, object, uppers[is_copy][i], bits_high32(VA));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct h100_engine_class *classes[2] = { h100_engine_class_find(HOPPER_COMPUTE_A),
						       h100_engine_class_find(HOPPER_DMA_COPY_A) };
	void *objects[2];
	struct h100_engine_call call = { .now_ns = now, .nonstall = interrupt, .stopped = stopped };
	struct fuzz_engine f;
	struct record r;
	u32 launches = 0;

	if (size < 1)
		return 0;
	fuzz_engine_begin(&f, data[0] & 1);
	map(&f, &call.pdb);
	call.memory = &f.memory;
	call.mmu = f.mmu;
	call.privileged = data[0] & 2;
	call.instance = data[0] >> 2;
	for (u32 i = 0; i < 2; i++) {
		objects[i] = calloc(1, classes[i]->object_bytes);
		if (!objects[i])
			abort();
		prepare(&call, classes[i], objects[i], i != 0);
	}
	for (data++, size--; size >= sizeof(r) && launches < LAUNCHES;
	     data += sizeof(r), size -= sizeof(r)) {
		u32 is_copy, value, method;

		memcpy(&r, data, sizeof(r));
		is_copy = r.pick & 1;
		method = r.method & 0x1ffcu;
		if (r.pick & 2 && is_copy)
			method = copy_methods[r.method % ARRAY_SIZE(copy_methods)];
		else if (r.pick & 2)
			method = compute_methods[r.method % ARRAY_SIZE(compute_methods)];
		value = r.pick & 4 ? r.data % 0x21000 : r.pick & 8 ? r.data % 64 : r.data;
		if (method == NVC8B5_LAUNCH_DMA && is_copy)
			launches++;
		looks = 0;
		call.error = 0;
		switch (classes[is_copy]->method(&call, objects[is_copy], method, value)) {
		case H100_METHOD_ERROR:
			if (call.error == 0)
				abort();
			break;
		case H100_METHOD_FAULT:
			if (call.fault.client == 0)
				abort();
			break;
		default:
			break;
		}
	}
	free(objects[0]);
	free(objects[1]);
	fuzz_engine_end(&f);
	return 0;
}
