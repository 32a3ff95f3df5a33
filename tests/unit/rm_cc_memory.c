// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory as clients of a GPU in confidential mode have it: who reaches which, and a driver that
 * writes page tables and clears memory though no BAR shows it any.
 */
#include "base/bits.h"
#include "h100/engine/mmu.h"
#include "h100/gsp/gpu.h"
#include "rm/api/api.h"
#include "rm/class/vaspace.h"
#include "rm_host.h"
#include "unit.h"

#define SPACE 0xf0u
#define WINDOW 0xf2u
#define MEMORY 0xe0u
#define OTHER 0xe1u
#define VA 0x300000000ull
#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))
#define PAGE OS_PAGE_SIZE

static struct h100 *model;

static void start(enum h100_cc cc)
{
	const struct fixture_gpu_config like = { .cc = cc };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { 0 };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS window = { .offset = VA,
						       .limit = VA + GIB(1) - 1,
						       .hVASpace = SPACE };

	os_user_set_tee(cc == H100_CC_OFF ? OS_TEE_NONE : OS_TEE_TDX);
	host_start_like(1, &like);
	model = host.gpus[0].model;
	os_user_pci_set_confidential(host.gpus[0].pci, cc != H100_CC_OFF);
	host_be(true);
	host_program.gpu = host_open(RM_NODE_GPU, 0);
	host_program.ctl = host_open(RM_NODE_CONTROL, 0);
	assert_true(host_program.gpu >= 0 && host_program.ctl >= 0);
	host_program.client = host_client(host_program.ctl);
	assert_int_equal(host_make(host_program.client, HOST_DEVICE, NV01_DEVICE_0, &device),
			 NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, HOST_SUBDEVICE, NV20_SUBDEVICE_0, &subdevice),
			 NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &space), NV_OK);
	assert_int_equal(host_make(HOST_DEVICE, WINDOW, NV01_MEMORY_VIRTUAL, &window), NV_OK);
}

static int end(void **state)
{
	int rc = host_end(state);

	os_user_set_tee(OS_TEE_NONE);
	return rc;
}

/* Video memory or the system's; *address: where it is, in the one or on the bus. */
static u32 make(u32 handle, bool system, u64 size, u32 protection, u64 *address)
{
	NV_MEMORY_ALLOCATION_PARAMS p = {
		.owner = 1,
		.size = size,
		.attr = system ? FIELD(PCI, NVOS32_ATTR_LOCATION) : 0,
		.attr2 = (u32)REG_PREP(NVOS32_ATTR2_MEMORY_PROTECTION, protection),
	};
	u32 status = host_make(HOST_DEVICE, handle,
			       system ? NV01_MEMORY_SYSTEM : NV01_MEMORY_LOCAL_USER, &p);

	if (address)
		*address = p.offset;
	return status;
}

/* -- Mapping by the CPU ------------------------------------------------------------------------ */

static u32 map_cpu(u32 handle, u64 offset)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = host_program.client,
			    .hDevice = HOST_DEVICE,
			    .hMemory = handle,
			    .offset = offset,
			    .length = PAGE },
		.fd = host_open(RM_NODE_GPU, 0),
	};

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)),
			 RM_IOCTL_OK);
	host_close(p.fd);
	return p.params.status;
}

static void test_video_memory_is_not_mapped(void **state)
{
	start(H100_CC_ON);
	assert_int_equal(make(MEMORY, false, MIB(2), 0, NULL), NV_OK);
	assert_int_equal(map_cpu(MEMORY, 0), NV_ERR_NOT_SUPPORTED);
	/* Before the offset is looked at, as r535. */
	assert_int_equal(map_cpu(MEMORY, MIB(2)), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(make(OTHER, true, PAGE, 0, NULL), NV_OK);
	assert_int_equal(map_cpu(OTHER, 0), NV_OK);
	assert_int_equal(map_cpu(OTHER, PAGE), NV_ERR_INVALID_BASE);
}

static void test_elsewhere_it_is(void **state)
{
	static const enum h100_cc modes[] = { H100_CC_OFF, H100_CC_DEVTOOLS };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		start(modes[i]);
		assert_int_equal(make(MEMORY, false, MIB(2), 0, NULL), NV_OK);
		assert_int_equal(map_cpu(MEMORY, 0), NV_OK);
		assert_int_equal(map_cpu(MEMORY, MIB(2)), NV_ERR_INVALID_BASE);
		if (i + 1 < ARRAY_SIZE(modes))
			assert_int_equal(end(state), 0);
	}
}

