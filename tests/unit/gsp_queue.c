// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The driver's message queues against a firmware side written here from the published layout: round
 * trips, wrap, full queues, and everything that a hostile peer can put into the shared memory.
 */
#include <pthread.h>

#include "rm/gsp/msgq.h"
#include "unit.h"

#define PAGE 4096u
#define QUEUE_SIZE 0x40000u
#define ELEMENTS 63u
#define FW_READ_OFFSET 32u

/* -- The firmware's side ----------------------------------------------------------------------- */

struct peer {
	u8 *command, *status;
	u32 read, write, seq;
};

static struct gsp_msgq queue;
static struct peer fw;
static u8 *memory;
static GSP_MSG_QUEUE_ELEMENT *received;

static u32 *word(u8 *base, u32 offset)
{
	return (u32 *)(base + offset);
}

static u32 sum_of(const u8 *data, u32 size)
{
	u32 sum = 0, w, i;

	for (i = 0; i < size; i += 4) {
		w = 0;
		memcpy(&w, data + i, size - i < 4 ? size - i : 4);
		sum ^= w;
	}
	return sum;
}

/* The status queue's header as the firmware publishes it. */
static void fw_publish(void)
{
	const u32 header[] = { 0, QUEUE_SIZE, PAGE, ELEMENTS, 0, 1, FW_READ_OFFSET, PAGE };

	memcpy(fw.status, header, sizeof(header));
}

/* Copies bytes of an element ring, wrapping. */
static void ring_copy(u8 *queue_base, u32 element, u32 offset, void *data, u32 size, bool write)
{
	u32 i;

	for (i = 0; i < size; i++) {
		u8 *at = queue_base + PAGE + (element * PAGE + offset + i) % (ELEMENTS * PAGE);

		if (write)
			*at = ((u8 *)data)[i];
		else
			((u8 *)data)[i] = *at;
	}
}

/* Takes one message, checks it as the firmware would; returns its message length, 0 for none. */
static u32 fw_take(u8 *message)
{
	static u8 element[65536 + 8];
	u32 write = __atomic_load_n(word(fw.command, 16), __ATOMIC_ACQUIRE), count, length;

	if (write == fw.read)
		return 0;
	memset(element, 0, sizeof(element));
	ring_copy(fw.command, fw.read, 0, element, 80, false);
	count = *word(element, 40);
	length = *word(element, 48 + 8);
	assert_in_range(count, 1, 16);
	assert_int_equal(count, (48 + length + PAGE - 1) / PAGE);
	ring_copy(fw.command, fw.read, 0, element, (48 + length + 7) & ~7u, false);
	assert_int_equal(sum_of(element, (48 + length + 7) & ~7u), 0);
	assert_int_equal(*word(element, 36), fw.seq);
	fw.seq++;
	memcpy(message, element + 48, length);
	fw.read = (fw.read + count) % ELEMENTS;
	__atomic_store_n(word(fw.status, FW_READ_OFFSET), fw.read, __ATOMIC_RELEASE);
	return length;
}

/* Fields of a message that a test bends before the checksum is made, or after it. */
struct bend {
	u32 seq, count, length, checksum_xor;
};

static void fw_put(const u8 *message, u32 length, u32 seq, const struct bend *bend)
{
	static u8 element[65536 + 8];
	u32 count = (48 + length + PAGE - 1) / PAGE;

	memset(element, 0, sizeof(element));
	memcpy(element + 48, message, length);
	*word(element, 48 + 8) = bend && bend->length ? bend->length : length;
	*word(element, 36) = seq;
	*word(element, 40) = bend && bend->count ? bend->count - 1 : count;
	*word(element, 32) =
		sum_of(element, (48 + length + 7) & ~7u) ^ (bend ? bend->checksum_xor : 0);
	ring_copy(fw.status, fw.write, 0, element, count * PAGE, true);
	fw.write = (fw.write + count) % ELEMENTS;
	__atomic_store_n(word(fw.status, 16), fw.write, __ATOMIC_RELEASE);
}

/* -- Fixture ----------------------------------------------------------------------------------- */

static int setup(void **state)
{
	memory = aligned_alloc(PAGE, 2 * QUEUE_SIZE);
	received = aligned_alloc(PAGE, GSP_MSG_QUEUE_ELEMENT_SIZE_MAX);
	memset(memory, 0, 2 * QUEUE_SIZE);
	memset(&fw, 0, sizeof(fw));
	fw.command = memory;
	fw.status = memory + QUEUE_SIZE;
	gsp_msgq_init(&queue, fw.command, QUEUE_SIZE, fw.status, QUEUE_SIZE);
	return 0;
}

