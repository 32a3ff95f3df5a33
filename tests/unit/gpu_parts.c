// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * One software H100 under the driver's GPU and firmware code, with a resource server of a few
 * lines around it.
 */
#include "gpu_parts.h"

#include <pthread.h>
#include <stdio.h>

#include "base/bits.h"
#include "rm/gpu/interrupt.h"
#include "rm/gpu/static_info.h"
#include "rm/server/server.h"

struct rm rm;
static pthread_rwlock_t api_lock = PTHREAD_RWLOCK_INITIALIZER;
u32 notified, notified_lost, objects_removed, objects_freed;
u32 last_engines, engines_notified, channel_errors, faults_queued;
struct rm_gpu_notification last_notification;
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

void rm_gpu_forget_objects(struct rm_gpu *gpu)
{
	assert_true(objects_removed > 0);
}

void rm_server_gpu_stops(struct rm_server *server, struct rm_gpu *gpu)
{
	assert_int_equal(gpu->users, 0);
	objects_freed++;
}

void rm_gpu_notify(struct rm_gpu *gpu, const struct rm_gpu_notification *n)
{
	last_notification = *n;
	os_fetch_add(&notified, 1);
}

void rm_gpu_faults_queued(struct rm_gpu *gpu)
{
	os_fetch_add(&faults_queued, 1);
}

void rm_gpu_inband_data(struct rm_gpu *gpu, const void *data, u32 size)
{
}

void rm_gpu_notify_engines(struct rm_gpu *gpu, u32 first, u32 vectors)
{
	last_engines = first;
	os_fetch_or(&engines_notified, vectors);
}

bool rm_gpu_channel_error(struct rm_gpu *gpu, u32 engine_type, u32 chid, u32 exception, u32 scope,
			  u64 event)
{
	os_fetch_add(&channel_errors, 1);
	return true;
}

u32 rm_gpu_channel_pid(struct rm_gpu *gpu, u32 runlist, u32 chid, u64 event)
{
	return 0;
}

void rm_gpu_notify_lost(struct rm_gpu *gpu)
{
	os_fetch_add(&notified_lost, 1);
}

static void keep_log(void *ctx, enum os_log_level level, const char *line)
{
	size_t used;

	pthread_mutex_lock(&log_lock);
	used = strlen(log_text);
	snprintf(log_text + used, sizeof(log_text) - used, "%s\n", line);
	pthread_mutex_unlock(&log_lock);
}

bool logged(const char *text)
{
	bool found;

	pthread_mutex_lock(&log_lock);
	found = strstr(log_text, text) != NULL;
	pthread_mutex_unlock(&log_lock);
	return found;
}

u32 times_logged(const char *text)
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

struct fixture_gpu fixture;
struct rm_gpu *gpu;
enum h100_cc parts_cc;
static bool no_lending;
static u32 chaos;
static u64 live_before;

int parts_setup(void **state)
{
	const struct fixture_gpu_config config = { .no_lending = no_lending,
						   .chaos = chaos,
						   .cc = parts_cc };

	live_before = unit_live();
	memset(&rm, 0, sizeof(rm));
	log_text[0] = '\0';
	notified = notified_lost = objects_removed = objects_freed = faults_queued = 0;
	os_user_log_set_sink(keep_log, NULL);
	assert_int_equal(rm_registry_init(&rm.registry, NULL, 0), NV_OK);
	assert_int_equal(os_mutex_init(&rm.uvm_lock, LOCK_RANK_UVM_LISTEN, "rm uvm"), NV_OK);
	fixture_gpu_create(&fixture, &config);
	assert_int_equal(rm_gpu_add(&rm, fixture.pci, 3, &gpu), NV_OK);
	return 0;
}

int parts_teardown(void **state)
{
	if (gpu)
		rm_gpu_remove(gpu);
	gpu = NULL;
	fixture_gpu_destroy(&fixture);
	os_mutex_destroy(&rm.uvm_lock);
	rm_registry_fini(&rm.registry);
	os_user_log_set_sink(NULL, NULL);
	assert_int_equal(unit_live(), live_before);
	return 0;
}

