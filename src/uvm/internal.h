/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Unified memory from inside: files, VA spaces, the GPUs registered in them, and address ranges.
 *
 *   file --- space (one an initialised file) --- gpu (by slot) --- gpu_space (page tables)
 *                 \-- ranges (tree) --- managed blocks, external mappings, pool, ...
 *                  \- range groups
 *
 * Everything in a space is under its lock (LOCK_RANK_UVM_SPACE), which ranks before all of RM's.
 * User memory is never copied under it.
 */
#ifndef UVM_INTERNAL_H
#define UVM_INTERNAL_H

#include "base/bitmap.h"
#include "base/bits.h"
#include "base/list.h"
#include "uvm/chunk.h"
#include "uvm/page_tree.h"
#include "uvm/push.h"
#include "uvm/tree.h"
#include "uvm/uvm.h"

#define UVM_CPU 0u
/* Processors are the CPU, then GPUs by their instance; UVM_MAX_PROCESSORS is the interface's. */
#define UVM_GPUS RM_MAX_GPUS
#define UVM_PROCESSORS (UVM_GPUS + 1)
#define UVM_NOBODY (~0u)
#define UVM_BLOCK_SIZE MIB(2)

struct uvm {
	struct rm *rm;
	const struct uvm_host_ops *host;
	bool populate_managed;
	bool builtin_tests;
	struct os_mutex lock;		  /* LOCK_RANK_UVM_GLOBAL: spaces */
	struct list spaces;		  /* struct uvm_space */
	struct os_mutex devices_lock;	  /* LOCK_RANK_UVM_DEVICES: devices, their references */
	struct list devices;		  /* struct uvm_device */
	struct list holders;		  /* struct uvm_device_holder, likewise */
	struct os_mutex across_lock;	  /* LOCK_RANK_UVM_ACROSS: what uvm/across.c does */
	struct uvm_device *met[UVM_GPUS]; /* by instance: those whose channels wait for others' */
	u32 files;			  /* atomic: open ones */
};

enum uvm_file_state {
	UVM_FILE_NEW,
	UVM_FILE_BUSY, /* one thread initialises it */
	UVM_FILE_SPACE,
	UVM_FILE_MM,	/* keeps the space of another file alive for its process */
	UVM_FILE_TOOLS, /* watches the space of another file */
};

struct uvm_space;
struct uvm_observer;

struct uvm_file {
	struct uvm *uvm;
	enum uvm_node node;
	void *host_ctx;
	u32 state;		 /* enum uvm_file_state, atomic */
	struct uvm_space *space; /* of UVM_FILE_SPACE, set before the state */
	struct uvm_file *mm_of;	 /* of UVM_FILE_MM: the other file, referenced through the host */
	struct uvm_observer *observer; /* of UVM_FILE_TOOLS, set before the state */
};

/* -- Processors -------------------------------------------------------------------------------- */

typedef u32 uvm_mask; /* a bit a processor */

struct uvm_dma_buffer;
struct uvm_gpu_space;

struct uvm_gpu {
	struct uvm_space *owner; /* that it is registered in */
	struct rm_gpu *rm;
	struct rm_uvm_gpu_info info;
	struct uvm_hal hal;
	struct uvm_device *device;
	struct uvm_room room;		/* of the device's chunks */
	u32 id;				/* processor: 1 + instance */
	struct uvm_dma_buffer *reserve; /* in confidential mode: data comes back without memory */
	struct uvm_gpu_space *space;	/* NULL: no GPU VA space is registered */
};

struct uvm_gpu_space {
	struct uvm_gpu *gpu;
	struct rm_uvm_vaspace *rm;
	struct uvm_page_tree tree;
	struct list channels; /* struct uvm_channel */
};

struct uvm_peer {
	bool enabled;
	struct rm_uvm_peer way; /* with links: enabled as long as both are registered */
};

enum uvm_mm_state { UVM_MM_UNINITIALIZED, UVM_MM_ALIVE, UVM_MM_RELEASED };

struct uvm_space {
	struct list_node node; /* of uvm's, its lock */
	struct uvm *uvm;
	struct uvm_file *file;
	u32 references;	      /* atomic: the file's, and of those who evict from it */
	struct os_mutex lock; /* LOCK_RANK_UVM_SPACE: everything below */
	u64 flags;	      /* UVM_INIT_FLAGS_* */
	u64 mm;		      /* whose it is, unless shared by processes: 0 */
	enum uvm_mm_state mm_state;
	bool no_new_gpus; /* the process is gone */
	bool ending;	  /* likewise for certain, or the file: nobody wants what is in memory */

