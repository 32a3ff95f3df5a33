// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The firmware of the software H100 from the driver's side: the boot and what can be wrong with it,
 * good and bad messages, objects, controls, events, death and shutdown.
 */
#include "h100_driver.h"

#include <pthread.h>

#include "base/bits.h"
#include "h100/gsp/fw.h"
#include "unit.h"

#define CLIENT 0xc1d00001u
#define DEVICE 0xa55a0000u
#define SUBDEVICE 0xa55a0010u
/* Commands that no table has: they go by the number of the class. */
#define CMD_ECHO 0x2080f001u
#define CMD_BIG 0x2080f002u
#define CMD_NOTIFY 0x2080f003u
#define CMD_FAIL 0x2080f004u
#define BIG_BYTES 200000u
#define NOTIFIER 42u

/* -- Controls of the test's own ---------------------------------------------------------------- */

static enum nv_status control_echo(struct fw_call *call, void *params, u32 size)
{
	u32 *word = params;

	word[1] = word[0];
	word[2] = call->object->handle;
	word[3] = call->object->client;
	return NV_OK;
}

static enum nv_status control_big(struct fw_call *call, void *params, u32 size)
{
	u8 *byte = params;
	u32 i;

	for (i = 0; i < size; i++)
		byte[i]++;
	return NV_OK;
}

static enum nv_status control_notify(struct fw_call *call, void *params, u32 size)
{
	u32 i;

	for (i = 0; i < *(u32 *)params; i++)
		fw_notify(call->fw, NOTIFIER, i, 7);
	return NV_OK;
}

static enum nv_status control_fail(struct fw_call *call, void *params, u32 size)
{
	*(u32 *)params = 5;
	return NV_ERR_IN_USE;
}

static const struct fw_control controls[] = {
	{ CMD_ECHO, 16, control_echo },
	{ CMD_BIG, BIG_BYTES, control_big },
	{ CMD_NOTIFY, 4, control_notify },
	{ CMD_FAIL, 4, control_fail },
};
static const struct fw_control_group group = { "test", controls, ARRAY_SIZE(controls) };
const struct fw_control_group *const fw_control_groups[] = { &group, NULL };

/* -- Fixtures ---------------------------------------------------------------------------------- */

static int open_with(void **state, struct h100_config config)
{
	struct driver *d = malloc(sizeof(*d));

	config.count = 1;
	driver_open(d, &config);
	driver_interrupts(d);
	*state = d;
	return 0;
}

static int open_cold(void **state)
{
	return open_with(state, (struct h100_config){ 0 });
}

static int open_booted(void **state)
{
	open_cold(state);
	assert_int_equal(driver_boot(*state), NV_OK);
	return 0;
}

static int close_gpu(void **state)
{
	driver_close(*state);
	free(*state);
	return 0;
}

static void make_objects(struct driver *d)
{
	NV0080_ALLOC_PARAMETERS device = { 0 };
	u32 subdevice = 0;

	assert_int_equal(driver_alloc_object(d, CLIENT, 0, 0, NV01_ROOT, NULL, 0), NV_OK);
	assert_int_equal(driver_alloc_object(d, CLIENT, CLIENT, DEVICE, NV01_DEVICE_0, &device,
					     sizeof(device)),
			 NV_OK);
	assert_int_equal(driver_alloc_object(d, CLIENT, DEVICE, SUBDEVICE, NV20_SUBDEVICE_0,
					     &subdevice, sizeof(subdevice)),
			 NV_OK);
}

static u32 echo(struct driver *d, u32 client, u32 object)
{
	u32 words[4] = { 0x1234 };
	u32 status = driver_control(d, client, object, CMD_ECHO, words, sizeof(words));

	if (status == NV_OK) {
		assert_int_equal(words[1], 0x1234);
		assert_int_equal(words[2], object);
		assert_int_equal(words[3], client);
	}
	return status;
}

/* -- Boot -------------------------------------------------------------------------------------- */

static void test_boot(void **state)
{
	struct driver *d = *state;
	GspFwWprMeta meta;
	size_t size, i;
	const u8 *image = driver_section(".fwimage", &size);
	u64 start, end;

	assert_string_equal(driver_section(".fwversion", &i), "535.309.01");
	assert_int_equal(driver_boot(d), NV_OK);
	start = REG_GET(NV_PFB_PRI_MMU_WPR2_ADDR_LO_VAL, driver_rd(d, NV_PFB_PRI_MMU_WPR2_ADDR_LO))
		<< 12;
	end = REG_GET(NV_PFB_PRI_MMU_WPR2_ADDR_HI_VAL, driver_rd(d, NV_PFB_PRI_MMU_WPR2_ADDR_HI))
	      << 12;
	assert_true(start < end && end < DRIVER_VIDEO_BYTES);
	for (i = 0; i < sizeof(meta); i += 8)
		((u64 *)&meta)[i / 8] = h100_bar_read(d->gpu, 2, start + i, 8);
	assert_true(meta.magic == GSP_FW_WPR_META_MAGIC);
	assert_true(meta.verified == GSP_FW_WPR_META_VERIFIED);
	assert_true(meta.gspFwWprStart == start && meta.gspFwWprEnd == end);
	assert_true(meta.gspFwHeapSize == 128u << 20 && meta.fbSize == DRIVER_VIDEO_BYTES);
	for (i = 0; i < size; i += 4096)
		assert_true(h100_bar_read(d->gpu, 2, meta.gspFwOffset + i, 8) ==
			    *(const u64 *)(image + i));
	/* A second driver cannot start it again under the first. */
	assert_int_equal(driver_cot(d), FSP_ERR_IFS_ERR_INVALID_STATE);
	make_objects(d);
	assert_int_equal(echo(d, CLIENT, SUBDEVICE), NV_OK);
}

typedef void (*breaker)(struct driver *d);

