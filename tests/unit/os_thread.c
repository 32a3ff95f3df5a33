// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Events with their timeouts, threads and their context, workqueues.
 */
#include <pthread.h>

#include "unit.h"

#define MS 1000000ull

static void test_event_timeouts(void **state)
{
	struct os_event e;
	u64 start;

	assert_int_equal(os_event_init(&e), NV_OK);
	assert_int_equal(os_event_wait(&e, 0), NV_ERR_TIMEOUT);
	start = os_time_ns();
	assert_int_equal(os_event_wait(&e, 20 * MS), NV_ERR_TIMEOUT);
	assert_true(os_time_ns() - start >= 20 * MS);
	os_event_signal(&e);
	os_event_signal(&e);
	assert_int_equal(os_event_wait(&e, 0), NV_OK);
	assert_int_equal(os_event_wait(&e, ~0ull), NV_OK);
	assert_int_equal(os_event_wait(&e, ~0ull - 1), NV_OK);
	os_event_reset(&e);
	assert_int_equal(os_event_wait(&e, 0), NV_ERR_TIMEOUT);
	os_event_destroy(&e);
}

static struct os_event go, arrived;
static u32 woken;

static void event_waiter(void *arg)
{
	os_event_signal(&arrived);
	OS_BUG_ON(os_event_wait(&go, ~0ull) != NV_OK);
	os_fetch_add(&woken, 1);
}

/* A signal wakes all who wait, even when it is taken back at once. */
static void test_event_wakes_all(void **state)
{
	struct os_thread *threads[4];
	u32 i;

	assert_int_equal(os_event_init(&go), NV_OK);
	assert_int_equal(os_event_init(&arrived), NV_OK);
	woken = 0;
	for (i = 0; i < 4; i++) {
		os_event_reset(&arrived);
		threads[i] = os_thread_create("waiter", event_waiter, NULL);
		assert_non_null(threads[i]);
		assert_int_equal(os_event_wait(&arrived, ~0ull), NV_OK);
	}
	os_sleep_us(20000); /* they sleep by now */
	os_event_signal(&go);
	os_event_reset(&go);
	for (i = 0; i < 4; i++)
		os_thread_join(threads[i]);
	assert_int_equal(os_load_relaxed(&woken), 4);
	os_event_destroy(&go);
	os_event_destroy(&arrived);
}

static void event_signaller(void *arg)
{
	os_event_signal(arg);
}

static struct os_user_signal told;

static void event_waiter_for_signal(void *arg)
{
	enum nv_status *status = arg;

	os_user_set_signal(&told);
	os_event_signal(&arrived);
	*status = os_event_wait_signal(&go, ~0ull);
}

/* A signal to the thread that is served ends its wait and no other's; an event that is there counts
 * before. */
static void test_event_and_signals(void **state)
{
	enum nv_status status = NV_ERR_GENERIC;
	struct os_thread *t, *other;
	u32 i;

	assert_int_equal(os_event_init(&go), NV_OK);
	assert_int_equal(os_event_init(&arrived), NV_OK);
	woken = 0;
	other = os_thread_create("other", event_waiter, NULL);
	assert_int_equal(os_event_wait(&arrived, ~0ull), NV_OK);
	/* Early and late, on either side of going to sleep. */
	for (i = 0; i < 300; i++) {
		os_event_reset(&arrived);
		t = os_thread_create("told", event_waiter_for_signal, &status);
		assert_int_equal(os_event_wait(&arrived, ~0ull), NV_OK);
		if (i % 3)
			os_sleep_us(i);
		os_user_signal_raise(&told);
		os_thread_join(t);
		assert_int_equal(status, NV_ERR_SIGNAL_PENDING);
		os_user_signal_clear(&told);
	}
	assert_int_equal(os_load_relaxed(&woken), 0);
	os_user_set_signal(&told);
	assert_int_equal(os_event_wait_signal(&go, 0), NV_ERR_TIMEOUT);
	assert_int_equal(os_event_wait_signal(&go, MS), NV_ERR_TIMEOUT);
	os_user_signal_raise(&told);
	assert_int_equal(os_event_wait_signal(&go, 0), NV_ERR_SIGNAL_PENDING);
	assert_int_equal(os_event_wait_signal(&go, ~0ull), NV_ERR_SIGNAL_PENDING);
	assert_int_equal(os_event_wait(&go, MS), NV_ERR_TIMEOUT);
	os_event_signal(&go);
	assert_int_equal(os_event_wait_signal(&go, ~0ull), NV_OK);
	os_user_signal_clear(&told);
	os_user_set_signal(NULL);
	os_thread_join(other);
	os_event_destroy(&go);
	os_event_destroy(&arrived);
}

/* The waiter may destroy the event as soon as it wakes. */
static void test_event_on_stack(void **state)
{
	u32 i;

	for (i = 0; i < 200; i++) {
		struct os_event *e = os_alloc(sizeof(*e));
		struct os_thread *t;

		assert_int_equal(os_event_init(e), NV_OK);
		t = os_thread_create("signaller", event_signaller, e);
		assert_int_equal(os_event_wait(e, ~0ull), NV_OK);
		os_event_destroy(e);
		os_free(e);
		os_thread_join(t);
	}
}

