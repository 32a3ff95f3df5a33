// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The verifier behind `leafhopper attest`: it takes what a good GPU gives, and nothing in which
 * anything is another, whichever check it is that says so.
 */
#include "unit.h"

#include "attest_rig.h"

#define SECONDS_OF_A_DAY 86400u
#define RESPONSE 37u			     /* where it begins in a report */
#define BLOCKS (RESPONSE + 8u)		     /* its measurements */
#define BLOCK (7u + 48u)		     /* one of them */
#define FIELDS (BLOCKS + 4 * BLOCK + 32 + 2) /* behind the GPU's nonce and a size */

static struct attest_rig *make(void)
{
	static struct attest_rig rig;

	attest_rig_create(&rig, NULL);
	return &rig;
}

/* Of three certificates by a root of its own: takes less time. */
static struct attest_rig *make_short(void)
{
	static const struct attest_rig_root root = { "20200101000000Z", "20400101000000Z" };
	static struct attest_rig rig;

	attest_rig_create(&rig, &root);
	return &rig;
}

static void assert_fails(struct attest_rig *rig, const char *check)
{
	assert_false(attest_rig_verify(rig));
	if (attest_rig_outcome(rig, check) != ATTEST_FAILED)
		fail_msg("%s did not fail", check);
}

/* The report as it is now, signed by the GPU, fails for what it is. */
static void assert_malformed(struct attest_rig *rig)
{
	attest_rig_sign(rig);
	assert_fails(rig, "report");
	attest_rig_ask(rig);
}

/* -- Good ones ----------------------------------------------------------------------------------
 */

static void a_good_gpu_passes(void **state)
{
	static const char *const checks[] = { "certificates",	"root",		 "chain",
					      "validity",	"report",	 "signature",
					      "nonce",		"FWID",		 "measurement 1",
					      "measurement 2",	"measurement 3", "measurement 4",
					      "driver version", "VBIOS version" };
	struct attest_rig *rig = make();
	u32 i;

	assert_true(attest_rig_verify(rig));
	assert_int_equal(rig->result.check_count, ARRAY_SIZE(checks));
	for (i = 0; i < ARRAY_SIZE(checks); i++)
		assert_string_equal(rig->result.checks[i].name, checks[i]);
	assert_int_equal(rig->result.certificate_count, 5);
	assert_string_equal(rig->result.certificates[0].subject,
			    "CN = Leafhopper GH100 0 attestation key, O = Leafhopper");
	assert_string_equal(rig->result.certificates[4].subject,
			    "CN = Leafhopper Test Root, O = Leafhopper");
	assert_string_equal(rig->result.certificates[0].from, "2024-01-01T00:00:00Z");
	assert_string_equal(rig->result.certificates[0].to, "9999-12-31T23:59:59Z");
	assert_string_equal(rig->result.driver_version, "535.309.01");
	assert_string_equal(rig->result.vbios_version, "96.00.74.00.01");
	assert_string_equal(rig->result.chip_sku, "885");
	assert_string_equal(rig->result.project, "G520");
	assert_string_equal(rig->result.project_sku, "0200");
	attest_rig_destroy(rig);
}

static void the_installed_root_is_the_drivers(void **state)
{
	struct attest_rig *rig = make();
	static char text[4096];
	FILE *file = fopen(TEST_ROOT, "r");

	assert_non_null(file);
	rig->expectation.root = text;
	rig->expectation.root_bytes = fread(text, 1, sizeof(text), file);
	fclose(file);
	assert_true(attest_rig_verify(rig));
	attest_rig_destroy(rig);
}

static void a_users_own_root_passes(void **state)
{
	struct attest_rig *rig = make_short();

	assert_true(attest_rig_verify(rig));
	assert_int_equal(rig->result.certificate_count, 3);
	attest_rig_destroy(rig);
}

/* -- Whose ------------------------------------------------------------------------------------- */

static void another_root_fails(void **state)
{
	static const struct attest_rig_root root = { "20200101000000Z", "20400101000000Z" };
	static struct attest_rig other;
	struct attest_rig *rig = make();
	size_t bytes;

	attest_rig_create(&other, &root);
	rig->expectation.root = other.root;
	rig->expectation.root_bytes = other.root_bytes;
	assert_fails(rig, "root");

	/* Another's chain to the trusted root's copy: each link must hold. */
	rig->expectation.root = rig->root;
	rig->expectation.root_bytes = rig->root_bytes;
	bytes = other.chain_bytes - other.root_bytes;
	memcpy(rig->chain, other.chain, bytes);
	memcpy(rig->chain + bytes, rig->root, rig->root_bytes);
	rig->evidence.chain_bytes = bytes + rig->root_bytes;
	assert_fails(rig, "chain");
	attest_rig_destroy(&other);
	attest_rig_destroy(rig);
}

