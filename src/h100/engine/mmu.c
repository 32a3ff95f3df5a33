// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Translation: the TLB first, then the tables. Any number of engines translate at once without a
 * lock. A TLB entry is a few words under a sequence number; it is good as long as its address
 * space's generation is the one that was read before the walk it came from, so that whoever raises
 * the generation after a change of tables need not look for entries.
 */
#include "h100/engine/mmu.h"

#include <string.h>

#include "abi/gh100.h"
#include "base/bits.h"
#include "h100/engine/fabric.h"
#include "os/os.h"

#define VA_BITS (NV_MMU_VER3_LEVEL_PDE4__HI + 1)
#define GENERATIONS 64u
#define TLB_ENTRIES 4096u
#define PTE_PEER_ID_SHIFT 61u /* NV_MMU_VER3_PTE_PEER_ID: 63:61 */
#define SMALL_SHIFT 12u	      /* an entry of the TLB covers 4 KiB of a small page, */
#define BIG_SHIFT 21u	      /* or 2 MiB of a big one, */
#define TABLE_SHIFT 22u	      /* or says where the table of 2 MiB of small pages is */

/* What a PTE says of its page, or the hole in a table of its page's range. */
struct leaf {
	u64 address; /* of the page's first byte */
	u32 aperture;
	u32 shift; /* log2 of the page's size */
	u32 pcf;
	u32 kind;
	bool sparse;
};

enum { WORD_SPACE, WORD_VA, WORD_ADDRESS, WORD_GENERATION, WORD_LEAF, WORDS };

struct entry {
	u64 sequence; /* odd: being written */
	u64 words[WORDS];
} __attribute__((aligned(64)));

struct h100_mmu {
	struct h100_memory *memory;
	u64 generations[GENERATIONS]; /* atomic */
	struct entry *tlb;
	void (*ring)(void *ctx, u32 token);
	void *ring_ctx;
};

enum nv_status h100_mmu_create(struct h100_memory *memory, struct h100_mmu **out)
{
	struct h100_mmu *mmu = os_alloc(sizeof(*mmu));

	*out = NULL;
	if (!mmu)
		return NV_ERR_NO_MEMORY;
	mmu->memory = memory;
	mmu->tlb = os_alloc(TLB_ENTRIES * sizeof(*mmu->tlb));
	if (!mmu->tlb) {
		os_free(mmu);
		return NV_ERR_NO_MEMORY;
	}
	*out = mmu;
	return NV_OK;
}

void h100_mmu_destroy(struct h100_mmu *mmu)
{
	if (!mmu)
		return;
	os_free(mmu->tlb);
	os_free(mmu);
}

void h100_mmu_set_doorbell(struct h100_mmu *mmu, void (*ring)(void *ctx, u32 token), void *ctx)
{
	mmu->ring = ring;
	mmu->ring_ctx = ctx;
}

/* -- Generations ------------------------------------------------------------------------------- */

/* Never 0; address spaces begin at pages. */
static u64 space_key(const struct h100_pdb *pdb)
{
	return align_down(pdb->address, OS_PAGE_SIZE) | (pdb->aperture & 3u) | 4u;
}

static u64 mix(u64 value)
{
	value *= 0x9e3779b97f4a7c15ull;
	return value ^ (value >> 29);
}

static u64 *generation_of(struct h100_mmu *mmu, u64 space)
{
	return &mmu->generations[mix(space) % GENERATIONS];
}

void h100_mmu_forget(struct h100_mmu *mmu, const struct h100_pdb *pdb)
{
	if (pdb) {
		os_fetch_add(generation_of(mmu, space_key(pdb)), 1);
		return;
	}
	for (u32 i = 0; i < GENERATIONS; i++)
		os_fetch_add(&mmu->generations[i], 1);
}

void h100_mmu_invalidate(struct h100_mmu *mmu, const struct h100_pdb *pdb)
{
	h100_mmu_forget(mmu, pdb);
	h100_memory_drain(mmu->memory);
}

/* -- TLB --------------------------------------------------------------------------------------- */

