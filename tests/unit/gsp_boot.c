// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The driver's GPU and firmware code against the software H100: probe, boot, RPC, events, shutdown,
 * and every way in which that goes wrong. The resource server around it is a few lines of this
 * file's own.
 */
#include <pthread.h>
#include <stdio.h>

#include "fixture_gpu.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/notify.h"
#include "rm/gpu/regs.h"
#include "rm/gpu/static_info.h"
#include "rm/gsp/firmware.h"
#include "rm/gsp/gsp.h"
#include "rm/instance.h"
#include "rm/server/server.h"
#include "unit.h"

#define CLIENT 0xc1d00001u
#define DEVICE 0x5c000001u
#define SUBDEVICE 0x5c000002u

/* -- What stands around ------------------------------------------------------------------------ */

static struct rm rm;
static pthread_rwlock_t api_lock = PTHREAD_RWLOCK_INITIALIZER;
static u32 notified, notified_lost, objects_removed;
static struct rm_gpu_notification last_notification;
static char log_text[1 << 16];
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

struct rm_call *rm_call_current(void)
{
	return os_thread_context();
}

bool rm_call_holds_gpu(const struct rm_gpu *gpu)
{
	const struct rm_call *call = rm_call_current();

	return call && (call->locks & RM_LOCKED_GPU) && call->locked_gpu == gpu;
}

void rm_server_lock_exclusive(struct rm_server *server)
{
	pthread_rwlock_wrlock(&api_lock);
}

void rm_server_unlock_exclusive(struct rm_server *server)
{
	pthread_rwlock_unlock(&api_lock);
}

void rm_server_gpu_removed(struct rm_server *server, struct rm_gpu *gpu)
{
	assert_true(rm_gpu_is_lost(gpu));
	objects_removed++;
}

void rm_gpu_notify(struct rm_gpu *gpu, const struct rm_gpu_notification *n)
{
	last_notification = *n;
	os_fetch_add(&notified, 1);
}

void rm_gpu_notify_lost(struct rm_gpu *gpu)
{
	os_fetch_add(&notified_lost, 1);
}

void rm_gpu_forget_objects(struct rm_gpu *gpu)
{
	assert_true(rm_gpu_is_lost(gpu));
}

static void keep_log(void *ctx, enum os_log_level level, const char *line)
{
	size_t used;

	pthread_mutex_lock(&log_lock);
	used = strlen(log_text);
	snprintf(log_text + used, sizeof(log_text) - used, "%s\n", line);
	pthread_mutex_unlock(&log_lock);
}

static bool logged(const char *text)
{
	bool found;

	pthread_mutex_lock(&log_lock);
	found = strstr(log_text, text) != NULL;
	pthread_mutex_unlock(&log_lock);
	return found;
}

static u32 times_logged(const char *text)
{
	const char *at = log_text;
	u32 n = 0;

	pthread_mutex_lock(&log_lock);
	while ((at = strstr(at, text)) != NULL) {
		at++;
		n++;
	}
	pthread_mutex_unlock(&log_lock);
	return n;
}

/* -- Fixture ----------------------------------------------------------------------------------- */

static struct fixture_gpu fixture;
static struct rm_gpu *gpu;
static bool no_lending;
static u32 chaos;
static u64 live_before;

static int setup(void **state)
{
	const struct fixture_gpu_config config = { .no_lending = no_lending, .chaos = chaos };

	live_before = unit_live();
	memset(&rm, 0, sizeof(rm));
	log_text[0] = '\0';
	notified = notified_lost = objects_removed = 0;
	os_user_log_set_sink(keep_log, NULL);
	assert_int_equal(rm_registry_init(&rm.registry, NULL, 0), NV_OK);
	fixture_gpu_create(&fixture, &config);
	assert_int_equal(rm_gpu_add(&rm, fixture.pci, 3, &gpu), NV_OK);
	return 0;
}

static int teardown(void **state)
{
	if (gpu)
		rm_gpu_remove(gpu);
	gpu = NULL;
	fixture_gpu_destroy(&fixture);
	rm_registry_fini(&rm.registry);
	os_user_log_set_sink(NULL, NULL);
	assert_int_equal(unit_live(), live_before);
	return 0;
}

