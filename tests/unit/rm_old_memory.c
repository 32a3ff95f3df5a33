// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The older commands on memory: what their classes, functions and flags are refused with, and what
 * is looked at first.
 */
#include "base/bits.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE 0xd0u
#define MEMORY 0xe0u
#define NEW 0xf0u
#define NOWHERE 0xbadu

#define NOT_SUPPORTED NV_ERR_NOT_SUPPORTED
#define NO_CLIENT NV_ERR_INVALID_CLIENT
#define NO_HANDLE NV_ERR_INVALID_OBJECT_HANDLE
#define NOT_FOUND NV_ERR_OBJECT_NOT_FOUND

#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))

static int ctl, gpu;
static u32 client;

static int start(void **state)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = 8192 };
	u32 device = DEVICE, memory = MEMORY;
	nv_ioctl_register_fd_t link;

	host_start(1);
	ctl = host_open(RM_NODE_CONTROL, 0);
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0);
	link.ctl_fd = ctl;
	assert_int_equal(host_ioctl(gpu, NV_ESC_REGISTER_FD, &link, sizeof(link)), RM_IOCTL_OK);
	client = host_client(ctl);
	assert_int_equal(host_alloc(ctl, client, client, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(ctl, client, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_OK);
	return 0;
}

static u32 alloc_memory(u32 root, u32 class_id, u32 flags, u64 memory, u64 limit)
{
	nv_ioctl_nvos02_parameters_with_fd p = {
		.params = { .hRoot = root,
			    .hObjectParent = DEVICE,
			    .hObjectNew = NEW,
			    .hClass = class_id,
			    .flags = flags,
			    .pMemory = memory,
			    .limit = limit,
			    .status = 0xffff },
	};
	int prepared = host_open(RM_NODE_CONTROL, 0);

	p.fd = prepared;

	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_ALLOC_MEMORY, &p, sizeof(p)), RM_IOCTL_OK);
	if (p.params.status == NV_OK)
		assert_int_equal(host_free(ctl, root, NEW), NV_OK);
	host_close(prepared);
	return p.params.status;
}

#define NO_MAP FIELD(NO_MAP, NVOS02_FLAGS_MAPPING)
#define COHERENCY(value) ((u32)REG_PREP(NVOS02_FLAGS_COHERENCY, value))
#define SCATTERED FIELD(NONCONTIGUOUS, NVOS02_FLAGS_PHYSICALITY)

