// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Virtual memory objects and MAP_MEMORY_DMA, as a client asks for them, checked in the page tables:
 * ranges and windows, places, page sizes, rights, and what remains when either side goes.
 */
#include "page_walk.h"
#include "rm/api/api.h"
#include "rm/class/vaspace.h"
#include "rm_host.h"

#define DEVICE 0xd0u
#define SUBDEVICE 0xd1u
#define SPACE 0xf0u
#define RANGE 0xf1u
#define WINDOW 0xf2u
#define MEMORY 0xe0u
#define SYSTEM 0xe1u
#define PAGE OS_PAGE_SIZE

#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))
#define FIXED FIELD(TRUE, NVOS46_FLAGS_DMA_OFFSET_FIXED)

static int ctl;
static u32 client;

static u32 alloc(u32 class_id, u32 handle, void *p)
{
	return host_alloc(ctl, client, DEVICE, &handle, class_id, p, 0);
}

static void make_memory(u32 handle, u64 size, u32 attr)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .owner = 1, .size = size, .attr = attr };
	bool system = REG_GET(NVOS32_ATTR_LOCATION, attr) == NVOS32_ATTR_LOCATION_PCI;

	assert_int_equal(alloc(system ? NV01_MEMORY_SYSTEM : NV01_MEMORY_LOCAL_USER, handle, &p),
			 NV_OK);
}

static int start(void **state)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	NV_VASPACE_ALLOCATION_PARAMETERS v = { 0 };
	u32 device = DEVICE, subdevice = SUBDEVICE;

	host_start(2);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	assert_true(host_open(RM_NODE_GPU, 1) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(ctl, client, device, &subdevice, NV20_SUBDEVICE_0, NULL, 0),
			 NV_OK);
	assert_int_equal(alloc(FERMI_VASPACE_A, SPACE, &v), NV_OK);
	make_memory(MEMORY, MIB(8), 0);
	make_memory(SYSTEM, 64 * PAGE, FIELD(PCI, NVOS32_ATTR_LOCATION));
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

static u32 make_range(u32 handle, u64 size, u32 flags, u64 *offset)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .owner = 1,
					  .size = size,
					  .flags = flags | NVOS32_ALLOC_FLAGS_VIRTUAL,
					  .offset = *offset,
					  .hVASpace = SPACE };
	u32 status = alloc(NV50_MEMORY_VIRTUAL, handle, &p);

	*offset = p.offset;
	return status;
}

static void make_window(u64 lo, u64 hi)
{
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS p = { .offset = lo, .limit = hi, .hVASpace = SPACE };

	assert_int_equal(alloc(NV01_MEMORY_VIRTUAL, WINDOW, &p), NV_OK);
}

static u32 map(u32 dma, u32 memory, u64 offset, u64 length, u32 flags, u64 *va)
{
	NVOS46_PARAMETERS p = { .hClient = client,
				.hDevice = DEVICE,
				.hDma = dma,
				.hMemory = memory,
				.offset = offset,
				.length = length,
				.flags = flags,
				.dmaOffset = va ? *va : 0 };

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)), RM_IOCTL_OK);
	if (va)
		*va = p.dmaOffset;
	return p.status;
}

