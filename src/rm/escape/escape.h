/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The commands of the device nodes ("escapes"): one table by number, of what each takes and who may
 * use it. Handlers get the kernel's copy of the structure, which goes back to the caller whatever
 * they return, but for RM_IOCTL_EFAULT.
 */
#ifndef RM_ESCAPE_ESCAPE_H
#define RM_ESCAPE_ESCAPE_H

#include "rm/api/api.h"
#include "rm/file.h"

typedef enum rm_ioctl_result (*escape_fn)(struct rm_file *file, void *data, u32 size);

/* A bit for each kind of node. */
enum escape_node {
	ESCAPE_CONTROL_NODE = 1u << RM_NODE_CONTROL, /* /dev/nvidiactl */
	ESCAPE_GPU_NODE = 1u << RM_NODE_GPU,	     /* /dev/nvidiaN */
	ESCAPE_ANY_NODE = ESCAPE_CONTROL_NODE | ESCAPE_GPU_NODE,
};

/* The handler looks at the size itself. */
#define ESCAPE_ANY_SIZE (~0u)

struct escape {
	escape_fn serve;
	u32 size; /* exactly */
	u32 node; /* enum escape_node */
};

/* Of the kernel's driver proper (escape/card.c, numa.c, event.c, ...). */
enum rm_ioctl_result escape_query_device_intr(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_card_info(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_attach_gpus(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_status_code(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_check_version(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_sys_params(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_numa_info(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_set_numa_status(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_register_fd(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_alloc_os_event(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_free_os_event(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_get_event_data(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_export_dma_buf(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_access_registry(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_nvlog(struct rm_file *file, void *data, u32 size);

/* Of the resource manager's objects (escape/object.c). */
enum rm_ioctl_result escape_alloc(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_alloc_object(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_free(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_control(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_dup(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_share(struct rm_file *file, void *data, u32 size);

/* Of memory (escape/memory.c). */
enum rm_ioctl_result escape_alloc_memory(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_vid_heap(struct rm_file *file, void *data, u32 size);
/* NV_ESC_RM_ALLOC of NV01_MEMORY_SYSTEM_OS_DESCRIPTOR; p->status says how it ended. */
void escape_alloc_descriptor(struct rm_file *file, NVOS64_PARAMETERS *p);

/* NV_ESC_RM_ALLOC_MEMORY of NV01_MEMORY_LIST_* (escape/memory_list.c). */
enum nv_status escape_alloc_list(struct rm_file *file, const NVOS02_PARAMETERS *p);

/* Of what maps memory (escape/map.c). */
enum rm_ioctl_result escape_map_memory(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_unmap_memory(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_update_mapping(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_map_memory_dma(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_unmap_memory_dma(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_i2c(struct rm_file *file, void *data, u32 size);

/* Of context DMA (escape/context_dma.c). */
enum rm_ioctl_result escape_alloc_context_dma(struct rm_file *file, void *data, u32 size);
enum rm_ioctl_result escape_bind_context_dma(struct rm_file *file, void *data, u32 size);

/* Of waiting for channels (escape/idle.c). */
enum rm_ioctl_result escape_idle_channels(struct rm_file *file, void *data, u32 size);
/* The same by a control: false when it is another, or one that the RM API is to refuse. */
bool escape_control_idle(struct rm_file *file, NVOS54_PARAMETERS *p);

/* NV_ESC_RM_MAP_MEMORY, prepared on the file behind the caller's descriptor. */
enum nv_status escape_map(struct rm_file *file, NVOS33_PARAMETERS *p, s32 fd);

/*
 * Client, then object of the file, as every request on an object checks them: NV_OK, or
 * NV_ERR_INVALID_CLIENT, NV_ERR_OBJECT_NOT_FOUND, NV_ERR_RESOURCE_LOST.
 */
enum nv_status escape_check_object(struct rm_file *file, u32 client, u32 object);

#endif
