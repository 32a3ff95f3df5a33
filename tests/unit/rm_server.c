// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The resource server: clients, handles, parents, rights, shares, duplicates, dependants, teardown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rm_fake.h"

#define FILE_A (&fake.files[0])
#define FILE_B (&fake.files[1])

#define RIGHT_DUP (1u << RS_ACCESS_DUP_OBJECT)
#define RIGHT_NICE (1u << RS_ACCESS_NICE)
#define RIGHT_DEBUG (1u << RS_ACCESS_DEBUG)
#define REVOKE 1u
#define REQUIRE 2u
#define COMPOSE 4u

#define CMD_FEATURES NV0000_CTRL_CMD_SYSTEM_GET_FEATURES

static u32 device(struct rm_file *file, u32 client, u32 handle)
{
	assert_int_equal(fake_alloc(file, client, client, &handle, FAKE_DEVICE, NULL), NV_OK);
	return handle;
}

static u32 subdevice(struct rm_file *file, u32 client, u32 parent, u32 handle)
{
	assert_int_equal(fake_alloc(file, client, parent, &handle, FAKE_SUBDEVICE, NULL), NV_OK);
	return handle;
}

static enum nv_status probe(struct rm_file *file, u32 client)
{
	u32 features = 0;

	return fake_control(file, client, client, CMD_FEATURES, &features, sizeof(features));
}

static void set_user(u32 pid, u32 uid, bool admin)
{
	const struct os_cred cred = { .pid = pid, .uid = uid, .gid = uid, .admin = admin };

	os_user_set_cred(&cred);
}

static void client_handles(void **state)
{
	u32 first = fake_client(FILE_A), second = fake_client(FILE_A), chosen = 0x1234, again;
	NVOS21_PARAMETERS p = { .hRoot = chosen, .hClass = NV01_ROOT };
	u32 param = 0;

	assert_int_equal(first, 0xc1d00000);
	assert_int_equal(second, 0xc1d00001);
	p.pAllocParms = (NvP64)(uintptr_t)&param;
	assert_int_equal(rm_api_alloc_nvos21(FILE_A, &p), NV_OK);
	assert_int_equal(p.hObjectNew, chosen);
	assert_int_equal(param, chosen);
	p.hObjectNew = 0;
	assert_int_equal(rm_api_alloc_nvos21(FILE_B, &p), NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(probe(FILE_A, chosen), NV_OK);
	assert_int_equal(fake_free(FILE_A, chosen, chosen), NV_OK);
	assert_int_equal(probe(FILE_A, chosen), NV_ERR_INVALID_CLIENT);
	assert_int_equal(fake_free(FILE_A, chosen, chosen), NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(fake_free(FILE_A, first, first), NV_OK);
	again = fake_client(FILE_A);
	assert_int_equal(again, 0xc1d00002);
}

static void client_of_other_file(void **state)
{
	u32 client = fake_client(FILE_A), other = fake_client(FILE_B), handle = 0x10, dup = 0;
	struct rm_file device_file = { &fake.rm, FILE_A };

	device(FILE_A, client, 0x10);
	assert_int_equal(probe(FILE_B, client), NV_ERR_INVALID_CLIENT);
	handle = 0x11;
	assert_int_equal(fake_alloc(FILE_B, client, client, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(fake_free(FILE_B, client, 0x10), NV_ERR_INVALID_CLIENT);
	assert_int_equal(fake_free(FILE_B, client, client), NV_ERR_INVALID_CLIENT);
	assert_int_equal(fake_dup(FILE_B, client, client, &dup, other, other),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(fake_share(FILE_B, client, 0x10, RS_SHARE_TYPE_ALL, 0, RIGHT_DUP, 0),
			 NV_ERR_INVALID_CLIENT);
	assert_int_equal(
		fake_share(FILE_B, client, 0x10, RS_SHARE_TYPE_CLIENT, other, RIGHT_DUP, 0),
		NV_ERR_INVALID_CLIENT);
	/* A device file that was registered acts for its control file. */
	assert_int_equal(probe(&device_file, client), NV_OK);
	assert_int_equal(probe(FILE_A, client), NV_OK);
}

static void file_closes(void **state)
{
	u32 a = fake_client(FILE_A), b = fake_client(FILE_B), i;

	for (i = 0; i < 10; i++)
		device(FILE_A, fake_client(FILE_A), 0x10);
	device(FILE_A, a, 0x10);
	rm_api_file_closed(&fake.rm, FILE_A);
	assert_int_equal(fake.alive[ABI_ICLASS_Device], 0);
	assert_int_equal(fake.alive[ABI_ICLASS_RmClientResource], 1);
	assert_int_equal(probe(FILE_A, a), NV_ERR_INVALID_CLIENT);
	assert_int_equal(probe(FILE_B, b), NV_OK);
}

static void object_handles(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0;

	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL), NV_OK);
	assert_int_equal(handle, 0xcaf00000);
	handle = 0xcaf00001;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL), NV_OK);
	handle = 0;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL), NV_OK);
	assert_int_equal(handle, 0xcaf00002);
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INSERT_DUPLICATE_NAME);
	handle = client;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	handle = 0xc9f00000;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	handle = 0xc9f7ffff;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	handle = 0xc9f80000;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL), NV_OK);
	/* A generated handle that is taken is skipped; the same under another client is another's.
	 */
	assert_int_equal(device(FILE_A, fake_client(FILE_A), 0xcaf00000), 0xcaf00000);
}

