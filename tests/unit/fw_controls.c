// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The firmware's control commands, called as its dispatcher does: the table itself, every out field
 * written, values that are the state's, and bad parameters.
 */
#include "engine.h"

#include "abi/gh100.h"
#include "abi/tables.h"
#include "h100/engine/fabric.h"
#include "h100/gsp/firmware.h"

#define MARK 0xa5

static const struct fw_control *find(u32 cmd)
{
	for (u32 g = 0; fw_control_groups[g] != NULL; g++) {
		for (u32 i = 0; i < fw_control_groups[g]->count; i++) {
			if (fw_control_groups[g]->controls[i].cmd == cmd)
				return &fw_control_groups[g]->controls[i];
		}
	}
	return NULL;
}

static struct h100_memory *memory; /* NULL: none */

static u32 lines;

static void drop_line(void *ctx, int level, const char *text)
{
	lines++;
}

static enum nv_status ask(struct h100_state *state, u32 cmd, void *params, u32 size)
{
	const struct fw_control *control = find(cmd);
	/* The store's own kind of object: a command may keep something with it. */
	struct fw_node node = { .object = { .class_id = NV20_SUBDEVICE_0 } };
	static const struct h100_host silent = { .log = drop_line };
	static struct fw fw; /* without objects or engines, but for what a test gives it */
	struct fw_call call = { .fw = &fw, .state = state, .object = &node.object, .cmd = cmd };
	enum nv_status status;

	if (control == NULL)
		fail_msg("no control %#x", cmd);
	assert_int_equal(control->size, size);
	fw.host = &silent;
	fw.memory = memory;
	assert_int_equal(fw_store_init(&fw.store, state), NV_OK);
	status = control->fn(&call, params, size);
	fw_store_clear(&fw.store);
	os_free(node.actions);
	return status;
}

#define ASK(cmd, p) ask(s, cmd, &(p), sizeof(p))

/* Each command once, of the size that the interface's table says, and routed to the firmware. */
static void test_table(void **unused)
{
	u32 total = 0;

	for (u32 g = 0; fw_control_groups[g] != NULL; g++) {
		const struct fw_control_group *group = fw_control_groups[g];

		assert_non_null(group->name);
		for (u32 i = 0; i < group->count; i++, total++) {
			const struct fw_control *control = &group->controls[i];
			const struct abi_control *abi = abi_control_find(control->cmd);

			if (find(control->cmd) != control)
				fail_msg("%#x stands twice", control->cmd);
			if (abi == NULL)
				fail_msg("%#x is not stated in abi/", control->cmd);
			if (abi->params_size != control->size)
				fail_msg("%#x: %u bytes, the interface says %u", control->cmd,
					 control->size, abi->params_size);
		}
	}
	assert_true(total > 50);
}

static void fill_in_fields(const struct abi_struct *s, u8 *data, u8 value)
{
	for (u32 i = 0; s != NULL && i < s->field_count; i++) {
		const struct abi_field *field = &s->fields[i];

		for (u32 n = 0; n < field->count; n++) {
			u8 *at = data + field->offset + (size_t)n * field->size;

			if (field->sub != NULL)
				fill_in_fields(field->sub, at, value);
			else if (field->dir & ABI_IN)
				memset(at, value, field->size);
		}
	}
}

/*
 * Parameters arrive as a program left them: with in fields zero and every other byte marked, no
 * mark is left of an answer that is OK. (Padding, and array elements past their count, are no
 * answer.)
 */
static void check_written(const struct abi_struct *s, const u8 *data, u32 cmd)
{
	for (u32 i = 0; s != NULL && i < s->field_count; i++) {
		const struct abi_field *field = &s->fields[i];
		u32 count = field->counted_by == ~0u ? field->count : 0;

		for (u32 n = 0; n < count; n++) {
			const u8 *at = data + field->offset + (size_t)n * field->size;

			if (field->sub != NULL && field->kind == ABI_STRUCT)
				check_written(field->sub, at, cmd);
			else if (field->kind != ABI_UNION && (field->dir & ABI_OUT) &&
				 !(field->dir & ABI_IN) && at[0] == MARK &&
				 at[field->size - 1] == MARK)
				fail_msg("%#x leaves %s.%s unwritten", cmd, s->name, field->name);
		}
	}
}

static void test_written(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);

	h100_state_boot(s, "535.309.01", START_NS);
	for (u32 g = 0; fw_control_groups[g] != NULL; g++) {
		for (u32 i = 0; i < fw_control_groups[g]->count; i++) {
			const struct fw_control *control = &fw_control_groups[g]->controls[i];
			const struct abi_control *abi = abi_control_find(control->cmd);
			u8 *params;

			if (control->serialised)
				continue; /* gsp_serial.c */
			params = malloc(control->size + 1);
			assert_non_null(params);
			memset(params, MARK, control->size + 1);
			fill_in_fields(abi->params, params, 0);
			if (ask(s, control->cmd, params, control->size) == NV_OK)
				check_written(abi->params, params, control->cmd);
			assert_int_equal(params[control->size], MARK);
			free(params);
		}
	}
	state_free(s);
}

/* Any bytes as parameters: a status, nothing out of bounds (the sanitizers look). */
static void test_hostile(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);
	u64 seed = 20231117;

	for (u32 g = 0; fw_control_groups[g] != NULL; g++) {
		for (u32 i = 0; i < fw_control_groups[g]->count; i++) {
			const struct fw_control *control = &fw_control_groups[g]->controls[i];
			u8 *params;

			if (control->serialised)
				continue;
			params = malloc(control->size != 0 ? control->size : 1);
			assert_non_null(params);
			for (u32 round = 0; round < 24; round++) {
				for (u32 b = 0; b < control->size; b++)
					params[b] =
						round == 0 ? 0xff : (u8)(unit_random(&seed) >> 56);
				if (round % 3 == 1 &&
				    control->size >= 8) /* small words: past the counts */
					for (u32 b = 0; b < control->size; b++)
						params[b] = b % 4 == 0 ? params[b] % 40 : 0;
				ask(s, control->cmd, params, control->size);
			}
			free(params);
		}
	}
	state_free(s);
}

