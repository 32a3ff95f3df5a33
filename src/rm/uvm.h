/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the resource manager offers the unified-memory driver: GPUs by UUID, clients' address
 * spaces, memory and channels by descriptor and handle, and memory of UVM's own. UVM may hold its
 * own locks (they rank before the API lock) and calls none of this from within an RM call.
 *
 * A client's object is named as the ioctls name it: the control file of the client, which a
 * descriptor of the calling process stands for, the client's handle and the object's.
 * NV_ERR_INVALID_ARGUMENT when there is no such file, NV_ERR_INVALID_CLIENT when the client is not
 * that file's, NV_ERR_INVALID_OBJECT_HANDLE or NV_ERR_OBJECT_NOT_FOUND for the object.
 *
 * Every pointer got here is held until it is put. A GPU that is lost stays valid as a pointer;
 * calls on it give NV_ERR_GPU_IS_LOST, save those that release, which release.
 */
#ifndef RM_UVM_H
#define RM_UVM_H

#include "abi/r535.h"
#include "os/os.h"
#include "rm/cc/csl_iv.h"

struct rm;
struct rm_file;
struct rm_gpu;
struct rm_uvm_vaspace;
struct rm_uvm_memory;
struct rm_uvm_channel;
struct rm_uvm_video;
struct rm_uvm_session;
struct rm_uvm_buffer;
struct rm_uvm_queue;
struct rm_uvm_faults;

struct rm_uvm_object {
	struct rm_file *file; /* NULL: none */
	u32 client;
	u32 handle;
};

/*
 * Power management: a request of UVM's is between the two, entered before any of its locks.
 * NV_ERR_SIGNAL_PENDING: the instance is suspended, and the thread has something else to do.
 */
enum nv_status rm_uvm_enter(struct rm *rm, u32 *token);
void rm_uvm_leave(struct rm *rm, u32 token);

/* What UVM is told, with no lock of rank UVM_GLOBAL or below held. */
struct rm_uvm_listener {
	/*
	 * The GPU is taken off the bus, and lost already, before the device goes: on return UVM has
	 * put all that it had of it.
	 */
	void (*gone)(void *ctx, struct rm_gpu *gpu);
	/*
	 * The instance is about to suspend: no request is between rm_uvm_enter and rm_uvm_leave.
	 * GPUs work until it returns; then nothing is asked of them until the next request.
	 */
	void (*suspend)(void *ctx);
	/*
	 * A client lacks video memory of the GPU: frees so many bytes of what unified memory has of
	 * it. False: it has not so much to give. May be NULL.
	 */
	bool (*reclaim)(void *ctx, struct rm_gpu *gpu, u64 bytes);
	/* There are faults to be taken from the GPU's buffer (rm_uvm_faults_take). May be NULL. */
	void (*faulted)(void *ctx, struct rm_gpu *gpu);
};

/* NULL: nobody listens any more; a call that is under way has ended on return. */
void rm_uvm_listen(struct rm *rm, const struct rm_uvm_listener *listener, void *ctx);

/*
 * The control file behind a descriptor of the calling process, or NULL. The process is asked for
 * it, so no lock is held; nor is one when it is put.
 */
struct rm_file *rm_uvm_file_get(struct rm *rm, s32 fd);
void rm_uvm_file_put(struct rm *rm, struct rm_file *file);

/*
 * Whether the GPUs run in confidential mode. From then on memory that they are not to reach is
 * OS_PAGES_PRIVATE.
 */
bool rm_uvm_is_confidential(const struct rm *rm);

/* -- GPUs -------------------------------------------------------------------------------------- */

struct rm_uvm_gpu_info {
	NvProcessorUuid uuid;
	char name[64];
	u32 gpu_id;
	u32 instance;	  /* index among the GPUs, below RM_MAX_GPUS */
	u32 architecture; /* NV_PMC_BOOT_0_ARCHITECTURE: 0x160 Turing, 0x170 Ampere, 0x180 Hopper */
	u32 implementation;
	u32 host_class;	   /* HOPPER_CHANNEL_GPFIFO_A */
	u32 copy_class;	   /* HOPPER_DMA_COPY_A */
	u32 sec2_class;	   /* HOPPER_SEC2_WORK_LAUNCH_A */
	u64 video_memory;  /* bytes; the aperture BAR (PCI BAR 2) shows as much of it from 0 on */
	u64 aperture;	   /* bytes of that BAR */
	bool coherent;	   /* its memory is the system's too (NVLink-C2C) */
	bool confidential; /* confidential computing is on */
};

/*
 * The GPU of that UUID (binary, SHA-1), booted if nobody used it and kept booted.
 * NV_ERR_INVALID_DEVICE: none such; NV_ERR_GPU_IS_LOST; what the boot failed with.
 */
