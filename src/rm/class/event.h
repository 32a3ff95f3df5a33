/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Event objects: what a client waits for on a notifier (its root object or a subdevice), and the
 * file that poll returns on when it happens.
 */
#ifndef RM_CLASS_EVENT_H
#define RM_CLASS_EVENT_H

#include "rm/class/state.h"

/* True when an event object of any kind hangs on the notifier. */
bool rm_event_has_notifier(struct rm *rm, const struct rm_object *notifier);
/* Tells every event of that notifier with that index. The state's event lock is held. */
void rm_event_tell(struct rm *rm, const struct rm_object *notifier, u32 index, u32 info32,
		   u16 info16);

#endif
