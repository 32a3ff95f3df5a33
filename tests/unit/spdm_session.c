// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * SPDM from end to end: a session comes up with the same secret at both ends, and never when
 * anything that passed was changed.
 */
#include "unit.h"

#include "spdm_rig.h"

#define RECORD_MIN 37u /* bytes of the shortest one with a header in it, and the transport's */

static const u8 zero[SPDM_HASH_BYTES];

static struct spdm_rig *make(u8 period, bool heartbeat)
{
	static struct spdm_rig rig;

	memset(&rig, 0, sizeof(rig));
	rig.heartbeat_period = period;
	rig.heartbeat = heartbeat;
	assert_true(spdm_rig_create(&rig, NULL, 0));
	return &rig;
}

static void assert_down(struct spdm_rig *rig)
{
	u8 secret[SPDM_HASH_BYTES], nonce[RM_SPDM_NONCE_BYTES] = { 0 };
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	u32 bytes;

	assert_false(rm_spdm_established(rig->requester));
	assert_int_equal(rm_spdm_take_secret(rig->requester, secret), NV_ERR_NOT_READY);
	assert_int_equal(rm_spdm_attest(rig->requester, nonce, report, sizeof(report), &bytes),
			 NV_ERR_NOT_READY);
	assert_int_equal(rm_spdm_update_keys(rig->requester), NV_ERR_NOT_READY);
	assert_int_equal(rm_spdm_heartbeat(rig->requester), NV_ERR_NOT_READY);
	assert_int_equal(rm_spdm_end(rig->requester), NV_ERR_NOT_READY);
}

/* -- It works ---------------------------------------------------------------------------------- */

static void both_ends_share_a_secret(void **state)
{
	struct spdm_rig *rig = make(0, false);
	u8 first[SPDM_HASH_BYTES], secret[SPDM_HASH_BYTES];

	assert_down(rig);
	assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
	assert_int_equal(rm_spdm_fault(rig->requester), RM_SPDM_FAULT_NONE);
	assert_true(rm_spdm_established(rig->requester));
	assert_true(spdm_responder_established(rig->responder));
	assert_int_equal(rig->established, 1);
	assert_int_equal(rm_spdm_start(rig->requester), NV_ERR_INVALID_STATE);
	assert_int_equal(rm_spdm_take_secret(rig->requester, first), NV_OK);
	assert_memory_equal(first, rig->secret, sizeof(first));
	assert_memory_not_equal(first, zero, sizeof(first));
	assert_int_equal(rm_spdm_take_secret(rig->requester, secret), NV_ERR_NOT_READY);

	assert_int_equal(rm_spdm_end(rig->requester), NV_OK);
	assert_int_equal(rig->ended, 1);
	assert_false(spdm_responder_established(rig->responder));
	assert_down(rig);

	/* Another one has another secret. */
	assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
	assert_int_equal(rm_spdm_take_secret(rig->requester, secret), NV_OK);
	assert_memory_equal(secret, rig->secret, sizeof(secret));
	assert_memory_not_equal(first, secret, sizeof(first));
	spdm_rig_destroy(rig);
	assert_int_equal(rig->ended, 2);
}

static void keys_are_renewed(void **state)
{
	struct spdm_rig *rig = make(0, false);
	u8 nonce[RM_SPDM_NONCE_BYTES] = { 1 };
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	u32 bytes, i;

	assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rm_spdm_update_keys(rig->requester), NV_OK);
		assert_int_equal(
			rm_spdm_attest(rig->requester, nonce, report, sizeof(report), &bytes),
			NV_OK);
	}
	assert_int_equal(rm_spdm_end(rig->requester), NV_OK);
	spdm_rig_destroy(rig);
}

static void heartbeats_keep_a_session(void **state)
{
	struct spdm_rig *rig = make(10, true);
	u32 i;

	assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
	assert_int_equal(rm_spdm_heartbeat_period(rig->requester), 10);
	for (i = 0; i < 5; i++) {
		rig->now_ns += 19000000000ull;
		assert_int_equal(rm_spdm_heartbeat(rig->requester), NV_OK);
	}
	rig->now_ns += 20000000000ull;
	spdm_responder_tick(rig->responder, rig->now_ns);
	assert_int_equal(rig->ended, 0);
	rig->now_ns++;
	assert_int_equal(rm_spdm_heartbeat(rig->requester), NV_ERR_GENERIC);
	assert_int_equal(rm_spdm_fault(rig->requester), RM_SPDM_FAULT_PEER);
	assert_int_equal(rig->ended, 1);
	assert_down(rig);
	spdm_rig_destroy(rig);
}