static void times_count(void **state)
{
	static const struct attest_rig_root root = { "20250601000000Z", "20400101000000Z" };
	static struct attest_rig rig;

	attest_rig_create(&rig, &root);
	rig.expectation.time = 2208988800; /* 2040 */
	assert_fails(&rig, "validity");
	rig.expectation.time += SECONDS_OF_A_DAY;
	assert_fails(&rig, "validity");
	rig.expectation.time -= SECONDS_OF_A_DAY + 1;
	assert_true(attest_rig_verify(&rig));
	rig.expectation.time = 1748736000 - 1; /* 2025-06-01 */
	assert_fails(&rig, "validity");
	rig.expectation.time = 253402300800; /* the year 10000 */
	assert_fails(&rig, "validity");
	attest_rig_destroy(&rig);
}

/* Where the certificates of the chain begin; all five. */
static void find_certificates(const struct attest_rig *rig, const char *at[6])
{
	u32 i;

	at[0] = rig->chain;
	for (i = 1; i < 5; i++)
		at[i] = strstr(at[i - 1] + 1, "-----BEGIN");
	at[5] = rig->chain + rig->chain_bytes;
}

static void certificates_are_whole_and_in_order(void **state)
{
	static const u8 orders[][6] = { { 0, 2, 1, 3, 4, 9 },
					{ 1, 0, 2, 3, 4, 9 },
					{ 0, 1, 3, 4, 9 },
					{ 0, 2, 3, 4, 9 },
					{ 1, 2, 3, 4, 9 },
					{ 0, 0, 1, 2, 3, 4 },
					{ 0, 1, 2, 3, 4, 4 },
					{ 0, 1, 2, 3, 9 },
					{ 4, 9 },
					{ 0, 9 },
					{ 4, 3, 2, 1, 0, 9 } };
	struct attest_rig *rig = make();
	static char made[0x2000];
	const char *at[6];
	u32 i, k;

	find_certificates(rig, at);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		rig->evidence.chain = made;
		rig->evidence.chain_bytes = 0;
		for (k = 0; k < 6 && orders[i][k] < 5; k++) {
			u32 which = orders[i][k], size = (u32)(at[which + 1] - at[which]);

			memcpy(made + rig->evidence.chain_bytes, at[which], size);
			rig->evidence.chain_bytes += size;
		}
		assert_false(attest_rig_verify(rig));
	}
	attest_rig_destroy(rig);
}

static void a_report_of_another_gpu_fails(void **state)
{
	static struct attest_rig other;
	struct attest_rig *rig = make();

	attest_rig_create(&other, NULL);
	rig->evidence.report = other.report;
	assert_int_equal(other.report_bytes, rig->report_bytes);
	assert_fails(rig, "signature");
	attest_rig_destroy(&other);
	attest_rig_destroy(rig);
}

/* -- Every byte ---------------------------------------------------------------------------------
 */

static void no_changed_byte_of_a_report_passes(void **state)
{
	struct attest_rig *rig = make_short();
	u32 i;

	for (i = 0; i < rig->report_bytes; i++) {
		u8 bit = (u8)(1u << i % 8);

		rig->report[i] ^= bit;
		assert_false(attest_rig_verify(rig));
		rig->report[i] ^= bit;
	}
	assert_true(attest_rig_verify(rig));
	attest_rig_destroy(rig);
}

static void no_changed_byte_of_a_chain_passes(void **state)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct attest_rig *rig = make_short();
	u32 i;

	for (i = 0; i < rig->chain_bytes; i++) {
		const char *at = strchr(letters, rig->chain[i]);
		char was = rig->chain[i];

		/* Another letter, so that it is another certificate and not just bad text. */
		rig->chain[i] = at ? letters[(at - letters) ^ (1 << i % 6)] : (char)(was ^ 1);
		if (attest_rig_verify(rig))
			fail_msg("letter %u", i);
		rig->chain[i] = (char)(was ^ 0x80);
		assert_fails(rig, "certificates");
		rig->chain[i] = was;
	}
	assert_true(attest_rig_verify(rig));
	attest_rig_destroy(rig);
}

