// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The function as its firmware reaches it from within one process.
 */
#include "h100/function/local.h"

u32 h100_chip_register_get(struct h100_chip *chip, u32 offset)
{
	return h100_register_get(&chip->function, offset);
}

void h100_chip_register_set(struct h100_chip *chip, u32 offset, u32 value)
{
	h100_register_set(&chip->function, offset, value);
}

u32 h100_chip_doorbells(struct h100_chip *chip, u32 *tokens, u32 max)
{
	return h100_doorbells(&chip->function, tokens, max);
}

void h100_chip_raise(struct h100_chip *chip, u32 vector)
{
	h100_intr_raise(&chip->function, vector);
}

u32 h100_chip_fsp_receive(struct h100_chip *chip, void *data, u32 size)
{
	return h100_fsp_receive(&chip->function, data, size);
}

void h100_chip_fsp_send(struct h100_chip *chip, const void *data, u32 size)
{
	h100_fsp_send(&chip->function, data, size);
}

void h100_chip_fsp_set_ready(struct h100_chip *chip, bool ready)
{
	h100_fsp_set_ready(&chip->function, ready);
}

void h100_chip_gsp_set_run(struct h100_chip *chip, enum h100_gsp_run run)
{
	h100_gsp_set_run(&chip->function, run);
}

void h100_chip_gsp_interrupt(struct h100_chip *chip, u32 bits)
{
	h100_gsp_interrupt(&chip->function, bits);
}

void h100_chip_wpr2_set(struct h100_chip *chip, u64 start, u64 end)
{
	h100_wpr2_set(&chip->function, start, end);
}

bool h100_chip_bus_master(struct h100_chip *chip)
{
	return h100_function_bus_master(&chip->function);
}

void h100_chip_set_present(struct h100_chip *chip, bool present)
{
	os_store_relaxed(&chip->function.off_bus, present ? 0 : 1);
}