static void class_and_parent(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0x20, unknown = 0x20;

	device(FILE_A, client, 0x10);
	subdevice(FILE_A, client, 0x10, 0x11);
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, 0xfedc, NULL),
			 NV_ERR_INVALID_CLASS);
	assert_int_equal(fake_alloc(FILE_A, client, 0x99, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(fake_alloc(FILE_A, 0x99, 0x99, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_SUBDEVICE, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	assert_int_equal(fake_alloc(FILE_A, client, 0x11, &handle, FAKE_SUBDEVICE, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
	/* Known to the interface, served by nobody here. */
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &unknown, 0x9072, NULL),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &unknown, 0x0073, NULL),
			 NV_ERR_INVALID_CLASS);
	/* Required parameters. */
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, FAKE_MEMORY, NULL),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, FAKE_MEMORY, (void *)16),
			 NV_ERR_INVALID_ADDRESS);
	/* An error of the class is the caller's, and leaves nothing. */
	fake.construct_status = NV_ERR_INVALID_STATE;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INVALID_STATE);
	fake.construct_status = NV_OK;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL), NV_OK);
}

static void single_instance(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0x20, second = 0x21;

	device(FILE_A, client, 0x10);
	subdevice(FILE_A, client, 0x10, 0x11);
	subdevice(FILE_A, client, 0x10, 0x12);
	assert_int_equal(fake_alloc(FILE_A, client, 0x11, &handle, FAKE_DIAG, NULL), NV_OK);
	assert_int_equal(fake_alloc(FILE_A, client, 0x11, &second, FAKE_DIAG, NULL),
			 NV_ERR_STATE_IN_USE);
	assert_int_equal(fake_alloc(FILE_A, client, 0x12, &second, FAKE_DIAG, NULL), NV_OK);
	assert_int_equal(fake_free(FILE_A, client, handle), NV_OK);
	assert_int_equal(fake_alloc(FILE_A, client, 0x11, &handle, FAKE_DIAG, NULL), NV_OK);
	/* It is no class of a device at all. */
	handle = 0x22;
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, FAKE_DIAG, NULL),
			 NV_ERR_INVALID_OBJECT_PARENT);
}

