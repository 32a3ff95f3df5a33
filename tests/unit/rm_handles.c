// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Whose objects a command may name: each command that takes handles, with every wrong one of them,
 * through the ioctl. A refused request changes nothing but its status and leaves nothing behind.
 */
#include "base/bits.h"
#include "rm_host.h"
#include "unit.h"

#define DEVICE 0xd0u
#define SUBDEVICE 0xd1u
#define MEMORY 0xe0u
#define NEW 0xf0u
#define NOWHERE 0xbadu

static int ctl, gpu, other, strange;
static u32 client, others, strangers;

/* A device, its subdevice and video memory, under the same handles in each client. */
static void make_objects(int fd, u32 root)
{
	NV0080_ALLOC_PARAMETERS d = { .deviceId = 0 };
	NV2080_ALLOC_PARAMETERS s = { .subDeviceId = 0 };
	NV_MEMORY_ALLOCATION_PARAMS m = { .owner = 1, .size = 8192 };
	u32 device = DEVICE, subdevice = SUBDEVICE, memory = MEMORY;

	assert_int_equal(host_alloc(fd, root, root, &device, NV01_DEVICE_0, &d, 0), NV_OK);
	assert_int_equal(host_alloc(fd, root, device, &subdevice, NV20_SUBDEVICE_0, &s, 0), NV_OK);
	assert_int_equal(host_alloc(fd, root, device, &memory, NV01_MEMORY_LOCAL_USER, &m, 0),
			 NV_OK);
}

static void be(u32 uid, u32 pid)
{
	const struct os_cred cred = { .pid = pid, .uid = uid, .gid = uid, .admin = uid == 0 };

	os_user_set_cred(&cred);
}

static void be_user(void)
{
	be(1000, 4000);
}

static void be_stranger(void)
{
	be(1001, 4001);
}

/* Two files of one process and one of another user's, each with a client of its own. */
static int start(void **state)
{
	nv_ioctl_register_fd_t link;

	host_start(1);
	be_stranger();
	strange = host_open(RM_NODE_CONTROL, 0);
	/* Whoever is to use a GPU has its node open. */
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	strangers = host_client(strange);
	make_objects(strange, strangers);
	be_user();
	ctl = host_open(RM_NODE_CONTROL, 0);
	other = host_open(RM_NODE_CONTROL, 0);
	gpu = host_open(RM_NODE_GPU, 0);
	assert_true(gpu >= 0);
	link.ctl_fd = ctl;
	assert_int_equal(host_ioctl(gpu, NV_ESC_REGISTER_FD, &link, sizeof(link)), RM_IOCTL_OK);
	client = host_client(ctl);
	others = host_client(other);
	make_objects(ctl, client);
	make_objects(other, others);
	unit_live_settled(); /* the boots' last events are done */
	return 0;
}

/* -- One table for all ------------------------------------------------------------------------- */

union any {
	u8 bytes[2600];
	NVOS05_PARAMETERS alloc_object;
	nv_ioctl_nvos02_parameters_with_fd alloc_memory;
	NVOS32_PARAMETERS heap;
	NVOS55_PARAMETERS dup;
	NVOS57_PARAMETERS share;
	nv_ioctl_export_to_dma_buf_fd_t dma_buf;
	NVOS46_PARAMETERS map_dma;
	NVOS47_PARAMETERS unmap_dma;
	NVOS30_PARAMETERS idle;
	NVOS39_PARAMETERS context_dma;
};

static void fill_context_dma(union any *p)
{
	p->context_dma.hObjectNew = NEW;
	p->context_dma.hClass = NV01_CONTEXT_DMA;
	p->context_dma.flags =
		(u32)REG_PREP(NVOS03_FLAGS_HASH_TABLE, NVOS03_FLAGS_HASH_TABLE_DISABLE);
	p->context_dma.limit = 15;
}

static void fill_idle(union any *p)
{
	p->idle.flags = (u32)REG_PREP(NVOS30_FLAGS_CHANNEL, NVOS30_FLAGS_CHANNEL_SINGLE);
}

static void fill_map_dma(union any *p)
{
	p->map_dma.hDevice = SUBDEVICE;
}

static void fill_unmap_dma(union any *p)
{
	p->unmap_dma.hDevice = SUBDEVICE;
}

static void fill_system_memory(union any *p)
{
	p->alloc_memory.params.hObjectNew = NEW;
	p->alloc_memory.params.hClass = NV01_MEMORY_SYSTEM;
	p->alloc_memory.params.flags =
		(u32)REG_PREP(NVOS02_FLAGS_MAPPING, NVOS02_FLAGS_MAPPING_NO_MAP);
	p->alloc_memory.params.limit = 4095;
}

