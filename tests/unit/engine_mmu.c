// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Page tables made by hand: every size of page, every kind of fault, the TLB, the fault buffer. */
#include "unit.h"

#include <pthread.h>
#include <string.h>

#include "base/bits.h"
#include "engine_rig.h"
#include "os/os.h"

#define VA 0x0123456789a00000ull /* its upper bits index all levels somewhere in the middle */

static struct rig rig;

static int setup(void **state)
{
	rig_init(&rig, true);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(&rig);
	return 0;
}

static struct h100_translation translated(u64 va, u32 access)
{
	struct h100_translation t;
	struct h100_fault fault;

	assert_true(h100_mmu_translate(rig.mmu, &rig.pdb, va, access, &t, &fault));
	return t;
}

static void faults_as(u64 va, u32 access, enum h100_fault_type type)
{
	struct h100_translation t;
	struct h100_fault fault;

	assert_false(h100_mmu_translate(rig.mmu, &rig.pdb, va, access, &t, &fault));
	assert_int_equal(fault.type, type);
	assert_int_equal(fault.va, va);
	assert_int_equal(fault.access, access & H100_ACCESS_TYPE_MASK);
	assert_int_equal(fault.pdb.address, rig.pdb.address);
	assert_false(h100_mmu_translate(rig.mmu, &rig.pdb, va, access, &t, NULL));
}

/* Each size of page, at its first byte, within it and at its last. */
static void every_page_size_translates(void **state)
{
	static const u32 shifts[] = { 12, 16, 21, 29 };

	for (u32 i = 0; i < ARRAY_SIZE(shifts); i++) {
		u64 size = BIT64(shifts[i]), va = align_down(VA, size) + (u64)i * GIB(4);
		u64 bus = 0x0005600000000000ull;
		struct h100_translation t;

		rig_map(&rig, va, shifts[i],
			rig_pte(H100_APERTURE_SYSTEM_NONCOHERENT, bus, 0, NV_MMU_PTE_KIND_PITCH));
		for (u32 k = 0; k < 3; k++) {
			u64 offset = k == 0 ? 0 : k == 1 ? size / 2 + 8 : size - 1;

			for (u32 again = 0; again < 2; again++) {
				t = translated(va + offset, H100_ACCESS_WRITE);
				assert_int_equal(t.aperture, H100_APERTURE_SYSTEM_NONCOHERENT);
				assert_int_equal(t.address, bus + offset);
				assert_int_equal(t.bytes, size - offset);
				assert_false(t.sparse);
				assert_false(t.read_only);
			}
		}
		faults_as(va - 1, H100_ACCESS_READ, H100_FAULT_PDE);
	}
}

/* A table of big pages says where small ones may be; both may be there. */
static void small_pages_stand_in_for_big_ones(void **state)
{
	u64 none = REG_PREP(NV_MMU_VER3_PTE_PCF, NV_MMU_VER3_PTE_PCF_NO_VALID_4KB_PAGE);
	u64 sparse = REG_PREP(NV_MMU_VER3_PTE_PCF, NV_MMU_VER3_PTE_PCF_SPARSE);

	rig_map(&rig, VA, 16, rig_pte(H100_APERTURE_VIDEO, 0x100000, 0, 6));
	rig_map(&rig, VA, 12, rig_pte(H100_APERTURE_VIDEO, 0x3000, 0, 6));
	rig_map(&rig, VA + 0x10000, 12, rig_pte(H100_APERTURE_VIDEO, 0x4000, 0, 6));
	rig_map(&rig, VA + 0x20000, 12, rig_pte(H100_APERTURE_VIDEO, 0x5000, 0, 6));
	rig_map(&rig, VA + 0x20000, 16, none);
	rig_map(&rig, VA + 0x30000, 12, rig_pte(H100_APERTURE_VIDEO, 0x6000, 0, 6));
	rig_map(&rig, VA + 0x30000, 16, sparse);
	assert_int_equal(translated(VA + 5, 0).address, 0x100005);
	assert_int_equal(translated(VA + 0x10005, 0).address, 0x4005);
	faults_as(VA + 0x11000, 0, H100_FAULT_PTE);
	faults_as(VA + 0x20000, 0, H100_FAULT_PTE);
	assert_true(translated(VA + 0x30000, 0).sparse);
}