static void privileged_classes(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0x20;
	u64 params[64] = { 0 };

	device(FILE_A, client, 0x10);
	/* ALLOC_KERNEL_PRIVILEGED, ALLOC_PRIVILEGED and INTERNAL_ONLY, of classes that nobody
	 * serves. */
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, UVM_CHANNEL_RETAINER, params),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, NV01_MEMORY_LIST_SYSTEM, params),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	set_user(100, 0, true);
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, NV01_MEMORY_LIST_SYSTEM, params),
			 NV_ERR_INVALID_CLASS);
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, UVM_CHANNEL_RETAINER, params),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, KERNEL_GRAPHICS_CONTEXT, NULL),
			 NV_ERR_INVALID_CLASS);
}

static void depth_is_limited(void **state)
{
	u32 client = fake_client(FILE_A), parent = client, i;

	for (i = 1; i <= 8; i++) {
		NV0005_ALLOC_PARAMETERS p = { .hParentClient = client };
		u32 handle = 0x100 + i;
		enum nv_status status = fake_alloc(FILE_A, client, parent, &handle, FAKE_EVENT, &p);

		assert_int_equal(status, i <= 6 ? NV_OK : NV_ERR_ILLEGAL_ACTION);
		parent = i < 6 ? handle : 0x106;
		assert_int_equal(p.hSrcResource,
				 status == NV_OK ? (i == 1 ? client : 0x100 + i - 1) : 0);
	}
}

static void events_find_their_class_and_parent(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0x20;
	NV0005_ALLOC_PARAMETERS p = { .hParentClient = 0x5555, .hClass = FAKE_EVENT };

	assert_int_equal(fake_alloc(FILE_A, client, 0x5555, &handle, NV01_EVENT, &p), NV_OK);
	assert_int_equal(p.hSrcResource, 0x5555);
	p.hClass = FAKE_DEVICE;
	handle = 0x21;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, NV01_EVENT, &p),
			 NV_ERR_INVALID_CLASS);
	p.hClass = 0xfedc;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, NV01_EVENT, &p),
			 NV_ERR_INVALID_CLASS);
}

static void mirrored_objects(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0x12;
	const struct fake_gpu *gpu = &fake.gpus[0];

	device(FILE_A, client, 0x10);
	assert_int_equal(gpu->rpc_count, 0);
	subdevice(FILE_A, client, 0x10, 0x11);
	assert_int_equal(fake_last_rpc(gpu)->what, 'A');
	assert_int_equal(fake_last_rpc(gpu)->client, client);
	assert_int_equal(fake_last_rpc(gpu)->parent, 0x10);
	assert_int_equal(fake_last_rpc(gpu)->object, 0x11);
	assert_int_equal(fake_last_rpc(gpu)->number, FAKE_SUBDEVICE);
	assert_true(fake_last_rpc(gpu)->locked);
	/* What the firmware refuses is not there. */
	fake.gpus[0].rpc_status = NV_ERR_GPU_IS_LOST;
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, FAKE_SUBDEVICE, NULL),
			 NV_ERR_GPU_IS_LOST);
	assert_int_equal(fake.alive[ABI_ICLASS_Subdevice], 1);
	fake.gpus[0].rpc_status = NV_OK;
	assert_int_equal(fake_free(FILE_A, client, 0x10), NV_OK);
	assert_int_equal(fake_last_rpc(gpu)->what, 'F');
	assert_int_equal(fake_last_rpc(gpu)->object, 0x11);
	assert_int_equal(gpu->objects, 0);
}

