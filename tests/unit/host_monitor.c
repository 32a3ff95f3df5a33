// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Managed memory that is taken away from a client, which is this process, and given back: its
 * mapping of a memory file is watched by a userfaultfd of its own. Unified memory and the GPU are a
 * hand-made file whose pages are in the memory file or in a buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/user/daemon_monitor.h"
#include "unit.h"

#define PAGE 4096ull
#define BLOCK MIB(2)
#define SIZE MIB(4)
#define PAGES ((u32)(SIZE / PAGE))
#define FEATURE_POISON (1ull << 14)
#define DEADLINE_NS 20000000000ull
#define STALL_NS 500000000ull /* until a process that lets us wait is given up */
#define MANY_NS 3000000000u   /* of the CPU's time */
#define HANG_S 120u	      /* then the test has failed */

/* -- Unified memory ------------------------------------------------------------------------------
 */

enum where { SYSTEM, AWAY, LOST, GONE };

static struct {
	pthread_mutex_t lock; /* of the space */
	struct dfile file;
	struct os_pages pages;
	u8 *video;
	u64 base; /* 0: nothing is mapped */
	enum where where[PAGES];
	u64 faults, moves; /* atomic */
} uvm = { .lock = PTHREAD_MUTEX_INITIALIZER };

static u32 shares, uses; /* atomic */
static u64 expelled;	 /* atomic */

/* Locked. */
static void bring_back(u32 page)
{
	memcpy((u8 *)uvm.pages.cpu + page * PAGE, uvm.video + page * PAGE, PAGE);
	uvm.where[page] = SYSTEM;
}

enum uvm_result uvm_file_fault(struct uvm_file *file, u64 address, bool write, struct uvm_extent *e,
			       enum uvm_result (*map)(void *ctx, const struct uvm_extent *extent),
			       void *ctx)
{
	enum uvm_result result = UVM_RESULT_EFAULT;
	u32 page = (u32)((address - uvm.base) / PAGE), first, last;

	os_fetch_add(&uvm.faults, 1);
	pthread_mutex_lock(&uvm.lock);
	if (uvm.base && address >= uvm.base && page < PAGES && uvm.where[page] != GONE)
		result = uvm.where[page] == LOST ? UVM_RESULT_EIO : UVM_RESULT_OK;
	if (result == UVM_RESULT_OK) {
		for (u32 i = page & ~15u; uvm.where[page] == AWAY && i < (page | 15) + 1; i++) {
			if (i != page && uvm.where[i] == AWAY)
				bring_back(i);
		}
		if (uvm.where[page] == AWAY)
			bring_back(page);
		for (first = page; first % (BLOCK / PAGE) && uvm.where[first - 1] == SYSTEM;)
			first--;
		for (last = page; (last + 1) % (BLOCK / PAGE) && uvm.where[last + 1] == SYSTEM;)
			last++;
		*e = (struct uvm_extent){ .address = uvm.base + first * PAGE,
					  .size = (last - first + 1) * PAGE,
					  .pages = &uvm.pages,
					  .offset = first * PAGE,
					  .writable = true };
		result = map ? map(ctx, e) : UVM_RESULT_OK;
	}
	pthread_mutex_unlock(&uvm.lock);
	return result;
}

void uvm_file_bring_back(struct uvm_file *file, u64 address, u64 size)
{
	pthread_mutex_lock(&uvm.lock);
	for (u32 i = 0; i < PAGES; i++) {
		if (uvm.base + i * PAGE >= address && uvm.base + i * PAGE < address + size &&
		    uvm.where[i] == AWAY)
			bring_back(i);
	}
	pthread_mutex_unlock(&uvm.lock);
}

