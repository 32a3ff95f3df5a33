// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory that an administrator lists page by page: of video memory, of another object, of the bus;
 * what is refused, whose the pages stay, and the old way to ask for it.
 */
#include "base/bits.h"
#include "rm/api/api.h"
#include "rm/class/memory.h"
#include "rm_host.h"
#include "unit.h"

#define SPACE 0xe0u
#define RANGE 0xe1u
#define SOURCE 0xe2u
#define SYSTEM 0xe3u
#define LIST 0xe4u
#define COPY 0xe5u
#define PAGES 0xe6u
#define CHANNEL 0xe7u
#define NOWHERE 0xbadu
#define PAGE KIB(4)
#define SOURCE_PAGES 32u
#define NUMBERS_MAX 0x20000u

#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))
#define SCATTERED FIELD(NONCONTIGUOUS, NVOS02_FLAGS_PHYSICALITY)

static u64 source; /* where the source lies in video memory */
static u64 numbers[SOURCE_PAGES];

static void begin(bool admin)
{
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = SOURCE_PAGES * PAGE };
	NV_MEMORY_ALLOCATION_PARAMS system = { .owner = 1,
					       .size = PAGE,
					       .attr = FIELD(PCI, NVOS32_ATTR_LOCATION) };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS range = { .hVASpace = SPACE };
	nv_ioctl_register_fd_t link;

	host_program_start(admin);
	link.ctl_fd = host_program.ctl;
	assert_int_equal(host_ioctl(host_program.gpu, NV_ESC_REGISTER_FD, &link, sizeof(link)),
			 RM_IOCTL_OK);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, RANGE, NV01_MEMORY_VIRTUAL, &range), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, SOURCE, NV01_MEMORY_LOCAL_USER, &video), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, SYSTEM, NV01_MEMORY_SYSTEM, &system), NV_OK);
	source = video.offset;
}

static int start(void **state)
{
	begin(true);
	return 0;
}

static int start_user(void **state)
{
	begin(false);
	return 0;
}

static u64 address_of(u32 handle, u64 offset)
{
	enum rm_aperture aperture;
	u64 contiguous;

	return rm_backing_address(host_backing(handle), offset, &aperture, &contiguous);
}

/* Four pages of the source, the last first. */
static NV_MEMORY_LIST_ALLOCATION_PARAMS video_list(void)
{
	u32 i;

	for (i = 0; i < 4; i++)
		numbers[i] = source / PAGE + 3 - i;
	return (NV_MEMORY_LIST_ALLOCATION_PARAMS){
		.pageCount = 4,
		.pageNumberList = (NvP64)(uintptr_t)numbers,
		.limit = 4 * PAGE - 1,
		.flagsOs02 = SCATTERED,
	};
}

static NV_MEMORY_LIST_ALLOCATION_PARAMS object_list(void)
{
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = video_list();
	u32 i;

	for (i = 0; i < 4; i++)
		numbers[i] = 3 - i;
	p.hObject = SOURCE;
	return p;
}

static NV_MEMORY_LIST_ALLOCATION_PARAMS bus_list(void)
{
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = video_list();
	u32 i;

	for (i = 0; i < 4; i++)
		numbers[i] = 0x12345 + 7 * i;
	return p;
}

static u32 make(u32 class_id, NV_MEMORY_LIST_ALLOCATION_PARAMS p)
{
	return host_make(HOST_DEVICE, LIST, class_id, &p);
}

static void drop(void)
{
	assert_int_equal(host_drop(LIST), NV_OK);
}

static u32 map_dma(u32 memory, u64 length, u64 *address)
{
	NVOS46_PARAMETERS p = {
		.hClient = host_program.client,
		.hDevice = HOST_DEVICE,
		.hDma = RANGE,
		.hMemory = memory,
		.length = length,
	};

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)),
			 RM_IOCTL_OK);
	*address = p.dmaOffset;
	return p.status;
}

static u32 map_cpu(u32 memory, u64 length)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = host_program.client,
			    .hDevice = HOST_DEVICE,
			    .hMemory = memory,
			    .length = length },
		.fd = host_program.gpu,
	};

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)),
			 RM_IOCTL_OK);
	return p.params.status;
}

/* -- Video memory ------------------------------------------------------------------------------ */