/* Boots with one thing wrong; GSP must say which, and boot when it is right. */
static void boot_broken(struct driver *d, breaker breaks, u32 error)
{
	u32 mailbox;

	driver_prepare(d);
	breaks(d);
	assert_int_equal(driver_cot(d), FSP_OK);
	while (h100_lend(d->gpu))
		;
	mailbox = driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX0);
	assert_int_equal(mailbox, error);
	assert_int_equal(REG_GET(NV_PFALCON_FALCON_HWCFG2_RISCV_BR_PRIV_LOCKDOWN,
				 driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_HWCFG2)),
			 1);
	assert_int_equal(driver_rd(d, NV_PFB_PRI_MMU_WPR2_ADDR_HI), 0);
}

static GSP_FMC_BOOT_PARAMS *boot_params(struct driver *d)
{
	return (void *)driver_page(d, d->boot_params);
}

static GspFwWprMeta *wpr_meta(struct driver *d)
{
	return (void *)driver_page(d, d->meta);
}

static GSP_ARGUMENTS_CACHED *rm_args(struct driver *d)
{
	return (void *)driver_page(d, d->args);
}

static msgqTxHeader *command_header(struct driver *d)
{
	return (void *)driver_page(d, d->shared + 1);
}

static u64 *radix_level(struct driver *d, u32 level)
{
	return (void *)driver_page(d, (u32)((d->radix3 - DRIVER_BUS_BASE) / 0x3000) + level);
}

static void break_target(struct driver *d)
{
	boot_params(d)->bootGspRmParams.target = 0;
}
static void break_desc_size(struct driver *d)
{
	boot_params(d)->bootGspRmParams.gspRmDescSize = 255;
}
static void break_not_rm(struct driver *d)
{
	boot_params(d)->bootGspRmParams.bIsGspRmBoot = 0;
}
static void break_meta_address(struct driver *d)
{
	boot_params(d)->bootGspRmParams.gspRmDescOffset = 8;
}
static void break_magic(struct driver *d)
{
	wpr_meta(d)->magic ^= 1;
}
static void break_revision(struct driver *d)
{
	wpr_meta(d)->revision = 2;
}
static void break_verified(struct driver *d)
{
	wpr_meta(d)->verified = GSP_FW_WPR_META_VERIFIED;
}
static void break_size(struct driver *d)
{
	wpr_meta(d)->sizeOfRadix3Elf++;
}
static void break_heap(struct driver *d)
{
	wpr_meta(d)->gspFwHeapSize = ~(u64)0;
}
static void break_radix0(struct driver *d)
{
	radix_level(d, 0)[0] += 8;
}
static void break_radix1(struct driver *d)
{
	radix_level(d, 1)[0] = 0x1000;
}
static void break_radix2(struct driver *d)
{
	radix_level(d, 2)[15] = ~(u64)0;
}
static void break_image(struct driver *d)
{
	u32 page = (u32)((radix_level(d, 2)[9] - DRIVER_BUS_BASE) / 0x3000);

	driver_page(d, page)[77] ^= 0x10;
}
static void break_libos(struct driver *d)
{
	memset(driver_page(d, d->libos), 0, 4096);
}
static void break_libos_full(struct driver *d)
{
	memset(driver_page(d, d->libos), 0x11, 4096);
}
static void break_rmargs(struct driver *d)
{
	((LibosMemoryRegionInitArgument *)driver_page(d, d->libos))[1].pa = 0;
}
static void break_rmargs_size(struct driver *d)
{
	((LibosMemoryRegionInitArgument *)driver_page(d, d->libos))[1].size = 79;
}
static void break_table(struct driver *d)
{
	rm_args(d)->messageQueueInitArguments.sharedMemPhysAddr += 4096;
}
static void break_table_count(struct driver *d)
{
	rm_args(d)->messageQueueInitArguments.pageTableEntryCount = 2049;
}
static void break_table_empty(struct driver *d)
{
	rm_args(d)->messageQueueInitArguments.pageTableEntryCount = 0;
}
static void break_queue_offset(struct driver *d)
{
	rm_args(d)->messageQueueInitArguments.cmdQueueOffset = ~(u64)0xfff;
}
static void break_status_offset(struct driver *d)
{
	rm_args(d)->messageQueueInitArguments.statQueueOffset = 1ull << 40;
}
static void break_status_inside(struct driver *d)
{
	rm_args(d)->messageQueueInitArguments.statQueueOffset = 2 * 4096;
}
static void break_count(struct driver *d)
{
	command_header(d)->msgCount++;
}
static void break_count_zero(struct driver *d)
{
	command_header(d)->msgCount = 0;
}
static void break_entry(struct driver *d)
{
	command_header(d)->entryOff = 0xfffff000;
}
static void break_rx(struct driver *d)
{
	command_header(d)->rxHdrOff = 4094;
}
static void break_msg_size(struct driver *d)
{
	command_header(d)->msgSize = 0;
}
static void break_swap(struct driver *d)
{
	command_header(d)->flags = 0;
}
static void break_queue_version(struct driver *d)
{
	command_header(d)->version = 1;
}

