// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A channel: the shared pages of one client thread and the daemon's thread that serves it. The
 * client may write anything there at any time, so a message is copied once and the copy is checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/handoff.h"
#include "host/user/machine.h"

#ifndef TMPFS_MAGIC
#define TMPFS_MAGIC 0x01021994
#endif

#define SPIN_NS 6000u	      /* of the daemon, after a request */
#define CLIENT_SPIN_NS 20000u /* an RPC to the firmware fits in */

static __thread struct channel *current;

/* Spinning threads take CPUs from those that work: at most half of the CPUs spin. */
static u32 spinners;
static u32 spinners_max;
static pthread_once_t spinners_once = PTHREAD_ONCE_INIT;

static void spinners_init(void)
{
	cpu_set_t set;
	int cpus = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	spinners_max = (u32)cpus / 2;
}

struct channel *channel_current(void)
{
	return current;
}

void channel_wake(struct channel *ch)
{
	os_user_signal_raise(&ch->gone);
	handoff_syscall(&ch->shm->request, FUTEX_WAKE, 1, NULL);
}

/* Waits for the client's next message; false when its connection is dead. */
static bool channel_wait(struct channel *ch)
{
	u32 *word = &ch->shm->request;
	/* The first looks are too short to be counted. */
	bool came = spinners_max && handoff_look(word, ch->seen);

	if (!came && spinners_max) {
		if (os_fetch_add(&spinners, 1) < spinners_max)
			came = handoff_look_for(word, ch->seen, SPIN_NS);
		os_fetch_sub(&spinners, 1);
	}
	while (!came && os_load_acquire(word) == ch->seen) {
		if (os_load_acquire(&ch->conn->dead))
			return false;
		handoff_sleep(word, ch->seen, &ch->shm->daemon_sleeps, NULL);
	}
	ch->seen = os_load_acquire(word);
	return !os_load_acquire(&ch->conn->dead);
}

static void channel_post(struct channel *ch, const struct lh_msg *msg)
{
	lh_msg_copy(&ch->shm->told, msg);
	ch->posted++;
	handoff_post(&ch->shm->reply, ch->posted, &ch->shm->client_sleeps);
}

bool channel_ask(struct channel *ch, struct lh_msg *msg)
{
	if (ch->broken)
		return false;
	channel_post(ch, msg);
	if (channel_wait(ch)) {
		lh_msg_copy(msg, &ch->shm->asked);
		if (msg->op == LH_OP_ANSWER)
			return true;
	}
	ch->broken = true;
	return false;
}

/* -- Requests ---------------------------------------------------------------------------------- */

static s32 ioctl_errno(enum rm_ioctl_result result)
{
	static const u16 map[] = {
		[RM_IOCTL_OK] = 0,	    [RM_IOCTL_EINVAL] = EINVAL, [RM_IOCTL_EFAULT] = EFAULT,
		[RM_IOCTL_ENOMEM] = ENOMEM, [RM_IOCTL_EBUSY] = EBUSY,	[RM_IOCTL_EACCES] = EACCES,
		[RM_IOCTL_EPERM] = EPERM,   [RM_IOCTL_ENODEV] = ENODEV, [RM_IOCTL_EINTR] = EINTR,
		[RM_IOCTL_EIO] = EIO,	    [RM_IOCTL_ENOTTY] = ENOTTY,
	};

	return (u32)result < ARRAY_SIZE(map) ? -(s32)map[result] : -EIO;
}

static void serve_ioctl(struct channel *ch, struct lh_msg *msg)
{
	struct dfile *file;

	daemon_copy_begin(ch, msg);
	file = dfile_of_channel(ch, msg->args[0]);
	if (file) {
		if (file->uvm)
			msg->result = -dfile_uvm_ioctl(file, (u32)msg->args[1], msg->args[2]);
		else
			msg->result =
				ioctl_errno(rm_ioctl(file->rm, (u32)msg->args[1], msg->args[2]));
		dfile_put(file);
	} else {
		msg->result = -EBADF;
	}
	daemon_copy_end(ch, msg);
}

