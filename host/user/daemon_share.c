// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How much of the daemon each user has. One user cannot take so much that others find nothing left,
 * and all others together leave something to the administrator and the daemon's own user.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/user/daemon.h"

struct share {
	uid_t uid;
	u32 held[SHARE_KINDS];
	u32 descriptors;
	struct share *next;
};

static struct {
	pthread_mutex_t lock;
	struct share *first;
	u32 descriptors; /* of all but the privileged */
	u32 most;	 /* descriptors of one user */
	u32 most_all;	 /* and of all */
} shares = { .lock = PTHREAD_MUTEX_INITIALIZER, .most = ~0u, .most_all = ~0u };

/* Descriptors that one of a kind takes. A connection has its process's beside its socket, a
 * watch what wakes it, a monitor that, the memory in hand, and its process's. */
static const u32 costs[SHARE_KINDS] = {
	[SHARE_CONN] = 2,   [SHARE_FILE] = 1,  [SHARE_PENDING] = 1, [SHARE_WATCH] = 2,
	[SHARE_PINNED] = 1, [SHARE_VIDEO] = 1, [SHARE_MONITOR] = 4
};
static const u32 limits[SHARE_KINDS] = {
	[SHARE_CONN] = DAEMON_MAX_CONNS / 2,
	[SHARE_CHANNEL] = 4 * DAEMON_MAX_CHANNELS,
	[SHARE_FILE] = ~0u,
	[SHARE_WATCH] = DAEMON_MAX_CONNS,
	[SHARE_MONITOR] = DAEMON_MAX_CONNS / 2,
	[SHARE_PINNED] = ~0u,
	[SHARE_VIDEO] = ~0u,
	[SHARE_PENDING] = ~0u, /* the daemon makes room there by itself */
};

void share_init(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > 1u << 30)
		limit.rlim_cur = 1u << 30;
	shares.most = (u32)limit.rlim_cur / 2;
	shares.most_all = (u32)limit.rlim_cur / 4 * 3;
}

bool share_privileged(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static struct share **share_find(uid_t uid)
{
	struct share **at = &shares.first;

	while (*at && (*at)->uid != uid)
		at = &(*at)->next;
	return at;
}

static bool share_fits(const struct share *share, enum share_kind kind)
{
	if (share_privileged(share->uid) || kind == SHARE_PENDING)
		return true;
	return share->held[kind] < limits[kind] &&
	       share->descriptors + costs[kind] <= shares.most &&
	       shares.descriptors + costs[kind] <= shares.most_all;
}

/* Counts n (1 or -1) of a kind. */
static void share_count(struct share *share, enum share_kind kind, u32 n)
{
	share->held[kind] += n;
	share->descriptors += n * costs[kind];
	if (!share_privileged(share->uid))
		shares.descriptors += n * costs[kind];
}

static void share_tidy(struct share **at)
{
	struct share *share = *at;

	for (u32 kind = 0; kind < SHARE_KINDS; kind++) {
		if (share->held[kind])
			return;
	}
	*at = share->next;
	free(share);
}

bool share_take(uid_t uid, enum share_kind kind)
{
	struct share **at;
	bool fits = false;

	pthread_mutex_lock(&shares.lock);
	at = share_find(uid);
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			goto out;
		(*at)->uid = uid;
	}
	fits = share_fits(*at, kind);
	if (fits)
		share_count(*at, kind, 1);
	share_tidy(at);
out:
	pthread_mutex_unlock(&shares.lock);
	return fits;
}

void share_drop(uid_t uid, enum share_kind kind)
{
	struct share **at;

	pthread_mutex_lock(&shares.lock);
	at = share_find(uid);
	if (*at) {
		share_count(*at, kind, ~0u);
		share_tidy(at);
	}
	pthread_mutex_unlock(&shares.lock);
}

uid_t share_greediest(enum share_kind kind)
{
	uid_t uid = 0;
	u32 most = 0;

	pthread_mutex_lock(&shares.lock);
	for (struct share *share = shares.first; share; share = share->next) {
		if (share->held[kind] > most) {
			most = share->held[kind];
			uid = share->uid;
		}
	}
	pthread_mutex_unlock(&shares.lock);
	return uid;
}