/* Holes at every level: nothing is read, writes go nowhere, and the rest of memory stays. */
static void sparse_ranges_are_zero(void **state)
{
	static const u32 shifts[] = { 47, 38, 29, 21, 16, 12 };
	u8 data[64], zero[64] = { 0 };
	struct h100_fault fault;

	for (u32 i = 0; i < ARRAY_SIZE(shifts); i++) {
		u64 va = (u64)i << 50;
		struct h100_translation t;

		rig_put(&rig,
			shifts[i] < 21 ? rig_entry(&rig, va, shifts[i])
				       : rig_pde(&rig, va, shifts[i]),
			REG_PREP(NV_MMU_VER3_PTE_PCF, NV_MMU_VER3_PTE_PCF_SPARSE));
		t = translated(va + 100, H100_ACCESS_WRITE);
		assert_true(t.sparse);
		assert_int_equal(t.bytes, BIT64(shifts[i]) - 100);
		memset(data, 0xee, sizeof(data));
		assert_true(h100_virtual_write(rig.mmu, &rig.pdb, va, data, 64, 0, &fault));
		assert_true(h100_virtual_read(rig.mmu, &rig.pdb, va, data, 64, 0, &fault));
		assert_memory_equal(data, zero, 64);
	}
	for (u64 i = 0; i < 0x1000; i++)
		assert_int_equal(rig.video[i], 0);
}

static void pages_refuse_what_they_do_not_permit(void **state)
{
	const u32 ro = NV_MMU_VER3_PTE_PCF_REGULAR_RO_ATOMIC_CACHED_ACD;
	const u32 priv = NV_MMU_VER3_PTE_PCF_PRIVILEGE_RW_ATOMIC_UNCACHED_ACE;
	const u32 plain = NV_MMU_VER3_PTE_PCF_REGULAR_RW_NO_ATOMIC_CACHED_ACE;

	rig_map(&rig, VA, 12, rig_pte(H100_APERTURE_VIDEO, 0, ro, 6));
	assert_true(translated(VA, H100_ACCESS_READ).read_only);
	faults_as(VA, H100_ACCESS_WRITE, H100_FAULT_RO_VIOLATION);
	faults_as(VA, H100_ACCESS_ATOMIC, H100_FAULT_RO_VIOLATION);
	rig_map(&rig, VA + 0x1000, 12, rig_pte(H100_APERTURE_VIDEO, 0, priv, 6));
	faults_as(VA + 0x1000, H100_ACCESS_READ, H100_FAULT_PRIV_VIOLATION);
	translated(VA + 0x1000, H100_ACCESS_WRITE | H100_ACCESS_PRIVILEGED);
	rig_map(&rig, VA + 0x2000, 12, rig_pte(H100_APERTURE_VIDEO, 0, plain, 6));
	translated(VA + 0x2000, H100_ACCESS_WRITE);
	faults_as(VA + 0x2000, H100_ACCESS_ATOMIC, H100_FAULT_ATOMIC_VIOLATION);
	rig_map(&rig, VA + 0x3000, 12, rig_pte(H100_APERTURE_PEER, 0, 0, 6));
	faults_as(VA + 0x3000, H100_ACCESS_READ, H100_FAULT_UNSUPPORTED_APERTURE);
	rig_map(&rig, VA + 0x4000, 12, rig_pte(H100_APERTURE_VIDEO, 0, 0, NV_MMU_PTE_KIND_INVALID));
	faults_as(VA + 0x4000, H100_ACCESS_READ, H100_FAULT_UNSUPPORTED_KIND);
	rig_map(&rig, VA + 0x5000, 12, rig_pte(H100_APERTURE_VIDEO, RIG_VIDEO_BYTES, 0, 6));
	faults_as(VA + 0x5000, H100_ACCESS_READ, H100_FAULT_REGION_VIOLATION);
	faults_as(BIT64(57), H100_ACCESS_READ, H100_FAULT_VA_LIMIT_VIOLATION);
	faults_as(~0ull, H100_ACCESS_READ, H100_FAULT_VA_LIMIT_VIOLATION);
}

static u32 rung, rung_token;

static void on_ring(void *ctx, u32 token)
{
	assert_ptr_equal(ctx, &rig);
	rung++;
	rung_token = token;
}

