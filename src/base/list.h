/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Doubly linked lists whose nodes sit in the structures they link. Names and argument order are
 * those of the Linux list, save that the head is a type of its own. Nothing here locks.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/types.h"

/* In no list when next is NULL, so zeroed memory holds unlinked nodes. */
struct list_node {
	struct list_node *next, *prev;
};

/* Must be initialised: a zeroed head is not an empty list. */
struct list {
	struct list_node root;
};

#define LIST_INIT(head)                                \
	{                                              \
		.root = { &(head).root, &(head).root } \
	}

static inline void list_init(struct list *head)
{
	head->root.next = &head->root;
	head->root.prev = &head->root;
}

static inline void list_node_init(struct list_node *node)
{
	node->next = NULL;
	node->prev = NULL;
}

static inline bool list_linked(const struct list_node *node)
{
	return node->next != NULL;
}

static inline bool list_empty(const struct list *head)
{
	return head->root.next == &head->root;
}

static inline void list_insert_between(struct list_node *node, struct list_node *prev,
				       struct list_node *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

/* node must be in no list. */
static inline void list_add_tail(struct list_node *node, struct list *head)
{
	list_insert_between(node, head->root.prev, &head->root);
}

static inline void list_add_head(struct list_node *node, struct list *head)
{
	list_insert_between(node, &head->root, head->root.next);
}

/* Puts node, which is in no list, right before at, which is in one. */
static inline void list_add_before(struct list_node *node, struct list_node *at)
{
	list_insert_between(node, at->prev, at);
}

/* node must be in a list; it is in none afterwards. */
static inline void list_del(struct list_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_node_init(node);
}

/* Moves all of from, which is empty afterwards, to the end of to. */
static inline void list_splice_tail(struct list *from, struct list *to)
{
	if (list_empty(from))
		return;
	from->root.next->prev = to->root.prev;
	to->root.prev->next = from->root.next;
	from->root.prev->next = &to->root;
	to->root.prev = from->root.prev;
	list_init(from);
}

/* NULL when the list is empty. */
static inline struct list_node *list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->root.next;
}

static inline struct list_node *list_last(const struct list *head)
{
	return list_empty(head) ? NULL : head->root.prev;
}

/* The node after node, or NULL at the end. */
static inline struct list_node *list_next(const struct list *head, const struct list_node *node)
{
	return node->next == &head->root ? NULL : node->next;
}

#define list_entry(node, type, member) container_of(node, type, member)

/* pos is a struct list_node *; the list must not change, but for additions at the end. */
#define list_for_each(pos, head) \
	for ((pos) = (head)->root.next; (pos) != &(head)->root; (pos) = (pos)->next)

/* The same; pos (but not next) may be removed in the body. */
#define list_for_each_safe(pos, following, head)                                           \
	for ((pos) = (head)->root.next, (following) = (pos)->next; (pos) != &(head)->root; \
	     (pos) = (following), (following) = (pos)->next)

/* pos is a pointer to the structure that holds the node. */
#define list_for_each_entry(pos, head, member)                                  \
	for ((pos) = list_entry((head)->root.next, __typeof__(*(pos)), member); \
	     &(pos)->member != &(head)->root;                                   \
	     (pos) = list_entry((pos)->member.next, __typeof__(*(pos)), member))

#define list_for_each_entry_safe(pos, following, head, member)                        \
	for ((pos) = list_entry((head)->root.next, __typeof__(*(pos)), member),       \
	    (following) = list_entry((pos)->member.next, __typeof__(*(pos)), member); \
	     &(pos)->member != &(head)->root; (pos) = (following),                    \
	    (following) = list_entry((following)->member.next, __typeof__(*(following)), member))

#endif
