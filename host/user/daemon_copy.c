// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * User copies: the client's own thread, which waits for its request, makes them on its own process.
 * What it read ahead saves a question for the ioctl's structure and, usually, a control's
 * parameters: the shared data are a mirror of these, read and written here instead. The client may
 * change them meanwhile, as it may change its memory. Two writes travel with the reply: that of the
 * ioctl's structure, whose failure is the ioctl's and nothing else's, and one to the calling
 * thread's stack, which cannot fail.
 */
#include "host/user/daemon.h"
#include "os/user/user.h"

void daemon_copy_begin(struct channel *ch, const struct lh_msg *msg)
{
	const u64 address[2] = { msg->args[2], msg->args[3] };
	u32 at = 0;

	ch->mirror = ch->shm->data;
	for (u32 i = 0; i < 2; i++) {
		u32 size = msg->piece[i];

		/* The second lies behind the first, or nowhere. */
		if (size > LH_PREFETCH_MAX || address[i] + size < address[i] || (i && !at))
			size = 0;
		ch->pieces[i] = (struct piece){ .address = address[i], .size = size, .at = at };
		at += size;
	}
	ch->sure = msg->at != 0;
	lh_shm_fetch(ch->mirror, at);
}

static bool overlaps(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool within(const struct piece *piece, u64 user, size_t size)
{
	return size <= piece->size && user >= piece->address &&
	       user - piece->address <= piece->size - size;
}

/* The client may write to the mirror at any time: what was copied from there is what counts. */
static void copy_once(void *to, const void *from, size_t size)
{
	os_memcpy(to, from, size);
	__asm__ volatile("" : : : "memory");
}

/* Questions need the shared data. */
static void mirror_leave(struct channel *ch)
{
	u32 size = ch->pieces[0].size + ch->pieces[1].size;

	if (ch->mirror == ch->spare || !size)
		return;
	copy_once(ch->spare, ch->mirror, size);
	ch->mirror = ch->spare;
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
			copy_once(mem, ch->shm->data, n);
		user += n;
		mem += n;
		size -= n;
	}
	return true;
}

static bool late_overlaps(const struct channel *ch, u64 user, size_t size)
{
	for (u32 i = 0; i < 2; i++) {
		const struct piece *piece = &ch->pieces[i];

		if (piece->late_size &&
		    overlaps(user, size, piece->address + piece->late_at, piece->late_size))
			return true;
	}
	return false;
}

/* Makes the kept writes now, in the order they came. */
static bool late_flush(struct channel *ch)
{
	bool ok = true;

	mirror_leave(ch);
	for (u32 i = 2; i-- > 0;) {
		struct piece *piece = &ch->pieces[i];
		u32 size = piece->late_size;

		piece->late_size = 0;
		if (size && !ask_copy(ch, LH_ASK_COPY_OUT, piece->address + piece->late_at,
				      ch->mirror + piece->at + piece->late_at, size))
			ok = false;
	}
	return ok;
}

static enum nv_status copy_from(void *ctx, void *dst, u64 user, size_t size)
{
	struct channel *ch = ctx;

	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	for (u32 i = 0; i < 2; i++) {
		const struct piece *piece = &ch->pieces[i];

		if (within(piece, user, size) && !piece->stale) {
			copy_once(dst, ch->mirror + piece->at + (user - piece->address), size);
			return NV_OK;
		}
	}
	if (late_overlaps(ch, user, size) && !late_flush(ch))
		return NV_ERR_INVALID_ADDRESS;
	mirror_leave(ch);
	return ask_copy(ch, LH_ASK_COPY_IN, user, dst, size) ? NV_OK : NV_ERR_INVALID_ADDRESS;
}

/*
 * Whether a write may wait: of the whole structure, or one to the stack before that. Nothing is
 * kept behind the structure, which is written last. It does not where the pieces overlap.
 */
static bool keeps(const struct channel *ch, u32 which, u64 user, size_t size)
{
	const struct piece *piece = &ch->pieces[which], *other = &ch->pieces[!which];

	if (!within(piece, user, size) || piece->stale || ch->pieces[0].late_size ||
	    overlaps(user, size, other->address, other->size))
		return false;
	return which ? ch->sure && !piece->late_size : size == piece->size;
}

static enum nv_status copy_to(void *ctx, u64 user, const void *src, size_t size)
{
	struct channel *ch = ctx;

	if (user + size < user)
		return NV_ERR_INVALID_ADDRESS;
	for (u32 i = 0; i < 2; i++) {
		struct piece *piece = &ch->pieces[i];

		if (!keeps(ch, i, user, size))
			continue;
		piece->late_at = (u32)(user - piece->address);
		piece->late_size = (u32)size;
		os_memcpy(ch->mirror + piece->at + piece->late_at, src, size);
		return NV_OK;
	}
	if (late_overlaps(ch, user, size) && !late_flush(ch))
		return NV_ERR_INVALID_ADDRESS;
	for (u32 i = 0; i < 2; i++) {
		if (overlaps(user, size, ch->pieces[i].address, ch->pieces[i].size))
			ch->pieces[i].stale = true;
	}
	mirror_leave(ch);
	return ask_copy(ch, LH_ASK_COPY_OUT, user, (u8 *)src, size) ? NV_OK
								    : NV_ERR_INVALID_ADDRESS;
}

static const struct os_user_copy_ops copy_ops = { copy_from, copy_to };

void daemon_copy_end(struct channel *ch, struct lh_msg *reply)
{
	for (u32 i = 0; i < 2; i++) {
		struct piece *piece = &ch->pieces[i];
		u32 at = piece->at + piece->late_at;

		reply->piece[i] = (u16)piece->late_size;
		if (!piece->late_size)
			continue;
		if (ch->mirror == ch->spare)
			os_memcpy(ch->shm->data + at, ch->spare + at, piece->late_size);
		if (i) {
			reply->args[3] = piece->address + piece->late_at;
			reply->at = at;
		}
	}
	ch->pieces[0].size = ch->pieces[1].size = 0;
	ch->pieces[0].late_size = ch->pieces[1].late_size = 0;
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
	os_user_set_pin_ops(&daemon_pin_ops, ch);
	os_user_set_signal(&ch->gone);
}

void daemon_caller_clear(void)
{
	os_user_set_cred(NULL);
	os_user_set_copy_ops(NULL, NULL);
	os_user_set_pin_ops(NULL, NULL);
	os_user_set_signal(NULL);
}
