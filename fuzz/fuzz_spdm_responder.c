// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Anybody at all against the GPU's end of SPDM: the input is a list of messages, some of them as
 * they should be up to a point, so that what comes after is reached. Whoever has no keys gets no
 * session, whatever is said.
 */
#include <stdlib.h>
#include <string.h>

#include "h100/gsp/spdm.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 *input;
static size_t left;

static u8 next8(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

static u32 next_bytes(u8 *to, u32 room)
{
	u32 take = next8();

	take |= (u32)next8() << 8;
	if (take > room)
		take %= room + 1;
	if (take > left)
		take = (u32)left;
	memcpy(to, input, take);
	input += take;
	left -= take;
	return take;
}

static void on_established(void *ctx, const u8 secret[SPDM_HASH_BYTES])
{
	abort();
}

/* -- Messages as they should be ---------------------------------------------------------------- */

static const u8 get_version[] = { 0x10, 0x84, 0, 0 };
static const u8 get_capabilities[] = { 0x11, 0xe1, 0, 0, 0, 0xff, 0, 0, 0xc2, 0x62, 0, 0 };
static const u8 negotiate[] = {
	0x11, 0xe3, 4,	  0, 48, 0,    1, 0, 0x80, 0,	 0, 0, 2, 0,	0, 0,
	0,    0,    0,	  0, 0,	 0,    0, 0, 0,	   0,	 0, 0, 0, 0,	0, 0,
	2,    0x20, 0x10, 0, 3,	 0x20, 2, 0, 4,	   0x20, 0, 0, 5, 0x20, 1, 0,
};
/* The generator of P-384 is a point like any other. */
static const u8 point[SPDM_POINT_BYTES] = {
	0xaa, 0x87, 0xca, 0x22, 0xbe, 0x8b, 0x05, 0x37, 0x8e, 0xb1, 0xc7, 0x1e, 0xf3, 0x20,
	0xad, 0x74, 0x6e, 0x1d, 0x3b, 0x62, 0x8b, 0xa7, 0x9b, 0x98, 0x59, 0xf7, 0x41, 0xe0,
	0x82, 0x54, 0x2a, 0x38, 0x55, 0x02, 0xf2, 0x5d, 0xbf, 0x55, 0x29, 0x6c, 0x3a, 0x54,
	0x5e, 0x38, 0x72, 0x76, 0x0a, 0xb7, 0x36, 0x17, 0xde, 0x4a, 0x96, 0x26, 0x2c, 0x6f,
	0x5d, 0x9e, 0x98, 0xbf, 0x92, 0x92, 0xdc, 0x29, 0xf8, 0xf4, 0x1d, 0xbd, 0x28, 0x9a,
	0x14, 0x7c, 0xe9, 0xda, 0x31, 0x13, 0xb5, 0xf0, 0xb8, 0xc0, 0x0a, 0x60, 0xb1, 0xce,
	0x1d, 0x7e, 0x81, 0x9d, 0x7a, 0x43, 0x1d, 0x7c, 0x90, 0xea, 0x0e, 0x5f,
};
static const u8 versions[] = {
	0x46, 0x54, 0x4d, 0x44, 1, 1, 0, 0, 0, 0, 7, 0, 1, 1, 2, 0, 0x10, 0, 0x11, 0,
};

/* KEY_EXCHANGE with opaque data of the input's, or as it should be where that has none. */
static u32 make_exchange(u8 *message)
{
	SPDM_KEY_EXCHANGE_MESSAGE *m = (SPDM_KEY_EXCHANGE_MESSAGE *)message;
	u32 bytes;

	memset(m, 0, sizeof(*m));
	m->header.SPDMVersion = SPDM_MESSAGE_VERSION_11;
	m->header.RequestResponseCode = SPDM_KEY_EXCHANGE;
	m->SessionID = 1;
	memcpy(m->ExchangeData, point, sizeof(point));
	bytes = next_bytes((u8 *)(m + 1), SPDM_OPAQUE_MAX + 8);
	if (!bytes) {
		bytes = sizeof(versions);
		memcpy(m + 1, versions, bytes);
	}
	m->OpaqueDataLength = (u16)bytes;
	return sizeof(*m) + bytes;
}

/* -- The GPU ----------------------------------------------------------------------------------- */

static struct spdm_identity identity;
static struct spdm_measures measures;

static struct spdm_responder *make(void)
{
	struct spdm_responder_config config = {
		.identity = &identity,
		.measures = &measures,
		.heartbeat_period = 1,
		.established = on_established,
	};
	static const struct h100_profile profile = { .vbios_version = "96.00.74.00.01" };
	static const u8 digest[SPDM_HASH_BYTES];
	struct spdm_responder *responder;

	if (!identity.key && (!spdm_measure(&measures, &profile, "p", 1, "s", 1, digest, digest) ||
			      spdm_identity_create(&identity, NULL, 0, 0, digest) != NV_OK))
		abort();
	if (spdm_responder_create(&config, &responder) != NV_OK)
		abort();
	return responder;
}

static u32 make_message(u8 *message, u32 room, u8 kind, u8 *type, u32 session_id)
{
	u32 bytes;

	*type = NV_SPDM_MESSAGE_TYPE_NORMAL;
	switch (kind % 8) {
	case 0:
		memcpy(message, get_version, sizeof(get_version));
		return sizeof(get_version);
	case 1:
		memcpy(message, get_capabilities, sizeof(get_capabilities));
		return sizeof(get_capabilities);
	case 2:
		memcpy(message, negotiate, sizeof(negotiate));
		return sizeof(negotiate);
	case 3:
		return make_exchange(message);
	case 4: /* a record of this session, but for its tag */
		*type = NV_SPDM_MESSAGE_TYPE_SECURED;
		bytes = next_bytes(message + sizeof(SPDM_SECURED_HEADER),
				   room - (u32)sizeof(SPDM_SECURED_HEADER));
		((SPDM_SECURED_HEADER *)message)->SessionID = session_id;
		((SPDM_SECURED_HEADER *)message)->Length = (u16)bytes;
		return sizeof(SPDM_SECURED_HEADER) + bytes;
	case 5:
		*type = next8();
		return next_bytes(message, room);
	default: /* a known version and any code */
		bytes = next_bytes(message, room);
		message[0] = SPDM_MESSAGE_VERSION_11;
		return bytes;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 request[SPDM_TRANSPORT_MAX], response[SPDM_TRANSPORT_MAX];
	struct spdm_responder *responder = make();
	const u32 room = sizeof(request) - sizeof(NV_SPDM_DESC_HEADER);
	u32 session_id = 0;
	u64 now_ns = 0;

	input = data;
	left = size;
	while (left) {
		NV_SPDM_DESC_HEADER header;
		u8 *message = request + sizeof(header), type, kind = next8();
		u32 bytes = make_message(message, room, kind, &type, session_id);

		header.msgType = type;
		header.msgSizeByte = bytes;
		memcpy(request, &header, sizeof(header));
		now_ns += (u64)(kind >> 3) * 100000000u;
		bytes = spdm_responder_answer(responder, request, sizeof(header) + bytes, response,
					      now_ns);
		if (bytes > sizeof(response) || spdm_responder_established(responder))
			abort();
		if (bytes >= sizeof(header) + sizeof(SPDM_KEY_EXCHANGE_MESSAGE) &&
		    response[sizeof(header) + 1] == SPDM_KEY_EXCHANGE_RSP)
			session_id =
				1u | (u32)((SPDM_KEY_EXCHANGE_MESSAGE *)(response + sizeof(header)))
						     ->SessionID
					     << 16;
	}
	spdm_responder_destroy(responder);
	return 0;
}
