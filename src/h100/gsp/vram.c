// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Video memory: one sparse mapping of the GPU's whole memory, which costs what is touched.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "h100/gsp/gpu.h"

enum nv_status vram_create(u64 size, int *fd, u8 **video)
{
	void *memory = MAP_FAILED;

	*fd = memfd_create("h100 video memory", MFD_CLOEXEC);
	if (*fd < 0)
		return NV_ERR_NO_MEMORY;
	if (ftruncate(*fd, (off_t)size) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *fd,
			      0);
	if (memory == MAP_FAILED) {
		close(*fd);
		*fd = -1;
		return NV_ERR_NO_MEMORY;
	}
	/* A core dump of what drives 16 GPUs would be over a terabyte long. */
	madvise(memory, size, MADV_DONTDUMP);
	*video = memory;
	return NV_OK;
}

void vram_destroy(int fd, u8 *video, u64 size)
{
	if (video)
		munmap(video, size);
	if (fd >= 0)
		close(fd);
}