static void store_faults_as(u64 va, u64 size, enum h100_fault_type type)
{
	struct h100_fault fault = { 0 };
	u8 bytes[8] = { 0 };

	assert_false(h100_virtual_write(rig.mmu, &rig.pdb, va, bytes, size, 0, &fault));
	assert_int_equal(fault.type, type);
}

/* A page of messages at the usermode region's address has the doorbell, and is no memory. */
static void engines_ring(void **state)
{
	const u32 priv = NV_MMU_VER3_PTE_PCF_PRIVILEGE_RW_ATOMIC_UNCACHED_ACE;
	const u32 kind = NV_MMU_PTE_KIND_SMSKED_MESSAGE;
	const u64 bell = VA + 0x90;
	u32 token = 0x50007, word;
	u64 old;

	rig_map(&rig, VA, 12, rig_pte(H100_APERTURE_SYSTEM_COHERENT, 0x30000, 0, kind));
	rig_map(&rig, VA + 0x1000, 12, rig_pte(H100_APERTURE_VIDEO, 0x30000, 0, kind));
	rig_map(&rig, VA + 0x2000, 12, rig_pte(H100_APERTURE_SYSTEM_COHERENT, 0x40000, 0, kind));
	rig_map(&rig, VA + 0x3000, 12, rig_pte(H100_APERTURE_SYSTEM_COHERENT, 0x30000, priv, kind));
	/* nobody listens */
	assert_true(h100_virtual_write(rig.mmu, &rig.pdb, bell, &token, 4, 0, NULL));
	h100_mmu_set_doorbell(rig.mmu, on_ring, &rig);
	for (u32 i = 0; i < 2; i++) {
		enum h100_fault_type not_so =
			i ? H100_FAULT_UNSUPPORTED_APERTURE : H100_FAULT_UNSUPPORTED_KIND;

		rig.memory.confidential = i != 0;
		rung = 0;
		assert_true(h100_virtual_write(rig.mmu, &rig.pdb, bell, &token, 4, 0, NULL));
		assert_int_equal(rung, 1);
		assert_int_equal(rung_token, token);
		/* what is not the doorbell goes nowhere */
		assert_true(h100_virtual_write(rig.mmu, &rig.pdb, VA + 0x94, &token, 4, 0, NULL));
		store_faults_as(bell, 8, not_so);
		store_faults_as(bell + 1, 4, not_so);
		store_faults_as(bell + 0x2000, 4, not_so);
		store_faults_as(bell + 0x3000, 4, H100_FAULT_PRIV_VIOLATION);
		assert_int_equal(rung, 1);
		assert_true(h100_virtual_write(rig.mmu, &rig.pdb, bell + 0x3000, &token, 4,
					       H100_ACCESS_PRIVILEGED, NULL));
		assert_int_equal(rung, 2);
	}
	rig.memory.confidential = false;
	store_faults_as(bell + 0x1000, 4, H100_FAULT_UNSUPPORTED_KIND);
	faults_as(bell, H100_ACCESS_READ, H100_FAULT_UNSUPPORTED_KIND);
	faults_as(bell, H100_ACCESS_WRITE, H100_FAULT_UNSUPPORTED_KIND);
	assert_false(h100_virtual_read(rig.mmu, &rig.pdb, bell, &word, 4, 0, NULL));
	assert_false(h100_virtual_fetch_op(rig.mmu, &rig.pdb, bell, 4, H100_MEMORY_ADD, 1, &old, 0,
					   NULL));
	assert_int_equal(rung, 2);
	h100_mmu_set_doorbell(rig.mmu, NULL, NULL);
}

/* A page of 2 MiB whose second half is past the end of memory. */
static void pages_end_with_memory(void **state)
{
	rig_map(&rig, VA, 21, rig_pte(H100_APERTURE_VIDEO, RIG_VIDEO_BYTES - MIB(2), 0, 6));
	assert_int_equal(translated(VA, 0).bytes, MIB(2));
	rig_map(&rig, align_down(VA, MIB(512)) + GIB(1), 29, rig_pte(H100_APERTURE_VIDEO, 0, 0, 6));
	assert_int_equal(translated(align_down(VA, MIB(512)) + GIB(1) + MIB(15), 0).bytes, MIB(1));
	faults_as(align_down(VA, MIB(512)) + GIB(1) + MIB(16), 0, H100_FAULT_REGION_VIOLATION);
}

