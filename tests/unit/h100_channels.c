// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Work submission from the driver's side: what the firmware makes of allocations and commands of
 * address spaces, groups, channels and engine objects; doorbells and TLB invalidation by register;
 * what is told of an error.
 */
#include "h100_driver.h"

#include <pthread.h>

#include "base/bits.h"
#include "engine_rig.h"
#include "h100/engine/engines.h"
#include "h100/gsp/gpu.h"
#include "os/crypto.h"
#include "unit.h"

#define CLIENT 0xc1d00001u
#define DEVICE 0xa55a0000u
#define SUBDEVICE 0xa55a0010u
#define SPACE 0xa55a0020u
#define GROUP 0xa55a0030u
#define SHARE 0xa55a0040u
#define CHANNEL 0xa55a0050u
#define OBJECT 0xa55a0060u
#define LONE_CHANNEL 0xa55a0070u
#define COPY_RUNLIST 1u /* of COPY2 */

/* Video memory, shown at VA; tables are the rig's, at its end. */
#define VA 0x100000000ull
#define GPFIFO 0x0u
#define PUSHBUFFER 0x1000u
#define DATA 0x4000u
#define MAPPED 0x8000u
#define INSTANCE 0x10000u
#define USERD 0x12000u
#define ENTRIES 64u

struct test {
	struct driver d;
	struct rig rig;
	u32 put, pb;
	struct {
		u32 code, chid, engine, scope;
		char text[256];
	} error;
};

static u64 rd(struct test *t, u64 address, u32 width)
{
	return h100_bar_read(t->d.gpu, 2, address, width);
}

static void wr32(struct test *t, u64 address, u32 value)
{
	h100_bar_write(t->d.gpu, 2, address, 4, value);
}

/* The rig's page tables into the GPU's memory. */
static void copy_tables(struct test *t)
{
	u64 at;

	for (at = RIG_VIDEO_BYTES / 2; at < RIG_VIDEO_BYTES; at += 8)
		if (*(u64 *)(t->rig.video + at) != 0)
			h100_bar_write(t->d.gpu, 2, at, 8, *(u64 *)(t->rig.video + at));
}

static u32 alloc(struct test *t, u32 parent, u32 object, u32 class_id, const void *params, u32 size)
{
	return driver_alloc_object(&t->d, CLIENT, parent, object, class_id, params, size);
}

static u32 control(struct test *t, u32 object, u32 cmd, void *params, u32 size)
{
	return driver_control(&t->d, CLIENT, object, cmd, params, size);
}

static int open_gpu(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct h100_config config = { .count = 1 };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	u32 subdevice = 0;

	assert_non_null(t);
	*state = t;
	driver_open(&t->d, &config);
	driver_interrupts(&t->d);
	assert_int_equal(driver_boot(&t->d), NV_OK);
	rig_init(&t->rig, true);
	rig_map_video(&t->rig, VA, 0, MAPPED);
	h100_memory_leave(&t->rig.memory);
	copy_tables(t);
	assert_int_equal(driver_alloc_object(&t->d, CLIENT, 0, 0, NV01_ROOT, NULL, 0), NV_OK);
	assert_int_equal(alloc(t, CLIENT, DEVICE, NV01_DEVICE_0, &device, sizeof(device)), NV_OK);
	assert_int_equal(alloc(t, DEVICE, SUBDEVICE, NV20_SUBDEVICE_0, &subdevice, 4), NV_OK);
	assert_int_equal(alloc(t, DEVICE, SPACE, FERMI_VASPACE_A, &space, sizeof(space)), NV_OK);
	return 0;
}

static int close_gpu(void **state)
{
	struct test *t = *state;

	h100_memory_enter(&t->rig.memory);
	rig_destroy(&t->rig);
	driver_close(&t->d);
	free(t);
	return 0;
}

static u32 set_directory(struct test *t, u64 address)
{
	NV90F1_CTRL_VASPACE_COPY_SERVER_RESERVED_PDES_PARAMS pdes = { .numLevelsToCopy = 1 };

	pdes.levels[0].physAddress = address;
	pdes.levels[0].aperture = NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY;
	return control(t, SPACE, NV90F1_CTRL_CMD_VASPACE_COPY_SERVER_RESERVED_PDES, &pdes,
		       sizeof(pdes));
}

