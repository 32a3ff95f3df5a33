// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * attest_rig.h
 */
#include "unit.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "attest_rig.h"

/* -- A root of one's own ------------------------------------------------------------------------
 */

static void extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *make_root(EVP_PKEY *key, const struct attest_rig_root *root)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 535);
	assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), root->from),
			 1);
	assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), root->to), 1);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const u8 *)"somebody's root", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
	extend(certificate, NID_key_usage, "critical,keyCertSign");
	assert_true(X509_sign(certificate, key, EVP_sha384()) > 0);
	return certificate;
}

/* The PEM of a BIO, which is gone then. */
static char *take_text(BIO *bio, size_t *bytes)
{
	char *data, *text;

	*bytes = (size_t)BIO_get_mem_data(bio, &data);
	text = calloc(1, *bytes + 1);
	memcpy(text, data, *bytes);
	BIO_free(bio);
	return text;
}

/* The GPU's certificates are by a root that is made here. */
static void use_own_root(struct attest_rig *rig, const struct attest_rig_root *root)
{
	EVP_PKEY *key = EVP_EC_gen("P-384");
	X509 *certificate = make_root(key, root);
	BIO *bio = BIO_new(BIO_s_mem()), *issuer = BIO_new(BIO_s_mem());
	u8 firmware[SPDM_HASH_BYTES];
	size_t bytes;
	char *text;

	memset(firmware, 0xf1, sizeof(firmware)); /* as spdm_rig has it */
	PEM_write_bio_X509(bio, certificate);
	PEM_write_bio_X509(issuer, certificate);
	PEM_write_bio_PrivateKey(issuer, key, NULL, NULL, 0, NULL, NULL);
	rig->root = take_text(bio, &rig->root_bytes);
	text = take_text(issuer, &bytes);
	assert_int_equal(spdm_identity_create(&rig->spdm.identity, text, (u32)bytes, 0, firmware),
			 NV_OK);
	free(text);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void use_test_root(struct attest_rig *rig)
{
	const u8 *from = rm_spdm_test_root;
	X509 *certificate = d2i_X509(NULL, &from, (long)rm_spdm_test_root_bytes);
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, certificate);
	rig->root = take_text(bio, &rig->root_bytes);
	X509_free(certificate);
}

/* -- Evidence -----------------------------------------------------------------------------------
 */

static void write_reference(struct attest_rig *rig)
{
	static const char *const what[] = { "boot firmware\t-", "firmware\t-", "profile\tthis",
					    "scenario\tsome" };
	char *to = rig->reference;
	u32 i, k;

	to += sprintf(to, "# what a GPU of the tests measures\n\n3\tprofile\tother\t%096d\n", 0);
	for (i = 0; i < ARRAY_SIZE(what); i++) {
		to += sprintf(to, "%u\t%s\t", i + 1, what[i]);
		for (k = 0; k < SPDM_HASH_BYTES; k++)
			to += sprintf(to, "%02x", rig->spdm.measures.value[i][k]);
		to += sprintf(to, "\n");
	}
	to += sprintf(to, "fwid\tfirmware\t-\t");
	for (k = 0; k < SPDM_HASH_BYTES; k++)
		to += sprintf(to, "%02X", 0xf1);
	sprintf(to, "\ndriver\tversion\t-\t535.309.01\nvbios\tversion\tother\t96.00.30.00.01\n"
		    "vbios\tversion\tthis\t96.00.74.00.01\n");
}

void attest_rig_ask(struct attest_rig *rig)
{
	assert_int_equal(rm_spdm_attest(rig->spdm.requester, rig->expectation.nonce, rig->report,
					sizeof(rig->report), &rig->report_bytes),
			 NV_OK);
	rig->evidence.report_bytes = rig->report_bytes;
}

static void bring_up(struct attest_rig *rig)
{
	assert_int_equal(rm_spdm_start(rig->spdm.requester), NV_OK);
	attest_rig_ask(rig);
	assert_int_equal(rm_spdm_certificates(rig->spdm.requester, rig->chain, sizeof(rig->chain),
					      &rig->chain_bytes),
			 NV_OK);
}

void attest_rig_create(struct attest_rig *rig, const struct attest_rig_root *root)
{
	u8 *to = rig->root_der;
	X509 *trusted;
	BIO *bio;
	u32 i;

	memset(rig, 0, sizeof(*rig));
	if (root)
		use_own_root(rig, root);
	else
		use_test_root(rig);
	bio = BIO_new_mem_buf(rig->root, (int)rig->root_bytes);
	trusted = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	i2d_X509(trusted, &to);
	assert_true(spdm_rig_create(&rig->spdm, rig->root_der, (u32)(to - rig->root_der)));
	X509_free(trusted);
	BIO_free(bio);
	for (i = 0; i < ATTEST_NONCE_BYTES; i++)
		rig->expectation.nonce[i] = (u8)(7 * i + 1);
	bring_up(rig);
	write_reference(rig);
	rig->evidence = (struct attest_evidence){
		.report = rig->report,
		.report_bytes = rig->report_bytes,
		.chain = rig->chain,
		.chain_bytes = rig->chain_bytes,
	};
	rig->expectation.root = rig->root;
	rig->expectation.root_bytes = rig->root_bytes;
	rig->expectation.reference = rig->reference;
	rig->expectation.reference_bytes = strlen(rig->reference);
	rig->expectation.time = (u64)time(NULL);
}

void attest_rig_destroy(struct attest_rig *rig)
{
	spdm_rig_destroy(&rig->spdm);
	free(rig->root);
}

void attest_rig_sign(struct attest_rig *rig)
{
	size_t bytes = rig->evidence.report_bytes - SPDM_SIGNATURE_BYTES, size = 128;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	u8 der[128], *to = rig->report + bytes;
	const u8 *from = der;
	ECDSA_SIG *sig;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, rig->spdm.identity.key),
			 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &size, rig->report, bytes), 1);
	sig = d2i_ECDSA_SIG(NULL, &from, (long)size);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), to, SPDM_SIGNATURE_BYTES / 2);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), to + SPDM_SIGNATURE_BYTES / 2,
		     SPDM_SIGNATURE_BYTES / 2);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

/* -- Judging it ---------------------------------------------------------------------------------
 */

bool attest_rig_verify(struct attest_rig *rig)
{
	bool failed = false, passed = true;
	u32 i;

	assert_int_equal(attest_verify(&rig->evidence, &rig->expectation, &rig->result),
			 ATTEST_DONE);
	assert_in_range(rig->result.check_count, 11, ATTEST_CHECKS_MAX);
	for (i = 0; i < rig->result.check_count; i++) {
		failed |= rig->result.checks[i].outcome == ATTEST_FAILED;
		passed &= rig->result.checks[i].outcome == ATTEST_PASSED;
		assert_true(strlen(rig->result.checks[i].detail) > 0);
	}
	assert_int_equal(rig->result.passed, passed);
	assert_int_equal(failed, !passed);
	return rig->result.passed;
}

enum attest_outcome attest_rig_outcome(const struct attest_rig *rig, const char *check)
{
	u32 i;

	for (i = 0; i < rig->result.check_count; i++)
		if (strcmp(rig->result.checks[i].name, check) == 0)
			return rig->result.checks[i].outcome;
	fail_msg("no check is named %s", check);
	return ATTEST_NOT_CHECKED;
}
