// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Tools of unified memory over the hand-made resource manager: rings and counters in the memory of
 * a process that reads, writes and takes away what it likes, and what is told in them of CPU faults
 * and migrations.
 */
#include <sys/mman.h>

#include "uvm_cpu.h"
#include "uvm_fake.h"

#define BASE 0x300000000ull
#define PAGE 0x1000ull
#define ALL 7u
#define ENTRIES 64u /* one page of them */

union entry {
	u8 type;
	UvmEventCpuFaultInfo fault;
	UvmEventMigrationInfo migration;
	u64 words[8];
};

static int file, mm_file, tools;
/* The process's: a ring, its control, counters; a page each. */
static u8 *memory;
static int memory_fd = -1;

/* -- The process ---------------------------------------------------------------------------------
 */

static enum nv_status pin(void *ctx, u64 user, size_t size, bool writable,
			  struct os_user_pin_piece *pieces, u32 max, u32 *count)
{
	u64 offset = user - (u64)(uintptr_t)memory;

	assert_true(writable);
	if (offset >= 4 * PAGE || size > 4 * PAGE - offset)
		return NV_ERR_INVALID_ADDRESS;
	*pieces = (struct os_user_pin_piece){ dup(memory_fd), offset, size };
	*count = 1;
	return NV_OK;
}

static const struct os_user_pin_ops pin_ops = { pin };

static volatile UvmToolsEventControlData *control(void)
{
	return (void *)(memory + PAGE);
}

static volatile u64 *counters(void)
{
	return (void *)(memory + 2 * PAGE);
}

static u64 address_of(const volatile void *at)
{
	return (u64)(uintptr_t)at;
}

/* The next entry, or NULL. */
static const union entry *next_entry(void)
{
	u32 get = control()->get_ahead % ENTRIES;
	const union entry *entry = (const union entry *)memory + get;

	if (get == control()->put_behind % ENTRIES)
		return NULL;
	control()->get_ahead = control()->get_behind = (get + 1) % ENTRIES;
	return entry;
}

/* -- Set up --------------------------------------------------------------------------------------
 */

static u32 init(int fd, u64 queue, u64 count, u64 control_at, int of)
{
	UVM_TOOLS_INIT_EVENT_TRACKER_PARAMS p = { .queueBuffer = queue,
						  .queueBufferSize = count,
						  .controlBuffer = control_at,
						  .allProcessors = 1,
						  .uvmFd = (u32)of };

	return CALL(fd, UVM_TOOLS_INIT_EVENT_TRACKER, &p);
}

static u32 init_queue(int fd)
{
	return init(fd, address_of(memory), ENTRIES, address_of(control()), file);
}

static u32 init_counters(int fd, const NvProcessorUuid *processor, u64 at)
{
	UVM_TOOLS_INIT_EVENT_TRACKER_PARAMS p = { .controlBuffer = at,
						  .allProcessors = !processor,
						  .uvmFd = (u32)file };

	if (processor)
		p.processor = *processor;
	return CALL(fd, UVM_TOOLS_INIT_EVENT_TRACKER, &p);
}

static u32 events(int fd, u64 types, bool on)
{
	UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS_PARAMS p = { .eventTypeFlags = types };

	return CALL(fd,
		    on ? UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS : UVM_TOOLS_EVENT_QUEUE_DISABLE_EVENTS,
		    &p);
}

static u32 count(int fd, u64 which, bool on)
{
	UVM_TOOLS_ENABLE_COUNTERS_PARAMS p = { .counterTypeFlags = which };

	return CALL(fd, on ? UVM_TOOLS_ENABLE_COUNTERS : UVM_TOOLS_DISABLE_COUNTERS, &p);
}

static u32 threshold(int fd, u32 entries)
{
	UVM_TOOLS_SET_NOTIFICATION_THRESHOLD_PARAMS p = { .notificationThreshold = entries };

	return CALL(fd, UVM_TOOLS_SET_NOTIFICATION_THRESHOLD, &p);
}

static void inject(u8 type, u64 value, u32 times)
{
	UVM_TEST_INJECT_TOOLS_EVENT_PARAMS p = { .entry = { type, value }, .count = times };

	assert_int_equal(CALL(file, UVM_TEST_INJECT_TOOLS_EVENT, &p), NV_OK);
}

