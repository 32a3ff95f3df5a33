// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * User copies: the client's own thread, which waits for its request, makes them on its own process.
 * What it read ahead saves a question for the ioctl's structure and, usually, a control's
 * parameters. Two writes travel with the reply: that of the ioctl's structure, whose failure is the
 * ioctl's and nothing else's, and one to the calling thread's stack, which cannot fail.
 */
#include "host/user/daemon.h"
#include "os/user/user.h"

static u32 pre_offset(const struct channel *ch, u32 which)
{
	return which ? ch->pre[0].size : 0;
}

static bool range_valid(const struct lh_range *range)
{
	return range->size <= LH_PREFETCH_MAX && range->address + range->size >= range->address;
}

void daemon_copy_begin(struct channel *ch, const struct lh_msg *msg)
{
	u32 size;

	ch->arg = msg->args[2];
	ch->arg_size = (u32)(msg->args[1] >> 16) & 0x3fff;
	ch->late[0].size = ch->late[1].size = 0;
	ch->pre[0] = msg->pre[0];
	ch->pre[1] = msg->pre[1];
	if (!ch->pre[0].size || !range_valid(&ch->pre[0]))
		ch->pre[0].size = ch->pre[1].size = 0;
	if (!range_valid(&ch->pre[1]))
		ch->pre[1].size = 0;
	ch->sure = ch->pre[1];
	if (!ch->sure.sure)
		ch->sure.size = 0;
	size = ch->pre[0].size + ch->pre[1].size;
	if (size)
		os_memcpy(ch->pre_data, ch->shm->data, size);
}

static bool overlaps(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool ask_copy(struct channel *ch, u32 op, u64 user, u8 *mem, size_t size)
{
	while (size) {
		struct lh_msg msg = { .op = op };
		u32 n = size < LH_DATA_SIZE ? (u32)size : (u32)LH_DATA_SIZE;

		msg.args[0] = user;
		msg.args[1] = n;
		msg.size = n;
		if (op == LH_ASK_COPY_OUT)
			os_memcpy(ch->shm->data, mem, n);
		if (!channel_ask(ch, &msg) || msg.result)
			return false;
		if (op == LH_ASK_COPY_IN)
			os_memcpy(mem, ch->shm->data, n);
		user += n;
		mem += n;
		size -= n;
	}
	return true;
}

static bool late_overlaps(const struct channel *ch, u64 user, size_t size)
{
	for (u32 i = 0; i < 2; i++) {
		if (ch->late[i].size && overlaps(user, size, ch->late[i].address, ch->late[i].size))
			return true;
	}
	return false;
}

/* Makes the kept writes now, in the order they came. */
static bool late_flush(struct channel *ch)
{
	bool ok = true;

	for (u32 i = 2; i-- > 0;) {
		u32 size = ch->late[i].size;

		ch->late[i].size = 0;
		if (size &&
		    !ask_copy(ch, LH_ASK_COPY_OUT, ch->late[i].address, ch->late_data[i], size))
			ok = false;
	}
	return ok;
}

static void late_keep(struct channel *ch, u32 which, u64 user, const void *src, size_t size)
{
	ch->late[which].address = user;
	ch->late[which].size = (u32)size;
	os_memcpy(ch->late_data[which], src, size);
}

static enum nv_status copy_from(void *ctx, void *dst, u64 user, size_t size)
{
	struct channel *ch = ctx;

	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	for (u32 i = 0; i < 2; i++) {
		const struct lh_range *pre = &ch->pre[i];

		if (size <= pre->size && user >= pre->address &&
		    user - pre->address <= pre->size - size) {
			os_memcpy(dst, ch->pre_data + pre_offset(ch, i) + (user - pre->address),
				  size);
			return NV_OK;
		}
	}
	if (late_overlaps(ch, user, size) && !late_flush(ch))
		return NV_ERR_INVALID_ADDRESS;
	return ask_copy(ch, LH_ASK_COPY_IN, user, dst, size) ? NV_OK : NV_ERR_INVALID_ADDRESS;
}

/* What was read ahead is not what is there any more. pre[1]'s data lies behind pre[0]'s size. */
static void pre_forget(struct channel *ch, u64 user, size_t size)
{
	if (ch->pre[1].size && overlaps(user, size, ch->pre[1].address, ch->pre[1].size))
		ch->pre[1].size = 0;
	if (ch->pre[0].size && overlaps(user, size, ch->pre[0].address, ch->pre[0].size))
		ch->pre[0].address =
			~0ull - ch->pre[0].size; /* matches nothing, keeps the offset */
}

static enum nv_status copy_to(void *ctx, u64 user, const void *src, size_t size)
{
	struct channel *ch = ctx;

	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	pre_forget(ch, user, size);
	if (late_overlaps(ch, user, size) && !late_flush(ch))
		return NV_ERR_INVALID_ADDRESS;
	if (!ch->late[0].size && user == ch->arg && size == ch->arg_size &&
	    size <= LH_PREFETCH_MAX) {
		late_keep(ch, 0, user, src, size);
		return NV_OK;
	}
	/* The structure is written last: nothing is kept behind it. */
	if (!ch->late[0].size && !ch->late[1].size && size <= ch->sure.size &&
	    user >= ch->sure.address && user - ch->sure.address <= ch->sure.size - size) {
		late_keep(ch, 1, user, src, size);
		return NV_OK;
	}
	return ask_copy(ch, LH_ASK_COPY_OUT, user, (u8 *)src, size) ? NV_OK
								    : NV_ERR_INVALID_ADDRESS;
}

static const struct os_user_copy_ops copy_ops = { copy_from, copy_to };

void daemon_copy_end(struct channel *ch, struct lh_msg *reply)
{
	u8 *at = ch->shm->data;

	for (u32 i = 0; i < 2; i++) {
		reply->pre[i] = ch->late[i];
		os_memcpy(at, ch->late_data[i], ch->late[i].size);
		at += ch->late[i].size;
		ch->late[i].size = ch->pre[i].size = 0;
	}
	ch->sure.size = 0;
	ch->arg_size = 0;
}

void daemon_caller_set(struct channel *ch)
{
	const struct conn *conn = ch->conn;
	const struct ucred *who = &conn->cred;
	struct os_cred cred = {
		.pid = (u32)who->pid,
		.uid = who->uid,
		.gid = who->gid,
		.admin = who->uid == 0,
		.started = conn->started,
		.space = conn->space,
	};

	os_user_set_cred(&cred);
	os_user_set_copy_ops(&copy_ops, ch);
}

void daemon_caller_clear(void)
{
	os_user_set_cred(NULL);
	os_user_set_copy_ops(NULL, NULL);
}