/* One end that wants none is enough; r535 is such a one. */
static void heartbeats_need_both_ends(void **state)
{
	struct spdm_rig *rig;
	u32 i;

	for (i = 0; i < 3; i++) {
		rig = make(i & 1 ? 10 : 0, i & 2);
		assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
		assert_int_equal(rm_spdm_heartbeat_period(rig->requester), 0);
		assert_int_equal(rm_spdm_heartbeat(rig->requester), NV_ERR_NOT_SUPPORTED);
		rig->now_ns += 1000000000000ull;
		spdm_responder_tick(rig->responder, rig->now_ns);
		assert_int_equal(rig->ended, 0);
		spdm_rig_destroy(rig);
	}
}

/* -- A hostile host ---------------------------------------------------------------------------- */

struct tamper {
	u32 exchange; /* the one that is tampered with */
	u32 byte;     /* RIG_NONE: none */
	u32 size;     /* what becomes of the message's; RIG_NONE: nothing */
	u8 mask;
	u32 seen; /* its size */
};

static void tamper(struct spdm_rig *rig, u8 *message, u32 *bytes)
{
	struct tamper *t = rig->arg;

	if (rig->exchange != t->exchange)
		return;
	t->seen = *bytes;
	if (t->byte != RIG_NONE) /* records are of no fixed size */
		message[t->byte % *bytes] ^= t->mask;
	if (t->size != RIG_NONE) {
		if (t->size > *bytes)
			memset(message + *bytes, 0, t->size - *bytes);
		*bytes = t->size;
		if (*bytes >= sizeof(NV_SPDM_DESC_HEADER))
			((NV_SPDM_DESC_HEADER *)message)->msgSizeByte =
				*bytes - (u32)sizeof(NV_SPDM_DESC_HEADER);
	}
}

/* Starts with that done to it: there must be no session, and a name for why. */
static void start_fails(struct spdm_rig *rig, struct tamper *t)
{
	enum nv_status status;

	rig->exchange = 0;
	rig->arg = t;
	status = rm_spdm_start(rig->requester);
	if (status == NV_OK)
		fail_msg("a session came up: exchange %u, byte %u, size %u", t->exchange, t->byte,
			 t->size);
	if (status != NV_ERR_INVALID_DATA && status != NV_ERR_INVALID_STATE &&
	    status != NV_ERR_GENERIC)
		fail_msg("status %#x: exchange %u, byte %u", status, t->exchange, t->byte);
	assert_int_not_equal(rm_spdm_fault(rig->requester), RM_SPDM_FAULT_NONE);
	assert_int_not_equal(rm_spdm_fault(rig->requester), RM_SPDM_FAULT_RESOURCES);
	assert_down(rig);
}

/* The sizes of all exchanges of a start: their responses', or requests'. */
static u32 measure_start(struct spdm_rig *rig, bool requests, u32 *size, u8 *code, u32 room)
{
	struct tamper t = { 0, RIG_NONE, RIG_NONE, 0, 0 };
	u32 count = 0;

	rig->arg = &t;
	do {
		assert_in_range(count, 0, room - 1);
		rig->exchange = 0;
		t.exchange = count;
		t.seen = 0;
		rig->on_request = requests ? tamper : NULL;
		rig->on_response = requests ? NULL : tamper;
		assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
		assert_int_equal(rm_spdm_end(rig->requester), NV_OK);
		if (code)
			code[count] = 0;
		size[count] = t.seen;
		count++;
	} while (count < rig->exchange - 1);
	return count;
}

