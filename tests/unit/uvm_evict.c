// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that makes room for other managed memory, and for clients' own, over the real
 * resource manager and a software H100 of which little video memory is left: two VA spaces that
 * have more than fits, threads that touch, map and unmap it meanwhile, memory that cannot be had,
 * a GPU that goes, and the same in confidential mode.
 */
#include <pthread.h>

#include "rm_host.h"
#include "unit.h"

#include "base/bits.h"
#include "rm/api/api.h"
#include "rm/class/memory.h"
#include "rm/class/state.h"
#include "uvm/block.h"
#include "uvm/evict.h"
#include "uvm/queue.h"

#define DEVICE 0xd0u
#define SPACE 0xe0u /* + VA space */
#define MEMORY 0xf0u
#define BASE 0x300000000ull
#define PAGE 0x1000ull
#define SPACES 2u
#define EXTERNALLY_OWNED 0x48u
#define HOGS 4096u
#define ROOTS_MAX 8u

static struct uvm *uvm;
static struct uvm_file *files[2 * SPACES]; /* two of each space */
static int ctl;
static u32 client;
static NvProcessorUuid uuid;
static const NvProcessorUuid the_cpu = { { 0xa6, 0x5e, 0x0f, 0x4e, 0xd7, 0xd4, 0x7b, 0xa2, 0x50,
					   0x47, 0x41, 0x2c, 0x14, 0x2a, 0x77, 0x73 } };
static struct rm_uvm_video *hogs[HOGS];
static u32 hog_count;

/* -- The host ---------------------------------------------------------------------------------- */

static struct uvm_file *file_get(s32 fd)
{
	return fd >= 0 && fd < (s32)(2 * SPACES) ? files[fd] : NULL;
}

static void file_put(struct uvm_file *file)
{
}

static u64 current_mm(void)
{
	return 1;
}

/* Nobody has anything mapped: every access asks. */
static bool host_unmap(void *ctx, u64 address, u64 size)
{
	return true;
}

static const struct uvm_host_ops ops = {
	.file_get = file_get,
	.file_put = file_put,
	.current_mm = current_mm,
	.unmap = host_unmap,
};

static u32 call_of(struct uvm_file *file, u32 number, void *params, const u32 *status)
{
	assert_int_equal(uvm_ioctl(file, number, (u64)(uintptr_t)params), UVM_RESULT_OK);
	return *status;
}

#define CALL(space, p, number) call_of(files[2 * (space)], number, p, &(p)->rmStatus)

/* -- The CPU ----------------------------------------------------------------------------------- */

struct touch {
	u64 address, add, was;
};

static enum uvm_result touch_page(void *ctx, const struct uvm_extent *e)
{
	struct touch *touch = ctx;
	u64 *word = (u64 *)((u8 *)e->pages->cpu + e->offset + (touch->address - e->address));

	touch->was = *word;
	*word += touch->add;
	return UVM_RESULT_OK;
}

/* Adds to the word there, and gives what it was; false: a bus error. */
static bool add(u32 space, u64 address, u64 by, u64 *was)
{
	struct touch touch = { .address = address, .add = by };
	struct uvm_extent extent;
	enum uvm_result result =
		uvm_file_fault(files[2 * space], address, true, &extent, touch_page, &touch);

	*was = touch.was;
	return result == UVM_RESULT_OK;
}

static u64 value_at(u32 space, u64 address)
{
	u64 x = address * 31 + space;

	(void)unit_random(&x);
	return unit_random(&x);
}

static void write_all(u32 space, u64 start, u64 size)
{
	u64 at, was;

	for (at = start; at < start + size; at += PAGE) {
		assert_true(add(space, at, 0, &was));
		assert_true(add(space, at, value_at(space, at) - was, &was));
	}
}

static void read_all(u32 space, u64 start, u64 size)
{
	u64 at, was;

	for (at = start; at < start + size; at += PAGE) {
		assert_true(add(space, at, 0, &was));
		if (was != value_at(space, at))
			fail_msg("space %u: %#llx is %#llx", space, (unsigned long long)at,
				 (unsigned long long)was);
	}
}

/* -- What is asked of unified memory -------------------------------------------------------------
 */

static void map(u32 space, u64 start, u64 size)
{
	enum uvm_mmap_kind kind;

	assert_int_equal(uvm_file_mmap(files[2 * space], start, size, start, 7, &kind),
			 UVM_RESULT_OK);
}

