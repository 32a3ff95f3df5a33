// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Threads of the driver's own, and the workqueues that each run on one. The kernel's workqueues
 * would do, but promise neither order nor that what was queued during destruction still runs.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "os/linux/internal.h"

#define NAME_SIZE TASK_COMM_LEN

struct os_thread {
	struct task_struct *task;
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

static int thread_main(void *arg)
{
	struct os_thread *t = arg;

	t->fn(t->arg);
	/* t may be gone after this; the rest of the way is the kernel's own code */
	kthread_complete_and_exit(&t->done, 0);
}

static struct os_thread *thread_create(const char *name, void (*fn)(void *arg), void *arg,
				       unsigned long caller)
{
	struct os_thread *t = account_alloc(sizeof(*t), caller);

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	init_completion(&t->done);
	t->task = account_fails() ? ERR_PTR(-ENOMEM)
				  : kthread_run(thread_main, t, "%.*s", NAME_SIZE - 1, name);
	if (IS_ERR(t->task)) {
		os_free(t);
		return NULL;
	}
	return t;
}

struct os_thread *os_thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
	return thread_create(name, fn, arg, _RET_IP_);
}

void os_thread_join(struct os_thread *t)
{
	if (!t)
		return;
	wait_for_completion(&t->done);
	os_free(t);
}

/* -- Workqueues -------------------------------------------------------------------------------- */

struct os_workqueue {
	struct os_thread *thread;
	struct waitlist more; /* its lock: all below but progress */
	struct os_work *head, *tail;
	u64 queued; /* works queued so far */
	u64 done;   /* ... and run */
	bool stop;
	struct task_struct *worker;
	wait_queue_head_t progress; /* done has grown */
};

/* The next work, or NULL when all has run and the queue is to stop. */
static struct os_work *workqueue_next(struct os_workqueue *q)
{
	struct os_work *work;
	unsigned long flags;

	raw_spin_lock_irqsave(&q->more.lock, flags);
	while (!q->head && !q->stop)
		waitlist_sleep(&q->more, OS_FOREVER, &flags);
	work = q->head;
	if (work)
		q->head = work->next;
	raw_spin_unlock_irqrestore(&q->more.lock, flags);
	return work;
}

static void workqueue_main(void *arg)
{
	struct os_workqueue *q = arg;
	struct os_work *work;

	WRITE_ONCE(q->worker, current);
	while ((work = workqueue_next(q)) != NULL) {
		/* from here on it may be queued again, and fn may free it */
		os_exchange(&work->queued, 0);
		work->fn(work);
		os_store_release(&q->done, q->done + 1);
		wake_up_all(&q->progress);
		cond_resched();
	}
}

struct os_workqueue *os_workqueue_create(const char *name)
{
	struct os_workqueue *q = account_alloc(sizeof(*q), _RET_IP_);

	if (!q)
		return NULL;
	waitlist_init(&q->more);
	init_waitqueue_head(&q->progress);
	q->thread = thread_create(name, workqueue_main, q, _RET_IP_);
	if (!q->thread) {
		os_free(q);
		return NULL;
	}
	return q;
}

void os_workqueue_destroy(struct os_workqueue *q)
{
	unsigned long flags;

	if (!q)
		return;
	raw_spin_lock_irqsave(&q->more.lock, flags);
	q->stop = true;
	waitlist_wake(&q->more);
	raw_spin_unlock_irqrestore(&q->more.lock, flags);
	os_thread_join(q->thread);
	os_free(q);
}

bool os_workqueue_queue(struct os_workqueue *q, struct os_work *work)
{
	unsigned long flags;

	if (os_exchange(&work->queued, 1))
		return false;
	work->next = NULL;
	raw_spin_lock_irqsave(&q->more.lock, flags);
	if (q->head)
		q->tail->next = work;
	else
		q->head = work;
	q->tail = work;
	q->queued++;
	waitlist_wake(&q->more);
	raw_spin_unlock_irqrestore(&q->more.lock, flags);
	return true;
}

void os_workqueue_flush(struct os_workqueue *q)
{
	unsigned long flags;
	u64 target;

	OS_BUG_ON(READ_ONCE(q->worker) == current);
	raw_spin_lock_irqsave(&q->more.lock, flags);
	target = q->queued;
	raw_spin_unlock_irqrestore(&q->more.lock, flags);
	wait_event(q->progress, os_load_acquire(&q->done) >= target);
}
