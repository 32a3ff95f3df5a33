// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Address spaces: objects with every parameter, ranges, and page tables as an independent walk of
 * video memory finds them: each page size, permissions, holes, replacement, and what is freed.
 */
#include "h100/engine/mmu.h"
#include "h100/gsp/gpu.h"
#include "page_walk.h"
#include "rm/api/api.h"
#include "rm/class/vaspace.h"
#include "rm_host.h"

#define DEVICE 0xd0u
#define SUBDEVICE 0xd1u
#define SPACE 0xf0u
#define MEMORY 0xe0u
#define PAGE OS_PAGE_SIZE

static int ctl;
static u32 client;

static int start(void **state)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	u32 device = DEVICE, subdevice = SUBDEVICE;

	host_start(2);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(ctl, client, device, &subdevice, NV20_SUBDEVICE_0, NULL, 0),
			 NV_OK);
	return 0;
}

static u32 free_kib(void)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = 1 };

	p.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE;
	assert_int_equal(
		host_control(ctl, client, SUBDEVICE, NV2080_CTRL_CMD_FB_GET_INFO_V2, &p, sizeof(p)),
		NV_OK);
	return p.fbInfoList[0].data;
}

static u32 make_space(u32 handle, NV_VASPACE_ALLOCATION_PARAMETERS *p)
{
	return host_alloc(ctl, client, DEVICE, &handle, FERMI_VASPACE_A, p, 0);
}

static struct rm_vaspace *space_get(u32 handle)
{
	struct rm_vaspace *space = NULL;
	struct rm_call call;

	assert_int_equal(rm_api_begin(&call, host.fds[ctl].file, client, handle), NV_OK);
	space = rm_vaspace_of(call.object);
	assert_non_null(space);
	rm_vaspace_get(space);
	rm_api_end(&call);
	return space;
}

static struct rm_backing *video(u64 size, u64 align)
{
	struct rm_backing *backing = NULL;

	assert_int_equal(rm_backing_alloc_video(host.rm_gpus[0], size, align, &backing), NV_OK);
	return backing;
}

static struct found walk(struct rm_vaspace *space, u64 va)
{
	enum rm_aperture aperture;
	u64 root;

	assert_true(rm_vaspace_page_directory(space, &aperture, &root));
	assert_int_equal(aperture, RM_APERTURE_VIDEO);
	return page_walk(host.gpus[0].pci, root, va);
}

static void expect_page(struct rm_vaspace *space, u64 va, struct rm_backing *backing, u64 offset,
			u64 size)
{
	struct found f = walk(space, va);
	enum rm_aperture aperture;
	u64 contiguous;

	assert_true(f.page);
	assert_int_equal(f.size, size);
	assert_int_equal(f.address, rm_backing_address(backing, offset, &aperture, &contiguous));
	assert_int_equal(f.aperture, aperture);
}

static void expect_nothing(struct rm_vaspace *space, u64 va)
{
	struct found f = walk(space, va);

	assert_false(f.page);
	assert_false(f.sparse);
}

/* -- Mapping ----------------------------------------------------------------------------------- */

static void test_each_page_size(void **state)
{
	static const u64 sizes[] = { KIB(4), KIB(64), MIB(2), MIB(512) };
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_vaspace *space;
	u32 i, before;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	assert_int_equal(p.vaSize + p.vaBase, BIT64(57));
	space = space_get(SPACE);
	before = free_kib();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct rm_backing *backing = video(2 * sizes[i], sizes[i]);
		struct rm_vaspace_map m = { .va = BIT64(56) + GIB(8) + (i << 30),
					    .size = 2 * sizes[i],
					    .backing = backing,
					    .page_size = sizes[i],
					    .kind = 6 };
		struct found f;

		expect_nothing(space, m.va);
		assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
		expect_page(space, m.va, backing, 0, sizes[i]);
		expect_page(space, m.va + sizes[i] - 8, backing, sizes[i] - 8, sizes[i]);
		expect_page(space, m.va + 2 * sizes[i] - 8, backing, 2 * sizes[i] - 8, sizes[i]);
		expect_nothing(space, m.va - 8);
		expect_nothing(space, m.va + 2 * sizes[i]);
		f = walk(space, m.va);
		assert_int_equal(f.kind, 6);
		assert_int_equal(f.pcf, NV_MMU_VER3_PTE_PCF_REGULAR_RW_ATOMIC_CACHED_ACD);
		m.read_only = m.privileged = m.atomics_off = m.gpu_uncached = true;
		assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
		assert_int_equal(walk(space, m.va).pcf,
				 NV_MMU_VER3_PTE_PCF_PRIVILEGE_RO_NO_ATOMIC_UNCACHED_ACD);
		assert_int_equal(rm_vaspace_unmap(space, m.va, m.size, false), NV_OK);
		expect_nothing(space, m.va);
		expect_nothing(space, m.va + sizes[i]);
		rm_backing_put(backing);
		assert_int_equal(free_kib(), before);
	}
	rm_vaspace_put(space);
}