static void unmap(u32 space, u64 start, u64 size)
{
	uvm_file_munmap(files[2 * space], start, size);
}

static u32 migrate(u32 space, u64 start, u64 size, bool to_gpu)
{
	UVM_MIGRATE_PARAMS p = { .base = start,
				 .length = size,
				 .destinationUuid = to_gpu ? uuid : the_cpu };

	return CALL(space, &p, UVM_MIGRATE);
}

/* How many pages of it are in video memory. */
static u64 away(u32 space, u64 start, u64 size)
{
	struct uvm_space *s = files[2 * space]->space;
	u64 at, count = 0;

	os_mutex_lock(&s->lock);
	for (at = start; at < start + size; at += PAGE) {
		struct uvm_range *range = uvm_range_find(s, at);
		struct uvm_block *block = range->blocks[uvm_block_index(range, at)];

		count += block && uvm_block_is_away(block, at);
	}
	os_mutex_unlock(&s->lock);
	return count;
}

static u64 used_bytes(void)
{
	struct rm_gpu_objects *objects = rm_gpu_objects_of(host.rm_gpus[0]);
	u64 used;

	os_mutex_lock(&objects->lock);
	used = objects->heap.used;
	os_mutex_unlock(&objects->lock);
	return used;
}

/* Leaves so many roots for unified memory. */
static void hog(u32 roots)
{
	struct rm_uvm_video *left[ROOTS_MAX];
	u64 address, size;
	u32 i;

	assert_true(roots <= ROOTS_MAX);
	for (i = 0; i < roots; i++)
		assert_int_equal(
			rm_uvm_video_alloc(host.rm_gpus[0], MIB(2), MIB(2), &left[i], &address),
			NV_OK);
	for (size = GIB(4); size >= PAGE; size /= 2) {
		while (rm_uvm_video_alloc(host.rm_gpus[0], size, PAGE, &hogs[hog_count],
					  &address) == NV_OK)
			assert_true(++hog_count < HOGS);
	}
	while (roots--)
		rm_uvm_video_free(left[roots]);
}

static void hog_end(void)
{
	while (hog_count)
		rm_uvm_video_free(hogs[--hog_count]);
}

/* -- Set up ------------------------------------------------------------------------------------ */

static void make_space(u32 space)
{
	NV_VASPACE_ALLOCATION_PARAMETERS params = { .flags = EXTERNALLY_OWNED };
	UVM_MM_INITIALIZE_PARAMS mm = { .uvmFd = (s32)(2 * space) };
	UVM_REGISTER_GPU_PARAMS gpu = { .gpu_uuid = uuid };
	UVM_REGISTER_GPU_VASPACE_PARAMS va = {
		.gpuUuid = uuid, .rmCtrlFd = ctl, .hClient = client, .hVaSpace = SPACE + space
	};
	UVM_INITIALIZE_PARAMS init = { 0 };
	u32 handle = SPACE + space;

	assert_int_equal(uvm_file_open(uvm, UVM_NODE_UVM, NULL, &files[2 * space]), NV_OK);
	assert_int_equal(uvm_file_open(uvm, UVM_NODE_UVM, NULL, &files[2 * space + 1]), NV_OK);
	assert_int_equal(
		host_alloc(ctl, client, DEVICE, &handle, FERMI_VASPACE_A, &params, sizeof(params)),
		NV_OK);
	assert_int_equal(CALL(space, &init, UVM_INITIALIZE), NV_OK);
	assert_int_equal(call_of(files[2 * space + 1], UVM_MM_INITIALIZE, &mm, &mm.rmStatus),
			 NV_OK);
	assert_int_equal(CALL(space, &gpu, UVM_REGISTER_GPU), NV_OK);
	assert_int_equal(CALL(space, &va, UVM_REGISTER_GPU_VASPACE), NV_OK);
}

static void end_space(u32 space)
{
	uvm_file_close(files[2 * space + 1]);
	uvm_file_close(files[2 * space]);
	files[2 * space] = NULL;
}