static u64 leaf_pack(const struct leaf *leaf)
{
	return leaf->shift | (u64)leaf->pcf << 8 | (u64)leaf->kind << 16 |
	       (u64)leaf->aperture << 24 | (u64)leaf->sparse << 32;
}

static void leaf_unpack(u64 word, u64 address, struct leaf *leaf)
{
	leaf->address = address;
	leaf->shift = word & 0xff;
	leaf->pcf = (word >> 8) & 0xff;
	leaf->kind = (word >> 16) & 0xff;
	leaf->aperture = (word >> 24) & 0xff;
	leaf->sparse = (word >> 32) & 1;
}

/* What of va an entry is found by, and which of the three it is (one of the shifts above). */
static u64 tag_of(u64 va, u32 shift)
{
	return align_down(va, BIT64(shift == TABLE_SHIFT ? BIG_SHIFT : shift)) | shift;
}

static struct entry *entry_of(struct h100_mmu *mmu, u64 space, u64 tag)
{
	return &mmu->tlb[(mix(space) + (tag >> SMALL_SHIFT) + (tag >> BIG_SHIFT) * 7 + tag * 31) %
			 TLB_ENTRIES];
}

static bool tlb_find(struct h100_mmu *mmu, u64 space, u64 va, u32 shift, u64 generation,
		     struct leaf *leaf)
{
	u64 tag = tag_of(va, shift);
	struct entry *e = entry_of(mmu, space, tag);
	u64 sequence = os_load_acquire(&e->sequence), words[WORDS];

	if (sequence & 1)
		return false;
	for (u32 i = 0; i < WORDS; i++)
		words[i] = os_load_acquire(&e->words[i]);
	if (os_load_relaxed(&e->sequence) != sequence || words[WORD_SPACE] != space ||
	    words[WORD_VA] != tag || words[WORD_GENERATION] != generation)
		return false;
	leaf_unpack(words[WORD_LEAF], words[WORD_ADDRESS], leaf);
	return true;
}

