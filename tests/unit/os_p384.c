// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * P-384 and certificates of os/crypto.h: published known answers, and chains that are made here by
 * libcrypto, whole and broken in every way that a chain can be.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "os_crypto.h"

#define DAY 86400
#define NOW 1700000000u

/* -- Key exchange ------------------------------------------------------------------------------ */

/* RFC 5903, section 8.2 (both ends), and the first case of NIST's CAVP (KAS ECC CDH, P-384). */
static const struct {
	const char *private_key, *x, *y, *peer_x, *peer_y, *secret;
} ecdh_answers[] = {
	{ "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655E35B538041E649EE3FAEF896"
	  "783AB194",
	  "667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6DE3AC808ACB4BDB4C88732AE"
	  "E95F41AA",
	  "9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38EEB9FCFF3C2C947DAE69B4C63"
	  "4573A81C",
	  "E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D0D1AC43A0336DEF96FDA41D0"
	  "774A3571",
	  "DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96D"
	  "B9E6386C",
	  "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4D603135569B9E9D09CF5D4A2"
	  "70F59746" },
	{ "41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942E0308312916B8ED2960E4BD5"
	  "5A7448FC",
	  "E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D0D1AC43A0336DEF96FDA41D0"
	  "774A3571",
	  "DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96D"
	  "B9E6386C",
	  "667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6DE3AC808ACB4BDB4C88732AE"
	  "E95F41AA",
	  "9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38EEB9FCFF3C2C947DAE69B4C63"
	  "4573A81C",
	  "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4D603135569B9E9D09CF5D4A2"
	  "70F59746" },
	{ "3cc3122a68f0d95027ad38c067916ba0eb8c38894d22e1b15618b6818a661774ad463b205da88cf699ab4d43"
	  "c9cf98a1",
	  "9803807f2f6d2fd966cdd0290bd410c0190352fbec7ff6247de1302df86f25d34fe4a97bef60cff548355c01"
	  "5dbb3e5f",
	  "ba26ca69ec2f5b5d9dad20cc9da711383a9dbe34ea3fa5a2af75b46502629ad54dd8b7d73a8abb06a3a3be47"
	  "d650cc99",
	  "a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e764592efda27fe7513272734466b400091adbf2d68c58"
	  "e0c50066",
	  "ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b661efedf243451915ed0905a32b060992b468c6476"
	  "6fc8437a",
	  "5f9d29dc5e31a163060356213669c8ce132e22f57c9a04f40ba7fcead493b457e5621e766c40a2e3d4d6a04b"
	  "25e533f1" },
};

static void make_point(u8 point[OS_P384_POINT_SIZE], const char *x, const char *y)
{
	struct bytes bx = hex(x), by = hex(y);

	memcpy(point, bx.data, OS_P384_SIZE);
	memcpy(point + OS_P384_SIZE, by.data, OS_P384_SIZE);
}

static void test_ecdh(void **state)
{
	u8 mine[OS_P384_POINT_SIZE], peer[OS_P384_POINT_SIZE], found[OS_P384_POINT_SIZE];
	u8 secret[OS_P384_SIZE];
	struct os_p384_key *key;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ecdh_answers); i++) {
		struct bytes number = hex(ecdh_answers[i].private_key);
		struct bytes want = hex(ecdh_answers[i].secret);

		make_point(mine, ecdh_answers[i].x, ecdh_answers[i].y);
		make_point(peer, ecdh_answers[i].peer_x, ecdh_answers[i].peer_y);
		assert_int_equal(os_p384_key_create(number.data, &key), NV_OK);
		os_p384_key_public(key, found);
		assert_memory_equal(found, mine, sizeof(mine));
		assert_int_equal(os_p384_key_shared(key, peer, secret), NV_OK);
		assert_memory_equal(secret, want.data, sizeof(secret));
		os_p384_key_destroy(key);
	}
	os_p384_key_destroy(NULL);
}

static void test_fresh_keys(void **state)
{
	u8 point[2][OS_P384_POINT_SIZE], secret[2][OS_P384_SIZE];
	struct os_p384_key *key[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(os_p384_key_create(NULL, &key[i]), NV_OK);
		os_p384_key_public(key[i], point[i]);
	}
	assert_memory_not_equal(point[0], point[1], OS_P384_POINT_SIZE);
	for (i = 0; i < 2; i++)
		assert_int_equal(os_p384_key_shared(key[i], point[1 - i], secret[i]), NV_OK);
	assert_memory_equal(secret[0], secret[1], OS_P384_SIZE);
	os_p384_key_destroy(key[0]);
	os_p384_key_destroy(key[1]);
}

static const char order[] =
	"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248"
	"b0a77aecec196accc52973";
