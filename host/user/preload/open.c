// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * open(2) and fopen(3) of the driver's files: device nodes become sockets to the daemon, texts that
 * are made when read become sealed memfds, all else is opened in the daemon's tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/user/dgram.h"
#include "host/user/preload/preload.h"

static int fail(int rc)
{
	errno = rc;
	return -1;
}

/* A connected socket that said hello; 0 or an errno. */
static int file_connect(struct lh_hello *hello, int *out)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int rc, sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return errno;
	strcpy(addr.sun_path, lh_socket_path());
	while (connect(sock, (struct sockaddr *)&addr, sizeof(addr))) {
		if (errno == EINTR)
			continue;
		syscall(SYS_close, sock);
		return ENXIO;
	}
	rc = dgram_send(sock, hello, sizeof(*hello), -1);
	if (rc) {
		syscall(SYS_close, sock);
		return ENXIO;
	}
	*out = sock;
	return 0;
}

static int node_open(const struct stat *st, int flags)
{
	struct lh_msg msg = { .op = LH_OP_OPEN };
	struct lh_hello hello;
	struct lh_file file;
	struct lh_chan *chan;
	int rc, fd = -1;

	if (!lh_node_of(st->st_rdev, &file.node, &file.minor))
		return fail(ENXIO);
	chan = lh_enter();
	if (!chan)
		return -1;
	lh_hello_fill(chan, &hello, LH_ROLE_FILE);
	rc = file_connect(&hello, &fd);
	if (rc)
		goto out;
	msg.args[0] = hello.token;
	msg.args[1] = file.node;
	msg.args[2] = file.minor;
	msg.args[3] = (u64)(u32)flags;
	rc = lh_exchange(chan, &msg);
	if (rc < 0) {
		syscall(SYS_close, fd);
		rc = -rc;
		goto out;
	}
	rc = 0;
	file.id = msg.args[0];
	if (!(flags & O_CLOEXEC))
		syscall(SYS_fcntl, fd, F_SETFD, 0);
	if (flags & O_NONBLOCK)
		syscall(SYS_fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK);
	lh_fd_set(chan, fd, &file);
out:
	lh_leave();
	return rc ? fail(rc) : fd;
}

static int text_fill(struct lh_chan *chan, const char *path, int fd)
{
	size_t length = strlen(path);
	u64 offset = 0;

	for (;;) {
		struct lh_msg msg = { .op = LH_OP_TEXT, .args = { offset }, .size = (u32)length };
		s32 rc;

		memcpy(chan->shm->data, path, length);
		rc = lh_exchange(chan, &msg);
		if (rc < 0)
			return -rc;
		if (msg.size && syscall(SYS_write, fd, chan->shm->data, msg.size) != (long)msg.size)
			return EIO;
		offset += msg.size;
		if (!msg.size || offset >= msg.args[0])
			return 0;
	}
}

/* The kernel keeps the path as the memory's name, wherever its descriptors go. */
#define TEXT_NAME "leafhopper-text:"
#define TEXT_PATH 200u
#define TEXT_LINK "/memfd:" TEXT_NAME

bool lh_text_stat(int fd, struct stat *st)
{
	struct lh_where where;
	struct stat seen;
	char link[32], name[TEXT_PATH + 64], *end;
	int saved = errno;
	ssize_t n;
	bool found = false;

	if (!lh_active())
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, name, sizeof(name) - 1);
	if (n > 0 && strncmp(name, TEXT_LINK, sizeof(TEXT_LINK) - 1) == 0) {
		name[n] = 0;
		end = strstr(name, " (deleted)");
		if (end)
			*end = 0;
		found = lh_path(AT_FDCWD, name + sizeof(TEXT_LINK) - 1, &where) &&
			lh_stat(&where, 0, &seen) == LH_WHAT_TEXT;
	}
	if (found)
		*st = seen;
	errno = saved;
	return found;
}

static int text_open(const char *path, int flags)
{
	char name[sizeof(TEXT_NAME) + TEXT_PATH];
	struct lh_chan *chan = lh_enter();
	int rc, fd;

	if (!chan)
		return -1;
	strcat(strcpy(name, TEXT_NAME), strlen(path) < TEXT_PATH ? path : "");
	fd = (int)syscall(SYS_memfd_create, name,
			  MFD_ALLOW_SEALING | (flags & O_CLOEXEC ? MFD_CLOEXEC : 0));
	rc = fd < 0 ? errno : text_fill(chan, path, fd);
	lh_leave();
	if (!rc && (syscall(SYS_lseek, fd, 0, SEEK_SET) != 0 ||
		    syscall(SYS_fcntl, fd, F_ADD_SEALS,
			    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)))
		rc = errno;
	if (!rc)
		return fd;
	if (fd >= 0)
		syscall(SYS_close, fd);
	return fail(rc);
}

static int access_of(int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return R_OK;
	case O_WRONLY:
		return W_OK;
	default:
		return R_OK | W_OK;
	}
}