	struct uvm_gpu *gpus[UVM_GPUS];
	uvm_mask registered; /* GPUs */
	/* By processor: whose memory it reaches, who reaches its, whose it can copy. */
	uvm_mask can_access[UVM_PROCESSORS];
	uvm_mask accessible_from[UVM_PROCESSORS];
	uvm_mask can_copy_from[UVM_PROCESSORS];
	uvm_mask native_atomics[UVM_PROCESSORS];
	uvm_mask nvlink[UVM_PROCESSORS];
	uvm_mask system_wide_atomics; /* processors */
	uvm_mask faultable;
	struct uvm_peer peers[UVM_GPUS][UVM_GPUS];

	struct uvm_tree ranges; /* struct uvm_range */
	u32 fail_block; /* that one which is made from now on fails; 0: none. For built-in tests */
	struct list groups;		    /* struct uvm_group */
	struct list observers;		    /* struct uvm_observer: tools */
	u64 events_wanted, counters_wanted; /* by any of them */
	u32 cause; /* UvmEventMigrationCause* of what moves; 0: none in particular */
	u64 next_group;
	struct uvm_tree group_ranges; /* struct uvm_group_range */
};

/* Whether memory can be taken away from the CPU on this host, of some files at least. */
static inline bool uvm_moves(const struct uvm *uvm)
{
	return uvm->host->unmap || uvm->host->protect;
}

static inline bool uvm_has(uvm_mask mask, u32 id)
{
	return (mask >> id) & 1;
}

/* The registered GPU of that UUID, or NULL. Space lock. */
struct uvm_gpu *uvm_gpu_find(struct uvm_space *space, const NvProcessorUuid *uuid);
/* The same, and a GPU VA space is registered. */
struct uvm_gpu *uvm_gpu_find_with_space(struct uvm_space *space, const NvProcessorUuid *uuid);
/* What the interface calls the CPU. */
const NvProcessorUuid *uvm_uuid_of_cpu(void);
bool uvm_uuid_is_cpu(const NvProcessorUuid *uuid);
/* Whether the GPU can name those addresses as the CPU does. size is not 0. */
bool uvm_gpu_can_address(const struct uvm_gpu *gpu, u64 address, u64 size);
/* What the GPU's timer says, in nanoseconds. NV_ERR_GPU_IS_LOST: *ns is no time. */
enum nv_status uvm_gpu_time(const struct uvm_gpu *gpu, u64 *ns);
/* For every registered GPU of the space; gpu may be unregistered in the body. */
#define uvm_for_each_gpu(gpu, slot, space)                   \
	for ((slot) = 0; (slot) < UVM_GPUS; (slot)++)        \
		if (((gpu) = (space)->gpus[slot]) == NULL) { \
		} else

/* -- The ioctls -------------------------------------------------------------------------------- */