static void serve_open(struct channel *ch, struct lh_msg *msg)
{
	u64 node = msg->args[1];
	u64 minor = msg->args[2];
	const struct machine_user user = { ch->conn->cred.uid, ch->conn->cred.gid, ch->conn->groups,
					   ch->conn->group_count };
	struct dfile *file;
	int rc;

	msg->result = -EINVAL;
	if (node >= TREE_NODES || minor > 0xffffffffu)
		return;
	rc = dfile_by_token(ch->conn, msg->args[0], &file);
	if (rc) {
		msg->result = -rc;
		return;
	}
	if (!machine_node_allowed(daemon_machine(), (enum tree_node)node, (u32)minor,
				  (u32)msg->args[3], &user))
		msg->result = -EACCES;
	else
		msg->result = -dfile_open(file, (enum tree_node)node, (u32)minor);
	msg->args[0] = file->id;
	dfile_put(file);
}

static void serve_bind(struct channel *ch, struct lh_msg *msg)
{
	struct dfile *file;
	int rc = dfile_by_token(ch->conn, msg->args[0], &file);

	msg->result = rc == EIO ? -EBADF : -rc;
	if (rc)
		return;
	msg->result = -EBADF;
	if (dfile_is_open(file)) {
		msg->result = 0;
		msg->args[0] = file->id;
		msg->args[1] = file->node;
		msg->args[2] = file->minor;
	}
	dfile_put(file);
}

static void serve_poll(struct channel *ch, struct lh_msg *msg)
{
	struct dfile *file = dfile_get(ch->conn, msg->args[0]);

	msg->result = -EBADF;
	if (!file)
		return;
	/* Before asking, so that an event that comes after the answer is told again. */
	os_exchange(&file->notified, 0);
	msg->result = file->uvm ? uvm_file_poll(file->uvm) : rm_file_poll(file->rm);
	/* What is not taken is there the next time too: the byte tells until the answer is no. */
	if (msg->result)
		dfile_tell(file);
	dfile_put(file);
}

static void serve_text(struct channel *ch, struct lh_msg *msg)
{
	char path[512];
	char *text;
	size_t size, offset, n;
	int rc;

	msg->result = -EINVAL;
	if (!msg->size || msg->size >= sizeof(path))
		return;
	os_memcpy(path, ch->shm->data, msg->size);
	path[msg->size] = 0;
	offset = msg->args[0];
	rc = daemon_text(daemon_machine(), path, &text, &size);
	msg->result = -rc;
	msg->size = 0;
	if (rc)
		return;
	if (offset < size) {
		n = size - offset < LH_DATA_SIZE ? size - offset : LH_DATA_SIZE;
		os_memcpy(ch->shm->data, text + offset, n);
		msg->size = (u32)n;
	}
	msg->args[0] = size;
	free(text);
}

bool channel_serve(struct channel *ch, struct lh_msg *msg)
{
	u32 op = msg->op;

	if (op != LH_OP_IOCTL)
		msg->piece[0] = msg->piece[1] = 0;
	switch (op) {
	case LH_OP_WELCOME:
		dfile_settle();
		msg->args[0] = ch->conn->id;
		msg->args[1] = ch->conn->secret[0];
		msg->args[2] = ch->conn->secret[1];
		msg->result = 0;
		break;
	case LH_OP_OPEN:
		serve_open(ch, msg);
		break;
	case LH_OP_BIND:
		serve_bind(ch, msg);
		break;
	case LH_OP_IOCTL:
		serve_ioctl(ch, msg);
		break;
	case LH_OP_POLL:
		serve_poll(ch, msg);
		break;
	case LH_OP_CLOSED:
		dfile_closed(ch->conn, msg->args[0]);
		msg->result = 0;
		break;
	case LH_OP_MAP:
		serve_map(ch, msg);
		break;
	case LH_OP_UNMAP:
		serve_unmap(ch, msg);
		break;
	case LH_OP_WATCH:
		serve_watch(ch, msg);
		break;
	case LH_OP_UNPIN:
		serve_unpin(ch, msg);
		break;
	case LH_OP_MONITOR:
		serve_monitor(ch, msg);
		break;
	case LH_OP_RETIRE:
		serve_retire(ch, msg);
		break;
	case LH_OP_TEXT:
		serve_text(ch, msg);
		break;
	default:
		ch->broken = true;
		break;
	}
	msg->op = LH_REPLY;
	msg->spin = spinners_max ? CLIENT_SPIN_NS : 0;
	return !ch->broken;
}

