/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The GPU's end of SPDM 1.1 (DMTF DSP0274, DSP0277): proves to a driver what runs here, and agrees
 * with it on a secret. One requester, one session. docs/confidential-computing.md draws it.
 *
 *   identity   device key and certificate chain     made when the GPU starts (spdm_identity.c)
 *   measures   digests of what runs                 spdm_measure.c
 *   responder  answers requests, one at a time      spdm_responder.c and what it calls
 *
 * Nothing here has a lock: the firmware's own thread of control only. No request makes it allocate
 * memory of its own; libcrypto does, and a failure there ends the session with ERROR Unspecified.
 */
#ifndef H100_GSP_SPDM_H
#define H100_GSP_SPDM_H

#include "abi/spdm.h"
#include "os/os.h"
#include "h100/engine/profile.h"

#define SPDM_TRANSPORT_MAX NV_SPDM_RM_SURFACE_SIZE_IN_BYTE
#define SPDM_REQUEST_MAX 0x1100u /* bytes of a message; libspdm's own limit in r535 */
#define SPDM_RESPONSE_MAX 0x1100u
#define SPDM_CERTIFICATE_PORTION_MAX 1024u
#define SPDM_MEASUREMENT_COUNT 4u

struct evp_pkey_st;

/* -- Identity ---------------------------------------------------------------------------------- */

/* The key that signs, and its chain as GET_CERTIFICATE gives it. */
struct spdm_identity {
	struct evp_pkey_st *key;
	u32 chain_bytes;
	u8 chain[SPDM_MAX_CERT_CHAIN_SIZE];
	u8 chain_digest[SPDM_HASH_BYTES];
	u8 fwid[SPDM_HASH_BYTES];
};

/*
 * A device key and an attestation key, both fresh, with certificates by the issuer: the second one
 * is the chain's last and names fwid, the digest of the firmware, as TCG DICE has it. issuer is PEM
 * text: certificates from the root on, each signed by the one before, then the last one's private
 * key; NULL takes the project's test issuer, whose private key is no secret. index tells the
 * machine's GPUs apart. NV_ERR_INVALID_ARGUMENT: an issuer that is none (its certificates are not
 * P-384, do not follow from each other, or the key is another's); NV_ERR_INSUFFICIENT_RESOURCES:
 * the chain is too long; NV_ERR_NO_MEMORY.
 */
enum nv_status spdm_identity_create(struct spdm_identity *identity, const char *issuer,
				    u32 issuer_bytes, u32 index, const u8 fwid[SPDM_HASH_BYTES]);
/* Wipes it. One that was never created, all zero, is fine. */
void spdm_identity_destroy(struct spdm_identity *identity);

extern const char spdm_test_issuer[]; /* PEM, terminated */

/* -- Measurements ------------------------------------------------------------------------------ */

/*
 * What a verifier is told. Blocks have indices from 1 on, in this order; the build writes the
 * values that it expects of them (h100_measurements.tsv).
 */
enum spdm_measurement {
	SPDM_MEASUREMENT_BOOT_FIRMWARE, /* .fwfmc */
	SPDM_MEASUREMENT_FIRMWARE,	/* .fwimage, which names all object code by its digests */
	SPDM_MEASUREMENT_PROFILE,	/* the text that the GPU was made from */
	SPDM_MEASUREMENT_SCENARIO,	/* likewise; of no scenario: of no bytes */
};

struct spdm_measures {
	u8 value[SPDM_MEASUREMENT_COUNT][SPDM_HASH_BYTES];
	char driver_version[24];
	char project[8], project_sku[8], chip_sku[8];
	u8 vbios_version[8];
};

/*
 * Takes them. boot_firmware and firmware are the digests of what was booted, not of what could have
 * been. False: libcrypto is out of memory.
 */
bool spdm_measure(struct spdm_measures *measures, const struct h100_profile *profile,
		  const char *profile_text, size_t profile_bytes, const char *scenario_text,
		  size_t scenario_bytes, const u8 boot_firmware[SPDM_HASH_BYTES],
		  const u8 firmware[SPDM_HASH_BYTES]);

/* -- Responder --------------------------------------------------------------------------------- */

struct spdm_responder;

struct spdm_responder_config {
	const struct spdm_identity *identity;
	const struct spdm_measures *measures;
	/*
	 * Seconds, 0: none. With one, a requester that can do it as well must say something within
	 * twice that time, or the session ends.
	 */
	u8 heartbeat_period;
	void *ctx;
	/* A session is up; export_secret is the master of all further keys, to be copied. */
	void (*established)(void *ctx, const u8 export_secret[SPDM_HASH_BYTES]);
	/* It is no more: keys that came from it are void. Comes once for each established. */
	void (*ended)(void *ctx);
};

/* Identity and measures stay the caller's and outlive it. NV_ERR_NO_MEMORY. */
enum nv_status spdm_responder_create(const struct spdm_responder_config *config,
				     struct spdm_responder **out);
/* Ends the session; NULL is fine. */
void spdm_responder_destroy(struct spdm_responder *responder);

/*
 * Answers one request in the transport's form: header, message, nothing behind it. Returns the size
 * of the response, in the same form, at most SPDM_TRANSPORT_MAX bytes of it; 0 when what came has
 * no such form, which changes nothing. request and response may not overlap. now_ns never goes
 * back.
 */
u32 spdm_responder_answer(struct spdm_responder *responder, const void *request, u32 request_bytes,
			  void *response, u64 now_ns);
/* Ends a session whose requester has been silent for too long. */
void spdm_responder_tick(struct spdm_responder *responder, u64 now_ns);
/* Everything is as after creation; a session ends. */
void spdm_responder_reset(struct spdm_responder *responder);
bool spdm_responder_established(const struct spdm_responder *responder);

#endif