/* As UVM_MIGRATE, within a block. False: it stays. */
static bool move(u32 first, u32 count)
{
	const u64 address = uvm.base + first * PAGE;
	const struct uvm_extent e = { .address = address,
				      .size = count * PAGE,
				      .pages = &uvm.pages,
				      .offset = first * PAGE,
				      .writable = true };
	bool held;

	pthread_mutex_lock(&uvm.lock);
	held = area_movable(&uvm.file, address, count * PAGE) &&
	       area_protect(&uvm.file, address, count * PAGE);
	for (u32 i = first; i < first + count && held; i++) {
		if (uvm.where[i] != SYSTEM)
			continue;
		memcpy(uvm.video + i * PAGE, (u8 *)uvm.pages.cpu + i * PAGE, PAGE);
		uvm.where[i] = AWAY;
	}
	if (held)
		area_discard(&uvm.file, &e);
	pthread_mutex_unlock(&uvm.lock);
	os_fetch_add(&uvm.moves, held);
	return held;
}

/* -- The rest of the daemon ----------------------------------------------------------------------
 */

struct dfile *dfile_again(struct dfile *file)
{
	os_fetch_add(&uses, 1);
	return file;
}

void dfile_put(struct dfile *file)
{
	os_fetch_sub(&uses, 1);
}

static int right = -1;

int conn_take_right(struct conn *conn, u64 token, bool wait)
{
	int fd = token == 1 ? right : -1;

	if (fd >= 0)
		right = -1;
	return fd;
}

void conn_expel(u64 id)
{
	os_store_release(&expelled, id);
}

bool share_take(uid_t uid, enum share_kind kind)
{
	os_fetch_add(&shares, 1);
	return true;
}

void share_drop(uid_t uid, enum share_kind kind)
{
	os_fetch_sub(&shares, 1);
}

/* A process that changes its memory, or keeps its file locked, keeps us waiting. */
static u32 stall_ioctl, stall_fallocate, old_kernel; /* atomic */
static sem_t stalled, go_on;

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_fallocate64(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == UFFDIO_WRITEPROTECT && os_exchange(&stall_ioctl, 0)) {
		sem_post(&stalled);
		sem_wait(&go_on);
	}
	if (request == UFFDIO_API && os_load_acquire(&old_kernel) &&
	    (((struct uffdio_api *)arg)->features & FEATURE_POISON)) {
		errno = EINVAL;
		return -1;
	}
	return __real_ioctl(fd, request, arg);
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size)
{
	if (os_exchange(&stall_fallocate, 0)) {
		sem_post(&stalled);
		sem_wait(&go_on);
	}
	return __real_fallocate64(fd, mode, offset, size);
}

/* -- The client -------------------------------------------------------------------------------- */

static struct conn client_conn;
static struct channel client_channel = { .conn = &client_conn };
static struct monitor *monitor; /* as the mapping uses it */
static u8 *memory;
static struct area *mapped; /* of the mapping */

