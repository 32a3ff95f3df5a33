// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The hash by which a control command finds the function that serves it: built once, never more
 * than a quarter full, so that nearly every look-up is one probe. The product's high bits choose
 * the slot: the low ones depend on the command's low ones alone.
 */
#include "base/bits.h"
#include "h100/gsp/firmware.h"

static u32 slot_of(const struct fw *fw, u32 cmd)
{
	return cmd * 0x9e3779b1u >> fw->control_shift;
}

const struct fw_slot *fw_control_find(const struct fw *fw, u32 cmd)
{
	u32 slot = slot_of(fw, cmd);

	while (fw->controls[slot].control && fw->controls[slot].control->cmd != cmd)
		slot = (slot + 1) & fw->control_mask;
	return &fw->controls[slot];
}

enum nv_status fw_controls_build(struct fw *fw)
{
	const struct fw_control_group *const *group;
	u32 i, count = 0, slots;

	for (group = fw_control_groups; *group; group++)
		count += (*group)->count;
	slots = 8u << bits_log2(max(count, 8u));
	fw->controls = os_alloc(slots * sizeof(*fw->controls));
	if (!fw->controls)
		return NV_ERR_NO_MEMORY;
	fw->control_mask = slots - 1;
	fw->control_shift = 32 - bits_log2(slots);
	for (group = fw_control_groups; *group; group++)
		for (i = 0; i < (*group)->count; i++) {
			const struct fw_control *control = &(*group)->controls[i];
			u32 slot = slot_of(fw, control->cmd);

			if (fw_control_find(fw, control->cmd)->control) {
				fw_log(fw, OS_LOG_ERROR,
				       "control 0x%08x is served twice, again in %s", control->cmd,
				       (*group)->name);
				return NV_ERR_INVALID_STATE;
			}
			while (fw->controls[slot].control)
				slot = (slot + 1) & fw->control_mask;
			fw->controls[slot].control = control;
			fw->controls[slot].info = abi_control_find(control->cmd);
		}
	return NV_OK;
}
