// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Trees of ranges (uvm/tree.h): by hand at the borders, and at random against a plain array of the
 * same ranges, in which everything is looked for one by one.
 */
#include "uvm/test/test.h"

#define NODES_MAX 65536u

/* -- By hand ----------------------------------------------------------------------------------- */

static struct uvm_node_range range_of(u64 start, u64 last)
{
	return (struct uvm_node_range){ .start = start, .last = last };
}

static enum nv_status directed_ends(void)
{
	struct uvm_node_range low = range_of(0, 0), high = range_of(~0ull, ~0ull), middle;
	struct uvm_node_range all = range_of(0, ~0ull);
	struct uvm_tree tree = { 0 };

	TEST_CHECK(!uvm_tree_find(&tree, 0) && !uvm_tree_first_in(&tree, 0, ~0ull));
	TEST_CHECK(uvm_tree_add(&tree, &high) && uvm_tree_add(&tree, &low));
	TEST_CHECK(!uvm_tree_add(&tree, &all));
	TEST_CHECK(uvm_tree_find(&tree, 0) == &low && uvm_tree_find(&tree, ~0ull) == &high);
	TEST_CHECK(!uvm_tree_find(&tree, 1) && !uvm_tree_find(&tree, ~0ull - 1));
	TEST_CHECK(!uvm_tree_first_in(&tree, 1, ~0ull - 1));
	TEST_CHECK(uvm_tree_next(&low) == &high && uvm_tree_previous(&high) == &low);
	TEST_CHECK(!uvm_tree_next(&high) && !uvm_tree_previous(&low));
	middle = range_of(1, ~0ull - 1);
	TEST_CHECK(uvm_tree_add(&tree, &middle));
	TEST_CHECK(uvm_tree_next(&low) == &middle && uvm_tree_next(&middle) == &high);
	uvm_tree_remove(&tree, &low);
	uvm_tree_remove(&tree, &high);
	TEST_CHECK(uvm_tree_first_in(&tree, 0, 1) == &middle && !uvm_tree_first_in(&tree, 0, 0));
	uvm_tree_remove(&tree, &middle);
	TEST_CHECK(uvm_tree_add(&tree, &all) && uvm_tree_find(&tree, 12345) == &all);
	uvm_tree_remove(&tree, &all);
	TEST_CHECK(!tree.root);
	return NV_OK;
}

static enum nv_status directed_neighbours(void)
{
	struct uvm_node_range a = range_of(10, 19), b = range_of(20, 29), c = range_of(40, 49);
	static const u64 overlaps[][2] = { { 0, 10 },  { 10, 10 }, { 19, 20 }, { 15, 15 },
					   { 29, 39 }, { 30, 40 }, { 49, 60 }, { 0, 100 } };
	struct uvm_tree tree = { 0 };
	struct uvm_node_range probe;
	u32 i;

	TEST_CHECK(uvm_tree_add(&tree, &b) && uvm_tree_add(&tree, &a) && uvm_tree_add(&tree, &c));
	for (i = 0; i < ARRAY_SIZE(overlaps); i++) {
		probe = range_of(overlaps[i][0], overlaps[i][1]);
		TEST_CHECK(!uvm_tree_add(&tree, &probe));
		TEST_CHECK(uvm_tree_first_in(&tree, probe.start, probe.last));
	}
	TEST_CHECK(uvm_tree_find(&tree, 19) == &a && uvm_tree_find(&tree, 20) == &b);
	TEST_CHECK(!uvm_tree_find(&tree, 30) && !uvm_tree_find(&tree, 39));
	TEST_CHECK(uvm_tree_first_in(&tree, 0, ~0ull) == &a);
	TEST_CHECK(uvm_tree_first_in(&tree, 30, 60) == &c && !uvm_tree_first_in(&tree, 50, ~0ull));
	probe = range_of(30, 39);
	TEST_CHECK(uvm_tree_add(&tree, &probe));
	TEST_CHECK(uvm_tree_next(&b) == &probe && uvm_tree_previous(&c) == &probe);
	uvm_tree_remove(&tree, &b);
	TEST_CHECK(uvm_tree_next(&a) == &probe && uvm_tree_previous(&probe) == &a);
	return NV_OK;
}

