// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Clients that map the driver's memory and have their own pinned: what is mapped is one memory for
 * all who have it, calls fail as the kernel's do, and no store is lost when memory is pinned.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define PAGE 4096u
#define HANDLE_MEMORY 0x2000u
#define HANDLE_OTHER 0x2001u
#define HANDLE_USERMODE 0x2002u
#define SIZE MIB(1)

/* -- Memory and its mappings --------------------------------------------------------------------
 */

static void memory_alloc(const struct gpu_client *c, u32 handle, bool video, u64 size)
{
	NV_MEMORY_ALLOCATION_PARAMS p = { .owner = 0x1234, .size = size };

	p.attr = video ? NVOS32_ATTR_LOCATION_VIDMEM << 25
		       : NVOS32_ATTR_LOCATION_PCI << 25 | NVOS32_ATTR_PHYSICALITY_NONCONTIGUOUS
								  << 27;
	CHECK(alloc(c->ctl, c->client, HANDLE_DEVICE, handle,
		    video ? NV01_MEMORY_LOCAL_USER : NV01_MEMORY_SYSTEM, &p) == NV_OK);
}

static void object_free(const struct gpu_client *c, u32 handle)
{
	NVOS00_PARAMETERS p = { .hRoot = c->client,
				.hObjectParent = HANDLE_DEVICE,
				.hObjectOld = handle };

	CHECK(ioctl(c->ctl, IOC(NV_ESC_RM_FREE, NVOS00_PARAMETERS), &p) == 0 && p.status == NV_OK);
}

/* A file of the GPU's that the next mmap maps the memory through. */
static int prepare(const struct gpu_client *c, u32 handle, u64 offset, u64 size, u32 flags)
{
	nv_ioctl_nvos33_parameters_with_fd p = { .params = { .hClient = c->client,
							     .hDevice = HANDLE_DEVICE,
							     .hMemory = handle,
							     .offset = offset,
							     .length = size,
							     .flags = flags } };
	int fd, tries = 0;

	/* What was closed is the daemon's a moment longer, and counts until then. */
	while ((fd = open("/dev/nvidia0", O_RDWR | O_CLOEXEC)) < 0 && errno == EMFILE &&
	       tries++ < 1000)
		usleep(5000);
	CHECK(fd >= 0);
	p.fd = fd;
	CHECK(ioctl(c->ctl, IOC(NV_ESC_RM_MAP_MEMORY, nv_ioctl_nvos33_parameters_with_fd), &p) ==
	      0);
	CHECK(p.params.status == NV_OK);
	return fd;
}

static void *map_at(const struct gpu_client *c, u32 handle, u64 size, void *addr, int flags)
{
	int fd = prepare(c, handle, 0, size, 0);
	void *mem = mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);

	CHECK(close(fd) == 0);
	return mem;
}

static u8 *map(const struct gpu_client *c, u32 handle, u64 size)
{
	void *mem = map_at(c, handle, size, NULL, 0);

	CHECK(mem != MAP_FAILED);
	return mem;
}

static bool is_mapped(const void *page)
{
	unsigned char there;

	return mincore((void *)page, PAGE, &there) == 0;
}

/* -- One memory ----------------------------------------------------------------------------------
 */

static void one_memory(const struct gpu_client *c, bool video)
{
	u8 *a, *b, *place;

	memory_alloc(c, HANDLE_MEMORY, video, SIZE);
	a = map(c, HANDLE_MEMORY, SIZE);
	b = map(c, HANDLE_MEMORY, SIZE);
	CHECK(a != b && a[0] == 0 && a[SIZE - 1] == 0);
	a[0] = 1;
	a[SIZE - 1] = 2;
	CHECK(b[0] == 1 && b[SIZE - 1] == 2);
	/* In pieces, from the middle. */
	CHECK(munmap(b + 2 * PAGE, PAGE) == 0);
	CHECK(is_mapped(b + PAGE) && !is_mapped(b + 2 * PAGE) && is_mapped(b + 3 * PAGE));
	CHECK(munmap(b + 3 * PAGE, SIZE - 3 * PAGE) == 0 && munmap(b, 2 * PAGE) == 0);
	/* At a place of the program's, over what is there. */
	place = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(place != MAP_FAILED);
	CHECK(map_at(c, HANDLE_MEMORY, SIZE, place, MAP_FIXED) == place && place[0] == 1);
	CHECK(map_at(c, HANDLE_MEMORY, SIZE, place, MAP_FIXED_NOREPLACE) == MAP_FAILED &&
	      errno == EEXIST);
	/* Anonymous memory comes first, whatever the descriptor. */
	CHECK(mmap(place, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   c->gpu, 0) == place &&
	      place[0] == 0);
	CHECK(munmap(place, SIZE) == 0);
	/* Freed, it stays for those who have it mapped; nobody else gets it meanwhile. */
	object_free(c, HANDLE_MEMORY);
	memory_alloc(c, HANDLE_MEMORY, video, SIZE);
	b = map(c, HANDLE_MEMORY, SIZE);
	CHECK(a[0] == 1 && b[0] == 0);
	b[0] = 3;
	CHECK(a[0] == 1 && b[0] == 3);
	CHECK(munmap(a, SIZE) == 0 && munmap(b, SIZE) == 0);
	object_free(c, HANDLE_MEMORY);
}

