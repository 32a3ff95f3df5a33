// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Doorbells in clients' memory, between a client that is this process (its mappings, watched by
 * userfaultfds) and a GPU that only counts what it is told.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/machine.h"
#include "unit.h"

#define GPU 0u
#define UID 1000u
#define DEADLINE_NS 10000000000ull
#define HANG_S 60u /* then the test has failed */

/* -- The GPU, and the rest of the daemon ---------------------------------------------------------
 */

struct h100_doorbell {
	int fd;
	u32 armed, rang; /* atomic */
};

static u32 doorbells, shares;	   /* atomic: that exist */
static struct h100_doorbell *made; /* last */

struct machine *daemon_machine(void)
{
	return NULL;
}

int machine_doorbell_create(struct machine *m, u32 index, u32 client, struct bell *bell, int *fd,
			    struct h100_doorbell **out)
{
	struct h100_doorbell *doorbell = calloc(1, sizeof(*doorbell));

	assert_non_null(doorbell);
	doorbell->fd = memfd_create("doorbell", MFD_CLOEXEC);
	assert_true(doorbell->fd >= 0);
	assert_int_equal(ftruncate(doorbell->fd, MACHINE_DOORBELL_SIZE), 0);
	os_fetch_add(&doorbells, 1);
	*fd = doorbell->fd;
	*out = made = doorbell;
	return 0;
}

void machine_doorbell_destroy(struct machine *m, u32 index, struct h100_doorbell *doorbell)
{
	close(doorbell->fd);
	free(doorbell);
	os_fetch_sub(&doorbells, 1);
}

void machine_doorbell_armed(struct machine *m, u32 index, struct h100_doorbell *doorbell)
{
	os_fetch_add(&doorbell->armed, 1);
}

void machine_doorbell_rang(struct machine *m, u32 index, struct h100_doorbell *doorbell)
{
	os_fetch_add(&doorbell->rang, 1);
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

/* A process that changes its memory keeps whoever protects it waiting for as long as it likes. */
static int stalled_fd = -1; /* atomic */
static sem_t stalled, go_on;

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == UFFDIO_WRITEPROTECT && fd == os_load_acquire(&stalled_fd)) {
		sem_post(&stalled);
		sem_wait(&go_on);
	}
	return __real_ioctl(fd, request, arg);
}

/* -- The client -------------------------------------------------------------------------------- */

struct client {
	struct bell *bell;
	struct h100_doorbell *doorbell;
	u32 *page;
	struct watch *watch;
	int uffd;
};

