/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Whoever runs the machine and wants to know or to change what CPU and GPU tell each other. He sees
 * each access of a GPU to shared memory before it is made, and all shared memory at any time; what
 * he may do is said by rules, from a script (docs/adversary.md) or a test.
 *
 *   driver's CPU --- shared memory ------------------- GPU
 *                      |      ^ about to read, to write
 *                      |      |
 *                      rules: which object, when, what to do
 *                      secrets: none may be seen
 *
 * Knows what anybody who looks can know: the forms of message queues and of SPDM's transport, and
 * where the driver says in clear that they are. No driver and no GPU knows of him.
 */
#ifndef HOST_USER_ADVERSARY_ADVERSARY_H
#define HOST_USER_ADVERSARY_ADVERSARY_H

#include <stdio.h>

#include "os/os.h"

struct adversary;

#define ADVERSARY_GPUS 32u
#define ADVERSARY_RULES 256u
#define ADVERSARY_ANY (-1)

/* What passes. A message is one whole record of a queue, or one of SPDM's surface. */
enum adversary_object {
	ADVERSARY_SPDM_REQUEST, /* in clear */
	ADVERSARY_SPDM_RESPONSE,
	ADVERSARY_RECORD_REQUEST, /* of SPDM's session */
	ADVERSARY_RECORD_RESPONSE,
	ADVERSARY_CLEAR_COMMAND, /* of GSP's queues */
	ADVERSARY_CLEAR_STATUS,
	ADVERSARY_SEALED_COMMAND,
	ADVERSARY_SEALED_STATUS,
	ADVERSARY_COMMAND_WRITE, /* pointers: the driver's of commands and of status, */
	ADVERSARY_STATUS_READ,
	ADVERSARY_STATUS_WRITE, /* the GPU's of status and of commands */
	ADVERSARY_COMMAND_READ,
	ADVERSARY_COMMAND_HEADER, /* of the queues, when GSP begins with them */
	ADVERSARY_STATUS_HEADER,
	ADVERSARY_PAGE_READ, /* what else the GPU reads and writes */
	ADVERSARY_PAGE_WRITTEN,
	ADVERSARY_OBJECTS,
};

enum adversary_action {
	ADVERSARY_FLIP,	      /* a bit of the field */
	ADVERSARY_SET,	      /* the field, four bytes of it at most, to value */
	ADVERSARY_REPLAY,     /* the one of its kind before, once more; as it was */
	ADVERSARY_RENUMBER,   /* the same, with the number that is due */
	ADVERSARY_REFLECT,    /* the last message of the other direction, with that number */
	ADVERSARY_SUBSTITUTE, /* the last one of its kind of another GPU, likewise */
	ADVERSARY_SWAP,	      /* with the message behind it, where there is one as long */
	ADVERSARY_CUT,	      /* shorter by an element; pages and SPDM: the last half is gone */
	ADVERSARY_DROP,	      /* what lies there stays what it was */
	ADVERSARY_HOLD,	      /* not shown before the next one is */
	ADVERSARY_DELAY,      /* the GPU's access takes delay_us longer */
	ADVERSARY_ROLL_BACK,  /* all of the queue, or of the page, as it was at the last look */
	ADVERSARY_FORGE,      /* a well-formed message in clear instead */
	ADVERSARY_REPLACE,    /* by data */
	ADVERSARY_CALL,	      /* by what call makes of it */
	ADVERSARY_ACTIONS,
};

enum adversary_when { ADVERSARY_ALWAYS, ADVERSARY_NTH, ADVERSARY_EVERY, ADVERSARY_CHANCE };

/* A place in an object. size 0: up to the last tail bytes; offset ~0: those. */
struct adversary_field {
	const char *name;
	u32 offset, size, tail;
};

struct adversary_rule {
	enum adversary_object object;
	s32 gpu;  /* ADVERSARY_ANY */
	s32 code; /* of an SPDM message, or ADVERSARY_ANY */
	/* Of pages: accesses of so many bytes (0: of any number), of this memory only (NULL: any).
	 */
	u32 bytes;
	const void *at;
	size_t at_bytes;

