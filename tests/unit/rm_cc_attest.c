// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Certificates and attestation reports through class NV_CONFIDENTIAL_COMPUTE, from a GPU in
 * confidential mode to the verifier that users have.
 */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "host/user/attest/attest.h"
#include "rm/gpu/gpu.h"
#include "rm_host.h"

#define OBJECT 0xcc0u
#define OTHER 0xcc1u

static NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE_PARAMS certificate;
static NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT_PARAMS report;

static u32 get_certificate(void)
{
	memset(&certificate, 0, sizeof(certificate));
	certificate.hSubDevice = HOST_SUBDEVICE;
	return host_ask(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE, &certificate,
			sizeof(certificate));
}

static u32 get_report(u8 nonce)
{
	memset(&report, 0, sizeof(report));
	report.hSubDevice = HOST_SUBDEVICE;
	memset(report.nonce, nonce, sizeof(report.nonce));
	report.isCecAttestationReportPresent = 1;
	return host_ask(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT, &report,
			sizeof(report));
}

/* A GPU in that mode, and a program of an ordinary user on it. */
static void start(enum h100_cc mode)
{
	const struct fixture_gpu_config like = { .cc = mode };

	os_user_set_tee(OS_TEE_TDX);
	host_program_start_like(false, &like);
	assert_int_equal(host_make(host_program.client, OBJECT, NV_CONFIDENTIAL_COMPUTE, NULL),
			 NV_OK);
}

static int end(void **state)
{
	int rc = host_end(state);

	os_user_set_tee(OS_TEE_NONE);
	return rc;
}

/* -- Judging it ---------------------------------------------------------------------------------
 */

struct text {
	char data[16384];
	size_t bytes;
};

static void slurp(const char *path, struct text *text)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text->bytes = fread(text->data, 1, sizeof(text->data), file);
	fclose(file);
}

/* What a user makes of them who sent that nonce, with the build's own reference. */
static bool passes(u8 nonce)
{
	static struct attest_result result;
	static struct text root, reference;
	struct attest_evidence evidence = {
		.report = report.attestationReport,
		.report_bytes = report.attestationReportSize,
		.chain = (const char *)certificate.attestationCertChain,
		.chain_bytes = certificate.attestationCertChainSize,
	};
	struct attest_expectation expectation = { .time = (u64)time(NULL) };

	slurp(TEST_ROOT, &root);
	slurp(MEASUREMENTS, &reference);
	expectation.root = root.data;
	expectation.root_bytes = root.bytes;
	expectation.reference = reference.data;
	expectation.reference_bytes = reference.bytes;
	memset(expectation.nonce, nonce, sizeof(expectation.nonce));
	assert_int_equal(attest_verify(&evidence, &expectation, &result), ATTEST_DONE);
	return result.passed;
}

static void a_user_can_judge_the_gpu(void **state)
{
	static u8 first[sizeof(report.attestationReport)];
	u32 bytes;

	start(H100_CC_ON);
	assert_int_equal(get_certificate(), NV_OK);
	/* There is no chain for key exchange; its size is what r535 tells of it. */
	assert_int_equal(certificate.certChainSize, NV_CONF_COMPUTE_CERT_CHAIN_MAX_SIZE);
	assert_in_range(certificate.attestationCertChainSize, 1000,
			NV_CONF_COMPUTE_ATTESTATION_CERT_CHAIN_MAX_SIZE);
	assert_int_equal(get_report(0x5a), NV_OK);
	assert_in_range(report.attestationReportSize, 200,
			NV_CONF_COMPUTE_GPU_ATTESTATION_REPORT_MAX_SIZE);
	assert_false(report.isCecAttestationReportPresent);
	assert_true(passes(0x5a));
	assert_false(passes(0x5b));

	memcpy(first, report.attestationReport, sizeof(first));
	bytes = report.attestationReportSize;
	assert_int_equal(get_report(0x5b), NV_OK);
	assert_true(passes(0x5b));
	assert_int_equal(report.attestationReportSize, bytes);
	assert_memory_not_equal(first, report.attestationReport, bytes);
	memcpy(report.attestationReport, first, sizeof(first));
	assert_false(passes(0x5b));
}