enum nv_status uvm_test_range_tree_directed(struct uvm_file *file, void *params)
{
	TEST_OK(directed_ends());
	return directed_neighbours();
}

/* -- At random --------------------------------------------------------------------------------- */

struct tree_test {
	UVM_TEST_RANGE_TREE_RANDOM_PARAMS *p;
	struct uvm_test_random random;
	struct uvm_tree tree;
	struct uvm_node_range **nodes; /* in no order */
	u32 count, capacity;
	u32 add_chance, split_chance; /* of 100 */
};

static bool chance(struct tree_test *t, u32 percent)
{
	return uvm_test_random_in(&t->random, 0, 99) < percent;
}

static u32 pick(struct tree_test *t)
{
	return (u32)uvm_test_random_in(&t->random, 0, t->count - 1);
}

static bool overlaps(const struct uvm_node_range *node, u64 start, u64 last)
{
	return node->start <= last && node->last >= start;
}

/* NV_ERR_NO_MEMORY. */
static enum nv_status node_create(struct tree_test *t, u64 start, u64 last,
				  struct uvm_node_range **out)
{
	struct uvm_node_range *node = os_alloc(sizeof(*node));

	if (node && t->count == t->capacity) {
		u32 capacity = t->capacity ? 2 * t->capacity : 64;
		struct uvm_node_range **nodes =
			os_alloc(capacity * sizeof(struct uvm_node_range *));

		if (nodes) {
			os_memcpy(nodes, t->nodes, t->count * sizeof(nodes[0]));
			os_free(t->nodes);
			t->nodes = nodes;
			t->capacity = capacity;
		} else {
			os_free(node);
			node = NULL;
		}
	}
	if (!node)
		return NV_ERR_NO_MEMORY;
	node->start = start;
	node->last = last;
	*out = node;
	return NV_OK;
}

static void node_destroy(struct tree_test *t, u32 index)
{
	uvm_tree_remove(&t->tree, t->nodes[index]);
	os_free(t->nodes[index]);
	t->nodes[index] = t->nodes[--t->count];
}

/* In the middle of attempts that a client counts. */
static enum nv_status go_on_at(u64 attempt)
{
	return attempt % 256 ? NV_OK : uvm_test_go_on();
}

/* Whether one of the array's overlaps. */
static bool is_taken(const struct tree_test *t, u64 start, u64 last)
{
	u32 i;

	for (i = 0; i < t->count; i++) {
		if (overlaps(t->nodes[i], start, last))
			return true;
	}
	return false;
}

/* A range somewhere, which must be added exactly where nothing is; each that fails is smaller. */
static enum nv_status random_add(struct tree_test *t)
{
	u64 length = t->p->max_end / 2 + 1, i;
	struct uvm_node_range *node;
	enum nv_status status;

	TEST_OK(node_create(t, 0, 0, &node));
	for (i = 1; i <= t->p->max_attempts; i++) {
		bool added;

		status = go_on_at(i);
		if (status != NV_OK) {
			os_free(node);
			return status;
		}

		node->start = uvm_test_random_in(&t->random, 0, t->p->max_end);
		node->last = node->start + uvm_test_random_in(&t->random, 0, length - 1);
		if (node->last < node->start || node->last > t->p->max_end)
			node->last = t->p->max_end;
		added = uvm_tree_add(&t->tree, node);
		if (added == is_taken(t, node->start, node->last)) {
			if (added)
				uvm_tree_remove(&t->tree, node);
			os_free(node);
			return uvm_test_failed(__FILE__, __LINE__, "added where nothing is");
		}
		if (added) {
			t->nodes[t->count++] = node;
			t->p->stats.total_adds++;
			t->p->stats.max_attempts_add = max(t->p->stats.max_attempts_add, i);
			return NV_OK;
		}
		length = max(length / 2, (u64)1);
	}
	os_free(node);
	t->p->stats.failed_adds++;
	/* The tree is nearly full. */
	t->add_chance = 100 - t->p->high_probability;
	return NV_OK;
}

