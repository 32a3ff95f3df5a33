// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The tests' own softh100.ko.
 */
#include "fake_softh100.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "abi/r535.h"
#include "base/bits.h"
#include "h100/engine/profile.h"
#include "unit.h"

#define BELL_BYTES ((size_t)4096)

bool fake_no_process;

/* -- The function's side ----------------------------------------------------------------------- */

void fake_work(struct h100 *fake, u32 work)
{
	pthread_mutex_lock(&fake->lock);
	fake->work |= work;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
}

static void on_work(void *ctx, u32 work)
{
	fake_work(ctx, work);
}

static void on_msix(void *ctx, u64 address, u32 data)
{
	struct h100 *fake = ctx;

	fake->host.msix(fake->host.ctx, address, data);
}

static u64 on_now(void *ctx)
{
	struct h100 *fake = ctx;

	return fake->host.now_ns(fake->host.ctx);
}

static void on_log(void *ctx, int level, const char *text)
{
	struct h100 *fake = ctx;

	fake->host.log(fake->host.ctx, level, text);
}

static const struct h100_function_ops function_ops = {
	.work = on_work,
	.msix = on_msix,
	.now_ns = on_now,
	.log = on_log,
};

/* -- Answers to system calls ------------------------------------------------------------------- */

/* 0, or what the call returns instead of being served. */
static int disturb(struct h100 *fake, bool needs_memory)
{
	int rc = 0;

	pthread_mutex_lock(&fake->lock);
	fake->calls++;
	if (fake->fail_at != 0 && fake->calls >= fake->fail_at)
		rc = -fake->fail_errno;
	else if (fake->interrupt_every != 0 && fake->calls % fake->interrupt_every == 0)
		rc = -EINTR;
	else if (needs_memory && fake->no_memory_every != 0 &&
		 fake->calls % fake->no_memory_every == 0)
		rc = -ENOMEM;
	pthread_mutex_unlock(&fake->lock);
	return rc;
}

static int answer_machine(struct h100 *fake, void *arg)
{
	struct softh100_machine *machine = arg;

	*machine = (struct softh100_machine){ .version = SOFTH100_VERSION,
					      .gpus = 1,
					      .profile = "h100-sxm-80gb",
					      .cc = fake->machine_cc };
	return 0;
}

static int answer_attach(struct h100 *fake, void *arg)
{
	const struct h100_function_identity *own = &fake->identity;
	const struct softh100_attach *attach = arg;
	bool busy;

	if (attach->version != SOFTH100_VERSION)
		return -EPROTO;
	if (attach->index >= fake->config.count)
		return -ENODEV;
	if (attach->vendor_id != own->vendor_id || attach->device_id != own->device_id ||
	    attach->subsystem_vendor_id != own->subsystem_vendor_id ||
	    attach->subsystem_id != own->subsystem_id || attach->revision != own->revision ||
	    attach->link_generation != own->link_generation ||
	    attach->link_width != own->link_width || attach->video_bytes != own->video_bytes ||
	    attach->cc != fake->machine_cc ||
	    memcmp(attach->bar_bytes, own->bar_bytes, sizeof(own->bar_bytes)) != 0)
		return -EINVAL;
	pthread_mutex_lock(&fake->lock);
	busy = fake->attached;
	fake->attached = true;
	pthread_mutex_unlock(&fake->lock);
	if (busy)
		return -EBUSY;
	h100_function_reset(&fake->fn);
	os_store_relaxed(&fake->fn.off_bus, 0);
	return 0;
}

static int answer_wait(struct h100 *fake, void *arg)
{
	struct softh100_wait *wait = arg;
	struct timespec until;
	int rc = 0;

	pthread_mutex_lock(&fake->lock);
	fake->last_timeout_ns = wait->timeout_ns;
	if (wait->timeout_ns != ~0ull)
		fake->longest_timeout_ns = max(fake->longest_timeout_ns, wait->timeout_ns);
	clock_gettime(CLOCK_MONOTONIC, &until);
	if (wait->timeout_ns != ~0ull) {
		u64 ns = wait->timeout_ns + (u64)until.tv_nsec;

		until.tv_sec += (time_t)(ns / 1000000000);
		until.tv_nsec = (long)(ns % 1000000000);
	}
	while (fake->work == 0 && !fake->interrupted && rc == 0) {
		if (wait->timeout_ns == ~0ull)
			pthread_cond_wait(&fake->changed, &fake->lock);
		else
			rc = pthread_cond_timedwait(&fake->changed, &fake->lock, &until);
	}
	wait->work = fake->work;
	fake->work = 0;
	rc = wait->work == 0 && fake->interrupted ? -EINTR : 0;
	fake->interrupted = false;
	pthread_mutex_unlock(&fake->lock);
	return rc;
}

