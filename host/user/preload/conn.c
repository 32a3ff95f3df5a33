// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * This process's connection to the daemon, the channels of its threads, and calls on them. A thread
 * whose call a signal handler interrupts uses the next of its channels there.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/user/dgram.h"
#include "host/user/handoff.h"
#include "host/user/preload/preload.h"

#define FD_BASE 960 /* out of the way of programs that expect the lowest number */
#define FIRST_SPIN_NS 50000u
#define CHECK_NS 200000000l /* between looks whether the daemon still lives */

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* All zero in a forked child. */
struct process {
	u32 lock;
	u32 generation; /* 0: not connected */
	int sock;
	pid_t pid;
	u64 id;
	u64 secret[2];
	u64 last_token;
};

static struct process *process; /* a page of its own, made once */
static u32 last_generation;	/* inherited, so that no two connections of a family share one */
static int inherited_sock = -1; /* the parent's connection, in a child that fork made */
static pthread_key_t thread_key;
static u32 setup_state;

static __thread __attribute__((tls_model("initial-exec"))) struct {
	u32 depth;
	struct lh_chan chans[LH_MAX_DEPTH];
	u64 stack; /* of this thread: [stack, stack_end); 0, 0 when not known */
	u64 stack_end;
} thread;

/* -- Setting up -------------------------------------------------------------------------------- */

static void thread_end(void *arg)
{
	for (u32 i = 0; i < LH_MAX_DEPTH; i++) {
		struct lh_chan *chan = &thread.chans[i];

		if (!chan->shm || chan->generation != process->generation)
			continue;
		chan->shm->msg.op = LH_OP_END;
		handoff_post(&chan->shm->request, ++chan->sent, &chan->shm->daemon_sleeps);
		munmap(chan->shm, LH_SHM_SIZE);
		chan->shm = NULL;
	}
}

/* The parent's connection must not live on in a child: the daemon would think that it does. */
static void after_fork(void)
{
	int sock = inherited_sock;

	if (sock >= 0)
		syscall(SYS_close, sock);
	inherited_sock = -1;
	memset(&thread, 0, sizeof(thread));
}

/* Once; false when out of memory. Signals are blocked. */
static bool setup(void)
{
	u32 expected = 0;
	void *page;

	if (__atomic_load_n(&setup_state, __ATOMIC_ACQUIRE) == 2)
		return true;
	if (!__atomic_compare_exchange_n(&setup_state, &expected, 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		while (__atomic_load_n(&setup_state, __ATOMIC_ACQUIRE) == 1)
			handoff_sleep(&setup_state, 1, &expected,
				      &(struct timespec){ .tv_nsec = 1000000 });
		return __atomic_load_n(&setup_state, __ATOMIC_ACQUIRE) == 2;
	}
	page = (void *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || pthread_key_create(&thread_key, thread_end)) {
		__atomic_store_n(&setup_state, 0, __ATOMIC_SEQ_CST);
		return false;
	}
	madvise(page, 4096, MADV_WIPEONFORK);
	process = page;
	pthread_atfork(NULL, NULL, after_fork);
	__atomic_store_n(&setup_state, 2, __ATOMIC_SEQ_CST);
	return true;
}

static void process_lock(void)
{
	while (__atomic_exchange_n(&process->lock, 1, __ATOMIC_SEQ_CST)) {
		u32 unused;

		handoff_sleep(&process->lock, 1, &unused, &(struct timespec){ .tv_nsec = 1000000 });
	}
}

static void process_unlock(void)
{
	__atomic_store_n(&process->lock, 0, __ATOMIC_SEQ_CST);
	handoff_syscall(&process->lock, FUTEX_WAKE, 1, NULL);
}

static int move_high(int fd)
{
	struct rlimit limit;
	int base = FD_BASE, high;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= FD_BASE + 8u)
		base = limit.rlim_cur > 32 ? (int)limit.rlim_cur - 16 : 3;
	high = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, base);
	if (high < 0)
		return fd;
	syscall(SYS_close, fd);
	return high;
}

static int connect_daemon(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	strcpy(addr.sun_path, lh_socket_path());
	while (connect(sock, (struct sockaddr *)&addr, sizeof(addr))) {
		int rc = errno;

		if (rc == EINTR)
			continue;
		syscall(SYS_close, sock);
		return rc == EACCES ? -EACCES : -ENXIO;
	}
	return sock;
}

/* A memfd that the daemon can rely on, mapped; its descriptor, or a negative errno. */
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

static bool exchange(struct lh_chan *chan, struct lh_msg *msg);

