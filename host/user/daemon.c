// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The daemon's event loop: the listening socket, sockets that have not said yet what they are,
 * signals, and the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/dgram.h"

#define PENDING_SECONDS 5u /* a silent socket's time */
#define SWEEP_MS 10	   /* between looks at channels of dead connections */
#define END_MS 10000	   /* for requests in flight when the daemon ends */
#define BATCH 64

struct pending {
	struct source sock;
	struct ucred cred;
	u64 born_ns;
	struct pending *next;
};

static struct {
	int epoll;
	int wake;
	bool stop;
	struct machine *machine;
	struct source listener;
	struct source signals;
	struct source parent;
	int spare; /* given up to refuse a connection when descriptors run out */
	struct pending *pending;
	u32 pending_count;
	struct source *dead;
} loop = { .epoll = -1, .wake = -1, .spare = -1 };

struct machine *daemon_machine(void)
{
	return loop.machine;
}

void daemon_stop(void)
{
	u64 one = 1;

	/* The loop stops when it has read this, so it closes no descriptor that is in use here. */
	if (write(loop.wake, &one, sizeof(one)) < 0)
		return; /* the counter is full: the loop is awake already */
}

int loop_add(struct source *source, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = source };
	int before = source->fd;

	source->fd = fd;
	source->removed = false;
	if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
		return 0;
	source->fd = before;
	return errno;
}

void loop_detach(struct source *source)
{
	if (source->removed)
		return;
	source->removed = true;
	epoll_ctl(loop.epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->dead_next = loop.dead;
	loop.dead = source;
}

void loop_remove(struct source *source)
{
	if (source->removed)
		return;
	loop_detach(source);
	close(source->fd);
}

static void loop_release_dead(void)
{
	while (loop.dead) {
		struct source *source = loop.dead;

		loop.dead = source->dead_next;
		if (source->release)
			source->release(source);
	}
}

/* -- Sockets that have not said yet what they are ---------------------------------------------- */

static void pending_unlink(struct pending *p)
{
	share_drop(p->cred.uid, SHARE_PENDING);
	for (struct pending **at = &loop.pending; *at; at = &(*at)->next) {
		if (*at == p) {
			*at = p->next;
			loop.pending_count--;
			return;
		}
	}
}

static void pending_release(struct source *source)
{
	free(container_of(source, struct pending, sock));
}

/* Makes of a socket what its hello says; it is closed unless somebody took it over. */
static void hello_serve(int sock, const struct ucred *cred, const struct lh_hello *hello, int memfd)
{
	struct conn *conn;
	int rc = EINVAL;

	switch (hello->role) {
	case LH_ROLE_CLIENT:
		if (memfd < 0)
			break;
		rc = conn_create(sock, cred, memfd);
		if (!rc)
			memfd = -1;
		break;
	case LH_ROLE_FILE:
		conn = conn_find(hello->conn, hello->secret);
		if (!conn)
			break;
		rc = dfile_create(sock, conn, hello->token);
		conn_put(conn);
		break;
	case LH_ROLE_ADMIN:
		rc = admin_create(sock, cred);
		break;
	}
	if (memfd >= 0)
		close(memfd);
	if (rc)
		close(sock);
}

/* Reads a hello: 1 when served or refused (sock is not ours any more), 0 when none is there yet. */
static int hello_read(int sock, const struct ucred *cred)
{
	struct lh_hello hello;
	int memfd;
	int rc = dgram_receive(sock, &hello, sizeof(hello), &memfd);

	if (rc == -EAGAIN)
		return 0;
	if (rc != sizeof(hello) || hello.magic != LH_MAGIC || hello.version != LH_VERSION) {
		if (memfd >= 0)
			close(memfd);
		close(sock);
		return 1;
	}
	hello_serve(sock, cred, &hello, memfd);
	return 1;
}

static void pending_event(struct source *source, u32 events)
{
	struct pending *p = container_of(source, struct pending, sock);
	int copy;

	/* The file description moves to a source of its own kind under another number. */
	pending_unlink(p);
	copy = dup(source->fd);
	loop_remove(source);
	if (copy >= 0 && !hello_read(copy, &p->cred))
		close(copy);
}

/* Makes room by ending the oldest of the user who has most: a newcomer is never turned away. */
static void pending_evict(void)
{
	uid_t uid = share_greediest(SHARE_PENDING);
	struct pending *oldest = NULL;

	for (struct pending *p = loop.pending; p; p = p->next) {
		if (p->cred.uid == uid)
			oldest = p;
	}
	if (oldest) {
		pending_unlink(oldest);
		loop_remove(&oldest->sock);
	}
}

static void pending_add(int sock, const struct ucred *cred)
{
	struct pending *p;

	if (loop.pending_count >= DAEMON_MAX_PENDING)
		pending_evict();
	p = calloc(1, sizeof(*p));
	if (!p || !share_take(cred->uid, SHARE_PENDING)) {
		free(p);
		close(sock);
		return;
	}
	p->cred = *cred;
	p->born_ns = os_time_ns();
	p->sock.event = pending_event;
	p->sock.release = pending_release;
	p->next = loop.pending;
	loop.pending = p;
	loop.pending_count++;
	if (loop_add(&p->sock, sock)) {
		pending_unlink(p);
		free(p);
		close(sock);
	}
}

/* Out of descriptors: takes the next connection only to end it, or it would stay at the listener.
 */
static bool refuse_one(void)
{
	int sock;

	if (loop.spare < 0)
		return false;
	close(loop.spare);
	sock = accept4(loop.listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (sock >= 0)
		close(sock);
	loop.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return sock >= 0;
}

static void listener_event(struct source *source, u32 events)
{
	for (;;) {
		struct ucred cred;
		socklen_t size = sizeof(cred);
		int sock = accept4(loop.listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (sock < 0) {
			if ((errno == EMFILE || errno == ENFILE) && refuse_one())
				continue;
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			break;
		}
		if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &size)) {
			close(sock);
			continue;
		}
		if (!hello_read(sock, &cred))
			pending_add(sock, &cred);
	}
}

/* Drops sockets that stayed silent; returns whether any are left to watch. */
static bool pending_expire(void)
{
	u64 now = os_time_ns();

	for (struct pending *p = loop.pending, *next; p; p = next) {
		next = p->next;
		if (now - p->born_ns < PENDING_SECONDS * 1000000000ull)
			continue;
		pending_unlink(p);
		loop_remove(&p->sock);
	}
	return loop.pending != NULL;
}

/* -- Signals and the parent -------------------------------------------------------------------- */

static void signals_event(struct source *source, u32 events)
{
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof(info)) == sizeof(info))
		loop.stop = true;
}

