// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The tests' driver of the software H100.
 */
#include "h100_driver.h"

#include <stdio.h>
#include <time.h>

#include "base/bits.h"
#include "unit.h"

#define PAGE 4096u
#define STRIDE 0x3000u
#define QUEUE_PAGES (DRIVER_QUEUE_BYTES / PAGE)
#define QUEUE_ELEMENTS (QUEUE_PAGES - 1)
#define TIMEOUT_NS 2000000000ull

u8 *driver_page(struct driver *d, u32 page)
{
	return d->memory + page * PAGE;
}

u64 driver_bus(u32 page)
{
	return DRIVER_BUS_BASE + (u64)page * STRIDE;
}

u32 driver_alloc(struct driver *d, u32 pages)
{
	u32 first = d->used;

	d->used += pages;
	assert_true(d->used <= DRIVER_PAGES);
	return first;
}

/* -- Host -------------------------------------------------------------------------------------- */

static u8 *find(struct driver *d, u64 address, size_t size)
{
	u64 page = (address - DRIVER_BUS_BASE) / STRIDE, at = (address - DRIVER_BUS_BASE) % STRIDE;

	if (os_load_relaxed(&d->unmapped) || address < DRIVER_BUS_BASE || page >= DRIVER_PAGES ||
	    at >= PAGE || size > PAGE - at)
		return NULL;
	return d->memory + page * PAGE + at;
}

static bool host_read(void *ctx, u64 address, void *data, size_t size)
{
	u8 *at = find(ctx, address, size);

	if (!at)
		return false;
	if (size == 4)
		*(u32 *)data = os_load_acquire((u32 *)at);
	else
		memcpy(data, at, size);
	return true;
}

static bool host_write(void *ctx, u64 address, const void *data, size_t size)
{
	u8 *at = find(ctx, address, size);

	if (!at)
		return false;
	if (size == 4)
		os_store_release((u32 *)at, *(const u32 *)data);
	else
		memcpy(at, data, size);
	return true;
}

static void host_msix(void *ctx, u64 address, u32 data)
{
	struct driver *d = ctx;

	if (address == DRIVER_MSIX_ADDRESS && data < ARRAY_SIZE(d->msix))
		os_fetch_add(&d->msix[data], 1);
}

static u64 real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static u64 host_now(void *ctx)
{
	u64 now = os_load_relaxed(&((struct driver *)ctx)->now);

	return now != 0 ? now : real_ns();
}

static void host_log(void *ctx, int level, const char *text)
{
	struct driver *d = ctx;

	os_fetch_add(&d->log_lines, 1);
	snprintf(d->last_log, sizeof(d->last_log), "%s", text);
}

static void host_kick(void *ctx)
{
	os_fetch_add(&((struct driver *)ctx)->kicks, 1);
}

static char *profile_text(size_t *size)
{
	FILE *file = fopen(H100_PROFILES "/h100-sxm-80gb.profile", "r");
	char *text = malloc(65536);

	assert_non_null(file);
	assert_non_null(text);
	*size = fread(text, 1, 65536, file);
	fclose(file);
	return text;
}

/* What dma_begin holds is of a kind that may not be taken again by the same thread. */
static _Thread_local bool dma_begun;

static u32 host_dma_begin(void *ctx)
{
	dma_begun = true;
	return 1;
}

static void host_dma_end(void *ctx)
{
	dma_begun = false;
}

static void *host_dma_enter(void *ctx)
{
	struct driver *d = ctx;

	if (dma_begun)
		os_fetch_add(&d->dma_nested, 1);
	return ctx;
}

static void host_dma_leave(void *ctx, void *token)
{
}

enum nv_status driver_try_open(struct driver *d, const struct h100_config *config)
{
	struct h100_config full = { .count = 1 };
	struct h100_host host = { .ctx = d,
				  .dma_read = host_read,
				  .dma_write = host_write,
				  .dma_begin = host_dma_begin,
				  .dma_end = host_dma_end,
				  .dma_enter = host_dma_enter,
				  .dma_leave = host_dma_leave,
				  .msix = host_msix,
				  .now_ns = host_now,
				  .log = host_log,
				  .kick = host_kick };
	enum nv_status status;
	char *text;

