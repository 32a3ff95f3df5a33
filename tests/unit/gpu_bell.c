// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Reports of clients' doorbells, from a module that tells what the test says to engines that only
 * note what is asked of them.
 */
#include <errno.h>
#include <string.h>

#include "host/linux/gpu/bell.h"
#include "unit.h"

#define CLIENT 7u

/* -- The engines, and the module --------------------------------------------------------------- */

struct h100_doorbell {
	u32 client;
	void *page, *ctx;
};

static struct h100_doorbell doorbells[8];
static u32 attached;
static enum nv_status attach_status;
static char calls[256]; /* one letter each: attach, rang, destroy, free */
static struct softh100_bells reports;
static u32 freed;
static u8 pages[8 * 4096];

static void note(char what)
{
	size_t length = strlen(calls);

	assert_true(length + 1 < sizeof(calls));
	calls[length] = what;
}

enum nv_status h100_fifo_doorbell_attach(struct h100_fifo *fifo, u32 client, void *page, void *ctx,
					 struct h100_doorbell **out)
{
	note('a');
	*out = NULL;
	if (attach_status != NV_OK)
		return attach_status;
	assert_true(attached < ARRAY_SIZE(doorbells));
	*out = &doorbells[attached++];
	**out = (struct h100_doorbell){ .client = client, .page = page, .ctx = ctx };
	return NV_OK;
}

void h100_fifo_doorbell_rang(struct h100_doorbell *doorbell)
{
	note('r');
}

void h100_fifo_doorbell_destroy(struct h100_doorbell *doorbell)
{
	note('d');
}

void *h100_doorbell_get_ctx(const struct h100_doorbell *doorbell)
{
	return doorbell->ctx;
}

void remote_fail(struct h100_chip *chip, int error)
{
	if (!chip->error)
		chip->error = (u32)error;
}

bool remote_must(struct h100_chip *chip, unsigned long request, void *arg)
{
	if (chip->error)
		return false;
	if (request == SOFTH100_BELLS) {
		note('?');
		memcpy(arg, &reports, sizeof(reports));
		return true;
	}
	note('f');
	assert_true(request == SOFTH100_BELL_FREE);
	freed = *(const u32 *)arg;
	return true;
}

static void *module_map(void *ctx, u64 offset, size_t size)
{
	assert_true(offset == SOFTH100_BELLS_OFFSET);
	return pages;
}

static void module_unmap(void *ctx, void *memory, size_t size)
{
}

static const struct remote_calls module = { .map = module_map, .unmap = module_unmap };

/* -- Tests ------------------------------------------------------------------------------------- */

static struct h100_chip chip;
static struct bells bells;

static int begin(void **state)
{
	chip = (struct h100_chip){ .calls = &module };
	attached = freed = 0;
	attach_status = NV_OK;
	memset(&reports, 0, sizeof(reports));
	return bells_open(&bells, &chip);
}

static int end(void **state)
{
	bells_close(&bells);
	return 0;
}

static void add(u32 number, u32 flags)
{
	reports.bells[reports.count++] =
		(struct softh100_bell){ .number = number, .client = CLIENT, .flags = flags };
}

/* What bells_run does with these reports. */
static const char *run(void)
{
	memset(calls, 0, sizeof(calls));
	bells_run(&bells);
	memset(&reports, 0, sizeof(reports));
	return calls;
}

static void test_life(void **state)
{
	assert_string_equal(run(), "?");
	add(3, SOFTH100_BELL_RUNG);
	assert_string_equal(run(), "?a");
	assert_int_equal(doorbells[0].client, CLIENT);
	assert_ptr_equal(doorbells[0].page, pages + 3 * 4096);
	add(3, SOFTH100_BELL_RUNG);
	assert_string_equal(run(), "?r");
	add(3, SOFTH100_BELL_GONE);
	assert_string_equal(run(), "?rdf");
	assert_int_equal(freed, 3);
	/* The number is another bell's now. */
	add(3, SOFTH100_BELL_RUNG);
	assert_string_equal(run(), "?a");
	assert_int_equal(chip.error, 0);
}

/* A client that rang once and went: its work is looked at, and nothing before the page is freed. */
static void test_gone_unheard(void **state)
{
	add(5, SOFTH100_BELL_RUNG | SOFTH100_BELL_GONE);
	assert_string_equal(run(), "?ardf");
	assert_int_equal(doorbells[0].client, CLIENT);
	assert_int_equal(freed, 5);
	add(5, SOFTH100_BELL_GONE);
	assert_string_equal(run(), "?f");
	assert_int_equal(chip.error, 0);
}

/* One batch a call, full as it may be. */
static void test_full(void **state)
{
	u32 i;

	add(1, SOFTH100_BELL_RUNG);
	assert_string_equal(run(), "?a");
	for (i = 0; i < ARRAY_SIZE(reports.bells); i++)
		add(1, SOFTH100_BELL_RUNG);
	assert_string_equal(run(), "?rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr");
	/* More than there is room for is not read. */
	reports.count = ~0u;
	assert_string_equal(run(), "?");
}

static void test_errors(void **state)
{
	attach_status = NV_ERR_NO_MEMORY;
	add(5, SOFTH100_BELL_RUNG | SOFTH100_BELL_GONE);
	assert_string_equal(run(), "?a");
	assert_int_equal(chip.error, ENOMEM);
	chip.error = 0;
	add(SOFTH100_BELLS_MAX, SOFTH100_BELL_GONE);
	add(5, SOFTH100_BELL_RUNG);
	assert_string_equal(run(), "?");
	assert_int_equal(chip.error, EPROTO);
	/* Nothing is asked of a module that failed. */
	assert_string_equal(run(), "");
}

#define BELLS(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BELLS(test_life),
		BELLS(test_gone_unheard),
		BELLS(test_full),
		BELLS(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
