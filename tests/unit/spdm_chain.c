// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Whose GPU the driver talks to: certificate chains that it must take and ones that it must not,
 * made by libcrypto. With each bad one everything else is as it should be.
 */
#include "unit.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "os/x509.h"
#include "spdm_rig.h"

#define CHAIN_MAX 6u

/* One certificate of a chain; what is left out is as it should be. */
struct spec {
	const char *usage; /* "critical,..." */
	const char *basic;
	const char *from, *to;
	const char *curve;
	const EVP_MD *(*digest)(void);
	const char *issuer; /* the name of one that did not issue it */
	bool foreign;	    /* signed by another key */
};

struct made {
	X509 *certificate;
	EVP_PKEY *key;
};

static void extend(X509 *certificate, X509 *by, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, by, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void name(X509_NAME *to, const char *text)
{
	assert_int_equal(
		X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC, (const u8 *)text, -1, -1, 0), 1);
}

/* by NULL: a root. last: a GPU's own. */
static struct made make(const struct spec *spec, const char *subject, const struct made *by,
			bool last)
{
	struct made m = { X509_new(), EVP_EC_gen(spec->curve ? spec->curve : "P-384") };
	EVP_PKEY *foreign = EVP_EC_gen("P-384");
	const struct made *issuer = by ? by : &m;

	assert_non_null(m.key);
	X509_set_version(m.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(m.certificate), 77);
	ASN1_TIME_set_string_X509(X509_getm_notBefore(m.certificate),
				  spec->from ? spec->from : "20200101000000Z");
	ASN1_TIME_set_string_X509(X509_getm_notAfter(m.certificate),
				  spec->to ? spec->to : "99991231235959Z");
	name(X509_get_subject_name(m.certificate), subject);
	X509_set_pubkey(m.certificate, m.key);
	if (spec->issuer)
		name(X509_get_issuer_name(m.certificate), spec->issuer);
	else
		X509_set_issuer_name(m.certificate, X509_get_subject_name(issuer->certificate));
	extend(m.certificate, issuer->certificate, NID_basic_constraints,
	       spec->basic ? spec->basic : (last ? "critical,CA:FALSE" : "critical,CA:TRUE"));
	extend(m.certificate, issuer->certificate, NID_key_usage,
	       spec->usage ? spec->usage
			   : (last ? "critical,digitalSignature" : "critical,keyCertSign"));
	assert_true(X509_sign(m.certificate, spec->foreign ? foreign : issuer->key,
			      spec->digest ? spec->digest() : EVP_sha384()) > 0);
	EVP_PKEY_free(foreign);
	return m;
}

/* -- A GPU with such a chain ------------------------------------------------------------------- */

struct chain {
	struct made made[CHAIN_MAX];
	u32 count;
	u8 root[2048];
	u32 root_bytes;
};

/* root first; count specs. */
static void make_chain(struct chain *c, const struct spec *specs, u32 count)
{
	u8 *to = c->root;
	u32 i;

	memset(c, 0, sizeof(*c));
	c->count = count;
	for (i = 0; i < count; i++) {
		char subject[16] = "level 0";

		subject[6] = (char)('0' + i);
		c->made[i] = make(&specs[i], subject, i ? &c->made[i - 1] : NULL, i == count - 1);
	}
	c->root_bytes = (u32)i2d_X509(c->made[0].certificate, &to);
}

static void free_chain(struct chain *c)
{
	u32 i;

	for (i = 0; i < c->count; i++) {
		X509_free(c->made[i].certificate);
		EVP_PKEY_free(c->made[i].key);
	}
}

/* The certificates of these levels, as the GPU hands them out; tail: bytes more, or fewer. */
static void make_identity(struct spdm_identity *identity, const struct chain *c, const u32 *levels,
			  u32 count, int tail)
{
	SPDM_CERT_CHAIN *header = (SPDM_CERT_CHAIN *)identity->chain;
	u8 *to = (u8 *)(header + 1);
	u32 i;

	memset(identity, 0, sizeof(*identity));
	identity->key = c->made[c->count - 1].key;
	EVP_PKEY_up_ref(identity->key);
	EVP_Digest(c->root, c->root_bytes, header->RootHash, NULL, EVP_sha384(), NULL);
	for (i = 0; i < count; i++)
		assert_true(i2d_X509(c->made[levels[i]].certificate, &to) > 0);
	identity->chain_bytes = (u32)(to - identity->chain + tail);
	header->Length = (u16)identity->chain_bytes;
	EVP_Digest(identity->chain, identity->chain_bytes, identity->chain_digest, NULL,
		   EVP_sha384(), NULL);
}