static u32 unmap(u32 dma, u32 memory, u64 va)
{
	NVOS47_PARAMETERS p = { .hClient = client,
				.hDevice = DEVICE,
				.hDma = dma,
				.hMemory = memory,
				.dmaOffset = va };

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_UNMAP_MEMORY_DMA, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

static struct found walk(u64 va)
{
	enum rm_aperture aperture;
	struct rm_call call;
	u64 root;

	assert_int_equal(rm_api_begin(&call, host.fds[ctl].file, client, SPACE), NV_OK);
	assert_true(rm_vaspace_page_directory(rm_vaspace_of(call.object), &aperture, &root));
	rm_api_end(&call);
	return page_walk(host.gpus[0].pci, root, va);
}

static bool nothing(u64 va)
{
	struct found f = walk(va);

	return !f.page && !f.sparse;
}

/* -- Ranges ------------------------------------------------------------------------------------ */

static void test_what_libcuda_asks(void **state)
{
	NVOS32_PARAMETERS p = { .hRoot = client,
				.hObjectParent = DEVICE,
				.function = NVOS32_FUNCTION_ALLOC_SIZE,
				.hVASpace = SPACE };

	p.data.AllocSize.owner = client;
	p.data.AllocSize.hMemory = RANGE;
	p.data.AllocSize.flags = 0x8c415;
	p.data.AllocSize.size = 0xfb000000;
	p.data.AllocSize.offset = 0x5000000;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
	assert_int_equal(p.data.AllocSize.offset, 0x5000000);
	assert_int_equal(p.data.AllocSize.size, 0xfb000000);
}

static void test_ranges(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .owner = 1, .size = PAGE, .hVASpace = SPACE };
	u64 at = MIB(64), other = MIB(64) + MIB(1), high = 0;

	assert_int_equal(make_range(RANGE, MIB(2), NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE, &at),
			 NV_OK);
	assert_int_equal(
		make_range(RANGE + 1, MIB(2), NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE, &other),
		NV_ERR_NO_MEMORY);
	other = MIB(64) + 1;
	assert_int_equal(
		make_range(RANGE + 1, MIB(2), NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE, &other),
		NV_ERR_INVALID_OFFSET);
	other = ~(u64)0 - MIB(1) + 1;
	assert_int_equal(
		make_range(RANGE + 1, MIB(2), NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE, &other),
		NV_ERR_INVALID_OFFSET);
	other = GIB(4); /* the firmware's */
	assert_int_equal(
		make_range(RANGE + 1, MIB(2), NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE, &other),
		NV_ERR_NO_MEMORY);
	assert_int_equal(
		make_range(RANGE + 1, MIB(2), NVOS32_ALLOC_FLAGS_FORCE_MEM_GROWS_DOWN, &high),
		NV_OK);
	assert_int_equal(high, BIT64(57) - MIB(2));
	p.flags = NVOS32_ALLOC_FLAGS_VIRTUAL;
	p.owner = 0;
	assert_int_equal(alloc(NV50_MEMORY_VIRTUAL, RANGE + 2, &p), NV_ERR_INVALID_OWNER);
	p.owner = 1;
	p.size = 0;
	assert_int_equal(alloc(NV50_MEMORY_VIRTUAL, RANGE + 2, &p), NV_ERR_INVALID_ARGUMENT);
	p.size = ~(u64)0;
	assert_int_equal(alloc(NV50_MEMORY_VIRTUAL, RANGE + 2, &p), NV_ERR_NO_MEMORY);
	p.size = BIT64(58);
	assert_int_equal(alloc(NV50_MEMORY_VIRTUAL, RANGE + 2, &p), NV_ERR_NO_MEMORY);
	p.size = PAGE;
	p.hVASpace = MEMORY;
	assert_int_equal(alloc(NV50_MEMORY_VIRTUAL, RANGE + 2, &p), NV_ERR_INVALID_OBJECT_HANDLE);
	p.hVASpace = 0xbad;
	assert_int_equal(alloc(NV50_MEMORY_VIRTUAL, RANGE + 2, &p), NV_ERR_OBJECT_NOT_FOUND);
	/* In the device's own space, which is another one. */
	p.hVASpace = 0;
	assert_int_equal(alloc(NV50_MEMORY_VIRTUAL, RANGE + 2, &p), NV_OK);
	/* The space that a range is in takes the range with it. */
	assert_int_equal(host_free(ctl, client, SPACE), NV_OK);
	assert_int_equal(map(RANGE, MEMORY, 0, PAGE, 0, NULL), NV_ERR_RESOURCE_LOST);
	assert_int_equal(map(RANGE + 2, MEMORY, 0, PAGE, 0, NULL), NV_OK);
}

