// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The adversary on a device of the test's own: scripts, pages that are changed as they are read and
 * written, a queue's messages held, swapped and rolled back, secrets that are seen, and each
 * allocation failing. What he does to a real driver and GPU is tests/hostile's.
 */
#include <stdio.h>

#include "abi/r535.h"
#include "base/bits.h"
#include "host/user/adversary/adversary.h"
#include "bare_device.h"
#include "unit.h"

#define QUEUE_PAGES 9u
#define ELEMENT GSP_MSG_QUEUE_ELEMENT_SIZE_MIN

static u64 live;
static struct adversary *adversary;
static struct os_pci_dev *dev;
static struct os_pages pages; /* a queue of commands, then one page */
static u32 told;

static int start(void **state)
{
	static const struct os_pci_location location = { .bus = 9 };

	live = unit_live();
	told = 0;
	adversary = adversary_create(3);
	dev = os_user_pci_register(&bare_device_ops, NULL, &location);
	assert_non_null(adversary);
	assert_non_null(dev);
	assert_int_equal(adversary_watch(adversary, 4, dev), NV_OK);
	assert_int_equal(adversary_watch(adversary, 4, dev), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(adversary_watch(adversary, ADVERSARY_GPUS, dev), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(
		os_pages_alloc(dev, (QUEUE_PAGES + 1) * OS_PAGE_SIZE, OS_PAGES_SHARED, &pages),
		NV_OK);
	return 0;
}

static int end(void **state)
{
	os_pages_free(&pages);
	os_user_pci_unregister(dev);
	adversary_destroy(adversary);
	assert_int_equal(unit_live(), live);
	return 0;
}

static bool load(void *ctx, const char *name, u8 **data, u32 *size)
{
	if (strcmp(name, "there") != 0)
		return false;
	*size = 3;
	*data = os_alloc(*size);
	if (*data)
		memcpy(*data, "xyz", 3);
	return *data != NULL;
}

static FILE *open_record(void *ctx, const char *name)
{
	return strcmp(name, "record") == 0 ? fopen("/dev/null", "w") : NULL;
}

static bool understood(const char *text)
{
	static const struct adversary_files files = { .load = load, .open_record = open_record };
	char why[ADVERSARY_WHY];

	return adversary_load(adversary, text, strlen(text), &files, why);
}

static void tell(void *ctx, const struct adversary_deed *deed, const char *line)
{
	assert_int_equal(deed->gpu, 4);
	told++;
}

static u8 read_byte(u32 offset)
{
	u8 byte = 0;

	assert_true(os_user_dma_read(dev, os_pages_dma(&pages, offset), &byte, 1));
	return byte;
}

static void write_byte(u32 offset, u8 byte)
{
	assert_true(os_user_dma_write(dev, os_pages_dma(&pages, offset), &byte, 1));
}

/* -- Scripts ----------------------------------------------------------------------------------- */

static const char long_script[] = "seed 0x10 # comment\n"
				  "\n"
				  "record record pages\n"
				  "on gpu 4 page read of 1 nth 2 times 1 flip bit 3\n"
				  "on page written every 2 set byte 0 0x55\n"
				  "on spdm response CERTIFICATE replace there\n"
				  "on pointer status-write probability 0.5 set 7 raw\n"
				  "on sealed command flip tag byte 3 bit 1\r\n"
				  "on header status flip entry-offset";

static void scripts(void **state)
{
	static const char *const wrong[] = {
		"on",
		"on page",
		"on page read",
		"on page read flip tag",
		"on page read set",
		"on page read nth 0 flip",
		"on page read every 0x flip",
		"on page read probability 0. flip",
		"on page read probability 1.01 flip",
		"on page read replace missing",
		"on page read replace",
		"on page read call",
		"on page read delay 0",
		"on spdm response CERTIFICATES flip",
		"on sealed status flip bit 32",
		"record nowhere",
		"record record\nrecord record",
		"record",
		"seed",
		"\x01",
	};
	u32 i;

	assert_true(understood(""));
	assert_true(understood("# nothing"));
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		if (understood(wrong[i]))
			fail_msg("understood: %s", wrong[i]);
	/* Of those nothing is left. */
	assert_int_equal(read_byte(OS_PAGE_SIZE * QUEUE_PAGES), 0);
	assert_true(understood(long_script));
	assert_string_equal(adversary_object_name(ADVERSARY_SEALED_STATUS), "sealed status");
	assert_null(adversary_field(ADVERSARY_PAGE_READ, "tag"));
}

static void pages_change(void **state)
{
	u32 at = QUEUE_PAGES * OS_PAGE_SIZE;

	assert_true(understood(long_script));
	adversary_set_tell(adversary, tell, NULL);
	assert_int_equal(read_byte(at), 0);
	assert_int_equal(read_byte(at), 8);
	assert_int_equal(read_byte(at), 8);
	write_byte(at + 1, 1);
	write_byte(at + 1, 2);
	assert_int_equal(((u8 *)pages.cpu)[at + 1], 0x55);
	write_byte(at + 1, 3);
	assert_int_equal(((u8 *)pages.cpu)[at + 1], 3);
	assert_int_equal(told, 2);
	assert_int_equal(adversary_count(adversary, ADVERSARY_PAGE_READ, ADVERSARY_FLIP), 1);
	assert_int_equal(adversary_count(adversary, ADVERSARY_PAGE_WRITTEN, ADVERSARY_SET), 1);
	adversary_forget(adversary);
	assert_int_equal(read_byte(at), 8);
	assert_true(understood("on page written drop\n"));
	write_byte(at + 1, 9);
	assert_int_equal(((u8 *)pages.cpu)[at + 1], 3);
}

static void secrets_are_seen(void **state)
{
	static const u8 secret[] = "sixteen letters.";
	const char *name = NULL;

	assert_int_equal(adversary_secret(adversary, "short", secret, 7), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(adversary_secret(adversary, "letters", secret, 16), NV_OK);
	assert_int_equal(adversary_search(adversary), 0);
	/* Across the end of a page. */
	memcpy((u8 *)pages.cpu + OS_PAGE_SIZE - 5, secret, 16);
	assert_int_equal(adversary_search(adversary), 1);
	assert_int_equal(adversary_found(adversary, &name), 1);
	assert_string_equal(name, "letters");
	/* And in what the device is about to write. */
	assert_true(os_user_dma_write(dev, os_pages_dma(&pages, 64), secret, 16));
	assert_int_equal(adversary_found(adversary, NULL), 2);
	adversary_give_up(adversary);
	assert_int_equal(adversary_search(adversary), 2);
	assert_true(adversary_searched(adversary) >= 2 * pages.size);
}

/* -- A queue ----------------------------------------------------------------------------------- */

static u8 *element_at(u32 n)
{
	return (u8 *)pages.cpu + (1 + n) * ELEMENT;
}

static void make_queue(void)
{
	msgqTxHeader *header = pages.cpu, got;

	*header = (msgqTxHeader){
		.version = MSGQ_VERSION,
		.size = QUEUE_PAGES * OS_PAGE_SIZE,
		.msgSize = ELEMENT,
		.msgCount = QUEUE_PAGES - 1,
		.flags = MSGQ_FLAGS_SWAP_RX,
		.rxHdrOff = 32,
		.entryOff = GSP_MSG_QUEUE_HEADER_SIZE,
	};
	assert_true(os_user_dma_read(dev, os_pages_dma(&pages, 0), &got, sizeof(got)));
}

static void put(u32 n, u8 what)
{
	GSP_MSG_QUEUE_ELEMENT *e = (void *)element_at(n);

	memset(e, what, ELEMENT);
	e->elemCount = 1;
	os_store_release(&((msgqTxHeader *)pages.cpu)->writePtr, (n + 1) % (QUEUE_PAGES - 1));
}

/* How far the device is told that there are any. */
static u32 look(void)
{
	u32 write = 0;

	assert_true(os_user_dma_read(dev, os_pages_dma(&pages, offsetof(msgqTxHeader, writePtr)),
				     &write, sizeof(write)));
	return write;
}

static void queues_change(void **state)
{
	make_queue();
	put(0, 1);
	assert_int_equal(look(), 1);
	assert_int_equal(element_at(0)[100], 1);

	assert_true(understood("on sealed command times 1 hold\n"));
	put(1, 2);
	assert_int_equal(look(), 1);
	put(2, 3);
	assert_int_equal(look(), 3);
	assert_int_equal(element_at(1)[100], 2);
	adversary_forget(adversary);

	/* Waits for the next one, and has its place. */
	assert_true(understood("on sealed command times 1 swap\n"));
	put(3, 4);
	assert_int_equal(look(), 3);
	put(4, 5);
	assert_int_equal(look(), 5);
	assert_int_equal(element_at(3)[100], 5);
	assert_int_equal(element_at(4)[100], 4);
	assert_int_equal(adversary_done(adversary, 0), 1);
	adversary_forget(adversary);

	assert_true(understood("on sealed command times 1 replay\n"));
	put(5, 6);
	assert_int_equal(look(), 6);
	assert_int_equal(element_at(5)[100], 4);
	adversary_forget(adversary);

	/* Once round: what was there before is there again. */
	put(6, 7);
	put(7, 8);
	assert_int_equal(look(), 0);
	assert_true(understood("on sealed command times 1 drop\n"));
	put(0, 9);
	assert_int_equal(look(), 1);
	assert_int_equal(element_at(0)[100], 1);
	adversary_forget(adversary);
	assert_true(understood("on sealed command times 1 roll-back\n"));
	put(1, 10);
	assert_int_equal(look(), 1);
	put(2, 11);
	assert_int_equal(look(), 3);
	assert_int_equal(element_at(1)[100], 2);
	assert_int_equal(element_at(2)[100], 11);
}

/* -- Memory ------------------------------------------------------------------------------------ */

static void survives_failing_allocations(void **state)
{
	u32 n, refused = 0;
	bool done = false;
	u64 held;

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (n = 1; n < 100 && !done; n++) {
		adversary_forget(adversary);
		held = unit_live();
		os_user_fail_alloc_thread(n);
		done = understood(long_script);
		os_user_fail_alloc_thread(0);
		if (!done)
			assert_int_equal(unit_live(), held);
		refused += !done;
	}
	assert_true(done && refused > 3);
	/* What he cannot keep he does not repeat, and all passes. */
	for (n = 1; n < 12; n++) {
		os_user_fail_alloc_thread(n);
		make_queue();
		put(0, 1);
		look();
		write_byte(QUEUE_PAGES * OS_PAGE_SIZE, 7);
		os_user_fail_alloc_thread(0);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(scripts),
		T(pages_change),
		T(secrets_are_seen),
		T(queues_change),
		T(survives_failing_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
