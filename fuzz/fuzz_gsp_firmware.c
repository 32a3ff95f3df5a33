// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A hostile driver against the software H100: register and config accesses, messages good and bad,
 * and memory that changes under the firmware's hands. The input is a list of steps, each an opcode
 * and its operands. What the firmware sends must be well formed as long as the driver left the
 * queues alone.
 */
#include <stdlib.h>
#include <string.h>

#include "h100/gsp/fw.h"
#include "h100_driver.h"
#include "input.h"

#define CLIENT 0xc1d00001u
#define MAX_STEPS 64u

enum step {
	STEP_REGISTER_WRITE,
	STEP_REGISTER_READ,
	STEP_KNOWN_REGISTER,
	STEP_CONFIG_WRITE,
	STEP_MESSAGE,
	STEP_RAW_RECORD,
	STEP_CONTROL,
	STEP_ALLOC,
	STEP_MEMORY,
	STEP_WRITE_POINTER,
	STEP_LEND,
	STEP_COT,
	STEP_RESET,
	STEP_FAULT,
	STEP_COUNT,
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u32 take_bytes(struct input *in, void *data, u32 size)
{
	u32 here = size < in->left ? size : (u32)in->left;

	memcpy(data, in->at, here);
	in->at += here;
	in->left -= here;
	return here;
}

/* Registers whose writes do something. */
static const u32 known[] = {
	NV_PFSP_EMEMC(0),
	NV_PFSP_EMEMD(0),
	NV_PFSP_QUEUE_HEAD(0),
	NV_PFSP_QUEUE_TAIL(0),
	NV_PFSP_MSGQ_TAIL(0),
	NV_PGSP_QUEUE_HEAD(0),
	NV_XAL_EP_BAR0_WINDOW,
	NV_PRAMIN__LO,
	0x110004,
	0x110000,
	0x1103e8,
	0x110040,
	LH_VF_BASE + 0x1018,
	LH_VF_BASE + 0x1218,
	LH_VF_BASE + 0x1418,
	LH_VF_BASE + 0x1608,
	LH_VF_BASE + 0x1610,
	LH_VF_BASE + 0x1640,
	LH_VF_BASE + 0x2200,
	LH_MSIX_TABLE + 12,
	LH_MSIX_TABLE + 48,
	NV_EP_PCFGM__LO + 4,
	NV_EP_PCFGM__LO + 0xb0,
};

static const u32 functions[] = {
	NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
	NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC,
	NV_VGPU_MSG_FUNCTION_FREE,
	NV_VGPU_MSG_FUNCTION_DUP_OBJECT,
	NV_VGPU_MSG_FUNCTION_GET_GSP_STATIC_INFO,
	NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD,
	NV_VGPU_MSG_FUNCTION_GSP_SET_SYSTEM_INFO,
	NV_VGPU_MSG_FUNCTION_SET_REGISTRY,
	NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER,
	NV_VGPU_MSG_FUNCTION_ALLOC_ROOT,
};

static u32 handle(u32 byte)
{
	static const u32 handles[] = { CLIENT,	   0xa55a0000, 0xa55a0010, 0xc2000001,
				       0xc2000002, 0xc2000003, 0,	   0x99 };

	return byte < 0x80 ? handles[byte % ARRAY_SIZE(handles)] : byte;
}

static void send_message(struct driver *d, struct input *in)
{
	u32 function = functions[take(in, 1) % ARRAY_SIZE(functions)];
	u32 length = take(in, 1) < 0x20 ? GSP_MSG_QUEUE_RPC_SIZE_MAX - 32 : take(in, 2) % 5000;
	rpc_message_header_v *message = driver_message(d, function, 32 + length);

	take_bytes(in, message + 1, length < 256 ? length : 256);
	driver_send(d);
}

static void send_raw(struct driver *d, struct input *in)
{
	GSP_MSG_QUEUE_ELEMENT *element = (void *)d->record;
	u64 sum = 0;
	u32 i, bytes;

	memset(d->record, 0, sizeof(d->record));
	take_bytes(in, d->record, 120);
	if (take(in, 1) % 2 == 0)
		element->rpc.signature = NV_VGPU_MSG_SIGNATURE_VALID;
	bytes = element->rpc.length < 65000 ? (48 + element->rpc.length + 7) / 8 : 16;
	element->checkSum = 0;
	for (i = 0; i < bytes; i++)
		sum ^= ((u64 *)d->record)[i];
	element->checkSum = (u32)(sum ^ sum >> 32);
	driver_put(d, 1 + take(in, 1) % 16);
}

/* A stream whose header is right but for its length, now and then. */
static void send_serialised(struct driver *d, struct input *in, const struct fw_control *control)
{
	u32 size = 32 + take(in, 1) * 8;
	rpc_gsp_rm_control_v *rpc =
		(void *)(driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, 32 + 24 + size) +
			 1);
	u32 length = take(in, 1) < 0x20 ? take(in, 2) : size;
	u64 header[] = { 0, length, control->cmd >> 8, control->cmd & 0xff };

	rpc->hClient = handle(take(in, 1));
	rpc->hObject = handle(take(in, 1));
	rpc->cmd = control->cmd;
	rpc->paramsSize = size;
	rpc->flags = RMAPI_RPC_FLAGS_SERIALIZED;
	memcpy(rpc->params, header, sizeof(header));
	take_bytes(in, rpc->params + sizeof(header), size - (u32)sizeof(header));
	driver_send(d);
}

