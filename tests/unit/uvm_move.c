// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that moves, over the real resource manager and a software H100: a client's channel
 * copies within it by virtual addresses while it moves back and forth and the CPU touches it; the
 * channel stands still in the meantime and goes on as if nothing had been.
 */
#include "rm_host.h"
#include "unit.h"
#include "uvm_cpu.h"

#include "abi/gh100.h"
#include "base/bits.h"
#include "rm/api/api.h"
#include "rm/class/channel.h"
#include "rm/class/channel_pause.h"
#include "rm/class/memory.h"
#include "rm/gsp/gsp.h"
#include "rm/class/state.h"
#include "rm/class/vaspace.h"
#include "rm/server/internal.h"
#include "rm/uvm/vaspace.h"
#include "uvm/internal.h"
#include "uvm/queue.h"

#define DEVICE 0xd0u
#define SPACE 0xe0u
#define RINGS 0xe2u /* GPFIFO, methods, semaphore */
#define USERD 0xe3u
#define CHANNEL 0xe5u
#define LATE_CHANNEL 0xe6u
#define OBJECT 0xe7u
#define LATE_OBJECT 0xe8u
#define RINGS_AT 0x200000000ull
#define BASE 0x300000000ull
#define FROM BASE
#define TO (BASE + MIB(4))
#define SIZE MIB(2)
#define EXTERNALLY_OWNED 0x48u
#define ENTRIES 64u
#define SEMAPHORE KIB(8)
#define METHODS KIB(16)
#define DOORBELL ((u32)(LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL))

static struct uvm *uvm;
static struct uvm_file *files[2];
static int ctl;
static u32 client, token, put;
static NvProcessorUuid uuid;
static struct rm_backing *rings, *userd;

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

static bool host_unmap(void *ctx, u64 address, u64 size)
{
	cpu_unmap(address, size);
	return true;
}

static const struct uvm_host_ops ops = {
	.file_get = file_get,
	.file_put = file_put,
	.current_mm = current_mm,
	.unmap = host_unmap,
};

#define CALL(p, number)                                                                     \
	(assert_int_equal(uvm_ioctl(files[0], number, (u64)(uintptr_t)(p)), UVM_RESULT_OK), \
	 (p)->rmStatus)

static void make(u32 parent, u32 handle, u32 class_id, void *params, u32 size)
{
	assert_int_equal(host_alloc(ctl, client, parent, &handle, class_id, params, size), NV_OK);
}

static u32 control(u32 object, u32 cmd, void *params, u32 size)
{
	return host_control(ctl, client, object, cmd, params, size);
}

static struct rm_backing *backing_of(u32 handle)
{
	struct rm_backing *backing;
	struct rm_call call;

	assert_int_equal(rm_api_begin(&call, host.fds[ctl].file, client, handle), NV_OK);
	backing = rm_memory_backing(call.object);
	rm_backing_get(backing);
	rm_api_end(&call);
	return backing;
}

static u32 alloc_channel(u32 handle, u32 userd_offset)
{
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = RINGS_AT,
		.gpFifoEntries = ENTRIES,
		.hVASpace = SPACE,
		.engineType = NV2080_ENGINE_TYPE_COPY5,
		.hUserdMemory = { USERD },
		.userdOffset = { userd_offset },
	};

	return host_alloc(ctl, client, DEVICE, &handle, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p));
}