static int setup_linked(void **state)
{
	setup(state);
	fw_publish();
	return gsp_msgq_link(&queue) != NV_OK;
}

static int teardown(void **state)
{
	free(memory);
	free(received);
	return 0;
}

static void fill(u8 *message, u32 length, u64 seed)
{
	u32 i;

	for (i = 0; i < length; i++)
		message[i] = (u8)unit_random(&seed);
	*word(message, 8) = length;
}

static enum nv_status send_bytes(const u8 *message, u32 length)
{
	/* Cut in odd places: pieces need not be aligned. */
	u32 a = length < 33 ? length : 33, b = length - a < 7 ? length - a : 7;
	struct gsp_piece pieces[] = { { message, a },
				      { message + a, b },
				      { message + a + b, length - a - b } };

	return gsp_msgq_send(&queue, pieces, 3);
}

static void fw_message(u8 *message, u32 length, u32 seq)
{
	fill(message, length, seq + 1);
	fw_put(message, length, seq, NULL);
}

/* The queue still works: the next good message comes through. */
static void assert_usable(u32 seq)
{
	u8 message[100];

	fw_message(message, sizeof(message), seq);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_OK);
	assert_memory_equal(&received->rpc, message, sizeof(message));
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_NOTHING_TO_DO);
}

/* -- Tests ------------------------------------------------------------------------------------- */

static void header_is_published(void **state)
{
	const u32 want[] = { 0, QUEUE_SIZE, PAGE, ELEMENTS, 0, 1, 32, PAGE };

	assert_memory_equal(fw.command, want, sizeof(want));
}

static void link_waits_and_refuses(void **state)
{
	static const struct {
		u32 index, value;
	} bad[] = {
		{ 0, 1 },	   { 1, QUEUE_SIZE / 2 },
		{ 2, 2048 },	   { 3, 62 },
		{ 3, 64 },	   { 3, 0 },
		{ 5, 0 },	   { 6, 0 },
		{ 6, 33 },	   { 6, QUEUE_SIZE },
		{ 6, ~0u },	   { 7, 100 },
		{ 7, QUEUE_SIZE }, { 7, ~0u },
		{ 7, ~0xfffu },	   { 7, 2 * PAGE },
	};
	u32 i;

	assert_int_equal(gsp_msgq_link(&queue), NV_ERR_NOT_READY);
	assert_false(gsp_msgq_has_message(&queue));
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_NOTHING_TO_DO);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fw_publish();
		*word(fw.status, bad[i].index * 4) = bad[i].value;
		assert_int_equal(gsp_msgq_link(&queue), NV_ERR_INVALID_DATA);
	}
	fw_publish();
	assert_int_equal(gsp_msgq_link(&queue), NV_OK);
}

static void round_trips_of_every_length(void **state)
{
	static u8 sent[GSP_MSG_QUEUE_RPC_SIZE_MAX], got[65536];
	u32 length, n = 0;

	/* Steps that meet every remainder of 8 and every element boundary, many times round the
	 * ring. */
	for (length = 32; length <= GSP_MSG_QUEUE_RPC_SIZE_MAX;
	     length += length % PAGE > 4000 || length % PAGE < 100 ? 1 : 509) {
		fill(sent, length, length);
		assert_int_equal(send_bytes(sent, length), NV_OK);
		assert_int_equal(fw_take(got), length);
		assert_memory_equal(got, sent, length);
		fw_put(sent, length, n++, NULL);
		assert_int_equal(gsp_msgq_receive(&queue, received), NV_OK);
		assert_memory_equal(&received->rpc, sent, length);
	}
	assert_true(n > 100);
	assert_int_equal(queue.dropped, 0);
}

static enum nv_status send_few(const u8 *message, u32 first, u32 second)
{
	rpc_message_header_v03_00 header;

	memcpy(&header, message, sizeof(header));
	return gsp_msgq_send_few(&queue, &header, message + sizeof(header), first,
				 message + sizeof(header) + first, second);
}

/* Each is a message as any other, whatever lay in its element before; many times round the ring. */
static void few_words_go_in_every_length(void **state)
{
	static u8 sent[PAGE], got[65536];
	u32 first, second;

	memset(fw.command + PAGE, 0xa5, ELEMENTS * PAGE);
	for (first = 0; first <= GSP_FEW_BYTES; first += 4) {
		for (second = 0; second <= GSP_FEW_BYTES; second += 4) {
			const u32 length = 32 + first + second;

			fill(sent, length, length + second);
			assert_true(gsp_msgq_is_few(first, second));
			assert_int_equal(send_few(sent, first, second), NV_OK);
			assert_int_equal(fw_take(got), length);
			assert_memory_equal(got, sent, length);
		}
	}
	assert_false(gsp_msgq_is_few(GSP_FEW_BYTES + 4, 0));
	assert_false(gsp_msgq_is_few(0, GSP_FEW_BYTES + 4));
	assert_false(gsp_msgq_is_few(8, 6));
	assert_false(gsp_msgq_is_few(2, 4));
}

