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
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/handoff.h"
#include "host/user/preload/conn.h"

#define FIRST_SPIN_NS 50000u

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* All zero in a forked child. */
struct process {
	u32 lock;
	u32 bind_lock;	/* outside of lock */
	u32 generation; /* 0: not connected */
	struct lh_link *link;
	struct lh_link links[LH_LINKS];
	pid_t pid; /* whose memory this is: not a child's that vfork made */
	u64 last_token;
	struct lh_own own;
};

static struct process *process; /* a page of its own, made once */
static u32 last_generation;	/* inherited, so that no two connections of a family share one */
static pthread_key_t thread_key;
static u32 setup_state;

static __thread __attribute__((tls_model("initial-exec"))) struct {
	u32 depth;
	const void *frames[LH_MAX_DEPTH]; /* of the callers of lh_enter */
	struct lh_chan chans[LH_MAX_DEPTH];
	u64 stack; /* of this thread: [stack, stack_end); 0, 0 when not known */
	u64 stack_end;
} thread;

/* -- Setting up -------------------------------------------------------------------------------- */

/* Signals are blocked while it is held. */
static void process_lock(sigset_t *before)
{
	lh_word_lock(&process->lock, before);
}

static void process_unlock(const sigset_t *before)
{
	lh_word_unlock(&process->lock, before);
}

int lh_bind_lock(struct lh_patience *patience, u64 ns)
{
	return lh_word_lock_within(&process->bind_lock, patience, ns);
}

void lh_bind_unlock(const struct lh_patience *patience)
{
	lh_word_unlock(&process->bind_lock, &patience->before);
}

u32 lh_link_slot(const struct lh_link *link)
{
	return (u32)(link - process->links);
}

/* Ends a retired connection that no call uses any more. process->lock held. */
static void link_reap(struct lh_link *link)
{
	if (!link->generation || link->generation == process->generation ||
	    __atomic_load_n(&link->calls, __ATOMIC_SEQ_CST))
		return;
	lh_own_close(lh_link_slot(link));
	__atomic_store_n(&link->generation, 0, __ATOMIC_SEQ_CST);
}

static void link_put(struct lh_link *link)
{
	sigset_t before;

	if (__atomic_sub_fetch(&link->calls, 1, __ATOMIC_SEQ_CST) ||
	    __builtin_expect(__atomic_load_n(&link->generation, __ATOMIC_SEQ_CST) ==
				     __atomic_load_n(&process->generation, __ATOMIC_SEQ_CST),
			     1))
		return;
	process_lock(&before);
	link_reap(link);
	process_unlock(&before);
}

/* The calling thread's levels from depth on have ended: by lh_leave, or jumped out of. */
static void levels_end(u32 depth)
{
	while (thread.depth > depth)
		link_put(thread.chans[--thread.depth].link);
}

static void thread_end(void *arg)
{
	if (process->pid != getpid())
		return;
	for (u32 i = 0; i < LH_MAX_DEPTH; i++) {
		struct lh_chan *chan = &thread.chans[i];

		if (!chan->shm)
			continue;
		if (chan->generation == lh_generation()) {
			lh_chan_settle(chan);
			chan->shm->asked.op = LH_OP_END;
			handoff_post(&chan->shm->request, ++chan->sent, &chan->shm->daemon_sleeps);
		}
		munmap(chan->shm, LH_SHM_SIZE);
		chan->shm = NULL;
	}
	levels_end(0);
}

/* The parent's connection must not live on in a child: the daemon would think that it does. */
static void after_fork(void)
{
	lh_own_forked();
	/* Where the kernel cannot wipe it. */
	memset(process, 0, sizeof(*process));
	process->pid = getpid();
	memset(&thread, 0, sizeof(thread));
}

static bool setup_once(void)
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
	process->pid = getpid();
	pthread_atfork(NULL, NULL, after_fork);
	lh_own_begin(&process->own);
	__atomic_store_n(&setup_state, 2, __ATOMIC_SEQ_CST);
	return true;
}

bool lh_setup(void)
{
	sigset_t all, before;
	bool done;

	if (__atomic_load_n(&setup_state, __ATOMIC_ACQUIRE) == 2)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	done = setup_once();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return done;
}

/* Where the daemon has to go on first. 0 or LH_RESTART. */
static int nap(const struct lh_patience *patience)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (lh_impatient(patience))
		return LH_RESTART;
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ms, NULL);
	return 0;
}

