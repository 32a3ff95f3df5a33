// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * leafhopper attest: fetches a GPU's certificates and its report over a fresh nonce, as NVML does
 * (class NV_CONFIDENTIAL_COMPUTE), and says whether the GPU is what it should be. Whether the
 * driver told the truth does not matter: nobody can make a report but the GPU.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "host/user/attest/attest.h"
#include "host/user/cli/cli.h"
#include "host/user/cli/client.h"
#include "host/user/files.h"

#define H_CONFIDENTIAL_COMPUTE 0xcaf00003u
#define TEST_ROOT "test_root.pem"
#define REFERENCE "h100_measurements.tsv"

struct attest_options {
	u32 gpu;
	const char *root, *reference;
	const char *save;
	const char *report, *chain; /* instead of a GPU */
	bool json, gpu_given, nonce_given;
	u8 nonce[ATTEST_NONCE_BYTES];
};

static int not_attested(const char *what, int error)
{
	fprintf(stderr, "leafhopper attest: %s: %s\n", what, strerror(error));
	return EXIT_NOT_ATTESTED;
}

/* -- Options ------------------------------------------------------------------------------------
 */

static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void parse_nonce(const char *text, struct attest_options *o)
{
	size_t i;

	if (strlen(text) != 2 * sizeof(o->nonce))
		usage_error("--nonce: %zu hexadecimal digits", 2 * sizeof(o->nonce));
	for (i = 0; i < sizeof(o->nonce); i++) {
		int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			usage_error("--nonce: %zu hexadecimal digits", 2 * sizeof(o->nonce));
		o->nonce[i] = (u8)(high << 4 | low);
	}
	o->nonce_given = true;
}

static void parse_gpu(const char *text, struct attest_options *o)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value >= CLIENT_GPUS_MAX)
		usage_error("--gpu: %s is not a number below %u", text, CLIENT_GPUS_MAX);
	o->gpu = (u32)value;
	o->gpu_given = true;
}

