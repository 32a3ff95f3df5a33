/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The driver's end of SPDM 1.1 (DMTF DSP0274, DSP0277): makes sure that it talks to a GPU whose
 * certificates lead to a root that is trusted, agrees with it on a secret that all keys come from,
 * and fetches signed measurements. docs/confidential-computing.md draws it.
 *
 * A session is one caller's at a time. Everything that the peer or anybody between says is
 * checked; the first thing that is not as it must be ends the session, its keys are wiped, and
 * rm_spdm_fault tells what it was.
 */
#ifndef RM_CC_SPDM_H
#define RM_CC_SPDM_H

#include "abi/spdm.h"
#include "os/os.h"

#define RM_SPDM_SECRET_BYTES SPDM_HASH_BYTES
#define RM_SPDM_NONCE_BYTES SPDM_NONCE_BYTES

struct rm_spdm;

/*
 * Carries one request and its response, both in the form of NV_SPDM_DESC_HEADER and a message, at
 * most NV_SPDM_RM_SURFACE_SIZE_IN_BYTE bytes each. Any other status than NV_OK ends the session.
 */
typedef enum nv_status (*rm_spdm_exchange_fn)(void *arg, const void *request, u32 request_bytes,
					      void *response, u32 *response_bytes);

struct rm_spdm_config {
	rm_spdm_exchange_fn exchange;
	void *arg;
	const void *root; /* certificate, DER; it stays the caller's and outlives the session */
	u32 root_bytes;
	bool heartbeat; /* offer it; r535 does not */
};

/* What was wrong. */
enum rm_spdm_fault {
	RM_SPDM_FAULT_NONE,
	RM_SPDM_FAULT_TRANSPORT, /* the exchange failed: its status */
	RM_SPDM_FAULT_RESOURCES, /* no memory or entropy here: NV_ERR_NO_MEMORY or other */
	RM_SPDM_FAULT_PEER,	 /* it answered ERROR: NV_ERR_GENERIC, as all libspdm's in r535 */
	RM_SPDM_FAULT_FORM,	 /* malformed, or not the answer: NV_ERR_INVALID_DATA */
	RM_SPDM_FAULT_VERSION,	 /* no SPDM 1.1: NV_ERR_INVALID_STATE, as in r535 */
	RM_SPDM_FAULT_CAPABILITIES, /* NV_ERR_INVALID_STATE */
	RM_SPDM_FAULT_ALGORITHMS,   /* NV_ERR_INVALID_STATE */
	RM_SPDM_FAULT_CHAIN,	    /* certificates: NV_ERR_INVALID_DATA */
	RM_SPDM_FAULT_SIGNATURE,    /* NV_ERR_INVALID_DATA */
	RM_SPDM_FAULT_CONFIRMATION, /* the peer's proof that it has the keys: NV_ERR_INVALID_DATA */
	RM_SPDM_FAULT_RECORD, /* changed, replayed or not of this session: NV_ERR_INVALID_DATA */
};

/*
 * NV_ERR_NO_MEMORY; NV_ERR_NOT_SUPPORTED: the system's cryptography lacks something, which the log
 * names. Nothing is sent yet.
 */
enum nv_status rm_spdm_create(const struct rm_spdm_config *config, struct rm_spdm **out);
/* Wipes all; NULL is ignored. Sends nothing: rm_spdm_end first. */
void rm_spdm_destroy(struct rm_spdm *spdm);

/*
 * Connects, checks the certificates and brings the session up. After a failure there is none, and
 * it may be called again. NV_ERR_INVALID_STATE: there is one already.
 */
enum nv_status rm_spdm_start(struct rm_spdm *spdm);
bool rm_spdm_established(const struct rm_spdm *spdm);
enum rm_spdm_fault rm_spdm_fault(const struct rm_spdm *spdm);
const char *rm_spdm_fault_name(enum rm_spdm_fault fault);

/*
 * The export master secret, once: it is gone here afterwards. NV_ERR_NOT_READY: no session, or
 * taken already.
 */
enum nv_status rm_spdm_take_secret(struct rm_spdm *spdm, u8 secret[RM_SPDM_SECRET_BYTES]);

/*
 * The attestation report: GET_MEASUREMENTS with the nonce and the signed response, one behind the
 * other; the signature has been checked. NV_ERR_NOT_READY: no session; NV_ERR_BUFFER_TOO_SMALL:
 * room is less than SPDM_ATTESTATION_REPORT_MAX_SIZE.
 */
enum nv_status rm_spdm_attest(struct rm_spdm *spdm, const u8 nonce[RM_SPDM_NONCE_BYTES],
			      void *report, u32 room, u32 *bytes);
/*
 * The certificates of the session's peer as NVML gives them: PEM, the peer's first and the root
 * last. NV_ERR_NOT_READY: no session; NV_ERR_BUFFER_TOO_SMALL.
 */
enum nv_status rm_spdm_certificates(const struct rm_spdm *spdm, char *pem, u32 room, u32 *bytes);

/* Seconds between heartbeats that the peer insists on; 0: none. */
u32 rm_spdm_heartbeat_period(const struct rm_spdm *spdm);
/* NV_ERR_NOT_READY: no session; NV_ERR_NOT_SUPPORTED: none was agreed on. */
enum nv_status rm_spdm_heartbeat(struct rm_spdm *spdm);
/* New traffic keys for both directions. NV_ERR_NOT_READY: no session. */
enum nv_status rm_spdm_update_keys(struct rm_spdm *spdm);
/* Tells the peer; there is no session afterwards whatever it answers. */
enum nv_status rm_spdm_end(struct rm_spdm *spdm);

/* The project's test root: trusting it is trusting everybody. */
extern const u8 rm_spdm_test_root[];
extern const u32 rm_spdm_test_root_bytes;

#endif
