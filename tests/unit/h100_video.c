// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Video memory for clients: ranges get memfds of their own, and are nobody's after a discard. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/bits.h"
#include "h100/engine/memory.h"
#include "h100/gsp/vram.h"
#include "h100/h100.h"

#define SIZE GIB(64)
#define OWNER 7u

static struct vram vram;

static int setup(void **state)
{
	return vram_create(&vram, SIZE) == NV_OK ? 0 : -1;
}

static int teardown(void **state)
{
	vram_destroy(&vram);
	return 0;
}

struct exported {
	int fd;
	u64 offset, size;
};

static struct exported export(u64 offset, u64 size)
{
	struct exported e;

	assert_int_equal(vram_export(&vram, OWNER, offset, size, &e.fd, &e.offset, &e.size), NV_OK);
	assert_true(e.size != 0 && e.size <= size);
	return e;
}

static u8 *map(const struct exported *e)
{
	u8 *at = mmap(NULL, e->size, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd, (off_t)e->offset);

	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

static u64 blocks(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (u64)st.st_blocks * 512;
}

static void both_sides_see_the_same_bytes(void **state)
{
	u64 at = GIB(3) + KIB(12);
	struct exported e;
	u8 *client;

	strcpy((char *)vram.video + at + 5000, "kept");
	strcpy((char *)vram.video + at - 100, "neighbour");
	e = export(at, KIB(16));
	assert_int_equal(e.size, KIB(16));
	client = map(&e);
	assert_string_equal((char *)client + 5000, "kept");
	client[1] = 0x5a;
	assert_int_equal(vram.video[at + 1], 0x5a);
	vram.video[at + 2] = 0xa5;
	assert_int_equal(client[2], 0xa5);
	assert_string_equal((char *)vram.video + at - 100, "neighbour");
	munmap(client, e.size);
}

/* Nothing but the range is behind its descriptor, and it cannot be cut short. */
static void an_export_holds_nothing_else(void **state)
{
	struct exported e = export(MIB(2), KIB(8));
	struct stat st;

	assert_int_equal(fstat(e.fd, &st), 0);
	assert_int_equal(st.st_size, KIB(8));
	assert_int_equal(e.offset, 0);
	assert_int_not_equal(ftruncate(e.fd, 0), 0);
	assert_int_not_equal(ftruncate(e.fd, (off_t)MIB(1)), 0);
}

static void an_export_is_made_once(void **state)
{
	struct exported all = export(MIB(4), MIB(1)), again = export(MIB(4), MIB(1)),
			part = export(MIB(4) + KIB(64), KIB(4)),
			past = export(MIB(4) + KIB(512), MIB(1)), rest;

	assert_int_equal(all.fd, again.fd);
	assert_int_equal(part.fd, all.fd);
	assert_int_equal(part.offset, KIB(64));
	assert_int_equal(past.fd, all.fd);
	assert_int_equal(past.size, KIB(512));
	rest = export(MIB(5), KIB(512));
	assert_int_not_equal(rest.fd, all.fd);
	/* A gap ends where the next one begins. */
	rest = export(MIB(3), MIB(4));
	assert_int_equal(rest.size, MIB(1));
}

static void bad_ranges_are_refused(void **state)
{
	static const u64 bad[][2] = {
		{ 0, 0 },
		{ 1, 4096 },
		{ 4096, 100 },
		{ SIZE, 4096 },
		{ 0, SIZE + 4096 },
		{ SIZE - 4096, 8192 },
		{ ~0ull - 4095, 4096 },
		{ 4096, ~0ull - 4095 },
	};
	u64 offset, size;
	int fd;

	vram.video[0] = 1;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			vram_export(&vram, OWNER, bad[i][0], bad[i][1], &fd, &offset, &size),
			NV_ERR_INVALID_ARGUMENT);
		vram_discard(&vram, bad[i][0], bad[i][1]);
	}
	assert_int_equal(vram.video[0], 1);
}

static void discarded_memory_is_nobodys(void **state)
{
	struct exported e = export(MIB(8), KIB(64)), anew;
	u8 *client = map(&e);

	memset(client, 0xcc, KIB(64));
	vram_discard(&vram, MIB(8), KIB(64));
	assert_int_equal(vram.video[MIB(8)], 0);
	assert_int_equal(client[0], 0xcc);
	client[1] = 0x77;
	assert_int_equal(vram.video[MIB(8) + 1], 0);
	vram.video[MIB(8) + 2] = 0x66;
	assert_int_equal(client[2], 0xcc);
	anew = export(MIB(8), KIB(64));
	munmap(client, KIB(64));
	client = map(&anew);
	assert_int_equal(client[0], 0);
	assert_int_equal(client[2], 0x66);
	munmap(client, KIB(64));
	assert_int_equal(vram.count, 1);
}

