// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Trees of address ranges (uvm/tree.h). */
#include "uvm/tree.h"

static u32 height_of(const struct uvm_node_range *node)
{
	return node ? node->height : 0;
}

static void set_height(struct uvm_node_range *node)
{
	u32 left = height_of(node->left), right = height_of(node->right);

	node->height = (left > right ? left : right) + 1;
}

/* Puts to where node was below its parent. */
static void replace(struct uvm_tree *tree, struct uvm_node_range *node, struct uvm_node_range *to)
{
	struct uvm_node_range *parent = node->parent;

	if (!parent)
		tree->root = to;
	else if (parent->left == node)
		parent->left = to;
	else
		parent->right = to;
	if (to)
		to->parent = parent;
}

/* The right child comes up in the place of node; returns it. */
static struct uvm_node_range *rotate_left(struct uvm_tree *tree, struct uvm_node_range *node)
{
	struct uvm_node_range *up = node->right;

	replace(tree, node, up);
	node->right = up->left;
	if (node->right)
		node->right->parent = node;
	up->left = node;
	node->parent = up;
	set_height(node);
	set_height(up);
	return up;
}

static struct uvm_node_range *rotate_right(struct uvm_tree *tree, struct uvm_node_range *node)
{
	struct uvm_node_range *up = node->left;

	replace(tree, node, up);
	node->left = up->right;
	if (node->left)
		node->left->parent = node;
	up->right = node;
	node->parent = up;
	set_height(node);
	set_height(up);
	return up;
}

/* From node up: heights, and at most two levels' difference made one. */
static void balance(struct uvm_tree *tree, struct uvm_node_range *node)
{
	for (; node; node = node->parent) {
		u32 left = height_of(node->left), right = height_of(node->right);

		if (left > right + 1) {
			if (height_of(node->left->left) < height_of(node->left->right))
				rotate_left(tree, node->left);
			node = rotate_right(tree, node);
		} else if (right > left + 1) {
			if (height_of(node->right->right) < height_of(node->right->left))
				rotate_right(tree, node->right);
			node = rotate_left(tree, node);
		} else {
			set_height(node);
		}
	}
}

bool uvm_tree_add(struct uvm_tree *tree, struct uvm_node_range *node)
{
	struct uvm_node_range *at = tree->root, *parent = NULL;

	while (at) {
		parent = at;
		if (node->last < at->start)
			at = at->left;
		else if (node->start > at->last)
			at = at->right;
		else
			return false;
	}
	node->left = NULL;
	node->right = NULL;
	node->parent = parent;
	node->height = 1;
	if (!parent)
		tree->root = node;
	else if (node->last < parent->start)
		parent->left = node;
	else
		parent->right = node;
	balance(tree, parent);
	return true;
}

void uvm_tree_remove(struct uvm_tree *tree, struct uvm_node_range *node)
{
	struct uvm_node_range *from;

	if (node->left && node->right) {
		struct uvm_node_range *next = node->right;

		while (next->left)
			next = next->left;
		from = next->parent == node ? next : next->parent;
		if (next != node->right) {
			replace(tree, next, next->right);
			next->right = node->right;
			next->right->parent = next;
		}
		replace(tree, node, next);
		next->left = node->left;
		next->left->parent = next;
	} else {
		from = node->parent;
		replace(tree, node, node->left ? node->left : node->right);
	}
	balance(tree, from);
	node->left = NULL;
	node->right = NULL;
	node->parent = NULL;
	node->height = 0;
}

struct uvm_node_range *uvm_tree_find(const struct uvm_tree *tree, u64 address)
{
	struct uvm_node_range *at = tree->root;

	while (at && (address < at->start || address > at->last))
		at = address < at->start ? at->left : at->right;
	return at;
}

struct uvm_node_range *uvm_tree_first_in(const struct uvm_tree *tree, u64 start, u64 last)
{
	struct uvm_node_range *at = tree->root, *found = NULL;

	while (at) {
		if (at->last >= start) {
			found = at;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return found && found->start <= last ? found : NULL;
}

struct uvm_node_range *uvm_tree_next(const struct uvm_node_range *node)
{
	struct uvm_node_range *at = node->right;

	if (at) {
		while (at->left)
			at = at->left;
		return at;
	}
	while (node->parent && node->parent->right == node)
		node = node->parent;
	return node->parent;
}

struct uvm_node_range *uvm_tree_previous(const struct uvm_node_range *node)
{
	struct uvm_node_range *at = node->left;

	if (at) {
		while (at->right)
			at = at->right;
		return at;
	}
	while (node->parent && node->parent->left == node)
		node = node->parent;
	return node->parent;
}

struct uvm_node_range *uvm_tree_last(const struct uvm_tree *tree)
{
	struct uvm_node_range *node = tree->root;

	while (node && node->right)
		node = node->right;
	return node;
}