static void send_control(struct driver *d, struct input *in)
{
	const struct fw_control_group *group = fw_control_groups[0];
	const struct fw_control *control;
	rpc_gsp_rm_control_v *rpc;
	u32 groups = 0;

	while (fw_control_groups[groups])
		groups++;
	if (groups == 0)
		return;
	group = fw_control_groups[take(in, 1) % groups];
	control = &group->controls[take(in, 1) % group->count];
	if (control->size > 60000)
		return;
	if (control->serialised && take(in, 1) % 4 != 0) {
		send_serialised(d, in, control);
		return;
	}
	rpc = (void *)(driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
				      32 + 24 + control->size) +
		       1);
	rpc->hClient = handle(take(in, 1));
	rpc->hObject = handle(take(in, 1));
	rpc->cmd = control->cmd;
	rpc->paramsSize = control->size;
	take_bytes(in, rpc->params, control->size < 512 ? control->size : 512);
	driver_send(d);
}

static void send_alloc(struct driver *d, struct input *in)
{
	const struct abi_class *info = abi_class_by_index(take(in, 1));
	u32 size = info ? info->params_size : 4;
	rpc_gsp_rm_alloc_v *rpc;

	rpc = (void *)(driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC, 32 + 32 + size) + 1);
	rpc->hClient = handle(take(in, 1));
	rpc->hParent = handle(take(in, 1));
	rpc->hObject = handle(take(in, 1));
	rpc->hClass = info ? info->class_id : NV01_ROOT;
	rpc->paramsSize = size;
	take_bytes(in, rpc->params, size < 256 ? size : 256);
	driver_send(d);
}

/* Returns whether the shared memory is still as the driver would have it. */
static bool do_step(struct driver *d, struct input *in)
{
	static const char *const faults[] = { "gsp-crash", "gsp-hang", "off-bus", "on-bus" };
	u32 step = take(in, 1) % STEP_COUNT, offset;

	switch (step) {
	case STEP_REGISTER_WRITE:
		offset = take(in, 3);
		h100_bar_write(d->gpu, take(in, 1) % 8, offset, 1u << take(in, 1) % 4, take(in, 4));
		return false;
	case STEP_REGISTER_READ:
		offset = take(in, 3);
		h100_bar_read(d->gpu, take(in, 1) % 8, offset, take(in, 1) % 10);
		break;
	case STEP_KNOWN_REGISTER:
		offset = known[take(in, 1) % ARRAY_SIZE(known)];
		driver_wr(d, offset, take(in, 4));
		return false;
	case STEP_CONFIG_WRITE:
		offset = take(in, 2);
		h100_cfg_write(d->gpu, offset, take(in, 1) % 9, take(in, 4));
		break;
	case STEP_MESSAGE:
		send_message(d, in);
		break;
	case STEP_RAW_RECORD:
		send_raw(d, in);
		break;
	case STEP_CONTROL:
		send_control(d, in);
		break;
	case STEP_ALLOC:
		send_alloc(d, in);
		break;
	case STEP_MEMORY:
		offset = take(in, 3) % (DRIVER_PAGES * 4096);
		take_bytes(in, d->memory + offset,
			   take(in, 1) % 16 % (DRIVER_PAGES * 4096 - offset));
		return false;
	case STEP_WRITE_POINTER:
		*(u32 *)(driver_page(d, d->shared + 1) + 16) = take(in, 4);
		driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
		return false;
	case STEP_LEND:
		h100_lend(d->gpu);
		break;
	case STEP_COT:
		driver_wr(d, NV_PFSP_QUEUE_TAIL(0), 864);
		driver_wr(d, NV_PFSP_QUEUE_HEAD(0), 0);
		return false;
	case STEP_RESET:
		h100_cfg_write(d->gpu, 0x68, 2, 0x8000);
		h100_cfg_write(d->gpu, 4, 2, 6);
		return false;
	default:
		h100_inject(d->gpu, faults[take(in, 1) % ARRAY_SIZE(faults)]);
		break;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct driver *d;
	struct input in = { data, size };
	bool clean = true;
	u32 steps;

	if (!d) {
		/* One of two on switches; every other input finds it in confidential mode, closed.
		 */
		struct h100_config config = { .count = 2,
					      .cc = size % 2 ? H100_CC_ON : H100_CC_OFF };

		d = malloc(sizeof(*d));
		if (!d || h100_fabric_create(&config.fabric) != NV_OK)
			abort();
		driver_open(d, &config);
	}
	h100_inject(d->gpu, "on-bus");
	h100_cfg_write(d->gpu, 0x68, 2, 0x8000);
	h100_cfg_write(d->gpu, 4, 2, 6);
	driver_interrupts(d);
	if (driver_boot(d) != NV_OK)
		abort();
	for (steps = 0; steps < MAX_STEPS && in.left != 0; steps++)
		clean = do_step(d, &in) && clean;
	for (steps = 0; steps < 32 && h100_lend(d->gpu); steps++)
		;
	while (clean && driver_receive(d, false))
		;
	return 0;
}
