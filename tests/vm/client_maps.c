// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* mmap of device nodes by real system calls: video and system memory, what is refused, and what is
 * left of a mapping whose GPU went. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "client.h"

#define DEVICE 0x10u
#define SUBDEVICE 0x11u
#define VIDEO 0x20u
#define SYSTEM 0x21u
#define USERMODE 0x22u
#define SPACE 0x23u
#define CHANNEL 0x24u
#define USERD_BYTES 512u
#define GP_PUT (0x8cu / sizeof(u32))
#define BYTES (1u << 20)
#define PAGE 4096u
#define BELL_BYTES NVC361_NV_USERMODE__SIZE

#define FIELD(value, name) ((u32)REG_PREP(name, name##_##value))

/* Status; what mmap of target is to show. */
static u32 prepare(int ctl, u32 client, u32 memory, u64 offset, u64 length, u32 flags, int target)
{
	nv_ioctl_nvos33_parameters_with_fd p = {
		.params = { .hClient = client,
			    .hDevice = DEVICE,
			    .hMemory = memory,
			    .offset = offset,
			    .length = length,
			    .flags = flags,
			    .status = ~0u },
		.fd = target,
	};

	CHECK_IS(escape(ctl, NV_ESC_RM_MAP_MEMORY, &p, sizeof(p)), 0);
	return p.params.status;
}

static void *map(int fd, u64 bytes, int prot)
{
	return mmap(NULL, bytes, prot, MAP_SHARED, fd, 0);
}

static int map_error(int fd, u64 bytes, int prot, int flags, off_t offset)
{
	void *at = mmap(NULL, bytes, prot, flags, fd, offset);

	CHECK(at == MAP_FAILED);
	return errno;
}

static void make_memory(int ctl, u32 client)
{
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = BYTES };
	NV_MEMORY_ALLOCATION_PARAMS system = { .owner = 1,
					       .size = BYTES,
					       .attr = FIELD(PCI, NVOS32_ATTR_LOCATION) };
	u32 handle = VIDEO;

	make_subdevice(ctl, client, DEVICE, SUBDEVICE);
	CHECK_IS(alloc(ctl, client, DEVICE, &handle, NV01_MEMORY_LOCAL_USER, &video, 0), NV_OK);
	handle = SYSTEM;
	CHECK_IS(alloc(ctl, client, DEVICE, &handle, NV01_MEMORY_SYSTEM, &system, 0), NV_OK);
	handle = USERMODE;
	CHECK_IS(alloc(ctl, client, SUBDEVICE, &handle, HOPPER_USERMODE_A, NULL, 0), NV_OK);
}

static void check_same(int ctl, u32 client, u32 memory, int first, int second)
{
	volatile u32 *a, *b;
	u32 i;

	CHECK_IS(prepare(ctl, client, memory, 0, BYTES, 0, first), NV_OK);
	/* The second begins further on. */
	CHECK_IS(prepare(ctl, client, memory, 16 * PAGE, 16 * PAGE, 0, second), NV_OK);
	CHECK_IS(map_error(first, BYTES + PAGE, PROT_READ, MAP_SHARED, 0), EINVAL);
	CHECK_IS(map_error(first, BYTES, PROT_READ, MAP_SHARED, PAGE), EINVAL);
	CHECK_IS(map_error(first, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0), EINVAL);
	a = map(first, BYTES, PROT_READ | PROT_WRITE);
	b = map(second, 16 * PAGE, PROT_READ | PROT_WRITE);
	CHECK(a != MAP_FAILED && b != MAP_FAILED);
	for (i = 0; i < BYTES / 4; i += 64)
		CHECK_IS(a[i], 0);
	for (i = 0; i < BYTES / 4; i += 64)
		a[i] = i + 1;
	for (i = 0; i < 16 * PAGE / 4; i += 64)
		CHECK_IS(b[i], i + 1 + 16 * PAGE / 4);
	/* In parts, and in system calls. */
	CHECK(munmap((void *)(a + PAGE / 4), PAGE) == 0);
	CHECK_IS(a[2 * PAGE / 4], 2 * PAGE / 4 + 1);
	CHECK(write(-1, (void *)a, 1) < 0 && errno == EBADF);
	CHECK(munmap((void *)a, BYTES) == 0);
	b[0] = 77;
	CHECK(munmap((void *)b, 16 * PAGE) == 0);
	/* Once prepared, as often as one likes. */
	a = map(first, BYTES, PROT_READ);
	CHECK(a != MAP_FAILED);
	CHECK_IS(a[16 * PAGE / 4], 77);
	CHECK(munmap((void *)a, BYTES) == 0);
}