static void test_video(void **state)
{
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = video_list();
	u64 address;
	u32 i;

	assert_int_equal(make(NV01_MEMORY_LIST_FBMEM, p), NV_OK);
	for (i = 0; i < 4; i++) {
		assert_int_equal(address_of(LIST, i * PAGE + 8), source + (3 - i) * PAGE + 8);
		rm_backing_write32(host_backing(LIST), i * PAGE, 100 + i);
		assert_int_equal(rm_backing_read32(host_backing(SOURCE), (3 - i) * PAGE), 100 + i);
	}
	assert_int_equal(rm_backing_size(host_backing(LIST)), 4 * PAGE);
	assert_int_equal(rm_backing_page_size(host_backing(LIST)), PAGE);
	assert_int_equal(map_dma(LIST, 4 * PAGE, &address), NV_OK);
	assert_int_equal(map_cpu(LIST, 4 * PAGE), NV_OK);
	drop();
	/* The pages are the source's, as they were. */
	assert_int_equal(rm_backing_read32(host_backing(SOURCE), 0), 103);

	/* Two that belong together, and the rest of a page. */
	p.limit = 2 * PAGE - 100;
	p.pageCount = 2;
	numbers[1] = numbers[0] + 1;
	assert_int_equal(make(NV01_MEMORY_LIST_FBMEM, p), NV_OK);
	assert_int_equal(rm_backing_size(host_backing(LIST)), 2 * PAGE);
	drop();

	/* One number for all: pages of 64 KiB. */
	p = video_list();
	p.flagsOs02 = 0;
	p.pageCount = 1;
	p.limit = SOURCE_PAGES * PAGE - 1;
	numbers[0] = source / PAGE;
	assert_int_equal(make(NV01_MEMORY_LIST_FBMEM, p), NV_OK);
	assert_int_equal(rm_backing_page_size(host_backing(LIST)), KIB(64));
	assert_int_equal(address_of(LIST, KIB(100)), source + KIB(100));
	assert_int_equal(map_dma(LIST, SOURCE_PAGES * PAGE, &address), NV_OK);
	drop();
}

#define REFUSE(class_id, list, change, status)               \
	do {                                                 \
		NV_MEMORY_LIST_ALLOCATION_PARAMS p = list(); \
		change;                                      \
		assert_int_equal(make(class_id, p), status); \
	} while (0)
#define REFUSE_VIDEO(change, status) REFUSE(NV01_MEMORY_LIST_FBMEM, video_list, change, status)
#define REFUSE_OBJECT(change, status) REFUSE(NV01_MEMORY_LIST_OBJECT, object_list, change, status)
#define REFUSE_SYSTEM(change, status) REFUSE(NV01_MEMORY_LIST_SYSTEM, bus_list, change, status)

