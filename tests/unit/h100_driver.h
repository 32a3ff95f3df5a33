/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A driver of the tests' own for the software H100: a host with pages that the device can reach,
 * and as much of a driver as boots the firmware and exchanges messages with it. Written to
 * docs/boot.md; it shares no code with the real one.
 */
#ifndef TESTS_H100_DRIVER_H
#define TESTS_H100_DRIVER_H

#include "abi/gh100.h"
#include "abi/r535.h"
#include "h100/h100.h"

#define DRIVER_PAGES 256u
#define DRIVER_BUS_BASE 0x7700000000ull /* page n is at base + n * 0x3000: none adjacent */
#define DRIVER_QUEUE_BYTES 0x40000u
#define DRIVER_VIDEO_BYTES (81559ull << 20) /* of the SXM profile */
#define DRIVER_MSIX_ADDRESS 0xfee00000ull

struct driver {
	struct h100 *gpu;
	u8 *memory; /* all pages */
	u32 used;
	u32 unmapped;	 /* atomic: all pages are out of reach */
	u32 msix[16];	 /* atomic: messages by data */
	u32 kicks;	 /* atomic */
	u64 now;	 /* 0: real time */
	bool no_lending; /* the firmware is in a process of its own */
	u32 log_lines;	 /* atomic */
	u32 dma_nested;	 /* atomic: bursts of engines on a thread between dma_begin and dma_end */
	char last_log[256];

	/* What the boot put where: page numbers. */
	u32 fmc, boot_params, meta, libos, args, shared;
	u64 radix3; /* bus address */
	u32 image_pages;
	u32 command_at, status_at, seq, status_seq, rpc_sequence;
	u8 record[GSP_MSG_QUEUE_ELEMENT_SIZE_MAX] __attribute__((aligned(64)));
	u8 reply[GSP_MSG_QUEUE_ELEMENT_SIZE_MAX] __attribute__((aligned(64)));
};

/* A GPU of the SXM profile; the driver puts nothing on it but its interrupts. */
void driver_open(struct driver *d, const struct h100_config *config);
/* The same, but what h100_create says; on failure there is nothing to close. */
enum nv_status driver_try_open(struct driver *d, const struct h100_config *config);
void driver_close(struct driver *d);

u32 driver_rd(struct driver *d, u32 offset);
void driver_wr(struct driver *d, u32 offset, u32 value);
u8 *driver_page(struct driver *d, u32 page);
u64 driver_bus(u32 page);
u32 driver_alloc(struct driver *d, u32 pages);

/* MSI-X on, entry n sends data n; the GSP vector enabled in the tree. */
void driver_interrupts(struct driver *d);
const void *driver_section(const char *name, size_t *size);
/* Everything that the boot needs in memory, queues empty. */
void driver_prepare(struct driver *d);
/* Sends a packet to FSP and gives the error code of its response. */
u32 driver_fsp(struct driver *d, const void *payload, u32 size, u32 nvdm_type);
/* The COT message of what driver_prepare made. */
u32 driver_cot(struct driver *d);
/* Lends or waits until done is true; false after two seconds. */
bool driver_wait(struct driver *d, bool (*done)(struct driver *d));
/* Prepare, queue the init messages, COT, wait for GSP_INIT_DONE; returns its result. */
u32 driver_boot(struct driver *d);

/* The record in d->record: fills the element's header. length: of message header and data. */
rpc_message_header_v *driver_message(struct driver *d, u32 function, u32 length);
void driver_seal(struct driver *d);
/* Puts it into the queue (as it is) and rings. */
void driver_put(struct driver *d, u32 elements);
void driver_send(struct driver *d);
/* The next status record into d->reply, checked; NULL after two seconds, or at once if !wait. */
rpc_message_header_v *driver_receive(struct driver *d, bool wait);
/* Sends a message of size bytes of data; its reply, data copied back. Events are passed over. */
u32 driver_call(struct driver *d, u32 function, void *data, u32 size);
u32 driver_alloc_object(struct driver *d, u32 client, u32 parent, u32 object, u32 class_id,
			const void *params, u32 size);
u32 driver_free_object(struct driver *d, u32 client, u32 object);
u32 driver_control(struct driver *d, u32 client, u32 object, u32 cmd, void *params, u32 size);

#endif
