// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The checks, in the order in which they rest on each other: whose certificates, then what they
 * sign, then what that says. One that does not pass leaves those that rest on it not checked.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/user/attest/internal.h"

#define DIGEST_TEXT 17u /* how much of one is shown, terminated */

/* One verification under way. */
struct verifier {
	const struct attest_evidence *evidence;
	const struct attest_expectation *expectation;
	struct attest_result *result;
	struct attest_span reference;
	struct attest_chain chain;
	struct attest_report report;
	X509 *root;
	bool trusted;	/* the chain's way to the root, at this time */
	bool authentic; /* the report: signed by that chain's key */
	/* The row that each measurement is as; which is empty: none. */
	struct attest_span matched[ATTEST_INDEX_MAX];
};

/* Adds one; false if it did not pass. */
static bool add(struct verifier *v, const char *name, enum attest_outcome outcome,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool add(struct verifier *v, const char *name, enum attest_outcome outcome,
		const char *format, ...)
{
	struct attest_check *check = &v->result->checks[v->result->check_count++];
	va_list ap;

	snprintf(check->name, sizeof(check->name), "%s", name);
	check->outcome = outcome;
	va_start(ap, format);
	vsnprintf(check->detail, sizeof(check->detail), format, ap);
	va_end(ap);
	return outcome == ATTEST_PASSED;
}

/* The beginning of a digest, for people to compare. */
static const char *short_digest(const u8 digest[SPDM_HASH_BYTES], char text[DIGEST_TEXT])
{
	u32 i;

	for (i = 0; i < DIGEST_TEXT / 2; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

static bool same_span(struct attest_span a, struct attest_span b)
{
	return a.bytes == b.bytes && memcmp(a.at, b.at, a.bytes) == 0;
}

/* -- Whose certificates ------------------------------------------------------------------------ */

static bool check_root(struct verifier *v)
{
	struct attest_result *result = v->result;
	const struct attest_certificate *last = &result->certificates[v->chain.count - 1];

	if (X509_cmp(v->chain.certificates[v->chain.count - 1], v->root) != 0)
		return add(v, "root", ATTEST_FAILED,
			   "the chain ends at %s, which is not the trusted one", last->subject);
	return add(v, "root", ATTEST_PASSED, "%s", last->subject);
}

static bool check_chain(struct verifier *v)
{
	const char *wrong = attest_chain_check_path(&v->chain, v->root);

	if (wrong)
		return add(v, "chain", ATTEST_FAILED, "%s", wrong);
	return add(v, "chain", ATTEST_PASSED, "%u signatures, up to the root", v->chain.count - 1);
}

static bool check_validity(struct verifier *v)
{
	int invalid = attest_chain_find_invalid(&v->chain, v->expectation->time);
	const struct attest_certificate *c = &v->result->certificates[invalid < 0 ? 0 : invalid];

	if (invalid >= 0)
		return add(v, "validity", ATTEST_FAILED, "%s is valid from %s to %s", c->subject,
			   c->from, c->to);
	return add(v, "validity", ATTEST_PASSED, "the GPU's from %s to %s", c->from, c->to);
}

static void check_certificates(struct verifier *v)
{
	static const char untrusted[] = "whose certificates they are is not known";
	const char *wrong =
		attest_chain_parse(&v->chain, v->evidence->chain, v->evidence->chain_bytes);
	struct attest_result *result = v->result;
	u32 i;

	for (i = 0; i < v->chain.count; i++)
		attest_certificate_describe(v->chain.certificates[i], &result->certificates[i]);
	result->certificate_count = v->chain.count;
	if (wrong)
		add(v, "certificates", ATTEST_FAILED, "%s", wrong);
	else
		add(v, "certificates", ATTEST_PASSED, "%u, of %s", v->chain.count,
		    result->certificates[0].subject);
	if (wrong || !check_root(v)) {
		if (wrong)
			add(v, "root", ATTEST_NOT_CHECKED, "there is no chain");
		add(v, "chain", ATTEST_NOT_CHECKED, "%s", untrusted);
		add(v, "validity", ATTEST_NOT_CHECKED, "%s", untrusted);
		return;
	}
	v->trusted = check_chain(v);
	v->trusted &= check_validity(v);
}

/* -- What they sign ---------------------------------------------------------------------------- */

static void check_report(struct verifier *v)
{
	const char *wrong =
		attest_report_parse(&v->report, v->evidence->report, v->evidence->report_bytes);

	if (wrong)
		add(v, "report", ATTEST_FAILED, "%s", wrong);
	else
		add(v, "report", ATTEST_PASSED, "%zu bytes, %u measurements",
		    v->evidence->report_bytes, v->report.measurement_count);
	if (wrong || !v->trusted)
		add(v, "signature", ATTEST_NOT_CHECKED, "%s",
		    wrong ? "there is no report" : "there is no key that is trusted");
	else if (attest_chain_signed(&v->chain, v->report.signed_bytes, v->report.signed_count,
				     v->report.signature))
		v->authentic = add(v, "signature", ATTEST_PASSED,
				   "ECDSA P-384 by the GPU's key, over request and response");
	else
		add(v, "signature", ATTEST_FAILED, "not by the GPU's key over this report");
}

static void check_nonce(struct verifier *v)
{
	if (CRYPTO_memcmp(v->report.nonce, v->expectation->nonce, ATTEST_NONCE_BYTES) != 0)
		add(v, "nonce", ATTEST_FAILED,
		    "the report answers another one: it is of another time");
	else
		add(v, "nonce", ATTEST_PASSED, "the one that was sent");
}

/* -- What it says ------------------------------------------------------------------------------ */

/* The first row of a kind and index from *left on that is as it is; false: none. Counts those
 * tried. */
static bool find_digest(struct verifier *v, enum attest_row_kind kind, u32 index,
			const u8 digest[SPDM_HASH_BYTES], struct attest_row *found, u32 *tried)
{
	struct attest_span left = v->reference;
	struct attest_row row;
	const char *wrong;

	*tried = 0;
	while (attest_reference_next(&left, &row, &wrong)) {
		if (row.kind != kind || (kind == ATTEST_ROW_MEASUREMENT && row.index != index))
			continue;
		if (!(*tried)++)
			*found = row;
		if (digest && memcmp(row.digest, digest, SPDM_HASH_BYTES) == 0) {
			*found = row;
			return true;
		}
	}
	return false;
}

static void check_fwid(struct verifier *v)
{
	u8 certified[SPDM_HASH_BYTES];
	const char *wrong = attest_chain_fwid(&v->chain, certified);
	char text[DIGEST_TEXT];
	struct attest_row row;
	u32 tried;

	if (!wrong && !v->report.fwid)
		wrong = "none in the report";
	if (!wrong && memcmp(v->report.fwid, certified, SPDM_HASH_BYTES) != 0)
		wrong = "the report's is not the certificate's";
	if (wrong)
		add(v, "FWID", ATTEST_FAILED, "%s", wrong);
	else if (!find_digest(v, ATTEST_ROW_FWID, 0, certified, &row, &tried))
		add(v, "FWID", ATTEST_FAILED,
		    tried ? "%s... is not the reference's" : "%s... and the reference has none",
		    short_digest(certified, text));
	else
		add(v, "FWID", ATTEST_PASSED, "%s..., in report, certificate and reference",
		    short_digest(certified, text));
}

static void check_measurement(struct verifier *v, u32 index)
{
	const u8 *digest = v->report.measurements[index];
	char name[24], text[DIGEST_TEXT];
	struct attest_row row;
	bool found;
	u32 tried;

	found = find_digest(v, ATTEST_ROW_MEASUREMENT, index, digest, &row, &tried);
	if (!digest && !tried)
		return;
	snprintf(name, sizeof(name), "measurement %u", index);
	if (!digest)
		add(v, name, ATTEST_FAILED, "%.*s: not in the report", (int)row.what.bytes,
		    row.what.at);
	else if (!tried)
		add(v, name, ATTEST_FAILED, "%s..., and the reference has none of that number",
		    short_digest(digest, text));
	else if (!found)
		add(v, name, ATTEST_FAILED, "%.*s: %s... is not the reference's",
		    (int)row.what.bytes, row.what.at, short_digest(digest, text));
	else if (attest_text_is(row.which, "-"))
		add(v, name, ATTEST_PASSED, "%.*s: %s...", (int)row.what.bytes, row.what.at,
		    short_digest(digest, text));
	else
		add(v, name, ATTEST_PASSED, "%.*s: %s..., %.*s", (int)row.what.bytes, row.what.at,
		    short_digest(digest, text), (int)row.which.bytes, row.which.at);
	if (found)
		v->matched[index] = row.which;
}

/* Whether a row is about what was measured: of one of several only if some measurement is that one.
 */
static bool applies(const struct verifier *v, const struct attest_row *row)
{
	u32 i;

	if (attest_text_is(row->which, "-"))
		return true;
	for (i = 0; i < ATTEST_INDEX_MAX; i++)
		if (v->matched[i].bytes && same_span(v->matched[i], row->which))
			return true;
	return false;
}

static void check_version(struct verifier *v, const char *name, enum attest_row_kind kind,
			  const char *version)
{
	struct attest_span left = v->reference;
	struct attest_row row;
	const char *wrong;
	bool found = false;

	if (!*version) {
		add(v, name, ATTEST_FAILED, "not in the report");
		return;
	}
	while (!found && attest_reference_next(&left, &row, &wrong))
		found = row.kind == kind && applies(v, &row) && attest_text_is(row.value, version);
	add(v, name, found ? ATTEST_PASSED : ATTEST_FAILED,
	    found ? "%s" : "%s is not the reference's for such a GPU", version);
}

/* Of a report that somebody may have written. */
static void skip_contents(struct verifier *v)
{
	static const char *const names[] = { "nonce", "FWID", "measurements", "driver version",
					     "VBIOS version" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		add(v, names[i], ATTEST_NOT_CHECKED, "who wrote the report is not known");
}

static void check_contents(struct verifier *v)
{
	struct attest_result *result = v->result;
	u32 i;

	memcpy(result->driver_version, v->report.driver_version, sizeof(result->driver_version));
	memcpy(result->vbios_version, v->report.vbios_version, sizeof(result->vbios_version));
	memcpy(result->chip_sku, v->report.chip_sku, sizeof(result->chip_sku));
	memcpy(result->project, v->report.project, sizeof(result->project));
	memcpy(result->project_sku, v->report.project_sku, sizeof(result->project_sku));
	check_nonce(v);
	check_fwid(v);
	for (i = 1; i < ATTEST_INDEX_MAX; i++)
		check_measurement(v, i);
	check_version(v, "driver version", ATTEST_ROW_DRIVER_VERSION, v->report.driver_version);
	check_version(v, "VBIOS version", ATTEST_ROW_VBIOS_VERSION, v->report.vbios_version);
}

/* -- All of it --------------------------------------------------------------------------------- */

static bool ran_out_of_memory(void)
{
	unsigned long error;
	bool found = false;

	while ((error = ERR_get_error()))
		found |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
	return found;
}

/* Whether what to expect can be used, and what it was. */
static enum attest_status prepare(struct verifier *v)
{
	const struct attest_expectation *e = v->expectation;
	struct attest_result *result = v->result;
	const char *wrong;
	u32 line;

	v->reference = (struct attest_span){ e->reference, e->reference_bytes };
	wrong = attest_reference_check(v->reference, &line);
	if (wrong) {
		if (line)
			snprintf(result->error, sizeof(result->error), "line %u %s", line, wrong);
		else
			snprintf(result->error, sizeof(result->error), "it %s", wrong);
		return ATTEST_BAD_REFERENCE;
	}
	v->root = attest_root_parse(e->root, e->root_bytes);
	if (!v->root) {
		snprintf(result->error, sizeof(result->error), "it is not one certificate in PEM");
		return ATTEST_BAD_ROOT;
	}
	if (X509_digest(v->root, EVP_sha384(), result->root_digest, NULL) != 1 ||
	    EVP_Digest(e->reference, e->reference_bytes, result->reference_digest, NULL,
		       EVP_sha384(), NULL) != 1)
		return ATTEST_NO_MEMORY;
	return ATTEST_DONE;
}

static bool all_passed(const struct attest_result *result)
{
	u32 i;

	for (i = 0; i < result->check_count; i++)
		if (result->checks[i].outcome != ATTEST_PASSED)
			return false;
	return true;
}

enum attest_status attest_verify(const struct attest_evidence *evidence,
				 const struct attest_expectation *expectation,
				 struct attest_result *result)
{
	struct verifier v = { .evidence = evidence, .expectation = expectation, .result = result };
	enum attest_status status;

	memset(result, 0, sizeof(*result));
	memcpy(result->nonce, expectation->nonce, ATTEST_NONCE_BYTES);
	result->time = expectation->time;
	ERR_clear_error();
	status = prepare(&v);
	if (status == ATTEST_DONE) {
		check_certificates(&v);
		check_report(&v);
		if (v.authentic)
			check_contents(&v);
		else
			skip_contents(&v);
		result->passed = all_passed(result);
	}
	attest_chain_free(&v.chain);
	X509_free(v.root);
	if (ran_out_of_memory() && !result->passed) {
		memset(result, 0, sizeof(*result));
		return ATTEST_NO_MEMORY;
	}
	return status;
}

const char *attest_outcome_name(enum attest_outcome outcome)
{
	static const char *const names[] = {
		[ATTEST_NOT_CHECKED] = "not checked",
		[ATTEST_PASSED] = "passed",
		[ATTEST_FAILED] = "FAILED",
	};

	return names[outcome];
}
