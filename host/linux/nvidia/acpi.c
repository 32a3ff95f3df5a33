// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the platform says through ACPI: whether it runs on battery. The device with a _PSR method,
 * which is an AC adapter, notifies of each change; GPUs that run are told, as the driver does on
 * any platform that has one. Nothing else of ACPI concerns a GPU without displays.
 */
#include <linux/acpi.h>

#include "host/linux/nvidia/nvidia.h"

#ifdef CONFIG_ACPI

#define SOURCE_CHANGED 0x80 /* ACPI 6.5, table 5.185 */

static acpi_handle adapter; /* NULL: the platform has none */

/* In a work item of ACPI's. */
static void on_notify(acpi_handle handle, u32 event, void *context)
{
	unsigned long long online;

	if (event == SOURCE_CHANGED &&
	    ACPI_SUCCESS(acpi_evaluate_integer(handle, "_PSR", NULL, &online)))
		rm_power_source_changed(nvidia_rm, online != 1);
}

static acpi_status look_at(acpi_handle device, u32 level, void *context, void **found)
{
	if (!acpi_has_method(device, "_PSR"))
		return AE_OK;
	*found = device;
	return AE_CTRL_TERMINATE;
}

void nvidia_acpi_init(void)
{
	void *found = NULL;

	if (acpi_disabled)
		return;
	acpi_walk_namespace(ACPI_TYPE_DEVICE, ACPI_ROOT_OBJECT, ACPI_UINT32_MAX, look_at, NULL,
			    NULL, &found);
	if (!found)
		return;
	if (ACPI_SUCCESS(acpi_install_notify_handler(found, ACPI_DEVICE_NOTIFY, on_notify, NULL)))
		adapter = found;
	else
		os_log(OS_LOG_WARN, "NVRM: changes of the power source are not heard of");
}

void nvidia_acpi_exit(void)
{
	/* Waits for those that are being handled. */
	if (adapter)
		acpi_remove_notify_handler(adapter, ACPI_DEVICE_NOTIFY, on_notify);
	adapter = NULL;
}

#else

void nvidia_acpi_init(void)
{
}

void nvidia_acpi_exit(void)
{
}

#endif
