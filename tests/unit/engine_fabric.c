// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Peers: which GPU a peer id and an address lead to, what is a fault, and two GPUs that copy to
 * each other while the backing of their memory moves.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>

#include "base/bits.h"
#include "engine_rig.h"
#include "h100/engine/fabric.h"
#include "h100/engine/move.h"
#include "os/os.h"

#define GPUS 2u
#define PTE_PEER_ID_SHIFT 61u
#define KIND 6u
#define SWITCHED 0u /* peer ids */
#define BESIDE 3u
#define LOCAL_VA 0x10000000ull
#define PEER_VA 0x20000000ull
#define BESIDE_VA 0x30000000ull
#define SYSTEM_VA 0x40000000ull
#define WINDOW KIB(256)
#define PEER_OFFSET MIB(2) /* where in the other's memory PEER_VA begins */

static struct rig rigs[GPUS];
static struct h100_fabric *fabric;

static void peers_set(void)
{
	for (u32 i = 0; i < GPUS; i++) {
		h100_peer_by_switches(&rigs[i].memory, SWITCHED);
		h100_peer_enable(&rigs[i].memory, SWITCHED, true);
		h100_peer_beside(&rigs[i].memory, BESIDE, i ^ 1);
		h100_peer_enable(&rigs[i].memory, BESIDE, true);
	}
}

static u64 peer_pte(u32 id, u64 address)
{
	return rig_pte(H100_APERTURE_PEER, address, 0, KIND) | (u64)id << PTE_PEER_ID_SHIFT;
}

static void map(u32 gpu)
{
	struct rig *rig = &rigs[gpu];
	u64 base = h100_fabric_base(gpu ^ 1);

	for (u64 at = 0; at < WINDOW; at += OS_PAGE_SIZE) {
		rig_map(rig, PEER_VA + at, 12, peer_pte(SWITCHED, base + PEER_OFFSET + at));
		rig_map(rig, BESIDE_VA + at, 12, peer_pte(BESIDE, PEER_OFFSET + at));
	}
	rig_map_video(rig, LOCAL_VA, 0, WINDOW);
	rig_map_system(rig, SYSTEM_VA, 0, WINDOW);
}

static int start(bool pointers)
{
	assert_int_equal(h100_fabric_create(&fabric), NV_OK);
	for (u32 i = 0; i < GPUS; i++) {
		rig_init(&rigs[i], pointers);
		h100_memory_leave(&rigs[i].memory);
		assert_int_equal(h100_fabric_plug(fabric, i, &rigs[i].memory), NV_OK);
		map(i);
	}
	peers_set();
	h100_memory_enter(&rigs[0].memory);
	return 0;
}

static int setup(void **state)
{
	return start(true);
}

static int setup_by_dma(void **state)
{
	return start(false);
}

static int teardown(void **state)
{
	h100_memory_leave(&rigs[0].memory);
	for (u32 i = 0; i < GPUS; i++) {
		h100_fabric_unplug(&rigs[i].memory);
		h100_memory_enter(&rigs[i].memory);
		rig_destroy(&rigs[i]);
	}
	h100_fabric_destroy(fabric);
	return 0;
}

/* -- Where it leads ---------------------------------------------------------------------------- */

static bool peer_read(u32 id, u64 address, void *data, u64 size)
{
	return h100_memory_read(&rigs[0].memory, h100_aperture_peer(id), address, data, size);
}

static bool peer_write(u32 id, u64 address, const void *data, u64 size)
{
	return h100_memory_write(&rigs[0].memory, h100_aperture_peer(id), address, data, size);
}