static int start_like(enum h100_cc cc)
{
	const struct fixture_gpu_config like = { .cc = cc };
	struct uvm_config config = { .host = &ops };
	NV0080_ALLOC_PARAMETERS device = { 0 };
	u32 handle = DEVICE, space;

	os_user_set_tee(cc == H100_CC_OFF ? OS_TEE_NONE : OS_TEE_TDX);
	host_start_like(1, &like);
	config.rm = host.rm;
	assert_true(host_open(RM_NODE_GPU, 0) >= 0);
	ctl = host_open(RM_NODE_CONTROL, 0);
	client = host_client(ctl);
	assert_int_equal(
		host_alloc(ctl, client, client, &handle, NV01_DEVICE_0, &device, sizeof(device)),
		NV_OK);
	uuid = host_gpu_uuid(ctl, client, 0);
	assert_int_equal(uvm_create(&config, &uvm), NV_OK);
	for (space = 0; space < SPACES; space++)
		make_space(space);
	/* With its channels and the first tables. */
	map(0, BASE, MIB(2));
	write_all(0, BASE, PAGE);
	assert_int_equal(migrate(0, BASE, MIB(2), true), NV_OK);
	unmap(0, BASE, MIB(2));
	return 0;
}

static int start(void **state)
{
	return start_like(H100_CC_OFF);
}

static int start_confidential(void **state)
{
	return start_like(H100_CC_ON);
}

static int end(void **state)
{
	u32 space;

	hog_end();
	for (space = 0; space < SPACES; space++) {
		if (files[2 * space])
			end_space(space);
	}
	uvm_destroy(uvm);
	os_user_set_tee(OS_TEE_NONE);
	return host_end(state);
}

/* -- One space --------------------------------------------------------------------------------- */

/* Three times of what there is: the last to come are there, and all of it is whole. */
static void test_more_than_fits(void **state)
{
	const u64 size = MIB(24);
	u64 was;

	hog(4);
	map(0, BASE, size);
	write_all(0, BASE, size);
	assert_int_equal(migrate(0, BASE, size, true), NV_OK);
	assert_int_equal(away(0, BASE, size - MIB(8)), 0);
	assert_int_equal(away(0, BASE + size - MIB(8), MIB(8)), MIB(8) / PAGE);
	read_all(0, BASE, size);
	/* What was first is back there, and what came is the next to go. */
	assert_int_equal(migrate(0, BASE, MIB(4), true), NV_OK);
	assert_int_equal(away(0, BASE, MIB(4)), MIB(4) / PAGE);
	assert_int_equal(migrate(0, BASE + MIB(8), MIB(8), true), NV_OK);
	assert_int_equal(away(0, BASE + MIB(8), MIB(8)), MIB(8) / PAGE);
	assert_int_equal(away(0, BASE, MIB(4)), 0);
	read_all(0, BASE, size);
	assert_true(add(0, BASE, 0, &was));
}

/* The least recently used goes, where nothing is in no use at all. */
static void test_order(void **state)
{
	u64 was;

	hog(4);
	map(0, BASE, MIB(12));
	write_all(0, BASE, MIB(12));
	assert_int_equal(migrate(0, BASE, MIB(8), true), NV_OK);
	/* The first one is asked for again. */
	assert_int_equal(migrate(0, BASE, PAGE, true), NV_OK);
	assert_int_equal(migrate(0, BASE + MIB(8), PAGE, true), NV_OK);
	assert_int_equal(away(0, BASE, MIB(2)), 512);
	assert_int_equal(away(0, BASE + MIB(2), MIB(2)), 0);
	assert_int_equal(away(0, BASE + MIB(4), MIB(4)), 1024);
	assert_int_equal(away(0, BASE + MIB(8), MIB(2)), 1);
	/* That one page goes: its chunk is in no use, and is the next. */
	assert_true(add(0, BASE + MIB(8), 0, &was));
	assert_int_equal(migrate(0, BASE + MIB(10), MIB(2), true), NV_OK);
	assert_int_equal(away(0, BASE, MIB(2)), 512);
	assert_int_equal(away(0, BASE + MIB(4), MIB(8)), 1536);
	read_all(0, BASE, MIB(12));
}

