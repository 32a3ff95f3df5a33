/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Between the files of channels, groups and context shares.
 */
#ifndef RM_CLASS_CHANNEL_GROUP_H
#define RM_CLASS_CHANNEL_GROUP_H

#include "rm/class/channel.h"
#include "rm/class/fifo.h"

#define RM_SUBCONTEXT_SYNC 0u /* those of channels without a context share */
#define RM_SUBCONTEXT_ASYNC 1u

/*
 * A group for an engine, with method buffers; space is referenced, or NULL. implicit: of one
 * channel only. NV_ERR_INVALID_ARGUMENT: channels cannot work on that engine; NV_ERR_NO_MEMORY,
 * NV_ERR_NO_FREE_FIFOS, rm_fifo_get's.
 */
enum nv_status rm_channel_group_create(struct rm_gpu *gpu, u32 engine_type,
				       struct rm_vaspace *space, bool implicit,
				       struct rm_channel_group **out);
/* NV_ERR_INVALID_ARGUMENT: no engine that an alloc may name. */
enum nv_status rm_channel_group_check_engine(u32 type);
void rm_channel_group_get(struct rm_channel_group *group);
void rm_channel_group_put(struct rm_channel_group *group);
struct rm_fifo *rm_channel_group_fifo(const struct rm_channel_group *group);

/* Handle of the memory that a group object names for channels that name none; 0: none. */
u32 rm_channel_group_notifier(const struct rm_object *object);

/* A context share of a group; its object's own. */
struct rm_context_share {
	struct rm_object object;
	struct rm_channel_group *group;
	struct rm_vaspace *space;
	u32 subcontext;
};

static inline struct rm_context_share *to_context_share(struct rm_object *object)
{
	return container_of(object, struct rm_context_share, object);
}

/* Where notifications go: a memory object, or what a context DMA shows of one. */
struct rm_notifier {
	struct rm_object *object; /* NULL: there is none */
	struct rm_backing *backing;
	u64 offset, size; /* in it */
};

/*
 * The error notifiers of an alloc, in a channel's or a group's parameters: of the client, by
 * handle; valid while the client's lock is held. NV_ERR_OBJECT_NOT_FOUND, NV_ERR_INVALID_OBJECT:
 * neither of the two; NV_ERR_INVALID_LIMIT: too small for one notification; NV_ERR_INVALID_OFFSET:
 * not at a multiple of 8.
 */
enum nv_status rm_channel_notifier(struct rm_client *client, u32 handle, struct rm_notifier *out);

#endif
