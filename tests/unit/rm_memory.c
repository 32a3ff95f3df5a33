// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory objects and their mappings into processes: sizes and places, who has what, what mmap of a
 * file maps, and what stays when objects, files and clients go in any order.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE 0xd0u
#define SUBDEVICE 0xd1u
#define MEMORY 0xe0u
#define PAGE OS_PAGE_SIZE

#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))

static int ctl;
static u32 client;

static void make_devices(int fd, u32 root, u32 instance)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = instance };
	u32 device = DEVICE, subdevice = SUBDEVICE;

	assert_int_equal(host_alloc(fd, root, root, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(fd, root, device, &subdevice, NV20_SUBDEVICE_0, NULL, 0),
			 NV_OK);
}

static int start(void **state)
{
	host_start(2);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	assert_true(host_open(RM_NODE_GPU, 1) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	make_devices(ctl, client, 0);
	return 0;
}

static u32 info(u32 index)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = 1 };

	p.fbInfoList[0].index = index;
	assert_int_equal(
		host_control(ctl, client, SUBDEVICE, NV2080_CTRL_CMD_FB_GET_INFO_V2, &p, sizeof(p)),
		NV_OK);
	return p.fbInfoList[0].data;
}

static u32 free_kib(void)
{
	return info(NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE);
}

static u32 make(u32 class_id, u32 handle, NV_MEMORY_ALLOCATION_PARAMS *p)
{
	p->owner = 1;
	return host_alloc(ctl, client, DEVICE, &handle, class_id, p, 0);
}

static void make_video(u32 handle, u64 size)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .size = size };

	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, handle, &p), NV_OK);
}

static void make_system(u32 handle, u64 size)
{
	NV_MEMORY_ALLOCATION_PARAMS p = {
		.size = size,
		.attr = FIELD(PCI, NVOS32_ATTR_LOCATION) | FIELD(CACHED, NVOS32_ATTR_COHERENCY),
	};

	assert_int_equal(make(NV01_MEMORY_SYSTEM, handle, &p), NV_OK);
}

/* -- Video memory ------------------------------------------------------------------------------ */

static void test_pieces_where_none_is_large_enough(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .size = GIB(40) };
	u32 before = free_kib(), i, made = 0;

	/* Every second of many pieces freed: half the memory is free, in no piece of more than 2
	 * GiB. */
	for (i = 0; i < 64; i++) {
		NV_MEMORY_ALLOCATION_PARAMS one = { .size = GIB(2) };

		if (make(NV01_MEMORY_LOCAL_USER, 0x100 + i, &one) != NV_OK)
			break;
		made++;
	}
	assert_true(made > 30);
	for (i = 0; i < made; i += 2)
		assert_int_equal(host_free(ctl, client, 0x100 + i), NV_OK);
	p.size = GIB(16);
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY, &p), NV_ERR_NO_MEMORY);
	p.attr = FIELD(CONTIGUOUS, NVOS32_ATTR_PHYSICALITY);
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY, &p), NV_ERR_NO_MEMORY);
	p.attr = FIELD(ALLOW_NONCONTIGUOUS, NVOS32_ATTR_PHYSICALITY);
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY, &p), NV_OK);
	assert_int_equal(REG_GET(NVOS32_ATTR_PHYSICALITY, p.attr),
			 NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS);
	assert_int_equal(p.size, GIB(16));
	/* More than there is takes nothing. */
	i = free_kib();
	p.size = GIB(70);
	p.attr = FIELD(ALLOW_NONCONTIGUOUS, NVOS32_ATTR_PHYSICALITY);
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, 0xf00, &p), NV_ERR_NO_MEMORY);
	assert_int_equal(free_kib(), i);
	assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
	for (i = 1; i < made; i += 2)
		assert_int_equal(host_free(ctl, client, 0x100 + i), NV_OK);
	assert_int_equal(free_kib(), before);
}