/* -- Kinds of memory --------------------------------------------------------------------------- */

static void test_protection_of_video_memory(void **state)
{
	start(H100_CC_ON);
	assert_int_equal(
		make(MEMORY, false, MIB(2), NVOS32_ATTR2_MEMORY_PROTECTION_UNPROTECTED, NULL),
		NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		make(MEMORY, false, MIB(2), NVOS32_ATTR2_MEMORY_PROTECTION_PROTECTED, NULL), NV_OK);
	assert_int_equal(end(state), 0);
	start(H100_CC_OFF);
	assert_int_equal(
		make(MEMORY, false, MIB(2), NVOS32_ATTR2_MEMORY_PROTECTION_PROTECTED, NULL),
		NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		make(MEMORY, false, MIB(2), NVOS32_ATTR2_MEMORY_PROTECTION_UNPROTECTED, NULL),
		NV_OK);
}

static bool reaches(u64 address)
{
	u32 word = 0;

	return os_user_dma_read(host.gpus[0].pci, address, &word, sizeof(word)) &&
	       os_user_dma_write(host.gpus[0].pci, address, &word, sizeof(word));
}

/* The system's memory is shared with a GPU where its client says so. */
static void test_system_memory_is_private(void **state)
{
	u64 address;

	start(H100_CC_ON);
	assert_int_equal(make(MEMORY, true, PAGE, 0, &address), NV_OK);
	assert_false(reaches(address));
	assert_int_equal(host_drop(MEMORY), NV_OK);
	assert_int_equal(
		make(MEMORY, true, PAGE, NVOS32_ATTR2_MEMORY_PROTECTION_PROTECTED, &address),
		NV_OK);
	assert_false(reaches(address));
	assert_int_equal(
		make(OTHER, true, PAGE, NVOS32_ATTR2_MEMORY_PROTECTION_UNPROTECTED, &address),
		NV_OK);
	assert_true(reaches(address));
	assert_int_equal(end(state), 0);
	start(H100_CC_OFF);
	assert_int_equal(make(MEMORY, true, PAGE, 0, &address), NV_OK);
	assert_true(reaches(address));
}

/* -- What the driver does without a BAR -------------------------------------------------------- */

static u32 map_gpu(u32 memory, u64 length, u64 *va)
{
	NVOS46_PARAMETERS p = { .hClient = host_program.client,
				.hDevice = HOST_DEVICE,
				.hDma = WINDOW,
				.hMemory = memory,
				.length = length };

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_MAP_MEMORY_DMA, &p, sizeof(p)),
			 RM_IOCTL_OK);
	*va = p.dmaOffset;
	return p.status;
}

static void unmap_gpu(u32 memory, u64 va)
{
	NVOS47_PARAMETERS p = { .hClient = host_program.client,
				.hDevice = HOST_DEVICE,
				.hDma = WINDOW,
				.hMemory = memory,
				.dmaOffset = va };

	assert_int_equal(host_ioctl(host_program.ctl, NV_ESC_RM_UNMAP_MEMORY_DMA, &p, sizeof(p)),
			 RM_IOCTL_OK);
	assert_int_equal(p.status, NV_OK);
}

static u64 root(void)
{
	enum rm_aperture aperture;
	struct rm_call call;
	u64 address;

	assert_int_equal(
		rm_api_begin(&call, host.fds[host_program.ctl].file, host_program.client, SPACE),
		NV_OK);
	assert_true(rm_vaspace_page_directory(rm_vaspace_of(call.object), &aperture, &address));
	rm_api_end(&call);
	return address;
}