static void no_changed_response_is_taken(void **state)
{
	struct spdm_rig *rig = make(0, false);
	struct tamper t = { .size = RIG_NONE };
	u32 size[32], count, changed = 0;

	count = measure_start(rig, false, size, NULL, ARRAY_SIZE(size));
	for (t.exchange = 0; t.exchange < count; t.exchange++) {
		for (t.byte = 0; t.byte < size[t.exchange]; t.byte++) {
			t.mask = (u8)(1u << t.byte % 8);
			start_fails(rig, &t);
			changed++;
		}
	}
	assert_in_range(changed, 2500, 6000);
	rig->on_response = NULL;
	assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
	spdm_rig_destroy(rig);
}

/* What is in the transcript: a host that changes what the driver asked for gets no further. */
static void no_changed_request_leads_to_a_session(void **state)
{
	struct spdm_rig *rig = make(0, false);
	struct tamper t = { .size = RIG_NONE };
	u32 size[32], count;

	count = measure_start(rig, true, size, NULL, ARRAY_SIZE(size));
	for (t.exchange = 0; t.exchange < count; t.exchange++) {
		if (t.exchange > 2 && t.exchange < count - 2)
			continue; /* digests and certificates: not in the transcript */
		for (t.byte = 0; t.byte < size[t.exchange]; t.byte += 3) {
			t.mask = (u8)(1u << t.byte % 8);
			start_fails(rig, &t);
		}
	}
	spdm_rig_destroy(rig);
}

static void no_cut_or_longer_response_is_taken(void **state)
{
	struct spdm_rig *rig = make(0, false);
	struct tamper t = { .byte = RIG_NONE };
	u32 size[32], count, i;

	count = measure_start(rig, false, size, NULL, ARRAY_SIZE(size));
	for (t.exchange = 0; t.exchange < count; t.exchange++) {
		u32 last = t.exchange == count - 1 ? RECORD_MIN : size[t.exchange];

		for (t.size = 0; t.size < last; t.size += t.size < 20 ? 1 : 61)
			start_fails(rig, &t);
		for (i = 1; i < 5 && t.exchange < count - 1; i++) {
			t.size = size[t.exchange] + i;
			start_fails(rig, &t);
		}
		t.size = NV_SPDM_RM_SURFACE_SIZE_IN_BYTE;
		start_fails(rig, &t);
	}
	spdm_rig_destroy(rig);
}

/* -- Replay and reordering --------------------------------------------------------------------- */

struct recorder {
	u32 exchange;
	u8 message[SPDM_TRANSPORT_MAX];
	u32 bytes;
	bool replay;
};

static void record(struct spdm_rig *rig, u8 *message, u32 *bytes)
{
	struct recorder *r = rig->arg;

	if (rig->exchange != r->exchange)
		return;
	if (!r->replay) {
		memcpy(r->message, message, *bytes);
		r->bytes = *bytes;
	} else {
		memcpy(message, r->message, r->bytes);
		*bytes = r->bytes;
	}
}

/* Each answer of an earlier session in the place of this one's. */
static void no_earlier_response_is_taken(void **state)
{
	static struct recorder r;
	struct spdm_rig *rig = make(0, false);
	u32 size[32], count, i;

	count = measure_start(rig, false, size, NULL, ARRAY_SIZE(size));
	for (i = count - 2; i < count; i++) {
		r = (struct recorder){ .exchange = i };
		rig->arg = &r;
		rig->on_response = record;
		rig->exchange = 0;
		assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
		assert_int_equal(rm_spdm_end(rig->requester), NV_OK);
		rig->exchange = 0;
		r.replay = true;
		assert_int_equal(rm_spdm_start(rig->requester), NV_ERR_INVALID_DATA);
		assert_int_equal(rm_spdm_fault(rig->requester),
				 i == count - 2 ? RM_SPDM_FAULT_SIGNATURE : RM_SPDM_FAULT_RECORD);
		assert_down(rig);
	}
	spdm_rig_destroy(rig);
}

