// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Sequences of requests on the resource server and the RM API, with handles that collide and refer
 * to each other, sizes right and wrong, and pointers good and bad. After each input everything is
 * freed and nothing may be left, neither in memory nor in the firmware.
 */
#include <stdlib.h>
#include <string.h>

#include "rm_fake.h"

struct input {
	const u8 *data;
	size_t size;
};

static u32 take(struct input *in, u32 count)
{
	u32 value;

	if (!in->size)
		return 0;
	value = *in->data++;
	in->size--;
	return count ? value % count : value;
}

/* Few enough values that objects meet. */
static u32 take_handle(struct input *in)
{
	static const u32 odd[] = { 0, 0xcaf00000, 0xcaf00001, 0xc9f00000, 0xffffffff };
	u32 which = take(in, 0);

	if (which < 16)
		return odd[which % ARRAY_SIZE(odd)];
	return 0x10 + which % 32;
}

static u32 take_client(struct input *in)
{
	u32 which = take(in, 8);

	return which < 6 ? 0xc1d00000 + which : which;
}

static u64 params_buffer[8192];

static NvP64 take_pointer(struct input *in)
{
	switch (take(in, 8)) {
	case 0:
		return 0;
	case 1:
		return 16;
	case 2:
		return (NvP64)~0ull - 3;
	default:
		return (NvP64)(uintptr_t)params_buffer;
	}
}

/* Parameters that mean something now and then: handles and small counts, and pointers in their
 * places. */
static void fill_params(struct input *in, const struct abi_struct *desc)
{
	u32 i;

	for (i = 0; i < 16; i++) {
		u32 value = take(in, 4) ? take_handle(in) : take(in, 0);

		((u32 *)params_buffer)[i] = value;
	}
	if (!desc || desc->size > sizeof(params_buffer) / 2)
		return;
	for (i = 0; i < desc->nested_count; i++) {
		u64 pointer = take(in, 4) ? (uintptr_t)params_buffer + 4096 : take_pointer(in);

		memcpy((u8 *)params_buffer + desc->nested[i].pointer_offset, &pointer,
		       sizeof(pointer));
	}
}

static void do_alloc(struct input *in, struct rm_file *file)
{
	static const u32 classes[] = {
		NV01_ROOT_CLIENT, NV01_ROOT,   FAKE_DEVICE, FAKE_SUBDEVICE,
		FAKE_DIAG,	  FAKE_MEMORY, FAKE_EVENT,  FAKE_MANAGEMENT,
		FAKE_COMPUTE,	  NV01_EVENT,  0x0073,	    0xc574,
	};
	u32 which = take(in, 16);
	NVOS64_PARAMETERS p = {
		.hRoot = take_client(in),
		.hObjectParent = take(in, 2) ? take_client(in) : take_handle(in),
		.hObjectNew = take_handle(in),
		.hClass = which < ARRAY_SIZE(classes) ? classes[which]
						      : take(in, 0) << 8 | take(in, 0),
		.pAllocParms = take_pointer(in),
		.flags = take(in, 16) == 0,
	};
	static u32 rights;

	rights = take(in, 0);
	if (rights & 0x80)
		p.pRightsRequested = (NvP64)(uintptr_t)&rights;
	fill_params(in, NULL);
	rm_api_alloc(file, &p);
}

static void do_control(struct input *in, struct rm_file *file)
{
	const struct abi_control *control;
	u32 index = take(in, 0) << 8 | take(in, 0);
	NVOS54_PARAMETERS p = { .hClient = take_client(in) };

	control = abi_control_by_index(index % ABI_CONTROL_COUNT);
	p.hObject = take(in, 2) ? p.hClient : take_handle(in);
	p.cmd = control->cmd;
	p.paramsSize = control->params_size;
	if (take(in, 8) == 0)
		p.paramsSize += take(in, 0) - 128;
	if (p.paramsSize <= sizeof(params_buffer) || take(in, 2))
		p.params = p.paramsSize ? take_pointer(in) : 0;
	/* Only what the buffer holds may be read as if it were the caller's. */
	if (p.params == (NvP64)(uintptr_t)params_buffer && p.paramsSize > sizeof(params_buffer))
		p.params = 16;
	if (take(in, 8) == 0)
		p.flags = take(in, 8);
	fill_params(in, control->params);
	rm_api_control(file, &p);
}

static void do_dup(struct input *in, struct rm_file *file)
{
	NVOS55_PARAMETERS p = {
		.hClient = take_client(in),
		.hParent = take_handle(in),
		.hObject = take_handle(in),
		.hClientSrc = take_client(in),
		.hObjectSrc = take_handle(in),
		.flags = take(in, 4),
	};

	rm_api_dup(file, &p);
}

static void do_share(struct input *in, struct rm_file *file)
{
	NVOS57_PARAMETERS p = {
		.hClient = take_client(in),
		.hObject = take_handle(in),
		.sharePolicy = { .target = take_client(in),
				 .type = take(in, 10),
				 .action = take(in, 8) },
	};

	p.sharePolicy.accessMask.limbs[0] = take(in, 0);
	rm_api_share(file, &p);
}

static void do_free(struct input *in, struct rm_file *file)
{
	NVOS00_PARAMETERS p = { .hRoot = take_client(in) };

	p.hObjectOld = take(in, 8) ? take_handle(in) : p.hRoot;
	rm_api_free(file, &p);
}

static void set_caller(struct input *in)
{
	struct os_cred cred = { .pid = 100 + take(in, 2), .uid = 1000 + take(in, 2) };

	cred.admin = take(in, 4) == 0;
	os_user_set_cred(&cred);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	if (fake_setup(NULL))
		abort();
	while (in.size) {
		struct rm_file *file = &fake.files[take(&in, 2)];

		switch (take(&in, 16)) {
		case 0:
			set_caller(&in);
			break;
		case 1:
			rm_api_file_closed(&fake.rm, file->owner);
			break;
		case 2:
			fake.gpus[0].rpc_status = take(&in, 4) ? NV_OK : NV_ERR_INVALID_STATE;
			break;
		case 3:
			os_user_fail_alloc_thread(take(&in, 32));
			break;
		case 4:
			do_share(&in, file);
			break;
		case 5:
		case 6:
			do_dup(&in, file);
			break;
		case 7:
		case 8:
			do_free(&in, file);
			break;
		case 9:
		case 10:
		case 11:
			do_control(&in, file);
			break;
		default:
			do_alloc(&in, file);
			break;
		}
	}
	os_user_fail_alloc_thread(0);
	fake_teardown(NULL);
	return 0;
}