/* The reader that the modules have says the same of the certificates as libcrypto. */
static void judge_by_own_reader(const struct spdm_identity *identity, const void *root,
				u32 root_bytes)
{
	const u8 *certificates = identity->chain + sizeof(SPDM_CERT_CHAIN);
	u8 own[OS_P384_POINT_SIZE], library[OS_P384_POINT_SIZE];
	u64 now = os_time_real_ns() / 1000000000u;
	size_t bytes;

	if (!root || identity->chain_bytes < sizeof(SPDM_CERT_CHAIN))
		return;
	bytes = identity->chain_bytes - sizeof(SPDM_CERT_CHAIN);
	assert_int_equal(x509_verify_chain(root, root_bytes, certificates, bytes, now, own),
			 os_x509_verify_chain(root, root_bytes, certificates, bytes, now, library));
	assert_memory_equal(own, library, sizeof(own));
}

/* What a driver that trusts the root makes of it. */
static enum rm_spdm_fault judge_identity(struct spdm_identity *identity, const void *root,
					 u32 root_bytes)
{
	static struct spdm_rig rig;
	enum rm_spdm_fault fault;
	enum nv_status status;
	u8 secret[SPDM_HASH_BYTES];

	judge_by_own_reader(identity, root, root_bytes);
	memset(&rig, 0, sizeof(rig));
	rig.identity = *identity;
	assert_true(spdm_rig_create(&rig, root, root_bytes));
	status = rm_spdm_start(rig.requester);
	fault = rm_spdm_fault(rig.requester);
	if (fault != RM_SPDM_FAULT_NONE) {
		assert_int_equal(status, NV_ERR_INVALID_DATA);
		assert_false(rm_spdm_established(rig.requester));
		assert_int_equal(rm_spdm_take_secret(rig.requester, secret), NV_ERR_NOT_READY);
		assert_int_equal(rig.established, 0);
	} else {
		assert_int_equal(status, NV_OK);
	}
	spdm_rig_destroy(&rig);
	return fault;
}

static enum rm_spdm_fault judge(const struct chain *c, const u32 *levels, u32 count, int tail)
{
	struct spdm_identity identity;

	make_identity(&identity, c, levels, count, tail);
	return judge_identity(&identity, c->root, c->root_bytes);
}

static const u32 in_order[] = { 1, 2, 3, 4, 5 };

/* Root, two issuers, a GPU; the one at that level is made after spec. */
static enum rm_spdm_fault judge_spec(u32 level, struct spec spec)
{
	struct spec specs[4] = { { 0 } };
	enum rm_spdm_fault fault;
	struct chain c;

	specs[level] = spec;
	make_chain(&c, specs, 4);
	fault = judge(&c, in_order, 3, 0);
	free_chain(&c);
	return fault;
}

/* -- Good ones --------------------------------------------------------------------------------- */

static void chains_of_any_length_are_taken(void **state)
{
	static const u32 with_root[] = { 0, 1, 2, 3 };
	struct spec specs[CHAIN_MAX] = { { 0 } };
	struct chain c;
	u32 count;

	for (count = 2; count <= CHAIN_MAX; count++) {
		make_chain(&c, specs, count);
		assert_int_equal(judge(&c, in_order, count - 1, 0), RM_SPDM_FAULT_NONE);
		free_chain(&c);
	}
	make_chain(&c, specs, 4);
	assert_int_equal(judge(&c, with_root, 4, 0), RM_SPDM_FAULT_NONE);
	free_chain(&c);
}