/* params: a copy of the whole structure, which goes back whatever is returned. */
enum nv_status uvm_initialize(struct uvm_file *file, void *params);
enum nv_status uvm_mm_initialize(struct uvm_file *file, void *params);
/* All others have a space. */
enum nv_status uvm_pageable_mem_access(struct uvm_file *file, void *params);
enum nv_status uvm_pageable_mem_access_on_gpu(struct uvm_file *file, void *params);
enum nv_status uvm_register_gpu(struct uvm_file *file, void *params);
enum nv_status uvm_unregister_gpu(struct uvm_file *file, void *params);
enum nv_status uvm_register_gpu_vaspace(struct uvm_file *file, void *params);
enum nv_status uvm_unregister_gpu_vaspace(struct uvm_file *file, void *params);
enum nv_status uvm_register_channel(struct uvm_file *file, void *params);
enum nv_status uvm_unregister_channel(struct uvm_file *file, void *params);
enum nv_status uvm_enable_peer_access(struct uvm_file *file, void *params);
enum nv_status uvm_disable_peer_access(struct uvm_file *file, void *params);
enum nv_status uvm_enable_system_wide_atomics(struct uvm_file *file, void *params);
enum nv_status uvm_disable_system_wide_atomics(struct uvm_file *file, void *params);
enum nv_status uvm_create_external_range(struct uvm_file *file, void *params);
enum nv_status uvm_map_external_allocation(struct uvm_file *file, void *params);
enum nv_status uvm_map_external_sparse(struct uvm_file *file, void *params);
enum nv_status uvm_unmap_external(struct uvm_file *file, void *params);
enum nv_status uvm_free(struct uvm_file *file, void *params);
enum nv_status uvm_map_dynamic_parallelism_region(struct uvm_file *file, void *params);
enum nv_status uvm_alloc_semaphore_pool(struct uvm_file *file, void *params);
enum nv_status uvm_validate_va_range(struct uvm_file *file, void *params);
enum nv_status uvm_clean_up_zombie_resources(struct uvm_file *file, void *params);
enum nv_status uvm_populate_pageable(struct uvm_file *file, void *params);
enum nv_status uvm_create_range_group(struct uvm_file *file, void *params);
enum nv_status uvm_destroy_range_group(struct uvm_file *file, void *params);
enum nv_status uvm_set_range_group(struct uvm_file *file, void *params);
enum nv_status uvm_prevent_migration_range_groups(struct uvm_file *file, void *params);
enum nv_status uvm_allow_migration_range_groups(struct uvm_file *file, void *params);
enum nv_status uvm_set_preferred_location(struct uvm_file *file, void *params);
enum nv_status uvm_unset_preferred_location(struct uvm_file *file, void *params);
enum nv_status uvm_set_accessed_by(struct uvm_file *file, void *params);
enum nv_status uvm_unset_accessed_by(struct uvm_file *file, void *params);
enum nv_status uvm_enable_read_duplication(struct uvm_file *file, void *params);
enum nv_status uvm_disable_read_duplication(struct uvm_file *file, void *params);
enum nv_status uvm_migrate(struct uvm_file *file, void *params);
enum nv_status uvm_migrate_range_group(struct uvm_file *file, void *params);
enum nv_status uvm_tools_read_process_memory(struct uvm_file *file, void *params);
enum nv_status uvm_tools_write_process_memory(struct uvm_file *file, void *params);
enum nv_status uvm_tools_get_processor_uuid_table(struct uvm_file *file, void *params);
enum nv_status uvm_tools_flush_events(struct uvm_file *file, void *params);
/* Of tools files, event.c. */
enum nv_status uvm_tools_init_event_tracker(struct uvm_file *file, void *params);
enum nv_status uvm_tools_set_notification_threshold(struct uvm_file *file, void *params);
enum nv_status uvm_tools_event_queue_enable_events(struct uvm_file *file, void *params);
enum nv_status uvm_tools_event_queue_disable_events(struct uvm_file *file, void *params);
enum nv_status uvm_tools_enable_counters(struct uvm_file *file, void *params);
enum nv_status uvm_tools_disable_counters(struct uvm_file *file, void *params);

/* -- space.c ----------------------------------------------------------------------------------- */

/* NV_ERR_INVALID_ARGUMENT: unknown flags; NV_ERR_NO_MEMORY. */
enum nv_status uvm_space_create(struct uvm_file *file, u64 flags, struct uvm_space **out);
/* Nothing of it is left but for those who hold it. */
void uvm_space_destroy(struct uvm_space *space);
void uvm_space_get(struct uvm_space *space);
void uvm_space_put(struct uvm_space *space);
/* The GPU is off the bus: every space lets go of it. Takes the locks. */
void uvm_spaces_gpu_gone(void *uvm, struct rm_gpu *gpu);
/* All data comes back to system memory, where faults find it without a GPU. Takes the locks. */
void uvm_spaces_suspend(void *uvm);
/*
 * The process is gone, or gave up its hold: its GPU VA spaces end; what is in their memory comes
 * back first if it is wanted. Takes the lock.
 */
void uvm_space_mm_gone(struct uvm_space *space, bool wanted);

/* -- gpu.c, gpu_space.c, channel.c, peer.c -------------------------------------------------------
 */

/* Ends all that the space has on the GPU, and lets it go. Space lock. */
void uvm_gpu_remove(struct uvm_space *space, struct uvm_gpu *gpu);
/* Ends the GPU's VA space, channels first. Space lock. */
void uvm_gpu_space_remove(struct uvm_space *space, struct uvm_gpu *gpu);
/* Of all channels of one GPU VA space. Space lock. */
void uvm_channels_stop(struct uvm_gpu_space *gpu_space);
void uvm_channels_remove(struct uvm_space *space, struct uvm_gpu_space *gpu_space);
/* Whether that channel is registered on the GPU, which has a VA space or not. Space lock. */
bool uvm_channel_is_registered(const struct uvm_gpu *gpu, u32 client, u32 handle);
/* The links that a and others have, switched on by registration. Space lock. */
void uvm_peers_register(struct uvm_space *space, struct uvm_gpu *gpu);
/* Ends peer access of the GPU with every other. Space lock. */
void uvm_peers_remove(struct uvm_space *space, struct uvm_gpu *gpu);

#endif
