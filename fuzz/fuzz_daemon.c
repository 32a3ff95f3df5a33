// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The daemon's own protocol: a whole daemon with one GPU in this process, and a hostile client made
 * of the input. It sends datagrams of any kind, then posts messages on a channel and answers the
 * daemon's questions with anything. An honest client must be served after each input.
 *
 *   input: flags, n datagrams (length, bytes), a file's node, n descriptors, then messages
 *   (operation, arguments, data)
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/dgram.h"
#include "host/user/handoff.h"
#include "host/user/machine.h"
#include "os/user/user.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define PATIENCE_NS 5000000000ull /* an honest client's */
#define TURN_NS 50000000ull	  /* of one hostile message */
#define MESSAGES_MAX 16u
#define RIGHT 100u /* the first token of a descriptor */

static char dir[64], socket_path[80], tree_path[80];

struct input {
	const u8 *at;
	size_t left;
};

struct client {
	int sock;
	struct lh_shm *shm;
	u32 sent, seen;
};

static u8 take_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static size_t take(struct input *in, void *out, size_t size)
{
	size_t n = in->left < size ? in->left : size;

	memcpy(out, in->at, n);
	in->at += n;
	in->left -= n;
	return n;
}

static void require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_daemon: %s: %s\n", what, strerror(errno));
	abort();
}

static void *daemon_thread(void *arg)
{
	struct daemon_config config = { .socket_path = socket_path,
					.socket_mode = 0600,
					.parent_fd = -1 };
	struct machine_config machine = {
		.gpus = 1, .profile = "h100-sxm-80gb", .tree = tree_path, .lend = true
	};

	config.ready_fd = *(int *)arg;
	require(machine_create(&machine, &config.machine) == 0, "machine");
	require(daemon_run(&config) == 0, "daemon");
	machine_destroy(config.machine);
	return NULL;
}

static int daemon_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, socket_path);
	require(sock >= 0 && connect(sock, (struct sockaddr *)&addr, sizeof(addr)) == 0, "connect");
	return sock;
}

static int memfd_make(size_t size, int seals, struct lh_shm **shm)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	require(fd >= 0 && ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, seals) == 0,
		"memfd");
	if (shm) {
		*shm = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		require(*shm != MAP_FAILED, "mmap");
	}
	return fd;
}

static void client_open(struct client *c)
{
	struct lh_hello hello = { .magic = LH_MAGIC,
				  .version = LH_VERSION,
				  .role = LH_ROLE_CLIENT };
	int fd = memfd_make(LH_SHM_SIZE, F_SEAL_SHRINK | F_SEAL_GROW, &c->shm);

	c->sock = daemon_connect();
	require(dgram_send(c->sock, &hello, sizeof(hello), fd) == 0, "hello");
	close(fd);
}

static void client_close(struct client *c)
{
	munmap(c->shm, LH_SHM_SIZE);
	close(c->sock);
}

/* One message and its answer, or question; false when none came in time or the connection ended. */
static bool client_turn(struct client *c, const struct lh_msg *msg, u64 patience_ns)
{
	u64 until = os_time_ns() + patience_ns;

	c->shm->asked = *msg;
	handoff_post(&c->shm->request, ++c->sent, &c->shm->daemon_sleeps);
	while (!handoff_spin(&c->shm->reply, c->seen, 20000)) {
		struct pollfd pfd = { .fd = c->sock, .events = POLLRDHUP };

		if (os_time_ns() > until || (poll(&pfd, 1, 0) > 0 && pfd.revents))
			return false;
		handoff_sleep(&c->shm->reply, c->seen, &c->shm->client_sleeps,
			      &(struct timespec){ .tv_nsec = 1000000 });
	}
	c->seen = __atomic_load_n(&c->shm->reply, __ATOMIC_ACQUIRE);
	return true;
}

static void honest(void)
{
	struct lh_msg msg = { .op = LH_OP_WELCOME };
	struct client c = { 0 };

	client_open(&c);
	require(client_turn(&c, &msg, PATIENCE_NS) && c.shm->told.op == LH_REPLY &&
			!c.shm->told.result,
		"an honest client was not served");
	client_close(&c);
}

/* -- The hostile client ------------------------------------------------------------------------ */

static void datagrams(struct input *in)
{
	u8 count = take_byte(in) % 8;
	int sock = daemon_connect();

	while (count--) {
		u8 bytes[256], kind = take_byte(in);
		struct lh_hello hello = { .magic = LH_MAGIC, .version = LH_VERSION };
		int fd = -1;
		size_t n;

		if (kind & 1)
			fd = memfd_make(kind & 2 ? LH_SHM_SIZE : 4096, kind & 4 ? F_SEAL_SHRINK : 0,
					NULL);
		if (kind & 8) {
			hello.role = take_byte(in) % 8;
			take(in, &hello.conn, sizeof(hello) - offsetof(struct lh_hello, conn));
			dgram_send(sock, &hello, sizeof(hello), fd);
		} else {
			n = take(in, bytes, take_byte(in));
			dgram_send(sock, bytes, n, fd);
		}
		if (fd >= 0)
			close(fd);
	}
	close(sock);
}

