// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Controls whose parameters cross serialised: to the firmware and back, and between each side and
 * one that says what it likes.
 */
#include "abi/serial.h"
#include "base/bits.h"
#include "gpu_parts.h"
#include "rm/gpu/static_info.h"

#define START NV0080_CTRL_CMD_FIFO_START_SELECTED_CHANNELS
#define LIST_MAX 8u

typedef NV0080_CTRL_FIFO_START_SELECTED_CHANNELS_PARAMS start_params;

static NV0080_CTRL_FIFO_CHANNEL list[LIST_MAX];

static start_params three(void)
{
	start_params p = { .fifoStartChannelListCount = 3, .channelHandle = { 1, 2, 3 } };

	memset(list, 0x7e, sizeof(list));
	p.fifoStartChannelList = (u64)(uintptr_t)list;
	return p;
}

static u32 start(start_params *p)
{
	return gsp_rpc_control(gpu, CLIENT, DEVICE, START, p, sizeof(*p));
}

/* -- The firmware ------------------------------------------------------------------------------ */

static void lists_reach_the_firmware(void **state)
{
	/* In one record, and in several. */
	static const u32 counts[] = { 1, 8, 1000, 100000 };
	start_params p = { 0 }, before;
	u32 i;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	make_objects();
	assert_int_equal(start(&p), NV_OK);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		p.fifoStartChannelListCount = counts[i];
		p.fifoStartChannelList =
			(u64)(uintptr_t)calloc(counts[i], sizeof(NV0080_CTRL_FIFO_CHANNEL));
		before = p;
		/* There are no channels. */
		assert_int_equal(start(&p), NV_ERR_INVALID_ARGUMENT);
		assert_memory_equal(&p, &before, sizeof(p));
		free((void *)(uintptr_t)p.fifoStartChannelList);
	}
	p.fifoStartChannelList = 0;
	assert_int_equal(start(&p), NV_ERR_INVALID_ARGUMENT);
	p.fifoStartChannelListCount = 262145;
	assert_int_equal(start(&p), NV_ERR_OUT_OF_RANGE);
	p = three();
	assert_int_equal(gsp_rpc_control(gpu, CLIENT, DEVICE, START, &p, sizeof(p) - 8),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(gsp_rpc_control(gpu, CLIENT, SUBDEVICE, START, &p, sizeof(p)),
			 NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
}

static void other_pointers_stay_here(void **state)
{
	NV0080_CTRL_BSP_GET_CAPS_PARAMS p = { 0 };

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	make_objects();
	assert_int_equal(
		gsp_rpc_control(gpu, CLIENT, DEVICE, NV0080_CTRL_CMD_BSP_GET_CAPS, &p, sizeof(p)),
		NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
}

/* What the firmware makes of any bytes. */
static u32 tell(u32 cmd, u32 flags, const void *bytes, u32 size)
{
	void *copy = malloc(size ? size : 1);
	rpc_gsp_rm_control_v03_00 rpc = {
		.hClient = CLIENT,
		.hObject = DEVICE,
		.cmd = cmd,
		.paramsSize = size,
		.flags = flags,
	};
	struct gsp_exchange x = {
		.function = NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
		.fixed = &rpc,
		.fixed_size = sizeof(rpc),
		.var = copy,
		.var_size = size,
		.status_offset = offsetof(rpc_gsp_rm_control_v03_00, status),
	};

	memcpy(copy, bytes, size);
	rm_gpu_lock(gpu);
	assert_int_equal(gsp_rpc_call(gpu->gsp, &x), NV_OK);
	rm_gpu_unlock(gpu);
	free(copy);
	return x.inner;
}

static void firmware_takes_any_stream(void **state)
{
	const struct abi_control *control = abi_control_find(START);
	start_params p = three();
	u64 bytes[32], noise[32], seed = 9;
	u32 size, n, i;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	make_objects();
	assert_int_equal(abi_serial_size(control, &p, &size), NV_OK);
	assert_int_equal(abi_serialise(control, &p, bytes, size, NULL), NV_OK);
	assert_int_equal(tell(START, RMAPI_RPC_FLAGS_SERIALIZED, bytes, size),
			 NV_ERR_INVALID_ARGUMENT);
	for (n = 0; n < size; n++)
		assert_int_equal(tell(START, RMAPI_RPC_FLAGS_SERIALIZED, bytes, n),
				 NV_ERR_BUFFER_TOO_SMALL);
	for (n = 0; n < 300; n++) {
		memcpy(noise, bytes, size);
		for (i = 0; i < 4; i++)
			noise[4 + unit_random(&seed) % (size / 8 - 4)] ^=
				1ull << unit_random(&seed) % 64;
		assert_int_not_equal(tell(START, RMAPI_RPC_FLAGS_SERIALIZED, noise, size), NV_OK);
	}
	/* A driver's pointers, and a command that has no such form. */
	assert_int_equal(tell(START, 0, &p, sizeof(p)), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		tell(NV0080_CTRL_CMD_FIFO_START_RUNLIST, RMAPI_RPC_FLAGS_SERIALIZED, bytes, size),
		NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
}

/* -- The driver -------------------------------------------------------------------------------- */

static struct fake_gsp fake;

/* The reply to the next control: that status and those bytes. */
static void reply(u32 status, const void *bytes, u32 size)
{
	u8 data[512] = { 0 };
	rpc_gsp_rm_control_v03_00 rpc = { .status = status, .paramsSize = size };
	const struct fake_message m = {
		.function = NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
		.sequence = gpu->gsp->sequence + 1,
		.data = data,
		.size = (u32)sizeof(rpc) + size,
	};

	assert_true(m.size <= sizeof(data));
	memcpy(data, &rpc, sizeof(rpc));
	memcpy(data + sizeof(rpc), bytes, size);
	fake_gsp_put(&fake, &m);
}

static void replies_fill_what_was_asked_for(void **state)
{
	const struct abi_control *control = abi_control_find(START);
	NV0080_CTRL_FIFO_CHANNEL other[LIST_MAX] = { { 10 }, { 11 }, { 12 }, { 13 } };
	start_params p = three(), answer = p;
	u64 bytes[32];
	u32 size, n;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fake_gsp_start(&fake);
	answer.fifoStartChannelList = (u64)(uintptr_t)other;
	answer.channelHandle[7] = 77;
	assert_int_equal(abi_serial_size(control, &answer, &size), NV_OK);
	assert_int_equal(abi_serialise(control, &answer, bytes, size, NULL), NV_OK);
	reply(NV_OK, bytes, size);
	assert_int_equal(start(&p), NV_OK);
	assert_int_equal(p.channelHandle[7], 77);
	assert_int_equal(p.fifoStartChannelList, (u64)(uintptr_t)list);
	assert_memory_equal(list, other, 3 * sizeof(list[0]));
	assert_int_equal(list[3].hChannel, 0x7e7e7e7e);

	/* An error leaves all as it was. */
	p = three();
	reply(NV_ERR_INVALID_CHANNEL, bytes, size);
	assert_int_equal(start(&p), NV_ERR_INVALID_CHANNEL);
	assert_int_equal(p.channelHandle[7], 0);
	assert_int_equal(list[0].hChannel, 0x7e7e7e7e);

	/* More than was asked for. */
	for (n = 4; n < 7; n++) {
		/* The count lies behind its presence, at the header's end. */
		bytes[4] = (bytes[4] & ~0x1fffffffeull) | (u64)n << 1;
		reply(NV_OK, bytes, size);
		p = three();
		assert_int_equal(start(&p), NV_ERR_OUT_OF_RANGE);
		assert_int_equal(list[3].hChannel, 0x7e7e7e7e);
	}
	bytes[0] = 1;
	reply(NV_OK, bytes, size);
	p = three();
	assert_int_equal(start(&p), NV_ERR_LIB_RM_VERSION_MISMATCH);
	/* Shorter than the question: no reply of this command. */
	for (n = 1; n < size; n += 7) {
		reply(NV_OK, bytes, n);
		p = three();
		assert_int_equal(start(&p), NV_ERR_INVALID_DATA);
	}
	rm_gpu_lock(gpu);
	gpu->gsp->timeout_ns = 1000000;
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
}

static void no_memory_for_the_stream(void **state)
{
	start_params p = three(), before = p;
	u64 live;

	if (!os_user_fail_alloc_thread(0))
		skip();
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	make_objects();
	live = unit_live_settled();
	os_user_fail_alloc_thread(1);
	assert_int_equal(start(&p), NV_ERR_INSUFFICIENT_RESOURCES);
	os_user_fail_alloc_thread(0);
	assert_memory_equal(&p, &before, sizeof(p));
	assert_true(unit_live_becomes(live));
	assert_int_equal(start(&p), NV_ERR_INVALID_ARGUMENT);
	assert_true(unit_live_becomes(live));
	rm_gpu_release(gpu);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(lists_reach_the_firmware),  T(other_pointers_stay_here),
		T(firmware_takes_any_stream), T(replies_fill_what_was_asked_for),
		T(no_memory_for_the_stream),
	};

	return parts_run("gsp_serial", tests, ARRAY_SIZE(tests));
}