/* Connects this process, with chan as the first channel. process->lock held. 0 or a negative errno.
 */
static int process_connect(struct lh_chan *chan)
{
	struct lh_hello hello = { .magic = LH_MAGIC,
				  .version = LH_VERSION,
				  .role = LH_ROLE_CLIENT };
	struct lh_msg msg = { .op = LH_OP_WELCOME };
	int rc, fd, sock = connect_daemon();

	if (sock < 0)
		return sock;
	sock = move_high(sock);
	fd = shm_create(&chan->shm);
	rc = fd < 0 ? fd : dgram_send(sock, &hello, sizeof(hello), fd);
	if (fd >= 0)
		syscall(SYS_close, fd);
	if (rc)
		goto fail;
	process->sock = sock;
	process->pid = getpid();
	process->generation = __atomic_add_fetch(&last_generation, 1, __ATOMIC_SEQ_CST);
	chan->generation = process->generation;
	chan->spin = FIRST_SPIN_NS;
	rc = exchange(chan, &msg) ? msg.result : -ENXIO;
	if (rc < 0)
		goto fail_connected;
	process->id = msg.args[0];
	process->secret[0] = msg.args[1];
	process->secret[1] = msg.args[2];
	inherited_sock = sock;
	return 0;
fail_connected:
	process->generation = 0;
fail:
	if (chan->shm)
		munmap(chan->shm, LH_SHM_SIZE);
	chan->shm = NULL;
	syscall(SYS_close, sock);
	return rc == -ECONNRESET || rc == -EPIPE ? -ENXIO : rc;
}

static int channel_add(struct lh_chan *chan)
{
	struct lh_hello hello = { .magic = LH_MAGIC,
				  .version = LH_VERSION,
				  .role = LH_DGRAM_CHANNEL };
	int fd = shm_create(&chan->shm);
	int rc = fd < 0 ? fd : dgram_send(process->sock, &hello, sizeof(hello), fd);

	if (fd >= 0)
		syscall(SYS_close, fd);
	if (rc) {
		if (chan->shm)
			munmap(chan->shm, LH_SHM_SIZE);
		chan->shm = NULL;
		return rc;
	}
	chan->generation = process->generation;
	chan->spin = FIRST_SPIN_NS;
	return 0;
}

/* process->lock held. */
static void process_disconnect(void)
{
	if (process->generation)
		syscall(SYS_close, process->sock);
	process->generation = 0;
	inherited_sock = -1;
}

