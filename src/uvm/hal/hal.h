/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What differs between GPU generations. Each states only what is new in it; uvm_hal_find takes
 * every empty entry from the parent, so Hopper is Ampere is Turing but for what they say. The same
 * holds for the classes of channels and copy engines.
 */
#ifndef UVM_HAL_HAL_H
#define UVM_HAL_HAL_H

#include "rm/uvm.h"

#define UVM_PAGE_4K KIB(4)
#define UVM_PAGE_64K KIB(64)
#define UVM_PAGE_2M MIB(2)
#define UVM_PAGE_512M MIB(512)

enum uvm_protection {
	UVM_PROTECTION_READ,
	UVM_PROTECTION_WRITE,
	UVM_PROTECTION_ATOMIC, /* and write */
};

/* What a page table entry is to say. */
struct uvm_pte {
	enum rm_uvm_aperture aperture;
	u64 address;
	enum uvm_protection protection;
	bool cached; /* in the GPU's L2 */
	u32 kind;    /* NV_MMU_PTE_KIND_* */
	u32 peer;    /* of RM_UVM_PEER: which */
};

#define UVM_TABLE_LEVELS 6u /* directories 0 (the root) .. 4, then page tables */

/* The shape of page tables and the bits of their entries. */
struct uvm_mmu_hal {
	u32 va_bits;
	u32 directories; /* levels above the page tables */
	struct {
		u8 shift; /* of the lowest address bit that indexes the level */
		u8 bits;
		u8 words; /* of 64 bits in an entry */
	} level[UVM_TABLE_LEVELS - 1];
	/* Page size -> level whose entries map it: directories for huge pages. ~0: unsupported. */
	u32 (*page_level)(u64 page_size);
	u64 (*pte)(const struct uvm_pte *pte);
	u64 (*pte_sparse)(void);
	u64 (*pte_sked)(void); /* messages to the compute scheduler (dynamic parallelism) */
	/* An entry of level that points at a table; of the last directory: at its big or small one.
	 * Without a table an entry is 0, as an invalid PTE is.
	 */
	u64 (*pde)(u32 level, bool small, enum rm_uvm_aperture aperture, u64 address);
};

/* -- Methods ----------------------------------------------------------------------------------- */

/* Words of a pushbuffer being written; whoever writes sees to it that there is room. */
struct uvm_methods {
	u32 *words;
	u32 count, limit;
};

/* No function below writes more words at once. */
#define UVM_METHODS_MAX 24u

enum uvm_membar {
	UVM_MEMBAR_NONE,
	UVM_MEMBAR_GPU, /* earlier writes are there for the whole GPU */
	UVM_MEMBAR_SYS, /* and for the CPU and other GPUs */
};

/* What host engines of a channel class do (GPFIFO classes). */
struct uvm_host_hal {
	u32 class_id;
	const struct uvm_host_hal *parent;
	u32 va_bits; /* of addresses in methods */
	/* payload at va, 4 bytes, after all methods before it. */
	void (*semaphore_release)(const struct uvm_host_hal *hal, struct uvm_methods *m, u64 va,
				  u32 payload);
	/* Until the word at va is payload or has passed it. */
	void (*semaphore_acquire)(const struct uvm_host_hal *hal, struct uvm_methods *m, u64 va,
				  u32 payload);
	/* The membar of writes of this channel's. NONE: nothing. */
	void (*membar)(const struct uvm_host_hal *hal, struct uvm_methods *m, enum uvm_membar kind);
	/* The GPU forgets what it cached of the tables under the page directory; privileged. */
	void (*tlb_invalidate)(const struct uvm_host_hal *hal, struct uvm_methods *m,
			       enum rm_uvm_aperture aperture, u64 directory,
			       enum uvm_membar membar);
	/* The GP entry of bytes (a multiple of 4) of methods at va. */
	u64 (*gp_entry)(const struct uvm_host_hal *hal, u64 va, u32 bytes);
	/* A word: what follows in the GP entry's bytes is not looked at. */
	void (*end)(const struct uvm_host_hal *hal, struct uvm_methods *m);
	u32 tlb_scope; /* MEM_OP_A's: which TLBs; 1: all there are */
};

/* Where a copy reads or writes: memory by its physical address, privileged. */
struct uvm_place {
	enum rm_uvm_aperture aperture; /* VIDEO or SYSTEM_* */
	u64 address;
};

/* A message of a secure channel: where the engine finds it, and where it leaves it. */
struct uvm_secret {
	struct uvm_place plain; /* video memory */
	u64 cipher;		/* in the channel's address space, and so: */
	u64 tag;
	u64 iv; /* of encryptions: where the engine writes it, for nobody */
	u32 bytes;
};

/* What addresses and sizes of secure copies are to be multiples of. */
#define UVM_SECRET_UNIT 4u	  /* bytes */
#define UVM_SECRET_SEGMENT 32u	  /* a buffer begins at one, or is within one */
#define UVM_SECRET_SIDE_ALIGN 16u /* tags and IVs */

enum uvm_order {
	UVM_ORDER_AFTER,     /* what was asked for before has been done first */
	UVM_ORDER_PIPELINED, /* it may overlap that */
};

