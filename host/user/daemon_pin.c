// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory of clients that the driver pins: the calling thread gives descriptors of memory that its
 * range became, or was. They are kept for as long as the client says, so that a part of the same
 * memory can be pinned again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "os/user/user.h"

#ifndef TMPFS_MAGIC
#define TMPFS_MAGIC 0x01021994
#endif

#define RIGHT_WAIT_S 2

struct pinned {
	u64 memory; /* the client's number */
	int fd;
	struct pinned *next;
};

/* -- Descriptors that came, until a message names them -------------------------------------------
 */

void conn_add_right(struct conn *conn, u64 token, int fd)
{
	pthread_mutex_lock(&conn->lock);
	if (conn->right_count < DAEMON_MAX_RIGHTS && !os_load_relaxed(&conn->dead)) {
		conn->rights[conn->right_count++] = (struct right){ token, fd };
		fd = -1;
	}
	pthread_cond_broadcast(&conn->bound);
	pthread_mutex_unlock(&conn->lock);
	if (fd >= 0)
		close(fd);
}

int conn_take_right(struct conn *conn, u64 token, bool wait)
{
	struct timespec until;
	int fd = -1;
	u32 i;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RIGHT_WAIT_S;
	pthread_mutex_lock(&conn->lock);
	for (;;) {
		for (i = 0; i < conn->right_count && conn->rights[i].token != token; i++)
			;
		if (i < conn->right_count) {
			fd = conn->rights[i].fd;
			conn->rights[i] = conn->rights[--conn->right_count];
			break;
		}
		if (!wait || os_load_acquire(&conn->dead) ||
		    pthread_cond_timedwait(&conn->bound, &conn->lock, &until))
			break;
	}
	pthread_mutex_unlock(&conn->lock);
	return fd;
}

/* -- Memory that is kept ----------------------------------------------------------------------- */

static struct pinned **pinned_find(struct conn *conn, u64 memory)
{
	struct pinned **at = &conn->pinned;

	while (*at && (*at)->memory != memory)
		at = &(*at)->next;
	return at;
}

/* Keeps a copy of the descriptor. False where there is no room. */
static bool pinned_add(struct conn *conn, u64 memory, int fd)
{
	struct pinned *pinned = malloc(sizeof(*pinned));
	bool added = false;

	if (!pinned || !share_take(conn->cred.uid, SHARE_PINNED)) {
		free(pinned);
		return false;
	}
	pinned->memory = memory;
	pinned->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_lock(&conn->lock);
	if (pinned->fd >= 0 && !os_load_relaxed(&conn->dead) && !*pinned_find(conn, memory)) {
		pinned->next = conn->pinned;
		conn->pinned = pinned;
		added = true;
	}
	pthread_mutex_unlock(&conn->lock);
	if (!added) {
		if (pinned->fd >= 0)
			close(pinned->fd);
		share_drop(conn->cred.uid, SHARE_PINNED);
		free(pinned);
	}
	return added;
}

/* A descriptor of its own, or -1. */
static int pinned_get(struct conn *conn, u64 memory)
{
	struct pinned *pinned;
	int fd;

	pthread_mutex_lock(&conn->lock);
	pinned = *pinned_find(conn, memory);
	fd = pinned ? fcntl(pinned->fd, F_DUPFD_CLOEXEC, 0) : -1;
	pthread_mutex_unlock(&conn->lock);
	return fd;
}

static void pinned_free(struct conn *conn, struct pinned *pinned)
{
	close(pinned->fd);
	share_drop(conn->cred.uid, SHARE_PINNED);
	free(pinned);
}

void serve_unpin(struct channel *ch, struct lh_msg *msg)
{
	struct pinned **at, *pinned;

	pthread_mutex_lock(&ch->conn->lock);
	at = pinned_find(ch->conn, msg->args[0]);
	pinned = *at;
	if (pinned)
		*at = pinned->next;
	pthread_mutex_unlock(&ch->conn->lock);
	if (pinned)
		pinned_free(ch->conn, pinned);
	msg->result = pinned ? 0 : -EINVAL;
}

void conn_drop_memory(struct conn *conn)
{
	while (conn->right_count)
		close(conn->rights[--conn->right_count].fd);
	while (conn->pinned) {
		struct pinned *next = conn->pinned->next;

		pinned_free(conn, conn->pinned);
		conn->pinned = next;
	}
}

/* -- Pinning ----------------------------------------------------------------------------------- */