	memset(d, 0, sizeof(*d));
	d->memory = calloc(DRIVER_PAGES, PAGE);
	assert_non_null(d->memory);
	if (config)
		full = *config;
	text = profile_text(&full.profile_size);
	full.profile = text;
	status = h100_create(&host, &full, &d->gpu);
	free(text);
	if (status == NV_OK)
		h100_cfg_write(d->gpu, 4, 2, 0x6);
	else
		free(d->memory);
	return status;
}

void driver_open(struct driver *d, const struct h100_config *config)
{
	assert_int_equal(driver_try_open(d, config), NV_OK);
}

void driver_close(struct driver *d)
{
	h100_destroy(d->gpu);
	assert_int_equal(os_load_relaxed(&d->dma_nested), 0);
	free(d->memory);
}

u32 driver_rd(struct driver *d, u32 offset)
{
	return (u32)h100_bar_read(d->gpu, 0, offset, 4);
}

void driver_wr(struct driver *d, u32 offset, u32 value)
{
	h100_bar_write(d->gpu, 0, offset, 4, value);
}

void driver_interrupts(struct driver *d)
{
	const u32 leaf = LH_INTR_VECTOR_GSP / 32;
	u32 i;

	for (i = 0; i < LH_MSIX_VECTORS; i++) {
		driver_wr(d, LH_MSIX_TABLE + 16 * i, (u32)DRIVER_MSIX_ADDRESS);
		driver_wr(d, LH_MSIX_TABLE + 16 * i + 8, i);
		driver_wr(d, LH_MSIX_TABLE + 16 * i + 12, 0);
	}
	h100_cfg_write(d->gpu, NV_EP_PCFG_GPU_MSIX_CAP_HEADER + 2, 2, 0x8000);
	driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF_EN_SET(leaf),
		  1u << LH_INTR_VECTOR_GSP % 32);
	driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_TOP_EN_SET(0), 1u << leaf / 2);
}

/* -- Boot -------------------------------------------------------------------------------------- */

const void *driver_section(const char *name, size_t *size)
{
	struct elf_section {
		u32 name, type;
		u64 flags, address, offset, size;
		u32 link, info;
		u64 align, entry;
	};
	size_t total;
	const u8 *elf = h100_firmware_image(&total);
	const struct elf_section *section;
	u16 count, names, i;

	assert_memory_equal(elf, "\177ELF\2\1\1", 7);
	section = (const void *)(elf + *(const u64 *)(elf + 40));
	count = *(const u16 *)(elf + 60);
	names = *(const u16 *)(elf + 62);
	for (i = 1; i < count; i++)
		if (strcmp((const char *)elf + section[names].offset + section[i].name, name) ==
		    0) {
			assert_true(section[i].offset + section[i].size <= total);
			*size = section[i].size;
			return elf + section[i].offset;
		}
	fail_msg("no section %s", name);
	return NULL;
}

static void put_image(struct driver *d)
{
	size_t size;
	const u8 *image = driver_section(".fwimage", &size);
	u32 level0 = driver_alloc(d, 3), i;
	u32 first;

	d->image_pages = (u32)div_round_up(size, PAGE);
	first = driver_alloc(d, d->image_pages);
	*(u64 *)driver_page(d, level0) = driver_bus(level0 + 1);
	*(u64 *)driver_page(d, level0 + 1) = driver_bus(level0 + 2);
	for (i = 0; i < d->image_pages; i++)
		((u64 *)driver_page(d, level0 + 2))[i] = driver_bus(first + i);
	memcpy(driver_page(d, first), image, size);
	d->radix3 = driver_bus(level0);
}

