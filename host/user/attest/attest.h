/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Whether a GPU is what it should be: judges an attestation report and the certificates that came
 * with it, on behalf of whoever would trust the GPU. Both are bytes of somebody who may lie. It
 * knows neither the driver nor the GPU, only what a report looks like (DMTF DSP0274 1.1 and
 * NVIDIA's nvtrust; docs/confidential-computing.md draws it), and has its cryptography from
 * libcrypto.
 *
 * Nothing here has state: any threads, each with a result of its own. Memory is libcrypto's.
 */
#ifndef HOST_USER_ATTEST_H
#define HOST_USER_ATTEST_H

#include <stdio.h>

#include "abi/spdm.h"
#include "base/types.h"

#define ATTEST_NONCE_BYTES SPDM_NONCE_BYTES
#define ATTEST_CERTIFICATES_MAX 10u
#define ATTEST_CHECKS_MAX (16u + 256u) /* those that are always there, and the measurements */

/* What the GPU gave. */
struct attest_evidence {
	const u8 *report; /* GET_MEASUREMENTS and its response, one behind the other */
	size_t report_bytes;
	const char *chain; /* PEM, the GPU's certificate first and the root last, nothing else */
	size_t chain_bytes;
};

/* What it is held against. */
struct attest_expectation {
	u8 nonce[ATTEST_NONCE_BYTES]; /* that the report was asked for with */
	const char *root;	      /* PEM of one certificate; text around it is ignored */
	size_t root_bytes;
	const char *reference; /* as the build's h100_measurements.tsv */
	size_t reference_bytes;
	u64 time; /* of today, in seconds since 1970-01-01 UTC */
};

enum attest_outcome {
	ATTEST_NOT_CHECKED, /* what it rests on did not pass */
	ATTEST_PASSED,
	ATTEST_FAILED,
};

/* All text of a result is printable ASCII, whatever came. */
struct attest_check {
	char name[24];
	enum attest_outcome outcome;
	char detail[232]; /* what was found, or what is wrong with it */
};

struct attest_certificate {
	char subject[160], issuer[160];
	char from[24], to[24]; /* "2024-01-01T00:00:00Z"; empty: unreadable */
};

struct attest_result {
	bool passed; /* every single check */
	u32 check_count;
	struct attest_check checks[ATTEST_CHECKS_MAX];

	/* What was read on the way; empty where it was not. True only if all passed. */
	u32 certificate_count;
	struct attest_certificate certificates[ATTEST_CERTIFICATES_MAX];
	char driver_version[32], vbios_version[16];
	char chip_sku[16], project[16], project_sku[16];
	u8 nonce[ATTEST_NONCE_BYTES]; /* the expected one */
	u64 time;
	u8 root_digest[SPDM_HASH_BYTES], reference_digest[SPDM_HASH_BYTES]; /* of what was given */
	char error[160]; /* when there is no result */
};

enum attest_status {
	ATTEST_DONE,	      /* passed tells; the rest says why */
	ATTEST_NO_MEMORY,     /* nothing is known */
	ATTEST_BAD_ROOT,      /* the expectation is unusable: error says how */
	ATTEST_BAD_REFERENCE, /* likewise */
};

enum attest_status attest_verify(const struct attest_evidence *evidence,
				 const struct attest_expectation *expectation,
				 struct attest_result *result);

/* "passed", "FAILED" or "not checked" */
const char *attest_outcome_name(enum attest_outcome outcome);

/* A line a check and one for all. */
void attest_print_text(const struct attest_result *result, FILE *to);
/*
 * The same as one JSON object (docs/confidential-computing.md has its fields). gpu: its number
 * among those that a program sees; negative: evidence from files.
 */
void attest_print_json(const struct attest_result *result, int gpu, FILE *to);

#endif