static void start_channel(u32 handle)
{
	UVM_REGISTER_CHANNEL_PARAMS channel = { .gpuUuid = uuid,
						.rmCtrlFd = ctl,
						.hClient = client,
						.hChannel = handle,
						.base = RINGS_AT + GIB(1),
						.length = MIB(8) };
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };

	assert_int_equal(CALL(&channel, UVM_REGISTER_CHANNEL), NV_OK);
	assert_int_equal(
		control(handle, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
}

static void make_channel(u32 handle, u32 userd_offset)
{
	assert_int_equal(alloc_channel(handle, userd_offset), NV_OK);
	start_channel(handle);
}

static void make_space(void)
{
	UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = uuid };
	UVM_REGISTER_GPU_VASPACE_PARAMS space = {
		.gpuUuid = uuid, .rmCtrlFd = ctl, .hClient = client, .hVaSpace = SPACE
	};
	UVM_CREATE_EXTERNAL_RANGE_PARAMS range = { .base = RINGS_AT, .length = MIB(2) };
	static UVM_MAP_EXTERNAL_ALLOCATION_PARAMS map;
	enum uvm_mmap_kind kind;

	assert_int_equal(CALL(&gpu, UVM_REGISTER_GPU), NV_OK);
	assert_int_equal(CALL(&space, UVM_REGISTER_GPU_VASPACE), NV_OK);
	assert_int_equal(CALL(&range, UVM_CREATE_EXTERNAL_RANGE), NV_OK);
	map.base = RINGS_AT;
	map.length = KIB(64);
	map.gpuAttributesCount = 1;
	map.perGpuAttributes[0].gpuUuid = uuid;
	map.rmCtrlFd = ctl;
	map.hClient = client;
	map.hMemory = RINGS;
	assert_int_equal(CALL(&map, UVM_MAP_EXTERNAL_ALLOCATION), NV_OK);
	assert_int_equal(uvm_file_mmap(files[0], FROM, SIZE, FROM, 7, &kind), UVM_RESULT_OK);
	assert_int_equal(uvm_file_mmap(files[0], TO, SIZE, TO, 7, &kind), UVM_RESULT_OK);
}

static u32 migrate(u64 start, u64 size, bool to_gpu)
{
	static const NvProcessorUuid the_cpu = { { 0xa6, 0x5e, 0x0f, 0x4e, 0xd7, 0xd4, 0x7b, 0xa2,
						   0x50, 0x47, 0x41, 0x2c, 0x14, 0x2a, 0x77,
						   0x73 } };
	UVM_MIGRATE_PARAMS p = { .base = start,
				 .length = size,
				 .destinationUuid = to_gpu ? uuid : the_cpu };

	return CALL(&p, UVM_MIGRATE);
}

static int start_like(enum h100_cc cc)
{
	const struct fixture_gpu_config like = { .cc = cc };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { .flags = EXTERNALLY_OWNED };
	NV_MEMORY_ALLOCATION_PARAMS memory = {
		.owner = 1,
		.size = KIB(64),
		.attr = (u32)REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI),
	};
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS ask = { 0 };
	NVB0B5_ALLOCATION_PARAMETERS copy = { .engineType = 5 };
	struct uvm_config config = { .host = &ops };
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };
	NV0080_ALLOC_PARAMETERS d = { 0 };

	os_user_set_tee(cc == H100_CC_OFF ? OS_TEE_NONE : OS_TEE_TDX);
	host_start_like(1, &like);
	config.rm = host.rm;
	put = 0;
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	make(client, DEVICE, NV01_DEVICE_0, &d, sizeof(d));
	make(DEVICE, SPACE, FERMI_VASPACE_A, &space, sizeof(space));
	make(DEVICE, RINGS, NV01_MEMORY_SYSTEM, &memory, sizeof(memory));
	make(DEVICE, USERD, NV01_MEMORY_SYSTEM, &memory, sizeof(memory));
	rings = backing_of(RINGS);
	userd = backing_of(USERD);
	uuid = host_gpu_uuid(ctl, client, 0);
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	assert_int_equal(uvm_file_open(uvm, UVM_NODE_UVM, NULL, &files[0]), NV_OK);
	assert_int_equal(uvm_file_open(uvm, UVM_NODE_UVM, NULL, &files[1]), NV_OK);
	cpu_begin(files[0], BASE);
	assert_int_equal(CALL(&init, UVM_INITIALIZE), NV_OK);
	assert_int_equal(uvm_ioctl(files[1], UVM_MM_INITIALIZE, (u64)(uintptr_t)&mm),
			 UVM_RESULT_OK);
	assert_int_equal(mm.rmStatus, NV_OK);
	make_space();
	make_channel(CHANNEL, 0);
	make(CHANNEL, OBJECT, HOPPER_DMA_COPY_A, &copy, sizeof(copy));
	assert_int_equal(
		control(CHANNEL, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &ask, sizeof(ask)),
		NV_OK);
	token = ask.workSubmitToken;
	/* No GPU can ask for memory that nobody made. */
	assert_int_equal(migrate(FROM, SIZE, false), NV_OK);
	assert_int_equal(migrate(TO, SIZE, false), NV_OK);
	return 0;
}