static int connect_daemon(u32 slot, const struct lh_patience *patience)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int rc;

	strcpy(addr.sun_path, lh_socket_path());
	/* While the daemon has not taken those that came before. */
	while ((rc = lh_own_connect(slot, &addr)) == -EAGAIN || rc == -EINTR) {
		if (nap(patience))
			return LH_RESTART;
	}
	return !rc || rc == -EACCES ? rc : -ENXIO;
}

/* Makes a channel's pages and hands them to the daemon. 0, a negative errno or LH_RESTART. */
static int shm_send(u32 slot, u32 role, struct lh_shm **shm, const struct lh_patience *patience)
{
	const struct lh_hello hello = { .magic = LH_MAGIC, .version = LH_VERSION, .role = role };
	int rc;

	while ((rc = lh_own_send_shm(slot, &hello, shm)) == -EAGAIN) {
		if (nap(patience))
			return LH_RESTART;
	}
	return rc;
}

static void chan_begin(struct lh_chan *chan, struct lh_link *link)
{
	chan->link = link;
	chan->generation = link->generation;
	chan->spin = FIRST_SPIN_NS;
}

/* Connects this process, with chan as the first channel. process->lock held. 0 or a negative errno.
 */
static int process_connect(struct lh_chan *chan, const struct lh_patience *patience)
{
	struct lh_msg msg = { .op = LH_OP_WELCOME };
	struct lh_link *link = process->links;
	int rc;

	while (link < process->links + LH_LINKS && link->generation)
		link++;
	if (link == process->links + LH_LINKS)
		return -EAGAIN;
	rc = lh_own_socket(lh_link_slot(link));
	if (rc)
		return rc;
	rc = connect_daemon(lh_link_slot(link), patience);
	if (!rc)
		rc = shm_send(lh_link_slot(link), LH_ROLE_CLIENT, &chan->shm, patience);
	if (rc)
		goto fail;
	__atomic_store_n(&link->generation,
			 __atomic_add_fetch(&last_generation, 1, __ATOMIC_SEQ_CST),
			 __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&link->calls, 1, __ATOMIC_SEQ_CST);
	chan_begin(chan, link);
	rc = lh_chan_exchange(chan, &msg, patience);
	if (!rc)
		rc = msg.result;
	if (rc < 0)
		goto fail_connected;
	link->id = msg.args[0];
	link->secret[0] = msg.args[1];
	link->secret[1] = msg.args[2];
	process->link = link;
	__atomic_store_n(&process->generation, link->generation, __ATOMIC_SEQ_CST);
	return 0;
fail_connected:
	__atomic_store_n(&link->generation, 0, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&link->calls, 1, __ATOMIC_SEQ_CST);
fail:
	if (chan->shm)
		munmap(chan->shm, LH_SHM_SIZE);
	chan->shm = NULL;
	lh_own_close(lh_link_slot(link));
	return rc == -ECONNRESET || rc == -EPIPE || rc == -ENODEV ? -ENXIO : rc;
}

static int channel_add(struct lh_chan *chan, const struct lh_patience *patience)
{
	int rc = shm_send(lh_link_slot(process->link), LH_DGRAM_CHANNEL, &chan->shm, patience);

	if (rc)
		return rc;
	__atomic_add_fetch(&process->link->calls, 1, __ATOMIC_SEQ_CST);
	chan_begin(chan, process->link);
	return 0;
}

/* Calls that are under way keep what they have. process->lock held. */
static void process_disconnect(void)
{
	__atomic_store_n(&process->generation, 0, __ATOMIC_SEQ_CST);
	if (process->link)
		link_reap(process->link);
	process->link = NULL;
}

