// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Until messages are sealed, and what of SPDM comes later: the handshake and its records, messages
 * in clear, queue headers, the first sealed messages, attestation before and after new keys.
 */
#include "hostile.h"

#include "base/bits.h"
#include "h100/gsp/gpu.h"
#include "rm/cc/session.h"
#include "rm/cc/spdm.h"

/* Of a boot's messages in clear; it has more. */
#define CLEAR_MESSAGES 10u
/* Sealed ones that bring the engines their keys. */
#define KEY_MESSAGES 11u
#define SOON_MS 30u
#define SPDM_OFFSET_CODE (sizeof(NV_SPDM_DESC_HEADER) + 1)

static bool check_again(const struct cell *cell)
{
	return cell->count == 0 || draw(4) == 0;
}

/* The boot that the rule was for; where it is refused, the next one is not, as is looked at at
 * times. */
static enum detector boot_verdict(const struct cell *cell, s32 rule)
{
	u32 status = rig_boot();
	struct rm_gpu *gpu = rig_gpu(VICTIM);
	enum detector detector = BY_BOOT;

	rig_boot_patience(0);
	assert_int_equal(adversary_done(adversary, rule), 1);
	adversary_forget(adversary);
	if (status == NV_OK) {
		assert_true(rm_spdm_established(rm_cc_session(gpu)));
		if (rig_ask(VICTIM, 16) == SERVED)
			return NOTHING_LOST;
		/* What it took for the firmware's word was not: calls fail, and no more. */
		rig_renew();
		return STOPPED;
	}
	assert_null(gpu->gsp);
	assert_null(gpu->cc);
	if (rm_gpu_is_lost(gpu)) {
		assert_int_equal(gpu->lost_xid, RM_XID_GSP_ERROR);
		detector = rig_logged("is not authentic") ? BY_DRIVER : BY_FIRMWARE;
		rig_renew();
	} else if (strcmp(cell->state, "handshake") != 0) {
		/* The firmware may be left listening to nobody: then it takes a reset. */
		if (rig_boot() != NV_OK)
			rig_renew();
	} else if (check_again(cell)) {
		rig_up();
	}
	return detector;
}

static enum detector run_boot(const struct cell *cell)
{
	rig_down();
	return boot_verdict(cell, rig_arm(cell));
}

static enum detector run_clear(const struct cell *cell)
{
	rig_down();
	rig_boot_patience(SOON_MS);
	return boot_verdict(cell, rig_arm_nth(cell, 1 + draw(CLEAR_MESSAGES)));
}

/* The command that turns sealing on, and its answer. */
static enum detector run_first(const struct cell *cell)
{
	enum detector detector;

	rig_down();
	rig_boot_patience(SOON_MS);
	detector = boot_verdict(cell, rig_arm_nth(cell, 1));
	/* One that booted with another header may stop later: read pointers lie elsewhere there. */
	if (cell->rule.object == ADVERSARY_COMMAND_HEADER ||
	    cell->rule.object == ADVERSARY_STATUS_HEADER)
		rig_down();
	return detector;
}

static enum detector run_keys(const struct cell *cell)
{
	rig_down();
	rig_boot_patience(SOON_MS);
	return boot_verdict(cell, rig_arm_nth(cell, 2 + draw(KEY_MESSAGES - 1)));
}

/* -- Another session than the GPU's ------------------------------------------------------------ */

static struct spdm_identity other_identity;
static struct spdm_responder *other;
static u8 asked[SPDM_TRANSPORT_MAX];
static u32 asked_bytes;

static void overhear(void *ctx, u8 *bytes, u32 *size, u32 room)
{
	asked_bytes = min(*size, (u32)sizeof(asked));
	memcpy(asked, bytes, asked_bytes);
}

