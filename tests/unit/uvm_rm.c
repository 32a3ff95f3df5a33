// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Unified memory over the real resource manager and a software H100: a client's address space,
 * memory of both kinds in it, what is refused of other clients, and who may go first.
 */
#include "rm_host.h"
#include "unit.h"

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/engine/fabric.h"
#include "h100/gsp/gpu.h"
#include "rm/api/api.h"
#include "rm/class/channel.h"
#include "rm/class/memory.h"
#include "rm/class/state.h"
#include "rm/class/vaspace.h"
#include "uvm/uvm.h"

#define DEVICE 0xd0u
#define SPACE 0xe0u
#define MANAGED_SPACE 0xe1u
#define VIDEO 0xe2u
#define SYSTEM 0xe3u
#define COPY_OF_SPACE 0xe4u
#define CHANNEL 0xe5u
#define PEER_DEVICE 0xd1u
#define PEER_SPACE 0xe6u
#define BASE 0x200000000ull
#define EXTERNALLY_OWNED 0x48u

static struct uvm *uvm;
static struct uvm_file *files[2];
static int ctl, other;
static u32 client, others;
static NvProcessorUuid uuid;
static u32 gpus = 1;

static struct uvm_file *file_get(s32 fd)
{
	return fd == 0 ? files[0] : NULL;
}

static void file_put(struct uvm_file *file)
{
}

static u64 current_mm(void)
{
	return 1;
}

static const struct uvm_host_ops ops = {
	.file_get = file_get,
	.file_put = file_put,
	.current_mm = current_mm,
};

#define CALL(p, number)                                                                     \
	(assert_int_equal(uvm_ioctl(files[0], number, (u64)(uintptr_t)(p)), UVM_RESULT_OK), \
	 (p)->rmStatus)

static void make(u32 parent, u32 handle, u32 class_id, void *params, u32 size)
{
	assert_int_equal(host_alloc(ctl, client, parent, &handle, class_id, params, size), NV_OK);
}

static int start(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { .flags = EXTERNALLY_OWNED };
	NV_VASPACE_ALLOCATION_PARAMETERS managed = { 0 };
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = MIB(4), .alignment = MIB(2) };
	NV_MEMORY_ALLOCATION_PARAMS system = {
		.owner = 1,
		.size = KIB(64),
		.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI),
	};
	NV0080_ALLOC_PARAMETERS d = { 0 };
	struct uvm_config config = { .host = &ops };
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };

	host_start(gpus);
	config.rm = host.rm;
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	other = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	others = host_client(other);
	make(client, DEVICE, NV01_DEVICE_0, &d, sizeof(d));
	make(DEVICE, SPACE, FERMI_VASPACE_A, &space, sizeof(space));
	make(DEVICE, MANAGED_SPACE, FERMI_VASPACE_A, &managed, sizeof(managed));
	make(DEVICE, VIDEO, NV01_MEMORY_LOCAL_USER, &video, sizeof(video));
	make(DEVICE, SYSTEM, NV01_MEMORY_SYSTEM, &system, sizeof(system));
	uuid = host_gpu_uuid(ctl, client, 0);
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	assert_int_equal(uvm_file_open(uvm, UVM_NODE_UVM, NULL, &files[0]), NV_OK);
	assert_int_equal(uvm_file_open(uvm, UVM_NODE_UVM, NULL, &files[1]), NV_OK);
	assert_int_equal(CALL(&init, UVM_INITIALIZE), NV_OK);
	assert_int_equal(uvm_ioctl(files[1], UVM_MM_INITIALIZE, (u64)(uintptr_t)&mm),
			 UVM_RESULT_OK);
	assert_int_equal(mm.rmStatus, NV_OK);
	return 0;
}

static int end(void **state)
{
	u32 i;

	for (i = 2; i--;) {
		if (files[i])
			uvm_file_close(files[i]);
		files[i] = NULL;
	}
	uvm_destroy(uvm);
	return host_end(state);
}

static u32 register_gpu(void)
{
	UVM_REGISTER_GPU_PARAMS p = { .gpu_uuid = uuid };

	return CALL(&p, UVM_REGISTER_GPU);
}

