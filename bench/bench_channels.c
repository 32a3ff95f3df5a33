// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Channels of a client of the user-space host: from a store to the doorbell to the semaphore that
 * an empty launch of a copy engine releases, while the GPU is busy and after some quiet; and what
 * very many channels with nothing to do cost.
 *
 * The references are the bare round trip over shared memory, and how long a store to a page that is
 * write-protected through userfaultfd takes to wake the thread that reads of it. Client and daemon
 * keep to the same two CPUs as the two of each reference.
 */
#include "host.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bits.h"
#include "host/user/handoff.h"
#include "tests/host/client.h"

#define PAGE 4096u
#define ROUNDS 400 /* short ones: some fall between what else runs on the machine */
#define RINGS 300
#define QUIET_US 20000
#define QUIET_ROUNDS 100
#define SETTLE_US 1000000
#define MANY 10000u
#define MANY_A_RUNLIST 2000u

#define SPACE 0x2000u
#define VIDEO 0x2001u
#define SYSTEM 0x2002u
#define WINDOW 0x2003u
#define USERMODE 0x2004u
#define OBJECT 0x2005u
#define GROUP 0x3000u /* and one for each runlist */
#define SHARE 0x4000u
#define CHANNEL 0x10000u

/* Video memory: GPFIFO, then a USERD for each channel. System memory: pushbuffers, semaphore. */
#define ENTRIES 1024u
#define USERD_AT (u64)(ENTRIES * 8)
#define VIDEO_BYTES MIB(8)
#define PUSH_BYTES 64u /* of a GPFIFO entry */
#define SEMAPHORE_AT (u64)(ENTRIES * PUSH_BYTES)
#define SYSTEM_BYTES MIB(1)
#define COPY_SUBCHANNEL 4u

static struct gpu_client gpu;
static u8 *video, *memory; /* as we have them mapped */
static u64 video_va, memory_va;
static u32 *bell;
static u32 token, sent;

/* -- A client's memory and channels ------------------------------------------------------------ */

static void *map(u32 handle, u64 size, int rights)
{
	nv_ioctl_nvos33_parameters_with_fd p = { .params = { .hClient = gpu.client,
							     .hDevice = HANDLE_DEVICE,
							     .hMemory = handle,
							     .length = size } };
	void *mem;

	p.fd = open("/dev/nvidia0", O_RDWR | O_CLOEXEC);
	CHECK(p.fd >= 0);
	CHECK(ioctl(gpu.ctl, IOC(NV_ESC_RM_MAP_MEMORY, nv_ioctl_nvos33_parameters_with_fd), &p) ==
	      0);
	CHECK(p.params.status == NV_OK);
	mem = mmap(NULL, size, rights, MAP_SHARED, p.fd, 0);
	CHECK(mem != MAP_FAILED && close(p.fd) == 0);
	return mem;
}

static u64 show(u32 handle, u64 size)
{
	NVOS46_PARAMETERS p = { .hClient = gpu.client,
				.hDevice = HANDLE_DEVICE,
				.hDma = WINDOW,
				.hMemory = handle,
				.length = size };

	CHECK(ioctl(gpu.ctl, IOC(NV_ESC_RM_MAP_MEMORY_DMA, NVOS46_PARAMETERS), &p) == 0);
	CHECK(p.status == NV_OK);
	return p.dmaOffset;
}

static void make(u32 parent, u32 handle, u32 class_id, void *params)
{
	u32 status = alloc(gpu.ctl, gpu.client, parent, handle, class_id, params);

	if (status != NV_OK)
		fprintf(stderr, "bench_channels: object %#x: %#x\n", handle, status);
	CHECK(status == NV_OK);
}

static void ask(u32 object, u32 cmd, void *params, u32 size)
{
	CHECK(control(gpu.ctl, gpu.client, object, cmd, params, size) == NV_OK);
}

