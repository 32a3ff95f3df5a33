// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Any bytes as an attestation report that a trusted GPU signed, as certificates, as a reference, or
 * as changes of good evidence, which then must not pass.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "attest_rig.h"
#include "host/user/attest/internal.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct attest_rig rig;
static char good_chain[sizeof(rig.chain)];
static u8 good_report[sizeof(rig.report)];

static void restore(void)
{
	memcpy(rig.chain, good_chain, sizeof(good_chain));
	memcpy(rig.report, good_report, sizeof(good_report));
	rig.evidence.report_bytes = rig.report_bytes;
	rig.evidence.chain = rig.chain;
	rig.evidence.chain_bytes = rig.chain_bytes;
	rig.expectation.reference = rig.reference;
	rig.expectation.reference_bytes = strlen(rig.reference);
}

static void assert_text(const char *text, size_t room)
{
	size_t i;

	for (i = 0; i < room && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			abort();
	if (i == room)
		abort();
}

/* Whether it passes. What is told is text, whatever came. */
static bool judge(void)
{
	static const enum attest_outcome last = ATTEST_FAILED;
	static FILE *null;
	u32 i;

	if (!null)
		null = fopen("/dev/null", "w");
	if (attest_verify(&rig.evidence, &rig.expectation, &rig.result) == ATTEST_NO_MEMORY ||
	    !null)
		abort();
	if (rig.result.check_count > ATTEST_CHECKS_MAX ||
	    rig.result.certificate_count > ATTEST_CERTIFICATES_MAX)
		abort();
	for (i = 0; i < rig.result.check_count; i++) {
		const struct attest_check *check = &rig.result.checks[i];

		assert_text(check->name, sizeof(check->name));
		assert_text(check->detail, sizeof(check->detail));
		if (check->outcome > last || (rig.result.passed && check->outcome != ATTEST_PASSED))
			abort();
	}
	for (i = 0; i < rig.result.certificate_count; i++) {
		assert_text(rig.result.certificates[i].subject,
			    sizeof(rig.result.certificates[i].subject));
		assert_text(rig.result.certificates[i].issuer,
			    sizeof(rig.result.certificates[i].issuer));
	}
	assert_text(rig.result.driver_version, sizeof(rig.result.driver_version));
	assert_text(rig.result.project, sizeof(rig.result.project));
	assert_text(rig.result.error, sizeof(rig.result.error));
	attest_print_text(&rig.result, null);
	attest_print_json(&rig.result, 0, null);
	return rig.result.passed;
}

/*
 * A report of the input's bytes, with the trusted GPU's signature behind them. Signatures take
 * time: only what is well formed gets one.
 */
static void use_report(const u8 *data, size_t size)
{
	static struct attest_report report;

	if (size > sizeof(rig.report) - SPDM_SIGNATURE_BYTES)
		size = sizeof(rig.report) - SPDM_SIGNATURE_BYTES;
	memcpy(rig.report, data, size);
	rig.evidence.report_bytes = size + SPDM_SIGNATURE_BYTES;
	if (attest_report_parse(&report, rig.report, rig.evidence.report_bytes))
		return;
	attest_rig_sign(&rig);
	/* A good one is one that has the expected nonce, at least. */
	if (judge() && memcmp(rig.report + 4, rig.expectation.nonce, ATTEST_NONCE_BYTES) != 0)
		abort();
}

static void use_chain(const u8 *data, size_t size)
{
	size_t good = rig.chain_bytes;
	struct attest_chain chain;
	bool is_one = !attest_chain_parse(&chain, (const char *)data, size);

	attest_chain_free(&chain);
	if (!is_one)
		return;
	rig.evidence.chain = (const char *)data;
	rig.evidence.chain_bytes = size;
	if (judge() && (size < good - 1 || size > good || memcmp(data, good_chain, size) != 0))
		abort();
}

static void use_reference(const u8 *data, size_t size)
{
	struct attest_span reference = { (const char *)data, size };
	u32 line;

	if (attest_reference_check(reference, &line))
		return;
	rig.expectation.reference = reference.at;
	rig.expectation.reference_bytes = reference.bytes;
	(void)judge();
}

static void use_changes(const u8 *data, size_t size)
{
	bool changed = false;
	size_t at;

	for (; size >= 3; data += 3, size -= 3) {
		at = data[0] | (size_t)(data[1] & 0x7f) << 8;
		if (data[1] & 0x80)
			rig.chain[at % rig.chain_bytes] ^= (char)data[2];
		else
			rig.report[at % rig.report_bytes] ^= data[2];
	}
	changed = memcmp(rig.chain, good_chain, rig.chain_bytes) != 0 ||
		  memcmp(rig.report, good_report, rig.report_bytes) != 0;
	if (judge() == changed)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!rig.report_bytes) {
		static const struct attest_rig_root root = { "20200101000000Z", "99991231235959Z" };

		attest_rig_create(&rig, &root);
		memcpy(good_chain, rig.chain, sizeof(good_chain));
		memcpy(good_report, rig.report, sizeof(good_report));
	}
	if (!size)
		return 0;
	switch (*data % 4) {
	case 0:
		use_report(data + 1, size - 1);
		break;
	case 1:
		use_chain(data + 1, size - 1);
		break;
	case 2:
		use_reference(data + 1, size - 1);
		break;
	default:
		use_changes(data + 1, size - 1);
		break;
	}
	restore();
	return 0;
}
