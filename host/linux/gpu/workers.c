// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The processes: one that starts the others and waits for them, and one for each GPU.
 *
 *   caller ---- fork ----> parent ---- fork, a GPU each ----> worker 0, 1, ...
 *      <-- pipe: first errno, or 0 once all are on the bus --    |
 *                             <-- pipe: errno, or 0 on the bus --'
 *
 * In the foreground the caller is the parent. The parent passes SIGTERM and SIGINT on; a worker
 * whose parent is killed is killed too.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/linux/gpu/gpu.h"
#include "os/os.h"

#define WORKERS_MAX 64u
#define AGAIN_US 10000

static volatile u32 stop;
static int ready_fd = -1;

static void on_stop(int signal)
{
	/* One that comes right before a wait begins would be lost: they go on until the end. */
	static const struct itimerval again = { { 0, AGAIN_US }, { 0, AGAIN_US } };

	stop = 1;
	setitimer(ITIMER_REAL, &again, NULL);
}

static void catch_signals(void)
{
	/* Waits shall return. */
	const struct sigaction action = { .sa_handler = on_stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* Once: the other end is told and let go. */
static void tell(int *fd, int rc)
{
	if (*fd < 0)
		return;
	while (write(*fd, &rc, sizeof(rc)) < 0 && errno == EINTR)
		;
	close(*fd);
	*fd = -1;
}

static void ready(void)
{
	tell(&ready_fd, 0);
}

/* What was told: an errno, or 0 (also when the end comes first); ECHILD: nobody is there to tell.
 */
static int hear(int fd)
{
	int rc = 0;
	ssize_t got;

	do {
		got = read(fd, &rc, sizeof(rc));
	} while (got < 0 && errno == EINTR && !stop);
	if (got < 0 && stop)
		return 0;
	return got == sizeof(rc) ? rc : ECHILD;
}

static void work(const struct workers_config *config, u32 gpu, pid_t parent)
{
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	rc = config->serve(config->ctx, gpu, &stop, ready);
	tell(&ready_fd, rc ? rc : ENODEV);
	_exit(rc && rc != EBUSY ? 1 : 0);
}

struct worker {
	pid_t pid;
	int fd; /* tells when it is on the bus */
};

static int start(const struct workers_config *config, u32 gpu, struct worker *worker)
{
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	worker->pid = fork();
	if (worker->pid == 0) {
		close(fds[0]);
		ready_fd = fds[1];
		work(config, gpu, parent);
	}
	close(fds[1]);
	worker->fd = fds[0];
	if (worker->pid > 0)
		return 0;
	close(fds[0]);
	return errno;
}

static void pass_on(const struct worker *worker, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (worker[i].pid > 0)
			kill(worker[i].pid, SIGTERM);
}

/* Says how a worker ended; whether that was a failure. */
static bool ended(const struct workers_config *config, struct worker *worker, u32 count, pid_t pid,
		  int status)
{
	u32 i;

	for (i = 0; i < count && worker[i].pid != pid; i++)
		;
	if (i == count)
		return false;
	worker[i].pid = 0;
	if (WIFSIGNALED(status))
		log_print(OS_LOG_ERROR, "GPU %u is off the bus: its process died of signal %d",
			  config->first + i, WTERMSIG(status));
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* Waits for all that are left; EIO when any of them failed. */
static int reap(const struct workers_config *config, struct worker *worker, u32 count)
{
	bool failed = false;
	int status;
	pid_t pid;

	for (;;) {
		if (stop)
			pass_on(worker, count);
		pid = waitpid(-1, &status, 0);
		if (pid > 0)
			failed |= ended(config, worker, count, pid, status);
		else if (errno != EINTR)
			return failed ? EIO : 0;
	}
}

/*
 * One after the other, so that the bus finds them in their order. GPUs that others serve are left
 * to them: EBUSY only when there is no other GPU.
 */
static int start_all(const struct workers_config *config, struct worker *worker, u32 *count)
{
	int rc = 0, first = 0;
	bool served = false;

	for (*count = 0; *count < config->count && !stop; (*count)++) {
		struct worker *w = &worker[*count];

		rc = start(config, config->first + *count, w);
		if (rc) {
			log_print(OS_LOG_ERROR, "no process for GPU %u: %s", config->first + *count,
				  strerror(rc));
			return rc;
		}
		rc = hear(w->fd);
		close(w->fd);
		served |= rc == 0;
		if (rc && (!first || first == EBUSY))
			first = rc;
	}
	return first == EBUSY && served ? 0 : first;
}

/* The parent's whole life; says on fd (when that is no -1) how it began. */
static int watch(const struct workers_config *config, int fd)
{
	struct worker worker[WORKERS_MAX];
	u32 count;
	int first = start_all(config, worker, &count), later;

	tell(&fd, first);
	later = reap(config, worker, count);
	return first ? first : later;
}

/* A process that nothing of the caller's ends reaches. */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (chdir("/") != 0)
		return;
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

int workers_run(const struct workers_config *config)
{
	int fds[2], rc;
	pid_t pid;

	if (config->count > WORKERS_MAX) {
		log_print(OS_LOG_ERROR, "%u GPUs: more than %u", config->count, WORKERS_MAX);
		return E2BIG;
	}
	if (!config->background) {
		catch_signals();
		return watch(config, -1);
	}
	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		catch_signals();
		detach();
		_exit(watch(config, fds[1]) ? 1 : 0);
	}
	rc = pid < 0 ? errno : 0;
	close(fds[1]);
	if (!rc)
		rc = hear(fds[0]);
	close(fds[0]);
	return rc;
}