static void test_broken_boots(void **state)
{
	static const struct {
		breaker breaks;
		u32 error;
	} cases[] = {
		{ break_target, LH_GSP_BOOT_BAD_ARGS },
		{ break_desc_size, LH_GSP_BOOT_BAD_ARGS },
		{ break_not_rm, LH_GSP_BOOT_BAD_ARGS },
		{ break_meta_address, LH_GSP_BOOT_BAD_META },
		{ break_magic, LH_GSP_BOOT_BAD_META },
		{ break_revision, LH_GSP_BOOT_BAD_META },
		{ break_verified, LH_GSP_BOOT_BAD_META },
		{ break_size, LH_GSP_BOOT_BAD_IMAGE },
		{ break_heap, LH_GSP_BOOT_NO_MEMORY },
		{ break_radix0, LH_GSP_BOOT_BAD_PAGE_TABLE },
		{ break_radix1, LH_GSP_BOOT_BAD_PAGE_TABLE },
		{ break_radix2, LH_GSP_BOOT_BAD_PAGE_TABLE },
		{ break_image, LH_GSP_BOOT_BAD_IMAGE },
		{ break_libos, LH_GSP_BOOT_BAD_LIBOS_ARGS },
		{ break_libos_full, LH_GSP_BOOT_BAD_LIBOS_ARGS },
		{ break_rmargs, LH_GSP_BOOT_BAD_LIBOS_ARGS },
		{ break_rmargs_size, LH_GSP_BOOT_BAD_LIBOS_ARGS },
		{ break_table, LH_GSP_BOOT_BAD_QUEUES },
		{ break_table_count, LH_GSP_BOOT_BAD_QUEUES },
		{ break_table_empty, LH_GSP_BOOT_BAD_QUEUES },
		{ break_queue_offset, LH_GSP_BOOT_BAD_QUEUES },
		{ break_status_offset, LH_GSP_BOOT_BAD_QUEUES },
		{ break_status_inside, LH_GSP_BOOT_BAD_QUEUES },
		{ break_count, LH_GSP_BOOT_BAD_QUEUES },
		{ break_count_zero, LH_GSP_BOOT_BAD_QUEUES },
		{ break_entry, LH_GSP_BOOT_BAD_QUEUES },
		{ break_rx, LH_GSP_BOOT_BAD_QUEUES },
		{ break_msg_size, LH_GSP_BOOT_BAD_QUEUES },
		{ break_swap, LH_GSP_BOOT_BAD_QUEUES },
		{ break_queue_version, LH_GSP_BOOT_BAD_QUEUES },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		boot_broken(*state, cases[i].breaks, cases[i].error);
	assert_int_equal(driver_boot(*state), NV_OK);
}

static void test_fsp_refusals(void **state)
{
	struct driver *d = *state;
	NVDM_PAYLOAD_COT cot = { .version = 1, .size = sizeof(cot) };
	size_t size;

	driver_prepare(d);
	memcpy(cot.hash384, driver_section(".fwfmchash", &size), 48);
	cot.gspFmcSysmemOffset = driver_bus(d->fmc);
	cot.gspBootArgsSysmemOffset = driver_bus(d->boot_params);
	assert_int_equal(driver_fsp(d, &cot, sizeof(cot), NVDM_TYPE_INFOROM),
			 FSP_ERR_IFS_ERR_NOT_SUPPORTED);
	assert_int_equal(driver_fsp(d, &cot, 856, NVDM_TYPE_COT), FSP_ERR_IFS_ERR_INVALID_DATA);
	cot.version = 2;
	assert_int_equal(driver_fsp(d, &cot, sizeof(cot), NVDM_TYPE_COT),
			 FSP_ERR_IFS_ERR_INVALID_DATA);
	cot.version = 1;
	cot.hash384[3] ^= 1;
	assert_int_equal(driver_fsp(d, &cot, sizeof(cot), NVDM_TYPE_COT),
			 FSP_ERR_IFS_ERR_INVALID_DATA);
	cot.hash384[3] ^= 1;
	cot.gspFmcSysmemOffset += 4;
	assert_int_equal(driver_fsp(d, &cot, sizeof(cot), NVDM_TYPE_COT),
			 FSP_ERR_IFS_ERR_INVALID_DATA);
	cot.gspFmcSysmemOffset = driver_bus(d->meta);
	assert_int_equal(driver_fsp(d, &cot, sizeof(cot), NVDM_TYPE_COT),
			 FSP_ERR_IFS_ERR_INVALID_DATA);
	/* A packet that does not fit in the channel is thrown away. */
	driver_wr(d, NV_PFSP_QUEUE_TAIL(0), 0x10000);
	driver_wr(d, NV_PFSP_QUEUE_HEAD(0), 4);
	assert_true(h100_lend(d->gpu));
	assert_int_equal(driver_rd(d, NV_PFSP_QUEUE_HEAD(0)), 0x10000);
	assert_int_equal(driver_rd(d, NV_PFSP_MSGQ_TAIL(0)), 0);
	assert_int_equal(driver_boot(d), NV_OK);
}

static void test_init_messages(void **state)
{
	struct driver *d = *state;
	rpc_message_header_v *message;
	PACKED_REGISTRY_TABLE *table;
	u32 i;

	/* INIT_DONE waits for both; a registry whose name is outside of it is the boot's failure.
	 */
	driver_prepare(d);
	assert_int_equal(driver_cot(d), FSP_OK);
	while (h100_lend(d->gpu))
		;
	assert_null(driver_receive(d, false));
	driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_SET_SYSTEM_INFO, 32 + sizeof(GspSystemInfo));
	driver_send(d);
	while (h100_lend(d->gpu))
		;
	assert_null(driver_receive(d, false));
	/* Nothing else is served yet, but it is answered. */
	driver_message(d, NV_VGPU_MSG_FUNCTION_FREE, 32 + 16);
	driver_send(d);
	message = driver_receive(d, true);
	assert_non_null(message);
	assert_int_equal(message->rpc_result, NV_ERR_NOT_READY);
	message = driver_message(d, NV_VGPU_MSG_FUNCTION_SET_REGISTRY, 32 + 8 + 16 + 8);
	table = (void *)(message + 1);
	table->size = 32;
	table->numEntries = 1;
	table->entries[0].nameOffset = 32;
	table->entries[0].type = REGISTRY_TABLE_ENTRY_TYPE_DWORD;
	table->entries[0].length = 4;
	driver_send(d);
	message = driver_receive(d, true);
	assert_non_null(message);
	assert_int_equal(message->function, NV_VGPU_MSG_EVENT_GSP_INIT_DONE);
	assert_int_equal(message->rpc_result, NV_ERR_INVALID_PARAM_STRUCT);
	for (i = 0; i < 3; i++) {
		/* Whatever went wrong, unloading starts over. */
		rpc_unloading_guest_driver_v unload = { 0 };

		assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER,
					     &unload, sizeof(unload)),
				 NV_OK);
		assert_int_equal(driver_boot(d), NV_OK);
	}
}

/* -- Messages ---------------------------------------------------------------------------------- */

