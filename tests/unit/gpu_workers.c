// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * leafhopper-gpu's processes, one a GPU: how their beginnings and ends are told, and that none of
 * them takes another one along. And its profiles.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "host/linux/gpu/gpu.h"
#include "host/user/files.h"
#include "unit.h"

#define GPUS 4u

/* What the processes say about themselves. */
static struct board {
	struct {
		u32 pid, ended;
	} gpu[GPUS];
	u32 parent;
} * board;

enum plan { PLAN_SERVE, PLAN_REFUSED, PLAN_BUSY, PLAN_DIES_EARLY, PLAN_FAILS_LATE };
static const enum plan *plan;

static int serve(void *ctx, u32 gpu, const volatile u32 *stop, void (*ready)(void))
{
	os_store_relaxed(&board->parent, (u32)getppid());
	os_store_relaxed(&board->gpu[gpu].pid, (u32)getpid());
	switch (plan[gpu]) {
	case PLAN_REFUSED:
		return ENODEV;
	case PLAN_BUSY:
		return EBUSY;
	case PLAN_DIES_EARLY:
		raise(SIGKILL);
		return 0;
	case PLAN_FAILS_LATE:
		ready();
		return EIO;
	case PLAN_SERVE:
		break;
	}
	ready();
	while (!*stop)
		poll(NULL, 0, -1);
	os_store_relaxed(&board->gpu[gpu].ended, 1);
	return 0;
}

static int setup(void **state)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_true(board != MAP_FAILED);
	return 0;
}

static int teardown(void **state)
{
	munmap(board, sizeof(*board));
	return 0;
}

static bool alive(u32 pid)
{
	return pid != 0 && kill((pid_t)pid, 0) == 0;
}

static bool becomes(u32 *word, bool set)
{
	u32 i;

	for (i = 0; i < 3000 && (os_load_relaxed(word) != 0) != set; i++)
		os_sleep_us(1000);
	return (os_load_relaxed(word) != 0) == set;
}

static bool dies(u32 pid)
{
	u32 i;

	for (i = 0; i < 3000 && alive(pid); i++)
		os_sleep_us(1000);
	return !alive(pid);
}

/* A parent in the foreground, as a process of its own. */
static pid_t start(const enum plan plans[GPUS])
{
	const struct workers_config config = { .count = GPUS, .serve = serve };
	pid_t pid;

	plan = plans;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(workers_run(&config));
	return pid;
}

static int end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void wait_for_all(void)
{
	u32 i;

	for (i = 0; i < GPUS; i++)
		assert_true(becomes(&board->gpu[i].pid, true));
}

static void test_terminated(void **state)
{
	static const enum plan plans[GPUS] = { 0 };
	pid_t pid = start(plans);
	u32 i;

	wait_for_all();
	kill(pid, SIGTERM);
	assert_int_equal(end(pid), 0);
	for (i = 0; i < GPUS; i++) {
		assert_int_equal(board->gpu[i].ended, 1);
		assert_false(alive(board->gpu[i].pid));
	}
}

/* The first that cannot be had is told; the others are served all the same. */
static void test_refused(void **state)
{
	static const enum plan plans[GPUS] = { PLAN_SERVE, PLAN_REFUSED, PLAN_DIES_EARLY };
	pid_t pid = start(plans);

	wait_for_all();
	/* The parent sees to it only once it has heard of all. */
	assert_true(dies(board->gpu[1].pid));
	assert_true(alive(board->gpu[0].pid) && alive(board->gpu[3].pid));
	kill(pid, SIGINT);
	assert_int_equal(end(pid), ENODEV);
	assert_int_equal(board->gpu[0].ended, 1);
	assert_int_equal(board->gpu[3].ended, 1);
}

