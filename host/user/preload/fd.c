// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Which descriptors are ours. One that came by exec, fork or SCM_RIGHTS is known by the name of its
 * socket's other end; a connection may use its file after sending its secret through it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/user/dgram.h"
#include "host/user/preload/preload.h"

#define PAGE_ENTRIES 1024u
#define PAGES 1024u

/* Read without a lock: each field atomically, and generation before and after the others. */
struct entry {
	u64 id;		/* 0: not ours */
	u32 generation; /* of the connection that id is of: 0 while the others change */
	u32 minor;
	u8 node;
	u8 ours; /* by its socket's name, though nothing more is known */
};

static struct entry *pages[PAGES];
static u32 end; /* highest number ever used plus one */

static struct entry *entry_find(int fd)
{
	struct entry *page;

	if (fd < 0 || (u32)fd >= __atomic_load_n(&end, __ATOMIC_ACQUIRE))
		return NULL;
	page = __atomic_load_n(&pages[(u32)fd / PAGE_ENTRIES], __ATOMIC_ACQUIRE);
	return page ? &page[(u32)fd % PAGE_ENTRIES] : NULL;
}

static struct entry *entry_make(int fd)
{
	u32 index = (u32)fd / PAGE_ENTRIES;
	struct entry *page, *none = NULL;
	u32 old = __atomic_load_n(&end, __ATOMIC_ACQUIRE);

