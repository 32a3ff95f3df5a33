// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Calls on a channel: the request, what the daemon asks before it replies, and the end of a call
 * that a signal handler jumped out of.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/user/handoff.h"
#include "host/user/preload/conn.h"

#define CHECK_NS 200000000l /* between looks whether the daemon still lives */

bool lh_copy(bool write, u64 address, void *mem, size_t size)
{
	char *at = mem;

	while (size) {
		struct iovec local = { at, size };
		struct iovec remote = { (void *)(uintptr_t)address, size };
		ssize_t n = write ? process_vm_writev(lh_owner(), &local, 1, &remote, 1, 0)
				  : process_vm_readv(lh_owner(), &local, 1, &remote, 1, 0);

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
	return !lh_own_hangs_up(lh_link_slot(chan->link));
}

/* Waits for the daemon's next message: 0, LH_RESTART, or -ENODEV when it is gone. */
static int chan_wait(struct lh_chan *chan, const struct lh_patience *patience)
{
	struct lh_shm *shm = chan->shm;

	if (!handoff_spin(&shm->reply, chan->seen, chan->spin)) {
		const struct timespec check = { .tv_nsec = CHECK_NS };

		for (;;) {
			handoff_sleep(&shm->reply, chan->seen, &shm->client_sleeps, &check);
			if (__atomic_load_n(&shm->reply, __ATOMIC_ACQUIRE) != chan->seen)
				break;
			if (!daemon_lives(chan))
				return -ENODEV;
			if (lh_impatient(patience))
				return LH_RESTART;
		}
	}
	if (__builtin_expect(__atomic_load_n(&shm->refused, __ATOMIC_ACQUIRE) != 0, 0))
		return -ENODEV;
	chan->seen++;
	return 0;
}

static void chan_post(struct lh_chan *chan)
{
	chan->sent++;
	handoff_post(&chan->shm->request, chan->sent, &chan->shm->daemon_sleeps);
}

/* The daemon asks something before it replies: makes the answer of it. */
static void chan_answer(struct lh_chan *chan, struct lh_msg *msg)
{
	struct lh_shm *shm = chan->shm;
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
		struct lh_chan *other = lh_enter_at(__builtin_frame_address(0));

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
	case LH_ASK_PIN:
		lh_pin(chan, msg);
		break;
	default:
		msg->result = -EINVAL;
		break;
	}
	msg->op = LH_OP_ANSWER;
}

static bool asks(const struct lh_msg *msg)
{
	return msg->op == LH_ASK_COPY_IN || msg->op == LH_ASK_COPY_OUT || msg->op == LH_ASK_FD ||
	       msg->op == LH_ASK_PIN;
}

void lh_chan_settle(struct lh_chan *chan)
{
	if (chan->shm && chan->busy && chan->generation == lh_generation())
		lh_chan_finish(chan);
	chan->busy = false;
}

void lh_chan_finish(struct lh_chan *chan)
{
	struct lh_shm *shm = chan->shm;

	if (chan->sent != chan->seen)
		handoff_post(&shm->request, chan->sent, &shm->daemon_sleeps);
	while (chan->sent != chan->seen || asks(&shm->told)) {
		if (chan->sent == chan->seen) {
			shm->asked.op = LH_OP_ANSWER;
			shm->asked.result = -EFAULT;
			chan_post(chan);
		}
		if (chan_wait(chan, NULL))
			break;
	}
	chan->busy = false;
}

int lh_chan_exchange(struct lh_chan *chan, struct lh_msg *msg, const struct lh_patience *patience)
{
	struct lh_shm *shm = chan->shm;
	int rc;

	chan->busy = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	for (;;) {
		lh_msg_copy(&shm->asked, msg);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		chan_post(chan);
		rc = chan_wait(chan, patience);
		if (rc)
			return rc;
		lh_msg_copy(msg, &shm->told);
		if (msg->op == LH_REPLY)
			break;
		chan_answer(chan, msg);
	}
	chan->spin = msg->spin;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	chan->busy = false;
	return 0;
}

s32 lh_exchange(struct lh_chan *chan, struct lh_msg *msg)
{
	return lh_exchange_within(chan, msg, NULL);
}

s32 lh_exchange_within(struct lh_chan *chan, struct lh_msg *msg, const struct lh_patience *patience)
{
	int rc = lh_chan_exchange(chan, msg, patience);

	if (!rc)
		return msg->result;
	if (rc == LH_RESTART)
		return rc;
	if (chan->shm->refused) {
		/* This thread's channel only. Of no connection: the next call asks for one again.
		 */
		chan->generation = ~0u;
		chan->busy = false;
		return -(s32)(chan->shm->refused & 0xfff);
	}
	/* The next call connects anew, where there is a daemon. */
	if (chan->generation == lh_generation())
		lh_disconnect();
	return -ENODEV;
}
