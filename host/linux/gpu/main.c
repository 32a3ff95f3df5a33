// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * leafhopper-gpu: the engines, state and firmware of the software GPUs whose functions softh100.ko
 * has put on a PCI bus. Started by the module, by a service manager or by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "h100/h100.h"
#include "host/linux/gpu/gpu.h"
#include "host/linux/gpu/serve.h"
#include "host/user/files.h"
#include "os/user/user.h"

#define ALL_GPUS (~0u)

struct options {
	const char *device, *scenario, *profiles, *issuer, *firmware;
	u32 gpu;
	bool foreground;
};

struct session {
	const char *device;
	struct softh100_machine machine;
	char *profile, *scenario;
	size_t profile_size, scenario_size;
	char *issuer; /* its file's absolute path, or NULL */
};

static const char usage[] =
	"usage: leafhopper-gpu [OPTION...]\n"
	"Serves the software GPUs of softh100.ko, a process each, in the background.\n"
	"\n"
	"  --all            every GPU that the module has (the default)\n"
	"  --gpu N          only this one, counted from 0\n"
	"  --device FILE    the module's device (" SOFTH100_DEVICE ")\n"
	"  --scenario FILE  what happens to the GPUs: docs/scenarios.md\n"
	"  --issuer FILE    certificates and key (PEM) that they are certified with in "
	"confidential\n"
	"                   mode, instead of the project's test issuer\n"
	"  --profiles DIR   where the profile that the module names lies, as NAME.profile\n"
	"  --foreground     stay, and log to standard error instead of the kernel's log\n"
	"  --firmware FILE  write the firmware that the driver loads, and serve nothing\n"
	"  --help           this text\n";

/* -- Options ----------------------------------------------------------------------------------- */

static bool parse_number(const char *text, u32 *value)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end || *text == '-' || number >= ALL_GPUS)
		return false;
	*value = (u32)number;
	return true;
}

/* False: usage is printed, exit with *status. */
static bool parse_options(int argc, char **argv, struct options *o, int *status)
{
	static const struct option names[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "gpu", required_argument, NULL, 'g' },
		{ "device", required_argument, NULL, 'd' },
		{ "scenario", required_argument, NULL, 's' },
		{ "profiles", required_argument, NULL, 'p' },
		{ "issuer", required_argument, NULL, 'i' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "firmware", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*o = (struct options){ .device = SOFTH100_DEVICE, .gpu = ALL_GPUS };
	*status = 2;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'a':
			o->gpu = ALL_GPUS;
			break;
		case 'g':
			if (!parse_number(optarg, &o->gpu)) {
				fprintf(stderr, "leafhopper-gpu: no GPU's number: %s\n", optarg);
				return false;
			}
			break;
		case 'd':
			o->device = optarg;
			break;
		case 's':
			o->scenario = optarg;
			break;
		case 'p':
			o->profiles = optarg;
			break;
		case 'i':
			o->issuer = optarg;
			break;
		case 'f':
			o->foreground = true;
			break;
		case 'w':
			o->firmware = optarg;
			break;
		case 'h':
			*status = 0;
			fputs(usage, stdout);
			return false;
		default:
			fputs(usage, stderr);
			return false;
		}
	}
	if (optind == argc)
		return true;
	fputs(usage, stderr);
	return false;
}

/* -- Firmware ---------------------------------------------------------------------------------- */