static const char prime[] =
	"fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff00"
	"00000000000000ffffffff";

static void test_bad_private_keys(void **state)
{
	u8 one_point[OS_P384_POINT_SIZE], point[OS_P384_POINT_SIZE];
	struct bytes n = hex(order), zero = hex("00*48"), one = zero, most = hex("ff*48");
	struct os_p384_key *key = (void *)1;

	assert_int_equal(os_p384_key_create(zero.data, &key), NV_ERR_INVALID_ARGUMENT);
	assert_null(key);
	assert_int_equal(os_p384_key_create(n.data, &key), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(os_p384_key_create(most.data, &key), NV_ERR_INVALID_ARGUMENT);
	assert_null(key);
	/* 1 is the base point, n - 1 is that with the other y */
	one.data[47] = 1;
	assert_int_equal(os_p384_key_create(one.data, &key), NV_OK);
	os_p384_key_public(key, one_point);
	os_p384_key_destroy(key);
	n.data[47]--;
	assert_int_equal(os_p384_key_create(n.data, &key), NV_OK);
	os_p384_key_public(key, point);
	os_p384_key_destroy(key);
	assert_memory_equal(point, one_point, OS_P384_SIZE);
	assert_memory_not_equal(point, one_point, OS_P384_POINT_SIZE);
}

/* No secret comes of a point that is none, and no signature of such a key holds. */
static void refuse_point(const struct os_p384_key *key, const u8 point[OS_P384_POINT_SIZE])
{
	u8 secret[OS_P384_SIZE], signature[OS_P384_SIGNATURE_SIZE];

	memset(secret, 0xa5, sizeof(secret));
	memset(signature, 1, sizeof(signature));
	assert_int_equal(os_p384_key_shared(key, point, secret), NV_ERR_INVALID_DATA);
	assert_true(all_zero(secret, sizeof(secret)));
	assert_int_equal(os_p384_verify(point, secret, sizeof(secret), signature),
			 NV_ERR_INVALID_DATA);
}

static void test_bad_points(void **state)
{
	struct bytes p = hex(prime);
	u8 good[OS_P384_POINT_SIZE], point[OS_P384_POINT_SIZE] = { 0 };
	struct os_p384_key *key;
	u32 i;

	assert_int_equal(os_p384_key_create(NULL, &key), NV_OK);
	refuse_point(key, point); /* what some use for the point at infinity */
	point[OS_P384_POINT_SIZE - 1] = 1;
	refuse_point(key, point);
	memset(point, 0xff, sizeof(point));
	refuse_point(key, point);
	make_point(good, ecdh_answers[0].x, ecdh_answers[0].y);
	for (i = 0; i < 8 * OS_P384_POINT_SIZE; i += 37) {
		memcpy(point, good, sizeof(point));
		point[i / 8] ^= (u8)(1u << i % 8);
		refuse_point(key, point);
	}
	/* x, y at the prime: not below it. (p, y) for x = 0 would be on the curve. */
	memcpy(point, p.data, OS_P384_SIZE);
	refuse_point(key, point);
	memcpy(point, good, sizeof(point));
	memcpy(point + OS_P384_SIZE, p.data, OS_P384_SIZE);
	refuse_point(key, point);
	os_p384_key_destroy(key);
}

/* -- Signatures: RFC 6979, A.2.6 --------------------------------------------------------------- */

static const char signer_x[] =
	"EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA"
	"9055866064A254515480BC13";
static const char signer_y[] =
	"8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C"
	"3AE0D4FE7344FD2533264720";

static const struct {
	const char *hash, *text, *r, *s;
} ecdsa_answers[] = {
	{ "SHA256", "sample",
	  "21B13D1E013C7FA1392D03C5F99AF8B30C570C6F98D4EA8E354B63A21D3DAA33BDE1E888E63355D92FA2B3C3"
	  "6D8FB2CD",
	  "F3AA443FB107745BF4BD77CB3891674632068A10CA67E3D45DB2266FA7D1FEEBEFDC63ECCD1AC42EC0CB8668"
	  "A4FA0AB0" },
	{ "SHA384", "sample",
	  "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E"
	  "80FABE46",
	  "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A"
	  "38628AC8" },
	{ "SHA384", "test",
	  "8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36AB775D509D7A5FEB0542A7F0812998DA8F1DD3CA"
	  "3CF023DB",
	  "DDD0760448D42D8A43AF45AF836FCE4DE8BE06B485E9B61B827C2F13173923E06A739F040649A667BF3B8282"
	  "46BAA5A5" },
	{ "SHA512", "test", /* longer than the order: its leftmost bits count */
	  "A0D5D090C9980FAF3C2CE57B7AE951D31977DD11C775D314AF55F76C676447D06FB6495CD21B4B6E340FC236"
	  "584FB277",
	  "976984E59B4C77B0E8E4460DCA3D9F20E07B9BB1F63BEEFAF576F6B2E8B224634A2092CD3792E0159AD9CEE3"
	  "7659C736" },
};

static void test_ecdsa(void **state)
{
	u8 key[OS_P384_POINT_SIZE], signature[OS_P384_SIGNATURE_SIZE], digest[64];
	u32 i, size;

	make_point(key, signer_x, signer_y);
	for (i = 0; i < ARRAY_SIZE(ecdsa_answers); i++) {
		assert_int_equal(EVP_Digest(ecdsa_answers[i].text, strlen(ecdsa_answers[i].text),
					    digest, &size,
					    EVP_get_digestbyname(ecdsa_answers[i].hash), NULL),
				 1);
		make_point(signature, ecdsa_answers[i].r, ecdsa_answers[i].s);
		assert_int_equal(os_p384_verify(key, digest, size, signature), NV_OK);
		digest[0] ^= 1;
		assert_int_equal(os_p384_verify(key, digest, size, signature), NV_ERR_INVALID_DATA);
	}
}

static void refuse(const u8 *key, const u8 *digest, const u8 *r, const u8 *s)
{
	u8 signature[OS_P384_SIGNATURE_SIZE];

	memcpy(signature, r, OS_P384_SIZE);
	memcpy(signature + OS_P384_SIZE, s, OS_P384_SIZE);
	assert_int_equal(os_p384_verify(key, digest, OS_SHA384_SIZE, signature),
			 NV_ERR_INVALID_DATA);
}

/* 384-bit big endian a + b; false: more than 384 bits. */
static bool add(u8 *a, const u8 *b)
{
	u32 carry = 0, i;

	for (i = OS_P384_SIZE; i-- > 0;) {
		carry += (u32)a[i] + b[i];
		a[i] = (u8)carry;
		carry >>= 8;
	}
	return !carry;
}

static void test_bad_signatures(void **state)
{
	u8 key[OS_P384_POINT_SIZE], other[OS_P384_POINT_SIZE], digest[OS_SHA384_SIZE];
	struct bytes r = hex(ecdsa_answers[1].r), s = hex(ecdsa_answers[1].s);
	struct bytes n = hex(order), zero = hex("00*48"), one = zero, most = hex("ff*48");
	struct bytes odd[6];
	u8 signature[OS_P384_SIGNATURE_SIZE];
	u32 i, j;

	make_point(key, signer_x, signer_y);
	one.data[47] = 1;
	assert_int_equal(os_hash_digest(OS_SHA384, "sample", 6, digest), NV_OK);
	odd[0] = zero;
	odd[1] = one;
	odd[2] = n;
	odd[3] = most;
	odd[4] = n;
	odd[4].data[47]++;
	odd[5] = n;
	odd[5].data[47]--;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		refuse(key, digest, odd[i].data, s.data);
		refuse(key, digest, r.data, odd[i].data);
		for (j = 0; j < ARRAY_SIZE(odd); j++)
			refuse(key, digest, odd[i].data, odd[j].data);
	}
	refuse(key, digest, s.data, r.data);
	/* The same numbers modulo the order are not the same numbers. */
	if (add(r.data, n.data))
		refuse(key, digest, r.data, s.data);
	r = hex(ecdsa_answers[1].r);
	make_point(signature, ecdsa_answers[1].r, ecdsa_answers[1].s);
	for (i = 0; i < 8 * sizeof(signature); i += 29) {
		signature[i / 8] ^= (u8)(1u << i % 8);
		assert_int_equal(os_p384_verify(key, digest, sizeof(digest), signature),
				 NV_ERR_INVALID_DATA);
		signature[i / 8] ^= (u8)(1u << i % 8);
	}
	make_point(other, ecdh_answers[0].x, ecdh_answers[0].y);
	assert_int_equal(os_p384_verify(other, digest, sizeof(digest), signature),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(os_p384_verify(key, digest, sizeof(digest) - 1, signature),
			 NV_ERR_INVALID_DATA);
	assert_int_equal(os_p384_verify(key, digest, sizeof(digest), signature), NV_OK);
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
	status = os_x509_verify_chain(root->der, root->size, chain, size, time, point);
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
	assert_int_equal(os_x509_public_key(leaf.der, leaf.size, point), NV_OK);
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
		assert_int_equal(os_x509_verify_chain(c[0].der, c[0].size, chain, size, NOW, point),
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
		assert_int_equal(
			os_x509_verify_chain(root.der, root.size, leaf.der, leaf.size, NOW, point),
			NV_ERR_INVALID_DATA);
		leaf.der[i] ^= (u8)(1u << i % 8);
	}
	for (i = 0; i < leaf.size; i += 5) {
		assert_int_equal(os_x509_verify_chain(root.der, root.size, leaf.der, i, NOW, point),
				 NV_ERR_INVALID_DATA);
		assert_int_equal(os_x509_public_key(leaf.der, i, point), NV_ERR_INVALID_DATA);
		assert_int_equal(os_x509_verify_chain(root.der, i < root.size ? i : 0, leaf.der,
						      leaf.size, NOW, point),
				 NV_ERR_INVALID_DATA);
	}
	memcpy(with_more, leaf.der, leaf.size);
	with_more[leaf.size] = 0;
	assert_int_equal(
		os_x509_verify_chain(root.der, root.size, with_more, leaf.size + 1, NOW, point),
		NV_ERR_INVALID_DATA);
	assert_int_equal(os_x509_public_key(with_more, leaf.size + 1, point), NV_ERR_INVALID_DATA);
	memcpy(with_more, root.der, root.size);
	with_more[root.size] = 0;
	assert_int_equal(
		os_x509_verify_chain(with_more, root.size + 1, leaf.der, leaf.size, NOW, point),
		NV_ERR_INVALID_DATA);
	assert_int_equal(os_x509_verify_chain(root.der, root.size, leaf.der, leaf.size, NOW, point),
			 NV_OK);
	discard(&root);
	discard(&leaf);
}

static void test_keys_of_other_kinds(void **state)
{
	struct recipe other = { "P-256", .group = "P-256" };
	struct certificate c = certify(&other, NULL);
	u8 point[OS_P384_POINT_SIZE];

	memset(point, 1, sizeof(point));
	assert_int_equal(os_x509_public_key(c.der, c.size, point), NV_ERR_INVALID_DATA);
	assert_true(all_zero(point, sizeof(point)));
	assert_int_equal(verify_chain(&c, NOW, point, &c, NULL), NV_ERR_INVALID_DATA);
	discard(&c);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static enum nv_status use_ecdh(void)
{
	struct bytes number = hex(ecdh_answers[0].private_key), want = hex(ecdh_answers[0].secret);
	u8 peer[OS_P384_POINT_SIZE], secret[OS_P384_SIZE];
	struct os_p384_key *key;
	enum nv_status status;

	make_point(peer, ecdh_answers[0].peer_x, ecdh_answers[0].peer_y);
	status = os_p384_key_create(number.data, &key);
	if (status != NV_OK) {
		assert_null(key);
		return status;
	}
	status = os_p384_key_shared(key, peer, secret);
	if (status == NV_OK)
		assert_memory_equal(secret, want.data, sizeof(secret));
	else
		assert_true(all_zero(secret, sizeof(secret)));
	os_p384_key_destroy(key);
	return status;
}

static enum nv_status use_fresh_key(void)
{
	struct os_p384_key *key;
	enum nv_status status = os_p384_key_create(NULL, &key);

	os_p384_key_destroy(key);
	return status;
}

static enum nv_status use_verify(void)
{
	u8 key[OS_P384_POINT_SIZE], signature[OS_P384_SIGNATURE_SIZE];
	static u8 digest[OS_SHA384_SIZE];

	if (all_zero(digest, sizeof(digest)))
		assert_int_equal(os_hash_digest(OS_SHA384, "test", 4, digest), NV_OK);
	make_point(key, signer_x, signer_y);
	make_point(signature, ecdsa_answers[2].r, ecdsa_answers[2].s);
	return os_p384_verify(key, digest, sizeof(digest), signature);
}

static struct certificate memory_root, memory_leaf;

static enum nv_status use_chain(void)
{
	u8 point[OS_P384_POINT_SIZE];

	return os_x509_verify_chain(memory_root.der, memory_root.size, memory_leaf.der,
				    memory_leaf.size, NOW, point);
}

static void test_no_memory(void **state)
{
	fail_each(use_ecdh);
	fail_each(use_fresh_key);
	fail_each(use_verify);
	memory_root = certify(&root_recipe, NULL);
	memory_leaf = certify(&leaf_recipe, &memory_root);
	fail_each(use_chain);
	discard(&memory_root);
	discard(&memory_leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ecdh),
		cmocka_unit_test(test_fresh_keys),
		cmocka_unit_test(test_bad_private_keys),
		cmocka_unit_test(test_bad_points),
		cmocka_unit_test(test_ecdsa),
		cmocka_unit_test(test_bad_signatures),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_other_root),
		cmocka_unit_test(test_wrong_certificates),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_keys_of_other_kinds),
		cmocka_unit_test(test_no_memory),
	};

	library_hook();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
