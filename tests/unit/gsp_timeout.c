// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Firmware that does not answer, answers late, or never stops talking; a timer that never rests. */
#include <pthread.h>

#include "gpu_parts.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/regs.h"

#define FLOOD_NS 5000000000ull

static void boot_with_timeout_ms(u32 ms)
{
	set_timeout_ms(ms);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
}

/* Shorter than what boot would bear. */
static void shorten_timeout(u64 ns)
{
	rm_gpu_lock(gpu);
	gpu->gsp->timeout_ns = ns;
	rm_gpu_unlock(gpu);
}

/* -- Silence ----------------------------------------------------------------------------------- */

#define TIMEOUT_LINE                                                            \
	"NVRM: Xid (PCI:0000:01:00): 119, pid='<unknown>', name=<unknown>, "    \
	"Timeout after 0s of waiting for RPC response from GPU3 GSP! Expected " \
	"function 76 (GSP_RM_CONTROL) (0x2080fefe 0x4)."

static bool late_reply_dropped(void)
{
	return logged("late GSP reply dropped: function 76") ||
	       logged("unexpected GSP message 76 dropped");
}

static void late_reply_is_dropped_and_the_gpu_stays(void **state)
{
	boot_with_timeout_ms(200);
	shorten_timeout(30000000);
	make_objects();
	fixture_gpu_inject(&fixture, "gsp-hang");
	assert_int_equal(unknown_control(), NV_ERR_TIMEOUT);
	assert_true(logged(TIMEOUT_LINE));
	assert_int_equal(times_logged("Xid"), 1);
	assert_false(rm_gpu_is_lost(gpu));
	assert_int_equal(gpu->lost_xid, 0);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
	shorten_timeout(3000000000);
	fixture_gpu_inject(&fixture, "gsp-wake");
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	assert_true(eventually(late_reply_dropped));
	/* What was there before is there still. */
	assert_int_equal(gsp_rpc_free(gpu, CLIENT, DEVICE, SUBDEVICE), NV_OK);
	rm_gpu_release(gpu);
	assert_int_equal(notified_lost, 0);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
}

/* All records of a late reply are passed over; a message that was sent in part is no other's start.
 */
static void long_late_replies_are_dropped(void **state)
{
	/* The second one does not fit into the queue of a firmware that takes nothing out. */
	static const struct {
		u32 size;
		enum nv_status hung;
	} longest[] = { { 88024, NV_ERR_TIMEOUT }, { 1000000, NV_ERR_GENERIC } };
	u8 *params = calloc(1, 1000000);
	u32 i;

	boot_with_timeout_ms(200);
	for (i = 0; i < ARRAY_SIZE(longest); i++) {
		shorten_timeout(30000000);
		fixture_gpu_inject(&fixture, "gsp-hang");
		assert_int_equal(gsp_rpc_control(gpu, 1, 2, 0x2080fefe, params, longest[i].size),
				 longest[i].hung);
		shorten_timeout(3000000000);
		fixture_gpu_inject(&fixture, "gsp-wake");
		assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
		assert_int_equal(gsp_rpc_control(gpu, 1, 2, 0x2080fefe, params, longest[i].size),
				 NV_ERR_INVALID_CLIENT);
	}
	rm_gpu_release(gpu);
	free(params);
	assert_false(rm_gpu_is_lost(gpu));
}

/* The shutdown of a firmware that is known to be silent does not wait a whole timeout again. */
static void silent_firmware_is_unloaded_soon(void **state)
{
	u64 start;

	boot_with_timeout_ms(200);
	fixture_gpu_inject(&fixture, "gsp-hang");
	shorten_timeout(30000000);
	assert_int_equal(unknown_control(), NV_ERR_TIMEOUT);
	shorten_timeout(20000000000);
	start = os_time_ns();
	rm_gpu_release(gpu);
	assert_true(os_time_ns() - start < 10000000000);
	assert_int_equal(times_logged("): 119, "), 2);
	assert_false(rm_gpu_is_lost(gpu));
}

static void timeouts_are_logged_now_and_then(void **state)
{
	u32 i;

	boot_with_timeout_ms(200);
	fixture_gpu_inject(&fixture, "gsp-hang");
	shorten_timeout(1000000);
	for (i = 1; i <= 60; i++) {
		assert_int_equal(unknown_control(), NV_ERR_TIMEOUT);
		assert_int_equal(times_logged("): 119, "), (i < 3 ? i : 3) + i / 30);
		assert_int_equal(times_logged("NVRM: Rate limiting GSP RPC error prints for GPU at "
					      "PCI:0000:01:00 (printing 1 of every 30).  The GPU "
					      "likely needs to be reset."),
				 i > 3);
	}
	rm_gpu_release(gpu);
	assert_false(rm_gpu_is_lost(gpu));
}

static void hang_during_boot_times_out(void **state)
{
	u64 live;

	set_timeout_ms(60);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
	live = unit_live_settled();
	fixture_gpu_inject(&fixture, "gsp-hang");
	assert_int_not_equal(rm_gpu_retain(gpu), NV_OK);
	assert_null(gpu->gsp);
	assert_true(unit_live_becomes(live));
}

