// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The attestation report as a verifier that was not written here takes it apart: field by field
 * after NVIDIA's nvtrust (local_gpu_verifier: spdm_msrt_req_msg, spdm_msrt_resp_msg), with
 * libcrypto for its signature and its certificates, and held against the reference file of the
 * build.
 */
#include "unit.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "h100/gsp/image.h"
#include "rm/cc/spdm_internal.h"
#include "spdm_rig.h"

#define REQUEST_BYTES 37u
#define SIGNATURE_BYTES 96u
#define NVTRUST_CERTIFICATES 5u
#define NVTRUST_FIELDS 32u

/* What nvtrust keeps of a report. */
struct report {
	u8 request[REQUEST_BYTES];
	const u8 *response;
	u32 response_bytes;
	u32 blocks;
	struct {
		const u8 *value;
		u32 bytes;
		u8 type;
	} block[256];
	const u8 *nonce;
	struct {
		const u8 *data;
		u32 bytes;
	} field[NVTRUST_FIELDS];
	const u8 *signature;
};

static u32 little(const u8 *data, u32 bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | data[bytes];
	return value;
}

static void parse(struct report *r, const u8 *data, u32 bytes)
{
	const u8 *at, *end;
	u32 i, record, opaque;

	memset(r, 0, sizeof(*r));
	assert_in_range(bytes, REQUEST_BYTES + 8, 0x2000);
	memcpy(r->request, data, REQUEST_BYTES);
	r->response = data + REQUEST_BYTES;
	r->response_bytes = bytes - REQUEST_BYTES;
	r->blocks = r->response[4];
	record = little(r->response + 5, 3);
	at = r->response + 8;
	end = at + record;
	for (i = 0; i < r->blocks; i++) {
		u32 index = at[0], size = little(at + 2, 2);

		assert_int_equal(at[1], 1); /* DMTF */
		assert_null(r->block[index].value);
		r->block[index].type = at[4];
		r->block[index].bytes = little(at + 5, 2);
		r->block[index].value = at + 7;
		assert_int_equal(size, r->block[index].bytes + 3);
		at += 4 + size;
	}
	assert_ptr_equal(at, end);
	for (i = 1; i <= r->blocks; i++)
		assert_non_null(r->block[i].value);
	r->nonce = at;
	at += 32;
	opaque = little(at, 2);
	at += 2;
	for (end = at + opaque; at < end;) {
		u32 type = little(at, 2), size = little(at + 2, 2);

		assert_in_range(type, 1, NVTRUST_FIELDS - 1);
		r->field[type].data = at + 4;
		r->field[type].bytes = size;
		at += 4 + size;
	}
	assert_ptr_equal(at, end);
	r->signature = at;
	assert_int_equal(at + SIGNATURE_BYTES - data, bytes);
}

/* As nvtrust: over request and response up to the signature. */
static bool signature_holds(const u8 *data, u32 bytes, EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	const u8 *signature = data + bytes - SIGNATURE_BYTES;
	u8 digest[48], der[128], *end = der;
	bool holds;
	int size;

	EVP_Digest(data, bytes - SIGNATURE_BYTES, digest, NULL, EVP_sha384(), NULL);
	ECDSA_SIG_set0(sig, BN_bin2bn(signature, 48, NULL), BN_bin2bn(signature + 48, 48, NULL));
	size = i2d_ECDSA_SIG(sig, &end);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	holds = EVP_PKEY_verify(ctx, der, (size_t)size, digest, sizeof(digest)) == 1;
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
	return holds;
}

