/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Share policies: whom an object's client lets have which rights on the object. A list hangs on an
 * object and holds for all below it that has none of its own; where there is none up to the root,
 * the server's default holds: the same process may duplicate. Two more hold always: no crossing of
 * partitions, and a fabric manager may duplicate what user clients have.
 */
#ifndef RM_SERVER_SHARE_H
#define RM_SERVER_SHARE_H

#include "rm/server/server.h"

struct rm_share_policy {
	u32 rights;   /* RS_ACCESS_* bits */
	u16 type;     /* RS_SHARE_TYPE_* */
	bool require; /* takes rights from whom it does not match, instead of giving to whom it does
		       */
	u64 target;   /* RS_SHARE_TYPE_CLIENT: serial of the client */
};

struct rm_share_policy_list {
	u32 count;
	u32 capacity;
	struct rm_share_policy policies[];
};

/*
 * Rights on the object (of source's client) that its policies give to client. target is the parent
 * of the duplicate to be, or NULL. The locks of both clients are held.
 */
u32 rm_share_rights(const struct rm_call *call, const struct rm_object *object,
		    const struct rm_client *client, const struct rm_object *target);
/*
 * Edits the object's own list as NVOS57's policy says; target is the client of
 * RS_SHARE_TYPE_CLIENT. NV_ERR_INSUFFICIENT_PERMISSIONS: gives what its client has not.
 * NV_ERR_NO_MEMORY, nothing changed.
 */
enum nv_status rm_share_edit(struct rm_call *call, struct rm_object *object,
			     const RS_SHARE_POLICY *policy, const struct rm_client *target);

#endif
