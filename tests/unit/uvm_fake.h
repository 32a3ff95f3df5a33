/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Unified memory between two hand-made sides: a resource manager of GPUs whose video memory is an
 * array, with clients' objects by handle, and a host with descriptors and processes. Every
 * reference that is taken is counted.
 */
#ifndef TESTS_UVM_FAKE_H
#define TESTS_UVM_FAKE_H

#include "uvm/uvm.h"
#include "base/bits.h"
#include "rm/uvm.h"
#include "unit.h"

#define FAKE_GPUS 3u
#define FAKE_VIDEO MIB(32) /* for UVM's own; clients' memory is addresses only */
#define FAKE_FD 77	   /* the control file of every client */
#define FAKE_CLIENT 0xc1d00001u
#define FAKE_VASPACE 0x5000u /* + GPU */
#define FAKE_CHANNEL 0x6000u /* + GPU: no buffers; + 0x10: two */
#define FAKE_OBJECTS 32u
#define FAKE_FILES 8u
#define FAKE_WINDOW_SHIFT 38u /* of the fabric, one for each GPU */

struct rm_gpu {
	struct os_pci_dev *pci;
	struct rm_uvm_gpu_info info;
	u8 *video;
	u64 used[FAKE_VIDEO / KIB(4) / 64];
	u32 refs, vaspaces, invalidations, pauses;
	bool paused; /* its client's channels; copies go on only then */
	bool lost, lose_at_get, directory_set;
	bool unsettled;		     /* an invalidation timed out, and none was well since */
	enum nv_status invalidation; /* how they end, if not well */
	u64 root;
	bool channel_stopped, channel_bound;
	u32 channels;
	u64 bound[2];
};

struct fake_object {
	u32 handle;
	struct rm_uvm_memory_info info;
	struct rm_gpu *gpu;
	u64 address;
	u64 piece; /* contiguous bytes; the pieces lie in falling order, piece after piece */
};

struct fake {
	struct rm_gpu gpus[FAKE_GPUS];
	struct fake_object objects[FAKE_OBJECTS];
	u32 object_count, memories, peers, videos;
	u32 links; /* between any two; with some, GPUs have windows in a fabric */
	struct uvm *uvm;
	struct uvm_file *files[FAKE_FILES];
	bool open[FAKE_FILES];
	u32 file_refs[FAKE_FILES]; /* the descriptor's, if open, and file_get's */
	u64 mm;
	bool can_unmap;
	u32 wakes; /* of tools files */
	u64 unmapped, unmapped_size;
	u64 live;
	u32 sessions;
	u64 copied; /* bytes, by copy engines */
	u32 launches, mem_ops;
	u32 fail_launch, lose_launch; /* that one from now on is an error of its channel's */
	bool copies_run;	      /* also while channels of clients do: built-in tests' */
	/* That one from now on is not as it should be: a copied byte, a semaphore, a word of a BAR.
	 */
	u32 spoil_copy, drop_release, drop_write;
	u32 controls, entered, suspended; /* for so many looks, four at most */
	const struct rm_uvm_listener *listener;
	void *listener_ctx;
	void (*on_unmap)(u64 address, u64 size); /* NULL: nobody asks; in one step, or in two: */
	void (*on_protect)(u64 address, u64 size);
	void (*on_discard)(const struct uvm_extent *extent);
	bool fail_protect; /* though can_unmap */
};

extern struct fake fake;

void fake_start(bool populate);
/* The same on a host that populates, and takes memory away in two steps. */
void fake_start_two_steps(void);
/* With the built-in tests. */
void fake_start_tests(void);
/* Closes what is open; everything that was taken must be back. */
int fake_end(void **state);
/* A descriptor. */
int fake_open(enum uvm_node node);
void fake_close(int fd);
/* A memory object. video: of gpu, else system memory by it; its handle. */
u32 fake_memory(u32 gpu, bool video, u64 size, u64 page_size, u64 address, u64 piece);
const NvProcessorUuid *fake_uuid(u32 gpu);
extern const NvProcessorUuid fake_cpu, fake_nobody;
/* The first count GPUs with an address space each, for an initialised file; each must succeed. */
void fake_register_gpus(int fd, u32 count);
/* The same from one GPU on to before another. */
void fake_register_gpus_from(int fd, u32 first, u32 end);

/* A store to registers. */
void fake_doorbell(struct rm_gpu *gpu, u64 offset, u32 token);

/* An ioctl that must be served; the status inside its structure. */
#define CALL(fd, number, p)                                                                       \
	(assert_int_equal(uvm_ioctl(fake.files[fd], number, (u64)(uintptr_t)(p)), UVM_RESULT_OK), \
	 (p)->rmStatus)

/* What the tables say, read as the GPU would: a walk of its own, with numbers of its own. */
struct fake_page {
	bool valid, sparse;
	u64 size, address;
	u32 aperture, kind, peer;
	bool read_only, no_atomics, uncached;
};
struct fake_page fake_walk(u32 gpu, u64 va);

#endif