/* Blocks that begin and end anywhere share roots, also after they were cut; all of a root goes. */
static void test_small_chunks(void **state)
{
	const u64 start = BASE + 3 * PAGE, size = MIB(1) + 7 * PAGE;
	UVM_SET_PREFERRED_LOCATION_PARAMS prefer = { .requestedBase = BASE + MIB(4) + MIB(1) + PAGE,
						     .length = 5 * PAGE,
						     .preferredLocation = the_cpu };
	u64 used;
	u32 i;

	used = used_bytes();
	for (i = 0; i < SPACES; i++) {
		map(i, start, size);
		map(i, BASE + MIB(4), MIB(2));
		write_all(i, start, size);
		write_all(i, BASE + MIB(4), MIB(2));
		assert_int_equal(migrate(i, start, size, true), NV_OK);
		assert_int_equal(migrate(i, BASE + MIB(4), MIB(2), true), NV_OK);
	}
	/* One each, and one and a bit for all that is smaller. */
	assert_true(used_bytes() - used == 4 * MIB(2));
	hog(0);
	assert_int_equal(CALL(0, &prefer, UVM_SET_PREFERRED_LOCATION), NV_OK);
	unmap(1, BASE + MIB(4) + MIB(1) + PAGE, 3 * PAGE);
	assert_int_equal(away(0, BASE + MIB(4), MIB(2)), 512);
	/* The least recently used is what was cut; what the two spaces share goes later. */
	map(0, BASE + MIB(8), MIB(8));
	write_all(0, BASE + MIB(8), MIB(8));
	assert_int_equal(migrate(0, BASE + MIB(8), MIB(2), true), NV_OK);
	assert_int_equal(away(0, BASE + MIB(4), MIB(2)), 0);
	assert_int_equal(away(0, start, size), size / PAGE);
	assert_int_equal(away(1, start, size), size / PAGE);
	assert_int_equal(migrate(0, BASE + MIB(10), MIB(6), true), NV_OK);
	assert_int_equal(away(0, BASE + MIB(8), MIB(8)), 2048);
	assert_int_equal(away(0, start, size) + away(1, start, size), 0);
	assert_int_equal(away(1, BASE + MIB(4), MIB(1) + PAGE), 0);
	for (i = 0; i < SPACES; i++) {
		read_all(i, start, size);
		read_all(i, BASE + MIB(4), MIB(1) + PAGE);
		read_all(i, BASE + MIB(4) + MIB(1) + 4 * PAGE, MIB(1) - 4 * PAGE);
		unmap(i, BASE, MIB(16));
	}
	hog_end();
	assert_true(used_bytes() == used);
}

/* -- Others ------------------------------------------------------------------------------------ */

/* Another VA space's memory goes as well as one's own. */
static void test_two_spaces(void **state)
{
	u32 i;

	hog(4);
	for (i = 0; i < SPACES; i++) {
		map(i, BASE, MIB(10));
		write_all(i, BASE, MIB(10));
	}
	assert_int_equal(migrate(1, BASE, MIB(8), true), NV_OK);
	assert_int_equal(migrate(0, BASE, MIB(4), true), NV_OK);
	assert_int_equal(away(1, BASE, MIB(4)), 0);
	assert_int_equal(away(1, BASE + MIB(4), MIB(4)), 1024);
	assert_int_equal(away(0, BASE, MIB(4)), 1024);
	read_all(1, BASE, MIB(10));
	read_all(0, BASE, MIB(10));
	/* Of one that is gone there is nothing to go. */
	assert_int_equal(migrate(1, BASE, MIB(8), true), NV_OK);
	end_space(1);
	assert_int_equal(migrate(0, BASE, MIB(10), true), NV_OK);
	assert_int_equal(away(0, BASE + MIB(2), MIB(8)), 2048);
	read_all(0, BASE, MIB(10));
}

/* Page tables find room too. */
static void test_tables(void **state)
{
	const u64 far = GIB(64);
	u64 i;

	hog(4);
	map(0, BASE, MIB(8));
	write_all(0, BASE, MIB(8));
	assert_int_equal(migrate(0, BASE, MIB(8), true), NV_OK);
	assert_int_equal(away(0, BASE, MIB(8)), 2048);
	/* Two tables for each. */
	for (i = 1; i < 400; i++) {
		map(0, BASE + i * far, PAGE);
		write_all(0, BASE + i * far, PAGE);
		assert_int_equal(migrate(0, BASE + i * far, PAGE, false), NV_OK);
	}
	assert_true(away(0, BASE, MIB(8)) < 2048);
	for (i = 1; i < 400; i++)
		read_all(0, BASE + i * far, PAGE);
	read_all(0, BASE, MIB(8));
}