static void test_map_into_range(void **state)
{
	u64 at = 0, va, second, before = free_kib();
	struct found f;

	assert_int_equal(make_range(RANGE, MIB(4), 0, &at), NV_OK);
	va = 0;
	assert_int_equal(map(RANGE, MEMORY, 0, MIB(2), 0, &va), NV_OK);
	assert_int_equal(va, at);
	f = walk(va);
	assert_true(f.page);
	assert_int_equal(f.size, MIB(2));
	assert_int_equal(f.pcf, NV_MMU_VER3_PTE_PCF_REGULAR_RW_ATOMIC_CACHED_ACD);
	/* Not a whole page of the memory's: small ones. */
	second = 0;
	assert_int_equal(map(RANGE, MEMORY, MIB(2) + 0x123, 0x1000,
			     FIELD(READ_ONLY, NVOS46_FLAGS_ACCESS), &second),
			 NV_OK);
	assert_int_equal(second, at + MIB(2) + 0x123);
	f = walk(second);
	assert_int_equal(f.size, PAGE);
	assert_int_equal(f.pcf, NV_MMU_VER3_PTE_PCF_REGULAR_RO_ATOMIC_CACHED_ACD);
	assert_true(walk(second + PAGE).page);
	assert_true(nothing(second + 2 * PAGE));
	/* Full; and where something is already. */
	assert_int_equal(map(RANGE, MEMORY, 0, MIB(2), 0, NULL), NV_ERR_NO_MEMORY);
	va = at;
	assert_int_equal(map(RANGE, MEMORY, 0, PAGE, FIXED, &va), NV_ERR_NO_MEMORY);
	va = at + MIB(4);
	assert_int_equal(map(RANGE, MEMORY, 0, PAGE, FIXED, &va), NV_ERR_INVALID_OFFSET);
	va = at + MIB(3);
	assert_int_equal(map(RANGE, MEMORY, 0, MIB(2), FIXED, &va), NV_ERR_INVALID_OFFSET);
	va = at + MIB(4) - PAGE;
	assert_int_equal(map(RANGE, SYSTEM, 0, PAGE, FIXED, &va), NV_OK);
	f = walk(va);
	assert_int_equal(f.aperture, NV_MMU_VER3_PTE_APERTURE_SYSTEM_COHERENT_MEMORY);
	assert_int_equal(f.pcf, NV_MMU_VER3_PTE_PCF_REGULAR_RW_ATOMIC_UNCACHED_ACD);

	assert_int_equal(unmap(RANGE, MEMORY, at + 1), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(unmap(RANGE, SYSTEM, at), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(unmap(RANGE, MEMORY, at), NV_OK);
	assert_int_equal(unmap(RANGE, MEMORY, at), NV_ERR_OBJECT_NOT_FOUND);
	assert_true(nothing(at));
	/* The memory goes: its mapping does. */
	assert_int_equal(host_free(ctl, client, SYSTEM), NV_OK);
	assert_true(nothing(va));
	assert_int_equal(unmap(RANGE, 0, va), NV_ERR_OBJECT_NOT_FOUND);
	/* The range goes: what was mapped is not. */
	assert_int_equal(host_free(ctl, client, RANGE), NV_OK);
	assert_true(nothing(second));
	assert_int_equal(free_kib(), before);
}

static void test_window(void **state)
{
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS p = { .offset = 5, .limit = 4, .hVASpace = SPACE };
	u64 va = 0, high = 0, at = MIB(64);

	assert_int_equal(alloc(NV01_MEMORY_VIRTUAL, WINDOW, &p), NV_ERR_INVALID_OFFSET);
	p.limit = BIT64(57);
	assert_int_equal(alloc(NV01_MEMORY_VIRTUAL, WINDOW, &p), NV_ERR_INVALID_LIMIT);
	p.hVASpace = DEVICE;
	assert_int_equal(alloc(NV01_MEMORY_VIRTUAL, WINDOW, &p), NV_ERR_INVALID_OBJECT_HANDLE);
	make_window(MIB(64), MIB(128) - 1);
	assert_int_equal(map(WINDOW, MEMORY, 0, MIB(8), 0, &va), NV_OK);
	assert_int_equal(va, MIB(64));
	assert_int_equal(
		map(WINDOW, MEMORY, 0, MIB(8), FIELD(DOWN, NVOS46_FLAGS_DMA_OFFSET_GROWS), &high),
		NV_OK);
	assert_int_equal(high, MIB(120));
	/* What is mapped here is taken for others too. */
	assert_int_equal(make_range(RANGE, MIB(2), NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE, &at),
			 NV_ERR_NO_MEMORY);
	assert_int_equal(unmap(WINDOW, MEMORY, va), NV_OK);
	assert_int_equal(make_range(RANGE, MIB(2), NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE, &at),
			 NV_OK);
	va = MIB(200);
	assert_int_equal(map(WINDOW, MEMORY, 0, PAGE, FIXED, &va), NV_ERR_INVALID_OFFSET);
	assert_int_equal(host_free(ctl, client, WINDOW), NV_OK);
	assert_true(nothing(high));
	/* One that disallows mappings. */
	p = (NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS){ .hVASpace = 0xffffffff };
	assert_int_equal(alloc(NV01_MEMORY_VIRTUAL, WINDOW, &p), NV_OK);
	assert_int_equal(p.limit, BIT64(40) - 1);
	assert_int_equal(map(WINDOW, MEMORY, 0, PAGE, 0, NULL), NV_ERR_NOT_SUPPORTED);
}

static void test_sparse_range(void **state)
{
	u64 at = 0, va, before = free_kib();

	assert_int_equal(make_range(RANGE, MIB(4), NVOS32_ALLOC_FLAGS_SPARSE, &at), NV_OK);
	assert_true(walk(at).sparse);
	assert_true(walk(at + MIB(4) - 1).sparse);
	va = at + MIB(1);
	assert_int_equal(map(RANGE, SYSTEM, 0, PAGE, FIXED, &va), NV_OK);
	assert_true(walk(va).page);
	assert_int_equal(unmap(RANGE, SYSTEM, va), NV_OK);
	assert_true(walk(va).sparse);
	assert_int_equal(host_free(ctl, client, RANGE), NV_OK);
	assert_true(nothing(at));
	assert_int_equal(free_kib(), before);
}

static void test_refusals(void **state)
{
	static const struct {
		u32 dma, memory, flags;
		u64 offset, length;
		enum nv_status status;
	} cases[] = {
		{ RANGE, MEMORY, 0, 0, 0, NV_ERR_INVALID_BASE },
		{ RANGE, MEMORY, 0, MIB(8), 1, NV_ERR_INVALID_BASE },
		{ RANGE, MEMORY, 0, 1, MIB(8), NV_ERR_INVALID_BASE },
		{ RANGE, MEMORY, 0, ~0ull, 2, NV_ERR_INVALID_BASE },
		{ RANGE, MEMORY, 0, 0, ~0ull, NV_ERR_INVALID_BASE },
		{ RANGE, SYSTEM, FIELD(BIG, NVOS46_FLAGS_PAGE_SIZE), 0, PAGE,
		  NV_ERR_NOT_SUPPORTED },
		{ RANGE, MEMORY, 15 << 8, 0, PAGE, NV_ERR_NOT_SUPPORTED },
		{ RANGE, MEMORY, FIELD(YES, NVOS46_FLAGS_P2P_ENABLE), 0, PAGE,
		  NV_ERR_NOT_SUPPORTED },
		{ RANGE, DEVICE, 0, 0, PAGE, NV_ERR_NOT_SUPPORTED },
		{ RANGE, RANGE, 0, 0, PAGE, NV_ERR_NOT_SUPPORTED },
		{ RANGE, 0xbad, 0, 0, PAGE, NV_ERR_OBJECT_NOT_FOUND },
		{ 0xbad, MEMORY, 0, 0, PAGE, NV_ERR_OBJECT_NOT_FOUND },
		{ MEMORY, MEMORY, 0, 0, PAGE, NV_ERR_INVALID_OBJECT_HANDLE },
		{ SPACE, MEMORY, 0, 0, PAGE, NV_ERR_INVALID_OBJECT_HANDLE },
	};
	NVOS46_PARAMETERS p = { .hClient = client, .hDma = RANGE, .hMemory = MEMORY, .length = 1 };
	u64 at = 0, live;
	u32 i;

	assert_int_equal(make_range(RANGE, MIB(32), 0, &at), NV_OK);
	live = unit_live_settled();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 status = map(cases[i].dma, cases[i].memory, cases[i].offset, cases[i].length,
				 cases[i].flags, NULL);

		if (status != (u32)cases[i].status)
			fail_msg("case %u: %#x", i, status);
	}
	p.hDevice = SUBDEVICE;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_ERR_NOT_SUPPORTED);
	p.hDevice = MEMORY;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_ERR_INVALID_OBJECT_PARENT);
	p.hDevice = 0xbad;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.status, NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(unmap(MEMORY, MEMORY, at), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_true(unit_live_becomes(live));
}

