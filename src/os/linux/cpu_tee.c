// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The CPU's confidential computing, as the kernel found it.
 */
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
#include <linux/cc_platform.h>
#endif
#ifdef CONFIG_X86
#include <asm/cpufeature.h>
#endif

#include "os/linux/internal.h"

enum os_tee os_linux_cpu_tee(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
	if (!cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		return OS_TEE_NONE;
#ifdef X86_FEATURE_TDX_GUEST
	if (boot_cpu_has(X86_FEATURE_TDX_GUEST))
		return OS_TEE_TDX;
#endif
	return OS_TEE_SEV;
#else
	return OS_TEE_NONE;
#endif
}