static void moves(const struct gpu_client *c)
{
	u8 *a, *far;

	memory_alloc(c, HANDLE_MEMORY, false, SIZE);
	a = map(c, HANDLE_MEMORY, SIZE);
	a[PAGE] = 4;
	far = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mremap(a, SIZE, 2 * SIZE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	CHECK(mremap(a, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, far) == far && far[PAGE] == 4);
	CHECK(mremap(far, SIZE, 2 * PAGE, 0) == far && !is_mapped(far + 2 * PAGE));
	CHECK(far[PAGE] == 4 && munmap(far, 2 * PAGE) == 0);
	object_free(c, HANDLE_MEMORY);
}

static void failures(const struct gpu_client *c)
{
	u8 *mem;
	int fd;

	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, c->gpu, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, c->ctl, 0) == MAP_FAILED && errno == EINVAL);
	memory_alloc(c, HANDLE_MEMORY, false, SIZE);
	fd = prepare(c, HANDLE_MEMORY, 0, SIZE, 0);
	CHECK(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, 0, fd, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, 2 * SIZE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap((void *)1, SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED &&
	      errno == EINVAL);
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(mem != MAP_FAILED && close(fd) == 0 && mem[0] == 0);
	CHECK(munmap(mem + 1, PAGE) < 0 && errno == EINVAL && mem[PAGE] == 0);
	CHECK(munmap(mem, SIZE) == 0);
	/* What may not be written cannot be made so either. */
	fd = prepare(c, HANDLE_MEMORY, 0, SIZE, NVOS33_FLAGS_ACCESS_READ_ONLY);
	CHECK(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(errno == EACCES);
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(mem != MAP_FAILED && mprotect(mem, SIZE, PROT_READ | PROT_WRITE) < 0);
	CHECK(errno == EACCES && munmap(mem, SIZE) == 0 && close(fd) == 0);
	object_free(c, HANDLE_MEMORY);
}

/* A child has what its parent had mapped, as its own process. */
static void forked(const struct gpu_client *c)
{
	u8 *mem;
	pid_t pid;

	memory_alloc(c, HANDLE_MEMORY, false, SIZE);
	mem = map(c, HANDLE_MEMORY, SIZE);
	pid = fork();
	if (pid == 0) {
		u8 *own;
		struct gpu_client other;

		mem[0] = 9;
		CHECK(munmap(mem, SIZE) == 0);
		gpu_open(&other);
		memory_alloc(&other, HANDLE_MEMORY, false, SIZE);
		own = map(&other, HANDLE_MEMORY, SIZE);
		CHECK(own[0] == 0);
		_exit(0);
	}
	wait_child(pid);
	CHECK(mem[0] == 9 && munmap(mem, SIZE) == 0);
	object_free(c, HANDLE_MEMORY);
}

static int cmd_maps(int argc, char **argv)
{
	struct gpu_client c;
	int files;

	gpu_open(&c);
	files = open("/dev/null", O_RDONLY);
	one_memory(&c, false);
	one_memory(&c, true);
	moves(&c);
	failures(&c);
	forked(&c);
	/* No descriptor stays behind. */
	CHECK(close(files) == 0 && open("/dev/null", O_RDONLY) == files);
	return 0;
}

/* -- Threads, signals and descriptors that run out -----------------------------------------------
 */

static void *map_again(void *arg)
{
	const struct gpu_client *c = arg;
	static u32 next = 0x3000;
	const u32 handle = __atomic_add_fetch(&next, 1, __ATOMIC_SEQ_CST);

	memory_alloc(c, handle, false, 4 * PAGE);
	for (u32 i = 0; i < 200; i++) {
		u8 *mem = map(c, handle, 4 * PAGE);

		CHECK(mem[0] == (u8)i);
		mem[0]++;
		CHECK(munmap(mem, 4 * PAGE) == 0);
	}
	object_free(c, handle);
	return NULL;
}

static void on_alarm(int sig)
{
	void *mem = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem != MAP_FAILED)
		munmap(mem, PAGE);
}