static void put_queues(struct driver *d)
{
	const u32 total = 2 * QUEUE_PAGES + 1;
	GSP_ARGUMENTS_CACHED *args;
	msgqTxHeader *tx;
	u32 i;

	d->shared = driver_alloc(d, total);
	for (i = 0; i < total; i++)
		((u64 *)driver_page(d, d->shared))[i] = driver_bus(d->shared + i);
	tx = (void *)driver_page(d, d->shared + 1);
	*tx = (msgqTxHeader){ .size = DRIVER_QUEUE_BYTES,
			      .msgSize = PAGE,
			      .msgCount = QUEUE_ELEMENTS,
			      .flags = MSGQ_FLAGS_SWAP_RX,
			      .rxHdrOff = sizeof(*tx),
			      .entryOff = PAGE };
	args = (void *)driver_page(d, d->args);
	args->messageQueueInitArguments.sharedMemPhysAddr = driver_bus(d->shared);
	args->messageQueueInitArguments.pageTableEntryCount = total;
	args->messageQueueInitArguments.cmdQueueOffset = PAGE;
	args->messageQueueInitArguments.statQueueOffset = PAGE + DRIVER_QUEUE_BYTES;
}

void driver_prepare(struct driver *d)
{
	GSP_FMC_BOOT_PARAMS *params;
	LibosMemoryRegionInitArgument *libos;
	GspFwWprMeta *meta;
	const void *fmc;
	size_t size;

	d->used = 0;
	d->command_at = d->status_at = d->seq = d->status_seq = 0;
	memset(d->memory, 0, (size_t)DRIVER_PAGES * PAGE);
	d->fmc = driver_alloc(d, 1);
	d->boot_params = driver_alloc(d, 1);
	d->meta = driver_alloc(d, 1);
	d->libos = driver_alloc(d, 1);
	d->args = driver_alloc(d, 1);
	fmc = driver_section(".fwfmc", &size);
	assert_int_equal(size, PAGE);
	memcpy(driver_page(d, d->fmc), fmc, size);
	put_image(d);
	put_queues(d);

	meta = (void *)driver_page(d, d->meta);
	meta->magic = GSP_FW_WPR_META_MAGIC;
	meta->revision = GSP_FW_WPR_META_REVISION;
	meta->sysmemAddrOfRadix3Elf = d->radix3;
	driver_section(".fwimage", &size);
	meta->sizeOfRadix3Elf = size;
	meta->gspFwHeapSize = 128u << 20;
	meta->nonWprHeapSize = 2u << 20;
	params = (void *)driver_page(d, d->boot_params);
	params->bootGspRmParams.target = GSP_DMA_TARGET_COHERENT_SYSTEM;
	params->bootGspRmParams.gspRmDescSize = sizeof(*meta);
	params->bootGspRmParams.gspRmDescOffset = driver_bus(d->meta);
	params->bootGspRmParams.bIsGspRmBoot = 1;
	params->gspRmParams.target = GSP_DMA_TARGET_COHERENT_SYSTEM;
	params->gspRmParams.bootArgsOffset = driver_bus(d->libos);
	libos = (void *)driver_page(d, d->libos);
	libos[0].id8 = 0x4c4f4749; /* "LOGI" */
	libos[0].kind = LIBOS_MEMORY_REGION_CONTIGUOUS;
	libos[0].loc = LIBOS_MEMORY_REGION_LOC_SYSMEM;
	libos[1].id8 = 0x524d41524753; /* "RMARGS" */
	libos[1].kind = LIBOS_MEMORY_REGION_CONTIGUOUS;
	libos[1].loc = LIBOS_MEMORY_REGION_LOC_SYSMEM;
	libos[1].pa = driver_bus(d->args);
	libos[1].size = PAGE;
}

static bool fsp_answered(struct driver *d)
{
	return driver_rd(d, NV_PFSP_MSGQ_HEAD(0)) != driver_rd(d, NV_PFSP_MSGQ_TAIL(0));
}