static u32 client_takes(u64 size, bool contiguous, u32 *handle)
{
	NV_MEMORY_ALLOCATION_PARAMS p = {
		.owner = 1,
		.size = size,
		.attr = (u32)(REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_VIDMEM) |
			      REG_PREP(NVOS32_ATTR_PHYSICALITY,
				       contiguous ? NVOS32_ATTR_PHYSICALITY_CONTIGUOUS
						  : NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS)),
	};

	return host_alloc(ctl, client, DEVICE, handle, NV01_MEMORY_LOCAL_USER, &p, sizeof(p));
}

/* Clients' own memory comes before managed memory, if that makes enough room. */
static void test_clients(void **state)
{
	u32 handle = MEMORY, other = MEMORY + 1;

	hog(4);
	map(0, BASE, MIB(8));
	write_all(0, BASE, MIB(8));
	assert_int_equal(migrate(0, BASE, MIB(8), true), NV_OK);
	/* So much there is not: nothing moves. */
	assert_int_equal(client_takes(MIB(10), false, &handle), NV_ERR_NO_MEMORY);
	assert_int_equal(away(0, BASE, MIB(8)), 2048);
	handle = MEMORY;
	assert_int_equal(client_takes(MIB(4), false, &handle), NV_OK);
	assert_int_equal(handle, MEMORY);
	assert_int_equal(away(0, BASE, MIB(4)), 0);
	assert_int_equal(away(0, BASE + MIB(4), MIB(4)), 1024);
	assert_int_equal(client_takes(KIB(64), true, &other), NV_OK);
	assert_int_equal(away(0, BASE + MIB(4), MIB(4)), 512);
	assert_int_equal(host_free(ctl, client, other), NV_OK);
	assert_int_equal(host_free(ctl, client, handle), NV_OK);
	read_all(0, BASE, MIB(8));
	/* Nor does it once there is nothing left of it. */
	unmap(0, BASE, MIB(8));
	assert_int_equal(client_takes(MIB(8), false, &handle), NV_OK);
	other = MEMORY + 1;
	assert_int_equal(client_takes(MIB(2), false, &other), NV_ERR_NO_MEMORY);
}

/* -- Threads ----------------------------------------------------------------------------------- */

#define THREAD_SIZE MIB(8)
#define TOUCHES 1500u

static u32 going;

static void *mover(void *arg)
{
	u32 space = (u32)(uintptr_t)arg;
	u64 random = space + 1;

	while (os_load_acquire(&going)) {
		u64 page = unit_random(&random) % (THREAD_SIZE / PAGE - 600);
		u64 pages = 1 + unit_random(&random) % 600;
		u32 status = migrate(space, BASE + page * PAGE, pages * PAGE,
				     unit_random(&random) % 4 != 0);

		/* All that there is may be somebody's who moves just now. */
		assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY);
	}
	return NULL;
}

static void *mapper(void *arg)
{
	const u64 start = BASE + GIB(1);
	u32 space = (u32)(uintptr_t)arg;

	while (os_load_acquire(&going)) {
		u32 status;

		map(space, start, MIB(3));
		write_all(space, start + MIB(1), 8 * PAGE);
		status = migrate(space, start, MIB(3), true);
		assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY);
		unmap(space, start + MIB(1) + 3 * PAGE, PAGE);
		read_all(space, start + MIB(1), 3 * PAGE);
		unmap(space, start, MIB(3));
	}
	return NULL;
}

static void *toucher(void *arg)
{
	u32 space = (u32)(uintptr_t)arg;
	u64 random = space + 77, was;
	u32 i;

	for (i = 0; i < TOUCHES; i++)
		assert_true(add(space, BASE + unit_random(&random) % (THREAD_SIZE / PAGE) * PAGE, 1,
				&was));
	return NULL;
}