static int start(void **state)
{
	return start_like(H100_CC_OFF);
}

static int start_confidential(void **state)
{
	return start_like(H100_CC_ON);
}

static void let_go(void)
{
	if (rings) {
		rm_backing_put(rings);
		rm_backing_put(userd);
	}
	rings = NULL;
}

static int end(void **state)
{
	let_go();
	uvm_file_close(files[1]);
	uvm_file_close(files[0]);
	uvm_destroy(uvm);
	os_user_set_tee(OS_TEE_NONE);
	return host_end(state);
}

/* -- The client's channel ---------------------------------------------------------------------- */

/* A copy of all of FROM to TO, and value in the semaphore after it. */
static void submit(u32 value)
{
	const u32 words[] = {
		0x20018000,
		0xc8b5, /* SET_OBJECT */
		0x20048100,
		(u32)(FROM >> 32),
		(u32)FROM,
		(u32)(TO >> 32),
		(u32)TO,
		0x20018106,
		(u32)SIZE, /* LINE_LENGTH_IN */
		0x200180c0,
		0x182, /* LAUNCH_DMA: virtual, pitch, non-pipelined */
		0x20038090,
		(u32)((RINGS_AT + SEMAPHORE) >> 32),
		(u32)(RINGS_AT + SEMAPHORE),
		value,
		0x200180c0,
		0xc, /* LAUNCH_DMA: flush, one word */
	};
	u64 at = METHODS + (u64)(put % 64) * 256;
	u64 entry = (RINGS_AT + at) | (u64)(sizeof(words) / 4) << 42;

	memcpy(rm_backing_cpu(rings, at), words, sizeof(words));
	memcpy(rm_backing_cpu(rings, 8ull * put), &entry, 8);
	put = (put + 1) % ENTRIES;
	os_store_release((u32 *)rm_backing_cpu(userd, 0x8c), put);
	os_fence();
	os_pci_wr32(host.gpus[0].pci, 0, DOORBELL, token);
}

static u32 semaphore(void)
{
	return os_load_acquire((u32 *)rm_backing_cpu(rings, SEMAPHORE));
}

static bool is_there(void *arg)
{
	return semaphore() == *(u32 *)arg;
}

static void wait_for(u32 value)
{
	assert_int_equal(os_pci_wait(host.gpus[0].pci, is_there, &value, 60000000000ull), NV_OK);
}

/* -- Tests ------------------------------------------------------------------------------------- */

static u64 video_free(void)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS p = { .fbInfoListSize = 1 };
	u32 subdevice = 0x77;

	p.fbInfoList[0].index = NV2080_CTRL_FB_INFO_INDEX_HEAP_FREE;
	make(DEVICE, subdevice, NV20_SUBDEVICE_0, NULL, 0);
	assert_int_equal(control(subdevice, NV2080_CTRL_CMD_FB_GET_INFO_V2, &p, sizeof(p)), NV_OK);
	assert_int_equal(host_free(ctl, client, subdevice), NV_OK);
	return p.fbInfoList[0].data;
}

