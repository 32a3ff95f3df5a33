// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * /dev/nvidia-uvm-tools by real system calls: a ring and counters in this process's memory, events
 * that wake a poll, and a process that takes its memory away, forks and ends. Events are made by
 * the built-in tests, where the host has none of its own.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "client_uvm.h"

#define ENTRIES 64u /* a page of them */
#define TYPE UvmEventTypeEviction

struct tool {
	int fd;
	u8 *ring;
	volatile UvmToolsEventControlData *control;
	volatile u64 *counters;
};

static u8 *pages(u64 size)
{
	u8 *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

static u32 watch(struct tool *tool, int of, u64 entries)
{
	UVM_TOOLS_INIT_EVENT_TRACKER_PARAMS p = { .queueBuffer = (u64)(uintptr_t)tool->ring,
						  .queueBufferSize = entries,
						  .allProcessors = 1,
						  .uvmFd = (u32)of };

	p.controlBuffer = entries ? (u64)(uintptr_t)tool->control : (u64)(uintptr_t)tool->counters;
	return STATUS(tool->fd, UVM_TOOLS_INIT_EVENT_TRACKER, &p);
}

static struct tool tool_open(void)
{
	struct tool tool = { .fd = open("/dev/nvidia-uvm-tools", O_RDWR | O_CLOEXEC) };
	u8 *memory = pages(3 * PAGE);

	CHECK(tool.fd >= 0);
	tool.ring = memory;
	tool.control = (void *)(memory + PAGE);
	tool.counters = (void *)(memory + 2 * PAGE);
	return tool;
}

static void events(const struct tool *tool, u64 types)
{
	UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS_PARAMS p = { .eventTypeFlags = types };

	CHECK_IS(STATUS(tool->fd, UVM_TOOLS_EVENT_QUEUE_ENABLE_EVENTS, &p), NV_OK);
}

static void inject(int fd, u32 type, u32 count)
{
	UVM_TEST_INJECT_TOOLS_EVENT_PARAMS p = { .entry = { type, 77 }, .count = count };

	CHECK_IS(STATUS(fd, UVM_TEST_INJECT_TOOLS_EVENT, &p), NV_OK);
}

static u32 waiting(const struct tool *tool)
{
	return (tool->control->put_behind - tool->control->get_behind) % ENTRIES;
}

static int poll_for(const struct tool *tool, int ms)
{
	struct pollfd pfd = { .fd = tool->fd, .events = POLLIN };

	CHECK(poll(&pfd, 1, ms) >= 0);
	return pfd.revents;
}

static void check_queue(int fd)
{
	UVM_TOOLS_SET_NOTIFICATION_THRESHOLD_PARAMS threshold = { .notificationThreshold = 2 };
	struct tool tool = tool_open();
	pid_t child;
	int status;

	CHECK_IS(poll_for(&tool, 0) & (POLLIN | POLLERR), POLLERR);
	CHECK_IS(watch(&tool, 1000, ENTRIES), NV_ERR_INSUFFICIENT_PERMISSIONS);
	CHECK_IS(watch(&tool, fd, 3), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(watch(&tool, fd, ENTRIES), NV_OK);
	CHECK_IS(watch(&tool, fd, ENTRIES), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(poll_for(&tool, 0), 0);
	inject(fd, TYPE, 1);
	CHECK_IS(waiting(&tool), 0);
	events(&tool, BIT64(TYPE));
	CHECK_IS(STATUS(tool.fd, UVM_TOOLS_SET_NOTIFICATION_THRESHOLD, &threshold), NV_OK);
	inject(fd, TYPE, 1);
	CHECK_IS(waiting(&tool), 1);
	CHECK_IS(tool.ring[0], TYPE);
	CHECK_IS(((u64 *)tool.ring)[1], 77);
	CHECK_IS(poll_for(&tool, 0), 0);
	/* Somebody sleeps until there are two. */
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		usleep(200000);
		inject(fd, TYPE, 1);
		_exit(0);
	}
	CHECK_IS(poll_for(&tool, 20000), POLLIN);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK_IS(waiting(&tool), 2);
	tool.control->get_ahead = tool.control->get_behind = 2;
	CHECK_IS(poll_for(&tool, 0), 0);
	/* What finds no place is counted. */
	inject(fd, TYPE, ENTRIES);
	CHECK_IS(waiting(&tool), ENTRIES - 1);
	CHECK_IS(tool.control->dropped[TYPE], 1);
	/* Indices of no ring, and memory that is none of the process's any more. */
	tool.control->put_behind = ~0u;
	tool.control->get_behind = 0x80000001;
	inject(fd, TYPE, 10);
	CHECK(munmap(tool.ring, 3 * PAGE) == 0);
	inject(fd, TYPE, 100);
	close(tool.fd);
	inject(fd, TYPE, 1);
}

/* One that ends without a word, in the middle of events. */
static void check_ends(int fd)
{
	struct tool tool;
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child) {
		tool = tool_open();
		CHECK_IS(watch(&tool, fd, ENTRIES), NV_OK);
		events(&tool, BIT64(TYPE));
		inject(fd, TYPE, 5);
		_exit(waiting(&tool) == 5 ? 0 : 1);
	}
	inject(fd, TYPE, 1000);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	inject(fd, TYPE, 1000);
}

static void check_counters(int fd)
{
	UVM_TEST_INCREMENT_TOOLS_COUNTER_PARAMS add = { .amount = 5, .counter = 3, .count = 4 };
	UVM_TOOLS_ENABLE_COUNTERS_PARAMS p = { .counterTypeFlags = BIT64(3) };
	UVM_TOOLS_DISABLE_COUNTERS_PARAMS end = { .counterTypeFlags = BIT64(3) };
	struct tool tool = tool_open();

	CHECK_IS(watch(&tool, fd, 0), NV_OK);
	CHECK_IS(STATUS(tool.fd, UVM_TOOLS_ENABLE_COUNTERS, &p), NV_OK);
	CHECK_IS(STATUS(fd, UVM_TEST_INCREMENT_TOOLS_COUNTER, &add), NV_OK);
	CHECK_IS(tool.counters[3], 20);
	CHECK_IS(STATUS(tool.fd, UVM_TOOLS_DISABLE_COUNTERS, &end), NV_OK);
	CHECK_IS(STATUS(fd, UVM_TEST_INCREMENT_TOOLS_COUNTER, &add), NV_OK);
	CHECK_IS(tool.counters[3], 20);
	close(tool.fd);
	CHECK(munmap(tool.ring, 3 * PAGE) == 0);
}

/* Under the modules a touch is a fault; on the user-space host memory is there before. */
static void check_faults(int fd)
{
	UVM_TOOLS_ENABLE_COUNTERS_PARAMS p = { .counterTypeFlags =
						       BIT64(UvmCounterNameCpuPageFaultCount) };
	bool modules = on_modules();
	struct tool tool = tool_open(), counting = tool_open();
	u8 *memory = reserve(MIB(2));
	volatile u8 *at = memory; /* touched in the order in which it is written here */
	const UvmEventCpuFaultInfo *fault = (const void *)tool.ring;

	CHECK_IS(watch(&tool, fd, ENTRIES), NV_OK);
	CHECK_IS(watch(&counting, fd, 0), NV_OK);
	CHECK_IS(STATUS(counting.fd, UVM_TOOLS_ENABLE_COUNTERS, &p), NV_OK);
	events(&tool, BIT64(UvmEventTypeCpuFault));
	CHECK_IS(map_at(fd, memory, MIB(2)), 0);
	at[5 * PAGE + 3] = 1;
	CHECK_IS(at[6 * PAGE], 0);
	if (modules) {
		CHECK_IS(waiting(&tool), 2);
		CHECK_IS(counting.counters[UvmCounterNameCpuPageFaultCount], 2);
		CHECK_IS(fault[0].eventType, UvmEventTypeCpuFault);
		CHECK_IS(fault[0].accessType, UvmEventMemoryAccessTypeWrite);
		CHECK_IS(fault[0].address & ~(u64)(PAGE - 1), (u64)(uintptr_t)memory + 5 * PAGE);
		CHECK_IS(fault[0].pid, getpid());
	}
	CHECK(munmap(memory, MIB(2)) == 0);
	close(counting.fd);
	close(tool.fd);
}

int row_uvm_tools(void)
{
	int fd = open_uvm();

	CHECK_IS(initialize(fd, 0), NV_OK);
	check_queue(fd);
	check_counters(fd);
	check_ends(fd);
	check_faults(fd);
	close(fd);
	return 0;
}
