// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The C library's own functions behind ours, and where the daemon is: LEAFHOPPER_SOCKET as it was
 * when the program started.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "host/user/preload/preload.h"

#define ENV_SOCKET "LEAFHOPPER_SOCKET="
#define ENV_PRELOAD "LD_PRELOAD="

static struct {
	u32 ready;
	bool active;
	struct lh_real real;
	char socket[sizeof(ENV_SOCKET) + LH_PATH_MAX];
	char preload[sizeof(ENV_PRELOAD) + LH_PATH];
	char tree[LH_PATH_MAX + 8];
	size_t tree_length;
} core;

static void core_places(void)
{
	const char *socket = getenv("LEAFHOPPER_SOCKET");
	const char *preload = getenv("LD_PRELOAD");
	const char *slash;

	if (!socket || *socket != '/' || strlen(socket) > LH_PATH_MAX)
		return;
	strcpy(stpcpy(core.socket, ENV_SOCKET), socket);
	slash = strrchr(socket, '/');
	memcpy(core.tree, socket, (size_t)(slash - socket));
	strcpy(core.tree + (slash - socket), "/root");
	core.tree_length = strlen(core.tree);
	if (preload && strlen(preload) < LH_PATH)
		strcpy(stpcpy(core.preload, ENV_PRELOAD), preload);
	core.active = true;
}

/* May run in several threads at once: all write the same. */
static void core_init(void)
{
#define X(ret, name, args) *(void **)&core.real.name = dlsym(RTLD_NEXT, #name);
	LH_REAL_FUNCTIONS(X)
#undef X
	core_places();
	__atomic_store_n(&core.ready, 1, __ATOMIC_RELEASE);
}

/* Early, so that a signal handler is not the first to need dlsym. */
__attribute__((constructor)) static void core_constructor(void)
{
	if (!__atomic_load_n(&core.ready, __ATOMIC_ACQUIRE))
		core_init();
	if (core.active) {
		lh_fd_inherit();
		lh_setup();
	}
}

const struct lh_real *lh_real(void)
{
	if (__builtin_expect(!__atomic_load_n(&core.ready, __ATOMIC_ACQUIRE), 0))
		core_init();
	return &core.real;
}

bool lh_active(void)
{
	lh_real();
	return core.active;
}

const char *lh_socket_path(void)
{
	return core.socket + sizeof(ENV_SOCKET) - 1;
}

const char *lh_tree(size_t *length)
{
	*length = core.tree_length;
	return core.tree;
}

const char *lh_env_preload(void)
{
	return core.preload;
}

const char *lh_env_socket(void)
{
	return core.socket;
}

const char *lh_self(void)
{
	static char name[LH_PATH];
	Dl_info info;

	if (!name[0] && dladdr(&core, &info) && info.dli_fname &&
	    strlen(info.dli_fname) < sizeof(name))
		strcpy(name, info.dli_fname);
	return name;
}
