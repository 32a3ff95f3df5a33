// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How many of a device's bus addresses each user has: memory that nobody touched costs nothing but
 * these. One user cannot take so many that others find none left, and all others together leave
 * some to the administrator, the process's own user and the driver.
 */
#include <unistd.h>

#include "base/bits.h"
#include "os/user/pci.h"

struct dma_user {
	u32 uid;
	u32 slots;
	struct dma_user *next;
};

static u32 most = DMA_SLOTS / 2;	 /* of one user */
static u32 most_all = DMA_SLOTS / 4 * 3; /* and of all */

void os_user_limit_dma(u32 pages, u32 pages_all)
{
	most = pages;
	most_all = pages_all;
}

u32 dma_share_owner(void)
{
	struct os_cred cred;

	os_current_cred(&cred);
	return cred.admin || cred.uid == geteuid() ? DMA_NOBODY : cred.uid;
}

static struct dma_user **find(struct dma_table *t, u32 uid)
{
	struct dma_user **at = &t->users;

	while (*at && (*at)->uid != uid)
		at = &(*at)->next;
	return at;
}

bool dma_share_take(struct dma_table *t, u32 uid, u32 count)
{
	struct dma_user **at;

	if (uid == DMA_NOBODY)
		return true;
	at = find(t, uid);
	if (count > most_all || t->owned > most_all - count || count > most ||
	    (*at && (*at)->slots > most - count))
		return false;
	if (!*at) {
		*at = os_alloc(sizeof(**at));
		if (!*at)
			return false;
		(*at)->uid = uid;
	}
	(*at)->slots += count;
	t->owned += count;
	return true;
}

void dma_share_drop(struct dma_table *t, u32 uid, u32 count)
{
	struct dma_user **at, *user;

	if (uid == DMA_NOBODY)
		return;
	at = find(t, uid);
	user = *at;
	user->slots -= count;
	t->owned -= count;
	if (user->slots)
		return;
	*at = user->next;
	os_free(user);
}