u32 driver_fsp(struct driver *d, const void *payload, u32 size, u32 nvdm_type)
{
	const u32 *word = payload;
	u32 i, type;

	driver_wr(d, NV_PFSP_EMEMC(0), (u32)REG_PREP(NV_PFSP_EMEMC_AINCW, 1));
	driver_wr(d, NV_PFSP_EMEMD(0), 0xc0000000u); /* SOM, EOM */
	driver_wr(d, NV_PFSP_EMEMD(0), 0x7eu | 0x10deu << 8 | nvdm_type << 24);
	for (i = 0; i < size / 4; i++)
		driver_wr(d, NV_PFSP_EMEMD(0), word[i]);
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMC(0)) & 0xffff,
			 ((size / 4 + 2) / 64) << 8 | ((size / 4 + 2) % 64) << 2);
	driver_wr(d, NV_PFSP_QUEUE_TAIL(0), size + 4);
	driver_wr(d, NV_PFSP_QUEUE_HEAD(0), 0);
	assert_true(driver_wait(d, fsp_answered));
	assert_int_equal(driver_rd(d, NV_PFSP_QUEUE_HEAD(0)), driver_rd(d, NV_PFSP_QUEUE_TAIL(0)));
	assert_int_equal(driver_rd(d, NV_PFSP_MSGQ_HEAD(0)), 0);
	assert_int_equal(driver_rd(d, NV_PFSP_MSGQ_TAIL(0)), 16);
	driver_wr(d, NV_PFSP_EMEMC(0), (u32)REG_PREP(NV_PFSP_EMEMC_AINCR, 1));
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMD(0)) >> 30, 3);
	type = driver_rd(d, NV_PFSP_EMEMD(0));
	assert_int_equal(type, 0x7eu | 0x10deu << 8 | (u32)NVDM_TYPE_FSP_RESPONSE << 24);
	driver_rd(d, NV_PFSP_EMEMD(0));
	assert_int_equal(driver_rd(d, NV_PFSP_EMEMD(0)), nvdm_type);
	i = driver_rd(d, NV_PFSP_EMEMD(0));
	driver_wr(d, NV_PFSP_MSGQ_TAIL(0), 0);
	return i;
}

u32 driver_cot(struct driver *d)
{
	NVDM_PAYLOAD_COT cot = { .version = 1, .size = sizeof(cot) };
	size_t size;

	memcpy(cot.hash384, driver_section(".fwfmchash", &size), sizeof(cot.hash384));
	cot.gspFmcSysmemOffset = driver_bus(d->fmc);
	cot.gspBootArgsSysmemOffset = driver_bus(d->boot_params);
	return driver_fsp(d, &cot, sizeof(cot), NVDM_TYPE_COT);
}

static bool lend(struct driver *d)
{
	return !d->no_lending && h100_lend(d->gpu);
}

bool driver_wait(struct driver *d, bool (*done)(struct driver *d))
{
	u64 end = real_ns() + TIMEOUT_NS;

	while (!done(d)) {
		if (real_ns() > end)
			return false;
		if (!lend(d))
			usleep(50);
	}
	return true;
}

static bool fsp_ready(struct driver *d)
{
	return driver_rd(d, NV_THERM_I2CS_SCRATCH) == 0xff;
}

static bool gsp_up(struct driver *d)
{
	u32 hwcfg2 = driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_HWCFG2);

	return (hwcfg2 & 0xffffff00u) != 0xbadf4100u &&
	       (REG_GET(NV_PFALCON_FALCON_HWCFG2_RISCV_BR_PRIV_LOCKDOWN, hwcfg2) == 0 ||
		driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX0) != 0);
}

