// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Confidential mode: a control that the firmware answers in sealed messages against the same in
 * clear, and an SPDM session against the public-key operations that it cannot do without.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h100/gsp/spdm_internal.h"
#include "machine.h"
#include "os/crypto.h"
#include "spdm_rig.h"

#define ROUNDS 60u
#define SESSIONS 40u
#define ELEMENT 4096u
#define ELEMENT_HEADER 48u
#define MESSAGE_HEADER (32u + 24u)
/* Of a session: certificates below the root, and KEY_EXCHANGE's own signature. */
#define VERIFICATIONS 5u

static const struct {
	const char *name;
	u32 cmd, size, calls;
} controls[] = {
	{ "4 bytes", 0x2080a068, 4, 300 },
	{ "1 KiB", NV2080_CTRL_CMD_GPU_QUERY_ECC_STATUS, 984, 200 },
	{ "7 KiB", 0x2080a618, 6944, 60 },
	{ "86 KiB", 0x2080a637, 88024, 10 },
};

static u8 *params;

static double now(void)
{
	return (double)os_time_ns();
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(2);
}

static void report(const char *what, const char *size, double value, double goal)
{
	char text[96];

	snprintf(text, sizeof(text), "%s%s%s", what, *size ? ", " : "", size);
	printf("%-58s %9.2f  goal <= %-7.2f %s\n", text, value, goal,
	       value <= goal ? "PASS" : "MISS");
	fflush(stdout);
}

static void least(double *best, double value)
{
	if (value < *best)
		*best = value;
}

/* -- Controls ---------------------------------------------------------------------------------- */

static double control_ns(u32 i)
{
	double start = now();

	for (u32 n = 0; n < controls[i].calls; n++)
		machine_control(controls[i].cmd, params, controls[i].size);
	return (now() - start) / controls[i].calls;
}

/* What seals and opens the elements of a request and of its reply. */
static double sealing_ns(struct os_gcm *gcm, u32 size)
{
	static u8 text[128 * 1024];
	u32 elements = (ELEMENT_HEADER + MESSAGE_HEADER + size + ELEMENT - 1) / ELEMENT;
	u8 iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	double start = now();

	for (u32 n = 0; n < 20; n++) {
		for (u32 pass = 0; pass < 4; pass++) {
			iv[0]++;
			must(os_gcm_encrypt(gcm, iv, tag, sizeof(tag), text, elements * ELEMENT,
					    text, tag) == NV_OK,
			     "AES-GCM");
		}
	}
	return (now() - start) / 20;
}

static void sealed_controls(void)
{
	double clear[ARRAY_SIZE(controls)], sealed[ARRAY_SIZE(controls)];
	double sealing[ARRAY_SIZE(controls)];
	const u8 key[OS_GCM_KEY_SIZE] = { 1 };
	struct os_gcm *gcm = os_gcm_create(128 * 1024);

	must(gcm && os_gcm_set_key(gcm, key) == NV_OK, "AES-GCM");
	for (u32 i = 0; i < ARRAY_SIZE(controls); i++)
		clear[i] = sealed[i] = sealing[i] = 1e18;
	/* By turns, so that both see the same machine. */
	for (u32 turn = 0; turn < 4; turn++) {
		if (turn & 1)
			machine_open_cc(true);
		else
			machine_open(true);
		for (u32 round = 0; round < ROUNDS; round++) {
			for (u32 i = 0; i < ARRAY_SIZE(controls); i++) {
				least(turn & 1 ? &sealed[i] : &clear[i], control_ns(i));
				least(&sealing[i], sealing_ns(gcm, controls[i].size));
			}
		}
		machine_close();
	}
	for (u32 i = 0; i < ARRAY_SIZE(controls); i++)
		report("sealed RPC / in clear", controls[i].name, sealed[i] / clear[i], 1.5);
	for (u32 i = 0; i < ARRAY_SIZE(controls); i++)
		report("sealed RPC / (in clear + AES-GCM of its elements)", controls[i].name,
		       sealed[i] / (clear[i] + sealing[i]), 1.5);
	if (getenv("BENCH_TIMES"))
		for (u32 i = 0; i < ARRAY_SIZE(controls); i++)
			printf("  %s: %.0f ns sealed, %.0f in clear, %.0f AES-GCM\n",
			       controls[i].name, sealed[i], clear[i], sealing[i]);
	os_gcm_destroy(gcm);
}

/* -- Sessions ---------------------------------------------------------------------------------- */

static double session_ns(struct spdm_rig *rig)
{
	double start, took;

	start = now();
	must(rm_spdm_start(rig->requester) == NV_OK, "session");
	took = now() - start;
	must(rm_spdm_end(rig->requester) == NV_OK, "end of the session");
	return took;
}

/* Each side's key and its agreement, the GPU's signature, and the driver's verifications. */
static double public_key_ns(struct spdm_rig *rig, const u8 public_key[OS_P384_POINT_SIZE])
{
	u8 digest[SPDM_HASH_BYTES] = { 5 }, signature[SPDM_SIGNATURE_BYTES];
	u8 point[OS_P384_POINT_SIZE], other[OS_P384_POINT_SIZE], secret[OS_P384_SIZE];
	struct os_p384_key *key;
	double start = now();
	bool bad;

	must(os_p384_key_create(NULL, &key) == NV_OK, "key");
	os_p384_key_public(key, point);
	must(spdm_key_agree(point, other, secret, &bad), "agreement");
	must(os_p384_key_shared(key, other, secret) == NV_OK, "agreement");
	must(spdm_sign(rig->identity.key, digest, signature), "signature");
	for (u32 i = 0; i < VERIFICATIONS; i++)
		must(os_p384_verify(public_key, digest, sizeof(digest), signature) == NV_OK,
		     "verification");
	os_p384_key_destroy(key);
	return now() - start;
}

static void identity_key(const struct spdm_identity *identity, u8 point[OS_P384_POINT_SIZE])
{
	u8 *encoded = NULL;

	must(EVP_PKEY_get1_encoded_public_key(identity->key, &encoded) == OS_P384_POINT_SIZE + 1,
	     "public key");
	memcpy(point, encoded + 1, OS_P384_POINT_SIZE);
	OPENSSL_free(encoded);
}

static void sessions(void)
{
	double session = 1e18, operations = 1e18;
	static struct spdm_rig rig;
	u8 point[OS_P384_POINT_SIZE];

	must(spdm_rig_create(&rig, NULL, 0), "SPDM");
	identity_key(&rig.identity, point);
	for (u32 i = 0; i < SESSIONS; i++) {
		least(&session, session_ns(&rig));
		least(&operations, public_key_ns(&rig, point));
	}
	report("SPDM session / its public-key operations", "", session / operations, 2.0);
	if (getenv("BENCH_TIMES"))
		printf("  %.0f us; operations %.0f us\n", session / 1000, operations / 1000);
	spdm_rig_destroy(&rig);
}

int main(void)
{
	params = calloc(1, 128 * 1024);
	must(params != NULL, "memory");
	sealed_controls();
	sessions();
	free(params);
	return 0;
}