static void test_alignment_and_place(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .size = 1 };
	u64 at;

	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY, &p), NV_OK);
	assert_int_equal(p.size, KIB(64));
	p = (NV_MEMORY_ALLOCATION_PARAMS){ .size = MIB(2) + 1 };
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 1, &p), NV_OK);
	assert_int_equal(p.size, MIB(4));
	assert_true(is_aligned(p.offset, MIB(2)));
	p = (NV_MEMORY_ALLOCATION_PARAMS){ .size = 5000,
					   .attr = FIELD(4KB, NVOS32_ATTR_PAGE_SIZE) };
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 2, &p), NV_OK);
	assert_int_equal(p.size, 2 * PAGE);
	p = (NV_MEMORY_ALLOCATION_PARAMS){
		.size = 1,
		.attr = FIELD(HUGE, NVOS32_ATTR_PAGE_SIZE),
		.attr2 = FIELD(512MB, NVOS32_ATTR2_PAGE_SIZE_HUGE),
	};
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 3, &p), NV_OK);
	assert_int_equal(p.size, MIB(512));
	assert_true(is_aligned(p.offset, MIB(512)));
	at = p.offset;
	/* From the end, and at a place that is taken. */
	p = (NV_MEMORY_ALLOCATION_PARAMS){ .size = MIB(2),
					   .flags = NVOS32_ALLOC_FLAGS_FORCE_MEM_GROWS_DOWN };
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 4, &p), NV_OK);
	assert_true(p.offset > at);
	p.flags = NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE;
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 5, &p), NV_ERR_NO_MEMORY);
	assert_int_equal(host_free(ctl, client, MEMORY + 4), NV_OK);
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 5, &p), NV_OK);
	p.flags = NVOS32_ALLOC_FLAGS_FIXED_ADDRESS_ALLOCATE;
	p.offset += PAGE;
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 6, &p), NV_ERR_INVALID_OFFSET);
	p.offset = ~(u64)0 - MIB(2) + 1;
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 6, &p), NV_ERR_NO_MEMORY);
	p = (NV_MEMORY_ALLOCATION_PARAMS){ .size = MIB(2),
					   .flags = NVOS32_ALLOC_FLAGS_ALIGNMENT_FORCE,
					   .alignment = 3 };
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 6, &p), NV_ERR_INVALID_ARGUMENT);
	p.size = ~(u64)0;
	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY + 6, &p), NV_ERR_NO_MEMORY);
}

static void test_freed_memory_is_zero(void **state)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .size = MIB(2) };
	struct os_pci_dev *pci = host.gpus[0].pci;
	u64 at;

	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY, &p), NV_OK);
	at = p.offset;
	assert_int_equal(os_pci_rd64(pci, 2, at), 0);
	os_pci_wr64(pci, 2, at, 0x1122334455667788ull);
	os_pci_wr64(pci, 2, at + MIB(2) - 8, 0x99);
	assert_int_equal(os_pci_rd64(pci, 2, at), 0x1122334455667788ull);
	assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
	assert_int_equal(os_pci_rd64(pci, 2, at), 0);
	assert_int_equal(os_pci_rd64(pci, 2, at + MIB(2) - 8), 0);
}

static void test_many_allocations(void **state)
{
	u32 count = UNIT_SANITIZED ? 2000 : 20000, i, before = free_kib();
	u64 first, last, start;

	start = os_time_ns();
	for (i = 0; i < count / 10; i++)
		make_video(0x10000 + i, KIB(4));
	first = os_time_ns() - start;
	for (; i < count - count / 10; i++)
		make_video(0x10000 + i, KIB(4));
	start = os_time_ns();
	for (; i < count; i++)
		make_video(0x10000 + i, KIB(4));
	last = os_time_ns() - start;
	/* A look-up that walks over what is in use would be many times slower by now. */
	assert_true(last < 6 * first + 50000000);
	for (i = 0; i < count; i += 2)
		assert_int_equal(host_free(ctl, client, 0x10000 + i), NV_OK);
	for (i = 1; i < count; i += 2)
		assert_int_equal(host_free(ctl, client, 0x10000 + i), NV_OK);
	assert_int_equal(free_kib(), before);
}

static u32 heap_control(NVOS32_PARAMETERS *p)
{
	p->hRoot = client;
	p->hObjectParent = DEVICE;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, p, sizeof(*p)), RM_IOCTL_OK);
	return p->status;
}

