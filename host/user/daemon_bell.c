// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Doorbells in clients' memory. A page that no client rang for a while is write-protected through
 * the userfaultfd that each process which has it passed to us, so that the next store wakes a
 * thread here, which lets the store through and tells the GPU. A page that some process has without
 * a userfaultfd is looked at by the GPU from time to time instead.
 *
 *   GPU --bell_arm--> each watch's thread: write-protect --the last one--> GPU: armed
 *
 * A client may pass any descriptor and do anything with its own copy of it, and with its memory:
 * each has a thread of its own, which may wait in it for ever and harms nobody. Until all of a
 * bell's are done, and where one cannot, the GPU looks.
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/user/daemon.h"
#include "host/user/machine.h"

#define RETRY_MS 1

struct bell {
	u32 gpu;
	u32 client;    /* RM's */
	u32 refs;      /* under the lock, like all below */
	u32 unwatched; /* mappings that are not watched */
	u64 arming;    /* which time it is that the GPU wants it armed */
	u32 unarmed;   /* watches that did not do so this time */
	int fd;	       /* the doorbell's own */
	struct h100_doorbell *doorbell;
	struct watch *watches;
	struct bell *next;
};

struct watch {
	struct bell *bell; /* referenced */
	int uffd;
	int wake; /* eventfd: the GPU wants it armed */
	u64 address;
	uid_t uid;
	pthread_t thread;
	u32 stop, stopped; /* atomic */
	struct watch *next;
};

/*
 * Nothing that a client can delay is done under lock. The GPU is called under it to be told that a
 * bell is armed; making and unmaking doorbells may wait for its call of bell_arm.
 */
static struct {
	pthread_mutex_t making;
	pthread_mutex_t lock;
	struct bell *first;
} bells = { .making = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER };

/* -- Bells ------------------------------------------------------------------------------------- */

/*
 * The mappings of a bell changed, or who watches them: what was armed is so no more. The GPU looks,
 * and arms it anew.
 */
static void bell_changed(struct bell *bell)
{
	machine_doorbell_rang(daemon_machine(), bell->gpu, bell->doorbell);
}

/* Lock held. What the GPU wanted up to now will not be done. */
static void bell_disarm(struct bell *bell)
{
	bell->arming++;
	bell->unarmed = 0;
}

static struct bell *bell_make(u32 gpu, u32 client, int *rc)
{
	struct bell *bell = calloc(1, sizeof(*bell));

	*rc = ENOMEM;
	if (!bell)
		return NULL;
	bell->gpu = gpu;
	bell->client = client;
	*rc = machine_doorbell_create(daemon_machine(), gpu, client, bell, &bell->fd,
				      &bell->doorbell);
	if (*rc) {
		free(bell);
		return NULL;
	}
	return bell;
}

/* One more mapping of the bell; adds it to the list where it is new. */
static struct bell *bell_use(struct bell *made, u32 gpu, u32 client)
{
	struct bell *bell;

	pthread_mutex_lock(&bells.lock);
	for (bell = bells.first; bell; bell = bell->next) {
		if (bell->gpu == gpu && bell->client == client)
			break;
	}
	if (!bell && made) {
		bell = made;
		bell->next = bells.first;
		bells.first = bell;
	}
	if (bell) {
		bell->refs++;
		bell->unwatched++;
		bell_disarm(bell);
	}
	pthread_mutex_unlock(&bells.lock);
	return bell;
}

int bell_get(u32 gpu, u32 client, int *fd, struct bell **out)
{
	struct bell *bell;
	int rc = 0;

	pthread_mutex_lock(&bells.making);
	bell = bell_use(NULL, gpu, client);
	if (!bell) {
		bell = bell_make(gpu, client, &rc);
		if (bell)
			bell = bell_use(bell, gpu, client);
	}
	pthread_mutex_unlock(&bells.making);
	if (bell) {
		bell_changed(bell);
		*fd = bell->fd;
		*out = bell;
	}
	return rc;
}

struct bell *bell_again(struct bell *bell)
{
	pthread_mutex_lock(&bells.lock);
	bell->refs++;
	pthread_mutex_unlock(&bells.lock);
	return bell;
}

static void bell_unref(struct bell *bell, bool mapped)
{
	pthread_mutex_lock(&bells.lock);
	if (mapped)
		bell->unwatched--;
	if (--bell->refs) {
		bell = NULL;
	} else {
		for (struct bell **at = &bells.first; *at; at = &(*at)->next) {
			if (*at == bell) {
				*at = bell->next;
				break;
			}
		}
	}
	pthread_mutex_unlock(&bells.lock);
	/* Without the lock: it waits for a call of bell_arm that is under way. */
	if (bell) {
		machine_doorbell_destroy(daemon_machine(), bell->gpu, bell->doorbell);
		free(bell);
	}
}

void bell_put(struct bell *bell)
{
	bell_unref(bell, false);
}

void bell_unmapped(struct bell *bell)
{
	bell_unref(bell, true);
}

/* -- Watches ----------------------------------------------------------------------------------- */

/*
 * 0 or an errno. EAGAIN: the process changes its memory and waits for who reads its descriptor to
 * take note, which is for as long as it likes.
 */