/* Where the driver wants to see faults: as the firmware wants it, or not at all. */
static void test_fault_buffer(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);
	NV2080_CTRL_INTERNAL_GMMU_GET_STATIC_INFO_PARAMS info;
	NV2080_CTRL_INTERNAL_GMMU_UNREGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS end = { 0 };
	static NV2080_CTRL_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER_PARAMS p, good;

	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_GMMU_GET_STATIC_INFO, info), NV_OK);
	assert_int_equal(info.nonReplayableFaultBufferSize, FW_FAULT_PAGES * FW_PAGE);
	assert_int_equal(info.nonReplayableShadowFaultBufferMetadataSize, 0);
	assert_int_equal(info.replayableFaultBufferSize, 0);
	good.shadowFaultBufferSize = info.nonReplayableFaultBufferSize;
	good.shadowFaultBufferType = NV2080_CTRL_FAULT_BUFFER_NON_REPLAYABLE;
	good.shadowFaultBufferQueuePhysAddr = FW_PAGE;
	/* No page of it is looked at beyond those that the size has. */
	good.shadowFaultBufferPteArray[FW_FAULT_PAGES] = 1;

#define BEGIN ASK(NV2080_CTRL_CMD_INTERNAL_GMMU_REGISTER_CLIENT_SHADOW_FAULT_BUFFER, p)
#define END ASK(NV2080_CTRL_CMD_INTERNAL_GMMU_UNREGISTER_CLIENT_SHADOW_FAULT_BUFFER, end)
#define REFUSE(change, status)                   \
	do {                                     \
		p = good;                        \
		change;                          \
		assert_int_equal(BEGIN, status); \
	} while (0)
	REFUSE(p.shadowFaultBufferType = NV2080_CTRL_FAULT_BUFFER_REPLAYABLE, NV_ERR_NOT_SUPPORTED);
	REFUSE(p.shadowFaultBufferType = 2, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.shadowFaultBufferSize -= 32, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.shadowFaultBufferSize = ~0u, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.shadowFaultBufferMetadataSize = 1, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.shadowFaultBufferQueuePhysAddr += 8, NV_ERR_INVALID_ARGUMENT);
	REFUSE(p.shadowFaultBufferPteArray[FW_FAULT_PAGES - 1] = 32, NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(END, NV_OK);
	REFUSE((void)0, NV_OK);
	REFUSE((void)0, NV_ERR_IN_USE);
	end.shadowFaultBufferType = NV2080_CTRL_FAULT_BUFFER_REPLAYABLE;
	assert_int_equal(END, NV_ERR_NOT_SUPPORTED);
	end.shadowFaultBufferType = 2;
	assert_int_equal(END, NV_ERR_INVALID_ARGUMENT);
	end.shadowFaultBufferType = NV2080_CTRL_FAULT_BUFFER_NON_REPLAYABLE;
	assert_int_equal(END, NV_OK);
	REFUSE((void)0, NV_OK);
	assert_int_equal(END, NV_OK);
#undef REFUSE
	state_free(s);
}

static void test_identity(void **unused)
{
	struct h100_state *s = state_make(NULL, 2);
	NV2080_CTRL_GPU_GET_NAME_STRING_PARAMS name = { 0 };
	NV2080_CTRL_GPU_GET_GID_INFO_PARAMS gid = { 0 };
	NV2080_CTRL_GPU_GET_OEM_BOARD_INFO_PARAMS board;
	NV2080_CTRL_GPU_GET_INFOROM_OBJECT_VERSION_PARAMS object = { .objectType = { 'E', 'C',
										     'C' } };
	NV2080_CTRL_BIOS_GET_INFO_V2_PARAMS bios = { .biosInfoListSize = 2 };
	NV2080_CTRL_GPU_GET_CHIP_DETAILS_PARAMS chip;
	NV208F_CTRL_GPU_VERIFY_INFOROM_PARAMS inforom;

	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_NAME_STRING, name), NV_OK);
	assert_string_equal((char *)name.gpuNameString.ascii, "NVIDIA H100 80GB HBM3");
	name.gpuNameStringFlags = NV2080_CTRL_GPU_GET_NAME_STRING_FLAGS_TYPE_UNICODE;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_NAME_STRING, name), NV_OK);
	assert_int_equal(name.gpuNameString.unicode[0], 'N');
	name.gpuNameStringFlags = 2;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_NAME_STRING, name), NV_ERR_INVALID_ARGUMENT);

	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_GID_INFO, gid), NV_OK);
	assert_int_equal(gid.length, 41);
	assert_string_equal((char *)gid.data, s->uuid_text);
	gid.flags = NV2080_GPU_CMD_GPU_GET_GID_FLAGS_FORMAT_BINARY;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_GID_INFO, gid), NV_OK);
	assert_int_equal(gid.length, 16);
	assert_memory_equal(gid.data, s->uuid, 16);
	gid.flags = 1;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_GID_INFO, gid), NV_ERR_INVALID_ARGUMENT);
	gid.flags = 0;
	gid.index = 1;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_GID_INFO, gid), NV_ERR_INVALID_ARGUMENT);

	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_OEM_BOARD_INFO, board), NV_OK);
	assert_string_equal((char *)board.serialNumber, "1652823050003");
	assert_string_equal((char *)board.productPartNumber, "692-2G520-0200-000");
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_INFOROM_OBJECT_VERSION, object), NV_OK);
	assert_int_equal(object.version, 7);
	assert_int_equal(object.subversion, 16);
	memcpy(object.objectType, "PWR", 3); /* 0.0 in the profile: there is none */
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_INFOROM_OBJECT_VERSION, object),
			 NV_ERR_NOT_SUPPORTED);

	bios.biosInfoList[0].index = NV2080_CTRL_BIOS_INFO_INDEX_REVISION;
	bios.biosInfoList[1].index = NV2080_CTRL_BIOS_INFO_INDEX_OEM_REVISION;
	assert_int_equal(ASK(NV2080_CTRL_CMD_BIOS_GET_INFO_V2, bios), NV_OK);
	assert_int_equal(bios.biosInfoList[0].data, 0x96007400);
	assert_int_equal(bios.biosInfoList[1].data, 1);
	bios.biosInfoListSize = ARRAY_SIZE(bios.biosInfoList) + 1;
	assert_int_equal(ASK(NV2080_CTRL_CMD_BIOS_GET_INFO_V2, bios), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_GET_CHIP_DETAILS, chip), NV_OK);
	assert_int_equal(chip.pciDevId, 0x2330);
	assert_memory_equal(chip.chipSku, "885", 4);
	assert_int_equal(chip.chipMajor, 0xa);

	assert_int_equal(ASK(NV208F_CTRL_CMD_GPU_VERIFY_INFOROM, inforom), NV_OK);
	assert_int_equal(inforom.result, NV208F_CTRL_GPU_INFOROM_VERIFICATION_RESULT_VALID);
	s->inforom_valid = false;
	assert_int_equal(ASK(NV208F_CTRL_CMD_GPU_VERIFY_INFOROM, inforom), NV_OK);
	assert_int_equal(inforom.result, NV208F_CTRL_GPU_INFOROM_VERIFICATION_RESULT_INVALID);
	state_free(s);
}