enum nv_status rm_uvm_gpu_get(struct rm *rm, const NvProcessorUuid *uuid, struct rm_gpu **out,
			      struct rm_uvm_gpu_info *info);
void rm_uvm_gpu_put(struct rm_gpu *gpu);
bool rm_uvm_gpu_is_lost(const struct rm_gpu *gpu);
struct os_pci_dev *rm_uvm_gpu_pci(const struct rm_gpu *gpu);
/* How a GPU's page tables name another's memory. */
struct rm_uvm_peer {
	u32 id;	   /* NV_MMU_VER3_PTE_PEER_ID */
	u32 links; /* how many lead there; 0: over the bus */
	u64 base;  /* what is added to an address of the other GPU's memory */
};

/*
 * a and b reach each other's memory, by links or over the bus, until rm_uvm_peer_destroy.
 * NV_ERR_NOT_SUPPORTED when they cannot; *ab is for a's page tables, *ba for b's.
 */
enum nv_status rm_uvm_peer_create(struct rm_gpu *a, struct rm_gpu *b, struct rm_uvm_peer *ab,
				  struct rm_uvm_peer *ba);
void rm_uvm_peer_destroy(struct rm_gpu *a, struct rm_gpu *b);

/* -- Address spaces ---------------------------------------------------------------------------- */

/* Physical memory as page tables and page directory bases name it (NV_MMU_VER3_PTE_APERTURE_*). */
enum rm_uvm_aperture {
	RM_UVM_VIDEO = 0,
	RM_UVM_PEER = 1,
	RM_UVM_SYSTEM_COHERENT = 2,
	RM_UVM_SYSTEM_NONCOHERENT = 3,
};

/*
 * The client's FERMI_VASPACE_A on that GPU, which must be one whose page tables are others'
 * (NV_VASPACE_ALLOCATION_FLAGS_IS_EXTERNALLY_OWNED: NV_ERR_INVALID_FLAGS). The client may free its
 * handle: the address space stays until it is put.
 */
enum nv_status rm_uvm_vaspace_get(struct rm_gpu *gpu, const struct rm_uvm_object *object,
				  struct rm_uvm_vaspace **out);
/* Unsets the page directory if one is set. */
void rm_uvm_vaspace_put(struct rm_uvm_vaspace *vaspace);
/*
 * The page directory that the GPU walks for this address space; told to the firmware and to the
 * channels that exist. entries is how many the root table has. NV_ERR_IN_USE: one is set.
 */
enum nv_status rm_uvm_vaspace_set_page_directory(struct rm_uvm_vaspace *vaspace,
						 enum rm_uvm_aperture aperture, u64 address,
						 u32 entries);
void rm_uvm_vaspace_unset_page_directory(struct rm_uvm_vaspace *vaspace);

/*
 * No channel of the address space runs on return, one in the middle of a copy included; what was
 * scheduled is so again after rm_uvm_vaspace_go_on, as if nothing had been. Channels that are made
 * in between stand still too. Both by one thread at a time. NV_ERR_GPU_IS_LOST, NV_ERR_TIMEOUT (the
 * firmware did not answer) and what else it says: nothing is paused.
 */
enum nv_status rm_uvm_vaspace_pause(struct rm_uvm_vaspace *vaspace);
void rm_uvm_vaspace_go_on(struct rm_uvm_vaspace *vaspace);

/*
 * The GPU forgets what it cached of the tables under that page directory: all of it, for all of
 * their users. Waits until it did.
 */
enum nv_status rm_uvm_tlb_invalidate(struct rm_gpu *gpu, enum rm_uvm_aperture aperture,
				     u64 page_directory);
/*
 * Whether the GPU has forgotten all that it was to forget, or is lost. If not, memory of UVM's own
 * that was unmapped is to be freed before anybody uses it again: rm_uvm_video_free keeps it so
 * long.
 */
bool rm_uvm_tlb_settled(struct rm_gpu *gpu);

/* -- Clients' memory ----------------------------------------------------------------------------
 */

struct rm_uvm_memory_info {
	u64 size;
	u64 page_size; /* its natural one: 4 KiB, 64 KiB, 2 MiB or 512 MiB */
	bool sysmem;   /* system memory */
	bool device;   /* video memory of uuid's GPU (else of neither: e.g. a usermode page) */
	bool read_only;
	bool cached;	      /* in the GPU's L2, unless a mapping says otherwise */
	u32 kind;	      /* NV_MMU_PTE_KIND_* it was allocated with */
	NvProcessorUuid uuid; /* of the GPU that it was allocated on, or of the first */
};

struct rm_uvm_segment {
	enum rm_uvm_aperture aperture; /* as its own GPU sees it */
	u64 address;
	u64 size; /* bytes from there on that are contiguous */
};