static void nothing_cut_or_longer_passes(void **state)
{
	struct attest_rig *rig = make_short();
	u32 i;

	rig->evidence.chain_bytes = 0; /* takes less time, and has its own check */
	for (i = 0; i < rig->report_bytes; i++) {
		rig->evidence.report_bytes = i;
		assert_fails(rig, "report");
	}
	rig->evidence.chain_bytes = rig->chain_bytes;
	rig->report[rig->report_bytes] = 0;
	rig->evidence.report_bytes = rig->report_bytes + 1;
	assert_fails(rig, "report");
	rig->evidence.report_bytes = rig->report_bytes;

	for (i = 0; i < rig->chain_bytes - 1; i++) {
		rig->evidence.chain_bytes = i;
		assert_false(attest_rig_verify(rig));
	}
	/* Without its last newline it is the same. */
	rig->evidence.chain_bytes = rig->chain_bytes - 1;
	assert_true(attest_rig_verify(rig));
	for (i = 0; i < 256; i++) {
		rig->chain[rig->chain_bytes] = (char)i;
		rig->evidence.chain_bytes = rig->chain_bytes + 1;
		assert_fails(rig, "certificates");
	}
	attest_rig_destroy(rig);
}

/* -- What it says -------------------------------------------------------------------------------
 */

static void a_report_is_of_its_nonce(void **state)
{
	struct attest_rig *rig = make();
	u32 i;

	for (i = 0; i < ATTEST_NONCE_BYTES; i++) {
		rig->expectation.nonce[i] ^= 0x10;
		assert_fails(rig, "nonce");
		assert_int_equal(attest_rig_outcome(rig, "signature"), ATTEST_PASSED);
		rig->expectation.nonce[i] ^= 0x10;
	}
	assert_true(attest_rig_verify(rig));
	attest_rig_destroy(rig);
}

/* A digit of each digest in the reference, the first and the last among them. */
static void every_digest_counts(void **state)
{
	static const char *const names[] = { "measurement 1", "measurement 2", "measurement 3",
					     "measurement 4" };
	struct attest_rig *rig = make();
	u32 i, at;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		char begin[8] = "\nN\t", *row = rig->reference, *digest;

		begin[1] = (char)('1' + i);
		while (strstr(row + 1, begin)) /* the last one of it */
			row = strstr(row + 1, begin);
		digest = strchr(row + 1, '\n') - 2 * SPDM_HASH_BYTES;
		for (at = 0; at < 2 * SPDM_HASH_BYTES; at += 5) {
			char was = digest[at];

			digest[at] = was == '0' ? '1' : '0';
			assert_fails(rig, names[i]);
			assert_int_equal(attest_rig_outcome(rig, "nonce"), ATTEST_PASSED);
			digest[at] = was;
		}
	}
	assert_true(attest_rig_verify(rig));
	attest_rig_destroy(rig);
}

/* The reference without the rows that begin so, and with one more. */
static void edit_reference(struct attest_rig *rig, const char *without, const char *with)
{
	static char made[sizeof(rig->reference) + 512];
	const char *line = rig->reference, *next;
	char *to = made;

	for (; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (!without || strncmp(line, without, strlen(without)) != 0) {
			memcpy(to, line, (size_t)(next - line));
			to += next - line;
		}
	}
	strcpy(to, with ? with : "");
	rig->expectation.reference = made;
	rig->expectation.reference_bytes = strlen(made);
}

static void what_is_not_on_both_sides_fails(void **state)
{
	struct attest_rig *rig = make();
	char row[160];

	edit_reference(rig, "2\t", NULL);
	assert_fails(rig, "measurement 2");
	snprintf(row, sizeof(row), "255\tmore\t-\t%096d\n", 1);
	edit_reference(rig, NULL, row);
	assert_fails(rig, "measurement 255");
	edit_reference(rig, "fwid", NULL);
	assert_fails(rig, "FWID");
	snprintf(row, sizeof(row), "fwid\tfirmware\t-\t%096d\n", 1);
	edit_reference(rig, "fwid", row);
	assert_fails(rig, "FWID");
	edit_reference(rig, "driver", NULL);
	assert_fails(rig, "driver version");
	edit_reference(rig, "driver", "driver\tversion\t-\t535.309.0\n");
	assert_fails(rig, "driver version");
	edit_reference(rig, "driver", "driver\tversion\t-\t535.309.011\n");
	assert_fails(rig, "driver version");
	edit_reference(rig, "driver", "driver\tversion\t-\t535.309.01");
	assert_true(attest_rig_verify(rig));
	edit_reference(rig, "vbios", NULL);
	assert_fails(rig, "VBIOS version");
	/* That of another profile's. */
	edit_reference(rig, "vbios\tversion\tthis", "vbios\tversion\tother\t96.00.74.00.01\n");
	assert_fails(rig, "VBIOS version");
	edit_reference(rig, "vbios", "vbios\tversion\t-\t96.00.74.00.01\n");
	assert_true(attest_rig_verify(rig));
	attest_rig_destroy(rig);
}