/* A record of the session itself, given twice. */
static void no_record_is_taken_twice(void **state)
{
	static struct recorder r;
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE], answer[SPDM_TRANSPORT_MAX];
	struct spdm_rig *rig = make(0, false);
	u8 nonce[RM_SPDM_NONCE_BYTES] = { 7 };
	u32 bytes, direction;

	for (direction = 0; direction < 2; direction++) {
		rig->on_request = rig->on_response = NULL;
		assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
		r = (struct recorder){ .exchange = 0 };
		rig->arg = &r;
		rig->exchange = 0;
		*(direction ? &rig->on_request : &rig->on_response) = record;
		assert_int_equal(
			rm_spdm_attest(rig->requester, nonce, report, sizeof(report), &bytes),
			NV_OK);
		if (direction) { /* the host repeats a request: the GPU ends the session */
			const SPDM_HEADER *error;

			bytes = spdm_responder_answer(rig->responder, r.message, r.bytes, answer,
						      0);
			error = (const SPDM_HEADER *)(answer + sizeof(NV_SPDM_DESC_HEADER));
			assert_int_equal(bytes, sizeof(NV_SPDM_DESC_HEADER) + sizeof(*error));
			assert_int_equal(error->RequestResponseCode, SPDM_ERROR);
			assert_int_equal(error->Param1, SPDM_ERROR_CODE_DECRYPT_ERROR);
			assert_false(spdm_responder_established(rig->responder));
			assert_int_equal(rig->ended, 2);
		} else {
			rig->exchange = 0;
			r.replay = true;
			assert_int_equal(rm_spdm_attest(rig->requester, nonce, report,
							sizeof(report), &bytes),
					 NV_ERR_INVALID_DATA);
			assert_int_equal(rm_spdm_fault(rig->requester), RM_SPDM_FAULT_RECORD);
			assert_down(rig);
		}
	}
	spdm_rig_destroy(rig);
}

static void no_changed_report_is_taken(void **state)
{
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	struct spdm_rig *rig = make(0, false);
	u8 nonce[RM_SPDM_NONCE_BYTES] = { 7 };
	struct tamper t = { .size = RIG_NONE };
	u32 bytes;

	for (t.byte = 0; t.byte < 700; t.byte += t.byte < 24 ? 1 : 41) {
		rig->on_response = NULL;
		assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
		rig->exchange = 0;
		rig->on_response = tamper;
		rig->arg = &t;
		t.mask = (u8)(1u << t.byte % 8);
		memset(report, 0, sizeof(report));
		assert_int_not_equal(
			rm_spdm_attest(rig->requester, nonce, report, sizeof(report), &bytes),
			NV_OK);
		assert_int_not_equal(rm_spdm_fault(rig->requester), RM_SPDM_FAULT_NONE);
		assert_down(rig);
		assert_int_equal(report[0], 0);
	}
	spdm_rig_destroy(rig);
}

/* A message that never arrives, at each step. */
static void a_lost_message_ends_it(void **state)
{
	struct spdm_rig *rig = make(0, false);

	rig->exchange_status = NV_ERR_TIMEOUT;
	assert_int_equal(rm_spdm_start(rig->requester), NV_ERR_TIMEOUT);
	assert_int_equal(rm_spdm_fault(rig->requester), RM_SPDM_FAULT_TRANSPORT);
	assert_down(rig);
	rig->exchange_status = NV_OK;
	assert_int_equal(rm_spdm_start(rig->requester), NV_OK);
	rig->exchange_status = NV_ERR_GPU_IS_LOST;
	assert_int_equal(rm_spdm_update_keys(rig->requester), NV_ERR_GPU_IS_LOST);
	assert_down(rig);
	spdm_rig_destroy(rig);
}

static void faults_have_names(void **state)
{
	u32 i;

	for (i = 0; i <= RM_SPDM_FAULT_RECORD; i++)
		assert_string_not_equal(rm_spdm_fault_name((enum rm_spdm_fault)i), "unknown");
	assert_string_equal(rm_spdm_fault_name((enum rm_spdm_fault)i), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_share_a_secret),
		cmocka_unit_test(keys_are_renewed),
		cmocka_unit_test(heartbeats_keep_a_session),
		cmocka_unit_test(heartbeats_need_both_ends),
		cmocka_unit_test(no_changed_response_is_taken),
		cmocka_unit_test(no_changed_request_leads_to_a_session),
		cmocka_unit_test(no_cut_or_longer_response_is_taken),
		cmocka_unit_test(no_earlier_response_is_taken),
		cmocka_unit_test(no_record_is_taken_twice),
		cmocka_unit_test(no_changed_report_is_taken),
		cmocka_unit_test(a_lost_message_ends_it),
		cmocka_unit_test(faults_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