static int protect(const struct watch *watch, bool on)
{
	struct uffdio_writeprotect arg = {
		.range = { watch->address, MACHINE_DOORBELL_PAGE },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(watch->uffd, UFFDIO_WRITEPROTECT, &arg) ? errno : 0;
}

void bell_arm(struct bell *bell)
{
	const u64 one = 1;

	pthread_mutex_lock(&bells.lock);
	bell_disarm(bell);
	for (struct watch *w = bell->watches; w && !bell->unwatched; w = w->next) {
		bell->unarmed++;
		/* It cannot be full: who waits for it takes all that is there. */
		if (write(w->wake, &one, sizeof(one)) < 0)
			os_log(OS_LOG_ERROR, "a doorbell's watch cannot be woken: %s",
			       strerror(errno));
	}
	pthread_mutex_unlock(&bells.lock);
}

/* Arms the watch's part of what the GPU wants. What fails stays to be looked at. */
static void arm(const struct watch *watch)
{
	struct bell *bell = watch->bell;
	bool wanted;
	u64 arming, count;

	pthread_mutex_lock(&bells.lock);
	wanted = read(watch->wake, &count, sizeof(count)) == sizeof(count);
	arming = bell->arming;
	pthread_mutex_unlock(&bells.lock);
	if (!wanted || protect(watch, true))
		return;
	pthread_mutex_lock(&bells.lock);
	/* Not if mappings or watches have changed meanwhile, one rang, or it is wanted anew. */
	if (arming == bell->arming && bell->unarmed && --bell->unarmed == 0)
		machine_doorbell_armed(daemon_machine(), bell->gpu, bell->doorbell);
	pthread_mutex_unlock(&bells.lock);
}

/*
 * Lets stores through. False: not now, but after more events. A bell that other watches were still
 * to arm is not armed when they have done so: this part of it is open again.
 */
static bool let_through(const struct watch *watch)
{
	pthread_mutex_lock(&bells.lock);
	bell_disarm(watch->bell);
	pthread_mutex_unlock(&bells.lock);
	if (protect(watch, false) == EAGAIN)
		return false;
	machine_doorbell_rang(daemon_machine(), watch->bell->gpu, watch->bell->doorbell);
	return true;
}

/* False: a store waits. */
static bool watch_event(const struct watch *watch, const struct uffd_msg *event)
{
	/* A client that asked for these has a descriptor for each. */
	if (event->event == UFFD_EVENT_FORK)
		close((int)event->arg.fork.ufd);
	return event->event != UFFD_EVENT_PAGEFAULT || let_through(watch);
}

/* False: it is of no use any more. */
static bool watch_read(const struct watch *watch, bool *waits)
{
	struct uffd_msg event;
	ssize_t n = read(watch->uffd, &event, sizeof(event));

	if (n != sizeof(event))
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	*waits = !watch_event(watch, &event) || *waits;
	return true;
}

static void *watch_main(void *arg)
{
	struct watch *watch = arg;
	struct pollfd fds[] = { { .fd = watch->uffd, .events = POLLIN },
				{ .fd = watch->wake, .events = POLLIN } };
	bool waits = false; /* a store, which we come back to between events */

	while (!os_load_acquire(&watch->stop)) {
		fds[0].revents = fds[1].revents = 0;
		poll(fds, ARRAY_SIZE(fds), waits ? RETRY_MS : -1);
		if (fds[1].revents)
			arm(watch);
		if (fds[0].revents & ~POLLIN) {
			uffd_set_nonblocking(watch->uffd);
			os_sleep_us(RETRY_MS * 1000);
		}
		if (fds[0].revents && !watch_read(watch, &waits))
			break;
		if (waits && let_through(watch))
			waits = false;
	}
	os_store_release(&watch->stopped, 1);
	return NULL;
}

struct watch *watch_begin(struct bell *bell, int uffd, u64 address, uid_t uid)
{
	struct watch *watch = NULL;

	if (address % OS_PAGE_SIZE || !uffd_is(uffd) || !share_take(uid, SHARE_WATCH))
		goto out_close;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		goto out_share;
	*watch = (struct watch){ .uffd = uffd, .address = address, .uid = uid };
	watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->wake < 0)
		goto out_free;
	watch->bell = bell_again(bell);
	uffd_set_nonblocking(uffd);
	if (uffd_thread_start(&watch->thread, UFFD_STACK, watch_main, watch))
		goto out_bell;
	pthread_mutex_lock(&bells.lock);
	bell_disarm(bell);
	bell->unwatched--;
	watch->next = bell->watches;
	bell->watches = watch;
	pthread_mutex_unlock(&bells.lock);
	bell_changed(bell);
	return watch;
out_bell:
	bell_put(watch->bell);
	close(watch->wake);
out_free:
	free(watch);
out_share:
	share_drop(uid, SHARE_WATCH);
out_close:
	close(uffd);
	return NULL;
}

void watch_end(struct watch *watch)
{
	pthread_mutex_lock(&bells.lock);
	for (struct watch **at = &watch->bell->watches; *at; at = &(*at)->next) {
		if (*at == watch) {
			*at = watch->next;
			break;
		}
	}
	watch->bell->unwatched++;
	bell_disarm(watch->bell);
	pthread_mutex_unlock(&bells.lock);
	os_store_release(&watch->stop, 1);
	uffd_thread_join(watch->thread, &watch->stopped);
	close(watch->uffd);
	close(watch->wake);
	bell_changed(watch->bell);
	share_drop(watch->uid, SHARE_WATCH);
	bell_put(watch->bell);
	free(watch);
}