static void test_memory(void **unused)
{
	struct h100_state *s = state_make("ecc-sbe 3\necc-dbe 2\nrow-remap 4 0\n", 0);
	NV2080_CTRL_ECC_GET_VOLATILE_COUNTS_PARAMS counts;
	NV2080_CTRL_FB_GET_REMAPPED_ROWS_PARAMS rows;
	NV2080_CTRL_GPU_QUERY_ECC_STATUS_PARAMS status = { 0 };
	NV2080_CTRL_GPU_SET_ECC_CONFIGURATION_PARAMS set = { .newConfiguration = 0 };
	NV2080_CTRL_GPU_QUERY_ECC_CONFIGURATION_PARAMS configuration;
	NV2080_CTRL_GPU_RESET_ECC_ERROR_STATUS_PARAMS reset = { 0 };

	state_move(s, SECOND_NS);
	h100_state_ecc_error(s, H100_ECC_L2, true, 7);
	h100_state_ecc_error(s, H100_ECC_REGISTER_FILE, true, 1);
	assert_int_equal(ASK(NV2080_CTRL_CMD_ECC_GET_VOLATILE_COUNTS, counts), NV_OK);
	assert_int_equal(counts.dramCorTot, 3);
	assert_int_equal(counts.dramUncTot, 2);
	assert_int_equal(counts.sramUncParityUni, 1);
	assert_int_equal(counts.sramUncSecDedUni, 7);
	assert_int_equal(ASK(NV2080_CTRL_CMD_FB_GET_REMAPPED_ROWS, rows), NV_OK);
	assert_int_equal(rows.entryCount, 6);
	assert_int_equal(rows.entries[3].source, NV2080_CTRL_FB_REMAPPED_ROW_SOURCE_SBE_FIELD);
	assert_int_equal(rows.entries[4].source, NV2080_CTRL_FB_REMAPPED_ROW_SOURCE_DBE_FIELD);
	assert_int_equal(rows.flags, 1);
	s->remapped_correctable = 100000; /* more than the list holds */
	assert_int_equal(ASK(NV2080_CTRL_CMD_FB_GET_REMAPPED_ROWS, rows), NV_OK);
	assert_int_equal(rows.entryCount, 512);

	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_QUERY_ECC_STATUS, status), NV_OK);
	assert_true(status.units[0].enabled);
	assert_int_equal(status.units[0].dbe.count, 2);
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_SET_ECC_CONFIGURATION, set), NV_OK);
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_QUERY_ECC_CONFIGURATION, configuration), NV_OK);
	assert_int_equal(configuration.currentConfiguration,
			 NV2080_CTRL_GPU_ECC_CONFIGURATION_DISABLED);
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_QUERY_ECC_STATUS, status), NV_OK);
	assert_true(status.units[0].enabled); /* until the next boot */
	set.newConfiguration = 2;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_SET_ECC_CONFIGURATION, set),
			 NV_ERR_INVALID_ARGUMENT);
	reset.statuses = 4;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_RESET_ECC_ERROR_STATUS, reset),
			 NV_ERR_INVALID_ARGUMENT);
	reset.statuses = NV2080_CTRL_GPU_ECC_ERROR_STATUS_VOLATILE;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_RESET_ECC_ERROR_STATUS, reset), NV_OK);
	assert_int_equal(h100_state_ecc_total(s->ecc_volatile).uncorrected, 0);
	assert_int_equal(s->ecc_aggregate[H100_ECC_DRAM].uncorrected, 2);
	s->profile.ecc = false;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_QUERY_ECC_STATUS, status), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(ask(s, NV2080_CTRL_CMD_GPU_QUERY_INFOROM_ECC_SUPPORT, NULL, 0),
			 NV_ERR_NOT_SUPPORTED);
	state_free(s);
}

static u32 memory_fact(struct h100_state *s, u32 index)
{
	NV2080_CTRL_FB_GET_INFO_V2_PARAMS info = { .fbInfoListSize = 1 };

	info.fbInfoList[0].index = index;
	assert_int_equal(ASK(NV2080_CTRL_CMD_FB_GET_INFO_V2, info), NV_OK);
	return info.fbInfoList[0].data;
}

/* What the memory is made of, by product, and whether ECC is in force: from boot to boot. */
static void test_make_of_memory(void **unused)
{
	const struct {
		const char *profile;
		u32 type;
	} products[] = {
		{ "h100-pcie-80gb", NV2080_CTRL_FB_INFO_RAM_TYPE_HBM2 },
		{ "h100-sxm-80gb", NV2080_CTRL_FB_INFO_RAM_TYPE_HBM3 },
		{ "h200", NV2080_CTRL_FB_INFO_RAM_TYPE_HBM3 },
	};
	NV2080_CTRL_INTERNAL_MEMSYS_GET_STATIC_CONFIG_PARAMS memory;
	struct h100_state *s;

	for (u32 i = 0; i < ARRAY_SIZE(products); i++) {
		s = state_make_like(products[i].profile);
		assert_int_equal(memory_fact(s, NV2080_CTRL_FB_INFO_INDEX_RAM_TYPE),
				 products[i].type);
		assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_MEMSYS_GET_STATIC_CONFIG, memory),
				 NV_OK);
		assert_int_equal(memory.ramType, products[i].type);
		assert_int_equal(memory.ltcCount,
				 memory_fact(s, NV2080_CTRL_FB_INFO_INDEX_LTC_COUNT));
		assert_true(memory.bEnabledEccFBPA);
		assert_int_equal(h100_state_set_ecc(s, false), NV_OK);
		assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_MEMSYS_GET_STATIC_CONFIG, memory),
				 NV_OK);
		assert_true(memory.bEnabledEccFBPA);
		h100_state_boot(s, "535", s->update_ns);
		assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_MEMSYS_GET_STATIC_CONFIG, memory),
				 NV_OK);
		assert_false(memory.bEnabledEccFBPA);
		state_free(s);
	}
}

