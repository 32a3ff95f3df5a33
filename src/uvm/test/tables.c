// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Page tables (uvm/page_tree.h) in the memory of a real GPU, which no channel walks: pages of every
 * size beside each other and across the borders of tables, looked for in video memory by a walk
 * that knows what the GPU knows, and nothing of the tree.
 */
#include "uvm/test/test.h"

#include "abi/gh100.h"
#include "base/bits.h"

#define BAR_VIDEO 2u

struct mapping {
	u64 va, size, page;
};

/* No two overlap; those of one 2 MiB share a table with halves. */
static const struct mapping mappings[] = {
	{ 0, KIB(4), UVM_PAGE_4K },
	{ MIB(2) - KIB(8), KIB(16), UVM_PAGE_4K }, /* over a page table's end */
	{ MIB(4) + KIB(64), KIB(128), UVM_PAGE_64K },
	{ MIB(4) + KIB(192), KIB(64), UVM_PAGE_4K }, /* small pages beside big ones */
	{ MIB(6), MIB(6), UVM_PAGE_2M },
	{ MIB(512) - KIB(64), KIB(128), UVM_PAGE_64K }, /* over a directory's end */
	{ GIB(1), GIB(1), UVM_PAGE_512M },
	{ GIB(256) - MIB(2), MIB(4), UVM_PAGE_2M },    /* over two */
	{ BIT64(47) - KIB(4), KIB(8), UVM_PAGE_4K },   /* over all but the root */
	{ BIT64(56) + GIB(3), KIB(64), UVM_PAGE_64K }, /* the root's other entry */
	{ BIT64(57) - KIB(4), KIB(4), UVM_PAGE_4K },
};

struct table_test {
	struct uvm_gpu *gpu;
	struct uvm_page_tree tree;
	bool mapped[ARRAY_SIZE(mappings)];
	u64 seeds[ARRAY_SIZE(mappings)];
};

/* -- The walk ------------------------------------------------------------------------------------
 */

static u64 word(const struct table_test *t, u64 address)
{
	return os_pci_rd64(rm_uvm_gpu_pci(t->gpu->rm), BAR_VIDEO, address);
}

/* The entry for a page of that size at va; 0: none, also where there is no table for it. */
static u64 walk(const struct table_test *t, u64 va, u64 page)
{
	const struct uvm_mmu_hal *mmu = t->gpu->hal.mmu;
	u32 level, entries, target = mmu->page_level(page);
	u64 table = uvm_page_tree_root(&t->tree, &entries);

	for (level = 0; level < target; level++) {
		bool dual = mmu->level[level].words == 2, small = dual && page == UVM_PAGE_4K;
		u64 index = (va >> mmu->level[level].shift) & (BIT64(mmu->level[level].bits) - 1);
		u64 pde = word(t, table + 8 * (index * mmu->level[level].words + small));

		if (REG_GET(NV_MMU_VER3_PDE_IS_PTE, pde) ||
		    REG_GET(NV_MMU_VER3_PDE_APERTURE, pde) != NV_MMU_VER3_PDE_APERTURE_VIDEO_MEMORY)
			return 0;
		table = dual && !small ? REG_GET(NV_MMU_VER3_DUAL_PDE_ADDRESS_BIG, pde)
						 << NV_MMU_VER3_DUAL_PDE_ADDRESS_BIG_SHIFT
				       : REG_GET(NV_MMU_VER3_PDE_ADDRESS, pde)
						 << NV_MMU_VER3_PDE_ADDRESS_SHIFT;
	}
	if (level == mmu->directories)
		return word(t, table + 8 * (va % UVM_PAGE_2M / page));
	return word(t, table + 8 *
				       ((va >> mmu->level[level].shift) &
					(BIT64(mmu->level[level].bits) - 1)) *
				       mmu->level[level].words);
}

/* -- Entries -------------------------------------------------------------------------------------
 */

struct maker {
	const struct uvm_gpu *gpu;
	u64 seed;
	u64 fail_at; /* offset; ~0: nowhere */
};

static enum nv_status make_pte(void *ctx, u64 offset, u64 *pte)
{
	const struct maker *m = ctx;
	struct uvm_pte p = {
		.aperture = RM_UVM_SYSTEM_COHERENT,
		.address = m->seed + offset,
		.protection = (enum uvm_protection)(offset / UVM_PAGE_4K % 3),
		.cached = m->seed & UVM_PAGE_2M,
		.kind = NV_MMU_PTE_KIND_GENERIC_MEMORY,
	};