static void fill_os_descriptor(union any *p)
{
	fill_system_memory(p);
	p->alloc_memory.params.hClass = NV01_MEMORY_SYSTEM_OS_DESCRIPTOR;
}

static void fill_diag(union any *p)
{
	p->alloc_object.hObjectNew = NEW;
	p->alloc_object.hClass = NV20_SUBDEVICE_DIAG;
}

static void fill_dup(union any *p)
{
	p->dup.hParent = DEVICE;
	p->dup.hObject = NEW;
	p->dup.hClientSrc = client;
}

static void fill_share(union any *p)
{
	p->share.sharePolicy.type = RS_SHARE_TYPE_ALL;
	p->share.sharePolicy.accessMask.limbs[0] = 1u << RS_ACCESS_DUP_OBJECT;
}

static void fill_dma_buf(union any *p)
{
	p->dma_buf.fd = -1;
	p->dma_buf.totalSize = 8192;
	p->dma_buf.totalObjects = 1;
	p->dma_buf.numObjects = 1;
}

static void fill_heap_size(union any *p)
{
	p->heap.function = NVOS32_FUNCTION_ALLOC_SIZE;
	p->heap.data.AllocSize.owner = 1;
	p->heap.data.AllocSize.size = MIB(1);
	p->heap.data.AllocSize.hMemory = NEW;
	p->heap.data.AllocSize.flags = NVOS32_ALLOC_FLAGS_MEMORY_HANDLE_PROVIDED;
}

static void fill_heap_os_descriptor(union any *p)
{
	p->heap.function = NVOS32_FUNCTION_ALLOC_OS_DESCRIPTOR;
	p->heap.data.AllocOsDesc.limit = 4095;
	/* This function alone does not look at the heap's number. */
	p->heap.ivcHeapNumber = 1;
}

static void fill_heap_info(union any *p)
{
	p->heap.function = NVOS32_FUNCTION_INFO;
}

#define NOT_SUPPORTED NV_ERR_NOT_SUPPORTED
#define NO_CLIENT NV_ERR_INVALID_CLIENT
#define NO_HANDLE NV_ERR_INVALID_OBJECT_HANDLE
#define NO_PARENT NV_ERR_INVALID_OBJECT_PARENT
#define NOT_FOUND NV_ERR_OBJECT_NOT_FOUND
#define TAKEN NV_ERR_INSERT_DUPLICATE_NAME

/* Where the handles are, good ones, and what the wrong ones are refused with. 0: there is none. */
struct row {
	const char *name;
	u32 number, size;
	bool on_gpu;
	struct {
		u32 client, first, second, status;
	} at;
	u32 first, second;
	/* Objects of the client that are of the wrong kind, and their status. */
	u32 other_first, other_second;
	enum nv_status first_wrong, second_wrong;
	enum nv_status no_client;
	enum nv_status good;
	enum nv_status again; /* of a request that makes NEW: for the second one */
	bool works_on;	      /* on failure the structure is not left as it was */
	void (*fill)(union any *p);
};

#define AT(type, field) ((u32)offsetof(type, field))
#define ONE(escape, type, c, a, s)                       \
	.number = NV_ESC_##escape, .size = sizeof(type), \
	.at = {                                          \
		.client = AT(type, c),                   \
		.first = AT(type, a),                    \
		.status = AT(type, s),                   \
	}
#define TWO(escape, type, c, a, b, s)                    \
	.number = NV_ESC_##escape, .size = sizeof(type), \
	.at = {                                          \
		.client = AT(type, c),                   \
		.first = AT(type, a),                    \
		.second = AT(type, b),                   \
		.status = AT(type, s),                   \
	}
/* Checked like others, then refused whatever it asks for. */
#define UNSERVED .no_client = NO_CLIENT, .good = NOT_SUPPORTED
#define SERVED .no_client = NO_HANDLE, .good = NV_OK

#define OLD_MEMORY                                                             \
	ONE(RM_ALLOC_MEMORY, nv_ioctl_nvos02_parameters_with_fd, params.hRoot, \
	    params.hObjectParent, params.status),                              \
		.on_gpu = true, .first = DEVICE
#define HEAP \
	ONE(RM_VID_HEAP_CONTROL, NVOS32_PARAMETERS, hRoot, hObjectParent, status), .first = DEVICE