static enum nv_status random_remove(struct tree_test *t)
{
	u32 index = pick(t);
	u64 start = t->nodes[index]->start, last = t->nodes[index]->last;

	node_destroy(t, index);
	TEST_CHECK(!uvm_tree_find(&t->tree, start) && !uvm_tree_first_in(&t->tree, start, last));
	t->p->stats.total_removes++;
	return NV_OK;
}

/* From either end, as ranges of groups do. */
static enum nv_status random_shrink(struct tree_test *t)
{
	struct uvm_node_range *node = t->nodes[pick(t)];
	u64 at;

	if (node->start == node->last) {
		t->p->stats.failed_shrinks++;
		return NV_OK;
	}
	at = uvm_test_random_in(&t->random, node->start, node->last - 1);
	if (uvm_test_random(&t->random) & 1) {
		node->last = at;
		TEST_CHECK(!uvm_tree_find(&t->tree, at + 1) && uvm_tree_find(&t->tree, at) == node);
	} else {
		node->start = at + 1;
		TEST_CHECK(!uvm_tree_find(&t->tree, at) && uvm_tree_find(&t->tree, at + 1) == node);
	}
	t->p->stats.total_shrinks++;
	return NV_OK;
}

static enum nv_status random_split(struct tree_test *t)
{
	struct uvm_node_range *node = NULL, *upper;
	u64 at, last, i;

	for (i = 1; i <= t->p->max_attempts; i++) {
		TEST_OK(go_on_at(i));
		node = t->nodes[pick(t)];
		if (node->start != node->last)
			break;
	}
	if (i > t->p->max_attempts || t->count >= t->p->max_ranges) {
		t->p->stats.failed_splits++;
		t->split_chance = 100 - t->p->high_probability;
		return NV_OK;
	}
	last = node->last;
	at = uvm_test_random_in(&t->random, node->start, last - 1);
	TEST_OK(node_create(t, at + 1, last, &upper));
	node->last = at;
	if (!uvm_tree_add(&t->tree, upper)) {
		node->last = last;
		os_free(upper);
		return uvm_test_failed(__FILE__, __LINE__, "the upper part fits");
	}
	t->nodes[t->count++] = upper;
	TEST_CHECK(uvm_tree_next(node) == upper && uvm_tree_previous(upper) == node);
	t->p->stats.total_splits++;
	t->p->stats.max_attempts_split = max(t->p->stats.max_attempts_split, i);
	return NV_OK;
}

static enum nv_status random_merge(struct tree_test *t)
{
	struct uvm_node_range *node = NULL, *next = NULL;
	u64 last, i;
	u32 k;

	for (i = 1; i <= t->p->max_attempts; i++) {
		TEST_OK(go_on_at(i));
		node = t->nodes[pick(t)];
		next = uvm_tree_next(node);
		if (next && next->start == node->last + 1)
			break;
	}
	if (i > t->p->max_attempts) {
		t->p->stats.failed_merges++;
		t->split_chance = t->p->high_probability;
		return NV_OK;
	}
	last = next->last;
	for (k = 0; t->nodes[k] != next; k++)
		;
	node_destroy(t, k);
	node->last = last;
	TEST_CHECK(uvm_tree_find(&t->tree, last) == node);
	t->p->stats.total_merges++;
	t->p->stats.max_attempts_merge = max(t->p->stats.max_attempts_merge, i);
	return NV_OK;
}

static enum nv_status random_step(struct tree_test *t)
{
	u64 batch = uvm_test_random_in(&t->random, 1, t->p->max_batch_count), i;

