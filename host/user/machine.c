// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The machine inside the daemon: software GPUs on the bus of os/user, the resource manager that
 * drives them, and the wires between the two (DMA, MSI-X, lent threads).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h100/h100.h"
#include "host/user/adversary.h"
#include "host/user/adversary/adversary.h"
#include "host/user/daemon.h"
#include "host/user/files.h"
#include "host/user/machine.h"
#include "host/user/root_port.h"
#include "os/user/user.h"

#define MSI_DATA_VECTOR_MASK 0xffffu

struct machine_gpu {
	struct h100 *model;
	struct os_pci_dev *pci;
	struct os_pci_dev *held; /* from dma_begin to dma_end */
	struct rm_gpu *rm;
	struct os_pci_location location;
};

struct machine {
	struct rm *rm;
	struct uvm *uvm;
	struct h100_fabric *fabric;
	struct adversary *adversary; /* NULL: nobody attacks */
	void *root;		     /* DER, or NULL */
	u32 count;
	struct machine_gpu gpus[RM_MAX_GPUS];
	char *tree;
};

/* -- What a GPU asks of the machine ------------------------------------------------------------ */

/* NULL until it is on the bus; its threads run before that. */
static struct os_pci_dev *gpu_pci(struct machine_gpu *gpu)
{
	return os_load_acquire(&gpu->pci);
}

static bool gpu_dma_read(void *ctx, u64 address, void *data, size_t size)
{
	struct os_pci_dev *pci = gpu_pci(ctx);

	return pci && os_user_dma_read(pci, address, data, size);
}

static bool gpu_dma_write(void *ctx, u64 address, const void *data, size_t size)
{
	struct os_pci_dev *pci = gpu_pci(ctx);

	return pci && os_user_dma_write(pci, address, data, size);
}

static void *gpu_dma_map_page(void *ctx, u64 address)
{
	struct os_pci_dev *pci = gpu_pci(ctx);
	void *cpu;

	if (!pci || !os_user_dma_find(pci, address, OS_PAGE_SIZE, &cpu))
		return NULL;
	return cpu;
}

static void gpu_msix(void *ctx, u64 address, u32 data)
{
	struct os_pci_dev *pci = gpu_pci(ctx);

	if (pci)
		os_user_pci_interrupt(pci, data & MSI_DATA_VECTOR_MASK);
}

static u32 gpu_dma_begin(void *ctx)
{
	struct machine_gpu *gpu = ctx;

	gpu->held = gpu_pci(gpu);
	return gpu->held ? os_user_dma_hold(gpu->held) : 0;
}

static void gpu_dma_end(void *ctx)
{
	struct machine_gpu *gpu = ctx;

	if (gpu->held)
		os_user_dma_release(gpu->held);
}

static void *gpu_dma_enter(void *ctx)
{
	struct os_pci_dev *pci = gpu_pci(ctx);

	return pci ? os_user_dma_enter(pci) : NULL;
}

static void gpu_dma_leave(void *ctx, void *token)
{
	os_user_dma_leave(token);
}

static void gpu_kick(void *ctx)
{
	struct os_pci_dev *pci = gpu_pci(ctx);

	if (pci)
		os_user_pci_kick(pci);
}

static bool gpu_waiting(void *ctx)
{
	struct os_pci_dev *pci = gpu_pci(ctx);

	return pci && os_user_pci_waiting(pci);
}

static u64 gpu_now_ns(void *ctx)
{
	return os_time_ns();
}

static u64 gpu_coarse_ns(void *ctx)
{
	return os_user_time_coarse_ns();
}

static bool gpu_doorbell_arm(void *ctx, struct h100_doorbell *doorbell)
{
	struct bell *bell = h100_doorbell_get_ctx(doorbell);

	if (bell)
		bell_arm(bell);
	return false;
}

static bool gpu_video_take(void *ctx, u32 owner)
{
	return share_take(owner, SHARE_VIDEO);
}

static void gpu_video_give(void *ctx, u32 owner)
{
	share_drop(owner, SHARE_VIDEO);
}

static void gpu_log(void *ctx, int level, const char *text)
{
	struct machine_gpu *gpu = ctx;

	os_log(level < OS_LOG_ERROR || level > OS_LOG_DEBUG ? OS_LOG_INFO
							    : (enum os_log_level)level,
	       "gpu %04x:%02x:%02x.%x: %s", gpu->location.domain, gpu->location.bus,
	       gpu->location.device, gpu->location.function, text);
}

/* -- What the bus asks of a GPU ---------------------------------------------------------------- */

