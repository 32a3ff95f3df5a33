// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Events, threads, their contexts, and workqueues.
 */
#include <linux/sched.h>
#include <linux/string.h>

#include "os_selftest.h"

#define LONG_NS 5000000000ull
#define MANY 400u /* threads: some share a bucket of contexts with more than it has slots */

static void signal_event(void *arg)
{
	os_event_signal(arg);
}

static void test_events(void)
{
	struct os_thread *thread;
	struct os_event e;
	u64 before;

	CHECK(os_event_init(&e) == NV_OK);
	CHECK(os_event_wait(&e, 0) == NV_ERR_TIMEOUT);
	before = os_time_ns();
	CHECK(os_event_wait(&e, 5000000) == NV_ERR_TIMEOUT);
	CHECK(os_time_ns() - before >= 5000000);
	CHECK(os_time_ns() - before < LONG_NS);

	os_event_signal(&e);
	CHECK(os_event_wait(&e, 0) == NV_OK);
	CHECK(os_event_wait(&e, ~0ull) == NV_OK);
	CHECK(os_event_wait(&e, ~0ull - 1) == NV_OK);
	os_event_reset(&e);
	CHECK(os_event_wait(&e, 0) == NV_ERR_TIMEOUT);

	thread = os_thread_create("selftest signal", signal_event, &e);
	CHECK(thread && os_event_wait(&e, ~0ull) == NV_OK);
	os_thread_join(thread);
	os_event_reset(&e);
	selftest_in_hardirq(signal_event, &e);
	CHECK(os_event_wait(&e, 0) == NV_OK);
	os_event_destroy(&e);
}

struct sleepers {
	struct os_event go;
	u32 woken;
};

static void sleeper(void *arg)
{
	struct sleepers *s = arg;

	if (os_event_wait(&s->go, LONG_NS) == NV_OK)
		os_fetch_add(&s->woken, 1);
}

/* One signal wakes all who slept, though the event is reset at once. */
static void test_event_wakes_all(void)
{
	struct os_thread *threads[8];
	struct sleepers s = { .woken = 0 };
	u32 i;

	os_event_init(&s.go);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = os_thread_create("selftest sleep", sleeper, &s);
	os_sleep_us(50000);
	os_event_signal(&s.go);
	os_event_reset(&s.go);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		os_thread_join(threads[i]);
	CHECK(s.woken == ARRAY_SIZE(threads));
	os_event_destroy(&s.go);
}

/* A waiter may take the event apart as soon as it is woken. */
static void test_event_on_stack(void)
{
	u32 i;

	for (i = 0; i < 200; i++) {
		struct os_thread *thread;
		struct os_event e;

		os_event_init(&e);
		thread = os_thread_create("selftest stack", signal_event, &e);
		CHECK(thread && os_event_wait(&e, LONG_NS) == NV_OK);
		os_event_destroy(&e);
		memset(&e, 0xff, sizeof(e));
		os_thread_join(thread);
	}
}

static void look_at_name(void *arg)
{
	CHECK(strcmp(current->comm, "selftest a long") == 0);
	*(bool *)arg = true;
}

static void test_thread(void)
{
	struct os_thread *thread;
	bool ran = false;

	thread = os_thread_create("selftest a long name", look_at_name, &ran);
	CHECK(thread);
	os_thread_join(thread);
	CHECK(ran);
	os_thread_join(NULL);
}

struct crowd {
	struct os_event go;
	u32 ready;
};

static void context_thread(void *arg)
{
	struct crowd *c = arg;
	u32 mine, other;

	CHECK(!os_thread_context());
	os_thread_set_context(&mine);
	os_fetch_add(&c->ready, 1);
	os_event_wait(&c->go, OS_FOREVER);
	CHECK(os_thread_context() == &mine);
	os_thread_set_context(&other);
	CHECK(os_thread_context() == &other);
	os_thread_set_context(NULL);
	CHECK(!os_thread_context());
	os_thread_set_context(NULL);
}

static void no_context(void *arg)
{
	CHECK(!os_thread_context());
}

static void test_contexts(void)
{
	struct os_thread **threads = os_alloc(MANY * sizeof(threads[0]));
	struct crowd c = { .ready = 0 };
	u32 i, made = 0;

	if (!CHECK(threads))
		return;
	os_event_init(&c.go);
	for (i = 0; i < MANY; i++) {
		threads[i] = os_thread_create("selftest crowd", context_thread, &c);
		made += threads[i] != NULL;
	}
	CHECK(made == MANY);
	while (os_load_acquire(&c.ready) < made)
		os_sleep_us(1000);
	os_event_signal(&c.go);
	for (i = 0; i < MANY; i++)
		os_thread_join(threads[i]);
	os_event_destroy(&c.go);
	os_free(threads);

	os_thread_set_context(&c);
	selftest_in_hardirq(no_context, NULL);
	CHECK(os_thread_context() == &c);
	os_thread_set_context(NULL);
}

#define WORKS 50u

struct job {
	struct os_work work;
	struct os_workqueue *queue;
	u32 index, *next; /* whose turn it is */
	u32 again;	  /* times that it queues itself */
	u32 ran;
};

static void job_run(struct os_work *work)
{
	struct job *job = container_of(work, struct job, work);

	if (job->next)
		CHECK((*job->next)++ == job->index);
	job->ran++;
	if (job->again) {
		job->again--;
		CHECK(os_workqueue_queue(job->queue, &job->work));
	}
}

static void queue_in_irq(void *arg)
{
	struct job *job = arg;

	CHECK(os_workqueue_queue(job->queue, &job->work));
}

static void block_run(struct os_work *work)
{
	os_sleep_us(20000);
}

static void test_workqueue(void)
{
	struct os_workqueue *queue = os_workqueue_create("selftest work");
	struct job *jobs = os_alloc(WORKS * sizeof(*jobs));
	struct os_work block = { .fn = block_run };
	u32 next = 0, i;

	if (!CHECK(queue && jobs))
		goto out;
	os_workqueue_flush(queue);
	/* in order, each once while it waits */
	CHECK(os_workqueue_queue(queue, &block));
	for (i = 0; i < WORKS; i++) {
		jobs[i].work.fn = job_run;
		jobs[i].queue = queue;
		jobs[i].index = i;
		jobs[i].next = &next;
		CHECK(os_workqueue_queue(queue, &jobs[i].work));
		CHECK(!os_workqueue_queue(queue, &jobs[i].work));
	}
	os_workqueue_flush(queue);
	CHECK(next == WORKS);
	/* queues itself while it runs; from an interrupt */
	jobs[0].next = NULL;
	jobs[0].again = 3;
	selftest_in_hardirq(queue_in_irq, &jobs[0]);
	for (i = 0; i < 4; i++)
		os_workqueue_flush(queue);
	CHECK(jobs[0].ran == 5);
	/* what is queued runs before the end */
	CHECK(os_workqueue_queue(queue, &block));
	jobs[1].next = NULL;
	CHECK(os_workqueue_queue(queue, &jobs[1].work));
	os_workqueue_destroy(queue);
	CHECK(jobs[1].ran == 2);
	queue = NULL;
out:
	os_workqueue_destroy(queue);
	os_free(jobs);
}

const struct selftest selftest_threads[] = {
	{ "events", test_events },
	{ "an event wakes all", test_event_wakes_all },
	{ "an event on the stack", test_event_on_stack },
	{ "threads", test_thread },
	{ "contexts of threads", test_contexts },
	{ "workqueues", test_workqueue },
	{},
};