/* The GPU's own certificates, that the driver trusts, and a stranger's word for all else. */
static void answer(void *ctx, u8 *bytes, u32 *size, u32 room)
{
	static u8 response[SPDM_TRANSPORT_MAX];
	u8 code = *size > SPDM_OFFSET_CODE ? bytes[SPDM_OFFSET_CODE] : 0;
	u32 n = spdm_responder_answer(other, asked, asked_bytes, response, 0);

	if (code == SPDM_DIGESTS || code == SPDM_CERTIFICATE || n == 0 || n > room)
		return;
	memcpy(bytes, response, n);
	*size = n;
}

static void established(void *ctx, const u8 secret[SPDM_HASH_BYTES])
{
}

static void ended(void *ctx)
{
}

static enum detector run_stranger(const struct cell *cell)
{
	static const enum adversary_object requests[] = { ADVERSARY_SPDM_REQUEST,
							  ADVERSARY_RECORD_REQUEST };
	struct spdm_responder_config config = {
		.identity = &other_identity,
		.measures = &host.gpus[VICTIM].model->measures,
		.established = established,
		.ended = ended,
	};
	struct adversary_rule rule = {
		.gpu = VICTIM, .code = ADVERSARY_ANY, .action = ADVERSARY_CALL, .call = overhear
	};
	u32 status, i;
	s32 last = ADVERSARY_ANY;

	rig_down();
	rig_log_begin();
	assert_int_equal(spdm_identity_create(&other_identity, NULL, 0, 7,
					      config.measures->value[SPDM_MEASUREMENT_FIRMWARE]),
			 NV_OK);
	assert_int_equal(spdm_responder_create(&config, &other), NV_OK);
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		rule.object = requests[i];
		assert_true(adversary_add(adversary, &rule) >= 0);
	}
	rule.call = answer;
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		rule.object = requests[i] + 1; /* its response */
		last = adversary_add(adversary, &rule);
		assert_true(last >= 0);
	}
	status = rig_boot();
	assert_true(adversary_done(adversary, last - 1) > 0);
	adversary_forget(adversary);
	spdm_responder_destroy(other);
	spdm_identity_destroy(&other_identity);
	assert_int_equal(status, NV_ERR_INVALID_DATA);
	assert_true(rig_logged("(signature)"));
	assert_null(rig_gpu(VICTIM)->gsp);
	rig_up();
	return BY_BOOT;
}

/* -- Attestation ------------------------------------------------------------------------------- */

static enum nv_status attest(void)
{
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	struct rm_gpu *gpu = rig_gpu(VICTIM);
	u8 nonce[RM_SPDM_NONCE_BYTES];
	enum nv_status status;
	u32 bytes;

	unit_fill(&seed_now, nonce, sizeof(nonce));
	rm_gpu_lock(gpu);
	status = rm_spdm_attest(rm_cc_session(gpu), nonce, report, sizeof(report), &bytes);
	rm_gpu_unlock(gpu);
	return status;
}

static enum detector run_attest(const struct cell *cell)
{
	struct rm_gpu *gpu = rig_gpu(VICTIM);
	bool new_keys = strcmp(cell->state, "new keys") == 0;
	enum nv_status status;
	s32 rule;

	rig_up();
	if (!rm_spdm_established(rm_cc_session(gpu))) {
		rig_down();
		rig_up();
	}
	assert_int_equal(attest(), NV_OK);
	if (new_keys) {
		rm_gpu_lock(gpu);
		assert_int_equal(rm_spdm_update_keys(rm_cc_session(gpu)), NV_OK);
		rm_gpu_unlock(gpu);
	}
	rule = rig_arm(cell);
	status = attest();
	assert_int_equal(adversary_done(adversary, rule), 1);
	adversary_forget(adversary);
	assert_int_equal(rig_ask(VICTIM, 16), SERVED);
	if (status == NV_OK)
		return NOTHING_LOST;
	assert_true(status == NV_ERR_INVALID_DATA || status == NV_ERR_GENERIC ||
		    status == NV_ERR_INSUFFICIENT_RESOURCES);
	assert_int_equal(attest(), NV_ERR_NOT_READY);
	return BY_SESSION;
}