static void tables_may_be_bad(void **state)
{
	u64 far = RIG_VIDEO_BYTES;

	faults_as(0, 0, H100_FAULT_PDE);
	rig_put(&rig, rig_pde(&rig, VA, 38), far | 1u << 1); /* past the end */
	faults_as(VA, 0, H100_FAULT_PDE);
	rig_put(&rig, rig_pde(&rig, VA, 38), (rig_bus(0) + 0x1000) | 2u << 1); /* not mapped */
	faults_as(VA, 0, H100_FAULT_PDE);
	rig_put(&rig, rig_pde(&rig, VA, 38), rig_pte(0, 0, 0, 6)); /* no page is so large */
	faults_as(VA, 0, H100_FAULT_PDE_SIZE);
	rig.pdb.aperture = H100_APERTURE_PEER;
	faults_as(VA, 0, H100_FAULT_UNSUPPORTED_APERTURE);
	rig.pdb = (struct h100_pdb){ H100_APERTURE_VIDEO, BIT64(40) };
	faults_as(VA, 0, H100_FAULT_PDE);
	rig.pdb = (struct h100_pdb){ H100_APERTURE_SYSTEM_COHERENT, rig_bus(0) };
	faults_as(VA, 0, H100_FAULT_PDE);
}

/* Tables in system memory, down to the PTE. */
static void tables_may_be_in_system_memory(void **state)
{
	static const u32 shifts[] = { 56, 47, 38, 29 };
	u64 pte = rig_pte(H100_APERTURE_VIDEO, 0x7000, 0, 6), pde;
	u32 i;

	for (i = 0; i < 4; i++) {
		u64 index = (VA >> shifts[i]) & (i == 0 ? 1 : 511);

		pde = rig_bus((i + 1) * 4096) | 2u << 1;
		memcpy(rig.system + i * 4096 + index * 8, &pde, 8);
	}
	pde = rig_bus(5 * 4096) | 3u << 1;
	memcpy(rig.system + 4 * 4096 + ((VA >> 21) & 255) * 16 + 8, &pde, 8);
	memcpy(rig.system + 5 * 4096 + ((VA >> 12) & 511) * 8, &pte, 8);
	rig.pdb = (struct h100_pdb){ H100_APERTURE_SYSTEM_COHERENT, rig_bus(0) };
	assert_int_equal(translated(VA + 3, 0).address, 0x7003);
}

/* The TLB keeps what tables said until it is told, each address space by itself. */
static void the_tlb_forgets_when_told(void **state)
{
	struct h100_pdb other = { H100_APERTURE_VIDEO, 0x200000 };
	struct h100_translation t;

	rig_map(&rig, VA, 12, rig_pte(H100_APERTURE_VIDEO, 0x1000, 0, 6));
	assert_int_equal(translated(VA, 0).address, 0x1000);
	rig_map(&rig, VA, 12, rig_pte(H100_APERTURE_VIDEO, 0x2000, 0, 6));
	assert_int_equal(translated(VA, 0).address, 0x1000);
	assert_false(h100_mmu_translate(rig.mmu, &other, VA, 0, &t, NULL));
	h100_mmu_forget(rig.mmu, &rig.pdb);
	assert_int_equal(translated(VA, 0).address, 0x2000);
	rig_map(&rig, VA, 12, 0);
	h100_memory_leave(&rig.memory);
	h100_mmu_invalidate(rig.mmu, NULL);
	h100_memory_enter(&rig.memory);
	faults_as(VA, 0, H100_FAULT_PTE);
}

/* Engines translate while the driver changes the PTE and invalidates: what they see is not older
 * than the last invalidation that was over before they looked. */
static u64 pte_address, written, invalidated;
static u32 translators_stop, translators_begun;

static void *translator(void *arg)
{
	struct h100_translation t;
	u64 count = 0;

	while (os_load_acquire(&translators_stop) == 0) {
		h100_memory_enter(&rig.memory);
		for (u32 i = 0; i < 32; i++, count++) {
			u64 least = os_load_acquire(&invalidated);

			OS_BUG_ON(!h100_mmu_translate(rig.mmu, &rig.pdb, VA + 8, 0, &t, NULL));
			OS_BUG_ON(t.address >> 12 < least);
			OS_BUG_ON(t.address >> 12 > os_load_acquire(&written));
		}
		h100_memory_leave(&rig.memory);
		if (count == 32)
			os_fetch_add(&translators_begun, 1);
	}
	*(u64 *)arg = count;
	return NULL;
}