static void test_heap_functions(void **state)
{
	NVOS32_PARAMETERS p = { .function = NVOS32_FUNCTION_INFO };
	u64 base, largest;

	assert_int_equal(heap_control(&p), NV_OK);
	assert_int_equal(p.free, (u64)free_kib() << 10);
	assert_int_equal(p.total, (u64)info(NV2080_CTRL_FB_INFO_INDEX_RAM_SIZE) << 10);
	base = p.data.Info.offset;
	largest = p.data.Info.size;
	assert_int_equal(p.data.Info.base, (u64)info(NV2080_CTRL_FB_INFO_INDEX_HEAP_BASE_KB) << 10);
	assert_true(largest > GIB(70));

	memset(&p, 0, sizeof(p));
	p.function = NVOS32_FUNCTION_ALLOC_SIZE_RANGE;
	p.data.AllocSizeRange.owner = 1;
	p.data.AllocSizeRange.size = MIB(2);
	p.data.AllocSizeRange.rangeBegin = base + GIB(2) + 1;
	p.data.AllocSizeRange.rangeEnd = base + GIB(3);
	assert_int_equal(heap_control(&p), NV_OK);
	assert_true(p.data.AllocSizeRange.offset > base + GIB(2));
	assert_true(p.data.AllocSizeRange.offset + MIB(2) - 1 <= base + GIB(3));
	assert_int_equal(p.data.AllocSizeRange.limit, MIB(2) - 1);
	assert_int_equal(host_free(ctl, client, p.data.AllocSizeRange.hMemory), NV_OK);
	p.data.AllocSizeRange.rangeEnd = p.data.AllocSizeRange.rangeBegin + MIB(1);
	p.data.AllocSizeRange.size = MIB(2);
	assert_int_equal(heap_control(&p), NV_ERR_NO_MEMORY);

	memset(&p, 0, sizeof(p));
	p.function = NVOS32_FUNCTION_ALLOC_TILED_PITCH_HEIGHT;
	p.data.AllocTiledPitchHeight.owner = 1;
	p.data.AllocTiledPitchHeight.pitch = 4096;
	p.data.AllocTiledPitchHeight.height = 17;
	assert_int_equal(heap_control(&p), NV_OK);
	assert_int_equal(p.data.AllocTiledPitchHeight.size, KIB(128));
	p.data.AllocTiledPitchHeight.pitch = -1;
	assert_int_equal(heap_control(&p), NV_ERR_NO_MEMORY);
	p.data.AllocTiledPitchHeight.height = 0;
	assert_int_equal(heap_control(&p), NV_ERR_INVALID_ARGUMENT);

	memset(&p, 0, sizeof(p));
	make_video(MEMORY, MIB(2));
	p.function = NVOS32_FUNCTION_RELEASE_COMPR;
	p.data.ReleaseCompr.hMemory = MEMORY;
	assert_int_equal(heap_control(&p), NV_ERR_INVALID_FLAGS);
	p.data.ReleaseCompr.flags = NVOS32_RELEASE_COMPR_FLAGS_MEMORY_HANDLE_PROVIDED;
	assert_int_equal(heap_control(&p), NV_ERR_NOT_SUPPORTED);
	p.data.ReleaseCompr.hMemory = 0xbad;
	assert_int_equal(heap_control(&p), NV_ERR_OBJECT_NOT_FOUND);
}

/* -- Mappings ---------------------------------------------------------------------------------- */

static u32 map_as(int fd, u32 root, u32 device, u32 memory, u64 offset, u64 length, u32 flags,
		  int target, u64 *address)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = root,
			    .hDevice = device,
			    .hMemory = memory,
			    .offset = offset,
			    .length = length,
			    .flags = flags },
		.fd = target,
	};

	assert_int_equal(host_ioctl(fd, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)), RM_IOCTL_OK);
	if (address)
		*address = (u64)p.params.pLinearAddress;
	return p.params.status;
}

static u32 map(u32 memory, u64 offset, u64 length, u32 flags, int target, u64 *address)
{
	return map_as(ctl, client, DEVICE, memory, offset, length, flags, target, address);
}

