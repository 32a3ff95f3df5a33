/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The object by which a client names its channel, and its commands.
 */
#ifndef RM_CLASS_CHANNEL_OBJECT_H
#define RM_CLASS_CHANNEL_OBJECT_H

#include "rm/class/channel.h"

struct rm_channel_object {
	struct rm_object object;
	struct rm_channel *channel;
	struct list userd_mappings; /* class/mapping.c, as of struct rm_mappable */
};

static inline struct rm_channel_object *to_channel_object(const struct rm_object *object)
{
	return container_of(object, struct rm_channel_object, object);
}

#define RM_CHANNEL_CONTROLS 29u
extern const struct rm_control_handler rm_channel_controls[RM_CHANNEL_CONTROLS];

#endif