static void test_pages_of_different_sizes_meet(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_backing *large = video(MIB(4), MIB(2)), *small = video(MIB(4), MIB(2));
	struct rm_vaspace_map m = {
		.va = GIB(8), .size = MIB(4), .backing = large, .page_size = MIB(2)
	};
	struct rm_vaspace *space;
	u32 before;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	before = free_kib();
	/* Small and big pages side by side in 2 MiB, then one page over all of them. */
	m.page_size = KIB(64);
	m.size = MIB(1);
	assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
	m.backing = small;
	m.page_size = KIB(4);
	m.va += KIB(512) - PAGE;
	m.size = KIB(64);
	assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
	expect_page(space, GIB(8), large, 0, KIB(64));
	expect_page(space, GIB(8) + KIB(512) - PAGE, small, 0, PAGE);
	expect_page(space, GIB(8) + KIB(512), small, PAGE, PAGE);
	expect_page(space, GIB(8) + KIB(512) + KIB(64) - 2 * PAGE, small, KIB(64) - PAGE, PAGE);
	expect_page(space, GIB(8) + MIB(1) - 8, large, MIB(1) - 8, KIB(64));
	m.backing = large;
	m.va = GIB(8);
	m.size = MIB(4);
	m.page_size = MIB(2);
	assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
	expect_page(space, GIB(8) + KIB(512), large, KIB(512), MIB(2));
	/* And one small page in it again: the rest of the large one is gone. */
	m.backing = small;
	m.size = PAGE;
	m.page_size = PAGE;
	assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
	expect_page(space, GIB(8), small, 0, PAGE);
	expect_nothing(space, GIB(8) + PAGE);
	expect_page(space, GIB(8) + MIB(2), large, MIB(2), MIB(2));
	assert_int_equal(rm_vaspace_unmap(space, GIB(8), MIB(4), false), NV_OK);
	expect_nothing(space, GIB(8));
	expect_nothing(space, GIB(8) + MIB(2));
	assert_int_equal(free_kib(), before);
	rm_vaspace_put(space);
	rm_backing_put(large);
	rm_backing_put(small);
}

static void test_holes(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_vaspace *space;
	u64 lo = GIB(8) - PAGE, size = GIB(1) + MIB(2) + KIB(64) + 2 * PAGE;
	u32 before;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	before = free_kib();
	assert_int_equal(rm_vaspace_unmap(space, lo, size, true), NV_OK);
	expect_nothing(space, lo - 8);
	expect_nothing(space, lo + size);
	assert_true(walk(space, lo).sparse);
	assert_true(walk(space, GIB(8)).sparse);
	assert_true(walk(space, GIB(8) + MIB(512) + 77).sparse);
	assert_true(walk(space, GIB(9)).sparse);
	assert_true(walk(space, GIB(9) + MIB(2)).sparse);
	assert_true(walk(space, lo + size - 8).sparse);
	assert_int_equal(rm_vaspace_unmap(space, lo, size, false), NV_OK);
	assert_int_equal(free_kib(), before);
	rm_vaspace_put(space);
}

