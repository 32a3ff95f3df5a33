// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the CPU of os.h protects memory with: as the kernel found it, else as the software GPUs'
 * machine has it.
 */
#include "os/linux/pci.h"

static enum os_tee of_model;

void tee_set_model(enum os_tee tee)
{
	WRITE_ONCE(of_model, tee);
}

enum os_tee os_tee(void)
{
	enum os_tee cpu = os_linux_cpu_tee();

	return cpu != OS_TEE_NONE ? cpu : READ_ONCE(of_model);
}