static void few_words_need_room_too(void **state)
{
	u8 message[64], got[65536];
	u32 i;

	fill(message, sizeof(message), 1);
	for (i = 0; i < ELEMENTS - 1; i++)
		assert_int_equal(send_few(message, 24, 8), NV_OK);
	assert_int_equal(send_few(message, 24, 8), NV_ERR_BUSY_RETRY);
	assert_int_equal(fw_take(got), sizeof(message));
	assert_int_equal(send_few(message, 24, 8), NV_OK);
	*word(fw.status, FW_READ_OFFSET) = ELEMENTS;
	assert_int_equal(send_few(message, 24, 8), NV_ERR_INVALID_DATA);
	*word(fw.status, FW_READ_OFFSET) = fw.read;
	for (i = 0; i < ELEMENTS - 1; i++)
		assert_int_equal(fw_take(got), sizeof(message));
	assert_int_equal(fw_take(got), 0);
}

static void lengths_out_of_range_are_refused(void **state)
{
	static u8 message[GSP_MSG_QUEUE_RPC_SIZE_MAX + 1];

	assert_int_equal(send_bytes(message, 31), NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(send_bytes(message, GSP_MSG_QUEUE_RPC_SIZE_MAX + 1),
			 NV_ERR_INVALID_PARAM_STRUCT);
	assert_int_equal(*word(fw.command, 16), 0);
}

static void full_queue_takes_no_more(void **state)
{
	static u8 message[GSP_MSG_QUEUE_RPC_SIZE_MAX], got[65536];
	u32 i;

	for (i = 0; i < ELEMENTS - 1; i++) {
		fill(message, 64, i);
		assert_int_equal(send_bytes(message, 64), NV_OK);
	}
	assert_false(gsp_msgq_has_room(&queue, 64));
	assert_int_equal(send_bytes(message, 64), NV_ERR_BUSY_RETRY);
	assert_int_equal(fw_take(got), 64);
	assert_true(gsp_msgq_has_room(&queue, 64));
	assert_false(gsp_msgq_has_room(&queue, PAGE));
	fill(message, PAGE, 1);
	assert_int_equal(send_bytes(message, PAGE), NV_ERR_BUSY_RETRY);
	for (i = 1; i < ELEMENTS - 1; i++)
		assert_int_equal(fw_take(got), 64);
	fill(message, sizeof(message), 2);
	assert_int_equal(send_bytes(message, sizeof(message)), NV_OK);
	assert_int_equal(fw_take(got), sizeof(message));
	assert_memory_equal(got, message, sizeof(message));
}

static void hostile_read_pointer_is_refused(void **state)
{
	u8 message[64];

	fill(message, sizeof(message), 1);
	*word(fw.status, FW_READ_OFFSET) = ELEMENTS;
	assert_int_equal(send_bytes(message, sizeof(message)), NV_ERR_INVALID_DATA);
	*word(fw.status, FW_READ_OFFSET) = ~0u;
	assert_int_equal(send_bytes(message, sizeof(message)), NV_ERR_INVALID_DATA);
	assert_false(gsp_msgq_has_room(&queue, 64));
	*word(fw.status, FW_READ_OFFSET) = 0;
	assert_int_equal(send_bytes(message, sizeof(message)), NV_OK);
}

static void hostile_write_pointer_is_refused(void **state)
{
	*word(fw.status, 16) = ELEMENTS;
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_ERR_INVALID_DATA);
	*word(fw.status, 16) = ~0u;
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_ERR_INVALID_DATA);
	*word(fw.status, 16) = 0;
	assert_usable(0);
}

static void our_pointers_are_not_read_back(void **state)
{
	u8 message[64], got[65536];

	/* The peer may scribble over what is ours. */
	*word(fw.command, 16) = 40;
	*word(fw.command, 32) = 50;
	assert_usable(0);
	fill(message, sizeof(message), 3);
	assert_int_equal(send_bytes(message, sizeof(message)), NV_OK);
	assert_int_equal(*word(fw.command, 16), 1);
	assert_int_equal(fw_take(got), sizeof(message));
}