static void test_old_memory_classes_and_flags(void **state)
{
	const struct {
		u32 class_id, flags;
		u64 memory, limit;
		enum nv_status good, no_client; /* which says what is looked at first */
	} cases[] = {
		{ NV01_MEMORY_SYSTEM, NO_MAP, 0, 4095, NV_OK, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP | SCATTERED, 0, MIB(1) - 1, NV_OK, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP | COHERENCY(1), 0, 4095, NV_OK, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP | COHERENCY(2), 0, 4095, NV_OK, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP | COHERENCY(3), 0, 4095, NV_OK, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP | COHERENCY(4), 0, 4095, NV_OK, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP | COHERENCY(5), 0, 4095, NV_OK, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP | COHERENCY(6), 0, 4095, NV_ERR_INVALID_FLAGS,
		  NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_SYSTEM, NO_MAP | COHERENCY(15), 0, 4095, NV_ERR_INVALID_FLAGS,
		  NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_SYSTEM, NO_MAP | FIELD(AGP, NVOS02_FLAGS_LOCATION), 0, 4095,
		  NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_SYSTEM, NO_MAP | FIELD(VIDMEM, NVOS02_FLAGS_LOCATION), 0, 4095,
		  NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_SYSTEM, NO_MAP | FIELD(NONE, NVOS02_FLAGS_ALLOC), 0, 4095,
		  NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_FLAGS },
		/* Mapped at once, through the descriptor. */
		{ NV01_MEMORY_SYSTEM, 0, 0, 4095, NV_OK, NO_CLIENT },
		{ NV01_MEMORY_SYSTEM, FIELD(NEVER_MAP, NVOS02_FLAGS_MAPPING), 0, 4095, NV_OK,
		  NO_HANDLE },
		/* The limit is the last byte's number: this one is of nothing, and that of all. */
		{ NV01_MEMORY_SYSTEM, NO_MAP, 0, ~(u64)0, NV_ERR_INVALID_ARGUMENT, NO_HANDLE },
		{ NV01_MEMORY_SYSTEM, NO_MAP, 0, ~(u64)1, NV_ERR_NO_MEMORY, NO_HANDLE },

		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, NO_MAP, 0x1000, 4095, NOT_SUPPORTED,
		  NO_CLIENT },
		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, NO_MAP | COHERENCY(1), 0x1000, 4095,
		  NOT_SUPPORTED, NO_CLIENT },
		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, NO_MAP | COHERENCY(5), 0x1000, 4095,
		  NOT_SUPPORTED, NO_CLIENT },
		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, NO_MAP | COHERENCY(2), 0x1000, 4095,
		  NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, 0, 0x1000, 4095, NV_ERR_INVALID_FLAGS,
		  NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, NO_MAP | FIELD(VIDMEM, NVOS02_FLAGS_LOCATION),
		  0x1000, 4095, NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, NO_MAP, 0x1001, 4095, NOT_SUPPORTED,
		  NOT_SUPPORTED },
		{ NV01_MEMORY_SYSTEM_OS_DESCRIPTOR, NO_MAP, 0x1000, ~(u64)0, NV_ERR_INVALID_LIMIT,
		  NV_ERR_INVALID_LIMIT },

		{ NV01_MEMORY_LOCAL_PRIVILEGED, 0, 0, 4095, NV_ERR_INVALID_FLAGS,
		  NV_ERR_INVALID_FLAGS },
		{ NV01_MEMORY_LOCAL_PRIVILEGED, FIELD(NONE, NVOS02_FLAGS_ALLOC), 0, 4095,
		  NOT_SUPPORTED, NO_CLIENT },
		{ NV01_MEMORY_LOCAL_USER, 0, 0, 4095, NOT_SUPPORTED, NO_CLIENT },
		{ NV01_MEMORY_SYSTEM_DYNAMIC, 0, 0, 4095, NOT_SUPPORTED, NO_CLIENT },
		/* The list is looked at first of all. */
		{ NV01_MEMORY_LIST_SYSTEM, 0, 0, 4095, NV_ERR_INVALID_ARGUMENT,
		  NV_ERR_INVALID_ARGUMENT },
		{ NV01_MEMORY_LIST_FBMEM, 0, 8, 4095, NV_ERR_INVALID_ADDRESS,
		  NV_ERR_INVALID_ADDRESS },
		{ NV01_MEMORY_LIST_OBJECT, 0, 8, 4095, NV_ERR_INVALID_ADDRESS,
		  NV_ERR_INVALID_ADDRESS },
		{ NV01_MEMORY_FRAMEBUFFER_CONSOLE, 0, 0, 4095, NOT_SUPPORTED, NO_CLIENT },
		{ NV01_MEMORY_FLA, 0, 0, 4095, NOT_SUPPORTED, NO_CLIENT },
		{ 0, NO_MAP, 0, 4095, NV_ERR_INVALID_CLASS, NV_ERR_INVALID_CLASS },
		{ NV01_DEVICE_0, NO_MAP, 0, 4095, NV_ERR_INVALID_CLASS, NV_ERR_INVALID_CLASS },
		{ ~0u, NO_MAP, 0, 4095, NV_ERR_INVALID_CLASS, NV_ERR_INVALID_CLASS },
	};
	u64 held = unit_live_settled();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 good = alloc_memory(client, cases[i].class_id, cases[i].flags, cases[i].memory,
					cases[i].limit);
		u32 bad = alloc_memory(NOWHERE, cases[i].class_id, cases[i].flags, cases[i].memory,
				       cases[i].limit);

		if (good != (u32)cases[i].good || bad != (u32)cases[i].no_client)
			fail_msg("case %u: %#x and %#x instead of %#x and %#x", i, good, bad,
				 cases[i].good, cases[i].no_client);
		assert_true(unit_live_becomes(held));
	}
}

