// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* How much clients hold, for whoever runs the driver: nothing of it may be left when they ended. */
#include "rm/api/api.h"
#include "rm/class/state.h"
#include "rm/file.h"
#include "rm/server/server.h"

static bool add_client(void *ctx, const struct rm_client *client)
{
	struct rm_statistics *out = ctx;

	out->clients++;
	out->objects += os_load_relaxed(&client->object_count);
	return true;
}

void rm_statistics(struct rm *rm, struct rm_statistics *out)
{
	struct list_node *file;
	u32 i;

	os_memset(out, 0, sizeof(*out));
	rm_server_visit_clients(rm_server(rm), add_client, out);
	os_mutex_lock(&rm->file_lock);
	list_for_each (file, &rm->gpu_files)
		out->files++;
	os_mutex_unlock(&rm->file_lock);
	for (i = 0; i < RM_MAX_GPUS; i++) {
		struct rm_gpu_objects *objects = &rm->classes->gpus[i];

		os_mutex_lock(&objects->lock);
		if (objects->heap.ready)
			out->video_memory += objects->heap.used;
		os_mutex_unlock(&objects->lock);
	}
}