static int start(void **state)
{
	UVM_INITIALIZE_PARAMS init_file = { 0 };
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };

	fake_start_tests();
	memory_fd = memfd_create("tools", MFD_CLOEXEC);
	assert_true(memory_fd >= 0 && ftruncate(memory_fd, 4 * PAGE) == 0);
	memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	assert_true(memory != MAP_FAILED);
	os_user_set_pin_ops(&pin_ops, NULL);
	fake.on_unmap = cpu_unmap;
	file = fake_open(UVM_NODE_UVM);
	cpu_begin(fake.files[file], BASE);
	mm.uvmFd = file;
	mm_file = fake_open(UVM_NODE_UVM);
	tools = fake_open(UVM_NODE_TOOLS);
	assert_int_equal(CALL(file, UVM_INITIALIZE, &init_file), NV_OK);
	assert_int_equal(CALL(mm_file, UVM_MM_INITIALIZE, &mm), NV_OK);
	fake_register_gpus(file, 1);
	return 0;
}

static int end(void **state)
{
	int rc = fake_end(state);

	os_user_set_pin_ops(NULL, NULL);
	munmap(memory, 4 * PAGE);
	close(memory_fd);
	return rc;
}

static void map(u64 at, u64 size)
{
	enum uvm_mmap_kind kind;

	assert_int_equal(uvm_file_mmap(fake.files[file], at, size, at, ALL, &kind), UVM_RESULT_OK);
}

static void touch(u64 address)
{
	u64 was;

	assert_true(cpu_add(address, 1, &was));
}

static void migrate(u64 at, u64 size, const NvProcessorUuid *to)
{
	UVM_MIGRATE_PARAMS p = { .base = at, .length = size, .destinationUuid = *to };

	assert_int_equal(CALL(file, UVM_MIGRATE, &p), NV_OK);
}

/* -- What is refused ------------------------------------------------------------------------------
 */

