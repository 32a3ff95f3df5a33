// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Points and signatures of P-384 of os/crypto.h on the arithmetic that the kernel's ecc module
 * exports: Debian's 6.1 has no ECDSA. Numbers are of six digits, the lowest first. All that is
 * computed with here is public.
 */
#include <crypto/ecdh.h>
#include <crypto/internal/ecc.h>

#include "os/linux/crypto/crypto.h"

#define DIGITS ECC_CURVE_NIST_P384_DIGITS

struct number {
	u64 digits[DIGITS];
};

static void read_number(struct number *number, const u8 bytes[OS_P384_SIZE])
{
	vli_from_be64(number->digits, bytes, DIGITS);
}

/* The cofactor is 1: every point of the curve but infinity generates the group. */
static enum nv_status read_point(const u8 bytes[OS_P384_POINT_SIZE], struct number *x,
				 struct number *y)
{
	const struct ecc_curve *curve = ecc_get_curve(ECC_CURVE_NIST_P384);
	struct ecc_point point = { x->digits, y->digits, DIGITS };

	read_number(x, bytes);
	read_number(y, bytes + OS_P384_SIZE);
	if (!curve)
		return NV_ERR_NOT_SUPPORTED;
	return ecc_is_pubkey_valid_partial(curve, &point) ? NV_ERR_INVALID_DATA : NV_OK;
}

enum nv_status os_p384_check_point(const u8 point[OS_P384_POINT_SIZE])
{
	struct number x, y;

	return read_point(point, &x, &y);
}

static bool below_order(const struct number *number, const struct ecc_curve *curve)
{
	return !vli_is_zero(number->digits, DIGITS) &&
	       vli_cmp(number->digits, curve->n, DIGITS) < 0;
}

/* The digest's leftmost 384 bits. */
static void read_digest(struct number *number, const u8 *digest, size_t size)
{
	u8 bytes[OS_P384_SIZE] = { 0 };

	if (size < sizeof(bytes))
		os_memcpy(bytes + sizeof(bytes) - size, digest, size);
	else
		os_memcpy(bytes, digest, sizeof(bytes));
	read_number(number, bytes);
}

/*
 * FIPS 186-4, 6.4: (digest G + r Q) / s has r as its x coordinate, modulo the order. Shamir's trick
 * gives 0 for an x where two points that are the same, or opposite, are added on the way; r is not
 * 0, so such a signature is refused. That takes a key whose private number is 1 or -1, or a chance
 * of 2^-375.
 */
static bool holds(const struct ecc_curve *curve, const struct ecc_point *key,
		  const struct number *digest, const struct number *r, const struct number *s)
{
	struct number inverse, of_base, of_key, x, y;
	struct ecc_point sum = { x.digits, y.digits, DIGITS };

	vli_mod_inv(inverse.digits, s->digits, curve->n, DIGITS);
	vli_mod_mult_slow(of_base.digits, digest->digits, inverse.digits, curve->n, DIGITS);
	vli_mod_mult_slow(of_key.digits, r->digits, inverse.digits, curve->n, DIGITS);
	ecc_point_mult_shamir(&sum, of_base.digits, &curve->g, of_key.digits, key, curve);
	if (vli_cmp(x.digits, curve->n, DIGITS) >= 0)
		vli_sub(x.digits, x.digits, curve->n, DIGITS);
	return vli_cmp(x.digits, r->digits, DIGITS) == 0;
}

enum nv_status os_p384_verify(const u8 key[OS_P384_POINT_SIZE], const void *digest, size_t size,
			      const u8 signature[OS_P384_SIGNATURE_SIZE])
{
	const struct ecc_curve *curve = ecc_get_curve(ECC_CURVE_NIST_P384);
	struct number x, y, hashed, r, s;
	struct ecc_point point = { x.digits, y.digits, DIGITS };
	enum nv_status status = read_point(key, &x, &y);

	if (status != NV_OK)
		return status;
	read_number(&r, signature);
	read_number(&s, signature + OS_P384_SIZE);
	read_digest(&hashed, digest, size);
	if (!below_order(&r, curve) || !below_order(&s, curve) ||
	    !holds(curve, &point, &hashed, &r, &s))
		return NV_ERR_INVALID_DATA;
	return NV_OK;
}
