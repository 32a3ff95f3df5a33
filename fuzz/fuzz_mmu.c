// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Page tables and peer tables of any bytes, then translations and accesses. The first byte says
 * where the root lies; then come records: an operation and its operands. A translation never leaves
 * memory, and an access that succeeds agrees with what the translation said.
 */
#include "fuzz_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct record {
	u8 operation;
	u8 length;
	u16 place;
	u64 value;
} __attribute__((packed));

static void check(const struct fuzz_engine *f, const struct h100_translation *t)
{
	if (t->bytes == 0)
		abort();
	if (!t->sparse && t->aperture == H100_APERTURE_VIDEO &&
	    (t->address >= FUZZ_VIDEO_BYTES || t->bytes > FUZZ_VIDEO_BYTES - t->address))
		abort();
	if (!t->sparse && h100_aperture_is_peer(t->aperture) &&
	    !h100_peer_usable(&f->memory, t->aperture))
		abort();
}

/* Pages 0 to 6 of video memory: directories of which each entry 0 leads to the next, then the
 * tables of small and of big pages, with a page each. */
static void chain(struct fuzz_engine *f)
{
	u64 entry;

	for (u64 i = 0; i < 4; i++) {
		entry = (i + 1) * OS_PAGE_SIZE | 1u << 1;
		memcpy(f->video + i * OS_PAGE_SIZE, &entry, 8);
	}
	entry = 6 * OS_PAGE_SIZE | 1u << 1;
	memcpy(f->video + 4 * OS_PAGE_SIZE, &entry, 8);
	entry = 5 * OS_PAGE_SIZE | 1u << 1;
	memcpy(f->video + 4 * OS_PAGE_SIZE + 8, &entry, 8);
	entry = FUZZ_BUS | 6 << 8 | 2u << 1 | 1;
	memcpy(f->video + 5 * OS_PAGE_SIZE, &entry, 8);
}

/* An address that the first entries of tables translate, or any. */
static u64 address_of(const struct record *r)
{
	return r->place & 0x400 ? r->value & 0x0100804020213fffull : r->value;
}

/* Puts a word that looks like an entry: an address of this memory, the value's other bits. */
static void put(struct fuzz_engine *f, const struct record *r)
{
	u64 value = r->value;
	u64 at = (u64)r->place * 8 % (FUZZ_VIDEO_BYTES + FUZZ_PAGES * OS_PAGE_SIZE);

	if (r->length & 4)
		at = (u64)(r->place % 7) * OS_PAGE_SIZE + (u64)(r->place >> 8) % 4 * 8;

	if (r->length & 1)
		value = (value & 0xfff) | (value >> 12 << 12) % FUZZ_VIDEO_BYTES;
	else if (r->length & 2)
		value = (value & 0xfff) |
			(FUZZ_BUS + (value >> 12) % FUZZ_PAGES * 2 * OS_PAGE_SIZE);
	if (at < FUZZ_VIDEO_BYTES)
		memcpy(f->video + at, &value, 8);
	else
		memcpy(f->pages + (at - FUZZ_VIDEO_BYTES), &value, 8);
}

/* What the firmware does to the peer table, and a peer that goes and comes back. */
static void change_peers(struct fuzz_engine *f, const struct record *r)
{
	u32 id = r->length % H100_PEERS;

	switch (r->place % 6) {
	case 0:
		h100_peer_by_switches(&f->memory, id);
		break;
	case 1:
		h100_peer_beside(&f->memory, id, (u32)r->value % (H100_FABRIC_GPUS + 2));
		break;
	case 2:
		h100_peer_remove(&f->memory, id);
		break;
	case 3:
		h100_fabric_unplug(&f->peer);
		break;
	case 4:
		if (!f->peer.fabric && h100_fabric_plug(f->fabric, 1, &f->peer) != NV_OK)
			abort();
		break;
	default:
		h100_peer_enable(&f->memory, id, r->value & 1);
		break;
	}
}

