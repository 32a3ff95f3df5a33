// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The library's own descriptors among the program's, which knows nothing of them: another of its
 * threads may want any number at any instant. From its making to its end one of ours is used, and
 * moved, under one lock only, which a program's call takes too where it wants a number that is not
 * already the program's. What is done under the lock does not wait for anybody.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/dgram.h"
#include "host/user/handoff.h"
#include "host/user/preload/conn.h"

#define FD_BASE 960 /* out of the way of programs that expect the lowest number */

static struct lh_own *own;
static int inherited[LH_LINKS]; /* the parent's, in a child of fork; plus one */

/* -- Locks --------------------------------------------------------------------------------------
 */

static void signals_block(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

static bool word_try(u32 *word)
{
	u32 unused;

	if (!__atomic_exchange_n(word, 1, __ATOMIC_SEQ_CST))
		return true;
	handoff_sleep(word, 1, &unused, &(struct timespec){ .tv_nsec = 1000000 });
	return false;
}

void lh_word_lock(u32 *word, sigset_t *before)
{
	signals_block(before);
	while (!word_try(word))
		;
}

bool lh_impatient(const struct lh_patience *patience)
{
	sigset_t pending;

	if (!patience || handoff_now() < patience->until || sigpending(&pending))
		return false;
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigismember(&pending, sig) == 1 && !sigismember(&patience->before, sig))
			return true;
	}
	return false;
}

int lh_word_lock_within(u32 *word, struct lh_patience *patience, u64 ns)
{
	patience->until = handoff_now() + ns;
	signals_block(&patience->before);
	while (!word_try(word)) {
		if (!lh_impatient(patience))
			continue;
		pthread_sigmask(SIG_SETMASK, &patience->before, NULL);
		return LH_RESTART;
	}
	return 0;
}

void lh_word_unlock(u32 *word, const sigset_t *before)
{
	__atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
	handoff_syscall(word, FUTEX_WAKE, 1, NULL);
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void own_lock(sigset_t *before)
{
	lh_word_lock(&own->lock, before);
	__atomic_add_fetch(&own->changes, 1, __ATOMIC_SEQ_CST);
}

static void own_unlock(const sigset_t *before)
{
	__atomic_add_fetch(&own->changes, 1, __ATOMIC_SEQ_CST);
	lh_word_unlock(&own->lock, before);
}

/* False before there is anything to lock, and in a child that has descriptors of its own only. */
static bool lockable(void)
{
	return __atomic_load_n(&own, __ATOMIC_ACQUIRE) && !lh_borrowed();
}

void lh_own_begin(struct lh_own *state)
{
	__atomic_store_n(&own, state, __ATOMIC_RELEASE);
}

void lh_own_forked(void)
{
	for (u32 i = 0; i < LH_LINKS; i++) {
		if (inherited[i])
			syscall(SYS_close, inherited[i] - 1);
		inherited[i] = 0;
	}
}

/* -- Sockets ------------------------------------------------------------------------------------
 */

static int slot_fd(u32 slot)
{
	return __atomic_load_n(&own->fds[slot], __ATOMIC_SEQ_CST) - 1;
}

static void slot_set(u32 slot, int fd)
{
	inherited[slot] = fd + 1;
	__atomic_store_n(&own->fds[slot], fd + 1, __ATOMIC_SEQ_CST);
}

static int high_copy(int fd)
{
	struct rlimit limit;
	int base = FD_BASE, high;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= FD_BASE + 8u)
		base = limit.rlim_cur > 32 ? (int)limit.rlim_cur - 16 : 3;
	high = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, base);
	return high < 0 ? (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3) : high;
}

int lh_own_socket(u32 slot)
{
	sigset_t before;
	int fd, high, rc = 0;

	own_lock(&before);
	fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		rc = -errno;
		goto out;
	}
	high = high_copy(fd);
	if (high >= 0)
		syscall(SYS_close, fd);
	slot_set(slot, high >= 0 ? high : fd);
out:
	own_unlock(&before);
	return rc;
}

int lh_own_connect(u32 slot, const struct sockaddr_un *addr)
{
	sigset_t before;
	int rc;

	own_lock(&before);
	rc = syscall(SYS_connect, slot_fd(slot), addr, sizeof(*addr)) ? -errno : 0;
	own_unlock(&before);
	return rc;
}

bool lh_own_hangs_up(u32 slot)
{
	const struct timespec now = { 0 };
	struct pollfd pfd = { .events = POLLRDHUP };
	sigset_t before;
	long n;

	own_lock(&before);
	pfd.fd = slot_fd(slot);
	/* No mask keeps away the signal by which a thread of the process changes all their users.
	 */
	do {
		n = syscall(SYS_ppoll, &pfd, 1, &now, NULL, 0);
	} while (n < 0 && errno == EINTR);
	own_unlock(&before);
	return n != 0;
}

