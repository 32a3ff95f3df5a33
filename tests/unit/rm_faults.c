// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The driver's buffer of faults that are not replayable: who may have one, what the GPU writes to
 * it when a channel faults, and what a GPU may do to it that does not keep to the rules.
 */
#include "abi/fault_queue.h"
#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/engine/fault.h"
#include "rm/api/api.h"
#include "rm/class/channel.h"
#include "rm/class/fault_buffer.h"
#include "rm/class/memory.h"
#include "rm/server/internal.h"
#include "rm/uvm.h"
#include "rm_host.h"
#include "unit.h"

#define SPACE 0xe0u
#define MEMORY 0xe1u /* USERD */
#define NOTIFIER 0xe2u
#define CHANNEL 0x100u
#define BUFFER 0x200u
#define GPFIFO 0x200600000ull
#define ENTRIES 2048u
#define USERD_GP_PUT 0x8cu
#define DOORBELL ((u32)(LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL))

typedef u32 fault_entry[NVC369_BUF_SIZE / 4];

static struct rm_uvm_faults *faults;
static u32 told;       /* atomic */
static u32 taken_last; /* of a GPU that went */

/* As unified memory: nothing of the GPU's is kept beyond this. */
static void gone(void *ctx, struct rm_gpu *gpu)
{
	fault_entry e[2];

	if (!faults)
		return;
	taken_last = rm_uvm_faults_take(faults, e, 2);
	rm_uvm_faults_destroy(faults);
	faults = NULL;
}

static void suspends(void *ctx)
{
}

static void faulted(void *ctx, struct rm_gpu *gpu)
{
	assert_ptr_equal(gpu, host.rm_gpus[0]);
	os_fetch_add(&told, 1);
}

static const struct rm_uvm_listener listener = {
	.gone = gone,
	.suspend = suspends,
	.faulted = faulted,
};

static void make_memory(u32 handle)
{
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = KIB(4) };

	assert_int_equal(host_make(HOST_DEVICE, handle, NV01_MEMORY_LOCAL_USER, &m), NV_OK);
}

static void begin(bool admin)
{
	NV_VASPACE_ALLOCATION_PARAMETERS s = { 0 };

	host_program_start(admin);
	assert_int_equal(host_make(HOST_DEVICE, SPACE, FERMI_VASPACE_A, &s), NV_OK);
	make_memory(MEMORY);
	make_memory(NOTIFIER);
	rm_uvm_listen(host.rm, &listener, NULL);
	told = 0;
	faults = NULL;
}

static int start(void **state)
{
	begin(false);
	return 0;
}

static int start_admin(void **state)
{
	begin(true);
	return 0;
}

static int end(void **state)
{
	if (faults)
		rm_uvm_faults_destroy(faults);
	rm_uvm_listen(host.rm, NULL, NULL);
	return host_end(state);
}

static enum nv_status create(void)
{
	u32 entries = 0;
	enum nv_status status = rm_uvm_faults_create(host.rm_gpus[0], &faults, &entries);

	if (status == NV_OK)
		assert_int_equal(entries, ENTRIES);
	else
		faults = NULL;
	return status;
}