/* A good call after whatever was bad; nothing may have answered the bad. */
static void still_good(struct driver *d)
{
	assert_null(driver_receive(d, false));
	assert_int_equal(echo(d, CLIENT, SUBDEVICE), NV_OK);
}

static GSP_MSG_QUEUE_ELEMENT *echo_record(struct driver *d)
{
	rpc_message_header_v *message =
		driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, 32 + 24 + 16);
	rpc_gsp_rm_control_v *rpc = (void *)(message + 1);

	rpc->hClient = CLIENT;
	rpc->hObject = SUBDEVICE;
	rpc->cmd = CMD_ECHO;
	rpc->paramsSize = 16;
	return (void *)d->record;
}

static void put_quietly(struct driver *d, u32 elements)
{
	driver_put(d, elements);
	while (h100_lend(d->gpu))
		;
}

static void reseal(struct driver *d, u32 bytes)
{
	GSP_MSG_QUEUE_ELEMENT *element = (void *)d->record;
	u64 sum = 0;
	u32 i;

	element->checkSum = 0;
	for (i = 0; i < (bytes + 7) / 8; i++)
		sum ^= ((u64 *)d->record)[i];
	element->checkSum = (u32)(sum ^ sum >> 32);
}

static void test_bad_records(void **state)
{
	struct driver *d = *state;
	GSP_MSG_QUEUE_ELEMENT *element;
	const u32 bytes = 48 + 32 + 24 + 16;
	u32 i, lines;

	make_objects(d);
	for (i = 0; i < 9; i++) {
		lines = os_load_relaxed(&d->log_lines);
		element = echo_record(d);
		driver_seal(d);
		switch (i) {
		case 0:
			element->checkSum ^= 1;
			break;
		case 1:
			d->record[90] ^= 0x80;
			break;
		case 2:
			element->elemCount = 0;
			break;
		case 3:
			element->elemCount = 17;
			break;
		case 4:
			element->elemCount = 2;
			break;
		case 5:
			element->rpc.length = 31;
			break;
		case 6:
			element->rpc.length = ~0u;
			break;
		case 7:
			element->rpc.signature ^= 1;
			break;
		case 8:
			element->rpc.header_version = 0x04000000;
			break;
		}
		if (i >= 2)
			reseal(d, bytes);
		put_quietly(d, 1);
		assert_int_equal(os_load_relaxed(&d->log_lines), lines + 1);
		still_good(d);
	}
	/* Length and element count that disagree, both within what was written. */
	element = echo_record(d);
	driver_seal(d);
	element->elemCount = 2;
	reseal(d, bytes);
	put_quietly(d, 2);
	d->seq++; /* the second element was taken for a record of its own */
	still_good(d);
}

static void test_sequence(void **state)
{
	struct driver *d = *state;
	const u32 bytes = 48 + 32 + 24 + 16;
	GSP_MSG_QUEUE_ELEMENT *element;

	make_objects(d);
	/* One that was seen before is ignored. */
	element = echo_record(d);
	driver_seal(d);
	element->seqNum -= 2;
	d->seq--;
	reseal(d, bytes);
	put_quietly(d, 1);
	still_good(d);
	/* After a gap it goes on behind. */
	element = echo_record(d);
	driver_seal(d);
	element->seqNum += 5;
	d->seq += 5;
	reseal(d, bytes);
	put_quietly(d, 1);
	still_good(d);
}

static void test_write_pointer(void **state)
{
	struct driver *d = *state;
	msgqTxHeader *tx = command_header(d);

	make_objects(d);
	tx->writePtr = 63;
	driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
	h100_lend(d->gpu);
	tx->writePtr = ~0u;
	driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
	h100_lend(d->gpu);
	tx->writePtr = d->command_at;
	still_good(d);
	/* Doorbells of nothing. */
	driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 5);
	driver_wr(d, NV_PGSP_QUEUE_HEAD(7), 5);
	while (h100_lend(d->gpu))
		;
	still_good(d);
}

static void test_contents(void **state)
{
	struct driver *d = *state;
	rpc_message_header_v *message, *reply;
	rpc_gsp_rm_control_v *rpc;
	u8 data[64] = { 0 };

	make_objects(d);
	/* Parameters that are not there, of every kind of wrong size. */
	message = driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, 32 + 24 + 16);
	rpc = (void *)(message + 1);
	rpc->hClient = CLIENT;
	rpc->hObject = SUBDEVICE;
	rpc->cmd = CMD_ECHO;
	rpc->paramsSize = 17;
	driver_send(d);
	reply = driver_receive(d, true);
	assert_non_null(reply);
	assert_int_equal(reply->rpc_result, NV_ERR_INVALID_PARAM_STRUCT);
	message = driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, 32 + 24 + 16);
	rpc = (void *)(message + 1);
	rpc->paramsSize = ~0u;
	driver_send(d);
	reply = driver_receive(d, true);
	assert_non_null(reply);
	assert_int_equal(reply->rpc_result, NV_ERR_INVALID_PARAM_STRUCT);
	message = driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, 32 + 24 + 16);
	rpc = (void *)(message + 1);
	rpc->paramsSize = 15;
	driver_send(d);
	reply = driver_receive(d, true);
	assert_non_null(reply);
	assert_int_equal(reply->rpc_result, NV_ERR_INVALID_PARAM_STRUCT);
	/* Too short for its function, and functions that are not served. */
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, data, 8),
			 NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_FREE, data, 8),
			 NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_FREE, data, 0),
			 NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_ALLOC_ROOT, data, 16),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(driver_call(d, 203, data, 16), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(driver_call(d, 0xfff, data, 0), NV_ERR_NOT_SUPPORTED);
	still_good(d);
}

static void test_long_messages(void **state)
{
	struct driver *d = *state;
	u8 *bytes = malloc(BIG_BYTES);
	u32 i, round;

	assert_non_null(bytes);
	make_objects(d);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < BIG_BYTES; i++)
			bytes[i] = (u8)(i * 7 + round);
		assert_int_equal(driver_control(d, CLIENT, SUBDEVICE, CMD_BIG, bytes, BIG_BYTES),
				 NV_OK);
		for (i = 0; i < BIG_BYTES; i++)
			assert_int_equal(bytes[i], (u8)(i * 7 + round + 1));
	}
	free(bytes);
	still_good(d);
}