	if (!t->count)
		t->add_chance = t->p->high_probability;
	if (t->count >= t->p->max_ranges)
		t->add_chance = 100 - t->p->high_probability;
	if (t->count && !chance(t, t->p->add_remove_shrink_group_probability))
		return chance(t, t->split_chance) ? random_split(t) : random_merge(t);
	if (t->count && chance(t, t->p->shrink_probability))
		return random_shrink(t);
	if (chance(t, t->add_chance)) {
		for (i = 0; i < batch && t->count < t->p->max_ranges; i++) {
			TEST_OK(go_on_at(i));
			TEST_OK(random_add(t));
		}
	} else {
		for (i = 0; i < batch && t->count; i++)
			TEST_OK(random_remove(t));
	}
	return NV_OK;
}

/* The tree's answer about start .. last, by the array's. */
static enum nv_status check_collision(struct tree_test *t)
{
	u64 start = uvm_test_random_in(&t->random, 0, t->p->max_end);
	u64 last = uvm_test_random_in(&t->random, start, t->p->max_end);
	struct uvm_node_range *first = NULL, probe = range_of(start, last);
	u32 i;

	for (i = 0; i < t->count; i++) {
		if (overlaps(t->nodes[i], start, last) &&
		    (!first || t->nodes[i]->start < first->start))
			first = t->nodes[i];
	}
	TEST_CHECK(uvm_tree_first_in(&t->tree, start, last) == first);
	if (first)
		TEST_CHECK(!uvm_tree_add(&t->tree, &probe));
	TEST_CHECK(uvm_tree_find(&t->tree, start) ==
		   (first && first->start <= start ? first : NULL));
	return NV_OK;
}

/* From first to last and back: all of the array's, in their order. */
static enum nv_status check_order(struct tree_test *t)
{
	struct uvm_node_range *node = uvm_tree_first_in(&t->tree, 0, ~0ull), *previous = NULL;
	u32 count = 0;

	for (; node; node = uvm_tree_next(node)) {
		TEST_CHECK(uvm_tree_previous(node) == previous);
		TEST_CHECK(!previous || previous->last < node->start);
		previous = node;
		count++;
	}
	TEST_CHECK(count == t->count);
	return NV_OK;
}

static enum nv_status random_run(struct tree_test *t)
{
	u64 i;
	u32 k;

	for (i = 0; i < t->p->main_iterations; i++) {
		TEST_OK(uvm_test_go_on());
		TEST_OK(random_step(t));
		for (k = 0; k < t->p->collision_checks; k++) {
			if (k % 64 == 63)
				TEST_OK(uvm_test_go_on());
			TEST_OK(check_collision(t));
		}
		for (k = 0; k < t->p->iterator_checks; k++) {
			if (k % 64 == 63)
				TEST_OK(uvm_test_go_on());
			TEST_OK(check_order(t));
		}
	}
	return NV_OK;
}

enum nv_status uvm_test_range_tree_random(struct uvm_file *file, void *params)
{
	UVM_TEST_RANGE_TREE_RANDOM_PARAMS *p = params;
	struct tree_test t = { .p = p,
			       .add_chance = p->high_probability,
			       .split_chance = p->high_probability };
	enum nv_status status;

	/* More nodes than that are no better test, and somebody's memory. */
	if (p->high_probability > 100 || p->add_remove_shrink_group_probability > 100 ||
	    !p->max_batch_count || p->max_ranges > NODES_MAX)
		return NV_ERR_INVALID_PARAMETER;
	os_memset(&p->stats, 0, sizeof(p->stats));
	uvm_test_random_init(&t.random, p->seed);
	status = random_run(&t);
	while (t.count)
		node_destroy(&t, t.count - 1);
	os_free(t.nodes);
	if (p->verbose)
		os_log(OS_LOG_INFO, "built-in test: ranges: %llu added, %llu split, %llu merged",
		       (unsigned long long)p->stats.total_adds,
		       (unsigned long long)p->stats.total_splits,
		       (unsigned long long)p->stats.total_merges);
	return status;
}