static void test_power_source(void **unused)
{
	struct h100_state *s = state_make("", 0);
	NV2080_CTRL_PERF_SET_POWERSTATE_PARAMS p = {
		.powerStateInfo.powerState = NV2080_CTRL_PERF_POWER_SOURCE_BATTERY,
	};

	assert_false(s->on_battery);
	lines = 0;
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_SET_POWERSTATE, p), NV_OK);
	assert_true(s->on_battery);
	assert_int_equal(lines, 1);
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_SET_POWERSTATE, p), NV_OK);
	assert_int_equal(lines, 1); /* nothing new */
	p.powerStateInfo.powerState = 2;
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_SET_POWERSTATE, p), NV_ERR_INVALID_ARGUMENT);
	assert_true(s->on_battery);
	p.powerStateInfo.powerState = NV2080_CTRL_PERF_POWER_SOURCE_AC;
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_SET_POWERSTATE, p), NV_OK);
	assert_false(s->on_battery);
	state_free(s);
}

/* Who has the say over the clocks of the rated power, and what it does to them. */
static void test_rated_power(void **unused)
{
	struct h100_state *s = state_make("utilization 100\n", 0);
	NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS p = {
		.client = NV2080_CTRL_PERF_RATED_TDP_CLIENT_OS,
		.input = NV2080_CTRL_PERF_RATED_TDP_ACTION_FORCE_LIMIT,
	};

	s->profile.graphics_application_mhz = 1200;
	state_move(s, SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 1980);
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, p), NV_OK);
	p.input = 0;
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_RATED_TDP_GET_CONTROL, p), NV_OK);
	assert_int_equal(p.input, NV2080_CTRL_PERF_RATED_TDP_ACTION_FORCE_LIMIT);
	state_move(s, 2 * SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 1200);
	assert_true(s->slowdown & H100_SLOWDOWN_APPLICATION_CLOCKS);
	/* One of a higher priority wins. */
	p.client = NV2080_CTRL_PERF_RATED_TDP_CLIENT_GLOBAL;
	p.input = NV2080_CTRL_PERF_RATED_TDP_ACTION_FORCE_EXCEED;
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, p), NV_OK);
	state_move(s, 3 * SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 1980);
	h100_state_shutdown(s, s->update_ns);
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_RATED_TDP_GET_CONTROL, p), NV_OK);
	assert_int_equal(p.input, NV2080_CTRL_PERF_RATED_TDP_ACTION_DEFAULT);

	p.input = 5;
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, p),
			 NV_ERR_INVALID_ARGUMENT);
	p = (NV2080_CTRL_PERF_RATED_TDP_CONTROL_PARAMS){ 0 };
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_RATED_TDP_SET_CONTROL, p),
			 NV_ERR_INVALID_ARGUMENT);
	p.client = NV2080_CTRL_PERF_RATED_TDP_CLIENT_NUM_CLIENTS;
	assert_int_equal(ASK(NV2080_CTRL_CMD_PERF_RATED_TDP_GET_CONTROL, p),
			 NV_ERR_INVALID_ARGUMENT);
	state_free(s);
}

/* Monitoring samples: in order round the ring, held values from when they were held. */
static void test_samples(void **unused)
{
	struct h100_state *s = state_make("at 2s utilization 61\nat 2s memory-utilization 30\n", 0);
	NV2080_CTRL_PERF_GET_GPUMON_PERFMON_UTIL_SAMPLES_V2_PARAMS *p = calloc(1, sizeof(*p));
	const u32 cmd = NV2080_CTRL_CMD_PERF_GET_GPUMON_PERFMON_UTIL_SAMPLES_V2;

	assert_non_null(p);
	p->type = NV2080_CTRL_GPUMON_SAMPLE_TYPE_PERFMON_UTIL;
	p->bufSize = sizeof(p->samples);
	assert_int_equal(ask(s, cmd, p, sizeof(*p)), NV_OK);
	assert_int_equal(p->count, 0);
	h100_state_account_busy(s, H100_ENGINE_DECODER, START_NS + SECOND_NS, SECOND_NS / 10);
	state_move(s, 4 * SECOND_NS);
	assert_int_equal(ask(s, cmd, p, sizeof(*p)), NV_OK);
	assert_int_equal(p->count, 20);
	assert_int_equal(p->tracker, 20);
	assert_int_equal(p->samples[0].base.timeStamp, START_NS + SECOND_NS / 5);
	assert_int_equal(p->samples[4].nvdec.util, 5000);
	assert_int_equal(p->samples[9].gr.util, 0);
	assert_int_equal(p->samples[10].gr.util, 6100);
	assert_int_equal(p->samples[19].fb.util, 3000);
	assert_int_equal(p->samples[19].gr.procId, 0xffffffff);
	/* Over the end: the oldest is at the tracker. */
	state_move(s, 16 * SECOND_NS);
	assert_int_equal(ask(s, cmd, p, sizeof(*p)), NV_OK);
	assert_int_equal(p->count, 72);
	assert_int_equal(p->tracker, 8);
	for (u32 i = 1; i < 72; i++)
		assert_int_equal(p->samples[(8 + i) % 72].base.timeStamp -
					 p->samples[(7 + i) % 72].base.timeStamp,
				 SECOND_NS / 5);
	/* Nobody looked for an hour, and all of the ring is new. */
	state_move(s, 3600 * SECOND_NS);
	assert_int_equal(ask(s, cmd, p, sizeof(*p)), NV_OK);
	assert_int_equal(p->samples[(p->tracker + 71) % 72].base.timeStamp,
			 START_NS + 3600 * SECOND_NS);
	h100_state_boot(s, "535", s->update_ns);
	assert_int_equal(ask(s, cmd, p, sizeof(*p)), NV_OK);
	assert_int_equal(p->count, 0);
	p->bufSize--;
	assert_int_equal(ask(s, cmd, p, sizeof(*p)), NV_ERR_INVALID_ARGUMENT);
	p->bufSize++;
	p->type = NV2080_CTRL_GPUMON_SAMPLE_TYPE_PWR_MONITOR_STATUS;
	assert_int_equal(ask(s, cmd, p, sizeof(*p)), NV_ERR_INVALID_ARGUMENT);
	free(p);
	state_free(s);
}