static void rights_are_inherited(void **state)
{
	u32 client = fake_client(FILE_A), copy = 0, mask = RIGHT_DEBUG;
	NV_MEMORY_ALLOCATION_PARAMS memory = { 0 };
	NVOS64_PARAMETERS p = {
		.hRoot = client,
		.hObjectParent = client,
		.hObjectNew = 0x10,
		.hClass = FAKE_DEVICE,
		.pRightsRequested = (NvP64)(uintptr_t)&mask,
	};

	/* Less than the parent has may be asked for, and then is all there is. */
	assert_int_equal(rm_api_alloc(FILE_A, &p), NV_OK);
	p = (NVOS64_PARAMETERS){
		.hRoot = client,
		.hObjectParent = 0x10,
		.hObjectNew = 0x11,
		.hClass = FAKE_MEMORY,
		.pAllocParms = (NvP64)(uintptr_t)&memory,
	};
	assert_int_equal(rm_api_alloc(FILE_A, &p), NV_OK);
	assert_int_equal(fake_dup(FILE_A, client, 0x10, &copy, client, 0x11),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	/* More is refused, and so is what only the administrator has. */
	p.hObjectNew = 0x12;
	p.pRightsRequested = (NvP64)(uintptr_t)&mask;
	mask = RIGHT_DUP;
	assert_int_equal(rm_api_alloc(FILE_A, &p), NV_ERR_INSUFFICIENT_PERMISSIONS);
	p.hObjectParent = client;
	p.hClass = FAKE_DEVICE;
	p.pAllocParms = 0;
	mask = RIGHT_NICE;
	assert_int_equal(rm_api_alloc(FILE_A, &p), NV_ERR_INSUFFICIENT_PERMISSIONS);
	set_user(100, 0, true);
	assert_int_equal(rm_api_alloc(FILE_A, &p), NV_OK);
	/* An unreadable mask. */
	p.hObjectNew = 0x13;
	p.pRightsRequested = 16;
	assert_int_equal(rm_api_alloc(FILE_A, &p), NV_ERR_INVALID_ADDRESS);
}

static void duplicates(void **state)
{
	u32 a = fake_client(FILE_A), b, copy = 0, second = 0x20;

	set_user(200, 2000, false);
	b = fake_client(FILE_B);
	device(FILE_A, a, 0x10);
	subdevice(FILE_A, a, 0x10, 0x11);
	device(FILE_B, b, 0x10);
	/* Another process may not, by default. */
	assert_int_equal(fake_dup(FILE_B, b, 0x10, &copy, a, 0x11),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(copy, 0);
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_CLIENT, b, RIGHT_DUP, COMPOSE),
			 NV_OK);
	assert_int_equal(fake_dup(FILE_B, b, 0x10, &copy, a, 0x11), NV_OK);
	assert_int_equal(copy, 0xcaf00001);
	assert_int_equal(fake_last_rpc(&fake.gpus[0])->what, 'D');
	/* The checks on what is named. */
	assert_int_equal(fake_dup(FILE_B, b, 0x10, &copy, a, 0x11), NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(fake_dup(FILE_B, b, 0x10, &second, a, 0x99), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(fake_dup(FILE_B, b, 0x99, &second, a, 0x11), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(fake_dup(FILE_B, b, 0x10, &second, 0x99, 0x11),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(fake_dup(FILE_B, 0x99, 0x10, &second, a, 0x11),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(fake_dup(FILE_B, b, 0x10, &second, a, 0x10), NV_ERR_INVALID_ARGUMENT);
	/* One client's own, and the copy outlives the original. */
	assert_int_equal(fake_dup(FILE_A, a, 0x10, &second, a, 0x11), NV_OK);
	assert_int_equal(fake_free(FILE_A, a, a), NV_OK);
	assert_int_equal(fake.alive[ABI_ICLASS_Subdevice], 1);
	assert_int_equal(fake_free(FILE_B, b, copy), NV_OK);
}

static void kernel_duplicates(void **state)
{
	u32 a = fake_client(FILE_A), kernel = 0, copy = 0, hidden = 0;

	device(FILE_A, a, 0x10);
	subdevice(FILE_A, a, 0x10, 0x11);
	assert_int_equal(rm_kernel_alloc(&fake.rm, 0, 0, &kernel, NV01_ROOT, NULL, 0), NV_OK);
	assert_int_equal(kernel & 0xfff00000, 0xc1e00000);
	assert_int_equal(rm_kernel_alloc(&fake.rm, kernel, kernel, &hidden, FAKE_DEVICE, NULL, 0),
			 NV_OK);
	assert_int_equal(rm_kernel_dup(&fake.rm, kernel, hidden, &copy, a, 0x11, 0), NV_OK);
	assert_int_equal(probe(FILE_A, kernel), NV_ERR_INVALID_CLIENT);
	/* The process whose request this is owns the source, so it may ask to be checked too. */
	copy = 0;
	set_user(200, 2000, false);
	assert_int_equal(rm_kernel_dup(&fake.rm, kernel, hidden, &copy, a, 0x11,
				       NV04_DUP_HANDLE_FLAGS_REJECT_KERNEL_DUP_PRIVILEGE),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	set_user(100, 1000, false);
	assert_int_equal(rm_kernel_dup(&fake.rm, kernel, hidden, &copy, a, 0x11,
				       NV04_DUP_HANDLE_FLAGS_REJECT_KERNEL_DUP_PRIVILEGE),
			 NV_OK);
	assert_int_equal(rm_kernel_free(&fake.rm, kernel, kernel), NV_OK);
}

static bool may_dup(u32 client, u32 source_client, u32 source)
{
	u32 copy = 0;
	enum nv_status status = fake_dup(FILE_B, client, 0x10, &copy, source_client, source);

	if (status != NV_OK) {
		assert_int_equal(status, NV_ERR_INSUFFICIENT_PERMISSIONS);
		return false;
	}
	assert_int_equal(fake_free(FILE_B, client, copy), NV_OK);
	return true;
}

static void share_policies(void **state)
{
	u32 a = fake_client(FILE_A), b;
	NV0080_ALLOC_PARAMETERS other = { .deviceId = 1 };
	u32 handle = 0x20;

	set_user(200, 1000, false);
	b = fake_client(FILE_B);
	device(FILE_A, a, 0x10);
	subdevice(FILE_A, a, 0x10, 0x11);
	device(FILE_B, b, 0x10);
	assert_false(may_dup(b, a, 0x11));
	/* A policy on an ancestor holds below it. */
	assert_int_equal(fake_share(FILE_A, a, a, RS_SHARE_TYPE_ALL, 0, RIGHT_DUP, 0), NV_OK);
	assert_true(may_dup(b, a, 0x11));
	/* Until the object has a list of its own. */
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_PID, 0, RIGHT_DUP, 0), NV_OK);
	assert_false(may_dup(b, a, 0x11));
	/* Composing adds to what held before; the same user, then the same GPU. */
	assert_int_equal(
		fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_OS_SECURITY_TOKEN, 0, RIGHT_DUP, COMPOSE),
		NV_OK);
	assert_true(may_dup(b, a, 0x11));
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_OS_SECURITY_TOKEN, 0, RIGHT_DUP,
				    COMPOSE | REVOKE),
			 NV_OK);
	assert_false(may_dup(b, a, 0x11));
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_GPU, 0, RIGHT_DUP, COMPOSE),
			 NV_OK);
	assert_true(may_dup(b, a, 0x11));
	assert_int_equal(fake_alloc(FILE_B, b, b, &handle, FAKE_DEVICE, &other), NV_OK);
	handle = 0;
	assert_int_equal(fake_dup(FILE_B, b, 0x20, &handle, a, 0x11),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	/* What is required is needed besides what is given. */
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_ALL, 0, RIGHT_DUP, 0), NV_OK);
	assert_true(may_dup(b, a, 0x11));
	assert_int_equal(
		fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_PID, 0, RIGHT_DUP, COMPOSE | REQUIRE),
		NV_OK);
	assert_false(may_dup(b, a, 0x11));
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_PID, 0, RIGHT_DUP,
				    COMPOSE | REQUIRE | REVOKE),
			 NV_OK);
	assert_true(may_dup(b, a, 0x11));
	/* Revoking without composing leaves nobody. */
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_ALL, 0, RIGHT_DUP, REVOKE),
			 NV_OK);
	assert_false(may_dup(b, a, 0x11));
}