/* The channel sees what the CPU wrote, wherever either part is, and the CPU what it wrote. */
static void test_everywhere(void **state)
{
	u64 at, was, seed = 5, free_kib;
	u32 i;

	for (i = 0; i < 16; i++) {
		u64 delta = unit_random(&seed);

		for (at = 0; at < SIZE; at += CPU_PAGE)
			assert_true(cpu_add(FROM + at, delta + at, &was));
		assert_int_equal(migrate(FROM + (i & 4 ? CPU_PAGE : 0), SIZE - MIB(1), i & 1),
				 NV_OK);
		assert_int_equal(migrate(TO, SIZE, i & 2), NV_OK);
		submit(i + 1);
		wait_for(i + 1);
		if (i & 8)
			assert_int_equal(migrate(TO, SIZE, false), NV_OK);
		for (at = 0; at < SIZE; at += CPU_PAGE) {
			u64 from;

			assert_true(cpu_add(FROM + at, 0, &from) && cpu_add(TO + at, 0, &was));
			assert_true(from == was);
		}
	}
	/* its place in video memory is kept, as long as it is there */
	assert_int_equal(migrate(FROM, SIZE, true), NV_OK);
	free_kib = video_free();
	assert_int_equal(migrate(FROM, SIZE, false), NV_OK);
	assert_true(video_free() == free_kib);
	assert_int_equal(migrate(FROM, SIZE, true), NV_OK);
	assert_true(video_free() == free_kib);
	uvm_file_munmap(files[0], FROM, SIZE);
	assert_true(video_free() == free_kib + SIZE / KIB(1));
}

static u32 moving;
static u64 moves;

static void mover(void *arg)
{
	u64 seed = 3;

	while (os_load_acquire(&moving)) {
		u64 r = unit_random(&seed);
		u64 page = r % 400, pages = 1 + (r >> 20) % 100;

		migrate((r >> 40 & 1 ? FROM : TO) + page * CPU_PAGE, pages * CPU_PAGE, r >> 41 & 1);
		moves++;
	}
}

/* The same while it moves in the middle of the copies, and the CPU counts in the source. */
static void test_meanwhile(void **state)
{
	struct os_thread *thread;
	u64 at, was, seed = 9, sum = 0;
	u32 i, count = 0;

	for (at = 0; at < SIZE; at += CPU_PAGE)
		assert_true(cpu_add(FROM + at + 8, at + 1, &was));
	moving = 1;
	moves = 0;
	thread = os_thread_create("mover", mover, NULL);
	assert_non_null(thread);
	for (i = 1; i <= 40; i++) {
		u32 touches;

		submit(i);
		for (touches = 0; touches < 50; touches++, count++)
			assert_true(cpu_add(FROM + unit_random(&seed) % 512 * CPU_PAGE, 1, &was));
		wait_for(i);
	}
	os_store_release(&moving, 0);
	os_thread_join(thread);
	assert_true(moves > 10);
	submit(i);
	wait_for(i);
	for (at = 0; at < SIZE; at += CPU_PAGE) {
		u64 from;

		assert_true(cpu_add(FROM + at, 0, &from) && cpu_add(TO + at, 0, &was));
		assert_true(from == was);
		sum += from;
		assert_true(cpu_add(TO + at + 8, 0, &was) && was == at + 1);
	}
	assert_true(sum == count);
}

/* What is paused does not run; what is made meanwhile neither; afterwards all does. */
static void test_pause(void **state)
{
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS ask = { 0 };
	struct rm_uvm_vaspace *vaspace;
	struct uvm_gpu *gpu = uvm_gpu_find(files[0]->space, &uuid);
	u32 first = token;

	vaspace = gpu->space->rm;
	assert_int_equal(rm_uvm_vaspace_pause(vaspace), NV_OK);
	submit(1);
	os_sleep_us(20000);
	assert_int_equal(semaphore(), 0);
	/* the late one has the same ring: whoever runs first does the first entry */
	make_channel(LATE_CHANNEL, 512);
	assert_int_equal(control(LATE_CHANNEL, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &ask,
				 sizeof(ask)),
			 NV_OK);
	*(volatile u32 *)rm_backing_cpu(userd, 512 + 0x8c) = 1;
	os_pci_wr32(host.gpus[0].pci, 0, DOORBELL, ask.workSubmitToken);
	os_sleep_us(20000);
	assert_int_equal(semaphore(), 0);
	assert_int_equal(*(volatile u32 *)rm_backing_cpu(userd, 512 + 0x88), 0);
	assert_int_equal(host_free(ctl, client, LATE_CHANNEL), NV_OK);
	rm_uvm_vaspace_go_on(vaspace);
	wait_for(1);
	assert_int_equal(token, first);
	submit(2);
	wait_for(2);
}