static int answer_command(struct h100 *fake, void *arg)
{
	int rc = -EAGAIN;

	pthread_mutex_lock(&fake->lock);
	if (fake->command_waits) {
		memcpy(arg, &fake->command, sizeof(fake->command));
		fake->command_waits = false;
		rc = 0;
	}
	pthread_mutex_unlock(&fake->lock);
	return rc;
}

static int answer_answer(struct h100 *fake, u32 value)
{
	pthread_mutex_lock(&fake->lock);
	fake->answer = value;
	fake->answered = true;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	return 0;
}

static int answer_bells(struct h100 *fake, unsigned long request, void *arg)
{
	pthread_mutex_lock(&fake->lock);
	switch (request) {
	case SOFTH100_BELLS:
		memcpy(arg, &fake->reports, sizeof(fake->reports));
		if (fake->storm)
			fake->work |= SOFTH100_WORK_BELLS;
		else
			fake->reports.count = 0;
		break;
	case SOFTH100_BELL_ARM:
		fake->armed++;
		fake->armed_times[*(const u32 *)arg % SOFTH100_BELLS_MAX]++;
		break;
	default:
		fake->freed++;
		fake->last_freed = *(const u32 *)arg;
		mprotect(fake->bells + fake->last_freed * BELL_BYTES, BELL_BYTES, PROT_NONE);
		break;
	}
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	return 0;
}

/* Lock held. */
static void report(struct h100 *fake, u32 number, u32 client, u32 flags)
{
	if (number < SOFTH100_BELLS_MAX && flags != SOFTH100_BELL_GONE)
		mprotect(fake->bells + number * BELL_BYTES, BELL_BYTES, PROT_READ | PROT_WRITE);
	fake->reports.bells[fake->reports.count++] =
		(struct softh100_bell){ .number = number, .client = client, .flags = flags };
	fake->work |= SOFTH100_WORK_BELLS;
	pthread_cond_broadcast(&fake->changed);
}

void fake_bell(struct h100 *fake, u32 number, u32 client, u32 flags)
{
	pthread_mutex_lock(&fake->lock);
	report(fake, number, client, flags);
	pthread_mutex_unlock(&fake->lock);
}

void fake_storm(struct h100 *fake, u32 client, bool storm)
{
	pthread_mutex_lock(&fake->lock);
	fake->storm = storm;
	while (storm && fake->reports.count < ARRAY_SIZE(fake->reports.bells))
		report(fake, fake->reports.count, client, SOFTH100_BELL_RUNG);
	pthread_mutex_unlock(&fake->lock);
}

u32 *fake_bell_word(struct h100 *fake, u32 number)
{
	return (u32 *)(fake->bells + number * BELL_BYTES + NVC361_NOTIFY_CHANNEL_PENDING);
}

