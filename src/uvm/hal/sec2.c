// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Methods of SEC2: class CBA2 (HOPPER_SEC2_WORK_LAUNCH_A), each with a header of its own. There is
 * no SET_OBJECT: r535 sends it none.
 *
 *   decrypt   from, to, size, tag | signature | EXECUTE
 *   release   signature | address, payload | SEMAPHORE_D
 *   signed    | method 4 | data 4 | of each, and behind them the nonce, which the context adds
 */
#include "uvm/hal/hal.h"

#include "abi/gh100.h"
#include "base/bits.h"

#define SEC2 NVA06F_SUBCHANNEL_COMPUTE

static void method(struct uvm_methods *m, u32 number, u32 data)
{
	uvm_method(m, SEC2, number, 1);
	uvm_method_data(m, data);
}

/* The method with the upper half comes first. */
static void address(const struct uvm_sec2_hal *hal, struct uvm_methods *m, u32 number, u64 va)
{
	OS_BUG_ON(va >> hal->va_bits);
	method(m, number, bits_high32(va));
	method(m, number + sizeof(u32), bits_low32(va));
}

static void decrypt(const struct uvm_sec2_hal *hal, struct uvm_methods *m,
		    const struct uvm_sec2_message *message, u64 mac)
{
	OS_BUG_ON(
		!message->bytes || message->bytes > NVCBA2_DECRYPT_COPY_SIZE_MAX_BYTES ||
		!is_aligned(message->bytes, UVM_SEC2_UNIT) ||
		!is_aligned(message->plain | message->cipher | message->tag | mac, UVM_SEC2_ALIGN));
	address(hal, m, NVCBA2_DECRYPT_COPY_SRC_ADDR_HI, message->cipher);
	address(hal, m, NVCBA2_DECRYPT_COPY_DST_ADDR_HI, message->plain);
	method(m, NVCBA2_DECRYPT_COPY_SIZE, message->bytes);
	address(hal, m, NVCBA2_DECRYPT_COPY_AUTH_TAG_ADDR_HI, message->tag);
	address(hal, m, NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, mac);
	method(m, NVCBA2_EXECUTE,
	       (u32)(REG_PREP(NVCBA2_EXECUTE_NOTIFY, NVCBA2_EXECUTE_NOTIFY_DISABLE) |
		     REG_PREP(NVCBA2_EXECUTE_FLUSH_DISABLE, NVCBA2_EXECUTE_FLUSH_DISABLE_TRUE)));
}

static void semaphore_release(const struct uvm_sec2_hal *hal, struct uvm_methods *m, u64 va,
			      u32 payload, u64 mac)
{
	OS_BUG_ON(!is_aligned(va, sizeof(u32)) || !is_aligned(mac, UVM_SEC2_ALIGN));
	address(hal, m, NVCBA2_METHOD_STREAM_AUTH_TAG_ADDR_HI, mac);
	address(hal, m, NVCBA2_SEMAPHORE_A, va);
	method(m, NVCBA2_SET_SEMAPHORE_PAYLOAD_LOWER, payload);
	method(m, NVCBA2_SEMAPHORE_D,
	       (u32)(REG_PREP(NVCBA2_SEMAPHORE_D_TIMESTAMP, NVCBA2_SEMAPHORE_D_TIMESTAMP_DISABLE) |
		     REG_PREP(NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE,
			      NVCBA2_SEMAPHORE_D_PAYLOAD_SIZE_32_BIT) |
		     REG_PREP(NVCBA2_SEMAPHORE_D_FLUSH_DISABLE,
			      NVCBA2_SEMAPHORE_D_FLUSH_DISABLE_FALSE)));
}

u32 uvm_sec2_signed(const u32 *words, u32 count, u32 *signed_words)
{
	u32 i;

	for (i = 0; i + 1 < count; i += 2) {
		signed_words[i] =
			(u32)REG_GET(NV906F_DMA_INCR_ADDRESS, words[i]) * (u32)sizeof(u32);
		signed_words[i + 1] = words[i + 1];
	}
	return i * (u32)sizeof(u32);
}

const struct uvm_sec2_hal uvm_sec2_hopper = {
	.class_id = HOPPER_SEC2_WORK_LAUNCH_A,
	.va_bits = 57,
	.decrypt = decrypt,
	.semaphore_release = semaphore_release,
};