static void test_failing(void **state)
{
	u32 n, fails = 0, before = free_kib();
	u64 live;

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (n = 1; n < 80; n++) {
		u64 at = GIB(n % 7 + 8) - PAGE, va;
		u32 status;

		live = unit_live_settled();
		os_user_fail_alloc_thread(n);
		status = make_range(RANGE, MIB(4),
				    NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE |
					    (n % 2 ? NVOS32_ALLOC_FLAGS_SPARSE : 0),
				    &at);
		va = at;
		if (status == NV_OK)
			status = map(RANGE, MEMORY, PAGE, MIB(3), FIXED, &va);
		os_user_fail_alloc_thread(0);
		fails += status != NV_OK;
		assert_int_equal(host_free(ctl, client, RANGE), NV_OK);
		assert_true(nothing(at));
		assert_true(nothing(at + MIB(1)));
		assert_int_equal(free_kib(), before);
		assert_true(unit_live_becomes(live));
	}
	assert_true(fails > 10);
}

/* A client goes with all of it: nothing is left in video memory. */
static void test_client_goes(void **state)
{
	u64 at = 0, va = 0;

	assert_int_equal(make_range(RANGE, MIB(32), NVOS32_ALLOC_FLAGS_SPARSE, &at), NV_OK);
	make_window(0, 0);
	assert_int_equal(map(RANGE, MEMORY, 0, MIB(8), 0, NULL), NV_OK);
	assert_int_equal(map(RANGE, SYSTEM, 0, PAGE, 0, NULL), NV_OK);
	assert_int_equal(map(WINDOW, MEMORY, 0, MIB(8), 0, &va), NV_OK);
	assert_int_equal(map(WINDOW, SYSTEM, PAGE, 9 * PAGE, 0, NULL), NV_OK);
	assert_int_equal(host_free(ctl, client, client), NV_OK);
	{
		struct rm_statistics s;

		rm_statistics(host.rm, &s);
		assert_int_equal(s.video_memory, 0);
	}
}

