// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Certificates of os/crypto.h, and the project's own reader of them (os/x509.h), which the kernel
 * has in libcrypto's place: chains that are made here by libcrypto, whole and broken in every way
 * that a chain can be, are judged by both, which must agree.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "os/x509.h"
#include "os_crypto.h"
#include "x509_answers.h"

#define DAY 86400
#define NOW 1700000000u

/* -- Both -------------------------------------------------------------------------------------- */

static enum nv_status verify(const void *root, size_t root_size, const void *chain,
			     size_t chain_size, u64 time, u8 point[OS_P384_POINT_SIZE])
{
	u8 own[OS_P384_POINT_SIZE];
	enum nv_status status;

	memset(own, 0xa5, sizeof(own));
	status = os_x509_verify_chain(root, root_size, chain, chain_size, time, point);
	assert_int_equal(x509_verify_chain(root, root_size, chain, chain_size, time, own), status);
	assert_memory_equal(own, point, sizeof(own));
	return status;
}

static enum nv_status public_key(const void *certificate, size_t size, u8 point[OS_P384_POINT_SIZE])
{
	u8 own[OS_P384_POINT_SIZE];
	enum nv_status status;

	memset(own, 0xa5, sizeof(own));
	status = os_x509_public_key(certificate, size, point);
	assert_int_equal(x509_public_key(certificate, size, own), status);
	assert_memory_equal(own, point, sizeof(own));
	return status;
}

/* -- Certificates ------------------------------------------------------------------------------ */

struct certificate {
	EVP_PKEY *key;
	X509 *x509;
	u8 der[2048];
	size_t size;
};

/* How one differs from what is right. */
struct recipe {
	const char *name;
	const char *group;     /* of its key; NULL: P-384 */
	const EVP_MD *md;      /* its issuer signs with; NULL: SHA-384 */
	const char *basic;     /* constraints; NULL: an authority */
	const char *key_usage; /* NULL: keyCertSign */
	const char *critical;  /* an extension that nobody knows */
	long from, to;	       /* seconds from NOW; 0, 0: a day before and after */
};

static const struct recipe root_recipe = { "Root" }, middle_recipe = { "Middle" },
			   leaf_recipe = { "Leaf", .basic = "CA:FALSE",
					   .key_usage = "digitalSignature" };

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void add_unknown(X509 *x509, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(value, (const u8 *)"\x05", 2);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

/* issuer NULL: signs itself. */
static struct certificate certify(const struct recipe *r, const struct certificate *issuer)
{
	struct certificate c = { 0 };
	X509_NAME *name = X509_NAME_new();
	u8 *der = c.der;
	X509 *by;
	int size;

	c.key = EVP_EC_gen(r->group ? r->group : "P-384");
	c.x509 = X509_new();
	by = issuer ? issuer->x509 : c.x509;
	X509_set_version(c.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), 1);
	ASN1_TIME_set(X509_getm_notBefore(c.x509), NOW + (r->from || r->to ? r->from : -DAY));
	ASN1_TIME_set(X509_getm_notAfter(c.x509), NOW + (r->from || r->to ? r->to : DAY));
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const u8 *)r->name, -1, -1, 0);
	X509_set_subject_name(c.x509, name);
	X509_set_issuer_name(c.x509, issuer ? X509_get_subject_name(by) : name);
	X509_set_pubkey(c.x509, c.key);
	add_extension(c.x509, by, NID_basic_constraints, r->basic ? r->basic : "critical,CA:TRUE");
	add_extension(c.x509, by, NID_key_usage, r->key_usage ? r->key_usage : "keyCertSign");
	if (r->critical)
		add_unknown(c.x509, r->critical);
	assert_true(X509_sign(c.x509, issuer ? issuer->key : c.key, r->md ? r->md : EVP_sha384()));
	X509_NAME_free(name);
	size = i2d_X509(c.x509, NULL);
	assert_true(size > 0 && (size_t)size <= sizeof(c.der));
	c.size = (size_t)i2d_X509(c.x509, &der);
	return c;
}

