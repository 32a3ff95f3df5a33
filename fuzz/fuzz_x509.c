// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * libFuzzer target: the project's reader of certificates (os/x509.h) beside libcrypto. The input
 * says how a chain of four differs from a good one: in its fields, in extensions of any contents,
 * and in single bytes of what is signed; each is signed all the same, so that nothing hides behind
 * a wrong signature. Whatever the reader takes libcrypto takes, with the same key. Keys are fresh
 * in each process; the verdict does not hang on them.
 */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "os/x509.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define CERTIFICATES 4u
#define DER_MAX 4096u
#define STEPS_MAX 12u
#define NOW 1700000000u
#define DAY 86400

#define CHECK(cond)              \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

struct input {
	const u8 *at;
	size_t size;
};

struct link {
	X509 *x509;
	u8 der[DER_MAX];
	size_t size;
	bool changed;
};

static EVP_PKEY *keys[CERTIFICATES];
static struct link good[CERTIFICATES];

static u8 next(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->at++;
}

/* So many of the next bytes, or what is left. */
static const u8 *take(struct input *in, size_t *size)
{
	const u8 *at = in->at;

	if (*size > in->size)
		*size = in->size;
	in->at += *size;
	in->size -= *size;
	return at;
}

/* -- Certificates ------------------------------------------------------------------------------ */