/* -- Cells ------------------------------------------------------------------------------------- */

/*
 * What asks for digests and certificates is not in the transcript that is signed: the chain itself
 * is. A change there brings the right chain, or none that is taken.
 */
#define NOT_SIGNED(number) ((number) == SPDM_GET_DIGESTS || (number) == SPDM_GET_CERTIFICATE)
#define HANDSHAKE(what, number, field, way, text, heavy)                                          \
	{                                                                                         \
		"handshake", what, field, text, "boot refused",                                   \
			BIT_OF(BY_BOOT) | (NOT_SIGNED(number) ? BIT_OF(NOTHING_LOST) : 0),        \
			run_boot,                                                                 \
			{ .object = SPDM_IS_REQUEST(number) ? ADVERSARY_SPDM_REQUEST              \
							    : ADVERSARY_SPDM_RESPONSE,            \
			  .code = number,                                                         \
			  .action = way,                                                          \
			  .data = error_message,                                                  \
			  .data_bytes = (way) == ADVERSARY_REPLACE ? sizeof(error_message) : 0 }, \
			field, heavy                                                              \
	}
#define SPDM_IS_REQUEST(number) (((number)&0x80) != 0)
#define FLIPPED(what, number)                                                \
	HANDSHAKE(what, number, "message", ADVERSARY_FLIP, "a bit", 6),      \
		HANDSHAKE(what, number, "type", ADVERSARY_FLIP, "a bit", 1), \
		HANDSHAKE(what, number, "size", ADVERSARY_FLIP, "a bit", 1), \
		HANDSHAKE(what, number, NULL, ADVERSARY_CUT, "half of it", 1)
#define ANSWERED(what, number)                                               \
	HANDSHAKE(what, number, NULL, ADVERSARY_DROP, "does not arrive", 1), \
		HANDSHAKE(what, number, NULL, ADVERSARY_REPLACE, "ERROR instead", 1)
#define EXCHANGED(way, text)                                                      \
	HANDSHAKE("GET_CERTIFICATE", SPDM_GET_CERTIFICATE, NULL, way, text, 1),   \
		HANDSHAKE("CERTIFICATE", SPDM_CERTIFICATE, NULL, way, text, 2),   \
		HANDSHAKE("KEY_EXCHANGE", SPDM_KEY_EXCHANGE, NULL, way, text, 2), \
		HANDSHAKE("KEY_EXCHANGE_RSP", SPDM_KEY_EXCHANGE_RSP, NULL, way, text, 2)

#define RECORD(when, fn, mask, told, field, way, text, heavy)                                \
	{ when,	 "record request",                                                           \
	  field, text,                                                                       \
	  told,	 mask,                                                                       \
	  fn,	 { .object = ADVERSARY_RECORD_REQUEST, .action = way },                      \
	  field, heavy },                                                                    \
	{                                                                                    \
		when, "record response", field, text, told, mask, fn,                        \
			{ .object = ADVERSARY_RECORD_RESPONSE, .action = way }, field, heavy \
	}
#define RECORDS(when, fn, mask, told)                                                            \
	RECORD(when, fn, mask, told, "type", ADVERSARY_FLIP, "a bit", 1),                        \
		RECORD(when, fn, mask, told, "size", ADVERSARY_FLIP, "a bit", 1),                \
		RECORD(when, fn, mask, told, "session", ADVERSARY_FLIP, "a bit", 1),             \
		RECORD(when, fn, mask, told, "length", ADVERSARY_FLIP, "a bit", 1),              \
		RECORD(when, fn, mask, told, "text", ADVERSARY_FLIP, "a bit", 2),                \
		RECORD(when, fn, mask, told, "tag", ADVERSARY_FLIP, "a bit", 2),                 \
		RECORD(when, fn, mask, told, NULL, ADVERSARY_CUT, "half of it", 1),              \
		RECORD(when, fn, mask, told, NULL, ADVERSARY_REPLAY, "the one before", 1),       \
		RECORD(when, fn, mask, told, NULL, ADVERSARY_REFLECT,                            \
		       "one of the other direction", 1),                                         \
		RECORD(when, fn, mask, told, NULL, ADVERSARY_SUBSTITUTE, "one of the other GPU", \
		       1)