	if (fd < 0 || index >= PAGES)
		return NULL;
	if (!__atomic_load_n(&pages[index], __ATOMIC_ACQUIRE)) {
		const size_t size = PAGE_ENTRIES * sizeof(struct entry);

		page = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return NULL;
		if (!__atomic_compare_exchange_n(&pages[index], &none, page, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			munmap(page, size);
	}
	while (old < (u32)fd + 1 &&
	       !__atomic_compare_exchange_n(&end, &old, (u32)fd + 1, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST))
		;
	return entry_find(fd);
}

int lh_fd_end(void)
{
	return (int)__atomic_load_n(&end, __ATOMIC_ACQUIRE);
}

bool lh_fd_known(int fd)
{
	const struct entry *e = entry_find(fd);

	return e && (__atomic_load_n(&e->id, __ATOMIC_ACQUIRE) ||
		     __atomic_load_n(&e->ours, __ATOMIC_ACQUIRE));
}

bool lh_fd_ours(int fd)
{
	struct sockaddr_un addr;
	socklen_t size = sizeof(addr);
	struct entry *e;
	int saved = errno;
	bool ours = false;

	if (lh_fd_known(fd))
		return true;
	if (fd < 0 || !lh_active() || lh_is_hidden(fd))
		return false;
	memset(&addr, 0, sizeof(addr));
	if (syscall(SYS_getpeername, fd, &addr, &size) == 0 && addr.sun_family == AF_UNIX &&
	    strncmp(addr.sun_path, lh_socket_path(), sizeof(addr.sun_path)) == 0) {
		ours = lh_borrowed();
		e = ours ? NULL : entry_make(fd);
		if (e) {
			__atomic_store_n(&e->ours, 1, __ATOMIC_RELEASE);
			ours = true;
		}
	}
	errno = saved;
	return ours;
}

void lh_fd_inherit(void)
{
	union {
		struct dirent64 align;
		char bytes[4096];
	} list;
	int saved = errno;
	int dir = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd",
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n;

	if (dir < 0)
		goto out;
	while ((n = syscall(SYS_getdents64, dir, &list, sizeof(list))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(list.bytes + at);

			if (entry->d_name[0] != '.')
				lh_fd_ours((int)strtol(entry->d_name, NULL, 10));
			at += entry->d_reclen;
		}
	}
	syscall(SYS_close, dir);
out:
	errno = saved;
}

bool lh_fd_peek(int fd, struct lh_file *file)
{
	const struct entry *e = entry_find(fd);

	if (!e)
		return false;
	file->id = __atomic_load_n(&e->id, __ATOMIC_ACQUIRE);
	file->node = (enum tree_node)__atomic_load_n(&e->node, __ATOMIC_ACQUIRE);
	file->minor = __atomic_load_n(&e->minor, __ATOMIC_ACQUIRE);
	return file->id != 0;
}

static void entry_set(struct entry *e, u32 generation, const struct lh_file *file)
{
	__atomic_store_n(&e->generation, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&e->node, (u8)file->node, __ATOMIC_RELEASE);
	__atomic_store_n(&e->minor, file->minor, __ATOMIC_RELEASE);
	__atomic_store_n(&e->ours, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&e->id, file->id, __ATOMIC_RELEASE);
	__atomic_store_n(&e->generation, generation, __ATOMIC_RELEASE);
}

void lh_fd_set(const struct lh_chan *chan, int fd, const struct lh_file *file)
{
	struct entry *e = lh_borrowed() ? NULL : entry_make(fd);

	if (e)
		entry_set(e, chan->generation, file);
}

void lh_fd_copy(int from, int to)
{
	const struct entry *e = entry_find(from);
	struct lh_file file;
	struct entry *copy;
	u32 generation;

	if (!e || !__atomic_load_n(&e->ours, __ATOMIC_ACQUIRE)) {
		lh_fd_forget(to);
		return;
	}
	copy = lh_borrowed() ? NULL : entry_make(to);
	if (!copy)
		return;
	generation = __atomic_load_n(&e->generation, __ATOMIC_ACQUIRE);
	lh_fd_peek(from, &file);
	/* Changed meanwhile: bound anew at its next use. */
	if (__atomic_load_n(&e->generation, __ATOMIC_ACQUIRE) != generation)
		generation = 0;
	entry_set(copy, generation, &file);
}

void lh_fd_forget(int fd)
{
	struct entry *e = entry_find(fd);

	if (!e || !lh_fd_known(fd) || lh_borrowed())
		return;
	__atomic_store_n(&e->generation, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&e->id, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&e->ours, 0, __ATOMIC_RELEASE);
}

void lh_fd_unbind(int fd)
{
	struct entry *e = entry_find(fd);

	if (e)
		__atomic_store_n(&e->generation, 0, __ATOMIC_SEQ_CST);
}

static bool bound(const struct lh_chan *chan, int fd, struct lh_file *file)
{
	const struct entry *e = entry_find(fd);

	return e && __atomic_load_n(&e->generation, __ATOMIC_ACQUIRE) == chan->generation &&
	       lh_fd_peek(fd, file) &&
	       __atomic_load_n(&e->generation, __ATOMIC_ACQUIRE) == chan->generation;
}

/* 0, an errno or LH_RESTART. */
static int bind_file(struct lh_chan *chan, int fd, struct lh_file *file,
		     const struct lh_patience *patience)
{
	struct lh_msg msg = { .op = LH_OP_BIND };
	struct lh_hello hello;
	int rc;

	lh_hello_fill(chan, &hello, LH_DGRAM_BIND);
	rc = dgram_send(fd, &hello, sizeof(hello), -1);
	if (rc)
		return rc == -EPIPE || rc == -ECONNRESET || rc == -ENOTCONN ? ENODEV : -rc;
	msg.args[0] = hello.token;
	rc = lh_exchange_within(chan, &msg, patience);
	if (rc < 0)
		return rc == LH_RESTART ? rc : -rc;
	*file = (struct lh_file){ msg.args[0], (enum tree_node)msg.args[1], (u32)msg.args[2] };
	lh_fd_set(chan, fd, file);
	return 0;
}

int lh_fd_file(struct lh_chan *chan, int fd, struct lh_file *file)
{
	struct lh_patience patience;
	u64 ns = LH_PATIENCE_NS;
	int rc;

	while (!bound(chan, fd, file)) {
		const u64 now = ns;

		ns = lh_more_patience(ns);
		/* One at a time: the daemon keeps a file's last token only. */
		if (lh_bind_lock(&patience, now))
			continue;
		rc = bound(chan, fd, file) ? 0 : bind_file(chan, fd, file, &patience);
		lh_bind_unlock(&patience);
		if (rc != LH_RESTART)
			return rc;
		lh_chan_finish(chan);
	}
	return 0;
}