/* Firmware that does not answer has paused nothing, and is not asked about each channel by itself.
 */
static void test_pause_timeout(void **state)
{
	struct rm_gsp *gsp = host.rm_gpus[0]->gsp;
	u64 usual = gsp->timeout_ns, was;
	u32 timeouts;

	make_channel(LATE_CHANNEL, 512);
	assert_true(cpu_add(FROM, 77, &was));
	assert_int_equal(migrate(FROM, SIZE, true), NV_OK);
	gsp->timeout_ns = 100000000;
	fixture_gpu_inject(&host.gpus[0], "gsp-hang");
	timeouts = gsp->timeouts;
	/* The page stays where it is. */
	assert_int_equal(migrate(FROM, SIZE, false), NV_ERR_TIMEOUT);
	/* To pause and to go on. */
	assert_int_equal(gsp->timeouts - timeouts, 2);
	gsp->timeout_ns = usual;
	fixture_gpu_inject(&host.gpus[0], "gsp-wake");
	assert_int_equal(host_free(ctl, client, LATE_CHANNEL), NV_OK);
	submit(1);
	wait_for(1);
	assert_int_equal(migrate(FROM, SIZE, false), NV_OK);
	assert_true(cpu_add(FROM, 0, &was) && was == 77);
	submit(2);
	wait_for(2);
}

static u32 made, made_status;

static void maker(void *arg)
{
	made_status = alloc_channel(LATE_CHANNEL, 512);
	os_store_release(&made, 1);
}

static bool is_listed(struct rm_gpu *gpu, struct rm_vaspace *space)
{
	struct rm_fifo *fifo = &rm_gpu_objects_of(gpu)->fifo;
	struct rm_channel *channel;
	u32 count = 0;

	os_mutex_lock(&fifo->lock);
	list_for_each_entry (channel, rm_vaspace_channels(space), space_node)
		count++;
	os_mutex_unlock(&fifo->lock);
	return count == 2;
}

/*
 * Lets the space's channels go on while the late one is made: if that can be had, once it is of the
 * space, and before its maker has told the firmware that it stands still.
 */
static bool go_on_between(struct rm_uvm_vaspace *vaspace)
{
	struct rm_gpu *gpu = host.rm_gpus[0];
	bool between = false;
	struct rm_call call;

	rm_call_begin(&call, rm_server(host.rm), NULL, true);
	while (!between && !os_load_acquire(&made)) {
		if (!os_mutex_trylock(&gpu->lock))
			continue;
		call.locked_gpu = gpu;
		between = is_listed(gpu, vaspace->space);
		if (between)
			rm_uvm_vaspace_go_on(vaspace);
		call.locked_gpu = NULL;
		rm_gpu_unlock(gpu);
	}
	rm_call_end(&call);
	if (!between)
		rm_uvm_vaspace_go_on(vaspace);
	return between;
}

/*
 * One that is made at the very end of a pause runs, like all others. The moment that counts is hit
 * every tenth time or so.
 */
