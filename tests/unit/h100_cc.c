// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A software H100 in confidential mode and a driver that has no session with it: the GPU stays
 * closed, whatever is asked.
 */
#include "h100_driver.h"

#include "abi/spdm.h"
#include "unit.h"

#define CLIENT 0xc1d00001u
#define SUBDEVICE 0xc2000003u
#define INTERNAL 0xc2000001u

static struct driver d;

static void open_as(enum h100_cc cc)
{
	const struct h100_config config = { .count = 1, .cc = cc };

	driver_open(&d, &config);
}

static void registers_tell_the_mode(void **state)
{
	static const u32 shown[] = { [H100_CC_OFF] = 0, [H100_CC_ON] = 1, [H100_CC_DEVTOOLS] = 3 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		open_as((enum h100_cc)i);
		assert_int_equal(driver_rd(&d, NV_PGC6_AON_SECURE_SCRATCH_GROUP_20), shown[i]);
		/* Not for a driver to choose. */
		driver_wr(&d, NV_PGC6_AON_SECURE_SCRATCH_GROUP_20, 3 - shown[i]);
		assert_int_equal(driver_rd(&d, NV_PGC6_AON_SECURE_SCRATCH_GROUP_20), shown[i]);
		assert_int_equal(driver_rd(&d, NV_FUSE_SPARE_BIT_0), 1);
		assert_int_equal(driver_rd(&d, NV_FUSE_SPARE_BIT_0 + 4), 1);
		assert_int_equal(driver_rd(&d, NV_FUSE_SPARE_BIT_0 + 8), 0);
		driver_close(&d);
	}
}

static void closed_before_a_session(void **state)
{
	NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL_PARAMS on = { 1 };
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_DERIVE_SWL_KEYS_PARAMS sec2 = {
		.engineId = NV2080_ENGINE_TYPE_SEC2
	};
	NV0000_ALLOC_PARAMETERS root = { .hClient = CLIENT };
	GspStaticConfigInfo *info = calloc(1, sizeof(*info));
	u8 bytes[4] = { 0 };

	open_as(H100_CC_ON);
	assert_int_equal(driver_boot(&d), NV_OK);
	assert_non_null(info);
	assert_int_equal(
		driver_call(&d, NV_VGPU_MSG_FUNCTION_GET_GSP_STATIC_INFO, info, sizeof(*info)),
		NV_OK);
	free(info);
	/* The allocation's own status is not written: the message itself is refused. */
	{
		u8 data[sizeof(rpc_gsp_rm_alloc_v) + sizeof(root)]
			__attribute__((aligned(8))) = { 0 };
		rpc_gsp_rm_alloc_v *rpc = (void *)data;

		rpc->hClient = rpc->hObject = CLIENT;
		rpc->hClass = NV01_ROOT;
		rpc->paramsSize = sizeof(root);
		memcpy(rpc->params, &root, sizeof(root));
		assert_int_equal(
			driver_call(&d, NV_VGPU_MSG_FUNCTION_GSP_RM_ALLOC, data, sizeof(data)),
			NV_ERR_INVALID_STATE);
	}
	assert_int_equal(driver_control(&d, INTERNAL, SUBDEVICE, 0x2080fefe, bytes, sizeof(bytes)),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(driver_control(&d, INTERNAL, SUBDEVICE,
					NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL,
					&on, sizeof(on)),
			 NV_ERR_INVALID_STATE);
	assert_int_equal(driver_control(&d, INTERNAL, SUBDEVICE,
					NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_DERIVE_SWL_KEYS,
					&sec2, sizeof(sec2)),
			 NV_ERR_INVALID_STATE);
	driver_close(&d);
}

static u32 ask(NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS *p, u8 type)
{
	p->cmd.cmdType = type;
	return driver_control(&d, INTERNAL, SUBDEVICE, NV2080_CTRL_INTERNAL_SPDM_PARTITION, p,
			      sizeof(*p));
}

static void partition_takes_what_it_is_given(void **state)
{
	NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS p = { 0 };
	NV_SPDM_DESC_HEADER *header;
	u32 page;

	open_as(H100_CC_ON);
	assert_int_equal(driver_boot(&d), NV_OK);
	page = driver_alloc(&d, 1);
	header = (void *)driver_page(&d, page);
	assert_int_equal(ask(&p, 0x77), NV_ERR_INVALID_ARGUMENT);
	/* No surface as yet, or none that is. */
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_CTRL), NV_OK);
	assert_int_not_equal(p.msg.status, 0);
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_INIT), NV_OK);
	assert_int_not_equal(p.msg.status, 0);
	p.cmd.ccInit.ccInitCtx.guestId = 9;
	p.cmd.ccInit.ccInitCtx.dmaAddr.lo = 0x1000;
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_INIT), NV_OK);
	assert_int_equal(p.msg.status, 0);
	assert_int_equal(p.msg.guestId, 9);
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_CTRL), NV_OK);
	assert_int_not_equal(p.msg.status, 0);

	p.cmd.ccInit.ccInitCtx.dmaAddr.lo = (u32)driver_bus(page);
	p.cmd.ccInit.ccInitCtx.dmaAddr.hi = (u32)(driver_bus(page) >> 32);
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_INIT), NV_OK);
	assert_int_equal(p.msg.status, 0);
	header->msgSizeByte = ~0u;
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_CTRL), NV_OK);
	assert_int_not_equal(p.msg.status, 0);
	/* GET_VERSION is answered where it lies. */
	header->msgType = NV_SPDM_MESSAGE_TYPE_NORMAL;
	header->msgSizeByte = 4;
	memcpy(header + 1, (u8[]){ 0x10, 0x84, 0, 0 }, 4);
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_CTRL), NV_OK);
	assert_int_equal(p.msg.status, 0);
	assert_true(header->msgSizeByte > 4);
	assert_int_equal(((u8 *)(header + 1))[1], 0x04);
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_DEINIT), NV_OK);
	assert_int_equal(p.msg.status, 0);
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_CTRL), NV_OK);
	assert_int_not_equal(p.msg.status, 0);
	driver_close(&d);
}

