/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Trees of address ranges that do not overlap: balanced (AVL), keyed by address, the nodes in the
 * structures that they order. start and last are both included. Nothing here locks or allocates.
 */
#ifndef UVM_TREE_H
#define UVM_TREE_H

#include "base/types.h"

struct uvm_node_range {
	struct uvm_node_range *left, *right, *parent;
	u64 start, last;
	u32 height; /* 0: in no tree */
};

struct uvm_tree {
	struct uvm_node_range *root;
};

/* False when it overlaps one that is there. */
bool uvm_tree_add(struct uvm_tree *tree, struct uvm_node_range *node);
/* node is in the tree; it is in none afterwards. */
void uvm_tree_remove(struct uvm_tree *tree, struct uvm_node_range *node);
/* The range that holds the address, or NULL. */
struct uvm_node_range *uvm_tree_find(const struct uvm_tree *tree, u64 address);
/* The lowest range that has an address in start .. last; NULL: none. */
struct uvm_node_range *uvm_tree_first_in(const struct uvm_tree *tree, u64 start, u64 last);
/* The next one up; NULL at the end. */
struct uvm_node_range *uvm_tree_next(const struct uvm_node_range *node);
struct uvm_node_range *uvm_tree_previous(const struct uvm_node_range *node);

static inline bool uvm_tree_empty(const struct uvm_tree *tree)
{
	return !tree->root;
}

/* The lowest of all. */
static inline struct uvm_node_range *uvm_tree_first(const struct uvm_tree *tree)
{
	return uvm_tree_first_in(tree, 0, ~(u64)0);
}

/* The highest of all, or NULL. */
struct uvm_node_range *uvm_tree_last(const struct uvm_tree *tree);

static inline u64 uvm_node_size(const struct uvm_node_range *node)
{
	return node->last - node->start + 1;
}

#endif