static void context_thread(void *arg)
{
	char name[16];

	OS_BUG_ON(os_thread_context() != NULL);
	os_thread_set_context(arg);
	OS_BUG_ON(os_thread_context() != arg);
	OS_BUG_ON(pthread_getname_np(pthread_self(), name, sizeof(name)) != 0);
	OS_BUG_ON(os_strcmp(name, "a name that is ") != 0);
}

static void test_thread_context(void **state)
{
	int here;

	os_thread_set_context(&here);
	os_thread_join(os_thread_create("a name that is too long", context_thread, &woken));
	assert_ptr_equal(os_thread_context(), &here);
	os_thread_set_context(NULL);
	os_thread_join(NULL);
}

struct job {
	struct os_work work;
	struct os_workqueue *queue;
	u32 runs, again;
	bool own_memory;
};
static u32 order[8], order_count, ran;

static void job_run(struct os_work *work)
{
	struct job *job = container_of(work, struct job, work);

	job->runs++;
	os_fetch_add(&ran, 1);
	if (job->again) {
		job->again--;
		OS_BUG_ON(!os_workqueue_queue(job->queue, work));
		OS_BUG_ON(os_workqueue_queue(job->queue, work));
	}
	if (job->own_memory)
		os_free(job);
}

static void ordered_run(struct os_work *work)
{
	struct job *job = container_of(work, struct job, work);

	order[order_count++] = job->again;
}

static void test_workqueue(void **state)
{
	u64 live = unit_live();
	struct job jobs[8], *own, repeat = { .work = { .fn = job_run }, .again = 5 };
	struct os_workqueue *q = os_workqueue_create("work");
	u32 i;

	assert_non_null(q);
	os_workqueue_flush(q); /* nothing to wait for */
	memset(jobs, 0, sizeof(jobs));
	for (i = 0; i < 8; i++) {
		jobs[i].work.fn = ordered_run;
		jobs[i].again = i;
		assert_true(os_workqueue_queue(q, &jobs[i].work));
	}
	os_workqueue_flush(q);
	assert_int_equal(order_count, 8);
	for (i = 0; i < 8; i++)
		assert_int_equal(order[i], i);

	/* works may queue themselves again and free themselves; destroy runs what is left */
	ran = 0;
	repeat.queue = q;
	assert_true(os_workqueue_queue(q, &repeat.work));
	for (i = 0; i < 10; i++) {
		own = os_alloc(sizeof(*own));
		own->work.fn = job_run;
		own->own_memory = true;
		assert_true(os_workqueue_queue(q, &own->work));
	}
	os_workqueue_destroy(q);
	assert_int_equal(repeat.runs, 6);
	assert_int_equal(ran, 16);
	os_workqueue_destroy(NULL);
	assert_int_equal(unit_live(), live);
}

static void queue_from_thread(void *arg)
{
	struct job *job = arg;
	u32 i;

	for (i = 0; i < 500; i++) {
		os_workqueue_queue(job->queue, &job->work);
		if (i % 16 == 0)
			os_workqueue_flush(job->queue);
	}
}

static void test_workqueue_from_many(void **state)
{
	struct os_workqueue *q = os_workqueue_create("work");
	struct os_thread *threads[4];
	struct job jobs[2];
	u32 i;

	memset(jobs, 0, sizeof(jobs));
	for (i = 0; i < 2; i++) {
		jobs[i].work.fn = job_run;
		jobs[i].queue = q;
	}
	for (i = 0; i < 4; i++)
		threads[i] = os_thread_create("queuer", queue_from_thread, &jobs[i % 2]);
	for (i = 0; i < 4; i++)
		os_thread_join(threads[i]);
	os_workqueue_flush(q);
	assert_true(jobs[0].runs > 0 && jobs[0].runs <= 1000);
	os_workqueue_destroy(q);
}

static void no_run(void *arg)
{
}

/* Whatever allocation fails, creation fails as a whole and leaves nothing. */
static void test_no_memory(void **state)
{
	u64 live = unit_live(), nth;
	struct os_event e;

	if (!os_user_fail_alloc(0))
		skip();
	os_user_fail_alloc(1);
	assert_int_equal(os_event_init(&e), NV_ERR_NO_MEMORY);
	for (nth = 1; nth <= 2; nth++) {
		os_user_fail_alloc(nth);
		assert_null(os_thread_create("none", no_run, NULL));
	}
	for (nth = 1; nth <= 3; nth++) {
		os_user_fail_alloc(nth);
		assert_null(os_workqueue_create("none"));
	}
	assert_int_equal(unit_live(), live);
}

static void flush_own_queue(struct os_work *work)
{
	os_workqueue_flush(container_of(work, struct job, work)->queue);
}

static void flush_from_work(void)
{
	struct job job = { .work = { .fn = flush_own_queue } };

	job.queue = os_workqueue_create("self");
	os_workqueue_queue(job.queue, &job.work);
	os_workqueue_destroy(job.queue);
}

static void test_flush_from_work(void **state)
{
	unit_assert_aborts(flush_from_work, "BUG at");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_timeouts),	    cmocka_unit_test(test_event_wakes_all),
		cmocka_unit_test(test_event_and_signals),   cmocka_unit_test(test_event_on_stack),
		cmocka_unit_test(test_thread_context),	    cmocka_unit_test(test_workqueue),
		cmocka_unit_test(test_workqueue_from_many), cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_flush_from_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