static u32 unmap(u32 memory, u64 address)
{
	NVOS34_PARAMETERS p = { .hClient = client,
				.hDevice = DEVICE,
				.hMemory = memory,
				.pLinearAddress = (NvP64)address };

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_UNMAP_MEMORY, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

static struct rm_file *file_of(int fd)
{
	return host.fds[fd].file;
}

static void test_map_video_memory(void **state)
{
	int fd = host_open(RM_NODE_GPU, 0), control = host_open(RM_NODE_CONTROL, 0),
	    other = host_open(RM_NODE_GPU, 1);
	NV_MEMORY_ALLOCATION_PARAMS p = { .size = MIB(2) };
	struct rm_mapping *mapping;
	u32 avail = info(NV2080_CTRL_FB_INFO_INDEX_BAR1_AVAIL_SIZE);
	NVOS56_PARAMETERS update = { .hClient = client, .hDevice = DEVICE, .hMemory = MEMORY };
	u64 address;

	assert_int_equal(make(NV01_MEMORY_LOCAL_USER, MEMORY, &p), NV_OK);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, PAGE, true, &mapping),
			 NV_ERR_INVALID_ARGUMENT);
	/* Files that cannot map it. */
	assert_int_equal(map(MEMORY, 0, PAGE, 0, control, NULL), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map(MEMORY, 0, PAGE, 0, other, NULL), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map(MEMORY, 0, PAGE, 0, -1, NULL), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map(MEMORY, 0, PAGE, 0, HOST_FDS - 1, NULL), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(info(NV2080_CTRL_FB_INFO_INDEX_BAR1_AVAIL_SIZE), avail);

	assert_int_equal(map(MEMORY, 0x1800, 0x1001, 0, fd, &address), NV_OK);
	assert_int_equal(info(NV2080_CTRL_FB_INFO_INDEX_BAR1_AVAIL_SIZE), avail - 8);
	assert_int_equal(map(MEMORY, 0, PAGE, 0, fd, NULL), NV_ERR_STATE_IN_USE);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, PAGE, true, &mapping),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(rm_file_mmap(file_of(fd), PAGE, 2 * PAGE, true, &mapping),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, 2 * PAGE, true, &mapping), NV_OK);
	assert_int_equal(mapping->count, 1);
	assert_int_equal(mapping->extents[0].kind, RM_MAP_BAR);
	assert_int_equal(mapping->extents[0].bar, 2);
	assert_int_equal(mapping->extents[0].offset, p.offset + 0x1000);
	assert_int_equal(mapping->extents[0].size, 2 * PAGE);
	assert_true(mapping->writable);
	assert_int_equal(mapping->client, client);
	assert_ptr_equal(mapping->pci, host.gpus[0].pci);

	update.pOldCpuAddress = (NvP64)(address + 1);
	update.pNewCpuAddress = (NvP64)0x7000000;
	assert_int_equal(
		host_ioctl(ctl, NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO, &update, sizeof(update)),
		RM_IOCTL_OK);
	assert_int_equal(update.status, NV_ERR_OBJECT_NOT_FOUND);
	update.pOldCpuAddress = (NvP64)address;
	assert_int_equal(
		host_ioctl(ctl, NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO, &update, sizeof(update)),
		RM_IOCTL_OK);
	assert_int_equal(update.status, NV_OK);
	assert_int_equal(unmap(MEMORY, address), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(unmap(MEMORY, 0x7000000), NV_OK);
	assert_int_equal(unmap(MEMORY, 0x7000000), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(info(NV2080_CTRL_FB_INFO_INDEX_BAR1_AVAIL_SIZE), avail);
	rm_mapping_put(mapping);
	host_close(fd);
	host_close(other);
	host_close(control);
}

static void test_map_refusals(void **state)
{
	int fd = host_open(RM_NODE_GPU, 0);
	NV_MEMORY_ALLOCATION_PARAMS p = {
		.size = 2 * PAGE,
		.attr = FIELD(PCI, NVOS32_ATTR_LOCATION),
		.attr2 = FIELD(READ_ONLY, NVOS32_ATTR2_PROTECTION_USER),
	};
	struct rm_mapping *mapping;
	u32 live;

	make_video(MEMORY, MIB(2));
	live = (u32)unit_live_settled();
	assert_int_equal(map(MEMORY, MIB(2), 1, 0, fd, NULL), NV_ERR_INVALID_BASE);
	assert_int_equal(map(MEMORY, 0, 0, 0, fd, NULL), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(MEMORY, 1, MIB(2), 0, fd, NULL), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(MEMORY, 8, ~(u64)0 - 7, 0, fd, NULL), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(MEMORY, 8, ~(u64)0, 0, fd, NULL), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(MEMORY, 0, PAGE, 3, fd, NULL), NV_ERR_INVALID_FLAGS);
	assert_int_equal(
		map(MEMORY, 0, PAGE, FIELD(ENABLE, NVOS33_FLAGS_SKIP_SIZE_CHECK), fd, NULL),
		NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(map(DEVICE, 0, PAGE, 0, fd, NULL), NV_ERR_NOT_SUPPORTED);
	/* Through the client itself goes only what needs no GPU. */
	assert_int_equal(map_as(ctl, client, client, MEMORY, 0, PAGE, 0, fd, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(unit_live_settled(), live);

	assert_int_equal(make(NV01_MEMORY_SYSTEM, MEMORY + 1, &p), NV_OK);
	assert_int_equal(map(MEMORY + 1, 0, PAGE, 0, fd, NULL), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map(MEMORY + 1, 0, PAGE, FIELD(WRITE_ONLY, NVOS33_FLAGS_ACCESS), fd, NULL),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(map_as(ctl, client, client, MEMORY + 1, 0, PAGE,
				FIELD(READ_ONLY, NVOS33_FLAGS_ACCESS), fd, NULL),
			 NV_OK);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, PAGE, true, &mapping), NV_OK);
	assert_false(mapping->writable);
	rm_mapping_put(mapping);
	host_close(fd);
}

static void test_map_system_memory(void **state)
{
	int fd = host_open(RM_NODE_GPU, 0);
	struct rm_mapping *mapping, *again;
	u64 address;
	u32 i;

	make_system(MEMORY, 16 * PAGE);
	assert_int_equal(map(MEMORY, 4 * PAGE, 8 * PAGE, 0, fd, &address), NV_OK);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, 9 * PAGE, true, &mapping),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, 8 * PAGE, true, &mapping), NV_OK);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, PAGE, false, &again), NV_OK);
	assert_ptr_equal(mapping, again);
	rm_mapping_put(again);
	assert_int_equal(mapping->count, 1);
	assert_int_equal(mapping->extents[0].kind, RM_MAP_PAGES);
	assert_int_equal(mapping->extents[0].offset, 4 * PAGE);
	assert_int_equal(mapping->extents[0].size, 8 * PAGE);
	assert_int_equal(mapping->cache, RM_MAP_CACHED);
	for (i = 0; i < 8 * PAGE; i++)
		assert_int_equal(((u8 *)mapping->extents[0].pages->cpu)[4 * PAGE + i], 0);
	rm_mapping_put(mapping);
	assert_int_equal(unmap(MEMORY, address), NV_OK);
	host_close(fd);
}