	enum adversary_when when;
	u64 n;	   /* the nth, each nth; the chance, of 2^32 */
	u64 times; /* at most; 0: always */

	enum adversary_action action;
	const struct adversary_field *field; /* NULL: all of it */
	s32 byte, bit;			     /* of the field; ADVERSARY_ANY */
	u32 value;
	bool raw; /* check sums stay as they were */
	u32 delay_us;
	const u8 *data;
	u32 data_bytes;
	/* May change up to room bytes; *size is how many there are. */
	void (*call)(void *ctx, u8 *bytes, u32 *size, u32 room);
	void *ctx;
};

/* What was done. */
struct adversary_deed {
	u32 gpu, rule;
	enum adversary_object object;
	enum adversary_action action;
	s32 code;
	u32 byte, bit; /* ADVERSARY_FLIP */
};

/* NULL: no memory. Equal seeds do the same to equal traffic of one GPU. */
struct adversary *adversary_create(u64 seed);
/* The devices that he watches are gone, or never had a driver. */
void adversary_destroy(struct adversary *a);
/*
 * Begins to watch; before the device has a driver. index: as it is called in rules and the log.
 * NV_ERR_NO_MEMORY, NV_ERR_INVALID_ARGUMENT: index is taken, or too large.
 */
enum nv_status adversary_watch(struct adversary *a, u32 index, struct os_pci_dev *dev);

/* A copy is taken; data stays the caller's. The rule's number, or ADVERSARY_ANY: there are too
 * many. */
s32 adversary_add(struct adversary *a, const struct adversary_rule *rule);
void adversary_forget(struct adversary *a); /* all rules, and how often each was followed */
u64 adversary_done(struct adversary *a, s32 rule);
/* Of all rules since it was created; by action and object. */
u64 adversary_count(struct adversary *a, enum adversary_object object,
		    enum adversary_action action);

/* The field of that name, of an object; NULL: it has none. */
const struct adversary_field *adversary_field(enum adversary_object object, const char *name);
const char *adversary_object_name(enum adversary_object object);
const char *adversary_action_name(enum adversary_action action);

/* Called for each deed, on the thread and with the locks of whoever made the access. */
typedef void (*adversary_tell)(void *ctx, const struct adversary_deed *deed, const char *line);
void adversary_set_tell(struct adversary *a, adversary_tell tell, void *ctx);
/* A line for each object and action. */
void adversary_summary(struct adversary *a, void (*line)(void *ctx, const char *text), void *ctx);

/*
 * 8 bytes at least that nobody may see, until they are given up. NV_ERR_NO_MEMORY,
 * NV_ERR_INVALID_ARGUMENT. The name is the caller's, as long.
 */
enum nv_status adversary_secret(struct adversary *a, const char *name, const void *bytes, u32 size);
void adversary_give_up(struct adversary *a); /* all secrets; what was seen is still counted */
/* Looks through all shared memory. How often a secret was seen, by this and in accesses. */
u64 adversary_search(struct adversary *a);
u64 adversary_found(struct adversary *a, const char **name);
/* Bytes that were looked through for secrets. */
u64 adversary_searched(struct adversary *a);

/*
 * Writes all messages there from now on, and where pages is set all else that is accessed:
 * docs/adversary.md has the form. The file is closed with the adversary.
 */
void adversary_record(struct adversary *a, FILE *file, bool pages);

/*
 * Rules from a script. False, and nothing is added: why has the line and what is wrong with it.
 * load gives the bytes of a file that the script names (freed by os_free), open_record opens one to
 * write: false and NULL where they cannot.
 */
struct adversary_files {
	bool (*load)(void *ctx, const char *name, u8 **data, u32 *size);
	FILE *(*open_record)(void *ctx, const char *name);
	void *ctx;
};
#define ADVERSARY_WHY 160u
bool adversary_load(struct adversary *a, const char *text, size_t size,
		    const struct adversary_files *files, char why[ADVERSARY_WHY]);

#endif