static void test_made_at_the_end(void **state)
{
	struct rm_uvm_vaspace *vaspace = uvm_gpu_find(files[0]->space, &uuid)->space->rm;
	UVM_UNREGISTER_CHANNEL_PARAMS unregister = { .gpuUuid = uuid,
						     .hClient = client,
						     .hChannel = LATE_CHANNEL };
	NVB0B5_ALLOCATION_PARAMETERS copy = { .engineType = 5 };
	volatile u32 *late = rm_backing_cpu(userd, 512);
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS ask = { 0 };
	u32 i, between = 0, tries;

	submit(1);
	wait_for(1);
	for (i = 0; i < 60 && between < 5; i++) {
		struct os_thread *thread;

		made = 0;
		os_store_release(&late[0x88 / 4], 0u);
		os_store_release(&late[0x8c / 4], 0u);
		assert_int_equal(rm_uvm_vaspace_pause(vaspace), NV_OK);
		thread = os_thread_create("maker", maker, NULL);
		assert_non_null(thread);
		between += go_on_between(vaspace);
		os_thread_join(thread);
		assert_int_equal(made_status, NV_OK);
		start_channel(LATE_CHANNEL);
		make(LATE_CHANNEL, LATE_OBJECT, HOPPER_DMA_COPY_A, &copy, sizeof(copy));
		assert_int_equal(control(LATE_CHANNEL, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN,
					 &ask, sizeof(ask)),
				 NV_OK);
		os_store_release(&late[0x8c / 4], 1u);
		os_pci_wr32(host.gpus[0].pci, 0, DOORBELL, ask.workSubmitToken);
		for (tries = 0; tries < 10000 && os_load_acquire(&late[0x88 / 4]) != 1; tries++)
			os_sleep_us(1000);
		assert_int_equal(os_load_acquire(&late[0x88 / 4]), 1);
		assert_int_equal(CALL(&unregister, UVM_UNREGISTER_CHANNEL), NV_OK);
		assert_int_equal(host_free(ctl, client, LATE_CHANNEL), NV_OK);
	}
}

/* Suspended with data in video memory: it is the CPU's meanwhile, and can go there again. */
static void test_suspend(void **state)
{
	u64 was;

	assert_true(cpu_add(FROM, 77, &was));
	assert_int_equal(migrate(FROM, SIZE, true), NV_OK);
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	assert_true(cpu_add(FROM, 1, &was) && was == 77);
	rm_resume(host.rm);
	assert_int_equal(migrate(FROM, SIZE, true), NV_OK);
	submit(1);
	wait_for(1);
	assert_true(cpu_add(TO, 0, &was) && was == 78);
}

/* The GPU leaves with data in its memory: what was there is a bus error, the rest goes on. */
static void test_removed(void **state)
{
	u64 was;

	assert_true(cpu_add(FROM, 77, &was) && cpu_add(TO, 78, &was));
	assert_int_equal(migrate(FROM, MIB(1), true), NV_OK);
	let_go();
	host_remove(0);
	assert_false(cpu_add(FROM, 0, &was));
	assert_true(cpu_add(FROM + MIB(1), 0, &was));
	assert_true(cpu_add(TO, 0, &was) && was == 78);
	assert_int_equal(migrate(TO, SIZE, true), NV_ERR_INVALID_DEVICE);
}

/* -- Confidential mode ------------------------------------------------------------------------- */

static bool shares(u64 word)
{
	return host_shares(&word, sizeof(word));
}

/* Every page of FROM begins with a word of its own. */
static u64 word_of(u64 at, u64 round)
{
	u64 seed = at * 977 + round + 1;

	(void)unit_random(&seed);
	return unit_random(&seed);
}

static void write_from(u64 round)
{
	u64 at, was;

	for (at = 0; at < SIZE; at += CPU_PAGE) {
		assert_true(cpu_add(FROM + at, 0, &was));
		assert_true(cpu_add(FROM + at, word_of(at, round) - was, &was));
	}
}

static void check_at(u64 base, u64 round)
{
	u64 at, was;

	for (at = 0; at < SIZE; at += CPU_PAGE) {
		assert_true(cpu_add(base + at, 0, &was));
		assert_true(was == word_of(at, round));
	}
}