/* The memory is free only when object, file and mapping are gone, in whatever order they go. */
static void test_memory_stays_while_mapped(void **state)
{
	static const char orders[][4] = { "ofm", "omf", "fom", "fmo", "mof", "mfo" };
	u32 before = free_kib(), i, step;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		int fd = host_open(RM_NODE_GPU, 0);
		struct rm_mapping *mapping = NULL;
		struct os_pci_dev *pci = host.gpus[0].pci;
		u64 at;

		make_video(MEMORY, MIB(2));
		assert_int_equal(map(MEMORY, 0, MIB(2), 0, fd, NULL), NV_OK);
		assert_int_equal(rm_file_mmap(file_of(fd), 0, MIB(2), true, &mapping), NV_OK);
		at = mapping->extents[0].offset;
		os_pci_wr64(pci, 2, at, i + 1);
		for (step = 0; step < 3; step++) {
			assert_int_equal(free_kib(), before - 2048);
			assert_int_equal(os_pci_rd64(pci, 2, at), i + 1);
			if (orders[i][step] == 'o')
				assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
			else if (orders[i][step] == 'f')
				host_close(fd);
			else
				rm_mapping_put(mapping);
		}
		assert_int_equal(free_kib(), before);
		assert_int_equal(os_pci_rd64(pci, 2, at), 0);
	}
}

/* A GPU that only a mapping uses stays booted, and stops with it. */
static void test_mapping_keeps_gpu(void **state)
{
	int fd;
	struct rm_mapping *mapping;
	u32 i;

	fd = host_open(RM_NODE_GPU, 0);
	make_video(MEMORY, MIB(2));
	assert_int_equal(map(MEMORY, 0, MIB(2), 0, fd, NULL), NV_OK);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, MIB(2), true, &mapping), NV_OK);
	for (i = 0; i < HOST_FDS; i++)
		if (host.fds[i].file)
			host_close((int)i);
	os_pci_wr64(host.gpus[0].pci, 2, mapping->extents[0].offset, 7);
	assert_int_equal(os_pci_rd64(host.gpus[0].pci, 2, mapping->extents[0].offset), 7);
	rm_mapping_put(mapping);
}

static void test_other_processes_may_not_map(void **state)
{
	int fd = host_open(RM_NODE_GPU, 0);
	struct os_cred other = { .pid = 4242, .uid = 1 };

	make_video(MEMORY, MIB(2));
	os_user_set_cred(&other);
	assert_int_equal(map(MEMORY, 0, PAGE, 0, fd, NULL), NV_ERR_INVALID_CLIENT);
	os_user_set_cred(NULL);
	host_close(fd);
}