/* The channel of that number, which may run; the first of a runlist makes its group. */
static void channel(u32 number)
{
	const u32 runlist = number / MANY_A_RUNLIST, group = GROUP + runlist;
	NV_CHANNEL_GROUP_ALLOCATION_PARAMETERS g = { .engineType =
							     NV2080_ENGINE_TYPE_COPY2 + runlist };
	NV_CTXSHARE_ALLOCATION_PARAMETERS share = {
		.hVASpace = SPACE,
		.flags = NV_CTXSHARE_ALLOCATION_FLAGS_SUBCONTEXT_ASYNC,
	};
	NV_CHANNEL_ALLOC_PARAMS p = {
		.gpFifoOffset = video_va,
		.gpFifoEntries = ENTRIES,
		.hContextShare = SHARE + runlist,
		.hUserdMemory = { VIDEO },
		.userdOffset = { USERD_AT + sizeof(Nvc86fControl) * number },
	};
	NVA06F_CTRL_GPFIFO_SCHEDULE_PARAMS schedule = { .bEnable = 1 };

	if (number % MANY_A_RUNLIST == 0) {
		make(HANDLE_DEVICE, group, KEPLER_CHANNEL_GROUP_A, &g);
		make(group, SHARE + runlist, FERMI_CONTEXT_SHARE_A, &share);
		ask(group, NVA06C_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule));
	}
	make(group, CHANNEL + number, HOPPER_CHANNEL_GPFIFO_A, &p);
	ask(CHANNEL + number, NVA06F_CTRL_CMD_GPFIFO_SCHEDULE, &schedule, sizeof(schedule));
}

/* A client with memory, a doorbell, and a first channel with a copy engine. */
static void begin(void)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_MEMORY_ALLOCATION_PARAMS in_video = { .owner = 1, .size = VIDEO_BYTES };
	NV_MEMORY_ALLOCATION_PARAMS in_system = {
		.owner = 1,
		.size = SYSTEM_BYTES,
		.attr = (u32)(REG_PREP(NVOS32_ATTR_LOCATION, NVOS32_ATTR_LOCATION_PCI) |
			      REG_PREP(NVOS32_ATTR_PHYSICALITY,
				       NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS)),
	};
	NV_MEMORY_VIRTUAL_ALLOCATION_PARAMS window = { .hVASpace = SPACE };
	NV_HOPPER_USERMODE_A_PARAMS usermode = { .bBar1Mapping = 1 };
	NVB0B5_ALLOCATION_PARAMETERS copy = { .version = 1,
					      .engineType = NV2080_ENGINE_TYPE_COPY2 };
	NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN_PARAMS p = { 0 };

	gpu_open(&gpu);
	make(HANDLE_DEVICE, SPACE, FERMI_VASPACE_A, &space);
	make(HANDLE_DEVICE, VIDEO, NV01_MEMORY_LOCAL_USER, &in_video);
	make(HANDLE_DEVICE, SYSTEM, NV01_MEMORY_SYSTEM, &in_system);
	make(HANDLE_DEVICE, WINDOW, NV01_MEMORY_VIRTUAL, &window);
	video_va = show(VIDEO, VIDEO_BYTES);
	memory_va = show(SYSTEM, SYSTEM_BYTES);
	video = map(VIDEO, VIDEO_BYTES, PROT_READ | PROT_WRITE);
	memory = map(SYSTEM, SYSTEM_BYTES, PROT_READ | PROT_WRITE);
	make(HANDLE_SUBDEVICE, USERMODE, HOPPER_USERMODE_A, &usermode);
	bell = map(USERMODE, KIB(64), PROT_WRITE);
	channel(0);
	make(CHANNEL, OBJECT, HOPPER_DMA_COPY_A, &copy);
	ask(CHANNEL, NVC36F_CTRL_CMD_GPFIFO_GET_WORK_SUBMIT_TOKEN, &p, sizeof(p));
	token = p.workSubmitToken;
}