static void bad_checksum_is_dropped(void **state)
{
	const struct bend bend = { .checksum_xor = 1 };
	u8 message[6000];

	fill(message, sizeof(message), 1);
	fw_put(message, sizeof(message), 0, &bend);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_ERR_INVALID_DATA);
	assert_int_equal(queue.dropped, 1);
	assert_usable(1);
	assert_usable(2);
}

/* Into the sink goes what it is for, also over the queue's end; all else is as without one. */
static void long_data_goes_to_the_sink(void **state)
{
	static u8 message[65488], data[65000];
	const u32 head = 24, start = 32 + head;
	u32 seq;

	for (seq = 0; seq < 60; seq++) {
		struct gsp_sink sink = { .function = 76,
					 .sequence = 5,
					 .head = head,
					 .status_at = seq % 2 ? 12 : ~0u,
					 .data = data,
					 .size = 30000 + seq * 501 };
		bool wanted = seq % 5 != 4, good = seq % 7 != 6;
		const struct bend bend = { .checksum_xor = !good };
		u32 length = start + sink.size;

		fill(message, length, seq + 1);
		*word(message, 12) = sink.function;
		*word(message, 24) = sink.sequence;
		*word(message, 32 + 12) = NV_OK;
		if (!wanted && seq % 2)
			*word(message, 32 + 12) = NV_ERR_NOT_SUPPORTED;
		else if (!wanted)
			*word(message, seq % 4 ? 12 : 24) += 1;
		fw_put(message, length, seq, &bend);
		memset(data, 0x5a, sizeof(data));
		memset(received, 0, PAGE * 16);
		if (!good) {
			assert_int_equal(gsp_msgq_receive_to(&queue, received, &sink),
					 NV_ERR_INVALID_DATA);
			assert_int_equal(data[sink.size], 0x5a);
			continue;
		}
		assert_int_equal(gsp_msgq_receive_to(&queue, received, &sink), NV_OK);
		assert_int_equal(sink.used, wanted);
		assert_memory_equal(&received->rpc, message, wanted ? start : length);
		if (wanted)
			assert_memory_equal(data, message + start, sink.size);
		assert_int_equal(data[wanted ? sink.size : 0], 0x5a);
	}
}

static void bad_element_count_is_dropped(void **state)
{
	static const u32 counts[] = { 0, 2, 17, 63, 64, 0x80000000u, ~0u - 1 };
	u8 message[100];
	u32 i, seq = 0;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		const struct bend bend = { .count = counts[i] + 1 };

		fill(message, sizeof(message), i);
		fw_put(message, sizeof(message), seq++, &bend);
		assert_int_equal(gsp_msgq_receive(&queue, received), NV_ERR_INVALID_DATA);
		assert_usable(seq++);
	}
}

static void bad_length_is_dropped(void **state)
{
	static const u32 lengths[] = { 1, 31, PAGE, 65489, 0x7fffffff, 0xfffffff0, ~0u };
	u8 message[100];
	u32 i, seq = 0;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		const struct bend bend = { .length = lengths[i] };

		fill(message, sizeof(message), i);
		fw_put(message, sizeof(message), seq++, &bend);
		assert_int_equal(gsp_msgq_receive(&queue, received), NV_ERR_INVALID_DATA);
		assert_usable(seq++);
	}
}

static void truncated_message_is_dropped(void **state)
{
	u8 message[3 * PAGE];

	/* Three and a bit elements, of which two are there. */
	fill(message, sizeof(message), 1);
	fw_put(message, sizeof(message), 0, NULL);
	fw.write = 2;
	*word(fw.status, 16) = 2;
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_ERR_INVALID_DATA);
	assert_usable(1);
}

static void replayed_message_is_dropped_silently(void **state)
{
	u8 message[100];

	assert_usable(0);
	assert_usable(1);
	fw_message(message, sizeof(message), 0);
	fw_message(message, sizeof(message), 1);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_MORE_PROCESSING_REQUIRED);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_MORE_PROCESSING_REQUIRED);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_NOTHING_TO_DO);
	assert_int_equal(queue.dropped, 2);
	fw_message(message, sizeof(message), 1);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_MORE_PROCESSING_REQUIRED);
	assert_usable(2);
}

static void gap_in_sequence_is_an_error_once(void **state)
{
	u8 message[100];

	assert_usable(0);
	fw_message(message, sizeof(message), 5);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_ERR_INVALID_DATA);
	assert_usable(6);
	/* What lies before it does not come back. */
	fw_message(message, sizeof(message), 3);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_MORE_PROCESSING_REQUIRED);
	assert_int_equal(gsp_msgq_receive(&queue, received), NV_WARN_NOTHING_TO_DO);
	assert_usable(7);
}

