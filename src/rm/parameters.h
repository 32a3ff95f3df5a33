/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The driver's documented settings, NVreg_<name> as parameters of the module: what
 * /proc/driver/nvidia/params lists, in its order, with the values that they have when nobody sets
 * them. All of them are dwords of the global registry as well.
 */
#ifndef RM_PARAMETERS_H
#define RM_PARAMETERS_H

/* X(name, value) */
#define RM_PARAMETERS(X)                                   \
	X(ResmanDebugLevel, -1)                            \
	X(RmLogonRC, 1)                                    \
	X(ModifyDeviceFiles, 1)                            \
	X(DeviceFileUID, 0)                                \
	X(DeviceFileGID, 0)                                \
	X(DeviceFileMode, 0666)                            \
	X(InitializeSystemMemoryAllocations, 1)            \
	X(UsePageAttributeTable, -1)                       \
	X(EnableMSI, 1)                                    \
	X(EnablePCIeGen3, 0)                               \
	X(MemoryPoolSize, 0)                               \
	X(KMallocHeapMaxSize, 0)                           \
	X(VMallocHeapMaxSize, 0)                           \
	X(IgnoreMMIOCheck, 0)                              \
	X(TCEBypassMode, 0)                                \
	X(EnableStreamMemOPs, 0)                           \
	X(EnableUserNUMAManagement, 1)                     \
	X(NvLinkDisable, 0)                                \
	X(RmProfilingAdminOnly, 1)                         \
	X(PreserveVideoMemoryAllocations, 0)               \
	X(EnableS0ixPowerManagement, 0)                    \
	X(S0ixPowerManagementVideoMemoryThreshold, 256)    \
	X(DynamicPowerManagement, 3)                       \
	X(DynamicPowerManagementVideoMemoryThreshold, 200) \
	X(RegisterPCIDriver, 1)                            \
	X(EnablePCIERelaxedOrderingMode, 0)                \
	X(EnableResizableBar, 0)                           \
	X(EnableGpuFirmware, 18)                           \
	X(EnableGpuFirmwareLogs, 2)                        \
	X(EnableDbgBreakpoint, 0)                          \
	X(OpenRmEnableUnsupportedGpus, 0)                  \
	X(DmaRemapPeerMmio, 1)

#endif
