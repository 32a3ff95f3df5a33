// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The verifier out of memory: it never takes what it could not check, it leaves nothing, and with
 * memory it knows again.
 */
#include "os_crypto.h"

#include "attest_rig.h"

static struct attest_rig rig;

/* Fails each allocation of libcrypto's in turn. Passing is for evidence that is good. */
static void fail_allocations(bool good)
{
	enum attest_status status;
	u64 nth, without = 0, total;

	status = attest_verify(&rig.evidence, &rig.expectation, &rig.result);
	assert_int_equal(status, ATTEST_DONE);
	assert_int_equal(rig.result.passed, good);
	total = library_allocations;
	assert_int_equal(attest_verify(&rig.evidence, &rig.expectation, &rig.result), ATTEST_DONE);
	total = library_allocations - total;
	assert_true(total > 100);
	/* The first ones, where it begins, then others all over. */
	for (nth = 1; nth <= total; nth += nth < 100 ? 1 : 1 + total / 100) {
		library_fails = nth;
		status = attest_verify(&rig.evidence, &rig.expectation, &rig.result);
		library_fails = 0;
		assert_true(good || !rig.result.passed);
		assert_true(!rig.result.passed || status == ATTEST_DONE);
		without += !rig.result.passed && good;
	}
	assert_true(!good || without > 50);
	assert_int_equal(attest_verify(&rig.evidence, &rig.expectation, &rig.result), ATTEST_DONE);
	assert_int_equal(rig.result.passed, good);
}

static void nothing_is_taken_without_memory(void **state)
{
	static const struct attest_rig_root root = { "20200101000000Z", "20400101000000Z" };
	u64 live;

	attest_rig_create(&rig, &root);
	assert_true(attest_rig_verify(&rig));
	ERR_clear_error();
	live = library_live;
	fail_allocations(true);
	rig.expectation.nonce[3] ^= 1;
	fail_allocations(false);
	rig.expectation.nonce[3] ^= 1;
	rig.report[60] ^= 1; /* a measurement */
	fail_allocations(false);
	rig.report[60] ^= 1;
	rig.expectation.time = 0;
	fail_allocations(false);
	ERR_clear_error();
	/* It keeps the texts of some errors. */
	assert_true(library_live <= live + 30);
	attest_rig_destroy(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_taken_without_memory),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