void lh_own_close(u32 slot)
{
	sigset_t before;
	int fd;

	own_lock(&before);
	fd = slot_fd(slot);
	slot_set(slot, -1);
	syscall(SYS_close, fd);
	own_unlock(&before);
}

int lh_own_send(u32 slot, const struct lh_hello *hello, int fd)
{
	return dgram_send_all(slot_fd(slot), hello, sizeof(*hello), &fd, 1, MSG_DONTWAIT);
}

int lh_own_receive(u32 slot, struct lh_rights *rights, int *fds, u32 *count)
{
	return dgram_receive_all(slot_fd(slot), rights, sizeof(*rights), fds, LH_RIGHTS_MAX, count);
}

void lh_own_lock(sigset_t *before)
{
	own_lock(before);
}

void lh_own_unlock(const sigset_t *before)
{
	own_unlock(before);
}

/* A channel's pages in a memfd that the daemon can rely on; its descriptor or a negative errno. */
static int shm_create(struct lh_shm **out)
{
	struct lh_shm *shm;
	int rc, fd = (int)syscall(SYS_memfd_create, "leafhopper-channel",
				  MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, LH_SHM_SIZE) ||
	    syscall(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		goto fail;
	shm = (void *)syscall(SYS_mmap, NULL, LH_SHM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			      0);
	if (shm == MAP_FAILED)
		goto fail;
	madvise(shm, LH_SHM_SIZE, MADV_DONTFORK);
	*out = shm;
	return fd;
fail:
	rc = -errno;
	syscall(SYS_close, fd);
	return rc;
}

int lh_own_send_shm(u32 slot, const struct lh_hello *hello, struct lh_shm **out)
{
	sigset_t before;
	int rc, fd;

	own_lock(&before);
	fd = shm_create(out);
	if (fd < 0) {
		rc = fd;
		goto out;
	}
	rc = dgram_send(slot_fd(slot), hello, sizeof(*hello), fd);
	syscall(SYS_close, fd);
	if (rc) {
		munmap(*out, LH_SHM_SIZE);
		*out = NULL;
	}
out:
	own_unlock(&before);
	return rc;
}

/* -- Numbers that programs want -----------------------------------------------------------------
 */

static int slot_of(int fd)
{
	for (u32 i = 0; fd >= 0 && i < LH_LINKS; i++) {
		if (slot_fd(i) == fd)
			return (int)i;
	}
	return -1;
}

bool lh_is_hidden(int fd)
{
	return __atomic_load_n(&own, __ATOMIC_ACQUIRE) && slot_of(fd) >= 0;
}

/* Whether the number has a file of the program's: certain when own is locked. */
static bool is_theirs(int fd)
{
	int saved = errno;
	bool open = syscall(SYS_fcntl, fd, F_GETFD) >= 0;

	errno = saved;
	return open && slot_of(fd) < 0;
}

bool lh_is_theirs(int fd)
{
	sigset_t before;
	u32 changes;
	bool theirs;

	if (!lockable())
		return !lh_is_hidden(fd);
	changes = __atomic_load_n(&own->changes, __ATOMIC_SEQ_CST);
	theirs = is_theirs(fd);
	if (!(changes & 1) && __atomic_load_n(&own->changes, __ATOMIC_SEQ_CST) == changes)
		return theirs;
	own_lock(&before);
	theirs = is_theirs(fd);
	own_unlock(&before);
	return theirs;
}

int lh_claim(int fd, struct lh_claim *claim)
{
	int slot, to;

	claim->locked = false;
	if (fd < 0 || !lockable() || lh_is_theirs(fd))
		return 0;
	own_lock(&claim->before);
	slot = slot_of(fd);
	if (slot >= 0) {
		to = high_copy(fd);
		if (to < 0) {
			own_unlock(&claim->before);
			return EMFILE;
		}
		slot_set((u32)slot, to);
		syscall(SYS_close, fd);
	}
	claim->locked = true;
	return 0;
}

void lh_claim_all(struct lh_claim *claim)
{
	claim->locked = lockable();
	if (claim->locked)
		own_lock(&claim->before);
}

void lh_claim_end(const struct lh_claim *claim)
{
	if (claim->locked)
		own_unlock(&claim->before);
}

int lh_hidden_from(unsigned int first)
{
	int lowest = -1;

	if (!__atomic_load_n(&own, __ATOMIC_ACQUIRE))
		return -1;
	for (u32 i = 0; i < LH_LINKS; i++) {
		int fd = slot_fd(i);

		if (fd >= 0 && (unsigned int)fd >= first && (lowest < 0 || fd < lowest))
			lowest = fd;
	}
	return lowest;
}
