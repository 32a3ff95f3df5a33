// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* GSP's queues once messages are sealed: every field, every way to change one, events, pointers. */
#include "hostile.h"

#include "base/bits.h"
#include "h100/h100.h"

#define SHORT 16u
#define SEVERAL 9000u /* of elements */
#define RECORDS 200000u
#define SOON_MS 6u

static u32 size_for(const struct cell *cell)
{
	static const u32 any[] = { SHORT, 900, 5000, SEVERAL };

	switch (cell->rule.action) {
	case ADVERSARY_FLIP:
	case ADVERSARY_DELAY:
	case ADVERSARY_FORGE:
		return any[draw(ARRAY_SIZE(any))];
	case ADVERSARY_CUT:
		return draw(2) ? SEVERAL : SHORT;
	case ADVERSARY_SWAP:
		return RECORDS;
	default:
		return SHORT; /* as long as the one before */
	}
}

static void begin(const struct cell *cell)
{
	rig_up();
	/* What could be repeated. */
	assert_int_equal(rig_ask(VICTIM, SHORT), SERVED);
	if (cell->rule.action == ADVERSARY_HOLD || cell->rule.action == ADVERSARY_ROLL_BACK ||
	    cell->rule.object >= ADVERSARY_COMMAND_WRITE)
		rig_patience(SOON_MS);
}

static enum detector run_message(const struct cell *cell)
{
	u32 status, again;
	s32 rule;

	begin(cell);
	rule = rig_arm(cell);
	status = rig_ask(VICTIM, size_for(cell));
	assert_int_equal(adversary_done(adversary, rule), 1);
	if (cell->rule.action == ADVERSARY_ROLL_BACK) {
		/* It is looked at once the next one is. */
		assert_int_equal(status, NV_ERR_TIMEOUT);
		again = rig_ask(VICTIM, SHORT);
		assert_int_not_equal(again, SERVED);
		status = again;
	}
	return rig_verdict(status);
}

/* The firmware speaks by itself; what its message does is seen at the latest by the next call. */
static enum detector run_event(const struct cell *cell)
{
	u32 status = SERVED, i;
	char line[32];
	s32 rule;

	begin(cell);
	rule = rig_arm(cell);
	snprintf(line, sizeof(line), "ecc-dbe %u", 1 + draw(3));
	fixture_gpu_inject(&host.gpus[VICTIM], line);
	for (i = 0; i < 4000 && adversary_done(adversary, rule) == 0; i++)
		os_sleep_us(500);
	assert_int_equal(adversary_done(adversary, rule), 1);
	for (i = 0; i < 400 && !rm_gpu_is_lost(rig_gpu(VICTIM)); i++)
		os_sleep_us(500);
	status = rig_ask(VICTIM, SHORT);
	return rig_verdict(status);
}

/* A pointer that is wrong may be noticed by this call or by the next. */
static enum detector run_pointer(const struct cell *cell)
{
	s32 rule;
	u32 status;

	begin(cell);
	rule = rig_arm(cell);
	status = rig_ask(VICTIM, SHORT);
	assert_int_equal(adversary_done(adversary, rule), 1);
	if (status == SERVED)
		status = rig_ask(VICTIM, SHORT);
	return rig_verdict(status);
}

#define BOTH(name, what, way, text, by_command, by_status, heavy)                                \
	{ "sealed",                                                                              \
	  "command",                                                                             \
	  name,                                                                                  \
	  text,                                                                                  \
	  "GPU_IS_LOST, Xid 120",                                                                \
	  BIT_OF(by_command),                                                                    \
	  run_message,                                                                           \
	  { .object = ADVERSARY_SEALED_COMMAND, .action = way },                                 \
	  what,                                                                                  \
	  heavy },                                                                               \
	{                                                                                        \
		"sealed", "status", name, text, "INVALID_DATA, Xid 120", BIT_OF(by_status),      \
			run_message, { .object = ADVERSARY_SEALED_STATUS, .action = way }, what, \
			heavy                                                                    \
	}
#define FLIPPED(name)                                                                            \
	BOTH(name, name, ADVERSARY_FLIP, "a bit", BY_FIRMWARE, BY_DRIVER, 3),                    \
	{                                                                                        \
		"sealed", "event", name, "a bit", "INVALID_DATA, Xid 120", BIT_OF(BY_DRIVER),    \
			run_event,                                                               \
			{ .object = ADVERSARY_SEALED_STATUS, .action = ADVERSARY_FLIP }, name, 0 \
	}
#define WHOLE(way, text) BOTH("all", NULL, way, text, BY_FIRMWARE, BY_DRIVER, 2)
#define POINTER(pointer, name, mask)                                                          \
	{                                                                                     \
		"sealed", "pointer", name, "a bit", "unprotected: TIMEOUT, or lost", mask,    \
			run_pointer, { .object = pointer, .action = ADVERSARY_FLIP }, NULL, 4 \
	}

struct cell message_cells[] = {
	FLIPPED("tag"),
	FLIPPED("aad"),
	FLIPPED("checksum"),
	FLIPPED("sequence"),
	FLIPPED("count"),
	FLIPPED("padding"),
	FLIPPED("text"),
	WHOLE(ADVERSARY_REPLAY, "repeated as it was"),
	WHOLE(ADVERSARY_RENUMBER, "repeated, renumbered"),
	WHOLE(ADVERSARY_REFLECT, "one of the other direction"),
	WHOLE(ADVERSARY_SUBSTITUTE, "one of the other GPU"),
	WHOLE(ADVERSARY_SWAP, "swapped with the next"),
	WHOLE(ADVERSARY_CUT, "an element less"),
	WHOLE(ADVERSARY_DROP, "does not arrive"),
	WHOLE(ADVERSARY_ROLL_BACK, "the queue rolled back"),
	WHOLE(ADVERSARY_FORGE, "another one in clear"),
	BOTH("all", NULL, ADVERSARY_HOLD, "shown with the next", BY_TIMEOUT, BY_TIMEOUT, 1),
	{ "sealed",
	  "command",
	  "all",
	  "late",
	  "nothing",
	  BIT_OF(NOTHING_LOST),
	  run_message,
	  { .object = ADVERSARY_SEALED_COMMAND, .action = ADVERSARY_DELAY, .delay_us = 200 },
	  NULL,
	  2 },
	{ "sealed",
	  "status",
	  "all",
	  "late",
	  "nothing",
	  BIT_OF(NOTHING_LOST),
	  run_message,
	  { .object = ADVERSARY_SEALED_STATUS, .action = ADVERSARY_DELAY, .delay_us = 200 },
	  NULL,
	  2 },
	POINTER(ADVERSARY_COMMAND_WRITE, "commands written",
		BIT_OF(BY_FIRMWARE) | BIT_OF(BY_TIMEOUT) | BIT_OF(NOTHING_LOST)),
	POINTER(ADVERSARY_STATUS_READ, "status read", BIT_OF(NOTHING_LOST)),
	POINTER(ADVERSARY_STATUS_WRITE, "status written",
		BIT_OF(BY_DRIVER) | BIT_OF(BY_TIMEOUT) | BIT_OF(BY_CALL) | BIT_OF(NOTHING_LOST)),
	POINTER(ADVERSARY_COMMAND_READ, "commands read",
		BIT_OF(STOPPED) | BIT_OF(BY_TIMEOUT) | BIT_OF(BY_CALL) | BIT_OF(NOTHING_LOST)),
};

const u32 message_cell_count = ARRAY_SIZE(message_cells);