static void test_video_refused(void **state)
{
	u64 held = unit_live_settled();

	REFUSE_VIDEO(p.hParent = HOST_DEVICE, NV_ERR_INVALID_OBJECT_PARENT);
	REFUSE_VIDEO(p.hClient = host_program.client + 1, NV_ERR_NOT_SUPPORTED);
	REFUSE_VIDEO(p.hObject = SOURCE, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.reserved_0 = 1, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.pteAdjust = PAGE, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.pteAdjust = 8, NV_ERR_NOT_SUPPORTED);
	REFUSE_VIDEO(p.flags = NVOS32_ALLOC_FLAGS_VIRTUAL, NV_ERR_NOT_SUPPORTED);
	REFUSE_VIDEO(p.flags = NVOS32_ALLOC_FLAGS_ALIGNMENT_FORCE, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.type = NVOS32_NUM_MEM_TYPES, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.attr = FIELD(PCI, NVOS32_ATTR_LOCATION), NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.pageCount = 3, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.limit += PAGE, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.limit = ~(u64)0, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.limit = ~(u64)1, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.flagsOs02 = 0, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(numbers[3] = GIB(80) / PAGE, NV_ERR_BUFFER_TOO_SMALL);
	REFUSE_VIDEO(numbers[3] = ~(u64)0, NV_ERR_BUFFER_TOO_SMALL);
	REFUSE_VIDEO(numbers[3] = 1ull << 52, NV_ERR_BUFFER_TOO_SMALL);
	REFUSE_VIDEO((p.flagsOs02 = 0, p.pageCount = 1, p.limit = GIB(80) - 1),
		     NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO((p.flagsOs02 = 0, p.pageCount = 1, numbers[0] = ~(u64)0),
		     NV_ERR_INVALID_ARGUMENT);
	/* The list itself: none, too long, out of reach. */
	REFUSE_VIDEO((p.pageCount = 0, p.pageNumberList = 0), NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.pageNumberList = 0, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.pageCount = NUMBERS_MAX + 1, NV_ERR_INVALID_ARGUMENT);
	REFUSE_VIDEO(p.pageNumberList = 8, NV_ERR_INVALID_ADDRESS);
	assert_int_equal(host_make(HOST_DEVICE, LIST, NV01_MEMORY_LIST_FBMEM, NULL),
			 NV_ERR_INVALID_ARGUMENT);
	assert_true(unit_live_becomes(held));
}

/* -- Another object's pages -------------------------------------------------------------------- */

static void test_object(void **state)
{
	NVOS55_PARAMETERS dup = {
		.hClient = host_program.client,
		.hParent = HOST_DEVICE,
		.hObject = COPY,
		.hClientSrc = host_program.client,
		.hObjectSrc = LIST,
	};
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = object_list();
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = SOURCE_PAGES * PAGE };
	u32 i;

	p.hClient = host_program.client;
	assert_int_equal(make(NV01_MEMORY_LIST_OBJECT, p), NV_OK);
	for (i = 0; i < 4; i++)
		assert_int_equal(address_of(LIST, i * PAGE), source + (3 - i) * PAGE);
	/* They stay for the list, whatever becomes of the object and of the list's first name. */
	rm_backing_write32(host_backing(LIST), 0, 0x5eed);
	assert_int_equal(host_drop(SOURCE), NV_OK);
	assert_int_equal(rm_api_dup(host.fds[host_program.ctl].file, &dup), NV_OK);
	drop();
	assert_int_equal(rm_backing_read32(host_backing(COPY), 0), 0x5eed);
	assert_int_equal(host_make(HOST_DEVICE, SOURCE, NV01_MEMORY_LOCAL_USER, &video), NV_OK);
	assert_int_not_equal(video.offset, source);
	assert_int_equal(host_drop(SOURCE), NV_OK);
	assert_int_equal(host_drop(COPY), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, SOURCE, NV01_MEMORY_LOCAL_USER, &video), NV_OK);
	assert_int_equal(video.offset, source);
	assert_int_equal(rm_backing_read32(host_backing(SOURCE), 3 * PAGE), 0);
}

/* Two pages of what LIST has, by two numbers or by the first. */
static u32 make_of_list(u32 flags, u64 first, u64 second)
{
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = {
		.hObject = LIST,
		.pageCount = flags ? 2 : 1,
		.pageNumberList = (NvP64)(uintptr_t)numbers,
		.limit = 2 * PAGE - 1,
		.flagsOs02 = flags,
	};

	numbers[0] = first;
	numbers[1] = second;
	return host_make(HOST_DEVICE, COPY, NV01_MEMORY_LIST_OBJECT, &p);
}