static void test_lost_gpu_maps_nothing(void **state)
{
	int fd = host_open(RM_NODE_GPU, 0);
	struct rm_mapping *mapping;

	make_video(MEMORY, MIB(2));
	assert_int_equal(map(MEMORY, 0, PAGE, 0, fd, NULL), NV_OK);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, PAGE, true, &mapping), NV_OK);
	rm_mapping_put(mapping);
	rm_gpu_gone(host.rm_gpus[0]);
	assert_int_equal(rm_file_mmap(file_of(fd), 0, PAGE, true, &mapping), NV_ERR_GPU_IS_LOST);
}

static void test_failing_allocations(void **state)
{
	int fd = host_open(RM_NODE_GPU, 0);
	u32 before = free_kib(), n, fails = 0;
	u64 live;

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (n = 1; n < 60; n++) {
		NV_MEMORY_ALLOCATION_PARAMS p = { .size = MIB(4) };
		u32 status;

		live = unit_live_settled();
		os_user_fail_alloc_thread(n);
		status = make(NV01_MEMORY_LOCAL_USER, MEMORY, &p);
		if (status == NV_OK)
			status = map(MEMORY, 0, PAGE, 0, fd, NULL);
		os_user_fail_alloc_thread(0);
		fails += status != NV_OK;
		if (status != NV_OK)
			assert_true(status == NV_ERR_NO_MEMORY ||
				    status == NV_ERR_INSUFFICIENT_RESOURCES);
		assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
		host_close(fd);
		assert_int_equal(free_kib(), before);
		fd = host_open(RM_NODE_GPU, 0);
		assert_true(unit_live_becomes(live));
	}
	assert_true(fails > 4);
	host_close(fd);
}

/* -- Memory of the process --------------------------------------------------------------------- */

static struct {
	int fd;
	size_t size;
	u32 pieces, asked;
	enum nv_status status;
	bool writable;
	u64 user;
} pin;

static enum nv_status fake_pin(void *ctx, u64 user, size_t size, bool writable,
			       struct os_user_pin_piece *pieces, u32 max, u32 *count)
{
	u32 i;

	pin.asked++;
	pin.user = user;
	pin.writable = writable;
	if (pin.status != NV_OK)
		return pin.status;
	if (pin.pieces > max)
		return NV_ERR_NO_MEMORY;
	for (i = 0; i < pin.pieces; i++) {
		u64 each = align_down(size / pin.pieces, PAGE);

		pieces[i].fd = dup(pin.fd);
		pieces[i].offset = i * each;
		pieces[i].size = i + 1 < pin.pieces ? each : size - i * each;
	}
	*count = pin.pieces;
	return NV_OK;
}

static const struct os_user_pin_ops pin_ops = { fake_pin };

static u8 *pin_start(size_t size)
{
	u8 *mine;

	memset(&pin, 0, sizeof(pin));
	pin.fd = memfd_create("client", 0);
	pin.size = size;
	pin.pieces = 1;
	assert_true(pin.fd >= 0);
	assert_int_equal(ftruncate(pin.fd, (off_t)size), 0);
	mine = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, pin.fd, 0);
	assert_true(mine != MAP_FAILED);
	os_user_set_pin_ops(&pin_ops, NULL);
	return mine;
}

static void pin_end(u8 *mine)
{
	os_user_set_pin_ops(NULL, NULL);
	munmap(mine, pin.size);
	close(pin.fd);
}

static u32 alloc_own(u64 user, u64 limit, u32 handle)
{
	nv_ioctl_nvos02_parameters_with_fd p = {
		.params = { .hRoot = client,
			    .hObjectParent = DEVICE,
			    .hObjectNew = handle,
			    .hClass = NV01_MEMORY_SYSTEM_OS_DESCRIPTOR,
			    .flags = 0x40041010,
			    .pMemory = (NvP64)user,
			    .limit = limit },
	};
	int gpu = host_open(RM_NODE_GPU, 0);
	nv_ioctl_register_fd_t link = { .ctl_fd = ctl };

	assert_int_equal(host_ioctl(gpu, NV_ESC_REGISTER_FD, &link, sizeof(link)), RM_IOCTL_OK);
	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_ALLOC_MEMORY, &p, sizeof(p)), RM_IOCTL_OK);
	host_close(gpu);
	return p.params.status;
}