/* The GPU's own word for its firmware against what its issuer's certificate says. */
static void the_fwid_is_the_certificates(void **state)
{
	struct attest_rig *rig = make();

	rig->spdm.identity.fwid[47] ^= 1;
	attest_rig_ask(rig);
	assert_fails(rig, "FWID");
	assert_int_equal(attest_rig_outcome(rig, "signature"), ATTEST_PASSED);
	attest_rig_destroy(rig);
}

/* -- Reports that a GPU signs and that are none --------------------------------------------------
 */

static void malformed_reports_fail(void **state)
{
	struct attest_rig *rig = make();
	static const struct {
		u32 at;
		u8 value;
	} changes[] = {
		{ 0, 0x10 },			 /* SPDM 1.0 */
		{ 1, 0xe1 },			 /* another request */
		{ 2, 0 },			 /* no signature */
		{ 3, 1 },			 /* one measurement */
		{ 36, 1 },			 /* another slot */
		{ RESPONSE, 0x12 },		 /* SPDM 1.2 */
		{ RESPONSE + 1, 0x7f },		 /* an error */
		{ RESPONSE + 4, 0 },		 /* no blocks */
		{ RESPONSE + 4, 3 },		 /* too few */
		{ RESPONSE + 4, 5 },		 /* too many */
		{ RESPONSE + 5, 4 * BLOCK - 1 }, /* size of the blocks */
		{ RESPONSE + 5, 4 * BLOCK + 1 },
		{ RESPONSE + 6, 1 },
		{ RESPONSE + 7, 1 },
		{ BLOCKS, 0 },	    /* no index */
		{ BLOCKS, 2 },	    /* that of another */
		{ BLOCKS + 1, 2 },  /* not DMTF's */
		{ BLOCKS + 2, 50 }, /* another size */
		{ BLOCKS + 3, 1 },
		{ BLOCKS + 5, 32 }, /* SHA-256 */
		{ FIELDS - 2, 0 },  /* size of the fields */
		{ FIELDS - 1, 1 },
		{ FIELDS, 6 },	   /* the driver's version as the VBIOS's */
		{ FIELDS + 2, 1 }, /* size of a field */
		{ FIELDS + 3, 1 },
		{ FIELDS + 4, 0 }, /* nothing, and then text */
		{ FIELDS + 4, '\n' },
		{ FIELDS + 5, 0 },
		{ FIELDS + 14, 'x' }, /* not terminated */
	};
	u32 i;

	assert_int_equal(rig->report[FIELDS], SPDM_OPAQUE_FIELD_DRIVER_VERSION);
	assert_string_equal((const char *)rig->report + FIELDS + 4, "535.309.01");
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		rig->report[changes[i].at] = changes[i].value;
		assert_malformed(rig);
		assert_true(attest_rig_verify(rig));
	}
	attest_rig_destroy(rig);
}

/* A field that is missed: its type is one that nobody asks for. */
static void missing_fields_fail(void **state)
{
	struct attest_rig *rig = make();
	u32 at = FIELDS, seen = 0;

	while (at < rig->report_bytes - SPDM_SIGNATURE_BYTES) {
		static const char *const names[32] = {
			[SPDM_OPAQUE_FIELD_DRIVER_VERSION] = "driver version",
			[SPDM_OPAQUE_FIELD_VBIOS_VERSION] = "VBIOS version",
			[SPDM_OPAQUE_FIELD_FWID] = "FWID",
		};
		const char *name = names[rig->report[at] % 32];

		if (name) {
			rig->report[at + 1] = 0x40;
			attest_rig_sign(rig);
			assert_fails(rig, name);
			attest_rig_ask(rig);
			seen++;
		}
		at += 4u + rig->report[at + 2];
	}
	assert_int_equal(seen, 3);
	assert_true(attest_rig_verify(rig));
	attest_rig_destroy(rig);
}

/* -- What it is held against ---------------------------------------------------------------------
 */