static void test_links(void **unused)
{
	struct h100_state *s = state_make("pcie-replay 9\npcie-link 4 8\nnvlink-down 5\n", 0);
	NV2080_CTRL_BUS_GET_PEX_COUNTERS_PARAMS pex = {
		.pexCounterMask = NV2080_CTRL_BUS_PEX_COUNTER_REPLAY_COUNT
	};
	NV2080_CTRL_BUS_GET_PEX_UTIL_COUNTERS_PARAMS traffic = {
		.pexCounterMask = NV2080_CTRL_BUS_PEX_UTIL_COUNTER_RX_BYTES
	};
	NV2080_CTRL_BUS_GET_INFO_V2_PARAMS bus = { .busInfoListSize = 1 };
	NV2080_CTRL_NVLINK_GET_LINK_AND_CLOCK_INFO_PARAMS links = { .linkMask = 0x3ffff };
	NV2080_CTRL_NVLINK_GET_COUNTERS_PARAMS counters = { .linkMask = 1ull << 18 };

	state_move(s, SECOND_NS);
	assert_int_equal(ASK(NV2080_CTRL_CMD_BUS_GET_PEX_COUNTERS, pex), NV_OK);
	assert_int_equal(pex.pexCounters[1], 9);
	assert_int_equal(pex.pexCounters[0], 0);
	h100_state_account_pcie(s, START_NS + SECOND_NS, 10, 4096);
	assert_int_equal(ASK(NV2080_CTRL_CMD_BUS_GET_PEX_UTIL_COUNTERS, traffic), NV_OK);
	assert_int_equal(traffic.pexCounters[1], 4096);
	assert_int_equal(traffic.pexCounters[0], 0);
	traffic.pexCounterMask = 0x40;
	assert_int_equal(ASK(NV2080_CTRL_CMD_BUS_GET_PEX_UTIL_COUNTERS, traffic),
			 NV_ERR_NOT_SUPPORTED);
	bus.busInfoList[0].index = NV2080_CTRL_BUS_INFO_INDEX_PCIE_GEN_INFO;
	assert_int_equal(ASK(NV2080_CTRL_CMD_BUS_GET_INFO_V2, bus), NV_OK);
	assert_int_equal(bus.busInfoList[0].data, 4u << 12 | 3u << 16 | 4u << 20);
	bus.busInfoListSize = 53;
	assert_int_equal(ASK(NV2080_CTRL_CMD_BUS_GET_INFO_V2, bus), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_GET_LINK_AND_CLOCK_INFO, links), NV_OK);
	assert_int_equal(links.linkInfo[4].linkState, NV2080_CTRL_NVLINK_STATUS_LINK_STATE_ACTIVE);
	assert_int_equal(links.linkInfo[5].linkState, NV2080_CTRL_NVLINK_STATUS_LINK_STATE_INIT);
	assert_int_equal(links.linkInfo[5].nvlinkLineRateMbps, 0);
	assert_int_equal(links.linkInfo[17].nvlinkLineRateMbps, 106248);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_GET_COUNTERS, counters),
			 NV_ERR_INVALID_ARGUMENT);
	state_free(s);
}

static void test_topology(void **unused)
{
	struct h100_state *s = state_make("nvlink-down 5\n", 1);
	NV2080_CTRL_NVLINK_GET_NVLINK_DEVICE_INFO_PARAMS info;
	NV2080_CTRL_NVLINK_ARE_LINKS_TRAINED_PARAMS trained = { .linkMask = 0x60 };
	NV2080_CTRL_NVLINK_GET_LINK_MASK_POST_RX_DET_PARAMS detected;
	NV2080_CTRL_NVLINK_UPDATE_REMOTE_LOCAL_SID_PARAMS ends = { .linkId = 17 };
	NV2080_CTRL_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR_PARAMS address = { .bGet = 1 };
	NV2080_CTRL_INTERNAL_GET_PCIE_P2P_CAPS_PARAMS pcie = { .bCommonPciSwitchFound = 1 };
	NV2080_CTRL_NVLINK_READ_TP_COUNTERS_PARAMS throughput = { .counterMask = 3, .linkMask = 1 };

	state_move(s, SECOND_NS);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_GET_NVLINK_DEVICE_INFO, info), NV_OK);
	assert_int_equal(info.discoveredLinks, 0x3ffff);
	assert_int_equal(info.ioctrlMask, 7);
	assert_int_equal(info.linkInfo[17].ioctrlId, 2);
	assert_true(info.linkInfo[17].bValid && !info.linkInfo[18].bValid);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_ARE_LINKS_TRAINED, trained), NV_OK);
	assert_true(!trained.bIsLinkActive[5] && trained.bIsLinkActive[6] &&
		    !trained.bIsLinkActive[7]);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_GET_LINK_MASK_POST_RX_DET, detected), NV_OK);
	assert_int_equal(detected.postRxDetLinkMask, 0x3ffff);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_UPDATE_REMOTE_LOCAL_SID, ends), NV_OK);
	assert_int_equal(ends.remoteLocalSidInfo.remoteDeviceType,
			 NV2080_CTRL_NVLINK_DEVICE_INFO_DEVICE_TYPE_SWITCH);
	assert_true(ends.remoteLocalSidInfo.localSid == h100_state_sid(s, s->index));
	assert_true(ends.remoteLocalSidInfo.remoteSid != 0);
	ends.linkId = 18;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_UPDATE_REMOTE_LOCAL_SID, ends),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR, address),
			 NV_OK);
	assert_true(address.addr != ~0ull && address.addr % s->profile.memory_bytes != 0);
	address.bGet = 0;
	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_NVLINK_GET_SET_NVSWITCH_FABRIC_ADDR, address),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_GET_PCIE_P2P_CAPS, pcie), NV_OK);
	assert_int_equal(pcie.p2pReadCapsStatus, NV0000_P2P_CAPS_STATUS_CHIPSET_NOT_SUPPORTED);
	s->nvlink[0].tx_bytes = 3200;
	s->nvlink[0].rx_bytes = 160;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_READ_TP_COUNTERS, throughput), NV_OK);
	assert_int_equal(throughput.counters[0].value[0], 200);
	assert_int_equal(throughput.counters[0].value[1], 10);
	assert_int_equal(throughput.counters[0].value[2], 0);
	throughput.linkMask = 1 << 5;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_READ_TP_COUNTERS, throughput),
			 NV_ERR_INVALID_ARGUMENT);
	s->profile.nvlink_count = 0;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_GET_NVLINK_DEVICE_INFO, info),
			 NV_ERR_NOT_SUPPORTED);
	state_free(s);
}

