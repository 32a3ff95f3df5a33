// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * ioctl(2) on the driver's descriptors, and what it has none of: read and write.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

#define NV_IOCTL_MAGIC 'F'
/* NV_ESC_RM_CONTROL's structure: where its parameters are, worth reading ahead. */
#define ESC_RM_CONTROL 0x2au
#define CONTROL_SIZE 32u
#define CONTROL_PARAMS 16u
#define CONTROL_PARAMS_SIZE 24u

/*
 * memcpy of what is small most often. The compiler must not know how small: of less than 8 KiB it
 * makes a string move, which takes long to start.
 */
static void copy_piece(void *to, const void *from, size_t size)
{
	__asm__("" : "+r"(size));
	memcpy(to, from, size);
}

/* Whether size bytes at address could be read; sure: they are on the stack. */
static bool read_piece(const void *frame, u64 address, u32 size, u8 *to, bool *sure)
{
	*sure = lh_on_stack(frame, address, size);
	if (!*sure)
		return lh_copy(false, address, to, size);
	copy_piece(to, (const void *)(uintptr_t)address, size);
	return true;
}

/* Reads ahead what the driver is sure to ask for; what cannot be read it will find out itself. */
static void read_ahead(struct lh_chan *chan, const void *frame, struct lh_msg *msg)
{
	u32 size = _IOC_SIZE((u32)msg->args[1]);
	u8 *data = chan->shm->data;
	u32 params_size;
	bool sure;

	if (!size || size > LH_PREFETCH_MAX || !read_piece(frame, msg->args[2], size, data, &sure))
		return;
	msg->piece[0] = (u16)size;
	if (_IOC_NR((u32)msg->args[1]) != ESC_RM_CONTROL || size != CONTROL_SIZE)
		return;
	memcpy(&msg->args[3], data + CONTROL_PARAMS, sizeof(msg->args[3]));
	memcpy(&params_size, data + CONTROL_PARAMS_SIZE, sizeof(params_size));
	if (!msg->args[3] || !params_size || params_size > LH_PREFETCH_MAX ||
	    !read_piece(frame, msg->args[3], params_size, data + size, &sure))
		return;
	msg->piece[1] = (u16)params_size;
	msg->at = sure;
}

/* The writes that came with the reply: parameters, then the ioctl's structure. 0 or an errno. */
static int write_late(struct lh_chan *chan, const void *frame, const struct lh_msg *msg)
{
	const u32 at[2] = { 0, msg->at };

	for (u32 i = 2; i-- > 0;) {
		u8 *from = chan->shm->data + at[i];
		u64 address = msg->args[2 + i];
		u32 size = msg->piece[i];

		if (!size)
			continue;
		if (lh_on_stack(frame, address, size))
			copy_piece((void *)(uintptr_t)address, from, size);
		else if (!lh_copy(true, address, from, size))
			return EFAULT;
	}
	return 0;
}

static int request(struct lh_chan *chan, const void *frame, int fd, u32 number, u64 arg)
{
	struct lh_file file;
	int rc = lh_fd_file(chan, fd, &file);

	for (u32 attempt = 0; !rc; attempt++) {
		struct lh_msg msg = { .op = LH_OP_IOCTL, .args = { file.id, number, arg } };

		read_ahead(chan, frame, &msg);
		rc = -lh_exchange(chan, &msg);
		lh_shm_fetch(chan->shm->data, msg.piece[0] + msg.piece[1]);
		if (rc == EBADF && !attempt) {
			/* The table is out of date: a descriptor of the same number, or a new
			 * connection. */
			lh_fd_unbind(fd);
			rc = lh_fd_file(chan, fd, &file);
			continue;
		}
		if (msg.op == LH_REPLY && write_late(chan, frame, &msg))
			rc = EFAULT;
		break;
	}
	return rc;
}

static int ours_ioctl(const void *frame, int fd, u32 number, u64 arg)
{
	int saved = errno;
	struct lh_chan *chan = lh_enter();
	int rc;

	if (!chan)
		return -1;
	rc = request(chan, frame, fd, number, arg);
	lh_leave();
	errno = rc ? rc : saved;
	return rc ? -1 : 0;
}

/* What the kernel does for every file, before a driver is asked. */
static bool is_generic(unsigned long number)
{
	return number == FIOCLEX || number == FIONCLEX || number == FIONBIO || number == FIOASYNC;
}

EXPORT int ioctl(int fd, unsigned long number, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, number);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((lh_fd_known(fd) && !is_generic(number)) ||
	    (_IOC_TYPE(number) == NV_IOCTL_MAGIC && lh_fd_ours(fd)))
		return ours_ioctl(__builtin_frame_address(0), fd, (u32)number, (u64)(uintptr_t)arg);
	return lh_real()->ioctl(fd, number, arg);
}

/* The driver has none of these. */
static bool refused(int fd)
{
	if (__builtin_expect(!lh_fd_known(fd), 1))
		return false;
	errno = EINVAL;
	return true;
}

EXPORT ssize_t read(int fd, void *buf, size_t size)
{
	return refused(fd) ? -1 : lh_real()->read(fd, buf, size);
}

ssize_t __read_chk(int fd, void *buf, size_t size, size_t room);

EXPORT ssize_t __read_chk(int fd, void *buf, size_t size, size_t room)
{
	if (size > room)
		__builtin_trap();
	return read(fd, buf, size);
}

EXPORT ssize_t write(int fd, const void *buf, size_t size)
{
	return refused(fd) ? -1 : lh_real()->write(fd, buf, size);
}

EXPORT ssize_t readv(int fd, const struct iovec *pieces, int count)
{
	return refused(fd) ? -1 : lh_real()->readv(fd, pieces, count);
}

EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	return refused(fd) ? -1 : lh_real()->writev(fd, pieces, count);
}

EXPORT ssize_t pread(int fd, void *buf, size_t size, off_t offset)
{
	return refused(fd) ? -1 : lh_real()->pread(fd, buf, size, offset);
}

EXPORT ssize_t pread64(int fd, void *buf, size_t size, off64_t offset)
{
	return pread(fd, buf, size, offset);
}

EXPORT ssize_t pwrite(int fd, const void *buf, size_t size, off_t offset)
{
	return refused(fd) ? -1 : lh_real()->pwrite(fd, buf, size, offset);
}

EXPORT ssize_t pwrite64(int fd, const void *buf, size_t size, off64_t offset)
{
	return pwrite(fd, buf, size, offset);
}
