// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * libFuzzer target: a hostile program at /dev/nvidia-uvm and its tools' node, over the hand-made
 * resource manager and host of the unit tests. The input is a list of operations; most are ioctls,
 * whose fields are made good ones as often as not (an address out of a few, a GPU's UUID, a handle
 * that exists), so that the fuzzer gets behind the first checks. Whatever it did, closing the files
 * gives all back: the fake resource manager counts every reference and refuses writes to memory
 * that nobody has.
 */
#include <sys/mman.h>

#include "uvm_fake.h"

#define FILES 3u
#define BASE 0x200000000ull
#define STRUCTURE 2048u

#define SHARED KIB(16) /* memory of the program's, which it has pinned */

enum field {
	END,
	ADDRESS,
	LENGTH,
	UUID,
	DESCRIPTOR,
	CONTROL,
	CLIENT,
	HANDLE,
	SMALL,
	OFFSET,
	POINTER,
	POWER,
};

struct shape {
	u32 cmd, size;
	struct {
		u8 kind;
		u16 at;
	} fields[10];
};

#define F(type, kind, field)                         \
	{                                            \
		kind, offsetof(type##_PARAMS, field) \
	}
#define RANGE(type)                                     \
	{ ADDRESS, offsetof(type##_PARAMS, base) },     \
	{                                               \
		LENGTH, offsetof(type##_PARAMS, length) \
	}
#define REQUESTED(type)                                      \
	{ ADDRESS, offsetof(type##_PARAMS, requestedBase) }, \
	{                                                    \
		LENGTH, offsetof(type##_PARAMS, length)      \
	}
/* Of built-in tests that have nothing but a status. */
#define PLAIN(name)                          \
	{                                    \
		name, sizeof(name##_PARAMS), \
		{                            \
			{                    \
				0            \
			}                    \
		}                            \
	}
#define SHAPE(name, ...)                     \
	{                                    \
		name, sizeof(name##_PARAMS), \
		{                            \
			__VA_ARGS__,         \
			{                    \
				0            \
			}                    \
		}                            \
	}

static const struct shape shapes[] = {
	SHAPE(UVM_INITIALIZE, F(UVM_INITIALIZE, SMALL, flags)),
	SHAPE(UVM_MM_INITIALIZE, F(UVM_MM_INITIALIZE, DESCRIPTOR, uvmFd)),
	SHAPE(UVM_PAGEABLE_MEM_ACCESS, { 0 }),
	SHAPE(UVM_PAGEABLE_MEM_ACCESS_ON_GPU, F(UVM_PAGEABLE_MEM_ACCESS_ON_GPU, UUID, gpu_uuid)),
	SHAPE(UVM_REGISTER_GPU, F(UVM_REGISTER_GPU, UUID, gpu_uuid)),
	SHAPE(UVM_REGISTER_GPU, F(UVM_REGISTER_GPU, UUID, gpu_uuid)),
	SHAPE(UVM_UNREGISTER_GPU, F(UVM_UNREGISTER_GPU, UUID, gpu_uuid)),
	SHAPE(UVM_REGISTER_GPU_VASPACE, F(UVM_REGISTER_GPU_VASPACE, UUID, gpuUuid),
	      F(UVM_REGISTER_GPU_VASPACE, CONTROL, rmCtrlFd),
	      F(UVM_REGISTER_GPU_VASPACE, CLIENT, hClient),
	      F(UVM_REGISTER_GPU_VASPACE, HANDLE, hVaSpace)),
	SHAPE(UVM_UNREGISTER_GPU_VASPACE, F(UVM_UNREGISTER_GPU_VASPACE, UUID, gpuUuid)),
	SHAPE(UVM_REGISTER_CHANNEL, F(UVM_REGISTER_CHANNEL, UUID, gpuUuid),
	      F(UVM_REGISTER_CHANNEL, CONTROL, rmCtrlFd), F(UVM_REGISTER_CHANNEL, CLIENT, hClient),
	      F(UVM_REGISTER_CHANNEL, HANDLE, hChannel), RANGE(UVM_REGISTER_CHANNEL)),
	SHAPE(UVM_UNREGISTER_CHANNEL, F(UVM_UNREGISTER_CHANNEL, CLIENT, hClient),
	      F(UVM_UNREGISTER_CHANNEL, HANDLE, hChannel)),
	SHAPE(UVM_ENABLE_PEER_ACCESS, F(UVM_ENABLE_PEER_ACCESS, UUID, gpuUuidA),
	      F(UVM_ENABLE_PEER_ACCESS, UUID, gpuUuidB)),
	SHAPE(UVM_DISABLE_PEER_ACCESS, F(UVM_DISABLE_PEER_ACCESS, UUID, gpuUuidA),
	      F(UVM_DISABLE_PEER_ACCESS, UUID, gpuUuidB)),
	SHAPE(UVM_CREATE_EXTERNAL_RANGE, RANGE(UVM_CREATE_EXTERNAL_RANGE)),
	SHAPE(UVM_MAP_EXTERNAL_ALLOCATION, RANGE(UVM_MAP_EXTERNAL_ALLOCATION),
	      F(UVM_MAP_EXTERNAL_ALLOCATION, OFFSET, offset),
	      F(UVM_MAP_EXTERNAL_ALLOCATION, UUID, perGpuAttributes[0].gpuUuid),
	      F(UVM_MAP_EXTERNAL_ALLOCATION, SMALL, perGpuAttributes[0].gpuMappingType),
	      F(UVM_MAP_EXTERNAL_ALLOCATION, SMALL, gpuAttributesCount),
	      F(UVM_MAP_EXTERNAL_ALLOCATION, CONTROL, rmCtrlFd),
	      F(UVM_MAP_EXTERNAL_ALLOCATION, CLIENT, hClient),
	      F(UVM_MAP_EXTERNAL_ALLOCATION, HANDLE, hMemory)),
	SHAPE(UVM_MAP_EXTERNAL_SPARSE, RANGE(UVM_MAP_EXTERNAL_SPARSE),
	      F(UVM_MAP_EXTERNAL_SPARSE, UUID, gpuUuid)),
	SHAPE(UVM_UNMAP_EXTERNAL, RANGE(UVM_UNMAP_EXTERNAL), F(UVM_UNMAP_EXTERNAL, UUID, gpuUuid)),
	SHAPE(UVM_FREE, RANGE(UVM_FREE)),
	SHAPE(UVM_MAP_DYNAMIC_PARALLELISM_REGION, RANGE(UVM_MAP_DYNAMIC_PARALLELISM_REGION),
	      F(UVM_MAP_DYNAMIC_PARALLELISM_REGION, UUID, gpuUuid)),
	SHAPE(UVM_ALLOC_SEMAPHORE_POOL, RANGE(UVM_ALLOC_SEMAPHORE_POOL),
	      F(UVM_ALLOC_SEMAPHORE_POOL, UUID, perGpuAttributes[0].gpuUuid),
	      F(UVM_ALLOC_SEMAPHORE_POOL, SMALL, gpuAttributesCount)),
	SHAPE(UVM_VALIDATE_VA_RANGE, RANGE(UVM_VALIDATE_VA_RANGE)),
	SHAPE(UVM_CLEAN_UP_ZOMBIE_RESOURCES, { 0 }),
	SHAPE(UVM_CREATE_RANGE_GROUP, { 0 }),
	SHAPE(UVM_DESTROY_RANGE_GROUP, F(UVM_DESTROY_RANGE_GROUP, SMALL, rangeGroupId)),
	SHAPE(UVM_SET_RANGE_GROUP, REQUESTED(UVM_SET_RANGE_GROUP),
	      F(UVM_SET_RANGE_GROUP, SMALL, rangeGroupId)),
	SHAPE(UVM_PREVENT_MIGRATION_RANGE_GROUPS,
	      F(UVM_PREVENT_MIGRATION_RANGE_GROUPS, SMALL, rangeGroupIds[0]),
	      F(UVM_PREVENT_MIGRATION_RANGE_GROUPS, SMALL, numGroupIds)),
	SHAPE(UVM_ALLOW_MIGRATION_RANGE_GROUPS,
	      F(UVM_ALLOW_MIGRATION_RANGE_GROUPS, SMALL, rangeGroupIds[0]),
	      F(UVM_ALLOW_MIGRATION_RANGE_GROUPS, SMALL, numGroupIds)),
	SHAPE(UVM_SET_PREFERRED_LOCATION, REQUESTED(UVM_SET_PREFERRED_LOCATION),
	      F(UVM_SET_PREFERRED_LOCATION, UUID, preferredLocation)),
	SHAPE(UVM_UNSET_PREFERRED_LOCATION, REQUESTED(UVM_UNSET_PREFERRED_LOCATION)),
	SHAPE(UVM_SET_ACCESSED_BY, REQUESTED(UVM_SET_ACCESSED_BY),
	      F(UVM_SET_ACCESSED_BY, UUID, accessedByUuid)),
	SHAPE(UVM_UNSET_ACCESSED_BY, REQUESTED(UVM_UNSET_ACCESSED_BY),
	      F(UVM_UNSET_ACCESSED_BY, UUID, accessedByUuid)),
	SHAPE(UVM_ENABLE_READ_DUPLICATION, REQUESTED(UVM_ENABLE_READ_DUPLICATION)),
	SHAPE(UVM_DISABLE_READ_DUPLICATION, REQUESTED(UVM_DISABLE_READ_DUPLICATION)),
	SHAPE(UVM_MIGRATE, RANGE(UVM_MIGRATE), F(UVM_MIGRATE, UUID, destinationUuid),
	      F(UVM_MIGRATE, SMALL, flags), F(UVM_MIGRATE, ADDRESS, semaphoreAddress)),
	SHAPE(UVM_MIGRATE_RANGE_GROUP, F(UVM_MIGRATE_RANGE_GROUP, SMALL, rangeGroupId),
	      F(UVM_MIGRATE_RANGE_GROUP, UUID, destinationUuid)),
	SHAPE(UVM_TOOLS_READ_PROCESS_MEMORY, F(UVM_TOOLS_READ_PROCESS_MEMORY, ADDRESS, targetVa)),
	SHAPE(UVM_TOOLS_WRITE_PROCESS_MEMORY, F(UVM_TOOLS_WRITE_PROCESS_MEMORY, ADDRESS, targetVa)),
	SHAPE(UVM_TOOLS_GET_PROCESSOR_UUID_TABLE, { 0 }),
	SHAPE(UVM_POPULATE_PAGEABLE, RANGE(UVM_POPULATE_PAGEABLE)),
	/* Of tools files. */
	SHAPE(UVM_TOOLS_INIT_EVENT_TRACKER, F(UVM_TOOLS_INIT_EVENT_TRACKER, POINTER, queueBuffer),
	      F(UVM_TOOLS_INIT_EVENT_TRACKER, POWER, queueBufferSize),
	      F(UVM_TOOLS_INIT_EVENT_TRACKER, POINTER, controlBuffer),
	      F(UVM_TOOLS_INIT_EVENT_TRACKER, UUID, processor),
	      F(UVM_TOOLS_INIT_EVENT_TRACKER, SMALL, allProcessors),
	      F(UVM_TOOLS_INIT_EVENT_TRACKER, DESCRIPTOR, uvmFd)),
	SHAPE(UVM_TOOLS_INIT_EVENT_TRACKER, F(UVM_TOOLS_INIT_EVENT_TRACKER, POINTER, controlBuffer),
	      F(UVM_TOOLS_INIT_EVENT_TRACKER, UUID, processor),
	      F(UVM_TOOLS_INIT_EVENT_TRACKER, DESCRIPTOR, uvmFd)),
	SHAPE(UVM_TOOLS_SET_NOTIFICATION_THRESHOLD,
	      F(UVM_TOOLS_SET_NOTIFICATION_THRESHOLD, SMALL, notificationThreshold)),
	SHAPE(UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS,
	      F(UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS, POWER, eventTypeFlags)),
	SHAPE(UVM_TOOLS_EVENT_QUEUE_DISABLE_EVENTS,
	      F(UVM_TOOLS_EVENT_QUEUE_DISABLE_EVENTS, POWER, eventTypeFlags)),
	SHAPE(UVM_TOOLS_ENABLE_COUNTERS, F(UVM_TOOLS_ENABLE_COUNTERS, POWER, counterTypeFlags)),
	SHAPE(UVM_TOOLS_DISABLE_COUNTERS, F(UVM_TOOLS_DISABLE_COUNTERS, POWER, counterTypeFlags)),
	/* EINVAL but for instances with built-in tests. */
	SHAPE(UVM_TEST_INJECT_TOOLS_EVENT, F(UVM_TEST_INJECT_TOOLS_EVENT, SMALL, entry),
	      F(UVM_TEST_INJECT_TOOLS_EVENT, SMALL, count)),
	SHAPE(UVM_TEST_INCREMENT_TOOLS_COUNTER, F(UVM_TEST_INCREMENT_TOOLS_COUNTER, SMALL, counter),
	      F(UVM_TEST_INCREMENT_TOOLS_COUNTER, UUID, processor),
	      F(UVM_TEST_INCREMENT_TOOLS_COUNTER, SMALL, count)),
	SHAPE(UVM_TEST_GET_GPU_REF_COUNT, F(UVM_TEST_GET_GPU_REF_COUNT, UUID, gpu_uuid)),
	SHAPE(UVM_TEST_PEER_REF_COUNT, F(UVM_TEST_PEER_REF_COUNT, UUID, gpu_uuid_1),
	      F(UVM_TEST_PEER_REF_COUNT, UUID, gpu_uuid_2)),
	SHAPE(UVM_TEST_RANGE_TREE_RANDOM, F(UVM_TEST_RANGE_TREE_RANDOM, SMALL, seed),
	      F(UVM_TEST_RANGE_TREE_RANDOM, LENGTH, main_iterations),
	      F(UVM_TEST_RANGE_TREE_RANDOM, LENGTH, max_end),
	      F(UVM_TEST_RANGE_TREE_RANDOM, LENGTH, max_ranges),
	      F(UVM_TEST_RANGE_TREE_RANDOM, LENGTH, max_batch_count),
	      F(UVM_TEST_RANGE_TREE_RANDOM, SMALL, max_attempts)),
	SHAPE(UVM_TEST_VA_RANGE_INFO, F(UVM_TEST_VA_RANGE_INFO, ADDRESS, lookup_address)),
	SHAPE(UVM_TEST_VA_RANGE_SPLIT, F(UVM_TEST_VA_RANGE_SPLIT, ADDRESS, split_address)),
	SHAPE(UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR,
	      F(UVM_TEST_VA_RANGE_INJECT_SPLIT_ERROR, ADDRESS, lookup_address)),
	SHAPE(UVM_TEST_VA_RANGE_INJECT_ADD_GPU_VA_SPACE_ERROR,
	      F(UVM_TEST_VA_RANGE_INJECT_ADD_GPU_VA_SPACE_ERROR, ADDRESS, lookup_address)),
	SHAPE(UVM_TEST_VA_SPACE_INJECT_ERROR,
	      F(UVM_TEST_VA_SPACE_INJECT_ERROR, SMALL, va_block_allocation_fail_nth)),
	SHAPE(UVM_TEST_VA_BLOCK_INFO, F(UVM_TEST_VA_BLOCK_INFO, ADDRESS, lookup_address)),
	SHAPE(UVM_TEST_VA_RESIDENCY_INFO, F(UVM_TEST_VA_RESIDENCY_INFO, ADDRESS, lookup_address)),
	SHAPE(UVM_TEST_RANGE_GROUP_TREE, F(UVM_TEST_RANGE_GROUP_TREE, SMALL, rangeGroupIds[0]),
	      F(UVM_TEST_RANGE_GROUP_TREE, SMALL, rangeGroupIds[1]),
	      F(UVM_TEST_RANGE_GROUP_TREE, SMALL, rangeGroupIds[2]),
	      F(UVM_TEST_RANGE_GROUP_TREE, SMALL, rangeGroupIds[3])),
	SHAPE(UVM_TEST_RANGE_GROUP_RANGE_INFO,
	      F(UVM_TEST_RANGE_GROUP_RANGE_INFO, ADDRESS, lookup_address)),
	SHAPE(UVM_TEST_RANGE_GROUP_RANGE_COUNT,
	      F(UVM_TEST_RANGE_GROUP_RANGE_COUNT, SMALL, rangeGroupId)),
	SHAPE(UVM_TEST_CHECK_CHANNEL_VA_SPACE, F(UVM_TEST_CHECK_CHANNEL_VA_SPACE, UUID, gpu_uuid),
	      F(UVM_TEST_CHECK_CHANNEL_VA_SPACE, CLIENT, client),
	      F(UVM_TEST_CHECK_CHANNEL_VA_SPACE, HANDLE, channel),
	      F(UVM_TEST_CHECK_CHANNEL_VA_SPACE, DESCRIPTOR, va_space_fd)),
	SHAPE(UVM_TEST_GET_GPU_TIME, F(UVM_TEST_GET_GPU_TIME, UUID, gpu_uuid)),
	SHAPE(UVM_TEST_PMM_CHECK_LEAK, F(UVM_TEST_PMM_CHECK_LEAK, UUID, gpu_uuid),
	      F(UVM_TEST_PMM_CHECK_LEAK, LENGTH, chunk_size),
	      F(UVM_TEST_PMM_CHECK_LEAK, SMALL, alloc_limit)),
	SHAPE(UVM_TEST_PMM_ALLOC_FREE_ROOT, F(UVM_TEST_PMM_ALLOC_FREE_ROOT, UUID, gpu_uuid)),
	SHAPE(UVM_TEST_EVICT_CHUNK, F(UVM_TEST_EVICT_CHUNK, UUID, gpu_uuid),
	      F(UVM_TEST_EVICT_CHUNK, SMALL, eviction_mode),
	      F(UVM_TEST_EVICT_CHUNK, ADDRESS, address)),
	SHAPE(UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR,
	      F(UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR, UUID, gpu_uuid),
	      F(UVM_TEST_PMM_INJECT_PMA_EVICT_ERROR, SMALL, error_after_num_chunks)),
	SHAPE(UVM_TEST_CHANNEL_STRESS, F(UVM_TEST_CHANNEL_STRESS, SMALL, mode),
	      F(UVM_TEST_CHANNEL_STRESS, SMALL, iterations),
	      F(UVM_TEST_CHANNEL_STRESS, SMALL, num_streams)),
	PLAIN(UVM_TEST_VA_BLOCK),
	PLAIN(UVM_TEST_PAGE_TREE),
	PLAIN(UVM_TEST_RM_MEM_SANITY),
	PLAIN(UVM_TEST_TRACKER_SANITY),
	PLAIN(UVM_TEST_HOST_SANITY),
};

static u8 *shared;
static int shared_fd = -1;

static enum nv_status pin(void *ctx, u64 user, size_t size, bool writable,
			  struct os_user_pin_piece *pieces, u32 max, u32 *count)
{
	u64 offset = user - (u64)(uintptr_t)shared;

	if (offset >= SHARED || size > SHARED - offset)
		return NV_ERR_INVALID_ADDRESS;
	*pieces = (struct os_user_pin_piece){ dup(shared_fd), offset, size };
	*count = 1;
	return NV_OK;
}

static const struct os_user_pin_ops pin_ops = { pin };

static void share(void)
{
	if (shared)
		return;
	shared_fd = memfd_create("fuzz", MFD_CLOEXEC);
	assert_int_equal(ftruncate(shared_fd, SHARED), 0);
	shared = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
	assert_true(shared != MAP_FAILED);
	os_user_set_pin_ops(&pin_ops, NULL);
}

struct input {
	const u8 *data;
	size_t size;
};

static u32 byte(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static u64 address(struct input *in)
{
	u32 b = byte(in);

	switch (b >> 6) {
	case 0: /* blocks */
		return BASE + (b & 63) * MIB(2);
	case 1: /* odd pages */
		return BASE + (b & 63) * (KIB(64) + KIB(4));
	case 2:
		return BASE + (b & 63) * KIB(4) + (byte(in) & 1);
	default:
		return b & 1 ? BIT64(47) - (b & 62) * KIB(4) : (u64)b << byte(in) % 57;
	}
}

static u64 length(struct input *in)
{
	u32 b = byte(in);

	switch (b >> 6) {
	case 0:
		return (b & 15) * MIB(1);
	case 1:
		return (b & 63) * KIB(4);
	case 2:
		return (b & 63) * KIB(64);
	default:
		return b & 1 ? (u64)1 << (b & 31) : ~(u64)0 - b * KIB(4) + 1;
	}
}

/* Writes size 8, 4 or 16 bytes as the field has; too long for it is fine, as the block has room. */
static void field(struct input *in, u8 kind, u8 *at)
{
	u64 value = 0;
	u32 b;

	switch (kind) {
	case ADDRESS:
		value = address(in);
		memcpy(at, &value, 8);
		break;
	case LENGTH:
		value = length(in);
		memcpy(at, &value, 8);
		break;
	case OFFSET:
		value = (byte(in) % 40) * (byte(in) & 1 ? KIB(4) : KIB(64));
		memcpy(at, &value, 8);
		break;
	case POINTER:
		b = byte(in);
		value = (u64)(uintptr_t)shared + b % 5 * KIB(4) + (b >> 7) * 8;
		memcpy(at, &value, 8);
		break;
	case POWER:
		value = (u64)1 << byte(in) % 64;
		memcpy(at, &value, 8);
		break;
	case UUID:
		b = byte(in) % 5;
		memcpy(at, b < FAKE_GPUS ? fake_uuid(b) : b == 3 ? &fake_cpu : &fake_nobody, 16);
		break;
	case DESCRIPTOR:
		b = byte(in) % (FILES + 1);
		memcpy(at, &b, 4);
		break;
	case CONTROL:
		b = byte(in) % 8 ? FAKE_FD : 1;
		memcpy(at, &b, 4);
		break;
	case CLIENT:
		b = byte(in) % 8 ? FAKE_CLIENT : 1;
		memcpy(at, &b, 4);
		break;
	case HANDLE:
		b = byte(in);
		b = b < 64    ? FAKE_VASPACE + b % FAKE_GPUS
		    : b < 128 ? FAKE_CHANNEL + b % FAKE_GPUS + (b / 4 % 3) * 0x10
			      : 0x7000 + b % 8;
		memcpy(at, &b, 4);
		break;
	default:
		b = byte(in) % 5;
		memcpy(at, &b, 4);
		break;
	}
}

/* Tests end at a signal, which is not to be had here: no larger ones than take a moment. */
static void bound(u32 cmd, u8 *block)
{
	if (cmd == UVM_TEST_RANGE_TREE_RANDOM) {
		UVM_TEST_RANGE_TREE_RANDOM_PARAMS *p = (void *)block;

		p->main_iterations &= 31;
		p->collision_checks &= 3;
		p->iterator_checks &= 3;
		p->max_attempts &= 15;
		p->max_ranges = p->max_ranges > 65536 ? p->max_ranges : p->max_ranges & 63;
		p->verbose = 0;
	} else if (cmd == UVM_TEST_CHANNEL_STRESS) {
		UVM_TEST_CHANNEL_STRESS_PARAMS *p = (void *)block;

		p->iterations &= 15;
	} else if (cmd == UVM_TEST_INJECT_TOOLS_EVENT) {
		UVM_TEST_INJECT_TOOLS_EVENT_PARAMS *p = (void *)block;

		p->count &= 127;
	} else if (cmd == UVM_TEST_INCREMENT_TOOLS_COUNTER) {
		UVM_TEST_INCREMENT_TOOLS_COUNTER_PARAMS *p = (void *)block;

		p->count &= 127;
	} else if (cmd == UVM_TEST_PMM_CHECK_LEAK) {
		UVM_TEST_PMM_CHECK_LEAK_PARAMS *p = (void *)block;

		p->alloc_limit = p->alloc_limit > 0 ? p->alloc_limit & 63 : p->alloc_limit;
	} else if (cmd == UVM_TEST_PMM_ALLOC_FREE_ROOT) {
		UVM_TEST_PMM_ALLOC_FREE_ROOT_PARAMS *p = (void *)block;

		p->nap_us_before_free = p->nap_us_before_free > 1000000 ? ~0u : 0;
	}
}

static void call(struct input *in, u32 fd)
{
	static u8 block[STRUCTURE], user[4096];
	const struct shape *shape = &shapes[byte(in) % ARRAY_SIZE(shapes)];
	u32 i, raw;

	memset(block, 0, sizeof(block));
	for (i = 0; i < ARRAY_SIZE(shape->fields) && shape->fields[i].kind; i++)
		field(in, shape->fields[i].kind, block + shape->fields[i].at);
	if (shape->cmd == UVM_TOOLS_READ_PROCESS_MEMORY ||
	    shape->cmd == UVM_TOOLS_WRITE_PROCESS_MEMORY) {
		UVM_TOOLS_READ_PROCESS_MEMORY_PARAMS *p = (void *)block;

		p->buffer = (u64)(uintptr_t)user;
		p->size = byte(in) * 16;
	}
	/* a few bytes of its own choice */
	for (raw = byte(in) % 4; raw; raw--)
		block[(byte(in) * 5) % shape->size] ^= (u8)byte(in);
	if (shape->cmd == UVM_TOOLS_GET_PROCESSOR_UUID_TABLE)
		memcpy(block, &(u64){ (u64)(uintptr_t)user }, 8);
	if (shape->cmd == UVM_TOOLS_READ_PROCESS_MEMORY)
		memcpy(block, &(u64){ (u64)(uintptr_t)user }, 8);
	if (shape->cmd == UVM_TOOLS_READ_PROCESS_MEMORY ||
	    shape->cmd == UVM_TOOLS_WRITE_PROCESS_MEMORY)
		((UVM_TOOLS_READ_PROCESS_MEMORY_PARAMS *)(void *)block)->size &= 0xfff;
	bound(shape->cmd, block);
	/* The indices of rings, and whatever else is there. */
	if (byte(in) % 8 == 0)
		memset(shared + byte(in) % 4 * KIB(4) + byte(in) % 16, (int)byte(in), 16);
	(void)uvm_file_poll(fake.files[fd]);
	uvm_ioctl(fake.files[fd], shape->cmd, (u64)(uintptr_t)block);
}

static void step(struct input *in)
{
	u32 op = byte(in), fd = op % FILES;
	struct uvm_extent extent;
	enum uvm_mmap_kind kind;
	u64 at;

	if (!fake.open[fd]) {
		fake_open(byte(in) % 4 ? UVM_NODE_UVM : UVM_NODE_TOOLS);
		return;
	}
	switch (op / FILES % 16) {
	case 0:
		at = address(in);
		uvm_file_mmap(fake.files[fd], at, length(in) & 0xffffff, at, 7, &kind);
		break;
	case 1:
		at = address(in);
		uvm_file_munmap(fake.files[fd], at, length(in));
		break;
	case 2:
		if (uvm_file_fault(fake.files[fd], address(in), true, &extent, NULL, NULL) ==
		    UVM_RESULT_OK)
			((u8 *)extent.pages->cpu)[extent.offset + extent.size - 1]++;
		break;
	case 3:
		fake_close((int)fd);
		break;
	case 4:
		fake.mm = byte(in) % 8 ? 100 : byte(in) % 3;
		fake.can_unmap = byte(in) & 1;
		fake.links = byte(in) & 1;
		/* An error of a copy, or a GPU that goes in the middle of one. */
		fake.fail_launch = byte(in) % 8 ? 0 : 1 + byte(in) % 4;
		fake.lose_launch = byte(in) % 16 ? 0 : 1 + byte(in) % 4;
		break;
	case 5:
		if (byte(in) % 8 == 0) {
			struct rm_gpu *gpu = &fake.gpus[byte(in) % FAKE_GPUS];

			gpu->lost = true;
			fake.listener->gone(fake.listener_ctx, gpu);
			gpu->lost = false; /* another one in its place */
		} else if (byte(in) % 4) {
			fake.listener->suspend(fake.listener_ctx);
		} else {
			uvm_file_mm_gone(fake.files[fd]);
		}
		break;
	case 6:
		os_user_fail_alloc_thread(1 + byte(in) % 16);
		call(in, fd);
		os_user_fail_alloc_thread(0);
		break;
	default:
		call(in, fd);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };
	u32 i;

	u32 how = byte(&in);

	share();
	if (how & 4)
		fake_start_tests();
	else
		fake_start(how & 1);
	for (i = 0; i < 8; i++)
		fake_memory(i % FAKE_GPUS, i & 1, MIB(2) << (i / 3), i & 1 ? MIB(2) : KIB(4),
			    MIB(64) * (i + 1), i & 1 ? MIB(2) : KIB(4));
	for (i = 0; i < 2; i++)
		fake_open(UVM_NODE_UVM);
	uvm_ioctl(fake.files[0], UVM_INITIALIZE, (u64)(uintptr_t)&init);
	uvm_ioctl(fake.files[1], UVM_MM_INITIALIZE, (u64)(uintptr_t)&mm);
	/* Of two address spaces neither has memory of its own. */
	for (i = 0; i < (how & 2 ? 2 : 1); i++) {
		UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = *fake_uuid(i) };
		UVM_REGISTER_GPU_VASPACE_PARAMS space = { .gpuUuid = *fake_uuid(i),
							  .rmCtrlFd = FAKE_FD,
							  .hClient = FAKE_CLIENT,
							  .hVaSpace = FAKE_VASPACE + i };

		uvm_ioctl(fake.files[0], UVM_REGISTER_GPU, (u64)(uintptr_t)&gpu);
		uvm_ioctl(fake.files[0], UVM_REGISTER_GPU_VASPACE, (u64)(uintptr_t)&space);
	}
	while (in.size)
		step(&in);
	fake_end(NULL);
	return 0;
}