void lh_disconnect(void)
{
	sigset_t before;

	if (!lh_generation() || lh_borrowed())
		return;
	process_lock(&before);
	process_disconnect();
	process_unlock(&before);
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

/* 0, a negative errno, or LH_RESTART when ns were not enough and there are signals to take. */
static int chan_connect(struct lh_chan *chan, u64 ns)
{
	struct lh_patience patience;
	int rc;

	if (!lh_setup())
		return -ENOMEM;
	rc = lh_word_lock_within(&process->lock, &patience, ns);
	if (rc)
		return rc;
	if (!process->pid) {
		/* A child that no handler saw being made: it has none of the mappings. */
		process->pid = getpid();
		memset(thread.chans, 0, sizeof(thread.chans));
	}
	/* Of a connection that ended. */
	if (chan->shm)
		munmap(chan->shm, LH_SHM_SIZE);
	memset(chan, 0, sizeof(*chan));
	if (process->generation) {
		rc = channel_add(chan, &patience);
		if (rc == -EPIPE || rc == -ECONNRESET)
			process_disconnect();
	}
	if (!process->generation)
		rc = process_connect(chan, &patience);
	if (!rc) {
		pthread_setspecific(thread_key, &thread);
		stack_find();
	}
	process_unlock(&patience.before);
	return rc;
}

/* With one more call on the channel's connection, unless it is retired. */
static bool chan_use(struct lh_chan *chan)
{
	if (!chan->shm || chan->generation != lh_generation())
		return false;
	__atomic_add_fetch(&chan->link->calls, 1, __ATOMIC_SEQ_CST);
	if (__builtin_expect(
		    chan->generation == __atomic_load_n(&process->generation, __ATOMIC_SEQ_CST), 1))
		return true;
	link_put(chan->link);
	return false;
}

struct lh_chan *lh_enter_at(const void *frame)
{
	struct lh_chan *chan;
	u64 ns = LH_PATIENCE_NS;
	int rc;

	if (thread.depth >= LH_MAX_DEPTH) {
		errno = EAGAIN;
		return NULL;
	}
	chan = &thread.chans[thread.depth];
	do {
		/* Also what a handler that ran in between left. */
		if (__builtin_expect(chan->busy, 0))
			lh_chan_settle(chan);
		if (__builtin_expect(chan_use(chan), 1))
			break;
		rc = chan_connect(chan, ns);
		if (rc && rc != LH_RESTART) {
			errno = -rc;
			return NULL;
		}
		ns = lh_more_patience(ns);
	} while (rc);
	thread.frames[thread.depth++] = frame;
	return chan;
}

/*
 * A call that is under way lies further out on the stack than the handler that interrupts it. One
 * that does not was jumped out of. Not to be told where a handler has a stack of its own.
 */
static void levels_drop(const void *frame)
{
	u32 depth = thread.depth;
	stack_t alternate;

	if (!lh_on_stack(frame, (u64)(uintptr_t)frame, 1) ||
	    syscall(SYS_sigaltstack, NULL, &alternate) || (alternate.ss_flags & SS_ONSTACK))
		return;
	while (depth &&
	       lh_on_stack(thread.frames[depth - 1], (u64)(uintptr_t)thread.frames[depth - 1], 1) &&
	       (uintptr_t)thread.frames[depth - 1] <= (uintptr_t)frame)
		depth--;
	levels_end(depth);
}

__attribute__((noinline)) struct lh_chan *lh_enter(void)
{
	const void *frame = __builtin_frame_address(0);

	if (__builtin_expect(thread.depth, 0))
		levels_drop(frame);
	return lh_enter_at(frame);
}

void lh_leave(void)
{
	levels_end(thread.depth - 1);
}

pid_t lh_owner(void)
{
	return process->pid;
}

bool lh_borrowed(void)
{
	return __atomic_load_n(&setup_state, __ATOMIC_ACQUIRE) == 2 && process->pid &&
	       process->pid != (pid_t)syscall(SYS_getpid);
}

u32 lh_generation(void)
{
	if (__builtin_expect(__atomic_load_n(&setup_state, __ATOMIC_ACQUIRE) != 2, 0))
		return 0;
	return __atomic_load_n(&process->generation, __ATOMIC_ACQUIRE);
}

void lh_hello_fill(const struct lh_chan *chan, struct lh_hello *hello, u32 role)
{
	*hello = (struct lh_hello){ .magic = LH_MAGIC, .version = LH_VERSION, .role = role };
	hello->conn = chan->link->id;
	hello->secret[0] = chan->link->secret[0];
	hello->secret[1] = chan->link->secret[1];
	hello->token = __atomic_add_fetch(&process->last_token, 1, __ATOMIC_SEQ_CST);
}

u64 lh_descriptor_send(struct lh_chan *chan, int fd)
{
	struct lh_hello hello;
	int rc;

	lh_hello_fill(chan, &hello, LH_DGRAM_RIGHTS);
	rc = lh_own_send(lh_link_slot(chan->link), &hello, fd);
	syscall(SYS_close, fd);
	return rc ? 0 : hello.token;
}