static rpc_gsp_rm_control_v *first_part(struct driver *d, u32 params_size)
{
	rpc_message_header_v *message =
		driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, GSP_MSG_QUEUE_RPC_SIZE_MAX);
	rpc_gsp_rm_control_v *rpc = (void *)(message + 1);

	rpc->hClient = CLIENT;
	rpc->hObject = SUBDEVICE;
	rpc->cmd = CMD_BIG;
	rpc->paramsSize = params_size;
	return rpc;
}

static void send_continuation(struct driver *d, u32 size)
{
	driver_message(d, NV_VGPU_MSG_FUNCTION_CONTINUATION_RECORD, 32 + size);
	driver_send(d);
	while (h100_lend(d->gpu))
		;
}

static void test_bad_continuations(void **state)
{
	struct driver *d = *state;
	rpc_message_header_v *reply;
	const u32 rest = 24 + 32 + BIG_BYTES - GSP_MSG_QUEUE_RPC_SIZE_MAX;

	make_objects(d);
	/* One out of nowhere. */
	send_continuation(d, 100);
	still_good(d);
	/* Too much: the message is dropped. */
	first_part(d, 70000);
	driver_send(d);
	send_continuation(d, 20000);
	still_good(d);
	/* Another message in between. */
	first_part(d, BIG_BYTES);
	driver_send(d);
	still_good(d);
	send_continuation(d, 1000);
	still_good(d);
	/* Empty ones. */
	first_part(d, BIG_BYTES);
	driver_send(d);
	send_continuation(d, 0);
	still_good(d);
	/* Too long altogether. */
	first_part(d, 0x7fffffff);
	driver_send(d);
	reply = driver_receive(d, true);
	assert_non_null(reply);
	assert_int_equal(reply->rpc_result, NV_ERR_INVALID_PARAM_STRUCT);
	/* In small pieces it is unusual but whole. */
	first_part(d, BIG_BYTES);
	driver_send(d);
	while (h100_lend(d->gpu))
		;
	send_continuation(d, rest / 3);
	assert_null(driver_receive(d, false));
	send_continuation(d, rest / 3);
	send_continuation(d, rest - rest / 3 * 2 - 1);
	assert_null(driver_receive(d, false));
	send_continuation(d, 1);
	reply = driver_receive(d, true);
	assert_non_null(reply);
	assert_int_equal(reply->rpc_result, NV_OK);
	assert_int_equal(reply->length, GSP_MSG_QUEUE_RPC_SIZE_MAX);
	while (driver_receive(d, true)->length == GSP_MSG_QUEUE_RPC_SIZE_MAX)
		;
	still_good(d);
}

static void test_full_status_queue(void **state)
{
	struct driver *d = *state;
	u32 i;

	make_objects(d);
	/* Nobody reads: 62 replies fit, the rest waits and comes in order. */
	for (i = 0; i < 200; i++) {
		((rpc_gsp_rm_control_v *)(&echo_record(d)->rpc + 1))->params[0] = (u8)i;
		driver_send(d);
		h100_lend(d->gpu);
	}
	for (i = 0; i < 200; i++) {
		rpc_message_header_v *reply = driver_receive(d, true);

		assert_non_null(reply);
		assert_int_equal(((rpc_gsp_rm_control_v *)(reply + 1))->params[4], (u8)i);
	}
	still_good(d);
}

static void test_memory_goes(void **state)
{
	struct driver *d = *state;

	make_objects(d);
	echo_record(d);
	driver_seal(d);
	driver_put(d, 1);
	os_store_relaxed(&d->unmapped, 1);
	while (h100_lend(d->gpu))
		;
	os_store_relaxed(&d->unmapped, 0);
	driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
	assert_non_null(driver_receive(d, true));
	still_good(d);
	/* Bus mastering off is the same. */
	h100_cfg_write(d->gpu, 4, 2, 2);
	echo_record(d);
	driver_send(d);
	while (h100_lend(d->gpu))
		;
	assert_null(driver_receive(d, false));
	h100_cfg_write(d->gpu, 4, 2, 6);
	driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
	assert_non_null(driver_receive(d, true));
	still_good(d);
}

/* -- Objects ----------------------------------------------------------------------------------- */