/* What copy engines of a class do, on the subchannel of copies. */
struct uvm_ce_hal {
	u32 class_id;
	const struct uvm_ce_hal *parent;
	u32 va_bits;
	u32 launch; /* bits of every launch; ~0: none */
	/* Says that the class is on the subchannel; once a channel. */
	void (*bind)(const struct uvm_ce_hal *hal, struct uvm_methods *m);
	void (*copy)(const struct uvm_ce_hal *hal, struct uvm_methods *m,
		     const struct uvm_place *to, const struct uvm_place *from, u32 bytes,
		     enum uvm_order order);
	/* words times the value. */
	void (*fill)(const struct uvm_ce_hal *hal, struct uvm_methods *m,
		     const struct uvm_place *to, u32 value, u32 words, enum uvm_order order);
	/* payload at va, 4 bytes, after all copies before it and their membar. */
	void (*semaphore_release)(const struct uvm_ce_hal *hal, struct uvm_methods *m, u64 va,
				  u32 payload, enum uvm_membar membar);
	/*
	 * AES-GCM by the keys of the channel, which is a secure one: plain to cipher and tag, or
	 * back if the tag is right, with the channel's next IV. NV_ERR_INVALID_ARGUMENT: no bytes,
	 * alignment, plain is not video memory; NV_ERR_NOT_SUPPORTED: the generation encrypts
	 * nothing. Nothing is written then.
	 */
	enum nv_status (*encrypt)(const struct uvm_ce_hal *hal, struct uvm_methods *m,
				  const struct uvm_secret *secret, enum uvm_order order);
	enum nv_status (*decrypt)(const struct uvm_ce_hal *hal, struct uvm_methods *m,
				  const struct uvm_secret *secret, enum uvm_order order);
};

/* SEC2's work: a signed stream each. What addresses are to be multiples of, and sizes: */
#define UVM_SEC2_ALIGN 16u
#define UVM_SEC2_UNIT 4u
#define UVM_SEC2_STREAM_MAX 16u /* methods of one below */

/* A message for SEC2, all in the channel's address space. */
struct uvm_sec2_message {
	u64 plain; /* video memory */
	u64 cipher, tag;
	u32 bytes;
};

/*
 * What SEC2 does on a secure channel, if the 32 bytes at mac are the signature of the stream
 * (rm_uvm_csl_sign of what uvm_sec2_signed gives).
 */
struct uvm_sec2_hal {
	u32 class_id;
	u32 va_bits;
	/* Cipher to plain, if the tag is right, with the channel's next IV. */
	void (*decrypt)(const struct uvm_sec2_hal *hal, struct uvm_methods *m,
			const struct uvm_sec2_message *message, u64 mac);
	/* payload at va, 4 bytes, after all that was decrypted before. */
	void (*semaphore_release)(const struct uvm_sec2_hal *hal, struct uvm_methods *m, u64 va,
				  u32 payload, u64 mac);
};

/*
 * What is signed of a stream of SEC2's that was written as count words: signed_words has room for
 * as many. How many bytes that is.
 */
u32 uvm_sec2_signed(const u32 *words, u32 count, u32 *signed_words);

/* The tables of those classes, complete. NV_ERR_NOT_SUPPORTED: no such class. */
enum nv_status uvm_host_hal_find(u32 class_id, struct uvm_host_hal *hal);
enum nv_status uvm_ce_hal_find(u32 class_id, struct uvm_ce_hal *hal);
enum nv_status uvm_sec2_hal_find(u32 class_id, struct uvm_sec2_hal *hal);

/* A method's header for count words that follow, on consecutive methods; and a word of them. */
void uvm_method(struct uvm_methods *m, u32 subchannel, u32 method, u32 count);
void uvm_method_data(struct uvm_methods *m, u32 word);

extern const struct uvm_host_hal uvm_host_turing, uvm_host_ampere, uvm_host_hopper;
extern const struct uvm_ce_hal uvm_ce_turing, uvm_ce_ampere_a, uvm_ce_ampere_b, uvm_ce_hopper;
extern const struct uvm_sec2_hal uvm_sec2_hopper;

/* -- Generations ------------------------------------------------------------------------------- */

struct uvm_hal {
	const char *name;
	u32 architecture; /* NV_PMC_BOOT_0_ARCHITECTURE */
	const struct uvm_hal *parent;
	const struct uvm_mmu_hal *mmu;
	u64 big_page;	    /* bytes */
	u64 channel_va_end; /* addresses of channel resources are below */
	u32 sparse;	    /* 1: sparse mappings; 2: none */
	u32 plc; /* 1: compression without post-L2 compression can be asked for; 2: not */
};

/*
 * Fills hal for a GPU of that architecture. NV_ERR_NOT_SUPPORTED: none, or one whose tables are not
 * complete (docs/limits.md).
 */
enum nv_status uvm_hal_find(u32 architecture, struct uvm_hal *hal);

extern const struct uvm_hal uvm_hal_turing, uvm_hal_ampere, uvm_hal_hopper;

#endif