static void discard(struct certificate *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

static void point_of(const struct certificate *c, u8 point[OS_P384_POINT_SIZE])
{
	u8 *encoded = NULL;

	assert_int_equal(EVP_PKEY_get1_encoded_public_key(c->key, &encoded),
			 OS_P384_POINT_SIZE + 1);
	memcpy(point, encoded + 1, OS_P384_POINT_SIZE);
	OPENSSL_free(encoded);
}

/* The last argument is followed by the chain's certificates, the root's side first, and NULL. */
static enum nv_status verify_chain(const struct certificate *root, u64 time, u8 *point, ...)
{
	const struct certificate *c;
	enum nv_status status;
	u8 chain[32768];
	size_t size = 0;
	va_list ap;

	va_start(ap, point);
	while ((c = va_arg(ap, const struct certificate *))) {
		assert_true(size + c->size <= sizeof(chain));
		memcpy(chain + size, c->der, c->size);
		size += c->size;
	}
	va_end(ap);
	memset(point, 0xa5, OS_P384_POINT_SIZE);
	status = verify(root->der, root->size, chain, size, time, point);
	assert_int_equal(all_zero(point, OS_P384_POINT_SIZE), status != NV_OK);
	return status;
}

static void test_chain(void **state)
{
	struct certificate root = certify(&root_recipe, NULL);
	struct certificate middle = certify(&middle_recipe, &root);
	struct certificate leaf = certify(&leaf_recipe, &middle);
	u8 point[OS_P384_POINT_SIZE], want[OS_P384_POINT_SIZE];

	point_of(&leaf, want);
	assert_int_equal(public_key(leaf.der, leaf.size, point), NV_OK);
	assert_memory_equal(point, want, sizeof(want));
	assert_int_equal(verify_chain(&root, NOW, point, &root, &middle, &leaf, NULL), NV_OK);
	assert_memory_equal(point, want, sizeof(want));
	assert_int_equal(verify_chain(&root, NOW, point, &middle, &leaf, NULL), NV_OK);
	assert_memory_equal(point, want, sizeof(want));
	assert_int_equal(verify_chain(&middle, NOW, point, &leaf, NULL), NV_OK);
	assert_int_equal(verify_chain(&middle, NOW, point, &middle, &leaf, NULL), NV_OK);
	/* A root is no owner: its key certifies and signs nothing else. */
	assert_int_equal(verify_chain(&root, NOW, point, &root, NULL), NV_ERR_INVALID_DATA);
	/* The times that all hold at */
	assert_int_equal(verify_chain(&root, NOW - DAY, point, &middle, &leaf, NULL), NV_OK);
	assert_int_equal(verify_chain(&root, NOW + DAY - 1, point, &middle, &leaf, NULL), NV_OK);
	assert_int_equal(verify_chain(&root, NOW - DAY - 1, point, &middle, &leaf, NULL),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW + DAY + 1, point, &middle, &leaf, NULL),
			 NV_ERR_INVALID_DATA);
	/* Not in order, not complete, not alone */
	assert_int_equal(verify_chain(&root, NOW, point, NULL), NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &leaf, NULL), NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &root, &leaf, NULL), NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &leaf, &middle, NULL),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &middle, &root, &leaf, NULL),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &middle, &middle, &leaf, NULL),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &root, &root, &middle, &leaf, NULL),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&middle, NOW, point, &root, &middle, &leaf, NULL),
			 NV_ERR_INVALID_DATA);
	discard(&root);
	discard(&middle);
	discard(&leaf);
}

