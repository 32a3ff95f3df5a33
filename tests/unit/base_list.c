// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Lists: order, removal while walking, splicing.
 */
#include "base/list.h"

#include "unit.h"

struct item {
	u32 value;
	struct list_node node;
};

static void assert_values(struct list *head, const u32 *values, u32 count)
{
	struct list_node *pos;
	u32 i = 0;

	list_for_each (pos, head) {
		assert_true(i < count);
		assert_int_equal(list_entry(pos, struct item, node)->value, values[i]);
		i++;
	}
	assert_int_equal(i, count);
	/* and backwards */
	for (pos = head->root.prev; pos != &head->root; pos = pos->prev)
		assert_int_equal(list_entry(pos, struct item, node)->value, values[--i]);
	assert_int_equal(i, 0);
}

static void test_order(void **state)
{
	struct item a = { 1 }, b = { 2 }, c = { 3 }, d = { 4 };
	struct list head;

	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head));
	assert_null(list_last(&head));
	assert_false(list_linked(&a.node));
	list_add_tail(&b.node, &head);
	list_add_tail(&c.node, &head);
	list_add_head(&a.node, &head);
	list_add_before(&d.node, &b.node);
	assert_values(&head, (u32[]){ 1, 4, 2, 3 }, 4);
	assert_ptr_equal(list_first(&head), &a.node);
	assert_ptr_equal(list_last(&head), &c.node);
	assert_ptr_equal(list_next(&head, &a.node), &d.node);
	assert_null(list_next(&head, &c.node));
	assert_true(list_linked(&b.node));

	list_del(&d.node);
	assert_false(list_linked(&d.node));
	assert_values(&head, (u32[]){ 1, 2, 3 }, 3);
	list_del(&a.node);
	list_del(&c.node);
	list_del(&b.node);
	assert_true(list_empty(&head));
}

static void test_remove_while_walking(void **state)
{
	struct list_node *pos, *following;
	struct item items[10], *item, *next;
	struct list head;
	u32 i;

	list_init(&head);
	for (i = 0; i < 10; i++) {
		items[i].value = i;
		list_add_tail(&items[i].node, &head);
	}
	list_for_each_safe (pos, following, &head)
		if (list_entry(pos, struct item, node)->value % 2)
			list_del(pos);
	assert_values(&head, (u32[]){ 0, 2, 4, 6, 8 }, 5);
	i = 0;
	list_for_each_entry (item, &head, node)
		i += item->value;
	assert_int_equal(i, 20);
	list_for_each_entry_safe (item, next, &head, node)
		list_del(&item->node);
	assert_true(list_empty(&head));
}

static void test_splice(void **state)
{
	struct item a = { 1 }, b = { 2 }, c = { 3 };
	struct list to = LIST_INIT(to), from = LIST_INIT(from);

	list_splice_tail(&from, &to);
	assert_true(list_empty(&to));
	list_add_tail(&a.node, &to);
	list_add_tail(&b.node, &from);
	list_add_tail(&c.node, &from);
	list_splice_tail(&from, &to);
	assert_true(list_empty(&from));
	assert_values(&to, (u32[]){ 1, 2, 3 }, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_remove_while_walking),
		cmocka_unit_test(test_splice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