static void extend(X509 *x509, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	CHECK(extension && X509_add_ext(x509, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void set_name(X509_NAME *name, u32 level)
{
	u8 text[] = "Level 0";

	text[6] = (u8)('0' + level);
	CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
}

static X509 *make(u32 i)
{
	X509 *x509 = X509_new();
	bool last = i == CERTIFICATES - 1;

	CHECK(x509 && X509_set_version(x509, X509_VERSION_3) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1 + i);
	ASN1_TIME_set(X509_getm_notBefore(x509), NOW - DAY);
	ASN1_TIME_set(X509_getm_notAfter(x509), NOW + DAY);
	set_name(X509_get_subject_name(x509), i);
	set_name(X509_get_issuer_name(x509), i ? i - 1 : 0);
	X509_set_pubkey(x509, keys[i]);
	extend(x509, NID_basic_constraints, last ? "critical,CA:FALSE" : "critical,CA:TRUE");
	extend(x509, NID_key_usage, last ? "critical,digitalSignature" : "critical,keyCertSign");
	return x509;
}

/* False: libcrypto cannot write it. */
static bool sign(struct link *link, u32 i)
{
	u8 *to = link->der;
	int size;

	if (X509_sign(link->x509, keys[i ? i - 1 : 0], EVP_sha384()) <= 0)
		return false;
	size = i2d_X509(link->x509, NULL);
	if (size <= 0 || (u32)size > sizeof(link->der))
		return false;
	link->size = (size_t)i2d_X509(link->x509, &to);
	return true;
}

static void put_header(u8 **to, u8 tag, size_t size)
{
	*(*to)++ = tag;
	if (size > 0xff)
		*(*to)++ = 0x82, *(*to)++ = (u8)(size >> 8);
	else if (size > 0x7f)
		*(*to)++ = 0x81;
	*(*to)++ = (u8)size;
}

/* What was signed with a byte changed, and a new signature. */
static bool sign_changed(struct link *link, u32 i, size_t at, u8 mask)
{
	static const u8 algorithm[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
					0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };
	struct der whole = { link->der, link->size }, inside, contents, body;
	u8 made[DER_MAX], signature[128], *to = made;
	size_t bytes = sizeof(signature), inner;
	EVP_MD_CTX *ctx;

	if (!der_take(&whole, DER_SEQUENCE, &inside, NULL) ||
	    !der_take(&inside, DER_SEQUENCE, &contents, &body))
		return false;
	at %= body.size;
	link->der[(size_t)(body.at - link->der) + at] ^= mask;
	ctx = EVP_MD_CTX_new();
	CHECK(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, keys[i ? i - 1 : 0]) == 1 &&
	      EVP_DigestSign(ctx, signature, &bytes, body.at, body.size) == 1);
	EVP_MD_CTX_free(ctx);
	inner = body.size + sizeof(algorithm) + 3 + bytes;
	if (inner + 8 > sizeof(made))
		return false;
	put_header(&to, DER_SEQUENCE, inner);
	memcpy(to, body.at, body.size);
	to += body.size;
	memcpy(to, algorithm, sizeof(algorithm));
	to += sizeof(algorithm);
	put_header(&to, DER_BIT_STRING, bytes + 1);
	*to++ = 0;
	memcpy(to, signature, bytes);
	to += bytes;
	link->size = (size_t)(to - made);
	memcpy(link->der, made, link->size);
	return true;
}

/* -- Steps away from the good chain ------------------------------------------------------------ */

static void add_extension(X509 *x509, struct input *in)
{
	static const char *const oids[] = {
		"2.5.29.14",	     "2.5.29.15",	  "2.5.29.19",
		"2.5.29.31",	     "2.5.29.35",	  "2.5.29.17",
		"2.5.29.37",	     "2.5.29.30",	  "2.5.29.32",
		"2.5.29.36",	     "2.5.29.46",	  "2.5.29.54",
		"1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.14",
		"2.23.133.5.4.1",    "1.3.6.1.4.1.99999", "2.16.840.1.113730.1.1",
	};
	u8 which = next(in), critical = next(in) & 1;
	ASN1_OBJECT *oid = OBJ_txt2obj(oids[which % ARRAY_SIZE(oids)], 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	size_t size = next(in) % 48;
	const u8 *bytes = take(in, &size);
	X509_EXTENSION *extension;
	int old;

	ASN1_OCTET_STRING_set(value, bytes, (int)size);
	/* in place of the one that is there, mostly */
	old = X509_get_ext_by_OBJ(x509, oid, -1);
	if (old >= 0 && which < 200)
		X509_EXTENSION_free(X509_delete_ext(x509, old));
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
	CHECK(extension && X509_add_ext(x509, extension, -1) == 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

static void change_name(X509_NAME *name, struct input *in)
{
	static const int types[] = { V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING,
				     V_ASN1_T61STRING };
	int type = types[next(in) % ARRAY_SIZE(types)];
	bool more = next(in) & 1;
	size_t size = next(in) % 12;
	const u8 *text = take(in, &size);

	if (!more)
		X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
	(void)X509_NAME_add_entry_by_NID(name, NID_commonName, type, text, (int)size, -1, 0);
}

static void change_time(ASN1_TIME *time, struct input *in)
{
	static const char *const texts[] = { "991231235959Z",	"700101000000Z",
					     "20500101000000Z", "20240101000000Z",
					     "99991231235959Z", "240230000000Z" };
	u8 which = next(in);
	size_t size = 15;
	const u8 *raw;

	time->type = next(in) & 1 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
	if (which < 200) {
		ASN1_STRING_set(time, texts[which % ARRAY_SIZE(texts)], -1);
		return;
	}
	raw = take(in, &size);
	ASN1_STRING_set(time, raw, (int)size);
}

static void step(struct link *link, struct input *in)
{
	X509 *x509 = link->x509;
	size_t size;
	int count;

	link->changed = true;
	switch (next(in) % 8) {
	case 0:
	case 1:
		add_extension(x509, in);
		break;
	case 2:
		count = X509_get_ext_count(x509);
		if (count)
			X509_EXTENSION_free(X509_delete_ext(x509, next(in) % count));
		break;
	case 3:
		change_name(X509_get_subject_name(x509), in);
		break;
	case 4:
		change_name(X509_get_issuer_name(x509), in);
		break;
	case 5:
		change_time(next(in) & 1 ? X509_getm_notAfter(x509) : X509_getm_notBefore(x509),
			    in);
		break;
	case 6:
		X509_set_version(x509, next(in) & 3);
		break;
	default:
		size = next(in) % 24;
		ASN1_STRING_set(X509_get_serialNumber(x509), take(in, &size), (int)size);
	}
}

/* -- The verdict ------------------------------------------------------------------------------- */

static enum nv_status judge(const struct link *links, bool with_root, u64 time)
{
	u8 chain[CERTIFICATES * DER_MAX], own[OS_P384_POINT_SIZE], library[OS_P384_POINT_SIZE];
	enum nv_status status;
	size_t size = 0;
	u32 i;

	for (i = !with_root; i < CERTIFICATES; i++) {
		memcpy(chain + size, links[i].der, links[i].size);
		size += links[i].size;
	}
	status = x509_verify_chain(links[0].der, links[0].size, chain, size, time, own);
	CHECK(status == NV_OK || status == NV_ERR_INVALID_DATA);
	if (status == NV_OK) {
		CHECK(os_x509_verify_chain(links[0].der, links[0].size, chain, size, time,
					   library) == NV_OK);
		CHECK(memcmp(own, library, sizeof(own)) == 0);
	}
	for (i = 0; i < CERTIFICATES; i++)
		if (x509_public_key(links[i].der, links[i].size, own) == NV_OK) {
			CHECK(os_x509_public_key(links[i].der, links[i].size, library) == NV_OK);
			CHECK(memcmp(own, library, sizeof(own)) == 0);
		}
	ERR_clear_error();
	return status;
}

static void start(void)
{
	u32 i;

	for (i = 0; i < CERTIFICATES; i++) {
		keys[i] = EVP_EC_gen("P-384");
		CHECK(keys[i]);
	}
	for (i = 0; i < CERTIFICATES; i++) {
		good[i].x509 = make(i);
		CHECK(sign(&good[i], i));
	}
	CHECK(judge(good, false, NOW) == NV_OK && judge(good, true, NOW) == NV_OK);
}

/* flags, steps, then bytes of signed bodies: which, where, what */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct link links[CERTIFICATES];
	struct input in = { data, size };
	u8 flags = next(&in), steps = next(&in) % STEPS_MAX, edits, which;
	size_t at;
	u32 i;

	if (!keys[0])
		start();
	for (i = 0; i < CERTIFICATES; i++) {
		links[i] = good[i];
		links[i].x509 = X509_dup(good[i].x509);
		CHECK(links[i].x509);
	}
	for (i = 0; i < steps; i++)
		step(&links[next(&in) % CERTIFICATES], &in);
	for (i = 0; i < CERTIFICATES; i++)
		if (links[i].changed && !sign(&links[i], i))
			goto out;
	edits = next(&in) % 4;
	while (edits--) {
		which = next(&in) % CERTIFICATES;
		at = (size_t)next(&in) << 8;
		at |= next(&in);
		if (!sign_changed(&links[which], which, at, next(&in)))
			goto out;
	}
	(void)judge(links, flags & 1, flags & 2 ? 0xffffffffu : NOW);
out:
	for (i = 0; i < CERTIFICATES; i++)
		X509_free(links[i].x509);
	ERR_clear_error();
	return 0;
}
