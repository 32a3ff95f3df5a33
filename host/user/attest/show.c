// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A result for people, and for programs: JSON (RFC 8259), all of it ASCII.
 */
#include <stdio.h>
#include <time.h>

#include "host/user/attest/attest.h"

#define JSON_FORM 1 /* of the object; another number when a field changes its meaning */

void attest_print_text(const struct attest_result *result, FILE *to)
{
	u32 i, not_passed = 0;

	for (i = 0; i < result->check_count; i++) {
		const struct attest_check *check = &result->checks[i];

		fprintf(to, "  %-11s  %-16s %s\n", attest_outcome_name(check->outcome), check->name,
			check->detail);
		not_passed += check->outcome != ATTEST_PASSED;
	}
	if (result->passed)
		fprintf(to, "attestation passed\n");
	else
		fprintf(to, "attestation FAILED: %u of %u checks did not pass\n", not_passed,
			result->check_count);
}

/* -- JSON -------------------------------------------------------------------------------------- */

/* Text of a result, which has no byte but printable ASCII. */
static void put_string(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void put_member(FILE *to, const char *indent, const char *name, const char *text,
		       const char *end)
{
	fprintf(to, "%s\"%s\": ", indent, name);
	if (*text)
		put_string(to, text);
	else
		fputs("null", to);
	fputs(end, to);
}

static void put_bytes(FILE *to, const char *name, const u8 *data, u32 bytes)
{
	fprintf(to, "  \"%s\": \"", name);
	while (bytes--)
		fprintf(to, "%02x", *data++);
	fputs("\",\n", to);
}

static void put_time(FILE *to, u64 seconds)
{
	time_t time = (time_t)seconds;
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&time, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_member(to, "  ", "time", text, ",\n");
}

static void put_certificates(FILE *to, const struct attest_result *result)
{
	u32 i;

	fputs("  \"certificates\": [", to);
	for (i = 0; i < result->certificate_count; i++) {
		const struct attest_certificate *c = &result->certificates[i];

		fputs(i ? ",\n    {\n" : "\n    {\n", to);
		put_member(to, "      ", "subject", c->subject, ",\n");
		put_member(to, "      ", "issuer", c->issuer, ",\n");
		put_member(to, "      ", "not_before", c->from, ",\n");
		put_member(to, "      ", "not_after", c->to, "\n    }");
	}
	fputs(i ? "\n  ],\n" : "],\n", to);
}

static void put_report(FILE *to, const struct attest_result *result)
{
	fputs("  \"report\": {\n", to);
	put_member(to, "    ", "driver_version", result->driver_version, ",\n");
	put_member(to, "    ", "vbios_version", result->vbios_version, ",\n");
	put_member(to, "    ", "chip_sku", result->chip_sku, ",\n");
	put_member(to, "    ", "project", result->project, ",\n");
	put_member(to, "    ", "project_sku", result->project_sku, "\n  },\n");
}

static void put_checks(FILE *to, const struct attest_result *result)
{
	static const char *const outcomes[] = {
		[ATTEST_NOT_CHECKED] = "not checked",
		[ATTEST_PASSED] = "passed",
		[ATTEST_FAILED] = "failed",
	};
	u32 i;

	fputs("  \"checks\": [\n", to);
	for (i = 0; i < result->check_count; i++) {
		const struct attest_check *check = &result->checks[i];

		fputs("    {\n", to);
		put_member(to, "      ", "name", check->name, ",\n");
		put_member(to, "      ", "outcome", outcomes[check->outcome], ",\n");
		put_member(to, "      ", "detail", check->detail, "\n");
		fputs(i + 1 < result->check_count ? "    },\n" : "    }\n", to);
	}
	fputs("  ],\n", to);
}

void attest_print_json(const struct attest_result *result, int gpu, FILE *to)
{
	fprintf(to, "{\n  \"form\": %d,\n", JSON_FORM);
	if (gpu >= 0)
		fprintf(to, "  \"gpu\": %d,\n", gpu);
	else
		fputs("  \"gpu\": null,\n", to);
	put_time(to, result->time);
	put_bytes(to, "nonce", result->nonce, sizeof(result->nonce));
	put_bytes(to, "root_sha384", result->root_digest, sizeof(result->root_digest));
	put_bytes(to, "reference_sha384", result->reference_digest,
		  sizeof(result->reference_digest));
	put_certificates(to, result);
	put_report(to, result);
	put_checks(to, result);
	fprintf(to, "  \"passed\": %s\n}\n", result->passed ? "true" : "false");
}