static NV_CHANNEL_ALLOC_PARAMS channel_params(u32 chid)
{
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = VA + GPFIFO,
		.gpFifoEntries = ENTRIES,
		.flags = (u32)(REG_PREP(NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_FIXED, 1) |
			       REG_PREP(NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_VALUE, chid / 8) |
			       REG_PREP(NVOS04_FLAGS_CHANNEL_USERD_INDEX_VALUE, chid % 8)),
		.instanceMem = { .base = INSTANCE, .size = 4096, .addressSpace = ADDR_FBMEM },
		.userdMem = { .base = USERD, .size = 512, .addressSpace = ADDR_FBMEM },
	};

	return p;
}

static u32 make_group(struct test *t, u32 handle, u32 engine)
{
	NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS p = { .engineType = engine };

	return alloc(t, DEVICE, handle, KEPLER_CHANNEL_GROUP_A, &p, sizeof(p));
}

static u32 make_share(struct test *t, u32 group, u32 handle, u32 space, u32 id)
{
	NV_CTXSHARE_ALLOCATION_PARAMETERS p = { .hVASpace = space, .subctxId = id };

	return alloc(t, group, handle, FERMI_CONTEXT_SHARE_A, &p, sizeof(p));
}

/* A channel in a group on the runlist of COPY2, in the space by a context share. */
static void make_channel(struct test *t, u32 chid)
{
	NV_CHANNEL_ALLOC_PARAMS p = channel_params(chid);
	NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };

	assert_int_equal(set_directory(t, t->rig.pdb.address), NV_OK);
	assert_int_equal(make_group(t, GROUP, NV2080_ENGINE_TYPE_COPY2), NV_OK);
	assert_int_equal(make_share(t, GROUP, SHARE, SPACE, 3), NV_OK);
	p.hContextShare = SHARE;
	assert_int_equal(alloc(t, GROUP, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)), NV_OK);
	assert_int_equal(control(t, GROUP, NVA06C_CTRL_CMD_INTERNAL_GPFIFO_SCHEDULE, &schedule,
				 sizeof(schedule)),
			 NV_OK);
}

static void word(struct test *t, u32 value)
{
	wr32(t, PUSHBUFFER + t->pb, value);
	t->pb += 4;
}

static void method(struct test *t, u32 subchannel, u32 number, u32 data)
{
	word(t, (u32)(REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_INC_METHOD) |
		      REG_PREP(NVC86F_DMA_METHOD_COUNT, 1) |
		      REG_PREP(NVC86F_DMA_METHOD_SUBCHANNEL, subchannel) |
		      REG_PREP(NVC86F_DMA_METHOD_ADDRESS, number / 4)));
	word(t, data);
}

static void submit(struct test *t, u32 chid)
{
	wr32(t, GPFIFO + t->put * 8, bits_low32(VA + PUSHBUFFER));
	wr32(t, GPFIFO + t->put * 8 + 4,
	     (u32)(bits_high32(VA + PUSHBUFFER) | REG_PREP(NVC86F_GP_ENTRY1_LENGTH, t->pb / 4)));
	t->pb = 0;
	t->put = (t->put + 1) % ENTRIES;
	wr32(t, USERD + offsetof(struct Nvc86fControl, GPPut), t->put);
	driver_wr(&t->d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL, COPY_RUNLIST << 16 | chid);
	while (h100_lend(t->d.gpu))
		;
}

static void release(struct test *t, u32 chid, u32 value)
{
	method(t, 0, NVC86F_SEM_ADDR_LO, bits_low32(VA + DATA));
	method(t, 0, NVC86F_SEM_ADDR_HI, bits_high32(VA + DATA));
	method(t, 0, NVC86F_SEM_PAYLOAD_LO, value);
	method(t, 0, NVC86F_SEM_EXECUTE, NVC86F_SEM_EXECUTE_OPERATION_RELEASE);
	submit(t, chid);
}

/* What the firmware told of an error: a line for the log, then the event. */
static void take_error(struct test *t)
{
	const rpc_os_error_log_v *line;
	const rpc_rc_triggered_v *event;
	rpc_message_header_v *message = driver_receive(&t->d, true);

	assert_non_null(message);
	assert_int_equal(message->function, NV_VGPU_MSG_EVENT_OS_ERROR_LOG);
	line = (const void *)(message + 1);
	t->error.code = line->exceptType;
	memcpy(t->error.text, line->errString, sizeof(t->error.text));
	assert_non_null(memchr(t->error.text, 0, sizeof(t->error.text)));
	assert_int_equal(line->runlistId, COPY_RUNLIST);
	message = driver_receive(&t->d, true);
	assert_non_null(message);
	assert_int_equal(message->function, NV_VGPU_MSG_EVENT_RC_TRIGGERED);
	assert_int_equal(message->length, sizeof(*message) + sizeof(*event));
	event = (const void *)(message + 1);
	assert_int_equal(event->exceptType, t->error.code);
	assert_int_equal(event->rcJournalBufferSize, 0);
	t->error.chid = event->chid;
	t->error.engine = event->nv2080EngineType;
	t->error.scope = event->scope;
	assert_null(driver_receive(&t->d, false));
}

