// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Objects of work submission: what the driver allocates under its handles becomes address spaces,
 * groups, channels and engine objects of the host engine. What the driver says of a channel's
 * memory (instance block, USERD) is taken as it is: physical addresses are the driver's business,
 * and an engine can reach no more by them than any bus master.
 */
#include <string.h>

#include "base/bits.h"
#include "h100/gsp/firmware.h"

#define ACQUIRE_TIMEOUT_NS 5000000000ull /* of channels that ask for one */
#define CHANNELS_PER_USERD_PAGE 8u

static struct fw_node *find(struct fw *fw, const struct fw_node *near, u32 handle, u16 iclass)
{
	struct fw_client *client = fw_store_client(&fw->store, near->object.client);
	struct fw_node *node = client ? fw_client_object(client, handle) : NULL;

	return node && node->object.iclass == iclass ? node : NULL;
}

static struct fw_node *ancestor(struct fw_node *node, u16 iclass)
{
	while (node && node->object.iclass != iclass)
		node = node->parent;
	return node;
}

/* -- Address spaces ---------------------------------------------------------------------------- */

enum nv_status fw_work_space(struct fw *fw, struct fw_node *below, u32 handle,
			     struct h100_space **out)
{
	struct fw_node *node = handle != 0 ? find(fw, below, handle, ABI_ICLASS_VaSpaceApi)
					   : ancestor(below, ABI_ICLASS_Device);
	enum nv_status status = NV_OK;

	if (!fw->fifo)
		return NV_ERR_NOT_SUPPORTED;
	if (!node)
		return NV_ERR_INVALID_OBJECT_HANDLE;
	/* A device's own comes into being when it is first meant. */
	if (!node->work.space)
		status = h100_space_create(fw->fifo, &node->work.space);
	*out = node->work.space;
	return status;
}

/* -- Groups ------------------------------------------------------------------------------------ */

static enum nv_status make_group(struct fw *fw, struct fw_node *node, u32 engine_type)
{
	const struct h100_engine_info *engine = h100_engines_find(fw->engines, engine_type);

	if (!engine)
		return NV_ERR_INVALID_ARGUMENT;
	return h100_group_create(fw->fifo, engine->runlist, &node->work.group);
}

static enum nv_status attach_group(struct fw *fw, struct fw_node *node,
				   const NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS *params)
{
	enum nv_status status = NV_OK;

	/* The space of its channels that name none. */
	if (params->hVASpace != 0) {
		status = fw_work_space(fw, node, params->hVASpace, &node->work.space);
		if (status == NV_OK)
			h100_space_get(node->work.space);
	}
	return status == NV_OK ? make_group(fw, node, params->engineType) : status;
}

static enum nv_status attach_share(struct fw *fw, struct fw_node *node,
				   const NV_CTXSHARE_ALLOCATION_PARAMETERS *params)
{
	struct h100_space *space;
	enum nv_status status;

	if (params->subctxId >= NV_RAMIN_SC_PAGE_DIR_BASE__SIZE_1)
		return NV_ERR_INVALID_ARGUMENT;
	status = fw_work_space(fw, node, params->hVASpace, &space);
	if (status != NV_OK)
		return status;
	node->work.space = h100_space_get(space);
	node->work.subcontext = params->subctxId;
	return NV_OK;
}

/* -- Channels ---------------------------------------------------------------------------------- */

static bool aperture_of(const NV_MEMORY_DESC_PARAMS *memory, u8 *aperture)
{
	if (memory->addressSpace == ADDR_FBMEM)
		*aperture = H100_APERTURE_VIDEO;
	else if (memory->addressSpace == ADDR_SYSMEM)
		*aperture = memory->cacheAttrib == NV_MEMORY_CACHED
				    ? H100_APERTURE_SYSTEM_COHERENT
				    : H100_APERTURE_SYSTEM_NONCOHERENT;
	else
		return false;
	return true;
}

/* The id that the driver chose stands where a channel's USERD stood when it was by id. */
static u32 chid_of(u32 flags)
{
	return (u32)(REG_GET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_PAGE_VALUE, flags) *
			     CHANNELS_PER_USERD_PAGE +
		     REG_GET(NVOS04_FLAGS_CHANNEL_USERD_INDEX_VALUE, flags));
}

/* Its context share's space, or the one that it, its group or its device names. */
static enum nv_status channel_space(struct fw *fw, struct fw_node *node,
				    const NV_CHANNEL_ALLOC_PARAMS *params,
				    struct h100_space **space, u32 *subcontext)
{
	struct fw_node *share;

	*subcontext = 0;
	if (params->hContextShare != 0) {
		share = find(fw, node, params->hContextShare, ABI_ICLASS_KernelCtxShareApi);
		if (!share || share->parent != node->parent)
			return NV_ERR_INVALID_OBJECT_HANDLE;
		*space = share->work.space;
		*subcontext = share->work.subcontext;
		return NV_OK;
	}
	if (params->hVASpace == 0 && node->parent->work.space &&
	    node->parent->object.iclass == ABI_ICLASS_KernelChannelGroupApi) {
		*space = node->parent->work.space;
		return NV_OK;
	}
	return fw_work_space(fw, node->parent, params->hVASpace, space);
}

