// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Threads, the workqueues that each run on one, and a thread's context pointer.
 */
#include <pthread.h>
#include <stdio.h>

#include "os/user/internal.h"

#define THREAD_NAME_SIZE 16u

struct os_thread {
	pthread_t thread;
	void (*fn)(void *arg);
	void *arg;
	char name[THREAD_NAME_SIZE];
};

static OS_TLS void *thread_context;

void *os_thread_context(void)
{
	return thread_context;
}

void os_thread_set_context(void *context)
{
	thread_context = context;
}

static void *thread_main(void *arg)
{
	struct os_thread *t = arg;

	pthread_setname_np(pthread_self(), t->name);
	t->fn(t->arg);
	lockdep_none_held(t->name);
	return NULL;
}

struct os_thread *os_thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
	struct os_thread *t = os_alloc(sizeof(*t));

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	snprintf(t->name, sizeof(t->name), "%s", name);
	if (alloc_must_fail() || pthread_create(&t->thread, NULL, thread_main, t)) {
		os_free(t);
		return NULL;
	}
	return t;
}

void os_thread_join(struct os_thread *t)
{
	if (!t)
		return;
	lockdep_may_sleep("os_thread_join");
	OS_BUG_ON(pthread_join(t->thread, NULL) != 0);
	os_free(t);
}

/* -- Workqueues -------------------------------------------------------------------------------- */

struct os_workqueue {
	struct os_thread *thread;
	struct raw_spinlock lock; /* head, tail, queued */
	struct os_work *head, *tail;
	u64 queued; /* works queued so far */
	u64 done;   /* ... and run: written by the thread only */
	bool stop;
	bool running; /* the thread has set worker */
	pthread_t worker;
	struct eventcount more;	    /* something was queued, or stop */
	struct eventcount progress; /* done has grown */
};

static struct os_work *workqueue_take(struct os_workqueue *q)
{
	struct os_work *work;

	raw_spinlock_lock(&q->lock);
	work = q->head;
	if (work)
		q->head = work->next;
	raw_spinlock_unlock(&q->lock);
	return work;
}

static void workqueue_main(void *arg)
{
	struct os_workqueue *q = arg;

	q->worker = pthread_self();
	os_store_release(&q->running, true);
	for (;;) {
		u32 key = eventcount_prepare(&q->more);
		struct os_work *work = workqueue_take(q);

		if (!work && !os_load_acquire(&q->stop)) {
			eventcount_wait(&q->more, key, OS_FOREVER);
			continue;
		}
		eventcount_cancel(&q->more);
		if (!work)
			return;
		/* from here on it may be queued again, and fn may free it */
		os_exchange(&work->queued, 0);
		work->fn(work);
		lockdep_none_held("work");
		os_fetch_add(&q->done, 1);
		eventcount_signal(&q->progress);
	}
}

struct os_workqueue *os_workqueue_create(const char *name)
{
	struct os_workqueue *q = os_alloc(sizeof(*q));

	if (!q)
		return NULL;
	q->thread = os_thread_create(name, workqueue_main, q);
	if (!q->thread) {
		os_free(q);
		return NULL;
	}
	return q;
}

void os_workqueue_destroy(struct os_workqueue *q)
{
	if (!q)
		return;
	os_store_release(&q->stop, true);
	eventcount_signal(&q->more);
	os_thread_join(q->thread);
	os_free(q);
}

bool os_workqueue_queue(struct os_workqueue *q, struct os_work *work)
{
	if (os_exchange(&work->queued, 1))
		return false;
	work->next = NULL;
	raw_spinlock_lock(&q->lock);
	if (q->head)
		q->tail->next = work;
	else
		q->head = work;
	q->tail = work;
	q->queued++;
	raw_spinlock_unlock(&q->lock);
	eventcount_signal(&q->more);
	return true;
}

void os_workqueue_flush(struct os_workqueue *q)
{
	u64 target;

	lockdep_may_sleep("os_workqueue_flush");
	OS_BUG_ON(os_load_acquire(&q->running) && pthread_equal(q->worker, pthread_self()));
	raw_spinlock_lock(&q->lock);
	target = q->queued;
	raw_spinlock_unlock(&q->lock);
	for (;;) {
		u32 key = eventcount_prepare(&q->progress);

		if (os_load_acquire(&q->done) >= target)
			break;
		eventcount_wait(&q->progress, key, OS_FOREVER);
	}
	eventcount_cancel(&q->progress);
}
