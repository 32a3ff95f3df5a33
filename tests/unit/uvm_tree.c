// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Trees of ranges against a plain array: what is found, what is next, how deep it gets. */
#include "uvm/tree.h"

#include "unit.h"

#define COUNT 2048u
#define STEP 16u

static struct uvm_node_range nodes[COUNT];
static bool in[COUNT];

static u32 depth(const struct uvm_node_range *node)
{
	u32 left, right;

	if (!node)
		return 0;
	left = depth(node->left);
	right = depth(node->right);
	assert_true(left <= right + 1 && right <= left + 1);
	assert_int_equal(node->height, (left > right ? left : right) + 1);
	if (node->left)
		assert_ptr_equal(node->left->parent, node);
	if (node->right)
		assert_ptr_equal(node->right->parent, node);
	return node->height;
}

static void compare(const struct uvm_tree *tree)
{
	struct uvm_node_range *at = uvm_tree_first(tree), *last = NULL;
	u32 i;

	for (i = 0; i < COUNT; i++) {
		if (!in[i])
			continue;
		assert_ptr_equal(at, &nodes[i]);
		assert_ptr_equal(uvm_tree_previous(at), last);
		last = at;
		at = uvm_tree_next(at);
	}
	assert_null(at);
	assert_true(depth(tree->root) <= 16);
}

static void test_random(void **state)
{
	struct uvm_tree tree = { NULL };
	u64 seed = 77;
	u32 round, i;

	for (round = 0; round < 20000; round++) {
		i = (u32)(unit_random(&seed) % COUNT);
		if (in[i]) {
			uvm_tree_remove(&tree, &nodes[i]);
			assert_int_equal(nodes[i].height, 0);
		} else {
			nodes[i].start = (u64)i * STEP + 2;
			nodes[i].last = nodes[i].start + 9;
			assert_true(uvm_tree_add(&tree, &nodes[i]));
		}
		in[i] = !in[i];
		if (round % 512 == 0)
			compare(&tree);
	}
	for (i = 0; i < COUNT; i++) {
		u64 at = (u64)i * STEP;
		struct uvm_node_range *next;
		u32 j = i;

		assert_ptr_equal(uvm_tree_find(&tree, at + 2), in[i] ? &nodes[i] : NULL);
		assert_ptr_equal(uvm_tree_find(&tree, at + 11), in[i] ? &nodes[i] : NULL);
		assert_null(uvm_tree_find(&tree, at + 1));
		assert_null(uvm_tree_find(&tree, at + 12));
		while (j < COUNT && !in[j])
			j++;
		next = uvm_tree_first_in(&tree, at, ~(u64)0);
		assert_ptr_equal(next, j < COUNT ? &nodes[j] : NULL);
		assert_ptr_equal(uvm_tree_first_in(&tree, at, at + 1), NULL);
	}
	for (i = 0; i < COUNT; i++) {
		if (in[i])
			uvm_tree_remove(&tree, &nodes[i]);
	}
	assert_true(uvm_tree_empty(&tree));
}

static void test_overlap(void **state)
{
	struct uvm_node_range a = { .start = 10, .last = 19 }, b = { .start = 0, .last = ~(u64)0 };
	struct uvm_node_range c = { .start = 19, .last = 30 }, d = { .start = 20, .last = ~(u64)0 };
	struct uvm_tree tree = { NULL };

	assert_true(uvm_tree_add(&tree, &a));
	assert_false(uvm_tree_add(&tree, &b));
	assert_false(uvm_tree_add(&tree, &c));
	assert_true(uvm_tree_add(&tree, &d));
	assert_ptr_equal(uvm_tree_find(&tree, ~(u64)0), &d);
	assert_ptr_equal(uvm_tree_next(&a), &d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