/* However much of the space is sparse, that costs a few tables. */
static void test_huge_holes(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	u64 lo = GIB(8) - PAGE, end = BIT64(53) + BIT64(47) + BIT64(38) + PAGE;
	struct rm_vaspace *space;
	u32 before;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	before = free_kib();
	assert_int_equal(rm_vaspace_unmap(space, lo, end - lo, true), NV_OK);
	assert_true(before - free_kib() <= 16 * KIB(4) / KIB(1));
	expect_nothing(space, lo - 8);
	assert_true(walk(space, lo).sparse);
	assert_true(walk(space, BIT64(38)).sparse);
	assert_true(walk(space, BIT64(52) + 12345 * PAGE).sparse);
	assert_true(walk(space, end - 8).sparse);
	expect_nothing(space, end);
	assert_int_equal(rm_vaspace_unmap(space, lo, end - lo, false), NV_OK);
	expect_nothing(space, BIT64(52));
	assert_int_equal(free_kib(), before);
	rm_vaspace_put(space);
}

/* Pages of each size that come and go in a hole leave the rest of it as it was. */
static void test_holes_around_pages(void **state)
{
	static const u64 sizes[] = { KIB(4), KIB(64), MIB(2), MIB(512) };
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_backing *backing = video(MIB(512), MIB(512));
	struct rm_vaspace *space;
	u64 lo = BIT64(50), size = BIT64(47), at = lo + GIB(1);
	u32 before, order, i;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	before = free_kib();
	for (order = 0; order < 2; order++) {
		assert_int_equal(rm_vaspace_unmap(space, lo, size, true), NV_OK);
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct rm_vaspace_map m = { .va = at, .backing = backing };

			m.page_size = m.size = sizes[order ? ARRAY_SIZE(sizes) - 1 - i : i];
			assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
			expect_page(space, at, backing, 0, m.size);
			assert_true(walk(space, at - 8).sparse);
			assert_true(walk(space, at + m.size).sparse);
			assert_true(walk(space, at + MIB(512)).sparse);
			assert_true(walk(space, lo + size - 8).sparse);
			assert_int_equal(rm_vaspace_unmap(space, at, m.size, true), NV_OK);
			assert_true(walk(space, at).sparse);
			assert_true(walk(space, at + m.size - 8).sparse);
			assert_true(walk(space, at + m.size).sparse);
		}
		/* Side by side in one table of 2 MiB, the small one last. */
		for (i = 2; i--;) {
			struct rm_vaspace_map m = { .va = at + i * KIB(128), .backing = backing };

			m.page_size = m.size = sizes[i];
			assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
		}
		expect_page(space, at, backing, 0, PAGE);
		expect_page(space, at + KIB(128), backing, 0, KIB(64));
		assert_true(walk(space, at + PAGE).sparse);
		assert_true(walk(space, at + KIB(60)).sparse);
		assert_true(walk(space, at + KIB(64)).sparse);
		assert_true(walk(space, at + KIB(192)).sparse);
		assert_int_equal(rm_vaspace_unmap(space, lo, size, false), NV_OK);
		expect_nothing(space, at);
		assert_int_equal(free_kib(), before);
	}
	rm_vaspace_put(space);
	rm_backing_put(backing);
}

static void test_system_memory(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_backing *backing;
	struct rm_vaspace *space;
	struct rm_vaspace_map m = { .va = 0x123000, .size = 16 * PAGE, .page_size = PAGE };
	u32 i;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	assert_int_equal(rm_backing_alloc_system(host.rm_gpus[0], 16 * PAGE, &backing), NV_OK);
	m.backing = backing;
	assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
	for (i = 0; i < 16; i++)
		expect_page(space, m.va + i * PAGE, backing, i * PAGE, PAGE);
	/* Its pages are not adjacent for the GPU. */
	m.va = MIB(2);
	m.size = KIB(64);
	m.page_size = KIB(64);
	assert_int_equal(rm_vaspace_map(space, &m), NV_ERR_INVALID_ARGUMENT);
	expect_nothing(space, MIB(2));
	/* A space that goes with pages mapped in it frees its tables. */
	rm_vaspace_put(space);
	rm_backing_put(backing);
}

/* -- What the GPU's own MMU makes of it -------------------------------------------------------- */

