// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Peer accesses: the way from a peer id and an address to another GPU's video memory.
 */
#include "h100/engine/fabric.h"

#include <string.h>

#include "base/bits.h"
#include "h100/engine/state.h"
#include "os/os.h"

struct port {
	/* Readers: accesses of others. Writer: who changes memory, or moves what is behind it. */
	pthread_rwlock_t lock;
	struct h100_memory *memory; /* NULL: nothing is plugged in */
	struct h100_remote remote;  /* video NULL: no GPU of another process */
};

struct h100_fabric {
	struct port ports[H100_FABRIC_GPUS];
};

enum nv_status h100_fabric_create(struct h100_fabric **out)
{
	struct h100_fabric *fabric = os_alloc(sizeof(*fabric));
	pthread_rwlockattr_t attr;
	u32 made = 0;

	*out = NULL;
	if (!fabric)
		return NV_ERR_NO_MEMORY;
	if (pthread_rwlockattr_init(&attr) != 0)
		goto fail;
	/* Accesses follow one another closely: a writer must not wait for a gap between all. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	while (made < H100_FABRIC_GPUS &&
	       pthread_rwlock_init(&fabric->ports[made].lock, &attr) == 0)
		made++;
	pthread_rwlockattr_destroy(&attr);
	if (made == H100_FABRIC_GPUS) {
		*out = fabric;
		return NV_OK;
	}
	while (made-- > 0)
		pthread_rwlock_destroy(&fabric->ports[made].lock);
fail:
	os_free(fabric);
	return NV_ERR_NO_MEMORY;
}

void h100_fabric_destroy(struct h100_fabric *fabric)
{
	if (!fabric)
		return;
	for (u32 i = 0; i < H100_FABRIC_GPUS; i++)
		pthread_rwlock_destroy(&fabric->ports[i].lock);
	os_free(fabric);
}

static void port_write(struct port *port)
{
	OS_BUG_ON(pthread_rwlock_wrlock(&port->lock) != 0);
}

static void port_read(struct port *port)
{
	OS_BUG_ON(pthread_rwlock_rdlock(&port->lock) != 0);
}

static void port_unlock(struct port *port)
{
	OS_BUG_ON(pthread_rwlock_unlock(&port->lock) != 0);
}

enum nv_status h100_fabric_plug(struct h100_fabric *fabric, u32 index, struct h100_memory *m)
{
	enum nv_status status = NV_OK;
	struct port *port;

	if (index >= H100_FABRIC_GPUS)
		return NV_ERR_INVALID_ARGUMENT;
	port = &fabric->ports[index];
	port_write(port);
	if (port->memory) {
		status = NV_ERR_IN_USE;
	} else {
		port->memory = m;
		m->fabric = fabric;
		m->place = index;
	}
	port_unlock(port);
	return status;
}

void h100_fabric_attach(struct h100_fabric *fabric, u32 index, const struct h100_remote *remote)
{
	fabric->ports[index].remote = *remote;
}

void h100_fabric_unplug(struct h100_memory *m)
{
	struct port *port;

	if (!m->fabric)
		return;
	port = &m->fabric->ports[m->place];
	port_write(port);
	port->memory = NULL;
	port_unlock(port);
	m->fabric = NULL;
}

void h100_port_pause(struct h100_memory *m)
{
	if (m->fabric)
		port_write(&m->fabric->ports[m->place]);
}

void h100_port_resume(struct h100_memory *m)
{
	if (m->fabric)
		port_unlock(&m->fabric->ports[m->place]);
}

/* -- The peer table ---------------------------------------------------------------------------- */

/* An entry is one word, which engines read while the firmware changes it. */
#define ENTRY_ENABLED (1u << 0)
#define ENTRY_BESIDE (1u << 1)
#define ENTRY_SWITCHES (1u << 2)
#define ENTRY_GPU_SHIFT 8u

/* The firmware alone writes. */
static void entry_set(struct h100_memory *m, u32 id, u32 way)
{
	u32 *entry = &m->peers[id];

	os_store_release(entry, (os_load_relaxed(entry) & ENTRY_ENABLED) | way);
}

void h100_peer_by_switches(struct h100_memory *m, u32 id)
{
	entry_set(m, id, ENTRY_SWITCHES);
}

void h100_peer_beside(struct h100_memory *m, u32 id, u32 gpu)
{
	entry_set(m, id, ENTRY_BESIDE | gpu << ENTRY_GPU_SHIFT);
}

void h100_peer_remove(struct h100_memory *m, u32 id)
{
	entry_set(m, id, 0);
}

void h100_peer_enable(struct h100_memory *m, u32 id, bool enable)
{
	u32 *entry = &m->peers[id];
	u32 way = os_load_relaxed(entry) & ~ENTRY_ENABLED;

	os_store_release(entry, way | (enable ? ENTRY_ENABLED : 0));
}

void h100_peers_reset(struct h100_memory *m)
{
	for (u32 id = 0; id < H100_PEERS; id++)
		os_store_release(&m->peers[id], 0);
}

static bool entry_usable(u32 entry)
{
	return (entry & ENTRY_ENABLED) && (entry & (ENTRY_BESIDE | ENTRY_SWITCHES));
}

static u32 entry_of(const struct h100_memory *m, u32 aperture)
{
	return os_load_acquire(&m->peers[h100_peer_of(aperture)]);
}

bool h100_peer_usable(const struct h100_memory *m, u32 aperture)
{
	return !m->confidential && entry_usable(entry_of(m, aperture));
}

/* -- Accesses ---------------------------------------------------------------------------------- */

/* Bus mastering counts for the links too: what it is cleared for is to reach nothing. */
static bool may_reach(const struct h100_memory *m)
{
	return !m->chip || h100_chip_bus_master(m->chip);
}

static bool on_the_links(const struct h100_memory *m)
{
	return !m->state || h100_state_nvlink_ready(m->state);
}

/* port held for reading. NULL: nobody is there, or nothing at that address. */
static u8 *memory_behind(const struct port *port, u64 address, u64 size)
{
	const struct h100_remote *remote = &port->remote;
	u64 bytes;
	u8 *video;

	if (port->memory && on_the_links(port->memory)) {
		video = port->memory->video;
		bytes = port->memory->video_bytes;
	} else if (!port->memory && remote->video && os_load_acquire(remote->linked) != 0) {
		video = remote->video;
		bytes = remote->video_bytes;
	} else {
		return NULL;
	}
	return address < bytes && size <= bytes - address ? video + address : NULL;
}

/*
 * The other GPU's memory, with its port held for reading, and where in it the bytes lie; NULL, and
 * nothing held: they cannot be reached. By the switches a GPU reaches itself too.
 */
static u8 *reach(struct h100_memory *m, u32 aperture, u64 address, u64 size, struct port **held)
{
	u32 entry = entry_of(m, aperture);
	u64 gpu = entry >> ENTRY_GPU_SHIFT;
	struct port *port;
	u8 *at;

	if (!m->fabric || !entry_usable(entry) || !may_reach(m) || !on_the_links(m))
		return NULL;
	if (entry & ENTRY_SWITCHES) {
		gpu = (address >> H100_FABRIC_WINDOW_SHIFT) - 1;
		address &= BIT64(H100_FABRIC_WINDOW_SHIFT) - 1;
	}
	if (gpu >= H100_FABRIC_GPUS)
		return NULL;
	port = &m->fabric->ports[gpu];
	port_read(port);
	at = memory_behind(port, address, size);
	if (at)
		*held = port;
	else
		port_unlock(port);
	return at;
}

static void let_go(struct h100_memory *m, struct port *port, u64 sent, u64 received)
{
	if (m->state)
		h100_state_account_nvlink(m->state, sent, received);
	if (!port->memory) {
		os_fetch_add(port->remote.sent, received);
		os_fetch_add(port->remote.received, sent);
	} else if (port->memory->state) {
		h100_state_account_nvlink(port->memory->state, received, sent);
	}
	port_unlock(port);
}

bool h100_peer_read(struct h100_memory *m, u32 aperture, u64 address, void *data, u64 size)
{
	struct port *port;
	const u8 *at = reach(m, aperture, address, size, &port);

	if (!at)
		return false;
	h100_memory_load(data, at, size);
	let_go(m, port, 0, size);
	return true;
}

bool h100_peer_write(struct h100_memory *m, u32 aperture, u64 address, const void *data, u64 size)
{
	struct port *port;
	u8 *at = reach(m, aperture, address, size, &port);

	if (!at)
		return false;
	h100_memory_store(at, data, size);
	let_go(m, port, size, 0);
	return true;
}

bool h100_peer_fetch_op(struct h100_memory *m, u32 aperture, u64 address, u32 width,
			enum h100_memory_op op, u64 operand, u64 *old)
{
	struct port *port;
	u8 *at = reach(m, aperture, address, width, &port);

	if (!at)
		return false;
	*old = h100_memory_fetch_op_at(at, width, op, operand);
	let_go(m, port, width, width);
	return true;
}