	if (offset == m->fail_at)
		return NV_ERR_BUSY_RETRY;
	*pte = m->gpu->hal.mmu->pte(&p);
	return NV_OK;
}

static struct maker maker_of(const struct table_test *t, u32 i)
{
	return (struct maker){ .gpu = t->gpu, .seed = t->seeds[i], .fail_at = ~(u64)0 };
}

/* All that is mapped is there, and nothing of the rest. */
static enum nv_status check(const struct table_test *t)
{
	u32 i;
	u64 at, pte;

	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		const struct mapping *m = &mappings[i];
		struct maker maker = maker_of(t, i);

		for (at = 0; at < m->size; at += m->page) {
			pte = 0;
			if (t->mapped[i])
				TEST_OK(make_pte(&maker, at, &pte));
			TEST_CHECK(walk(t, m->va + at, m->page) == pte);
		}
	}
	/* Pages beside those that there are. */
	TEST_CHECK(!walk(t, KIB(4), UVM_PAGE_4K) && !walk(t, MIB(4), UVM_PAGE_64K));
	TEST_CHECK(!walk(t, MIB(4) + KIB(64), UVM_PAGE_4K) && !walk(t, MIB(12), UVM_PAGE_2M));
	return NV_OK;
}

static enum nv_status map(struct table_test *t, u32 i)
{
	const struct mapping *m = &mappings[i];
	enum nv_status status;
	struct maker maker;

	t->seeds[i] = GIB(4) * (i + 1) + (i % 2) * UVM_PAGE_2M;
	/* First one whose last page cannot be had: nothing of it is left. */
	maker = maker_of(t, i);
	maker.fail_at = m->size - m->page;
	status = uvm_page_tree_map(&t->tree, m->va, m->size, m->page, make_pte, &maker);
	if (status != NV_ERR_BUSY_RETRY && status != NV_OK)
		return status;
	TEST_CHECK(status != NV_OK);
	TEST_OK(check(t));
	maker = maker_of(t, i);
	TEST_OK(uvm_page_tree_map(&t->tree, m->va, m->size, m->page, make_pte, &maker));
	t->mapped[i] = true;
	return check(t);
}

static enum nv_status replace(struct table_test *t, u32 i)
{
	const struct mapping *m = &mappings[i];
	struct maker maker;

	t->seeds[i] += GIB(64);
	maker = maker_of(t, i);
	TEST_OK(uvm_page_tree_replace(&t->tree, m->va, m->size, m->page, make_pte, &maker));
	return check(t);
}

static void unmap(struct table_test *t, u32 i)
{
	if (t->mapped[i])
		uvm_page_tree_unmap(&t->tree, mappings[i].va, mappings[i].size, mappings[i].page);
	t->mapped[i] = false;
}

static enum nv_status run(struct table_test *t)
{
	u32 i, entries;
	u64 root = uvm_page_tree_root(&t->tree, &entries);

	for (i = 0; i < entries; i++)
		TEST_CHECK(!word(t, root + 8 * i));
	for (i = 0; i < ARRAY_SIZE(mappings); i++)
		TEST_OK(map(t, i));
	for (i = 0; i < ARRAY_SIZE(mappings); i += 2)
		TEST_OK(replace(t, i));
	/* In another order, and some of them again. */
	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		unmap(t, i * 4 % ARRAY_SIZE(mappings));
		TEST_OK(check(t));
		if (i % 3 == 0)
			TEST_OK(map(t, i * 4 % ARRAY_SIZE(mappings)));
	}
	for (i = 0; i < ARRAY_SIZE(mappings); i++)
		unmap(t, i);
	for (i = 0; i < entries; i++)
		TEST_CHECK(!word(t, root + 8 * i));
	return NV_OK;
}

static enum nv_status page_tree(struct uvm_gpu *gpu, void *ctx)
{
	struct table_test *t = os_alloc(sizeof(*t));
	enum nv_status status;
	u32 i;

	if (!t)
		return NV_ERR_NO_MEMORY;
	t->gpu = gpu;
	status = uvm_page_tree_init(&t->tree, &gpu->room, &gpu->hal);
	if (status == NV_OK) {
		status = run(t);
		for (i = 0; i < ARRAY_SIZE(mappings); i++)
			unmap(t, i);
		uvm_page_tree_fini(&t->tree);
	}
	os_free(t);
	return status;
}

enum nv_status uvm_test_page_tree(struct uvm_file *file, void *params)
{
	return uvm_test_each_gpu(file, page_tree, NULL);
}
