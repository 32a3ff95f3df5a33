// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Who the GPU is: a device key that its issuer vouches for, and an attestation key that the device
 * key vouches for, together with the firmware that is there. As on an H100 the chain has five
 * certificates with the usual three of an issuer:
 *
 *   root --> identity --> provisioner --> device key (IK) --> attestation key (AK), signs
 *   \_______________ issuer ________/     \__________ made here __________/
 *
 *   GET_CERTIFICATE:  | length 2 | 0 2 | SHA-384 of the root | all but the root, DER |
 */
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "h100/gsp/spdm_internal.h"

#define ISSUER_CERTIFICATES_MAX 8u
#define NOT_BEFORE "20240101000000Z"
#define NOT_AFTER "99991231235959Z" /* RFC 5280, 4.1.2.5: does not end */
#define SERIAL_BYTES 16u
#define FWID_OID "2.23.133.5.4.1" /* tcg-dice-TcbInfo */

struct issuer {
	X509 *certificates[ISSUER_CERTIFICATES_MAX]; /* root first */
	u32 count;
	EVP_PKEY *key; /* the last one's */
};

static bool is_p384(EVP_PKEY *key)
{
	char group[32];
	size_t bytes;

	return EVP_PKEY_get_group_name(key, group, sizeof(group), &bytes) == 1 &&
	       OBJ_sn2nid(group) == NID_secp384r1;
}

static void issuer_fini(struct issuer *issuer)
{
	u32 i;

	for (i = 0; i < issuer->count; i++)
		X509_free(issuer->certificates[i]);
	EVP_PKEY_free(issuer->key);
}

/* Whether each certificate's key is P-384 and signed the next one, and the key is the last one's.
 */
static bool issuer_coherent(const struct issuer *issuer)
{
	u32 i;

	if (!issuer->count || !issuer->key || !is_p384(issuer->key))
		return false;
	for (i = 0; i < issuer->count; i++) {
		EVP_PKEY *by = X509_get0_pubkey(issuer->certificates[i ? i - 1 : 0]);

		if (!by || !is_p384(by) || X509_verify(issuer->certificates[i], by) != 1)
			return false;
	}
	return X509_check_private_key(issuer->certificates[issuer->count - 1], issuer->key) == 1;
}

static enum nv_status issuer_read(struct issuer *issuer, const char *text, u32 bytes)
{
	BIO *bio = BIO_new_mem_buf(text, (int)bytes);
	enum nv_status status = NV_ERR_INVALID_ARGUMENT;

	memset(issuer, 0, sizeof(*issuer));
	if (!bio)
		return NV_ERR_NO_MEMORY;
	while (issuer->count < ISSUER_CERTIFICATES_MAX) {
		X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, "");

		if (!certificate)
			break;
		issuer->certificates[issuer->count++] = certificate;
	}
	ERR_clear_error(); /* the end of the text */
	if (BIO_reset(bio) != 1)
		goto out;
	issuer->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, "");
	if (issuer_coherent(issuer))
		status = NV_OK;
out:
	BIO_free(bio);
	ERR_clear_error();
	if (status != NV_OK)
		issuer_fini(issuer);
	return status;
}

/* -- Making certificates ----------------------------------------------------------------------- */

static bool add_extension(X509 *certificate, X509 *by, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool done;

	X509V3_set_ctx(&ctx, by, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	done = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

/* TcbInfo of one FWID: SEQUENCE { [6] { SEQUENCE { OID sha384, OCTET STRING } } }. */
static bool add_fwid(X509 *certificate, const u8 fwid[SPDM_HASH_BYTES])
{
	static const u8 begin[] = { 0x30, 0x41, 0xa6, 0x3f, 0x30, 0x3d, 0x06, 0x09, 0x60, 0x86,
				    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x04, 0x30 };
	u8 value[sizeof(begin) + SPDM_HASH_BYTES];
	ASN1_OBJECT *oid = OBJ_txt2obj(FWID_OID, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	bool done = false;

	memcpy(value, begin, sizeof(begin));
	memcpy(value + sizeof(begin), fwid, SPDM_HASH_BYTES);
	if (oid && octets && ASN1_OCTET_STRING_set(octets, value, sizeof(value)) == 1) {
		extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
		done = extension && X509_add_ext(certificate, extension, -1) == 1;
	}
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(oid);
	return done;
}

static bool set_serial(X509 *certificate)
{
	u8 bytes[SERIAL_BYTES];
	BIGNUM *number;
	bool done;

	if (!spdm_random(bytes, sizeof(bytes)))
		return false;
	bytes[0] = (bytes[0] & 0x3fu) | 0x40u; /* positive, of always the same length */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return done;
}

static bool set_subject(X509 *certificate, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(certificate);

	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const u8 *)name, -1, -1,
					  0) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const u8 *)"Leafhopper", -1,
					  -1, 0) == 1;
}

