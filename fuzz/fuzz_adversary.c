// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The adversary's scripts, and what he makes of the memory of a device that writes whatever it
 * likes: the script comes first, up to a zero byte, then accesses, each of an operation, an address
 * and a size.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "host/user/adversary/adversary.h"
#include "input.h"
#include "tests/unit/bare_device.h"

#define BLOCKS 2u
#define PAGES 72u
#define ACCESSES 400u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any file there is has the bytes of its name. */
static bool load(void *ctx, const char *name, u8 **data, u32 *size)
{
	*size = (u32)strlen(name);
	*data = os_alloc(*size + 1);
	if (*data)
		memcpy(*data, name, *size);
	return *data != NULL;
}

static FILE *open_record(void *ctx, const char *name)
{
	return fopen("/dev/null", "w");
}

/* The device's accesses; a sleep that a rule asks for would only take time. */
static void access_all(struct os_pci_dev *dev, struct os_pages *blocks, struct input *in)
{
	u8 bytes[OS_PAGE_SIZE];
	u32 i, n, at;

	for (i = 0; i < ACCESSES && in->left != 0; i++) {
		u8 what = (u8)take(in, 1);
		struct os_pages *block = &blocks[what & 1];
		bool word = what & 2;

		at = take(in, 3) % (PAGES * OS_PAGE_SIZE);
		if (word)
			at &= ~3u;
		n = word ? 4 : 1 + take(in, 2) % OS_PAGE_SIZE;
		if (what & 4)
			n = 32; /* a queue's header */
		if (what & 8)
			at &= ~(OS_PAGE_SIZE - 1);
		n = min(n, OS_PAGE_SIZE - at % OS_PAGE_SIZE);
		/* The driver writes as it likes, too. */
		if (what & 16)
			memcpy((u8 *)block->cpu + at, in->at, min((size_t)n, in->left));
		if (what & 32) {
			memset(bytes, what, n);
			memcpy(bytes, in->at, min((size_t)n, in->left));
			os_user_dma_write(dev, os_pages_dma(block, at), bytes, n);
		} else {
			os_user_dma_read(dev, os_pages_dma(block, at), bytes, n);
		}
		if (what & 64) {
			n = (u32)min((size_t)n, in->left);
			in->at += n;
			in->left -= n;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct adversary_files files = { .load = load, .open_record = open_record };
	static const struct os_pci_location location = { .bus = 1 };
	const u8 *end = memchr(data, 0, size);
	size_t script = end ? (size_t)(end - data) : size;
	struct adversary *a = adversary_create(1);
	struct input in = { .at = end ? end + 1 : data, .left = end ? size - script - 1 : 0 };
	struct os_pages blocks[BLOCKS];
	struct os_pci_dev *dev;
	char why[ADVERSARY_WHY];

	if (!a)
		return 0;
	dev = os_user_pci_register(&bare_device_ops, NULL, &location);
	if (!dev)
		abort();
	if (adversary_load(a, (const char *)data, script, &files, why) !=
	    (strncmp(why, "line", 4) != 0))
		abort();
	if (adversary_watch(a, 0, dev) != NV_OK)
		abort();
	for (u32 i = 0; i < BLOCKS; i++)
		if (os_pages_alloc(dev, PAGES * OS_PAGE_SIZE, OS_PAGES_SHARED, &blocks[i]) != NV_OK)
			abort();
	if (!memmem(data, script, "delay", 5))
		access_all(dev, blocks, &in);
	adversary_search(a);
	for (u32 i = 0; i < BLOCKS; i++)
		os_pages_free(&blocks[i]);
	os_user_pci_unregister(dev);
	adversary_destroy(a);
	return 0;
}
