// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A process that becomes another user connects to the daemon anew, so that the socket proves who it
 * is now.
 */
#include <grp.h>
#include <unistd.h>

#include "host/user/preload/conn.h"

static void connect_anew(void)
{
	lh_monitor_retire();
	lh_disconnect();
}

struct ids {
	uid_t uid;
	gid_t gid;
};

static struct ids now(void)
{
	return (struct ids){ geteuid(), getegid() };
}

/* A process that stays who it is keeps its connection. */
static int changed(struct ids before, int rc)
{
	if (rc == 0 && (before.uid != geteuid() || before.gid != getegid()))
		connect_anew();
	return rc;
}

EXPORT int setuid(uid_t uid)
{
	struct ids before = now();

	return changed(before, lh_real()->setuid(uid));
}

EXPORT int setgid(gid_t gid)
{
	struct ids before = now();

	return changed(before, lh_real()->setgid(gid));
}

EXPORT int seteuid(uid_t uid)
{
	struct ids before = now();

	return changed(before, lh_real()->seteuid(uid));
}

EXPORT int setegid(gid_t gid)
{
	struct ids before = now();

	return changed(before, lh_real()->setegid(gid));
}

EXPORT int setreuid(uid_t real, uid_t effective)
{
	struct ids before = now();

	return changed(before, lh_real()->setreuid(real, effective));
}

EXPORT int setregid(gid_t real, gid_t effective)
{
	struct ids before = now();

	return changed(before, lh_real()->setregid(real, effective));
}

EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	struct ids before = now();

	return changed(before, lh_real()->setresuid(real, effective, saved));
}

EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	struct ids before = now();

	return changed(before, lh_real()->setresgid(real, effective, saved));
}

/* The further groups are told only when a connection is made. */
EXPORT int setgroups(size_t count, const gid_t *groups)
{
	int rc = lh_real()->setgroups(count, groups);

	if (rc == 0)
		connect_anew();
	return rc;
}

EXPORT int initgroups(const char *user, gid_t group)
{
	int rc = lh_real()->initgroups(user, group);

	if (rc == 0)
		connect_anew();
	return rc;
}
