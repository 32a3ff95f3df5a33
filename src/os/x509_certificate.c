// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A certificate's bytes (RFC 5280, 4.1):
 *
 *   SEQUENCE
 *     SEQUENCE                              the body
 *       [0] version 3
 *       serial number
 *       ecdsa-with-SHA384
 *       issuer   SEQUENCE of SET of one SEQUENCE { OID, text }
 *       SEQUENCE { not before, not after }
 *       subject
 *       SEQUENCE { SEQUENCE { ecPublicKey, secp384r1 }, BIT STRING 04 X Y }
 *       [3] SEQUENCE of SEQUENCE { OID, critical, OCTET STRING }
 *     ecdsa-with-SHA384
 *     BIT STRING { SEQUENCE { r, s } }
 */
#include "os/x509.h"

#define SERIAL_MAX 20u
#define EXTENSIONS_MAX 16u
#define KEY_ID_MAX 64u
#define DAYS_TO_1970 719468u /* from the first of March of the year 0 */
#define SECONDS_PER_DAY 86400u

static const u8 version_3[] = { 0xa0, 0x03, 0x02, 0x01, 0x02 };
static const u8 ecdsa_with_sha384[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
					0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };
/* All of the key up to X; both coordinates are all that comes then. */
static const u8 p384_key[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
			       0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
			       0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04 };

/* -- Names ------------------------------------------------------------------------------------- */

/*
 * ASCII, without control characters and without spaces that comparison would have to ignore
 * (RFC 5280, 7.1): two texts that are written differently mean different names, but for their case.
 */
static bool is_plain(const struct der *text)
{
	size_t i;

	if (!text->size || text->at[0] == ' ' || text->at[text->size - 1] == ' ')
		return false;
	for (i = 0; i < text->size; i++)
		if (text->at[i] < 0x20 || text->at[i] > 0x7e ||
		    (i && text->at[i] == ' ' && text->at[i - 1] == ' '))
			return false;
	return true;
}

static bool take_attribute(struct der *from)
{
	struct der set, pair, oid, text;

	return der_take(from, DER_SET, &set, NULL) && der_take(&set, DER_SEQUENCE, &pair, NULL) &&
	       !set.size && der_take_oid(&pair, &oid) &&
	       (der_take(&pair, DER_UTF8_STRING, &text, NULL) ||
		der_take(&pair, DER_PRINTABLE_STRING, &text, NULL) ||
		der_take(&pair, DER_IA5_STRING, &text, NULL)) &&
	       !pair.size && is_plain(&text);
}

static bool take_name(struct der *from, struct der *name)
{
	struct der attributes;

	if (!der_take(from, DER_SEQUENCE, &attributes, name) || !attributes.size)
		return false;
	while (attributes.size)
		if (!take_attribute(&attributes))
			return false;
	return true;
}

/* -- Times ------------------------------------------------------------------------------------- */

static bool read_number(const u8 *digits, u32 count, u32 *number)
{
	for (*number = 0; count; count--, digits++) {
		if (*digits < '0' || *digits > '9')
			return false;
		*number = *number * 10 + (u32)(*digits - '0');
	}
	return true;
}

