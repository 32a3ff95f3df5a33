// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Events of errors on channels, from a firmware that says them well, too short and too long: what
 * is logged, who is told, and that the queue goes on whatever came.
 */
#include "gpu_parts.h"
#include "rm/gpu/static_info.h"

#define JOURNAL_AT offsetof(rpc_rc_triggered_v17_02, rcJournalBuffer)
#define RC_LINE "NVRM: GPU3: robust channel error 31 on engine 1 channel 8"

static struct fake_gsp fake;
static u32 faults_sent;
static u8 bytes[GSP_MSGQ_MAX_LENGTH];

static void start(void)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fake_gsp_start(&fake);
	faults_sent = 0;
}

/* Nobody answers the goodbye. */
static void stop(void)
{
	rm_gpu_lock(gpu);
	gpu->gsp->timeout_ns = 1000000;
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
}

static void send(u32 function, const void *data, u32 size, u32 length)
{
	const struct fake_message m = {
		.function = function,
		.data = data,
		.size = size,
		.length = length,
	};

	fake_gsp_send(&fake, &m);
}

/* A robust channel error: of an MMU fault (31) unless the test says otherwise. */
static void send_rc(u32 error, u32 journal, u32 size)
{
	rpc_rc_triggered_v17_02 p = {
		.nv2080EngineType = NV2080_ENGINE_TYPE_GRAPHICS,
		.chid = 8,
		.exceptType = error,
		.partitionAttributionId = 3,
		.rcJournalBufferSize = journal,
	};

	memset(bytes, 0x5a, sizeof(bytes));
	memcpy(bytes, &p, JOURNAL_AT);
	send(NV_VGPU_MSG_EVENT_RC_TRIGGERED, bytes, size, 0);
}

static bool all_read(void)
{
	bool read;

	rm_gpu_lock(gpu);
	read = gpu->gsp->queue.read == fake.write && list_empty(&gpu->gsp->events);
	rm_gpu_unlock(gpu);
	return read;
}

static void faults_come(u32 count)
{
	u32 i;

	for (i = 0; i < 3000 && os_load_acquire(&faults_queued) < count; i++)
		os_sleep_us(1000);
	assert_int_equal(os_load_acquire(&faults_queued), count);
	assert_true(eventually(all_read));
}

/* An event that comes after what was bad arrives, and so does a reply. */
static void queue_goes_on(void)
{
	rpc_gsp_rm_control_v03_00 reply = { .status = NV_ERR_INSERT_DUPLICATE_NAME };
	const struct fake_message m = {
		.function = NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL,
		.sequence = gpu->gsp->sequence + 1,
		.data = &reply,
		.size = sizeof(reply),
	};

	send(NV_VGPU_MSG_EVENT_MMU_FAULT_QUEUED, NULL, 0, 0);
	faults_come(++faults_sent);
	fake_gsp_put(&fake, &m);
	assert_int_equal(unknown_control(), NV_ERR_INSERT_DUPLICATE_NAME);
	assert_false(rm_gpu_is_lost(gpu));
}

static bool told(void)
{
	return os_load_acquire(&notified) != 0;
}

static bool xid_logged(void)
{
	return logged("NVRM: Xid (PCI:0000:01:00): 31, pid='<unknown>', name=<unknown>, "
		      "Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS");
}

/* As the firmware does it: the line first, then what the clients are to be told. */
static void channel_error_is_logged_and_told(void **state)
{
	rpc_os_error_log_v17_00 line = {
		.exceptType = 31,
		.chid = 8,
		.errString = "Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS",
	};

	start();
	send(NV_VGPU_MSG_EVENT_OS_ERROR_LOG, &line, sizeof(line), 0);
	send_rc(31, 0, JOURNAL_AT);
	assert_true(eventually(xid_logged));
	assert_true(eventually(told));
	assert_int_equal(times_logged("Xid"), 1);
	assert_true(logged(RC_LINE));
	assert_int_equal(last_notification.index, NV2080_NOTIFIERS_RC_ERROR);
	assert_int_equal(last_notification.info32, 31);
	assert_int_equal(last_notification.info16, 3);
	assert_int_equal(last_notification.status, NV_OK);
	assert_true(last_notification.all);
	queue_goes_on();
	assert_int_equal(notified, 1);
	stop();
}

