// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The system calls on /dev/softh100.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/linux/gpu/remote.h"

static int file_of(void *ctx)
{
	return *(const int *)ctx;
}

static int device_ioctl(void *ctx, unsigned long request, void *arg)
{
	return ioctl(file_of(ctx), request, arg) < 0 ? -errno : 0;
}

static ssize_t device_pread(void *ctx, void *data, size_t size, u64 address)
{
	ssize_t got = pread(file_of(ctx), data, size, (off_t)address);

	return got < 0 ? -errno : got;
}

static ssize_t device_pwrite(void *ctx, const void *data, size_t size, u64 address)
{
	ssize_t got = pwrite(file_of(ctx), data, size, (off_t)address);

	return got < 0 ? -errno : got;
}

static void *device_map(void *ctx, u64 offset, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			    file_of(ctx), (off_t)offset);

	if (memory == MAP_FAILED)
		return NULL;
	/* A core dump would be as long as the memory. */
	madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

static void device_unmap(void *ctx, void *memory, size_t size)
{
	munmap(memory, size);
}

const struct remote_calls remote_device = {
	.ioctl = device_ioctl,
	.pread = device_pread,
	.pwrite = device_pwrite,
	.map = device_map,
	.unmap = device_unmap,
};
