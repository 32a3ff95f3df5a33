/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A root, an authority and an owner (DER, P-384 and SHA-384) for tests of os/crypto.h where nothing
 * can make certificates.
 */
#ifndef TESTS_X509_ANSWERS_H
#define TESTS_X509_ANSWERS_H

#include "base/types.h"

#define X509_ANSWER_TIME 1800000000u /* seconds since 1970, when they are valid */

extern const u8 x509_root[], x509_middle[], x509_leaf[];
extern const size_t x509_root_size, x509_middle_size, x509_leaf_size;
extern const u8 x509_leaf_key[96]; /* X||Y */

#endif
