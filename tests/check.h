/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What a client program of the tests says when a check does not hold: it ends with 1.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)                                                                    \
	do {                                                                           \
		if (!(cond)) {                                                         \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #cond, \
				strerror(errno));                                      \
			exit(1);                                                       \
		}                                                                      \
	} while (0)

#endif
