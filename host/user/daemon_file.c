// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Open files: a socket pair whose other end is the client's descriptor, bound to rm's file. The
 * kernel counts the references; the socket hangs up when the last one is gone.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/dgram.h"
#include "host/user/machine.h"

#define TOKEN_WAIT_NS 2000000000ull

/* What a client that ended leaves: its mappings, and files that lose its address space. */
struct leaver {
	struct mapping *mappings;
	struct binding *bindings;
	u32 binding_count;
	u64 mm;
	struct leaver *next;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct dfile *first;
	u32 count;
	u64 last_id;
	/* The closer: rm_file_close may take long, and the event loop must not. */
	pthread_t closer;
	struct dfile *queue;
	struct dfile **queue_end;
	struct leaver *leavers;
	u64 queued;
	u64 closed;
	bool stop;
} files = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

u32 dfile_count(void)
{
	u32 count;

	pthread_mutex_lock(&files.lock);
	count = files.count;
	pthread_mutex_unlock(&files.lock);
	return count;
}

/* -- References -------------------------------------------------------------------------------- */

static void dfile_unref(struct dfile *file)
{
	if (os_fetch_sub(&file->refs, 1) == 1)
		free(file);
}

static void dfile_drop_life(struct dfile *file)
{
	if (os_fetch_sub(&file->life, 1) != 1)
		return;
	pthread_mutex_lock(&files.lock);
	for (struct dfile **at = &files.first; *at; at = &(*at)->next) {
		if (*at == file) {
			*at = file->next;
			break;
		}
	}
	files.count--;
	pthread_mutex_unlock(&files.lock);
	/* Not before: until rm's file is closed, rm may notify through this descriptor. */
	if (file->sock.fd >= 0)
		close(file->sock.fd);
	share_drop(file->uid, SHARE_FILE);
	dfile_unref(file);
}

/* The caller knows that the structure stays; in use it does by itself. */
static bool dfile_use(struct dfile *file)
{
	u32 uses = os_load_relaxed(&file->uses);

	while (uses) {
		if (os_cmpxchg32(&file->uses, uses, uses + 1))
			return true;
		uses = os_load_relaxed(&file->uses);
	}
	return false;
}

struct dfile *dfile_again(struct dfile *file)
{
	os_fetch_add(&file->uses, 1);
	return file;
}

bool dfile_is_open(const struct dfile *file)
{
	return os_load_acquire(&file->rm) || os_load_acquire(&file->uvm);
}

void dfile_put(struct dfile *file)
{
	struct uvm_file *uvm;
	struct rm_file *rm;

	if (os_fetch_sub(&file->uses, 1) != 1)
		return;
	rm = os_load_acquire(&file->rm);
	uvm = os_load_acquire(&file->uvm);
	if (rm)
		rm_file_close(rm);
	if (uvm)
		uvm_file_close(uvm);
	dfile_drop_life(file);
}

/* True for the one caller that is to drop the descriptors' use. */
static bool dfile_hang_up(struct dfile *file)
{
	return !os_exchange(&file->hung_up, 1);
}

/* -- The closer -------------------------------------------------------------------------------- */

static void leaver_end(struct leaver *leaver)
{
	mappings_free(leaver->mappings);
	for (u32 i = 0; i < leaver->binding_count; i++) {
		struct dfile *file = leaver->bindings[i].file;

		if (os_load_acquire(&file->mm) == leaver->mm && dfile_use(file)) {
			uvm_file_mm_gone(file->uvm);
			dfile_put(file);
		}
		dfile_unref(file);
	}
	free(leaver->bindings);
	free(leaver);
}

