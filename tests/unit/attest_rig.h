/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Evidence of a GPU that is as it should be, and what a verifier holds it against.
 */
#ifndef TESTS_ATTEST_RIG_H
#define TESTS_ATTEST_RIG_H

#include "host/user/attest/attest.h"
#include "spdm_rig.h"

struct attest_rig {
	struct spdm_rig spdm; /* the GPU and its driver, in a session */
	u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	u32 report_bytes;
	char chain[0x1400]; /* as much as NVML has room for */
	u32 chain_bytes;
	u8 root_der[2048]; /* the driver's */
	char *root;	   /* the verifier's: PEM */
	size_t root_bytes;
	char reference[4096];

	struct attest_evidence evidence;
	struct attest_expectation expectation;
	struct attest_result result;
};

/* Whose certificates: the project's test root's, or of a root made for it and valid in that time.
 */
struct attest_rig_root {
	const char *from, *to; /* "20240101000000Z" */
};

/* Everything in it is good, and of today. NULL: the test root. */
void attest_rig_create(struct attest_rig *rig, const struct attest_rig_root *root);
void attest_rig_destroy(struct attest_rig *rig);
/* Asks the GPU again, with the expected nonce. */
void attest_rig_ask(struct attest_rig *rig);
/* Signs the report as it is now with the GPU's key. */
void attest_rig_sign(struct attest_rig *rig);

/* Whether it passes. Otherwise at least one check says that it failed. */
bool attest_rig_verify(struct attest_rig *rig);
enum attest_outcome attest_rig_outcome(const struct attest_rig *rig, const char *check);

#endif
