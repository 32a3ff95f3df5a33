// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Where every command of a device node enters: power lock, lost GPU, size and number, the XFER
 * wrapper, copy in, the command, copy out. A malformed request fails the ioctl; one that was
 * understood and refused succeeds, with the status in its structure.
 */
#include "rm/escape/escape.h"
#include "rm/trace.h"

/* The request word: direction 31:30, size 29:16, type 15:8, number 7:0. */
#define REQUEST_SIZE(request) (((request) >> 16) & 0x3fffu)
#define REQUEST_NUMBER(request) ((request)&0xffu)

#define MAX_SIZE 16384u /* NV_ABSOLUTE_MAX_IOCTL_SIZE */
/* Structures up to this size (every one of the busy commands) live on the stack. */
#define SMALL_SIZE 192u
#define ESCAPE_NUMBERS 256u

static const struct escape escapes[ESCAPE_NUMBERS] = {
	[NV_ESC_CARD_INFO] = { escape_card_info, ESCAPE_ANY_SIZE, ESCAPE_CONTROL_NODE },
	[NV_ESC_REGISTER_FD] = { escape_register_fd, sizeof(nv_ioctl_register_fd_t),
				 ESCAPE_ANY_NODE },
	[NV_ESC_ALLOC_OS_EVENT] = { escape_alloc_os_event, sizeof(nv_ioctl_alloc_os_event_t),
				    ESCAPE_ANY_NODE },
	[NV_ESC_FREE_OS_EVENT] = { escape_free_os_event, sizeof(nv_ioctl_free_os_event_t),
				   ESCAPE_ANY_NODE },
	[NV_ESC_STATUS_CODE] = { escape_status_code, sizeof(nv_ioctl_status_code_t),
				 ESCAPE_CONTROL_NODE },
	[NV_ESC_CHECK_VERSION_STR] = { escape_check_version, sizeof(nv_ioctl_rm_api_version_t),
				       ESCAPE_CONTROL_NODE },
	[NV_ESC_ATTACH_GPUS_TO_FD] = { escape_attach_gpus, ESCAPE_ANY_SIZE, ESCAPE_CONTROL_NODE },
	[NV_ESC_QUERY_DEVICE_INTR] = { escape_query_device_intr, ESCAPE_ANY_SIZE, ESCAPE_GPU_NODE },
	[NV_ESC_SYS_PARAMS] = { escape_sys_params, sizeof(nv_ioctl_sys_params_t),
				ESCAPE_CONTROL_NODE },
	[NV_ESC_NUMA_INFO] = { escape_numa_info, sizeof(nv_ioctl_numa_info_t), ESCAPE_GPU_NODE },
	/* Looks for the administrator before node and size. */
	[NV_ESC_SET_NUMA_STATUS] = { escape_set_numa_status, ESCAPE_ANY_SIZE, ESCAPE_ANY_NODE },
	[NV_ESC_EXPORT_TO_DMABUF_FD] = { escape_export_dma_buf,
					 sizeof(nv_ioctl_export_to_dma_buf_fd_t), ESCAPE_GPU_NODE },

	[NV_ESC_RM_ALLOC_MEMORY] = { escape_alloc_memory,
				     sizeof(nv_ioctl_nvos02_parameters_with_fd), ESCAPE_GPU_NODE },
	[NV_ESC_RM_ALLOC_OBJECT] = { escape_alloc_object, sizeof(NVOS05_PARAMETERS),
				     ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_FREE] = { escape_free, sizeof(NVOS00_PARAMETERS), ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_CONTROL] = { escape_control, sizeof(NVOS54_PARAMETERS), ESCAPE_CONTROL_NODE },
	/* Two sizes, and events from any node. */
	[NV_ESC_RM_ALLOC] = { escape_alloc, ESCAPE_ANY_SIZE, ESCAPE_ANY_NODE },
	[NV_ESC_RM_DUP_OBJECT] = { escape_dup, sizeof(NVOS55_PARAMETERS), ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_SHARE] = { escape_share, sizeof(NVOS57_PARAMETERS), ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_I2C_ACCESS] = { escape_i2c, sizeof(NVOS_I2C_ACCESS_PARAMS), ESCAPE_GPU_NODE },
	[NV_ESC_RM_IDLE_CHANNELS] = { escape_idle_channels, sizeof(NVOS30_PARAMETERS),
				      ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_VID_HEAP_CONTROL] = { escape_vid_heap, sizeof(NVOS32_PARAMETERS),
					 ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_ACCESS_REGISTRY] = { escape_access_registry, sizeof(NVOS38_PARAMETERS),
					ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_MAP_MEMORY] = { escape_map_memory, sizeof(nv_ioctl_nvos33_parameters_with_fd),
				   ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_UNMAP_MEMORY] = { escape_unmap_memory, sizeof(NVOS34_PARAMETERS),
				     ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_GET_EVENT_DATA] = { escape_get_event_data, sizeof(NVOS41_PARAMETERS),
				       ESCAPE_ANY_NODE },
	[NV_ESC_RM_ALLOC_CONTEXT_DMA2] = { escape_alloc_context_dma, sizeof(NVOS39_PARAMETERS),
					   ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_MAP_MEMORY_DMA] = { escape_map_memory_dma, sizeof(NVOS46_PARAMETERS),
				       ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_UNMAP_MEMORY_DMA] = { escape_unmap_memory_dma, sizeof(NVOS47_PARAMETERS),
					 ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_BIND_CONTEXT_DMA] = { escape_bind_context_dma, sizeof(NVOS49_PARAMETERS),
					 ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_UPDATE_DEVICE_MAPPING_INFO] = { escape_update_mapping, sizeof(NVOS56_PARAMETERS),
						   ESCAPE_CONTROL_NODE },
	[NV_ESC_RM_NVLOG_CTRL] = { escape_nvlog, ESCAPE_ANY_SIZE, ESCAPE_CONTROL_NODE },
};

