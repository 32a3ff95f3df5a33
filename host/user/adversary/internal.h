/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The adversary from inside: what he knows of one GPU, and of what passes just now. */
#ifndef HOST_USER_ADVERSARY_INTERNAL_H
#define HOST_USER_ADVERSARY_INTERNAL_H

#include <pthread.h>

#include "abi/r535.h"
#include "abi/spdm.h"
#include "base/bits.h"
#include "host/user/adversary/adversary.h"
#include "os/user/user.h"

#define ELEMENT ((u32)GSP_MSG_QUEUE_ELEMENT_SIZE_MIN)
#define ELEMENT_HEADER ((u32)GSP_MSG_QUEUE_ELEMENT_HDR_SIZE)
#define MESSAGE_MAX ((u32)GSP_MSG_QUEUE_ELEMENT_SIZE_MAX)
#define QUEUE_MAX 0x100000u /* bytes of one; larger ones are not taken for any */
#define READ_POINTER 32u    /* in a queue's first page */
#define SURFACE_MAX ((u32)OS_PAGE_SIZE)
#define SPDM_HEADER_BYTES ((u32)sizeof(NV_SPDM_DESC_HEADER))
#define PAGE_MAX ((u32)OS_PAGE_SIZE)

/* One of the two queues, in memory that follows one another for the CPU. */
struct queue {
	u8 *base; /* NULL: not seen yet */
	u32 bytes, count;
	u32 seen;    /* elements that were shown to the reader */
	u32 counted; /* up to there rules have been asked */
	u8 *shadow;  /* all of it as it was at the last look */
	s32 swaps;   /* the rule by which what is held waits for the next; ADVERSARY_ANY */
	bool commands;
};

struct kept {
	u8 *bytes; /* NULL: none yet */
	u32 size, room;
};

/* What passes. Its bytes wrap at the end of ring. */
struct object {
	enum adversary_object kind;
	s32 code;
	u8 *ring;
	u32 ring_bytes, start, size;
	u32 room;	     /* up to which an SPDM message may grow */
	struct queue *queue; /* of a message in one */
	u32 elements;
	u32 next, next_elements; /* the message behind it; 0 elements: none */
	const u8 *before;	 /* what lies where it is written; NULL: it is there already */
	bool lost, held;
	u32 delay_us;
};

struct block {
	u8 *cpu;
	size_t size;
};

struct watch {
	struct adversary *a;
	u32 index;
	pthread_mutex_t lock;
	struct os_user_pci_observer observer;
	struct block *blocks; /* all that is shared */
	u32 block_count, block_room;
	bool blind; /* for want of memory not all of it is known */
	struct queue command, status;
	u64 surface; /* bus address; 0: not told */
	struct kept kept[ADVERSARY_OBJECTS];
	struct kept spdm[256];	    /* by code */
	u64 asked[ADVERSARY_RULES]; /* how many objects that a rule is for have passed */
	u64 random;
	u64 searched;
	u8 scratch[PAGE_MAX];
};

struct secret {
	const char *name;
	u8 *bytes;
	u64 head; /* its first bytes */
	u32 size;
	s32 next; /* of the same bucket */
};
#define BUCKETS 16384u
#define SECRETS_MAX 4096u

struct rule {
	struct adversary_rule rule;
	u8 *data; /* the adversary's own copy of it */
	u64 done; /* atomic */
};

struct adversary {
	u64 seed;
	struct watch *watches[ADVERSARY_GPUS];
	/* Taken for reading under a watch's lock; changes wait for all looks to end. */
	pthread_rwlock_t rules_lock;
	u32 rule_count;
	struct rule rules[ADVERSARY_RULES];
	struct secret *secrets;
	u32 secret_count;
	s32 buckets[BUCKETS];
	u64 counts[ADVERSARY_OBJECTS][ADVERSARY_ACTIONS]; /* atomic */
	u64 found;					  /* atomic */
	const char *found_name;				  /* the last one */
	adversary_tell tell;
	void *tell_ctx;
	FILE *record; /* under its own lock */
	bool record_pages;
};

/* -- act.c ------------------------------------------------------------------------------------- */

u32 watch_random(struct watch *w, u32 below); /* below: not 0 */
/* A byte of it; at < size. */
u8 *object_at(const struct object *o, u32 at);
void object_read(const struct object *o, u32 at, void *to, u32 size);
void object_write(const struct object *o, u32 at, const void *from, u32 size);
/* Asks all rules and follows them; the watch's lock is held. */
void object_meet(struct watch *w, struct object *o);
/* What was held to be swapped has another one behind it now, perhaps. */
void object_swap_held(struct watch *w, struct object *o);

/* -- keep.c: what he remembers ------------------------------------------------------------------
 */

/* A copy of the object, for later; after it was met. */
void object_keep(struct watch *w, const struct object *o);
/* The last of the kind and, for SPDM in clear, the code; NULL: none. */
const struct kept *object_kept(const struct watch *w, enum adversary_object kind, s32 code);
void watch_look_for(struct watch *w, const u8 *bytes, size_t size);
void object_record(struct watch *w, const struct object *o);

/* -- watch.c ----------------------------------------------------------------------------------- */

struct watch *watch_create(struct adversary *a, u32 index);
void watch_destroy(struct watch *w);

#endif