/* Another's certificates of the same names. */
static void test_other_root(void **state)
{
	struct certificate root = certify(&root_recipe, NULL), fake = certify(&root_recipe, NULL);
	struct certificate leaf = certify(&leaf_recipe, &root);
	struct certificate forged = certify(&leaf_recipe, &fake);
	u8 point[OS_P384_POINT_SIZE];

	assert_int_equal(verify_chain(&root, NOW, point, &leaf, NULL), NV_OK);
	assert_int_equal(verify_chain(&root, NOW, point, &forged, NULL), NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &fake, &forged, NULL),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&root, NOW, point, &root, &fake, &forged, NULL),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify_chain(&fake, NOW, point, &leaf, NULL), NV_ERR_INVALID_DATA);
	discard(&root);
	discard(&fake);
	discard(&leaf);
	discard(&forged);
}

/* One certificate of a chain of three is not as it must be. */
static void test_wrong_certificates(void **state)
{
	static const struct recipe wrong[] = {
		{ "no authority", .basic = "CA:FALSE" },
		{ "may not sign", .key_usage = "digitalSignature" },
		{ "over", .from = -2 * DAY, .to = -1 },
		{ "not yet", .from = 10, .to = DAY },
		{ "P-256", .group = "P-256" },
		{ "SHA-256", .md = NULL }, /* filled in below */
		{ "unknown and critical", .critical = "1.3.6.1.4.1.99999.1" },
	};
	static const struct recipe no_signer = { "Leaf", .basic = "CA:FALSE",
						 .key_usage = "keyAgreement" };
	struct recipe recipe;
	struct certificate root = certify(&root_recipe, NULL), middle, leaf;
	u8 point[OS_P384_POINT_SIZE];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		recipe = wrong[i];
		if (strcmp(recipe.name, "SHA-256") == 0)
			recipe.md = EVP_sha256();
		middle = certify(&recipe, &root);
		leaf = certify(&leaf_recipe, &middle);
		if (verify_chain(&root, NOW, point, &middle, &leaf, NULL) != NV_ERR_INVALID_DATA)
			fail_msg("a chain with one that is %s was taken", recipe.name);
		discard(&leaf);
		discard(&middle);
		if (recipe.basic || recipe.key_usage)
			continue; /* as leaf it is right */
		middle = certify(&middle_recipe, &root);
		leaf = certify(&recipe, &middle);
		if (verify_chain(&root, NOW, point, &middle, &leaf, NULL) != NV_ERR_INVALID_DATA)
			fail_msg("a leaf that is %s was taken", recipe.name);
		discard(&leaf);
		discard(&middle);
	}
	leaf = certify(&no_signer, &root);
	assert_int_equal(verify_chain(&root, NOW, point, &leaf, NULL), NV_ERR_INVALID_DATA);
	discard(&leaf);
	discard(&root);
}

static void test_path_length(void **state)
{
	struct recipe short_path = { "Root", .basic = "critical,CA:TRUE,pathlen:0" };
	struct certificate root = certify(&short_path, NULL);
	struct certificate middle = certify(&middle_recipe, &root);
	struct certificate leaf = certify(&leaf_recipe, &middle),
			   near = certify(&leaf_recipe, &root);
	u8 point[OS_P384_POINT_SIZE];

	assert_int_equal(verify_chain(&root, NOW, point, &near, NULL), NV_OK);
	assert_int_equal(verify_chain(&root, NOW, point, &middle, &leaf, NULL),
			 NV_ERR_INVALID_DATA);
	discard(&root);
	discard(&middle);
	discard(&leaf);
	discard(&near);
}

static void test_long_chain(void **state)
{
	struct certificate c[OS_X509_CHAIN_MAX + 2];
	char names[OS_X509_CHAIN_MAX + 2][8];
	u8 chain[32768], point[OS_P384_POINT_SIZE];
	size_t size = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		struct recipe r = { names[i], .key_usage = "keyCertSign,digitalSignature" };

		snprintf(names[i], sizeof(names[i]), "%u", i);
		c[i] = certify(&r, i ? &c[i - 1] : NULL);
	}
	for (i = 1; i < ARRAY_SIZE(c); i++) {
		memcpy(chain + size, c[i].der, c[i].size);
		size += c[i].size;
		assert_int_equal(verify(c[0].der, c[0].size, chain, size, NOW, point),
				 i <= OS_X509_CHAIN_MAX ? NV_OK : NV_ERR_INVALID_DATA);
	}
	for (i = 0; i < ARRAY_SIZE(c); i++)
		discard(&c[i]);
}

