/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Both ends of SPDM with memory between them: the driver's requester and the GPU's responder, and a
 * host that may look at and change whatever passes.
 */
#ifndef TESTS_SPDM_RIG_H
#define TESTS_SPDM_RIG_H

#include "h100/gsp/spdm.h"
#include "rm/cc/spdm.h"

#define RIG_NONE 0xffffffffu

struct spdm_rig;
/* What the host does to a message in the transport's form; *bytes may change, room is the surface.
 */
typedef void (*spdm_rig_fn)(struct spdm_rig *rig, u8 *message, u32 *bytes);

struct spdm_rig {
	struct spdm_identity identity;
	struct spdm_measures measures;
	struct spdm_responder *responder;
	struct rm_spdm *requester;
	u64 now_ns;
	u8 heartbeat_period; /* of the responder's configuration; set before spdm_rig_create */
	bool heartbeat;	     /* of the requester's */

	u32 exchange; /* the number of the one under way, from 0; the rig counts */
	u8 code;      /* its request, where that is in clear */
	spdm_rig_fn on_request, on_response;
	void *arg;
	enum nv_status exchange_status; /* other than NV_OK: exchanges fail with it */

	u32 established, ended; /* how often the responder said so */
	u8 secret[SPDM_HASH_BYTES];
};

/* The profile and scenario that the rig's GPU is made from. */
extern const char spdm_rig_profile[];
extern const char spdm_rig_scenario[];

/*
 * A GPU of the project's test issuer, and a driver that trusts root (NULL: the project's test
 * root). False: something is out of memory; spdm_rig_destroy is due either way.
 */
bool spdm_rig_create(struct spdm_rig *rig, const void *root, u32 root_bytes);
void spdm_rig_destroy(struct spdm_rig *rig);
/* Sends a request past the driver, in clear; returns the answer's message. */
const u8 *spdm_rig_ask(struct spdm_rig *rig, const void *message, u32 bytes, u32 *answer_bytes);
/* The exchange that rm_spdm_config wants; arg is the rig. */
enum nv_status spdm_rig_exchange(void *arg, const void *request, u32 request_bytes, void *response,
				 u32 *response_bytes);

#endif
