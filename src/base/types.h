/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The integer types that all shared code uses, for user space and kernel alike.
 */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/stdarg.h>
#include <linux/stddef.h>
#else
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#endif

#define KIB(n) ((u64)(n) << 10)
#define MIB(n) ((u64)(n) << 20)
#define GIB(n) ((u64)(n) << 30)

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#ifndef container_of
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#endif

#endif
