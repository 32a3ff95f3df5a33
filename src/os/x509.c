// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A chain of certificates: each one's issuer is the one before.
 *
 *   root (trusted, maybe in the chain) --> authority --> ... --> owner
 */
#include "os/x509.h"

struct path {
	u64 time;
	struct der names[OS_X509_CHAIN_MAX + 1];
	u32 count; /* certificates so far, the root among them */
	u32 authorities_left;
	struct x509_certificate *last, *next;
};

/* Letters of either case and the kinds of text mean the same. More may seem alike, not less. */
static u8 folded(u8 byte)
{
	if (byte == DER_PRINTABLE_STRING || byte == DER_IA5_STRING)
		return DER_UTF8_STRING;
	return byte >= 'A' && byte <= 'Z' ? (u8)(byte + 'a' - 'A') : byte;
}

static bool alike(const struct der *a, const struct der *b)
{
	size_t i;

	if (a->size != b->size)
		return false;
	for (i = 0; i < a->size; i++)
		if (folded(a->at[i]) != folded(b->at[i]))
			return false;
	return true;
}

/* Whoever is named twice could be meant where the other is: libraries that search refuse it. */
static bool add_name(struct path *path, const struct der *name)
{
	u32 i;

	for (i = 0; i < path->count; i++)
		if (alike(&path->names[i], name))
			return false;
	path->names[path->count++] = *name;
	return true;
}

static bool holds_at(const struct x509_certificate *c, u64 time)
{
	return c->from <= time && time < c->to;
}

/* Whether the last certificate may be followed by another one. */
static bool may_certify(struct path *path)
{
	const struct x509_certificate *c = path->last;

	if (!c->authority || (c->tells_usage && !(c->usage & X509_USAGE_KEY_CERT_SIGN)))
		return false;
	if (path->count > 1) { /* roots are not counted */
		if (!path->authorities_left)
			return false;
		path->authorities_left--;
	}
	if (c->path_limited && c->path_max < path->authorities_left)
		path->authorities_left = c->path_max;
	return true;
}

static bool names_issuer(const struct x509_certificate *c, const struct x509_certificate *issuer)
{
	return der_equal(&c->issuer, &issuer->subject) &&
	       (!c->authority_key_id.size || !issuer->subject_key_id.size ||
		der_equal(&c->authority_key_id, &issuer->subject_key_id));
}

static enum nv_status check_signature(const struct x509_certificate *c,
				      const struct x509_certificate *issuer)
{
	u8 digest[OS_SHA384_SIZE];
	enum nv_status status;

	status = os_hash_digest(OS_SHA384, c->body.at, c->body.size, digest);
	if (status == NV_OK)
		status = os_p384_verify(issuer->point, digest, sizeof(digest), c->signature);
	return status;
}

/* The next certificate, issued by the last, which it becomes. */
static enum nv_status follow(struct path *path, struct der *from)
{
	struct x509_certificate *next = path->next;
	enum nv_status status;

	if (!x509_take_certificate(from, next) || !holds_at(next, path->time) ||
	    !may_certify(path) || !names_issuer(next, path->last) ||
	    !add_name(path, &next->subject))
		return NV_ERR_INVALID_DATA;
	status = check_signature(next, path->last);
	path->next = path->last;
	path->last = next;
	return status;
}

static enum nv_status walk(struct path *path, struct der root, struct der chain)
{
	struct der whole = root;
	enum nv_status status = NV_OK;
	u32 left = OS_X509_CHAIN_MAX;

	if (!x509_take_certificate(&root, path->last) || root.size ||
	    !holds_at(path->last, path->time) || !chain.size)
		return NV_ERR_INVALID_DATA;
	(void)add_name(path, &path->last->subject);
	if (der_take_exact(&chain, whole.at, whole.size))
		left--;
	for (; status == NV_OK && chain.size; left--)
		status = left ? follow(path, &chain) : NV_ERR_INVALID_DATA;
	return status;
}

/* Whether the key may sign something else than certificates: where its use is told, it is for that.
 */
static bool may_sign(const struct x509_certificate *owner)
{
	return !owner->tells_usage || (owner->usage & X509_USAGE_DIGITAL_SIGNATURE);
}

enum nv_status x509_verify_chain(const void *root, size_t root_size, const void *chain,
				 size_t chain_size, u64 time, u8 point[OS_P384_POINT_SIZE])
{
	struct der trusted = { root, root_size }, given = { chain, chain_size };
	struct x509_certificate two[2];
	struct path path = { .time = time,
			     .authorities_left = OS_X509_CHAIN_MAX,
			     .last = &two[0],
			     .next = &two[1] };
	enum nv_status status = walk(&path, trusted, given);

	if (status == NV_OK && !may_sign(path.last))
		status = NV_ERR_INVALID_DATA;
	if (status == NV_OK)
		status = os_p384_check_point(path.last->point);
	if (status == NV_OK)
		os_memcpy(point, path.last->point, OS_P384_POINT_SIZE);
	else
		os_memset(point, 0, OS_P384_POINT_SIZE);
	return status;
}

enum nv_status x509_public_key(const void *certificate, size_t size, u8 point[OS_P384_POINT_SIZE])
{
	struct der from = { certificate, size };
	enum nv_status status = NV_ERR_INVALID_DATA;
	struct x509_certificate c;

	if (x509_take_certificate(&from, &c) && !from.size)
		status = os_p384_check_point(c.point);
	if (status == NV_OK)
		os_memcpy(point, c.point, OS_P384_POINT_SIZE);
	else
		os_memset(point, 0, OS_P384_POINT_SIZE);
	return status;
}
