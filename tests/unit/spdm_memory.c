// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * SPDM out of memory, at either end: there is no session, a name for why, nothing is left, and with
 * memory the next try works.
 */
#include "os_crypto.h"

#include "spdm_rig.h"

#define PER_START 30u /* of libcrypto's allocations that fail, of each thing that is done */

static struct spdm_rig rig;

/* What is done with memory that may fail; NV_OK or what was wrong. */
typedef enum nv_status (*act_fn)(void);

static enum nv_status act_create(void)
{
	enum nv_status status = NV_ERR_NO_MEMORY;

	memset(&rig, 0, sizeof(rig));
	if (spdm_rig_create(&rig, NULL, 0))
		status = NV_OK;
	spdm_rig_destroy(&rig);
	return status;
}

static enum nv_status act_start(void)
{
	u8 secret[SPDM_HASH_BYTES];
	enum nv_status status = rm_spdm_start(rig.requester);

	assert_int_equal(rm_spdm_established(rig.requester), status == NV_OK);
	if (status == NV_OK) {
		assert_int_equal(rm_spdm_take_secret(rig.requester, secret), NV_OK);
		assert_memory_equal(secret, rig.secret, sizeof(secret));
		(void)rm_spdm_end(rig.requester);
	} else {
		assert_int_not_equal(rm_spdm_fault(rig.requester), RM_SPDM_FAULT_NONE);
		assert_int_equal(rm_spdm_take_secret(rig.requester, secret), NV_ERR_NOT_READY);
	}
	spdm_responder_reset(rig.responder);
	return status;
}

/* The session is up before, with memory; what is done in it may fail. */
static enum nv_status act_in_session(void)
{
	static u8 report[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	static const u8 nonce[RM_SPDM_NONCE_BYTES];
	enum nv_status status;
	u32 bytes;

	status = rm_spdm_attest(rig.requester, nonce, report, sizeof(report), &bytes);
	assert_int_equal(rm_spdm_established(rig.requester), status == NV_OK);
	if (status == NV_OK) {
		status = rm_spdm_update_keys(rig.requester);
		assert_int_equal(rm_spdm_established(rig.requester), status == NV_OK);
	}
	return status;
}

static void prepare_session(void)
{
	(void)rm_spdm_end(rig.requester);
	spdm_responder_reset(rig.responder);
	assert_int_equal(rm_spdm_start(rig.requester), NV_OK);
}

/* The memory of os.h's, each allocation in turn. */
static void fail_os(act_fn act, void (*prepare)(void))
{
	enum nv_status status;
	u64 nth, failed;

	for (nth = 1;; nth++) {
		if (prepare)
			prepare();
		failed = unit_failed();
		if (!os_user_fail_alloc_thread(nth))
			skip();
		status = act();
		os_user_fail_alloc_thread(0);
		if (unit_failed() == failed)
			break;
		assert_int_not_equal(status, NV_OK);
	}
	assert_int_equal(status, NV_OK);
}

/* libcrypto's: the first ones, then others all over; it does without some of them. */
static void fail_library(act_fn act, void (*prepare)(void))
{
	u64 begin, count, nth, failures = 0;

	if (prepare)
		prepare();
	begin = library_allocations;
	assert_int_equal(act(), NV_OK);
	count = library_allocations - begin;
	for (nth = 1; nth <= count; nth += nth < 30 ? 1 : 1 + count / PER_START) {
		if (prepare)
			prepare();
		library_fails = nth;
		failures += act() != NV_OK;
		library_fails = 0;
		ERR_clear_error();
	}
	assert_true(failures > 20);
}

static void run(act_fn act, void (*prepare)(void), bool with_rig)
{
	u64 live, live_of_library, i;

	memset(&rig, 0, sizeof(rig));
	if (with_rig)
		assert_true(spdm_rig_create(&rig, NULL, 0));
	if (prepare)
		prepare();
	assert_int_equal(act(), NV_OK); /* what libcrypto keeps for good */
	if (with_rig)
		spdm_rig_destroy(&rig);
	ERR_clear_error();
	live = unit_live();
	live_of_library = library_live;
	memset(&rig, 0, sizeof(rig));
	if (with_rig)
		assert_true(spdm_rig_create(&rig, NULL, 0));
	fail_library(act, prepare);
	fail_os(act, prepare);
	for (i = 0; i < 2; i++) {
		if (prepare)
			prepare();
		assert_int_equal(act(), NV_OK);
	}
	if (with_rig)
		spdm_rig_destroy(&rig);
	ERR_clear_error();
	assert_int_equal(unit_live(), live);
	assert_true(library_live <= live_of_library + 30);
}

static void makes_nothing_by_halves(void **state)
{
	run(act_create, NULL, false);
}

static void starts_nothing_by_halves(void **state)
{
	run(act_start, NULL, true);
}

static void ends_a_session_that_lacks_memory(void **state)
{
	run(act_in_session, prepare_session, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_nothing_by_halves),
		cmocka_unit_test(starts_nothing_by_halves),
		cmocka_unit_test(ends_a_session_that_lacks_memory),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