static void bad_references_are_named(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "", "it says nothing" },
		{ "# only\n\n", "it says nothing" },
		{ "1\ta\t-", "line 1 does not have four columns" },
		{ "\n1\ta\t-\t00\tb\n", "line 2 does not have four columns" },
		{ "#\n#\n1\ta\t\t00\n", "line 3 does not have four columns" },
		{ "1\ta\t-\t00\n", "line 1 has no SHA-384" },
		{ "fwid\ta\t-\t00\n", "line 1 has no SHA-384" },
		{ "0\ta\t-\t00\n", "line 1 begins with none of 1 to 255, fwid, driver and vbios" },
		{ "256\ta\t-\t00\n",
		  "line 1 begins with none of 1 to 255, fwid, driver and vbios" },
		{ "1x\ta\t-\t00\n", "line 1 begins with none of 1 to 255, fwid, driver and vbios" },
		{ "driver\tversion\t-\t1\r\n", "line 1 is not text" },
		{ "driver\tversion\t-\t1\nvbios\tversion\t-\t\xc3\xbc", "line 2 is not text" },
	};
	struct attest_rig *rig = make();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		rig->expectation.reference = bad[i].text;
		rig->expectation.reference_bytes = strlen(bad[i].text);
		assert_int_equal(attest_verify(&rig->evidence, &rig->expectation, &rig->result),
				 ATTEST_BAD_REFERENCE);
		assert_string_equal(rig->result.error, bad[i].error);
		assert_false(rig->result.passed);
	}
	attest_rig_destroy(rig);
}

static void bad_roots_are_named(void **state)
{
	struct attest_rig *rig = make();
	static char twice[4096];

	strcpy(twice, rig->root);
	strcat(twice, rig->root);
	rig->expectation.root = twice;
	rig->expectation.root_bytes = 2 * rig->root_bytes;
	assert_int_equal(attest_verify(&rig->evidence, &rig->expectation, &rig->result),
			 ATTEST_BAD_ROOT);
	rig->expectation.root_bytes = rig->root_bytes - 30;
	assert_int_equal(attest_verify(&rig->evidence, &rig->expectation, &rig->result),
			 ATTEST_BAD_ROOT);
	rig->expectation.root_bytes = 0;
	assert_int_equal(attest_verify(&rig->evidence, &rig->expectation, &rig->result),
			 ATTEST_BAD_ROOT);
	assert_false(rig->result.passed);
	attest_rig_destroy(rig);
}

/* -- How it is told ------------------------------------------------------------------------------
 */

static char *shown(const struct attest_result *result, bool json)
{
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	if (json)
		attest_print_json(result, 1, to);
	else
		attest_print_text(result, to);
	fclose(to);
	return text;
}

static void results_are_told(void **state)
{
	struct attest_rig *rig = make();
	char *text;

	assert_true(attest_rig_verify(rig));
	text = shown(&rig->result, false);
	assert_non_null(strstr(text, "  passed       nonce            the one that was sent\n"));
	assert_non_null(strstr(text, "\nattestation passed\n"));
	free(text);
	text = shown(&rig->result, true);
	assert_non_null(strstr(text, "  \"passed\": true\n}\n"));
	assert_non_null(strstr(text, "\"driver_version\": \"535.309.01\""));
	free(text);

	rig->expectation.nonce[0]++;
	assert_false(attest_rig_verify(rig));
	strcpy(rig->result.checks[0].detail, "a \"quoted\" \\ backslash");
	text = shown(&rig->result, false);
	assert_non_null(strstr(text, "  FAILED       nonce "));
	assert_non_null(strstr(text, "\nattestation FAILED: 1 of 14 checks did not pass\n"));
	free(text);
	text = shown(&rig->result, true);
	assert_non_null(strstr(text, "\"a \\\"quoted\\\" \\\\ backslash\""));
	assert_non_null(strstr(text, "  \"passed\": false\n}\n"));
	free(text);
	attest_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_gpu_passes),
		cmocka_unit_test(the_installed_root_is_the_drivers),
		cmocka_unit_test(a_users_own_root_passes),
		cmocka_unit_test(another_root_fails),
		cmocka_unit_test(times_count),
		cmocka_unit_test(certificates_are_whole_and_in_order),
		cmocka_unit_test(a_report_of_another_gpu_fails),
		cmocka_unit_test(no_changed_byte_of_a_report_passes),
		cmocka_unit_test(no_changed_byte_of_a_chain_passes),
		cmocka_unit_test(nothing_cut_or_longer_passes),
		cmocka_unit_test(a_report_is_of_its_nonce),
		cmocka_unit_test(every_digest_counts),
		cmocka_unit_test(what_is_not_on_both_sides_fails),
		cmocka_unit_test(the_fwid_is_the_certificates),
		cmocka_unit_test(malformed_reports_fail),
		cmocka_unit_test(missing_fields_fail),
		cmocka_unit_test(bad_references_are_named),
		cmocka_unit_test(bad_roots_are_named),
		cmocka_unit_test(results_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
