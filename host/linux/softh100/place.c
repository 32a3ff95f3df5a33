// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Where in the physical address map the BARs are: a range that nothing is in, neither memory nor a
 * device nor a reservation, as large as all BARs and without any boot parameter. Nothing answers
 * there; the BARs' addresses are names, and accesses go by soft_pci_access.
 *
 * The window of a root port must be one range, and BAR 2 (PCI's, 128 GiB on an H100) is aligned to
 * its size, so GPUs come in pairs around a boundary of that size:
 *
 *	| BAR 0, BAR 4 |     BAR 2     |     BAR 2     | BAR 4, BAR 0 |
 *	'-------- port of GPU 0 -------'-------- port of GPU 1 -------'
 *	               ^ aligned
 */
#include <linux/align.h>
#include <linux/ioport.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

#define WINDOW_UNIT SZ_1M /* of a bridge */

static struct {
	struct resource window;
	u64 bar[SOFT_BARS];
	u64 small; /* both small BARs */
	u64 pitch; /* from pair to pair */
} place;

/* Drivers reach nothing here by mapping it, so nobody is to request or map it. */
#define WINDOW_FLAGS (IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH)

static u64 total(u32 count)
{
	u64 pairs = count / 2;

	if (count % 2)
		return pairs * place.pitch + place.small + place.bar[1];
	return (pairs - 1) * place.pitch + 2 * (place.small + place.bar[1]);
}

static resource_size_t align_pair(void *data, const struct resource *available,
				  resource_size_t size, resource_size_t align)
{
	return ALIGN(available->start + place.small, place.bar[1]) - place.small;
}

static int take(u64 size, u64 from)
{
	if (from > iomem_resource.end || size > iomem_resource.end - from)
		return -EBUSY;
	return allocate_resource(&iomem_resource, &place.window, size, from, iomem_resource.end,
				 WINDOW_UNIT, align_pair, NULL);
}

int soft_place_take(const struct h100_function_identity *identity, u32 count)
{
	/* The upper half first: memory that is plugged in later comes below. */
	u64 half = iomem_resource.end / 2 + 1;

	memcpy(place.bar, identity->bar_bytes, sizeof(place.bar));
	place.small = ALIGN(place.bar[0] + place.bar[2], WINDOW_UNIT);
	place.pitch = 2 * place.bar[1] + ALIGN(2 * place.small, place.bar[1]);
	for (; count > 0; count--) {
		memset(&place.window, 0, sizeof(place.window));
		place.window.name = "softh100";
		place.window.flags = WINDOW_FLAGS;
		if (os_linux_alloc_fails())
			return -ENOMEM;
		if (take(total(count), max_t(u64, half, SZ_4G)) == 0 ||
		    take(total(count), SZ_4G) == 0)
			break;
	}
	return count;
}

void soft_place_release(void)
{
	release_resource(&place.window);
}

struct resource *soft_place_window(void)
{
	return &place.window;
}

void soft_place_get(u32 index, struct soft_place *out)
{
	u64 pair = place.window.start + index / 2 * place.pitch + place.small;

	if (index % 2 == 0) {
		out->bar[1] = pair;
		out->bar[2] = pair - place.bar[2];
		out->bar[0] = pair - place.bar[2] - place.bar[0];
		out->window_start = pair - place.small;
		out->window_end = pair + place.bar[1] - 1;
	} else {
		out->bar[1] = pair + place.bar[1];
		out->bar[2] = out->bar[1] + place.bar[1];
		out->bar[0] = out->bar[2] + place.bar[2];
		out->window_start = out->bar[1];
		out->window_end = out->bar[1] + place.bar[1] + place.small - 1;
	}
}
