// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Settings: what is documented, what the host gives over it, registry keys from text, and text that
 * has no form.
 */
#include <stdio.h>

#include "rm/gpu/gpu.h"
#include "rm/options.h"
#include "rm/registry.h"
#include "rm_host.h"
#include "unit.h"

#define NONE 0xdeadbeefu

static u32 global(struct rm *rm, const char *name)
{
	u32 value;

	return rm_registry_read_dword(rm, NULL, name, &value) == NV_OK ? value : NONE;
}

static u32 of_gpu(u32 index, const char *name)
{
	u32 value;

	return rm_registry_read_dword(host.rm, host.rm_gpus[index], name, &value) == NV_OK ? value
											   : NONE;
}

static struct rm *create(const char *dwords)
{
	static const struct rm_registry_entry own[] = { { "EnableMSI", 0 }, { "Mine", 7 } };
	struct rm_config config = {
		.registry = own,
		.registry_count = ARRAY_SIZE(own),
		.options = { [RM_OPTION_REGISTRY_DWORDS] = dwords },
	};
	struct rm *rm;

	assert_int_equal(rm_create(&config, &rm), NV_OK);
	return rm;
}

static void test_layers(void **state)
{
	struct rm *rm = create("Mine=8; RmLogonRC = 0x10");
	char text[4096];
	size_t length;

	assert_int_equal(rm_setting(rm, "DeviceFileMode"), 0666);
	assert_int_equal(rm_setting(rm, "ResmanDebugLevel"), ~0u);
	assert_int_equal(rm_setting(rm, "EnableMSI"), 0);
	assert_int_equal(rm_setting(rm, "Mine"), 8);
	assert_int_equal(rm_setting(rm, "NoSuch"), 0);
	assert_int_equal(rm_proc_show(rm, "params", text, sizeof(text), &length), NV_OK);
	assert_non_null(strstr(text, "RmLogonRC: 16\n"));
	assert_non_null(strstr(text, "EnableMSI: 0\n"));
	assert_non_null(strstr(text, "RegistryDwords: \"Mine=8; RmLogonRC = 0x10\"\n"));
	assert_non_null(strstr(text, "RegistryDwordsPerDevice: \"\"\n"));
	rm_destroy(rm);
}

static void test_numbers(void **state)
{
	struct rm *rm = create("a=0x1F;b=010;c=9;d=0xg;e=12z;f=-1;g=0x100000002;h=z;i=089");

	assert_int_equal(global(rm, "a"), 0x1f);
	assert_int_equal(global(rm, "b"), 8);
	assert_int_equal(global(rm, "c"), 9);
	assert_int_equal(global(rm, "d"), 0);
	assert_int_equal(global(rm, "e"), 12);
	assert_int_equal(global(rm, "f"), 0);
	assert_int_equal(global(rm, "g"), 2);
	assert_int_equal(global(rm, "h"), 0);
	assert_int_equal(global(rm, "i"), 0);
	rm_destroy(rm);
}

static void test_what_is_no_entry(void **state)
{
	struct rm *rm = create(";;a;b=;=3;c=1=2;d=1=;pci=0:1:0;\te\n=\v5;f=6");

	assert_int_equal(global(rm, "a"), NONE);
	assert_int_equal(global(rm, "b"), NONE);
	assert_int_equal(global(rm, ""), NONE);
	assert_int_equal(global(rm, "c"), NONE);
	assert_int_equal(global(rm, "d"), NONE);
	assert_int_equal(global(rm, "pci"), 0);
	assert_int_equal(global(rm, "e"), 5);
	assert_int_equal(global(rm, "f"), 6);
	rm_destroy(rm);
	rm_destroy(create(""));
}