/* Of one page, of two, and of as much as a message holds. */
static void journal_of_any_length_is_taken(void **state)
{
	static const u32 sizes[] = { 1, 100, 4096, 8000, GSP_MSGQ_MAX_LENGTH - 32 - 28 };
	u32 i;

	start();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		os_store_release(&notified, 0);
		send_rc(31, sizes[i], JOURNAL_AT + sizes[i]);
		assert_true(eventually(told));
		assert_int_equal(times_logged(RC_LINE), i + 1);
	}
	queue_goes_on();
	stop();
}

static void short_channel_errors_are_dropped(void **state)
{
	u32 size;

	start();
	for (size = 0; size < JOURNAL_AT; size++)
		send_rc(31, 0, size);
	assert_true(eventually(all_read));
	queue_goes_on();
	assert_int_equal(times_logged("NVRM: GPU3: GSP event 0x1003 is too short: "), JOURNAL_AT);
	assert_true(logged("NVRM: GPU3: GSP event 0x1003 is too short: 27\n"));
	assert_false(logged(RC_LINE));
	assert_int_equal(notified, 0);
	stop();
}

static void journal_past_the_message_is_refused(void **state)
{
	static const u32 journals[] = { 1, 4096, GSP_MSGQ_MAX_LENGTH, 0x7fffffff, ~0u };
	u32 i;

	start();
	for (i = 0; i < ARRAY_SIZE(journals); i++)
		send_rc(31, journals[i], JOURNAL_AT);
	send_rc(31, 101, JOURNAL_AT + 100);
	queue_goes_on();
	assert_int_equal(times_logged("NVRM: GPU3: GSP error journal is too long: "),
			 ARRAY_SIZE(journals) + 1);
	assert_false(logged(RC_LINE));
	assert_int_equal(notified, 0);
	stop();
}

/* Nobody is told of it; the firmware waits for an answer, behind which nothing comes. */
static void write_of_notifiers_is_acknowledged(void **state)
{
	u32 sent;

	start();
	rm_gpu_lock(gpu);
	sent = gpu->gsp->sequence;
	rm_gpu_unlock(gpu);
	send_rc(ROBUST_CHANNEL_FAST_PATH_ERROR, 0, JOURNAL_AT);
	assert_true(eventually(all_read));
	queue_goes_on();
	rm_gpu_lock(gpu);
	assert_int_equal(gpu->gsp->sequence, sent + 2); /* that, and queue_goes_on's */
	rm_gpu_unlock(gpu);
	assert_int_equal(notified, 0);
	stop();
}

/* There is nothing in it that could be wrong, but the message's own length. */
static void queued_faults_of_any_length(void **state)
{
	static const u32 sizes[] = { 0, 1, 8, 512, 4096, GSP_MSGQ_MAX_LENGTH - 32 };
	static const u32 lengths[] = { 1, 31, 4096, 70000, ~0u };
	u32 i;

	start();
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		send(NV_VGPU_MSG_EVENT_MMU_FAULT_QUEUED, bytes, sizes[i], 0);
	faults_sent = ARRAY_SIZE(sizes);
	queue_goes_on();
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		send(NV_VGPU_MSG_EVENT_MMU_FAULT_QUEUED, bytes, 8, lengths[i]);
	queue_goes_on();
	assert_int_equal(times_logged("NVRM: GSP message dropped: bad length"),
			 ARRAY_SIZE(lengths));
	assert_false(logged("Xid"));
	stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(channel_error_is_logged_and_told),   T(journal_of_any_length_is_taken),
		T(short_channel_errors_are_dropped),   T(journal_past_the_message_is_refused),
		T(write_of_notifiers_is_acknowledged), T(queued_faults_of_any_length),
	};

	os_user_log_set_levels(OS_LOG_INFO, OS_LOG_INFO);
	return parts_run("gsp_events", tests, ARRAY_SIZE(tests));
}