u32 driver_boot(struct driver *d)
{
	rpc_message_header_v *message;
	PACKED_REGISTRY_TABLE *table;
	u32 error;

	assert_true(driver_wait(d, fsp_ready));
	driver_prepare(d);
	driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_SET_SYSTEM_INFO, 32 + sizeof(GspSystemInfo));
	driver_send(d);
	message =
		driver_message(d, NV_VGPU_MSG_FUNCTION_SET_REGISTRY, 32 + sizeof(*table) + 16 + 4);
	table = (void *)(message + 1);
	table->size = sizeof(*table) + 16 + 4;
	table->numEntries = 1;
	table->entries[0].nameOffset = sizeof(*table) + 16;
	table->entries[0].type = REGISTRY_TABLE_ENTRY_TYPE_DWORD;
	table->entries[0].length = 4;
	memcpy((u8 *)table + sizeof(*table) + 16, "RmX", 4);
	driver_send(d);
	error = driver_cot(d);
	if (error != FSP_OK)
		return error;
	assert_true(driver_wait(d, gsp_up));
	error = driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX0);
	if (error != 0)
		return 0x80000000u | error;
	assert_int_equal(REG_GET(NV_PRISCV_RISCV_CPUCTL_ACTIVE_STAT,
				 driver_rd(d, NV_FALCON2_GSP_BASE + NV_PRISCV_RISCV_CPUCTL)),
			 1);
	message = driver_receive(d, true);
	assert_non_null(message);
	assert_int_equal(message->function, NV_VGPU_MSG_EVENT_GSP_INIT_DONE);
	return message->rpc_result;
}

/* -- Messages ---------------------------------------------------------------------------------- */

static u32 checksum(const void *data, u32 size)
{
	const u64 *word = data;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < (size + 7) / 8; i++)
		sum ^= word[i];
	return (u32)(sum ^ sum >> 32);
}

rpc_message_header_v *driver_message(struct driver *d, u32 function, u32 length)
{
	GSP_MSG_QUEUE_ELEMENT *element = (void *)d->record;

	assert_true(length <= GSP_MSG_QUEUE_RPC_SIZE_MAX);
	memset(d->record, 0, sizeof(d->record));
	element->rpc.header_version = 0x03000000;
	element->rpc.signature = NV_VGPU_MSG_SIGNATURE_VALID;
	element->rpc.length = length;
	element->rpc.function = function;
	element->rpc.rpc_result = ~0u;
	element->rpc.sequence = d->rpc_sequence++;
	return &element->rpc;
}

void driver_seal(struct driver *d)
{
	GSP_MSG_QUEUE_ELEMENT *element = (void *)d->record;
	u32 bytes = GSP_MSG_QUEUE_ELEMENT_HDR_SIZE + element->rpc.length;

	element->seqNum = d->seq++;
	element->elemCount = (u32)div_round_up(bytes, PAGE);
	element->checkSum = 0;
	element->checkSum = checksum(d->record, bytes);
}

void driver_put(struct driver *d, u32 elements)
{
	msgqTxHeader *tx = (void *)driver_page(d, d->shared + 1);
	u32 i;

	for (i = 0; i < elements; i++) {
		memcpy(driver_page(d, d->shared + 2 + d->command_at), d->record + i * PAGE, PAGE);
		d->command_at = (d->command_at + 1) % QUEUE_ELEMENTS;
	}
	os_store_release(&tx->writePtr, d->command_at);
	driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
}

void driver_send(struct driver *d)
{
	driver_seal(d);
	driver_put(d, ((GSP_MSG_QUEUE_ELEMENT *)d->record)->elemCount);
}

static bool status_there(struct driver *d)
{
	msgqTxHeader *tx = (void *)driver_page(d, d->shared + 1 + QUEUE_PAGES);

	return os_load_acquire(&tx->writePtr) != d->status_at;
}

