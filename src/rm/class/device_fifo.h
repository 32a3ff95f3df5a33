/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A device's commands on channels and capabilities; the table of them is in device.c.
 */
#ifndef RM_CLASS_DEVICE_FIFO_H
#define RM_CLASS_DEVICE_FIFO_H

#include "rm/server/server.h"

enum nv_status device_host_get_caps_v2(struct rm_call *call, void *params);
enum nv_status device_fifo_get_caps(struct rm_call *call, void *params);
enum nv_status device_fifo_get_caps_v2(struct rm_call *call, void *params);
enum nv_status device_fb_get_caps_v2(struct rm_call *call, void *params);
enum nv_status device_fifo_get_channellist(struct rm_call *call, void *params);
enum nv_status device_fifo_start_selected_channels(struct rm_call *call, void *params);
enum nv_status device_fifo_idle_channels(struct rm_call *call, void *params);
enum nv_status device_closed_byte(struct rm_call *call, void *params);

#endif