/* A discard of a part leaves the others exported, also two with a gap between. */
static void parts_are_discarded_alone(void **state)
{
	struct exported e = export(MIB(16), KIB(64)), low, high;
	u8 *client = map(&e);

	memset(client, 0xcc, KIB(64));
	vram_discard(&vram, MIB(16) + KIB(16), KIB(16));
	assert_int_equal(vram.count, 2);
	client[0] = 1;
	client[KIB(32)] = 2;
	client[KIB(20)] = 3;
	assert_int_equal(vram.video[MIB(16)], 1);
	assert_int_equal(vram.video[MIB(16) + KIB(32)], 2);
	assert_int_equal(vram.video[MIB(16) + KIB(20)], 0);
	low = export(MIB(16), KIB(64));
	assert_int_equal(low.size, KIB(16));
	high = export(MIB(16) + KIB(36), KIB(64));
	assert_int_equal(high.fd, low.fd);
	assert_int_equal(high.offset, KIB(36));
	assert_int_equal(high.size, KIB(28));
	vram_discard(&vram, MIB(16), KIB(40));
	assert_int_equal(vram.video[MIB(16)], 0);
	assert_int_equal(vram.video[MIB(16) + KIB(41)], 0xcc);
	vram_discard(&vram, MIB(15), MIB(2));
	assert_int_equal(vram.count, 0);
	assert_int_equal(vram.video[MIB(16) + KIB(41)], 0);
	munmap(client, KIB(64));
}

/* What is exported or discarded costs nothing that was not touched. */
static void untouched_memory_costs_nothing(void **state)
{
	struct exported e;

	vram.video[GIB(1) + KIB(100)] = 1;
	e = export(GIB(1), GIB(32));
	assert_int_equal(blocks(e.fd), 4096);
	assert_int_equal(blocks(vram.fd), 0);
	assert_int_equal(vram.video[GIB(1) + KIB(100)], 1);
	vram.video[0] = 1;
	vram_discard(&vram, 0, SIZE);
	assert_int_equal(blocks(vram.fd), 0);
	assert_int_equal(vram.count, 0);
}

static void many_exports_in_any_order(void **state)
{
	u64 seed = 42;

	for (u32 i = 0; i < 2000; i++) {
		u64 page = unit_random(&seed) % 512, count = 1 + unit_random(&seed) % 8;
		u64 at = page * 4096, size = count * 4096;
		struct exported e;

		if (unit_random(&seed) % 3 == 0) {
			vram_discard(&vram, at, size);
			for (u64 k = 0; k < size; k += 4096)
				assert_int_equal(vram.video[at + k], 0);
			continue;
		}
		vram.video[at] = (u8)(i | 1);
		e = export(at, size);
		assert_int_equal(vram.video[at], (u8)(i | 1));
		assert_true(e.size <= size);
	}
}

static void failing_allocations_change_nothing(void **state)
{
	u64 offset, size, live = unit_live();
	struct exported e;
	int fd;

	vram.video[MIB(1)] = 9;
	for (u32 n = 1; n <= 2; n++) {
		if (!os_user_fail_alloc(n))
			skip();
		assert_int_equal(vram_export(&vram, OWNER, MIB(1), KIB(4), &fd, &offset, &size),
				 NV_ERR_NO_MEMORY);
		os_user_fail_alloc(0);
		assert_int_equal(vram.video[MIB(1)], 9);
		assert_int_equal(vram.count, 0);
	}
	e = export(MIB(1), KIB(4));
	assert_int_equal(e.size, KIB(4));
	vram_discard(&vram, MIB(1), KIB(4));
	assert_in_range(unit_live(), live, live + 1); /* the list stays */
}

/* Without memory to note that an export has a gap now, what lies behind it is no longer exported:
 * the GPU keeps its bytes. */
static void a_gap_may_cost_the_rest(void **state)
{
	struct exported e;

	if (!os_user_fail_alloc(0))
		skip();
	for (u32 i = 0; i < 64; i++)
		e = export(MIB(100) + i * KIB(64), KIB(12));
	assert_int_equal(vram.count, vram.room);
	vram.video[MIB(100) + 63 * KIB(64) + KIB(8)] = 0x99;
	os_user_fail_alloc(1);
	vram_discard(&vram, MIB(100) + 63 * KIB(64) + KIB(4), KIB(4));
	os_user_fail_alloc(0);
	assert_int_equal(vram.count, 64);
	assert_int_equal(vram.video[MIB(100) + 63 * KIB(64) + KIB(8)], 0x99);
	e = export(MIB(100) + 63 * KIB(64) + KIB(8), KIB(4));
	assert_int_equal(e.offset, 0);
	assert_int_equal(vram.video[MIB(100) + 63 * KIB(64) + KIB(8)], 0x99);
}