/* The fixture's GPUs are at 0000:01:00.0 and 0000:02:00.0. */
static void test_of_one_gpu(void **state)
{
	static const char text[] =
		"before=1;pci=0000:01:00.0;one=1;two=2;pci=02:00;one=3;pci=1:0:0;one=4;"
		"pci=0000:01:00;three=5;pci=0000:01:00.8;four=6;pci=01:00.0;five=7;pci=0:1:0:0;six="
		"8;"
		"pci=01;seven=9;pci=:01:00;eight=10;pci=101:0;nine=11;pci=0:0x1:0x0;ten=12";

	host_start(2);
	assert_int_equal(rm_options_apply_gpu(host.rm, host.rm_gpus[0], text), NV_OK);
	assert_int_equal(rm_options_apply_gpu(host.rm, host.rm_gpus[1], text), NV_OK);
	assert_int_equal(of_gpu(0, "before"), NONE);
	assert_int_equal(of_gpu(0, "one"), 1);
	assert_int_equal(of_gpu(0, "two"), 2);
	assert_int_equal(of_gpu(1, "one"), 3);
	assert_int_equal(of_gpu(1, "two"), NONE);
	assert_int_equal(of_gpu(0, "three"), 5);
	assert_int_equal(of_gpu(0, "four"), NONE);
	assert_int_equal(of_gpu(0, "five"), 7);
	assert_int_equal(of_gpu(0, "six"), NONE);
	assert_int_equal(of_gpu(0, "seven"), NONE);
	assert_int_equal(of_gpu(0, "eight"), NONE);
	assert_int_equal(of_gpu(0, "nine"), NONE);
	assert_int_equal(of_gpu(0, "ten"), 12);
	assert_int_equal(global(host.rm, "one"), NONE);
	assert_int_equal(rm_options_apply_gpu(host.rm, host.rm_gpus[0], NULL), NV_OK);
	host_stop();
}

/* Any text ends, reads nothing beyond its end and leaves nothing behind. */
static void test_any_text(void **state)
{
	static const char letters[] = "=;:.pci01 f\tx";
	u64 live = unit_live();
	char text[64];
	u64 seed = 1;
	u32 i, j;

	host_start(1);
	for (i = 0; i < 20000; i++) {
		char *exact;

		for (j = 0; j < sizeof(text) - 1; j++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			text[j] = letters[(seed >> 33) % sizeof(letters)];
		}
		text[j] = '\0';
		exact = strdup(text);
		assert_non_null(exact);
		assert_int_equal(rm_options_apply(host.rm, exact), NV_OK);
		assert_int_equal(rm_options_apply_gpu(host.rm, host.rm_gpus[0], exact), NV_OK);
		free(exact);
	}
	host_stop();
	assert_int_equal(unit_live(), live);
}

static void test_failing_allocations(void **state)
{
	struct rm_config config = {
		.options = { [RM_OPTION_REGISTRY_DWORDS] = "a=1;b=2",
			     [RM_OPTION_EXCLUDED_GPUS] = "GPU-0" },
	};
	u64 live = unit_live();
	struct rm *rm;
	u32 i;

	if (!os_user_fail_alloc_thread(0))
		skip();

	for (i = 1;; i++) {
		os_user_fail_alloc_thread(i);
		if (rm_create(&config, &rm) == NV_OK)
			break;
		os_user_fail_alloc_thread(0);
		assert_int_equal(unit_live(), live);
		assert_true(i < 1000);
	}
	os_user_fail_alloc_thread(0);
	rm_destroy(rm);
	assert_int_equal(unit_live(), live);
}