/* Which links a peer id leads to; it takes both, them and that it is enabled. */
static void check_peers(struct h100_state *s, u32 links, bool switched)
{
	NV2080_CTRL_NVLINK_ENABLE_NVLINK_PEER_PARAMS on = { .peerMask = 1 << 2, .bEnable = 1 };
	NV2080_CTRL_NVLINK_PRE_SETUP_NVLINK_PEER_PARAMS pre = { .peerId = 2,
								.peerLinkMask = links,
								.bNvswitchConn = switched };
	NV2080_CTRL_NVLINK_POST_SETUP_NVLINK_PEER_PARAMS post = { .peerMask = 1 << 2 };
	NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_PARAMS off = {
		.mapTypeMask = NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_TYPE_SYSMEM,
		.peerMask = 1 << 2,
	};
	const u32 aperture = h100_aperture_peer(2);

	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_POST_SETUP_NVLINK_PEER, post),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER, on), NV_OK);
	assert_false(h100_peer_usable(memory, aperture));
	pre.bNvswitchConn = !switched;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, pre),
			 NV_ERR_INVALID_ARGUMENT);
	pre.bNvswitchConn = switched;
	pre.peerLinkMask = links | 1u << 18; /* no such link */
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, pre),
			 NV_ERR_INVALID_ARGUMENT);
	pre.peerLinkMask = 0;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, pre),
			 NV_ERR_INVALID_ARGUMENT);
	pre.peerLinkMask = links;
	pre.peerId = 8;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, pre),
			 NV_ERR_INVALID_ARGUMENT);
	pre.peerId = 2;
	pre.bEgmPeer = 1;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, pre),
			 NV_ERR_NOT_SUPPORTED);
	pre.bEgmPeer = 0;
	assert_false(h100_peer_usable(memory, aperture));
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, pre), NV_OK);
	assert_true(h100_peer_usable(memory, aperture));
	assert_false(h100_peer_usable(memory, h100_aperture_peer(3)));
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_POST_SETUP_NVLINK_PEER, post), NV_OK);
	post.peerMask = 1 << 8;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_POST_SETUP_NVLINK_PEER, post),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_REMOVE_NVLINK_MAPPING, off), NV_OK);
	assert_true(h100_peer_usable(memory, aperture));
	on.bEnable = 0;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER, on), NV_OK);
	assert_false(h100_peer_usable(memory, aperture));
	on.bEnable = 1;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER, on), NV_OK);
	assert_true(h100_peer_usable(memory, aperture));
	off.mapTypeMask = NV2080_CTRL_NVLINK_REMOVE_NVLINK_MAPPING_TYPE_PEER;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_REMOVE_NVLINK_MAPPING, off), NV_OK);
	assert_false(h100_peer_usable(memory, aperture));
	off.peerMask = on.peerMask = ~0u;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_REMOVE_NVLINK_MAPPING, off),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER, on),
			 NV_ERR_INVALID_ARGUMENT);
}

static void test_peers(void **unused)
{
	struct h100_state *module = state_make(NULL, 1), *card = state_make_like("h100-pcie-80gb");
	NV2080_CTRL_NVLINK_ENABLE_NVLINK_PEER_PARAMS on = { .peerMask = 1, .bEnable = 1 };
	NV2080_CTRL_NVLINK_GET_COUNTERS_PARAMS counters = {
		.linkMask = 1 << 17,
		.counterMask = NV2080_CTRL_NVLINK_COUNTER_TL_TX0 | NV2080_CTRL_NVLINK_COUNTER_TL_RX0
	};
	const u32 tx = NV2080_CTRL_NVLINK_COUNTER_TL_TX0, rx = NV2080_CTRL_NVLINK_COUNTER_TL_RX0;
	struct h100_memory own = { .video = NULL };
	struct h100_fabric *fabric;
	struct h100_state *s = module;

	/* A process for each GPU: no way to the others. */
	memory = &own;
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_ENABLE_NVLINK_PEER, on), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(h100_fabric_create(&fabric), NV_OK);
	assert_int_equal(h100_fabric_plug(fabric, 1, &own), NV_OK);
	check_peers(module, 0x3ffff, true);
	check_peers(module, 0x10, true);
	/* Cards without a bridge have no links to name; two with one have each other. */
	s = card;
	{
		NV2080_CTRL_NVLINK_PRE_SETUP_NVLINK_PEER_PARAMS pre = { .peerLinkMask = 1 };

		assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_PRE_SETUP_NVLINK_PEER, pre),
				 NV_ERR_INVALID_ARGUMENT);
	}
	for (u32 i = 0; i < card->profile.nvlink_count; i++)
		card->nvlink[i].cabled = true;
	check_peers(card, 0xfff, false);
	h100_fabric_unplug(&own);
	h100_fabric_destroy(fabric);
	memory = NULL;

	/* Bytes are spread over the links, none is lost. */
	s = module;
	h100_state_account_nvlink(s, 18 * 100 + 5, 7);
	assert_int_equal(ASK(NV2080_CTRL_CMD_NVLINK_GET_COUNTERS, counters), NV_OK);
	assert_in_range(counters.counters[17].value[__builtin_ctz(tx)], 100, 101);
	assert_in_range(counters.counters[17].value[__builtin_ctz(rx)], 0, 1);
	{
		u64 sent = 0, received = 0;

		for (u32 i = 0; i < H100_NVLINK_MAX; i++) {
			sent += s->nvlink[i].tx_bytes;
			received += s->nvlink[i].rx_bytes;
		}
		assert_int_equal(sent, 18 * 100 + 5);
		assert_int_equal(received, 7);
	}
	/* Ready for peers: on the bus, and no link is down. */
	assert_true(h100_state_nvlink_ready(s));
	h100_state_set_link(s, 3, false);
	h100_state_set_link(s, 3, false);
	assert_false(h100_state_nvlink_ready(s));
	h100_state_set_link(s, 3, true);
	assert_true(h100_state_nvlink_ready(s));
	h100_state_set_present(s, false);
	assert_false(h100_state_nvlink_ready(s));
	h100_state_set_present(s, true);
	assert_true(h100_state_nvlink_ready(s));
	state_free(module);
	state_free(card);
}