static void test_object_refused(void **state)
{
	NV_HOPPER_USERMODE_A_PARAMS usermode = { 0 };
	u64 held;

	assert_int_equal(host_make(HOST_SUBDEVICE, PAGES, HOPPER_USERMODE_A, &usermode), NV_OK);
	held = unit_live_settled();
	REFUSE_OBJECT(p.hObject = 0, NV_ERR_INVALID_ARGUMENT);
	REFUSE_OBJECT(p.hObject = NOWHERE, NV_ERR_OBJECT_NOT_FOUND);
	REFUSE_OBJECT(p.hObject = HOST_DEVICE, NV_ERR_INVALID_OBJECT_HANDLE);
	REFUSE_OBJECT(p.hObject = SPACE, NV_ERR_INVALID_OBJECT_HANDLE);
	REFUSE_OBJECT(p.hObject = PAGES, NV_ERR_INVALID_OBJECT);
	REFUSE_OBJECT(p.hObject = SYSTEM, NV_ERR_NOT_SUPPORTED);
	REFUSE_OBJECT(p.hClient = host_program.client + 1, NV_ERR_NOT_SUPPORTED);
	REFUSE_OBJECT(numbers[1] = SOURCE_PAGES, NV_ERR_BUFFER_TOO_SMALL);
	REFUSE_OBJECT((p.flagsOs02 = 0, p.pageCount = 1, numbers[0] = SOURCE_PAGES - 3),
		      NV_ERR_INVALID_ARGUMENT);
	assert_true(unit_live_becomes(held));
	REFUSE_OBJECT((p.flagsOs02 = 0, p.pageCount = 1, numbers[0] = SOURCE_PAGES - 4), NV_OK);
	drop();
	/* Of a list that is of pieces, each is as good as another, but two are not one. */
	REFUSE_VIDEO((void)0, NV_OK);
	assert_int_equal(make_of_list(SCATTERED, 2, 3), NV_OK);
	assert_int_equal(address_of(COPY, PAGE), source);
	assert_int_equal(host_drop(COPY), NV_OK);
	assert_int_equal(make_of_list(0, 2, 3), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(make_of_list(SCATTERED, 3, 4), NV_ERR_BUFFER_TOO_SMALL);
}

/* -- The bus ----------------------------------------------------------------------------------- */

static void test_system(void **state)
{
	NV_MEMORY_LIST_ALLOCATION_PARAMS p = bus_list();
	NV_CHANNEL_ALLOC_PARAMS channel = {
		.hObjectError = LIST,
		.gpFifoOffset = 0x200600000ull,
		.gpFifoEntries = 0x400,
		.hVASpace = SPACE,
		.engineType = NV2080_ENGINE_TYPE_COPY4,
	};
	NV0000_CTRL_CLIENT_GET_ADDR_SPACE_TYPE_PARAMS type = { .hObject = LIST };
	u64 address;

	assert_int_equal(make(NV01_MEMORY_LIST_SYSTEM, p), NV_OK);
	assert_int_equal(address_of(LIST, 2 * PAGE + 4), (0x12345 + 14) * PAGE + 4);
	assert_int_equal(host_ask(host_program.client, NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE,
				  &type, sizeof(type)),
			 NV_OK);
	assert_int_equal(type.addrSpaceType, NV0000_CTRL_CMD_CLIENT_GET_ADDR_SPACE_TYPE_SYSMEM);
	/* For the GPU alone: neither a process nor the driver has a way there. */
	assert_int_equal(map_dma(LIST, 4 * PAGE, &address), NV_OK);
	assert_int_equal(map_cpu(LIST, 4 * PAGE), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(host_make(HOST_DEVICE, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &channel),
			 NV_ERR_INVALID_OBJECT);
	channel.hObjectError = 0;
	channel.hUserdMemory[0] = LIST;
	assert_int_equal(host_make(HOST_DEVICE, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &channel),
			 NV_ERR_INVALID_OBJECT);
	drop();
	REFUSE_SYSTEM(p.flagsOs02 = 0, NV_ERR_NOT_SUPPORTED);
	REFUSE_SYSTEM(p.hObject = SYSTEM, NV_ERR_INVALID_ARGUMENT);
	REFUSE_SYSTEM(numbers[2] = 1ull << 40, NV_ERR_INVALID_ARGUMENT);
	REFUSE_SYSTEM(numbers[2] = ~(u64)0, NV_ERR_INVALID_ARGUMENT);
	REFUSE_SYSTEM(numbers[2] = (1ull << 40) - 1, NV_OK);
	drop();
}

/* A file that stands for it would give others what is not the client's. */
static void test_export(void **state)
{
	NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TO_FD_PARAMS p = {
		.object = { .type = NV0000_CTRL_OS_UNIX_EXPORT_OBJECT_TYPE_RM },
	};

	p.object.data.rmObject.hDevice = HOST_DEVICE;
	p.object.data.rmObject.hParent = HOST_DEVICE;
	p.object.data.rmObject.hObject = LIST;
	p.fd = host_open(RM_NODE_CONTROL, 0);
	REFUSE_VIDEO((void)0, NV_OK);
	assert_int_equal(host_ask(host_program.client, NV0000_CTRL_CMD_OS_UNIX_EXPORT_OBJECT_TO_FD,
				  &p, sizeof(p)),
			 NV_ERR_NOT_SUPPORTED);
}

/* -- Who may, and the old way ------------------------------------------------------------------ */

struct old_list {
	u32 handles[6];
	u32 adjust, type, flags, attr, attr2, height, width, format, compression[2];
	u32 count, owner, reserved[2];
	u64 guest, range[2];
	u32 pitch, tag;
	u64 size, align;
	u64 number[4];
};

static u32 old(u32 class_id, const void *list, u64 limit)
{
	nv_ioctl_nvos02_parameters_with_fd p = {
		.params = { .hRoot = host_program.client,
			    .hObjectParent = HOST_DEVICE,
			    .hObjectNew = LIST,
			    .hClass = class_id,
			    .flags = SCATTERED,
			    .pMemory = (NvP64)(uintptr_t)list,
			    .limit = limit },
	};

	assert_int_equal(host_ioctl(host_program.gpu, NV_ESC_RM_ALLOC_MEMORY, &p, sizeof(p)),
			 RM_IOCTL_OK);
	return p.params.status;
}

static void test_user(void **state)
{
	struct old_list list = { .count = 1 };

	REFUSE_VIDEO((void)0, NV_ERR_INSUFFICIENT_PERMISSIONS);
	REFUSE_OBJECT((void)0, NV_ERR_INSUFFICIENT_PERMISSIONS);
	REFUSE_SYSTEM((void)0, NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(old(NV01_MEMORY_LIST_SYSTEM, &list, PAGE - 1),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
}

static void test_old(void **state)
{
	struct old_list list = { .count = 2 };
	u64 held = unit_live_settled();

	list.number[0] = source / PAGE + 5;
	list.number[1] = source / PAGE;
	assert_int_equal(old(NV01_MEMORY_LIST_FBMEM, &list, 2 * PAGE - 1), NV_OK);
	assert_int_equal(address_of(LIST, 0), source + 5 * PAGE);
	assert_int_equal(address_of(LIST, PAGE), source);
	drop();
	assert_true(unit_live_becomes(held));
	assert_int_equal(old(NV01_MEMORY_LIST_FBMEM, &list, PAGE - 1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(old(NV01_MEMORY_LIST_FBMEM, NULL, PAGE - 1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(old(NV01_MEMORY_LIST_FBMEM, (void *)8, PAGE - 1), NV_ERR_INVALID_ADDRESS);
	list.handles[2] = SOURCE;
	list.number[0] = 5;
	list.number[1] = 0;
	assert_int_equal(old(NV01_MEMORY_LIST_OBJECT, &list, 2 * PAGE - 1), NV_OK);
	drop();
	list.count = 0;
	assert_int_equal(old(NV01_MEMORY_LIST_OBJECT, &list, PAGE - 1), NV_ERR_INVALID_ARGUMENT);
	list.count = ~0u;
	assert_int_equal(old(NV01_MEMORY_LIST_OBJECT, &list, PAGE - 1), NV_ERR_INVALID_ARGUMENT);
	assert_true(unit_live_becomes(held));
}

/* -- Memory lacks, the GPU goes ---------------------------------------------------------------- */

static void test_failing_allocations(void **state)
{
	static const u32 classes[] = { NV01_MEMORY_LIST_FBMEM, NV01_MEMORY_LIST_OBJECT,
				       NV01_MEMORY_LIST_SYSTEM };
	u64 held = unit_live_settled();
	u32 i, class, status;

	for (class = 0; class < ARRAY_SIZE(classes); class ++) {
		status = NV_ERR_GENERIC;
		for (i = 1; i < 100 && status != NV_OK; i++) {
			NV_MEMORY_LIST_ALLOCATION_PARAMS p =
				class == 1 ? object_list() : video_list();

			assert_true(unit_live_becomes(held));
			os_user_fail_alloc_thread(i);
			status = make(classes[class], p);
			os_user_fail_alloc_thread(0);
		}
		assert_int_equal(status, NV_OK);
		assert_true(i > 4);
		drop();
	}
	assert_true(unit_live_becomes(held));
}

static void test_removal(void **state)
{
	u64 address;

	REFUSE_OBJECT((void)0, NV_OK);
	assert_int_equal(map_dma(LIST, 4 * PAGE, &address), NV_OK);
	host_remove(0);
	drop();
	assert_int_equal(host_drop(SOURCE), NV_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, start, host_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_video),
		T(test_video_refused),
		T(test_object),
		T(test_object_refused),
		T(test_system),
		T(test_export),
		cmocka_unit_test_setup_teardown(test_user, start_user, host_end),
		T(test_old),
		T(test_failing_allocations),
		T(test_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