static void sequence_wraps(void **state)
{
	queue.receive_sequence = ~0u;
	assert_usable(~0u);
	assert_usable(0);
}

/* A peer that scribbles while we read must never make us read or write out of bounds. */
struct scribbler {
	u32 stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	u64 seed = 99;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		u64 r = unit_random(&seed);

		*(volatile u32 *)word(fw.status, 16) = (u32)(r % 80);
		*(volatile u32 *)word(fw.status, FW_READ_OFFSET) = (u32)((r >> 8) % 80);
		*(volatile u32 *)word(fw.status, PAGE + ((r >> 16) % ELEMENTS) * PAGE + 40) =
			(u32)((r >> 24) % 18);
		*(volatile u32 *)word(fw.status, PAGE + ((r >> 32) % ELEMENTS) * PAGE + 56) =
			(u32)((r >> 40) % 70000);
	}
	return NULL;
}

static void survives_a_scribbling_peer(void **state)
{
	struct scribbler s = { 0 };
	u8 message[300];
	pthread_t thread;
	u32 i;

#if defined(__SANITIZE_THREAD__)
	skip(); /* the race is the point */
#endif
	fill(message, sizeof(message), 5);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
	for (i = 0; i < 20000; i++) {
		enum nv_status status = gsp_msgq_receive(&queue, received);

		assert_true(status == NV_OK || status == NV_ERR_INVALID_DATA ||
			    status == NV_WARN_NOTHING_TO_DO);
		if (status == NV_OK)
			assert_in_range(received->rpc.length, 32, GSP_MSG_QUEUE_RPC_SIZE_MAX);
		send_bytes(message, sizeof(message));
		assert_true(queue.write < ELEMENTS && queue.read < ELEMENTS);
	}
	__atomic_store_n(&s.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* A firmware in a thread of its own echoes what it gets, both queues wrapping at their own pace. */
static void *echo(void *arg)
{
	static u8 message[65536];
	const u32 *rounds = arg;
	u32 i, length;

	for (i = 0; i < *rounds; i++) {
		while ((length = fw_take(message)) == 0)
			sched_yield();
		fw_put(message, length, i, NULL);
	}
	return NULL;
}

static void echoes_with_a_firmware_thread(void **state)
{
	static u8 message[GSP_MSG_QUEUE_RPC_SIZE_MAX];
	u32 rounds = 2000, i, length;
	pthread_t thread;
	u64 seed = 7;

	assert_int_equal(pthread_create(&thread, NULL, echo, &rounds), 0);
	for (i = 0; i < rounds; i++) {
		length = 32 + (u32)(unit_random(&seed) % (i % 10 ? 500 : 60000));
		fill(message, length, i);
		assert_int_equal(send_bytes(message, length), NV_OK);
		while (!gsp_msgq_has_message(&queue))
			sched_yield();
		assert_int_equal(gsp_msgq_receive(&queue, received), NV_OK);
		assert_memory_equal(&received->rpc, message, length);
	}
	pthread_join(thread, NULL);
	assert_int_equal(queue.dropped, 0);
}

/* Each dropped message is a line, which nobody needs to see here. */
static void swallow(void *ctx, enum os_log_level level, const char *line)
{
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(header_is_published, setup, teardown),
		cmocka_unit_test_setup_teardown(link_waits_and_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(round_trips_of_every_length, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(few_words_go_in_every_length, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(few_words_need_room_too, setup_linked, teardown),
		cmocka_unit_test_setup_teardown(lengths_out_of_range_are_refused, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(full_queue_takes_no_more, setup_linked, teardown),
		cmocka_unit_test_setup_teardown(hostile_read_pointer_is_refused, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(hostile_write_pointer_is_refused, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(our_pointers_are_not_read_back, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(bad_checksum_is_dropped, setup_linked, teardown),
		cmocka_unit_test_setup_teardown(long_data_goes_to_the_sink, setup_linked, teardown),
		cmocka_unit_test_setup_teardown(bad_element_count_is_dropped, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(bad_length_is_dropped, setup_linked, teardown),
		cmocka_unit_test_setup_teardown(truncated_message_is_dropped, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(replayed_message_is_dropped_silently, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(gap_in_sequence_is_an_error_once, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(sequence_wraps, setup_linked, teardown),
		cmocka_unit_test_setup_teardown(echoes_with_a_firmware_thread, setup_linked,
						teardown),
		cmocka_unit_test_setup_teardown(survives_a_scribbling_peer, setup_linked, teardown),
	};

	os_user_log_set_sink(swallow, NULL);
	return cmocka_run_group_tests_name("gsp_queue", tests, NULL, NULL);
}
