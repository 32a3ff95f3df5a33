// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU behind /dev/softh100: waits for work, does the firmware's, answers commands. That is one
 * thread: whatever happens while it works is waiting for it afterwards. The engines have their own,
 * or work on this one (tests).
 */
#include "host/linux/gpu/serve.h"

#include <errno.h>
#include <string.h>

#include "h100/gsp/gpu.h"
#include "host/linux/gpu/bell.h"
#include "host/linux/gpu/links.h"

#define WORK_FIRMWARE                                                           \
	(H100_WORK_FSP | H100_WORK_GSP | H100_WORK_RESET | H100_WORK_DOORBELL | \
	 H100_WORK_INVALIDATE)

struct serve {
	struct h100 gpu;
	struct h100_chip chip;
	struct bells bells;
	struct links links;
	struct serve_config config;
	u8 *video;
	u64 video_bytes;
};

static u64 now_ns(void *ctx)
{
	return os_time_ns();
}

static int errno_of(enum nv_status status)
{
	switch (status) {
	case NV_OK:
		return 0;
	case NV_ERR_NO_MEMORY:
		return ENOMEM;
	case NV_ERR_NOT_READY:
		return EAGAIN;
	default:
		return EINVAL;
	}
}

static bool dma_read(void *ctx, u64 address, void *data, size_t size)
{
	return remote_dma_read(&((struct serve *)ctx)->chip, address, data, size);
}

static bool dma_write(void *ctx, u64 address, const void *data, size_t size)
{
	return remote_dma_write(&((struct serve *)ctx)->chip, address, data, size);
}

/* The serving thread may be waiting in the module. */
static void errors(void *ctx)
{
	remote_wake(&((struct serve *)ctx)->chip);
}

static bool doorbell_arm(void *ctx, struct h100_doorbell *doorbell)
{
	return bells_arm(&((struct serve *)ctx)->bells, doorbell);
}

static void log_line(void *ctx, int level, const char *text)
{
	struct serve *s = ctx;

	s->config.log(s->config.log_ctx, level, text);
}

int serve_open(const struct serve_config *config, struct serve **out)
{
	struct h100_config model = config->gpu;
	struct h100_function_identity identity;
	struct h100_host host = {
		.dma_read = dma_read,
		.dma_write = dma_write,
		.now_ns = now_ns,
		.log = log_line,
		.errors = errors,
		.doorbell_arm = doorbell_arm,
	};
	struct serve *s = os_alloc(sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return ENOMEM;
	s->config = *config;
	s->chip.calls = config->calls;
	s->chip.ctx = config->ctx;
	host.ctx = s;
	model.threads = false;
	model.lending = false;
	rc = links_init(&s->links, &s->chip, model.index, model.count);
	if (rc)
		goto fail_links;
	model.fabric = s->links.fabric;
	rc = errno_of(gpu_init(&s->gpu, &host, &model));
	if (rc)
		goto fail_gpu;
	gpu_identify(&s->gpu, &identity);
	rc = remote_attach(&s->chip, &identity, model.cc);
	if (rc)
		goto fail_attach;
	s->video_bytes = identity.video_bytes;
	s->video = config->calls->map(config->ctx, 0, s->video_bytes);
	rc = ENOMEM;
	if (!s->video)
		goto fail_attach;
	rc = links_map(&s->links, s->video_bytes);
	if (rc)
		goto fail_map;
	rc = bells_open(&s->bells, &s->chip);
	if (rc)
		goto fail_map;
	rc = errno_of(gpu_start(&s->gpu, &s->chip, s->video, model.chaos));
	if (rc)
		goto fail_start;
	bells_start(&s->bells, s->gpu.fifo);
	links_run(&s->links, &s->gpu.state, false);
	rc = remote_error(&s->chip);
	if (rc)
		goto fail_chip;
	*out = s;
	return 0;

fail_chip:
	gpu_stop(&s->gpu);
fail_start:
	bells_close(&s->bells);
fail_map:
	config->calls->unmap(config->ctx, s->video, s->video_bytes);
fail_attach:
	gpu_fini(&s->gpu);
fail_gpu:
	links_close(&s->links);
fail_links:
	os_free(s);
	return rc;
}

void serve_close(struct serve *s)
{
	gpu_stop(&s->gpu);
	bells_close(&s->bells);
	s->config.calls->unmap(s->config.ctx, s->video, s->video_bytes);
	gpu_fini(&s->gpu);
	links_close(&s->links);
	os_free(s);
}

/* A line that somebody wrote to debugfs. Whoever wrote it may have gone away meanwhile. */
static void serve_command(struct serve *s)
{
	struct softh100_command command;
	__u32 answer = EINVAL;
	char *end;

	memset(&command, 0, sizeof(command));
	if (remote_ioctl(&s->chip, SOFTH100_COMMAND, &command) != 0)
		return;
	end = memchr(command.text, 0, sizeof(command.text));
	if (end) {
		while (end > command.text && (end[-1] == '\n' || end[-1] == ' '))
			*--end = '\0';
		answer = (__u32)errno_of(h100_inject(&s->gpu, command.text));
		/* Who waits for the answer may look what a link that is down does. */
		links_run(&s->links, &s->gpu.state, false);
	}
	remote_ioctl(&s->chip, SOFTH100_ANSWER, &answer);
}

int serve_run(struct serve *s, const volatile u32 *stop)
{
	while (os_load_relaxed(stop) == 0) {
		struct softh100_wait wait = { .timeout_ns = runner_quiet_ns(&s->gpu) };
		/* Not repeated by itself: a signal may be why stop was set. */
		int rc = s->chip.calls->ioctl(s->chip.ctx, SOFTH100_WAIT, &wait);

		if (rc == -EINTR)
			continue;
		if (rc < 0)
			return rc == -ENODEV ? 0 : -rc;
		if (wait.work & SOFTH100_WORK_REMOVED)
			return 0;
		if (wait.work & WORK_FIRMWARE)
			runner_work(&s->gpu, wait.work & WORK_FIRMWARE);
		if (wait.work & SOFTH100_WORK_BELLS)
			bells_run(&s->bells);
		if (wait.work & SOFTH100_WORK_COMMAND)
			serve_command(s);
		runner_run(&s->gpu, false);
		if (!s->gpu.engine_threads)
			h100_fifo_run_for(s->gpu.fifo, RUNNER_ENGINES_NS);
		links_run(&s->links, &s->gpu.state, wait.work & H100_WORK_RESET);
		rc = remote_error(&s->chip);
		if (rc)
			return rc == ENODEV ? 0 : rc;
	}
	return 0;
}