static u32 pdb_target(u8 aperture)
{
	switch (aperture) {
	case H100_APERTURE_VIDEO:
		return NV_RAMIN_PAGE_DIR_BASE_TARGET_VID_MEM;
	case H100_APERTURE_SYSTEM_COHERENT:
		return NV_RAMIN_PAGE_DIR_BASE_TARGET_SYS_MEM_COHERENT;
	case H100_APERTURE_SYSTEM_NONCOHERENT:
		return NV_RAMIN_PAGE_DIR_BASE_TARGET_SYS_MEM_NONCOHERENT;
	default:
		return NV_RAMIN_PAGE_DIR_BASE_TARGET_INVALID;
	}
}

static void put_pdb(u32 *words, u32 at, const struct h100_pdb *pdb)
{
	words[at] = (u32)(REG_PREP(NV_RAMIN_PAGE_DIR_BASE_TARGET, pdb_target(pdb->aperture)) |
			  REG_PREP(NV_RAMIN_PAGE_DIR_BASE_VOL, 1) |
			  REG_PREP(NV_RAMIN_USE_VER2_PT_FORMAT, 1) |
			  REG_PREP(NV_RAMIN_BIG_PAGE_SIZE, 1)) |
		    ((u32)pdb->address & (u32)REG_MASK(NV_RAMIN_PAGE_DIR_BASE_LO));
	words[at + 1] = bits_high32(pdb->address);
}

/* The instance block, as who looks at it expects it; this host keeps its own state. */
static enum nv_status write_instance(struct fw *fw, const struct h100_channel_config *config,
				     u32 subcontext)
{
	u32 words[NV_RAMIN_ALLOC_SIZE / sizeof(u32)] = { 0 };
	struct h100_pdb pdb;
	bool ok;

	words[NV_RAMFC_USERD_WORD] =
		bits_low32(config->userd_address) | pdb_target(config->userd_aperture);
	words[NV_RAMFC_USERD_HI_WORD] = bits_high32(config->userd_address);
	words[NV_RAMFC_SIGNATURE_WORD] = NV_RAMFC_SIGNATURE_HW;
	words[NV_RAMFC_GP_BASE_WORD] = bits_low32(config->gpfifo);
	words[NV_RAMFC_GP_BASE_HI_WORD] =
		bits_high32(config->gpfifo) |
		(u32)REG_PREP(NV_RAMFC_GP_BASE_HI_LIMIT2, bits_log2(config->gpfifo_entries));
	if (h100_space_pdb(config->space, &pdb)) {
		put_pdb(words, NV_RAMIN_PAGE_DIR_BASE_WORD, &pdb);
		put_pdb(words, NV_RAMIN_SC_PAGE_DIR_BASE_WORD(subcontext), &pdb);
		words[NV_RAMIN_SC_PDB_VALID_WORD + subcontext / 32] = BIT32(subcontext % 32);
	}
	h100_memory_enter(fw->memory);
	ok = h100_memory_write(fw->memory, config->instance_aperture, config->instance_address,
			       words, sizeof(words));
	h100_memory_leave(fw->memory);
	return ok ? NV_OK : NV_ERR_INVALID_ADDRESS;
}

static enum nv_status make_channel(struct fw *fw, struct fw_node *node, struct h100_group *group,
				   const NV_CHANNEL_ALLOC_PARAMS *params)
{
	u32 privilege =
		(u32)REG_GET(NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE, params->internalFlags);
	struct h100_channel_config config = {
		.group = group,
		.client = node->object.client,
		.chid = chid_of(params->flags),
		.gpfifo = params->gpFifoOffset,
		.gpfifo_entries = params->gpFifoEntries,
		.userd_address = params->userdMem.base,
		.instance_address = params->instanceMem.base,
		.privileged = privilege != NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_USER,
		.secure = REG_GET(NVOS04_FLAGS_CC_SECURE, params->flags) ==
			  NVOS04_FLAGS_CC_SECURE_TRUE,
		.kernel = privilege == NV_KERNELCHANNEL_ALLOC_INTERNALFLAGS_PRIVILEGE_KERNEL,
	};
	enum nv_status status;
	u32 subcontext;

	if (params->gpFifoEntries == 0 || !aperture_of(&params->userdMem, &config.userd_aperture) ||
	    !aperture_of(&params->instanceMem, &config.instance_aperture) ||
	    params->instanceMem.size < NV_RAMIN_ALLOC_SIZE ||
	    params->userdMem.size < sizeof(struct Nvc86fControl))
		return NV_ERR_INVALID_ARGUMENT;
	if (REG_GET(NVOS04_FLAGS_CHANNEL_PBDMA_ACQUIRE_TIMEOUT, params->flags) ==
	    NVOS04_FLAGS_CHANNEL_PBDMA_ACQUIRE_TIMEOUT_TRUE)
		config.acquire_timeout_ns = ACQUIRE_TIMEOUT_NS;
	/* They are the driver's: what it encrypts with is what is decrypted with here. */
	memcpy(config.start.decrypt, params->encryptIv, sizeof(config.start.decrypt));
	memcpy(config.start.encrypt, params->decryptIv, sizeof(config.start.encrypt));
	memcpy(config.start.nonce, params->hmacNonce, sizeof(config.start.nonce));
	status = channel_space(fw, node, params, &config.space, &subcontext);
	if (status == NV_OK)
		status = write_instance(fw, &config, subcontext);
	if (status == NV_OK)
		status = h100_channel_create(fw->fifo, &config, &node->work.channel);
	node->work.chid = config.chid;
	return status;
}