/* A channel whose entries are mapped nowhere gets work; returns where its instance block lies. */
static u64 make_fault(u32 *runlist)
{
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS token = { 0 };
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NV_CHANNEL_ALLOC_PARAMS p = {
		.hObjectError = NOTIFIER,
		.gpFifoOffset = GPFIFO,
		.gpFifoEntries = 0x400,
		.hVASpace = SPACE,
		.hUserdMemory = { MEMORY },
		.engineType = NV2080_ENGINE_TYPE_COPY4,
	};
	struct rm_backing *notifier = host_backing(NOTIFIER);
	enum rm_aperture aperture;
	struct rm_call call;
	u64 instance, bytes;
	u32 i;

	rm_backing_write32(notifier, 12, 0);
	rm_backing_write32(host_backing(MEMORY), USERD_GP_PUT, 0);
	assert_int_equal(host_make(HOST_DEVICE, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p), NV_OK);
	assert_int_equal(
		rm_api_begin(&call, host.fds[host_program.ctl].file, host_program.client, CHANNEL),
		NV_OK);
	instance = rm_backing_address(rm_channel_of(call.object)->instance, 0, &aperture, &bytes);
	*runlist = rm_channel_of(call.object)->runlist;
	rm_api_end(&call);
	assert_int_equal(
		host_ask(CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
	assert_int_equal(host_ask(CHANNEL, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &token,
				  sizeof(token)),
			 NV_OK);
	rm_backing_write32(host_backing(MEMORY), USERD_GP_PUT, 1);
	h100_bar_write(host.gpus[0].model, 0, DOORBELL, 4, token.workSubmitToken);
	/* The channel ends as ever: whoever sees that sees what was told before. */
	for (i = 0; i < 5000 && rm_backing_read32(notifier, 12) >> 16 != 0xffff; i++)
		usleep(1000);
	assert_int_equal(rm_backing_read32(notifier, 12) >> 16, 0xffff);
	assert_int_equal(rm_backing_read32(notifier, 8), ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_int_equal(host_drop(CHANNEL), NV_OK);
	return instance;
}

static u32 field(const u32 *entry, u32 high, u32 low)
{
	return entry[low / 32] >> (low % 32) & (u32)(BIT64(high - low + 1) - 1);
}

#define FIELD(e, name) field(e, NVC369_BUF_ENTRY_##name##__HI, NVC369_BUF_ENTRY_##name##__LO)

static void test_entry(void **state)
{
	fault_entry e[4];
	u64 instance;
	u32 runlist;

	/* Nobody has a buffer: nothing is told. */
	make_fault(&runlist);
	assert_int_equal(os_load_acquire(&told), 0);
	assert_int_equal(create(), NV_OK);
	assert_false(rm_uvm_faults_pending(faults));
	assert_int_equal(rm_uvm_faults_take(faults, e, 4), 0);

	instance = make_fault(&runlist);
	assert_int_equal(os_load_acquire(&told), 1);
	assert_true(rm_uvm_faults_pending(faults));
	assert_int_equal(rm_uvm_faults_take(faults, e, 4), 1);
	assert_false(rm_uvm_faults_pending(faults));
	assert_int_equal(e[0][0] >> 12 | (u64)e[0][1] << 20, instance >> 12);
	assert_int_equal(FIELD(e[0], INST_APERTURE), H100_APERTURE_VIDEO);
	assert_int_equal((u64)e[0][2] | (u64)e[0][3] << 32, GPFIFO);
	assert_true(e[0][4] || e[0][5]);
	assert_int_equal(FIELD(e[0], ENGINE_ID), NV_PFAULT_MMU_ENG_ID_HOST0 + runlist);
	assert_int_equal(FIELD(e[0], FAULT_TYPE), NV_PFAULT_FAULT_TYPE_PDE);
	assert_int_equal(FIELD(e[0], CLIENT), NV_PFAULT_CLIENT_HUB_HOST);
	assert_int_equal(FIELD(e[0], ACCESS_TYPE), NV_PFAULT_ACCESS_TYPE_VIRT_READ);
	assert_int_equal(FIELD(e[0], MMU_CLIENT_TYPE), NV_PFAULT_MMU_CLIENT_TYPE_HUB);
	assert_int_equal(FIELD(e[0], REPLAYABLE_FAULT), 0);
	assert_int_equal(FIELD(e[0], VALID), 1);

	/* Two wait, and are taken one by one, in order. */
	make_fault(&runlist);
	make_fault(&runlist);
	assert_int_equal(rm_uvm_faults_take(faults, e, 1), 1);
	assert_int_equal(rm_uvm_faults_take(faults, e + 1, 3), 1);
	assert_true(((u64)e[0][5] << 32 | e[0][4]) < ((u64)e[1][5] << 32 | e[1][4]));
	assert_int_equal(os_load_acquire(&told), 3);

	/* Nobody has one any more. */
	rm_uvm_faults_destroy(faults);
	faults = NULL;
	make_fault(&runlist);
	assert_int_equal(os_load_acquire(&told), 3);
}

/* The system sleeps in between: the GPU still knows where the buffer is. */
static void test_suspend(void **state)
{
	fault_entry e[2];
	u32 runlist;

	assert_int_equal(create(), NV_OK);
	make_fault(&runlist);
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	rm_resume(host.rm);
	make_fault(&runlist);
	assert_int_equal(rm_uvm_faults_take(faults, e, 2), 2);
}

/* -- Who may ----------------------------------------------------------------------------------- */

static void refuse(void **state)
{
	static NV2080_CTRL_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS p;

	assert_int_equal(host_make(HOST_SUBDEVICE, BUFFER, MMU_FAULT_BUFFER, NULL),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(host_ask(HOST_SUBDEVICE,
				  NV2080_CTRL_CMD_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER,
				  &p, sizeof(p)),
			 NV_ERR_NOT_SUPPORTED);
}

/* -- The driver's own -------------------------------------------------------------------------- */

static u32 own, own_buffer;

static u32 own_make(u32 parent, u32 *handle, u32 class_id, void *params, u32 size)
{
	*handle = 0;
	return rm_kernel_alloc(host.rm, own, parent, handle, class_id, params, size);
}

static void own_objects(void)
{
	NV0080_ALLOC_PARAMETERS d = { 0 };
	NV2080_ALLOC_PARAMETERS s = { 0 };
	u32 device, subdevice, second;

	own = 0;
	assert_int_equal(rm_kernel_alloc(host.rm, 0, 0, &own, NV01_ROOT, NULL, 0), NV_OK);
	assert_int_equal(own_make(own, &device, NV01_DEVICE_0, &d, sizeof(d)), NV_OK);
	assert_int_equal(own_make(device, &subdevice, NV20_SUBDEVICE_0, &s, sizeof(s)), NV_OK);
	assert_int_equal(own_make(device, &own_buffer, MMU_FAULT_BUFFER, NULL, 0),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(own_make(subdevice, &own_buffer, MMU_FAULT_BUFFER, NULL, 0), NV_OK);
	/* One below a subdevice, and one of a GPU. */
	assert_int_not_equal(own_make(subdevice, &second, MMU_FAULT_BUFFER, NULL, 0), NV_OK);
	assert_int_equal(create(), NV_ERR_NOT_SUPPORTED);
}

static u32 own_ask(u32 cmd, void *params, u32 size)
{
	return rm_kernel_control(host.rm, own, own_buffer, cmd, params, size);
}

#define REGISTER(p) \
	own_ask(NVC369_CTRL_CMD_MMU_FAULT_BUFFER_REGISTER_NON_REPLAY_BUF, &(p), sizeof(p))
#define UNREGISTER(p) \
	own_ask(NVC369_CTRL_CMD_MMU_FAULT_BUFFER_UNREGISTER_NON_REPLAY_BUF, &(p), sizeof(p))

static void test_commands(void **state)
{
	NVC369_CTRL_MMU_FAULT_BUFFER_REGISTER_NON_REPLAY_BUF_PARAMS p = { 0 };
	NVC369_CTRL_MMU_FAULT_BUFFER_UNREGISTER_NON_REPLAY_BUF_PARAMS u = { 0 };
	NVC369_CTRL_MMU_FAULT_BUFFER_REGISTER_REPLAY_BUF_PARAMS r = { 0 };
	NVC369_CTRL_MMU_FAULT_BUFFER_UNREGISTER_REPLAY_BUF_PARAMS ur = { 0 };
	u64 *queue;

	own_objects();
	assert_int_equal(UNREGISTER(u), NV_OK);
	assert_int_equal(REGISTER(p), NV_OK);
	assert_int_equal(p.bufferSize, ENTRIES * NVC369_BUF_SIZE);
	assert_int_equal(p.pShadowBufferMetadata, 0);
	queue = (u64 *)(uintptr_t)p.pShadowBuffer;
	assert_int_equal(queue[LH_SHADOW_QUEUE_CAPACITY / 8], ENTRIES);
	assert_int_equal(queue[LH_SHADOW_QUEUE_ENTRY_BYTES / 8], NVC369_BUF_SIZE);
	assert_int_equal(REGISTER(p), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(
		own_ask(NVC369_CTRL_CMD_MMU_FAULT_BUFFER_REGISTER_REPLAY_BUF, &r, sizeof(r)),
		NV_ERR_NOT_SUPPORTED);
	assert_int_equal(
		own_ask(NVC369_CTRL_CMD_MMU_FAULT_BUFFER_UNREGISTER_REPLAY_BUF, &ur, sizeof(ur)),
		NV_ERR_NOT_SUPPORTED);
	u.pShadowBuffer = 1;
	assert_int_equal(UNREGISTER(u), NV_OK);
	assert_int_equal(REGISTER(p), NV_OK);
	/* It goes with its client, registered as it is, and another can have one. */
	assert_int_equal(rm_kernel_free(host.rm, own, own), NV_OK);
	assert_int_equal(create(), NV_OK);
}

static struct rm_fault_ring *own_ring(void)
{
	struct rm_fault_ring *ring;
	struct rm_call call;

	rm_call_begin(&call, rm_server(host.rm), NULL, true);
	assert_int_equal(rm_call_lock_client(&call, own, NV_ERR_INVALID_CLIENT), NV_OK);
	assert_int_equal(rm_object_find(call.client, own_buffer, &call.object), NV_OK);
	ring = rm_fault_ring_of(call.object);
	assert_null(rm_fault_ring_of(call.object->parent));
	rm_call_end(&call);
	return ring;
}

/* Both can write to all of the queue: neither believes more than its own half of it. */
static void test_queue(void **state)
{
	NVC369_CTRL_MMU_FAULT_BUFFER_REGISTER_NON_REPLAY_BUF_PARAMS p = { 0 };
	struct rm_fault_ring *ring;
	fault_entry e[4];
	u32 runlist;
	u64 *queue;

	own_objects();
	assert_int_equal(REGISTER(p), NV_OK);
	queue = (u64 *)(uintptr_t)p.pShadowBuffer;
	ring = own_ring();

	/* The GPU finds it full, or a get that is none: what it wanted to tell is lost. */
	queue[LH_SHADOW_QUEUE_GET / 8] = 1;
	make_fault(&runlist);
	queue[LH_SHADOW_QUEUE_GET / 8] = ENTRIES;
	make_fault(&runlist);
	queue[LH_SHADOW_QUEUE_GET / 8] = ~0ull;
	make_fault(&runlist);
	assert_int_equal(queue[LH_SHADOW_QUEUE_PUT / 8], 0);
	assert_int_equal(os_load_acquire(&told), 0);
	queue[LH_SHADOW_QUEUE_GET / 8] = 0;
	/* A put that is not its own is none of its business. */
	queue[LH_SHADOW_QUEUE_PUT / 8] = 77;
	queue[LH_SHADOW_QUEUE_CAPACITY / 8] = 1;
	make_fault(&runlist);
	assert_int_equal(queue[LH_SHADOW_QUEUE_PUT / 8], 1);
	assert_int_equal(rm_fault_ring_take(ring, e, 4), 1);
	assert_int_equal(queue[LH_SHADOW_QUEUE_GET / 8], 1);

	/* Nor does the driver believe a put out of the ring, or a get that it did not write. */
	queue[LH_SHADOW_QUEUE_PUT / 8] = ENTRIES;
	assert_false(rm_fault_ring_pending(ring));
	assert_int_equal(rm_fault_ring_take(ring, e, 4), 0);
	queue[LH_SHADOW_QUEUE_PUT / 8] = 0x100000001ull;
	assert_false(rm_fault_ring_pending(ring));
	assert_int_equal(rm_fault_ring_take(ring, e, 4), 0);
	queue[LH_SHADOW_QUEUE_GET / 8] = 500;
	queue[LH_SHADOW_QUEUE_PUT / 8] = 3;
	assert_true(rm_fault_ring_pending(ring));
	assert_int_equal(rm_fault_ring_take(ring, e, 4), 2);
	/* All around: the ring has no more than its size. */
	queue[LH_SHADOW_QUEUE_PUT / 8] = 2;
	assert_int_equal(rm_fault_ring_take(ring, e, 4), 4);
	assert_int_equal(queue[LH_SHADOW_QUEUE_GET / 8], 7);

	/* Its object goes first. */
	assert_int_equal(rm_kernel_free(host.rm, own, own), NV_OK);
	assert_int_equal(rm_fault_ring_take(ring, e, 4), 4);
	rm_fault_ring_put(ring);
}

/* -- The GPU goes, memory lacks ---------------------------------------------------------------- */

static void test_removal(void **state)
{
	u32 runlist;

	assert_int_equal(create(), NV_OK);
	make_fault(&runlist);
	host_remove(0);
	assert_null(faults);
	assert_int_equal(taken_last, 1);
}

static void test_crash(void **state)
{
	assert_int_equal(create(), NV_OK);
	fixture_gpu_inject(&host.gpus[0], "gsp-crash");
	rm_uvm_faults_destroy(faults);
	assert_int_not_equal(create(), NV_OK);
}

static void test_failing_allocations(void **state)
{
	enum nv_status status = NV_ERR_GENERIC;
	u64 held;
	u32 i;

	assert_int_equal(create(), NV_OK);
	rm_uvm_faults_destroy(faults);
	held = unit_live_settled();
	for (i = 1; i < 400 && status != NV_OK; i++) {
		assert_true(unit_live_becomes(held));
		os_user_fail_alloc_thread(i);
		status = create();
		os_user_fail_alloc_thread(0);
	}
	assert_int_equal(status, NV_OK);
	assert_true(i > 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_entry),
		TEST(test_suspend),
		TEST(refuse),
		cmocka_unit_test_setup_teardown(refuse, start_admin, end),
		TEST(test_commands),
		TEST(test_queue),
		TEST(test_removal),
		TEST(test_crash),
		TEST(test_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