/* Runlists, vectors and channels of all engines fit together, whatever command tells of them. */
static void test_engines(void **unused)
{
	struct h100_state *s = state_make(NULL, 1);
	NV2080_CTRL_FIFO_GET_DEVICE_INFO_TABLE_PARAMS devices = { 0 };
	NV2080_CTRL_INTERNAL_INTR_GET_KERNEL_TABLE_PARAMS vectors;
	NV2080_CTRL_INTERNAL_FIFO_GET_NUM_CHANNELS_PARAMS channels;
	NV2080_CTRL_CE_GET_ALL_CAPS_PARAMS caps;
	u64 seen = 0;

	assert_int_equal(ASK(NV2080_CTRL_CMD_FIFO_GET_DEVICE_INFO_TABLE, devices), NV_OK);
	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_INTR_GET_KERNEL_TABLE, vectors), NV_OK);
	assert_int_equal(vectors.tableLen, devices.numEntries + 1);
	assert_false(devices.bMore);
	for (u32 i = 0; i < devices.numEntries; i++) {
		const NvU32 *data = devices.entries[i].engineData;
		u32 vector = vectors.table[i + 1].vectorNonStall;

		assert_int_equal(vectors.table[i + 1].engineIdx, data[ENGINE_INFO_TYPE_MC]);
		assert_in_range(vector, LH_INTR_VECTOR_NONSTALL, LH_INTR_VECTOR_NONSTALL + 63);
		assert_false(seen & 1ull << (vector - LH_INTR_VECTOR_NONSTALL));
		seen |= 1ull << (vector - LH_INTR_VECTOR_NONSTALL);
		channels.runlistId = data[ENGINE_INFO_TYPE_RUNLIST];
		assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_FIFO_GET_NUM_CHANNELS, channels),
				 NV_OK);
		assert_int_equal(channels.numChannels, 2048);
	}
	channels.runlistId = 500;
	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_FIFO_GET_NUM_CHANNELS, channels),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(NV2080_CTRL_CMD_CE_GET_ALL_PHYSICAL_CAPS, caps), NV_OK);
	assert_int_equal(caps.present, 0x3ff);
	assert_int_equal(caps.capsTbl[1][0] & 1, 1);
	assert_int_equal(caps.capsTbl[2][0] & 1, 0);
	devices.baseIndex = 0x1000;
	assert_int_equal(ASK(NV2080_CTRL_CMD_FIFO_GET_DEVICE_INFO_TABLE, devices),
			 NV_ERR_INVALID_ARGUMENT);
	state_free(s);
}

static void test_mig(void **unused)
{
	struct h100_state *s = state_make(NULL, 0);
	NV2080_CTRL_INTERNAL_STATIC_MIGMGR_GET_PROFILES_PARAMS profiles;
	NV2080_CTRL_INTERNAL_GPU_GET_SMC_MODE_PARAMS mode;

	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_STATIC_KMIGMGR_GET_PROFILES, profiles),
			 NV_OK);
	assert_int_equal(profiles.count, 7);
	assert_int_equal(profiles.table[6].partitionFlag, 0);
	assert_int_equal(profiles.table[6].smCount, 132);
	assert_int_equal(profiles.table[0].partitionFlag, 3 | 5 << 2);
	assert_int_equal(profiles.table[1].partitionFlag, 3 | 5 << 2 | 1 << 30);
	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_GPU_GET_SMC_MODE, mode), NV_OK);
	assert_int_equal(mode.smcMode, NV2080_CTRL_GPU_INFO_GPU_SMC_MODE_DISABLED);
	s->profile.mig_count = 0;
	assert_int_equal(ASK(NV2080_CTRL_CMD_INTERNAL_GPU_GET_SMC_MODE, mode), NV_OK);
	assert_int_equal(mode.smcMode, NV2080_CTRL_GPU_INFO_GPU_SMC_MODE_UNSUPPORTED);
	state_free(s);
}

static void test_setters(void **unused)
{
	struct h100_state *s = state_make("utilization 100\n", 0);
	closed_power_limit_request power = { .client = 0xfe01, .limit = 600000 };
	closed_application_clocks_reset reset = { { 0 } };
	closed_clock_limits *lock = calloc(1, sizeof(*lock));
	NV2080_CTRL_GPU_SET_COMPUTE_MODE_RULES_PARAMS mode = { .rules = 3 };

	assert_non_null(lock);
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_SET_COMPUTE_MODE_RULES, mode), NV_OK);
	assert_int_equal(s->compute_mode, H100_COMPUTE_EXCLUSIVE_PROCESS);
	mode.rules = 4;
	assert_int_equal(ASK(NV2080_CTRL_CMD_GPU_SET_COMPUTE_MODE_RULES, mode),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(0x2080e61e, power), NV_OK);
	assert_int_equal(s->power_limit_mw, 600000);
	power.limit = 900000;
	assert_int_equal(ASK(0x2080e61e, power), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(s->power_limit_mw, 600000);

	lock->count = 2;
	lock->limits[0] = (closed_clock_limit){ CLOSED_CLOCK_LIMIT_GRAPHICS_MIN,
						CLOSED_CLOCK_LIMIT_FREQUENCY,
						0,
						1000000,
						CLOSED_CLOCK_DOMAIN_GRAPHICS,
						{ 0 } };
	lock->limits[1] = (closed_clock_limit){ CLOSED_CLOCK_LIMIT_GRAPHICS_MAX,
						CLOSED_CLOCK_LIMIT_FREQUENCY,
						0,
						1200000,
						CLOSED_CLOCK_DOMAIN_GRAPHICS,
						{ 0 } };
	assert_int_equal(ask(s, 0x2080e0af, lock, sizeof(*lock)), NV_OK);
	state_move(s, SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 1200);
	lock->limits[1].frequency = 5000000;
	assert_int_equal(ask(s, 0x2080e0af, lock, sizeof(*lock)), NV_ERR_INVALID_ARGUMENT);
	lock->limits[1].limit = 0x77;
	assert_int_equal(ask(s, 0x2080e0af, lock, sizeof(*lock)), NV_ERR_NOT_SUPPORTED);
	lock->limits[1].limit = CLOSED_CLOCK_LIMIT_GRAPHICS_MAX;
	lock->limits[0].kind = lock->limits[1].kind = CLOSED_CLOCK_LIMIT_NONE;
	assert_int_equal(ask(s, 0x2080e0af, lock, sizeof(*lock)), NV_OK);
	state_move(s, 2 * SECOND_NS);
	assert_int_equal(s->clock_mhz[H100_CLOCK_SM], 1980);
	lock->count = 257;
	assert_int_equal(ask(s, 0x2080e0af, lock, sizeof(*lock)), NV_ERR_INVALID_ARGUMENT);

	assert_int_equal(h100_state_set_application_clocks(s, 1593, 1200), NV_OK);
	assert_int_equal(ASK(0x2080e019, reset), NV_OK);
	assert_int_equal(s->application_graphics_mhz, 1980);
	free(lock);
	state_free(s);
}

