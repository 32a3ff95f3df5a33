// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * DER, strictly: every encoding that another one could stand for is refused.
 */
#include "os/der.h"

#define LONG_FORM 0x80u

/* The size field behind the tag; how many bytes it has, 0: none that is right. */
static size_t read_size(const struct der *from, size_t *size)
{
	const u8 *at = from->at + 1;
	size_t room = from->size - 1;

	if (room >= 1 && at[0] < LONG_FORM) {
		*size = at[0];
		return 1;
	}
	if (room >= 2 && at[0] == (LONG_FORM | 1)) {
		*size = at[1];
		return *size >= LONG_FORM ? 2 : 0;
	}
	if (room >= 3 && at[0] == (LONG_FORM | 2)) {
		*size = (size_t)at[1] << 8 | at[2];
		return *size > 0xff ? 3 : 0;
	}
	return 0;
}

bool der_take(struct der *from, u8 tag, struct der *contents, struct der *whole)
{
	size_t size, head;

	if (from->size < 2 || from->at[0] != tag)
		return false;
	head = read_size(from, &size);
	if (!head || size > from->size - 1 - head)
		return false;
	head++;
	contents->at = from->at + head;
	contents->size = size;
	if (whole) {
		whole->at = from->at;
		whole->size = head + size;
	}
	from->at += head + size;
	from->size -= head + size;
	return true;
}

bool der_take_exact(struct der *from, const void *bytes, size_t size)
{
	if (from->size < size || os_memcmp(from->at, bytes, size) != 0)
		return false;
	from->at += size;
	from->size -= size;
	return true;
}

bool der_take_oid(struct der *from, struct der *oid)
{
	struct der rest = *from, found;
	bool begins = true;
	size_t i;

	if (!der_take(&rest, DER_OID, &found, NULL) || !found.size)
		return false;
	for (i = 0; i < found.size; i++) {
		if (begins && found.at[i] == 0x80) /* a leading zero of a part */
			return false;
		begins = !(found.at[i] & 0x80);
	}
	if (!begins)
		return false;
	*oid = found;
	*from = rest;
	return true;
}

bool der_take_natural(struct der *from, struct der *number)
{
	struct der rest = *from, found;

	if (!der_take(&rest, DER_INTEGER, &found, NULL) || !found.size || (found.at[0] & 0x80))
		return false;
	if (found.size > 1 && !found.at[0]) {
		if (!(found.at[1] & 0x80))
			return false;
		found.at++;
		found.size--;
	}
	*number = found;
	*from = rest;
	return true;
}

bool der_equal(const struct der *a, const struct der *b)
{
	return a->size == b->size && os_memcmp(a->at, b->at, a->size) == 0;
}