/* nvtrust's format_vbios_version. */
static void format_vbios(const u8 *version, u32 bytes, char text[16])
{
	char hex[17], order[11];
	u32 i;

	assert_int_equal(bytes, 8);
	for (i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", version[7 - i]);
	memcpy(order, hex + 8, 8);
	memcpy(order + 8, hex + 6, 2);
	snprintf(text, 16, "%.2s.%.2s.%.2s.%.2s.%.2s", order, order + 2, order + 4, order + 6,
		 order + 8);
}

/* The last 48 bytes of the extension 2.23.133.5.4.1, as nvtrust's extract_fwid. */
static void find_fwid(X509 *certificate, u8 fwid[48])
{
	ASN1_OBJECT *oid = OBJ_txt2obj("2.23.133.5.4.1", 1);
	int at = X509_get_ext_by_OBJ(certificate, oid, -1);
	ASN1_OCTET_STRING *value;

	assert_true(at >= 0);
	value = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
	assert_true(ASN1_STRING_length(value) > 48);
	memcpy(fwid, ASN1_STRING_get0_data(value) + ASN1_STRING_length(value) - 48, 48);
	ASN1_OBJECT_free(oid);
}

static void a_verifier_accepts_the_report(void **state)
{
	static u8 data[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	static char pem[0x1400]; /* as much as NVML has room for */
	static struct spdm_rig rig;
	static struct report r;
	X509 *certificates[NVTRUST_CERTIFICATES + 1] = { NULL };
	u8 nonce[32], fwid[48], expected[48];
	u32 bytes, pem_bytes, count = 0, i;
	char text[16];
	BIO *bio;

	memset(&rig, 0, sizeof(rig));
	assert_true(spdm_rig_create(&rig, NULL, 0));
	for (i = 0; i < sizeof(nonce); i++)
		nonce[i] = (u8)(3 * i);
	assert_int_equal(rm_spdm_certificates(rig.requester, pem, sizeof(pem), &pem_bytes),
			 NV_ERR_NOT_READY);
	assert_int_equal(rm_spdm_start(rig.requester), NV_OK);
	assert_int_equal(rm_spdm_attest(rig.requester, nonce, data, sizeof(data) - 1, &bytes),
			 NV_ERR_BUFFER_TOO_SMALL);
	assert_int_equal(rm_spdm_attest(rig.requester, nonce, data, sizeof(data), &bytes), NV_OK);

	/* The chain, the GPU's own certificate first, each signed by the next. */
	for (i = 0; i < 3000; i += 321)
		assert_int_equal(rm_spdm_certificates(rig.requester, pem, i, &pem_bytes),
				 NV_ERR_BUFFER_TOO_SMALL);
	assert_int_equal(rm_spdm_certificates(rig.requester, pem, sizeof(pem), &pem_bytes), NV_OK);
	bio = BIO_new_mem_buf(pem, (int)pem_bytes);
	while (count <= NVTRUST_CERTIFICATES &&
	       (certificates[count] = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		count++;
	BIO_free(bio);
	assert_int_equal(count, NVTRUST_CERTIFICATES);
	for (i = 0; i < count; i++) {
		X509 *by = certificates[i + 1 < count ? i + 1 : i];

		assert_int_equal(X509_verify(certificates[i], X509_get0_pubkey(by)), 1);
		assert_int_equal(X509_check_issued(by, certificates[i]), X509_V_OK);
	}

	parse(&r, data, bytes);
	assert_int_equal(r.request[0], 0x11);
	assert_int_equal(r.request[1], 0xe0);
	assert_memory_equal(r.request + 4, nonce, sizeof(nonce));
	assert_int_equal(r.response[0], 0x11);
	assert_int_equal(r.response[1], 0x60);
	assert_int_equal(r.blocks, SPDM_MEASUREMENT_COUNT);
	for (i = 0; i < r.blocks; i++) {
		assert_int_equal(r.block[i + 1].bytes, 48);
		assert_memory_equal(r.block[i + 1].value, rig.measures.value[i], 48);
	}
	EVP_Digest(spdm_rig_profile, strlen(spdm_rig_profile), expected, NULL, EVP_sha384(), NULL);
	assert_memory_equal(r.block[3].value, expected, 48);
	EVP_Digest(spdm_rig_scenario, strlen(spdm_rig_scenario), expected, NULL, EVP_sha384(),
		   NULL);
	assert_memory_equal(r.block[4].value, expected, 48);

	assert_string_equal((const char *)r.field[3].data, "535.309.01");
	assert_int_equal(r.field[3].bytes, sizeof("535.309.01"));
	format_vbios(r.field[6].data, r.field[6].bytes, text);
	assert_string_equal(text, "96.00.74.00.01");
	assert_string_equal((const char *)r.field[15].data, "885");
	assert_string_equal((const char *)r.field[17].data, "G520");
	assert_string_equal((const char *)r.field[18].data, "0200");
	assert_int_equal(r.field[11].bytes, 1);
	assert_int_equal(r.field[11].data[0], 0x55);
	assert_int_equal(r.field[12].bytes, 4 * r.blocks); /* measurement counts */
	find_fwid(certificates[0], fwid);
	assert_int_equal(r.field[20].bytes, sizeof(fwid));
	assert_memory_equal(r.field[20].data, fwid, sizeof(fwid));
	assert_memory_equal(r.block[2].value, fwid, sizeof(fwid));

	assert_true(signature_holds(data, bytes, X509_get0_pubkey(certificates[0])));
	data[50] ^= 1;
	assert_false(signature_holds(data, bytes, X509_get0_pubkey(certificates[0])));
	for (i = 0; i < count; i++)
		X509_free(certificates[i]);
	spdm_rig_destroy(&rig);
}

/* Two reports over one nonce are not the same: the GPU adds one of its own. */
static void each_report_is_fresh(void **state)
{
	static u8 first[SPDM_ATTESTATION_REPORT_MAX_SIZE], second[SPDM_ATTESTATION_REPORT_MAX_SIZE];
	static struct spdm_rig rig;
	static struct report a, b;
	u8 nonce[32] = { 9 };
	u32 bytes[2];

	memset(&rig, 0, sizeof(rig));
	assert_true(spdm_rig_create(&rig, NULL, 0));
	assert_int_equal(rm_spdm_start(rig.requester), NV_OK);
	assert_int_equal(rm_spdm_attest(rig.requester, nonce, first, sizeof(first), &bytes[0]),
			 NV_OK);
	assert_int_equal(rm_spdm_attest(rig.requester, nonce, second, sizeof(second), &bytes[1]),
			 NV_OK);
	parse(&a, first, bytes[0]);
	parse(&b, second, bytes[1]);
	assert_memory_equal(a.request, b.request, sizeof(a.request));
	assert_memory_not_equal(a.nonce, b.nonce, 32);
	assert_memory_not_equal(a.signature, b.signature, SIGNATURE_BYTES);
	spdm_rig_destroy(&rig);
}

/* -- What is measured -------------------------------------------------------------------------- */

struct file {
	char *data;
	size_t bytes;
};

static struct file slurp(const char *path)
{
	FILE *stream = fopen(path, "r");
	struct file file = { calloc(1, H100_PROFILE_MAX_SIZE), 0 };

	if (!stream)
		fail_msg("%s", path);
	file.bytes = fread(file.data, 1, H100_PROFILE_MAX_SIZE - 1, stream);
	fclose(stream);
	return file;
}

/* The digest that the build's reference file has; NULL: none. */
static const char *reference(const struct file *tsv, u32 index, const char *which)
{
	static char digest[97];
	char *line = tsv->data, found[64];
	unsigned number;

	while (line && *line) {
		if (sscanf(line, "%u\t%*[^\t]\t%63[^\t]\t%96s", &number, found, digest) == 3 &&
		    number == index && strcmp(found, which) == 0)
			return digest;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

static void assert_measured(const struct file *tsv, u32 index, const char *which,
			    const struct spdm_measures *measures)
{
	const char *expected = reference(tsv, index, which);
	char hex[97];
	u32 i;

	for (i = 0; i < 48; i++)
		snprintf(hex + 2 * i, 3, "%02x", measures->value[index - 1][i]);
	assert_non_null(expected);
	assert_string_equal(hex, expected);
}

/* Only what is DER is taken apart, and no more of it than is there. */
static void certificates_have_a_size(void **state)
{
	static const u8 empty[] = { 0x30, 0x00 }, open_ended[] = { 0x30, 0x80, 0x00, 0x00 },
			one[] = { 0x30, 0x81, 0x01, 0x05 }, set[] = { 0x31, 0x00 },
			three[] = { 0x30, 0x83, 0x00, 0x00, 0x00 };

	assert_int_equal(rm_spdm_certificate_bytes(empty, sizeof(empty)), 2);
	assert_int_equal(rm_spdm_certificate_bytes(empty, 1), 0);
	assert_int_equal(rm_spdm_certificate_bytes(open_ended, sizeof(open_ended)), 0);
	assert_int_equal(rm_spdm_certificate_bytes(one, sizeof(one)), 4);
	assert_int_equal(rm_spdm_certificate_bytes(one, sizeof(one) - 1), 0);
	assert_int_equal(rm_spdm_certificate_bytes(set, sizeof(set)), 0);
	assert_int_equal(rm_spdm_certificate_bytes(three, sizeof(three)), 0);
	assert_int_equal(rm_spdm_certificate_bytes(rm_spdm_test_root, rm_spdm_test_root_bytes),
			 rm_spdm_test_root_bytes);
}

static void the_build_writes_what_is_measured(void **state)
{
	static const char *const names[] = { "h100-pcie-80gb", "h100-sxm-80gb", "h200" };
	struct file tsv = slurp(MEASUREMENTS);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		static struct h100_profile profile;
		struct h100_parse_error error;
		struct spdm_measures measures, other;
		struct file text;
		char path[512];

		snprintf(path, sizeof(path), "%s/%s.profile", PROFILES, names[i]);
		text = slurp(path);
		assert_int_equal(h100_profile_parse(text.data, text.bytes, &profile, &error),
				 NV_OK);
		assert_true(spdm_measure(&measures, &profile, text.data, text.bytes, NULL, 0,
					 h100_fmc_sha384, h100_image_sha384));
		assert_measured(&tsv, 1, "-", &measures);
		assert_measured(&tsv, 2, "-", &measures);
		assert_measured(&tsv, 3, names[i], &measures);
		assert_measured(&tsv, 4, "none", &measures);

		/* One byte more or other, of either text. */
		assert_true(spdm_measure(&other, &profile, text.data, text.bytes, "\n", 1,
					 h100_fmc_sha384, h100_image_sha384));
		assert_memory_not_equal(measures.value[3], other.value[3], 48);
		assert_memory_equal(measures.value[2], other.value[2], 48);
		text.data[text.bytes / 2] ^= 1;
		assert_true(spdm_measure(&other, &profile, text.data, text.bytes, NULL, 0,
					 h100_fmc_sha384, h100_image_sha384));
		assert_memory_not_equal(measures.value[2], other.value[2], 48);
		assert_memory_equal(measures.value[3], other.value[3], 48);
		free(text.data);
	}
	free(tsv.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_have_a_size),
		cmocka_unit_test(a_verifier_accepts_the_report),
		cmocka_unit_test(each_report_is_fresh),
		cmocka_unit_test(the_build_writes_what_is_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