/* -- A GPU that does not forget ---------------------------------------------------------------- */

#define OTHER 0xe2u
#define SPARSE 0xf3u

static void stick(bool on)
{
	os_store_relaxed(&host.gpus[0].stuck, on);
}

/* Whether the GPU could reach a page of system memory. */
static bool reachable(u64 address)
{
	void *cpu;

	return os_user_dma_find(host.gpus[0].pci, address, PAGE, &cpu);
}

static u32 free_object(u32 handle)
{
	return host_free(ctl, client, handle);
}

/*
 * An invalidation times out: what was mapped is not given to others before one is done, what is
 * mapped meanwhile is refused, and nothing of it stays in the page tables.
 */
static void test_timeout(void **state)
{
	u64 at = 0, sparse = 0, va = 0, system = 0, address;
	u32 kib;

	make_memory(OTHER, MIB(8), 0);
	assert_int_equal(make_range(RANGE, MIB(32), 0, &at), NV_OK);
	assert_int_equal(make_range(SPARSE, MIB(4), NVOS32_ALLOC_FLAGS_SPARSE, &sparse), NV_OK);
	assert_int_equal(map(RANGE, MEMORY, 0, MIB(8), 0, &va), NV_OK);
	assert_int_equal(map(RANGE, SYSTEM, 0, 64 * PAGE, 0, &system), NV_OK);
	address = walk(system).address;
	kib = free_kib();
	stick(true);
	assert_int_equal(unmap(RANGE, MEMORY, va), NV_ERR_TIMEOUT);
	assert_true(nothing(va));
	/* With all that maps it; this one asks for the last time. */
	assert_int_equal(free_object(MEMORY), NV_OK);
	assert_int_equal(free_object(SYSTEM), NV_OK);
	assert_true(nothing(system));
	assert_int_equal(free_kib(), kib);
	assert_true(reachable(address));
	va = at;
	assert_int_equal(map(RANGE, OTHER, 0, MIB(8), FIXED, &va), NV_ERR_TIMEOUT);
	assert_true(nothing(at));
	va = sparse;
	assert_int_equal(map(SPARSE, OTHER, 0, PAGE, FIXED, &va), NV_ERR_TIMEOUT);
	assert_true(walk(sparse).sparse);
	assert_int_equal(free_object(OTHER), NV_OK);
	assert_true(free_kib() <= kib);
	/* It answers again: the next one is of all. */
	stick(false);
	make_memory(OTHER, MIB(8), 0);
	va = at;
	assert_int_equal(map(RANGE, OTHER, 0, MIB(8), FIXED, &va), NV_OK);
	assert_true(walk(at).page);
	assert_true(free_kib() >= kib + MIB(7) / KIB(1));
	assert_false(reachable(address));
}