static int new_uffd(void)
{
	return (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
}

/* LH_OP_MONITOR with that descriptor. */
static s32 offer(int fd)
{
	struct lh_msg msg = { .op = LH_OP_MONITOR, .args = { 1 } };

	right = fd;
	serve_monitor(&client_channel, &msg);
	assert_int_equal(right, -1);
	return msg.result;
}

static void map_memory(void)
{
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, os_user_pages_fd(&uvm.pages),
		      0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	uvm.base = (uintptr_t)memory;
	monitor = monitor_of(&client_conn);
	assert_non_null(monitor);
	assert_true(area_add(monitor, &uvm.file, &mapped, uvm.base, SIZE));
}

static void unmap_memory(void)
{
	pthread_mutex_lock(&uvm.lock);
	uvm.base = 0;
	pthread_mutex_unlock(&uvm.lock);
	areas_end(&mapped);
	monitor_put(monitor);
	munmap(memory, SIZE);
}

/* The connection ends, with all that is mapped. */
static void leave(void)
{
	if (uvm.base)
		unmap_memory();
	if (client_conn.monitor)
		monitor_put(client_conn.monitor);
	client_conn.monitor = NULL;
}

static int start(void **state)
{
	alarm(HANG_S);
	monitor_hold_ns = monitor_discard_ns = DEADLINE_NS;
	memset(uvm.where, 0, sizeof(uvm.where));
	uvm.faults = uvm.moves = 0;
	expelled = 0;
	uvm.video = malloc(SIZE);
	assert_int_equal(os_pages_alloc(NULL, SIZE, OS_PAGES_SHARED, &uvm.pages), NV_OK);
	memset(&client_conn, 0, sizeof(client_conn));
	pthread_mutex_init(&client_conn.lock, NULL);
	client_conn.id = 77;
	client_conn.cred.pid = getpid();
	map_memory();
	return 0;
}

static bool becomes(const u32 *counter, u32 value)
{
	const u64 begin = os_time_ns();

	while (os_load_acquire(counter) != value && os_time_ns() - begin < DEADLINE_NS)
		os_sleep_us(100);
	return os_load_acquire(counter) == value;
}

static int end(void **state)
{
	leave();
	/* All threads and descriptors of its are gone. */
	assert_true(becomes(&shares, 0));
	assert_true(becomes(&uses, 0));
	assert_null(uvm.file.areas);
	os_pages_free(&uvm.pages);
	free(uvm.video);
	pthread_mutex_destroy(&client_conn.lock);
	alarm(0);
	return 0;
}

/* Skips the test where the kernel's own accesses cannot be made to wait. */
static void watch(void)
{
	int fd = new_uffd();

	if (fd < 0)
		skip();
	assert_true(monitor_wants(monitor));
	if (offer(fd))
		skip();
	assert_false(monitor_wants(monitor));
}

static void fill(u32 seed)
{
	for (u32 i = 0; i < PAGES; i++)
		*(volatile u32 *)(memory + i * PAGE + i % 1000 * 4) = seed + i;
}

static bool holds(u32 seed, u32 first, u32 count)
{
	for (u32 i = first; i < first + count; i++) {
		if (*(volatile u32 *)(memory + i * PAGE + i % 1000 * 4) != seed + i)
			return false;
	}
	return true;
}

static u64 file_bytes(void)
{
	struct stat st;

	assert_int_equal(fstat(os_user_pages_fd(&uvm.pages), &st), 0);
	return (u64)st.st_blocks * 512;
}

static u32 count_where(enum where where)
{
	u32 count = 0;

	pthread_mutex_lock(&uvm.lock);
	for (u32 i = 0; i < PAGES; i++)
		count += uvm.where[i] == where;
	pthread_mutex_unlock(&uvm.lock);
	return count;
}

static void set_where(u32 first, u32 count, enum where where)
{
	pthread_mutex_lock(&uvm.lock);
	for (u32 i = first; i < first + count; i++)
		uvm.where[i] = where;
	pthread_mutex_unlock(&uvm.lock);
}

/* -- Both ways --------------------------------------------------------------------------------- */

static void test_both_ways(void **state)
{
	const u32 half = PAGES / 2;

	/* without a userfaultfd it stays */
	assert_false(move(0, half));
	watch();
	fill(100);
	assert_int_equal(file_bytes(), SIZE);
	assert_true(move(0, half) && move(half, half));
	assert_int_equal(count_where(AWAY), PAGES);
	assert_int_equal(file_bytes(), 0);
	assert_true(holds(100, 5, 1));
	assert_int_equal(count_where(AWAY), PAGES - 16);
	assert_true(holds(100, 0, PAGES));
	assert_int_equal(count_where(AWAY), 0);
	assert_in_range(os_load_acquire(&uvm.faults), PAGES / 16, PAGES);
	/* parts of it, stored to first this time; none of this is new to the kernel */
	for (u32 round = 0; round < 8; round++) {
		fill(round);
		assert_true(move(3 * round, 7) && move(half + 1, 200));
		memory[3 * round * PAGE + 4000] = 1;
		assert_true(holds(round, 0, PAGES));
	}
	/* memory that nobody touched yet is empty there, too */
	assert_true(move(0, half));
	pthread_mutex_lock(&uvm.lock);
	memset(uvm.video, 9, BLOCK);
	pthread_mutex_unlock(&uvm.lock);
	assert_true(memory[77 * PAGE] == 9);
}

/* A GPU's copy comes back as a whole, however it was asked for. */
static void test_brought_back(void **state)
{
	watch();
	fill(5);
	assert_true(move(0, PAGES / 2));
	uvm_file_bring_back(uvm.file.uvm, uvm.base, SIZE);
	assert_true(holds(5, 0, PAGES));
	/* a fault for all of the block */
	assert_int_equal(os_load_acquire(&uvm.faults), 1);
	assert_true(move(0, PAGES / 2));
	assert_true(holds(5, 0, PAGES));
	assert_int_equal(os_load_acquire(&uvm.faults), 1 + PAGES / 2 / 16);
}

/* -- Threads ----------------------------------------------------------------------------------- */

#define STORERS 3u

static u32 stop;
static u64 stores, lost;

static void *storer(void *arg)
{
	const u32 lane = (u32)(uintptr_t)arg;
	u64 value = 0;

	while (!os_load_relaxed(&stop)) {
		u64 *word = (u64 *)(memory + value % PAGES * PAGE) + lane;

		os_store_relaxed(word, ++value);
		if (os_load_relaxed(word) != value)
			os_fetch_add(&lost, 1);
		os_fetch_add(&stores, 1);
	}
	for (u64 i = 0; i < PAGES && value > PAGES; i++) {
		const u64 at = value - 1 - i;

		if (os_load_relaxed((u64 *)(memory + at % PAGES * PAGE) + lane) != at + 1)
			os_fetch_add(&lost, 1);
	}
	return NULL;
}

/* No store is lost, whatever moves meanwhile. */
static void test_threads(void **state)
{
	const u64 begin = os_time_ns();
	pthread_t threads[STORERS];
	u64 random = 4711;
	u32 asked = 0;

	watch();
	stop = 0;
	stores = lost = 0;
	for (u32 i = 0; i < STORERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, storer, (void *)(uintptr_t)i),
				 0);
	while (os_time_ns() - begin < 1000000000ull || asked < 50 ||
	       os_load_relaxed(&stores) < 4 * PAGES) {
		u32 first = (u32)(unit_random(&random) % PAGES);
		u32 count = 1 + (u32)(unit_random(&random) % (PAGES / 2 - first % (PAGES / 2)));

		assert_true(move(first, count));
		asked++;
		/* else none but this one gets the lock */
		os_sleep_us(100);
	}
	os_store_release(&stop, 1);
	for (u32 i = 0; i < STORERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(lost, 0);
}

/* System calls, and another's look at this memory, wait like its own. */
static void test_kernel(void **state)
{
	struct iovec to, from = { memory + 9 * PAGE, 3 * PAGE };
	u8 *copy = malloc(3 * PAGE);
	int ends[2];

	watch();
	fill(8);
	assert_int_equal(pipe(ends), 0);
	assert_true(move(0, PAGES / 2));
	assert_int_equal(write(ends[1], memory + 2 * PAGE + 100, 2 * PAGE), 2 * PAGE);
	assert_true(move(0, PAGES / 2));
	assert_int_equal(read(ends[0], memory + 2 * PAGE + 100, 2 * PAGE), 2 * PAGE);
	assert_true(holds(8, 0, PAGES));
	assert_true(move(0, PAGES / 2));
	to = (struct iovec){ copy, 3 * PAGE };
	assert_int_equal(process_vm_readv(getpid(), &to, 1, &from, 1, 0), 3 * PAGE);
	assert_true(move(0, PAGES / 2));
	assert_int_equal(process_vm_writev(getpid(), &to, 1, &from, 1, 0), 3 * PAGE);
	assert_true(holds(8, 0, PAGES));
	close(ends[0]);
	close(ends[1]);
	free(copy);
}

/* -- Bus errors -------------------------------------------------------------------------------- */

static sigjmp_buf bus;

static void on_bus(int sig)
{
	siglongjmp(bus, 1);
}

static bool is_bus_error(u32 page, bool write)
{
	volatile u8 *byte = memory + page * PAGE;

	if (sigsetjmp(bus, 1))
		return true;
	if (write)
		*byte = 1;
	else
		(void)*byte;
	return false;
}

static void test_lost(void **state)
{
	struct sigaction action = { .sa_handler = on_bus }, before;
	int ends[2];

	sigaction(SIGBUS, &action, &before);
	watch();
	fill(6);
	assert_true(move(0, PAGES / 2));
	set_where(20, 2, LOST);
	assert_true(is_bus_error(20, false) && is_bus_error(21, true) && is_bus_error(20, true));
	assert_true(holds(6, 0, 20) && holds(6, 22, PAGES - 22));
	assert_int_equal(pipe(ends), 0);
	/* by one more way, and for a while only: it is there again */
	set_where(20, 2, AWAY);
	assert_true(move(0, PAGES / 2));
	set_where(40, 1, LOST);
	assert_true(sigsetjmp(bus, 1) || write(ends[1], memory + 40 * PAGE, 8) < 0);
	close(ends[0]);
	close(ends[1]);
	sigaction(SIGBUS, &before, NULL);
}

/* -- Ends of mappings -------------------------------------------------------------------------- */

static void test_unmapped(void **state)
{
	const u64 base = uvm.base;
	struct area *other_mapped = NULL;
	u8 *other;

	watch();
	fill(1);
	assert_true(move(0, PAGES / 2));
	/* a hole in the middle, told only later: what is not all there does not move */
	assert_int_equal(munmap(memory + 100 * PAGE, 10 * PAGE), 0);
	other = mmap(memory + 100 * PAGE, 10 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	assert_ptr_equal(other, memory + 100 * PAGE);
	assert_false(move(90, 20));
	other[0] = 5; /* is nobody's affair */
	set_where(100, 10, GONE);
	area_cut(&mapped, base + 100 * PAGE + 1, PAGE);
	area_cut(&mapped, base + 100 * PAGE, 0);
	area_cut(&mapped, base + 100 * PAGE, 10 * PAGE - 5);
	area_cut(&other_mapped, base, SIZE);
	assert_true(move(0, 100) && move(110, PAGES / 2 - 110));
	assert_true(other[0] == 5);
	assert_true(holds(1, 0, 100) && holds(1, 110, PAGES - 110));
	/* gone for unified memory alone: the process goes on with what it has, as its own */
	assert_true(move(200, 10));
	set_where(200, 10, GONE);
	memory[205 * PAGE] = 3;
	assert_true(memory[205 * PAGE] == 3 && memory[206 * PAGE] == 0);
	/* all of it, front and back first */
	area_cut(&mapped, base, 50 * PAGE);
	area_cut(&mapped, base + (PAGES - 50) * PAGE, 50 * PAGE);
	area_cut(&mapped, base, SIZE);
	assert_null(uvm.file.areas);
}

static u64 cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

/* As many as a process may have, in any way: their end takes no one else's time, and no more come.
 */
static void test_many(void **state)
{
	const u64 far = 1ull << 40;
	static struct area *each[DAEMON_MAX_MAPPINGS];
	u64 begin = cpu_ns();
	u32 i;

	for (i = 0; i + 1 < DAEMON_MAX_MAPPINGS; i++)
		assert_true(area_add(monitor, &uvm.file, &each[i], far + i * PAGE, PAGE));
	assert_false(area_add(monitor, &uvm.file, &each[i], far + i * PAGE, PAGE));
	assert_null(each[i]);
	assert_false(area_may_cut(&mapped, uvm.base + PAGE, PAGE));
	assert_true(area_may_cut(&mapped, uvm.base, PAGE));
	assert_true(area_may_cut(&mapped, uvm.base + SIZE - PAGE, PAGE));
	assert_true(area_may_cut(&each[i], uvm.base + PAGE, PAGE));
	while (i--)
		areas_end(&each[i]);
	assert_true(cpu_ns() - begin < MANY_NS);
	/* holes, one a page */
	assert_true(area_add(monitor, &uvm.file, &each[0], far, 4 * DAEMON_MAX_MAPPINGS * PAGE));
	for (i = 1; area_may_cut(&each[0], far + 2 * i * PAGE, PAGE); i++)
		area_cut(&each[0], far + 2 * i * PAGE, PAGE);
	assert_int_equal(i, DAEMON_MAX_MAPPINGS - 1);
	areas_end(&each[0]);
	assert_true(area_may_cut(&mapped, uvm.base + PAGE, PAGE));
	assert_ptr_equal(uvm.file.areas, mapped);
}

/* A process that gives its connection up has all it had, and keeps it. */
static void test_retired(void **state)
{
	struct lh_msg msg = { .op = LH_OP_RETIRE };

	watch();
	fill(2);
	assert_true(move(0, PAGES / 2) && move(PAGES / 2, 100));
	serve_retire(&client_channel, &msg);
	assert_int_equal(msg.result, 0);
	assert_int_equal(count_where(AWAY), 0);
	assert_false(move(0, PAGES / 2));
	assert_false(monitor_wants(monitor));
	areas_end(&mapped);
	monitor_put(monitor);
	uvm.base = 0;
	leave();
	assert_true(becomes(&shares, 0));
	assert_true(holds(2, 0, PAGES));
	munmap(memory, SIZE);
}

/* -- Clients of every kind --------------------------------------------------------------------- */

static void test_descriptors(void **state)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct lh_msg msg = { .op = LH_OP_MONITOR, .args = { 2 } };
	int fd;

	assert_int_equal(offer(open("/dev/null", O_RDONLY | O_CLOEXEC)), -EINVAL);
	assert_int_equal(os_load_acquire(&shares), 0);
	/* features that another chose, events among them */
	fd = new_uffd();
	if (fd < 0)
		skip();
	assert_int_equal(__real_ioctl(fd, UFFDIO_API, &api), 0);
	assert_int_equal(offer(fd), -EINVAL);
	assert_int_equal(os_load_acquire(&shares), 0);
	serve_monitor(&client_channel, &msg);
	assert_int_equal(msg.result, -EINVAL);
	assert_false(move(0, 1));
	assert_true(monitor_wants(monitor));
	watch();
	/* one is enough */
	assert_int_equal(offer(new_uffd()), -EINVAL);
	assert_int_equal(os_load_acquire(&shares), 1);
	assert_true(move(0, 1));
}

/* It keeps its copy: has reads wait, takes events and registrations away, and loses no one else. */
static void test_misused(void **state)
{
	struct uffdio_range range = { uvm.base, BLOCK };
	struct uffd_msg events[16];
	pthread_t thread;
	int fd = new_uffd(), mine = fd < 0 ? -1 : dup(fd);

	if (fd < 0 || offer(fd))
		skip();
	fill(3);
	assert_true(move(0, PAGES / 2));
	assert_int_equal(__real_ioctl(mine, UFFDIO_UNREGISTER, &range), 0);
	assert_true(memory[0] == 0); /* its own loss */
	assert_true(move(0, PAGES / 2));
	fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) & ~O_NONBLOCK);
	stop = 0;
	stores = lost = 0;
	assert_int_equal(pthread_create(&thread, NULL, storer, NULL), 0);
	for (u32 i = 0; i < 20; i++) {
		move(0, PAGES / 2);
		fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) | O_NONBLOCK);
		while (read(mine, events, sizeof(events)) > 0)
			__real_ioctl(mine, UFFDIO_WAKE, &range);
		fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) & ~O_NONBLOCK);
	}
	os_store_release(&stop, 1);
	fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) | O_NONBLOCK);
	__real_ioctl(mine, UFFDIO_WAKE, &range);
	pthread_join(thread, NULL);
	fcntl(mine, F_SETFL, fcntl(mine, F_GETFL) & ~O_NONBLOCK);
	close(mine);
	/* end: what serves it ends all the same */
}