/* One word as an engine reads or writes it; false: it faults. */
static bool gpu_access(struct rm_vaspace *space, u64 va, bool write, u64 *value)
{
	struct h100 *gpu = host.gpus[0].model;
	struct h100_pdb pdb = { .aperture = H100_APERTURE_VIDEO };
	enum rm_aperture aperture;
	bool ok;

	assert_true(rm_vaspace_page_directory(space, &aperture, &pdb.address));
	h100_memory_enter(&gpu->memory);
	ok = write ? h100_virtual_write(gpu->mmu, &pdb, va, value, sizeof(*value), 0, NULL)
		   : h100_virtual_read(gpu->mmu, &pdb, va, value, sizeof(*value), 0, NULL);
	h100_memory_leave(&gpu->memory);
	return ok;
}

static void test_gpu_sees_each_change(void **state)
{
	static const u64 sizes[] = { KIB(4), KIB(64), MIB(2) };
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_vaspace *space;
	u32 i;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct rm_backing *first = video(2 * sizes[i], sizes[i]), *second;
		struct rm_vaspace_map m = { .va = GIB(8) + MIB(8),
					    .size = 2 * sizes[i],
					    .backing = first,
					    .page_size = sizes[i] };
		u64 at = m.va + sizes[i] - 8, value = 0x1234567 + i;

		assert_int_equal(rm_backing_alloc_system(host.rm_gpus[0], 2 * sizes[i], &second),
				 NV_OK);
		assert_false(gpu_access(space, at, false, &value));
		assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
		assert_true(gpu_access(space, at, true, &value));
		assert_int_equal(rm_backing_read64(first, sizes[i] - 8), value);
		/* The same address leads elsewhere, to small pages, at once. */
		m.backing = second;
		m.page_size = KIB(4);
		assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
		value = 0;
		assert_true(gpu_access(space, at, true, &value));
		assert_int_equal(rm_backing_read64(first, sizes[i] - 8), 0x1234567 + i);
		rm_backing_write64(second, sizes[i] - 8, 99);
		assert_true(gpu_access(space, at, false, &value));
		assert_int_equal(value, 99);
		m.read_only = true;
		assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
		assert_false(gpu_access(space, at, true, &value));
		assert_true(gpu_access(space, at, false, &value));
		/* A hole takes stores and gives zero; then nothing is there. */
		assert_int_equal(rm_vaspace_unmap(space, m.va, m.size, true), NV_OK);
		assert_true(gpu_access(space, at, true, &value));
		assert_true(gpu_access(space, at, false, &value));
		assert_int_equal(value, 0);
		assert_int_equal(rm_backing_read64(second, sizes[i] - 8), 99);
		assert_int_equal(rm_vaspace_unmap(space, m.va, m.size, false), NV_OK);
		assert_false(gpu_access(space, at, false, &value));
		rm_backing_put(first);
		rm_backing_put(second);
	}
	rm_vaspace_put(space);
}