/* A user's own issuer, given to the GPU as PEM. */
static void a_users_issuer_is_taken(void **state)
{
	static const u8 fwid[SPDM_HASH_BYTES];
	struct spec specs[3] = { { 0 } };
	struct spdm_identity identity;
	struct chain c;
	BIO *bio;
	char *pem;
	long bytes;
	u32 cut;

	specs[2].basic = "critical,CA:TRUE";
	specs[2].usage = "critical,keyCertSign";
	make_chain(&c, specs, 3);
	bio = BIO_new(BIO_s_mem());
	for (cut = 0; cut < 3; cut++)
		PEM_write_bio_X509(bio, c.made[cut].certificate);
	PEM_write_bio_PrivateKey(bio, c.made[2].key, NULL, NULL, 0, NULL, NULL);
	bytes = BIO_get_mem_data(bio, &pem);
	assert_int_equal(spdm_identity_create(&identity, pem, (u32)bytes, 0, fwid), NV_OK);
	assert_int_equal(judge_identity(&identity, c.root, c.root_bytes), RM_SPDM_FAULT_NONE);

	/* Trusted is the user's root, not the project's. */
	assert_int_equal(spdm_identity_create(&identity, pem, (u32)bytes, 0, fwid), NV_OK);
	assert_int_equal(judge_identity(&identity, NULL, 0), RM_SPDM_FAULT_CHAIN);
	assert_int_equal(spdm_identity_create(&identity, NULL, 0, 0, fwid), NV_OK);
	assert_int_equal(judge_identity(&identity, c.root, c.root_bytes), RM_SPDM_FAULT_CHAIN);

	/* What is no issuer. */
	for (cut = 0; cut < (u32)bytes - 10; cut += 211)
		assert_int_equal(spdm_identity_create(&identity, pem, cut, 0, fwid),
				 NV_ERR_INVALID_ARGUMENT);
	BIO_reset(bio);
	PEM_write_bio_X509(bio, c.made[0].certificate);
	PEM_write_bio_X509(bio, c.made[2].certificate); /* not signed by it */
	PEM_write_bio_PrivateKey(bio, c.made[2].key, NULL, NULL, 0, NULL, NULL);
	bytes = BIO_get_mem_data(bio, &pem);
	assert_int_equal(spdm_identity_create(&identity, pem, (u32)bytes, 0, fwid),
			 NV_ERR_INVALID_ARGUMENT);
	BIO_reset(bio);
	PEM_write_bio_X509(bio, c.made[0].certificate);
	PEM_write_bio_PrivateKey(bio, c.made[1].key, NULL, NULL, 0, NULL, NULL); /* another's */
	bytes = BIO_get_mem_data(bio, &pem);
	assert_int_equal(spdm_identity_create(&identity, pem, (u32)bytes, 0, fwid),
			 NV_ERR_INVALID_ARGUMENT);
	BIO_free(bio);
	free_chain(&c);
}

/* -- Bad ones ---------------------------------------------------------------------------------- */

static void certificates_have_their_time(void **state)
{
	u32 level;

	for (level = 0; level < 4; level++) {
		assert_int_equal(judge_spec(level, (struct spec){ .to = "20240101000000Z" }),
				 RM_SPDM_FAULT_CHAIN);
		assert_int_equal(judge_spec(level, (struct spec){ .from = "21000101000000Z" }),
				 RM_SPDM_FAULT_CHAIN);
	}
}

static void issuers_must_be_authorities(void **state)
{
	u32 level;

	for (level = 1; level < 3; level++) {
		assert_int_equal(judge_spec(level, (struct spec){ .basic = "critical,CA:FALSE" }),
				 RM_SPDM_FAULT_CHAIN);
		assert_int_equal(
			judge_spec(level, (struct spec){ .usage = "critical,digitalSignature" }),
			RM_SPDM_FAULT_CHAIN);
	}
	assert_int_equal(judge_spec(1, (struct spec){ .basic = "critical,CA:TRUE,pathlen:0" }),
			 RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge_spec(1, (struct spec){ .basic = "critical,CA:TRUE,pathlen:1" }),
			 RM_SPDM_FAULT_NONE);
}

static void the_gpus_key_must_be_one_that_signs(void **state)
{
	assert_int_equal(judge_spec(3, (struct spec){ .usage = "critical,keyAgreement" }),
			 RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge_spec(3, (struct spec){ .usage = "critical,digitalSignature,"
							       "keyAgreement" }),
			 RM_SPDM_FAULT_NONE);
}

static void signatures_must_be_the_issuers(void **state)
{
	u32 level;

	for (level = 1; level < 4; level++) {
		assert_int_equal(judge_spec(level, (struct spec){ .foreign = true }),
				 RM_SPDM_FAULT_CHAIN);
		assert_int_equal(judge_spec(level, (struct spec){ .issuer = "nobody" }),
				 RM_SPDM_FAULT_CHAIN);
	}
}

static void weaker_algorithms_are_not_taken(void **state)
{
	u32 level;

	for (level = 0; level < 4; level++)
		assert_int_equal(judge_spec(level, (struct spec){ .digest = EVP_sha256 }),
				 RM_SPDM_FAULT_CHAIN);
	for (level = 1; level < 3; level++)
		assert_int_equal(judge_spec(level, (struct spec){ .curve = "P-256" }),
				 RM_SPDM_FAULT_CHAIN);
}