static void *closer_main(void *arg)
{
	pthread_mutex_lock(&files.lock);
	for (;;) {
		struct dfile *file = files.queue;
		struct leaver *leaver = files.leavers;

		if (leaver) {
			files.leavers = leaver->next;
			pthread_mutex_unlock(&files.lock);
			leaver_end(leaver);
			pthread_mutex_lock(&files.lock);
			files.closed++;
			pthread_cond_broadcast(&files.work);
			continue;
		}
		if (!file) {
			if (files.stop)
				break;
			pthread_cond_wait(&files.work, &files.lock);
			continue;
		}
		files.queue = file->close_next;
		if (!files.queue)
			files.queue_end = &files.queue;
		pthread_mutex_unlock(&files.lock);
		dfile_put(file);
		pthread_mutex_lock(&files.lock);
		files.closed++;
		pthread_cond_broadcast(&files.work);
	}
	pthread_mutex_unlock(&files.lock);
	return NULL;
}

/* For whoever is to drop the descriptors' use. */
static void closer_queue(struct dfile *file)
{
	pthread_mutex_lock(&files.lock);
	file->close_next = NULL;
	*files.queue_end = file;
	files.queue_end = &file->close_next;
	files.queued++;
	pthread_cond_broadcast(&files.work);
	pthread_mutex_unlock(&files.lock);
}

void dfile_settle(void)
{
	u64 target;

	pthread_mutex_lock(&files.lock);
	target = files.queued;
	while (files.closed < target && !files.stop)
		pthread_cond_wait(&files.work, &files.lock);
	pthread_mutex_unlock(&files.lock);
}

int dfile_start(void)
{
	files.queue_end = &files.queue;
	files.stop = false;
	return pthread_create(&files.closer, NULL, closer_main, NULL);
}

void dfile_stop(void)
{
	pthread_mutex_lock(&files.lock);
	for (struct dfile *file = files.first; file; file = file->next) {
		if (!dfile_hang_up(file))
			continue;
		loop_detach(&file->sock);
		file->close_next = NULL;
		*files.queue_end = file;
		files.queue_end = &file->close_next;
		files.queued++;
	}
	files.stop = true;
	pthread_cond_broadcast(&files.work);
	pthread_mutex_unlock(&files.lock);
	pthread_join(files.closer, NULL);
}

/* -- What comes on a file's socket ------------------------------------------------------------- */

static void token_failed(struct conn *conn, u64 token, int rc)
{
	if (!rc)
		return;
	pthread_mutex_lock(&conn->lock);
	conn->failures[conn->failure_count++ % DAEMON_MAX_FAILURES] = (struct failure){ token, rc };
	pthread_cond_broadcast(&conn->bound);
	pthread_mutex_unlock(&conn->lock);
}

static void dfile_bind_request(struct dfile *file, const struct lh_hello *msg)
{
	struct conn *conn = conn_find(msg->conn, msg->secret);

	if (!conn)
		return;
	token_failed(conn, msg->token, dfile_bind(conn, file, msg->token));
	conn_put(conn);
}

static void dfile_event(struct source *source, u32 events)
{
	struct dfile *file = container_of(source, struct dfile, sock);

	for (;;) {
		struct lh_hello msg;
		int fd;
		int rc = dgram_receive(source->fd, &msg, sizeof(msg), &fd);

		if (rc == -EAGAIN)
			return;
		if (fd >= 0)
			close(fd);
		if (rc == sizeof(msg) && msg.magic == LH_MAGIC && msg.version == LH_VERSION &&
		    msg.role == LH_DGRAM_BIND) {
			dfile_bind_request(file, &msg);
			continue;
		}
		if (rc <= 0 && rc != -EMSGSIZE)
			break;
		/* A program wrote to its descriptor by a raw system call: not for us, and no harm.
		 */
	}
	loop_detach(source);
	if (dfile_hang_up(file))
		closer_queue(file);
}

static void dfile_release(struct source *source)
{
	dfile_drop_life(container_of(source, struct dfile, sock));
}

