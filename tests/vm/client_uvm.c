// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * /dev/nvidia-uvm by real system calls: what is refused, memory at addresses of its own, a GPU with
 * page tables, and processes that share or leave a file.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "client_uvm.h"

#define DEVICE 0x10u
#define SUBDEVICE 0x11u
#define SPACE 0x12u
#define VIDEO 0x13u
/* NV_VASPACE_ALLOCATION_FLAGS_IS_EXTERNALLY_OWNED, with what CUDA asks for beside it. */
#define EXTERNALLY_OWNED 0x48u

bool on_modules(void)
{
	return access("/sys/module/nvidia_uvm/parameters/uvm_enable_builtin_tests", F_OK) == 0;
}

int open_uvm(void)
{
	int fd = open("/dev/nvidia-uvm", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

u32 initialize(int fd, u64 flags)
{
	UVM_INITIALIZE_PARAMS p = { .flags = flags, .rmStatus = ~0u };

	return STATUS(fd, UVM_INITIALIZE, &p);
}

u8 *reserve(u64 size)
{
	u8 *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

/* 0 or the negative errno. */
static int map_with(int fd, u8 *at, u64 size, int prot, int kind, u64 offset)
{
	return mmap(at, size, prot, kind | MAP_FIXED, fd, (off_t)offset) == at ? 0 : -errno;
}

int map_at(int fd, u8 *at, u64 size)
{
	return map_with(fd, at, size, PROT_READ | PROT_WRITE, MAP_SHARED, (u64)(uintptr_t)at);
}

/* Whether a page can be read: by a system call, which gets no signal. */
static bool is_there(const volatile u8 *at)
{
	int pipes[2];
	bool there;

	CHECK(pipe(pipes) == 0);
	there = write(pipes[1], (const void *)at, 1) == 1;
	CHECK(there || errno == EFAULT);
	close(pipes[0]);
	close(pipes[1]);
	return there;
}

/* Exit status of what a child does with the file. */
static int in_child(int (*run)(int fd, u8 *at), int fd, u8 *at)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child)
		_exit(run(fd, at));
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void check_refusals(void)
{
	UVM_PAGEABLE_MEM_ACCESS_PARAMS pageable = { 0 };
	int fd = open_uvm(), tools = open("/dev/nvidia-uvm-tools", O_RDWR);
	u8 *at = reserve(4 * PAGE);

	CHECK(tools >= 0);
	CHECK_IS(CALL(tools, UVM_INITIALIZE, &pageable), -EINVAL);
	CHECK_IS(map_at(tools, at, PAGE), -ENODEV);
	CHECK_IS(CALL(fd, 0, &pageable), -EINVAL);
	CHECK_IS(CALL(fd, ~0u, &pageable), -EINVAL);
	CHECK_IS(CALL(fd, _IOWR('F', 1, int), &pageable), -EINVAL);
	CHECK_IS(CALL(fd, UVM_INITIALIZE, BAD_POINTER), -EFAULT);
	CHECK_IS(CALL(fd, UVM_ALLOC_SEMAPHORE_POOL, BAD_POINTER), -EFAULT);
	CHECK_IS(STATUS(fd, UVM_PAGEABLE_MEM_ACCESS, &pageable), NV_ERR_ILLEGAL_ACTION);
	CHECK_IS(map_at(fd, at, PAGE), -EBADFD);
	CHECK_IS(initialize(fd, ~0ull), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(initialize(fd, UVM_INIT_FLAGS_DISABLE_HMM), NV_OK);
	CHECK_IS(initialize(fd, UVM_INIT_FLAGS_DISABLE_HMM), NV_OK);
	CHECK_IS(initialize(fd, 0), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(CALL(fd, UVM_PAGEABLE_MEM_ACCESS, BAD_POINTER), -EFAULT);
	CHECK_IS(STATUS(fd, UVM_PAGEABLE_MEM_ACCESS, &pageable), NV_OK);
	CHECK_IS(pageable.pageableMemAccess, 0);
	CHECK_IS(CALL(fd, UVM_DEINITIALIZE, NULL), 0);
	CHECK_IS(map_with(fd, at, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0), -EINVAL);
	CHECK_IS(map_with(fd, at, PAGE, PROT_READ, MAP_SHARED, (u64)(uintptr_t)at), -EINVAL);
	CHECK_IS(map_with(fd, at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, (u64)(uintptr_t)at),
		 -EINVAL);
	close(tools);
	close(fd);
}

static int child_of_managed(int fd, u8 *at)
{
	CHECK(!is_there(at));
	CHECK_IS(map_at(fd, reserve(PAGE), PAGE), -EOPNOTSUPP);
	return 0;
}

static void check_managed(void)
{
	const u64 size = MIB(6);
	u8 *at = reserve(size), *elsewhere = reserve(size);
	int fd = open_uvm();
	u64 i;

	CHECK_IS(initialize(fd, 0), NV_OK);
	CHECK_IS(map_at(fd, at, size), 0);
	for (i = 0; i < size; i += PAGE)
		CHECK_IS(at[i], 0);
	for (i = 0; i < size; i += PAGE)
		at[i] = (u8)(i / PAGE * 7 + 1);
	/* Parts go, also over the border of a block; others stay. */
	CHECK(munmap(at + MIB(1), PAGE) == 0 && munmap(at + MIB(4) - PAGE, 2 * PAGE) == 0);
	CHECK(!is_there(at + MIB(1)) && !is_there(at + MIB(4)) && is_there(at + MIB(1) + PAGE));
	for (i = 0; i < size; i += PAGE)
		if (i != MIB(1) && i != MIB(4) - PAGE && i != MIB(4))
			CHECK_IS(at[i], (u8)(i / PAGE * 7 + 1));
	/* In a hole there is new memory, and only there. */
	CHECK_IS(map_at(fd, at + MIB(1), PAGE), 0);
	CHECK_IS(at[MIB(1)], 0);
	/* An address is what names it. */
	CHECK(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == MAP_FAILED);
	CHECK_IS(at[0], 1);
	CHECK_IS(in_child(child_of_managed, fd, at), 0);
	/* A mapping keeps its file. */
	close(fd);
	CHECK_IS(at[PAGE], 8);
	CHECK(munmap(at, size) == 0);
}

static void check_pool(int fd, u64 size)
{
	UVM_ALLOC_SEMAPHORE_POOL_PARAMS p = { .length = size };
	UVM_FREE_PARAMS end = { .length = size };
	u8 *at = reserve(size);

	p.base = end.base = (u64)(uintptr_t)at;
	CHECK_IS(STATUS(fd, UVM_ALLOC_SEMAPHORE_POOL, &p), NV_OK);
	CHECK_IS(STATUS(fd, UVM_ALLOC_SEMAPHORE_POOL, &p), NV_ERR_UVM_ADDRESS_IN_USE);
	CHECK_IS(map_at(fd, at, PAGE), -EINVAL);
	CHECK_IS(map_at(fd, at, size), 0);
	at[0] = 1;
	at[size - 1] = 2;
	CHECK(at[0] == 1 && at[PAGE] == 0 && at[size - 1] == 2);
	CHECK(munmap(at, size) == 0 && !is_there(at));
	/* What was written is still there: it is one memory for all. */
	CHECK_IS(map_at(fd, at, size), 0);
	CHECK(at[0] == 1 && at[size - 1] == 2);
	CHECK(munmap(at, size) == 0);
	CHECK_IS(STATUS(fd, UVM_FREE, &end), NV_OK);
}

static int child_initializes(int fd, u8 *at)
{
	CHECK_IS(initialize(fd, 0), NV_OK);
	CHECK_IS(map_at(fd, at, PAGE), 0);
	at[0] = 1;
	return 0;
}

/*
 * What a second file gets for one whose process has ended. The user-space host's driver learns of
 * the end a moment after whoever waited for the process: there it may have to be asked again.
 */
static u32 mm_status_once_gone(int fd)
{
	UVM_MM_INITIALIZE_PARAMS mm = { .uvmFd = fd };
	u32 status = NV_OK;
	int other;

	for (u32 i = 0; i < 2000 && status != NV_ERR_PAGE_TABLE_NOT_AVAIL; i++) {
		other = open_uvm();
		status = STATUS(other, UVM_MM_INITIALIZE, &mm);
		close(other);
		/* While it lives it is another's. */
		if (status == NV_ERR_INVALID_ARGUMENT)
			usleep(1000);
	}
	return status;
}

/* The process of a file ends before the file does. */
static void check_left_behind(void)
{
	UVM_MM_INITIALIZE_PARAMS mm = { 0 };
	int fd = open_uvm(), other = open_uvm();
	u8 *at = reserve(PAGE);

	mm.uvmFd = fd;
	CHECK_IS(STATUS(other, UVM_MM_INITIALIZE, &mm), NV_ERR_INVALID_ARGUMENT);
	CHECK_IS(in_child(child_initializes, fd, at), 0);
	CHECK_IS(map_at(fd, at, PAGE), -EOPNOTSUPP);
	CHECK_IS(mm_status_once_gone(fd), NV_ERR_PAGE_TABLE_NOT_AVAIL);
	CHECK_IS(initialize(fd, 0), NV_OK);
	close(other);
	close(fd);
	fd = open_uvm();
	other = open_uvm();
	CHECK_IS(initialize(fd, 0), NV_OK);
	mm.uvmFd = fd;
	CHECK_IS(STATUS(other, UVM_MM_INITIALIZE, &mm), NV_OK);
	mm.uvmFd = other;
	CHECK_IS(STATUS(other, UVM_MM_INITIALIZE, &mm), NV_ERR_INVALID_ARGUMENT);
	mm.uvmFd = 0;
	CHECK_IS(STATUS(other, UVM_MM_INITIALIZE, &mm), NV_ERR_INVALID_ARGUMENT);
	close(fd);
	close(other);
}

void learn_uuid(int ctl, u32 client, NvProcessorUuid *uuid)
{
	NV0000_CTRL_GPU_GET_PROBED_IDS_PARAMS ids = { 0 };
	NV0000_CTRL_GPU_GET_UUID_FROM_GPU_ID_PARAMS p = { 0 };

	CHECK_IS(
		control(ctl, client, client, NV0000_CTRL_CMD_GPU_GET_PROBED_IDS, &ids, sizeof(ids)),
		NV_OK);
	p.gpuId = ids.gpuIds[0];
	p.flags = (u32)REG_PREP(NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID_FLAGS_FORMAT,
				NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID_FLAGS_FORMAT_BINARY);
	CHECK_IS(control(ctl, client, client, NV0000_CTRL_CMD_GPU_GET_UUID_FROM_GPU_ID, &p,
			 sizeof(p)),
		 NV_OK);
	memcpy(uuid->uuid, p.gpuUuid, sizeof(uuid->uuid));
}

struct joined join(void)
{
	NV_VASPACE_ALLOCATION_PARAMETERS external = { .flags = EXTERNALLY_OWNED };
	struct joined j = { open_uvm(), open_uvm(), open_control(), open_gpu(0), 0, { { 0 } } };
	UVM_REGISTER_GPU_VASPACE_PARAMS space = { .rmCtrlFd = j.ctl, .hVaSpace = SPACE };
	UVM_MM_INITIALIZE_PARAMS mm = { .uvmFd = j.fd };
	UVM_REGISTER_GPU_PARAMS gpu = { 0 };
	u32 handle = SPACE;

	CHECK(j.node >= 0);
	j.client = make_client(j.ctl);
	make_subdevice(j.ctl, j.client, DEVICE, SUBDEVICE);
	CHECK_IS(alloc(j.ctl, j.client, DEVICE, &handle, FERMI_VASPACE_A, &external, 0), NV_OK);
	learn_uuid(j.ctl, j.client, &j.uuid);
	CHECK_IS(initialize(j.fd, 0), NV_OK);
	CHECK_IS(STATUS(j.alive, UVM_MM_INITIALIZE, &mm), NV_OK);
	gpu.gpu_uuid = space.gpuUuid = j.uuid;
	CHECK_IS(STATUS(j.fd, UVM_REGISTER_GPU, &gpu), NV_OK);
	space.hClient = j.client;
	CHECK_IS(STATUS(j.fd, UVM_REGISTER_GPU_VASPACE, &space), NV_OK);
	return j;
}

void leave(const struct joined *j)
{
	close(j->fd);
	close(j->alive);
	close(j->node);
	close(j->ctl);
}

u32 try_migrate(const struct joined *j, u8 *base, u64 size, bool to_gpu)
{
	static const NvProcessorUuid cpu = { { 0xa6, 0x5e, 0x0f, 0x4e, 0xd7, 0xd4, 0x7b, 0xa2, 0x50,
					       0x47, 0x41, 0x2c, 0x14, 0x2a, 0x77, 0x73 } };
	UVM_MIGRATE_PARAMS p = { .base = (u64)(uintptr_t)base,
				 .length = size,
				 .destinationUuid = to_gpu ? j->uuid : cpu };

	return STATUS(j->fd, UVM_MIGRATE, &p);
}

/*
 * A GPU with page tables of the file's: everything that has an address there is written to them.
 * hold: says that all is there, and goes on when its input ends.
 */
static void check_gpu(bool hold)
{
	UVM_REGISTER_GPU_PARAMS nobody = { .gpu_uuid = { { 1 } } }, gpu = { 0 };
	UVM_REGISTER_GPU_VASPACE_PARAMS space = { .hVaSpace = SPACE };
	NV_VASPACE_ALLOCATION_PARAMETERS external = { .flags = EXTERNALLY_OWNED };
	NV_MEMORY_ALLOCATION_PARAMS video = { .owner = 1, .size = MIB(2), .alignment = MIB(2) };
	UVM_CREATE_EXTERNAL_RANGE_PARAMS range = { .length = MIB(2) };
	static UVM_MAP_EXTERNAL_ALLOCATION_PARAMS map;
	UVM_MIGRATE_PARAMS migrate = { .length = MIB(2) };
	int fd = open_uvm(), alive = open_uvm(), ctl = open_control(), node = open_gpu(0);
	UVM_MM_INITIALIZE_PARAMS mm = { .uvmFd = fd };
	u8 *at = reserve(MIB(6)), *base = at + (MIB(2) - (uintptr_t)at % MIB(2));
	u32 client = make_client(ctl), handle = SPACE;

	CHECK(node >= 0);
	make_subdevice(ctl, client, DEVICE, SUBDEVICE);
	CHECK_IS(alloc(ctl, client, DEVICE, &handle, FERMI_VASPACE_A, &external, 0), NV_OK);
	handle = VIDEO;
	CHECK_IS(alloc(ctl, client, DEVICE, &handle, NV01_MEMORY_LOCAL_USER, &video, 0), NV_OK);
	learn_uuid(ctl, client, &gpu.gpu_uuid);
	CHECK_IS(initialize(fd, 0), NV_OK);
	CHECK_IS(STATUS(fd, UVM_REGISTER_GPU, &nobody), NV_ERR_INVALID_DEVICE);
	CHECK_IS(STATUS(fd, UVM_REGISTER_GPU, &gpu), NV_OK);
	space.gpuUuid = gpu.gpu_uuid;
	space.hClient = client;
	CHECK_IS(STATUS(fd, UVM_REGISTER_GPU_VASPACE, &space), NV_ERR_PAGE_TABLE_NOT_AVAIL);
	CHECK_IS(STATUS(alive, UVM_MM_INITIALIZE, &mm), NV_OK);
	space.rmCtrlFd = fd;
	CHECK_IS(STATUS(fd, UVM_REGISTER_GPU_VASPACE, &space), NV_ERR_INVALID_ARGUMENT);
	space.rmCtrlFd = ctl;
	CHECK_IS(STATUS(fd, UVM_REGISTER_GPU_VASPACE, &space), NV_OK);
	check_pool(fd, MIB(2));
	CHECK_IS(map_at(fd, base, MIB(2)), 0);
	base[PAGE] = 5;
	migrate.base = (u64)(uintptr_t)base;
	migrate.destinationUuid = gpu.gpu_uuid;
	CHECK_IS(STATUS(fd, UVM_MIGRATE, &migrate), NV_OK);
	CHECK_IS(base[PAGE], 5);
	base[MIB(1)] = 6; /* the CPU has it again, whatever becomes of the GPU */
	range.base = map.base = (u64)(uintptr_t)base + MIB(2);
	CHECK_IS(STATUS(fd, UVM_CREATE_EXTERNAL_RANGE, &range), NV_OK);
	map.length = MIB(2);
	map.gpuAttributesCount = 1;
	map.perGpuAttributes[0].gpuUuid = gpu.gpu_uuid;
	map.rmCtrlFd = ctl;
	map.hClient = client;
	map.hMemory = VIDEO;
	CHECK_IS(STATUS(fd, UVM_MAP_EXTERNAL_ALLOCATION, &map), NV_OK);
	if (hold) {
		puts("ready");
		fflush(stdout);
		while (getchar() != EOF)
			;
	}
	CHECK(munmap(base, MIB(1)) == 0 && !is_there(base) && is_there(base + MIB(1)));
	/* The client goes first, then the file with all that it has. */
	close(ctl);
	close(node);
	close(fd);
	close(alive);
	CHECK(munmap(base, MIB(2)) == 0);
}

int row_uvm(void)
{
	int fd;

	check_refusals();
	check_managed();
	fd = open_uvm();
	CHECK_IS(initialize(fd, 0), NV_OK);
	check_pool(fd, 3 * PAGE);
	close(fd);
	check_left_behind();
	check_gpu(false);
	return 0;
}

int row_hold_uvm(void)
{
	check_gpu(true);
	return 0;
}

/* Opens and closes, with memory and without. */
int row_uvm_opens(void)
{
	u8 *at = reserve(PAGE);
	int fd;

	for (int i = 0; i < 10; i++) {
		fd = open_uvm();
		if (i % 2) {
			CHECK_IS(initialize(fd, 0), NV_OK);
			CHECK_IS(map_at(fd, at, PAGE), 0);
			at[0] = 1;
			CHECK(munmap(at, PAGE) == 0);
		}
		close(fd);
	}
	return 0;
}

/* Whatever fails, it goes on: for failing allocations. Memory is touched by system calls alone. */
int row_uvm_survive(void)
{
	UVM_INITIALIZE_PARAMS init = { 0 };
	UVM_ALLOC_SEMAPHORE_POOL_PARAMS pool = { .length = 2 * PAGE };
	u8 *at = reserve(MIB(4)), *pool_at = reserve(2 * PAGE);
	int fd = open("/dev/nvidia-uvm", O_RDWR);

	CALL(fd, UVM_INITIALIZE, &init);
	pool.base = (u64)(uintptr_t)pool_at;
	CALL(fd, UVM_ALLOC_SEMAPHORE_POOL, &pool);
	if (map_at(fd, pool_at, 2 * PAGE) == 0)
		is_there(pool_at);
	if (map_at(fd, at, MIB(4)) == 0) {
		is_there(at);
		is_there(at + MIB(3));
		munmap(at + MIB(1), PAGE);
		is_there(at + MIB(2));
	}
	close(fd);
	return 0;
}