/* Whatever comes of it, but a GPU that works on as if it were right: BY_DRIVER only where it is
 * lost. */
#define REFUSED (BIT_OF(BY_BOOT) | BIT_OF(BY_DRIVER) | BIT_OF(BY_FIRMWARE))
#define CLEAR(name, way, text, heavy)                                                    \
	{ "clear",                                                                       \
	  "command",                                                                     \
	  name,                                                                          \
	  text,                                                                          \
	  "unprotected: boot refused, or right",                                         \
	  REFUSED | BIT_OF(NOTHING_LOST) | BIT_OF(STOPPED),                              \
	  run_clear,                                                                     \
	  { .object = ADVERSARY_CLEAR_COMMAND, .action = way },                          \
	  name,                                                                          \
	  heavy },                                                                       \
	{                                                                                \
		"clear", "status", name, text, "unprotected: boot refused, or right",    \
			REFUSED | BIT_OF(NOTHING_LOST) | BIT_OF(STOPPED), run_clear,     \
			{ .object = ADVERSARY_CLEAR_STATUS, .action = way }, name, heavy \
	}
#define HEADER(name)                                                                             \
	{ "clear",                                                                               \
	  "header commands",                                                                     \
	  name,                                                                                  \
	  "a bit",                                                                               \
	  "unprotected: boot refused, or right",                                                 \
	  REFUSED | BIT_OF(NOTHING_LOST) | BIT_OF(STOPPED),                                      \
	  run_first,                                                                             \
	  { .object = ADVERSARY_COMMAND_HEADER, .action = ADVERSARY_FLIP },                      \
	  name,                                                                                  \
	  1 },                                                                                   \
	{                                                                                        \
		"clear", "header status", name, "a bit", "unprotected: boot refused, or right",  \
			REFUSED | BIT_OF(NOTHING_LOST) | BIT_OF(STOPPED), run_first,             \
			{ .object = ADVERSARY_STATUS_HEADER, .action = ADVERSARY_FLIP }, name, 1 \
	}
#define SEALED(when, fn, name, way, text, heavy)                                                  \
	{ when,		  "command", name, text,                                                  \
	  "boot refused", REFUSED,   fn,   { .object = ADVERSARY_SEALED_COMMAND, .action = way }, \
	  name,		  heavy },                                                                \
	{                                                                                         \
		when, "status", name, text, "boot refused", REFUSED, fn,                          \
			{ .object = ADVERSARY_SEALED_STATUS, .action = way }, name, heavy         \
	}

static const u8 error_message[] = { SPDM_MESSAGE_VERSION_11, SPDM_ERROR, 1, 0 };