static u32 register_space(int fd, u32 root, u32 handle)
{
	UVM_REGISTER_GPU_VASPACE_PARAMS p = {
		.gpuUuid = uuid, .rmCtrlFd = fd, .hClient = root, .hVaSpace = handle
	};

	return CALL(&p, UVM_REGISTER_GPU_VASPACE);
}

static u32 map(int fd, u32 root, u32 handle, u64 base, u64 length)
{
	static UVM_MAP_EXTERNAL_ALLOCATION_PARAMS p;

	p.base = base;
	p.length = length;
	p.gpuAttributesCount = 1;
	p.perGpuAttributes[0].gpuUuid = uuid;
	p.rmCtrlFd = fd;
	p.hClient = root;
	p.hMemory = handle;
	return CALL(&p, UVM_MAP_EXTERNAL_ALLOCATION);
}

static void all_in_place(void)
{
	UVM_CREATE_EXTERNAL_RANGE_PARAMS range = { .base = BASE, .length = MIB(8) };

	assert_int_equal(register_gpu(), NV_OK);
	assert_int_equal(register_space(ctl, client, SPACE), NV_OK);
	assert_int_equal(CALL(&range, UVM_CREATE_EXTERNAL_RANGE), NV_OK);
	assert_int_equal(map(ctl, client, VIDEO, BASE, MIB(4)), NV_OK);
	assert_int_equal(map(ctl, client, SYSTEM, BASE + MIB(4), KIB(64)), NV_OK);
}