/* -- Noise ------------------------------------------------------------------------------------- */

enum noise {
	NOISE_EVENTS,  /* in order */
	NOISE_STALE,   /* seen before */
	NOISE_REPLIES, /* in order, to nobody's question */
};

/* Keeps the status queue full. */
struct flood {
	struct fake_gsp gsp;
	enum noise noise;
	u32 stop;
	u64 sent;
};

static void put_message(struct flood *f)
{
	const struct fake_message m = {
		.function = f->noise == NOISE_REPLIES ? NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL
						      : NV_VGPU_MSG_EVENT_MMU_FAULT_QUEUED,
		.sequence = 0xdead0000,
		.stale = f->noise == NOISE_STALE,
	};

	fake_gsp_put(&f->gsp, &m);
	f->sent++;
}

static void *flood_thread(void *arg)
{
	struct flood *f = arg;
	struct gsp_msgq *q = f->gsp.queue;
	const u32 *read = (const u32 *)(q->command + sizeof(msgqTxHeader));

	while (!os_load_acquire(&f->stop)) {
		while ((f->gsp.write + 1) % q->status_count != os_load_acquire(read))
			put_message(f);
		os_user_pci_kick(fixture.pci);
	}
	return NULL;
}

static void flood_start(struct flood *f, enum noise noise, pthread_t *thread)
{
	memset(f, 0, sizeof(*f));
	fake_gsp_start(&f->gsp);
	f->noise = noise;
	assert_int_equal(pthread_create(thread, NULL, flood_thread, f), 0);
}

static void flood_stop(struct flood *f, pthread_t thread)
{
	os_store_release(&f->stop, 1);
	pthread_join(thread, NULL);
	assert_true(f->sent > f->gsp.queue->status_count);
}

static void call_amid(enum noise noise)
{
	struct flood flood;
	pthread_t thread;
	u64 start;

	boot_with_timeout_ms(200);
	flood_start(&flood, noise, &thread);
	start = os_time_ns();
	assert_int_equal(unknown_control(), NV_ERR_TIMEOUT);
	assert_true(os_time_ns() - start < FLOOD_NS);
	flood_stop(&flood, thread);
	assert_false(rm_gpu_is_lost(gpu));
	rm_gpu_release(gpu);
	assert_null(gpu->gsp);
}

static void events_do_not_defeat_the_timeout(void **state)
{
	call_amid(NOISE_EVENTS);
}

static void stale_messages_do_not_defeat_the_timeout(void **state)
{
	call_amid(NOISE_STALE);
}

static void replies_to_nobody_do_not_defeat_the_timeout(void **state)
{
	call_amid(NOISE_REPLIES);
}

static void noise_does_not_keep_the_gpu_locked(void **state)
{
	struct flood flood;
	pthread_t thread;
	u32 i;

	boot_with_timeout_ms(200);
	flood_start(&flood, NOISE_STALE, &thread);
	for (i = 0; i < 20; i++) {
		rm_gpu_interrupts_kick(gpu, RM_GPU_KICK_MESSAGES);
		os_sleep_us(2000);
		rm_gpu_lock(gpu);
		rm_gpu_unlock(gpu);
	}
	flood_stop(&flood, thread);
	rm_gpu_release(gpu);
}

/* -- The timer --------------------------------------------------------------------------------- */

static u32 timer_reads;

static u64 restless_bar_read(void *ctx, u32 bar, u64 offset, u32 width)
{
	return ++timer_reads;
}

static void restless_bar_write(void *ctx, u32 bar, u64 offset, u32 width, u64 value)
{
}

static u32 restless_cfg_read(void *ctx, u32 offset, u32 width)
{
	return 0;
}

static void restless_cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
}

static u64 restless_bar_size(void *ctx, u32 bar)
{
	return bar == 0 ? MIB(16) : 0;
}

static void timer_that_never_rests_is_given_up(void **state)
{
	static const struct os_user_pci_ops ops = {
		.cfg_read = restless_cfg_read,
		.cfg_write = restless_cfg_write,
		.bar_size = restless_bar_size,
		.bar_read = restless_bar_read,
		.bar_write = restless_bar_write,
	};
	const struct os_pci_location location = { .bus = 9 };
	struct rm_gpu restless;

	memset(&restless, 0, sizeof(restless));
	restless.pci = os_user_pci_register(&ops, NULL, &location);
	assert_non_null(restless.pci);
	timer_reads = 0;
	assert_int_equal(rm_gpu_time(&restless), ~(u64)0);
	assert_in_range(timer_reads, 3, 20);
	os_user_pci_unregister(restless.pci);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(late_reply_is_dropped_and_the_gpu_stays),
		T(long_late_replies_are_dropped),
		T(silent_firmware_is_unloaded_soon),
		T(timeouts_are_logged_now_and_then),
		T(hang_during_boot_times_out),
		T(events_do_not_defeat_the_timeout),
		T(stale_messages_do_not_defeat_the_timeout),
		T(replies_to_nobody_do_not_defeat_the_timeout),
		T(noise_does_not_keep_the_gpu_locked),
		T(timer_that_never_rests_is_given_up),
	};

	return parts_run("gsp_timeout", tests, ARRAY_SIZE(tests));
}