/* -- Work -------------------------------------------------------------------------------------- */

static void test_work(void **state)
{
	struct test *t = *state;
	u32 i;

	make_channel(t, 9);
	/* The instance block: GPFIFO, USERD, the subcontext's page directory. */
	assert_int_equal(rd(t, INSTANCE + 4 * NV_RAMFC_GP_BASE_WORD, 4), bits_low32(VA));
	assert_int_equal(rd(t, INSTANCE + 4 * NV_RAMFC_USERD_WORD, 4) & ~0xffu, USERD);
	assert_int_equal(rd(t, INSTANCE + 4 * NV_RAMIN_SC_PAGE_DIR_BASE_WORD(3), 4) & 0xfffff000,
			 t->rig.pdb.address);
	assert_int_equal(rd(t, INSTANCE + 4 * NV_RAMIN_SC_PDB_VALID_WORD, 4), 1u << 3);
	for (i = 1; i <= 3 * ENTRIES; i++) {
		release(t, 9, i);
		assert_int_equal(rd(t, DATA, 4), i);
		assert_int_equal(rd(t, USERD + offsetof(struct Nvc86fControl, GPGet), 4), t->put);
	}
}

static void test_objects(void **state)
{
	NVB0B5_ALLOCATION_PARAMETERS p = { .engineType = NV2080_ENGINE_TYPE_COPY2 };
	NVC36F_CTRL_GET_CLASS_ENGINEID_PARAMS class = { .hObject = OBJECT };
	NV_GR_ALLOCATION_PARAMETERS gr = { 0 };
	struct test *t = *state;
	u32 i;

	make_channel(t, 9);
	assert_int_equal(alloc(t, CHANNEL, OBJECT, HOPPER_COMPUTE_A, &gr, sizeof(gr)),
			 NV_ERR_INVALID_CLASS);
	assert_int_equal(alloc(t, CHANNEL, OBJECT, HOPPER_DMA_COPY_A, &p, sizeof(p)), NV_OK);
	assert_int_equal(control(t, CHANNEL, NVC36F_CTRL_GET_CLASS_ENGINEID, &class, sizeof(class)),
			 NV_OK);
	assert_int_equal(class.classID, HOPPER_DMA_COPY_A);
	assert_int_equal(class.engineID, NV2080_ENGINE_TYPE_COPY2);
	for (i = 0; i < 256; i += 4)
		wr32(t, DATA + 0x1000 + i, i + 1);
	method(t, 4, NVC86F_SET_OBJECT, class.classEngineID);
	method(t, 4, NVC8B5_OFFSET_IN_UPPER, bits_high32(VA + DATA + 0x1000));
	method(t, 4, NVC8B5_OFFSET_IN_LOWER, bits_low32(VA + DATA + 0x1000));
	method(t, 4, NVC8B5_OFFSET_OUT_UPPER, bits_high32(VA + DATA + 0x2000));
	method(t, 4, NVC8B5_OFFSET_OUT_LOWER, bits_low32(VA + DATA + 0x2000));
	method(t, 4, NVC8B5_LINE_LENGTH_IN, 256);
	method(t, 4, NVC8B5_LINE_COUNT, 1);
	method(t, 4, NVC8B5_LAUNCH_DMA, 0x182);
	submit(t, 9);
	for (i = 0; i < 256; i += 4)
		assert_int_equal(rd(t, DATA + 0x2000 + i, 4), i + 1);
	class.hObject = SHARE;
	assert_int_equal(control(t, CHANNEL, NVC36F_CTRL_GET_CLASS_ENGINEID, &class, sizeof(class)),
			 NV_ERR_INVALID_OBJECT_HANDLE);
}

/* -- Secure channels --------------------------------------------------------------------------- */

#define CIPHER 0x2000u /* from DATA on */
#define TAG 0x2100u

