// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The locks of os.h: that each keeps out whom it should and lets in whom it may.
 */
#include <linux/irqflags.h>

#include "os_selftest.h"

#define THREADS 4u
#define ROUNDS 2000u

/* What a thread does for a test of exclusion: the plain counter tells when two were inside. */
struct exclusion {
	void (*lock)(void *lock);
	void (*unlock)(void *lock);
	void *of;
	u64 counter;
};

static void exclusion_thread(void *arg)
{
	struct exclusion *x = arg;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u64 seen;

		x->lock(x->of);
		seen = READ_ONCE(x->counter);
		if (i % 64 == 0)
			cpu_relax();
		WRITE_ONCE(x->counter, seen + 1);
		x->unlock(x->of);
	}
}

static void check_exclusion(struct exclusion *x)
{
	struct os_thread *threads[THREADS];
	u32 i;

	for (i = 0; i < THREADS; i++) {
		threads[i] = os_thread_create("selftest lock", exclusion_thread, x);
		CHECK(threads[i]);
	}
	for (i = 0; i < THREADS; i++)
		os_thread_join(threads[i]);
	CHECK(x->counter == THREADS * ROUNDS);
}

static void mutex_in(void *lock)
{
	os_mutex_lock(lock);
}

static void mutex_out(void *lock)
{
	os_mutex_unlock(lock);
}

static void try_mutex(void *arg)
{
	struct os_mutex *m = arg;

	if (CHECK(!os_mutex_trylock(m)))
		return;
	os_mutex_unlock(m);
}

static void test_mutex(void)
{
	struct os_mutex a, b;
	struct exclusion x = { mutex_in, mutex_out, &a };
	struct os_thread *thread;

	CHECK(os_mutex_init(&a, LOCK_RANK_CLIENT, "selftest mutex") == NV_OK);
	CHECK(os_mutex_init(&b, LOCK_RANK_CLIENT, "selftest mutex") == NV_OK);
	check_exclusion(&x);

	os_mutex_lock(&a);
	os_mutex_assert_held(&a);
	thread = os_thread_create("selftest try", try_mutex, &a);
	CHECK(thread);
	os_thread_join(thread);
	os_mutex_unlock(&a);
	if (CHECK(os_mutex_trylock(&a)))
		os_mutex_unlock(&a);

	os_mutex_lock_pair(&a, &b);
	os_mutex_unlock_pair(&a, &b);
	os_mutex_lock_pair(&b, &a);
	os_mutex_unlock_pair(&b, &a);
	os_mutex_lock_pair(&a, &a);
	os_mutex_unlock_pair(&a, &a);
	os_mutex_destroy(&a);
	os_mutex_destroy(&b);
}

static void spin_in(void *lock)
{
	os_spinlock_lock(lock);
}

static void spin_out(void *lock)
{
	os_spinlock_unlock(lock);
}

static void spin_in_irq(void *arg)
{
	os_spinlock_lock(arg);
	os_spinlock_unlock(arg);
	CHECK(irqs_disabled());
}

static void test_spinlock(void)
{
	struct os_spinlock l, inner;
	struct exclusion x = { spin_in, spin_out, &l };

	os_spinlock_init(&l, "selftest spinlock");
	os_spinlock_init(&inner, "selftest inner spinlock");
	check_exclusion(&x);
	CHECK(!irqs_disabled());
	os_spinlock_lock(&l);
	os_spinlock_lock(&inner);
	CHECK(irqs_disabled());
	os_spinlock_unlock(&inner);
	CHECK(irqs_disabled());
	os_spinlock_unlock(&l);
	CHECK(!irqs_disabled());
	selftest_in_hardirq(spin_in_irq, &l);
}

/* Reader locks: two readers meet inside, a writer waits until both are out. */
struct meeting {
	struct os_rwlock plain;
	struct os_percpu_rwlock percpu;
	bool use_percpu;
	struct os_event inside, leave, out;
	u32 written; /* by the writer */
};

static u32 read_in(struct meeting *m)
{
	if (m->use_percpu)
		return os_percpu_rwlock_read_lock(&m->percpu);
	os_rwlock_read_lock(&m->plain);
	return 0;
}

static void read_out(struct meeting *m, u32 token)
{
	if (m->use_percpu)
		os_percpu_rwlock_read_unlock(&m->percpu, token);
	else
		os_rwlock_read_unlock(&m->plain);
}

static void reader(void *arg)
{
	struct meeting *m = arg;
	u32 token = read_in(m);

	os_event_signal(&m->inside);
	os_event_wait(&m->leave, OS_FOREVER);
	CHECK(READ_ONCE(m->written) == 0);
	read_out(m, token);
}

static void writer(void *arg)
{
	struct meeting *m = arg;

	if (m->use_percpu) {
		os_percpu_rwlock_write_lock(&m->percpu);
		WRITE_ONCE(m->written, 1);
		os_percpu_rwlock_write_unlock(&m->percpu);
	} else {
		os_rwlock_write_lock(&m->plain);
		WRITE_ONCE(m->written, 1);
		os_rwlock_write_unlock(&m->plain);
	}
	os_event_signal(&m->out);
}

static void check_meeting(struct meeting *m)
{
	struct os_thread *r, *w;
	u32 token;

	os_event_init(&m->inside);
	os_event_init(&m->leave);
	os_event_init(&m->out);
	token = read_in(m);
	r = os_thread_create("selftest reader", reader, m);
	CHECK(r && os_event_wait(&m->inside, 5000000000ull) == NV_OK);
	w = os_thread_create("selftest writer", writer, m);
	CHECK(w && os_event_wait(&m->out, 20000000) == NV_ERR_TIMEOUT);
	CHECK(READ_ONCE(m->written) == 0);
	read_out(m, token);
	CHECK(os_event_wait(&m->out, 20000000) == NV_ERR_TIMEOUT);
	os_event_signal(&m->leave);
	CHECK(os_event_wait(&m->out, 5000000000ull) == NV_OK);
	CHECK(READ_ONCE(m->written) == 1);
	os_thread_join(r);
	os_thread_join(w);
	os_event_destroy(&m->inside);
	os_event_destroy(&m->leave);
	os_event_destroy(&m->out);
}

static void rw_in(void *lock)
{
	os_rwlock_write_lock(lock);
}

static void rw_out(void *lock)
{
	os_rwlock_write_unlock(lock);
}

static void test_rwlock(void)
{
	struct meeting m = { .use_percpu = false };
	struct exclusion x = { rw_in, rw_out, &m.plain };

	CHECK(os_rwlock_init(&m.plain, LOCK_RANK_API, "selftest rwlock") == NV_OK);
	check_meeting(&m);
	check_exclusion(&x);
	os_rwlock_destroy(&m.plain);
}

static void test_percpu_rwlock(void)
{
	struct meeting m = { .use_percpu = true };
	u32 i;

	if (!CHECK(os_percpu_rwlock_init(&m.percpu, LOCK_RANK_POWER, "selftest percpu") == NV_OK))
		return;
	check_meeting(&m);
	for (i = 0; i < 3; i++) {
		os_percpu_rwlock_write_lock(&m.percpu);
		os_percpu_rwlock_write_unlock(&m.percpu);
	}
	os_percpu_rwlock_destroy(&m.percpu);
}

const struct selftest selftest_locks[] = {
	{ "mutexes", test_mutex },
	{ "spinlocks", test_spinlock },
	{ "reader-writer locks", test_rwlock },
	{ "percpu reader locks", test_percpu_rwlock },
	{},
};