static int write_all(int fd, const char *data, size_t size)
{
	while (size != 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int firmware_write(const char *path)
{
	size_t size;
	const void *image = h100_firmware_image(&size);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = fd < 0 ? errno : write_all(fd, image, size);

	if (fd >= 0 && close(fd) != 0 && !rc)
		rc = errno;
	if (rc)
		fprintf(stderr, "leafhopper-gpu: %s: %s\n", path, strerror(rc));
	return rc;
}

/* -- Serving ----------------------------------------------------------------------------------- */

static int open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		log_print(OS_LOG_ERROR, "%s: %s", path, strerror(errno));
	return fd;
}

/* Started while the system boots, there may be no entropy yet; asking for it makes some. */
static void wait_for_entropy(const volatile u32 *stop)
{
	u8 byte;

	while (!*stop && getrandom(&byte, sizeof(byte), 0) < 0 && errno == EINTR)
		;
}

/* The issuer's key is in memory only while the GPU is made. */
static int open_gpu(const struct session *session, struct serve_config *config,
		    struct serve **serve)
{
	char *issuer = NULL;
	size_t size = 0;
	int rc = 0;

	if (session->issuer)
		rc = file_load(session->issuer, &issuer, &size);
	if (rc) {
		log_print(OS_LOG_ERROR, "issuer %s: %s", session->issuer, strerror(rc));
		return rc;
	}
	config->gpu.issuer = issuer;
	config->gpu.issuer_size = size;
	rc = serve_open(config, serve);
	config->gpu.issuer = NULL;
	if (issuer)
		explicit_bzero(issuer, size);
	free(issuer);
	return rc;
}

static int serve_gpu(void *ctx, u32 gpu, const volatile u32 *stop, void (*ready)(void))
{
	const struct session *session = ctx;
	int fd = open_device(session->device);
	struct serve_config config = {
		.calls = &remote_device,
		.ctx = &fd,
		.gpu = { .profile = session->profile,
			 .profile_size = session->profile_size,
			 .scenario = session->scenario,
			 .scenario_size = session->scenario_size,
			 .index = gpu,
			 .count = session->machine.gpus,
			 .engine_threads = true,
			 .cc = (enum h100_cc)session->machine.cc },
		.log = log_line,
	};
	struct serve *serve;
	int rc;

	_Static_assert((u32)H100_CC_ON == SOFTH100_CC_ON &&
			       (u32)H100_CC_DEVTOOLS == SOFTH100_CC_DEVTOOLS,
		       "modes have one number");
	if (fd < 0)
		return ENODEV;
	wait_for_entropy(stop);
	rc = open_gpu(session, &config, &serve);
	if (rc) {
		log_print(rc == EBUSY ? OS_LOG_INFO : OS_LOG_ERROR, "GPU %u: %s", gpu,
			  strerror(rc));
		goto out;
	}
	log_print(OS_LOG_INFO, "GPU %u: serving", gpu);
	ready();
	rc = serve_run(serve, stop);
	if (rc)
		log_print(OS_LOG_ERROR, "GPU %u: %s", gpu, strerror(rc));
	else
		log_print(OS_LOG_INFO, "GPU %u: served", gpu);
	serve_close(serve);
out:
	close(fd);
	return rc;
}

static int session_open(const struct options *o, struct session *session)
{
	int fd = open_device(o->device);
	struct h100_chip chip = { .calls = &remote_device, .ctx = &fd };
	int rc;

	*session = (struct session){ .device = o->device };
	if (fd < 0)
		return ENODEV;
	rc = remote_machine(&chip, &session->machine);
	close(fd);
	if (rc) {
		log_print(OS_LOG_ERROR, "%s: %s", o->device, strerror(rc));
		return rc;
	}
	rc = profile_find(session->machine.profile, o->profiles, &session->profile,
			  &session->profile_size);
	if (rc) {
		log_print(OS_LOG_ERROR, "profile %s: %s", session->machine.profile, strerror(rc));
		return rc;
	}
	if (o->scenario)
		rc = file_load(o->scenario, &session->scenario, &session->scenario_size);
	if (rc) {
		log_print(OS_LOG_ERROR, "scenario %s: %s", o->scenario, strerror(rc));
		return rc;
	}
	/* Each GPU's process reads it, from another directory. */
	if (o->issuer)
		session->issuer = realpath(o->issuer, NULL);
	if (o->issuer && !session->issuer) {
		rc = errno;
		log_print(OS_LOG_ERROR, "issuer %s: %s", o->issuer, strerror(rc));
	}
	return rc;
}

static void session_close(struct session *session)
{
	free(session->profile);
	free(session->scenario);
	free(session->issuer);
}

static int serve_all(const struct options *o)
{
	struct session session;
	struct workers_config config = { .serve = serve_gpu,
					 .ctx = &session,
					 .background = !o->foreground };
	int rc = session_open(o, &session);

	if (rc)
		goto out;
	config.count = session.machine.gpus;
	if (o->gpu != ALL_GPUS) {
		config.first = o->gpu;
		config.count = 1;
	}
	rc = workers_run(&config);
out:
	session_close(&session);
	return rc;
}

/* The kernel starts programs with no files open: the device must not become standard output. */
static void fill_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void model_log(void *ctx, enum os_log_level level, const char *line)
{
	log_line(NULL, (int)level, line);
}

int main(int argc, char **argv)
{
	struct options o;
	int status;

	fill_standard_files();
	if (!parse_options(argc, argv, &o, &status))
		return status;
	if (o.firmware)
		return firmware_write(o.firmware) ? 1 : 0;
	log_open(!o.foreground);
	os_user_log_set_sink(model_log, NULL);
	return serve_all(&o) ? 1 : 0;
}
