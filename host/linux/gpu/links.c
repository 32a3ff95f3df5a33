// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include "host/linux/gpu/links.h"

#include <errno.h>

#include "h100/engine/fabric.h"

int links_init(struct links *links, struct h100_chip *chip, u32 self, u32 count)
{
	*links = (struct links){ .chip = chip, .self = self, .count = count };
	return h100_fabric_create(&links->fabric) == NV_OK ? 0 : ENOMEM;
}

static void unmap(struct links *links)
{
	const struct remote_calls *calls = links->chip->calls;

	for (u32 i = 0; i < links->count; i++) {
		if (links->video[i])
			calls->unmap(links->chip->ctx, links->video[i], links->video_bytes);
		links->video[i] = NULL;
	}
	if (links->page)
		calls->unmap(links->chip->ctx, links->page, OS_PAGE_SIZE);
	links->page = NULL;
}

static bool attach(struct links *links, u32 gpu)
{
	struct softh100_link *link = &links->page->gpu[gpu];
	struct h100_remote remote = {
		.video_bytes = links->video_bytes,
		.linked = &link->linked,
		.sent = (u64 *)&link->sent,
		.received = (u64 *)&link->received,
	};

	links->video[gpu] = links->chip->calls->map(links->chip->ctx, SOFTH100_PEERS_OFFSET(gpu),
						    links->video_bytes);
	if (!links->video[gpu])
		return false;
	remote.video = links->video[gpu];
	h100_fabric_attach(links->fabric, gpu, &remote);
	return true;
}

int links_map(struct links *links, u64 video_bytes)
{
	if (links->count > SOFTH100_LINKS_MAX || links->self >= links->count)
		return EINVAL;
	if (links->count == 1)
		return 0;
	links->video_bytes = video_bytes;
	links->page =
		links->chip->calls->map(links->chip->ctx, SOFTH100_LINKS_OFFSET, OS_PAGE_SIZE);
	if (!links->page)
		return ENOMEM;
	for (u32 i = 0; i < links->count; i++) {
		if (i != links->self && !attach(links, i)) {
			unmap(links);
			return ENOMEM;
		}
	}
	return 0;
}

void links_run(struct links *links, struct h100_state *state, bool reset)
{
	struct softh100_link *own;
	__u32 linked;

	if (!links->page)
		return;
	own = &links->page->gpu[links->self];
	h100_state_account_nvlink(state, os_exchange(&own->sent, 0),
				  os_exchange(&own->received, 0));
	if (reset)
		links->linked = false;
	linked = h100_state_nvlink_ready(state);
	if (linked == links->linked)
		return;
	if (remote_must(links->chip, SOFTH100_LINKED, &linked))
		links->linked = linked;
}

void links_close(struct links *links)
{
	unmap(links);
	h100_fabric_destroy(links->fabric);
}
