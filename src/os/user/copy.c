// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The calling thread's request: who issued it and how its memory is reached. At first that is this
 * process itself, through process_vm_readv and writev, which fail where a load would crash.
 */
#include <sys/uio.h>

#include "os/user/internal.h"

static enum nv_status copy_own(bool write, void *mem, u64 user, size_t size)
{
	char *at = mem;

	while (size) {
		struct iovec local = { at, size };
		struct iovec remote = { (void *)(uintptr_t)user, size };
		ssize_t done = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
				     : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

		if (done <= 0)
			return NV_ERR_INVALID_ADDRESS;
		at += done;
		user += (u64)done;
		size -= (size_t)done;
	}
	return NV_OK;
}

static enum nv_status own_from(void *ctx, void *dst, u64 user, size_t size)
{
	return copy_own(false, dst, user, size);
}

static enum nv_status own_to(void *ctx, u64 user, const void *src, size_t size)
{
	return copy_own(true, (void *)(uintptr_t)src, user, size);
}

static const struct os_user_copy_ops copy_own_ops = { own_from, own_to };

/* What most requests copy is a few words, and a call costs more than they do. */
static inline void copy_few(void *dst, const void *src, size_t size)
{
	struct words {
		u64 w[2];
	} first, last;

	if (size < sizeof(first) || size > 2 * sizeof(first)) {
		os_memcpy(dst, src, size);
		return;
	}
	/* The two overlap where size is between one and two of them. */
	__builtin_memcpy(&first, src, sizeof(first));
	__builtin_memcpy(&last, (const char *)src + size - sizeof(last), sizeof(last));
	__builtin_memcpy(dst, &first, sizeof(first));
	__builtin_memcpy((char *)dst + size - sizeof(last), &last, sizeof(last));
}

static enum nv_status trusted_from(void *ctx, void *dst, u64 user, size_t size)
{
	copy_few(dst, (const void *)(uintptr_t)user, size);
	return NV_OK;
}

static enum nv_status trusted_to(void *ctx, u64 user, const void *src, size_t size)
{
	copy_few((void *)(uintptr_t)user, src, size);
	return NV_OK;
}

const struct os_user_copy_ops os_user_copy_trusted = { trusted_from, trusted_to };

static OS_TLS struct {
	const struct os_user_copy_ops *ops; /* NULL: copy_own_ops */
	void *ctx;
	struct os_cred cred;
	bool has_cred;
} request;

void os_user_set_copy_ops(const struct os_user_copy_ops *ops, void *ctx)
{
	request.ops = ops;
	request.ctx = ctx;
}

void os_user_set_cred(const struct os_cred *cred)
{
	request.has_cred = cred != NULL;
	if (cred)
		request.cred = *cred;
}

void os_current_cred(struct os_cred *cred)
{
	static const struct os_cred driver = { .admin = true };

	*cred = request.has_cred ? request.cred : driver;
}

enum nv_status os_copy_from_user(void *dst, u64 user, size_t size)
{
	const struct os_user_copy_ops *ops = request.ops ? request.ops : &copy_own_ops;

	lockdep_may_sleep("os_copy_from_user");
	if (!size)
		return NV_OK;
	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	return ops->from(request.ctx, dst, user, size);
}

enum nv_status os_copy_to_user(u64 user, const void *src, size_t size)
{
	const struct os_user_copy_ops *ops = request.ops ? request.ops : &copy_own_ops;

	lockdep_may_sleep("os_copy_to_user");
	if (!size)
		return NV_OK;
	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	return ops->to(request.ctx, user, src, size);
}
