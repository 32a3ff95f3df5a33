/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * For tests of rm/gpu and rm/gsp without the resource server: an instance with one software H100,
 * the log that it writes, and what its clients would be told.
 */
#ifndef TESTS_GPU_PARTS_H
#define TESTS_GPU_PARTS_H

#include "fixture_gpu.h"
#include "rm/gpu/notify.h"
#include "rm/gsp/gsp.h"
#include "rm/instance.h"
#include "unit.h"

#define CLIENT 0xc1d00001u
#define DEVICE 0x5c000001u
#define SUBDEVICE 0x5c000002u

extern struct rm rm;
extern struct fixture_gpu fixture;
extern struct rm_gpu *gpu;
extern enum h100_cc parts_cc; /* of the next parts_setup */

/* What reached the classes, atomic, and the server. */
extern u32 notified, notified_lost, objects_removed, objects_freed;
extern u32 last_engines, engines_notified, channel_errors, faults_queued;
extern struct rm_gpu_notification last_notification;

/* Around every test: the GPU is found, not booted; afterwards all memory is back. */
int parts_setup(void **state);
int parts_teardown(void **state);
#define T(name) cmocka_unit_test_setup_teardown(name, parts_setup, parts_teardown)
/* Runs the tests with the firmware on lent and on its own threads, in order and disturbed. */
int parts_run(const char *name, const struct CMUnitTest *tests, size_t count);

bool logged(const char *text);
u32 times_logged(const char *text);
/* RmDefaultTimeout, for the next boot. An RPC waits 1.5 times that. */
void set_timeout_ms(u32 ms);
/* Within a few seconds. */
bool eventually(bool (*condition)(void));
bool gpu_lost(void);
bool told_of_loss(void);

/*
 * What speaks in place of the firmware, which hangs for the rest of the test: it may say anything.
 */
struct fake_gsp {
	struct gsp_msgq *queue;
	u32 write, sequence;
};
struct fake_message {
	u32 function, sequence;
	const void *data;
	u32 size;   /* of data */
	u32 length; /* that the message header states; 0: the true one */
	bool stale; /* one that was seen before */
};
/* The GPU is booted and nobody calls. */
void fake_gsp_start(struct fake_gsp *f);
/* Puts a message into the status queue, which has room, and tells nobody. */
void fake_gsp_put(struct fake_gsp *f, const struct fake_message *m);
/* The same, and interrupts. */
void fake_gsp_send(struct fake_gsp *f, const struct fake_message *m);

/* A cheap control that the firmware itself refuses: NV_ERR_NOT_SUPPORTED once it came back. */
enum nv_status unknown_control(void);
/* CLIENT, DEVICE and SUBDEVICE in the firmware. */
void make_objects(void);

#endif