/* The bytes of a chain are somebody's who signed them. */
static void test_changed_bytes(void **state)
{
	struct certificate root = certify(&root_recipe, NULL);
	struct certificate leaf = certify(&leaf_recipe, &root);
	u8 point[OS_P384_POINT_SIZE], with_more[2050];
	size_t i;

	for (i = 0; i < leaf.size; i += 3) {
		leaf.der[i] ^= (u8)(1u << i % 8);
		assert_int_equal(verify(root.der, root.size, leaf.der, leaf.size, NOW, point),
				 NV_ERR_INVALID_DATA);
		leaf.der[i] ^= (u8)(1u << i % 8);
	}
	for (i = 0; i < leaf.size; i += 5) {
		assert_int_equal(verify(root.der, root.size, leaf.der, i, NOW, point),
				 NV_ERR_INVALID_DATA);
		assert_int_equal(public_key(leaf.der, i, point), NV_ERR_INVALID_DATA);
		assert_int_equal(
			verify(root.der, i < root.size ? i : 0, leaf.der, leaf.size, NOW, point),
			NV_ERR_INVALID_DATA);
	}
	memcpy(with_more, leaf.der, leaf.size);
	with_more[leaf.size] = 0;
	assert_int_equal(verify(root.der, root.size, with_more, leaf.size + 1, NOW, point),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(public_key(with_more, leaf.size + 1, point), NV_ERR_INVALID_DATA);
	memcpy(with_more, root.der, root.size);
	with_more[root.size] = 0;
	assert_int_equal(verify(with_more, root.size + 1, leaf.der, leaf.size, NOW, point),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(verify(root.der, root.size, leaf.der, leaf.size, NOW, point), NV_OK);
	discard(&root);
	discard(&leaf);
}

static void test_keys_of_other_kinds(void **state)
{
	struct recipe other = { "P-256", .group = "P-256" };
	struct certificate c = certify(&other, NULL);
	u8 point[OS_P384_POINT_SIZE];

	memset(point, 1, sizeof(point));
	assert_int_equal(public_key(c.der, c.size, point), NV_ERR_INVALID_DATA);
	assert_true(all_zero(point, sizeof(point)));
	assert_int_equal(verify_chain(&c, NOW, point, &c, NULL), NV_ERR_INVALID_DATA);
	discard(&c);
}

/* -- What the own reader knows ----------------------------------------------------------------- */

/* An extension by its OID and raw value. */
static void add_raw(X509 *x509, const char *oid, bool critical, const char *value)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	struct bytes raw = hex(value);
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(octets, raw.data, (int)raw.size);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(object);
}

static void sign_again(struct certificate *c, const struct certificate *issuer)
{
	u8 *der = c->der;

	assert_true(X509_sign(c->x509, issuer->key, EVP_sha384()));
	assert_true((size_t)i2d_X509(c->x509, NULL) <= sizeof(c->der));
	c->size = (size_t)i2d_X509(c->x509, &der);
}

/*
 * One extension more in the owner's certificate. What a GPU's certificates have both take; what
 * the own reader does not know it refuses, whether libcrypto takes it or not.
 */
static void test_extensions(void **state)
{
	static const struct {
		const char *oid, *value;
		bool critical, taken, taken_by_library;
	} extensions[] = {
		/* subject key id, its size within; of no bytes, with something behind it */
		{ "2.5.29.14", "0403010203", false, true, true },
		{ "2.5.29.14", "0403010203", true, false, false },
		{ "2.5.29.14", "0400", false, false, true },
		{ "2.5.29.14", "04010100", false, false, true },
		/* authority key id: the issuer has none to compare it with */
		{ "2.5.29.35", "30058003010203", false, true, true },
		{ "2.5.29.35", "3000", false, false, true },
		{ "2.5.29.35", "3006800301020300", false, false, false },
		{ "2.5.29.35", "300a80030102038203010203", false, false, false },
		/* where revocations are: one URI, two points, another kind of name */
		{ "2.5.29.31", "300c300aa008a006860461626364", false, true, true },
		{ "2.5.29.31", "3018300aa008a006860461626364300aa008a006860461626364", false, true,
		  true },
		{ "2.5.29.31", "300c300aa008a006860461626364", true, false, true },
		{ "2.5.29.31", "300c300aa008a006820461626364", false, false, true },
		{ "2.5.29.31", "3000", false, false, true },
		/* who answers for the issuer; TCG's; somebody's */
		{ "1.3.6.1.5.5.7.1.1", "0500", false, true, true },
		{ "1.3.6.1.5.5.7.1.1", "0500", true, false, false },
		{ "2.23.133.5.4.1", "3000", false, true, true },
		{ "2.23.133.5.4.1", "3000", true, false, false },
		{ "1.3.6.1.4.1.99999.1", "ff", false, true, true },
		/* another name, extended use, constraints on names, and what libraries read */
		{ "2.5.29.17", "3003820161", false, false, true },
		{ "2.5.29.37", "300a06082b06010505070301", false, false, true },
		{ "2.5.29.30", "3000", false, false, true },
		{ "2.5.29.32", "300630040602550a", false, false, true },
		{ "2.5.29.14.1", "0403010203", false, false, true },
		{ "1.3.6.1.5.5.7.1.3", "3000", false, false, true },
		{ "2.16.840.1.113730.1.1", "03020780", false, false, true },
	};
	struct certificate root = certify(&root_recipe, NULL), leaf;
	u8 point[OS_P384_POINT_SIZE];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(extensions); i++) {
		leaf = certify(&leaf_recipe, &root);
		add_raw(leaf.x509, extensions[i].oid, extensions[i].critical, extensions[i].value);
		sign_again(&leaf, &root);
		if ((x509_verify_chain(root.der, root.size, leaf.der, leaf.size, NOW, point) ==
		     NV_OK) != extensions[i].taken)
			fail_msg("the own reader, row %u: %s", i, extensions[i].oid);
		if ((os_x509_verify_chain(root.der, root.size, leaf.der, leaf.size, NOW, point) ==
		     NV_OK) != extensions[i].taken_by_library)
			fail_msg("libcrypto, row %u: %s", i, extensions[i].oid);
		discard(&leaf);
	}
	discard(&root);
}

