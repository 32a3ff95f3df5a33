/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Reads DER (ITU-T X.690): elements of one tag byte and at most 65535 bytes, in their one encoding.
 *
 *   | tag 1 | size: 1 byte below 0x80, 0x81 and 1 byte, or 0x82 and 2 bytes | contents |
 *
 * Each function takes what it is named for from the front; false: it is not there, and nothing was
 * taken.
 */
#ifndef OS_DER_H
#define OS_DER_H

#include "os/os.h"

#define DER_BOOLEAN 0x01u
#define DER_INTEGER 0x02u
#define DER_BIT_STRING 0x03u
#define DER_OCTET_STRING 0x04u
#define DER_OID 0x06u
#define DER_UTF8_STRING 0x0cu
#define DER_PRINTABLE_STRING 0x13u
#define DER_IA5_STRING 0x16u
#define DER_UTC_TIME 0x17u
#define DER_GENERALIZED_TIME 0x18u
#define DER_SEQUENCE 0x30u
#define DER_SET 0x31u
#define DER_CONTEXT(n) (0x80u | (n))	    /* in place of another tag */
#define DER_CONTEXT_AROUND(n) (0xa0u | (n)) /* around other elements */

/* Bytes of somebody else's. */
struct der {
	const u8 *at;
	size_t size;
};

/* An element: its contents and, unless NULL, all of it. */
bool der_take(struct der *from, u8 tag, struct der *contents, struct der *whole);
/* Exactly these bytes. */
bool der_take_exact(struct der *from, const void *bytes, size_t size);
/* An OID in its shortest form. */
bool der_take_oid(struct der *from, struct der *oid);
/* An INTEGER that is not negative: its bytes without a leading zero, of 0 one zero byte. */
bool der_take_natural(struct der *from, struct der *number);

bool der_equal(const struct der *a, const struct der *b);

#endif