static void devtools_mode_attests_too(void **state)
{
	start(H100_CC_DEVTOOLS);
	assert_int_equal(get_certificate(), NV_OK);
	assert_int_equal(get_report(1), NV_OK);
	assert_true(passes(1));
}

static void without_the_mode_there_is_nothing(void **state)
{
	start(H100_CC_OFF);
	assert_int_equal(get_certificate(), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(get_report(1), NV_ERR_OBJECT_NOT_FOUND);
	assert_int_equal(report.attestationReportSize, 0);
}

static void handles_are_those_of_subdevices(void **state)
{
	start(H100_CC_ON);
	certificate.hSubDevice = HOST_DEVICE;
	assert_int_equal(host_ask(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_CERTIFICATE,
				  &certificate, sizeof(certificate)),
			 NV_ERR_INVALID_OBJECT_HANDLE);
	report.hSubDevice = OTHER;
	assert_int_equal(host_ask(OBJECT, NV_CONF_COMPUTE_CTRL_CMD_GET_GPU_ATTESTATION_REPORT,
				  &report, sizeof(report)),
			 NV_ERR_OBJECT_NOT_FOUND);
}

/* -- Memory -------------------------------------------------------------------------------------
 */

/*
 * Each allocation of either call fails in turn. What the session needs ends it, and then there is
 * neither until the GPU is started anew.
 */
static void fail_each(u32 (*call)(void))
{
	u64 nth, failed;
	u32 status;

	for (nth = 1;; nth++) {
		failed = unit_failed();
		if (!os_user_fail_alloc_thread(nth))
			skip();
		status = call();
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed)
			break;
		if (status == NV_OK)
			continue;
		assert_true(status == NV_ERR_NO_MEMORY || status == NV_ERR_INSUFFICIENT_RESOURCES);
		status = get_certificate();
		assert_true(status == NV_OK || status == NV_ERR_NOT_READY);
		assert_int_equal(get_report(9), status);
		if (status == NV_ERR_NOT_READY) {
			host_stop();
			start(H100_CC_ON);
		}
	}
	assert_int_equal(status, NV_OK);
	assert_int_equal(get_certificate(), NV_OK);
	assert_int_equal(get_report(9), NV_OK);
	assert_true(passes(9));
}

static u32 report_of_nine(void)
{
	return get_report(9);
}

static void lack_of_memory_is_told(void **state)
{
	start(H100_CC_ON);
	fail_each(get_certificate);
	fail_each(report_of_nine);
}

static void a_gpu_that_is_gone_attests_nothing(void **state)
{
	start(H100_CC_ON);
	host_remove(0);
	assert_int_equal(get_certificate(), NV_ERR_GPU_IS_LOST);
	assert_int_equal(get_report(1), NV_ERR_GPU_IS_LOST);
}

static void a_lost_gpu_attests_nothing(void **state)
{
	start(H100_CC_ON);
	rm_gpu_lose(host.rm_gpus[0], RM_XID_OFF_BUS, "test");
	assert_int_equal(get_report(1), NV_ERR_GPU_IS_LOST);
	assert_int_equal(get_report(1), NV_ERR_GPU_IS_LOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_user_can_judge_the_gpu, end),
		cmocka_unit_test_teardown(devtools_mode_attests_too, end),
		cmocka_unit_test_teardown(without_the_mode_there_is_nothing, end),
		cmocka_unit_test_teardown(handles_are_those_of_subdevices, end),
		cmocka_unit_test_teardown(lack_of_memory_is_told, end),
		cmocka_unit_test_teardown(a_gpu_that_is_gone_attests_nothing, end),
		cmocka_unit_test_teardown(a_lost_gpu_attests_nothing, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