struct cell spdm_cells[] = {
	FLIPPED("GET_VERSION", SPDM_GET_VERSION),
	FLIPPED("VERSION", SPDM_VERSION),
	FLIPPED("GET_CAPABILITIES", SPDM_GET_CAPABILITIES),
	FLIPPED("CAPABILITIES", SPDM_CAPABILITIES),
	FLIPPED("NEGOTIATE_ALGORITHMS", SPDM_NEGOTIATE_ALGORITHMS),
	FLIPPED("ALGORITHMS", SPDM_ALGORITHMS),
	FLIPPED("GET_DIGESTS", SPDM_GET_DIGESTS),
	FLIPPED("DIGESTS", SPDM_DIGESTS),
	FLIPPED("GET_CERTIFICATE", SPDM_GET_CERTIFICATE),
	FLIPPED("CERTIFICATE", SPDM_CERTIFICATE),
	FLIPPED("KEY_EXCHANGE", SPDM_KEY_EXCHANGE),
	FLIPPED("KEY_EXCHANGE_RSP", SPDM_KEY_EXCHANGE_RSP),
	ANSWERED("VERSION", SPDM_VERSION),
	ANSWERED("CAPABILITIES", SPDM_CAPABILITIES),
	ANSWERED("ALGORITHMS", SPDM_ALGORITHMS),
	ANSWERED("DIGESTS", SPDM_DIGESTS),
	ANSWERED("CERTIFICATE", SPDM_CERTIFICATE),
	ANSWERED("KEY_EXCHANGE_RSP", SPDM_KEY_EXCHANGE_RSP),
	EXCHANGED(ADVERSARY_REPLAY, "one of a session before"),
	EXCHANGED(ADVERSARY_SUBSTITUTE, "the other GPU's"),
	HANDSHAKE("DIGESTS", SPDM_DIGESTS, NULL, ADVERSARY_SUBSTITUTE, "the other GPU's", 1),
	{ "handshake",
	  "session",
	  "all",
	  "a stranger's, the GPU's chain",
	  "INVALID_DATA, signature",
	  BIT_OF(BY_BOOT),
	  run_stranger,
	  { .action = ADVERSARY_CALL },
	  NULL,
	  1 },
	RECORDS("handshake", run_boot, BIT_OF(BY_BOOT), "boot refused"),
	RECORD("handshake", run_boot, BIT_OF(NOTHING_LOST), "nothing", NULL, ADVERSARY_DELAY,
	       "late", 1),
	CLEAR("checksum", ADVERSARY_FLIP, "a bit", 2),
	CLEAR("sequence", ADVERSARY_FLIP, "a bit", 2),
	CLEAR("count", ADVERSARY_FLIP, "a bit", 2),
	CLEAR("length", ADVERSARY_FLIP, "a bit", 2),
	CLEAR("function", ADVERSARY_FLIP, "a bit", 2),
	CLEAR("data", ADVERSARY_FLIP, "a bit", 2),
	CLEAR("result", ADVERSARY_FLIP, "a bit", 2),
	CLEAR(NULL, ADVERSARY_DROP, "does not arrive", 1),
	CLEAR(NULL, ADVERSARY_FORGE, "another one", 1),
	HEADER("version"),
	HEADER("size"),
	HEADER("message-size"),
	HEADER("messages"),
	HEADER("write"),
	HEADER("flags"),
	HEADER("read-offset"),
	HEADER("entry-offset"),
	SEALED("before sealing", run_first, NULL, ADVERSARY_FLIP, "a bit", 2),
	SEALED("before sealing", run_first, "text", ADVERSARY_FLIP, "a bit", 1),
	SEALED("before sealing", run_first, NULL, ADVERSARY_DROP, "does not arrive", 1),
	SEALED("before sealing", run_first, NULL, ADVERSARY_FORGE, "one in clear", 1),
	SEALED("before sealing", run_first, NULL, ADVERSARY_RENUMBER, "one of a session before", 1),
	SEALED("before sealing", run_first, NULL, ADVERSARY_SUBSTITUTE, "one of the other GPU", 1),
	SEALED("engines' keys", run_keys, NULL, ADVERSARY_FLIP, "a bit", 2),
	SEALED("engines' keys", run_keys, "text", ADVERSARY_FLIP, "a bit", 2),
	SEALED("engines' keys", run_keys, NULL, ADVERSARY_REPLAY, "the one before", 1),
	SEALED("engines' keys", run_keys, NULL, ADVERSARY_SUBSTITUTE, "one of the other GPU", 1),
	SEALED("engines' keys", run_keys, NULL, ADVERSARY_DROP, "does not arrive", 1),
	RECORDS("session", run_attest, BIT_OF(BY_SESSION), "no report, NOT_READY"),
	RECORDS("new keys", run_attest, BIT_OF(BY_SESSION), "no report, NOT_READY"),
};

const u32 spdm_cell_count = ARRAY_SIZE(spdm_cells);