static int answer_registers(struct h100 *fake, unsigned long request, void *arg)
{
	struct softh100_register *reg = arg;
	struct softh100_packet *packet = arg;
	const struct softh100_range *range = arg;
	struct softh100_doorbells *doorbells = arg;
	const u32 *word = arg;

	switch (request) {
	case SOFTH100_REGISTER_GET:
		reg->value = h100_register_get(&fake->fn, reg->offset);
		return 0;
	case SOFTH100_REGISTER_SET:
		h100_register_set(&fake->fn, reg->offset, reg->value);
		return 0;
	case SOFTH100_FSP_RECEIVE:
		packet->size =
			h100_fsp_receive(&fake->fn, (void *)(uintptr_t)packet->data, packet->size);
		return 0;
	case SOFTH100_FSP_SEND:
		h100_fsp_send(&fake->fn, (const void *)(uintptr_t)packet->data, packet->size);
		return 0;
	case SOFTH100_FSP_READY:
		h100_fsp_set_ready(&fake->fn, *word != 0);
		return 0;
	case SOFTH100_GSP_RUN:
		h100_gsp_set_run(&fake->fn, (enum h100_gsp_run) * word);
		return 0;
	case SOFTH100_GSP_INTERRUPT:
		h100_gsp_interrupt(&fake->fn, *word);
		return 0;
	case SOFTH100_RAISE:
		h100_intr_raise(&fake->fn, *word);
		return 0;
	case SOFTH100_DOORBELLS:
		doorbells->count =
			h100_doorbells(&fake->fn, doorbells->tokens, ARRAY_SIZE(doorbells->tokens));
		return 0;
	case SOFTH100_WPR2:
		h100_wpr2_set(&fake->fn, range->start, range->end);
		return 0;
	case SOFTH100_PRESENT:
		os_store_relaxed(&fake->fn.off_bus, *word ? 0 : 1);
		return 0;
	case SOFTH100_LINKED:
		os_store_release(&fake->links.gpu[fake->config.index].linked, *word);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int fake_ioctl(void *ctx, unsigned long request, void *arg)
{
	struct h100 *fake = ctx;
	int rc = disturb(fake, request != SOFTH100_WAIT);

	if (rc)
		return rc;
	switch (request) {
	case SOFTH100_MACHINE:
		return answer_machine(fake, arg);
	case SOFTH100_ATTACH:
		return answer_attach(fake, arg);
	case SOFTH100_WAIT:
		return answer_wait(fake, arg);
	case SOFTH100_COMMAND:
		return answer_command(fake, arg);
	case SOFTH100_ANSWER:
		return answer_answer(fake, *(const u32 *)arg);
	case SOFTH100_WAKE:
		fake_work(fake, SOFTH100_WORK_WOKEN);
		return 0;
	case SOFTH100_BELLS:
	case SOFTH100_BELL_ARM:
	case SOFTH100_BELL_FREE:
		return answer_bells(fake, request, arg);
	default:
		return answer_registers(fake, request, arg);
	}
}

static size_t shortened(struct h100 *fake, size_t size)
{
	u32 most = os_load_relaxed(&fake->short_bytes);

	return most != 0 ? min(size, (size_t)most) : size;
}

static ssize_t fake_pread(void *ctx, void *data, size_t size, u64 address)
{
	struct h100 *fake = ctx;
	int rc = disturb(fake, true);

	if (rc)
		return rc;
	size = shortened(fake, size);
	return h100_function_bus_master(&fake->fn) &&
			       fake->host.dma_read(fake->host.ctx, address, data, size)
		       ? (ssize_t)size
		       : -EFAULT;
}

static ssize_t fake_pwrite(void *ctx, const void *data, size_t size, u64 address)
{
	struct h100 *fake = ctx;
	int rc = disturb(fake, true);

	if (rc)
		return rc;
	size = shortened(fake, size);
	return h100_function_bus_master(&fake->fn) &&
			       fake->host.dma_write(fake->host.ctx, address, data, size)
		       ? (ssize_t)size
		       : -EFAULT;
}

/* None of them is there yet. */
static void *map_bells(struct h100 *fake, size_t size)
{
	void *pages =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_int_equal(size, SOFTH100_BELLS_MAX * BELL_BYTES);
	assert_ptr_not_equal(pages, MAP_FAILED);
	fake->bells = pages;
	return pages;
}

static void *fake_map(void *ctx, u64 offset, size_t size)
{
	struct h100 *fake = ctx;

	if (disturb(fake, false) != 0)
		return NULL;
	if (offset == SOFTH100_BELLS_OFFSET)
		return map_bells(fake, size);
	if (offset == SOFTH100_LINKS_OFFSET) {
		assert_int_equal(size, OS_PAGE_SIZE);
		os_fetch_add(&fake->mapped, 1);
		return &fake->links;
	}
	if (offset >= SOFTH100_PEERS_OFFSET(0)) {
		/* Of GPUs that nobody touches here. */
		assert_int_equal(offset % SOFTH100_PEERS_OFFSET(0), 0);
		assert_int_not_equal(offset, SOFTH100_PEERS_OFFSET(fake->config.index));
		assert_true(offset < SOFTH100_PEERS_OFFSET(fake->config.count));
		assert_int_equal(size, fake->identity.video_bytes);
		os_fetch_add(&fake->mapped, 1);
		return fake->video;
	}
	assert_int_equal(offset, 0);
	assert_int_equal(size, fake->identity.video_bytes);
	os_fetch_add(&fake->mapped, 1);
	return fake->video;
}

static void fake_unmap(void *ctx, void *memory, size_t size)
{
	struct h100 *fake = ctx;

	if (memory == fake->bells) {
		munmap(memory, size);
		fake->bells = NULL;
		return;
	}
	os_fetch_sub(&fake->mapped, 1);
}

const struct remote_calls fake_calls = {
	.ioctl = fake_ioctl,
	.pread = fake_pread,
	.pwrite = fake_pwrite,
	.map = fake_map,
	.unmap = fake_unmap,
};

/* -- The process ------------------------------------------------------------------------------- */

static void process_log(void *ctx, int level, const char *text)
{
	on_log(ctx, level, text);
}

static void *process_main(void *arg)
{
	struct h100 *fake = arg;
	const struct serve_config config = { .calls = &fake_calls,
					     .ctx = fake,
					     .gpu = fake->config,
					     .log = process_log,
					     .log_ctx = fake };
	struct serve *serve;
	int rc = serve_open(&config, &serve);

	if (!rc) {
		rc = serve_run(serve, &fake->stop);
		serve_close(serve);
	}
	/* Its file is closed. */
	pthread_mutex_lock(&fake->lock);
	fake->attached = false;
	fake->ended = true;
	fake->result = rc;
	pthread_mutex_unlock(&fake->lock);
	os_store_relaxed(&fake->fn.off_bus, 1);
	return NULL;
}

void fake_start(struct h100 *fake)
{
	assert_false(fake->started);
	fake->ended = false;
	fake->stop = 0;
	fake->work = 0;
	assert_int_equal(pthread_create(&fake->thread, NULL, process_main, fake), 0);
	fake->started = true;
}

bool fake_ended(struct h100 *fake)
{
	bool ended;

	pthread_mutex_lock(&fake->lock);
	ended = fake->ended;
	pthread_mutex_unlock(&fake->lock);
	return ended;
}

int fake_join(struct h100 *fake, bool terminate)
{
	if (terminate) {
		os_store_relaxed(&fake->stop, 1);
		pthread_mutex_lock(&fake->lock);
		fake->interrupted = true;
		pthread_cond_broadcast(&fake->changed);
		pthread_mutex_unlock(&fake->lock);
	}
	assert_int_equal(pthread_join(fake->thread, NULL), 0);
	fake->started = false;
	return fake->result;
}

u32 fake_command_raw(struct h100 *fake, const struct softh100_command *command)
{
	u32 answer;

	pthread_mutex_lock(&fake->lock);
	fake->command = *command;
	fake->command_waits = true;
	fake->answered = false;
	fake->work |= SOFTH100_WORK_COMMAND;
	pthread_cond_broadcast(&fake->changed);
	while (!fake->answered)
		pthread_cond_wait(&fake->changed, &fake->lock);
	answer = fake->answer;
	pthread_mutex_unlock(&fake->lock);
	return answer;
}

u32 fake_command(struct h100 *fake, const char *text)
{
	struct softh100_command command = { { 0 } };

	snprintf(command.text, sizeof(command.text), "%s", text);
	return fake_command_raw(fake, &command);
}

/* -- What the driver sees: h100.h -------------------------------------------------------------- */

static void identify(struct h100 *fake, const struct h100_config *config)
{
	struct h100_parse_error error;
	struct h100_profile profile;

	assert_int_equal(
		h100_profile_parse(config->profile, config->profile_size, &profile, &error), NV_OK);
	fake->identity = (struct h100_function_identity){
		.vendor_id = profile.vendor_id,
		.device_id = profile.device_id,
		.subsystem_vendor_id = profile.subsystem_vendor_id,
		.subsystem_id = profile.subsystem_id,
		.revision = profile.revision,
		.link_generation = (u8)profile.pcie_generation,
		.link_width = (u8)profile.pcie_lanes,
		.bar_bytes = { profile.bar0_bytes, profile.bar1_bytes, profile.bar2_bytes },
		.video_bytes = profile.memory_bytes,
		.video_closed = config->cc == H100_CC_ON,
	};
}

enum nv_status h100_create(const struct h100_host *host, const struct h100_config *config,
			   struct h100 **out)
{
	struct h100 *fake = calloc(1, sizeof(*fake));
	pthread_condattr_t attr;

	assert_non_null(fake);
	fake->host = *host;
	fake->config = *config;
	fake->machine_cc = (u32)config->cc;
	identify(fake, config);
	fake->profile = malloc(config->profile_size);
	assert_non_null(fake->profile);
	memcpy(fake->profile, config->profile, config->profile_size);
	fake->config.profile = fake->profile;
	pthread_mutex_init(&fake->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&fake->changed, &attr);
	pthread_condattr_destroy(&attr);
	fake->video = mmap(NULL, fake->identity.video_bytes, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(fake->video != MAP_FAILED);
	assert_int_equal(
		h100_function_init(&fake->fn, &function_ops, fake, &fake->identity, fake->video),
		NV_OK);
	os_store_relaxed(&fake->fn.off_bus, 1);
	if (!fake_no_process)
		fake_start(fake);
	*out = fake;
	return NV_OK;
}

void h100_destroy(struct h100 *fake)
{
	if (fake->started)
		fake_join(fake, true);
	assert_int_equal(fake->mapped, 0);
	h100_function_destroy(&fake->fn);
	munmap(fake->video, fake->identity.video_bytes);
	pthread_cond_destroy(&fake->changed);
	pthread_mutex_destroy(&fake->lock);
	free(fake->profile);
	free(fake);
}

u32 h100_cfg_read(struct h100 *fake, u32 offset, u32 width)
{
	return h100_function_cfg_read(&fake->fn, offset, width);
}

void h100_cfg_write(struct h100 *fake, u32 offset, u32 width, u32 value)
{
	h100_function_cfg_write(&fake->fn, offset, width, value);
}

u64 h100_bar_read(struct h100 *fake, u32 bar, u64 offset, u32 width)
{
	return h100_function_bar_read(&fake->fn, bar, offset, width);
}

void h100_bar_write(struct h100 *fake, u32 bar, u64 offset, u32 width, u64 value)
{
	h100_function_bar_write(&fake->fn, bar, offset, width, value);
}
