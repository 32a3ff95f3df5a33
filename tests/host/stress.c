// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clients that make it hard for the driver: one that holds one of everything until it is killed,
 * and one whose memory changes while the driver reads and writes it. Exits with 0, or says what
 * went wrong and exits with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define SYSTEM_MEMORY 0x1003u
#define VIDEO_MEMORY 0x1004u
#define PAGE 4096u

/* -- One of everything ------------------------------------------------------------------------- */

static void hold_event(struct gpu_client *h)
{
	gpu_event(h);
	gpu_fire(h);
}

static void hold_memory(struct gpu_client *h)
{
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = 8u << 20 };
	NV_MEMORY_ALLOCATION_PARAMS system = {
		.owner = 1,
		.size = 1u << 20,
		.attr = NVOS32_ATTR_LOCATION_PCI << NVOS32_ATTR_LOCATION__LO,
	};

	CHECK(alloc(h->ctl, h->client, HANDLE_DEVICE, VIDEO_MEMORY, NV01_MEMORY_LOCAL_USER,
		    &video) == NV_OK);
	CHECK(alloc(h->ctl, h->client, HANDLE_DEVICE, SYSTEM_MEMORY, NV01_MEMORY_SYSTEM, &system) ==
	      NV_OK);
}

/* Holds everything over and over, with a child that shares it, until it is killed. */
static int cmd_churn(int argc, char **argv)
{
	bool told = false;

	for (;;) {
		struct gpu_client h;

		gpu_open(&h);
		hold_event(&h);
		hold_memory(&h);
		if (!told)
			CHECK(write(STDOUT_FILENO, "holding\n", 8) == 8);
		told = true;
		if (fork() == 0) {
			control(h.ctl, h.client, HANDLE_SUBDEVICE,
				NV2080_CTRL_CMD_EVENT_SET_TRIGGER, NULL, 0);
			_exit(0);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		close(h.gpu);
		close(h.ctl);
	}
}

/* Holds everything until standard input ends. */
static int cmd_hold(int argc, char **argv)
{
	struct gpu_client h;
	char byte;

	gpu_open(&h);
	hold_event(&h);
	hold_memory(&h);
	CHECK(write(STDOUT_FILENO, "holding\n", 8) == 8);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	return 0;
}

/* -- Memory that changes ----------------------------------------------------------------------- */

#define INFO_A NV2080_CTRL_BUS_INFO_INDEX_TYPE
#define INFO_B NV2080_CTRL_BUS_INFO_INDEX_BUS_NUMBER
#define SENTINEL 0x5eed5eedu

/*
 * What both threads know: a page with parameters and one with what they point at. The pages lie
 * apart, and nothing but the driver and the other thread touch them while they come and go.
 */
static struct {
	u8 *params, *data;
	void (*disturb)(u32 turn);
	bool stop; /* atomic */
} race;

/* Far from where the kernel puts mappings: nobody takes the place of a page that is away. */
#define PLACE ((u8 *)0x7e9000000000)

static u8 *map_at(u8 *at)
{
	u8 *page = mmap(at, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(page == at);
	return page;
}

static void remap(u8 *page)
{
	CHECK(munmap(page, PAGE) == 0);
	map_at(page);
}

static void disturb_unmap(u32 turn)
{
	remap(turn % 2 ? race.params : race.data);
}

static void disturb_protect(u32 turn)
{
	static const int modes[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };

	CHECK(mprotect(turn % 2 ? race.params : race.data, PAGE, modes[turn / 2 % 3]) == 0);
}

/* The lists of busInfo and biosInfo; both structures are alike. */
struct list {
	u32 count;
	u64 pointer;
};

static NVXXXX_CTRL_XXX_INFO *list_at(u32 n)
{
	return (NVXXXX_CTRL_XXX_INFO *)(void *)(race.data + n * 512);
}

/* Count and pointer change one by one: each is whole, and is looked at once. */
static void disturb_rewrite(u32 turn)
{
	static const u32 counts[] = { 1, 2, ~0u, 1, 2, 1000 };
	struct list *list = (void *)race.params;

	__atomic_store_n(&list->count, counts[turn % 6], __ATOMIC_RELAXED);
	__atomic_store_n(&list->pointer,
			 turn % 7 == 0 ? 0x10 : (u64)(uintptr_t)list_at(turn / 3 % 2),
			 __ATOMIC_RELAXED);
}

static void *disturber(void *arg)
{
	for (u32 turn = 0; !__atomic_load_n(&race.stop, __ATOMIC_ACQUIRE); turn++)
		race.disturb(turn);
	return NULL;
}

static pthread_t race_start(void (*disturb)(u32 turn))
{
	pthread_t thread;

	race.disturb = disturb;
	race.stop = false;
	CHECK(pthread_create(&thread, NULL, disturber, NULL) == 0);
	return thread;
}

static void race_stop(pthread_t thread)
{
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	CHECK(mprotect(race.params, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(mprotect(race.data, PAGE, PROT_READ | PROT_WRITE) == 0);
}

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

struct outcome {
	u32 good, faults, refused;
};

/* Texts that do not fit or cannot be written, lists that are too long, and an empty one. */
static bool is_refusal(u32 cmd, u32 status)
{
	switch (cmd) {
	case NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION:
		return status == NV_ERR_INVALID_PARAM_STRUCT;
	case NV2080_CTRL_CMD_BIOS_GET_INFO:
		/* A new page is all zeros: a list of no entries, which the firmware refuses. */
		return status == NV_ERR_INVALID_ARGUMENT && race.disturb == disturb_unmap;
	default:
		return status == NV_ERR_INSUFFICIENT_RESOURCES && race.disturb == disturb_rewrite;
	}
}

static void count_status(struct outcome *o, u32 cmd, u32 status)
{
	if (status == NV_OK) {
		o->good++;
	} else if (status == NV_ERR_INVALID_ADDRESS) {
		o->faults++;
	} else if (is_refusal(cmd, status)) {
		o->refused++;
	} else {
		fprintf(stderr, "command %#x: status %#x\n", cmd, status);
		exit(1);
	}
}

/* Lists A and B of two entries each and one more behind them that no count reaches. */
static void lists_fill(void)
{
	for (u32 n = 0; n < 2; n++) {
		for (u32 i = 0; i < 3; i++)
			list_at(n)[i] = (NVXXXX_CTRL_XXX_INFO){ .index = n ? INFO_B : INFO_A,
								.data = SENTINEL };
	}
}

/* The driver read one list and wrote the same, as much as it read. */
static void lists_check(u32 status, const u32 want[2])
{
	u32 served = 0;

	for (u32 n = 0; n < 2; n++) {
		const NVXXXX_CTRL_XXX_INFO *list = list_at(n);

		for (u32 i = 0; i < 3; i++) {
			CHECK(list[i].index == (n ? INFO_B : INFO_A));
			CHECK(list[i].data == SENTINEL || (i < 2 && list[i].data == want[n]));
		}
		CHECK(list[0].data != SENTINEL || list[1].data == SENTINEL);
		served += list[0].data != SENTINEL;
	}
	CHECK(served == (status == NV_OK));
}

#define PATIENCE_MS 10000u /* where other programs have the CPUs */

/* Until the time is over and each outcome was seen. */
static bool race_goes_on(u64 end, bool complete)
{
	return now_ms() < end || (!complete && now_ms() < end + PATIENCE_MS);
}

static void race_lists(struct gpu_client *h, struct outcome *o, u32 ms)
{
	const u32 cmd = NV2080_CTRL_CMD_BUS_GET_INFO;
	u32 want[2];
	u64 end;
	pthread_t thread;

	for (u32 n = 0; n < 2; n++) {
		lists_fill();
		*(struct list *)(void *)race.params =
			(struct list){ 1, (u64)(uintptr_t)list_at(n) };
		CHECK(control(h->ctl, h->client, HANDLE_SUBDEVICE, cmd, race.params,
			      sizeof(struct list)) == NV_OK);
		want[n] = list_at(n)[0].data;
	}
	CHECK(want[0] != want[1] && want[0] != SENTINEL && want[1] != SENTINEL);
	thread = race_start(disturb_rewrite);
	end = now_ms() + ms;
	while (race_goes_on(end, o->good && o->faults && o->refused)) {
		u32 status;

		lists_fill();
		status = control(h->ctl, h->client, HANDLE_SUBDEVICE, cmd, race.params,
				 sizeof(struct list));
		count_status(o, cmd, status);
		lists_check(status, want);
	}
	race_stop(thread);
}

/* Pages come and go under both parameters and data. */
static void race_pages(struct gpu_client *h, u32 cmd, void (*disturb)(u32 turn), struct outcome *o,
		       u32 ms)
{
	bool version = cmd == NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION;
	u32 size =
		version ? sizeof(NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS) : sizeof(struct list);
	u32 object = version ? h->client : HANDLE_SUBDEVICE;
	u64 data = (u64)(uintptr_t)race.data, end;
	pthread_t thread;

	memset(race.params, 0, PAGE);
	if (version)
		*(NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS *)(void *)race.params =
			(NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS){
				.sizeOfStrings = 512,
				.pDriverVersionBuffer = data,
				.pVersionBuffer = data + 512,
				.pTitleBuffer = data + 1024,
			};
	else
		*(struct list *)(void *)race.params = (struct list){ 2, data };
	memset(race.data, 0, PAGE);
	thread = race_start(disturb);
	end = now_ms() + ms;
	while (race_goes_on(end, o->good && o->faults))
		count_status(o, cmd, control(h->ctl, h->client, object, cmd, race.params, size));
	race_stop(thread);
}

/* A copy that is not there or not whole is a status, and what was copied once is what counts. */
static int cmd_races(int argc, char **argv)
{
	static const u32 cmds[] = { NV0000_CTRL_CMD_SYSTEM_GET_BUILD_VERSION,
				    NV2080_CTRL_CMD_BUS_GET_INFO, NV2080_CTRL_CMD_BIOS_GET_INFO };
	struct outcome lists = { 0 }, unmapped = { 0 }, protected = { 0 };
	struct gpu_client h;

	gpu_open(&h);
	race.params = map_at(PLACE);
	race.data = map_at(PLACE + 2 * PAGE);
	race_lists(&h, &lists, 600);
	for (u32 i = 0; i < ARRAY_SIZE(cmds); i++) {
		race_pages(&h, cmds[i], disturb_protect, &protected, 250);
		race_pages(&h, cmds[i], disturb_unmap, &unmapped, 250);
	}
	printf("rewritten: %u good, %u faults, %u refused\n", lists.good, lists.faults,
	       lists.refused);
	printf("protected: %u good, %u faults, %u refused\n", protected.good, protected.faults,
	       protected.refused);
	printf("unmapped: %u good, %u faults, %u refused\n", unmapped.good, unmapped.faults,
	       unmapped.refused);
	CHECK(lists.good && lists.faults && lists.refused);
	CHECK(protected.good && protected.faults && unmapped.good && unmapped.faults);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = { { "churn", cmd_churn }, { "hold", cmd_hold }, { "races", cmd_races } };

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
	}
	fprintf(stderr, "stress: which test?\n");
	return 2;
}
