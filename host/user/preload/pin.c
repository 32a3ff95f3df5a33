// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Memory of the program's that the driver pins. What is private and anonymous becomes shared memory
 * in place, which the daemon maps too:
 *
 *   register the range with a userfaultfd       accesses to absent pages wait
 *   move its pages away (MREMAP_DONTUNMAP)      all accesses wait
 *   copy them into a memfd, map that in place   the waiting go on, in the new pages
 *
 * so that no store is lost. A thread without anything of the C library's does the part in which the
 * calling thread's own stack or thread block may be away.
 *
 * A child of fork gets a copy of its own, as of memory that a device has pinned.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <ucontext.h>
#include <unistd.h>

#include "host/user/preload/conn.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define PAGE 4096u
#define HELPER_STACK KIB(64)
/* This process, or one that it comes from without exec, has or had a child with its memory. */
static u32 forked;

#define PIECES_MAX (LH_DATA_SIZE / sizeof(struct lh_pin_piece))

/* -- /proc/self/maps ----------------------------------------------------------------------------
 */

struct vma {
	u64 start, end;
	u64 offset;
	u32 major, minor;
	u64 inode;
	bool read, write, execute, shared;
	bool special;  /* the kernel's own: [vdso] and the like */
	bool nameless; /* shared memory of no file's: mmap with MAP_SHARED and MAP_ANONYMOUS */
};

static u64 number(const char **at, u32 base)
{
	u64 value = 0;

	for (; **at; (*at)++) {
		const char c = **at;
		const u32 digit = c >= '0' && c <= '9'	 ? (u32)(c - '0')
				  : c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10
							 : 16;

		if (digit >= base)
			break;
		value = value * base + digit;
	}
	return value;
}

/* start-end perms offset major:minor inode name */
static void vma_parse(const char *line, struct vma *vma)
{
	memset(vma, 0, sizeof(*vma));
	vma->start = number(&line, 16);
	line += *line == '-';
	vma->end = number(&line, 16);
	line += *line == ' ';
	if (strlen(line) < 5)
		return;
	vma->read = line[0] == 'r';
	vma->write = line[1] == 'w';
	vma->execute = line[2] == 'x';
	vma->shared = line[3] == 's';
	line += 5;
	vma->offset = number(&line, 16);
	line += *line == ' ';
	vma->major = (u32)number(&line, 16);
	line += *line == ':';
	vma->minor = (u32)number(&line, 16);
	line += *line == ' ';
	vma->inode = number(&line, 10);
	vma->nameless = vma->shared && strstr(line, " /dev/zero (deleted)") != NULL;
	line = strchr(line, '[');
	vma->special = line && !vma->inode && strncmp(line, "[heap]", 6) != 0 &&
		       strncmp(line, "[stack", 6) != 0 && strncmp(line, "[anon", 5) != 0;
}