/* The memory object, kept with its pages whatever the client frees. gpu is who maps it. */
enum nv_status rm_uvm_memory_get(struct rm_gpu *gpu, const struct rm_uvm_object *object,
				 struct rm_uvm_memory **out, struct rm_uvm_memory_info *info);
void rm_uvm_memory_put(struct rm_uvm_memory *memory);
/* NV_ERR_INVALID_OFFSET beyond the end. */
enum nv_status rm_uvm_memory_segment(struct rm_uvm_memory *memory, u64 offset,
				     struct rm_uvm_segment *out);

/* -- Channels ---------------------------------------------------------------------------------- */

#define RM_UVM_CHANNEL_RESOURCES 16u

struct rm_uvm_channel_info {
	u32 engine; /* NV2080_ENGINE_TYPE_* */
	u32 chid;
	u32 runlist;
	u32 group; /* its channel group's id, or ~0 */
	bool in_group;
	u32 token;
	u32 resource_count; /* buffers that the engine wants mapped at UVM's addresses */
	struct {
		u64 size;
		u64 alignment;
		struct rm_uvm_segment segment;
	} resources[RM_UVM_CHANNEL_RESOURCES];
};

/*
 * The client's channel of that address space (NV_ERR_INVALID_CHANNEL: of another, or no channel).
 * The instance stays until put; a channel that the client frees stops.
 */
enum nv_status rm_uvm_channel_get(struct rm_uvm_vaspace *vaspace,
				  const struct rm_uvm_object *object, struct rm_uvm_channel **out,
				  struct rm_uvm_channel_info *info);
/* Its resources are mapped at these addresses: the channel may be scheduled. */
enum nv_status rm_uvm_channel_bind(struct rm_uvm_channel *channel, const u64 *addresses, u32 count);
/* No work of the channel runs any more. immediate: without waiting for it to end. */
void rm_uvm_channel_stop(struct rm_uvm_channel *channel, bool immediate);
void rm_uvm_channel_put(struct rm_uvm_channel *channel);

/* -- UVM's own video memory ----------------------------------------------------------------------
 */

/*
 * size bytes (a multiple of 4 KiB) of the GPU's video memory in one piece, zeroed, aligned to
 * alignment (a power of 2, 4 KiB to 512 MiB); *address is where it lies in the GPU's memory and in
 * PCI BAR 2. NV_ERR_NO_MEMORY.
 */
enum nv_status rm_uvm_video_alloc(struct rm_gpu *gpu, u64 size, u64 alignment,
				  struct rm_uvm_video **out, u64 *address);
void rm_uvm_video_free(struct rm_uvm_video *video);
/*
 * Words of such memory, one after the other from an aligned address on. They are there on return,
 * unless the GPU is lost: one whose firmware has to write them and does not is.
 */
void rm_uvm_video_write(struct rm_gpu *gpu, u64 address, const u64 *words, u32 count);

/* -- UVM's own channels --------------------------------------------------------------------------
 */

/*
 * A client of the driver's on one GPU, with an address space that the resource manager keeps, in
 * which UVM's channels work: the kernel's privileges, so that copies may name physical memory.
 * *engines: the copy engines that share no runlist with graphics, a bit each from
 * NV2080_ENGINE_TYPE_COPY0 on; in confidential mode those of them that have keys. Ends before the
 * GPU is put. NV_ERR_NO_MEMORY, NV_ERR_GPU_IS_LOST, what the firmware says.
 */
enum nv_status rm_uvm_session_create(struct rm_gpu *gpu, struct rm_uvm_session **out, u32 *engines);
/* All queues and buffers of it are gone. */
void rm_uvm_session_destroy(struct rm_uvm_session *session);

/*
 * System memory, zeroed, that the CPU and the session's address space see: size is a multiple of
 * 4 KiB. NV_ERR_NO_MEMORY.
 */
enum nv_status rm_uvm_buffer_alloc(struct rm_uvm_session *session, u64 size,
				   struct rm_uvm_buffer **out, void **cpu, u64 *address);
/* The same of video memory, which the session alone sees; *video is where in it (in one piece). */
enum nv_status rm_uvm_buffer_alloc_video(struct rm_uvm_session *session, u64 size,
					 struct rm_uvm_buffer **out, u64 *address, u64 *video);
/*
 * A buffer of system memory of another GPU's session, for this one to read: *address is where. It
 * is freed before that one. NV_ERR_NO_MEMORY; NV_ERR_NOT_SUPPORTED: video memory.
 */
enum nv_status rm_uvm_buffer_share(struct rm_uvm_session *session,
				   const struct rm_uvm_buffer *buffer, struct rm_uvm_buffer **out,
				   u64 *address);
void rm_uvm_buffer_free(struct rm_uvm_buffer *buffer);