static void parent_event(struct source *source, u32 events)
{
	loop.stop = true;
}

static int signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return errno;
	loop.signals.event = signals_event;
	return loop_add(&loop.signals, fd);
}

static int listener_open(const char *path, mode_t mode)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, rc;

	if (strlen(path) > LH_PATH_MAX)
		return ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	/* Not yet listening, so nobody connects before the mode is right. */
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || chmod(path, mode) ||
	    listen(fd, 4096)) {
		rc = errno;
		close(fd);
		return rc;
	}
	loop.listener.event = listener_event;
	rc = loop_add(&loop.listener, fd);
	if (rc)
		close(fd);
	return rc;
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* -- The loop ---------------------------------------------------------------------------------- */

static void loop_turn(int timeout_ms)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(loop.epoll, events, BATCH, timeout_ms);
	u64 stops;

	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		if (!source)
			loop.stop |= read(loop.wake, &stops, sizeof(stops)) > 0;
		else if (!source->removed)
			source->event(source, events[i].events);
	}
	loop_release_dead();
}

static void loop_serve(void)
{
	while (!loop.stop) {
		bool dying = conn_sweep() != 0;
		bool silent = pending_expire();

		silent = admin_expire() || silent;
		loop_turn(dying ? SWEEP_MS : silent ? 1000 : -1);
	}
}

/* Ends all clients and waits for their threads, which may be deep in the driver. */
static void loop_finish(void)
{
	u64 until = os_time_ns() + END_MS * 1000000ull;

	conn_shutdown();
	loop_release_dead();
	while (conn_sweep()) {
		if (os_time_ns() > until) {
			os_log(OS_LOG_ERROR, "requests did not end; leaving without them");
			_exit(EXIT_FAILURE);
		}
		loop_turn(1);
	}
}

static void loop_close(void)
{
	struct source *sources[] = { &loop.listener, &loop.signals, &loop.parent };

	while (loop.pending) {
		struct pending *p = loop.pending;

		pending_unlink(p);
		loop_remove(&p->sock);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (sources[i]->fd > 0)
			loop_remove(sources[i]);
		sources[i]->fd = 0;
	}
	loop_release_dead();
	if (loop.wake >= 0)
		close(loop.wake);
	if (loop.epoll >= 0)
		close(loop.epoll);
	if (loop.spare >= 0)
		close(loop.spare);
	loop.wake = loop.epoll = loop.spare = -1;
}

int daemon_run(const struct daemon_config *config)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int rc;

	raise_file_limit();
	share_init();
	pin_start();
	loop.stop = false;
	loop.machine = config->machine;
	loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	loop.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	loop.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop.epoll < 0 || loop.wake < 0 ||
	    epoll_ctl(loop.epoll, EPOLL_CTL_ADD, loop.wake, &ev)) {
		rc = errno;
		goto out_loop;
	}
	rc = signals_open();
	if (rc)
		goto out_loop;
	rc = dfile_start();
	if (rc)
		goto out_loop;
	if (config->parent_fd >= 0) {
		loop.parent.event = parent_event;
		rc = loop_add(&loop.parent, config->parent_fd);
		if (rc)
			goto out_files;
	}
	rc = listener_open(config->socket_path, config->socket_mode);
	if (rc)
		goto out_files;
	if (config->ready_fd >= 0 && write(config->ready_fd, "", 1) != 1) {
		rc = errno;
		goto out_files;
	}
	loop_serve();
	unlink(config->socket_path);
	loop_finish();
out_files:
	dfile_stop();
	loop_release_dead();
out_loop:
	loop_close();
	return rc;
}