/* What lies at address; false when nothing does. */
static bool vma_find(u64 address, struct vma *vma)
{
	char buf[KIB(2)];
	size_t have = 0;
	bool found = false, skip = false;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	long n;

	if (fd < 0)
		return false;
	while (!found && (n = syscall(SYS_read, fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)n;
		buf[have] = 0;
		while (!found && (end = strchr(line, '\n'))) {
			*end = 0;
			if (!skip) {
				vma_parse(line, vma);
				found = address >= vma->start && address < vma->end;
			}
			skip = false;
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		/* A name so long that the rest of its line is no matter. */
		if (!found && have == sizeof(buf) - 1) {
			if (!skip) {
				vma_parse(buf, vma);
				found = address >= vma->start && address < vma->end;
			}
			skip = true;
			have = 0;
		}
	}
	syscall(SYS_close, fd);
	return found;
}

/* -- Private memory becomes shared --------------------------------------------------------------
 */

/* All that the helper works on lies here, out of what it moves. */
struct change {
	u64 start, size;
	u64 aside; /* where the pages are meanwhile: reserved, as large */
	int prot;
	int memfd;
	int uffd; /* -1: no other thread is there to store anything */
	u64 mode; /* which faults wait */
	int rc;
	u32 alive; /* the helper's thread number, 0 once it ended */
};

/* A bare system call: errno may be out of reach. */
static inline long bare(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return rc;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "no system calls for this machine"
#endif
}

#define BARE __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#if defined(__has_attribute)
#if __has_attribute(no_stack_protector)
#undef BARE
#define BARE \
	__attribute__((no_sanitize("address", "thread", "undefined"), noinline, no_stack_protector))
#endif
#endif

static long bare_ioctl(const struct change *c, unsigned long request, void *arg)
{
	return c->uffd < 0 ? 0 : bare(SYS_ioctl, c->uffd, (long)request, (long)arg, 0, 0, 0);
}

/* 0 or a negative errno, and then all is as it was. Needs no C library. */
BARE static int change_make(struct change *c)
{
	struct uffdio_register range;
	struct uffdio_range all;
	long rc, done = 0;

	all.start = c->start;
	all.len = c->size;
	range.range = all;
	range.mode = c->mode;
	rc = bare_ioctl(c, UFFDIO_REGISTER, &range);
	if (rc)
		return (int)rc;
	rc = bare(SYS_mremap, (long)c->start, (long)c->size, (long)c->size,
		  MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, (long)c->aside, 0);
	if (rc < 0) {
		bare_ioctl(c, UFFDIO_UNREGISTER, &all);
		return (int)rc;
	}
	while ((u64)done < c->size) {
		rc = bare(SYS_pwrite64, c->memfd, (long)c->aside + done, (long)c->size - done, done,
			  0, 0);
		if (rc <= 0)
			break;
		done += rc;
	}
	if ((u64)done == c->size) {
		rc = bare(SYS_mmap, (long)c->start, (long)c->size, c->prot, MAP_SHARED | MAP_FIXED,
			  c->memfd, 0);
		rc = rc < 0 ? rc : 0;
	} else {
		rc = rc ? rc : -ENOMEM;
	}
	/* Back to where they were: what waits finds them there. */
	if (rc)
		bare(SYS_mremap, (long)c->aside, (long)c->size, (long)c->size,
		     MREMAP_MAYMOVE | MREMAP_FIXED, (long)c->start, 0);
	bare_ioctl(c, UFFDIO_WAKE, &all);
	return (int)rc;
}

BARE static int helper_main(void *arg)
{
	struct change *c = arg;

	c->rc = change_make(c);
	return 0;
}

/*
 * A thread that the C library does not know; a sanitizer, which stands before its clone, neither.
 * Its number is in *alive while it lives. 0 or a negative errno.
 */
BARE static long helper_start(struct change *c, char *stack_end)
{
	const long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			   CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
#if defined(__x86_64__)
	register u32 *child_tid __asm__("r10") = &c->alive;
	register struct change *arg __asm__("r12") = c;
	register int (*entry)(void *) __asm__("r13") = helper_main;
	long rc = SYS_clone;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%%r13\n\t"
			 "mov %[exit], %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "+a"(rc)
			 : "D"(flags), "S"(stack_end), "d"(&c->alive), "r"(child_tid), "r"(arg),
			   "r"(entry), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	return rc < 0 ? rc : 0;
#else
	return clone(helper_main, stack_end, (int)flags, c, &c->alive, NULL, &c->alive) < 0 ? -errno
											    : 0;
#endif
}

static void helper_wait(struct change *c)
{
	u32 alive;

	while ((alive = __atomic_load_n(&c->alive, __ATOMIC_ACQUIRE)))
		bare(SYS_futex, (long)&c->alive, FUTEX_WAIT, (long)alive, 0, 0, 0);
}

/* 0 or a negative errno. All signals are blocked. */
static int change_run(struct change *change)
{
	char *stack = (void *)syscall(SYS_mmap, NULL, HELPER_STACK, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct change *c = (struct change *)stack;
	int rc;

	if (stack == MAP_FAILED)
		return -ENOMEM;
	*c = *change;
	rc = (int)helper_start(c, stack + HELPER_STACK);
	if (rc == 0) {
		helper_wait(c);
		rc = c->rc;
	}
	syscall(SYS_munmap, stack, HELPER_STACK);
	return rc;
}

/* Threads of this process; 0 when not known. */
static u32 thread_count(void)
{
	struct stat st;

	/* A directory's links: itself, its name above, and one for each directory in it. */
	return stat("/proc/self/task", &st) || st.st_nlink < 3 ? 0 : (u32)st.st_nlink - 2;
}

/*
 * A userfaultfd, with which also the kernel's own accesses wait where that is allowed; -1 where
 * none is needed. 0 or a negative errno.
 */
static int change_uffd(struct change *c, bool own_thread)
{
	struct uffdio_api api = { .api = UFFD_API };

	/* Pages of shared memory stay in it, and are absent from the address space only. */
	if (c->mode & UFFDIO_REGISTER_MODE_MINOR)
		api.features = UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM;
	c->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (c->uffd < 0) {
		/* The kernel writes to a thread's block whenever it runs. */
		if (own_thread)
			return thread_count() == 1 ? 0 : -EOPNOTSUPP;
		c->uffd =
			(int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	}
	if (c->uffd < 0)
		return thread_count() == 1 ? 0 : -EOPNOTSUPP;
	if (syscall(SYS_ioctl, c->uffd, UFFDIO_API, &api))
		return -EOPNOTSUPP;
	return 0;
}

/*
 * A memfd that holds the memory, from its start, and does not end there: memory that a program
 * enlarges in place (mremap, realloc) stays memory. Or a negative errno.
 */
static int change_memfd(u64 size)
{
	const off_t sizes[] = { (off_t)1 << 46, (off_t)size };
	int fd = (int)syscall(SYS_memfd_create, "leafhopper-pinned",
			      MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if ((syscall(SYS_ftruncate, fd, sizes[0]) && syscall(SYS_ftruncate, fd, sizes[1])) ||
	    syscall(SYS_fchmod, fd, 0600) ||
	    syscall(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		int rc = -errno;

		syscall(SYS_close, fd);
		return rc;
	}
	return fd;
}

/* Whether the calling thread's block, which the kernel writes to at any time, is there. */
static bool has_own_thread(u64 start, u64 size)
{
	const u64 self = (u64)(uintptr_t)__builtin_thread_pointer();

	return start < self + PAGE && start + size > self - PAGE;
}

/* Makes [start, start + size) of vma shared memory. Its descriptor, or a negative errno. */
static int make_shared(const struct vma *vma, u64 start, u64 size)
{
	struct change c = {
		.start = start, .size = size, .uffd = -1, .mode = UFFDIO_REGISTER_MODE_MISSING
	};
	void *aside;
	int rc;

	c.prot = (vma->read ? PROT_READ : 0) | (vma->write ? PROT_WRITE : 0) |
		 (vma->execute ? PROT_EXEC : 0);
	if (vma->shared)
		c.mode |= UFFDIO_REGISTER_MODE_MINOR;
	c.memfd = change_memfd(size);
	if (c.memfd < 0)
		return c.memfd;
	aside = (void *)syscall(SYS_mmap, NULL, size, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	rc = aside == MAP_FAILED ? -ENOMEM : 0;
	c.aside = (u64)(uintptr_t)aside;
	if (!rc)
		rc = change_uffd(&c, has_own_thread(start, size));
	if (!rc)
		rc = change_run(&c);
	if (c.uffd >= 0)
		syscall(SYS_close, c.uffd);
	if (aside != MAP_FAILED)
		syscall(SYS_munmap, aside, size);
	if (!rc)
		return c.memfd;
	syscall(SYS_close, c.memfd);
	return rc == -ENOSPC || rc == -EFBIG ? -ENOMEM : rc;
}

/* -- Memory that is a file already --------------------------------------------------------------
 */

static bool is_file(int fd, const struct vma *vma)
{
	struct stat st;

	return syscall(SYS_fstat, fd, &st) == 0 && st.st_ino == vma->inode &&
	       major(st.st_dev) == vma->major && minor(st.st_dev) == vma->minor;
}

/* A descriptor of the file behind a shared mapping, or -EOPNOTSUPP. */
static int open_shared(const struct vma *vma)
{
	const int flags = (vma->write ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	char path[64];
	int fd;

	/* The administrator may. */
	snprintf(path, sizeof(path), "/proc/self/map_files/%llx-%llx",
		 (unsigned long long)vma->start, (unsigned long long)vma->end);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
	if (fd >= 0)
		return fd;
	/* Or the program has it open. */
	for (int other = 0; other < 1024; other++) {
		if (!is_file(other, vma))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", other);
		fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
		if (fd >= 0)
			return fd;
	}
	return -EOPNOTSUPP;
}

/* -- The daemon's question ----------------------------------------------------------------------
 */

struct pin {
	struct lh_chan *chan;
	u64 at, end;
	bool writable;
	u32 count; /* of pieces, in the channel's data */
};

static void piece_add(struct pin *pin, u64 memory, u64 token, u64 offset, u64 size)
{
	const struct lh_pin_piece piece = { memory, token, offset, size };

	memcpy(pin->chan->shm->data + pin->count * sizeof(piece), &piece, sizeof(piece));
	pin->count++;
	pin->at += size;
}

/* More of an area that is pinned or mapped from a descriptor. 0 or a negative errno. */
static int pin_area(struct pin *pin, const struct lh_area *area)
{
	const u64 offset = area->offset + (pin->at - area->start);
	const u64 end = area->end < pin->end ? area->end : pin->end;

	/* As of a device's memory the kernel has no pages of it to give. */
	if (area->kind != LH_AREA_PINNED)
		return -EFAULT;
	if (area->generation != pin->chan->generation)
		return -EOPNOTSUPP;
	piece_add(pin, area->number, 0, offset, end - pin->at);
	return 0;
}

static int pin_private(struct pin *pin, const struct vma *vma, u64 size)
{
	struct lh_area area = { .start = pin->at,
				.end = pin->at + size,
				.kind = LH_AREA_PINNED,
				.whole = vma->shared,
				.number = lh_area_number(),
				.generation = pin->chan->generation };
	int fd = make_shared(vma, pin->at, size);
	u64 token;

	if (fd < 0)
		return fd;
	token = lh_descriptor_send(pin->chan, fd);
	/* Shared it stays in any case, which fork has to know. */
	if (!lh_area_add(&area))
		return -ENOMEM;
	if (!token)
		return -ENOMEM;
	piece_add(pin, area.number, token, 0, size);
	return 0;
}

static int pin_shared(struct pin *pin, const struct vma *vma, u64 size)
{
	int fd = open_shared(vma);
	u64 token;

	/* No other process has it where none was forked. */
	if (fd < 0 && vma->nameless && !__atomic_load_n(&forked, __ATOMIC_ACQUIRE))
		return pin_private(pin, vma, size);
	if (fd < 0)
		return fd;
	token = lh_descriptor_send(pin->chan, fd);
	if (!token)
		return -ENOMEM;
	piece_add(pin, 0, token, vma->offset + (pin->at - vma->start), size);
	return 0;
}

/* The next part of the range, all of one kind. 0 or a negative errno. */
static int pin_next(struct pin *pin)
{
	const struct lh_area *area = lh_area_next(pin->at);
	struct vma vma;
	u64 end = pin->end;

	if (pin->count == PIECES_MAX)
		return -ENOMEM;
	if (!vma_find(pin->at, &vma) || vma.special || !vma.read || (pin->writable && !vma.write))
		return -EFAULT;
	if (area && area->start <= pin->at)
		return pin_area(pin, area);
	if (area && area->start < end)
		end = area->start;
	if (vma.end < end)
		end = vma.end;
	if (vma.shared)
		return pin_shared(pin, &vma, end - pin->at);
	/* A file's private pages could not be made to wait. */
	return vma.inode ? -EOPNOTSUPP : pin_private(pin, &vma, end - pin->at);
}

void lh_pin(struct lh_chan *chan, struct lh_msg *msg)
{
	struct pin pin = { .chan = chan,
			   .at = msg->args[0],
			   .end = msg->args[0] + msg->args[1],
			   .writable = msg->args[2] != 0 };
	sigset_t before, own;
	u64 all = ~0ull, mask;
	int rc = 0;

	msg->args[0] = 0;
	if (!lh_area_lock(&before)) {
		msg->result = -ENOMEM;
		return;
	}
	lh_own_lock(&own);
	/* Also those of the C library itself: a handler might need what is away. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof(mask));
	while (!rc && pin.at < pin.end)
		rc = pin_next(&pin);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
	lh_own_unlock(&own);
	lh_area_unlock(&before);
	msg->result = rc ? rc : (s32)pin.count;
	msg->args[0] = pin.count;
}

/* -- fork ----------------------------------------------------------------------------------------
 */

/* What a child is to have at its place instead; in memory that it inherits. */
struct copy {
	u64 start, size;
	void *copy;
};

struct plan {
	size_t bytes;
	u32 count;
	struct copy copies[];
};

static void plan_drop(struct plan *plan)
{
	for (u32 i = 0; i < plan->count; i++)
		syscall(SYS_munmap, plan->copies[i].copy, plan->copies[i].size);
	syscall(SYS_munmap, plan, plan->bytes);
}

/* Areas locked. NULL where there is no memory for it. */
static struct plan *plan_make(u32 count)
{
	const size_t bytes = sizeof(struct plan) + count * sizeof(struct copy);
	struct plan *plan = (void *)syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 at = 0;

	if (plan == MAP_FAILED)
		return NULL;
	plan->bytes = bytes;
	for (const struct lh_area *area; (area = lh_area_next(at)); at = area->end) {
		struct copy *copy = &plan->copies[plan->count];

		if (area->kind != LH_AREA_PINNED || area->whole)
			continue;
		copy->start = area->start;
		copy->size = area->end - area->start;
		copy->copy = (void *)syscall(SYS_mmap, NULL, copy->size, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (copy->copy == MAP_FAILED) {
			plan_drop(plan);
			return NULL;
		}
		plan->count++;
		/* What the program may not read itself a child gets empty. */
		lh_copy(false, copy->start, copy->copy, copy->size);
	}
	return plan;
}

/* In the child: its own copies go where the shared memory is. */
static void plan_use(struct plan *plan)
{
	for (u32 i = 0; i < plan->count; i++)
		syscall(SYS_mremap, plan->copies[i].copy, plan->copies[i].size,
			plan->copies[i].size, MREMAP_MAYMOVE | MREMAP_FIXED, plan->copies[i].start);
	syscall(SYS_munmap, plan, plan->bytes);
}

static size_t page_bytes(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

struct forking {
	pid_t (*make)(void);
	u32 count;
	pid_t pid;
	int rc;
	ucontext_t back, there;
};

static void fork_with_copies(struct forking *f)
{
	struct plan *plan = plan_make(f->count);

	f->pid = -1;
	f->rc = ENOMEM;
	if (!plan)
		return;
	f->pid = f->make();
	f->rc = errno;
	if (f->pid == 0)
		plan_use(plan);
	else
		plan_drop(plan);
}

static void fork_there(u32 low, u32 high)
{
	fork_with_copies((void *)(uintptr_t)((u64)high << 32 | low));
}

/* On a stack that is none of the memory that is copied: parent and child would share it. */
static void fork_elsewhere(struct forking *where)
{
	const size_t size = KIB(256);
	char *stack = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct forking *f = (struct forking *)stack;
	const u64 at = (u64)(uintptr_t)f;

	if (stack == MAP_FAILED)
		return;
	*f = *where;
	if (getcontext(&f->there) == 0) {
		f->there.uc_stack.ss_sp = stack + page_bytes(sizeof(*f));
		f->there.uc_stack.ss_size = size - page_bytes(sizeof(*f));
		f->there.uc_link = &f->back;
		makecontext(&f->there, (void (*)(void))fork_there, 2, (u32)at, (u32)(at >> 32));
		swapcontext(&f->back, &f->there);
	}
	where->pid = f->pid;
	where->rc = f->rc;
	syscall(SYS_munmap, stack, size);
}

#define FORK_STACK KIB(64) /* that fork and its handlers may use */

static pid_t fork_as(pid_t (*make)(void))
{
	const u64 frame = (u64)(uintptr_t)__builtin_frame_address(0);
	struct forking f = { .make = make, .pid = -1, .rc = ENOMEM };
	bool on_stack = false;
	sigset_t before;
	u64 at = 0;

	if (!lh_borrowed())
		__atomic_store_n(&forked, 1, __ATOMIC_RELEASE);
	if (!lh_area_near(0, ~0ull) || !lh_area_lock(&before))
		return make();
	for (const struct lh_area *area; (area = lh_area_next(at)); at = area->end) {
		if (area->kind != LH_AREA_PINNED || area->whole)
			continue;
		f.count++;
		if (area->start < frame + PAGE && area->end > frame - FORK_STACK)
			on_stack = true;
	}
	if (!f.count)
		f.pid = make(), f.rc = errno;
	else if (on_stack)
		fork_elsewhere(&f);
	else
		fork_with_copies(&f);
	lh_area_unlock(&before);
	if (f.pid < 0)
		errno = f.rc;
	return f.pid;
}

EXPORT pid_t fork(void)
{
	return fork_as(lh_real()->fork);
}

pid_t _Fork(void);

EXPORT pid_t _Fork(void)
{
	return lh_real()->_Fork ? fork_as(lh_real()->_Fork) : fork();
}