/*
 * A client may truncate its memory under us: what then is not there is zeros from then on, for us
 * alone. Its own memory is all that it harms.
 */
static void bus_error(int sig, siginfo_t *info, void *context)
{
	static const char told[] = "leafhopper: a client took away memory that is pinned\n";
	const int saved = errno;
	void *page = (void *)((uintptr_t)info->si_addr & ~(uintptr_t)(OS_PAGE_SIZE - 1));

	if (info->si_code != BUS_ADRERR ||
	    mmap(page, OS_PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		signal(SIGBUS, SIG_DFL);
	else if (write(STDERR_FILENO, told, sizeof(told) - 1) < 0)
		errno = saved;
	errno = saved;
}

void pin_start(void)
{
	struct sigaction action = { .sa_sigaction = bus_error, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
}

/* Memory of the kernel's own, whose pages nobody can keep us waiting for, that has these bytes. */
static enum nv_status piece_check(int fd, const struct lh_pin_piece *piece, bool writable)
{
	int flags = fcntl(fd, F_GETFL);
	struct statfs fs;
	struct stat st;

	if (flags < 0 || (flags & O_PATH) || fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC ||
	    fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NV_ERR_NOT_SUPPORTED;
	if ((flags & O_ACCMODE) == O_WRONLY || ((flags & O_ACCMODE) == O_RDONLY && writable))
		return NV_ERR_INVALID_ADDRESS;
	if (piece->offset % OS_PAGE_SIZE || piece->size % OS_PAGE_SIZE || !piece->size ||
	    piece->offset + piece->size < piece->offset ||
	    piece->offset + piece->size > (u64)st.st_size)
		return NV_ERR_INVALID_ADDRESS;
	return NV_OK;
}

/* The piece's own descriptor, or -1. Wait: it may be on its way. */
static int piece_open(struct conn *conn, const struct lh_pin_piece *piece, bool wait)
{
	int fd;

	if (!piece->token)
		return pinned_get(conn, piece->memory);
	fd = conn_take_right(conn, piece->token, wait);
	if (fd >= 0 && piece->memory && !pinned_add(conn, piece->memory, fd)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static enum nv_status pin_status(s32 result)
{
	switch (result) {
	case -EFAULT:
		return NV_ERR_INVALID_ADDRESS;
	case -ENOMEM:
		return NV_ERR_NO_MEMORY;
	default:
		return NV_ERR_NOT_SUPPORTED;
	}
}

static enum nv_status pin(void *ctx, u64 user, size_t size, bool writable,
			  struct os_user_pin_piece *pieces, u32 max, u32 *count)
{
	struct channel *ch = ctx;
	struct lh_msg msg = { .op = LH_ASK_PIN, .args = { user, size, writable } };
	enum nv_status status = NV_OK;
	struct lh_pin_piece *told;
	u64 total = 0;
	u32 n, got = 0;

	if (user % OS_PAGE_SIZE || size % OS_PAGE_SIZE || user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	if (!channel_ask(ch, &msg))
		return NV_ERR_INVALID_ADDRESS;
	n = (u32)(msg.result < 0 ? msg.args[0] : (u64)msg.result);
	if (n > LH_DATA_SIZE / sizeof(*told))
		return NV_ERR_INVALID_ADDRESS;
	told = malloc(LH_DATA_SIZE);
	if (!told)
		return NV_ERR_NO_MEMORY;
	os_memcpy(told, ch->shm->data, n * sizeof(*told));
	/*
	 * Also of a failure, so that what came is ours to keep or to end. But who let us wait for
	 * one in vain could do so for each, and a suspend waits with us.
	 */
	for (u32 i = 0; i < n; i++) {
		int fd = piece_open(ch->conn, &told[i], status == NV_OK);

		if (status == NV_OK)
			status = fd < 0 || i == max ? NV_ERR_NO_MEMORY
						    : piece_check(fd, &told[i], writable);
		if (status != NV_OK) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		total += told[i].size;
		pieces[got++] = (struct os_user_pin_piece){ fd, told[i].offset, told[i].size };
	}
	if (msg.result < 0)
		status = pin_status(msg.result);
	else if (status == NV_OK && total != size)
		status = NV_ERR_INVALID_ADDRESS;
	free(told);
	*count = got;
	while (status != NV_OK && got)
		close(pieces[--got].fd);
	return status;
}

const struct os_user_pin_ops daemon_pin_ops = { pin };
