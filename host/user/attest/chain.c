// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The certificates of a GPU (X.509, RFC 5280) in PEM (RFC 7468, its strict form): one directly
 * behind the other, the GPU's own first. No byte of them is without meaning: another text is
 * another chain.
 */
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/user/attest/internal.h"

#define CERTIFICATE_BYTES_MAX 4096u
#define PEM_LINE_LETTERS 64u
#define LETTERS 4u /* of base64 for three bytes */
#define FWID_OID "2.23.133.5.4.1"
#define TEXT(t) t, sizeof(t) - 1

/* -- PEM --------------------------------------------------------------------------------------- */

/* Takes off the text if it begins with what is expected. */
static bool skip(struct attest_span *text, const char *expected, size_t bytes)
{
	if (text->bytes < bytes || memcmp(text->at, expected, bytes) != 0)
		return false;
	text->at += bytes;
	text->bytes -= bytes;
	return true;
}

static int letter_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four letters; the bytes it stands for, 0: none. Bits that do not count are zero. */
static u32 decode_group(const char *letters, u8 out[3])
{
	u32 value = 0, padding = 0, i;

	for (i = 0; i < LETTERS; i++) {
		int v = letter_value(letters[i]);

		if (letters[i] == '=' && i >= 2)
			padding++;
		else if (v < 0 || padding)
			return 0;
		value = value << 6 | (u32)(letters[i] == '=' ? 0 : v);
	}
	if (value & ((1u << 8 * padding) - 1))
		return 0;
	for (i = 0; i < 3; i++)
		out[i] = (u8)(value >> (16 - 8 * i));
	return 3 - padding;
}

/* A line of base64, whose end it takes off, too. False: it is none. */
static bool decode_line(struct attest_span *text, u8 *out, size_t *bytes, bool *last)
{
	const char *end = memchr(text->at, '\n', text->bytes);
	size_t letters = end ? (size_t)(end - text->at) : 0, i;
	u32 got = 3;

	if (!letters || letters > PEM_LINE_LETTERS || letters % LETTERS)
		return false;
	for (i = 0; i < letters; i += LETTERS) {
		if (got < 3 || *bytes + 3 > CERTIFICATE_BYTES_MAX)
			return false;
		got = decode_group(text->at + i, out + *bytes);
		if (!got)
			return false;
		*bytes += got;
	}
	*last = letters < PEM_LINE_LETTERS || got < 3;
	text->at = end + 1;
	text->bytes -= letters + 1;
	return true;
}

/* One certificate, from text that begins with it; NULL: it does not. */
static X509 *take_certificate(struct attest_span *text)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
	static const char end[] = "-----END CERTIFICATE-----";
	u8 der[CERTIFICATE_BYTES_MAX], again[CERTIFICATE_BYTES_MAX], *to = again;
	const u8 *from = der;
	size_t bytes = 0;
	bool last = false;
	X509 *certificate;

	if (!skip(text, TEXT(begin)))
		return NULL;
	while (!skip(text, TEXT(end)))
		if (last || !decode_line(text, der, &bytes, &last))
			return NULL;
	/* Files of others lack the very last one. */
	if (!skip(text, TEXT("\n")) && text->bytes)
		return NULL;
	certificate = d2i_X509(NULL, &from, (long)bytes);
	if (!certificate)
		return NULL;
	/* libcrypto also reads what is BER and not DER. */
	if (from != der + bytes || i2d_X509(certificate, NULL) != (int)bytes ||
	    i2d_X509(certificate, &to) != (int)bytes || memcmp(der, again, bytes) != 0) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

const char *attest_chain_parse(struct attest_chain *chain, const char *pem, size_t bytes)
{
	struct attest_span text = { pem, bytes };

	chain->count = 0;
	while (text.bytes) {
		X509 *certificate;

		if (chain->count == ATTEST_CERTIFICATES_MAX)
			return "more than a chain has";
		certificate = take_certificate(&text);
		if (!certificate)
			return chain->count ? "something else than a certificate behind the first"
					    : "no certificate";
		chain->certificates[chain->count++] = certificate;
	}
	return chain->count ? NULL : "none";
}