static int cmd_crowd(int argc, char **argv)
{
	struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { 0 };
	struct rlimit limit, few;
	pthread_t threads[4];
	struct gpu_client c;
	int fd;

	gpu_open(&c);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(pthread_create(&threads[i], NULL, map_again, &c) == 0);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	setitimer(ITIMER_REAL, &never, NULL);
	/* Without a number for what is passed nothing is mapped, and nothing is lost. */
	memory_alloc(&c, HANDLE_MEMORY, false, SIZE);
	fd = prepare(&c, HANDLE_MEMORY, 0, SIZE, 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	few = limit;
	few.rlim_cur = (rlim_t)fd + 1;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(close(fd) == 0);
	CHECK(munmap(map(&c, HANDLE_MEMORY, SIZE), SIZE) == 0);
	return 0;
}

/* Piece after piece of video memory is mapped, until there are too many: told in order. */
static int cmd_pieces(int argc, char **argv)
{
	struct gpu_client c;
	u32 n = 0;
	void *at;
	int fd;

	gpu_open(&c);
	for (;;) {
		memory_alloc(&c, HANDLE_MEMORY + n, true, KIB(4));
		fd = prepare(&c, HANDLE_MEMORY + n, 0, KIB(4), 0);
		at = mmap(NULL, KIB(4), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		CHECK(close(fd) == 0);
		if (at == MAP_FAILED)
			break;
		*(volatile u8 *)at = 1;
		n++;
	}
	CHECK(errno == ENOMEM);
	printf("%u\n", n);
	fflush(stdout);
	getchar();
	return 0;
}

/* -- Doorbells -----------------------------------------------------------------------------------
 */

static volatile u32 *bell_map(struct gpu_client *c)
{
	NV_HOPPER_USERMODE_A_PARAMS p = { .bBar1Mapping = 1 };
	volatile u32 *bell;
	int fd;

	gpu_open(c);
	CHECK(alloc(c->ctl, c->client, HANDLE_SUBDEVICE, HANDLE_USERMODE, HOPPER_USERMODE_A, &p) ==
	      NV_OK);
	fd = prepare(c, HANDLE_USERMODE, 0, KIB(64), 0);
	bell = mmap(NULL, KIB(64), PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(bell != MAP_FAILED && close(fd) == 0);
	return bell;
}

/* Rings once, and holds the page until standard input ends. */
static int cmd_quiet(int argc, char **argv)
{
	struct gpu_client c;
	volatile u32 *bell = bell_map(&c);
	char byte;

	bell[NVC361_NOTIFY_CHANNEL_PENDING / 4] = 1;
	printf("holding\n");
	fflush(stdout);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	bell[NVC361_NOTIFY_CHANNEL_PENDING / 4] = 2;
	return 0;
}

static int cmd_doorbell(int argc, char **argv)
{
	struct gpu_client c;
	volatile u32 *bell = bell_map(&c);

	/* A store is no wait, whoever looks: quiet in between, so that the page is armed again. */
	for (u32 i = 0; i < 20; i++) {
		bell[NVC361_NOTIFY_CHANNEL_PENDING / 4] = 0x12345;
		usleep(i * 1000);
	}
	CHECK(munmap((void *)bell, KIB(64)) == 0);
	return 0;
}

/* -- Pinning -------------------------------------------------------------------------------------
 */

static u32 pin_status(const struct gpu_client *c, u32 handle, void *mem, u64 size)
{
	nv_ioctl_nvos02_parameters_with_fd p = {
		.params = { .hRoot = c->client,
			    .hObjectParent = HANDLE_DEVICE,
			    .hObjectNew = handle,
			    .hClass = NV01_MEMORY_SYSTEM_OS_DESCRIPTOR,
			    .flags = 0x40001010, /* as libcuda */
			    .pMemory = (NvP64)(uintptr_t)mem,
			    .limit = size - 1 },
		.fd = -1,
	};

	CHECK(ioctl(c->gpu, IOC(NV_ESC_RM_ALLOC_MEMORY, nv_ioctl_nvos02_parameters_with_fd), &p) ==
	      0);
	return p.params.status;
}

static void pin(const struct gpu_client *c, u32 handle, void *mem, u64 size)
{
	u32 status = pin_status(c, handle, mem, size);

	if (status != NV_OK)
		fprintf(stderr, "pin: status 0x%x\n", status);
	CHECK(status == NV_OK);
}

static struct {
	u64 *words;
	u32 count;
	u32 stop;
	u64 stores, lost;
} race;

/* Each store is looked for before the next one. */
static void *storer(void *arg)
{
	u64 value = 0;

	while (!__atomic_load_n(&race.stop, __ATOMIC_RELAXED)) {
		u64 *word = &race.words[value % race.count * (PAGE / sizeof(u64))];

		value++;
		__atomic_store_n(word, value, __ATOMIC_RELAXED);
		if (__atomic_load_n(word, __ATOMIC_RELAXED) != value)
			race.lost++;
		race.stores++;
	}
	/* The last round is all there. */
	for (u32 i = 0; i < race.count && value > race.count; i++) {
		u64 at = value - 1 - i;

		if (race.words[at % race.count * (PAGE / sizeof(u64))] != at + 1)
			race.lost++;
	}
	return NULL;
}

/* Half of the pages nobody touched before; a second thread stores all the while. */
static void pin_races(const struct gpu_client *c, u32 turns)
{
	for (u32 i = 0; i < turns; i++) {
		const int shared = i % 3 == 2 ? MAP_SHARED : MAP_PRIVATE;
		pthread_t thread;

		race.words =
			mmap(NULL, SIZE, PROT_READ | PROT_WRITE, shared | MAP_ANONYMOUS, -1, 0);
		CHECK(race.words != MAP_FAILED);
		race.count = SIZE / PAGE;
		race.stop = 0;
		if (i & 1)
			memset(race.words, 0, SIZE);
		CHECK(pthread_create(&thread, NULL, storer, NULL) == 0);
		usleep(i % 7 * 300);
		pin(c, HANDLE_MEMORY, race.words, SIZE);
		/* Part of it once more. */
		pin(c, HANDLE_OTHER, (u8 *)race.words + PAGE, SIZE / 2);
		usleep(300);
		object_free(c, HANDLE_MEMORY);
		__atomic_store_n(&race.stop, 1, __ATOMIC_RELAXED);
		CHECK(pthread_join(thread, NULL) == 0);
		object_free(c, HANDLE_OTHER);
		CHECK(munmap(race.words, SIZE) == 0);
	}
	CHECK(race.stores > turns && !race.lost);
}

static void child_check(const u8 *mem)
{
	pid_t pid = fork();

	if (pid == 0) {
		u8 *own = (u8 *)mem;

		if (own[5] != 0x55)
			_exit(2);
		own[5] = 0x66;
		own[PAGE] = 0x66;
		_exit(0);
	}
	wait_child(pid);
	CHECK(mem[5] == 0x55 && mem[PAGE] == 0x44);
}

/* A child has a copy of its own of what is pinned, wherever it lies. */
static void pin_forks(const struct gpu_client *c)
{
	static u8 statics[5 * PAGE];
	u8 locals[5 * PAGE];
	u8 *heap = malloc(SIZE), *places[] = { statics, locals, heap };

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		u8 *mem = (u8 *)(((uintptr_t)places[i] + PAGE - 1) & ~(uintptr_t)(PAGE - 1));

		mem[5] = 0x55;
		mem[PAGE] = 0x44;
		pin(c, HANDLE_MEMORY, mem, 2 * PAGE);
		CHECK(mem[5] == 0x55 && mem[PAGE] == 0x44);
		child_check(mem);
		object_free(c, HANDLE_MEMORY);
		child_check(mem);
	}
	free(heap);
}

/* Grown by the C library, whose calls go past everybody. */
static void pin_grows(const struct gpu_client *c)
{
	u8 *mem = malloc(SIZE), *more;
	u8 *page = (u8 *)(((uintptr_t)mem + PAGE - 1) & ~(uintptr_t)(PAGE - 1));

	mem[SIZE - 1] = 7;
	pin(c, HANDLE_MEMORY, page, SIZE - PAGE);
	object_free(c, HANDLE_MEMORY);
	more = realloc(mem, 8 * SIZE);
	CHECK(more && more[SIZE - 1] == 7);
	memset(more, 1, 8 * SIZE);
	free(more);
}

/* Shared memory is pinned as it is; what is truncated away harms nobody else. */
static void pin_shared(const struct gpu_client *c)
{
	int fd = memfd_create("shared", MFD_CLOEXEC);
	u8 *mem, *other;

	CHECK(fd >= 0 && ftruncate(fd, SIZE) == 0);
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mem != MAP_FAILED && other != MAP_FAILED);
	pin(c, HANDLE_MEMORY, mem + PAGE, SIZE - PAGE);
	mem[PAGE] = 5;
	CHECK(other[PAGE] == 5 && ftruncate(fd, PAGE) == 0);
	object_free(c, HANDLE_MEMORY);
	CHECK(munmap(mem, SIZE) == 0 && munmap(other, SIZE) == 0 && close(fd) == 0);
}

/* Shared with nobody yet, and with a child once there is one. */
static void pin_nameless(const struct gpu_client *c)
{
	u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(mem != MAP_FAILED);
	mem[5] = 5;
	pin(c, HANDLE_MEMORY, mem, SIZE);
	CHECK(mem[5] == 5 && mem[PAGE] == 0);
	pid = fork();
	if (pid == 0) {
		mem[5] = 6;
		_exit(0);
	}
	wait_child(pid);
	CHECK(mem[5] == 6);
	object_free(c, HANDLE_MEMORY);
	CHECK(munmap(mem, SIZE) == 0);
}

static void pin_failures(const struct gpu_client *c)
{
	u8 *mem = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *device;

	CHECK(mem != MAP_FAILED && munmap(mem + 2 * PAGE, PAGE) == 0);
	CHECK(pin_status(c, HANDLE_MEMORY, mem, 4 * PAGE) == NV_ERR_INVALID_ADDRESS);
	mem[0] = 1;
	CHECK(mprotect(mem, PAGE, PROT_NONE) == 0);
	CHECK(pin_status(c, HANDLE_MEMORY, mem, 2 * PAGE) == NV_ERR_INVALID_ADDRESS);
	CHECK(mprotect(mem, PAGE, PROT_READ | PROT_WRITE) == 0 && mem[0] == 1);
	memory_alloc(c, HANDLE_OTHER, false, SIZE);
	device = map(c, HANDLE_OTHER, SIZE);
	CHECK(pin_status(c, HANDLE_MEMORY, device, PAGE) == NV_ERR_INVALID_ADDRESS);
	object_free(c, HANDLE_OTHER);
	CHECK(munmap(device, SIZE) == 0);
}

static int cmd_pins(int argc, char **argv)
{
	struct gpu_client c;

	gpu_open(&c);
	pin_races(&c, argc > 0 ? (u32)atoi(argv[0]) : 40);
	pin_nameless(&c);
	pin_forks(&c);
	pin_grows(&c);
	pin_shared(&c);
	pin_failures(&c);
	return 0;
}

/* -- To be killed --------------------------------------------------------------------------------
 */

static void *churn_thread(void *arg)
{
	const struct gpu_client *c = arg;

	for (u32 i = 0;; i++) {
		u32 handle = 0x4000 + i;

		memory_alloc(c, handle, i & 1, SIZE);
		munmap(map(c, handle, SIZE), SIZE);
		object_free(c, handle);
	}
	return NULL;
}

static int cmd_churn(int argc, char **argv)
{
	struct gpu_client c;
	pthread_t thread;

	gpu_open(&c);
	memory_alloc(&c, HANDLE_OTHER, false, SIZE);
	map(&c, HANDLE_OTHER, SIZE);
	CHECK(pthread_create(&thread, NULL, churn_thread, &c) == 0);
	printf("holding\n");
	fflush(stdout);
	for (;;) {
		u8 *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		CHECK(mem != MAP_FAILED);
		pin(&c, HANDLE_MEMORY, mem, SIZE);
		object_free(&c, HANDLE_MEMORY);
		munmap(mem, SIZE);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = { { "maps", cmd_maps },	       { "crowd", cmd_crowd },
			 { "doorbell", cmd_doorbell }, { "quiet", cmd_quiet },
			 { "pins", cmd_pins },	       { "churn", cmd_churn },
			 { "pieces", cmd_pieces } };

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
	}
	fprintf(stderr, "mapping: which test?\n");
	return 2;
}