static enum nv_status attach_channel(struct fw *fw, struct fw_node *node,
				     const NV_CHANNEL_ALLOC_PARAMS *params)
{
	struct h100_group *group = node->parent->work.group;
	enum nv_status status;

	/* One that is in no group of the driver's is alone in its own. */
	if (!group) {
		status = make_group(fw, node, params->engineType);
		if (status != NV_OK)
			return status;
		group = node->work.group;
	}
	return make_channel(fw, node, group, params);
}

/* -- All of them ------------------------------------------------------------------------------- */

static bool is_engine_object(const struct fw_node *node)
{
	switch (node->object.iclass) {
	case ABI_ICLASS_KernelGraphicsObject:
	case ABI_ICLASS_KernelCeContext:
	case ABI_ICLASS_Sec2Context:
		return true;
	default:
		return false;
	}
}

static enum nv_status attach(struct fw *fw, struct fw_node *node, const void *params)
{
	struct h100_space *space;

	switch (node->object.iclass) {
	case ABI_ICLASS_VaSpaceApi:
		return fw_work_space(fw, node, node->object.handle, &space);
	case ABI_ICLASS_KernelChannelGroupApi:
		return attach_group(fw, node, params);
	case ABI_ICLASS_KernelCtxShareApi:
		return attach_share(fw, node, params);
	case ABI_ICLASS_KernelChannel:
		return attach_channel(fw, node, params);
	default:
		break;
	}
	if (!node->parent->work.channel)
		return NV_ERR_INVALID_OBJECT_PARENT;
	return h100_channel_add_object(node->parent->work.channel, node->object.class_id,
				       &node->work.engine);
}

static bool is_work(const struct fw_node *node)
{
	switch (node->object.iclass) {
	case ABI_ICLASS_VaSpaceApi:
	case ABI_ICLASS_KernelChannelGroupApi:
	case ABI_ICLASS_KernelCtxShareApi:
	case ABI_ICLASS_KernelChannel:
		return true;
	default:
		return is_engine_object(node);
	}
}

enum nv_status fw_work_attach(struct fw *fw, struct fw_node *node, const void *params, u32 size)
{
	enum nv_status status;
	bool begun;

	/* Without engines behind them objects are only kept: tests of the store. */
	if (!fw->fifo || !is_work(node))
		return NV_OK;
	begun = fw_engines_begin(fw);
	status = attach(fw, node, params);
	fw_engines_end(fw, begun);
	return status;
}

enum nv_status fw_work_share(struct fw *fw, struct fw_node *node, const struct fw_node *source)
{
	bool begun;

	switch (node->object.iclass) {
	case ABI_ICLASS_VaSpaceApi:
		if (source->work.space) {
			begun = fw_engines_begin(fw);
			node->work.space = h100_space_get(source->work.space);
			fw_engines_end(fw, begun);
		}
		return NV_OK;
	case ABI_ICLASS_KernelChannelGroupApi:
	case ABI_ICLASS_KernelCtxShareApi:
	case ABI_ICLASS_KernelChannel:
		return fw->fifo ? NV_ERR_NOT_SUPPORTED : NV_OK;
	default:
		return is_engine_object(node) && fw->fifo ? NV_ERR_NOT_SUPPORTED : NV_OK;
	}
}

void fw_work_detach(struct fw *fw, struct fw_node *node)
{
	struct fw_work *work = &node->work;
	bool begun;

	if (!work->engine && !work->channel && !work->group && !work->space)
		return;
	begun = fw_engines_begin(fw);
	if (work->engine)
		h100_channel_remove_object(node->parent->work.channel, node->object.class_id);
	if (work->channel)
		h100_channel_destroy(work->channel);
	if (work->group)
		h100_group_destroy(work->group);
	if (work->space)
		h100_space_put(work->space);
	fw_engines_end(fw, begun);
	memset(work, 0, sizeof(*work));
}
