// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Making, resetting and taking apart a function.
 */
#include "h100/function/function.h"

#include "base/bits.h"

#define LOGGED_BYTES (H100_BAR0_BYTES / 4 / 8)

u64 h100_time_ns(struct h100_function *fn)
{
	return fn->ops->now_ns(fn->ctx);
}

void h100_function_log(struct h100_function *fn, int level, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	os_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fn->ops->log(fn->ctx, level, text);
}

enum nv_status h100_function_init(struct h100_function *fn, const struct h100_function_ops *ops,
				  void *ctx, const struct h100_function_identity *identity,
				  u8 *video)
{
	u32 i;

	os_memset(fn, 0, sizeof(*fn));
	if (identity->bar_bytes[0] != H100_BAR0_BYTES)
		return NV_ERR_INVALID_ARGUMENT;
	for (i = 0; i < ARRAY_SIZE(identity->bar_bytes); i++)
		if (!is_power_of_2(identity->bar_bytes[i]) || identity->bar_bytes[i] < 4096)
			return NV_ERR_INVALID_ARGUMENT;
	fn->logged = os_alloc(LOGGED_BYTES);
	fn->rung = os_alloc(H100_TOKEN_WORDS * sizeof(u32));
	if (!fn->logged || !fn->rung) {
		h100_function_destroy(fn);
		return NV_ERR_NO_MEMORY;
	}
	fn->ops = ops;
	fn->ctx = ctx;
	fn->identity = *identity;
	fn->video = video;
	os_spinlock_init(&fn->cfg_lock, "h100 config");
	os_spinlock_init(&fn->emem_lock, "h100 emem");
	os_spinlock_init(&fn->intr_lock, "h100 interrupts");
	h100_registers_init(fn);
	h100_config_reset(fn);
	h100_registers_reset(fn);
	h100_intr_reset(fn);
	return NV_OK;
}

void h100_function_destroy(struct h100_function *fn)
{
	os_free(fn->logged);
	os_free(fn->rung);
	fn->logged = NULL;
	fn->rung = NULL;
}

void h100_function_reset(struct h100_function *fn)
{
	os_spinlock_lock(&fn->cfg_lock);
	h100_config_reset(fn);
	os_spinlock_unlock(&fn->cfg_lock);
	h100_intr_reset(fn);
	os_store_release(&fn->gsp_run, H100_GSP_LOCKED);
	h100_registers_reset(fn);
	fn->ops->work(fn->ctx, H100_WORK_RESET);
}