static void accesses_of_every_size(void **state)
{
	u64 base = h100_fabric_base(1), bytes;
	u8 data[64], back[64];
	u64 old;

	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i + 1);
	for (u32 size = 1; size <= 64; size++) {
		for (u32 offset = 0; offset < 9; offset++) {
			assert_true(peer_write(SWITCHED, base + 0x1ffc + offset, data, size));
			assert_memory_equal(rigs[1].video + 0x1ffc + offset, data, size);
			assert_true(peer_read(SWITCHED, base + 0x1ffc + offset, back, size));
			assert_memory_equal(back, data, size);
			assert_true(peer_write(BESIDE, 0x5001 + offset, data, size));
			assert_memory_equal(rigs[1].video + 0x5001 + offset, data, size);
		}
	}
	memset(rigs[1].video + 0x100, 0, 8);
	assert_true(h100_memory_fetch_op(&rigs[0].memory, h100_aperture_peer(BESIDE), 0x100, 8,
					 H100_MEMORY_ADD, 5, &old));
	assert_true(h100_memory_fetch_op(&rigs[0].memory, h100_aperture_peer(SWITCHED),
					 base + 0x100, 4, H100_MEMORY_ADD, 2, &old));
	assert_int_equal(old, 5);
	assert_int_equal(rigs[1].video[0x100], 7);
	/* Its own memory too, by the switches. */
	assert_true(peer_write(SWITCHED, h100_fabric_base(0) + 0x40, data, 64));
	assert_memory_equal(rigs[0].video + 0x40, data, 64);
	assert_null(
		h100_memory_pointer(&rigs[0].memory, h100_aperture_peer(SWITCHED), base, &bytes));
}

static void nothing_else_is_reached(void **state)
{
	u64 base = h100_fabric_base(1), value = 0;

	assert_true(peer_read(SWITCHED, base + RIG_VIDEO_BYTES - 8, &value, 8));
	assert_false(peer_read(SWITCHED, base + RIG_VIDEO_BYTES - 7, &value, 8));
	assert_false(peer_read(SWITCHED, base + RIG_VIDEO_BYTES, &value, 1));
	assert_false(peer_read(SWITCHED, base - 8, &value, 8));	 /* the end of 0's window */
	assert_false(peer_read(SWITCHED, 0x1000, &value, 8));	 /* before all windows */
	assert_false(peer_read(SWITCHED, ~0ull - 7, &value, 8)); /* past them */
	assert_false(peer_read(SWITCHED, h100_fabric_base(2), &value, 8)); /* nobody */
	assert_false(peer_read(SWITCHED, h100_fabric_base(15), &value, 8));
	assert_false(peer_read(SWITCHED, h100_fabric_base(16), &value, 8));
	assert_false(peer_read(BESIDE, RIG_VIDEO_BYTES - 4, &value, 8));
	assert_false(peer_write(BESIDE, base, &value, 8));
	assert_false(peer_read(1, base, &value, 8)); /* ids that nobody set */
	assert_false(peer_read(7, 0, &value, 8));
	assert_false(h100_memory_fetch_op(&rigs[0].memory, h100_aperture_peer(BESIDE),
					  RIG_VIDEO_BYTES - 4, 8, H100_MEMORY_ADD, 1, NULL));
	assert_false(h100_memory_fetch_op(&rigs[0].memory, h100_aperture_peer(BESIDE), 4, 8,
					  H100_MEMORY_ADD, 1, NULL));
	h100_peer_beside(&rigs[0].memory, BESIDE, 0); /* no GPU is beside itself; harmless */
	assert_true(peer_read(BESIDE, 0, &value, 8));
	h100_peer_beside(&rigs[0].memory, BESIDE, 16);
	assert_false(peer_read(BESIDE, 0, &value, 8));
}

static enum h100_fault_type fault_at(u64 va)
{
	struct h100_fault fault = { .type = 0 };
	u64 value;

	assert_false(h100_virtual_read(rigs[0].mmu, &rigs[0].pdb, va, &value, 8, 0, &fault));
	assert_int_equal(fault.va, va);
	return (enum h100_fault_type)fault.type;
}

