/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The function in softh100.ko as the GPU's process reaches it: function/chip.h, DMA and video
 * memory over /dev/softh100 (host/linux/softh100/softh100.h says what its calls mean).
 */
#ifndef HOST_LINUX_GPU_REMOTE_H
#define HOST_LINUX_GPU_REMOTE_H

#include <sys/types.h>

#include "base/types.h"
#include "h100/function/chip.h"
#include "h100/h100.h"
#include "host/linux/softh100/softh100.h"
#include "os/os.h"

/* The system calls on the device's file, so that tests can be the module. Failures are -errno. */
struct remote_calls {
	int (*ioctl)(void *ctx, unsigned long request, void *arg); /* 0 */
	ssize_t (*pread)(void *ctx, void *data, size_t size, u64 address);
	ssize_t (*pwrite)(void *ctx, const void *data, size_t size, u64 address);
	/* What the file shows at offset, shared; NULL when there is none to be had. */
	void *(*map)(void *ctx, u64 offset, size_t size);
	void (*unmap)(void *ctx, void *memory, size_t size);
};

/* The real ones; ctx is an int: the open file. */
extern const struct remote_calls remote_device;

struct h100_chip {
	const struct remote_calls *calls;
	void *ctx;
	/*
	 * The first failure of a call that cannot fail while the GPU is there: an errno, ENODEV
	 * when it was taken away. From then on calls do nothing; who serves the GPU ends. Atomic.
	 */
	u32 error;
};

/* A request that an interrupted call repeats. 0 or an errno; does not touch error. */
int remote_ioctl(struct h100_chip *chip, unsigned long request, void *arg);

/* One that cannot fail while the GPU is there: true, or error is set. Any thread. */
bool remote_must(struct h100_chip *chip, unsigned long request, void *arg);
/* Has a WAIT of another thread, this or the next one, return. Any thread. */
void remote_wake(struct h100_chip *chip);
/* Sets error, where none is set yet, and wakes who serves the GPU. Any thread. */
void remote_fail(struct h100_chip *chip, int error);
static inline int remote_error(struct h100_chip *chip)
{
	return (int)os_load_relaxed(&chip->error);
}

/* What the module was loaded with, checked. 0 or an errno; EPROTO: another version, or nonsense. */
int remote_machine(struct h100_chip *chip, struct softh100_machine *machine);
/* Binds the file to the GPU, which is in that mode. 0 or an errno. */
int remote_attach(struct h100_chip *chip, const struct h100_function_identity *identity,
		  enum h100_cc cc);

/* System memory by its DMA address; false when any byte is out of reach. ctx: the chip. */
bool remote_dma_read(void *ctx, u64 address, void *data, size_t size);
bool remote_dma_write(void *ctx, u64 address, const void *data, size_t size);

#endif