/* The part that is known to be held is not what another waits for. */
static void test_stalled(void **state)
{
	u64 begin;

	watch();
	fill(7);
	assert_true(move(PAGES / 2, PAGES / 2));
	monitor_hold_ns = STALL_NS;
	os_store_release(&stall_ioctl, 1);
	begin = os_time_ns();
	assert_false(move(0, PAGES / 2));
	assert_true(os_time_ns() - begin >= monitor_hold_ns);
	assert_int_equal(sem_wait(&stalled), 0);
	/* nobody waits a second time */
	begin = os_time_ns();
	for (u32 i = 0; i < 100; i++)
		assert_false(move(0, PAGES / 2));
	assert_true(os_time_ns() - begin < 100 * monitor_hold_ns);
	assert_int_equal(os_load_acquire(&expelled), 0);
	/* faults are answered meanwhile */
	assert_true(holds(7, 0, PAGES));
	monitor_hold_ns = DEADLINE_NS;
	sem_post(&go_on);
	while (!area_movable(&uvm.file, uvm.base, PAGE))
		os_sleep_us(100);
	assert_true(move(0, PAGES / 2));
	assert_true(holds(7, 0, PAGES));
}

/* Whoever ends meanwhile waits for nobody. */
static void leave_stalled(void)
{
	assert_int_equal(sem_wait(&stalled), 0);
	leave();
	assert_int_equal(os_load_acquire(&shares), 1);
	sem_post(&go_on);
}