/* A key id that is not the issuer's is somebody else's. */
static void test_key_ids(void **state)
{
	struct certificate root = certify(&root_recipe, NULL);
	struct certificate leaf = certify(&leaf_recipe, &root);
	u8 point[OS_P384_POINT_SIZE];

	add_raw(root.x509, "2.5.29.14", false, "0403010203");
	sign_again(&root, &root);
	assert_int_equal(verify_chain(&root, NOW, point, &leaf, NULL), NV_OK);
	add_raw(leaf.x509, "2.5.29.35", false, "30058003010203");
	sign_again(&leaf, &root);
	assert_int_equal(verify_chain(&root, NOW, point, &leaf, NULL), NV_OK);
	discard(&leaf);
	leaf = certify(&leaf_recipe, &root);
	add_raw(leaf.x509, "2.5.29.35", false, "30058003010204");
	sign_again(&leaf, &root);
	assert_int_equal(verify_chain(&root, NOW, point, &leaf, NULL), NV_ERR_INVALID_DATA);
	discard(&leaf);
	discard(&root);
}

/* Twice the same name in a chain, also in letters of another case. */
static void test_names(void **state)
{
	static const char *const names[] = { "Root", "root", "ROOT" };
	struct certificate root = certify(&root_recipe, NULL), middle, leaf;
	u8 point[OS_P384_POINT_SIZE];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct recipe r = { names[i] };

		middle = certify(&r, &root);
		leaf = certify(&leaf_recipe, &middle);
		assert_int_equal(verify_chain(&root, NOW, point, &middle, &leaf, NULL),
				 NV_ERR_INVALID_DATA);
		discard(&leaf);
		discard(&middle);
	}
	discard(&root);
}