static void faults(void **state)
{
	struct rig *rig = &rigs[0];
	u64 value = 0x1234, back;

	assert_true(h100_virtual_write(rig->mmu, &rig->pdb, PEER_VA, &value, 8, 0, NULL));
	assert_true(h100_virtual_read(rig->mmu, &rig->pdb, BESIDE_VA, &back, 8, 0, NULL));
	assert_true(back == value);
	/* Switched off, whatever the TLB knows; on again. */
	h100_peer_enable(&rig->memory, SWITCHED, false);
	assert_int_equal(fault_at(PEER_VA), H100_FAULT_UNSUPPORTED_APERTURE);
	h100_peer_enable(&rig->memory, SWITCHED, true);
	assert_true(h100_virtual_read(rig->mmu, &rig->pdb, PEER_VA, &back, 8, 0, NULL));
	h100_peer_remove(&rig->memory, SWITCHED);
	assert_int_equal(fault_at(PEER_VA), H100_FAULT_UNSUPPORTED_APERTURE);
	h100_peer_by_switches(&rig->memory, SWITCHED);
	/* Its rights are those of the page. */
	rig_map(rig, PEER_VA, 12,
		peer_pte(SWITCHED, h100_fabric_base(1)) |
			REG_PREP(NV_MMU_VER3_PTE_PCF,
				 NV_MMU_VER3_PTE_PCF_REGULAR_RO_ATOMIC_CACHED_ACE));
	rig_flush(rig);
	assert_true(h100_virtual_read(rig->mmu, &rig->pdb, PEER_VA, &back, 8, 0, NULL));
	assert_false(h100_virtual_write(rig->mmu, &rig->pdb, PEER_VA, &value, 8, 0, NULL));
	/* Past its memory, and a GPU that goes. */
	rig_map(rig, PEER_VA, 12, peer_pte(SWITCHED, h100_fabric_base(1) + RIG_VIDEO_BYTES));
	rig_flush(rig);
	assert_int_equal(fault_at(PEER_VA), H100_FAULT_REGION_VIOLATION);
	h100_fabric_unplug(&rigs[1].memory);
	assert_int_equal(fault_at(BESIDE_VA), H100_FAULT_REGION_VIOLATION);
	assert_int_equal(h100_fabric_plug(fabric, 1, &rigs[1].memory), NV_OK);
	assert_true(h100_virtual_read(rig->mmu, &rig->pdb, BESIDE_VA, &back, 8, 0, NULL));
	/* All ids forgotten. */
	h100_peers_reset(&rig->memory);
	assert_int_equal(fault_at(BESIDE_VA), H100_FAULT_UNSUPPORTED_APERTURE);
}

static void places_are_taken_once(void **state)
{
	assert_int_equal(h100_fabric_plug(fabric, 1, &rigs[0].memory), NV_ERR_IN_USE);
	assert_int_equal(h100_fabric_plug(fabric, H100_FABRIC_GPUS, &rigs[0].memory),
			 NV_ERR_INVALID_ARGUMENT);
}

/* -- Copies ------------------------------------------------------------------------------------ */

static u64 next_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

static enum h100_method_result copy(u32 gpu, u64 to, u64 from, u64 size)
{
	struct h100_end out = { .write = true }, in = { .write = false };
	struct h100_mover mover;

	h100_mover_init(&mover, &rigs[gpu].call, 0, 0);
	return h100_move_copy(&mover, &out, to, &in, from, size);
}

static void random_copies(void **state)
{
	const u64 places[] = { LOCAL_VA, SYSTEM_VA, PEER_VA, BESIDE_VA };
	u64 seed = 7;

	for (u32 round = 0; round < 300; round++) {
		u64 from = places[next_random(&seed) % 4], to = places[2 + next_random(&seed) % 2];
		u64 size = 1 + next_random(&seed) % (round % 3 == 0 ? 70000 : 300);
		u64 in = next_random(&seed) % 5000, out = WINDOW / 2 + next_random(&seed) % 5000;
		u8 *back = malloc(size);

		assert_non_null(back);
		for (u64 i = 0; i < size; i++)
			back[i] = (u8)next_random(&seed);
		assert_true(h100_virtual_write(rigs[0].mmu, &rigs[0].pdb, from + in, back, size, 0,
					       NULL));
		if (round & 1) { /* there, then back to somewhere of its own */
			assert_int_equal(copy(0, to + out, from + in, size), H100_METHOD_OK);
			assert_memory_equal(rigs[1].video + PEER_OFFSET + out, back, size);
		}
		assert_int_equal(copy(0, LOCAL_VA + out, round & 1 ? to + out : from + in, size),
				 H100_METHOD_OK);
		assert_memory_equal(rigs[0].video + out, back, size);
		free(back);
	}
	/* Into what is no more: as far as it goes. */
	h100_fabric_unplug(&rigs[1].memory);
	assert_int_equal(copy(0, PEER_VA, LOCAL_VA, WINDOW), H100_METHOD_FAULT);
	assert_int_equal(rigs[0].call.fault.type, H100_FAULT_REGION_VIOLATION);
	assert_int_equal(copy(0, LOCAL_VA, PEER_VA, WINDOW), H100_METHOD_FAULT);
	assert_int_equal(h100_fabric_plug(fabric, 1, &rigs[1].memory), NV_OK);
}

