/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The device nodes that clients see: the resource manager's, and unified memory's.
 */
#ifndef HOST_USER_NODES_H
#define HOST_USER_NODES_H

#include "rm/rm.h"

enum tree_node {
	TREE_NODE_CONTROL = RM_NODE_CONTROL,
	TREE_NODE_GPU = RM_NODE_GPU,
	TREE_NODE_CAP = RM_NODE_CAP,
	TREE_NODE_UVM,	     /* /dev/nvidia-uvm */
	TREE_NODE_UVM_TOOLS, /* /dev/nvidia-uvm-tools */
	TREE_NODES,
};

#define TREE_NVIDIA_MAJOR 195u
#define TREE_CONTROL_MINOR 255u
#define TREE_UVM_MAJOR 510u
#define TREE_CAPS_MAJOR 511u

static inline bool tree_node_is_uvm(enum tree_node node)
{
	return node == TREE_NODE_UVM || node == TREE_NODE_UVM_TOOLS;
}

#endif