static void test_uuids(void **state)
{
	static const u8 uuid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				     0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
	static const struct {
		const char *text;
		bool named;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ ",,, ,", false },
		{ "GPU-01234567-89ab-cdef-fedc-ba9876543210", true },
		{ " gpu-01234567-89AB-CDEF-FEDC-BA9876543210 ", true },
		{ "GPU-1,GPU-01234567-89ab-cdef-fedc-ba9876543210,x", true },
		{ "GPU-01234567-89ab-cdef-fedc-ba9876543211", false },
		{ "GPU-01234567-89ab-cdef-fedc-ba987654321", false },
		{ "GPU-01234567-89ab-cdef-fedc-ba98765432100", false },
		{ "GPU-01234567-89ab-cdef-fedc-ba9876543210x", false },
		{ "GPU-0123456789abcdeffedcba9876543210", false },
		{ "01234567-89ab-cdef-fedc-ba9876543210", false },
		{ "GPU-01234567-89ab-cdef-fedc-ba987654321/", false },
		{ "GPU-", false },
		{ "G", false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(rm_options_names_uuid(cases[i].text, uuid), cases[i].named);
}

#define INFORMATION "gpus/0000:01:00.0/information"

/* One of two GPUs is excluded: nobody lists it or opens it, and /proc says why. */
static void test_excluded(void **state)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids;
	struct fixture_gpu_config like = { 0 };
	nv_ioctl_card_info_t cards[4];
	char text[4096], list[64], *at;
	enum rm_option option;
	size_t length;
	u32 client;
	int ctl;

	host_start(2);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	assert_int_equal(rm_proc_show(host.rm, INFORMATION, text, sizeof(text), &length), NV_OK);
	assert_non_null(strstr(text, "GPU Excluded:\t No\n"));
	at = strstr(text, "GPU-");
	assert_non_null(at);
	snprintf(list, sizeof(list), "GPU-none, %.40s", at);
	host_stop();

	for (option = RM_OPTION_GPU_BLACKLIST; option < RM_OPTION_COUNT; option++) {
		if (option == RM_OPTION_TEMPORARY_FILE_PATH)
			continue;
		host_start_with(2, &like, option, list);
		assert_null(host.rm_gpus[0]->gsp);
		assert_null(host.rm_gpus[1]->gsp);
		assert_int_equal(host_open(RM_NODE_GPU, 0), -NV_ERR_ILLEGAL_ACTION);
		assert_true(host_open(RM_NODE_GPU, 1) >= 0);
		ctl = host_open(RM_NODE_CONTROL, 0);
		assert_int_equal(host_ioctl(ctl, NV_ESC_CARD_INFO, cards, sizeof(cards)),
				 RM_IOCTL_OK);
		assert_true(cards[0].valid && cards[0].minor_number == 1 && !cards[1].valid);
		client = host_client(ctl);
		assert_int_equal(host_control(ctl, client, client,
					      NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids,
					      sizeof(ids)),
				 NV_OK);
		assert_int_equal(ids.gpuIds[0], host.rm_gpus[1]->gpu_id);
		assert_int_equal(ids.gpuIds[1], NV0000_CTRL_GPU_INVALID_ID);
		assert_int_equal(ids.excludedGpuIds[0], host.rm_gpus[0]->gpu_id);
		assert_int_equal(ids.excludedGpuIds[1], NV0000_CTRL_GPU_INVALID_ID);
		assert_int_equal(host_ioctl(ctl, NV_ESC_ATTACH_GPUS_TO_FD, &host.rm_gpus[0]->gpu_id,
					    sizeof(u32)),
				 RM_IOCTL_EINVAL);
		assert_int_equal(rm_proc_show(host.rm, INFORMATION, text, sizeof(text), &length),
				 NV_OK);
		assert_non_null(strstr(text, "GPU Excluded:\t Yes\n"));
		assert_non_null(strstr(text, "GPU UUID: \t GPU-"));
		assert_null(strstr(text, "GPU UUID: \t GPU-?"));
		/* Nothing of it wakes with the others. */
		assert_int_equal(rm_suspend(host.rm), NV_OK);
		rm_resume(host.rm);
		assert_null(host.rm_gpus[0]->gsp);
		host_stop();
	}
}

/* One that comes while the instance is suspended is found out at its first open. */
static void test_excluded_later(void **state)
{
	struct fixture_gpu_config like = { 0 };
	char text[4096], list[64];
	size_t length;

	host_start(1);
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	assert_int_equal(rm_proc_show(host.rm, INFORMATION, text, sizeof(text), &length), NV_OK);
	snprintf(list, sizeof(list), "%.40s", strstr(text, "GPU-"));
	host_stop();

	host_start_with(1, &like, RM_OPTION_EXCLUDED_GPUS, list);
	host_remove(0);
	assert_int_equal(rm_suspend(host.rm), NV_OK);
	host_add(0, NULL);
	assert_false(host.rm_gpus[0]->excluded);
	rm_resume(host.rm);
	assert_int_equal(host_open(RM_NODE_GPU, 0), -NV_ERR_ILLEGAL_ACTION);
	assert_true(host.rm_gpus[0]->excluded);
	host_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_what_is_no_entry),
		cmocka_unit_test(test_of_one_gpu),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_failing_allocations),
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_excluded),
		cmocka_unit_test(test_excluded_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