/* Times as they are written, and when they are; each a day's last second. */
static void test_times(void **state)
{
	static const struct {
		const char *text;
		int type;
		u64 seconds; /* 0: none */
	} times[] = {
		{ "700101000000Z", V_ASN1_UTCTIME, 0 }, /* holds no more at once */
		{ "700101000001Z", V_ASN1_UTCTIME, 1 },
		{ "991231235959Z", V_ASN1_UTCTIME, 946684799 },
		{ "000229000000Z", V_ASN1_UTCTIME, 951782400 },
		{ "000301000000Z", V_ASN1_UTCTIME, 951868800 },
		{ "491231235959Z", V_ASN1_UTCTIME, 2524607999 },
		{ "20500101000000Z", V_ASN1_GENERALIZEDTIME, 2524608000 },
		{ "21000228235959Z", V_ASN1_GENERALIZEDTIME, 4107542399 },
		{ "24000229000000Z", V_ASN1_GENERALIZEDTIME, 13574563200 },
		{ "99991231235959Z", V_ASN1_GENERALIZEDTIME, 253402300799 },
		{ "010229000000Z", V_ASN1_UTCTIME, 0 },
		{ "21000229000000Z", V_ASN1_GENERALIZEDTIME, 0 },
		{ "201301000000Z", V_ASN1_UTCTIME, 0 },
		{ "200001000000Z", V_ASN1_UTCTIME, 0 },
		{ "200100000000Z", V_ASN1_UTCTIME, 0 },
		{ "200432000000Z", V_ASN1_UTCTIME, 0 },
		{ "200101240000Z", V_ASN1_UTCTIME, 0 },
		{ "200101006000Z", V_ASN1_UTCTIME, 0 },
		{ "200101000060Z", V_ASN1_UTCTIME, 0 },
		{ "2001010000Z", V_ASN1_UTCTIME, 0 },
		{ "200101000000+", V_ASN1_UTCTIME, 0 },
		{ "20010100000aZ", V_ASN1_UTCTIME, 0 },
	};
	struct recipe early = { "Root", .from = -(long)NOW, .to = DAY };
	struct certificate root = certify(&early, NULL), leaf;
	u8 point[OS_P384_POINT_SIZE];
	u64 end;
	u32 i;

	/* The root's end is moved out of the way. */
	ASN1_TIME_set_string_X509(X509_getm_notAfter(root.x509), "99991231235959Z");
	sign_again(&root, &root);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		struct recipe r = leaf_recipe;

		r.from = -(long)NOW;
		r.to = DAY;
		leaf = certify(&r, &root);
		ASN1_STRING_set((ASN1_STRING *)X509_getm_notAfter(leaf.x509), times[i].text, -1);
		X509_getm_notAfter(leaf.x509)->type = times[i].type;
		sign_again(&leaf, &root);
		end = times[i].seconds;
		if (end && end < 253402300799) {
			assert_int_equal(verify_chain(&root, end - 1, point, &leaf, NULL), NV_OK);
			assert_int_equal(verify_chain(&root, end, point, &leaf, NULL),
					 NV_ERR_INVALID_DATA);
		} else {
			assert_int_equal(verify_chain(&root, end ? NOW : 0, point, &leaf, NULL),
					 end ? NV_OK : NV_ERR_INVALID_DATA);
		}
		discard(&leaf);
	}
	discard(&root);
}

/* -- Chains at random -------------------------------------------------------------------------- */