static const struct row rows[] = {
	{ .name = "ALLOC_CONTEXT_DMA2",
	  ONE(RM_ALLOC_CONTEXT_DMA2, NVOS39_PARAMETERS, hObjectParent, hMemory, status),
	  .first = MEMORY,
	  .fill = fill_context_dma,
	  .other_first = SUBDEVICE,
	  .first_wrong = NV_ERR_INVALID_OBJECT,
	  .again = TAKEN,
	  .no_client = NO_CLIENT,
	  .good = NV_OK },
	/* Memory is no context DMA. */
	{ .name = "BIND_CONTEXT_DMA",
	  ONE(RM_BIND_CONTEXT_DMA, NVOS49_PARAMETERS, hClient, hCtxDma, status),
	  .first = MEMORY,
	  UNSERVED },
	{ .name = "IDLE_CHANNELS",
	  TWO(RM_IDLE_CHANNELS, NVOS30_PARAMETERS, hClient, hDevice, hChannel, status),
	  .first = DEVICE,
	  .second = SUBDEVICE,
	  .fill = fill_idle,
	  .other_first = MEMORY,
	  .first_wrong = NO_HANDLE,
	  .no_client = NO_CLIENT,
	  .good = NOT_FOUND }, /* a subdevice is no channel */
	{ .name = "MAP_MEMORY",
	  TWO(RM_MAP_MEMORY, nv_ioctl_nvos33_parameters_with_fd, params.hClient, params.hMemory,
	      params.hDevice, params.status),
	  .first = MEMORY,
	  .second = DEVICE,
	  .other_second = MEMORY,
	  .second_wrong = NO_PARENT,
	  .no_client = NO_CLIENT,
	  .good = NV_ERR_INVALID_LIMIT }, /* of no bytes */
	{ .name = "UNMAP_MEMORY",
	  TWO(RM_UNMAP_MEMORY, NVOS34_PARAMETERS, hClient, hMemory, hDevice, status),
	  .first = MEMORY,
	  .second = SUBDEVICE,
	  .other_second = MEMORY,
	  .second_wrong = NO_PARENT,
	  .no_client = NO_CLIENT,
	  .good = NOT_FOUND }, /* nothing is mapped */
	{ .name = "MAP_MEMORY_DMA",
	  TWO(RM_MAP_MEMORY_DMA, NVOS46_PARAMETERS, hClient, hDma, hMemory, status),
	  .first = DEVICE,
	  .second = MEMORY,
	  .fill = fill_map_dma,
	  .no_client = NO_CLIENT,
	  .good = NO_HANDLE }, /* a device is no virtual memory */
	{ .name = "UNMAP_MEMORY_DMA",
	  TWO(RM_UNMAP_MEMORY_DMA, NVOS47_PARAMETERS, hClient, hDma, hMemory, status),
	  .first = DEVICE,
	  .second = MEMORY,
	  .fill = fill_unmap_dma,
	  .no_client = NO_CLIENT,
	  .good = NO_HANDLE },
	{ .name = "UPDATE_DEVICE_MAPPING_INFO",
	  TWO(RM_UPDATE_DEVICE_MAPPING_INFO, NVOS56_PARAMETERS, hClient, hDevice, hMemory, status),
	  .first = DEVICE,
	  .second = MEMORY,
	  .other_first = MEMORY,
	  .first_wrong = NO_HANDLE,
	  .other_second = SUBDEVICE,
	  .second_wrong = NO_HANDLE,
	  .no_client = NO_CLIENT,
	  .good = NOT_FOUND },
	{ .name = "I2C_ACCESS",
	  ONE(RM_I2C_ACCESS, NVOS_I2C_ACCESS_PARAMS, hClient, hDevice, status),
	  .on_gpu = true,
	  .first = SUBDEVICE,
	  .other_first = MEMORY,
	  .first_wrong = NO_HANDLE,
	  UNSERVED },
	{ .name = "EXPORT_TO_DMABUF_FD",
	  ONE(EXPORT_TO_DMABUF_FD, nv_ioctl_export_to_dma_buf_fd_t, hClient, handles, status),
	  .on_gpu = true,
	  .first = MEMORY,
	  .fill = fill_dma_buf,
	  UNSERVED },
	{ .name = "ALLOC_MEMORY, system",
	  OLD_MEMORY,
	  .fill = fill_system_memory,
	  .other_first = MEMORY,
	  .first_wrong = NO_PARENT,
	  .again = TAKEN,
	  SERVED },
	{ .name = "ALLOC_MEMORY, OS descriptor", OLD_MEMORY, .fill = fill_os_descriptor, UNSERVED },
	{ .name = "ALLOC_OBJECT",
	  ONE(RM_ALLOC_OBJECT, NVOS05_PARAMETERS, hRoot, hObjectParent, status),
	  .first = SUBDEVICE,
	  .fill = fill_diag,
	  .other_first = DEVICE,
	  .first_wrong = NO_PARENT,
	  .again = NV_ERR_STATE_IN_USE,
	  SERVED },
	{ .name = "DUP_OBJECT",
	  TWO(RM_DUP_OBJECT, NVOS55_PARAMETERS, hClient, hObjectSrc, hParent, status),
	  .first = MEMORY,
	  .second = DEVICE,
	  .fill = fill_dup,
	  .other_first = DEVICE,
	  .first_wrong = NV_ERR_INVALID_ARGUMENT,
	  .again = TAKEN,
	  SERVED },
	{ .name = "SHARE",
	  ONE(RM_SHARE, NVOS57_PARAMETERS, hClient, hObject, status),
	  .first = MEMORY,
	  .fill = fill_share,
	  SERVED },
	{ .name = "VID_HEAP_CONTROL, size",
	  HEAP,
	  .fill = fill_heap_size,
	  .works_on = true,
	  .other_first = MEMORY,
	  .first_wrong = NO_PARENT,
	  .again = TAKEN,
	  SERVED },
	{ .name = "VID_HEAP_CONTROL, OS descriptor",
	  HEAP,
	  .fill = fill_heap_os_descriptor,
	  UNSERVED },
	{ .name = "VID_HEAP_CONTROL, information",
	  HEAP,
	  .fill = fill_heap_info,
	  .works_on = true,
	  .no_client = NO_CLIENT,
	  .good = NV_OK },
};

