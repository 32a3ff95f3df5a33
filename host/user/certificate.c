// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Certificates that the user gives as files.
 */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "host/user/files.h"
#include "host/user/machine.h"

/* In either of the two forms that there are. */
static X509 *parse(const char *data, size_t size)
{
	BIO *bio = BIO_new_mem_buf(data, (int)size);
	const unsigned char *at = (const unsigned char *)data;
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (!certificate)
		certificate = d2i_X509(NULL, &at, (long)size);
	return certificate;
}

int certificate_load(const char *path, void **der, size_t *size)
{
	unsigned char *bytes = NULL;
	X509 *certificate;
	char *data;
	int rc, length;

	rc = file_load(path, &data, size);
	if (rc)
		return rc;
	certificate = *size <= CERTIFICATE_FILE_MAX ? parse(data, *size) : NULL;
	free(data);
	if (!certificate)
		return EINVAL;
	length = i2d_X509(certificate, &bytes);
	X509_free(certificate);
	if (length <= 0)
		return ENOMEM;
	*der = malloc((size_t)length);
	if (*der) {
		memcpy(*der, bytes, (size_t)length);
		*size = (size_t)length;
	}
	OPENSSL_free(bytes);
	return *der ? 0 : ENOMEM;
}
