// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What the operating system is asked for that only goes wrong with several threads. */
#include "uvm/test/test.h"

#define THREADS 4u
#define ROUNDS 500u
#define WORKS 16u

/* -- Locks ---------------------------------------------------------------------------------------
 */

struct lock_test {
	struct os_mutex mutex;
	struct os_rwlock rwlock;
	struct os_spinlock spinlock;
	u64 by_mutex, by_rwlock, by_spinlock; /* each under its lock, by no atomic operation */
	u32 torn;			      /* atomic: a reader saw a writer at work */
	bool taken;			      /* by another thread, of a mutex that is held */
};

static void lock_worker(void *arg)
{
	struct lock_test *t = arg;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u64 seen;

		os_mutex_lock(&t->mutex);
		t->by_mutex++;
		os_mutex_unlock(&t->mutex);
		os_spinlock_lock(&t->spinlock);
		t->by_spinlock++;
		os_spinlock_unlock(&t->spinlock);
		os_rwlock_write_lock(&t->rwlock);
		t->by_rwlock++;
		t->by_rwlock++;
		os_rwlock_write_unlock(&t->rwlock);
		os_rwlock_read_lock(&t->rwlock);
		seen = t->by_rwlock;
		if (seen % 2 || seen != t->by_rwlock)
			os_fetch_add(&t->torn, 1u);
		os_rwlock_read_unlock(&t->rwlock);
	}
}

static void lock_taker(void *arg)
{
	struct lock_test *t = arg;

	t->taken = os_mutex_trylock(&t->mutex);
	if (t->taken)
		os_mutex_unlock(&t->mutex);
}

/* Whether another thread gets the mutex now. */
static enum nv_status try_elsewhere(struct lock_test *t, bool *taken)
{
	struct os_thread *thread = os_thread_create("uvm-test", lock_taker, t);

	if (!thread)
		return NV_ERR_NO_MEMORY;
	os_thread_join(thread);
	*taken = t->taken;
	return NV_OK;
}

static enum nv_status locks_run(struct lock_test *t)
{
	struct os_thread *threads[THREADS];
	enum nv_status status;
	u32 i, started;
	bool taken;

	os_mutex_lock(&t->mutex);
	status = try_elsewhere(t, &taken);
	os_mutex_unlock(&t->mutex);
	TEST_OK(status);
	TEST_CHECK(!taken);
	TEST_OK(try_elsewhere(t, &taken));
	TEST_CHECK(taken);
	for (started = 0; started < THREADS; started++) {
		threads[started] = os_thread_create("uvm-test", lock_worker, t);
		if (!threads[started])
			break;
	}
	for (i = 0; i < started; i++)
		os_thread_join(threads[i]);
	if (started < THREADS)
		return NV_ERR_NO_MEMORY;
	TEST_CHECK(t->by_mutex == THREADS * ROUNDS && t->by_spinlock == THREADS * ROUNDS);
	TEST_CHECK(t->by_rwlock == 2 * THREADS * ROUNDS && !t->torn);
	return NV_OK;
}

enum nv_status uvm_test_lock_sanity(struct uvm_file *file, void *params)
{
	struct lock_test *t = os_alloc(sizeof(*t));
	enum nv_status status;

	if (!t)
		return NV_ERR_NO_MEMORY;
	os_spinlock_init(&t->spinlock, "uvm test spinlock");
	status = os_mutex_init(&t->mutex, LOCK_RANK_LEAF, "uvm test mutex");
	if (status != NV_OK)
		goto free_test;
	status = os_rwlock_init(&t->rwlock, LOCK_RANK_LEAF, "uvm test rwlock");
	if (status != NV_OK)
		goto destroy_mutex;
	status = locks_run(t);
	os_rwlock_destroy(&t->rwlock);
destroy_mutex:
	os_mutex_destroy(&t->mutex);
free_test:
	os_free(t);
	return status;
}

/* -- Work queues ----------------------------------------------------------------------------------
 */

struct work_test;

struct test_work {
	struct os_work work;
	struct work_test *test;
	u32 runs, order; /* of its last run among all */
	u32 again;	 /* how often it queues itself */
};

struct work_test {
	struct os_workqueue *queue;
	struct os_event gate; /* the first work waits for it */
	u32 ran;
	struct test_work works[WORKS];
};

static void work_run(struct os_work *work)
{
	struct test_work *w = container_of(work, struct test_work, work);

	w->runs++;
	w->order = ++w->test->ran;
	if (w->again) {
		w->again--;
		os_workqueue_queue(w->test->queue, work);
	}
}

static void gate_run(struct os_work *work)
{
	struct test_work *w = container_of(work, struct test_work, work);

	(void)os_event_wait(&w->test->gate, ~(u64)0);
	work_run(work);
}

static enum nv_status works_run(struct work_test *t)
{
	u32 i;

	for (i = 0; i < WORKS; i++) {
		t->works[i].test = t;
		t->works[i].work.fn = i ? work_run : gate_run;
	}
	/* While the first one waits the others are queued, and not twice. */
	for (i = 0; i < WORKS; i++)
		TEST_CHECK(os_workqueue_queue(t->queue, &t->works[i].work));
	for (i = 1; i < WORKS; i++)
		TEST_CHECK(!os_workqueue_queue(t->queue, &t->works[i].work));
	os_event_signal(&t->gate);
	os_workqueue_flush(t->queue);
	for (i = 0; i < WORKS; i++)
		TEST_CHECK(t->works[i].runs == 1 && t->works[i].order == i + 1);
	/* Work may queue itself. */
	t->works[3].again = 9;
	TEST_CHECK(os_workqueue_queue(t->queue, &t->works[3].work));
	for (i = 0; i < 10; i++)
		os_workqueue_flush(t->queue);
	TEST_CHECK(t->works[3].runs == 11 && t->ran == WORKS + 10);
	return NV_OK;
}

enum nv_status uvm_test_nv_kthread_q(struct uvm_file *file, void *params)
{
	struct work_test *t = os_alloc(sizeof(*t));
	enum nv_status status;

	if (!t)
		return NV_ERR_NO_MEMORY;
	status = os_event_init(&t->gate);
	if (status != NV_OK)
		goto free_test;
	t->queue = os_workqueue_create("uvm-test");
	if (!t->queue) {
		status = NV_ERR_NO_MEMORY;
		goto destroy_gate;
	}
	status = works_run(t);
	/* One that a failed check left waiting. */
	os_event_signal(&t->gate);
	os_workqueue_destroy(t->queue);
destroy_gate:
	os_event_destroy(&t->gate);
free_test:
	os_free(t);
	return status;
}
