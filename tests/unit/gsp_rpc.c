// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Calls into the firmware, and what it says unasked. */
#include <pthread.h>

#include "gpu_parts.h"
#include "rm/gpu/static_info.h"
#include "rm/server/server.h"
#include "rm/trace.h"

/* -- RPC --------------------------------------------------------------------------------------- */

static void objects_come_and_go(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	make_objects();
	assert_int_equal(gsp_rpc_free(gpu, CLIENT, DEVICE, SUBDEVICE), NV_OK);
	assert_int_equal(gsp_rpc_free(gpu, CLIENT, DEVICE, SUBDEVICE), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(gsp_rpc_dup(gpu, CLIENT, CLIENT, 0x77, CLIENT, 0x78, 0),
			 NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(gsp_rpc_free(gpu, CLIENT, 0, CLIENT), NV_OK);
	assert_int_equal(gsp_rpc_free(gpu, CLIENT, 0, CLIENT), NV_ERR_INVALID_CLIENT);
	rm_gpu_release(gpu);
}

static void refused_control_leaves_params_alone(void **state)
{
	u8 params[64], before[64];

	memset(params, 0xa5, sizeof(params));
	memcpy(before, params, sizeof(params));
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_int_equal(gsp_rpc_control(gpu, 0x1234, 0x5678, 0x20800110, params, sizeof(params)),
			 NV_ERR_INVALID_CLIENT);
	assert_memory_equal(params, before, sizeof(params));
	assert_int_equal(gsp_rpc_control(gpu, 1, 2, 3, NULL, 4), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(gsp_rpc_control(gpu, 1, 2, 3, params, 0), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(gsp_rpc_control(gpu, 1, 2, 3, params, 0x1000001), NV_ERR_INVALID_ARGUMENT);
	rm_gpu_release(gpu);
}

static void long_messages_are_continued(void **state)
{
	/* Around one record, the largest control of nvidia-smi, and more than the queue holds. */
	static const u32 sizes[] = { 4000,  4096,   65431,  65432,  65433,  65440,
				     88024, 130888, 130889, 250000, 300000, 1000000 };
	u8 *params = malloc(1000000);
	u32 i;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(params, (int)i, sizes[i]);
		assert_int_equal(gsp_rpc_control(gpu, gpu->info->config.hInternalClient,
						 gpu->info->config.hInternalSubdevice, 0x2080fefe,
						 params, sizes[i]),
				 NV_ERR_NOT_SUPPORTED);
		assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	}
	rm_gpu_release(gpu);
	free(params);
	assert_false(logged("Xid"));
}

static void lock_that_the_call_holds_is_not_taken_again(void **state)
{
	struct rm_call call;

	memset(&call, 0, sizeof(call));
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_lock(gpu);
	call.locks = RM_LOCKED_GPU;
	call.locked_gpu = gpu;
	os_thread_set_context(&call);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	os_thread_set_context(NULL);
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
}

static void *many_controls(void *arg)
{
	u32 i;

	for (i = 0; i < 300; i++)
		if (unknown_control() != NV_ERR_NOT_SUPPORTED)
			return "wrong status";
	return NULL;
}

static void threads_take_turns(void **state)
{
	pthread_t threads[4];
	void *result;
	u32 i;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_controls, NULL), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	rm_gpu_release(gpu);
}

/* -- Trace ------------------------------------------------------------------------------------- */

static struct rm_trace_event traced[16];
static u32 traced_count;

static void keep_trace(const struct rm_trace_event *event)
{
	u32 at;

	if (event->kind != RM_TRACE_RPC_SEND && event->kind != RM_TRACE_RPC_REPLY)
		return;
	at = os_fetch_add(&traced_count, 1);
	if (at < ARRAY_SIZE(traced))
		traced[at] = *event;
}

static void calls_are_traced(void **state)
{
	const u32 header = sizeof(rpc_message_header_v03_00);
	const struct {
		u32 function;
		const char *name;
		u32 status, size;
	} want[] = {
		{ NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL, "GSP_RM_CONTROL", NV_OK,
		  header + (u32)sizeof(rpc_gsp_rm_control_v03_00) + 4 },
		{ NV_VGPU_MSG_FUNCTION_FREE, "FREE", NV_ERR_INVALID_CLIENT,
		  header + (u32)sizeof(rpc_free_v03_00) },
	};
	u32 i;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	traced_count = 0;
	os_store_release(&rm_trace_sink, keep_trace);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(gsp_rpc_free(gpu, 0x1234, 0, 0x1234), NV_ERR_INVALID_CLIENT);
	os_store_release(&rm_trace_sink, NULL);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	assert_int_equal(traced_count, 4);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		const struct rm_trace_event *sent = &traced[2 * i], *reply = sent + 1;

		assert_int_equal(sent->kind, RM_TRACE_RPC_SEND);
		assert_int_equal(reply->kind, RM_TRACE_RPC_REPLY);
		assert_int_equal(sent->value, want[i].function);
		assert_int_equal(reply->value, want[i].function);
		assert_string_equal(sent->name, want[i].name);
		assert_string_equal(reply->name, want[i].name);
		assert_int_equal(sent->size, want[i].size);
		assert_int_equal(reply->size, want[i].size);
		assert_int_equal(reply->extra, sent->extra);
		assert_int_equal(sent->extra, traced[0].extra + i);
		assert_true(reply->time_ns >= sent->time_ns);
	}
	rm_gpu_release(gpu);
}

/* -- Events ------------------------------------------------------------------------------------ */

static bool error_logged(void)
{
	return logged("NVRM: Xid (PCI:0000:01:00): 48");
}

static void firmware_errors_reach_the_log(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "ecc-dbe 1");
	assert_true(eventually(error_logged));
	assert_false(rm_gpu_is_lost(gpu));
	rm_gpu_release(gpu);
}

static bool event_came(void)
{
	return os_load_acquire(&notified) != 0;
}

static void posted_events_are_delivered(void **state)
{
	NV0005_ALLOC_PARAMETERS p = {
		.hParentClient = CLIENT,
		.hSrcResource = SUBDEVICE,
		.hClass = NV01_EVENT_OS_EVENT,
		.notifyIndex = NV2080_NOTIFIERS_ECC_DBE,
	};

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	make_objects();
	assert_int_equal(
		gsp_rpc_alloc(gpu, CLIENT, SUBDEVICE, 0xe1, NV01_EVENT_OS_EVENT, &p, sizeof(p)),
		NV_OK);
	fixture_gpu_inject(&fixture, "ecc-dbe 1");
	assert_true(eventually(event_came));
	assert_int_equal(last_notification.client, CLIENT);
	assert_int_equal(last_notification.event, 0xe1);
	assert_int_equal(last_notification.index, NV2080_NOTIFIERS_ECC_DBE);
	/* Events that come while calls wait are not lost either. */
	os_store_release(&notified, 0);
	while (!event_came()) {
		fixture_gpu_inject(&fixture, "ecc-dbe 1");
		assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	}
	rm_gpu_release(gpu);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(objects_come_and_go),
		T(refused_control_leaves_params_alone),
		T(long_messages_are_continued),
		T(lock_that_the_call_holds_is_not_taken_again),
		T(threads_take_turns),
		T(calls_are_traced),
		T(firmware_errors_reach_the_log),
		T(posted_events_are_delivered),
	};

	return parts_run("gsp_rpc", tests, ARRAY_SIZE(tests));
}
