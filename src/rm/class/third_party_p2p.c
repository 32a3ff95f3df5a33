// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Class NV50_THIRD_PARTY_P2P (ThirdPartyP2P): what of a client's memory other devices may be given.
 * It holds what was registered; no other device asks for it yet.
 */
#include "rm/class/class.h"
#include "rm/class/listed.h"
#include "rm/class/memory.h"

#define ENTRIES_MAX 65536u

struct entry {
	struct entry *next;
	u32 handle;
	bool vaspace; /* otherwise memory */
	u64 address, size;
};

struct third_party_p2p {
	struct rm_object object;
	struct entry *entries; /* lock of the client, as all here */
	u32 count;
};

static u64 last_token;

static struct third_party_p2p *to_p2p(struct rm_object *object)
{
	return container_of(object, struct third_party_p2p, object);
}

static enum nv_status p2p_construct(struct rm_call *call, struct rm_object *object, void *params,
				    u32 params_size)
{
	const NV503C_ALLOC_PARAMETERS *p = params;

	if (!rm_class_listed(object->class_id))
		return NV_ERR_INVALID_CLASS;
	/* Over NVLink only between GPUs whose memory the CPU shares. */
	if (p && p->flags > NV503C_ALLOC_PARAMETERS_FLAGS_TYPE_BAR1)
		return NV_ERR_NOT_SUPPORTED;
	return NV_OK;
}

static void p2p_destruct(struct rm_call *call, struct rm_object *object)
{
	struct third_party_p2p *p2p = to_p2p(object);

	while (p2p->entries) {
		struct entry *next = p2p->entries->next;

		os_free(p2p->entries);
		p2p->entries = next;
	}
}

static struct entry **find(struct third_party_p2p *p2p, bool vaspace, u32 handle)
{
	struct entry **at = &p2p->entries;

	while (*at && ((*at)->vaspace != vaspace || (*at)->handle != handle))
		at = &(*at)->next;
	return at;
}

static enum nv_status add(struct third_party_p2p *p2p, const struct entry *entry)
{
	struct entry *added;

	if (p2p->count == ENTRIES_MAX)
		return NV_ERR_INSUFFICIENT_RESOURCES;
	added = os_alloc(sizeof(*added));
	if (!added)
		return NV_ERR_NO_MEMORY;
	*added = *entry;
	added->next = p2p->entries;
	p2p->entries = added;
	p2p->count++;
	return NV_OK;
}

static enum nv_status drop(struct third_party_p2p *p2p, bool vaspace, u32 handle)
{
	struct entry **at = find(p2p, vaspace, handle), *dropped = *at;

	if (!dropped)
		return NV_ERR_OBJECT_NOT_FOUND;
	*at = dropped->next;
	os_free(dropped);
	p2p->count--;
	return NV_OK;
}

static enum nv_status register_va_space(struct rm_call *call, void *params)
{
	NV503C_CTRL_REGISTER_VA_SPACE_PARAMS *p = params;
	struct third_party_p2p *p2p = to_p2p(call->object);
	const struct entry entry = { .handle = p->hVASpace, .vaspace = true };
	struct rm_object *vaspace;
	enum nv_status status;

	status = rm_object_find_class(call->client, p->hVASpace, ABI_ICLASS_VaSpaceApi, &vaspace);
	if (status != NV_OK)
		return status;
	if (*find(p2p, true, p->hVASpace))
		return NV_ERR_INVALID_ARGUMENT;
	status = add(p2p, &entry);
	if (status == NV_OK)
		p->vaSpaceToken = os_fetch_add(&last_token, 1) + 1;
	return status;
}

static enum nv_status unregister_va_space(struct rm_call *call, void *params)
{
	const NV503C_CTRL_UNREGISTER_VA_SPACE_PARAMS *p = params;

	return drop(to_p2p(call->object), true, p->hVASpace);
}

static enum nv_status register_vidmem(struct rm_call *call, void *params)
{
	const NV503C_CTRL_REGISTER_VIDMEM_PARAMS *p = params;
	struct third_party_p2p *p2p = to_p2p(call->object);
	const struct entry entry = { .handle = p->hMemory, .address = p->address, .size = p->size };
	struct rm_object *memory;
	struct rm_backing *backing;
	enum nv_status status;

	status = rm_object_find(call->client, p->hMemory, &memory);
	if (status != NV_OK)
		return status;
	backing = rm_memory_backing(memory);
	if (!backing)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	if (p->offset > rm_backing_size(backing) ||
	    p->size > rm_backing_size(backing) - p->offset || p->address + p->size < p->address)
		return NV_ERR_INVALID_ARGUMENT;
	return *find(p2p, false, p->hMemory) ? NV_ERR_INVALID_ARGUMENT : add(p2p, &entry);
}

static enum nv_status unregister_vidmem(struct rm_call *call, void *params)
{
	const NV503C_CTRL_UNREGISTER_VIDMEM_PARAMS *p = params;

	return drop(to_p2p(call->object), false, p->hMemory);
}

/* The process whose memory it is: the client's own. */
static enum nv_status register_pid(struct rm_call *call, void *params)
{
	const NV503C_CTRL_REGISTER_PID_PARAMS *p = params;

	return p->hClient == call->client->handle ? NV_OK : NV_ERR_INVALID_CLIENT;
}

static const struct rm_control_handler controls[] = {
	{ NV503C_CTRL_CMD_REGISTER_VA_SPACE, register_va_space },
	{ NV503C_CTRL_CMD_UNREGISTER_VA_SPACE, unregister_va_space },
	{ NV503C_CTRL_CMD_REGISTER_VIDMEM, register_vidmem },
	{ NV503C_CTRL_CMD_UNREGISTER_VIDMEM, unregister_vidmem },
	{ NV503C_CTRL_CMD_REGISTER_PID, register_pid },
};

const struct rm_class rm_class_third_party_p2p = {
	.iclass = ABI_ICLASS_ThirdPartyP2P,
	.object_size = sizeof(struct third_party_p2p),
	.construct = p2p_construct,
	.destruct = p2p_destruct,
	.controls = controls,
	.control_count = ARRAY_SIZE(controls),
};
