/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What passes between the preload library (or another client) and the daemon.
 *
 *   client process                                      daemon
 *     connection   --- SOCK_SEQPACKET: lh_hello ------>  struct conn    (one a process)
 *     thread       --- lh_shm, a sealed memfd -------->  struct channel (one a thread)
 *     descriptor   --- SOCK_SEQPACKET: lh_hello ------>  struct dfile   (one an open file)
 *
 * The descriptor that a program gets for a device node is the client's end of the file's socket, so
 * the kernel itself counts its references over dup, fork, exec and SCM_RIGHTS. The daemon sends one
 * byte on it when poll(2) may have become true, and nothing else ever.
 *
 * A request is a struct lh_msg in the channel's page. Until the daemon answers LH_REPLY it may ask
 * the waiting thread for user copies. Nothing that a client writes here is trusted: the daemon
 * copies a message once and checks its copy. Each side's message lies in the cache line of the
 * counter that announces it, so that the other side has both at once.
 *
 * Memory passes as descriptors over the connection: to the client in struct lh_rights, before the
 * reply to LH_OP_MAP that counts them; to the daemon in LH_DGRAM_RIGHTS, by whose token a message
 * names it.
 */
#ifndef HOST_USER_PROTO_H
#define HOST_USER_PROTO_H

#include "base/types.h"

#define LH_MAGIC 0x4c484f50u
#define LH_VERSION 3u
#define LH_PATH_MAX 100u /* of the socket; sun_path holds 108 */
#define LH_DATA_SIZE KIB(128)
#define LH_SHM_SIZE (OFFSET_DATA + LH_DATA_SIZE)
#define OFFSET_DATA 4096u
#define LH_PREFETCH_MAX 4096u
#define LH_MAX_DEPTH 4u /* channels of one thread: signal handlers that call while a call runs */

enum lh_role {
	LH_ROLE_CLIENT = 1, /* carries the first channel's memfd */
	LH_ROLE_FILE,	    /* conn, secret, token: an open that LH_OP_OPEN completes */
	LH_ROLE_ADMIN,	    /* text requests of the command: status, inject, stop */
	LH_DGRAM_CHANNEL,   /* on a connection: one more channel, with its memfd */
	LH_DGRAM_BIND,	 /* on a file's socket: lets conn use the file; LH_OP_BIND waits for it */
	LH_DGRAM_RIGHTS, /* on a connection: a descriptor, known by token until a message takes it
			  */
};

struct lh_hello {
	u32 magic;
	u32 version;
	u32 role;
	u32 reserved;
	u64 conn;
	u64 secret[2];
	u64 token;
};

enum lh_op {
	/* client to daemon */
	LH_OP_WELCOME = 1, /* -> args: connection id, secret[2] */
	LH_OP_OPEN,	   /* args: token, enum tree_node, minor, open flags -> file id */
	LH_OP_BIND,	   /* args: token -> file id, enum tree_node, minor */
	LH_OP_IOCTL,	   /* args: file id, request, user address; pre */
	LH_OP_POLL,	   /* args: file id -> result 1 (POLLIN), 0, or POLLERR */
	LH_OP_CLOSED,	   /* args: file id: this process closed one descriptor of it */
	LH_OP_TEXT,   /* path in data, args: offset -> bytes in data, size; args: total length */
	LH_OP_END,    /* the channel is no longer needed; no reply */
	LH_OP_ANSWER, /* to the daemon's questions below: result, args[0] */
	/* daemon to client */
	LH_REPLY,
	LH_ASK_COPY_IN,	 /* args: address, size: fill data */
	LH_ASK_COPY_OUT, /* args: address, size: data holds it */
	LH_ASK_FD,	 /* args: descriptor -> args[0]: file id, 0 when none of ours */
	LH_ASK_PIN,	 /* args: address, size, writable -> struct lh_pin_piece[result] in data */
	/* client to daemon: memory */
	LH_OP_MAP,   /* args: file id, address, offset, size; size: LH_MAP_* -> struct lh_mapped */
	LH_OP_UNMAP, /* args: mapping, address, size: not there any more; 1 when that was all */
	LH_OP_WATCH, /* args: mapping, token of a userfaultfd, address: the doorbell is under it */
	LH_OP_UNPIN, /* args: memory of LH_ASK_PIN: nothing of it is mapped any more */
	LH_OP_MONITOR, /* args: token of a userfaultfd of the process, which nobody used yet */
	LH_OP_RETIRE,  /* the process goes on without the connection, with what it has mapped */
};

