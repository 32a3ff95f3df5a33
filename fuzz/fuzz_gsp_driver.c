// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A hostile firmware against the driver: the input is a list of what it does to the shared memory
 * while the driver makes calls and waits. Some steps write anything anywhere, some make a
 * well-formed message of input bytes, so that the code behind the checksum is reached too.
 */
#include <stdlib.h>
#include <string.h>

#include "os/user/user.h"
#include "rm/gpu/notify.h"
#include "rm/gsp/gsp.h"
#include "rm/instance.h"
#include "rm/server/server.h"

#define PAGE 4096u
#define QUEUE_SIZE (20u * PAGE)
#define ELEMENTS 19u

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* -- The input --------------------------------------------------------------------------------- */

static const u8 *input;
static size_t left;

static u8 next8(void)
{
	if (left == 0)
		return 0;
	left--;
	return *input++;
}

static u32 next32(void)
{
	u32 a = next8(), b = next8(), c = next8();

	return a | b << 8 | c << 16 | (u32)next8() << 24;
}

static void next_bytes(u8 *to, u32 size)
{
	u32 take = size < left ? size : (u32)left;

	memcpy(to, input, take);
	memset(to + take, 0, size - take);
	input += take;
	left -= take;
}

/* -- What stands around ------------------------------------------------------------------------ */

static struct rm rm;
static struct rm_gpu gpu;
static struct rm_gsp gsp;
static u8 shared[2 * QUEUE_SIZE] __attribute__((aligned(4096)));
static u8 message[GSP_MSG_QUEUE_ELEMENT_SIZE_MAX + 8] __attribute__((aligned(16)));
static u32 fw_write, fw_seq;
static volatile u32 sink;

struct rm_call *rm_call_current(void)
{
	return NULL;
}

bool rm_call_holds_gpu(const struct rm_gpu *g)
{
	return false;
}

void rm_server_lock_exclusive(struct rm_server *server)
{
}

void rm_server_unlock_exclusive(struct rm_server *server)
{
}

void rm_server_gpu_removed(struct rm_server *server, struct rm_gpu *g)
{
}

void rm_server_gpu_stops(struct rm_server *server, struct rm_gpu *g)
{
}

/* Looks at every byte that it is given. */
void rm_gpu_notify(struct rm_gpu *g, const struct rm_gpu_notification *n)
{
	const u8 *bytes = n->data;
	u32 i;

	for (i = 0; i < n->data_size; i++)
		sink += bytes[i];
}

void rm_gpu_faults_queued(struct rm_gpu *g)
{
}

void rm_gpu_inband_data(struct rm_gpu *g, const void *data, u32 size)
{
	const u8 *bytes = data;
	u32 i;

	for (i = 0; i < size; i++)
		sink += bytes[i];
}

void rm_gpu_notify_engines(struct rm_gpu *g, u32 first, u32 vectors)
{
	sink += first + vectors;
}

/* There are no channels here: what the firmware says of one is of none that the driver knows. */
bool rm_gpu_channel_error(struct rm_gpu *g, u32 engine_type, u32 chid, u32 exception, u32 scope,
			  u64 event)
{
	sink += engine_type + chid + exception + scope;
	return false;
}

u32 rm_gpu_channel_pid(struct rm_gpu *g, u32 runlist, u32 chid, u64 event)
{
	sink += runlist + chid;
	return 0;
}

void rm_gpu_notify_lost(struct rm_gpu *g)
{
}

/* The classes' own record of a GPU: there are no classes here. */
void rm_gpu_forget_objects(struct rm_gpu *g)
{
}

/* -- The device: registers that read as input, and a firmware that lends itself
 * --------------------- */

static u32 cfg_read(void *ctx, u32 offset, u32 width)
{
	return 0;
}

static void cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
}

static u64 bar_size(void *ctx, u32 bar)
{
	return bar == 0 ? MIB(16) : 0;
}

static u64 bar_read(void *ctx, u32 bar, u64 offset, u32 width)
{
	/* PMC_BOOT_0 mostly stays, or no call would get far. */
	if (offset == 0)
		return left != 0 && *input == 0xee ? next32() : 0;
	return offset == 0x110804 && left != 0 && *input == 0xed ? next32() : 0;
}

static void bar_write(void *ctx, u32 bar, u64 offset, u32 width, u64 value)
{
}

static u32 *word(u32 offset)
{
	return (u32 *)(shared + QUEUE_SIZE + offset);
}

static void put_elements(const u8 *from, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		memcpy(shared + QUEUE_SIZE + PAGE + (fw_write + i) % ELEMENTS * PAGE,
		       from + i * PAGE, PAGE);
	fw_write = (fw_write + count) % ELEMENTS;
	*word(16) = fw_write;
}