static void test_one_dies(void **state)
{
	static const enum plan plans[GPUS] = { PLAN_SERVE, PLAN_SERVE, PLAN_FAILS_LATE };
	pid_t pid = start(plans);

	wait_for_all();
	kill((pid_t)board->gpu[1].pid, SIGKILL);
	assert_true(dies(board->gpu[1].pid));
	os_sleep_us(50000);
	assert_true(alive(board->gpu[0].pid) && alive(board->gpu[3].pid));
	kill(pid, SIGTERM);
	assert_int_equal(end(pid), EIO);
	assert_int_equal(board->gpu[0].ended, 1);
	assert_int_equal(board->gpu[1].ended, 0);
	assert_int_equal(board->gpu[3].ended, 1);
}

static void test_parent_killed(void **state)
{
	static const enum plan plans[GPUS] = { 0 };
	pid_t pid = start(plans);
	int status;
	u32 i;

	/* Orphans come here, so that nothing of the test is left. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	wait_for_all();
	os_sleep_us(20000);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (i = 0; i < GPUS; i++) {
		assert_int_equal(waitpid((pid_t)board->gpu[i].pid, &status, 0), board->gpu[i].pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static int background(const enum plan plans[GPUS])
{
	const struct workers_config config = { .count = GPUS, .serve = serve, .background = true };

	plan = plans;
	return workers_run(&config);
}

static void test_background(void **state)
{
	static const enum plan all[GPUS] = { 0 };
	static const enum plan refused[GPUS] = { PLAN_BUSY, PLAN_REFUSED, PLAN_BUSY, PLAN_BUSY };
	u32 i;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	assert_int_equal(background(all), 0);
	for (i = 0; i < GPUS; i++)
		assert_true(alive(board->gpu[i].pid));
	assert_int_not_equal(board->parent, getpid());
	assert_int_equal(getsid((pid_t)board->parent), board->parent);
	kill((pid_t)board->parent, SIGTERM);
	assert_int_equal(end((pid_t)board->parent), 0);
	assert_int_equal(background(refused), ENODEV);
	assert_int_equal(end((pid_t)board->parent), 1);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* Those that others serve are left to them. */
static void test_busy(void **state)
{
	static const enum plan plans[GPUS] = { PLAN_BUSY, PLAN_BUSY, PLAN_SERVE, PLAN_BUSY };
	static const enum plan all[GPUS] = { PLAN_BUSY, PLAN_BUSY, PLAN_BUSY, PLAN_BUSY };
	pid_t pid = start(plans);

	wait_for_all();
	kill(pid, SIGTERM);
	assert_int_equal(end(pid), 0);
	assert_int_equal(board->gpu[2].ended, 1);
	assert_int_equal(end(start(all)), EBUSY);
}

static void test_too_many(void **state)
{
	const struct workers_config config = { .count = 1u << 20, .serve = serve };

	assert_int_equal(workers_run(&config), E2BIG);
}

static void test_profiles(void **state)
{
	const struct builtin_profile *profile;
	char path[512], *text, *file;
	size_t size, file_size;
	u32 count = 0;

	for (profile = builtin_profiles; profile->name; profile++, count++) {
		snprintf(path, sizeof(path), "%s/%s.profile", PROFILES, profile->name);
		assert_int_equal(file_load(path, &file, &file_size), 0);
		assert_int_equal(profile->size, file_size);
		assert_memory_equal(profile->text, file, file_size);
		assert_int_equal(profile_find(profile->name, PROFILES, &text, &size), 0);
		assert_int_equal(size, file_size);
		free(text);
		assert_int_equal(profile_find(profile->name, NULL, &text, &size), 0);
		assert_int_equal(size, file_size);
		assert_memory_equal(text, file, size);
		free(text);
		free(file);
	}
	assert_true(count >= 3);
	assert_int_equal(profile_find("no-such-gpu", NULL, &text, &size), ENOENT);
	assert_int_equal(profile_find("no-such-gpu", PROFILES, &text, &size), ENOENT);
	assert_int_equal(profile_find("../profiles/h200", PROFILES, &text, &size), EINVAL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_terminated), T(test_refused),
		T(test_one_dies),   T(test_parent_killed),
		T(test_background), T(test_busy),
		T(test_too_many),   cmocka_unit_test(test_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