static u32 bus_cfg_read(void *ctx, u32 offset, u32 width)
{
	return h100_cfg_read(((struct machine_gpu *)ctx)->model, offset, width);
}

static void bus_cfg_write(void *ctx, u32 offset, u32 width, u32 value)
{
	h100_cfg_write(((struct machine_gpu *)ctx)->model, offset, width, value);
}

static u64 bus_bar_size(void *ctx, u32 bar)
{
	return h100_bar_size(((struct machine_gpu *)ctx)->model, bar);
}

static u64 bus_bar_read(void *ctx, u32 bar, u64 offset, u32 width)
{
	return h100_bar_read(((struct machine_gpu *)ctx)->model, bar, offset, width);
}

static void bus_bar_write(void *ctx, u32 bar, u64 offset, u32 width, u64 value)
{
	h100_bar_write(((struct machine_gpu *)ctx)->model, bar, offset, width, value);
}

static void bus_bar_discard(void *ctx, u32 bar, u64 offset, u64 size)
{
	if (bar == 2)
		h100_video_discard(((struct machine_gpu *)ctx)->model, offset, size);
}

static bool bus_lend(void *ctx)
{
	return h100_lend(((struct machine_gpu *)ctx)->model);
}

#define CFG_CAPABILITIES 0x34u
#define CAP_PCIE 0x10u
#define PCIE_LINK_STATUS 0x12u

/* All ones where there is no link. */
static u16 link_status(struct h100 *model)
{
	u32 at = h100_cfg_read(model, CFG_CAPABILITIES, 1) & 0xfc;

	for (u32 hops = 0; at && hops < 48; hops++) {
		u32 cap = h100_cfg_read(model, at, 2);

		if ((cap & 0xff) == CAP_PCIE)
			return (u16)h100_cfg_read(model, at + PCIE_LINK_STATUS, 2);
		at = cap >> 8 & 0xfc;
	}
	return 0xffff;
}

static u32 bus_root_cfg_read(void *ctx, u32 offset, u32 width)
{
	const struct machine_gpu *gpu = ctx;

	return root_port_cfg_read(gpu->location.bus, link_status(gpu->model), offset, width);
}

static const struct os_user_pci_ops bus_ops = {
	.cfg_read = bus_cfg_read,
	.cfg_write = bus_cfg_write,
	.bar_size = bus_bar_size,
	.bar_read = bus_bar_read,
	.bar_write = bus_bar_write,
	.lend = bus_lend,
	.bar_discard = bus_bar_discard,
	.root_cfg_read = bus_root_cfg_read,
};

/* -- Making and unmaking ----------------------------------------------------------------------- */

static int gpu_plug(struct machine *m, u32 index, const struct machine_config *config,
		    const struct h100_config *model)
{
	struct machine_gpu *gpu = &m->gpus[index];
	struct h100_host host = {
		.ctx = gpu,
		.dma_read = gpu_dma_read,
		.dma_write = gpu_dma_write,
		.dma_begin = gpu_dma_begin,
		.dma_end = gpu_dma_end,
		.dma_map_page = gpu_dma_map_page,
		.dma_enter = gpu_dma_enter,
		.dma_leave = gpu_dma_leave,
		.msix = gpu_msix,
		.now_ns = gpu_now_ns,
		.coarse_ns = gpu_coarse_ns,
		.log = gpu_log,
		.doorbell_arm = gpu_doorbell_arm,
		.video_take = gpu_video_take,
		.video_give = gpu_video_give,
		.kick = gpu_kick,
		.waiting = gpu_waiting,
	};
	enum nv_status status;

	gpu->location.bus = (u8)(index + 1);
	status = h100_create(&host, model, &gpu->model);
	if (status != NV_OK)
		return status == NV_ERR_INVALID_ARGUMENT ? EINVAL : ENOMEM;
	os_store_release(&gpu->pci, os_user_pci_register(&bus_ops, gpu, &gpu->location));
	if (!gpu->pci)
		return ENOMEM;
	os_user_pci_set_lending(gpu->pci, config->lend);
	os_user_pci_set_confidential(gpu->pci, config->tee != OS_TEE_NONE);
	if (m->adversary && adversary_watch(m->adversary, index, gpu->pci) != NV_OK)
		return ENOMEM;
	status = rm_gpu_add(m->rm, gpu->pci, index, &gpu->rm);
	return status == NV_OK ? 0 : status == NV_ERR_NO_MEMORY ? ENOMEM : ENODEV;
}