static void chains_are_whole_and_in_order(void **state)
{
	static const u32 swapped[] = { 2, 1, 3 }, gap[] = { 1, 3 }, no_owner[] = { 1, 2 },
			 twice[] = { 1, 1, 2, 3 }, backwards[] = { 3, 2, 1 },
			 more[] = { 1, 2, 3, 0 };
	struct spec specs[4] = { { 0 } };
	struct spdm_identity identity;
	struct chain c, other;
	u32 i;

	make_chain(&c, specs, 4);
	make_chain(&other, specs, 4);
	assert_int_equal(judge(&c, in_order, 3, 0), RM_SPDM_FAULT_NONE);
	assert_int_equal(judge(&c, swapped, 3, 0), RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge(&c, gap, 2, 0), RM_SPDM_FAULT_CHAIN);
	/* A chain to an issuer is one, but what is signed is not by its key. */
	assert_int_not_equal(judge(&c, no_owner, 2, 0), RM_SPDM_FAULT_NONE);
	assert_int_equal(judge(&c, twice, 4, 0), RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge(&c, backwards, 3, 0), RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge(&c, more, 4, 0), RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge(&c, in_order, 0, 0), RM_SPDM_FAULT_CHAIN);
	for (i = 1; i < 400; i += 57)
		assert_int_equal(judge(&c, in_order, 3, -(int)i), RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge(&c, in_order, 3, 1), RM_SPDM_FAULT_CHAIN);
	assert_int_equal(judge(&c, in_order, 3, 100), RM_SPDM_FAULT_CHAIN);

	/* Another root of the same names, and its digest over this one's chain. */
	make_identity(&identity, &c, in_order, 3, 0);
	assert_int_equal(judge_identity(&identity, other.root, other.root_bytes),
			 RM_SPDM_FAULT_CHAIN);
	make_identity(&identity, &c, in_order, 3, 0);
	EVP_Digest(other.root, other.root_bytes, ((SPDM_CERT_CHAIN *)identity.chain)->RootHash,
		   NULL, EVP_sha384(), NULL);
	EVP_Digest(identity.chain, identity.chain_bytes, identity.chain_digest, NULL, EVP_sha384(),
		   NULL);
	assert_int_equal(judge_identity(&identity, other.root, other.root_bytes),
			 RM_SPDM_FAULT_CHAIN);

	/* A length that is not the chain's, and a digest that is not. */
	make_identity(&identity, &c, in_order, 3, 0);
	((SPDM_CERT_CHAIN *)identity.chain)->Length--;
	EVP_Digest(identity.chain, identity.chain_bytes, identity.chain_digest, NULL, EVP_sha384(),
		   NULL);
	assert_int_equal(judge_identity(&identity, c.root, c.root_bytes), RM_SPDM_FAULT_CHAIN);
	make_identity(&identity, &c, in_order, 3, 0);
	identity.chain_digest[0] ^= 1;
	assert_int_equal(judge_identity(&identity, c.root, c.root_bytes), RM_SPDM_FAULT_CHAIN);

	/* Somebody else's certificates, without the key. */
	make_identity(&identity, &c, in_order, 3, 0);
	EVP_PKEY_free(identity.key);
	identity.key = other.made[3].key;
	EVP_PKEY_up_ref(identity.key);
	assert_int_equal(judge_identity(&identity, c.root, c.root_bytes), RM_SPDM_FAULT_SIGNATURE);
	free_chain(&c);
	free_chain(&other);
}

/* What the driver trusts is itself a certificate, and nothing behind it. */
static void a_root_that_is_none_trusts_nobody(void **state)
{
	struct spec specs[3] = { { 0 } };
	struct spdm_identity identity;
	struct chain c;

	make_chain(&c, specs, 3);
	c.root_bytes--;
	assert_int_equal(judge(&c, in_order, 2, 0), RM_SPDM_FAULT_CHAIN);
	c.root_bytes += 2;
	assert_int_equal(judge(&c, in_order, 2, 0), RM_SPDM_FAULT_CHAIN);
	c.root_bytes = 0;
	make_identity(&identity, &c, in_order, 2, 0);
	assert_int_equal(judge_identity(&identity, c.root, 0), RM_SPDM_FAULT_CHAIN);
	free_chain(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_of_any_length_are_taken),
		cmocka_unit_test(a_users_issuer_is_taken),
		cmocka_unit_test(certificates_have_their_time),
		cmocka_unit_test(issuers_must_be_authorities),
		cmocka_unit_test(the_gpus_key_must_be_one_that_signs),
		cmocka_unit_test(signatures_must_be_the_issuers),
		cmocka_unit_test(weaker_algorithms_are_not_taken),
		cmocka_unit_test(chains_are_whole_and_in_order),
		cmocka_unit_test(a_root_that_is_none_trusts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
