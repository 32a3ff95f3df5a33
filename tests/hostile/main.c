// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Plays the hostile host against a running driver and GPU: every cell of the matrix, then cells
 * drawn at random, until there were so many manipulations; and prints what noticed them.
 *
 *   test_hostile [--count N] [--seed N] [--only TEXT]
 */
#include "hostile.h"

#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "base/bits.h"

#define COUNT 2000u
#define SEARCH_EACH 40u
#define CHANNELS_WEIGH 12u
#define COUNT_SANITIZED 300u

static const char *const detector_names[DETECTORS] = {
	[BY_DRIVER] = "driver",		 [BY_FIRMWARE] = "firmware", [BY_BOOT] = "boot",
	[BY_SESSION] = "session",	 [BY_ENGINE] = "engine",     [BY_CLIENT] = "client",
	[BY_TIMEOUT] = "timeout",	 [BY_CALL] = "call",	     [STOPPED] = "stopped",
	[NOTHING_LOST] = "nothing lost",
};

static struct {
	struct cell *cells;
	u32 count;
} groups[4];

static const struct cell *now; /* what is tried */
static u64 seed = 1;
static u64 tries, wanted = UNIT_SANITIZED ? COUNT_SANITIZED : COUNT;
static const char *only; /* cells of which one word has it; NULL: all */

static const char *field_of(const struct cell *cell)
{
	return cell->field ? cell->field : "all";
}

static void complain(void)
{
	if (now)
		fprintf(stderr, "FAILED in: %s, %s, %s, %s (manipulation %llu of seed %llu)\n",
			now->state, now->object, field_of(now), now->change,
			(unsigned long long)tries, (unsigned long long)seed);
}

static void try(struct cell *cell)
{
	enum detector detector;
	const char *name;

	now = cell;
	if (getenv("HOSTILE_TRACE"))
		fprintf(stderr, "%s, %s, %s, %s\n", cell->state, cell->object, field_of(cell),
			cell->change);
	detector = cell->run(cell);
	adversary_forget(adversary);
	if (!(cell->detectors & BIT_OF(detector)))
		fail_msg("noticed by %s", detector_names[detector]);
	rig_check_bystander();
	cell->count++;
	cell->seen[detector]++;
	if (tries++ % SEARCH_EACH == 0)
		adversary_search(adversary);
	if (adversary_found(adversary, &name) != 0)
		fail_msg("%s was seen in shared memory", name);
	now = NULL;
}

static u32 weight_of(const struct cell *cell)
{
	/* Those that cost no session are cheap. */
	return cell->weight * (cell >= channel_cells && cell < channel_cells + channel_cell_count
				       ? CHANNELS_WEIGH
				       : 1);
}

static struct cell *draw_cell(u32 total)
{
	u32 at = draw(total);

	for (u32 g = 0; g < ARRAY_SIZE(groups); g++) {
		for (u32 i = 0; i < groups[g].count; i++) {
			struct cell *cell = &groups[g].cells[i];

			if (at < weight_of(cell))
				return cell;
			at -= weight_of(cell);
		}
	}
	fail_msg("weights");
	return NULL;
}

static bool is_wanted(const struct cell *cell)
{
	return !only || strstr(cell->state, only) || strstr(cell->object, only) ||
	       strstr(field_of(cell), only) || strstr(cell->change, only);
}

static void print_seen(const u64 seen[DETECTORS])
{
	for (u32 d = 0; d < DETECTORS; d++)
		if (seen[d])
			printf("  %s %llu", detector_names[d], (unsigned long long)seen[d]);
	printf("\n");
}

static void print_table(void)
{
	u64 sums[DETECTORS] = { 0 }, total = 0;

	printf("%-14s %-18s %-18s %-28s %6s  noticed by\n", "state", "object", "field", "change",
	       "count");
	for (u32 g = 0; g < ARRAY_SIZE(groups); g++) {
		for (u32 i = 0; i < groups[g].count; i++) {
			const struct cell *c = &groups[g].cells[i];

			if (!c->count)
				continue;
			printf("%-14s %-18s %-18s %-28s %6llu", c->state, c->object, field_of(c),
			       c->change, (unsigned long long)c->count);
			print_seen(c->seen);
			total += c->count;
			for (u32 d = 0; d < DETECTORS; d++)
				sums[d] += c->seen[d];
		}
	}
	printf("all %llu manipulations:", (unsigned long long)total);
	print_seen(sums);
}

static u64 number(const char *text)
{
	char *end;
	u64 value = strtoull(text, &end, 0);

	if (*end || end == text) {
		fprintf(stderr, "%s is no number\n", text);
		exit(2);
	}
	return value;
}

static void attacks(void **state)
{
	u32 total = 0, cells = 0;

	rig_start(seed);
	for (u32 g = 0; g < ARRAY_SIZE(groups); g++) {
		for (u32 i = 0; i < groups[g].count; i++) {
			struct cell *cell = &groups[g].cells[i];

			if (!is_wanted(cell))
				cell->weight = 0;
			else
				try(cell);
			total += weight_of(cell);
			cells += cell->count != 0;
		}
	}
	while (tries < wanted && total != 0)
		try(draw_cell(total));
	rig_up();
	adversary_search(adversary);
	if (adversary_found(adversary, NULL) != 0)
		fail_msg("a secret was seen in shared memory");
	print_table();
	printf("%u cells, seed %llu, %llu bytes of shared memory looked through: none undetected, "
	       "no secret and no user data found\n",
	       cells, (unsigned long long)seed, (unsigned long long)adversary_searched(adversary));
	rig_stop();
	printf("hostile host: %u passed, 0 failed\n", cells);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "count", required_argument, NULL, 'c' },
					       { "seed", required_argument, NULL, 's' },
					       { "only", required_argument, NULL, 'o' },
					       { NULL, 0, NULL, 0 } };
	const struct CMUnitTest tests[] = { cmocka_unit_test(attacks) };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		if (c == 'c')
			wanted = number(optarg);
		else if (c == 's')
			seed = number(optarg);
		else if (c == 'o')
			only = optarg;
		else
			return 2;
	}
	groups[0].cells = message_cells;
	groups[0].count = message_cell_count;
	groups[1].cells = spdm_cells;
	groups[1].count = spdm_cell_count;
	groups[2].cells = channel_cells;
	groups[2].count = channel_cell_count;
	groups[3].cells = launch_cells;
	groups[3].count = launch_cell_count;
	atexit(complain);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