static void test_discard_stalled(void **state)
{
	watch();
	fill(7);
	monitor_discard_ns = STALL_NS;
	os_store_release(&stall_fallocate, 1);
	assert_true(move(0, PAGES / 2));
	assert_int_equal(os_load_acquire(&expelled), 77);
	leave_stalled();
}

static void test_stalled_at_the_end(void **state)
{
	watch();
	monitor_hold_ns = STALL_NS;
	os_store_release(&stall_ioctl, 1);
	assert_false(move(0, 1));
	leave_stalled();
}

/* A child that has the memory mapped where this process has, and sends its userfaultfd. */
static pid_t child_with_uffd(int *uffd)
{
	struct msghdr msg = { 0 };
	char byte = 0;
	struct iovec io = { &byte, 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control;
	int ends[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	msg.msg_iov = &io;
	msg.msg_iovlen = 1;
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	pid = fork();
	if (!pid) {
		int fd = new_uffd();

		alarm(HANG_S);
		signal(SIGBUS, SIG_DFL);
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		sendmsg(ends[1], &msg, 0);
		for (u32 i = 0;; i++)
			*(volatile u32 *)(memory + i % PAGES * PAGE) = i;
	}
	assert_int_equal(recvmsg(ends[0], &msg, MSG_CMSG_CLOEXEC), 1);
	memcpy(uffd, CMSG_DATA(&control.head), sizeof(*uffd));
	close(ends[0]);
	close(ends[1]);
	return pid;
}

/* A client that is killed while its memory moves: nobody stores there any more. */
static void test_killed(void **state)
{
	int fd = new_uffd(), status;
	pid_t pid;

	if (fd < 0)
		skip();
	close(fd);
	pid = child_with_uffd(&fd);
	assert_int_equal(offer(fd), 0);
	for (u32 i = 0; i < 200; i++) {
		if (i == 100)
			kill(pid, SIGKILL);
		assert_true(move(0, PAGES / 2));
		os_sleep_us(100);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(move(0, PAGES / 2));
}

/* Before Linux 6.6 who touches a page that is lost gets a signal. */
static void test_lost_by_signal(void **state)
{
	int fd = new_uffd(), status;

	if (fd < 0)
		skip();
	close(fd);
	monitor->pid = child_with_uffd(&fd);
	os_store_release(&old_kernel, 1);
	assert_int_equal(offer(fd), 0);
	assert_true(move(0, PAGES / 2));
	set_where(0, PAGES / 2, LOST);
	assert_int_equal(waitpid(monitor->pid, &status, 0), monitor->pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	os_store_release(&old_kernel, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both_ways, start, end),
		cmocka_unit_test_setup_teardown(test_brought_back, start, end),
		cmocka_unit_test_setup_teardown(test_threads, start, end),
		cmocka_unit_test_setup_teardown(test_kernel, start, end),
		cmocka_unit_test_setup_teardown(test_lost, start, end),
		cmocka_unit_test_setup_teardown(test_unmapped, start, end),
		cmocka_unit_test_setup_teardown(test_many, start, end),
		cmocka_unit_test_setup_teardown(test_retired, start, end),
		cmocka_unit_test_setup_teardown(test_descriptors, start, end),
		cmocka_unit_test_setup_teardown(test_misused, start, end),
		cmocka_unit_test_setup_teardown(test_stalled, start, end),
		cmocka_unit_test_setup_teardown(test_discard_stalled, start, end),
		cmocka_unit_test_setup_teardown(test_stalled_at_the_end, start, end),
		cmocka_unit_test_setup_teardown(test_killed, start, end),
		cmocka_unit_test_setup_teardown(test_lost_by_signal, start, end),
	};

	sem_init(&stalled, 0, 0);
	sem_init(&go_on, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