/* It asks by itself where memory is freed; and a GPU that goes keeps nothing. */
static void test_timeout_and_gone(void **state)
{
	u64 at = 0, va = 0;
	u32 kib;

	make_memory(OTHER, MIB(8), 0);
	assert_int_equal(make_range(RANGE, MIB(32), 0, &at), NV_OK);
	assert_int_equal(map(RANGE, MEMORY, 0, MIB(8), 0, &va), NV_OK);
	kib = free_kib();
	stick(true);
	assert_int_equal(unmap(RANGE, MEMORY, va), NV_ERR_TIMEOUT);
	assert_int_equal(free_object(MEMORY), NV_OK);
	assert_int_equal(free_kib(), kib);
	stick(false);
	assert_int_equal(free_object(OTHER), NV_OK);
	assert_true(free_kib() >= kib + MIB(16) / KIB(1));
	make_memory(MEMORY, MIB(8), 0);
	va = 0;
	assert_int_equal(map(RANGE, SYSTEM, 0, PAGE, 0, &va), NV_OK);
	stick(true);
	assert_int_equal(unmap(RANGE, SYSTEM, va), NV_ERR_TIMEOUT);
	assert_int_equal(free_object(SYSTEM), NV_OK);
	assert_int_equal(free_object(MEMORY), NV_OK);
	host_remove(0);
	stick(false);
}

/* -- Many at once ------------------------------------------------------------------------------ */

struct worker {
	int fd, target;
	u32 client, rounds;
	u32 failed; /* requests that were refused */
};

#define WORKERS 4u

static u32 worker_alloc(struct worker *w, u32 parent, u32 handle, u32 class_id, void *params)
{
	return host_alloc(w->fd, w->client, parent, &handle, class_id, params, 0);
}