static u32 heap(u32 root, u32 function, u32 ivc, u64 descriptor, u64 limit)
{
	NVOS32_PARAMETERS p = {
		.hRoot = root,
		.hObjectParent = DEVICE,
		.function = function,
		.ivcHeapNumber = (s16)ivc,
		.status = 0xffff,
	};

	if (function == NVOS32_FUNCTION_ALLOC_OS_DESCRIPTOR) {
		p.data.AllocOsDesc.descriptor = descriptor;
		p.data.AllocOsDesc.limit = limit;
	}
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_VID_HEAP_CONTROL, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

static void test_old_heap_functions(void **state)
{
	const struct {
		u32 function;
		enum nv_status good, no_client;
	} functions[] = {
		{ NVOS32_FUNCTION_ALLOC_SIZE_RANGE, NV_ERR_INVALID_OWNER, NO_HANDLE },
		{ NVOS32_FUNCTION_ALLOC_TILED_PITCH_HEIGHT, NV_ERR_INVALID_OWNER, NO_HANDLE },
		{ NVOS32_FUNCTION_INFO, NV_OK, NO_CLIENT },
		{ NVOS32_FUNCTION_DUMP, NOT_SUPPORTED, NO_CLIENT },
		{ NVOS32_FUNCTION_RELEASE_COMPR, NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_FLAGS },
		{ NVOS32_FUNCTION_REACQUIRE_COMPR, NV_ERR_INVALID_FLAGS, NV_ERR_INVALID_FLAGS },
		{ NVOS32_FUNCTION_GET_MEM_ALIGNMENT, NOT_SUPPORTED, NO_CLIENT },
		{ NVOS32_FUNCTION_HW_ALLOC, NOT_SUPPORTED, NO_CLIENT },
		{ NVOS32_FUNCTION_HW_FREE, NOT_SUPPORTED, NO_CLIENT },
	};
	const u32 os_descriptor = NVOS32_FUNCTION_ALLOC_OS_DESCRIPTOR;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		u32 function = functions[i].function;

		assert_int_equal(heap(client, function, 0, 0, 0), functions[i].good);
		assert_int_equal(heap(NOWHERE, function, 0, 0, 0), functions[i].no_client);
		/* There is no such heap, for nobody. */
		assert_int_equal(heap(client, function, 1, 0, 0), NOT_SUPPORTED);
		assert_int_equal(heap(NOWHERE, function, 1, 0, 0), NOT_SUPPORTED);
	}
	assert_int_equal(heap(NOWHERE, NVOS32_FUNCTION_ALLOC_SIZE, 1, 0, 0), NOT_SUPPORTED);
	assert_int_equal(heap(NOWHERE, NVOS32_FUNCTION_FREE, 1, 0, 0), NOT_SUPPORTED);
	assert_int_equal(heap(client, os_descriptor, 1, 0x1000, 4095), NOT_SUPPORTED);
	assert_int_equal(heap(NOWHERE, os_descriptor, 1, 0x1000, 4095), NO_CLIENT);
	assert_int_equal(heap(NOWHERE, os_descriptor, 0, 0x1008, 4095), NOT_SUPPORTED);
	assert_int_equal(heap(NOWHERE, os_descriptor, 0, 0x1000, ~(u64)0), NV_ERR_INVALID_LIMIT);
	assert_int_equal(heap(NOWHERE, 0, 0, 0, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(heap(NOWHERE, ~0u, 0, 0, 0), NV_ERR_INVALID_ARGUMENT);
}

static void test_mapping_for_ever(void **state)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = client,
			    .hDevice = NOWHERE,
			    .hMemory = MEMORY,
			    .flags = FIELD(ENABLE, NVOS33_FLAGS_PERSISTENT) },
	};

	/* After the memory and before the device. */
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.params.status, NV_ERR_INVALID_FLAGS);
	p.params.hMemory = NOWHERE;
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)), RM_IOCTL_OK);
	assert_int_equal(p.params.status, NOT_FOUND);
}

static void test_export_numbers(void **state)
{
	static const struct {
		u32 objects, total;
		u64 size;
		int fd;
		enum nv_status want;
	} cases[] = {
		{ 1, 1, 4096, -1, NOT_SUPPORTED },
		{ 128, 129, 4096, 5, NOT_SUPPORTED },
		{ 129, 129, 4096, -1, NV_ERR_INVALID_ARGUMENT },
		{ ~0u, ~0u, 4096, -1, NV_ERR_INVALID_ARGUMENT },
		{ 2, 1, 4096, -1, NV_ERR_INVALID_ARGUMENT },
		{ 0, 1, 4096, -1, NV_ERR_INVALID_ARGUMENT },
		{ 0, 0, 4096, -1, NV_ERR_INVALID_ARGUMENT },
		{ 1, 1, 0, -1, NV_ERR_INVALID_ARGUMENT },
		{ 1, 1, 4096, -2, NV_ERR_INVALID_ARGUMENT },
	};
	nv_ioctl_export_to_dma_buf_fd_t p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&p, 0, sizeof(p));
		p.hClient = client;
		p.handles[0] = MEMORY;
		p.numObjects = cases[i].objects;
		p.totalObjects = cases[i].total;
		p.totalSize = cases[i].size;
		p.fd = cases[i].fd;
		assert_int_equal(host_ioctl(gpu, NV_ESC_EXPORT_TO_DMABUF_FD, &p, sizeof(p)),
				 RM_IOCTL_OK);
		assert_int_equal(p.status, cases[i].want);
		assert_int_equal(p.fd, cases[i].fd);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, host_end)
	const struct CMUnitTest tests[] = {
		T(test_old_memory_classes_and_flags),
		T(test_old_heap_functions),
		T(test_mapping_for_ever),
		T(test_export_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