void lh_disconnect(void)
{
	sigset_t all, before;

	if (!lh_generation())
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	process_lock();
	process_disconnect();
	process_unlock();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stack_find(void)
{
	pthread_attr_t attr;
	void *base;
	size_t size;

	if (thread.stack_end || pthread_getattr_np(pthread_self(), &attr))
		return;
	if (pthread_attr_getstack(&attr, &base, &size) == 0) {
		thread.stack = (u64)(uintptr_t)base;
		thread.stack_end = thread.stack + size;
	}
	pthread_attr_destroy(&attr);
}

bool lh_on_stack(const void *frame, u64 address, size_t size)
{
	u64 from = (u64)(uintptr_t)frame;

	return from >= thread.stack && address >= from && address < thread.stack_end &&
	       size <= thread.stack_end - address;
}

static int chan_connect(struct lh_chan *chan)
{
	sigset_t all, before;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!setup()) {
		rc = -ENOMEM;
		goto out;
	}
	process_lock();
	/* Of a connection that ended; a child never had the mapping. */
	if (chan->shm && process->generation)
		munmap(chan->shm, LH_SHM_SIZE);
	memset(chan, 0, sizeof(*chan));
	if (process->generation) {
		rc = channel_add(chan);
		if (rc == -EPIPE || rc == -ECONNRESET)
			process_disconnect();
	}
	if (!process->generation)
		rc = process_connect(chan);
	process_unlock();
	if (!rc) {
		pthread_setspecific(thread_key, &thread);
		stack_find();
	}
out:
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct lh_chan *lh_enter(void)
{
	struct lh_chan *chan;

	if (thread.depth >= LH_MAX_DEPTH) {
		errno = EAGAIN;
		return NULL;
	}
	chan = &thread.chans[thread.depth++];
	if (chan->shm && chan->generation == lh_generation())
		return chan;
	for (int rc = chan_connect(chan); rc;) {
		thread.depth--;
		errno = -rc;
		return NULL;
	}
	return chan;
}

void lh_leave(void)
{
	thread.depth--;
}

u32 lh_generation(void)
{
	if (__builtin_expect(__atomic_load_n(&setup_state, __ATOMIC_ACQUIRE) != 2, 0))
		return 0;
	return __atomic_load_n(&process->generation, __ATOMIC_ACQUIRE);
}

void lh_hello_fill(struct lh_hello *hello, u32 role)
{
	*hello = (struct lh_hello){ .magic = LH_MAGIC, .version = LH_VERSION, .role = role };
	hello->conn = process->id;
	hello->secret[0] = process->secret[0];
	hello->secret[1] = process->secret[1];
	hello->token = __atomic_add_fetch(&process->last_token, 1, __ATOMIC_SEQ_CST);
}

bool lh_is_hidden(int fd)
{
	return lh_generation() && process->sock == fd;
}

/* -- Calls ------------------------------------------------------------------------------------- */

bool lh_copy(bool write, u64 address, void *mem, size_t size)
{
	char *at = mem;

	while (size) {
		struct iovec local = { at, size };
		struct iovec remote = { (void *)(uintptr_t)address, size };
		ssize_t n = write ? process_vm_writev(process->pid, &local, 1, &remote, 1, 0)
				  : process_vm_readv(process->pid, &local, 1, &remote, 1, 0);

		if (n <= 0)
			return false;
		at += n;
		address += (u64)n;
		size -= (size_t)n;
	}
	return true;
}

static bool daemon_lives(struct lh_chan *chan)
{
	struct pollfd pfd = { .fd = process->sock, .events = POLLIN | POLLRDHUP };
	struct timespec now = { 0 };

	if (chan->generation != lh_generation())
		return false;
	return syscall(SYS_ppoll, &pfd, 1, &now, NULL, 0) == 0;
}

/* Waits for the daemon's next message; false when it is gone. */
static bool chan_wait(struct lh_chan *chan)
{
	struct lh_shm *shm = chan->shm;

	if (!handoff_spin(&shm->reply, chan->seen, chan->spin)) {
		const struct timespec check = { .tv_nsec = CHECK_NS };

		for (;;) {
			handoff_sleep(&shm->reply, chan->seen, &shm->client_sleeps, &check);
			if (__atomic_load_n(&shm->reply, __ATOMIC_ACQUIRE) != chan->seen)
				break;
			if (!daemon_lives(chan))
				return false;
		}
	}
	chan->seen++;
	return true;
}

static void chan_post(struct lh_chan *chan)
{
	chan->sent++;
	handoff_post(&chan->shm->request, chan->sent, &chan->shm->daemon_sleeps);
}

/* The daemon asks something before it replies. */
static void chan_answer(struct lh_chan *chan)
{
	struct lh_shm *shm = chan->shm;
	struct lh_msg *msg = &shm->msg;
	struct lh_file file;

	switch (msg->op) {
	case LH_ASK_COPY_IN:
	case LH_ASK_COPY_OUT:
		msg->result = msg->args[1] <= LH_DATA_SIZE &&
					      lh_copy(msg->op == LH_ASK_COPY_OUT, msg->args[0],
						      shm->data, msg->args[1])
				      ? 0
				      : -EFAULT;
		break;
	case LH_ASK_FD: {
		int fd = (int)msg->args[0];
		/* Binding the file is a call of its own. */
		struct lh_chan *other = lh_enter();

		msg->result = -EBADF;
		if (other) {
			if (lh_fd_ours(fd) && lh_fd_file(other, fd, &file) == 0) {
				msg->args[0] = file.id;
				msg->result = 0;
			}
			lh_leave();
		}
		break;
	}
	default:
		msg->result = -EINVAL;
		break;
	}
	msg->op = LH_OP_ANSWER;
}

/* False when the daemon is gone. */
static bool exchange(struct lh_chan *chan, struct lh_msg *msg)
{
	struct lh_shm *shm = chan->shm;

	shm->msg = *msg;
	chan_post(chan);
	for (;;) {
		if (!chan_wait(chan))
			return false;
		lh_shm_prefetch(shm);
		if (shm->msg.op == LH_REPLY)
			break;
		chan_answer(chan);
		chan_post(chan);
	}
	*msg = shm->msg;
	chan->spin = msg->spin;
	return true;
}

s32 lh_exchange(struct lh_chan *chan, struct lh_msg *msg)
{
	if (exchange(chan, msg))
		return msg->result;
	/* The next call connects anew, where there is a daemon. */
	if (chan->generation == lh_generation())
		lh_disconnect();
	return -ENODEV;
}