rpc_message_header_v *driver_receive(struct driver *d, bool wait)
{
	GSP_MSG_QUEUE_ELEMENT *element = (void *)d->reply;
	u32 *read_ptr = (u32 *)(driver_page(d, d->shared + 1) + sizeof(msgqTxHeader));
	u32 i, count = 1;

	if (wait ? !driver_wait(d, status_there) : !status_there(d))
		return NULL;
	for (i = 0; i < count; i++) {
		memcpy(d->reply + i * PAGE,
		       driver_page(d, d->shared + 2 + QUEUE_PAGES +
					      (d->status_at + i) % QUEUE_ELEMENTS),
		       PAGE);
		count = element->elemCount;
		assert_in_range(count, 1, 16);
	}
	assert_int_equal(element->seqNum, d->status_seq++);
	assert_in_range(element->rpc.length, 32, GSP_MSG_QUEUE_RPC_SIZE_MAX);
	assert_int_equal(checksum(d->reply, GSP_MSG_QUEUE_ELEMENT_HDR_SIZE + element->rpc.length),
			 0);
	assert_int_equal(element->rpc.signature, NV_VGPU_MSG_SIGNATURE_VALID);
	d->status_at = (d->status_at + count) % QUEUE_ELEMENTS;
	os_store_release(read_ptr, d->status_at);
	return &element->rpc;
}

/* A message in as many records as it takes; each is sent whole before the next. */
static void send_all(struct driver *d, u32 function, const u8 *data, u32 size)
{
	u32 first = min(size, GSP_MSG_QUEUE_RPC_SIZE_MAX - 32u), at = first;

	memcpy(driver_message(d, function, 32 + first) + 1, data, first);
	driver_send(d);
	while (at < size) {
		u32 here = min(size - at, GSP_MSG_QUEUE_RPC_SIZE_MAX - 32u);

		lend(d);
		memcpy(driver_message(d, NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD, 32 + here) + 1,
		       data + at, here);
		driver_send(d);
		at += here;
	}
}

u32 driver_call(struct driver *d, u32 function, void *data, u32 size)
{
	rpc_message_header_v *reply;
	u32 at = 0;

	send_all(d, function, data, size);
	for (;;) {
		u32 here, result;

		reply = driver_receive(d, true);
		assert_non_null(reply);
		if (reply->function >= NV_VGPU_MSG_EVENT_GSP_INIT_DONE)
			continue;
		assert_int_equal(reply->function,
				 at == 0 ? function : NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD);
		here = reply->length - 32;
		result = reply->rpc_result;
		assert_true(at + here <= size);
		memcpy((u8 *)data + at, reply + 1, here);
		at += here;
		if (at == size || here < GSP_MSG_QUEUE_RPC_SIZE_MAX - 32u)
			return result;
	}
}

u32 driver_alloc_object(struct driver *d, u32 client, u32 parent, u32 object, u32 class_id,
			const void *params, u32 size)
{
	u8 data[512] __attribute__((aligned(8))) = { 0 };
	rpc_gsp_rm_alloc_v *rpc = (void *)data;
	u32 result;

	rpc->hClient = client;
	rpc->hParent = parent;
	rpc->hObject = object;
	rpc->hClass = class_id;
	rpc->paramsSize = size;
	if (size != 0)
		memcpy(rpc->params, params, size);
	result = driver_call(d, NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC, data, sizeof(*rpc) + size);
	assert_int_equal(result, rpc->status);
	return result;
}

u32 driver_free_object(struct driver *d, u32 client, u32 object)
{
	rpc_free_v rpc = { .params = { .hRoot = client, .hObjectOld = object } };

	return driver_call(d, NV_VGPU_MSG_FUNCTION_FREE, &rpc, sizeof(rpc));
}

u32 driver_control(struct driver *d, u32 client, u32 object, u32 cmd, void *params, u32 size)
{
	rpc_gsp_rm_control_v *rpc = calloc(1, sizeof(*rpc) + size);
	u32 result;

	assert_non_null(rpc);
	rpc->hClient = client;
	rpc->hObject = object;
	rpc->cmd = cmd;
	rpc->paramsSize = size;
	memcpy(rpc->params, params, size);
	result = driver_call(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, rpc, sizeof(*rpc) + size);
	if (result == NV_OK)
		result = rpc->status;
	memcpy(params, rpc->params, size);
	free(rpc);
	return result;
}