void attest_chain_free(struct attest_chain *chain)
{
	while (chain->count)
		X509_free(chain->certificates[--chain->count]);
}

X509 *attest_root_parse(const char *pem, size_t bytes)
{
	BIO *bio = bytes <= INT_MAX ? BIO_new_mem_buf(pem, (int)bytes) : NULL;
	X509 *root, *more = NULL;

	if (!bio)
		return NULL;
	root = PEM_read_bio_X509(bio, NULL, NULL, "");
	if (root)
		more = PEM_read_bio_X509(bio, NULL, NULL, "");
	BIO_free(bio);
	if (more) {
		X509_free(more);
		X509_free(root);
		return NULL;
	}
	return root;
}

/* -- The way to the root ----------------------------------------------------------------------- */

static bool is_p384(EVP_PKEY *key)
{
	char group[32];
	size_t bytes;

	return key && EVP_PKEY_get_group_name(key, group, sizeof(group), &bytes) == 1 &&
	       OBJ_sn2nid(group) == NID_secp384r1;
}

static const char *check_certificate(const struct attest_chain *chain, u32 i)
{
	X509 *certificate = chain->certificates[i];

	if (!is_p384(X509_get0_pubkey(certificate)))
		return "a key is not one of P-384";
	if (X509_get_signature_nid(certificate) != NID_ecdsa_with_SHA384)
		return "a signature is not ECDSA with SHA-384";
	/* Where no use is told, all bits are. */
	if (!i && !(X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE))
		return "the GPU's key may not sign";
	if (i && X509_check_ca(certificate) != 1)
		return "an issuer is no authority";
	return NULL;
}

/* Whether libcrypto went from the first to the last, leaving out none. */
static bool is_path(STACK_OF(X509) * path, const struct attest_chain *chain)
{
	u32 i;

	if (sk_X509_num(path) != (int)chain->count)
		return false;
	for (i = 0; i < chain->count; i++)
		if (X509_cmp(sk_X509_value(path, (int)i), chain->certificates[i]) != 0)
			return false;
	return true;
}

static const char *find_path(X509_STORE_CTX *ctx, const struct attest_chain *chain)
{
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
	X509_STORE_CTX_set_depth(ctx, (int)ATTEST_CERTIFICATES_MAX);
	if (X509_verify_cert(ctx) != 1)
		return X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	if (!is_path(X509_STORE_CTX_get0_chain(ctx), chain))
		return "the certificates are not in order";
	return NULL;
}

const char *attest_chain_check_path(const struct attest_chain *chain, X509 *root)
{
	const char *wrong = "out of memory";
	STACK_OF(X509) *others = NULL;
	X509_STORE_CTX *ctx = NULL;
	X509_STORE *store = NULL;
	u32 i;

	for (i = 0; i < chain->count; i++) {
		const char *bad = check_certificate(chain, i);

		if (bad)
			return bad;
	}
	ctx = X509_STORE_CTX_new();
	store = X509_STORE_new();
	others = sk_X509_new_null();
	if (!ctx || !store || !others || X509_STORE_add_cert(store, root) != 1)
		goto out;
	for (i = 1; i + 1 < chain->count; i++)
		if (!sk_X509_push(others, chain->certificates[i]))
			goto out;
	if (X509_STORE_CTX_init(ctx, store, chain->certificates[0], others) == 1)
		wrong = find_path(ctx, chain);
out:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(others);
	return wrong;
}

int attest_chain_find_invalid(const struct attest_chain *chain, u64 time)
{
	time_t now = (time_t)time;
	u32 i;

	for (i = 0; i < chain->count; i++)
		if (X509_cmp_time(X509_get0_notBefore(chain->certificates[i]), &now) >= 0 ||
		    X509_cmp_time(X509_get0_notAfter(chain->certificates[i]), &now) <= 0)
			return (int)i;
	return -1;
}

/* -- The GPU's own certificate ------------------------------------------------------------------
 */

/* FWID ::= SEQUENCE { OBJECT IDENTIFIER id-sha384, OCTET STRING of 48 bytes }, but for the latter.
 */
