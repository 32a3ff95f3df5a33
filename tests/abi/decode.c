// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* abi_decode: what it prints, what it hides, and that it stays within the data it was given. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/r535.h"
#include "abi/tables.h"

struct text {
	char buf[65536];
	size_t used;
	size_t longest;
};

static void collect(void *ctx, const char *line)
{
	struct text *t = ctx;
	size_t n = strlen(line);

	if (n > t->longest)
		t->longest = n;
	if (t->used + n + 2 > sizeof(t->buf))
		return;
	memcpy(t->buf + t->used, line, n);
	t->used += n;
	t->buf[t->used++] = '\n';
	t->buf[t->used] = 0;
}

/* The text of data, of which the decoder sees a heap block of exactly size bytes. */
static const char *decoded(const char *name, const void *data, size_t size, u32 dir)
{
	static struct text t;
	const struct abi_struct *s = abi_struct_find(name);
	void *copy = malloc(size ? size : 1);

	assert_non_null(s);
	assert_non_null(copy);
	memcpy(copy, data, size);
	memset(&t, 0, sizeof(t));
	abi_decode(s, copy, size, dir, 0, collect, &t);
	free(copy);
	return t.buf;
}

static void prints_values_by_kind(void **state)
{
	NVOS54_PARAMETERS p = { .hClient = 0xc1d00001,
				.hObject = 0x5c000002,
				.cmd = NV2080_CTRL_CMD_GPU_GET_INFO_V2,
				.flags = 0x10,
				.params = 0x7ffd0000,
				.paramsSize = 516,
				.status = NV_ERR_INVALID_ARGUMENT };

	assert_string_equal(decoded("NVOS54_PARAMETERS", &p, sizeof(p), ABI_INOUT),
			    "hClient=0xc1d00001\n"
			    "hObject=0x5c000002\n"
			    "cmd=0x20800102 NV2080_CTRL_CMD_GPU_GET_INFO_V2\n"
			    "flags=0x10\n"
			    "params=0x7ffd0000\n"
			    "paramsSize=516\n"
			    "status=0x1f NV_ERR_INVALID_ARGUMENT\n");
	assert_string_equal(decoded("NVOS54_PARAMETERS", &p, sizeof(p), ABI_OUT),
			    "params=0x7ffd0000\nstatus=0x1f NV_ERR_INVALID_ARGUMENT\n");
}

static void prints_classes_descriptors_and_text(void **state)
{
	NVOS21_PARAMETERS p = { .hClass = NV20_SUBDEVICE_0 };
	nv_ioctl_register_fd fd = { .ctl_fd = -1 };
	nv_ioctl_rm_api_version v = { .reply = 1, .versionString = "535.\"\n" };

	assert_non_null(strstr(decoded("NVOS21_PARAMETERS", &p, sizeof(p), ABI_IN),
			       "hClass=0x2080 NV20_SUBDEVICE_0\n"));
	p.hClass = 0xabcdef;
	assert_non_null(
		strstr(decoded("NVOS21_PARAMETERS", &p, sizeof(p), ABI_IN), "hClass=0xabcdef\n"));
	assert_string_equal(decoded("nv_ioctl_register_fd", &fd, sizeof(fd), ABI_IN),
			    "ctl_fd=fd -1\n");
	assert_string_equal(decoded("nv_ioctl_rm_api_version", &v, sizeof(v), ABI_OUT),
			    "reply=1\nversionString=\"535.\\\"\\x0a\"\n");
}

static void shows_only_counted_elements(void **state)
{
	NV2080_CTRL_GPU_GET_INFO_V2_PARAMS p = { .gpuInfoListSize = 2 };

	p.gpuInfoList[0].index = 1;
	p.gpuInfoList[1].index = 42;
	p.gpuInfoList[2].index = 99;
	assert_string_equal(decoded("NV2080_CTRL_GPU_GET_INFO_V2_PARAMS", &p, sizeof(p), ABI_IN),
			    "gpuInfoListSize=2\n"
			    "gpuInfoList[0]:\n  index=1\n  data=0\n"
			    "gpuInfoList[1]:\n  index=42\n  data=0\n");
	/* A count that lies is bounded by the array. */
	p.gpuInfoListSize = 0xffffffff;
	assert_non_null(strstr(decoded("NV2080_CTRL_GPU_GET_INFO_V2_PARAMS", &p, sizeof(p), ABI_IN),
			       "gpuInfoList[3..63]=0\n"));
}

static void folds_runs_of_zeros(void **state)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS p = { .gpuIds = { 0x100, 0x200 } };

	assert_string_equal(
		decoded("NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS", &p, sizeof(p), ABI_OUT),
		"gpuIds=[256, 512, 0 x 30]\nexcludedGpuIds=[0 x 32]\n");
}

static void picks_the_member_of_a_union(void **state)
{
	NVOS32_PARAMETERS p = { .function = NVOS32_FUNCTION_FREE };
	const char *text;

	p.data.Free.hMemory = 0x77;
	text = decoded("NVOS32_PARAMETERS", &p, sizeof(p), ABI_IN);
	assert_non_null(strstr(text, "data:\n  Free:\n    owner=0\n    hMemory=0x77\n"));
	assert_null(strstr(text, "AllocSize"));
	/* No member for this function: bytes. */
	p.function = 0xdead;
	assert_non_null(
		strstr(decoded("NVOS32_PARAMETERS", &p, sizeof(p), ABI_IN), "data=0000000077"));
}

static void hides_secrets(void **state)
{
	CC_KMB kmb;
	const char *text;

	memset(&kmb, 0x5a, sizeof(kmb));
	text = decoded("CC_KMB", &kmb, sizeof(kmb), ABI_INOUT);
	assert_non_null(strstr(text, "encryptBundle=<secret>\n"));
	assert_null(strstr(text, "5a5a"));
	assert_null(strstr(text, "1515870810"));
}

static void stays_within_the_data(void **state)
{
	static const u8 fills[] = { 0x00, 0x01, 0xff };
	static struct text t;

	for (u32 i = 0; i < ABI_STRUCT_COUNT; i++) {
		const struct abi_struct *s = abi_struct_by_index(i);
		size_t step = 1 + s->size / 64;

		for (size_t size = 0; size <= s->size; size += step) {
			/* The block ends where the data ends, so that the sanitizer sees one byte
			 * more. */
			u8 *block = malloc(size ? size : 1);

			assert_non_null(block);
			for (u32 f = 0; f < ARRAY_SIZE(fills); f++) {
				memset(block, fills[f], size);
				t.used = t.longest = 0;
				abi_decode(s, block, size, ABI_INOUT, 1, collect, &t);
				assert_true(t.longest < 160);
			}
			free(block);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_values_by_kind),
		cmocka_unit_test(prints_classes_descriptors_and_text),
		cmocka_unit_test(shows_only_counted_elements),
		cmocka_unit_test(folds_runs_of_zeros),
		cmocka_unit_test(picks_the_member_of_a_union),
		cmocka_unit_test(hides_secrets),
		cmocka_unit_test(stays_within_the_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