/* A message with a right checksum; what it says is the input's. */
static void put_message(void)
{
	static const u32 functions[] = { 76,	 103,	 10,	 21,	 65,	 71,	 0x1000,
					 0x1002, 0x1003, 0x1004, 0x1005, 0x100b, 0x101c, 0x10ff };
	GSP_MSG_QUEUE_ELEMENT *element = (GSP_MSG_QUEUE_ELEMENT *)message;
	u8 how = next8();
	u32 length = next32() % (how & 1 ? 60000 : 300);

	memset(message, 0, sizeof(message));
	next_bytes((u8 *)(&element->rpc + 1), length < 200 ? length : 200);
	element->rpc.header_version = 0x03000000;
	element->rpc.signature = NV_VGPU_MSG_SIGNATURE_VALID;
	element->rpc.function = functions[next8() % ARRAY_SIZE(functions)];
	element->rpc.rpc_result = how & 2 ? next32() : 0;
	element->rpc.sequence = how & 4 ? next32() : gsp.sequence;
	element->rpc.length = 32 + length;
	/* The length that the last request had, so that replies fit. */
	if (how & 8)
		memcpy(&element->rpc.length, shared + PAGE + 48 + 8, sizeof(u32));
	if (element->rpc.length > GSP_MSG_QUEUE_RPC_SIZE_MAX)
		element->rpc.length = GSP_MSG_QUEUE_RPC_SIZE_MAX;
	element->seqNum = how & 16 ? next32() : fw_seq;
	fw_seq = element->seqNum + 1;
	element->elemCount = (48 + element->rpc.length + PAGE - 1) / PAGE;
	element->checkSum = gsp_msgq_checksum(message, (48 + element->rpc.length + 7) & ~7u);
	put_elements(message, element->elemCount);
}

static bool lend(void *ctx)
{
	u32 at;

	if (left == 0)
		return false;
	switch (next8() % 6) {
	case 0:
	case 1:
		put_message();
		break;
	case 2: /* anything anywhere, our own queue included */
		at = next32() % (2 * QUEUE_SIZE - 64);
		next_bytes(shared + at, next8() % 64);
		break;
	case 3: /* pointers */
		*word(16) = next32();
		break;
	case 4: /* takes what was sent */
		memcpy(word(32), shared + 16, sizeof(u32));
		break;
	default: /* an element's header */
		at = PAGE + next8() % ELEMENTS * PAGE;
		next_bytes(shared + QUEUE_SIZE + at + 32, 48);
		break;
	}
	return true;
}

static const struct os_user_pci_ops ops = {
	.cfg_read = cfg_read,
	.cfg_write = cfg_write,
	.bar_size = bar_size,
	.bar_read = bar_read,
	.bar_write = bar_write,
	.lend = lend,
};

static void swallow(void *ctx, enum os_log_level level, const char *line)
{
}

static void setup_once(void)
{
	static const struct os_pci_location location = { .bus = 1 };

	if (gpu.pci)
		return;
	os_user_log_set_sink(swallow, NULL);
	if (rm_registry_init(&rm.registry, NULL, 0) != NV_OK)
		abort();
	gpu.rm = &rm;
	gpu.pci = os_user_pci_register(&ops, NULL, &location);
	if (!gpu.pci || os_mutex_init(&gpu.lock, LOCK_RANK_GPU, "gpu") != NV_OK)
		abort();
	gsp.gpu = &gpu;
	gsp.buffer = os_alloc(GSP_MSG_QUEUE_ELEMENT_SIZE_MAX);
	if (!gsp.buffer)
		abort();
	list_init(&gsp.events);
}

/* -- The driver's side ------------------------------------------------------------------------- */

/* The reply may say what it likes of a list that has room for count. */
static void one_list(u32 count)
{
	NV2080_CTRL_GPU_GET_ENGINES_PARAMS p = { .engineCount = count };
	u32 *list = calloc(count ? count : 1, sizeof(*list));

	p.engineList = count ? (u64)(uintptr_t)list : 0;
	gsp_rpc_control(&gpu, 1, 2, NV2080_CTRL_CMD_GPU_GET_ENGINES, &p, sizeof(p));
	free(list);
}

static void one_call(void)
{
	static u8 params[70000];
	u8 what = next8();
	u32 size = what & 0x80 ? 66000 : what & 0x40 ? 5000 : next8();

	memset(params, 0x5a, size);
	switch (what % 7) {
	case 0:
		gsp_rpc_control(&gpu, 1, 2, 0x20800110, size ? params : NULL, size);
		break;
	case 1:
		gsp_rpc_alloc(&gpu, 1, 2, 3, 0x80, size ? params : NULL, size);
		break;
	case 2:
		gsp_rpc_free(&gpu, 1, 2, 3);
		break;
	case 3:
		gsp_rpc_dup(&gpu, 1, 2, 3, 4, 5, 6);
		break;
	case 6:
		one_list(next8());
		break;
	case 4:
		rm_gpu_lock(&gpu);
		gsp_wait_event(&gsp, NV_VGPU_MSG_EVENT_GSP_INIT_DONE);
		rm_gpu_unlock(&gpu);
		break;
	default:
		lend(NULL);
		gsp_service(&gpu);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u32 header[] = { 0, QUEUE_SIZE, PAGE, ELEMENTS, 0, 1, 32, PAGE };
	struct list events;

	setup_once();
	input = data;
	left = size;
	memset(shared, 0, sizeof(shared));
	fw_write = fw_seq = 0;
	gpu.state = RM_GPU_RUNNING;
	gpu.boot_0 = 0;
	gpu.gsp = &gsp;
	gsp.sequence = 0;
	gsp.halted = gsp.waiting = 0;
	gsp.timeout_ns = 1; /* once the input is used up nothing more will come */
	gsp_msgq_init(&gsp.queue, shared, QUEUE_SIZE, shared + QUEUE_SIZE, QUEUE_SIZE);
	memcpy(shared + QUEUE_SIZE, header, sizeof(header));
	if (size != 0 && data[0] == 0xff)
		next_bytes(shared + QUEUE_SIZE, sizeof(header));
	gsp_msgq_link(&gsp.queue);
	while (left != 0 && !rm_gpu_is_lost(&gpu))
		one_call();
	list_init(&events);
	gsp_events_take(&gsp, &events);
	gsp_events_drop(&events);
	gpu.gsp = NULL;
	return 0;
}