static u32 days_of_month(u32 year, u32 month)
{
	static const u8 days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Years are counted from March on: a leap day is a year's last. */
static u64 days_since_1970(u32 year, u32 month, u32 day)
{
	u64 years = month > 2 ? year : year - 1;
	u64 months = month > 2 ? month - 3 : month + 9;

	return years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day -
	       1 - DAYS_TO_1970;
}

/* MMDDhhmmssZ */
static bool read_time(const u8 *text, u32 year, u64 *seconds)
{
	u32 part[5], i;

	for (i = 0; i < 5; i++)
		if (!read_number(text + 2 * i, 2, &part[i]))
			return false;
	if (year < 1970 || part[0] < 1 || part[0] > 12 || part[1] < 1 ||
	    part[1] > days_of_month(year, part[0]) || part[2] > 23 || part[3] > 59 ||
	    part[4] > 59 || text[10] != 'Z')
		return false;
	*seconds = days_since_1970(year, part[0], part[1]) * SECONDS_PER_DAY + part[2] * 3600 +
		   part[3] * 60 + part[4];
	return true;
}

/* Two digits of the year until 2049, four from then on (RFC 5280, 4.1.2.5). */
static bool take_time(struct der *from, u64 *seconds)
{
	struct der text;
	u32 year;

	if (der_take(from, DER_UTC_TIME, &text, NULL))
		return text.size == 13 && read_number(text.at, 2, &year) &&
		       read_time(text.at + 2, year + (year < 50 ? 2000 : 1900), seconds);
	return der_take(from, DER_GENERALIZED_TIME, &text, NULL) && text.size == 15 &&
	       read_number(text.at, 4, &year) && year >= 2050 &&
	       read_time(text.at + 4, year, seconds);
}

/* -- Extensions -------------------------------------------------------------------------------- */

/* BOOLEAN TRUE, as DER has it alone. */
static const u8 is_true[] = { DER_BOOLEAN, 0x01, 0xff };

/* SEQUENCE { cA BOOLEAN, by default false, pathLenConstraint INTEGER, if any } */
static bool read_basic_constraints(struct der value, struct x509_certificate *c)
{
	struct der fields, number;
	size_t i;

	if (!der_take(&value, DER_SEQUENCE, &fields, NULL) || value.size)
		return false;
	c->authority = der_take_exact(&fields, is_true, sizeof(is_true));
	if (!fields.size)
		return true;
	if (!c->authority || !der_take_natural(&fields, &number) || fields.size || number.size > 2)
		return false;
	c->path_limited = true;
	for (i = 0; i < number.size; i++)
		c->path_max = c->path_max << 8 | number.at[i];
	return true;
}

/* BIT STRING: bits that are not used in the last byte, one or two bytes of which the last is used
 */
static bool read_key_usage(struct der value, struct x509_certificate *c)
{
	struct der bits;
	u8 last, unused;

	if (!der_take(&value, DER_BIT_STRING, &bits, NULL) || value.size || bits.size < 2 ||
	    bits.size > 3)
		return false;
	unused = bits.at[0];
	last = bits.at[bits.size - 1];
	/* the last bit that is told is set, and nothing behind it */
	if (unused > 7 || (last & ((2u << unused) - 1)) != 1u << unused)
		return false;
	c->tells_usage = true;
	c->usage = bits.at[1];
	return true;
}

static bool read_subject_key_id(struct der value, struct x509_certificate *c)
{
	return der_take(&value, DER_OCTET_STRING, &c->subject_key_id, NULL) && !value.size &&
	       c->subject_key_id.size && c->subject_key_id.size <= KEY_ID_MAX;
}

/* SEQUENCE { [0] key id }, without the issuer's name and number */
static bool read_authority_key_id(struct der value, struct x509_certificate *c)
{
	struct der fields;

	return der_take(&value, DER_SEQUENCE, &fields, NULL) && !value.size &&
	       der_take(&fields, DER_CONTEXT(0), &c->authority_key_id, NULL) && !fields.size &&
	       c->authority_key_id.size && c->authority_key_id.size <= KEY_ID_MAX;
}

/* SEQUENCE of SEQUENCE { [0] { [0] { [6] URI } } }. Nobody here asks for revocations. */
static bool read_crl_points(struct der value, struct x509_certificate *c)
{
	struct der points, point, name, full, uri;

	(void)c;
	if (!der_take(&value, DER_SEQUENCE, &points, NULL) || value.size || !points.size)
		return false;
	while (points.size)
		if (!der_take(&points, DER_SEQUENCE, &point, NULL) ||
		    !der_take(&point, DER_CONTEXT_AROUND(0), &name, NULL) || point.size ||
		    !der_take(&name, DER_CONTEXT_AROUND(0), &full, NULL) || name.size ||
		    !der_take(&full, DER_CONTEXT(6), &uri, NULL) || full.size || !is_plain(&uri))
			return false;
	return true;
}

/* What it says is for others. */
static bool read_nothing(struct der value, struct x509_certificate *c)
{
	(void)value;
	(void)c;
	return true;
}

/*
 * The first that fits counts. Folders stand for all OIDs that begin so; those without a function
 * hold what a verifier may have to heed, or would have to check.
 */
static const struct {
	u8 oid[8];
	u8 size;
	bool folder, may_be_critical;
	bool (*read)(struct der value, struct x509_certificate *c);
} extensions[] = {
	{ { 0x55, 0x1d, 0x0e }, 3, false, false, read_subject_key_id },
	{ { 0x55, 0x1d, 0x0f }, 3, false, true, read_key_usage },
	{ { 0x55, 0x1d, 0x13 }, 3, false, true, read_basic_constraints },
	{ { 0x55, 0x1d, 0x1f }, 3, false, false, read_crl_points },
	{ { 0x55, 0x1d, 0x23 }, 3, false, false, read_authority_key_id },
	{ { 0x55, 0x1d }, 2, true, false, NULL }, /* id-ce */
	{ { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01 }, 8, false, false, read_nothing },
	{ { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01 }, 7, true, false, NULL },	      /* id-pe */
	{ { 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01 }, 8, true, false, NULL }, /* Netscape */
	{ { 0 }, 0, true, false, read_nothing },
};

static bool begins_with(const struct der *oid, const u8 *bytes, u8 size)
{
	return oid->size >= size && os_memcmp(oid->at, bytes, size) == 0;
}

static bool read_extension(const struct der *oid, bool critical, struct der value,
			   struct x509_certificate *c)
{
	u32 i;

	for (i = 0; !begins_with(oid, extensions[i].oid, extensions[i].size) ||
		    (!extensions[i].folder && oid->size != extensions[i].size);
	     i++)
		;
	return extensions[i].read && (!critical || extensions[i].may_be_critical) &&
	       extensions[i].read(value, c);
}

static bool take_extensions(struct der *from, struct x509_certificate *c)
{
	struct der all, list, one, value, oids[EXTENSIONS_MAX];
	u32 count, i;
	bool critical;

	if (!der_take(from, DER_CONTEXT_AROUND(3), &all, NULL) ||
	    !der_take(&all, DER_SEQUENCE, &list, NULL) || all.size || !list.size)
		return false;
	for (count = 0; list.size; count++) {
		if (count == EXTENSIONS_MAX || !der_take(&list, DER_SEQUENCE, &one, NULL) ||
		    !der_take_oid(&one, &oids[count]))
			return false;
		critical = der_take_exact(&one, is_true, sizeof(is_true));
		if (!der_take(&one, DER_OCTET_STRING, &value, NULL) || one.size ||
		    !read_extension(&oids[count], critical, value, c))
			return false;
		for (i = 0; i < count; i++)
			if (der_equal(&oids[i], &oids[count]))
				return false;
	}
	return true;
}

/* -- The certificate --------------------------------------------------------------------------- */

static bool take_body(struct der *from, struct x509_certificate *c)
{
	struct der body, serial, times;

	if (!der_take(from, DER_SEQUENCE, &body, &c->body) ||
	    !der_take_exact(&body, version_3, sizeof(version_3)) ||
	    !der_take_natural(&body, &serial) || serial.size > SERIAL_MAX ||
	    !der_take_exact(&body, ecdsa_with_sha384, sizeof(ecdsa_with_sha384)) ||
	    !take_name(&body, &c->issuer) || !der_take(&body, DER_SEQUENCE, &times, NULL) ||
	    !take_time(&times, &c->from) || !take_time(&times, &c->to) || times.size ||
	    !take_name(&body, &c->subject) || !der_take_exact(&body, p384_key, sizeof(p384_key)) ||
	    body.size < OS_P384_POINT_SIZE)
		return false;
	os_memcpy(c->point, body.at, OS_P384_POINT_SIZE);
	body.at += OS_P384_POINT_SIZE;
	body.size -= OS_P384_POINT_SIZE;
	return !body.size || (take_extensions(&body, c) && !body.size);
}

static bool take_number(struct der *from, u8 number[OS_P384_SIZE])
{
	struct der found;

	if (!der_take_natural(from, &found) || found.size > OS_P384_SIZE)
		return false;
	os_memset(number, 0, OS_P384_SIZE - found.size);
	os_memcpy(number + OS_P384_SIZE - found.size, found.at, found.size);
	return true;
}

static bool take_signature(struct der *from, struct x509_certificate *c)
{
	static const u8 whole_bytes = 0; /* no bit of the last one is unused */
	struct der bits, numbers;

	return der_take_exact(from, ecdsa_with_sha384, sizeof(ecdsa_with_sha384)) &&
	       der_take(from, DER_BIT_STRING, &bits, NULL) &&
	       der_take_exact(&bits, &whole_bytes, 1) &&
	       der_take(&bits, DER_SEQUENCE, &numbers, NULL) && !bits.size &&
	       take_number(&numbers, c->signature) &&
	       take_number(&numbers, c->signature + OS_P384_SIZE) && !numbers.size;
}

bool x509_take_certificate(struct der *from, struct x509_certificate *certificate)
{
	struct der contents;

	os_memset(certificate, 0, sizeof(*certificate));
	return der_take(from, DER_SEQUENCE, &contents, &certificate->whole) &&
	       take_body(&contents, certificate) && take_signature(&contents, certificate) &&
	       !contents.size;
}
