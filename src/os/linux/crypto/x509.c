// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Certificates of os/crypto.h by the project's own reader: the kernel's has no keys of P-384 where
 * there is no ECDSA.
 */
#include "os/linux/crypto/crypto.h"
#include "os/x509.h"

enum nv_status os_x509_public_key(const void *certificate, size_t size,
				  u8 point[OS_P384_POINT_SIZE])
{
	return x509_public_key(certificate, size, point);
}

enum nv_status os_x509_verify_chain(const void *root, size_t root_size, const void *chain,
				    size_t chain_size, u64 time, u8 point[OS_P384_POINT_SIZE])
{
	return x509_verify_chain(root, root_size, chain, chain_size, time, point);
}