/* A page of a peer's, where the chain below leads. */
static void put_peer(struct fuzz_engine *f, const struct record *r)
{
	u64 address = r->value % (2 * FUZZ_VIDEO_BYTES) & ~(u64)(OS_PAGE_SIZE - 1);
	u64 id = r->place % H100_PEERS;
	u64 entry = (id % 2 ? 0 : h100_fabric_base((u32)(r->value >> 32) % 3)) + address;

	entry |= id << 61 | 6 << 8 | (u64)H100_APERTURE_PEER << 1 | 1;
	memcpy(f->video + 5 * OS_PAGE_SIZE, &entry, sizeof(entry));
}

/* A fault into a ring of pages that the driver chose, at any put and get. */
static void write_fault(struct fuzz_engine *f, const struct record *r)
{
	u64 pages[2] = { FUZZ_BUS + r->value % (2 * FUZZ_PAGES + 2) * OS_PAGE_SIZE,
			 r->value >> 16 << 12 };
	struct h100_fault_buffer buffer = {
		.aperture = r->length % 4,
		.pages = r->length & 4 ? NULL : pages,
		.entries = r->place % 257,
	};
	struct h100_fault fault = { .type = (enum h100_fault_type)(r->length % 16),
				    .va = r->value,
				    .engine_id = r->place };
	u32 put, get = (u32)(r->value >> 48);

	put = buffer.entries ? (u32)(r->value >> 32) % buffer.entries : 0;
	buffer.put = put;
	if (h100_fault_buffer_write(&buffer, &f->memory, get, &fault) ? buffer.put == get
								      : buffer.put != put)
		abort();
	if (buffer.entries && buffer.put >= buffer.entries)
		abort();
}

static void run(struct fuzz_engine *f, const struct h100_pdb *pdb, const struct record *r)
{
	struct h100_translation t;
	struct h100_fault fault;
	u8 buffer[600] = { 0 };
	u64 old;
	u32 access = r->place & (H100_ACCESS_PRIVILEGED | 3);
	u64 va = address_of(r);

	switch (r->operation % 11) {
	case 10:
		write_fault(f, r);
		break;
	case 8:
		change_peers(f, r);
		break;
	case 9:
		put_peer(f, r);
		break;
	case 0:
	case 1:
	case 2:
		put(f, r);
		break;
	case 3:
		h100_mmu_forget(f->mmu, r->length & 1 ? pdb : NULL);
		break;
	case 4:
		if (h100_mmu_translate(f->mmu, pdb, va, access, &t, &fault))
			check(f, &t);
		else if (fault.va != va)
			abort();
		break;
	case 5:
		if (!h100_virtual_read(f->mmu, pdb, va, buffer, 2u * r->length, access, &fault) &&
		    fault.va - va >= 2u * r->length)
			abort();
		break;
	case 6:
		if (!h100_virtual_write(f->mmu, pdb, va, buffer, 2u * r->length, access, &fault) &&
		    fault.va - va >= 2u * r->length)
			abort();
		break;
	default:
		h100_virtual_fetch_op(f->mmu, pdb, va, r->length & 1 ? 4 : 8,
				      (enum h100_memory_op)(r->length % 11), r->place, &old, access,
				      &fault);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h100_pdb pdb;
	struct fuzz_engine f;
	struct record r;

	if (size < 1)
		return 0;
	fuzz_engine_begin(&f, data[0] & 4);
	pdb.aperture = data[0] & 3;
	pdb.address = pdb.aperture >= 2 ? FUZZ_BUS : 0;
	chain(&f);
	for (data++, size--; size >= sizeof(r); data += sizeof(r), size -= sizeof(r)) {
		memcpy(&r, data, sizeof(r));
		run(&f, &pdb, &r);
	}
	fuzz_engine_end(&f);
	return 0;
}