static void test_refusals(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_backing *backing = video(MIB(2), PAGE);
	const struct rm_vaspace_map good = {
		.va = GIB(8), .size = MIB(2), .backing = backing, .page_size = PAGE
	};
	struct rm_vaspace_map m;
	struct rm_vaspace *space;
	u64 live;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	live = unit_live_settled();
#define REFUSED(field, value)                                                         \
	do {                                                                          \
		m = good;                                                             \
		m.field = (value);                                                    \
		assert_int_equal(rm_vaspace_map(space, &m), NV_ERR_INVALID_ARGUMENT); \
	} while (0)
	REFUSED(va, GIB(8) + 1);
	REFUSED(va, 0);
	REFUSED(va, BIT64(57) - MIB(1));
	REFUSED(va, ~(u64)0 - MIB(1) + 1);
	REFUSED(size, 0);
	REFUSED(size, MIB(2) + PAGE);
	REFUSED(size, MIB(2) - 1);
	REFUSED(size, ~(u64)0 - PAGE + 1);
	REFUSED(offset, PAGE);
	REFUSED(offset, 1);
	REFUSED(offset, ~(u64)0 - PAGE + 1);
	REFUSED(page_size, 0);
	REFUSED(page_size, KIB(8));
	REFUSED(page_size, KIB(128));
	assert_int_equal(rm_vaspace_unmap(space, 0, PAGE, false), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(rm_vaspace_unmap(space, GIB(1), 0, false), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(rm_vaspace_unmap(space, GIB(1), BIT64(57), true), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(unit_live_settled(), live);
	rm_vaspace_put(space);
	rm_backing_put(backing);
}

static void test_failing_tables(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_backing *backing = video(MIB(4), MIB(2));
	struct rm_vaspace_map m = { .va = BIT64(56) - MIB(2), /* across every level */
				    .size = MIB(4),
				    .backing = backing,
				    .page_size = PAGE };
	struct rm_vaspace *space;
	enum nv_status status = NV_ERR_NO_MEMORY;
	u32 n, before;
	u64 live;

	if (!os_user_fail_alloc_thread(0))
		skip();
	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	before = free_kib();
	live = unit_live_settled();
	for (n = 1; status != NV_OK && n < 200; n++) {
		os_user_fail_alloc_thread(n);
		status = n % 2 ? rm_vaspace_map(space, &m)
			       : rm_vaspace_unmap(space, m.va - PAGE, m.size + 2 * PAGE, true);
		os_user_fail_alloc_thread(0);
		if (status == NV_OK)
			break;
		assert_int_equal(status, NV_ERR_NO_MEMORY);
		expect_nothing(space, m.va);
		expect_nothing(space, m.va + m.size - 8);
		assert_int_equal(free_kib(), before);
		assert_int_equal(unit_live_settled(), live);
	}
	assert_true(n > 10 && n < 200);
	assert_int_equal(rm_vaspace_unmap(space, m.va - PAGE, m.size + 2 * PAGE, false), NV_OK);
	assert_int_equal(free_kib(), before);
	rm_vaspace_put(space);
	rm_backing_put(backing);
}

/* -- Objects and ranges ------------------------------------------------------------------------ */

static void test_parameters(void **state)
{
	static const struct {
		NV_VASPACE_ALLOCATION_PARAMETERS p;
		enum nv_status status;
	} cases[] = {
		{ { .flags = 0x48 }, NV_OK },
		{ { .flags = 0x4000 }, NV_ERR_INVALID_ARGUMENT },
		{ { .flags = 0x80000000 }, NV_ERR_INVALID_ARGUMENT },
		{ { .flags = 0x10 }, NV_ERR_NOT_SUPPORTED },
		{ { .index = NV_VASPACE_ALLOCATION_INDEX_GPU_HOST }, NV_ERR_INVALID_ARGUMENT },
		{ { .index = NV_VASPACE_ALLOCATION_INDEX_GPU_GLOBAL }, NV_ERR_INVALID_STATE },
		{ { .index = NV_VASPACE_ALLOCATION_INDEX_GPU_FLA }, NV_ERR_INVALID_STATE },
		{ { .index = 77 }, NV_ERR_INVALID_STATE },
		{ { .index = NV_VASPACE_ALLOCATION_INDEX_GPU_DEVICE }, NV_OK },
		{ { .bigPageSize = 65536 }, NV_OK },
		{ { .bigPageSize = 131072 }, NV_OK },
		{ { .bigPageSize = 4096 }, NV_ERR_INVALID_ARGUMENT },
		{ { .vaBase = MIB(1), .vaSize = GIB(16) }, NV_OK },
		{ { .vaBase = 0, .vaSize = PAGE }, NV_ERR_INVALID_ARGUMENT },
		{ { .vaBase = BIT64(57) }, NV_ERR_INVALID_ARGUMENT },
		{ { .vaBase = MIB(1), .vaSize = BIT64(57) }, NV_ERR_INVALID_ARGUMENT },
		{ { .vaBase = 1 }, NV_ERR_INVALID_ARGUMENT },
		{ { .vaSize = ~(u64)0 }, NV_ERR_INVALID_ARGUMENT },
	};
	u64 live = 0;
	u32 i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			NV_VASPACE_ALLOCATION_PARAMETERS p = cases[i].p;
			u32 status = make_space(SPACE, &p);

			if (status != (u32)cases[i].status)
				fail_msg("case %u: %#x", i, status);
			assert_int_equal(host_free(ctl, client, SPACE), NV_OK);
		}
		/* The device's own space is made once, and stays. */
		if (round == 0)
			live = unit_live_settled();
	}
	assert_true(unit_live_becomes(live));
}

static void test_ranges(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { .vaBase = MIB(1), .vaSize = GIB(16) };
	struct rm_vaspace_request r = { .hi = ~(u64)0, .size = MIB(2), .align = MIB(2) };
	struct extent *range, *fixed, *last;
	struct rm_vaspace *space;
	u64 first, end;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	rm_vaspace_limits(space, &first, &end);
	assert_int_equal(first, MIB(1));
	assert_int_equal(end, MIB(1) + GIB(16) - 1);
	assert_int_equal(rm_vaspace_reserve(space, &r, &range), NV_OK);
	assert_int_equal(range->start, MIB(2));
	/* What libcuda asks for, which ends where the firmware's part begins. */
	r.lo = 0x5000000;
	r.size = 0xfb000000;
	r.hi = r.lo + r.size - 1;
	r.align = PAGE;
	assert_int_equal(rm_vaspace_reserve(space, &r, &fixed), NV_OK);
	assert_int_equal(rm_vaspace_reserve(space, &r, &last), NV_ERR_NO_MEMORY);
	r.lo = GIB(4);
	r.size = PAGE;
	r.hi = GIB(4) + MIB(512) - 1;
	assert_int_equal(rm_vaspace_reserve(space, &r, &last), NV_ERR_NO_MEMORY);
	r.lo = 0;
	r.hi = ~(u64)0;
	r.high = true;
	assert_int_equal(rm_vaspace_reserve(space, &r, &last), NV_OK);
	assert_int_equal(last->start, end + 1 - PAGE);
	r.size = 5;
	assert_int_equal(rm_vaspace_reserve(space, &r, &last), NV_ERR_INVALID_ARGUMENT);
	r.size = 0;
	assert_int_equal(rm_vaspace_reserve(space, &r, &last), NV_ERR_INVALID_ARGUMENT);
	rm_vaspace_release(space, range);
	rm_vaspace_release(space, fixed);
	rm_vaspace_release(space, last);
	rm_vaspace_put(space);
}

static void test_owned_elsewhere(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { .flags = 0x48 };
	struct rm_vaspace_request r = { .hi = ~(u64)0, .size = MIB(2), .align = MIB(2) };
	struct rm_backing *backing = video(MIB(2), MIB(2));
	struct rm_vaspace_map m = {
		.va = GIB(8), .size = MIB(2), .backing = backing, .page_size = MIB(2)
	};
	enum rm_aperture aperture;
	struct rm_vaspace *space;
	struct extent *range;
	u64 root;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	assert_true(rm_vaspace_is_external(space));
	assert_false(rm_vaspace_page_directory(space, &aperture, &root));
	assert_int_equal(rm_vaspace_reserve(space, &r, &range), NV_ERR_INVALID_OPERATION);
	assert_int_equal(rm_vaspace_map(space, &m), NV_ERR_INVALID_OPERATION);
	assert_int_equal(rm_vaspace_unmap(space, GIB(8), MIB(2), false), NV_ERR_INVALID_OPERATION);
	rm_vaspace_put(space);
	rm_backing_put(backing);
}

static enum nv_status set_root(u32 handle, u64 address, enum rm_aperture aperture)
{
	struct rm_call call;
	enum nv_status status;

	assert_int_equal(rm_api_begin(&call, host.fds[ctl].file, client, handle), NV_OK);
	status = rm_vaspace_set_page_directory(&call, call.object, address, aperture, 2);
	rm_api_end(&call);
	return status;
}

static enum nv_status unset_root(u32 handle)
{
	struct rm_call call;
	enum nv_status status;

	assert_int_equal(rm_api_begin(&call, host.fds[ctl].file, client, handle), NV_OK);
	status = rm_vaspace_unset_page_directory(&call, call.object);
	rm_api_end(&call);
	return status;
}

static void test_root_of_others(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { .flags = 0x48 }, managed = { 0 };
	struct rm_backing *backing = video(MIB(2), MIB(2));
	enum rm_aperture aperture;
	struct rm_vaspace *space;
	u64 root, contiguous, at = rm_backing_address(backing, 0, &aperture, &contiguous);

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	assert_int_equal(make_space(SPACE + 1, &managed), NV_OK);
	space = space_get(SPACE);
	assert_int_equal(set_root(SPACE + 1, at, RM_APERTURE_VIDEO), NV_ERR_INVALID_OPERATION);
	assert_int_equal(unset_root(SPACE), NV_OK);
	/* The firmware refuses what is no video memory: nothing is set. */
	assert_int_not_equal(set_root(SPACE, BIT64(50), RM_APERTURE_VIDEO), NV_OK);
	assert_false(rm_vaspace_page_directory(space, &aperture, &root));
	assert_int_equal(set_root(SPACE, at, RM_APERTURE_VIDEO), NV_OK);
	assert_true(rm_vaspace_page_directory(space, &aperture, &root));
	assert_int_equal(root, at);
	assert_int_equal(set_root(SPACE, at, RM_APERTURE_VIDEO), NV_ERR_IN_USE);
	assert_int_equal(rm_tlb_invalidate(host.rm_gpus[0], RM_APERTURE_VIDEO, at), NV_OK);
	assert_int_equal(rm_tlb_invalidate(host.rm_gpus[0], RM_APERTURE_SYSTEM_COHERENT, at),
			 NV_OK);
	assert_int_equal(unset_root(SPACE), NV_OK);
	assert_false(rm_vaspace_page_directory(space, &aperture, &root));
	/* It goes with the object that it was told for. */
	assert_int_equal(set_root(SPACE, at, RM_APERTURE_VIDEO), NV_OK);
	assert_int_equal(host_free(ctl, client, SPACE), NV_OK);
	assert_false(rm_vaspace_page_directory(space, &aperture, &root));
	rm_vaspace_put(space);
	rm_backing_put(backing);
}

/* The object goes, and a duplicate keeps the space; the memory goes with the last holder. */
static void test_duplicates_share(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	NVOS55_PARAMETERS dup = { .hClient = client,
				  .hParent = DEVICE,
				  .hObject = SPACE + 1,
				  .hClientSrc = client,
				  .hObjectSrc = SPACE };
	struct rm_vaspace *space;
	u32 before = free_kib();

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	assert_true(free_kib() < before);
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_DUP_OBJECT, &dup, sizeof(dup)), RM_IOCTL_OK);
	assert_int_equal(dup.status, NV_OK);
	space = space_get(SPACE);
	assert_int_equal(host_free(ctl, client, SPACE), NV_OK);
	{
		struct rm_vaspace *other = space_get(SPACE + 1);

		assert_ptr_equal(space, other);
		rm_vaspace_put(other);
	}
	assert_int_equal(host_free(ctl, client, SPACE + 1), NV_OK);
	assert_true(free_kib() < before);
	rm_vaspace_put(space);
	assert_int_equal(free_kib(), before);
}

static void test_lost(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS p = { 0 };
	struct rm_backing *backing = video(MIB(2), MIB(2));
	struct rm_vaspace_map m = {
		.va = GIB(8), .size = MIB(2), .backing = backing, .page_size = MIB(2)
	};
	struct rm_vaspace *space;

	assert_int_equal(make_space(SPACE, &p), NV_OK);
	space = space_get(SPACE);
	assert_int_equal(rm_vaspace_map(space, &m), NV_OK);
	rm_gpu_gone(host.rm_gpus[0]);
	assert_int_equal(rm_vaspace_unmap(space, GIB(8), MIB(2), false), NV_ERR_GPU_IS_LOST);
	rm_vaspace_put(space);
	rm_backing_put(backing);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_page_size),
		T(test_pages_of_different_sizes_meet),
		T(test_holes),
		T(test_huge_holes),
		T(test_holes_around_pages),
		T(test_system_memory),
		T(test_refusals),
		T(test_gpu_sees_each_change),
		T(test_failing_tables),
		T(test_parameters),
		T(test_ranges),
		T(test_owned_elsewhere),
		T(test_root_of_others),
		T(test_duplicates_share),
		T(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
