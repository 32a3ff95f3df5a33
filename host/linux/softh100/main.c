// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * softh100.ko: software GPUs on a PCI bus of their own. This file loads and unloads it.
 */
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/umh.h>

#include "host/linux/softh100/internal.h"
#include "os/linux/internal.h"

#define PROCESS_TIMEOUT (10 * HZ)

static const struct soft_profile profiles[] = {
#include "softh100_profiles.h"
};

static uint gpus = 1;
module_param(gpus, uint, 0444);
MODULE_PARM_DESC(gpus, "number of GPUs, 1 to 16 (default 1)");

static char *profile = "h100-sxm-80gb";
module_param(profile, charp, 0444);
MODULE_PARM_DESC(profile, "which GPU: h100-sxm-80gb (default), h100-pcie-80gb or h200");

static char *cc = "off";
module_param(cc, charp, 0444);
MODULE_PARM_DESC(cc,
		 "confidential mode of the GPUs, as their hardware says it: off (default), on or "
		 "devtools");

static char *tee = "";
module_param(tee, charp, 0444);
MODULE_PARM_DESC(tee, "what the CPU is said to protect memory with where the kernel says nothing: "
		      "none, tdx or sev-snp (default: tdx unless cc is off)");

static char *process = "";
module_param(process, charp, 0444);
MODULE_PARM_DESC(process, "path of leafhopper-gpu, which is started for the GPUs; "
			  "empty (default): somebody else starts it");

static char *issuer = "";
module_param(issuer, charp, 0444);
MODULE_PARM_DESC(issuer,
		 "file of the certificates and key (PEM) that process certifies GPUs with in "
		 "confidential mode; empty (default): the project's test issuer");

static uint fail_load;
module_param(fail_load, uint, 0400);
MODULE_PARM_DESC(fail_load, "tests: the Nth allocation of loading fails");

struct soft_machine soft_machine;

int soft_process_start(u32 index)
{
	static char *environment[] = { "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char *arguments[6] = { process };
	char number[12];
	u32 count = 1;
	int rc;

	snprintf(number, sizeof(number), "%u", index);
	if (index != ~0u) {
		arguments[count++] = "--gpu";
		arguments[count++] = number;
	}
	if (issuer[0]) {
		arguments[count++] = "--issuer";
		arguments[count++] = issuer;
	}
	rc = call_usermodehelper(process, arguments, environment, UMH_WAIT_EXEC);
	if (rc)
		os_log(OS_LOG_ERROR, "cannot start %s: error %d", process, -rc);
	return rc;
}

static bool all_attached(void)
{
	u32 i;

	for (i = 0; i < soft_machine.gpus; i++)
		if (!os_load_acquire(&soft_machine.gpu[i]->attached))
			return false;
	return true;
}

/*
 * Loading is complete when the GPUs are on the bus, for those who load a driver next. A process
 * that does not come is no reason to fail: it may be started again by hand.
 */
static void start_processes(void)
{
	if (!process[0] || soft_process_start(~0u))
		return;
	if (wait_event_killable_timeout(soft_machine.attached, all_attached(), PROCESS_TIMEOUT) <=
	    0)
		os_log(OS_LOG_WARN, "%s did not take up all GPUs", process);
	flush_workqueue(soft_machine.queue);
}

static const struct soft_profile *find_profile(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(profiles); i++)
		if (strcmp(profiles[i].name, profile) == 0)
			return &profiles[i];
	os_log(OS_LOG_ERROR, "no profile %s", profile);
	return NULL;
}

static int set_cc(void)
{
	static const char *const names[] = { [SOFTH100_CC_OFF] = "off",
					     [SOFTH100_CC_ON] = "on",
					     [SOFTH100_CC_DEVTOOLS] = "devtools" };
	int at = match_string(names, ARRAY_SIZE(names), cc);

	if (at < 0) {
		os_log(OS_LOG_ERROR, "cc=%s: off, on or devtools", cc);
		return -EINVAL;
	}
	soft_machine.cc = at;
	return 0;
}

