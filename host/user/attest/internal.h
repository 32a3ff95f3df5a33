/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The verifier's files among themselves. What may be wrong with what was given is told as a text,
 * NULL: nothing.
 */
#ifndef HOST_USER_ATTEST_INTERNAL_H
#define HOST_USER_ATTEST_INTERNAL_H

#include <openssl/x509.h>
#include <string.h>

#include "host/user/attest/attest.h"

#define ATTEST_INDEX_MAX 256u /* of measurements */

/* Text that is not terminated. */
struct attest_span {
	const char *at;
	size_t bytes;
};

static inline bool attest_text_is(struct attest_span span, const char *text)
{
	return span.bytes == strlen(text) && memcmp(span.at, text, span.bytes) == 0;
}

static inline bool attest_is_printable(u8 c)
{
	return c >= ' ' && c <= '~';
}

/* -- report.c ---------------------------------------------------------------------------------- */

/* Pointers lead into the report. */
struct attest_report {
	const u8 *signed_bytes, *signature;
	size_t signed_count;
	const u8 *nonce;
	u32 measurement_count;
	const u8 *measurements[ATTEST_INDEX_MAX];   /* by index, SHA-384 each; NULL: none */
	const u8 *fwid;				    /* SHA-384; NULL: none */
	char driver_version[32], vbios_version[16]; /* empty: none */
	char chip_sku[16], project[16], project_sku[16];
};

const char *attest_report_parse(struct attest_report *report, const u8 *data, size_t bytes);

/* -- chain.c ----------------------------------------------------------------------------------- */

struct attest_chain {
	X509 *certificates[ATTEST_CERTIFICATES_MAX]; /* the GPU's first */
	u32 count;
};

/* Free it either way. */
const char *attest_chain_parse(struct attest_chain *chain, const char *pem, size_t bytes);
void attest_chain_free(struct attest_chain *chain);
/* The one certificate in a text; NULL: there is none, or another. */
X509 *attest_root_parse(const char *pem, size_t bytes);
/* Whether each certificate vouches for the one before it, up to the root; times do not count. */
const char *attest_chain_check_path(const struct attest_chain *chain, X509 *root);
/* Which certificate is not valid at that time; negative: none. */
int attest_chain_find_invalid(const struct attest_chain *chain, u64 time);
/* The digest of the firmware that the GPU's certificate is for (TCG DICE). */
const char *attest_chain_fwid(const struct attest_chain *chain, u8 fwid[SPDM_HASH_BYTES]);
/* Whether the GPU's key signed these bytes, as r and s. */
bool attest_chain_signed(const struct attest_chain *chain, const u8 *data, size_t bytes,
			 const u8 signature[SPDM_SIGNATURE_BYTES]);
void attest_certificate_describe(X509 *certificate, struct attest_certificate *out);

/* -- reference.c ------------------------------------------------------------------------------- */

enum attest_row_kind {
	ATTEST_ROW_MEASUREMENT,
	ATTEST_ROW_FWID,
	ATTEST_ROW_DRIVER_VERSION,
	ATTEST_ROW_VBIOS_VERSION,
};

struct attest_row {
	enum attest_row_kind kind;
	u32 index; /* of a measurement */
	struct attest_span what, which, value;
	u8 digest[SPDM_HASH_BYTES]; /* of a measurement or FWID */
};

/*
 * The next row of what is left of a reference, which it is taken off. False at the end and where a
 * line is no row: *wrong then says what it is, otherwise NULL.
 */
bool attest_reference_next(struct attest_span *left, struct attest_row *row, const char **wrong);
/* Whether all lines are rows, and there are any; *line is the one that is not. */
const char *attest_reference_check(struct attest_span reference, u32 *line);

#endif