static void test_objects(void **state)
{
	struct driver *d = *state;
	NV0080_ALLOC_PARAMETERS device = { 0 };
	u32 word = 0;

	make_objects(d);
	assert_int_equal(driver_alloc_object(d, CLIENT, 0, 0, NV01_ROOT, NULL, 0),
			 NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(driver_alloc_object(d, CLIENT, CLIENT, DEVICE, NV01_DEVICE_0, &device,
					     sizeof(device)),
			 NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(driver_alloc_object(d, 77, 77, 5, NV01_DEVICE_0, &device, sizeof(device)),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(
		driver_alloc_object(d, CLIENT, 5, 6, NV01_DEVICE_0, &device, sizeof(device)),
		NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(driver_alloc_object(d, CLIENT, CLIENT, 6, NV20_SUBDEVICE_0, &word, 4),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(driver_alloc_object(d, CLIENT, CLIENT, 6, 0xdead, NULL, 0),
			 NV_ERR_INVALID_CLASS);
	assert_int_equal(driver_alloc_object(d, CLIENT, CLIENT, 6, NV01_DEVICE_0, &device, 55),
			 NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(
		driver_alloc_object(d, CLIENT, CLIENT, 0, NV01_DEVICE_0, &device, sizeof(device)),
		NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(echo(d, CLIENT, DEVICE), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(echo(d, CLIENT, 5), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(echo(d, 5, SUBDEVICE), NV_ERR_INVALID_CLIENT);
	assert_int_equal(driver_control(d, CLIENT, SUBDEVICE, 0x2080ffff, &word, 4),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(driver_control(d, CLIENT, SUBDEVICE, CMD_ECHO, &word, 4),
			 NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(driver_control(d, CLIENT, SUBDEVICE, CMD_FAIL, &word, 4), NV_ERR_IN_USE);
	assert_int_equal(word, 5);
}

static void test_free_trees(void **state)
{
	struct driver *d = *state;
	u32 i, word = 0;

	make_objects(d);
	for (i = 1; i <= 100; i++)
		assert_int_equal(driver_alloc_object(d, CLIENT, DEVICE, 0x1000 + i,
						     NV20_SUBDEVICE_0, &word, 4),
				 NV_OK);
	assert_int_equal(driver_free_object(d, CLIENT, 0x1000 + 50), NV_OK);
	assert_int_equal(driver_free_object(d, CLIENT, 0x1000 + 50), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(echo(d, CLIENT, 0x1000 + 51), NV_OK);
	assert_int_equal(driver_free_object(d, CLIENT, DEVICE), NV_OK);
	for (i = 1; i <= 100; i++)
		assert_int_equal(echo(d, CLIENT, 0x1000 + i), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(driver_free_object(d, CLIENT, CLIENT), NV_OK);
	assert_int_equal(driver_free_object(d, CLIENT, CLIENT), NV_ERR_INVALID_CLIENT);
	make_objects(d);
	assert_int_equal(echo(d, CLIENT, SUBDEVICE), NV_OK);
}

static void test_dup(void **state)
{
	struct driver *d = *state;
	rpc_dup_object_v dup = { .params = { .hClient = 0x99,
					     .hObject = 0x500,
					     .hClientSrc = CLIENT,
					     .hObjectSrc = SUBDEVICE } };

	make_objects(d);
	assert_int_equal(driver_alloc_object(d, 0x99, 0, 0, NV01_ROOT_CLIENT, NULL, 0), NV_OK);
	assert_int_equal(driver_alloc_object(d, 0x99, 0x99, 0x400, NV01_DEVICE_0, NULL, 0), NV_OK);
	dup.params.hParent = 0x99;
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_DUP_OBJECT, &dup, sizeof(dup)),
			 NV_ERR_INVALID_OBJECT_PARENT);
	dup.params.hParent = 0x400;
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_DUP_OBJECT, &dup, sizeof(dup)), NV_OK);
	assert_int_equal(echo(d, 0x99, 0x500), NV_OK);
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_DUP_OBJECT, &dup, sizeof(dup)),
			 NV_ERR_INSERT_DUPLICATE_NAME);
	dup.params.hObjectSrc = 1;
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_DUP_OBJECT, &dup, sizeof(dup)),
			 NV_ERR_OBJECT_NOT_FOUND);
	dup.params.hObjectSrc = CLIENT;
	assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_DUP_OBJECT, &dup, sizeof(dup)),
			 NV_ERR_OBJECT_NOT_FOUND);
	/* The copy lives on without its source. */
	assert_int_equal(driver_free_object(d, CLIENT, CLIENT), NV_OK);
	assert_int_equal(echo(d, 0x99, 0x500), NV_OK);
}

static void test_out_of_memory(void **state)
{
	struct driver *d = *state;
	NV0080_ALLOC_PARAMETERS device = { 0 };
	u64 n;
	u32 status;

	if (!os_user_fail_alloc(0))
		skip();
	for (n = 1; n < 20; n++) {
		os_user_fail_alloc(n);
		status = driver_alloc_object(d, CLIENT, 0, 0, NV01_ROOT, NULL, 0);
		if (status == NV_OK)
			status = driver_alloc_object(d, CLIENT, CLIENT, DEVICE, NV01_DEVICE_0,
						     &device, sizeof(device));
		os_user_fail_alloc(0);
		driver_free_object(d, CLIENT, CLIENT);
		if (status == NV_OK)
			break;
		assert_int_equal(status, NV_ERR_NO_MEMORY);
	}
	assert_in_range(n, 3, 19);
	make_objects(d);
	assert_int_equal(echo(d, CLIENT, SUBDEVICE), NV_OK);
}

static void test_static_info(void **state)
{
	struct driver *d = *state;
	GspStaticConfigInfo *info = calloc(1, sizeof(*info));

	assert_non_null(info);
	assert_int_equal(
		driver_call(d, NV_VGPU_MSG_FUNCTION_GET_GSP_STATIC_INFO, info, sizeof(*info)),
		NV_OK);
	assert_string_equal((char *)info->gpuNameString, "NVIDIA H100 80GB HBM3");
	assert_true(info->fb_length == DRIVER_VIDEO_BYTES);
	assert_int_equal(info->gpcInfo.gpcMask, 0xff);
	assert_int_equal(info->fb_bus_width, 5120);
	assert_int_equal(info->gidInfo.length, 16);
	assert_int_equal(echo(d, info->hInternalClient, info->hInternalSubdevice), NV_OK);
	assert_int_equal(driver_free_object(d, info->hInternalClient, info->hInternalClient),
			 NV_ERR_INVALID_CLIENT);
	free(info);
}

/* -- Events, death, shutdown ------------------------------------------------------------------- */

static void make_event(struct driver *d, u32 handle, u32 index)
{
	NV0005_ALLOC_PARAMETERS params = { .hParentClient = CLIENT,
					   .hSrcResource = SUBDEVICE,
					   .hClass = NV01_EVENT,
					   .notifyIndex = index };

	assert_int_equal(driver_alloc_object(d, CLIENT, SUBDEVICE, handle, NV01_EVENT, &params,
					     sizeof(params)),
			 NV_OK);
}

static void test_events(void **state)
{
	struct driver *d = *state;
	rpc_message_header_v *message;
	u32 count = 2, seen = 0, data = 0, before;

	make_objects(d);
	make_event(d, 0xe1, NOTIFIER);
	make_event(d, 0xe2, NOTIFIER | 0x10000000);
	make_event(d, 0xe3, NOTIFIER + 1);
	assert_int_equal(driver_free_object(d, CLIENT, 0xe2), NV_OK);
	make_event(d, 0xe4, NOTIFIER | 0x10000000);
	driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(6), ~0u);
	before = os_load_relaxed(&d->msix[3]);
	((rpc_gsp_rm_control_v *)(&echo_record(d)->rpc + 1))->cmd = CMD_NOTIFY;
	((rpc_gsp_rm_control_v *)(d->record + 80))->paramsSize = 4;
	((GSP_MSG_QUEUE_ELEMENT *)d->record)->rpc.length = 32 + 24 + 4;
	memcpy(((rpc_gsp_rm_control_v *)(d->record + 80))->params, &count, 4);
	driver_send(d);
	while ((message = driver_receive(d, true)) != NULL &&
	       message->function == NV_VGPU_MSG_EVENT_POST_EVENT) {
		rpc_post_event_v *event = (void *)(message + 1);

		assert_int_equal(event->hClient, CLIENT);
		assert_true(event->hEvent == 0xe1 || event->hEvent == 0xe4);
		assert_int_equal(event->notifyIndex, NOTIFIER);
		assert_int_equal(event->info16, 7);
		data += event->data;
		seen++;
	}
	assert_non_null(message);
	assert_int_equal(seen, 4);
	assert_int_equal(data, 2);
	/* Events interrupt, even on a lent thread; a reply alone there does not. */
	assert_int_equal(os_load_relaxed(&d->msix[3]), before + 1);
	assert_int_equal(driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_IRQSTAT), 1 << 6);
	driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(6), 1);
	driver_wr(d, NV_PGSP__LO + NV_PFALCON_FALCON_INTR_RETRIGGER(0), 1);
	assert_int_equal(os_load_relaxed(&d->msix[3]), before + 2);
	driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(6), 1);
	driver_wr(d, NV_PGSP__LO + NV_PFALCON_FALCON_IRQSCLR, 1 << 6);
	driver_wr(d, NV_PGSP__LO + NV_PFALCON_FALCON_INTR_RETRIGGER(0), 1);
	assert_int_equal(echo(d, CLIENT, SUBDEVICE), NV_OK);
	assert_int_equal(os_load_relaxed(&d->msix[3]), before + 2);
}