static void parse_options(int argc, char **argv, struct attest_options *o)
{
	enum {
		OPT_ROOT = 256,
		OPT_REFERENCE,
		OPT_NONCE,
		OPT_JSON,
		OPT_SAVE,
		OPT_REPORT,
		OPT_CHAIN
	};
	static const struct option longs[] = {
		{ "gpu", required_argument, NULL, 'g' },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "reference", required_argument, NULL, OPT_REFERENCE },
		{ "nonce", required_argument, NULL, OPT_NONCE },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "save", required_argument, NULL, OPT_SAVE },
		{ "report", required_argument, NULL, OPT_REPORT },
		{ "chain", required_argument, NULL, OPT_CHAIN },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct attest_options){ .gpu = 0 };
	optind = 1;
	while ((c = getopt_long(argc, argv, "g:", longs, NULL)) >= 0) {
		switch (c) {
		case 'g':
			parse_gpu(optarg, o);
			break;
		case OPT_ROOT:
			o->root = optarg;
			break;
		case OPT_REFERENCE:
			o->reference = optarg;
			break;
		case OPT_NONCE:
			parse_nonce(optarg, o);
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_SAVE:
			o->save = optarg;
			break;
		case OPT_REPORT:
			o->report = optarg;
			break;
		case OPT_CHAIN:
			o->chain = optarg;
			break;
		default:
			fputs("Try 'leafhopper help'.\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	if (argv[optind])
		usage_error("attest: what is %s?", argv[optind]);
	if (!o->report != !o->chain)
		usage_error("--report and --chain go together");
	if (o->report && (!o->nonce_given || o->gpu_given || o->save))
		usage_error("--report needs --nonce, the one that it was asked for with, "
			    "and neither --gpu nor --save");
}

/* -- Evidence -----------------------------------------------------------------------------------
 */

/* Status of a request about a GPU: 0 or an exit status, told. */
static int answered(const struct client *client, u32 gpu, const char *what, u32 status)
{
	if (status == NV_OK)
		return 0;
	if (status == NV_ERR_OBJECT_NOT_FOUND) {
		fprintf(stderr, "leafhopper attest: GPU %u is in no confidential mode\n", gpu);
		return EXIT_NOT_CONFIDENTIAL;
	}
	client_failed(client, what, status);
	return EXIT_NOT_ATTESTED;
}

/* The evidence stays where it is until the next call. */
static int ask(const struct client *client, const struct attest_options *o, u32 subdevice,
	       struct attest_evidence *evidence)
{
	static NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE_PARAMS chain;
	static NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT_PARAMS report;
	NV_CONFIDENTIAL_COMPUTE_ALLOC_PARAMS params = { .hClient = client->handle };
	u32 status;
	int rc;

	status = client_alloc(client, client->handle, H_CONFIDENTIAL_COMPUTE,
			      NV_CONFIDENTIAL_COMPUTE, &params);
	if (status != NV_OK) {
		client_failed(client, "confidential computing", status);
		return EXIT_NOT_ATTESTED;
	}
	chain.hSubDevice = subdevice;
	status =
		client_control(client, H_CONFIDENTIAL_COMPUTE,
			       NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE, &chain, sizeof(chain));
	rc = answered(client, o->gpu, "certificates", status);
	if (rc)
		return rc;
	report.hSubDevice = subdevice;
	memcpy(report.nonce, o->nonce, sizeof(report.nonce));
	status = client_control(client, H_CONFIDENTIAL_COMPUTE,
				NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT, &report,
				sizeof(report));
	rc = answered(client, o->gpu, "attestation report", status);
	if (rc)
		return rc;
	if (chain.attestationCertChainSize > sizeof(chain.attestationCertChain) ||
	    report.attestationReportSize > sizeof(report.attestationReport))
		return not_attested("the driver's answer", EMSGSIZE);
	*evidence = (struct attest_evidence){
		.report = report.attestationReport,
		.report_bytes = report.attestationReportSize,
		.chain = (const char *)chain.attestationCertChain,
		.chain_bytes = chain.attestationCertChainSize,
	};
	return 0;
}

static int fetch(const struct attest_options *o, struct attest_evidence *evidence)
{
	u32 ids[CLIENT_GPUS_MAX], count;
	struct client client;
	struct client_gpu gpu;
	int rc = EXIT_NOT_ATTESTED;

	if (!client_open(&client, "attest") || !client_gpus(&client, ids, &count))
		goto out;
	if (o->gpu >= count) {
		fprintf(stderr, "leafhopper attest: there is no GPU %u\n", o->gpu);
		goto out;
	}
	if (!client_gpu_open(&client, ids[o->gpu], &gpu))
		goto out;
	rc = ask(&client, o, gpu.subdevice, evidence);
	client_gpu_close(&client, &gpu);
out:
	client_close(&client);
	return rc;
}

static int save_one(const char *name, const char *extension, const void *data, size_t bytes)
{
	char path[PATH_MAX];
	FILE *file;
	bool done;

	if (snprintf(path, sizeof(path), "%s%s", name, extension) >= (int)sizeof(path))
		return not_attested(name, ENAMETOOLONG);
	file = fopen(path, "we");
	if (!file)
		return not_attested(path, errno);
	done = fwrite(data, 1, bytes, file) == bytes;
	done &= !fclose(file);
	return done ? 0 : not_attested(path, errno);
}

static int save(const struct attest_options *o, const struct attest_evidence *evidence)
{
	int rc = save_one(o->save, ".report", evidence->report, evidence->report_bytes);

	return rc ? rc : save_one(o->save, ".pem", evidence->chain, evidence->chain_bytes);
}

/* A file that is named, or the project's of that name. malloc'ed. */
static int load(const char *named, const char *own, char **data, size_t *bytes)
{
	char path[PATH_MAX];
	int rc = 0;

	if (!named) {
		rc = own_file_path(own, path, sizeof(path));
		named = rc ? own : path;
	}
	if (!rc)
		rc = file_load(named, data, bytes);
	return rc ? not_attested(named, rc) : 0;
}

/* -- Judging it ---------------------------------------------------------------------------------
 */

static int judge(const struct attest_options *o, const struct attest_evidence *evidence,
		 const struct attest_expectation *expectation)
{
	static struct attest_result result;

	switch (attest_verify(evidence, expectation, &result)) {
	case ATTEST_DONE:
		break;
	case ATTEST_NO_MEMORY:
		return not_attested("verification", ENOMEM);
	case ATTEST_BAD_ROOT:
		usage_error("%s: %s", o->root ? o->root : TEST_ROOT, result.error);
	case ATTEST_BAD_REFERENCE:
		usage_error("%s: %s", o->reference ? o->reference : REFERENCE, result.error);
	}
	if (o->json) {
		attest_print_json(&result, o->report ? -1 : (int)o->gpu, stdout);
	} else {
		if (o->report)
			printf("%s, nonce ", o->report);
		else
			printf("GPU %u, nonce ", o->gpu);
		for (u32 i = 0; i < sizeof(o->nonce); i++)
			printf("%02x", o->nonce[i]);
		putchar('\n');
		attest_print_text(&result, stdout);
		if (!o->root)
			puts("The root is the project's test root, whose key everybody has: --root "
			     "names "
			     "another.");
	}
	if (fflush(stdout))
		return not_attested("output", errno);
	return result.passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What was read from files; malloc'ed. */
struct texts {
	char *root, *reference, *report, *chain;
};

static int gather(struct attest_options *o, struct texts *texts, struct attest_evidence *evidence)
{
	int rc;

	if (o->report) {
		rc = load(o->report, NULL, &texts->report, &evidence->report_bytes);
		if (!rc)
			rc = load(o->chain, NULL, &texts->chain, &evidence->chain_bytes);
		evidence->report = (const u8 *)texts->report;
		evidence->chain = texts->chain;
		return rc;
	}
	if (!o->nonce_given &&
	    getrandom(o->nonce, sizeof(o->nonce), 0) != (ssize_t)sizeof(o->nonce))
		return not_attested("a random nonce", errno);
	rc = fetch(o, evidence);
	return rc || !o->save ? rc : save(o, evidence);
}

static int attest(struct attest_options *o)
{
	struct attest_expectation expectation = { .time = (u64)time(NULL) };
	struct attest_evidence evidence = { 0 };
	struct texts texts = { 0 };
	int rc;

	rc = load(o->root, TEST_ROOT, &texts.root, &expectation.root_bytes);
	if (!rc)
		rc = load(o->reference, REFERENCE, &texts.reference, &expectation.reference_bytes);
	if (!rc)
		rc = gather(o, &texts, &evidence);
	if (!rc) {
		expectation.root = texts.root;
		expectation.reference = texts.reference;
		memcpy(expectation.nonce, o->nonce, sizeof(o->nonce));
		rc = judge(o, &evidence, &expectation);
	}
	free(texts.root);
	free(texts.reference);
	free(texts.report);
	free(texts.chain);
	return rc;
}

/* Not in a machine: starts again in the shared one. */
static int join_machine(int argc, char **argv)
{
	static char enter[] = "enter", dashes[] = "--", exe[] = "/proc/self/exe";
	char self[PATH_MAX], **args;
	ssize_t n = readlink(exe, self, sizeof(self) - 1);
	struct instance shared;
	int rc = n < 0 ? errno : instance_shared(&shared);

	if (rc)
		return not_attested("the shared machine", rc);
	if (access(shared.socket, F_OK)) {
		fputs("leafhopper attest: there is no machine: run it in one (leafhopper run --cc "
		      "on -- "
		      "leafhopper attest), or start one (leafhopper up --cc on)\n",
		      stderr);
		return EXIT_NOT_ATTESTED;
	}
	args = calloc((size_t)argc + 5, sizeof(*args));
	if (!args)
		return not_attested("the shared machine", ENOMEM);
	self[n] = 0;
	args[0] = self;
	args[1] = enter;
	args[2] = dashes;
	args[3] = self;
	memcpy(args + 4, argv, (size_t)argc * sizeof(*argv));
	execv(self, args);
	free(args);
	return not_attested(self, errno);
}

int command_attest(int argc, char **argv)
{
	const char *preload = getenv("LD_PRELOAD");
	struct attest_options options;
	bool inside = preload && strstr(preload, PRELOAD_NAME);

	parse_options(argc, argv, &options);
	if (!options.report && !inside && !client_own_module())
		return join_machine(argc, argv);
	return attest(&options);
}