static const u8 fwid_begin[] = { 0x30, 0x3d, 0x06, 0x09, 0x60, 0x86, 0x48,	     0x01,
				 0x65, 0x03, 0x04, 0x02, 0x02, 0x04, SPDM_HASH_BYTES };

/*
 * The extension ends with the FWID in both forms that are about: TcbInfo with one FWID, and, of a
 * real H100, a key with its FWID. nvtrust takes the last 48 bytes of it, too.
 */
const char *attest_chain_fwid(const struct attest_chain *chain, u8 fwid[SPDM_HASH_BYTES])
{
	static const char missing[] = "none in the GPU's certificate";
	ASN1_OBJECT *oid = OBJ_txt2obj(FWID_OID, 1);
	X509 *certificate = chain->certificates[0];
	int at = oid ? X509_get_ext_by_OBJ(certificate, oid, -1) : -1;
	bool twice = at >= 0 && X509_get_ext_by_OBJ(certificate, oid, at) >= 0;
	const u8 *value;
	int bytes;

	ASN1_OBJECT_free(oid);
	if (at < 0)
		return missing;
	if (twice)
		return "more than one in the GPU's certificate";
	value = ASN1_STRING_get0_data(X509_EXTENSION_get_data(X509_get_ext(certificate, at)));
	bytes = ASN1_STRING_length(X509_EXTENSION_get_data(X509_get_ext(certificate, at)));
	if (bytes < (int)(sizeof(fwid_begin) + SPDM_HASH_BYTES))
		return missing;
	value += (u32)bytes - SPDM_HASH_BYTES;
	if (memcmp(value - sizeof(fwid_begin), fwid_begin, sizeof(fwid_begin)) != 0)
		return missing;
	memcpy(fwid, value, SPDM_HASH_BYTES);
	return NULL;
}

/* r and s as ECDSA's own form has them; the bytes of it, 0: out of memory. */
static int encode_signature(const u8 signature[SPDM_SIGNATURE_BYTES], u8 **der)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, SPDM_SIGNATURE_BYTES / 2, NULL);
	BIGNUM *s = BN_bin2bn(signature + SPDM_SIGNATURE_BYTES / 2, SPDM_SIGNATURE_BYTES / 2, NULL);
	int bytes = 0;

	if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = NULL;
		s = NULL;
		bytes = i2d_ECDSA_SIG(pair, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return bytes > 0 ? bytes : 0;
}

bool attest_chain_signed(const struct attest_chain *chain, const u8 *data, size_t bytes,
			 const u8 signature[SPDM_SIGNATURE_BYTES])
{
	EVP_PKEY *key = X509_get0_pubkey(chain->certificates[0]);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	u8 *der = NULL;
	int size = encode_signature(signature, &der);
	bool holds;

	holds = ctx && size && EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
		EVP_DigestVerify(ctx, der, (size_t)size, data, bytes) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	return holds;
}

/* -- For people -------------------------------------------------------------------------------- */

static void describe_name(X509_NAME *name, char *out, size_t room)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long bytes, i;

	out[0] = '\0';
	if (!bio)
		return;
	/* Escapes what is no printable ASCII. */
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE) >= 0) {
		bytes = BIO_get_mem_data(bio, &text);
		for (i = 0; i < bytes && (size_t)i < room - 1; i++)
			out[i] = attest_is_printable((u8)text[i]) ? text[i] : '?';
		out[i] = '\0';
	}
	BIO_free(bio);
}

static void describe_time(const ASN1_TIME *time, char *out, size_t room)
{
	struct tm tm;

	out[0] = '\0';
	if (ASN1_TIME_to_tm(time, &tm) == 1)
		(void)strftime(out, room, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void attest_certificate_describe(X509 *certificate, struct attest_certificate *out)
{
	describe_name(X509_get_subject_name(certificate), out->subject, sizeof(out->subject));
	describe_name(X509_get_issuer_name(certificate), out->issuer, sizeof(out->issuer));
	describe_time(X509_get0_notBefore(certificate), out->from, sizeof(out->from));
	describe_time(X509_get0_notAfter(certificate), out->to, sizeof(out->to));
}