static void test_objects(void **state)
{
	UVM_REGISTER_GPU_PARAMS nobody = { .gpu_uuid = { { 1 } } };

	assert_int_equal(CALL(&nobody, UVM_REGISTER_GPU), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(), NV_OK);
	assert_int_equal(register_space(-1, client, SPACE), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(register_space(0, client, SPACE), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(register_space(other, client, SPACE), NV_ERR_INVALID_CLIENT);
	assert_int_equal(register_space(ctl, others, SPACE), NV_ERR_INVALID_CLIENT);
	assert_int_equal(register_space(other, others, SPACE), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(register_space(ctl, client, VIDEO), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(register_space(ctl, client, DEVICE), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(register_space(ctl, client, MANAGED_SPACE), NV_ERR_INVALID_FLAGS);
	assert_int_equal(register_space(ctl, client, SPACE), NV_OK);
	assert_int_equal(map(ctl, client, VIDEO, BASE, MIB(4)), NV_ERR_INVALID_ADDRESS);
}

static void test_maps(void **state)
{
	UVM_UNMAP_EXTERNAL_PARAMS unmap = { .base = BASE, .length = MIB(8), .gpuUuid = uuid };

	all_in_place();
	assert_int_equal(map(ctl, client, DEVICE, BASE, MIB(4)), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(map(other, client, VIDEO, BASE, MIB(4)), NV_ERR_INVALID_CLIENT);
	assert_int_equal(map(ctl, client, VIDEO, BASE, MIB(6)), NV_ERR_INVALID_LIMIT);
	assert_int_equal(map(ctl, client, VIDEO, BASE, MIB(4)), NV_OK);
	/* freed by the client: the mapping keeps it */
	assert_int_equal(host_free(ctl, client, VIDEO), NV_OK);
	assert_int_equal(host_free(ctl, client, SYSTEM), NV_OK);
	assert_int_equal(map(ctl, client, VIDEO, BASE, MIB(4)), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(CALL(&unmap, UVM_UNMAP_EXTERNAL), NV_OK);
}

/* The client, with the address space, goes before the file; then the reverse is start's and end's.
 */
static void test_client_first(void **state)
{
	all_in_place();
	host_close(ctl);
	assert_int_equal(register_space(ctl, client, SPACE), NV_ERR_INVALID_DEVICE);
}

static void test_space_first(void **state)
{
	UVM_UNREGISTER_GPU_VASPACE_PARAMS p = { .gpuUuid = uuid };

	all_in_place();
	assert_int_equal(host_free(ctl, client, SPACE), NV_OK);
	assert_int_equal(CALL(&p, UVM_UNREGISTER_GPU_VASPACE), NV_OK);
	assert_int_equal(register_space(ctl, client, SPACE), NV_ERR_OBJECT_NOT_FOUND);
}

/* The page directory that the firmware wrote for a channel of the space. */
static u32 directory_of_channel(u32 space)
{
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = BASE,
		.gpFifoEntries = 0x400,
		.hVASpace = space,
		.engineType = NV2080_ENGINE_TYPE_COPY0,
	};
	struct rm_call call;
	u32 word;

	make(DEVICE, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p));
	assert_int_equal(rm_api_begin(&call, host.fds[ctl].file, client, CHANNEL), NV_OK);
	word = rm_backing_read32(rm_channel_of(call.object)->instance,
				 NV_RAMIN_PAGE_DIR_BASE_WORD * (u32)sizeof(u32));
	rm_api_end(&call);
	assert_int_equal(host_free(ctl, client, CHANNEL), NV_OK);
	return word & (u32)REG_MASK(NV_RAMIN_PAGE_DIR_BASE_LO);
}

/* The page tables are UVM's to free once the object that it knows is gone, duplicates or not. */
static void test_duplicate_stays(void **state)
{
	NVOS55_PARAMETERS dup = {
		.hClient = client,
		.hParent = DEVICE,
		.hObject = COPY_OF_SPACE,
		.hClientSrc = client,
		.hObjectSrc = SPACE,
	};
	UVM_UNREGISTER_GPU_VASPACE_PARAMS p = { .gpuUuid = uuid };

	all_in_place();
	assert_int_equal(rm_api_dup(host.fds[ctl].file, &dup), NV_OK);
	assert_int_not_equal(directory_of_channel(COPY_OF_SPACE), 0);
	assert_int_equal(host_free(ctl, client, SPACE), NV_OK);
	assert_int_equal(directory_of_channel(COPY_OF_SPACE), 0);
	assert_int_equal(CALL(&p, UVM_UNREGISTER_GPU_VASPACE), NV_OK);
	assert_int_equal(register_space(ctl, client, COPY_OF_SPACE), NV_OK);
	assert_int_not_equal(directory_of_channel(COPY_OF_SPACE), 0);
}

/* Registered twice in turn: the directory of the first is gone. */
static void test_again(void **state)
{
	UVM_UNREGISTER_GPU_VASPACE_PARAMS p = { .gpuUuid = uuid };

	all_in_place();
	assert_int_equal(CALL(&p, UVM_UNREGISTER_GPU_VASPACE), NV_OK);
	assert_int_equal(register_space(ctl, client, SPACE), NV_OK);
	assert_int_equal(map(ctl, client, VIDEO, BASE, MIB(4)), NV_OK);
}

/* The GPU leaves the bus under all of it. */
static void test_gpu_removed(void **state)
{
	UVM_UNREGISTER_GPU_PARAMS p = { .gpu_uuid = uuid };

	all_in_place();
	host_remove(0);
	assert_int_equal(CALL(&p, UVM_UNREGISTER_GPU), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(), NV_ERR_INVALID_DEVICE);
}

/* -- Two GPUs ---------------------------------------------------------------------------------- */

static NvProcessorUuid peer_uuid;

/* What start has on the first GPU, and a space on the second. */
static int start_two(void **state)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { .flags = EXTERNALLY_OWNED };
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 1 };

	gpus = 2;
	start(state);
	gpus = 1;
	assert_true(host_open(RM_NODE_GPU, 1) >= 0);
	make(client, PEER_DEVICE, NV01_DEVICE_0, &d, sizeof(d));
	make(PEER_DEVICE, PEER_SPACE, FERMI_VASPACE_A, &space, sizeof(space));
	peer_uuid = host_gpu_uuid(ctl, client, 1);
	return 0;
}

/* By which its page tables name the other's memory, as the GPU itself sees it. */
static bool peer_usable(u32 gpu)
{
	return h100_peer_usable(&host.gpus[gpu].model->memory, h100_aperture_peer(0));
}

/* The first GPU's memory on the second. */
static u32 map_on_peer(int fd, u32 root)
{
	static UVM_MAP_EXTERNAL_ALLOCATION_PARAMS p;

	p.base = BASE;
	p.length = MIB(4);
	p.gpuAttributesCount = 1;
	p.perGpuAttributes[0].gpuUuid = peer_uuid;
	p.rmCtrlFd = fd;
	p.hClient = root;
	p.hMemory = VIDEO;
	return CALL(&p, UVM_MAP_EXTERNAL_ALLOCATION);
}

static void peers_in_place(void)
{
	UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = peer_uuid };
	UVM_REGISTER_GPU_VASPACE_PARAMS space = {
		.gpuUuid = peer_uuid, .rmCtrlFd = ctl, .hClient = client, .hVaSpace = PEER_SPACE
	};

	UVM_CREATE_EXTERNAL_RANGE_PARAMS range = { .base = BASE, .length = MIB(8) };

	assert_int_equal(CALL(&gpu, UVM_REGISTER_GPU), NV_OK);
	assert_int_equal(CALL(&space, UVM_REGISTER_GPU_VASPACE), NV_OK);
	assert_int_equal(CALL(&range, UVM_CREATE_EXTERNAL_RANGE), NV_OK);
	/* Not while its GPU is no peer. */
	assert_int_equal(map_on_peer(ctl, client), NV_ERR_INVALID_DEVICE);
	assert_false(peer_usable(0) || peer_usable(1));
	assert_int_equal(register_gpu(), NV_OK);
	assert_true(peer_usable(0) && peer_usable(1));
	assert_int_equal(map_on_peer(other, client), NV_ERR_INVALID_CLIENT);
	assert_int_equal(map_on_peer(other, others), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(map_on_peer(ctl, client), NV_OK);
}

static void test_peers(void **state)
{
	UVM_ENABLE_PEER_ACCESS_PARAMS on = { .gpuUuidA = uuid, .gpuUuidB = peer_uuid };
	UVM_DISABLE_PEER_ACCESS_PARAMS off = { .gpuUuidA = uuid, .gpuUuidB = peer_uuid };
	UVM_UNREGISTER_GPU_PARAMS gone = { .gpu_uuid = uuid };

	peers_in_place();
	/* By links: nothing to switch on or off. */
	assert_int_equal(CALL(&on, UVM_ENABLE_PEER_ACCESS), NV_ERR_INVALID_DEVICE);
	assert_int_equal(CALL(&off, UVM_DISABLE_PEER_ACCESS), NV_ERR_INVALID_DEVICE);
	assert_int_equal(CALL(&gone, UVM_UNREGISTER_GPU), NV_OK);
	assert_false(peer_usable(0) || peer_usable(1));
	assert_int_equal(map_on_peer(ctl, client), NV_ERR_INVALID_DEVICE);
	assert_int_equal(register_gpu(), NV_OK);
	assert_int_equal(map_on_peer(ctl, client), NV_OK);
}

/* The client goes first, with the memory; the mapping keeps it. */
static void test_peers_client_first(void **state)
{
	peers_in_place();
	host_close(ctl);
	assert_true(peer_usable(0) && peer_usable(1));
}

/* Whose memory it is leaves the bus; then whoever has it mapped. */
static void test_peers_owner_removed(void **state)
{
	peers_in_place();
	host_remove(0);
	assert_false(peer_usable(1));
	assert_int_equal(map_on_peer(ctl, client), NV_ERR_RESOURCE_LOST);
}

static void test_peers_mapper_removed(void **state)
{
	peers_in_place();
	host_remove(1);
	assert_false(peer_usable(0));
	assert_int_equal(map_on_peer(ctl, client), NV_ERR_INVALID_DEVICE);
}

/* -- A mapper that may still reach the other's memory ------------------------------------------ */

static u64 used_of_first(void)
{
	return rm_gpu_objects_of(host.rm_gpus[0])->heap.used;
}

/* What an engine of the second GPU could do by its page tables. */
static bool reaches_first(void)
{
	struct h100_memory *memory = &host.gpus[1].model->memory;
	u32 value;
	bool read;

	h100_memory_enter(memory);
	read = h100_memory_read(memory, h100_aperture_peer(0), h100_fabric_base(0), &value,
				sizeof(value));
	h100_memory_leave(memory);
	return read;
}

static u32 unmap_on_peer(void)
{
	UVM_UNMAP_EXTERNAL_PARAMS p = { .base = BASE, .length = MIB(4), .gpuUuid = peer_uuid };

	return CALL(&p, UVM_UNMAP_EXTERNAL);
}

static u32 subdevice_of_peer(void)
{
	NV2080_ALLOC_PARAMETERS s = { 0 };
	u32 handle = 0;

	return host_alloc(ctl, client, PEER_DEVICE, &handle, NV20_SUBDEVICE_0, &s, sizeof(s));
}

/* Its TLB may remember: the memory is not given to others, though its own GPU confirms all. */
static void test_peers_timeout(void **state)
{
	u64 used;

	peers_in_place();
	used = used_of_first();
	os_store_relaxed(&host.gpus[1].stuck, 1);
	assert_int_equal(unmap_on_peer(), NV_OK);
	assert_int_equal(host_free(ctl, client, VIDEO), NV_OK);
	assert_int_equal(used_of_first(), used);
	os_store_relaxed(&host.gpus[1].stuck, 0);
	/* The next one that is confirmed is of all. */
	assert_int_equal(rm_tlb_invalidate(host.rm_gpus[1], RM_APERTURE_VIDEO, 0), NV_OK);
	assert_int_equal(used_of_first(), used - MIB(4));
}

/* The firmware is dead and is asked no more, but engines go on until the GPU is taken away. */
static void test_peers_crash(void **state)
{
	u64 used;

	peers_in_place();
	used = used_of_first();
	assert_true(reaches_first());
	fixture_gpu_inject(&host.gpus[1], "gsp-crash");
	assert_int_equal(subdevice_of_peer(), NV_ERR_GPU_IS_LOST);
	assert_false(reaches_first());
	assert_int_equal(unmap_on_peer(), NV_OK);
	assert_int_equal(host_free(ctl, client, VIDEO), NV_OK);
	assert_int_equal(used_of_first(), used);
	host_remove(1);
	assert_int_equal(used_of_first(), used - MIB(4));
}

/* Off the bus, and nobody has noticed before the invalidation. */
static void test_peers_off_bus(void **state)
{
	u64 used;

	peers_in_place();
	used = used_of_first();
	fixture_gpu_inject(&host.gpus[1], "off-bus");
	assert_int_equal(unmap_on_peer(), NV_OK);
	assert_int_equal(host_free(ctl, client, VIDEO), NV_OK);
	assert_int_equal(used_of_first(), used);
	host_remove(1);
	assert_int_equal(used_of_first(), used - MIB(4));
}

/* The other way about: whose memory it is goes first, and what is kept of it is nobody's. */
static void test_peers_crash_owner_first(void **state)
{
	peers_in_place();
	fixture_gpu_inject(&host.gpus[1], "gsp-crash");
	assert_int_equal(subdevice_of_peer(), NV_ERR_GPU_IS_LOST);
	assert_int_equal(unmap_on_peer(), NV_OK);
	assert_int_equal(host_free(ctl, client, VIDEO), NV_OK);
	host_remove(0);
	host_remove(1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
#define TEST_TWO(name) cmocka_unit_test_setup_teardown(name, start_two, end)
	const struct CMUnitTest tests[] = {
		TEST(test_objects),
		TEST(test_maps),
		TEST(test_client_first),
		TEST(test_space_first),
		TEST(test_duplicate_stays),
		TEST(test_again),
		TEST(test_gpu_removed),
		TEST_TWO(test_peers),
		TEST_TWO(test_peers_client_first),
		TEST_TWO(test_peers_owner_removed),
		TEST_TWO(test_peers_mapper_removed),
		TEST_TWO(test_peers_timeout),
		TEST_TWO(test_peers_crash),
		TEST_TWO(test_peers_off_bus),
		TEST_TWO(test_peers_crash_owner_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