static void test_own_memory(void **state)
{
	u8 *mine = pin_start(64 * PAGE);
	u64 live = unit_live_settled();
	int fd = host_open(RM_NODE_GPU, 0);
	NVOS32_PARAMETERS heap = { .hRoot = client,
				   .hObjectParent = DEVICE,
				   .function = NVOS32_FUNCTION_ALLOC_OS_DESCRIPTOR };
	NV_OS_DESC_MEMORY_ALLOCATION_PARAMS direct = { .descriptor = (NvP64)0x40000,
						       .limit = PAGE - 1 };
	NV0000_CTRL_CLIENT_GET_ADDR_SPACE_TYPE_PARAMS type = { .hObject = MEMORY };
	u32 handle = MEMORY + 1;

	assert_int_equal(alloc_own(0x40000, 64 * PAGE - 1, MEMORY), NV_OK);
	assert_int_equal(pin.user, 0x40000);
	assert_true(pin.writable);
	assert_int_equal(host_control(ctl, client, client,
				      NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE, &type,
				      sizeof(type)),
			 NV_OK);
	assert_int_equal(type.addrSpaceType, NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_SYSMEM);
	/* It is mapped already, where the process has it. */
	assert_int_equal(map(MEMORY, 0, PAGE, 0, fd, NULL), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);

	heap.data.AllocOsDesc.hMemory = MEMORY;
	heap.data.AllocOsDesc.descriptor = (NvP64)0x40000;
	heap.data.AllocOsDesc.limit = 5;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &heap, sizeof(heap)),
			 RM_IOCTL_OK);
	assert_int_equal(heap.status, NV_OK);
	assert_int_equal(host_alloc(ctl, client, DEVICE, &handle, NV01_MEMORY_SYSTEM_OS_DESCRIPTOR,
				    &direct, 0),
			 NV_OK);
	assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
	assert_int_equal(host_free(ctl, client, handle), NV_OK);

	/* In many pieces, which takes a second question; in none that fit. */
	pin.pieces = 32;
	pin.asked = 0;
	assert_int_equal(alloc_own(0x40000, 64 * PAGE - 1, MEMORY), NV_OK);
	assert_int_equal(pin.asked, 2);
	assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
	pin.status = NV_ERR_INVALID_ADDRESS;
	assert_int_equal(alloc_own(0x40000, 64 * PAGE - 1, MEMORY), NV_ERR_INVALID_ADDRESS);
	pin.status = NV_ERR_NOT_SUPPORTED;
	assert_int_equal(alloc_own(0x40000, 64 * PAGE - 1, MEMORY), NV_ERR_NOT_SUPPORTED);
	pin.asked = 0;
	assert_int_equal(alloc_own(0x40000, ~(u64)0 - 1, MEMORY), NV_ERR_INVALID_LIMIT);
	assert_int_equal(alloc_own(0x40001, PAGE - 1, MEMORY), NV_ERR_NOT_SUPPORTED);
	/* a sparse file may be larger than the machine */
	pin.status = NV_OK;
	assert_int_equal(alloc_own(0x40000, (u64)sysconf(_SC_PHYS_PAGES) * PAGE + PAGE - 1, MEMORY),
			 NV_ERR_NO_MEMORY);
	assert_int_equal(pin.asked, 0);
	host_close(fd);
	pin_end(mine);
	assert_true(unit_live_becomes(live));
	assert_int_equal(alloc_own(0x40000, PAGE - 1, MEMORY), NV_ERR_NOT_SUPPORTED);
}

static void test_own_memory_failing(void **state)
{
	u8 *mine = pin_start(4 * PAGE);
	u64 live = unit_live_settled();
	u32 n, fails = 0;

	if (!os_user_fail_alloc_thread(0))
		skip();
	pin.pieces = 2;
	for (n = 1; n < 60; n++) {
		nv_ioctl_nvos02_parameters_with_fd p = {
			.params = { .hRoot = client,
				    .hObjectParent = DEVICE,
				    .hObjectNew = MEMORY,
				    .hClass = NV01_MEMORY_SYSTEM_OS_DESCRIPTOR,
				    .flags = 0x40041010,
				    .pMemory = (NvP64)0x40000,
				    .limit = 4 * PAGE - 1 },
		};
		int gpu = host_open(RM_NODE_GPU, 0);
		nv_ioctl_register_fd_t link = { .ctl_fd = ctl };

		assert_int_equal(host_ioctl(gpu, NV_ESC_REGISTER_FD, &link, sizeof(link)),
				 RM_IOCTL_OK);
		os_user_fail_alloc_thread(n);
		(void)host_ioctl(gpu, NV_ESC_RM_ALLOC_MEMORY, &p, sizeof(p));
		os_user_fail_alloc_thread(0);
		fails += p.params.status != NV_OK;
		assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
		host_close(gpu);
		assert_true(unit_live_becomes(live));
	}
	assert_true(fails > 4);
	pin_end(mine);
}

