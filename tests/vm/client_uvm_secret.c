// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that moves to a GPU in confidential mode and back, by real system calls: migrated,
 * touched, and read and written where it is, as a debugger does.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "client_uvm.h"

#define SIZE (MIB(5) + 3 * PAGE)
#define SKIPPED 77

static u64 pattern(u64 at)
{
	return (at + 1) * 0x9e3779b97f4a7c15ull;
}

static void fill(u8 *base, u64 plus)
{
	u64 at, value;

	for (at = 0; at < SIZE; at += 8) {
		value = pattern(at) + plus;
		memcpy(base + at, &value, 8);
	}
}

static void check(const u8 *base, u64 plus)
{
	u64 at, value;

	for (at = 0; at < SIZE; at += 8) {
		memcpy(&value, base + at, 8);
		CHECK_IS(value, pattern(at) + plus);
	}
}

/* Whether the page is the GPU's, and mapped there just then. */
static bool is_away(const struct joined *j, const u8 *at)
{
	static UVM_TEST_VA_RESIDENCY_INFO_PARAMS p;
	bool away;

	p.lookup_address = (u64)(uintptr_t)at;
	CHECK_IS(STATUS(j->fd, UVM_TEST_VA_RESIDENCY_INFO, &p), NV_OK);
	CHECK_IS(p.resident_on_count, 1);
	away = !memcmp(&p.resident_on[0], &j->uuid, sizeof(j->uuid));
	CHECK_IS(p.mapped_on_count, away);
	return away;
}

static void migrate(const struct joined *j, u8 *base, u64 size, bool to_gpu)
{
	CHECK_IS(try_migrate(j, base, size, to_gpu), NV_OK);
}

/* At any offset, of any size, over the borders of pages; what is there stays there. */
static void check_tools(const struct joined *j, u8 *base, u64 plus)
{
	static const struct {
		u64 offset, size;
	} parts[] = {
		{ 0, 8 }, { 3, 1 }, { PAGE - 5, 11 }, { MIB(2) - 9, 3 * PAGE }, { MIB(3), PAGE }
	};
	static u8 bytes[4 * PAGE], model[SIZE];
	u32 i, k;

	for (i = 0; i < SIZE; i += 8) {
		u64 value = pattern(i) + plus;

		memcpy(model + i, &value, 8);
	}
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		u64 offset = parts[i].offset;
		UVM_TOOLS_READ_PROCESS_MEMORY_PARAMS r = { .buffer = (u64)(uintptr_t)bytes,
							   .size = parts[i].size,
							   .targetVa =
								   (u64)(uintptr_t)base + offset };
		UVM_TOOLS_WRITE_PROCESS_MEMORY_PARAMS w = { .buffer = r.buffer,
							    .size = r.size,
							    .targetVa = r.targetVa };

		CHECK_IS(STATUS(j->fd, UVM_TOOLS_READ_PROCESS_MEMORY, &r), NV_OK);
		CHECK_IS(r.bytesRead, r.size);
		CHECK(!memcmp(bytes, model + offset, r.size));
		for (k = 0; k < r.size; k++)
			model[offset + k] = bytes[k] = (u8)(k * 3 + i);
		CHECK_IS(STATUS(j->fd, UVM_TOOLS_WRITE_PROCESS_MEMORY, &w), NV_OK);
		CHECK_IS(w.bytesWritten, w.size);
		CHECK(is_away(j, base + offset));
	}
	CHECK(is_away(j, base) && is_away(j, base + SIZE - 1));
	for (i = 0; i < SIZE; i += PAGE)
		CHECK(!memcmp(base + i, model + i, PAGE));
}

int row_uvm_secret(void)
{
	struct joined j = join();
	u8 *all = reserve(MIB(8)), *base = all + (MIB(2) - (uintptr_t)all % MIB(2)) + PAGE;
	u64 at;

	CHECK_IS(map_at(j.fd, base, SIZE), 0);
	fill(base, 0);
	migrate(&j, base, SIZE, true);
	if (!is_away(&j, base)) {
		puts("skipped: managed memory does not move for this process");
		leave(&j);
		return SKIPPED;
	}
	for (at = 0; at < SIZE; at += PAGE)
		CHECK(is_away(&j, base + at));
	/* As a whole, then by touching pages in falling order. */
	migrate(&j, base, SIZE, false);
	CHECK(!is_away(&j, base) && !is_away(&j, base + MIB(4)));
	check(base, 0);
	fill(base, 1);
	migrate(&j, base + 5 * PAGE, MIB(3), true);
	CHECK(!is_away(&j, base) && is_away(&j, base + 5 * PAGE) && !is_away(&j, base + MIB(4)));
	migrate(&j, base, SIZE, true);
	for (at = SIZE; at; at -= PAGE) {
		u64 value;

		memcpy(&value, base + at - 8, 8);
		CHECK_IS(value, pattern(at - 8) + 1);
	}
	check(base, 1);
	migrate(&j, base, SIZE, true);
	check_tools(&j, base, 1);
	/* What the GPU has when its address space ends comes back. */
	fill(base, 2);
	migrate(&j, base, SIZE, true);
	{
		UVM_UNREGISTER_GPU_VASPACE_PARAMS space = { .gpuUuid = j.uuid };
		UVM_UNREGISTER_GPU_PARAMS gpu = { .gpu_uuid = j.uuid };

		CHECK_IS(STATUS(j.fd, UVM_UNREGISTER_GPU_VASPACE, &space), NV_OK);
		CHECK_IS(STATUS(j.fd, UVM_UNREGISTER_GPU, &gpu), NV_OK);
	}
	check(base, 2);
	leave(&j);
	CHECK(munmap(base, SIZE) == 0);
	return 0;
}

/* On the GPU at first; each byte on standard input moves it to the other side, the status a line.
 */
int row_hold_secret(void)
{
	struct joined j = join();
	u8 *base = reserve(MIB(2));
	bool to_gpu = false;
	char byte;

	CHECK_IS(map_at(j.fd, base, MIB(2)), 0);
	memset(base, 0x5a, MIB(2));
	migrate(&j, base, MIB(2), true);
	printf("ready\n");
	fflush(stdout);
	for (; read(STDIN_FILENO, &byte, 1) == 1; to_gpu = !to_gpu) {
		printf("%#x\n", try_migrate(&j, base, MIB(2), to_gpu));
		fflush(stdout);
	}
	return 0;
}
