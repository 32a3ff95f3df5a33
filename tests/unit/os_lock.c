// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Locks exclude, readers do not exclude each other, and writers get through a storm of readers.
 */
#include "os/user/percpu.c" /* to see who waits */

#include "unit.h"

#define THREADS 4u
#define ROUNDS (UNIT_SANITIZED ? 2000u : 20000u)

static struct os_mutex mutex, other_mutex;
static struct os_spinlock spinlock;
static struct os_rwlock rwlock;
static struct os_percpu_rwlock percpu;
static u64 counter, shadow; /* plain: a missing lock shows as a race and a wrong sum */
static u32 stop;

static void run_threads(u32 count, void (*fn)(void *arg))
{
	struct os_thread *threads[THREADS];
	u32 i;

	counter = 0;
	shadow = 0;
	for (i = 0; i < count; i++) {
		threads[i] = os_thread_create("test", fn, (void *)(uintptr_t)i);
		assert_non_null(threads[i]);
	}
	for (i = 0; i < count; i++)
		os_thread_join(threads[i]);
}

static void mutex_worker(void *arg)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		if (i % 8) {
			os_mutex_lock(&mutex);
		} else {
			while (!os_mutex_trylock(&mutex))
				os_sleep_us(1);
		}
		os_mutex_assert_held(&mutex);
		counter++;
		os_mutex_unlock(&mutex);
	}
}

static void pair_worker(void *arg)
{
	bool swap = (uintptr_t)arg % 2;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		os_mutex_lock_pair(swap ? &other_mutex : &mutex, swap ? &mutex : &other_mutex);
		counter++;
		os_mutex_unlock_pair(&mutex, &other_mutex);
	}
}

static void test_mutex(void **state)
{
	assert_int_equal(os_mutex_init(&mutex, LOCK_RANK_CLIENT, "a"), NV_OK);
	assert_int_equal(os_mutex_init(&other_mutex, LOCK_RANK_CLIENT, "b"), NV_OK);
	run_threads(THREADS, mutex_worker);
	assert_int_equal(counter, THREADS * ROUNDS);
	run_threads(THREADS, pair_worker);
	assert_int_equal(counter, THREADS * ROUNDS);
	os_mutex_lock_pair(&mutex, &mutex);
	assert_false(os_mutex_trylock(&mutex));
	os_mutex_unlock_pair(&mutex, &mutex);
	assert_true(os_mutex_trylock(&mutex));
	os_mutex_unlock(&mutex);
	os_mutex_destroy(&mutex);
	os_mutex_destroy(&other_mutex);
}

static void spinlock_worker(void *arg)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		os_spinlock_lock(&spinlock);
		counter++;
		os_spinlock_unlock(&spinlock);
	}
}

static void test_spinlock(void **state)
{
	os_spinlock_init(&spinlock, "spin");
	run_threads(THREADS, spinlock_worker);
	assert_int_equal(counter, THREADS * ROUNDS);
}

/* One in eight writes; readers must never see the two halves of a write apart. */
static void rwlock_worker(void *arg)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		if (i % 8 == 0) {
			os_rwlock_write_lock(&rwlock);
			counter++;
			shadow++;
			os_rwlock_write_unlock(&rwlock);
		} else {
			os_rwlock_read_lock(&rwlock);
			OS_BUG_ON(counter != shadow);
			os_rwlock_read_unlock(&rwlock);
		}
	}
}

static void test_rwlock(void **state)
{
	assert_int_equal(os_rwlock_init(&rwlock, LOCK_RANK_CLIENT, "rw"), NV_OK);
	run_threads(THREADS, rwlock_worker);
	assert_int_equal(counter, THREADS * (ROUNDS / 8));
	os_rwlock_destroy(&rwlock);
}

static void percpu_worker(void *arg)
{
	u32 i, token;

	for (i = 0; i < ROUNDS; i++) {
		if (i % 64 == 0) {
			os_percpu_rwlock_write_lock(&percpu);
			counter++;
			shadow++;
			os_percpu_rwlock_write_unlock(&percpu);
		} else {
			token = os_percpu_rwlock_read_lock(&percpu);
			OS_BUG_ON(os_load_relaxed(&counter) != os_load_relaxed(&shadow));
			os_percpu_rwlock_read_unlock(&percpu, token);
		}
	}
}

static void test_percpu(void **state)
{
	u64 live = unit_live();

	assert_int_equal(os_percpu_rwlock_init(&percpu, LOCK_RANK_API, "api"), NV_OK);
	run_threads(THREADS, percpu_worker);
	assert_int_equal(counter, THREADS * ((ROUNDS + 63) / 64));
	os_percpu_rwlock_destroy(&percpu);
	assert_int_equal(unit_live(), live);
}

static void storm_worker(void *arg)
{
	u32 token;

	while (!os_load_relaxed(&stop)) {
		token = os_percpu_rwlock_read_lock(&percpu);
		OS_BUG_ON(counter != shadow);
		os_percpu_rwlock_read_unlock(&percpu, token);
	}
}