/* Every client's memory, space and mappings are its own; heap, TLB and messages are all's. */
static void work(void *arg)
{
	struct worker *w = arg;
	u32 i;

	for (i = 0; i < w->rounds; i++) {
		NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = MIB(2) }, system = {
			.owner = 1, .size = 8 * PAGE, .attr = FIELD(PCI, NVOS32_ATTR_LOCATION)
		};
		NV_VASPACE_ALLOCATION_PARAMETERS v = { 0 };
		NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS window = { .hVASpace = SPACE };
		NVOS46_PARAMETERS map = { .hClient = w->client,
					  .hDevice = DEVICE,
					  .hDma = WINDOW,
					  .hMemory = MEMORY,
					  .length = MIB(2) };
		nv_ioctl_nvos33_parameters_with_fd cpu = {
			.params = { .hClient = w->client,
				    .hDevice = DEVICE,
				    .hMemory = SYSTEM,
				    .length = 8 * PAGE },
			.fd = w->target,
		};
		struct rm_mapping *mapping;

		w->failed +=
			worker_alloc(w, DEVICE, MEMORY, NV01_MEMORY_LOCAL_USER, &video) != NV_OK;
		w->failed += worker_alloc(w, DEVICE, SYSTEM, NV01_MEMORY_SYSTEM, &system) != NV_OK;
		w->failed += worker_alloc(w, DEVICE, SPACE, FERMI_VASPACE_A, &v) != NV_OK;
		w->failed += worker_alloc(w, DEVICE, WINDOW, NV01_MEMORY_VIRTUAL, &window) != NV_OK;
		host_ioctl(w->fd, NV_ESC_RM_MAP_MEMORY_DMA, &map, sizeof(map));
		w->failed += map.status != NV_OK;
		map.hMemory = SYSTEM;
		map.length = 8 * PAGE;
		host_ioctl(w->fd, NV_ESC_RM_MAP_MEMORY_DMA, &map, sizeof(map));
		w->failed += map.status != NV_OK;
		if (i == 0) {
			host_ioctl(w->fd, NV_ESC_RM_MAP_MEMORY, &cpu, sizeof(cpu));
			w->failed += cpu.params.status != NV_OK;
		}
		if (rm_file_mmap(host.fds[w->target].file, 0, 8 * PAGE, true, &mapping) == NV_OK)
			rm_mapping_put(mapping);
		else
			w->failed++;
		host_free(w->fd, w->client, i & 1 ? SPACE : MEMORY);
		host_free(w->fd, w->client, i & 1 ? MEMORY : SYSTEM);
		host_free(w->fd, w->client, WINDOW);
		host_free(w->fd, w->client, i & 1 ? SYSTEM : SPACE);
	}
}

static void test_clients_at_once(void **state)
{
	static struct worker workers[WORKERS];
	struct os_thread *threads[WORKERS];
	struct rm_statistics s;
	u32 i;

	assert_int_equal(host_free(ctl, client, client), NV_OK);
	for (i = 0; i < WORKERS; i++) {
		NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
		struct worker *w = &workers[i];

		w->fd = host_open(RM_NODE_CONTROL, 0);
		w->target = host_open(RM_NODE_CONTROL, 0);
		w->client = host_client(w->fd);
		w->rounds = UNIT_SANITIZED ? 15 : 60;
		w->failed = 0;
		assert_int_equal(worker_alloc(w, w->client, DEVICE, NV01_DEVICE_0, &d), NV_OK);
	}
	for (i = 0; i < WORKERS; i++) {
		threads[i] = os_thread_create("worker", work, &workers[i]);
		assert_non_null(threads[i]);
	}
	for (i = 0; i < WORKERS; i++)
		os_thread_join(threads[i]);
	for (i = 0; i < WORKERS; i++) {
		assert_int_equal(workers[i].failed, 0);
		host_close(workers[i].target);
		host_close(workers[i].fd);
	}
	rm_statistics(host.rm, &s);
	assert_int_equal(s.video_memory, 0);
	assert_int_equal(s.clients, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_libcuda_asks), T(test_ranges),
		T(test_map_into_range),	   T(test_window),
		T(test_sparse_range),	   T(test_refusals),
		T(test_failing),	   T(test_client_goes),
		T(test_timeout),	   T(test_timeout_and_gone),
		T(test_clients_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