static void test_refused(void **state)
{
	u64 ring = address_of(memory), words = address_of(control());
	u8 block[64] = { 0 };
	int fresh = fake_open(UVM_NODE_UVM);
	u32 cmd;

	/* Of tools files alone, and those have no others. */
	for (cmd = UVM_TOOLS_INIT_EVENT_TRACKER; cmd <= UVM_TOOLS_DISABLE_COUNTERS; cmd++) {
		assert_int_equal(uvm_ioctl(fake.files[file], cmd, address_of(block)),
				 UVM_RESULT_EINVAL);
		assert_int_equal(uvm_ioctl(fake.files[tools], cmd, 8), UVM_RESULT_EFAULT);
	}
	assert_int_equal(uvm_ioctl(fake.files[tools], UVM_TOOLS_FLUSH_EVENTS, address_of(block)),
			 UVM_RESULT_EINVAL);
	assert_int_equal(uvm_ioctl(fake.files[tools], UVM_DEINITIALIZE, 0), UVM_RESULT_EINVAL);
	/* Without a queue there is nothing to ask for. */
	assert_int_equal(events(tools, 2, true), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(events(tools, 2, false), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(count(tools, 1, true), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(count(tools, 1, false), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(threshold(tools, 1), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_ERROR);
	assert_int_equal(uvm_file_poll(fake.files[file]), UVM_POLL_NOTHING);
	/* Whose space it is. */
	assert_int_equal(init(tools, ring, ENTRIES, words, -1), NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(init(tools, ring, ENTRIES, words, tools), NV_ERR_INSUFFICIENT_PERMISSIONS);
	assert_int_equal(init(tools, ring, ENTRIES, words, fresh), NV_ERR_ILLEGAL_ACTION);
	assert_int_equal(init(tools, ring, ENTRIES, words, mm_file), NV_ERR_ILLEGAL_ACTION);
	/* How large, and where. */
	assert_int_equal(init(tools, ring, 1, words, file), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(init(tools, ring, 3, words, file), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(init(tools, ring, 1ull << 32, words, file), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(init(tools, ring, 1u << 31, words, file), NV_ERR_NO_MEMORY);
	assert_int_equal(init(tools, ring + 8, ENTRIES, words, file), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(init(tools, 0, ENTRIES, words, file), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(init(tools, ~0ull - PAGE + 1, ENTRIES, words, file),
			 NV_ERR_INVALID_ADDRESS);
	assert_int_equal(init(tools, ring, ENTRIES, words + 8, file), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(init(tools, ring, ENTRIES, ring + 4 * PAGE, file), NV_ERR_INVALID_ADDRESS);
	assert_int_equal(init_counters(tools, NULL, ring + 4 * PAGE), NV_ERR_INVALID_ADDRESS);
	/* Once. */
	assert_int_equal(init_queue(tools), NV_OK);
	assert_int_equal(init_queue(tools), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(count(tools, 1, true), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(events(tools, 1, true), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(events(tools, 1u << 15, true), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(events(tools, 0x7ffe | 3ull << 62, true), NV_OK);
	assert_int_equal(events(tools, ~0ull, false), NV_OK);
}

/* -- The ring -------------------------------------------------------------------------------------
 */

static void test_ring(void **state)
{
	const union entry *e;
	u32 i;

	assert_int_equal(init_queue(tools), NV_OK);
	inject(UvmEventTypeEviction, 1, 1);
	assert_null(next_entry());
	assert_int_equal(events(tools, 1u << UvmEventTypeEviction, true), NV_OK);
	inject(UvmEventTypeMigration, 1, 1);
	assert_null(next_entry());
	for (i = 0; i < 3 * ENTRIES; i++) {
		inject(UvmEventTypeEviction, i, 1);
		e = next_entry();
		assert_true(e && e->type == UvmEventTypeEviction && e->words[1] == i);
		assert_null(next_entry());
	}
	/* One place stays free; what finds none is counted by its type. */
	inject(UvmEventTypeEviction, 5, ENTRIES + 9);
	assert_int_equal(control()->dropped[UvmEventTypeEviction], 10);
	assert_int_equal(control()->dropped[UvmEventTypeMigration], 0);
	for (i = 0; i < ENTRIES - 1; i++)
		assert_non_null(next_entry());
	assert_null(next_entry());
	assert_int_equal(control()->put_ahead, control()->put_behind);
	assert_int_equal(events(tools, 1u << UvmEventTypeEviction, false), NV_OK);
	inject(UvmEventTypeEviction, 5, 1);
	assert_null(next_entry());
}

static void test_wakes(void **state)
{
	assert_int_equal(init_queue(tools), NV_OK);
	assert_int_equal(events(tools, 1u << UvmEventTypeEviction, true), NV_OK);
	/* Half of the ring, unless somebody says otherwise. */
	inject(UvmEventTypeEviction, 0, ENTRIES / 2 - 1);
	assert_int_equal(fake.wakes, 0);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_NOTHING);
	inject(UvmEventTypeEviction, 0, 1);
	assert_int_equal(fake.wakes, 1);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_READABLE);
	/* Once, until it asks or reads. */
	inject(UvmEventTypeEviction, 0, 1);
	assert_int_equal(fake.wakes, 2);
	inject(UvmEventTypeEviction, 0, 3);
	assert_int_equal(fake.wakes, 2);
	assert_non_null(next_entry());
	inject(UvmEventTypeEviction, 0, 1);
	assert_int_equal(fake.wakes, 3);
	while (next_entry())
		;
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_NOTHING);
	assert_int_equal(threshold(tools, 2), NV_OK);
	inject(UvmEventTypeEviction, 0, 1);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_NOTHING);
	assert_int_equal(threshold(tools, 1), NV_OK);
	assert_int_equal(fake.wakes, 4);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_READABLE);
	/* None is enough for 0, and nothing for more than there can be. */
	while (next_entry())
		;
	assert_int_equal(threshold(tools, 0), NV_OK);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_READABLE);
	assert_int_equal(threshold(tools, ~0u), NV_OK);
	inject(UvmEventTypeEviction, 0, ENTRIES);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_NOTHING);
}

/* Whatever the process writes, the driver writes into its memory alone. */
static void test_hostile(void **state)
{
	u64 seed = 9;
	u32 i;

	assert_int_equal(init_queue(tools), NV_OK);
	assert_int_equal(events(tools, 1u << UvmEventTypeEviction, true), NV_OK);
	memset(memory + 2 * PAGE, 0x77, 2 * PAGE);
	for (i = 0; i < 500; i++) {
		control()->get_ahead = (u32)unit_random(&seed);
		control()->get_behind = (u32)unit_random(&seed);
		control()->put_ahead = (u32)unit_random(&seed);
		control()->put_behind = (u32)unit_random(&seed);
		inject(UvmEventTypeEviction, i, 3);
		(void)uvm_file_poll(fake.files[tools]);
		assert_true(control()->put_behind < ENTRIES || control()->dropped[14]);
	}
	for (i = 0; i < 2 * PAGE; i++)
		assert_int_equal(memory[2 * PAGE + i], 0x77);
	/* It goes away, and the process with it. */
	assert_int_equal(munmap(memory, 4 * PAGE), 0);
	inject(UvmEventTypeEviction, i, 100);
	memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
}

/* Several files watch one space; it lives as long as any of them. */
static void test_several(void **state)
{
	int second = fake_open(UVM_NODE_TOOLS), third = fake_open(UVM_NODE_TOOLS);

	assert_int_equal(init_queue(tools), NV_OK);
	assert_int_equal(init(second, address_of(memory + 2 * PAGE), ENTRIES,
			      address_of(memory + 3 * PAGE), file),
			 NV_OK);
	assert_int_equal(init_counters(third, NULL, address_of(memory + 3 * PAGE)), NV_OK);
	assert_int_equal(events(second, 1u << UvmEventTypeEviction, true), NV_OK);
	inject(UvmEventTypeEviction, 1, 1);
	assert_null(next_entry());
	assert_int_equal(memory[2 * PAGE], UvmEventTypeEviction);
	fake_close(second);
	assert_int_equal(events(tools, 1u << UvmEventTypeEviction, true), NV_OK);
	inject(UvmEventTypeEviction, 2, 1);
	assert_non_null(next_entry());
	fake_close(third);
	/* The program's own descriptor goes first. */
	fake_close(file);
	assert_int_equal(events(tools, 1u << UvmEventTypeEviction, false), NV_OK);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_NOTHING);
}

/* -- What is told ---------------------------------------------------------------------------------
 */

static void test_faults(void **state)
{
	struct os_cred cred = { .pid = 4321 };
	u64 before = os_time_ns();
	const union entry *e;

	assert_int_equal(init_queue(tools), NV_OK);
	map(BASE, MIB(4));
	touch(BASE);
	assert_null(next_entry());
	assert_int_equal(events(tools, 1u << UvmEventTypeCpuFault, true), NV_OK);
	os_user_set_cred(&cred);
	touch(BASE + MIB(2) + 5 * PAGE + 24);
	os_user_set_cred(NULL);
	e = next_entry();
	assert_non_null(e);
	assert_int_equal(e->fault.eventType, UvmEventTypeCpuFault);
	assert_int_equal(e->fault.accessType, UvmEventMemoryAccessTypeWrite);
	assert_true(e->fault.address == BASE + MIB(2) + 5 * PAGE + 24);
	assert_int_equal(e->fault.pid, 4321);
	assert_true(e->fault.timeStamp >= before && e->fault.timeStamp <= os_time_ns());
	assert_true(e->words[5] == 0 && e->words[6] == 0 && e->words[7] == 0);
	/* It has it now. */
	touch(BASE + MIB(2) + 5 * PAGE);
	assert_null(next_entry());
}

static void check_move(u64 address, u64 bytes, u32 from, u32 to, u32 cause)
{
	const union entry *e = next_entry();

	assert_non_null(e);
	assert_int_equal(e->migration.eventType, UvmEventTypeMigration);
	assert_true(e->migration.address == address && e->migration.migratedBytes == bytes);
	assert_int_equal(e->migration.srcIndex, from);
	assert_int_equal(e->migration.dstIndex, to);
	assert_int_equal(e->migration.migrationCause, cause);
	assert_true(e->migration.beginTimeStamp &&
		    e->migration.endTimeStamp >= e->migration.beginTimeStamp);
	assert_true(e->migration.beginTimeStampGpu &&
		    e->migration.endTimeStampGpu >= e->migration.beginTimeStampGpu);
}

static void test_moves(void **state)
{
	u64 was;

	assert_int_equal(init_queue(tools), NV_OK);
	assert_int_equal(events(tools, 1u << UvmEventTypeMigration, true), NV_OK);
	map(BASE, MIB(4));
	touch(BASE);
	migrate(BASE + MIB(1), MIB(2), fake_uuid(0));
	check_move(BASE + MIB(1), MIB(1), 0, 1, UvmEventMigrationCauseUser);
	check_move(BASE + MIB(2), MIB(1), 0, 1, UvmEventMigrationCauseUser);
	assert_null(next_entry());
	/* Nothing moves twice. */
	migrate(BASE + MIB(1), MIB(2), fake_uuid(0));
	assert_null(next_entry());
	touch(BASE + MIB(1) + KIB(128));
	check_move(BASE + MIB(1) + KIB(128), KIB(64), 1, 0, UvmEventMigrationCauseCoherence);
	/* In two pieces, around what is there already. */
	migrate(BASE + MIB(1), MIB(1), &fake_cpu);
	check_move(BASE + MIB(1), KIB(128), 1, 0, UvmEventMigrationCauseUser);
	check_move(BASE + MIB(1) + KIB(192), MIB(1) - KIB(192), 1, 0, UvmEventMigrationCauseUser);
	assert_null(next_entry());
	/* What fails did not happen. */
	fake.fail_launch = 1;
	assert_false(cpu_add(BASE + MIB(2), 0, &was));
	assert_null(next_entry());
}

/* What makes room says so. */
static void test_evictions(void **state)
{
	struct rm_uvm_video *taken[FAKE_VIDEO / MIB(2)];
	u32 count = 0;
	u64 address;

	map(BASE, MIB(6));
	touch(BASE);
	touch(BASE + MIB(4));
	migrate(BASE, MIB(4), fake_uuid(0));
	while (rm_uvm_video_alloc(&fake.gpus[0], MIB(2), MIB(2), &taken[count], &address) == NV_OK)
		count++;
	assert_int_equal(init_queue(tools), NV_OK);
	assert_int_equal(events(tools, 1u << UvmEventTypeMigration, true), NV_OK);
	migrate(BASE + MIB(3), MIB(3), fake_uuid(0));
	check_move(BASE, MIB(2), 1, 0, UvmEventMigrationCauseEviction);
	check_move(BASE + MIB(4), MIB(2), 0, 1, UvmEventMigrationCauseUser);
	assert_null(next_entry());
	touch(BASE + MIB(4));
	check_move(BASE + MIB(4), KIB(64), 1, 0, UvmEventMigrationCauseCoherence);
	while (count)
		rm_uvm_video_free(taken[--count]);
}

static void test_counters(void **state)
{
	const NvProcessorUuid *gpu = fake_uuid(0);
	UVM_SET_PREFERRED_LOCATION_PARAMS prefer = { .requestedBase = BASE + MIB(2),
						     .length = MIB(2),
						     .preferredLocation = *gpu };
	int of_gpu = fake_open(UVM_NODE_TOOLS), of_cpu = fake_open(UVM_NODE_TOOLS);
	volatile u64 *gpu_counters = (void *)memory, *cpu_counters = (void *)(memory + 3 * PAGE);

	assert_int_equal(init_counters(tools, NULL, address_of(counters())), NV_OK);
	assert_int_equal(init_counters(of_gpu, gpu, address_of(gpu_counters)), NV_OK);
	assert_int_equal(init_counters(of_cpu, &fake_cpu, address_of(cpu_counters)), NV_OK);
	assert_int_equal(events(tools, 2, true), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(threshold(tools, 2), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(uvm_file_poll(fake.files[tools]), UVM_POLL_ERROR);
	map(BASE, MIB(4));
	touch(BASE);
	assert_int_equal(counters()[UvmCounterNameCpuPageFaultCount], 0);
	assert_int_equal(count(tools, ~0ull, true), NV_OK);
	assert_int_equal(count(of_gpu, ~0ull, true), NV_OK);
	assert_int_equal(count(of_cpu, ~0ull, true), NV_OK);
	touch(BASE + PAGE);
	touch(BASE + 2 * PAGE);
	assert_int_equal(counters()[UvmCounterNameCpuPageFaultCount], 2);
	assert_int_equal(cpu_counters[UvmCounterNameCpuPageFaultCount], 2);
	assert_int_equal(gpu_counters[UvmCounterNameCpuPageFaultCount], 0);
	/* Of memory that a GPU prefers its faults are told too, and counted once in all. */
	assert_int_equal(CALL(file, UVM_SET_PREFERRED_LOCATION, &prefer), NV_OK);
	touch(BASE + MIB(2));
	assert_int_equal(counters()[UvmCounterNameCpuPageFaultCount], 3);
	assert_int_equal(cpu_counters[UvmCounterNameCpuPageFaultCount], 3);
	assert_int_equal(gpu_counters[UvmCounterNameCpuPageFaultCount], 1);
	migrate(BASE, MIB(1), gpu);
	assert_int_equal(counters()[UvmCounterNameBytesXferHtD], MIB(1));
	assert_int_equal(gpu_counters[UvmCounterNameBytesXferHtD], MIB(1));
	assert_int_equal(cpu_counters[UvmCounterNameBytesXferHtD], 0);
	touch(BASE);
	assert_int_equal(counters()[UvmCounterNameBytesXferDtH], KIB(64));
	/* They begin where the process says. */
	counters()[UvmCounterNameBytesXferDtH] = ~0ull;
	assert_int_equal(count(of_gpu, 1u << UvmCounterNameBytesXferDtH, false), NV_OK);
	touch(BASE + KIB(64));
	assert_int_equal(counters()[UvmCounterNameBytesXferDtH], KIB(64) - 1);
	assert_int_equal(gpu_counters[UvmCounterNameBytesXferDtH], KIB(64));
}

static void test_increment(void **state)
{
	UVM_TEST_INCREMENT_TOOLS_COUNTER_PARAMS p = {
		.amount = 7, .counter = 9, .processor = *fake_uuid(0), .count = 3
	};
	UVM_TEST_INJECT_TOOLS_EVENT_PARAMS event = { .entry = { 64 }, .count = 1 };

	assert_int_equal(init_counters(tools, NULL, address_of(counters())), NV_OK);
	assert_int_equal(count(tools, 1u << 9, true), NV_OK);
	assert_int_equal(CALL(file, UVM_TEST_INCREMENT_TOOLS_COUNTER, &p), NV_OK);
	assert_int_equal(counters()[9], 21);
	p.counter = 10;
	assert_int_equal(CALL(file, UVM_TEST_INCREMENT_TOOLS_COUNTER, &p), NV_ERR_INVALID_ARGUMENT);
	assert_int_equal(CALL(file, UVM_TEST_INJECT_TOOLS_EVENT, &event), NV_ERR_INVALID_ARGUMENT);
}

/* -- No memory ------------------------------------------------------------------------------------
 */

static void test_no_memory(void **state)
{
	u64 nth, failed;
	u32 status, i;

	if (!os_user_fail_alloc_thread(0))
		skip();
	for (i = 0; i < 2; i++) {
		for (nth = 1;; nth++) {
			u64 live = unit_live();
			int fd = fake_open(UVM_NODE_TOOLS);

			failed = unit_failed();
			os_user_fail_alloc_thread(nth);
			status = i ? init_queue(fd)
				   : init_counters(fd, NULL, address_of(counters()));
			os_user_fail_alloc_thread(0);
			failed = unit_failed() - failed;
			assert_int_equal(status, failed ? NV_ERR_NO_MEMORY : NV_OK);
			/* Again, if it was not. */
			assert_int_equal(init_queue(fd), failed ? NV_OK : NV_ERR_INVALID_ARGUMENT);
			fake_close(fd);
			assert_int_equal(unit_live(), live);
			if (!failed)
				break;
		}
		assert_true(nth > 2);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(test_refused),   TEST(test_ring),	    TEST(test_wakes),
		TEST(test_hostile),   TEST(test_several),   TEST(test_faults),
		TEST(test_moves),     TEST(test_counters),  TEST(test_increment),
		TEST(test_evictions), TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