/* -- Descriptors are counted ------------------------------------------------------------------- */

#define HUNGRY 8u

static u32 held[HUNGRY + 1];

static bool take(void *ctx, u32 owner)
{
	if (held[owner] == 2)
		return false;
	held[owner]++;
	return true;
}

static void give(void *ctx, u32 owner)
{
	assert_int_not_equal(held[owner]--, 0);
}

/* An owner has what it mapped first, until all of the memory is gone; no more than it may. */
static void owners_are_asked(void **state)
{
	static const struct h100_host host = { .video_take = take, .video_give = give };
	u64 offset, size;
	int fd;

	vram_destroy(&vram);
	assert_int_equal(vram_create(&vram, SIZE), NV_OK);
	vram.host = &host;
	export(MIB(1), MIB(1));
	assert_int_equal(vram_export(&vram, HUNGRY, MIB(4), KIB(8), &fd, &offset, &size), NV_OK);
	/* The same memory again, and a part of another's, cost nothing. */
	assert_int_equal(vram_export(&vram, HUNGRY, MIB(4), KIB(8), &fd, &offset, &size), NV_OK);
	assert_int_equal(vram_export(&vram, HUNGRY, MIB(1), KIB(8), &fd, &offset, &size), NV_OK);
	assert_int_equal(held[HUNGRY], 1);
	assert_int_equal(held[OWNER], 1);
	assert_int_equal(vram_export(&vram, HUNGRY, MIB(5), KIB(8), &fd, &offset, &size), NV_OK);
	assert_int_equal(vram_export(&vram, HUNGRY, MIB(6), KIB(8), &fd, &offset, &size),
			 NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(vram.count, 3);
	export(MIB(6), KIB(8));
	assert_int_equal(held[OWNER], 2);
	vram_discard(&vram, MIB(4), KIB(4));
	assert_int_equal(held[HUNGRY], 2);
	vram_discard(&vram, MIB(4) + KIB(4), KIB(4));
	assert_int_equal(held[HUNGRY], 1);
	if (os_user_fail_alloc(1)) {
		assert_int_equal(vram_export(&vram, HUNGRY, MIB(7), KIB(8), &fd, &offset, &size),
				 NV_ERR_NO_MEMORY);
		os_user_fail_alloc(0);
		assert_int_equal(held[HUNGRY], 1);
	}
	vram_destroy(&vram);
	assert_int_equal(held[HUNGRY] + held[OWNER], 0);
	assert_int_equal(vram_create(&vram, SIZE), NV_OK);
}

/* An engine's accesses and an export of the same memory: none is lost. */
static struct h100_memory memory;
static u32 stop;

static void *engine(void *arg)
{
	u64 *count = arg;

	while (os_load_acquire(&stop) == 0) {
		h100_memory_enter(&memory);
		for (u32 i = 0; i < 64; i++, (*count)++)
			assert_true(h100_memory_fetch_op(&memory, H100_APERTURE_VIDEO,
							 MIB(32) + *count % 512 * 8, 8,
							 H100_MEMORY_ADD, 1, NULL));
		h100_memory_leave(&memory);
	}
	return NULL;
}

static void engines_wait_while_memory_moves(void **state)
{
	static const struct h100_host host;
	pthread_t thread;
	u64 count = 0, sum = 0, word;

	assert_int_equal(h100_memory_init(&memory, &host, NULL, NULL, vram.video, vram.size),
			 NV_OK);
	vram.memory = &memory;
	stop = 0;
	assert_int_equal(pthread_create(&thread, NULL, engine, &count), 0);
	for (u32 i = 0; i < 8; i++) {
		export(MIB(32) + i * 4096, 4096);
		usleep(500);
	}
	os_store_release(&stop, 1);
	pthread_join(thread, NULL);
	for (u32 i = 0; i < 512; i++) {
		memcpy(&word, vram.video + MIB(32) + i * 8, 8);
		sum += word;
	}
	assert_int_equal(sum, count);
	vram.memory = NULL;
	h100_memory_fini(&memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_sides_see_the_same_bytes),
		TEST(an_export_holds_nothing_else),
		TEST(an_export_is_made_once),
		TEST(bad_ranges_are_refused),
		TEST(discarded_memory_is_nobodys),
		TEST(parts_are_discarded_alone),
		TEST(untouched_memory_costs_nothing),
		TEST(many_exports_in_any_order),
		TEST(failing_allocations_change_nothing),
		TEST(a_gap_may_cost_the_rest),
		TEST(owners_are_asked),
		TEST(engines_wait_while_memory_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