static void engines_translate_while_tables_change(void **state)
{
	u64 counts[3] = { 0 }, pte;
	pthread_t threads[3];
	u32 i;

	rig_map(&rig, VA, 12, rig_pte(H100_APERTURE_VIDEO, 0, 0, 6));
	pte_address = rig_entry(&rig, VA, 12);
	h100_memory_leave(&rig.memory);
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, translator, &counts[i]), 0);
	/* All changes may be over before a thread has had a turn. */
	while (os_load_acquire(&translators_begun) < 3)
		usleep(100);
	for (u64 k = 1; k < 400; k++) {
		os_store_release(&written, k);
		pte = rig_pte(H100_APERTURE_VIDEO, k << 12, 0, 6);
		assert_true(h100_memory_write(&rig.memory, H100_APERTURE_VIDEO, pte_address, &pte,
					      sizeof(pte)));
		h100_mmu_invalidate(rig.mmu, &rig.pdb);
		os_store_release(&invalidated, k);
		if (k % 16 == 0)
			usleep(100);
	}
	os_store_release(&translators_stop, 1);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	h100_memory_enter(&rig.memory);
	for (i = 0; i < 3; i++)
		assert_true(counts[i] >= 32);
}

static void accesses_cross_pages(void **state)
{
	u8 data[12000], back[0x3000];
	struct h100_fault fault;

	rig_map_video(&rig, VA, 0x5000, 0x1000);
	rig_map_system(&rig, VA + 0x1000, 0x9000, 0x1000);
	rig_map_video(&rig, VA + 0x2000, 0x1000, 0x1000);
	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7 + i / 256);
	assert_true(h100_virtual_write(rig.mmu, &rig.pdb, VA + 100, data, sizeof(data), 0, &fault));
	assert_true(h100_virtual_read(rig.mmu, &rig.pdb, VA + 100, back, sizeof(data), 0, &fault));
	assert_memory_equal(data, back, sizeof(data));
	assert_memory_equal(rig.video + 0x5000 + 100, data, 0x1000 - 100);
	assert_memory_equal(rig.system + 0x9000, data + 0x1000 - 100, 0x1000);
	assert_memory_equal(rig.video + 0x1000, data + 0x2000 - 100, sizeof(data) - 0x2000 + 100);
	/* The fault says at which byte. */
	assert_false(h100_virtual_read(rig.mmu, &rig.pdb, VA + 100, back, 0x3000, 0, &fault));
	assert_int_equal(fault.va, VA + 0x3000);
	rig.unmapped[9] = true;
	assert_false(h100_virtual_write(rig.mmu, &rig.pdb, VA, back, 0x2000, 0, &fault));
	assert_int_equal(fault.type, H100_FAULT_REGION_VIOLATION);
	assert_int_equal(fault.va, VA + 0x1000);
}

static void atomics_work_by_virtual_address(void **state)
{
	struct h100_fault fault;
	u64 old, value = 5;

	rig_map_video(&rig, VA, 0x1000, 0x1000);
	memcpy(rig.video + 0x1008, &value, 8);
	assert_true(h100_virtual_fetch_op(rig.mmu, &rig.pdb, VA + 8, 8, H100_MEMORY_ADD, 3, &old, 0,
					  &fault));
	assert_int_equal(old, 5);
	memcpy(&value, rig.video + 0x1008, 8);
	assert_int_equal(value, 8);
	assert_false(h100_virtual_fetch_op(rig.mmu, &rig.pdb, VA + 2, 4, H100_MEMORY_ADD, 3, &old,
					   0, &fault));
	assert_int_equal(fault.type, H100_FAULT_ATOMIC_VIOLATION);
	assert_int_equal(fault.access, H100_ACCESS_ATOMIC);
}

static u32 field(const u32 *entry, u32 high, u32 low)
{
	u32 value = 0;

	for (u32 bit = low; bit <= high; bit++)
		value |= (entry[bit / 32] >> (bit % 32) & 1) << (bit - low);
	return value;
}

