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

static u8 *params;

/* -- Controls ---------------------------------------------------------------------------------- */

static double control_ns(u32 i)
{
	double start = machine_now();

	for (u32 n = 0; n < machine_routed[i].calls; n++)
		machine_control(machine_routed[i].cmd, params, machine_routed[i].size);
	return (machine_now() - start) / machine_routed[i].calls;
}

/* What seals and opens the elements of a request and of its reply. */
static double sealing_ns(struct os_gcm *gcm, u32 size)
{
	static u8 text[128 * 1024];
	u32 elements = (ELEMENT_HEADER + MESSAGE_HEADER + size + ELEMENT - 1) / ELEMENT;
	u8 iv[OS_GCM_IV_SIZE] = { 0 }, tag[OS_GCM_TAG_SIZE];
	double start = machine_now();

	for (u32 n = 0; n < 20; n++) {
		for (u32 pass = 0; pass < 4; pass++) {
			iv[0]++;
			machine_must(os_gcm_encrypt(gcm, iv, tag, sizeof(tag), text,
						    elements * ELEMENT, text, tag) == NV_OK,
				     "AES-GCM");
		}
	}
	return (machine_now() - start) / 20;
}

static void sealed_controls(void)
{
	double clear[MACHINE_CONTROLS], sealed[MACHINE_CONTROLS];
	double sealing[MACHINE_CONTROLS];
	const u8 key[OS_GCM_KEY_SIZE] = { 1 };
	struct os_gcm *gcm = os_gcm_create(128 * 1024);

	machine_must(gcm && os_gcm_set_key(gcm, key) == NV_OK, "AES-GCM");
	for (u32 i = 0; i < MACHINE_CONTROLS; i++)
		clear[i] = sealed[i] = sealing[i] = 1e18;
	/* By turns, so that both see the same machine. */
	for (u32 turn = 0; turn < 4; turn++) {
		if (turn & 1)
			machine_open_cc(true);
		else
			machine_open(true);
		for (u32 round = 0; round < ROUNDS; round++) {
			for (u32 i = 0; i < MACHINE_CONTROLS; i++) {
				machine_least(turn & 1 ? &sealed[i] : &clear[i], control_ns(i));
				machine_least(&sealing[i], sealing_ns(gcm, machine_routed[i].size));
			}
		}
		machine_close();
	}
	for (u32 i = 0; i < MACHINE_CONTROLS; i++)
		machine_report("sealed RPC / in clear", machine_routed[i].name,
			       sealed[i] / clear[i], 1.5);
	for (u32 i = 0; i < MACHINE_CONTROLS; i++)
		machine_report("sealed RPC / (in clear + AES-GCM of its elements)",
			       machine_routed[i].name, sealed[i] / (clear[i] + sealing[i]), 1.5);
	if (getenv("BENCH_TIMES"))
		for (u32 i = 0; i < MACHINE_CONTROLS; i++)
			printf("  %s: %.0f ns sealed, %.0f in clear, %.0f AES-GCM\n",
			       machine_routed[i].name, sealed[i], clear[i], sealing[i]);
	os_gcm_destroy(gcm);
}

/* -- Sessions ---------------------------------------------------------------------------------- */

static double session_ns(struct spdm_rig *rig)
{
	double start, took;

	start = machine_now();
	machine_must(rm_spdm_start(rig->requester) == NV_OK, "session");
	took = machine_now() - start;
	machine_must(rm_spdm_end(rig->requester) == NV_OK, "end of the session");
	return took;
}

/* Each side's key and its agreement, the GPU's signature, and the driver's verifications. */
static double public_key_ns(struct spdm_rig *rig, const u8 public_key[OS_P384_POINT_SIZE])
{
	u8 digest[SPDM_HASH_BYTES] = { 5 }, signature[SPDM_SIGNATURE_BYTES];
	u8 point[OS_P384_POINT_SIZE], other[OS_P384_POINT_SIZE], secret[OS_P384_SIZE];
	struct os_p384_key *key;
	double start = machine_now();
	bool bad;

	machine_must(os_p384_key_create(NULL, &key) == NV_OK, "key");
	os_p384_key_public(key, point);
	machine_must(spdm_key_agree(point, other, secret, &bad), "agreement");
	machine_must(os_p384_key_shared(key, other, secret) == NV_OK, "agreement");
	machine_must(spdm_sign(rig->identity.key, digest, signature), "signature");
	for (u32 i = 0; i < VERIFICATIONS; i++)
		machine_must(os_p384_verify(public_key, digest, sizeof(digest), signature) == NV_OK,
			     "verification");
	os_p384_key_destroy(key);
	return machine_now() - start;
}

static void identity_key(const struct spdm_identity *identity, u8 point[OS_P384_POINT_SIZE])
{
	u8 *encoded = NULL;

	machine_must(EVP_PKEY_get1_encoded_public_key(identity->key, &encoded) ==
			     OS_P384_POINT_SIZE + 1,
		     "public key");
	memcpy(point, encoded + 1, OS_P384_POINT_SIZE);
	OPENSSL_free(encoded);
}

static void sessions(void)
{
	double session = 1e18, operations = 1e18;
	static struct spdm_rig rig;
	u8 point[OS_P384_POINT_SIZE];

	machine_must(spdm_rig_create(&rig, NULL, 0), "SPDM");
	identity_key(&rig.identity, point);
	for (u32 i = 0; i < SESSIONS; i++) {
		machine_least(&session, session_ns(&rig));
		machine_least(&operations, public_key_ns(&rig, point));
	}
	machine_report("SPDM session / its public-key operations", "", session / operations, 2.0);
	if (getenv("BENCH_TIMES"))
		printf("  %.0f us; operations %.0f us\n", session / 1000, operations / 1000);
	spdm_rig_destroy(&rig);
}

int main(void)
{
	params = calloc(1, 128 * 1024);
	machine_must(params != NULL, "memory");
	sealed_controls();
	sessions();
	free(params);
	return 0;
}
