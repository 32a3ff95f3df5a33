/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the tests of os/crypto.h share: known answers from text, and libcrypto's memory, counted and
 * made to fail.
 */
#ifndef TESTS_OS_CRYPTO_H
#define TESTS_OS_CRYPTO_H

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "crypto_answers.h"
#include "os/crypto.h"
#include "unit.h"

struct bytes {
	u8 data[256];
	size_t size;
};

static inline struct bytes hex(const char *text)
{
	struct bytes b;

	b.size = answer_bytes(text, b.data, sizeof(b.data));
	return b;
}

static inline bool all_zero(const void *data, size_t size)
{
	const u8 *at = data;

	while (size && !*at)
		at++, size--;
	return !size;
}

/* How much libcrypto allocated, and which of the next allocations fails; 0: none. */
static u64 library_allocations, library_live, library_fails;

static inline bool library_must_fail(void)
{
	library_allocations++;
	return library_fails && --library_fails == 0;
}

static inline void *library_malloc(size_t size, const char *file, int line)
{
	void *mem = library_must_fail() ? NULL : malloc(size);

	library_live += mem != NULL;
	return mem;
}

static inline void library_free(void *mem, const char *file, int line)
{
	library_live -= mem != NULL;
	free(mem);
}

static inline void *library_realloc(void *mem, size_t size, const char *file, int line)
{
	void *moved;

	if (!mem)
		return library_malloc(size, file, line);
	moved = library_must_fail() ? NULL : realloc(mem, size);
	return moved;
}

/* Before libcrypto is used for the first time. */
static inline void library_hook(void)
{
	if (CRYPTO_set_mem_functions(library_malloc, library_realloc, library_free) != 1)
		abort();
}

/*
 * Fails each allocation of os.h's and of libcrypto's in turn, until fn needs no more. fn is NV_OK,
 * or, if an allocation failed, NV_ERR_NO_MEMORY, and leaves nothing. of_library: how many it has at
 * least of libcrypto's.
 */
static inline void fail_each_of(enum nv_status (*fn)(void), u32 of_library)
{
	u64 live = unit_live(), live_of_library, nth, failed;
	enum nv_status status;

	/* Most of what the library keeps for good is there from now on. */
	ERR_clear_error();
	assert_int_equal(fn(), NV_OK);
	live_of_library = library_live;
	for (nth = 1;; nth++) {
		failed = unit_failed();
		if (!os_user_fail_alloc_thread(nth))
			break;
		status = fn();
		os_user_fail_alloc_thread(0);
		assert_int_equal(unit_live(), live);
		if (unit_failed() == failed)
			break;
		assert_int_equal(status, NV_ERR_NO_MEMORY);
	}
	assert_int_equal(status, NV_OK);
	/* All of the first ones, then some: public keys take hundreds. */
	for (nth = 1;; nth += nth < 50 ? 1 : 11) {
		library_fails = nth;
		status = fn();
		assert_int_equal(unit_live(), live);
		if (library_fails)
			break;
		/*
		 * The library does without some of what it asks for, and where it checks something
		 * it does not always say that memory was what it lacked.
		 */
		assert_true(status == NV_OK || status == NV_ERR_NO_MEMORY ||
			    status == NV_ERR_INVALID_DATA);
	}
	library_fails = 0;
	assert_int_equal(status, NV_OK);
	assert_true(nth > of_library);
	/* Texts of 16 errors are kept; a leak at every call would be more. */
	ERR_clear_error();
	for (nth = 0; nth < 50; nth++) {
		library_fails = nth % 25 + 1;
		(void)fn();
	}
	library_fails = 0;
	ERR_clear_error();
	assert_true(library_live <= live_of_library + 30);
}

static inline void fail_each(enum nv_status (*fn)(void))
{
	fail_each_of(fn, 3);
}

#endif
