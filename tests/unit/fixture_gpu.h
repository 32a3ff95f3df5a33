/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Software H100s on the software bus, for tests of what drives them: the model on one side, an
 * os_pci_dev on the other, and the wires between. The firmware image is registered while any
 * fixture exists.
 */
#ifndef TESTS_FIXTURE_GPU_H
#define TESTS_FIXTURE_GPU_H

#include "h100/h100.h"
#include "os/user/user.h"

struct fixture_gpu {
	struct h100 *model;
	struct os_pci_dev *pci;	 /* atomic: the model's threads find it once it is there */
	struct os_pci_dev *held; /* of whoever runs the firmware: for many accesses */
	bool lending;
	u32 wakeups; /* interrupts and kicks: atomic */
	u32 stuck;   /* atomic: invalidations of TLBs seem to take for ever */
	u32 lost_at; /* a register of BAR 0 whose next read finds the GPU off the bus; 0 is none */
};

struct fixture_gpu_config {
	const char *profile;  /* name of a file in src/h100/profiles, without ending; NULL: the SXM
				 one */
	const char *scenario; /* its text, or NULL */
	u32 index, count;     /* count 0: 1 */
	bool bridged;	      /* cards of a profile whose links are not connected: in pairs */
	bool no_lending;
	u32 chaos;
	enum h100_cc cc;
	/* It is on the bus, and no driver has it yet; or NULL. */
	void (*plugged)(u32 index, struct os_pci_dev *pci);
};

/* config NULL: all zero. Fails the running test when it cannot. Bus 1 + index, device 0. */
void fixture_gpu_create(struct fixture_gpu *f, const struct fixture_gpu_config *config);
/* The driver has let go of the device. */
void fixture_gpu_destroy(struct fixture_gpu *f);
/* h100_inject that must work. */
void fixture_gpu_inject(struct fixture_gpu *f, const char *command);

#endif
