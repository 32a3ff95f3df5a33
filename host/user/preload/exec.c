// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Children of clients are clients: a program that hands on an environment of its own making gets
 * the two variables that lead to the daemon added. Runs in vfork's children too: stack only.
 */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "host/user/preload/preload.h"

#define PRELOAD "LD_PRELOAD="
#define SOCKET "LEAFHOPPER_SOCKET="

static const char *env_find(char *const envp[], const char *name)
{
	const char *found = NULL;

	for (size_t i = 0; envp && envp[i] && !found; i++) {
		if (strncmp(envp[i], name, strlen(name)) == 0)
			found = envp[i];
	}
	return found;
}

static size_t count(char *const list[])
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* How long a joined LD_PRELOAD gets; 0 when the program's own names us already. */
static size_t joined_size(const char *theirs)
{
	return strstr(theirs, lh_self()) ? 0
					 : sizeof(PRELOAD) + strlen(theirs) + strlen(lh_self()) + 1;
}

/* out has room for two more than envp; joined for the string that joined_size told. */
static void env_fill(char *const envp[], char **out, char *joined)
{
	const char *preload = env_find(envp, PRELOAD);
	size_t n = 0;

	for (; envp && *envp; envp++) {
		if (joined && *envp == preload) {
			char *at = stpcpy(stpcpy(joined, PRELOAD), lh_self());

			*at++ = ':';
			strcpy(at, preload + sizeof(PRELOAD) - 1);
			out[n++] = joined;
		} else {
			out[n++] = *envp;
		}
	}
	if (!preload)
		out[n++] = (char *)lh_env_preload();
	if (!env_find(out, SOCKET))
		out[n++] = (char *)lh_env_socket();
	out[n] = NULL;
}

static bool env_lacks(char *const envp[])
{
	const char *preload;

	if (!lh_active())
		return false;
	preload = env_find(envp, PRELOAD);
	return !preload || joined_size(preload) || !env_find(envp, SOCKET);
}

/* A macro, because the memory is the caller's stack. */
#define WITH_ENV(envp)                                                      \
	do {                                                                \
		const char *preload_;                                       \
		char **env_;                                                \
		char *joined_ = NULL;                                       \
                                                                            \
		if (!env_lacks(envp))                                       \
			break;                                              \
		preload_ = env_find(envp, PRELOAD);                         \
		if (preload_ && joined_size(preload_))                      \
			joined_ = __builtin_alloca(joined_size(preload_));  \
		env_ = __builtin_alloca((count(envp) + 3) * sizeof(*env_)); \
		memset(env_, 0, (count(envp) + 3) * sizeof(*env_));         \
		env_fill(envp, env_, joined_);                              \
		(envp) = env_;                                              \
	} while (0)

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	WITH_ENV(envp);
	return lh_real()->execve(path, argv, envp);
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	WITH_ENV(envp);
	return lh_real()->execvpe(file, argv, envp);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	WITH_ENV(envp);
	return lh_real()->fexecve(fd, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* Gathers the variable arguments; with_env: an environment follows the NULL. */
#define GATHER(first, with_env, argv, envp)                           \
	do {                                                          \
		va_list ap_;                                          \
		size_t n_ = 1;                                        \
                                                                      \
		va_start(ap_, first);                                 \
		while (va_arg(ap_, char *))                           \
			n_++;                                         \
		va_end(ap_);                                          \
		(argv) = __builtin_alloca((n_ + 1) * sizeof(char *)); \
		(argv)[0] = (char *)(first);                          \
		va_start(ap_, first);                                 \
		for (size_t i_ = 1; i_ <= n_; i_++)                   \
			(argv)[i_] = va_arg(ap_, char *);             \
		if (with_env)                                         \
			(envp) = va_arg(ap_, char **);                \
		va_end(ap_);                                          \
	} while (0)

EXPORT int execl(const char *path, const char *arg, ...)
{
	char **argv, **envp = environ;

	GATHER(arg, false, argv, envp);
	return execve(path, argv, envp);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	char **argv, **envp = environ;

	GATHER(arg, false, argv, envp);
	return execvpe(file, argv, envp);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	char **argv, **envp;

	GATHER(arg, true, argv, envp);
	return execve(path, argv, envp);
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	WITH_ENV(envp);
	return lh_real()->posix_spawn(pid, path, actions, attr, argv, envp);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	WITH_ENV(envp);
	return lh_real()->posix_spawnp(pid, file, actions, attr, argv, envp);
}