struct rm_uvm_queue_info {
	u32 *put_cpu; /* GPPut, where it is in shared memory (no BAR shows video memory); or NULL:
		       */
	u64 put;      /* where in PCI BAR 2 it is, a word */
	u64 doorbell; /* where in PCI BAR 0 the token is written */
	u32 token;
	/*
	 * Of a secure one on a copy engine, whose USERD is in video memory: that, and where work of
	 * other channels writes the token, both in the session's address space. Else 0.
	 */
	u64 userd_at, doorbell_at;
};

/* Instead of a copy engine: in confidential mode, what decrypts and rings for others. */
#define RM_UVM_ENGINE_SEC2 (~0u)

/*
 * A channel of the session on that copy engine (index from NV2080_ENGINE_TYPE_COPY0), scheduled,
 * with an object of the GPU's copy class for the subchannel of copies; its GPFIFO of entries (a
 * power of 2) is at that address. In confidential mode it is a secure one, whose other end are the
 * rm_uvm_csl_* below; its GPFIFO, and what that leads to, belong into video memory. On SEC2
 * (RM_UVM_ENGINE_SEC2), whose GPFIFO belongs into shared memory, with an object of
 * HOPPER_SEC2_WORK_LAUNCH_A: NV_ERR_NOT_SUPPORTED without that mode. NV_ERR_NO_MEMORY,
 * NV_ERR_GPU_IS_LOST, what the firmware says.
 */
enum nv_status rm_uvm_queue_create(struct rm_uvm_session *session, u32 engine, u64 gpfifo,
				   u32 entries, struct rm_uvm_queue **out,
				   struct rm_uvm_queue_info *info);
/* No work of it runs any more, whatever was submitted: it is of no more use. */
void rm_uvm_queue_stop(struct rm_uvm_queue *queue);
/* The same, and it is gone. */
void rm_uvm_queue_destroy(struct rm_uvm_queue *queue);
/*
 * ROBUST_CHANNEL_* of its first error; 0: none. Looks at the bus too: a GPU that fell off it is
 * lost from then on.
 */
u32 rm_uvm_queue_error(struct rm_uvm_queue *queue);

/*
 * The CPU's end of a secure queue, by rm/cc/csl.h, whose statuses these have; NV_ERR_INVALID_STATE
 * without confidential mode. Calls on one queue are the caller's to serialise. Ciphertext may lie
 * in memory that others write to; plaintext, IVs and the tag that is compared may not. iv of
 * encrypt may be NULL: the next one.
 */
enum nv_status rm_uvm_csl_increment_iv(struct rm_uvm_queue *queue, enum csl_operation operation,
				       u64 increment, struct csl_iv *iv);
enum nv_status rm_uvm_csl_encrypt(struct rm_uvm_queue *queue, u32 size, const void *plain,
				  struct csl_iv *iv, void *cipher, u8 tag[CSL_CRYPT_AUTH_TAG_SIZE]);
enum nv_status rm_uvm_csl_decrypt(struct rm_uvm_queue *queue, u32 size, const void *cipher,
				  const struct csl_iv *iv, void *plain,
				  const u8 tag[CSL_CRYPT_AUTH_TAG_SIZE]);
/* Of SEC2's, which decrypts nothing. */
enum nv_status rm_uvm_csl_sign(struct rm_uvm_queue *queue, u32 size, const void *input,
			       u8 mac[CSL_SIGN_AUTH_TAG_SIZE]);
/* Nothing of the queue is under way: else NV_ERR_INVALID_STATE. */
enum nv_status rm_uvm_csl_rotate_iv(struct rm_uvm_queue *queue, enum csl_operation operation);
enum nv_status rm_uvm_csl_query_message_pool(struct rm_uvm_queue *queue,
					     enum csl_operation operation, u64 *messages);

/* -- Faults that are not replayable --------------------------------------------------------------
 */

/*
 * From now on each such fault of the host or of a copy engine leaves an entry (NVC369_BUF_ENTRY_*)
 * in a buffer, and the listener is told. Its channel ends all the same. *entries: how many there is
 * room for; what finds none is lost. Ends before the GPU is put. NV_ERR_NOT_SUPPORTED: the GPU has
 * a buffer already; NV_ERR_NO_MEMORY, NV_ERR_GPU_IS_LOST, what the firmware says.
 */
enum nv_status rm_uvm_faults_create(struct rm_gpu *gpu, struct rm_uvm_faults **out, u32 *entries);
void rm_uvm_faults_destroy(struct rm_uvm_faults *faults);
/* Any context. */
bool rm_uvm_faults_pending(const struct rm_uvm_faults *faults);
/* Moves the oldest ones, at most max, to entries; returns how many. One thread at a time. */
u32 rm_uvm_faults_take(struct rm_uvm_faults *faults, u32 (*entries)[NVC369_BUF_SIZE / 4], u32 max);

#endif