static void set_timeout_ms(u32 ms)
{
	assert_int_equal(rm_registry_write_dword(&rm, NULL, "RmDefaultTimeout", ms), NV_OK);
}

static bool eventually(bool (*condition)(void))
{
	u32 i;

	for (i = 0; i < 3000; i++) {
		if (condition())
			return true;
		os_sleep_us(1000);
	}
	return false;
}

static bool gpu_lost(void)
{
	return rm_gpu_is_lost(gpu);
}

static bool told_of_loss(void)
{
	return os_load_acquire(&notified_lost) != 0;
}

/* A cheap control that the firmware itself refuses or serves: it only has to come back. */
static enum nv_status unknown_control(void)
{
	u32 params = 5;

	return gsp_rpc_control(gpu, gpu->info->config.hInternalClient,
			       gpu->info->config.hInternalSubdevice, 0x2080fefe, &params,
			       sizeof(params));
}

static void make_objects(void)
{
	NV0000_ALLOC_PARAMETERS root = { .hClient = CLIENT };
	NV0080_ALLOC_PARAMETERS device = { .deviceId = 0 };
	NV2080_ALLOC_PARAMETERS subdevice = { .subDeviceId = 0 };

	assert_int_equal(gsp_rpc_alloc(gpu, CLIENT, 0, CLIENT, NV01_ROOT, &root, sizeof(root)),
			 NV_OK);
	assert_int_equal(
		gsp_rpc_alloc(gpu, CLIENT, CLIENT, DEVICE, NV01_DEVICE_0, &device, sizeof(device)),
		NV_OK);
	assert_int_equal(gsp_rpc_alloc(gpu, CLIENT, DEVICE, SUBDEVICE, NV20_SUBDEVICE_0, &subdevice,
				       sizeof(subdevice)),
			 NV_OK);
}

/* -- Probe ------------------------------------------------------------------------------------- */

static void probe_reads_config_space(void **state)
{
	assert_int_equal(gpu->vendor_id, 0x10de);
	assert_int_equal(gpu->device_id, 0x2330);
	assert_int_equal(gpu->gpu_id, 0x100);
	assert_int_equal(gpu->minor, 3);
	assert_int_equal(gpu->instance, 0);
	assert_int_equal(gpu->bar_count, 3);
	assert_int_equal(gpu->bars[0].size, MIB(16));
	assert_true(gpu->bars[1].size >= GIB(64));
	assert_int_equal(gpu->bars[0].address, os_pci_bar_address(fixture.pci, 0));
	assert_ptr_equal(rm_gpu_by_instance(&rm, 0), gpu);
	assert_ptr_equal(rm_gpu_by_id(&rm, 0x100), gpu);
	assert_ptr_equal(rm_gpu_by_minor(&rm, 3), gpu);
	assert_null(rm_gpu_by_minor(&rm, 0));
	assert_null(rm_gpu_by_instance(&rm, RM_MAX_GPUS));
	assert_null(rm_gpu_by_id(&rm, 0));
	assert_int_equal(rm_gpu_count(&rm), 1);
	assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_FOUND);
}

static void second_of_the_same_minor_is_refused(void **state)
{
	struct rm_gpu *other = NULL;

	assert_int_equal(rm_gpu_add(&rm, fixture.pci, 3, &other), NV_ERR_STATE_IN_USE);
	assert_null(other);
	assert_int_equal(rm_gpu_count(&rm), 1);
}

/* A real H100 as far as ids go, without the mark of the software one. */
static u32 bent_offset, bent_value;

static u32 bent_cfg_read(void *ctx, u32 offset, u32 width)
{
	if (offset == bent_offset)
		return bent_value;
	return h100_cfg_read(fixture.model, offset, width);
}

static void bent_cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
}

static u64 bent_bar_size(void *ctx, u32 bar)
{
	return 0;
}