static int ours_open(const struct lh_where *where, int flags)
{
	struct stat st;
	int saved = errno;
	enum lh_what what = lh_stat(where, flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &st);
	bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
	int rc;

	if (what == LH_WHAT_ERROR) {
		if (errno == ENOENT && (flags & O_CREAT))
			errno = EACCES;
		return -1;
	}
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return fail(EEXIST);
	if (what == LH_WHAT_FILE || (flags & O_PATH)) {
		if (writes && !S_ISDIR(st.st_mode) && !(flags & O_PATH))
			return fail(EACCES);
		return lh_real()->openat(AT_FDCWD, where->tree, flags & ~(O_CREAT | O_TRUNC));
	}
	if (flags & O_DIRECTORY)
		return fail(ENOTDIR);
	rc = what == LH_WHAT_TEXT && writes ? EACCES : lh_allowed(&st, access_of(flags), true);
	if (rc)
		return fail(rc);
	rc = what == LH_WHAT_NODE ? node_open(&st, flags) : text_open(where->virtual, flags);
	if (rc >= 0)
		errno = saved;
	return rc;
}

int lh_open(int dirfd, const char *path, int flags, mode_t mode)
{
	struct lh_where where;
	int fd;

	if (lh_path(dirfd, path, &where))
		return ours_open(&where, flags);
	fd = lh_real()->openat(dirfd, path, flags, mode);
	/* A number that was closed behind our back. */
	if (fd >= 0 && lh_fd_known(fd))
		lh_fd_forget(fd);
	return fd;
}

/* O_TMPFILE's bits contain O_DIRECTORY. */
static mode_t mode_of(int flags, va_list ap)
{
	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
		return va_arg(ap, mode_t);
	return 0;
}

#define OPEN(name)                                           \
	EXPORT int name(const char *path, int flags, ...)    \
	{                                                    \
		va_list ap;                                  \
		mode_t mode;                                 \
                                                             \
		va_start(ap, flags);                         \
		mode = mode_of(flags, ap);                   \
		va_end(ap);                                  \
		return lh_open(AT_FDCWD, path, flags, mode); \
	}
#define OPENAT(name)                                                 \
	EXPORT int name(int dirfd, const char *path, int flags, ...) \
	{                                                            \
		va_list ap;                                          \
		mode_t mode;                                         \
                                                                     \
		va_start(ap, flags);                                 \
		mode = mode_of(flags, ap);                           \
		va_end(ap);                                          \
		return lh_open(dirfd, path, flags, mode);            \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dirfd, const char *path, int flags);
int __openat64_2(int dirfd, const char *path, int flags);

EXPORT int __open_2(const char *path, int flags)
{
	return lh_open(AT_FDCWD, path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags)
{
	return lh_open(AT_FDCWD, path, flags, 0);
}

EXPORT int __openat_2(int dirfd, const char *path, int flags)
{
	return lh_open(dirfd, path, flags, 0);
}

EXPORT int __openat64_2(int dirfd, const char *path, int flags)
{
	return lh_open(dirfd, path, flags, 0);
}

EXPORT int creat(const char *path, mode_t mode)
{
	return lh_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

EXPORT int creat64(const char *path, mode_t mode)
{
	return lh_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* -- Streams ----------------------------------------------------------------------------------- */

/* A stream reads with the C library's own calls, so that one of a device node is made by hand. */
static struct stream {
	FILE *stream; /* NULL: free or being made */
	int fd;
	u32 taken;
} streams[32];

static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
	errno = EINVAL;
	return -1;
}

/* Of what fopencookie calls, zero is what tells a failed write. */
static ssize_t stream_write(void *cookie, const char *buf, size_t size)
{
	errno = EINVAL;
	return 0;
}

static int stream_close(void *cookie)
{
	struct stream *s = cookie;
	int rc;

	__atomic_store_n(&s->stream, NULL, __ATOMIC_RELEASE);
	rc = close(s->fd);
	__atomic_store_n(&s->taken, 0, __ATOMIC_RELEASE);
	return rc;
}

static FILE *stream_make(int fd, const char *mode)
{
	const cookie_io_functions_t calls = { .read = stream_read,
					      .write = stream_write,
					      .close = stream_close };
	FILE *stream;

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		if (__atomic_exchange_n(&streams[i].taken, 1, __ATOMIC_ACQUIRE))
			continue;
		streams[i].fd = fd;
		stream = fopencookie(&streams[i], mode, calls);
		__atomic_store_n(&streams[i].stream, stream, __ATOMIC_RELEASE);
		if (!stream)
			__atomic_store_n(&streams[i].taken, 0, __ATOMIC_RELEASE);
		return stream;
	}
	errno = EMFILE;
	return NULL;
}

EXPORT int fileno(FILE *stream)
{
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		if (stream && __atomic_load_n(&streams[i].stream, __ATOMIC_ACQUIRE) == stream)
			return streams[i].fd;
	}
	return lh_real()->fileno(stream);
}

EXPORT int fileno_unlocked(FILE *stream)
{
	return fileno(stream);
}

static FILE *stream_open(const char *path, const char *mode)
{
	struct lh_where where;
	FILE *stream;
	int fd, flags = O_RDONLY;

	if (!lh_path(AT_FDCWD, path, &where))
		return lh_real()->fopen(path, mode);
	if (mode[0] != 'r')
		flags = O_WRONLY | O_TRUNC | O_CREAT;
	if (strchr(mode, '+'))
		flags = (flags & ~O_ACCMODE) | O_RDWR;
	if (strchr(mode, 'e'))
		flags |= O_CLOEXEC;
	fd = ours_open(&where, flags);
	if (fd < 0)
		return NULL;
	stream = lh_fd_known(fd) ? stream_make(fd, mode) : fdopen(fd, mode);
	if (!stream) {
		int saved = errno;

		lh_fd_forget(fd);
		syscall(SYS_close, fd);
		errno = saved;
	}
	return stream;
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
	return stream_open(path, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
	return stream_open(path, mode);
}
