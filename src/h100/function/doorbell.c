// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The doorbell register: a write says that a channel has work. Which channels were rung is kept as
 * bits until the engines take them, so that none is lost and none takes room twice.
 *
 *   31        16 15          0
 *   | runlist  | channel id  |
 */
#include "h100/function/registers.h"

#include "base/bits.h"

#define TOKEN_RUNLIST_SHIFT 16u
#define TOKEN_CHID_MASK 0xffffu

REG_WRITE(reg_doorbell)
{
	u32 runlist = value >> TOKEN_RUNLIST_SHIFT, chid = value & TOKEN_CHID_MASK;
	u32 word = runlist * (H100_TOKEN_CHANNELS / 32) + chid / 32;

	if (runlist >= H100_TOKEN_RUNLISTS || chid >= H100_TOKEN_CHANNELS)
		return;
	os_fetch_or(&fn->rung[word], BIT32(chid % 32));
	os_fetch_or(&fn->rung_words[word / 32], BIT32(word % 32));
	fn->ops->work(fn->ctx, H100_WORK_DOORBELL);
}

/* The bits of one word that there is room for; the others are put back. */
static u32 take_word(struct h100_function *fn, u32 word, u32 *tokens, u32 max)
{
	u32 bits = os_exchange(&fn->rung[word], 0u), count = 0;
	u32 runlist = word / (H100_TOKEN_CHANNELS / 32);
	u32 first = word % (H100_TOKEN_CHANNELS / 32) * 32;

	for (; bits != 0 && count < max; bits &= bits - 1)
		tokens[count++] = runlist << TOKEN_RUNLIST_SHIFT | (first + bits_first(bits));
	if (bits != 0) {
		os_fetch_or(&fn->rung[word], bits);
		os_fetch_or(&fn->rung_words[word / 32], BIT32(word % 32));
	}
	return count;
}

u32 h100_doorbells(struct h100_function *fn, u32 *tokens, u32 max)
{
	u32 i, words, count = 0;

	for (i = 0; i < ARRAY_SIZE(fn->rung_words) && count < max; i++) {
		if (os_load_relaxed(&fn->rung_words[i]) == 0)
			continue;
		for (words = os_exchange(&fn->rung_words[i], 0u); words != 0; words &= words - 1)
			count += take_word(fn, i * 32 + bits_first(words), tokens + count,
					   max - count);
	}
	return count;
}