static void put(union any *p, u32 at, u32 value)
{
	if (at)
		memcpy(p->bytes + at, &value, sizeof(value));
}

static u32 get(const union any *p, u32 at)
{
	u32 value;

	memcpy(&value, p->bytes + at, sizeof(value));
	return value;
}

static void ask(const struct row *row, const char *what, u32 root, u32 first, u32 second,
		enum nv_status want)
{
	union any p, before;
	u64 held = unit_live();

	memset(&p, 0, sizeof(p));
	if (row->fill)
		row->fill(&p);
	memcpy(p.bytes + row->at.client, &root, sizeof(root));
	put(&p, row->at.first, first);
	put(&p, row->at.second, second);
	put(&p, row->at.status, 0xffff);
	before = p;
	assert_int_equal(host_ioctl(row->on_gpu ? gpu : ctl, row->number, &p, row->size),
			 RM_IOCTL_OK);
	if (get(&p, row->at.status) != (u32)want)
		fail_msg("%s, %s: status %#x instead of %#x", row->name, what,
			 get(&p, row->at.status), want);
	if (want == NV_OK)
		return;
	if (!unit_live_becomes(held))
		fail_msg("%s, %s: something is left behind", row->name, what);
	put(&p, row->at.status, 0xffff);
	if (!row->works_on && memcmp(&p, &before, sizeof(p)))
		fail_msg("%s, %s: more than the status changed", row->name, what);
}

static void test_each_handle_is_checked(void **state)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		ask(r, "no client", 0, r->first, r->second, r->no_client);
		ask(r, "unknown client", NOWHERE, r->first, r->second, r->no_client);
		ask(r, "an object for the client", DEVICE, r->first, r->second, r->no_client);
		/* Where they are does not matter, nor that the handles would be good there. */
		ask(r, "other file's client", others, r->first, r->second, NO_CLIENT);
		ask(r, "other user's client", strangers, r->first, r->second, NO_CLIENT);
		ask(r, "no first object", client, 0, r->second, NOT_FOUND);
		ask(r, "unknown first object", client, NOWHERE, r->second, NOT_FOUND);
		ask(r, "other client for the first object", client, others, r->second, NOT_FOUND);
		if (r->other_first)
			ask(r, "wrong kind of first object", client, r->other_first, r->second,
			    r->first_wrong);
		if (r->at.second) {
			ask(r, "unknown second object", client, r->first, NOWHERE, NOT_FOUND);
			ask(r, "other client for the second object", client, r->first, others,
			    NOT_FOUND);
		}
		if (r->other_second)
			ask(r, "wrong kind of second object", client, r->first, r->other_second,
			    r->second_wrong);
		ask(r, "all good", client, r->first, r->second, r->good);
		if (r->again) {
			/* It is there: there is no place for another one. */
			ask(r, "once more", client, r->first, r->second, r->again);
			assert_int_equal(host_free(ctl, client, NEW), NV_OK);
			ask(r, "after it was freed", client, r->first, r->second, r->good);
			assert_int_equal(host_free(ctl, client, NEW), NV_OK);
		}
	}
}