static void physical_copies(void **state)
{
	struct h100_end out = { .physical = true,
				.aperture = h100_aperture_peer(SWITCHED),
				.write = true };
	struct h100_end in = { .physical = true, .aperture = H100_APERTURE_VIDEO };
	struct h100_mover mover;

	memset(rigs[0].video, 0x5a, 9000);
	h100_mover_init(&mover, &rigs[0].call, 0, 0);
	assert_int_equal(h100_move_copy(&mover, &out, h100_fabric_base(1) + 3, &in, 0, 9000),
			 H100_METHOD_OK);
	assert_memory_equal(rigs[1].video + 3, rigs[0].video, 9000);
	h100_peer_enable(&rigs[0].memory, SWITCHED, false);
	out.known = false;
	assert_int_equal(h100_move_copy(&mover, &out, h100_fabric_base(1), &in, 0, 1),
			 H100_METHOD_FAULT);
	assert_int_equal(rigs[0].call.fault.type, H100_FAULT_UNSUPPORTED_APERTURE);
}

/* -- Both at once ------------------------------------------------------------------------------ */

#define ROUNDS 400u

static u32 stop;

/* What it wrote there comes back, though both write to each other all the time. */
static void *copier(void *arg)
{
	u32 gpu = (u32)(uintptr_t)arg;

	for (u32 round = 0; round < ROUNDS; round++) {
		u64 size = 1 + round * 131 % (WINDOW / 4);

		h100_memory_enter(&rigs[gpu].memory);
		memset(rigs[gpu].video, (int)(round + gpu), size);
		OS_BUG_ON(copy(gpu, PEER_VA + 1, LOCAL_VA, size) != H100_METHOD_OK);
		OS_BUG_ON(copy(gpu, LOCAL_VA + WINDOW / 2, PEER_VA + 1, size) != H100_METHOD_OK);
		OS_BUG_ON(memcmp(rigs[gpu].video + WINDOW / 2, rigs[gpu].video, size) != 0);
		h100_memory_leave(&rigs[gpu].memory);
	}
	return NULL;
}

static void *pauser(void *arg)
{
	struct h100_memory *memory = arg;

	while (os_load_acquire(&stop) == 0) {
		h100_memory_pause(memory);
		h100_memory_resume(memory);
		h100_memory_drain(memory);
		sched_yield();
	}
	return NULL;
}

static void both_ways_and_pauses(void **state)
{
	pthread_t copiers[GPUS], pausers[GPUS];

	stop = 0;
	h100_memory_leave(&rigs[0].memory);
	for (u32 i = 0; i < GPUS; i++) {
		assert_int_equal(pthread_create(&pausers[i], NULL, pauser, &rigs[i].memory), 0);
		assert_int_equal(pthread_create(&copiers[i], NULL, copier, (void *)(uintptr_t)i),
				 0);
	}
	for (u32 i = 0; i < GPUS; i++)
		pthread_join(copiers[i], NULL);
	os_store_release(&stop, 1);
	for (u32 i = 0; i < GPUS; i++)
		pthread_join(pausers[i], NULL);
	h100_memory_enter(&rigs[0].memory);
}

/* The other GPU comes and goes: an access is done or is a fault. */
static void *unplugger(void *arg)
{
	while (os_load_acquire(&stop) == 0) {
		h100_fabric_unplug(&rigs[1].memory);
		sched_yield();
		OS_BUG_ON(h100_fabric_plug(fabric, 1, &rigs[1].memory) != NV_OK);
		sched_yield();
	}
	return NULL;
}