#define FIELD(entry, name) \
	field(entry, NVC369_BUF_ENTRY_##name##__HI, NVC369_BUF_ENTRY_##name##__LO)

static void fault_entries_hold_what_happened(void **state)
{
	const struct h100_fault fault = {
		.type = H100_FAULT_RO_VIOLATION,
		.access = H100_ACCESS_ATOMIC,
		.client = NV_PFAULT_CLIENT_HUB_HSCE9,
		.engine_id = NV_PFAULT_MMU_ENG_ID_GRAPHICS,
		.va = VA + 0x123,
		.instance_aperture = H100_APERTURE_SYSTEM_COHERENT,
		.instance = 0x1234567000,
		.timestamp = 0xfedcba9876543210ull,
	};
	u32 e[8];

	h100_fault_entry(&fault, e);
	assert_int_equal(e[0], 0x34567000 | 2 << 8);
	assert_int_equal(e[1], 0x12);
	assert_int_equal(e[2], bits_low32(VA));
	assert_int_equal(e[3], bits_high32(VA));
	assert_int_equal(e[4], 0x76543210);
	assert_int_equal(e[5], 0xfedcba98);
	assert_int_equal(e[6], NV_PFAULT_MMU_ENG_ID_GRAPHICS);
	assert_int_equal(FIELD(e, FAULT_TYPE), H100_FAULT_RO_VIOLATION);
	assert_int_equal(FIELD(e, CLIENT), NV_PFAULT_CLIENT_HUB_HSCE9);
	assert_int_equal(FIELD(e, ACCESS_TYPE), H100_ACCESS_ATOMIC);
	assert_int_equal(FIELD(e, MMU_CLIENT_TYPE), NV_PFAULT_MMU_CLIENT_TYPE_HUB);
	assert_int_equal(FIELD(e, VALID), 1);
	assert_int_equal(FIELD(e, REPLAYABLE_FAULT), 0);
	assert_string_equal(h100_fault_type_text(fault.type), "FAULT_RO_VIOLATION");
	assert_string_equal(h100_fault_type_text((enum h100_fault_type)31), "UNKNOWN");
	assert_string_equal(h100_fault_access_text(fault.access), "ACCESS_TYPE_VIRT_ATOMIC_STRONG");
	assert_string_equal(h100_fault_access_text(200), "UNKNOWN");
}

static void fault_buffers_are_rings(void **state)
{
	const u64 pages[] = { rig_bus(0x3000), rig_bus(0x1000) };
	struct h100_fault_buffer buffer = {
		.aperture = H100_APERTURE_SYSTEM_COHERENT,
		.pages = pages,
		.entries = 256,
	};
	struct h100_fault fault = { .type = H100_FAULT_PTE };
	u32 get = 0, i, entry[8];

	for (i = 0; i < 255; i++) {
		fault.va = (u64)i << 12;
		assert_true(h100_fault_buffer_write(&buffer, &rig.memory, get, &fault));
	}
	assert_false(h100_fault_buffer_write(&buffer, &rig.memory, get, &fault));
	assert_true(buffer.overflow);
	memcpy(entry, rig.system + 0x1000 + 5 * 32, 32);
	assert_int_equal(entry[2], (128 + 5) << 12);
	assert_int_equal(FIELD(entry, VALID), 1);
	get = 1;
	assert_true(h100_fault_buffer_write(&buffer, &rig.memory, get, &fault));
	assert_int_equal(buffer.put, 0);
	assert_false(h100_fault_buffer_write(&buffer, &rig.memory, 256, &fault));
	rig.unmapped[3] = true;
	assert_false(h100_fault_buffer_write(&buffer, &rig.memory, 20, &fault));
	assert_int_equal(buffer.put, 0);
	buffer.pages = NULL;
	assert_false(h100_fault_buffer_write(&buffer, &rig.memory, 20, &fault));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_page_size_translates),
		TEST(small_pages_stand_in_for_big_ones),
		TEST(sparse_ranges_are_zero),
		TEST(pages_refuse_what_they_do_not_permit),
		TEST(engines_ring),
		TEST(pages_end_with_memory),
		TEST(tables_may_be_bad),
		TEST(tables_may_be_in_system_memory),
		TEST(the_tlb_forgets_when_told),
		TEST(engines_translate_while_tables_change),
		TEST(accesses_cross_pages),
		TEST(atomics_work_by_virtual_address),
		TEST(fault_entries_hold_what_happened),
		TEST(fault_buffers_are_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