/* As the GPU's MMU has it; false: nothing. */
static bool walk(u64 va, struct h100_translation *t)
{
	const struct h100_pdb pdb = { H100_APERTURE_VIDEO, root() };
	bool found;

	h100_memory_enter(&model->memory);
	found = h100_mmu_translate(model->mmu, &pdb, va, H100_ACCESS_READ | H100_ACCESS_OUTSIDE, t,
				   NULL);
	h100_memory_leave(&model->memory);
	return found;
}

static void tables_are_written(enum h100_cc cc)
{
	u64 video, system, va, other, at;
	struct h100_translation t;

	start(cc);
	assert_int_equal(make(MEMORY, false, MIB(64), 0, &video), NV_OK);
	assert_int_equal(
		make(OTHER, true, 600 * PAGE, NVOS32_ATTR2_MEMORY_PROTECTION_UNPROTECTED, &system),
		NV_OK);
	assert_int_equal(map_gpu(MEMORY, MIB(64), &va), NV_OK);
	assert_int_equal(map_gpu(OTHER, 600 * PAGE, &other), NV_OK);
	for (at = 0; at < MIB(64); at += MIB(1)) {
		assert_true(walk(va + at, &t));
		assert_int_equal(t.aperture, H100_APERTURE_VIDEO);
		assert_int_equal(t.address, video + at);
	}
	for (at = 0; at < 600 * PAGE; at += PAGE) {
		assert_true(walk(other + at, &t));
		assert_int_equal(t.aperture, H100_APERTURE_SYSTEM_COHERENT);
		assert_true(reaches(t.address));
	}
	assert_true(walk(other, &t));
	assert_int_equal(t.address, system);
	unmap_gpu(OTHER, other);
	assert_false(walk(other, &t));
	assert_false(walk(other + 599 * PAGE, &t));
	assert_true(walk(va, &t));
	unmap_gpu(MEMORY, va);
	assert_false(walk(va, &t));
}

static void test_page_tables(void **state)
{
	tables_are_written(H100_CC_ON);
	/* And by no BAR: those show nothing. */
	assert_int_equal(os_pci_rd64(host.gpus[0].pci, 2, root()), ~(u64)0);
	assert_int_equal(end(state), 0);
	tables_are_written(H100_CC_DEVTOOLS);
	assert_int_not_equal(os_pci_rd64(host.gpus[0].pci, 2, root()), ~(u64)0);
}

static u8 byte_at(u64 address)
{
	return os_load_relaxed(&model->memory.video[address]);
}

static void test_memory_is_cleared(void **state)
{
	u64 address, again;

	start(H100_CC_ON);
	assert_int_equal(make(MEMORY, false, MIB(4), 0, &address), NV_OK);
	memset(model->memory.video + address, 0x5e, MIB(4));
	/* What a host does to the aperture does nothing. */
	os_pci_bar_discard(host.gpus[0].pci, 2, address, PAGE);
	os_pci_wr64(host.gpus[0].pci, 2, address, 0);
	assert_int_equal(byte_at(address), 0x5e);
	assert_int_equal(host_drop(MEMORY), NV_OK);
	assert_int_equal(byte_at(address), 0);
	assert_int_equal(byte_at(address + MIB(4) - 1), 0);
	assert_int_equal(make(MEMORY, false, MIB(4), 0, &again), NV_OK);
	assert_int_equal(again, address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_video_memory_is_not_mapped, end),
		cmocka_unit_test_teardown(test_elsewhere_it_is, end),
		cmocka_unit_test_teardown(test_protection_of_video_memory, end),
		cmocka_unit_test_teardown(test_system_memory_is_private, end),
		cmocka_unit_test_teardown(test_page_tables, end),
		cmocka_unit_test_teardown(test_memory_is_cleared, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
