// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Messages once they are sealed: a driver with the right keys that says anything, and a host that
 * changes what lies in shared memory. The input is a list of steps. Whatever comes, both ends live
 * or stop in order, and nothing that was not proven is left in the driver's buffer.
 */
#include "gpu_parts.h"
#include "input.h"
#include "rm/cc/session.h"
#include "rm/gpu/regs.h"

#define STEPS_MAX 24u
#define ROOM 12288u
#define WAIT_NS 50000000u

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* A message that opens, with anything in it. */
static void say(struct input *in)
{
	static const u32 functions[] = {
		NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
		NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC,
		NV_VGPU_MSG_FUNCTION_FREE,
		NV_VGPU_MSG_FUNCTION_DUP_OBJECT,
		NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD,
	};
	static u8 data[ROOM];
	rpc_message_header_v03_00 header = {
		.header_version = 0x03000000,
		.signature = NV_VGPU_MSG_SIGNATURE_VALID,
		.function = functions[take(in, 1) % ARRAY_SIZE(functions)],
	};
	struct gsp_piece pieces[2];
	u32 size = take(in, 2) % ROOM, here = size < in->left ? size : (u32)in->left;

	memset(data, 0, size);
	memcpy(data, in->at, here);
	in->at += here;
	in->left -= here;
	header.length = take(in, 1) % 4 ? (u32)sizeof(header) + size : take(in, 4);
	header.sequence = ++gpu->gsp->sequence;
	pieces[0] = (struct gsp_piece){ &header, sizeof(header) };
	pieces[1] = (struct gsp_piece){ data, size };
	gsp_sealed_send(gpu->gsp, pieces, 2);
}

static void change(struct input *in, u8 *queue, u32 size)
{
	u32 at = take(in, 4) % size;

	queue[at] ^= (u8)(take(in, 1) | 1);
}

static void drain(void)
{
	u32 i;

	for (i = 0; i < 200; i++) {
		if (gsp_sealed_receive(gpu->gsp) == NV_WARN_NOTHING_TO_DO)
			return;
		if (!gpu->gsp->distrusted)
			continue;
		for (i = 0; i < GSP_MSG_QUEUE_ELEMENT_SIZE_MAX; i++)
			if (((u8 *)gpu->gsp->buffer)[i])
				__builtin_trap();
		return;
	}
}

static void step(struct input *in)
{
	struct gsp_msgq *q = &gpu->gsp->queue;

	switch (take(in, 1) % 6) {
	case 0:
		say(in);
		break;
	case 1:
		gpu_wr32(gpu, NV_PGSP_QUEUE_HEAD(0), 0);
		h100_lend(fixture.model);
		break;
	case 2:
		drain();
		break;
	case 3:
		change(in, q->command, q->command_size);
		break;
	case 4:
		change(in, q->status, q->status_size);
		break;
	case 5:
		say(in);
		gpu_wr32(gpu, NV_PGSP_QUEUE_HEAD(0), 0);
		h100_lend(fixture.model);
		drain();
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u32 i;

	os_user_set_tee(OS_TEE_TDX);
	parts_cc = H100_CC_ON;
	parts_setup(NULL);
	if (rm_gpu_retain(gpu) != NV_OK)
		__builtin_trap();
	/* It boots as long as it takes; whoever waits afterwards waits for nobody. */
	gpu->gsp->default_ns = gpu->gsp->timeout_ns = WAIT_NS;
	rm_gpu_lock(gpu);
	for (i = 0; i < STEPS_MAX && in.left; i++)
		step(&in);
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
	parts_teardown(NULL);
	return 0;
}