static void other_devices_are_refused(void **state)
{
	static const struct os_user_pci_ops ops = {
		.cfg_read = bent_cfg_read,
		.cfg_write = bent_cfg_write,
		.bar_size = bent_bar_size,
	};
	static const struct {
		u32 offset, value;
	} bends[] = {
		{ 0x00, 0x8086 },
		{ LH_VSEC_OFFSET + 4, 0 },
		{ LH_VSEC_OFFSET + 8, 0 },
		{ LH_VSEC_OFFSET + 12, 0x12345678 },
		{ LH_VSEC_OFFSET + 16, 99 },
		{ 0x100, 0 },
		{ 0x100, ~0u },
		{ 0x100, 0x10010001 }, /* points at itself */
		{ ~0u, 0 },	       /* all well, but no BARs */
	};
	const struct os_pci_location location = { .bus = 9 };
	struct rm_gpu *other = NULL;
	struct os_pci_dev *dev;
	u32 i;

	dev = os_user_pci_register(&ops, NULL, &location);
	assert_non_null(dev);
	for (i = 0; i < ARRAY_SIZE(bends); i++) {
		bent_offset = bends[i].offset;
		bent_value = bends[i].value;
		assert_int_equal(rm_gpu_add(&rm, dev, 7, &other), NV_ERR_NOT_SUPPORTED);
		assert_null(other);
	}
	assert_true(logged("0000:09:00.0 (10de:2330) is no GPU that this driver drives"));
	assert_true(logged("0000:09:00.0: BAR0 is not assigned"));
	assert_int_equal(rm_gpu_count(&rm), 1);
	os_user_pci_unregister(dev);
}

/* -- Boot and shutdown ------------------------------------------------------------------------- */

static void boots_and_shuts_down(void **state)
{
	u64 live = 0, time;
	u32 i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(rm_gpu_retain(gpu), NV_OK);
		assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_RUNNING);
		assert_non_null(strstr((char *)gpu->info->config.gpuNameString, "H100"));
		assert_int_equal(gpu->info->sm_count, 132);
		assert_true(gpu->info->fb_size >= GIB(79) && gpu->info->fb_size <= GIB(80));
		assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
		time = rm_gpu_time(gpu);
		os_sleep_us(100);
		assert_true(rm_gpu_time(gpu) >= time + 100000);
		rm_gpu_release(gpu);
		assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_FOUND);
		assert_null(gpu->gsp);
		/* The first boot makes what stays: the bottom half's queue. */
		if (i == 0)
			live = unit_live();
		assert_int_equal(unit_live(), live);
	}
	assert_false(logged("Xid"));
}

static void users_share_one_boot(void **state)
{
	struct rm_gsp *gsp;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	gsp = gpu->gsp;
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_ptr_equal(gpu->gsp, gsp);
	rm_gpu_release(gpu);
	assert_ptr_equal(gpu->gsp, gsp);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	rm_gpu_release(gpu);
	assert_null(gpu->gsp);
	assert_int_equal(gsp_rpc_free(gpu, 1, 0, 2), NV_ERR_INVALID_STATE);
}

static void persistence_keeps_it_booted(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_lock(gpu);
	rm_gpu_set_persistent(gpu, true);
	rm_gpu_unlock(gpu);
	rm_gpu_release(gpu);
	assert_non_null(gpu->gsp);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
	rm_gpu_lock(gpu);
	rm_gpu_set_persistent(gpu, false);
	rm_gpu_unlock(gpu);
	assert_null(gpu->gsp);
}

static void boot_survives_every_failing_allocation(void **state)
{
	u64 live, failed;
	u32 n, failures = 0;
	enum nv_status status;

	/* Once, so that what stays between boots is there. */
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
	if (!os_user_fail_alloc_thread(0))
		skip();
	for (n = 1; n < 200; n++) {
		live = unit_live();
		failed = unit_failed();
		os_user_fail_alloc_thread(n);
		status = rm_gpu_retain(gpu);
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed) {
			assert_int_equal(status, NV_OK);
			rm_gpu_release(gpu);
			break;
		}
		failures++;
		if (status == NV_OK) {
			/* An event's copy: lost, and said so. */
			rm_gpu_release(gpu);
		} else {
			assert_null(gpu->gsp);
			assert_null(gpu->info);
			assert_int_equal(os_load_acquire(&gpu->state), RM_GPU_FOUND);
		}
		assert_int_equal(unit_live(), live);
		assert_int_equal(rm_gpu_retain(gpu), NV_OK);
		rm_gpu_release(gpu);
	}
	assert_true(failures > 10);
	assert_true(n < 200);
}