/* A file that is really open, so that ioctls get beyond the handle. */
static u64 file_open(struct client *c, int *file_sock, u64 node)
{
	struct lh_msg msg = { .op = LH_OP_WELCOME };
	struct lh_hello hello = { .magic = LH_MAGIC, .version = LH_VERSION, .role = LH_ROLE_FILE };

	if (!client_turn(c, &msg, PATIENCE_NS))
		return 0;
	hello.conn = c->shm->told.args[0];
	hello.secret[0] = c->shm->told.args[1];
	hello.secret[1] = c->shm->told.args[2];
	hello.token = 1;
	*file_sock = daemon_connect();
	dgram_send(*file_sock, &hello, sizeof(hello), -1);
	msg = (struct lh_msg){ .op = LH_OP_OPEN, .args = { 1, node, 0 } };
	if (!client_turn(c, &msg, PATIENCE_NS) || c->shm->told.result)
		return 0;
	return c->shm->told.args[0];
}

/* Descriptors for later messages to name, of which none may be what it should. */
static u32 rights(struct input *in, struct client *c)
{
	u32 count = take_byte(in) % 4;

	for (u32 i = 0; i < count; i++) {
		struct lh_hello hello = { .magic = LH_MAGIC,
					  .version = LH_VERSION,
					  .role = LH_DGRAM_RIGHTS,
					  .token = RIGHT + i };
		u8 kind = take_byte(in) % 4;
		int fd = kind == 0   ? eventfd(0, EFD_CLOEXEC)
			 : kind == 1 ? (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1)
				     : memfd_make(KIB(64), kind == 2 ? F_SEAL_SHRINK : 0, NULL);

		dgram_send(c->sock, &hello, sizeof(hello), fd);
		if (fd >= 0)
			close(fd);
	}
	return count;
}

/* What the daemon sends may have descriptors with it. */
static void receive_all(struct client *c)
{
	struct lh_rights packet;
	int fds[LH_RIGHTS_MAX];
	u32 count;

	while (dgram_receive_all(c->sock, &packet, sizeof(packet), fds, LH_RIGHTS_MAX, &count) >
	       0) {
		while (count)
			close(fds[--count]);
	}
}

/* Pieces of pinned memory that are worth more than a look at their sizes. */
static void pieces_fill(struct client *c, u32 right_count)
{
	struct lh_pin_piece *pieces = (void *)c->shm->data;

	for (u32 i = 0; i < 4; i++) {
		pieces[i].memory %= 4;
		pieces[i].token = right_count ? RIGHT + pieces[i].token % right_count : 0;
		if (pieces[i].size & 1)
			pieces[i].size = KIB(4);
		if (pieces[i].offset & 1)
			pieces[i].offset = 0;
	}
}

static void messages(struct input *in)
{
	struct client c = { 0 };
	int file_sock = -1;
	u32 right_count;
	u64 file;

	client_open(&c);
	file = file_open(&c, &file_sock, take_byte(in) % 6);
	right_count = rights(in, &c);
	for (u32 i = 0; in->left && i < MESSAGES_MAX; i++) {
		struct lh_msg msg = { 0 };

		msg.op = take_byte(in) % (LH_OP_RETIRE + 2);
		take(in, &msg.result, sizeof(msg) - offsetof(struct lh_msg, result));
		if (msg.op == LH_OP_IOCTL || msg.op == LH_OP_POLL || msg.op == LH_OP_CLOSED ||
		    msg.op == LH_OP_MAP)
			msg.args[0] = msg.args[0] & 1 ? file : msg.args[0];
		if (take_byte(in) & 1) {
			msg.piece[0] %= 2 * LH_PREFETCH_MAX;
			msg.piece[1] %= 2 * LH_PREFETCH_MAX;
		}
		take(in, c.shm->data, 2 * take_byte(in));
		/* A token that never comes is waited for; that is not what is looked for here. */
		if ((msg.op == LH_OP_OPEN || msg.op == LH_OP_BIND) && msg.args[0] != 1)
			msg.args[0] = 1;
		if ((msg.op == LH_OP_WATCH || msg.op == LH_OP_MONITOR) && !right_count)
			continue;
		if (msg.op == LH_OP_WATCH)
			msg.args[1] = RIGHT + --right_count;
		if (msg.op == LH_OP_MONITOR)
			msg.args[0] = RIGHT + --right_count;
		if (msg.op == LH_OP_ANSWER)
			pieces_fill(&c, right_count);
		if (!client_turn(&c, &msg, TURN_NS))
			break;
		receive_all(&c);
	}
	client_close(&c);
	if (file_sock >= 0)
		close(file_sock);
}

static void clean_up(void)
{
	daemon_stop();
	tree_destroy(tree_path);
	unlink(socket_path);
	rmdir(dir);
}

static void start(void)
{
	static int ready[2];
	pthread_t thread;
	char byte;

	strcpy(dir, "/tmp/fuzz-daemon-XXXXXX");
	require(mkdtemp(dir) != NULL, "mkdtemp");
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	snprintf(tree_path, sizeof(tree_path), "%s/root", dir);
	os_user_log_set_levels(OS_LOG_ERROR, OS_LOG_ERROR);
	require(pipe(ready) == 0, "pipe");
	require(pthread_create(&thread, NULL, daemon_thread, &ready[1]) == 0, "thread");
	require(read(ready[0], &byte, 1) == 1, "start");
	atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static bool started;
	struct input in = { data, size };

	if (!started)
		start();
	started = true;
	if (take_byte(&in) & 1)
		datagrams(&in);
	messages(&in);
	honest();
	return 0;
}