static int gpus_plug(struct machine *m, const struct machine_config *config)
{
	static const enum h100_cc modes[] = { [MACHINE_CC_OFF] = H100_CC_OFF,
					      [MACHINE_CC_ON] = H100_CC_ON,
					      [MACHINE_CC_DEVTOOLS] = H100_CC_DEVTOOLS };
	struct h100_config model = { .count = config->gpus,
				     .fabric = m->fabric,
				     .threads = true,
				     .lending = config->lend,
				     .cc = modes[config->cc] };
	char *profile = NULL;
	char *scenario = NULL;
	char *issuer = NULL;
	int rc = profile_load(config->profile, &profile, &model.profile_size);

	if (rc) {
		fprintf(stderr, "leafhopper: profile %s: %s\n", config->profile, strerror(rc));
		return rc;
	}
	model.profile = profile;
	if (config->scenario) {
		rc = file_load(config->scenario, &scenario, &model.scenario_size);
		if (rc) {
			fprintf(stderr, "leafhopper: scenario %s: %s\n", config->scenario,
				strerror(rc));
			goto out;
		}
		model.scenario = scenario;
	}
	if (config->issuer) {
		rc = file_load(config->issuer, &issuer, &model.issuer_size);
		if (rc) {
			fprintf(stderr, "leafhopper: issuer %s: %s\n", config->issuer,
				strerror(rc));
			goto out;
		}
		model.issuer = issuer;
	}
	while (!rc && m->count < config->gpus) {
		model.index = m->count++;
		rc = gpu_plug(m, model.index, config, &model);
	}
	if (rc)
		fprintf(stderr, "leafhopper: GPU %u: %s\n", model.index, strerror(rc));
out:
	if (issuer)
		explicit_bzero(issuer, model.issuer_size);
	free(issuer);
	free(scenario);
	free(profile);
	return rc;
}

/* Whom the driver trusts, where it is not the project's own. */
static int root_load(struct machine *m, const struct machine_config *config, struct rm_config *rm)
{
	size_t size;
	int rc;

	if (!config->root)
		return 0;
	rc = certificate_load(config->root, &m->root, &size);
	if (rc) {
		fprintf(stderr, "leafhopper: root certificate %s: %s\n", config->root,
			rc == EINVAL ? "no certificate" : strerror(rc));
		return rc;
	}
	rm->cc_root = m->root;
	rm->cc_root_bytes = (u32)size;
	return 0;
}

static int firmware_offer(void)
{
	size_t size;
	const void *image = h100_firmware_image(&size);

	return os_user_firmware_register(MACHINE_FIRMWARE, image, size) == NV_OK ? 0 : ENOMEM;
}

int machine_create(const struct machine_config *config, struct machine **out)
{
	struct rm_config rm = { .version = config->version,
				.host = &dfile_host_ops,
				.uvm_major = TREE_UVM_MAJOR };
	struct uvm_config uvm = { .host = &dfile_uvm_ops, .builtin_tests = config->uvm_tests };
	struct machine *m = NULL;
	int rc = EINVAL;

	if (!config->gpus || config->gpus > RM_MAX_GPUS) {
		fprintf(stderr, "leafhopper: 1 to %u GPUs\n", RM_MAX_GPUS);
		return EINVAL;
	}
	m = calloc(1, sizeof(*m));
	if (!m)
		return ENOMEM;
	rc = firmware_offer();
	if (rc)
		goto fail;
	rc = h100_fabric_create(&m->fabric) == NV_OK ? 0 : ENOMEM;
	if (rc)
		goto fail;
	os_user_set_tee(config->tee);
	rc = root_load(m, config, &rm);
	if (rc)
		goto fail;
	rc = rm_create(&rm, &m->rm) == NV_OK ? 0 : ENOMEM;
	if (rc)
		goto fail;
	if (config->adversary)
		rc = machine_adversary_create(config->adversary, &m->adversary);
	if (rc)
		goto fail;
	uvm.rm = m->rm;
	rc = uvm_create(&uvm, &m->uvm) == NV_OK ? 0 : ENOMEM;
	if (rc)
		goto fail;
	rc = gpus_plug(m, config);
	if (rc)
		goto fail;
	m->tree = strdup(config->tree);
	rc = m->tree ? tree_create(m, m->tree) : ENOMEM;
	if (rc) {
		fprintf(stderr, "leafhopper: %s: %s\n", config->tree, strerror(rc));
		free(m->tree);
		m->tree = NULL;
		goto fail;
	}
	*out = m;
	return 0;
fail:
	machine_destroy(m);
	return rc;
}

