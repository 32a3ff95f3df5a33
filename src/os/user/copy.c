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

/* The first and the last word of a block, which overlap in one shorter than two. */
#define COPY_ENDS(type, dst, src, size)                                                \
	do {                                                                           \
		type first_, last_;                                                    \
		__builtin_memcpy(&first_, (src), sizeof(type));                        \
		__builtin_memcpy(&last_, (src) + (size) - sizeof(type), sizeof(type)); \
		__builtin_memcpy((dst), &first_, sizeof(type));                        \
		__builtin_memcpy((dst) + (size) - sizeof(type), &last_, sizeof(type)); \
	} while (0)

struct two_words {
	u64 w[2];
};

/* What most requests copy is a few words, and a call costs more than they do. size is not 0. */
static inline void copy_few(char *dst, const char *src, size_t size)
{
	if (size > 2 * sizeof(struct two_words)) {
		os_memcpy(dst, src, size);
	} else if (size >= sizeof(struct two_words)) {
		COPY_ENDS(struct two_words, dst, src, size);
	} else if (size >= sizeof(u64)) {
		COPY_ENDS(u64, dst, src, size);
	} else if (size >= sizeof(u32)) {
		COPY_ENDS(u32, dst, src, size);
	} else {
		char middle = src[size / 2];

		COPY_ENDS(char, dst, src, size);
		dst[size / 2] = middle;
	}
}

static enum nv_status trusted_from(void *ctx, void *dst, u64 user, size_t size)
{
	copy_few(dst, (const char *)(uintptr_t)user, size);
	return NV_OK;
}

static enum nv_status trusted_to(void *ctx, u64 user, const void *src, size_t size)
{
	copy_few((char *)(uintptr_t)user, src, size);
	return NV_OK;
}

const struct os_user_copy_ops os_user_copy_trusted = { trusted_from, trusted_to };

#define DRIVER_CRED           \
	{                     \
		.admin = true \
	}

static OS_TLS struct {
	const struct os_user_copy_ops *ops;
	void *ctx;
	const struct os_user_pin_ops *pin_ops;
	void *pin_ctx;
	struct os_cred cred;
} request = { .ops = &copy_own_ops, .cred = DRIVER_CRED };

void os_user_set_copy_ops(const struct os_user_copy_ops *ops, void *ctx)
{
	request.ops = ops ? ops : &copy_own_ops;
	request.ctx = ctx;
}

void os_user_set_pin_ops(const struct os_user_pin_ops *ops, void *ctx)
{
	request.pin_ops = ops;
	request.pin_ctx = ctx;
}

enum nv_status request_pin(u64 user, size_t size, bool writable, struct os_user_pin_piece *pieces,
			   u32 max, u32 *count)
{
	lockdep_may_sleep("os_pages_pin");
	if (!request.pin_ops)
		return NV_ERR_NOT_SUPPORTED;
	return request.pin_ops->pin(request.pin_ctx, user, size, writable, pieces, max, count);
}

void os_user_set_cred(const struct os_cred *cred)
{
	static const struct os_cred driver = DRIVER_CRED;

	request.cred = cred ? *cred : driver;
}

void os_current_cred(struct os_cred *cred)
{
	*cred = request.cred;
}

enum nv_status os_copy_from_user(void *dst, u64 user, size_t size)
{
	lockdep_may_sleep("os_copy_from_user");
	if (!size)
		return NV_OK;
	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	return request.ops->from(request.ctx, dst, user, size);
}

enum nv_status os_copy_to_user(u64 user, const void *src, size_t size)
{
	lockdep_may_sleep("os_copy_to_user");
	if (!size)
		return NV_OK;
	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	return request.ops->to(request.ctx, user, src, size);
}