static void boot_without_firmware_fails(void **state)
{
	static const u8 rubbish[100] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	size_t size;
	const void *image = h100_firmware_image(&size);

	os_user_firmware_unregister(GSP_FIRMWARE_NAME);
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_OBJECT_NOT_FOUND);
	os_user_firmware_register(GSP_FIRMWARE_NAME, rubbish, sizeof(rubbish));
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_INVALID_DATA);
	os_user_firmware_register(GSP_FIRMWARE_NAME, image, size);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
}

static void firmware_that_was_changed_does_not_start(void **state)
{
	size_t size, i;
	const u8 *image = h100_firmware_image(&size);
	u8 *copy = malloc(size);
	u32 refused = 0;

	set_timeout_ms(200);
	for (i = 0; i < 12; i++) {
		memcpy(copy, image, size);
		copy[64 + i * (size - 64) / 12] ^= 0x10;
		os_user_firmware_register(GSP_FIRMWARE_NAME, copy, size);
		if (rm_gpu_retain(gpu) == NV_OK)
			rm_gpu_release(gpu);
		else
			refused++;
		assert_null(gpu->gsp);
	}
	assert_true(refused >= 4);
	os_user_firmware_register(GSP_FIRMWARE_NAME, image, size);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
	free(copy);
}

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

/* -- Loss -------------------------------------------------------------------------------------- */

static void assert_lost(u32 xid, const char *line)
{
	assert_true(rm_gpu_is_lost(gpu));
	assert_int_equal(gpu->lost_xid, xid);
	assert_true(logged(line));
	assert_int_equal(times_logged("NVRM: Xid (PCI:0000:01:00): "), 1);
	assert_true(eventually(told_of_loss));
	assert_int_equal(notified_lost, 1);
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_GPU_IS_LOST);
	assert_int_equal(gsp_rpc_free(gpu, CLIENT, 0, CLIENT), NV_ERR_GPU_IS_LOST);
}

#define OFF_BUS_LINE                                                        \
	"NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, " \
	"GPU has fallen off the bus."

static void off_the_bus_before_boot(void **state)
{
	fixture_gpu_inject(&fixture, "off-bus");
	assert_int_equal(rm_gpu_retain(gpu), NV_ERR_GPU_IS_LOST);
	assert_true(logged(OFF_BUS_LINE));
	assert_int_equal(rm_gpu_time(gpu), ~(u64)0);
}

static void off_the_bus_between_calls(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "off-bus");
	assert_int_equal(unknown_control(), NV_ERR_GPU_IS_LOST);
	assert_lost(79, OFF_BUS_LINE);
	rm_gpu_release(gpu);
	assert_null(gpu->gsp);
}

static void *inject_later(void *arg)
{
	os_sleep_us(30000);
	h100_inject(fixture.model, arg);
	return NULL;
}

static void while_waiting(const char *command, enum nv_status want)
{
	pthread_t thread;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "gsp-hang");
	assert_int_equal(pthread_create(&thread, NULL, inject_later, (void *)command), 0);
	assert_int_equal(unknown_control(), want);
	pthread_join(thread, NULL);
}

static void off_the_bus_in_the_middle_of_a_call(void **state)
{
	while_waiting("off-bus", NV_ERR_GPU_IS_LOST);
	assert_lost(79, OFF_BUS_LINE);
	rm_gpu_release(gpu);
}

static bool exception_logged(void)
{
	return logged("name=<unknown>, GSP task exception: task ");
}

static void crash_is_noticed(void **state)
{
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "gsp-crash");
	assert_true(eventually(gpu_lost));
	assert_int_equal(unknown_control(), NV_ERR_GPU_IS_LOST);
	assert_true(eventually(told_of_loss));
	assert_true(rm_gpu_is_lost(gpu));
	assert_int_equal(gpu->lost_xid, 120);
	assert_true(logged("): 120, pid='<unknown>', name=<unknown>, GSP Error: Task "));
	/* The firmware's last message is delivered too. */
	assert_true(eventually(exception_logged));
	rm_gpu_release(gpu);
}