void machine_destroy(struct machine *m)
{
	if (m->tree)
		tree_destroy(m->tree);
	free(m->tree);
	if (m->uvm)
		uvm_destroy(m->uvm);
	for (u32 i = 0; i < m->count; i++) {
		struct machine_gpu *gpu = &m->gpus[i];

		if (gpu->rm)
			rm_gpu_remove(gpu->rm);
	}
	if (m->rm)
		rm_destroy(m->rm);
	for (u32 i = 0; i < m->count; i++) {
		struct machine_gpu *gpu = &m->gpus[i];

		/* The model's threads stop first: none of them then uses the bus. */
		if (gpu->model)
			h100_destroy(gpu->model);
		if (gpu->pci)
			os_user_pci_unregister(gpu->pci);
	}
	machine_adversary_destroy(m->adversary);
	h100_fabric_destroy(m->fabric);
	free(m->root);
	os_user_firmware_unregister(MACHINE_FIRMWARE);
	free(m);
}

struct rm *machine_rm(struct machine *m)
{
	return m->rm;
}

struct uvm *machine_uvm(struct machine *m)
{
	return m->uvm;
}

u32 machine_gpu_count(const struct machine *m)
{
	return m->count;
}

void machine_gpu_bdf(const struct machine *m, u32 index, char bdf[16])
{
	const struct os_pci_location *at = &m->gpus[index].location;

	snprintf(bdf, 16, "%04x:%02x:%02x.%x", (u16)at->domain, at->bus, at->device,
		 at->function & 7u);
}

struct os_pci_dev *machine_gpu_pci(const struct machine *m, u32 index)
{
	return m->gpus[index].pci;
}

u32 machine_gpu_of(const struct machine *m, const struct os_pci_dev *pci)
{
	u32 index = 0;

	while (index < m->count && m->gpus[index].pci != pci)
		index++;
	return index;
}

/* -- What clients map of a GPU ------------------------------------------------------------------
 */

int machine_video_export(struct machine *m, u32 index, uid_t uid, u64 offset, u64 size, int *fd,
			 u64 *fd_offset, u64 *fd_size)
{
	switch (h100_video_export(m->gpus[index].model, uid, offset, size, fd, fd_offset,
				  fd_size)) {
	case NV_OK:
		return 0;
	case NV_ERR_INSUFFICIENT_RESOURCES:
	case NV_ERR_NO_MEMORY:
		return ENOMEM;
	default:
		return EINVAL;
	}
}

int machine_doorbell_create(struct machine *m, u32 index, u32 client, struct bell *bell, int *fd,
			    struct h100_doorbell **out)
{
	enum nv_status status = h100_doorbell_create(m->gpus[index].model, client, fd, out);

	if (status != NV_OK)
		return status == NV_ERR_NO_MEMORY ? ENOMEM : EINVAL;
	h100_doorbell_set_ctx(*out, bell);
	return 0;
}

void machine_doorbell_destroy(struct machine *m, u32 index, struct h100_doorbell *doorbell)
{
	h100_doorbell_destroy(m->gpus[index].model, doorbell);
}

void machine_doorbell_armed(struct machine *m, u32 index, struct h100_doorbell *doorbell)
{
	h100_doorbell_armed(m->gpus[index].model, doorbell);
}

void machine_doorbell_rang(struct machine *m, u32 index, struct h100_doorbell *doorbell)
{
	h100_doorbell_rang(m->gpus[index].model, doorbell);
}

int machine_inject(struct machine *m, u32 index, const char *command)
{
	if (index >= m->count)
		return ENODEV;
	return h100_inject(m->gpus[index].model, command) == NV_OK ? 0 : EINVAL;
}

static bool in_group(const struct machine_user *user, gid_t gid)
{
	bool found = user->gid == gid;

	for (u32 i = 0; i < user->group_count && !found; i++)
		found = user->groups[i] == gid;
	return found;
}

bool machine_node_allowed(struct machine *m, enum tree_node node, u32 minor, u32 flags,
			  const struct machine_user *user)
{
	u32 access = flags & O_ACCMODE;
	u32 want = access == O_RDONLY ? 4 : access == O_WRONLY ? 2 : 6;
	struct stat st;
	u32 bits;

	/* What has no node the driver refuses by itself, capabilities apart. */
	if (tree_node_stat(m->tree, node, minor, &st))
		return user->uid == 0 && node != TREE_NODE_CAP;
	if (user->uid == 0)
		return true;
	if (user->uid == st.st_uid)
		bits = st.st_mode >> 6;
	else if (in_group(user, st.st_gid))
		bits = st.st_mode >> 3;
	else
		bits = st.st_mode;
	return (want & ~bits & 7) == 0;
}