static void share_errors(void **state)
{
	u32 a = fake_client(FILE_A), copy = 0;

	device(FILE_A, a, 0x10);
	subdevice(FILE_A, a, 0x10, 0x11);
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_MAX, 0, RIGHT_DUP, 0),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(fake_share(FILE_A, a, 0x99, RS_SHARE_TYPE_ALL, 0, RIGHT_DUP, 0),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(fake_share(FILE_A, 0x99, 0x11, RS_SHARE_TYPE_ALL, 0, RIGHT_DUP, 0),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_CLIENT, 0x99, RIGHT_DUP, 0),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	/* Nobody gives what it has not. */
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_ALL, 0, RIGHT_NICE, 0),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	/* A client takes a right from itself, and back from its parent. */
	assert_int_equal(
		fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_CLIENT, a, RIGHT_DUP, COMPOSE | REVOKE),
		NV_OK);
	assert_int_equal(fake_dup(FILE_A, a, 0x10, &copy, a, 0x11),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_CLIENT, a, RIGHT_DUP, COMPOSE),
			 NV_OK);
	assert_int_equal(fake_dup(FILE_A, a, 0x10, &copy, a, 0x11), NV_OK);
}

static void share_with_client_ends_with_it(void **state)
{
	u32 a = fake_client(FILE_A), chosen = 0x4242;
	NVOS21_PARAMETERS p = { .hRoot = chosen, .hClass = NV01_ROOT_CLIENT };

	set_user(200, 2000, false);
	device(FILE_A, a, 0x10);
	subdevice(FILE_A, a, 0x10, 0x11);
	assert_int_equal(rm_api_alloc_nvos21(FILE_B, &p), NV_OK);
	device(FILE_B, chosen, 0x10);
	assert_int_equal(fake_share(FILE_A, a, 0x11, RS_SHARE_TYPE_CLIENT, chosen, RIGHT_DUP, 0),
			 NV_OK);
	assert_true(may_dup(chosen, a, 0x11));
	assert_int_equal(fake_free(FILE_B, chosen, chosen), NV_OK);
	/* The next to have its handle has not its rights. */
	assert_int_equal(rm_api_alloc_nvos21(FILE_B, &p), NV_OK);
	device(FILE_B, chosen, 0x10);
	assert_false(may_dup(chosen, a, 0x11));
}