static void tlb_put(struct h100_mmu *mmu, u64 space, u64 va, u32 shift, u64 generation,
		    const struct leaf *leaf)
{
	u64 tag = tag_of(va, shift);
	struct entry *e = entry_of(mmu, space, tag);
	u64 sequence = os_load_relaxed(&e->sequence);
	const u64 words[WORDS] = {
		[WORD_SPACE] = space,		[WORD_VA] = tag,
		[WORD_ADDRESS] = leaf->address, [WORD_GENERATION] = generation,
		[WORD_LEAF] = leaf_pack(leaf),
	};

	/* Whoever is writing it has something as good. */
	if ((sequence & 1) ||
	    !__atomic_compare_exchange_n(&e->sequence, &sequence, sequence + 1, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return;
	for (u32 i = 0; i < WORDS; i++)
		os_store_release(&e->words[i], words[i]);
	os_store_release(&e->sequence, sequence + 2);
}

/* -- Tables ------------------------------------------------------------------------------------ */

/* A directory or table: where it lies. PDEs have apertures of their own: 0 is none. */
struct table {
	u32 aperture; /* enum h100_aperture */
	u64 address;
};

#define NO_TABLE (~(u64)0)

struct level {
	u32 shift, bits;
	bool leaf; /* its entries may be PTEs */
};

#define LEVEL(name, is_leaf)                                                                 \
	{                                                                                    \
		NV_MMU_VER3_LEVEL_##name##__LO,                                              \
			NV_MMU_VER3_LEVEL_##name##__HI - NV_MMU_VER3_LEVEL_##name##__LO + 1, \
			is_leaf                                                              \
	}

static const struct level directories[] = {
	LEVEL(PDE4, false),
	LEVEL(PDE3, false),
	LEVEL(PDE2, false),
	LEVEL(PDE1, true),
};
static const struct level dual = LEVEL(PDE0, true);
static const struct level big_pages = LEVEL(PTE_64K, true);
static const struct level small_pages = LEVEL(PTE_4K, true);

static u64 index_of(const struct level *level, u64 va)
{
	return (va >> level->shift) & (BIT64(level->bits) - 1);
}

/* In confidential mode tables are in protected memory, where nobody outside writes them. */
static bool entry_read(struct h100_mmu *mmu, const struct table *table, u64 offset, u64 *entry)
{
	if (mmu->memory->confidential && table->aperture != H100_APERTURE_VIDEO)
		return false;
	return h100_memory_read(mmu->memory, table->aperture, table->address + offset, entry,
				sizeof(*entry));
}

static bool pde_valid(u64 pde)
{
	return REG_GET(NV_MMU_VER3_PDE_APERTURE, pde) != NV_MMU_VER3_PDE_APERTURE_INVALID;
}

static bool pde_sparse(u64 pde)
{
	u64 pcf = REG_GET(NV_MMU_VER3_PDE_PCF, pde);

	return !pde_valid(pde) && (pcf == NV_MMU_VER3_PDE_PCF_SPARSE_ATS_ALLOWED ||
				   pcf == NV_MMU_VER3_PDE_PCF_SPARSE_ATS_NOT_ALLOWED);
}

/* The table that a valid PDE points at, or a half of a dual one; mask says where its address is. */
static void pde_table(u64 pde, u64 mask, struct table *table)
{
	u64 aperture = REG_GET(NV_MMU_VER3_PDE_APERTURE, pde);

	_Static_assert((u32)NV_MMU_VER3_PDE_APERTURE_SYSTEM_COHERENT_MEMORY ==
			       (u32)H100_APERTURE_SYSTEM_COHERENT,
		       "apertures of PDEs");
	table->aperture = aperture == NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY ? H100_APERTURE_VIDEO
									    : (u32)aperture;
	table->address = pde & mask;
}

static void leaf_hole(struct leaf *leaf, u32 shift)
{
	*leaf = (struct leaf){ .shift = shift, .sparse = true };
}

static bool pte_valid(u64 pte)
{
	return REG_GET(NV_MMU_VER3_PTE_VALID, pte) == NV_MMU_VER3_PTE_VALID_TRUE;
}

/* An invalid PTE whose page is there all the same, as nothing. */
static bool pte_hole(u64 pte)
{
	u64 pcf = REG_GET(NV_MMU_VER3_PTE_PCF, pte);

	return pcf == NV_MMU_VER3_PTE_PCF_SPARSE || pcf == NV_MMU_VER3_PTE_PCF_MAPPING_NOWHERE;
}

static bool pte_leaf(u64 pte, u32 shift, struct leaf *leaf)
{
	if (!pte_valid(pte)) {
		leaf_hole(leaf, shift);
		return pte_hole(pte);
	}
	leaf->shift = shift;
	leaf->aperture = (u32)REG_GET(NV_MMU_VER3_PTE_APERTURE, pte);
	leaf->pcf = (u32)REG_GET(NV_MMU_VER3_PTE_PCF, pte);
	leaf->kind = (u32)REG_GET(NV_MMU_VER3_PTE_KIND, pte);
	leaf->sparse = false;
	if (leaf->aperture == H100_APERTURE_PEER)
		leaf->aperture = h100_aperture_peer((u32)(pte >> PTE_PEER_ID_SHIFT));
	leaf->address = pte & (leaf->aperture == H100_APERTURE_VIDEO
				       ? REG_MASK(NV_MMU_VER3_PTE_ADDRESS_VID)
				       : REG_MASK(NV_MMU_VER3_PTE_ADDRESS_SYS));
	leaf->address = align_down(leaf->address, BIT64(shift));
	return true;
}

static bool walk_small(struct h100_mmu *mmu, u64 va, const struct table *table, struct leaf *leaf,
		       enum h100_fault_type *why)
{
	u64 pte;

	*why = H100_FAULT_PDE;
	if (!entry_read(mmu, table, index_of(&small_pages, va) * sizeof(pte), &pte))
		return false;
	*why = H100_FAULT_PTE;
	return pte_leaf(pte, small_pages.shift, leaf);
}

/*
 * The two tables of a dual PDE. The big one is asked first; where it has no page, it also says
 * whether the small one may have some. False: *why. *only: the small table, where there is no big
 * one.
 */
static bool walk_dual(struct h100_mmu *mmu, u64 va, u64 big, u64 small, struct leaf *leaf,
		      struct table *only, enum h100_fault_type *why)
{
	struct table table;
	u64 pte;

	*why = H100_FAULT_PDE;
	if (!pde_valid(big) && !pde_valid(small)) {
		leaf_hole(leaf, dual.shift);
		return pde_sparse(big) || pde_sparse(small);
	}
	if (pde_valid(big)) {
		pde_table(big, REG_MASK(NV_MMU_VER3_DUAL_PDE_ADDRESS_BIG), &table);
		if (!entry_read(mmu, &table, index_of(&big_pages, va) * sizeof(pte), &pte))
			return false;
		*why = H100_FAULT_PTE;
		if (pte_leaf(pte, big_pages.shift, leaf))
			return true;
		if (REG_GET(NV_MMU_VER3_PTE_PCF, pte) == NV_MMU_VER3_PTE_PCF_NO_VALID_4KB_PAGE ||
		    !pde_valid(small))
			return false;
	}
	pde_table(small, REG_MASK(NV_MMU_VER3_PDE_ADDRESS), &table);
	if (!pde_valid(big))
		*only = table;
	return walk_small(mmu, va, &table, leaf, why);
}

static bool walk(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, struct leaf *leaf,
		 struct table *only, enum h100_fault_type *why)
{
	struct table table = { .aperture = pdb->aperture,
			       .address = align_down(pdb->address, OS_PAGE_SIZE) };
	u64 entry, high;

	for (u32 i = 0; i < ARRAY_SIZE(directories); i++) {
		const struct level *level = &directories[i];

		*why = H100_FAULT_PDE;
		if (!entry_read(mmu, &table, index_of(level, va) * sizeof(entry), &entry))
			return false;
		if (pte_valid(entry)) {
			*why = H100_FAULT_PDE_SIZE;
			return level->leaf && pte_leaf(entry, level->shift, leaf);
		}
		if (!pde_valid(entry)) {
			leaf_hole(leaf, level->shift);
			return pde_sparse(entry);
		}
		pde_table(entry, REG_MASK(NV_MMU_VER3_PDE_ADDRESS), &table);
	}
	entry = index_of(&dual, va) * NV_MMU_VER3_DUAL_PDE__SIZE;
	if (!entry_read(mmu, &table, entry + sizeof(entry), &high) ||
	    !entry_read(mmu, &table, entry, &entry)) {
		*why = H100_FAULT_PDE;
		return false;
	}
	if (pte_valid(entry))
		return pte_leaf(entry, dual.shift, leaf);
	return walk_dual(mmu, va, entry, high, leaf, only, why);
}

/* The page of va by the TLB, or by tables, which it then has the TLB know. */
static bool find_page(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, u32 access,
		      struct leaf *leaf, enum h100_fault_type *why)
{
	u64 space = space_key(pdb), generation = os_load_acquire(generation_of(mmu, space));
	struct table only = { .address = NO_TABLE };
	struct leaf table;
	bool found;

	if (tlb_find(mmu, space, va, BIG_SHIFT, generation, leaf) ||
	    tlb_find(mmu, space, va, SMALL_SHIFT, generation, leaf))
		return true;
	if (tlb_find(mmu, space, va, TABLE_SHIFT, generation, &table)) {
		only = (struct table){ .aperture = table.aperture, .address = table.address };
		found = walk_small(mmu, va, &only, leaf, why);
	} else {
		found = walk(mmu, pdb, va, leaf, &only, why);
		table = (struct leaf){ .aperture = only.aperture, .address = only.address };
		if (found && only.address != NO_TABLE)
			tlb_put(mmu, space, va, TABLE_SHIFT, generation, &table);
	}
	if (found && leaf->shift >= BIG_SHIFT)
		tlb_put(mmu, space, va, BIG_SHIFT, generation, leaf);
	else if (found && !(access & H100_ACCESS_PASSING))
		tlb_put(mmu, space, va, SMALL_SHIFT, generation, leaf);
	return found;
}

/* -- Translation ------------------------------------------------------------------------------- */

/*
 * A PTE's PCF is bits, save that they are numbered together with those of invalid ones:
 * uncached, privileged, read-only, no atomics, no access counting.
 */
#define PCF_PRIVILEGED NV_MMU_VER3_PTE_PCF_PRIVILEGE_RW_ATOMIC_CACHED_ACE
#define PCF_READ_ONLY NV_MMU_VER3_PTE_PCF_REGULAR_RO_ATOMIC_CACHED_ACE
#define PCF_NO_ATOMIC NV_MMU_VER3_PTE_PCF_REGULAR_RW_NO_ATOMIC_CACHED_ACE

static bool is_usermode_region(const struct leaf *leaf)
{
	return leaf->kind == NV_MMU_PTE_KIND_SMSKED_MESSAGE &&
	       leaf->aperture == H100_APERTURE_SYSTEM_COHERENT &&
	       leaf->address >= NV_VIRTUAL_FUNCTION__LO && leaf->address <= NV_VIRTUAL_FUNCTION__HI;
}

/* Whether the page may be accessed so; otherwise *why not. */
static bool permitted(const struct h100_memory *m, const struct leaf *leaf, u32 access,
		      enum h100_fault_type *why)
{
	bool message = access & H100_ACCESS_MESSAGE && is_usermode_region(leaf);
	u32 type = access & H100_ACCESS_TYPE_MASK;

	if (leaf->sparse)
		return true;
	if (h100_aperture_is_peer(leaf->aperture) && !h100_peer_usable(m, leaf->aperture))
		*why = H100_FAULT_UNSUPPORTED_APERTURE;
	else if (m->confidential && leaf->aperture != H100_APERTURE_VIDEO &&
		 !(access & H100_ACCESS_OUTSIDE) && !message)
		*why = H100_FAULT_UNSUPPORTED_APERTURE;
	else if (leaf->kind == NV_MMU_PTE_KIND_INVALID ||
		 (leaf->kind == NV_MMU_PTE_KIND_SMSKED_MESSAGE && !message))
		*why = H100_FAULT_UNSUPPORTED_KIND;
	else if ((leaf->pcf & PCF_PRIVILEGED) && !(access & H100_ACCESS_PRIVILEGED))
		*why = H100_FAULT_PRIV_VIOLATION;
	else if ((leaf->pcf & PCF_READ_ONLY) && type != H100_ACCESS_READ)
		*why = H100_FAULT_RO_VIOLATION;
	else if ((leaf->pcf & PCF_NO_ATOMIC) && type == H100_ACCESS_ATOMIC)
		*why = H100_FAULT_ATOMIC_VIOLATION;
	else
		return true;
	return false;
}

/* False: the byte lies past the end of video memory. */
static bool place(const struct h100_memory *m, const struct leaf *leaf, u64 va,
		  struct h100_translation *out)
{
	u64 offset = va & (BIT64(leaf->shift) - 1);

	*out = (struct h100_translation){
		.aperture = leaf->aperture,
		.address = leaf->address + offset,
		.bytes = BIT64(leaf->shift) - offset,
		.kind = (u8)leaf->kind,
		.read_only = !leaf->sparse && (leaf->pcf & PCF_READ_ONLY) != 0,
		.sparse = leaf->sparse,
	};
	if (leaf->sparse || leaf->aperture != H100_APERTURE_VIDEO)
		return true;
	if (out->address >= m->video_bytes)
		return false;
	out->bytes = min(out->bytes, m->video_bytes - out->address);
	return true;
}

static bool fail(struct h100_fault *fault, enum h100_fault_type why, const struct h100_pdb *pdb,
		 u64 va, u32 access)
{
	if (!fault)
		return false;
	memset(fault, 0, sizeof(*fault));
	fault->type = why;
	fault->access = (u8)(access & H100_ACCESS_TYPE_MASK);
	fault->va = va;
	fault->pdb = *pdb;
	return false;
}

bool h100_mmu_translate(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, u32 access,
			struct h100_translation *out, struct h100_fault *fault)
{
	enum h100_fault_type why;
	struct leaf leaf;

	if (va >> VA_BITS)
		return fail(fault, H100_FAULT_VA_LIMIT_VIOLATION, pdb, va, access);
	if (pdb->aperture > H100_APERTURE_SYSTEM_NONCOHERENT || pdb->aperture == H100_APERTURE_PEER)
		return fail(fault, H100_FAULT_UNSUPPORTED_APERTURE, pdb, va, access);
	if (!find_page(mmu, pdb, va, access, &leaf, &why))
		return fail(fault, why, pdb, va, access);
	if (!permitted(mmu->memory, &leaf, access, &why))
		return fail(fault, why, pdb, va, access);
	if (!place(mmu->memory, &leaf, va, out))
		return fail(fault, H100_FAULT_REGION_VIOLATION, pdb, va, access);
	return true;
}

/* -- Accesses ---------------------------------------------------------------------------------- */

#define ACCESS_RIGHTS (H100_ACCESS_PRIVILEGED | H100_ACCESS_OUTSIDE)

bool h100_virtual_read(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, void *data,
		       u64 size, u32 access, struct h100_fault *fault)
{
	struct h100_translation t;
	u8 *to = data;
	u64 piece;

	access = (access & ACCESS_RIGHTS) | H100_ACCESS_READ;
	for (; size != 0; va += piece, to += piece, size -= piece) {
		if (!h100_mmu_translate(mmu, pdb, va, access, &t, fault))
			return false;
		piece = min(size, t.bytes);
		if (t.sparse)
			memset(to, 0, piece);
		else if (!h100_memory_read(mmu->memory, t.aperture, t.address, to, piece))
			return fail(fault, H100_FAULT_REGION_VIOLATION, pdb, va, access);
	}
	return true;
}

static void take_message(struct h100_mmu *mmu, u64 address, u32 word)
{
	if (address == NV_VIRTUAL_FUNCTION_DOORBELL && mmu->ring)
		mmu->ring(mmu->ring_ctx, word);
}

bool h100_virtual_write(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, const void *data,
			u64 size, u32 access, struct h100_fault *fault)
{
	struct h100_translation t;
	const u8 *from = data;
	u64 piece;
	u32 word;

	access = (access & ACCESS_RIGHTS) | H100_ACCESS_WRITE;
	if (size == sizeof(word) && is_aligned(va, sizeof(word)))
		access |= H100_ACCESS_MESSAGE;
	for (; size != 0; va += piece, from += piece, size -= piece) {
		if (!h100_mmu_translate(mmu, pdb, va, access, &t, fault))
			return false;
		piece = min(size, t.bytes);
		if (!t.sparse && t.kind == NV_MMU_PTE_KIND_SMSKED_MESSAGE) {
			memcpy(&word, data, sizeof(word));
			take_message(mmu, t.address, word);
			return true;
		}
		if (!t.sparse &&
		    !h100_memory_write(mmu->memory, t.aperture, t.address, from, piece))
			return fail(fault, H100_FAULT_REGION_VIOLATION, pdb, va, access);
	}
	return true;
}

bool h100_virtual_fetch_op(struct h100_mmu *mmu, const struct h100_pdb *pdb, u64 va, u32 width,
			   enum h100_memory_op op, u64 operand, u64 *old, u32 access,
			   struct h100_fault *fault)
{
	struct h100_translation t;

	access = (access & ACCESS_RIGHTS) | H100_ACCESS_ATOMIC;
	if (!is_aligned(va, width))
		return fail(fault, H100_FAULT_ATOMIC_VIOLATION, pdb, va, access);
	if (!h100_mmu_translate(mmu, pdb, va, access, &t, fault))
		return false;
	if (t.sparse) {
		if (old)
			*old = 0;
		return true;
	}
	if (!h100_memory_fetch_op(mmu->memory, t.aperture, t.address, width, op, operand, old))
		return fail(fault, H100_FAULT_REGION_VIOLATION, pdb, va, access);
	return true;
}
