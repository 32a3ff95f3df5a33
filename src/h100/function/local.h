/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * chip.c: the function in the same process as its firmware.
 */
#ifndef H100_FUNCTION_LOCAL_H
#define H100_FUNCTION_LOCAL_H

#include "h100/function/function.h"

struct h100_chip {
	struct h100_function function;
};

#endif
