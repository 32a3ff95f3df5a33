// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Every device attribute as the library tells it, a line each: its number and value, or its error.
 */
#include "client.h"

#define ATTRIBUTES 130

void test_attributes(void)
{
	cu_device device = client_device(0);

	for (int i = 1; i <= ATTRIBUTES; i++) {
		int value = 0;
		cu_result result = cu->cuDeviceGetAttribute(&value, i, device);

		if (result)
			printf("attribute %d error %d\n", i, result);
		else
			printf("attribute %d is %d\n", i, value);
	}
}