static enum rm_ioctl_result dispatch(struct rm_file *file, u32 number, void *data, u32 size)
{
	const struct escape *escape;

	if (number >= ESCAPE_NUMBERS || !escapes[number].serve)
		return RM_IOCTL_EINVAL;
	escape = &escapes[number];
	if (!(escape->node >> file->node & 1))
		return RM_IOCTL_EINVAL;
	if (escape->size != ESCAPE_ANY_SIZE && escape->size != size)
		return RM_IOCTL_EINVAL;
	return escape->serve(file, data, size);
}

static enum rm_ioctl_result __attribute__((__noinline__))
dispatch_traced(struct rm_file *file, u32 request, u32 number, void *data, u32 size)
{
	enum rm_ioctl_result result;

	rm_trace(RM_TRACE_ESCAPE_BEGIN, "escape", 0, request, number, data, size);
	result = dispatch(file, number, data, size);
	rm_trace(RM_TRACE_ESCAPE_END, "escape", result, request, number, data, size);
	return result;
}

enum rm_ioctl_result rm_ioctl(struct rm_file *file, u32 request, u64 arg)
{
	u64 small[SMALL_SIZE / sizeof(u64)];
	u32 size = REQUEST_SIZE(request), number = REQUEST_NUMBER(request);
	enum rm_ioctl_result result;
	void *data = NULL;
	u32 power;

	/* A capability node proves a right and takes no commands. */
	if (file->node == RM_NODE_CAP)
		return RM_IOCTL_ENOTTY;
	if (rm_power_enter(file->rm, &power) != NV_OK)
		return RM_IOCTL_EINTR;
	if (file_gpu_is_lost(file)) {
		result = RM_IOCTL_EINVAL;
		goto leave;
	}
	if (number == NV_ESC_IOCTL_XFER_CMD) {
		nv_ioctl_xfer_t xfer;

		if (size != sizeof(xfer)) {
			result = RM_IOCTL_EINVAL;
			goto leave;
		}
		if (os_copy_from_user(&xfer, arg, sizeof(xfer)) != NV_OK) {
			result = RM_IOCTL_EFAULT;
			goto leave;
		}
		number = xfer.cmd;
		size = xfer.size;
		arg = (u64)xfer.ptr;
		if (size > MAX_SIZE) {
			result = RM_IOCTL_EINVAL;
			goto leave;
		}
	}
	data = size <= SMALL_SIZE ? small : os_alloc(size);
	if (!data) {
		result = RM_IOCTL_ENOMEM;
		goto leave;
	}
	if (os_copy_from_user(data, arg, size) != NV_OK) {
		result = RM_IOCTL_EFAULT;
		goto leave;
	}
	if (rm_trace_on())
		result = dispatch_traced(file, request, number, data, size);
	else
		result = dispatch(file, number, data, size);
leave:
	rm_power_leave(file->rm, power);
	if (data && result != RM_IOCTL_EFAULT && os_copy_to_user(arg, data, size) != NV_OK)
		result = RM_IOCTL_EFAULT;
	if (size > SMALL_SIZE)
		os_free(data);
	return result;
}