/* -- Duplicates -------------------------------------------------------------------------------- */

static u32 dup_to(u32 to, u32 parent, u32 handle, u32 from, u32 source)
{
	NVOS55_PARAMETERS p = { .hClient = to,
				.hParent = parent,
				.hObject = handle,
				.hClientSrc = from,
				.hObjectSrc = source };

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_DUP_OBJECT, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

static void duplicate_to_another_gpu(void)
{
	u32 second = host_client(ctl), before = free_kib();

	make_devices(ctl, second, 1);
	make_system(MEMORY, 4 * PAGE);
	make_video(MEMORY + 1, MIB(2));
	assert_int_equal(dup_to(second, DEVICE, MEMORY, client, MEMORY), NV_OK);
	assert_int_equal(dup_to(second, DEVICE, MEMORY + 1, client, MEMORY + 1),
			 NV_ERR_NOT_SUPPORTED);
	/* The source goes first: the other GPU still reaches the memory. */
	assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
	assert_int_equal(host_free(ctl, client, MEMORY + 1), NV_OK);
	assert_int_equal(dup_to(client, DEVICE, MEMORY, second, MEMORY), NV_OK);
	assert_int_equal(host_free(ctl, second, MEMORY), NV_OK);
	assert_int_equal(host_free(ctl, client, MEMORY), NV_OK);
	assert_int_equal(host_free(ctl, second, second), NV_OK);
	assert_int_equal(free_kib(), before);
}

static void test_duplicate_to_another_gpu(void **state)
{
	u64 live;

	/* What the first client on a GPU leaves for later ones is no leak. */
	duplicate_to_another_gpu();
	live = unit_live_settled();
	duplicate_to_another_gpu();
	assert_true(unit_live_becomes(live));
}

static void test_questions(void **state)
{
	NV0041_CTRL_SURFACE_INFO list[] = {
		{ .index = NV0041_CTRL_SURFACE_INFO_INDEX_PHYS_SIZE },
		{ .index = NV0041_CTRL_SURFACE_INFO_INDEX_ADDR_SPACE_TYPE },
		{ .index = NV0041_CTRL_SURFACE_INFO_INDEX_ATTRS, .data = 9 },
		{ .index = NV0041_CTRL_SURFACE_INFO_INDEX_PHYS_ATTR },
		{ .index = 0x77 },
	};
	NV0041_CTRL_GET_SURFACE_INFO_PARAMS p = { .surfaceInfoListSize = 4,
						  .surfaceInfoList = (NvP64)(uintptr_t)list };
	NV0041_CTRL_GET_MEM_PAGE_SIZE_PARAMS size;
	NV0041_CTRL_GET_SURFACE_COMPRESSION_COVERAGE_PARAMS coverage = { .lineMax = 5 };

	make_video(MEMORY, MIB(4));
	assert_int_equal(
		host_control(ctl, client, MEMORY, NV0041_CTRL_CMD_GET_SURFACE_INFO, &p, sizeof(p)),
		NV_OK);
	assert_int_equal(list[0].data, 1024);
	assert_int_equal(list[1].data, NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_VIDMEM);
	assert_int_equal(list[2].data, 0);
	p.surfaceInfoListSize = 5;
	assert_int_equal(
		host_control(ctl, client, MEMORY, NV0041_CTRL_CMD_GET_SURFACE_INFO, &p, sizeof(p)),
		NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(host_control(ctl, client, MEMORY, NV0041_CTRL_CMD_GET_MEM_PAGE_SIZE, &size,
				      sizeof(size)),
			 NV_OK);
	assert_int_equal(size.pageSize, MIB(2));
	assert_int_equal(host_control(ctl, client, MEMORY,
				      NV0041_CTRL_CMD_GET_SURFACE_COMPRESSION_COVERAGE, &coverage,
				      sizeof(coverage)),
			 NV_OK);
	assert_int_equal(coverage.lineMax, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_pieces_where_none_is_large_enough),
		T(test_alignment_and_place),
		T(test_freed_memory_is_zero),
		T(test_many_allocations),
		T(test_heap_functions),
		T(test_map_video_memory),
		T(test_map_refusals),
		T(test_map_system_memory),
		T(test_memory_stays_while_mapped),
		T(test_mapping_keeps_gpu),
		T(test_other_processes_may_not_map),
		T(test_lost_gpu_maps_nothing),
		T(test_failing_allocations),
		T(test_own_memory),
		T(test_own_memory_failing),
		T(test_duplicate_to_another_gpu),
		T(test_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