/* What the kernel says is not to be denied. */
static int set_tee(void)
{
	static const char *const names[] = {
		[OS_TEE_NONE] = "none", [OS_TEE_SEV] = "sev-snp", [OS_TEE_TDX] = "tdx"
	};
	int at = soft_machine.cc == SOFTH100_CC_OFF ? OS_TEE_NONE : OS_TEE_TDX;

	if (tee[0])
		at = match_string(names, ARRAY_SIZE(names), tee);
	if (at < 0) {
		os_log(OS_LOG_ERROR, "tee=%s: none, tdx or sev-snp", tee);
		return -EINVAL;
	}
	soft_machine.tee = os_linux_cpu_tee();
	if (soft_machine.tee == OS_TEE_NONE)
		soft_machine.tee = at;
	return 0;
}

static int check_parameters(void)
{
	soft_machine.profile = find_profile();
	soft_machine.process = process;
	if (!soft_machine.profile || set_cc() || set_tee())
		return -EINVAL;
	if (gpus < 1 || gpus > SOFT_GPUS_MAX) {
		os_log(OS_LOG_ERROR, "gpus=%u: 1 to %u", gpus, SOFT_GPUS_MAX);
		return -EINVAL;
	}
	return 0;
}

/* BARs for as many GPUs as there is room for. */
static int take_place(void)
{
	int count = soft_place_take(&soft_machine.profile->identity, gpus);

	if (count < 0)
		return count;
	if (count == 0) {
		os_log(OS_LOG_ERROR, "no room for BARs in the physical address map");
		return -ENOSPC;
	}
	if (count < gpus)
		os_log(OS_LOG_WARN, "room for the BARs of %d GPUs of %u: the others are left out",
		       count, gpus);
	soft_machine.gpus = count;
	return 0;
}

static void destroy_gpus(void)
{
	u32 i;

	for (i = 0; i < SOFT_GPUS_MAX; i++)
		if (soft_machine.gpu[i])
			soft_gpu_destroy(soft_machine.gpu[i]);
}

static int create_gpus(void)
{
	u32 i;

	for (i = 0; i < soft_machine.gpus; i++)
		if (!soft_gpu_create(i)) {
			destroy_gpus();
			return -ENOMEM;
		}
	return 0;
}

static int begin_machine(void)
{
	int rc = take_place();

	if (rc)
		return rc;
	rc = soft_dma_machine_init();
	if (rc)
		goto fail_dma;
	rc = soft_irq_machine_init();
	if (rc)
		goto fail_irq;
	rc = -ENOMEM;
	soft_machine.queue = os_linux_alloc_fails() ? NULL : alloc_ordered_workqueue("softh100", 0);
	if (!soft_machine.queue)
		goto fail_queue;
	rc = create_gpus();
	if (rc)
		goto fail_gpus;
	rc = soft_bus_init();
	if (rc)
		goto fail_bus;
	rc = soft_device_init();
	if (rc)
		goto fail_device;
	soft_debug_init();
	return 0;

fail_device:
	soft_bus_exit();
fail_bus:
	destroy_gpus();
fail_gpus:
	destroy_workqueue(soft_machine.queue);
fail_queue:
	soft_irq_machine_exit();
fail_irq:
	soft_dma_machine_exit();
fail_dma:
	soft_place_release();
	return rc;
}

/* No file is open and no driver has the access table: both keep the module. */
static void end_machine(void)
{
	soft_device_exit();
	soft_debug_exit();
	flush_workqueue(soft_machine.queue);
	soft_bus_exit();
	destroy_workqueue(soft_machine.queue);
	destroy_gpus();
	soft_irq_machine_exit();
	soft_dma_machine_exit();
	soft_place_release();
}

static int __init softh100_init(void)
{
	int rc;

	init_waitqueue_head(&soft_machine.attached);
	init_rwsem(&soft_machine.mapped);
	soft_machine.dir = debugfs_create_dir("softh100", NULL);
	rc = os_linux_init("softh100", soft_machine.dir);
	if (rc)
		goto fail_os;
	rc = check_parameters();
	if (rc)
		goto fail;
	inject_arm(fail_load, 0);
	rc = begin_machine();
	inject_arm(0, 0);
	if (rc)
		goto fail;
	start_processes();
	return 0;

fail:
	os_linux_exit();
fail_os:
	debugfs_remove(soft_machine.dir);
	return rc;
}

static void __exit softh100_exit(void)
{
	end_machine();
	os_linux_exit();
	debugfs_remove(soft_machine.dir);
}

module_init(softh100_init);
module_exit(softh100_exit);
MODULE_DESCRIPTION("Software H100 GPUs on a virtual PCI bus");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION("0.1.0");
