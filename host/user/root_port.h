/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The PCI Express root port that a GPU of the machine is below: what the driver reads of it, its
 * config space. It forwards all there is and has no state of its own.
 */
#ifndef HOST_USER_ROOT_PORT_H
#define HOST_USER_ROOT_PORT_H

#include "base/types.h"

/*
 * Config space of the port above a bus. status is the link status register of the device below,
 * whose link this is the other end of: all ones where the device is gone. Width 1, 2 or 4; any
 * thread.
 */
u32 root_port_cfg_read(u8 bus, u16 status, u32 offset, u32 width);

#endif