/* Readers that never pause keep no writer out. */
static void test_percpu_writer_gets_in(void **state)
{
	struct os_thread *threads[THREADS];
	u32 i;

	assert_int_equal(os_percpu_rwlock_init(&percpu, LOCK_RANK_API, "api"), NV_OK);
	counter = 0;
	shadow = 0;
	os_store_relaxed(&stop, 0u);
	for (i = 0; i < THREADS; i++)
		threads[i] = os_thread_create("storm", storm_worker, NULL);
	for (i = 0; i < 40; i++) {
		os_percpu_rwlock_write_lock(&percpu);
		counter++;
		os_sleep_us(1); /* a reader that got in would see them differ */
		shadow++;
		os_percpu_rwlock_write_unlock(&percpu);
	}
	os_store_relaxed(&stop, 1u);
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
	os_percpu_rwlock_destroy(&percpu);
}

static void enter_worker(void *arg)
{
	u32 token = os_percpu_rwlock_read_lock(&percpu);

	os_store_release((bool *)arg, true);
	os_percpu_rwlock_read_unlock(&percpu, token);
}

/* A reader that waits for a writer gets in before the next one, however quick that is. */
static void test_percpu_reader_before_next_writer(void **state)
{
	const struct percpu_rwlock *l;
	struct os_thread *reader;
	bool entered;
	u32 i;

	assert_int_equal(os_percpu_rwlock_init(&percpu, LOCK_RANK_API, "api"), NV_OK);
	l = percpu.impl;
	for (i = 0; i < 50; i++) {
		entered = false;
		os_percpu_rwlock_write_lock(&percpu);
		reader = os_thread_create("reader", enter_worker, &entered);
		assert_non_null(reader);
		while (!os_load_acquire(&l->waiting))
			os_sleep_us(100);
		assert_false(os_load_acquire(&entered));
		os_percpu_rwlock_write_unlock(&percpu);
		os_percpu_rwlock_write_lock(&percpu);
		/* it entered and left, or it would hold the lock, so it is past the store */
		assert_true(os_load_acquire(&entered));
		os_percpu_rwlock_write_unlock(&percpu);
		os_thread_join(reader);
	}
	os_percpu_rwlock_destroy(&percpu);
}

static void write_storm_worker(void *arg)
{
	while (!os_load_relaxed(&stop)) {
		os_percpu_rwlock_write_lock(&percpu);
		counter++;
		shadow++;
		os_percpu_rwlock_write_unlock(&percpu);
	}
}

/* Writers that never pause keep no reader out. */
static void test_percpu_reader_gets_in(void **state)
{
	struct os_thread *threads[THREADS];
	u32 i, token;

	assert_int_equal(os_percpu_rwlock_init(&percpu, LOCK_RANK_API, "api"), NV_OK);
	counter = 0;
	shadow = 0;
	os_store_relaxed(&stop, 0u);
	for (i = 0; i < THREADS; i++)
		threads[i] = os_thread_create("storm", write_storm_worker, NULL);
	for (i = 0; i < 100; i++) {
		token = os_percpu_rwlock_read_lock(&percpu);
		assert_int_equal(counter, shadow);
		os_percpu_rwlock_read_unlock(&percpu, token);
	}
	os_store_relaxed(&stop, 1u);
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
	os_percpu_rwlock_destroy(&percpu);
}

static struct os_event reader_in, reader_go;

static void second_reader(void *arg)
{
	u32 token = os_percpu_rwlock_read_lock(&percpu);

	os_event_signal(&reader_in);
	OS_BUG_ON(os_event_wait(&reader_go, ~0ull) != NV_OK);
	os_percpu_rwlock_read_unlock(&percpu, token);
}

/* Two readers hold it at once; a writer waits for the one that stays. */
static void test_percpu_readers_share(void **state)
{
	struct os_thread *reader;
	u32 token;

	assert_int_equal(os_event_init(&reader_in), NV_OK);
	assert_int_equal(os_event_init(&reader_go), NV_OK);
	assert_int_equal(os_percpu_rwlock_init(&percpu, LOCK_RANK_API, "api"), NV_OK);
	token = os_percpu_rwlock_read_lock(&percpu);
	reader = os_thread_create("reader", second_reader, NULL);
	assert_int_equal(os_event_wait(&reader_in, 10000000000ull), NV_OK);
	os_percpu_rwlock_read_unlock(&percpu, token);
	os_event_signal(&reader_go);
	os_percpu_rwlock_write_lock(&percpu);
	os_percpu_rwlock_write_unlock(&percpu);
	os_thread_join(reader);
	os_percpu_rwlock_destroy(&percpu);
	os_event_destroy(&reader_in);
	os_event_destroy(&reader_go);
}

static void test_percpu_no_memory(void **state)
{
	if (!os_user_fail_alloc_thread(1))
		skip();
	assert_int_equal(os_percpu_rwlock_init(&percpu, LOCK_RANK_API, "api"), NV_ERR_NO_MEMORY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutex),
		cmocka_unit_test(test_spinlock),
		cmocka_unit_test(test_rwlock),
		cmocka_unit_test(test_percpu),
		cmocka_unit_test(test_percpu_writer_gets_in),
		cmocka_unit_test(test_percpu_reader_gets_in),
		cmocka_unit_test(test_percpu_reader_before_next_writer),
		cmocka_unit_test(test_percpu_readers_share),
		cmocka_unit_test(test_percpu_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