/* -- The thread -------------------------------------------------------------------------------- */

static void channel_end(struct channel *ch)
{
	struct conn *conn = ch->conn;

	pthread_mutex_lock(&conn->lock);
	for (struct channel **at = &conn->channels; *at; at = &(*at)->next) {
		if (*at == ch) {
			*at = ch->next;
			break;
		}
	}
	conn->channel_count--;
	pthread_mutex_unlock(&conn->lock);
	dfile_forget(ch);
	share_drop(conn->cred.uid, SHARE_CHANNEL);
	munmap(ch->shm, LH_SHM_SIZE);
	free(ch);
	conn_put(conn);
}

static void *channel_main(void *arg)
{
	struct channel *ch = arg;
	struct lh_msg msg;

	current = ch;
	daemon_caller_set(ch);
	while (channel_wait(ch)) {
		lh_msg_copy(&msg, &ch->shm->asked);
		if (msg.op == LH_OP_END)
			break;
		if (!channel_serve(ch, &msg)) {
			/* What no client of ours sends: it loses its connection. */
			shutdown(ch->conn->sock.fd, SHUT_RDWR);
			break;
		}
		channel_post(ch, &msg);
	}
	daemon_caller_clear();
	current = NULL;
	channel_end(ch);
	return NULL;
}

/* A memfd that the client cannot take memory away from under us. */
static int memfd_check(int fd)
{
	const int need = F_SEAL_SHRINK | F_SEAL_GROW;
	struct stat st;
	struct statfs fs;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & need) != need || fstat(fd, &st) || fstatfs(fd, &fs) ||
	    fs.f_type != TMPFS_MAGIC || st.st_size != LH_SHM_SIZE)
		return EINVAL;
	return 0;
}

/* The client finds in the channel why nobody serves it, and goes on with those it has. */
static void channel_refuse(struct lh_shm *shm, int rc)
{
	os_store_release(&shm->refused, (u32)rc);
	os_store_release(&shm->reply, ~0u);
	handoff_syscall(&shm->reply, FUTEX_WAKE, 1, NULL);
}

static int thread_start(struct channel *ch)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = pthread_attr_init(&attr);

	if (rc)
		return rc;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, DAEMON_CHANNEL_STACK);
	rc = pthread_create(&thread, &attr, channel_main, ch);
	pthread_attr_destroy(&attr);
	return rc;
}

int channel_start(struct conn *conn, int memfd, bool first)
{
	struct channel *ch = NULL;
	int rc = memfd_check(memfd);

	pthread_once(&spinners_once, spinners_init);
	if (rc)
		goto out;
	ch = calloc(1, sizeof(*ch));
	if (!ch) {
		rc = ENOMEM;
		goto out;
	}
	ch->conn = conn;
	ch->shm = mmap(NULL, LH_SHM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (ch->shm == MAP_FAILED) {
		rc = errno;
		goto out_free;
	}
	os_fetch_add(&conn->refs, 1);
	pthread_mutex_lock(&conn->lock);
	if (conn->channel_count < DAEMON_MAX_CHANNELS &&
	    share_take(conn->cred.uid, SHARE_CHANNEL)) {
		ch->next = conn->channels;
		conn->channels = ch;
		conn->channel_count++;
	} else {
		rc = ENOMEM;
	}
	pthread_mutex_unlock(&conn->lock);
	if (rc)
		goto out_refuse;
	rc = thread_start(ch);
	if (!rc)
		goto out;
	channel_refuse(ch->shm, ENOMEM);
	channel_end(ch);
	rc = first ? rc : 0;
	goto out;
out_refuse:
	channel_refuse(ch->shm, rc);
	rc = first ? rc : 0;
	os_fetch_sub(&conn->refs, 1);
	munmap(ch->shm, LH_SHM_SIZE);
out_free:
	free(ch);
out:
	close(memfd);
	return rc;
}