static void off_has_none_of_it(void **state)
{
	NV2080_CTRL_INTERNAL_CONF_COMPUTE_GET_STATIC_INFO_PARAMS info = { 1, 1 };
	NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL_PARAMS on = { 1 };
	NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS p = { 0 };

	open_as(H100_CC_OFF);
	assert_int_equal(driver_boot(&d), NV_OK);
	assert_int_equal(ask(&p, RM_GSP_SPDM_CMD_ID_CC_INIT), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(driver_control(&d, INTERNAL, SUBDEVICE,
					NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_ENCRYPTION_CONTROL,
					&on, sizeof(on)),
			 NV_ERR_NOT_SUPPORTED);
	assert_int_equal(driver_control(&d, INTERNAL, SUBDEVICE,
					NV2080_CTRL_CMD_INTERNAL_CONF_COMPUTE_GET_STATIC_INFO,
					&info, sizeof(info)),
			 NV_OK);
	assert_int_equal(info.bIsBar1Trusted, 0);
	driver_close(&d);
}

/* Through BAR1, BAR2 and the window in BAR0, and as clients map it. */
static void video_memory_is_nobodys(void **state)
{
	static const struct {
		enum h100_cc cc;
		bool shown;
	} modes[] = { { H100_CC_OFF, true }, { H100_CC_ON, false }, { H100_CC_DEVTOOLS, true } };
	u64 offset, size;
	u32 i, bar;
	int fd;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		bool shown = modes[i].shown;

		open_as(modes[i].cc);
		for (bar = 2; bar <= 4; bar += 2) {
			h100_bar_write(d.gpu, bar, 0x1000, 8, 0x1122334455667788ull);
			assert_true(h100_bar_read(d.gpu, bar, 0x1000, 8) ==
				    (shown ? 0x1122334455667788ull : ~0ull));
			assert_int_equal(h100_bar_read(d.gpu, bar, 0x1001, 1), shown ? 0x77 : 0xff);
		}
		h100_bar_write(d.gpu, 0, NV_XAL_EP_BAR0_WINDOW, 4, 0);
		assert_int_equal(h100_bar_read(d.gpu, 0, NV_PRAMIN__LO + 0x1000, 4),
				 shown ? 0x55667788 : 0xffffffff);
		h100_bar_write(d.gpu, 0, NV_PRAMIN__LO + 0x1000, 4, 0x99);
		assert_int_equal(h100_bar_read(d.gpu, 2, 0x1000, 4), shown ? 0x99 : 0xffffffff);
		assert_int_equal(h100_video_export(d.gpu, 0, 0, 4096, &fd, &offset, &size),
				 shown ? NV_OK : NV_ERR_NOT_SUPPORTED);
		driver_close(&d);
	}
}

static void a_wrong_issuer_makes_no_gpu(void **state)
{
	struct h100_config config = {
		.count = 1, .cc = H100_CC_ON, .issuer = "no certificate", .issuer_size = 14
	};

	assert_int_equal(driver_try_open(&d, &config), NV_ERR_INVALID_ARGUMENT);
	config.cc = H100_CC_OFF;
	driver_open(&d, &config);
	driver_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_tell_the_mode),
		cmocka_unit_test(closed_before_a_session),
		cmocka_unit_test(partition_takes_what_it_is_given),
		cmocka_unit_test(off_has_none_of_it),
		cmocka_unit_test(video_memory_is_nobodys),
		cmocka_unit_test(a_wrong_issuer_makes_no_gpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