static const char *pick(u64 *seed, const char *const *from, u32 count)
{
	return from[unit_random(seed) % count];
}

/* Of each property mostly the right one; both judge alike. */
static void test_random_chains(void **state)
{
	static const char *const basic[] = { NULL,
					     NULL,
					     NULL,
					     "CA:TRUE",
					     "critical,CA:FALSE",
					     "critical,CA:TRUE,pathlen:0",
					     "CA:TRUE,pathlen:1",
					     "critical,CA:TRUE,pathlen:7" };
	static const char *const usage[] = { NULL,
					     NULL,
					     NULL,
					     "keyCertSign,cRLSign",
					     "critical,keyCertSign,digitalSignature",
					     "digitalSignature,decipherOnly",
					     "keyCertSign,encipherOnly,decipherOnly",
					     "decipherOnly,keyAgreement" };
	static const char *const names[] = { "A", "B", "C", "D", "E", "F", "G", "a" };
	struct certificate c[5];
	u8 chain[8192], point[OS_P384_POINT_SIZE];
	u64 seed = 5280;
	u32 i, round, good = 0, rounds = 150;

	for (round = 0; round < rounds; round++) {
		u32 count = 2 + (u32)(unit_random(&seed) % 4);
		size_t size = 0;

		for (i = 0; i < count; i++) {
			struct recipe r = { names[i],
					    .basic = pick(&seed, basic, ARRAY_SIZE(basic)),
					    .key_usage = pick(&seed, usage, ARRAY_SIZE(usage)) };

			if (unit_random(&seed) % 12 == 0)
				r.name = pick(&seed, names, ARRAY_SIZE(names));
			if (i == count - 1 && !r.key_usage)
				r.key_usage = "digitalSignature";
			c[i] = certify(&r, i ? &c[i - 1] : NULL);
			if (i || round % 2) {
				memcpy(chain + size, c[i].der, c[i].size);
				size += c[i].size;
			}
		}
		good += verify(c[0].der, c[0].size, chain, size, NOW, point) == NV_OK;
		for (i = 0; i < count; i++)
			discard(&c[i]);
	}
	print_message("%u of %u are good\n", good, rounds);
	assert_true(good > rounds / 10 && good < rounds * 9 / 10);
}

/* -- The chain that the kernel's test has ------------------------------------------------------ */

static void test_sample(void **state)
{
	u8 chain[4096], point[OS_P384_POINT_SIZE];
	size_t size = x509_middle_size + x509_leaf_size;

	memcpy(chain, x509_middle, x509_middle_size);
	memcpy(chain + x509_middle_size, x509_leaf, x509_leaf_size);
	assert_int_equal(verify(x509_root, x509_root_size, chain, size, X509_ANSWER_TIME, point),
			 NV_OK);
	assert_memory_equal(point, x509_leaf_key, sizeof(point));
	assert_int_equal(verify(x509_root, x509_root_size, chain, size, 1, point),
			 NV_ERR_INVALID_DATA);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static struct certificate memory_root, memory_leaf;

static enum nv_status use_chain(void)
{
	u8 point[OS_P384_POINT_SIZE];

	return os_x509_verify_chain(memory_root.der, memory_root.size, memory_leaf.der,
				    memory_leaf.size, NOW, point);
}

static enum nv_status use_own_reader(void)
{
	u8 point[OS_P384_POINT_SIZE];

	return x509_verify_chain(memory_root.der, memory_root.size, memory_leaf.der,
				 memory_leaf.size, NOW, point);
}

static void test_no_memory(void **state)
{
	memory_root = certify(&root_recipe, NULL);
	memory_leaf = certify(&leaf_recipe, &memory_root);
	fail_each(use_chain);
	fail_each(use_own_reader);
	discard(&memory_root);
	discard(&memory_leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_other_root),
		cmocka_unit_test(test_wrong_certificates),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_keys_of_other_kinds),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_key_ids),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_random_chains),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_no_memory),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