static void test_unload(void **state)
{
	struct driver *d = *state;
	rpc_unloading_guest_driver_v unload = { 0 };
	u32 round;

	for (round = 0; round < 3; round++) {
		make_objects(d);
		assert_int_equal(driver_call(d, NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER,
					     &unload, sizeof(unload)),
				 NV_OK);
		assert_int_equal(driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_MAILBOX0),
				 0x80000000);
		assert_int_equal(driver_rd(d, NV_PFB_PRI_MMU_WPR2_ADDR_HI), 0);
		assert_int_equal(
			REG_GET(NV_PRISCV_RISCV_CPUCTL_ACTIVE_STAT,
				driver_rd(d, NV_FALCON2_GSP_BASE + NV_PRISCV_RISCV_CPUCTL)),
			0);
		/* The memory is the driver's again. */
		memset(d->memory, 0x5a, (size_t)DRIVER_PAGES * 4096);
		driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
		while (h100_lend(d->gpu))
			;
		assert_int_equal(driver_page(d, d->shared)[0], 0x5a);
		assert_int_equal(driver_boot(d), NV_OK);
	}
}

static void test_crash(void **state)
{
	struct driver *d = *state;
	rpc_message_header_v *message;
	u32 before = os_load_relaxed(&d->msix[3]), word;

	make_objects(d);
	driver_wr(d, NV_PGSP__LO + NV_PFALCON_FALCON_IRQSCLR, ~0u);
	driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(6), ~0u);
	assert_int_equal(h100_inject(d->gpu, "gsp-crash"), NV_OK);
	assert_int_equal(os_load_relaxed(&d->msix[3]), before + 1);
	assert_int_equal(driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_IRQSTAT), 1 << 6 | 1 << 4);
	word = driver_rd(d, NV_PGSP_MAILBOX(0));
	assert_int_equal(REG_GET(NV_GSP_ERROR_TAG, word), NV_GSP_ERROR_TAG_VAL);
	message = driver_receive(d, true);
	assert_non_null(message);
	assert_int_equal(message->function, NV_VGPU_MSG_EVENT_OS_ERROR_LOG);
	assert_int_equal(((rpc_os_error_log_v *)(message + 1))->exceptType, 120);
	echo_record(d);
	driver_send(d);
	while (h100_lend(d->gpu))
		;
	assert_null(driver_receive(d, false));
	assert_int_equal(driver_cot(d), FSP_ERR_IFS_ERR_INVALID_STATE);
	/* A function-level reset brings it back. */
	h100_cfg_write(d->gpu, 0x68, 2, 0x8000);
	h100_cfg_write(d->gpu, 4, 2, 6);
	assert_int_equal(driver_boot(d), NV_OK);
	make_objects(d);
	assert_int_equal(echo(d, CLIENT, SUBDEVICE), NV_OK);
}

static void test_hang_and_off_bus(void **state)
{
	struct driver *d = *state;

	make_objects(d);
	assert_int_equal(h100_inject(d->gpu, "gsp-hang"), NV_OK);
	echo_record(d);
	driver_send(d);
	while (h100_lend(d->gpu))
		;
	assert_null(driver_receive(d, false));
	h100_cfg_write(d->gpu, 0x68, 2, 0x8000);
	h100_cfg_write(d->gpu, 4, 2, 6);
	assert_int_equal(driver_boot(d), NV_OK);
	make_objects(d);
	assert_int_equal(h100_inject(d->gpu, "off-bus"), NV_OK);
	echo_record(d);
	driver_send(d);
	while (h100_lend(d->gpu))
		;
	assert_null(driver_receive(d, false));
	assert_int_equal(h100_inject(d->gpu, "on-bus"), NV_OK);
	driver_wr(d, NV_PGSP_QUEUE_HEAD(0), 0);
	assert_non_null(driver_receive(d, true));
	still_good(d);
}