/* -- Work -------------------------------------------------------------------------------------- */

static u32 header(u32 method, u32 count)
{
	return (u32)(REG_PREP(NVC86F_DMA_SEC_OP, NVC86F_DMA_SEC_OP_INC_METHOD) |
		     REG_PREP(NVC86F_DMA_METHOD_COUNT, count) |
		     REG_PREP(NVC86F_DMA_METHOD_SUBCHANNEL, COPY_SUBCHANNEL) |
		     REG_PREP(NVC86F_DMA_METHOD_ADDRESS, method / 4));
}

/* A launch that copies nothing, flushes, and releases the semaphore with the next value. */
static u32 put_launch(u32 *word)
{
	const u64 semaphore = memory_va + SEMAPHORE_AT;
	u32 n = 0;

	if (sent == 1) {
		word[n++] = header(NVC86F_SET_OBJECT, 1);
		word[n++] = HOPPER_DMA_COPY_A;
	}
	word[n++] = header(NVC8B5_SET_SEMAPHORE_A, 3);
	word[n++] = bits_high32(semaphore);
	word[n++] = bits_low32(semaphore);
	word[n++] = sent;
	word[n++] = header(NVC8B5_LAUNCH_DMA, 1);
	word[n++] = (u32)(REG_PREP(NVC8B5_LAUNCH_DMA_FLUSH_ENABLE, 1) |
			  REG_PREP(NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE,
				   NVC8B5_LAUNCH_DMA_SEMAPHORE_TYPE_RELEASE_FOUR_WORD_SEMAPHORE));
	return n;
}

/* Everything but the doorbell. */
static void submit(void)
{
	const u32 entry = sent++ % ENTRIES;
	const u64 at = memory_va + (u64)entry * PUSH_BYTES;
	u32 *gp = (u32 *)video + entry * 2;
	Nvc86fControl *userd = (Nvc86fControl *)(video + USERD_AT);
	u32 words = put_launch((u32 *)(memory + (u64)entry * PUSH_BYTES));

	gp[0] = bits_low32(at);
	gp[1] = (u32)(bits_high32(at) | REG_PREP(NVC86F_GP_ENTRY1_LENGTH, words));
	__atomic_store_n(&userd->GPPut, sent % ENTRIES, __ATOMIC_RELEASE);
}

static void ring(void)
{
	__atomic_store_n(&bell[NVC361_NOTIFY_CHANNEL_PENDING / 4], token, __ATOMIC_RELEASE);
}

static void complete(void)
{
	const u64 late = handoff_now() + 5000000000ull;
	const u32 *semaphore = (const u32 *)(memory + SEMAPHORE_AT);

	while (!handoff_look(semaphore, sent - 1))
		CHECK(handoff_now() < late);
}

/* Nanoseconds of a launch, from building it, the next one right after the last. */
static double busy_ns(void)
{
	u64 begin = handoff_now();

	for (u32 i = 0; i < RINGS; i++) {
		submit();
		ring();
		complete();
	}
	return (double)(handoff_now() - begin) / RINGS;
}

static double idle_ns(void)
{
	u64 begin;

	usleep(QUIET_US);
	submit();
	begin = handoff_now();
	ring();
	complete();
	return (double)(handoff_now() - begin);
}

/* -- The wake-up of a thread through userfaultfd ----------------------------------------------- */

static struct {
	int fd;
	u32 *page;
	u64 woken; /* when, of this time */
} fault;

