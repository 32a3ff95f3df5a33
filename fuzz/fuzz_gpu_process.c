// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What leafhopper-gpu is told by /dev/softh100: work that may not be there, fault commands, packets
 * and system memory of any content, errors and short transfers. The firmware itself has its own
 * fuzzer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/linux/gpu/gpu.h"
#include "host/linux/gpu/serve.h"
#include "os/user/user.h"

#define VIDEO_BYTES (1ull << 40) /* more than any profile has */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
	const u8 *at;
	size_t left;
};

static u8 take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static size_t take_bytes(struct input *in, void *data, size_t size)
{
	size_t here = size < in->left ? size : in->left;

	memset(data, 0, size);
	memcpy(data, in->at, here);
	in->at += here;
	in->left -= here;
	return here;
}

/* Mostly 0; no endless interruptions. */
static int outcome(struct input *in)
{
	static const int errors[] = { EINTR, EFAULT, EIO, ENODEV, EINVAL };
	u8 byte = take(in);

	if (in->left == 0 || byte < 0xe0)
		return 0;
	return -errors[byte % (sizeof(errors) / sizeof(errors[0]))];
}

static int answer_wait(struct input *in, struct softh100_wait *wait)
{
	if (in->left == 0)
		return -ENODEV;
	wait->work = take(in) | (u32)take(in) << 16;
	return 0;
}

static int answer_packet(struct input *in, struct softh100_packet *packet)
{
	u32 space = packet->size;

	packet->size = take(in) * 4u;
	/* More than there was space for, which the module cannot have written. */
	if (packet->size <= space)
		take_bytes(in, (void *)(uintptr_t)packet->data, packet->size);
	return 0;
}

/* Reports of few bells, mostly, so that they come again and go. */
static int answer_bells(struct input *in, struct softh100_bells *reports)
{
	u32 i;

	take_bytes(in, reports, sizeof(*reports));
	reports->count = take(in) % 40u;
	for (i = 0; i < sizeof(reports->bells) / sizeof(reports->bells[0]); i++) {
		reports->bells[i].client %= 4;
		if (take(in) < 0xf0)
			reports->bells[i].number %= 8;
	}
	return 0;
}

static int fuzz_ioctl(void *ctx, unsigned long request, void *arg)
{
	struct input *in = ctx;
	int rc;

	if (request == SOFTH100_ATTACH)
		return 0;
	rc = outcome(in);
	if (rc)
		return rc;
	switch (request) {
	case SOFTH100_MACHINE:
		take_bytes(in, arg, sizeof(struct softh100_machine));
		return 0;
	case SOFTH100_WAIT:
		return answer_wait(in, arg);
	case SOFTH100_FSP_RECEIVE:
		return answer_packet(in, arg);
	case SOFTH100_BELLS:
		return answer_bells(in, arg);
	case SOFTH100_COMMAND:
		take_bytes(in, arg, take(in));
		return 0;
	default:
		return 0;
	}
}

static ssize_t fuzz_pread(void *ctx, void *data, size_t size, u64 address)
{
	struct input *in = ctx;
	int rc = outcome(in);

	if (rc)
		return rc;
	if (take(in) < 0x40)
		size = size < 3 ? size : 3;
	take_bytes(in, data, size);
	return (ssize_t)size;
}

static ssize_t fuzz_pwrite(void *ctx, const void *data, size_t size, u64 address)
{
	struct input *in = ctx;
	int rc = outcome(in);

	return rc ? rc : (ssize_t)size;
}

/* What stays mapped, whatever the process does. */
static void *map_once(void **memory, size_t size, size_t bytes)
{
	if (!*memory)
		*memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return size <= bytes && *memory != MAP_FAILED ? *memory : NULL;
}

static void *fuzz_map(void *ctx, u64 offset, size_t size)
{
	static void *video, *bells;

	if (offset == SOFTH100_BELLS_OFFSET)
		return map_once(&bells, size, (size_t)SOFTH100_BELLS_MAX * 4096);
	return map_once(&video, size, VIDEO_BYTES);
}

static void fuzz_unmap(void *ctx, void *memory, size_t size)
{
	madvise(memory, size, MADV_DONTNEED);
}

static const struct remote_calls fuzz_calls = {
	.ioctl = fuzz_ioctl,
	.pread = fuzz_pread,
	.pwrite = fuzz_pwrite,
	.map = fuzz_map,
	.unmap = fuzz_unmap,
};

static void no_log(void *ctx, int level, const char *text)
{
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { .at = data, .left = size };
	const struct builtin_profile *profile = builtin_profiles;
	const struct serve_config config = {
		.calls = &fuzz_calls,
		.ctx = &in,
		.gpu = { .profile = profile->text,
			 .profile_size = profile->size,
			 .count = 1,
			 .cc = size && data[size - 1] % 8 < 2
				       ? (enum h100_cc)(1 + data[size - 1] % 8)
				       : H100_CC_OFF },
		.log = no_log
	};
	struct h100_chip chip = { .calls = &fuzz_calls, .ctx = &in };
	static const volatile u32 never;
	struct softh100_machine machine;
	struct serve *serve;

	if (remote_machine(&chip, &machine) == 0 &&
	    (machine.gpus == 0 || !machine.profile[0] || machine.cc > SOFTH100_CC_DEVTOOLS))
		abort();
	if (serve_open(&config, &serve) != 0)
		return 0;
	serve_run(serve, &never);
	serve_close(serve);
	return 0;
}