static void check_read_only(int ctl, u32 client)
{
	int fd = open_gpu(0);
	void *at;

	CHECK_IS(map_error(fd, PAGE, PROT_READ, MAP_SHARED, 0), EINVAL);
	CHECK_IS(prepare(ctl, client, VIDEO, 0, PAGE, FIELD(READ_ONLY, NVOS33_FLAGS_ACCESS), fd),
		 NV_OK);
	CHECK_IS(map_error(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0), EACCES);
	at = map(fd, PAGE, PROT_READ);
	CHECK(at != MAP_FAILED);
	CHECK(mprotect(at, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
	munmap(at, PAGE);
	close(fd);
}

/* The memory stays with its mapping when the object and the descriptors are gone; a child has none.
 */
static void check_lives_on(int ctl, u32 client)
{
	int fd = open_gpu(0), status;
	volatile u32 *at;
	pid_t child;

	CHECK_IS(prepare(ctl, client, VIDEO, 0, BYTES, 0, fd), NV_OK);
	at = map(fd, BYTES, PROT_READ | PROT_WRITE);
	CHECK(at != MAP_FAILED);
	at[0] = 1234;
	CHECK_IS(free_object(ctl, client, VIDEO), NV_OK);
	close(fd);
	CHECK_IS(at[0], 1234);
	at[PAGE] = 5;
	CHECK_IS(at[PAGE], 5);
	child = fork();
	if (!child)
		_exit(at[0] != 0);
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(munmap((void *)at, BYTES) == 0);
}

/* The next to have freed memory finds nothing in it. */
static void check_clean(int ctl, u32 client)
{
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = BYTES };
	u32 round, i, handle;

	for (round = 0; round < 3; round++) {
		int fd = open_gpu(0);
		volatile u32 *at;

		handle = VIDEO;
		CHECK_IS(alloc(ctl, client, DEVICE, &handle, NV01_MEMORY_LOCAL_USER, &video, 0),
			 NV_OK);
		CHECK_IS(prepare(ctl, client, VIDEO, 0, BYTES, 0, fd), NV_OK);
		at = map(fd, BYTES, PROT_READ | PROT_WRITE);
		CHECK(at != MAP_FAILED);
		for (i = 0; i < BYTES / 4; i += 16)
			CHECK_IS(at[i], 0);
		for (i = 0; i < BYTES / 4; i += 16)
			at[i] = ~0u;
		munmap((void *)at, BYTES);
		close(fd);
		CHECK_IS(free_object(ctl, client, VIDEO), NV_OK);
	}
}

/* The USERD that the driver makes for a channel: mapped by the channel's handle, a page of it. */
int row_userd(void)
{
	NV_VASPACE_ALLOCATION_PARAMETERS space = { 0 };
	NV_CHANNEL_ALLOC_PARAMS channel = {
		.gpFifoOffset = 1u << 20,
		.gpFifoEntries = 0x100,
		.hVASpace = SPACE,
		.engineType = NV2080_ENGINE_TYPE_COPY4,
	};
	int ctl = open_control(), first = open_gpu(0), second = open_gpu(0);
	u32 client = make_client(ctl), handle = SPACE;
	volatile u32 *a, *b;

	CHECK(first >= 0 && second >= 0);
	make_subdevice(ctl, client, DEVICE, SUBDEVICE);
	CHECK_IS(alloc(ctl, client, DEVICE, &handle, FERMI_VASPACE_A, &space, 0), NV_OK);
	handle = CHANNEL;
	CHECK_IS(alloc(ctl, client, DEVICE, &handle, HOPPER_CHANNEL_GPFIFO_A, &channel, 0), NV_OK);
	CHECK_IS(prepare(ctl, client, CHANNEL, 0, USERD_BYTES, 0, ctl), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(prepare(ctl, client, CHANNEL, 0, PAGE, 0, first), NV_ERR_INVALID_LIMIT);
	CHECK_IS(prepare(ctl, client, CHANNEL, USERD_BYTES, 4, 0, first), NV_ERR_INVALID_BASE);
	CHECK_IS(prepare(ctl, client, CHANNEL, 0, USERD_BYTES, 0, first), NV_OK);
	CHECK_IS(prepare(ctl, client, CHANNEL, 0, USERD_BYTES,
			 FIELD(READ_ONLY, NVOS33_FLAGS_ACCESS), second),
		 NV_OK);
	CHECK_IS(map_error(first, 2 * PAGE, PROT_READ, MAP_SHARED, 0), EINVAL);
	CHECK_IS(map_error(second, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0), EACCES);
	a = map(first, PAGE, PROT_READ | PROT_WRITE);
	b = map(second, PAGE, PROT_READ);
	CHECK(a != MAP_FAILED && b != MAP_FAILED);
	CHECK_IS(b[GP_PUT], 0);
	a[GP_PUT] = 3;
	CHECK_IS(b[GP_PUT], 3);
	/* It stays when the channel is gone. */
	CHECK_IS(free_object(ctl, client, CHANNEL), NV_OK);
	close(first);
	close(second);
	a[GP_PUT] = 4;
	CHECK_IS(b[GP_PUT], 4);
	CHECK(munmap((void *)a, PAGE) == 0);
	CHECK(munmap((void *)b, PAGE) == 0);
	return 0;
}

/* A mapping of the file's doorbell, every word of it stored to; NULL: it cannot be had. */
static volatile u32 *map_bell(int fd)
{
	volatile u32 *at = map(fd, BELL_BYTES, PROT_READ | PROT_WRITE);
	u32 i;

	if (at == MAP_FAILED)
		return NULL;
	for (i = 0; i < BELL_BYTES / sizeof(*at); i++)
		at[i] = ~i;
	return at;
}

/* A child has none of it: a store is SIGSEGV. */
static void check_child(volatile u32 *at)
{
	pid_t child = fork();
	int status;

	if (!child) {
		at[0] = 1;
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* Doorbells whose client has no channels: anything may be stored, and nothing comes of it. */
int row_bells(void)
{
	int ctl = open_control(), fd = open_gpu(0), other = open_gpu(0);
	u32 client = make_client(ctl), round;
	volatile u32 *a, *b;

	CHECK(fd >= 0 && other >= 0);
	make_memory(ctl, client);
	CHECK_IS(prepare(ctl, client, USERMODE, 0, BELL_BYTES, 0, ctl), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(prepare(ctl, client, USERMODE, 0, 2 * BELL_BYTES, 0, fd), NV_ERR_INVALID_LIMIT);
	CHECK_IS(prepare(ctl, client, USERMODE, 0, BELL_BYTES, 0, fd), NV_OK);
	CHECK_IS(map_error(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0), EINVAL);
	CHECK_IS(map_error(fd, BELL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0), EINVAL);
	CHECK_IS(map_error(fd, BELL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE), EINVAL);
	a = map_bell(fd);
	b = map_bell(fd);
	CHECK(a && b && a != b);
	/* Parts of it go, the rest is as before; the pages come again whoever took them away. */
	CHECK(munmap((char *)a + 4 * PAGE, 4 * PAGE) == 0);
	for (round = 0; round < 200; round++) {
		a[round % (PAGE / 4)] = ~0u;
		a[(15 * PAGE + round * 4) / 4] = ~0u;
		b[36] = round;
		CHECK(madvise((void *)b, BELL_BYTES, MADV_DONTNEED) == 0);
		usleep(round * 10);
	}
	CHECK(mremap((void *)b, BELL_BYTES, 2 * BELL_BYTES, MREMAP_MAYMOVE) == MAP_FAILED);
	check_child(b);
	/* Mappings come and go while they are rung. */
	for (round = 0; round < 300; round++) {
		volatile u32 *c = map_bell(fd);

		CHECK(c);
		b[36] = 1;
		CHECK(munmap((void *)c, BELL_BYTES) == 0);
	}
	/* A part of the region, and one that is only read. */
	CHECK_IS(prepare(ctl, client, USERMODE, PAGE, PAGE, FIELD(READ_ONLY, NVOS33_FLAGS_ACCESS),
			 other),
		 NV_OK);
	CHECK_IS(map_error(other, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0), EACCES);
	a = map(other, PAGE, PROT_READ);
	CHECK(a != MAP_FAILED && a[36] == 0);
	CHECK(mprotect((void *)a, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
	/* It stays with its mapping when object and file are gone. */
	CHECK_IS(free_object(ctl, client, USERMODE), NV_OK);
	close(fd);
	b[36] = 5;
	return 0;
}

#define USER 65534u
#define STORM_BELLS 64u

/* Who is nobody's administrator; a descriptor on which a doorbell is prepared. */
static int bell_of_user(u32 uid)
{
	int ctl, fd;
	u32 client;

	CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
	ctl = open_control();
	fd = open_gpu(0);
	CHECK(fd >= 0);
	client = make_client(ctl);
	make_memory(ctl, client);
	CHECK_IS(prepare(ctl, client, USERMODE, 0, BELL_BYTES, 0, fd), NV_OK);
	return fd;
}

/* Rings as fast as it can, until it is killed. */
int row_bell_storm(void)
{
	volatile u32 *at[STORM_BELLS];
	int fd = bell_of_user(USER);
	u32 i;

	for (i = 0; i < STORM_BELLS; i++) {
		at[i] = map_bell(fd);
		CHECK(at[i]);
	}
	for (;;) {
		for (i = 0; i < STORM_BELLS; i++) {
			CHECK(madvise((void *)at[i], BELL_BYTES, MADV_DONTNEED) == 0);
			at[i][36] = i;
		}
	}
}

int row_maps(void)
{
	int ctl = open_control(), gpu = open_gpu(0), files[4];
	u32 client = make_client(ctl), i;

	CHECK(gpu >= 0);
	make_memory(ctl, client);
	for (i = 0; i < 4; i++)
		files[i] = i < 3 ? open_gpu(0) : open_control();
	CHECK_IS(map_error(ctl, PAGE, PROT_READ, MAP_SHARED, 0), EINVAL);
	check_same(ctl, client, VIDEO, files[0], files[1]);
	check_same(ctl, client, SYSTEM, files[2], files[3]);
	for (i = 0; i < 4; i++)
		close(files[i]);
	check_read_only(ctl, client);
	check_lives_on(ctl, client);
	check_clean(ctl, client);
	return 0;
}

static sigjmp_buf back;

static void on_bus_error(int number)
{
	siglongjmp(back, 1);
}

static const char *touch(volatile u32 *at)
{
	if (sigsetjmp(back, 1))
		return "gone";
	at[0]++;
	at[PAGE]++;
	return "there";
}

/* Maps all kinds, says so, and tells of each line of input how an access to each ends. */
int row_hold_maps(void)
{
	int ctl = open_control(), gpu = open_gpu(0), node = open_gpu(0), bell = open_gpu(0);
	u32 client = make_client(ctl);
	volatile u32 *at[3];
	char byte;

	CHECK(gpu >= 0 && node >= 0 && bell >= 0);
	make_memory(ctl, client);
	CHECK_IS(prepare(ctl, client, VIDEO, 0, BYTES, 0, gpu), NV_OK);
	CHECK_IS(prepare(ctl, client, SYSTEM, 0, BYTES, 0, node), NV_OK);
	at[0] = map(gpu, BYTES, PROT_READ | PROT_WRITE);
	at[1] = map(node, BYTES, PROT_READ | PROT_WRITE);
	CHECK(at[0] != MAP_FAILED && at[1] != MAP_FAILED);
	at[0][0] = at[1][0] = 1;
	CHECK_IS(prepare(ctl, client, USERMODE, 0, BELL_BYTES, 0, bell), NV_OK);
	at[2] = map_bell(bell);
	CHECK(at[2]);
	CHECK(signal(SIGBUS, on_bus_error) != SIG_ERR);
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		printf("%s ", touch(at[0]));
		printf("%s ", touch(at[1]));
		printf("%s\n", touch(at[2]));
		fflush(stdout);
	}
	return 0;
}
