// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that moves to a GPU in confidential mode and back, by system calls, against what
 * that cannot do without: each byte encrypted by one thread and decrypted by another, both ways,
 * and the same pages let go, made anew and mapped once.
 *
 *   bench_migration           on a machine of its own
 *   bench_migration MIB       as a client of a machine, in one line; it also runs without
 * encryption
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bits.h"
#include "host/user/handoff.h"
#include "ring.h"
#include "tests/vm/client_uvm.h"

#define BENCH_MIB "256"
#define ROUNDS 3u
#define BLOCK MIB(2)
#define PIECE ((u32)KIB(64))
#define WHAT "encrypted migration and back / two-thread ring and pages"

/* Linux 5.13; include/uapi/linux/userfaultfd.h. */
#ifndef UFFDIO_CONTINUE
#define UFFDIO_REGISTER_MODE_MINOR ((u64)1 << 2)
#define UFFD_FEATURE_MINOR_SHMEM (1 << 10)
struct uffdio_continue {
	struct uffdio_range range;
	u64 mode;
	s64 mapped;
};
#define UFFDIO_CONTINUE _IOWR(UFFDIO, 7, struct uffdio_continue)
#endif

static u64 bytes;

static void *memory(int fd, u64 size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

static u64 pattern(u64 at, u64 round)
{
	return (at + round + 1) * 0x9e3779b97f4a7c15ull;
}

static void fill(u64 *at, u64 round)
{
	for (u64 i = 0; i < bytes / 8; i++)
		at[i] = pattern(i, round);
}

static void verify(const u64 *at, u64 round)
{
	for (u64 i = 0; i < bytes / 8; i++)
		CHECK(at[i] == pattern(i, round));
}

/* -- What it cannot do without ----------------------------------------------------------------- */

/* A descriptor under which absent pages of shared memory can be mapped, or -1. */
static int open_faults(void *at)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM };
	struct uffdio_register range = { .range = { (u64)(uintptr_t)at, bytes },
					 .mode = UFFDIO_REGISTER_MODE_MINOR };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd >= 0 && (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Nanoseconds to let all pages go, make them anew and map them; below 0 where that cannot be. */
static double pages_ns(void)
{
	int file = memfd_create("pages", MFD_CLOEXEC), faults;
	u8 *client, *driver;
	u64 begin, at, page;

	CHECK(file >= 0 && ftruncate(file, (off_t)bytes) == 0);
	client = memory(file, bytes);
	driver = memory(file, bytes);
	memset(client, 1, bytes);
	faults = open_faults(client);
	if (faults < 0)
		return -1;
	begin = handoff_now();
	for (at = 0; at < bytes; at += BLOCK)
		CHECK(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at,
				BLOCK) == 0);
	for (at = 0; at < bytes; at += BLOCK) {
		struct uffdio_continue go = { .range = { (u64)(uintptr_t)client + at, BLOCK } };

		for (page = 0; page < BLOCK; page += PAGE)
			driver[at + page] = 1;
		CHECK(ioctl(faults, UFFDIO_CONTINUE, &go) == 0);
	}
	begin = handoff_now() - begin;
	munmap(client, bytes);
	munmap(driver, bytes);
	close(faults);
	close(file);
	return (double)begin;
}

/* -- What it does ------------------------------------------------------------------------------ */

static void migrate(const struct joined *j, u8 *base, bool to_gpu)
{
	u32 status = try_migrate(j, base, bytes, to_gpu);

	if (status == NV_OK)
		return;
	printf("memory did not move %s the GPU: status 0x%x\n", to_gpu ? "to" : "from", status);
	exit(1);
}

/* The CPU's first page is not there. */
static bool is_away(u8 *base)
{
	unsigned char here;

	CHECK(mincore(base, PAGE, &here) == 0);
	return (here & 1) == 0;
}

/* Least nanoseconds of each way; false where memory stays. */
static bool measure(double *up, double *down)
{
	struct joined j = join();
	u8 *all = reserve(bytes + BLOCK), *base = all + (BLOCK - (uintptr_t)all % BLOCK) % BLOCK;
	bool moves = true;

	CHECK_IS(map_at(j.fd, base, bytes), 0);
	*up = *down = 1e18;
	for (u32 i = 0; i < ROUNDS && moves; i++) {
		u64 begin, there;

		fill((u64 *)base, i);
		begin = handoff_now();
		migrate(&j, base, true);
		there = handoff_now();
		moves = is_away(base);
		*up = min(*up, (double)(there - begin));
		begin = handoff_now();
		migrate(&j, base, false);
		*down = min(*down, (double)(handoff_now() - begin));
		verify((const u64 *)base, i);
	}
	leave(&j);
	munmap(all, bytes + BLOCK);
	return moves;
}

/* Least nanoseconds of the ring, once each way, and of pages; below 0: not measured. */
static double bare_ns(void)
{
	u8 *from = memory(-1, bytes), *to = memory(-1, bytes);
	double ways = 1e18, pages = 1e18;

	memset(from, 3, bytes);
	memset(to, 0, bytes);
	for (u32 i = 0; i < ROUNDS; i++)
		ways = min(ways, 2 * ring_ns(from, to, bytes, PIECE, 2));
	munmap(from, bytes);
	munmap(to, bytes);
	for (u32 i = 0; i < ROUNDS && pages >= 0; i++)
		pages = min(pages, pages_ns());
	return pages < 0 ? -1 : ways + pages;
}

static void be_client(bool in_words)
{
	double up, down, bare;

	if (!measure(&up, &down)) {
		host_skip(WHAT, "managed memory does not move for this process");
		return;
	}
	bare = bare_ns();
	if (in_words)
		printf("%llu MiB of managed memory to the GPU and back, verified: %.2f and %.2f "
		       "GB/s\n",
		       (unsigned long long)(bytes >> 20), (double)bytes / up, (double)bytes / down);
	if (bare < 0)
		host_skip(WHAT, "no userfaultfd for shared memory");
	else if (in_words)
		printf("%.2f times what a bare ring of two threads takes to encrypt and decrypt it "
		       "both ways, and its pages\n",
		       (up + down) / bare);
	else
		host_report(WHAT, (up + down) / bare, 1 / 0.85);
}

int main(int argc, char **argv)
{
	const char *self = host_begin();
	const char *size = argc > 1 ? argv[1] : BENCH_MIB;

	if (argc > 1 || getenv("BENCH_CLIENT")) {
		bytes = (u64)strtoul(size, NULL, 0) << 20;
		CHECK(bytes != 0);
		be_client(argc > 1);
		return 0;
	}
	setenv("BENCH_CLIENT", "1", 1);
	execl(host_leafhopper, host_leafhopper, "run", "--cc", "on", "--", self, NULL);
	host_fail(host_leafhopper);
}