static void decrypt_copy(struct test *t)
{
	method(t, 4, NVC86F_SET_OBJECT, HOPPER_DMA_COPY_A);
	method(t, 4, NVC8B5_SET_SECURE_COPY_MODE, NVC8B5_SET_SECURE_COPY_MODE_MODE_DECRYPT);
	method(t, 4, NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_UPPER, bits_high32(VA + DATA + TAG));
	method(t, 4, NVC8B5_SET_DECRYPT_AUTH_TAG_COMPARE_ADDR_LOWER, bits_low32(VA + DATA + TAG));
	method(t, 4, NVC8B5_OFFSET_IN_UPPER, bits_high32(VA + DATA + CIPHER));
	method(t, 4, NVC8B5_OFFSET_IN_LOWER, bits_low32(VA + DATA + CIPHER));
	method(t, 4, NVC8B5_OFFSET_OUT_UPPER, bits_high32(VA + DATA));
	method(t, 4, NVC8B5_OFFSET_OUT_LOWER, bits_low32(VA + DATA));
	method(t, 4, NVC8B5_LINE_LENGTH_IN, 32);
	method(t, 4, NVC8B5_LAUNCH_DMA,
	       (u32)(0x182 |
		     REG_PREP(NVC8B5_LAUNCH_DMA_COPY_TYPE, NVC8B5_LAUNCH_DMA_COPY_TYPE_SECURE)));
	submit(t, 9);
}

/* What the driver would write: 32 bytes by the key and that IV, which the mask is put on. */
static void cpu_encrypts(struct test *t, const u8 key[32], u32 message, u32 channel, u8 value)
{
	u8 text[32], tag[16], iv[12] = { (u8)message, 0, 0, 0, (u8)channel };
	struct os_gcm *gcm = os_gcm_create(32);
	u32 word;

	memset(text, value, sizeof(text));
	for (u32 i = 0; i < 12; i++)
		iv[i] ^= 0x3c;
	assert_int_equal(os_gcm_set_key(gcm, key), NV_OK);
	assert_int_equal(os_gcm_encrypt(gcm, iv, NULL, 0, text, 32, text, tag), NV_OK);
	os_gcm_destroy(gcm);
	for (u32 i = 0; i < 12; i++) {
		memcpy(&word, i < 8 ? text + 4 * i : tag + 4 * (i - 8), 4);
		wr32(t, DATA + (i < 8 ? CIPHER + 4 * i : TAG + 4 * (i - 8)), word);
	}
}