/* The channel has in video memory what the CPU wrote, and nobody else sees it on its way. */
static void test_confidential(void **state)
{
	const struct uvm_dma_pool *pool = &uvm_gpu_find(files[0]->space, &uuid)->device->dma;
	u64 at, was;
	u32 i;

	for (i = 0; i < 8; i++) {
		write_from(i);
		if (i & 1)
			assert_int_equal(migrate(FROM + 7 * CPU_PAGE, MIB(1), true), NV_OK);
		assert_int_equal(migrate(FROM, SIZE, true), NV_OK);
		assert_int_equal(migrate(TO, SIZE, true), NV_OK);
		submit(i + 1);
		wait_for(i + 1);
		for (at = 0; at < SIZE; at += 16 * CPU_PAGE)
			assert_false(shares(word_of(at, i)));
		if (i & 2)
			assert_int_equal(migrate(TO + CPU_PAGE, MIB(1), false), NV_OK);
		if (i & 4)
			assert_int_equal(migrate(TO, SIZE, false), NV_OK);
		check_at(TO, i);
		check_at(FROM, i);
		for (at = 0; at < SIZE; at += 16 * CPU_PAGE)
			assert_false(shares(word_of(at, i)));
	}
	/* The look itself finds what is there. */
	at = 0x5a17c0de12345678ull;
	memcpy(list_entry(list_first(&pool->free), struct uvm_dma_buffer, node)->text, &at, 8);
	assert_true(shares(at));
	assert_true(cpu_add(FROM, 0, &was));
}

/* What is not in video memory is not the GPU's. */
static void test_confidential_system(void **state)
{
	write_from(1);
	submit(1);
	os_sleep_us(200000);
	assert_int_equal(semaphore(), 0);
	check_at(FROM, 1);
}

/* Whatever finds no memory: data is where it was. */
static void test_confidential_no_memory(void **state)
{
	u64 nth, failed, refused = 0;
	u32 way;

	if (!os_user_fail_alloc_thread(0))
		skip();
	write_from(3);
	for (way = 0; way < 2; way++) {
		for (nth = 1;; nth++) {
			u32 status;

			failed = unit_failed();
			assert_int_equal(migrate(FROM, SIZE, way), NV_OK);
			os_user_fail_alloc_thread(nth);
			status = migrate(FROM, SIZE, !way);
			os_user_fail_alloc_thread(0);
			if (unit_failed() == failed)
				break;
			assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY);
			refused += status != NV_OK;
		}
		/* The way back takes none. */
		assert_true(way ? nth == 1 : nth > 1);
	}
	assert_true(refused > 0);
	check_at(FROM, 3);
}

/* Without a buffer for ciphertext, and without memory for one, data comes back all the same. */
static void test_confidential_reserve(void **state)
{
	struct uvm_dma_pool *pool = &uvm_gpu_find(files[0]->space, &uuid)->device->dma;
	struct uvm_dma_buffer *taken[64];
	u32 count = 0;

	if (!os_user_fail_alloc_thread(0))
		skip();
	write_from(4);
	assert_int_equal(migrate(FROM, SIZE, true), NV_OK);
	while (!list_empty(&pool->free))
		assert_int_equal(uvm_dma_alloc(pool, NULL, &taken[count++]), NV_OK);
	os_user_fail_alloc_thread(1);
	assert_int_equal(migrate(FROM, MIB(1), false), NV_OK);
	os_user_fail_alloc_thread(1);
	assert_int_equal(migrate(FROM + MIB(1), MIB(1), false), NV_OK);
	os_user_fail_alloc_thread(0);
	assert_true(list_empty(&pool->free));
	check_at(FROM, 4);
	while (count)
		uvm_dma_free(pool, taken[--count], NULL);
}

int main(void)
{
#define CONFIDENTIAL(name) cmocka_unit_test_setup_teardown(name, start_confidential, end)
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(test_everywhere),
		TEST(test_meanwhile),
		TEST(test_pause),
		TEST(test_suspend),
		TEST(test_removed),
		TEST(test_pause_timeout),
		TEST(test_made_at_the_end),
		CONFIDENTIAL(test_confidential),
		CONFIDENTIAL(test_confidential_system),
		CONFIDENTIAL(test_confidential_no_memory),
		CONFIDENTIAL(test_confidential_reserve),
		CONFIDENTIAL(test_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