static void test_scenario(void **state)
{
	static const char text[] = "at 5s off-bus\nat 7s on-bus gpu0\nat 9s gsp-crash gpu1\n";
	struct h100_config config = { .count = 1,
				      .scenario = text,
				      .scenario_size = sizeof(text) - 1 };
	struct driver *d = malloc(sizeof(*d));
	u64 start;

	assert_non_null(d);
	driver_open(d, &config);
	start = 1 + driver_rd(d, NV_PTIMER_TIME_0) + ((u64)driver_rd(d, NV_PTIMER_TIME_1) << 32);
	os_store_relaxed(&d->now, start + 4000000000ull);
	h100_lend(d->gpu);
	assert_int_equal(driver_rd(d, 0), 0x180000a1);
	os_store_relaxed(&d->now, start + 6000000000ull);
	h100_lend(d->gpu);
	assert_int_equal(driver_rd(d, 0), ~0u);
	os_store_relaxed(&d->now, start + 8000000000ull);
	h100_lend(d->gpu);
	assert_int_equal(driver_rd(d, 0), 0x180000a1);
	/* One that is added later. */
	assert_int_equal(h100_inject(d->gpu, "at 20s off-bus"), NV_OK);
	assert_int_equal(h100_inject(d->gpu, "at 10s off-bus gpu3"), NV_OK);
	os_store_relaxed(&d->now, start + 19000000000ull);
	h100_lend(d->gpu);
	assert_int_equal(driver_rd(d, 0), 0x180000a1);
	os_store_relaxed(&d->now, start + 21000000000ull);
	h100_lend(d->gpu);
	assert_int_equal(driver_rd(d, 0), ~0u);
	driver_close(d);
	free(d);
}

/* -- Threads ----------------------------------------------------------------------------------- */

/* driver_wait lends; here nobody does. */
static bool status_waits(struct driver *d)
{
	msgqTxHeader *tx = (void *)driver_page(d, d->shared + 1 + DRIVER_QUEUE_BYTES / 4096);
	u32 i;

	for (i = 0; i < 20000; i++) {
		if (os_load_acquire(&tx->writePtr) != d->status_at)
			return true;
		usleep(100);
	}
	return false;
}

static void calls(struct driver *d, u32 count, bool lend)
{
	u32 i, events = 3;

	make_objects(d);
	make_event(d, 0xe1, NOTIFIER);
	for (i = 0; i < count; i++) {
		if (i % 16 == 5)
			assert_int_equal(
				driver_control(d, CLIENT, SUBDEVICE, CMD_NOTIFY, &events, 4),
				NV_OK);
		if (lend) {
			assert_int_equal(echo(d, CLIENT, SUBDEVICE), NV_OK);
			continue;
		}
		echo_record(d);
		driver_send(d);
		do {
			assert_true(status_waits(d));
		} while (driver_receive(d, true)->function >= NV_VGPU_MSG_EVENT_GSP_INIT_DONE);
	}
}

static void test_own_thread(void **state)
{
	open_with(state, (struct h100_config){ .threads = true });
	assert_int_equal(driver_boot(*state), NV_OK);
	calls(*state, 300, false);
	assert_int_equal(h100_inject(*(struct h100 **)&((struct driver *)*state)->gpu, "gsp-crash"),
			 NV_OK);
	close_gpu(state);
}

static void test_lending_thread(void **state)
{
	struct driver *d;

	open_with(state, (struct h100_config){ .threads = true, .lending = true });
	d = *state;
	assert_int_equal(driver_boot(d), NV_OK);
	calls(d, 2000, true);
	/* Nobody lends: the own thread takes it, after its period or at once when kicked. */
	echo_record(d);
	driver_send(d);
	assert_true(status_waits(d));
	assert_non_null(driver_receive(d, true));
	usleep(120000); /* until it sleeps */
	echo_record(d);
	driver_send(d);
	h100_kick(d->gpu);
	assert_true(status_waits(d));
	assert_non_null(driver_receive(d, true));
	close_gpu(state);
}

static void test_chaos(void **state)
{
	u32 seed;

	for (seed = 1; seed <= 4; seed++) {
		open_with(state, (struct h100_config){ .threads = seed % 2 == 0, .chaos = seed });
		assert_int_equal(driver_boot(*state), NV_OK);
		calls(*state, 200, seed % 2 != 0);
		close_gpu(state);
	}
}

static void *reader(void *arg)
{
	struct driver *d = arg;
	u32 i;

	for (i = 0; i < 20000; i++) {
		driver_rd(d, NV_PTIMER_TIME_0);
		driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_HWCFG2);
		driver_rd(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(6));
		driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(6), 1);
		h100_cfg_read(d->gpu, 4, 4);
		h100_lend(d->gpu);
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	pthread_t thread[3];
	u32 i;

	open_with(state, (struct h100_config){ .threads = true });
	assert_int_equal(driver_boot(*state), NV_OK);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader, *state), 0);
	calls(*state, 200, true);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	close_gpu(state);
}

#define COLD(fn) cmocka_unit_test_setup_teardown(fn, open_cold, close_gpu)
#define BOOTED(fn) cmocka_unit_test_setup_teardown(fn, open_booted, close_gpu)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COLD(test_boot),
		COLD(test_broken_boots),
		COLD(test_fsp_refusals),
		COLD(test_init_messages),
		BOOTED(test_bad_records),
		BOOTED(test_sequence),
		BOOTED(test_write_pointer),
		BOOTED(test_contents),
		BOOTED(test_long_messages),
		BOOTED(test_bad_continuations),
		BOOTED(test_full_status_queue),
		BOOTED(test_memory_goes),
		BOOTED(test_objects),
		BOOTED(test_free_trees),
		BOOTED(test_dup),
		BOOTED(test_out_of_memory),
		BOOTED(test_static_info),
		BOOTED(test_events),
		BOOTED(test_unload),
		BOOTED(test_crash),
		BOOTED(test_hang_and_off_bus),
		cmocka_unit_test(test_scenario),
		cmocka_unit_test(test_own_thread),
		cmocka_unit_test(test_lending_thread),
		cmocka_unit_test(test_chaos),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