static int protect(bool on)
{
	struct uffdio_writeprotect arg = {
		.range = { (u64)(uintptr_t)fault.page, PAGE },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(fault.fd, UFFDIO_WRITEPROTECT, &arg);
}

static void *fault_main(void *arg)
{
	struct uffd_msg event;

	host_pin(0, 1);
	while (read(fault.fd, &event, sizeof(event)) == sizeof(event)) {
		__atomic_store_n(&fault.woken, handoff_now(), __ATOMIC_RELEASE);
		CHECK(protect(false) == 0);
	}
	return NULL;
}

/* A page of shared memory as a doorbell's is, and who waits for stores to it. False: cannot. */
static bool fault_begin(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_WP };
	pthread_t thread;

	fault.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(fault.page != MAP_FAILED);
	*fault.page = 1;
	fault.fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (fault.fd < 0 || ioctl(fault.fd, UFFDIO_API, &api) != 0 ||
	    !(api.features & UFFD_FEATURE_WP_HUGETLBFS_SHMEM))
		return false;
	range.range = (struct uffdio_range){ (u64)(uintptr_t)fault.page, PAGE };
	return ioctl(fault.fd, UFFDIO_REGISTER, &range) == 0 &&
	       pthread_create(&thread, NULL, fault_main, NULL) == 0;
}

/* Nanoseconds from the store to the other thread's running. */
static double fault_ns(void)
{
	u64 begin;

	__atomic_store_n(&fault.woken, 0, __ATOMIC_RELAXED);
	CHECK(protect(true) == 0);
	usleep(QUIET_US);
	begin = handoff_now();
	__atomic_store_n(fault.page, 2, __ATOMIC_RELAXED);
	return (double)(__atomic_load_n(&fault.woken, __ATOMIC_ACQUIRE) - begin);
}

/* -- What is measured -------------------------------------------------------------------------- */

#define BUSY "doorbell to completion, busy / bare round trip"
#define IDLE "doorbell to completion, idle / userfaultfd wake-up"

static void busy_main(void)
{
	double bare = 1e18, ring = 1e18;

	host_echo_start(1);
	/* By turns, so that both see the same machine; the best of each. */
	for (u32 i = 0; i < ROUNDS; i++) {
		bare = min(bare, host_echo_ns(RINGS));
		ring = min(ring, busy_ns());
	}
	host_echo_stop();
	host_report(BUSY, ring / bare, 5);
	if (getenv("BENCH_TIMES"))
		printf("  %.0f ns; bare round trip %.0f\n", ring, bare);
}

static void idle_main(void)
{
	double wake[QUIET_ROUNDS], ring[QUIET_ROUNDS], wakes, rings;

	if (!fault_begin()) {
		host_skip(IDLE, "no userfaultfd that write-protects shared memory");
		return;
	}
	for (u32 i = 0; i < QUIET_ROUNDS; i++) {
		wake[i] = fault_ns();
		ring[i] = idle_ns();
	}
	wakes = host_median(wake, QUIET_ROUNDS);
	rings = host_median(ring, QUIET_ROUNDS);
	host_report(IDLE, ring[0] / wake[0], 1.5);
	if (getenv("BENCH_TIMES"))
		printf("  %.0f ns, median %.0f; wake-up %.0f, median %.0f\n", ring[0], rings,
		       wake[0], wakes);
}

/* The best is the least, which sorting puts first. */
static void doorbell_main(void)
{
	if (host_cpus() < 2) {
		host_skip(BUSY, "one CPU");
		host_skip(IDLE, "one CPU");
		return;
	}
	begin();
	host_pin_all(host_daemon(NULL), 1);
	host_pin(0, 0);
	busy_main();
	idle_main();
}

static void many_main(void)
{
	pid_t pid = host_daemon(NULL);

	begin();
	for (u32 i = 1; i < MANY; i++)
		channel(i);
	submit();
	ring();
	complete();
	usleep(SETTLE_US);
	host_report_idle(pid, "10,000 idle channels", "CPU time of 10,000 idle channels, percent");
}

int main(int argc, char **argv)
{
	const char *self = host_begin();

	if (argc < 2) {
		host_run(self, "doorbell");
		host_run(self, "many");
	} else if (!strcmp(argv[1], "doorbell")) {
		doorbell_main();
	} else {
		many_main();
	}
	return 0;
}