static void test_secure(void **state)
{
	NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV_PARAMS rotate = { .rotateIvType = ROTATE_IV_ENCRYPT };
	NVA06C_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NVB0B5_ALLOCATION_PARAMETERS copy = { 0 };
	NV_CHANNEL_ALLOC_PARAMS p = channel_params(9);
	u8 key[32] = { 5, 6, 7 }, other[32] = { 1 }, mask[12];
	rpc_unloading_guest_driver_v unload = { 0 };
	struct test *t = *state;
	struct h100_keys *keys = &t->d.gpu->keys;

	memset(mask, 0x3c, sizeof(mask));
	assert_int_equal(set_directory(t, t->rig.pdb.address), NV_OK);
	assert_int_equal(make_group(t, GROUP, NV2080_ENGINE_TYPE_COPY2), NV_OK);
	assert_int_equal(make_share(t, GROUP, SHARE, SPACE, 3), NV_OK);
	p.hContextShare = SHARE;
	p.flags |= (u32)REG_PREP(NVOS04_FLAGS_CC_SECURE, NVOS04_FLAGS_CC_SECURE_TRUE);
	p.internalFlags = (u32)REG_PREP(NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE,
					NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_ADMIN);
	p.encryptIv[1] = 0x11;
	p.decryptIv[1] = 0x22;
	/* There are no keys as yet. */
	assert_int_equal(alloc(t, GROUP, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(h100_keys_load(keys, H100_KEY_SPACE_LCE0, 0, key, mask), NV_OK);
	assert_int_equal(h100_keys_load(keys, H100_KEY_SPACE_LCE0, 1, other, mask), NV_OK);
	assert_int_equal(alloc(t, GROUP, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)), NV_OK);
	assert_int_equal(alloc(t, CHANNEL, OBJECT, HOPPER_DMA_COPY_A, &copy, sizeof(copy)), NV_OK);
	assert_int_equal(control(t, GROUP, NVA06C_CTRL_CMD_INTERNAL_GPFIFO_SCHEDULE, &schedule,
				 sizeof(schedule)),
			 NV_OK);
	cpu_encrypts(t, key, 1, 0x11, 0xa1);
	decrypt_copy(t);
	assert_int_equal(rd(t, DATA + 28, 4), 0xa1a1a1a1);
	/* Another channel counter, from 1 on; and not the one of before. */
	rotate.updatedKmb.encryptBundle.iv[1] = 0x12;
	assert_int_equal(
		control(t, CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, &rotate, sizeof(rotate)),
		NV_OK);
	cpu_encrypts(t, key, 1, 0x12, 0xa2);
	decrypt_copy(t);
	assert_int_equal(rd(t, DATA, 4), 0xa2a2a2a2);
	rotate.rotateIvType = ROTATE_IV_HMAC;
	assert_int_equal(
		control(t, CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, &rotate, sizeof(rotate)),
		NV_ERR_INVALID_ARGUMENT);
	rotate.rotateIvType = ROTATE_IV_ALL_VALID + 1;
	assert_int_equal(
		control(t, CHANNEL, NVC56F_CTRL_ROTATE_SECURE_CHANNEL_IV, &rotate, sizeof(rotate)),
		NV_ERR_INVALID_ARGUMENT);
	cpu_encrypts(t, key, 2, 0x11, 0xa3);
	decrypt_copy(t);
	assert_int_equal(rd(t, DATA, 4), 0xa2a2a2a2);
	take_error(t);
	assert_int_equal(t->error.code, ROBUST_CHANNEL_CE2_ERROR);
	assert_non_null(strstr(t->error.text, "report 9"));
	/* The driver goes: so do the keys. */
	assert_int_equal(driver_call(&t->d, NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER, &unload,
				     sizeof(unload)),
			 NV_OK);
	assert_false(h100_keys_get(keys, H100_KEY_SPACE_LCE0, 0, &(struct h100_key){ 0 }));
}

/* The driver's own way of a doorbell: a channel that is not scheduled does not hear it. */
static void test_schedule(void **state)
{
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { 0 };
	NVA06F_CTRL_BIND_PARAMS bind = { .engineType = NV2080_ENGINE_TYPE_COPY2 };
	NVA06F_CTRL_STOP_CHANNEL_PARAMS stop = { 1 };
	NVA06C_CTRL_TIMESLICE_PARAMS slice = { .timesliceUs = 100 };
	NVA06C_CTRL_INTERLEAVE_LEVEL_PARAMS level = { NVA06C_CTRL_INTERLEAVE_LEVEL_HIGH };
	NVA06C_CTRL_PREEMPT_PARAMS preempt = { .bWait = 1 };
	struct test *t = *state;

	make_channel(t, 9);
	assert_int_equal(control(t, CHANNEL, NVA06F_CTRL_CMD_BIND, &bind, sizeof(bind)), NV_OK);
	bind.engineType = NV2080_ENGINE_TYPE_GR0;
	assert_int_equal(control(t, CHANNEL, NVA06F_CTRL_CMD_BIND, &bind, sizeof(bind)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		control(t, CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
	release(t, 9, 1);
	assert_int_equal(rd(t, DATA, 4), 0);
	schedule.bEnable = 1;
	assert_int_equal(
		control(t, CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
	while (h100_lend(t->d.gpu))
		;
	assert_int_equal(rd(t, DATA, 4), 1);
	assert_int_equal(
		control(t, GROUP, NVA06C_CTRL_CMD_INTERNAL_SET_TIMESLICE, &slice, sizeof(slice)),
		NV_OK);
	slice.timesliceUs = 0;
	assert_int_equal(
		control(t, GROUP, NVA06C_CTRL_CMD_INTERNAL_SET_TIMESLICE, &slice, sizeof(slice)),
		NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		control(t, GROUP, NVA06C_CTRL_CMD_SET_INTERLEAVE_LEVEL, &level, sizeof(level)),
		NV_OK);
	level.tsgInterleaveLevel++;
	assert_int_equal(
		control(t, GROUP, NVA06C_CTRL_CMD_SET_INTERLEAVE_LEVEL, &level, sizeof(level)),
		NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(t, GROUP, NVA06C_CTRL_CMD_PREEMPT, &preempt, sizeof(preempt)),
			 NV_OK);
	preempt.bManualTimeout = 1;
	preempt.timeoutUs = ~0u;
	assert_int_equal(control(t, GROUP, NVA06C_CTRL_CMD_PREEMPT, &preempt, sizeof(preempt)),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(t, CHANNEL, NVA06F_CTRL_CMD_STOP_CHANNEL, &stop, sizeof(stop)),
			 NV_OK);
	release(t, 9, 2);
	assert_int_equal(rd(t, DATA, 4), 1);
	/* Nobody's channel, and no channel at all. */
	driver_wr(&t->d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL, 5);
	driver_wr(&t->d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL, ~0u);
	assert_int_equal(driver_rd(&t->d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL), 0);
}

static void test_interrupt(void **state)
{
	struct test *t = *state;
	struct h100_profile profile;
	struct h100_engines engines;
	u32 vector, leaf;

	memset(&profile, 0, sizeof(profile));
	profile.copy_engines = 10;
	h100_engines_init(&engines, &profile);
	vector = h100_engines_find(&engines, NV2080_ENGINE_TYPE_COPY2)->nonstall_vector;
	leaf = LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(vector / 32);
	make_channel(t, 9);
	assert_int_equal(driver_rd(&t->d, leaf) & BIT32(vector % 32), 0);
	method(t, 0, NVC86F_NON_STALL_INTERRUPT, 0);
	submit(t, 9);
	assert_int_not_equal(driver_rd(&t->d, leaf) & BIT32(vector % 32), 0);
}

/* -- Address spaces ---------------------------------------------------------------------------- */

static void invalidate(struct test *t, bool all)
{
	const u32 base = LH_VF_BASE;
	u64 page = t->rig.pdb.address >> 12;

	driver_wr(&t->d, base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_PDB, (u32)(page << 4));
	driver_wr(&t->d, base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_UPPER_PDB,
		  (u32)(page >> 28));
	driver_wr(&t->d, base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE,
		  (u32)(REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER, 1) |
			REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ALL_PDB, all) |
			REG_PREP(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_ALL_VA, 1)));
	assert_int_not_equal(
		REG_GET(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER,
			driver_rd(&t->d, base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE)),
		0);
	h100_lend(t->d.gpu);
	assert_int_equal(REG_GET(NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE_TRIGGER,
				 driver_rd(&t->d, base + NV_VIRTUAL_FUNCTION_PRIV_MMU_INVALIDATE)),
			 0);
}

static void test_invalidate(void **state)
{
	struct test *t = *state;
	u32 i;

	make_channel(t, 9);
	release(t, 9, 1);
	for (i = 0; i < 2; i++) {
		/* The page of DATA lies elsewhere from now on. */
		h100_memory_enter(&t->rig.memory);
		rig_map_video(&t->rig, VA + DATA, DATA + 0x1000 * (i + 1), 0x1000);
		h100_memory_leave(&t->rig.memory);
		copy_tables(t);
		invalidate(t, i != 0);
		release(t, 9, 5 + i);
		assert_int_equal(rd(t, DATA + 0x1000 * (i + 1), 4), 5 + i);
	}
	assert_int_equal(rd(t, DATA, 4), 1);
}

static void test_directories(void **state)
{
	NV0080_CTRL_DMA_SET_PAGE_DIRECTORY_PARAMS set = { .hVASpace = SPACE };
	NV0080_CTRL_DMA_UNSET_PAGE_DIRECTORY_PARAMS unset = { .hVASpace = SPACE };
	NV90F1_CTRL_VASPACE_COPY_SERVER_RESERVED_PDES_PARAMS pdes = { .numLevelsToCopy = 9 };
	struct test *t = *state;

	assert_int_equal(set_directory(t, 0x123), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(set_directory(t, DRIVER_VIDEO_BYTES), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(control(t, SPACE, NV90F1_CTRL_CMD_VASPACE_COPY_SERVER_RESERVED_PDES, &pdes,
				 sizeof(pdes)),
			 NV_ERR_INVALID_ARGUMENT);
	make_channel(t, 9);
	assert_int_equal(
		control(t, DEVICE, NV0080_CTRL_CMD_DMA_UNSET_PAGE_DIRECTORY, &unset, sizeof(unset)),
		NV_OK);
	release(t, 9, 1);
	take_error(t);
	assert_int_equal(t->error.code, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	set.physAddress = t->rig.pdb.address;
	assert_int_equal(
		control(t, DEVICE, NV0080_CTRL_CMD_DMA_SET_PAGE_DIRECTORY, &set, sizeof(set)),
		NV_OK);
	set.hVASpace = GROUP;
	assert_int_equal(
		control(t, DEVICE, NV0080_CTRL_CMD_DMA_SET_PAGE_DIRECTORY, &set, sizeof(set)),
		NV_ERR_INVALID_OBJECT_HANDLE);
}

/* -- Errors ------------------------------------------------------------------------------------ */

static void test_errors(void **state)
{
	NV906F_CTRL_GET_MMU_FAULT_INFO_PARAMS info;
	NV906F_CTRL_CMD_RESET_CHANNEL_PARAMS reset = { 0 };
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	struct test *t = *state;

	make_channel(t, 9);
	method(t, 0, NVC86F_ILLEGAL, 0xabcd);
	submit(t, 9);
	take_error(t);
	assert_int_equal(t->error.code, ROBUST_CHANNEL_PBDMA_ERROR);
	assert_int_equal(t->error.chid, 9);
	assert_int_equal(t->error.engine, NV2080_ENGINE_TYPE_COPY2);
	assert_int_equal(t->error.scope, RC_NOTIFIER_SCOPE_TSG);
	assert_non_null(strstr(t->error.text, "0000abcd"));
	release(t, 9, 1);
	assert_int_equal(rd(t, DATA, 4), 0);

	assert_int_equal(control(t, CHANNEL, NV906F_CTRL_CMD_RESET_CHANNEL, &reset, sizeof(reset)),
			 NV_OK);
	assert_int_equal(
		control(t, CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule)),
		NV_OK);
	release(t, 9, 2);
	assert_int_equal(rd(t, DATA, 4), 2);

	method(t, 0, NVC86F_SEM_ADDR_LO, 0x5000);
	method(t, 0, NVC86F_SEM_ADDR_HI, 7);
	method(t, 0, NVC86F_SEM_EXECUTE, NVC86F_SEM_EXECUTE_OPERATION_RELEASE);
	submit(t, 9);
	take_error(t);
	assert_int_equal(t->error.code, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_non_null(strstr(t->error.text, "0x7_00005"));
	assert_non_null(strstr(t->error.text, "ACCESS_TYPE_VIRT_WRITE"));
	assert_int_equal(
		control(t, CHANNEL, NV906F_CTRL_CMD_GET_MMU_FAULT_INFO, &info, sizeof(info)),
		NV_OK);
	assert_int_equal(info.addrHi, 7);
	assert_int_equal(info.addrLo & ~0xfffu, 0x5000);
}

/* -- Wrong allocations; frees ------------------------------------------------------------------ */

static void test_refused(void **state)
{
	NV_CHANNEL_ALLOC_PARAMS p, good;
	struct test *t = *state;

	make_channel(t, 9);
	assert_int_equal(make_group(t, GROUP + 1, 0x3d), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(make_share(t, GROUP, SHARE + 1, SPACE, 64), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(make_share(t, GROUP, SHARE + 1, GROUP, 1), NV_ERR_INVALID_OBJECT_HANDLE);
	good = channel_params(9);
	good.hContextShare = SHARE;
	/* Taken. */
	assert_int_equal(alloc(t, GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &good, sizeof(good)),
			 NV_ERR_IN_USE);
	good.flags = channel_params(10).flags;
	p = good;
	p.hContextShare = SPACE;
	assert_int_equal(alloc(t, GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	p = good;
	p.instanceMem.addressSpace = ADDR_VIRTUAL;
	assert_int_equal(alloc(t, GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	p = good;
	p.instanceMem.base = DRIVER_VIDEO_BYTES;
	assert_int_equal(alloc(t, GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)),
			 NV_ERR_INVALID_ADDRESS);
	p = good;
	p.userdMem.size = 8;
	assert_int_equal(alloc(t, GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	p = good;
	p.gpFifoEntries = 5;
	assert_int_equal(alloc(t, GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)),
			 NV_ERR_INVALID_ARGUMENT);
	/* A share of another group. */
	assert_int_equal(make_group(t, GROUP + 1, NV2080_ENGINE_TYPE_COPY2), NV_OK);
	assert_int_equal(
		alloc(t, GROUP + 1, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &good, sizeof(good)),
		NV_ERR_INVALID_OBJECT_HANDLE);
	/* Nothing of all that is left. */
	assert_int_equal(alloc(t, GROUP, CHANNEL + 1, HOPPER_CHANNEL_GPFIFO_A, &good, sizeof(good)),
			 NV_OK);
}

/* In any order: what others use lives until they go. */
static void test_frees(void **state)
{
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };
	NV_CHANNEL_ALLOC_PARAMS p = channel_params(20);
	struct test *t = *state;

	make_channel(t, 9);
	assert_int_equal(driver_free_object(&t->d, CLIENT, SPACE), NV_OK);
	assert_int_equal(driver_free_object(&t->d, CLIENT, SHARE), NV_OK);
	release(t, 9, 1);
	assert_int_equal(rd(t, DATA, 4), 1);
	/* Blocked as it goes. */
	method(t, 0, NVC86F_SEM_PAYLOAD_LO, 1234);
	method(t, 0, NVC86F_SEM_EXECUTE, NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE);
	submit(t, 9);
	assert_int_equal(driver_free_object(&t->d, CLIENT, GROUP), NV_OK);
	wr32(t, DATA, 1234);
	h100_lend(t->d.gpu);
	/* A channel that is in no group, in its device's own space, which has no directory. */
	p.engineType = NV2080_ENGINE_TYPE_COPY2;
	assert_int_equal(alloc(t, DEVICE, LONE_CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p)),
			 NV_OK);
	assert_int_equal(control(t, LONE_CHANNEL, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule,
				 sizeof(schedule)),
			 NV_OK);
	release(t, 20, 3);
	take_error(t);
	assert_int_equal(t->error.code, ROBUST_CHANNEL_FIFO_ERROR_MMU_ERR_FLT);
	assert_int_equal(t->error.chid, 20);
	assert_int_equal(driver_free_object(&t->d, CLIENT, CLIENT), NV_OK);
	assert_int_equal(rd(t, DATA, 4), 1234);
}

/* The driver leaves with channels that wait; the next one finds nothing of them. */
static void test_driver_leaves(void **state)
{
	rpc_unloading_guest_driver_v unload = { 0 };
	struct test *t = *state;

	make_channel(t, 9);
	method(t, 0, NVC86F_SEM_ADDR_LO, bits_low32(VA + DATA));
	method(t, 0, NVC86F_SEM_ADDR_HI, bits_high32(VA + DATA));
	method(t, 0, NVC86F_SEM_PAYLOAD_LO, 1);
	method(t, 0, NVC86F_SEM_EXECUTE, NVC86F_SEM_EXECUTE_OPERATION_ACQUIRE);
	method(t, 0, NVC86F_SEM_PAYLOAD_LO, 2);
	method(t, 0, NVC86F_SEM_EXECUTE, NVC86F_SEM_EXECUTE_OPERATION_RELEASE);
	submit(t, 9);
	assert_int_equal(driver_call(&t->d, NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER, &unload,
				     sizeof(unload)),
			 NV_OK);
	wr32(t, DATA, 1);
	driver_wr(&t->d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_DOORBELL, COPY_RUNLIST << 16 | 9);
	h100_lend(t->d.gpu);
	assert_int_equal(rd(t, DATA, 4), 1);
}

static void test_allocations(void **state)
{
	NV_CHANNEL_ALLOC_PARAMS p = channel_params(9);
	NVB0B5_ALLOCATION_PARAMETERS copy = { 0 };
	struct test *t = *state;
	u32 status = NV_ERR_NO_MEMORY;
	u64 nth, live;

	p.hContextShare = SHARE;
	assert_int_equal(set_directory(t, t->rig.pdb.address), NV_OK);
	live = unit_live();
	for (nth = 1; status != NV_OK; nth++) {
		if (!os_user_fail_alloc(nth))
			skip();
		status = make_group(t, GROUP, NV2080_ENGINE_TYPE_COPY2);
		if (status == NV_OK)
			status = make_share(t, GROUP, SHARE, SPACE, 0);
		if (status == NV_OK)
			status = alloc(t, GROUP, CHANNEL, HOPPER_CHANNEL_GPFIFO_A, &p, sizeof(p));
		if (status == NV_OK)
			status = alloc(t, CHANNEL, OBJECT, HOPPER_DMA_COPY_A, &copy, sizeof(copy));
		os_user_fail_alloc(0);
		assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY);
		driver_free_object(&t->d, CLIENT, GROUP);
		assert_int_equal(unit_live(), live);
	}
	assert_true(nth > 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_gpu, close_gpu)
	const struct CMUnitTest tests[] = {
		TEST(test_work),	  TEST(test_objects),	  TEST(test_schedule),
		TEST(test_interrupt),	  TEST(test_invalidate),  TEST(test_directories),
		TEST(test_errors),	  TEST(test_refused),	  TEST(test_frees),
		TEST(test_driver_leaves), TEST(test_allocations), TEST(test_secure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