/* What a client asks LH_OP_MAP for. */
#define LH_MAP_READ 0x1u
#define LH_MAP_WRITE 0x2u
#define LH_MAP_SHARED 0x4u

/* What came of it, in the reply's args. */
enum lh_mapped {
	LH_MAPPED_ID,	   /* the mapping's number */
	LH_MAPPED_PACKETS, /* struct lh_rights that are on the connection */
	LH_MAPPED_FLAGS,   /* LH_MAPPED_* */
};

#define LH_MAPPED_DOORBELL 0x1u /* one page range of doorbells: to be watched */
#define LH_MAPPED_NO_FORK 0x2u	/* a child of fork does not get it */
#define LH_MAPPED_MONITOR 0x4u	/* managed: moves once the process sent LH_OP_MONITOR */

#define LH_RIGHTS_MAX 16u      /* pieces, each with its descriptor */
#define LH_RIGHTS_PACKETS 128u /* of one mapping */

struct lh_map_piece {
	u64 address; /* from the mapping's start */
	u64 offset;  /* in the descriptor's memory */
	u64 size;
	u64 writable;
};

struct lh_rights {
	u32 magic;
	u32 count;
	u64 mapping;
	struct lh_map_piece pieces[LH_RIGHTS_MAX];
};

/*
 * A part of pinned memory, from the lowest address: size bytes at offset of the descriptor that
 * token names, or (token 0) of that which came as memory before. memory 0 is not kept; another
 * number, the client's own, is kept by the daemon until LH_OP_UNPIN. A client that fails (result is
 * a negative errno) says in args[0] how many pieces came that far.
 */
struct lh_pin_piece {
	u64 memory;
	u64 token;
	u64 offset;
	u64 size;
};

struct lh_msg {
	u32 op;
	s32 result; /* 0 or more, or a negative errno */
	u64 args[4];
	u32 size; /* of data, where the operation has any */
	u32 spin; /* daemon to client: nanoseconds to spin before sleeping */
	/*
	 * With LH_OP_IOCTL: bytes that the client read ahead, of the ioctl's structure (at args[2])
	 * and of what it points to (at args[3]); data begins with the first, then the second.
	 * With its LH_REPLY they are the writes that were kept for the end, at the same addresses:
	 * that of the structure (failing, it is EFAULT) and one that cannot fail.
	 */
	u16 piece[2];
	/* To the daemon: writing piece[1] cannot fail. To the client: where in data it lies. */
	u32 at;
};

/* The shared pages of a channel. The side whose turn it is owns the data. */
struct lh_shm {
	_Alignas(64) u32 request; /* counts the client's messages; the daemon's futex */
	u32 client_sleeps;
	struct lh_msg asked;	/* the client's message */
	_Alignas(64) u32 reply; /* counts the daemon's messages; the client's futex */
	u32 daemon_sleeps;
	struct lh_msg told;	  /* the daemon's message */
	_Alignas(64) u32 refused; /* instead of a first reply: why there is no thread for this */
	_Alignas(OFFSET_DATA) u8 data[LH_DATA_SIZE];
};

#define LH_LINE 64u
#define LH_FETCH_MAX KIB(1) /* the processor itself fetches what follows */

/*
 * The other side wrote size bytes of data, and this one will: fetches their lines side by side, to
 * be written, so that they cross over once each way.
 */
static inline void lh_shm_fetch(u8 *data, u32 size)
{
	for (u32 at = 0; at < size && at < LH_FETCH_MAX; at += LH_LINE) {
#if defined(__x86_64__)
		__asm__ volatile("prefetchw %0" : : "m"(data[at]));
#else
		__builtin_prefetch(data + at, 1);
#endif
	}
}

/* By the word: wider moves would have to wait for narrow ones that were made just now. */
static inline void lh_msg_copy(struct lh_msg *to, const struct lh_msg *from)
{
	volatile u64 *out = (volatile u64 *)to;
	const volatile u64 *in = (const volatile u64 *)from;

	for (u32 i = 0; i < sizeof(*to) / sizeof(*out); i++)
		out[i] = in[i];
}

_Static_assert(sizeof(struct lh_msg) == LH_LINE - 8, "a message, its counter and flag are a line");
_Static_assert(sizeof(struct lh_shm) == LH_SHM_SIZE, "channel layout");

#endif