/* A certificate for key; fwid makes it one of a key that signs, NULL one of a key that certifies.
 */
static X509 *certify(EVP_PKEY *key, const char *name, X509 *by, EVP_PKEY *by_key, const u8 *fwid)
{
	X509 *c = X509_new();

	if (c && X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) &&
	    set_subject(c, name) && X509_set_issuer_name(c, X509_get_subject_name(by)) == 1 &&
	    ASN1_TIME_set_string_X509(X509_getm_notBefore(c), NOT_BEFORE) == 1 &&
	    ASN1_TIME_set_string_X509(X509_getm_notAfter(c), NOT_AFTER) == 1 &&
	    X509_set_pubkey(c, key) == 1 &&
	    add_extension(c, by, NID_basic_constraints,
			  fwid ? "critical,CA:FALSE" : "critical,CA:TRUE,pathlen:0") &&
	    add_extension(c, by, NID_key_usage,
			  fwid ? "critical,digitalSignature" : "critical,keyCertSign") &&
	    add_extension(c, by, NID_subject_key_identifier, "hash") &&
	    (!X509_get0_subject_key_id(by) ||
	     add_extension(c, by, NID_authority_key_identifier, "keyid")) &&
	    (!fwid || add_fwid(c, fwid)) && X509_sign(c, by_key, EVP_sha384()) > 0)
		return c;
	X509_free(c);
	return NULL;
}

/* -- The chain --------------------------------------------------------------------------------- */

static enum nv_status append(struct spdm_identity *identity, X509 *certificate)
{
	int bytes = i2d_X509(certificate, NULL);
	u8 *to = identity->chain + identity->chain_bytes;

	if (bytes <= 0)
		return NV_ERR_NO_MEMORY;
	if ((u32)bytes > sizeof(identity->chain) - identity->chain_bytes)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	if (i2d_X509(certificate, &to) != bytes)
		return NV_ERR_NO_MEMORY;
	identity->chain_bytes += (u32)bytes;
	return NV_OK;
}

static enum nv_status make_chain(struct spdm_identity *identity, const struct issuer *issuer,
				 X509 *device, X509 *attestation)
{
	SPDM_CERT_CHAIN *header = (SPDM_CERT_CHAIN *)identity->chain;
	enum nv_status status = NV_OK;
	u32 i;

	if (X509_digest(issuer->certificates[0], EVP_sha384(), header->RootHash, NULL) != 1)
		return NV_ERR_NO_MEMORY;
	identity->chain_bytes = sizeof(*header);
	for (i = 1; i < issuer->count && status == NV_OK; i++)
		status = append(identity, issuer->certificates[i]);
	if (status == NV_OK)
		status = append(identity, device);
	if (status == NV_OK)
		status = append(identity, attestation);
	if (status != NV_OK)
		return status;
	header->Length = (u16)identity->chain_bytes;
	return spdm_sha384(identity->chain, identity->chain_bytes, identity->chain_digest)
		       ? NV_OK
		       : NV_ERR_NO_MEMORY;
}

enum nv_status spdm_identity_create(struct spdm_identity *identity, const char *issuer_text,
				    u32 issuer_bytes, u32 index, const u8 fwid[SPDM_HASH_BYTES])
{
	struct issuer issuer;
	X509 *device = NULL, *attestation = NULL;
	EVP_PKEY *device_key = NULL;
	char name[2][48];
	enum nv_status status;

	memset(identity, 0, sizeof(*identity));
	if (!issuer_text) {
		issuer_text = spdm_test_issuer;
		issuer_bytes = (u32)strlen(spdm_test_issuer);
	}
	status = issuer_read(&issuer, issuer_text, issuer_bytes);
	if (status != NV_OK)
		return status;
	memcpy(identity->fwid, fwid, SPDM_HASH_BYTES);
	os_snprintf(name[0], sizeof(name[0]), "Leafhopper GH100 %u device key", index);
	os_snprintf(name[1], sizeof(name[1]), "Leafhopper GH100 %u attestation key", index);
	status = NV_ERR_NO_MEMORY;
	device_key = EVP_EC_gen("P-384");
	identity->key = EVP_EC_gen("P-384");
	if (!device_key || !identity->key)
		goto out;
	device = certify(device_key, name[0], issuer.certificates[issuer.count - 1], issuer.key,
			 NULL);
	if (!device)
		goto out;
	attestation = certify(identity->key, name[1], device, device_key, fwid);
	if (!attestation)
		goto out;
	status = make_chain(identity, &issuer, device, attestation);
out:
	X509_free(attestation);
	X509_free(device);
	EVP_PKEY_free(device_key);
	issuer_fini(&issuer);
	ERR_clear_error();
	if (status != NV_OK)
		spdm_identity_destroy(identity);
	return status;
}

void spdm_identity_destroy(struct spdm_identity *identity)
{
	EVP_PKEY_free(identity->key);
	spdm_wipe(identity, sizeof(*identity));
}