/* The page is mapped: to the daemon. */
static void client_map(struct client *c, u32 handle)
{
	int fd;

	assert_int_equal(bell_get(GPU, handle, &fd, &c->bell), 0);
	c->doorbell = made;
	c->page = mmap(NULL, MACHINE_DOORBELL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(c->page, MAP_FAILED);
	os_store_relaxed(c->page, 0); /* there is a page to be protected */
}

/* False: this kernel cannot. */
static bool client_watch(struct client *c)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM };
	struct uffdio_register range = {
		.range = { (uintptr_t)c->page, MACHINE_DOORBELL_PAGE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	c->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (c->uffd < 0 || __real_ioctl(c->uffd, UFFDIO_API, &api) ||
	    __real_ioctl(c->uffd, UFFDIO_REGISTER, &range))
		return false;
	c->watch = watch_begin(c->bell, c->uffd, (uintptr_t)c->page, UID);
	assert_non_null(c->watch);
	return true;
}

static void client_unmap(struct client *c)
{
	if (c->watch)
		watch_end(c->watch);
	bell_unmapped(c->bell);
	munmap(c->page, MACHINE_DOORBELL_SIZE);
}

/* A client with one mapping that is watched; skips the test where there is no watching. */
static void client_begin(struct client *c, u32 handle)
{
	*c = (struct client){ .uffd = -1 };
	client_map(c, handle);
	if (!client_watch(c))
		skip();
}

static u32 count(const u32 *counter)
{
	return os_load_acquire(counter);
}

static bool becomes(const u32 *counter, u32 value)
{
	const u64 start = os_time_ns();

	while (count(counter) != value && os_time_ns() - start < DEADLINE_NS)
		os_sleep_us(100);
	return count(counter) == value;
}

static int start(void **state)
{
	alarm(HANG_S);
	return 0;
}

static int end(void **state)
{
	alarm(0);
	assert_int_equal(count(&doorbells), 0);
	assert_int_equal(count(&shares), 0);
	return 0;
}

/* What the GPU sees of the client's store, which waits until it was let through. */
static void ring(const struct client *c)
{
	const u32 rang = count(&c->doorbell->rang);

	os_store_relaxed(&c->page[1], 1);
	assert_true(becomes(&c->doorbell->rang, rang + 1));
}

/* -- Tests ------------------------------------------------------------------------------------- */

static void test_store_is_told(void **state)
{
	struct client c;
	u64 start_ns;
	u32 i;

	client_begin(&c, 4);
	for (i = 1; i <= 20; i++) {
		bell_arm(c.bell);
		assert_true(becomes(&c.doorbell->armed, i));
		ring(&c);
	}
	/* Once armed, one store; asked for twice, it is armed all the same. */
	bell_arm(c.bell);
	bell_arm(c.bell);
	start_ns = os_time_ns();
	while (count(&c.doorbell->armed) == 20 && os_time_ns() - start_ns < DEADLINE_NS)
		os_sleep_us(100);
	assert_int_not_equal(count(&c.doorbell->armed), 20);
	ring(&c);
	client_unmap(&c);
}

/*
 * A doorbell that waits for the next store is mapped once more, watched there, and unmapped: the
 * GPU is told each time, since stores through what is new are seen by nobody, and has it armed
 * anew.
 */
static void test_mapped_again(void **state)
{
	struct client c, again = { .uffd = -1 };
	struct h100_doorbell *doorbell;

	client_begin(&c, 1);
	doorbell = c.doorbell;
	bell_arm(c.bell);
	assert_true(becomes(&doorbell->armed, 1));
	assert_int_equal(count(&doorbell->rang), 2); /* mapped, watched */
	client_map(&again, 1);
	assert_ptr_equal(again.bell, c.bell);
	assert_int_equal(count(&doorbell->rang), 3);
	/* One mapping is watched by nobody yet. */
	bell_arm(c.bell);
	os_sleep_us(20000);
	assert_int_equal(count(&doorbell->armed), 1);
	assert_true(client_watch(&again));
	assert_int_equal(count(&doorbell->rang), 4);
	bell_arm(c.bell);
	assert_true(becomes(&doorbell->armed, 2));
	ring(&again);
	bell_arm(c.bell);
	assert_true(becomes(&doorbell->armed, 3));
	ring(&c);
	bell_arm(c.bell);
	assert_true(becomes(&doorbell->armed, 4));
	watch_end(again.watch);
	assert_int_equal(count(&doorbell->rang), 7);
	again.watch = NULL;
	client_unmap(&again);
	client_unmap(&c);
}

/* A client whose memory cannot be protected for a while delays nobody but itself. */
static void test_stalled(void **state)
{
	struct client bad, good, late;

	client_begin(&bad, 1);
	client_begin(&good, 2);
	os_store_release(&stalled_fd, bad.uffd);
	bell_arm(bad.bell);
	assert_int_equal(sem_wait(&stalled), 0);
	bell_arm(good.bell);
	assert_true(becomes(&good.doorbell->armed, 1));
	ring(&good);
	client_begin(&late, 3);
	bell_arm(late.bell);
	assert_true(becomes(&late.doorbell->armed, 1));
	client_unmap(&late);
	bell_arm(bad.bell);
	assert_int_equal(count(&bad.doorbell->armed), 0);
	os_store_release(&stalled_fd, -1);
	sem_post(&go_on);
	/* The first time is over: it was wanted anew. */
	assert_true(becomes(&bad.doorbell->armed, 1));
	ring(&bad);
	client_unmap(&bad);
	client_unmap(&good);
}

/*
 * A store through one mapping while another is still to be protected: what is then told as armed
 * would let the next store through the first one pass unseen.
 */
static void test_rung_while_arming(void **state)
{
	struct client c, slow = { .uffd = -1 };
	u32 rang;

	client_begin(&c, 1);
	client_map(&slow, 1);
	slow.doorbell = c.doorbell;
	assert_true(client_watch(&slow));
	rang = count(&c.doorbell->rang);
	os_store_release(&stalled_fd, slow.uffd);
	bell_arm(c.bell);
	assert_int_equal(sem_wait(&stalled), 0);
	/* It is protected soon. */
	while (count(&c.doorbell->rang) == rang) {
		os_store_relaxed(&c.page[1], 1);
		os_sleep_us(100);
	}
	os_store_release(&stalled_fd, -1);
	sem_post(&go_on);
	os_sleep_us(50000);
	assert_int_equal(count(&c.doorbell->armed), 0);
	bell_arm(c.bell);
	assert_true(becomes(&c.doorbell->armed, 1));
	ring(&c);
	bell_arm(c.bell);
	assert_true(becomes(&c.doorbell->armed, 2));
	ring(&slow);
	client_unmap(&slow);
	client_unmap(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store_is_told, start, end),
		cmocka_unit_test_setup_teardown(test_mapped_again, start, end),
		cmocka_unit_test_setup_teardown(test_stalled, start, end),
		cmocka_unit_test_setup_teardown(test_rung_while_arming, start, end),
	};

	sem_init(&stalled, 0, 0);
	sem_init(&go_on, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