static void test_sensors(void **unused)
{
	struct h100_state *s = state_make("temperature 77\npower 432.1\nutilization 61\n"
					  "memory-utilization 62\ndecoder-utilization 63\n",
					  0);
	static closed_thermal_execute execute = { .version = 1, .instructionSize = 44, .count = 2 };
	static closed_thermal_channel_status margin = { .channelMask = 1 };
	closed_thermal_limit limit = { .limit = CLOSED_THERMAL_LIMIT_SHUTDOWN, .relative = 1 };
	static closed_power_average *average;
	closed_power_limit power = { .policy = CLOSED_POWER_POLICY_GPU };
	closed_utilizations use = { .count = 2 };
	closed_media_utilization media = { .engine = CLOSED_MEDIA_DECODER };
	closed_clock_sources sources = { .count = 1 };
	closed_clock_readings readings = { .count = 1 };
	static closed_perf_policy_status why = { .policyMask = 1 };
	closed_application_clocks application = { .count = 1 };

	state_move(s, SECOND_NS);
	execute.instructions[0].opcode = CLOSED_THERMAL_OP_READING;
	execute.instructions[1].opcode = 0x9999;
	assert_int_equal(ASK(0x20808513, execute), NV_OK);
	assert_int_equal(execute.instructions[0].operands[1], 77);
	assert_int_equal(execute.instructions[1].result, NV_ERR_NOT_SUPPORTED);
	assert_int_equal(execute.executedCount, 1);
	execute.count = 33;
	assert_int_equal(ASK(0x20808513, execute), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(0x2080852b, margin), NV_OK);
	assert_int_equal(margin.marginTemperature, (87 - 77) * 256);
	assert_int_equal(ASK(0x20808546, limit), NV_OK);
	assert_int_equal(limit.temperature, 8 * 256);
	limit.relative = 0;
	assert_int_equal(ASK(0x20808546, limit), NV_OK);
	assert_int_equal(limit.temperature, 95 * 256);
	limit.limit = 3;
	assert_int_equal(ASK(0x20808546, limit), NV_ERR_NOT_SUPPORTED);

	average = calloc(1, sizeof(*average));
	assert_non_null(average);
	assert_int_equal(ask(s, 0x2080a637, average, sizeof(*average)), NV_OK);
	assert_int_equal(average->power, 432100);
	free(average);
	assert_int_equal(h100_state_set_power_limit(s, 650000), NV_OK);
	assert_int_equal(ASK(0x2080a61f, power), NV_OK);
	assert_int_equal(power.limit, 650000);
	power.policy = CLOSED_POWER_POLICY_MODULE;
	assert_int_equal(ASK(0x2080a61f, power), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(power.limit, 0);

	use.engines[0].engine = CLOSED_UTILIZATION_GPU;
	use.engines[1].engine = CLOSED_UTILIZATION_MEMORY;
	assert_int_equal(ASK(0x2080a097, use), NV_OK);
	assert_int_equal(use.engines[0].percent, 61);
	assert_int_equal(use.engines[1].percent, 62);
	use.count = 73;
	assert_int_equal(ASK(0x2080a097, use), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(0x2080a087, media), NV_OK);
	assert_int_equal(media.percent, 63);

	sources.sources[0].domain = CLOSED_CLOCK_DOMAIN_MEMORY;
	assert_int_equal(ASK(0x20809064, sources), NV_OK);
	readings.readings[0].source = sources.sources[0].source;
	assert_int_equal(ASK(0x20809004, readings), NV_OK);
	assert_int_equal(readings.readings[0].frequency, 2619000);
	sources.sources[0].domain = 0x10;
	assert_int_equal(ASK(0x20809064, sources), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(ASK(0x2080a081, why), NV_OK);
	assert_int_equal(why.limitedBy, 0);
	assert_int_equal(h100_state_set_application_clocks(s, 2619, 1200), NV_OK);
	application.clocks[0].domain = CLOSED_CLOCK_DOMAIN_GRAPHICS;
	assert_int_equal(ASK(0x2080a026, application), NV_OK);
	assert_int_equal(application.clocks[0].frequency, 1200000);
	application.which = CLOSED_APPLICATION_CLOCKS_DEFAULT;
	assert_int_equal(ASK(0x2080a026, application), NV_OK);
	assert_int_equal(application.clocks[0].frequency, 1980000);
	state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_buffer),   cmocka_unit_test(test_table),
		cmocka_unit_test(test_written),	       cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_identity),       cmocka_unit_test(test_memory),
		cmocka_unit_test(test_make_of_memory), cmocka_unit_test(test_power_source),
		cmocka_unit_test(test_rated_power),    cmocka_unit_test(test_samples),
		cmocka_unit_test(test_links),	       cmocka_unit_test(test_topology),
		cmocka_unit_test(test_peers),	       cmocka_unit_test(test_mig),
		cmocka_unit_test(test_sensors),	       cmocka_unit_test(test_setters),
		cmocka_unit_test(test_engines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
