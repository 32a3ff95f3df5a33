// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Connections: one a client process, its channels, its death. What SO_PEERCRED says of the socket
 * is who the client is.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/dgram.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

static struct {
	pthread_mutex_t lock;
	struct conn *first;
	u32 count; /* of structures, dying ones included */
	u32 dying;
	u64 last_id;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

u32 conn_count(void)
{
	u32 count;

	pthread_mutex_lock(&table.lock);
	count = table.count;
	pthread_mutex_unlock(&table.lock);
	return count;
}

struct conn *conn_find(u64 id, const u64 secret[2])
{
	struct conn *conn;

	pthread_mutex_lock(&table.lock);
	for (conn = table.first; conn; conn = conn->next) {
		if (conn->id == id)
			break;
	}
	if (conn && ((conn->secret[0] ^ secret[0]) | (conn->secret[1] ^ secret[1]) |
		     os_load_acquire(&conn->dead)))
		conn = NULL;
	if (conn)
		os_fetch_add(&conn->refs, 1);
	pthread_mutex_unlock(&table.lock);
	return conn;
}

void conn_expel(u64 id)
{
	pthread_mutex_lock(&table.lock);
	for (struct conn *conn = table.first; conn; conn = conn->next) {
		if (conn->id == id && conn->sock.fd >= 0)
			shutdown(conn->sock.fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&table.lock);
}

static void conn_free(struct conn *conn)
{
	pthread_mutex_lock(&table.lock);
	for (struct conn **at = &table.first; *at; at = &(*at)->next) {
		if (*at == conn) {
			*at = conn->next;
			break;
		}
	}
	table.count--;
	if (conn->counted)
		share_drop(conn->cred.uid, SHARE_CONN);
	if (conn->dead)
		table.dying--;
	pthread_mutex_unlock(&table.lock);
	/* Not before: channels may still shut the socket down, and its number would be another's.
	 */
	if (conn->sock.fd >= 0)
		close(conn->sock.fd);
	pthread_cond_destroy(&conn->bound);
	pthread_mutex_destroy(&conn->lock);
	mappings_free(conn->mappings);
	if (conn->monitor)
		monitor_put(conn->monitor);
	conn_drop_memory(conn);
	free(conn->leaver);
	free(conn->groups);
	free(conn->bindings);
	free(conn);
}

void conn_put(struct conn *conn)
{
	if (os_fetch_sub(&conn->refs, 1) == 1)
		conn_free(conn);
}

static void conn_wake(struct conn *conn)
{
	pthread_mutex_lock(&conn->lock);
	for (struct channel *ch = conn->channels; ch; ch = ch->next)
		channel_wake(ch);
	pthread_cond_broadcast(&conn->bound);
	pthread_mutex_unlock(&conn->lock);
}

/* Event loop only: nothing more comes from this client. */
static void conn_die(struct conn *conn)
{
	if (conn->dead)
		return;
	pthread_mutex_lock(&table.lock);
	os_store_release(&conn->dead, 1);
	table.dying++;
	pthread_mutex_unlock(&table.lock);
	if (conn->has_exit)
		loop_remove(&conn->exit);
	conn_wake(conn);
	dfile_unbind_all(conn);
	loop_detach(&conn->sock);
	shutdown(conn->sock.fd, SHUT_RDWR);
}

u32 conn_sweep(void)
{
	u32 dying;

	pthread_mutex_lock(&table.lock);
	dying = table.dying;
	for (struct conn *conn = dying ? table.first : NULL; conn; conn = conn->next) {
		if (conn->dead)
			conn_wake(conn);
	}
	pthread_mutex_unlock(&table.lock);
	return dying;
}

static void conn_event(struct source *source, u32 events)
{
	struct conn *conn = container_of(source, struct conn, sock);

	for (;;) {
		struct lh_hello msg;
		int memfd;
		int rc = dgram_receive(source->fd, &msg, sizeof(msg), &memfd);

		if (rc == -EAGAIN)
			return;
		if (rc == sizeof(msg) && msg.magic == LH_MAGIC && msg.version == LH_VERSION &&
		    msg.role == LH_DGRAM_CHANNEL && memfd >= 0) {
			if (channel_start(conn, memfd, false) == 0)
				continue;
		} else if (rc == sizeof(msg) && msg.magic == LH_MAGIC &&
			   msg.version == LH_VERSION && msg.role == LH_DGRAM_RIGHTS && memfd >= 0) {
			conn_add_right(conn, msg.token, memfd);
			continue;
		} else if (memfd >= 0) {
			close(memfd);
		}
		conn_die(conn);
		return;
	}
}

static void conn_exit_event(struct source *source, u32 events)
{
	conn_die(container_of(source, struct conn, exit));
}

static void conn_release(struct source *source)
{
	conn_put(container_of(source, struct conn, sock));
}

static void conn_exit_release(struct source *source)
{
	conn_put(container_of(source, struct conn, exit));
}

/* Without a pidfd (another pid namespace, an old kernel) the socket alone tells of the end. */
static void conn_watch_exit(struct conn *conn)
{
	int fd = (int)syscall(SYS_pidfd_open, conn->cred.pid, 0);

	if (fd < 0)
		return;
	conn->exit.event = conn_exit_event;
	conn->exit.release = conn_exit_release;
	if (loop_add(&conn->exit, fd)) {
		close(fd);
		return;
	}
	conn->has_exit = true;
	os_fetch_add(&conn->refs, 1);
}

/* The client's supplementary groups; 0 or an errno. */
static int conn_groups(struct conn *conn, int sock)
{
	socklen_t size = 0;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0)
		return 0;
	/* A kernel that cannot tell: then it is in none. */
	if (errno != ERANGE)
		return errno == ENOPROTOOPT ? 0 : errno;
	conn->groups = malloc(size);
	if (!conn->groups)
		return ENOMEM;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, conn->groups, &size))
		return errno;
	conn->group_count = size / sizeof(gid_t);
	return 0;
}

int conn_create(int sock, const struct ucred *cred, int memfd)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	int rc = ENOMEM;

	if (!conn)
		return ENOMEM;
	conn->cred = *cred;
	conn->counted = share_take(cred->uid, SHARE_CONN);
	conn->refs = 1;
	conn->sock.fd = -1;
	conn->sock.event = conn_event;
	conn->sock.release = conn_release;
	pthread_mutex_init(&conn->lock, NULL);
	pthread_cond_init(&conn->bound, NULL);
	pthread_mutex_lock(&table.lock);
	conn->id = ++table.last_id;
	table.count++;
	conn->next = table.first;
	table.first = conn;
	if (!conn->counted || table.count > DAEMON_MAX_CONNS)
		rc = EAGAIN;
	else if (os_random(conn->secret, sizeof(conn->secret)) == NV_OK)
		rc = 0;
	pthread_mutex_unlock(&table.lock);
	conn->leaver = leaver_make();
	if (!conn->leaver)
		rc = ENOMEM;
	if (!rc)
		rc = conn_groups(conn, sock);
	if (!rc)
		rc = loop_add(&conn->sock, sock);
	if (rc) {
		conn_free(conn);
		return rc;
	}
	conn_watch_exit(conn);
	daemon_process_identify(conn);
	if (channel_start(conn, memfd, true))
		conn_die(conn);
	return 0;
}

void conn_shutdown(void)
{
	struct conn *conn;

	do {
		pthread_mutex_lock(&table.lock);
		for (conn = table.first; conn && conn->dead; conn = conn->next)
			;
		pthread_mutex_unlock(&table.lock);
		if (conn)
			conn_die(conn);
	} while (conn);
}