static void goes_in_the_middle(void **state)
{
	u32 done = 0, faulted = 0;
	pthread_t thread;

	stop = 0;
	assert_int_equal(pthread_create(&thread, NULL, unplugger, NULL), 0);
	for (u32 round = 0; round < 100000 && (round < 200 || !done || !faulted); round++) {
		if (copy(0, PEER_VA, LOCAL_VA, WINDOW) == H100_METHOD_OK)
			done++;
		else
			faulted++;
	}
	os_store_release(&stop, 1);
	pthread_join(thread, NULL);
	assert_true(done != 0 && faulted != 0);
}

/* A GPU of another process: what that one shares is all there is. */
static void in_another_process(void **state)
{
	static u8 memory[OS_PAGE_SIZE];
	u64 sent = 0, received = 0, base = h100_fabric_base(5), old;
	u8 data[64], back[64];
	u32 linked = 0;
	const struct h100_remote remote = {
		.video = memory,
		.video_bytes = sizeof(memory),
		.linked = &linked,
		.sent = &sent,
		.received = &received,
	};

	memset(data, 0x5c, sizeof(data));
	assert_false(peer_write(SWITCHED, base, data, 8));
	h100_fabric_attach(fabric, 5, &remote);
	assert_false(peer_write(SWITCHED, base, data, 8));
	assert_int_equal(memory[0], 0);
	os_store_release(&linked, 1u);
	assert_true(peer_write(SWITCHED, base + 9, data, sizeof(data)));
	assert_memory_equal(memory + 9, data, sizeof(data));
	assert_true(peer_read(SWITCHED, base + 9, back, 32));
	assert_memory_equal(back, data, 32);
	assert_int_equal(received, sizeof(data));
	assert_int_equal(sent, 32);
	assert_true(h100_memory_fetch_op(&rigs[0].memory, h100_aperture_peer(SWITCHED), base, 8,
					 H100_MEMORY_ADD, 5, &old));
	assert_int_equal(memory[0], 5);
	h100_peer_beside(&rigs[0].memory, BESIDE, 5);
	assert_true(peer_read(BESIDE, 9, back, 64));
	assert_memory_equal(back, data, 64);
	/* Its end, its links, and a GPU of this process in its place. */
	assert_true(peer_read(SWITCHED, base + sizeof(memory) - 8, back, 8));
	assert_false(peer_read(SWITCHED, base + sizeof(memory) - 7, back, 8));
	assert_false(peer_read(BESIDE, sizeof(memory), back, 1));
	os_store_release(&linked, 0u);
	assert_false(peer_read(SWITCHED, base, back, 8));
	assert_false(peer_write(BESIDE, 0, back, 8));
	os_store_release(&linked, 1u);
	h100_fabric_unplug(&rigs[1].memory);
	assert_int_equal(h100_fabric_plug(fabric, 5, &rigs[1].memory), NV_OK);
	assert_true(peer_write(SWITCHED, base + 0x2000, data, 8));
	assert_memory_equal(rigs[1].video + 0x2000, data, 8);
}

static void failing_allocations(void **state)
{
	struct h100_fabric *other;
	u64 live = unit_live();

	if (!os_user_fail_alloc_thread(0))
		skip();
	os_user_fail_alloc_thread(1);
	assert_int_equal(h100_fabric_create(&other), NV_ERR_NO_MEMORY);
	os_user_fail_alloc_thread(0);
	assert_null(other);
	h100_fabric_destroy(NULL);
	assert_int_equal(unit_live(), live);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BY_DMA(name)                                           \
	{                                                           \
#name " by DMA", name, setup_by_dma, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accesses_of_every_size),
		TEST(nothing_else_is_reached),
		TEST(faults),
		TEST(places_are_taken_once),
		TEST(random_copies),
		TEST_BY_DMA(random_copies),
		TEST(physical_copies),
		TEST(both_ways_and_pauses),
		TEST(goes_in_the_middle),
		TEST(in_another_process),
		TEST(failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
