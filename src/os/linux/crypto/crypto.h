/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files on the kernel's cryptography share.
 */
#ifndef OS_LINUX_CRYPTO_H
#define OS_LINUX_CRYPTO_H

#include <linux/crypto.h>
#include <linux/scatterlist.h>

#include "os/crypto.h"
#include "os/linux/internal.h"

#define GCM_NAME "gcm(aes)"
#define ECDH_NAME "ecdh-nist-p384"

/*
 * Not wanted of an algorithm: in a confidential guest a device for cryptography is the host's, and
 * the data path takes no memory. What computes on the CPU has none of these.
 */
#define UNWANTED \
	(CRYPTO_ALG_KERN_DRIVER_ONLY | CRYPTO_ALG_ALLOCATES_MEMORY | CRYPTO_ALG_NEED_FALLBACK)

/* The name of a hash in the kernel. */
const char *hash_algorithm(enum os_hash_kind kind);

/* -- room.c: private memory for ciphertext ----------------------------------------------------- */

/*
 * A message's bytes while the kernel's cipher works on them. Rooms of one size are shared by all
 * who may need one: there are as many as users, but no more than processors that could use them.
 */
struct room {
	struct room *next; /* of those that are free */
	u8 *bytes;	   /* 16-byte aligned */
	/* The first entry is whoever's has the room; the others are all of bytes. */
	struct scatterlist *sg;
};

struct room_size;
/*
 * Makes sure that room_take will find one of at least so many bytes and a tag. NULL: no memory.
 * Sleeps.
 */
struct room_size *room_reserve(size_t bytes);
void room_release(struct room_size *size); /* NULL is ignored. Sleeps. */
/* Waits until one is free; who has one waits for no other. */
struct room *room_take(struct room_size *size);
void room_give(struct room_size *size, struct room *room);

#endif