static void threads(void)
{
	pthread_t movers[SPACES], mappers[SPACES], touchers[SPACES];
	u64 at, was, sum;
	u32 i;

	hog(4);
	for (i = 0; i < SPACES; i++)
		map(i, BASE, THREAD_SIZE);
	os_store_release(&going, 1u);
	for (i = 0; i < SPACES; i++) {
		void *arg = (void *)(uintptr_t)i;

		assert_int_equal(pthread_create(&movers[i], NULL, mover, arg), 0);
		assert_int_equal(pthread_create(&mappers[i], NULL, mapper, arg), 0);
		assert_int_equal(pthread_create(&touchers[i], NULL, toucher, arg), 0);
	}
	for (i = 0; i < SPACES; i++)
		pthread_join(touchers[i], NULL);
	os_store_release(&going, 0u);
	for (i = 0; i < SPACES; i++) {
		pthread_join(movers[i], NULL);
		pthread_join(mappers[i], NULL);
	}
	for (i = 0; i < SPACES; i++) {
		for (at = 0, sum = 0; at < THREAD_SIZE; at += PAGE, sum += was)
			assert_true(add(i, BASE + at, 0, &was));
		assert_int_equal(sum, TOUCHES);
	}
}

static void test_threads(void **state)
{
	threads();
}

static void *remover(void *arg)
{
	os_sleep_us(30000);
	hog_end();
	host_remove(0);
	os_store_release(&going, 0u);
	return NULL;
}

static void *oversubscriber(void *arg)
{
	u32 space = (u32)(uintptr_t)arg, status = NV_OK;
	u64 i;

	for (i = 0; os_load_acquire(&going); i++) {
		status = migrate(space, BASE + i % 6 * MIB(2), MIB(4), true);
		if (status != NV_OK)
			break;
	}
	assert_true(status == NV_OK || status == NV_ERR_GPU_IS_LOST ||
		    status == NV_ERR_INVALID_DEVICE || status == NV_ERR_NO_MEMORY ||
		    status == NV_ERR_RC_ERROR);
	return NULL;
}

/* The GPU goes while both make room for themselves. */
static void test_removed(void **state)
{
	pthread_t threads[SPACES + 1];
	u64 at, was;
	u32 i;

	hog(4);
	for (i = 0; i < SPACES; i++) {
		map(i, BASE, MIB(16));
		write_all(i, BASE, MIB(16));
	}
	os_store_release(&going, 1u);
	for (i = 0; i < SPACES; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, oversubscriber, (void *)(uintptr_t)i), 0);
	assert_int_equal(pthread_create(&threads[i], NULL, remover, NULL), 0);
	for (i = 0; i <= SPACES; i++)
		pthread_join(threads[i], NULL);
	/* What is not lost is whole. */
	for (i = 0; i < SPACES; i++) {
		for (at = BASE; at < BASE + MIB(16); at += PAGE) {
			if (add(i, at, 0, &was))
				assert_true(was == value_at(i, at));
		}
	}
}

/* -- No memory --------------------------------------------------------------------------------- */

/* Whatever cannot be had in the middle: data is whole, and it can be tried again. */
static void no_memory(void)
{
	u64 nth, failed, refused = 0;
	u32 i;

	if (!os_user_fail_alloc_thread(0))
		skip();
	hog(2);
	for (i = 0; i < SPACES; i++) {
		map(i, BASE, MIB(4));
		write_all(i, BASE, MIB(4));
	}
	for (nth = 1;; nth++) {
		u32 status;

		assert_int_equal(migrate(1, BASE, MIB(4), true), NV_OK);
		assert_int_equal(away(1, BASE, MIB(4)), 1024);
		failed = unit_failed();
		os_user_fail_alloc_thread(nth);
		status = migrate(0, BASE + PAGE, MIB(3), true);
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed) {
			assert_int_equal(status, NV_OK);
			break;
		}
		assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY);
		refused += status != NV_OK;
	}
	assert_true(refused > 0);
	for (i = 0; i < SPACES; i++)
		read_all(i, BASE, MIB(4));
}

static void test_no_memory(void **state)
{
	no_memory();
}

/* -- Confidential mode ------------------------------------------------------------------------- */

static void test_confidential(void **state)
{
	test_more_than_fits(state);
}

int main(void)
{
#define CONFIDENTIAL(name) cmocka_unit_test_setup_teardown(name, start_confidential, end)
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(test_more_than_fits),  TEST(test_order),
		TEST(test_small_chunks),    TEST(test_two_spaces),
		TEST(test_tables),	    TEST(test_clients),
		TEST(test_threads),	    TEST(test_removed),
		TEST(test_no_memory),	    CONFIDENTIAL(test_confidential),
		CONFIDENTIAL(test_clients), CONFIDENTIAL(test_small_chunks),
		CONFIDENTIAL(test_threads), CONFIDENTIAL(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