void set_timeout_ms(u32 ms)
{
	assert_int_equal(rm_registry_write_dword(&rm, NULL, "RmDefaultTimeout", ms), NV_OK);
}

bool eventually(bool (*condition)(void))
{
	u32 i;

	for (i = 0; i < 3000; i++) {
		if (condition())
			return true;
		os_sleep_us(1000);
	}
	return false;
}

bool gpu_lost(void)
{
	return rm_gpu_is_lost(gpu);
}

bool told_of_loss(void)
{
	return os_load_acquire(&notified_lost) != 0;
}

enum nv_status unknown_control(void)
{
	u32 params = 5;

	return gsp_rpc_control(gpu, gpu->info->config.hInternalClient,
			       gpu->info->config.hInternalSubdevice, 0x2080fefe, &params,
			       sizeof(params));
}

void make_objects(void)
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

/* -- In place of the firmware ------------------------------------------------------------------ */

void fake_gsp_start(struct fake_gsp *f)
{
	fixture_gpu_inject(&fixture, "gsp-hang");
	/* What the boot left to be served must not take replies that are put there early. */
	rm_gpu_lock(gpu);
	rm_gpu_interrupts_disable(gpu);
	rm_gpu_unlock(gpu);
	os_workqueue_flush(gpu->interrupts->queue);
	rm_gpu_lock(gpu);
	f->queue = &gpu->gsp->queue;
	f->write = f->queue->read;
	f->sequence = f->queue->receive_sequence;
	rm_gpu_unlock(gpu);
}

void fake_gsp_put(struct fake_gsp *f, const struct fake_message *m)
{
	static _Alignas(16) u8 bytes[GSP_MSG_QUEUE_ELEMENT_SIZE_MAX];
	GSP_MSG_QUEUE_ELEMENT *element = (void *)bytes;
	u32 total = GSP_MSGQ_OVERHEAD + m->size, i;
	struct gsp_msgq *q = f->queue;

	assert_true(total <= sizeof(bytes));
	memset(bytes, 0, align_up(total, GSP_MSG_QUEUE_ELEMENT_SIZE_MIN));
	element->seqNum = m->stale ? f->sequence - 1 : f->sequence++;
	element->elemCount = div_round_up(total, GSP_MSG_QUEUE_ELEMENT_SIZE_MIN);
	element->rpc.header_version = 0x03000000;
	element->rpc.signature = NV_VGPU_MSG_SIGNATURE_VALID;
	element->rpc.function = m->function;
	element->rpc.length =
		m->length ? m->length : (u32)sizeof(rpc_message_header_v03_00) + m->size;
	element->rpc.sequence = m->sequence;
	if (m->size)
		memcpy(&element->rpc + 1, m->data, m->size);
	element->checkSum = gsp_msgq_checksum(bytes, total);
	for (i = 0; i < element->elemCount; i++) {
		memcpy(q->status + q->entry_offset + f->write * GSP_MSG_QUEUE_ELEMENT_SIZE_MIN,
		       bytes + i * GSP_MSG_QUEUE_ELEMENT_SIZE_MIN, GSP_MSG_QUEUE_ELEMENT_SIZE_MIN);
		f->write = (f->write + 1) % q->status_count;
	}
	os_store_release(&((msgqTxHeader *)q->status)->writePtr, f->write);
}

void fake_gsp_send(struct fake_gsp *f, const struct fake_message *m)
{
	fake_gsp_put(f, m);
	rm_gpu_interrupts_kick(gpu, RM_GPU_KICK_MESSAGES);
}

/* -- Modes ------------------------------------------------------------------------------------- */

int parts_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	static const struct {
		const char *name;
		bool no_lending;
		u32 chaos;
	} modes[] = {
		{ "lending", false, 0 },
		{ "own thread", true, 0 },
		{ "chaos", false, 7 },
		{ "own thread, chaos", true, 8 },
	};
	char title[64];
	int failed = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		no_lending = modes[i].no_lending;
		chaos = modes[i].chaos;
		snprintf(title, sizeof(title), "%s, %s", name, modes[i].name);
		failed += _cmocka_run_group_tests(title, tests, count, NULL, NULL);
	}
	no_lending = false;
	chaos = 0;
	return failed;
}