void dfile_tell(struct dfile *file)
{
	if (os_exchange(&file->notified, 1) || os_load_acquire(&file->hung_up))
		return;
	/* A full socket has bytes enough in it to wake its readers. */
	if (send(file->sock.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void dfile_notify(struct rm_file *rm, void *host_ctx)
{
	dfile_tell(host_ctx);
}

/* -- Opening and binding ----------------------------------------------------------------------- */

static int file_create(int sock, struct conn *conn, u64 token)
{
	struct dfile *file;
	int rc;

	if (!share_take(conn->cred.uid, SHARE_FILE))
		return EMFILE;
	file = calloc(1, sizeof(*file));
	if (!file) {
		share_drop(conn->cred.uid, SHARE_FILE);
		return ENOMEM;
	}
	file->uid = conn->cred.uid;
	file->refs = 1;
	file->life = 2;
	file->sock.fd = -1;
	file->uses = 1;
	file->sock.event = dfile_event;
	file->sock.release = dfile_release;
	pthread_mutex_lock(&files.lock);
	file->id = ++files.last_id;
	file->next = files.first;
	files.first = file;
	files.count++;
	pthread_mutex_unlock(&files.lock);
	rc = loop_add(&file->sock, sock);
	if (rc) {
		dfile_drop_life(file);
		dfile_put(file);
		return rc;
	}
	rc = dfile_bind(conn, file, token);
	if (rc) {
		/* Taken over all the same. */
		token_failed(conn, token, rc);
		loop_detach(&file->sock);
		if (dfile_hang_up(file))
			closer_queue(file);
	}
	return 0;
}

int dfile_create(int sock, struct conn *conn, u64 token)
{
	int rc = file_create(sock, conn, token);

	token_failed(conn, token, rc);
	return rc;
}

static enum nv_status node_open(struct dfile *file)
{
	struct machine *m = daemon_machine();
	struct uvm_file *uvm;
	struct rm_file *rm;
	enum nv_status status;

	if (tree_node_is_uvm(file->node)) {
		status = uvm_file_open(machine_uvm(m),
				       file->node == TREE_NODE_UVM ? UVM_NODE_UVM : UVM_NODE_TOOLS,
				       file, &uvm);
		if (status == NV_OK)
			os_store_release(&file->uvm, uvm);
	} else {
		status = rm_file_open(machine_rm(m), (enum rm_node)file->node, file->minor, file,
				      &rm);
		if (status == NV_OK)
			os_store_release(&file->rm, rm);
	}
	return status;
}

int dfile_open(struct dfile *file, enum tree_node node, u32 minor)
{
	if (os_exchange(&file->opened, 1))
		return EINVAL;
	file->node = node;
	file->minor = minor;
	switch (node_open(file)) {
	case NV_OK:
		return 0;
	case NV_ERR_INVALID_DEVICE:
		return ENXIO;
	case NV_ERR_INSUFFICIENT_PERMISSIONS:
		return EACCES;
	case NV_ERR_ILLEGAL_ACTION:
		return EPERM;
	case NV_ERR_NO_MEMORY:
		return ENOMEM;
	default:
		return EIO;
	}
}

int dfile_bind(struct conn *conn, struct dfile *file, u64 token)
{
	int rc = 0;

	pthread_mutex_lock(&conn->lock);
	if (os_load_relaxed(&conn->dead)) {
		rc = EPIPE;
		goto out;
	}
	for (u32 i = 0; i < conn->binding_count; i++) {
		if (conn->bindings[i].file == file) {
			conn->bindings[i].token = token;
			goto out;
		}
	}
	if (conn->binding_count == DAEMON_MAX_FILES) {
		rc = EMFILE;
		goto out;
	}
	if (conn->binding_count == conn->binding_room) {
		u32 room = conn->binding_room ? conn->binding_room * 2 : 8;
		struct binding *bindings = realloc(conn->bindings, room * sizeof(*bindings));

		if (!bindings) {
			rc = ENOMEM;
			goto out;
		}
		conn->bindings = bindings;
		conn->binding_room = room;
	}
	os_fetch_add(&file->refs, 1);
	conn->bindings[conn->binding_count++] = (struct binding){ file, token };
out:
	pthread_cond_broadcast(&conn->bound);
	pthread_mutex_unlock(&conn->lock);
	return rc;
}

/* Bindings of files that hung up are of no use to anybody; conn->lock held. */
static void bindings_prune(struct conn *conn, struct dfile **freed, u32 *count, u32 max)
{
	for (u32 i = 0; i < conn->binding_count && *count < max;) {
		struct dfile *file = conn->bindings[i].file;

		if (!os_load_acquire(&file->hung_up)) {
			i++;
			continue;
		}
		freed[(*count)++] = file;
		conn->bindings[i] = conn->bindings[--conn->binding_count];
		os_store_release(&conn->unbinds, conn->unbinds + 1);
	}
}

struct dfile *dfile_get(struct conn *conn, u64 id)
{
	struct dfile *found = NULL;

	pthread_mutex_lock(&conn->lock);
	for (u32 i = 0; i < conn->binding_count; i++) {
		struct dfile *file = conn->bindings[i].file;

		if (file->id == id) {
			if (dfile_is_open(file) && dfile_use(file))
				found = file;
			break;
		}
	}
	pthread_mutex_unlock(&conn->lock);
	return found;
}

struct dfile *dfile_of_channel(struct channel *ch, u64 id)
{
	u32 unbinds = os_load_acquire(&ch->conn->unbinds);
	struct dfile *file = ch->file;

	if (file && file->id == id && ch->file_unbinds == unbinds)
		return dfile_use(file) ? file : NULL;
	file = dfile_get(ch->conn, id);
	if (!file)
		return NULL;
	dfile_forget(ch);
	os_fetch_add(&file->refs, 1);
	ch->file = file;
	ch->file_unbinds = unbinds;
	return file;
}

void dfile_forget(struct channel *ch)
{
	if (ch->file)
		dfile_unref(ch->file);
	ch->file = NULL;
}

/* What came of a token: 0 with the file, an errno, or -1 while nothing is known. conn->lock held.
 */
static int token_look(const struct conn *conn, u64 token, struct dfile **out)
{
	for (u32 i = 0; i < conn->binding_count; i++) {
		if (conn->bindings[i].token == token) {
			*out = conn->bindings[i].file;
			return 0;
		}
	}
	for (u32 i = 0; i < DAEMON_MAX_FAILURES; i++) {
		if (conn->failures[i].token == token)
			return conn->failures[i].rc;
	}
	return -1;
}

int dfile_by_token(struct conn *conn, u64 token, struct dfile **out)
{
	struct dfile *freed[16];
	u32 freed_count = 0;
	struct timespec until;
	int rc;

	if (!token)
		return EIO;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TOKEN_WAIT_NS / 1000000000ull;
	pthread_mutex_lock(&conn->lock);
	while ((rc = token_look(conn, token, out)) < 0) {
		if (os_load_acquire(&conn->dead) ||
		    pthread_cond_timedwait(&conn->bound, &conn->lock, &until)) {
			rc = EIO;
			break;
		}
	}
	if (!rc && !dfile_use(*out))
		rc = EIO;
	bindings_prune(conn, freed, &freed_count, ARRAY_SIZE(freed));
	pthread_mutex_unlock(&conn->lock);
	while (freed_count)
		dfile_unref(freed[--freed_count]);
	return rc;
}

void dfile_unbind_all(struct conn *conn)
{
	struct leaver *leaver = conn->leaver;

	conn->leaver = NULL;
	leaver->mm = conn->id;
	leaver->mappings = mappings_take(conn);
	pthread_mutex_lock(&conn->lock);
	leaver->bindings = conn->bindings;
	leaver->binding_count = conn->binding_count;
	conn->bindings = NULL;
	conn->binding_count = conn->binding_room = 0;
	os_store_release(&conn->unbinds, conn->unbinds + 1);
	pthread_mutex_unlock(&conn->lock);
	pthread_mutex_lock(&files.lock);
	leaver->next = files.leavers;
	files.leavers = leaver;
	files.queued++;
	pthread_cond_broadcast(&files.work);
	pthread_mutex_unlock(&files.lock);
}

struct leaver *leaver_make(void)
{
	return calloc(1, sizeof(struct leaver));
}

void dfile_closed(struct conn *conn, u64 id)
{
	struct dfile *file = dfile_get(conn, id);
	struct pollfd pfd;
	bool closes = false;

	if (!file)
		return;
	pfd = (struct pollfd){ .fd = file->sock.fd, .events = POLLRDHUP };
	if (!os_load_acquire(&file->hung_up) && poll(&pfd, 1, 0) > 0 &&
	    (pfd.revents & (POLLHUP | POLLRDHUP)))
		closes = dfile_hang_up(file);
	dfile_put(file);
	if (closes)
		dfile_put(file);
}

/* -- Unified memory ---------------------------------------------------------------------------- */

#define UVM_INITIALIZE_NUMBER 0x30000001u

int dfile_uvm_ioctl(struct dfile *file, u32 cmd, u64 arg)
{
	struct channel *ch = channel_current();
	enum uvm_result result = uvm_ioctl(file->uvm, cmd, arg);

	if (cmd == UVM_INITIALIZE_NUMBER && result == UVM_RESULT_OK && ch)
		os_store_release(&file->mm, ch->conn->id);
	return uvm_errno(result);
}

void dfile_unmapped(struct dfile *file, u64 address, u64 size)
{
	uvm_file_munmap(file->uvm, address, size);
}

/* -- What rm and uvm ask of us ----------------------------------------------------------------- */

/* The file, in use, behind a descriptor of the client's; NULL when it is none of ours. */
static struct dfile *client_file(s32 fd)
{
	struct channel *ch = channel_current();
	struct lh_msg msg = { .op = LH_ASK_FD, .args = { (u64)(s64)fd } };

	if (!ch || fd < 0 || !channel_ask(ch, &msg) || msg.result < 0)
		return NULL;
	return dfile_get(ch->conn, msg.args[0]);
}

static struct rm_file *host_file_get(s32 fd)
{
	struct dfile *file = client_file(fd);
	struct rm_file *rm = file ? os_load_acquire(&file->rm) : NULL;

	if (file && !rm)
		dfile_put(file);
	return rm;
}

static struct uvm_file *host_uvm_get(s32 fd)
{
	struct dfile *file = client_file(fd);
	struct uvm_file *uvm = file ? os_load_acquire(&file->uvm) : NULL;

	if (file && !uvm)
		dfile_put(file);
	return uvm;
}

static void host_file_put(struct rm_file *rm)
{
	struct dfile *file;

	pthread_mutex_lock(&files.lock);
	for (file = files.first; file; file = file->next) {
		if (os_load_acquire(&file->rm) == rm && os_load_relaxed(&file->uses))
			break;
	}
	pthread_mutex_unlock(&files.lock);
	if (file)
		dfile_put(file);
}

static void host_uvm_put(struct uvm_file *uvm)
{
	dfile_put(uvm_file_host_ctx(uvm));
}

static u64 host_current_mm(void)
{
	const struct channel *ch = channel_current();

	return ch ? ch->conn->id : 0;
}

const struct rm_host_ops dfile_host_ops = {
	.file_get = host_file_get,
	.file_put = host_file_put,
	.file_notify = dfile_notify,
};

static void host_uvm_wake(void *host_ctx)
{
	dfile_tell(host_ctx);
}

const struct uvm_host_ops dfile_uvm_ops = {
	.file_get = host_uvm_get,
	.file_put = host_uvm_put,
	.current_mm = host_current_mm,
	.movable = area_movable,
	.protect = area_protect,
	.discard = area_discard,
	.wake = host_uvm_wake,
};