static u32 compute(u32 client, u32 handle, u32 on)
{
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS p = { .hClient = on };

	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_COMPUTE, &p), NV_OK);
	return handle;
}

static void dependants_go_first(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0x40;
	NV0005_ALLOC_PARAMETERS event = { .hParentClient = client };
	u8 params[8] = { 0 };

	device(FILE_A, client, 0x10);
	subdevice(FILE_A, client, 0x10, 0x11);
	compute(client, 0x20, 0x11);
	compute(client, 0x21, 0x20);
	assert_int_equal(fake_alloc(FILE_A, client, 0x20, &handle, FAKE_EVENT, &event), NV_OK);
	fake.destruct_count = 0;
	assert_int_equal(fake_free(FILE_A, client, 0x10), NV_OK);
	assert_int_equal(fake.destruct_count, 5);
	assert_int_equal(fake.destruct_order[0], 0x21);
	assert_int_equal(fake.destruct_order[1], 0x40);
	assert_int_equal(fake.destruct_order[2], 0x20);
	assert_int_equal(fake.destruct_order[3], 0x11);
	assert_int_equal(fake.destruct_order[4], 0x10);
	/* What stood elsewhere stays as a dead handle. */
	assert_int_equal(fake_control(FILE_A, client, 0x20, 0xcb330101, params, 5),
			 NV_ERR_RESOURCE_LOST);
	assert_int_equal(fake_alloc(FILE_A, client, 0x20, &handle, FAKE_EVENT, &event),
			 NV_ERR_RESOURCE_LOST);
	assert_int_equal(fake_share(FILE_A, client, 0x20, RS_SHARE_TYPE_ALL, 0, 0, 0),
			 NV_ERR_RESOURCE_LOST);
	handle = 0x20;
	assert_int_equal(fake_alloc(FILE_A, client, client, &handle, FAKE_DEVICE, NULL),
			 NV_ERR_INSERT_DUPLICATE_NAME);
	assert_int_equal(fake_free(FILE_A, client, 0x20), NV_OK);
	assert_int_equal(fake.destruct_count, 5);
	assert_int_equal(fake_control(FILE_A, client, 0x20, 0xcb330101, params, 5),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(fake_control(FILE_A, client, 0x40, 0xcb330101, params, 5),
			 NV_ERR_OBJECT_NOT_FOUND);
}

static void long_chain_of_dependants(void **state)
{
	u32 client = fake_client(FILE_A), i;

	compute(client, 0x1000, 0);
	for (i = 1; i < 50000; i++)
		compute(client, 0x1000 + i, 0x1000 + i - 1);
	fake.destruct_count = 0;
	assert_int_equal(fake_free(FILE_A, client, 0x1000), NV_OK);
	assert_int_equal(fake.destruct_count, 50000);
	assert_int_equal(fake_free(FILE_A, client, client), NV_OK);
	assert_int_equal(fake.destruct_count, 50001);
}

static void free_of_nothing(void **state)
{
	u32 client = fake_client(FILE_A);

	assert_int_equal(fake_free(FILE_A, client, 0x99), NV_OK);
	assert_int_equal(fake_free(FILE_A, 0x99, 0x99), NV_ERR_INVALID_OBJECT_HANDLE);
}

static void gpu_goes(void **state)
{
	u32 client = fake_client(FILE_A), handle = 0x20;
	u8 params[4] = { 0 };

	device(FILE_A, client, 0x10);
	subdevice(FILE_A, client, 0x10, 0x11);
	fake.gpus[0].gpu.state = RM_GPU_LOST;
	assert_int_equal(fake_control(FILE_A, client, 0x10, NV0080_CTRL_CMD_GPU_GET_NUM_SUBDEVICES,
				      params, 4),
			 NV_ERR_GPU_IS_LOST);
	rm_server_lock_exclusive(fake.rm.server);
	rm_server_gpu_removed(fake.rm.server, &fake.gpus[0].gpu);
	rm_server_unlock_exclusive(fake.rm.server);
	assert_int_equal(fake.alive[ABI_ICLASS_Device], 0);
	assert_int_equal(fake_control(FILE_A, client, 0x10, NV0080_CTRL_CMD_GPU_GET_NUM_SUBDEVICES,
				      params, 4),
			 NV_ERR_RESOURCE_LOST);
	assert_int_equal(probe(FILE_A, client), NV_OK);
	assert_int_equal(fake_alloc(FILE_A, client, 0x10, &handle, FAKE_SUBDEVICE, NULL),
			 NV_ERR_RESOURCE_LOST);
	assert_int_equal(fake_free(FILE_A, client, 0x10), NV_OK);
	assert_int_equal(fake_free(FILE_A, client, 0x11), NV_OK);
}

static bool count_client(void *ctx, const struct rm_client *client)
{
	++*(u32 *)ctx;
	return true;
}

static void many_clients(void **state)
{
	u32 count = 0, i;

	for (i = 0; i < 3000; i++)
		device(FILE_A, fake_client(FILE_A), 0x10);
	rm_server_visit_clients(fake.rm.server, count_client, &count);
	assert_int_equal(count, 3000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_handles),
		TEST(client_of_other_file),
		TEST(file_closes),
		TEST(object_handles),
		TEST(class_and_parent),
		TEST(single_instance),
		TEST(privileged_classes),
		TEST(depth_is_limited),
		TEST(events_find_their_class_and_parent),
		TEST(mirrored_objects),
		TEST(rights_are_inherited),
		TEST(duplicates),
		TEST(kernel_duplicates),
		TEST(share_policies),
		TEST(share_errors),
		TEST(share_with_client_ends_with_it),
		TEST(dependants_go_first),
		TEST(long_chain_of_dependants),
		TEST(free_of_nothing),
		TEST(gpu_goes),
		TEST(many_clients),
	};

	return cmocka_run_group_tests_name("rm_server", tests, NULL, NULL);
}