/* -- Sources of duplicates, targets of shares -------------------------------------------------- */

static u32 dup_from(u32 source_client, u32 source)
{
	NVOS55_PARAMETERS p = {
		.hClient = client,
		.hParent = DEVICE,
		.hObject = NEW,
		.hClientSrc = source_client,
		.hObjectSrc = source,
		.status = 0xffff,
	};

	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_DUP_OBJECT, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

static u32 share(int fd, u32 root, u32 object, u32 type, u32 target, u32 rights, u32 action)
{
	NVOS57_PARAMETERS p = {
		.hClient = root,
		.hObject = object,
		.sharePolicy = { .target = target,
				 .accessMask = { { rights } },
				 .type = (u16)type,
				 .action = (u8)action },
		.status = 0xffff,
	};

	assert_int_equal(host_ioctl(fd, NV_ESC_RM_SHARE, &p, sizeof(p)), RM_IOCTL_OK);
	return p.status;
}

static void test_duplicates_need_the_right(void **state)
{
	const u32 dup = 1u << RS_ACCESS_DUP_OBJECT, nice = 1u << RS_ACCESS_NICE;

	assert_int_equal(dup_from(NOWHERE, MEMORY), NO_HANDLE);
	assert_int_equal(dup_from(client, NOWHERE), NOT_FOUND);
	assert_int_equal(dup_from(others, NOWHERE), NOT_FOUND);
	/* Of the same process: by the policy that is there. */
	assert_int_equal(dup_from(others, MEMORY), NV_OK);
	assert_int_equal(host_free(ctl, client, NEW), NV_OK);
	/* Of another one, and then by a policy of its own. */
	assert_int_equal(dup_from(strangers, MEMORY), NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(share(strange, strangers, MEMORY, RS_SHARE_TYPE_CLIENT, NOWHERE, dup, 0),
			 NO_HANDLE);
	assert_int_equal(share(strange, strangers, MEMORY, RS_SHARE_TYPE_MAX, 0, dup, 0),
			 NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(dup_from(strangers, MEMORY), NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(share(strange, strangers, MEMORY, RS_SHARE_TYPE_CLIENT, others, dup, 0),
			 NV_OK);
	assert_int_equal(dup_from(strangers, MEMORY), NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(share(strange, strangers, MEMORY, RS_SHARE_TYPE_CLIENT, client, dup, 0),
			 NV_OK);
	assert_int_equal(dup_from(strangers, MEMORY), NV_OK);
	assert_int_equal(host_free(ctl, client, NEW), NV_OK);
	assert_int_equal(share(strange, strangers, MEMORY, RS_SHARE_TYPE_CLIENT, client, dup, 1),
			 NV_OK);
	assert_int_equal(dup_from(strangers, MEMORY), NV_ERR_INSUFFICIENT_PERMISSIONS);
	/* Nobody gives what he does not have. */
	assert_int_equal(share(ctl, client, MEMORY, RS_SHARE_TYPE_ALL, 0, nice, 0),
			 NV_ERR_INSUFFICIENT_PERMISSIONS);
	be(0, 4000);
	assert_int_equal(share(ctl, client, MEMORY, RS_SHARE_TYPE_ALL, 0, nice, 0), NV_OK);
}

/* -- Rights ------------------------------------------------------------------------------------ */

static void test_nvlog_is_the_administrators(void **state)
{
	struct {
		u32 ctrl, status;
	} head = { 1, 0xffff };

	assert_int_equal(host_ioctl(gpu, NV_ESC_RM_NVLOG_CTRL, &head, sizeof(head)),
			 RM_IOCTL_EINVAL);
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_NVLOG_CTRL, &head, sizeof(head) - 1),
			 RM_IOCTL_EINVAL);
	assert_int_equal(head.status, 0xffff);
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_NVLOG_CTRL, &head, sizeof(head)),
			 RM_IOCTL_EINVAL);
	assert_int_equal(head.status, NV_ERR_INSUFFICIENT_PERMISSIONS);
	be(0, 4000);
	assert_int_equal(host_ioctl(ctl, NV_ESC_RM_NVLOG_CTRL, &head, sizeof(head)),
			 RM_IOCTL_EINVAL);
	assert_int_equal(head.status, NOT_SUPPORTED);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, host_end)
	const struct CMUnitTest tests[] = {
		T(test_each_handle_is_checked),
		T(test_duplicates_need_the_right),
		T(test_nvlog_is_the_administrators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