static void hang_times_out(void **state)
{
	set_timeout_ms(60);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	fixture_gpu_inject(&fixture, "gsp-hang");
	assert_int_equal(unknown_control(), NV_ERR_TIMEOUT);
	assert_lost(119, "): 119, pid='<unknown>', name=<unknown>, Timeout after 0s of waiting for "
			 "RPC response from GPU0 GSP! Expected function 76 (GSP_RM_CONTROL).");
	rm_gpu_release(gpu);
}

static void hang_during_boot_times_out(void **state)
{
	u64 live;

	set_timeout_ms(60);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	rm_gpu_release(gpu);
	live = unit_live();
	fixture_gpu_inject(&fixture, "gsp-hang");
	assert_int_not_equal(rm_gpu_retain(gpu), NV_OK);
	assert_null(gpu->gsp);
	assert_int_equal(unit_live(), live);
}

struct sabotage {
	const char *command;
	u32 delay_us;
};

static void *sabotage(void *arg)
{
	const struct sabotage *s = arg;

	os_sleep_us(s->delay_us);
	h100_inject(fixture.model, s->command);
	return NULL;
}

static void loss_at_any_time_of_boot_unwinds(void **state)
{
	static const char *const commands[] = { "off-bus", "gsp-crash", "gsp-hang" };
	u32 i;

	for (i = 0; i < 30; i++) {
		struct sabotage s = { commands[i % 3], (i / 3) * 150 };
		enum nv_status status;
		pthread_t thread;

		teardown(state);
		setup(state);
		set_timeout_ms(50);
		assert_int_equal(pthread_create(&thread, NULL, sabotage, &s), 0);
		status = rm_gpu_retain(gpu);
		pthread_join(thread, NULL);
		if (status == NV_OK) {
			assert_int_not_equal(unknown_control(), NV_OK);
			rm_gpu_release(gpu);
		}
		assert_null(gpu->gsp);
	}
}

static void removal_leaves_users_a_lost_gpu(void **state)
{
	struct rm_gpu *old;

	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	old = gpu;
	rm_gpu_remove(gpu);
	assert_int_equal(objects_removed, 1);
	assert_int_equal(notified_lost, 1);
	assert_int_equal(rm_gpu_count(&rm), 0);
	assert_null(rm_gpu_by_minor(&rm, 3));
	assert_true(rm_gpu_is_lost(old));
	assert_int_equal(rm_gpu_retain(old), NV_ERR_GPU_IS_LOST);
	/* The user's structure is there until it lets go. */
	rm_gpu_release(old);
	/* And the device may come again. */
	assert_int_equal(rm_gpu_add(&rm, fixture.pci, 3, &gpu), NV_OK);
	assert_int_equal(rm_gpu_retain(gpu), NV_OK);
	assert_int_equal(unknown_control(), NV_ERR_NOT_SUPPORTED);
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int run(const char *name, bool without_lending, u32 seed)
{
	const struct CMUnitTest tests[] = {
		T(probe_reads_config_space),
		T(second_of_the_same_minor_is_refused),
		T(other_devices_are_refused),
		T(boots_and_shuts_down),
		T(users_share_one_boot),
		T(persistence_keeps_it_booted),
		T(boot_survives_every_failing_allocation),
		T(boot_without_firmware_fails),
		T(firmware_that_was_changed_does_not_start),
		T(objects_come_and_go),
		T(refused_control_leaves_params_alone),
		T(long_messages_are_continued),
		T(lock_that_the_call_holds_is_not_taken_again),
		T(threads_take_turns),
		T(off_the_bus_before_boot),
		T(off_the_bus_between_calls),
		T(off_the_bus_in_the_middle_of_a_call),
		T(crash_is_noticed),
		T(hang_times_out),
		T(hang_during_boot_times_out),
		T(loss_at_any_time_of_boot_unwinds),
		T(removal_leaves_users_a_lost_gpu),
		T(firmware_errors_reach_the_log),
		T(posted_events_are_delivered),
	};

	no_lending = without_lending;
	chaos = seed;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
	return run("gsp_boot, lending", false, 0) + run("gsp_boot, own thread", true, 0) +
	       run("gsp_boot, chaos", false, 7) + run("gsp_boot, own thread, chaos", true, 8);
}
