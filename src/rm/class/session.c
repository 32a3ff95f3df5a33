// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Classes that grant a right for as long as they exist: AMPERE_SMC_CONFIG_SESSION and
 * AMPERE_SMC_MONITOR_SESSION (configuring and watching MIG), FABRIC_MANAGER_SESSION, and
 * NV0020_GPU_MANAGEMENT. The right is proved by a descriptor of a capability node, whose file the
 * escape has found (escape/object.c).
 */
#include "rm/caps.h"
#include "rm/class/class.h"
#include "rm/class/state.h"

struct rm_session {
	struct rm_object object;
	struct rm_file *cap; /* referenced */
};

static struct rm_session *to_session(struct rm_object *object)
{
	return container_of(object, struct rm_session, object);
}

static void session_destruct(struct rm_call *call, struct rm_object *object)
{
	rm_cap_release(call->rm, to_session(object)->cap);
}

static enum nv_status config_construct(struct rm_call *call, struct rm_object *object, void *params,
				       u32 params_size)
{
	return rm_cap_acquire(call, RM_CAP_MIG_CONFIG, &to_session(object)->cap);
}

static enum nv_status monitor_construct(struct rm_call *call, struct rm_object *object,
					void *params, u32 params_size)
{
	return rm_cap_acquire(call, RM_CAP_MIG_MONITOR, &to_session(object)->cap);
}

/* One fabric manager at a time, and never the driver itself. */
static enum nv_status fabric_construct(struct rm_call *call, struct rm_object *object, void *params,
				       u32 params_size)
{
	struct rm_class_state *state = call->rm->classes;
	enum nv_status status;

	if (call->kernel)
		return NV_ERR_NOT_SUPPORTED;
	os_mutex_lock(&state->session_lock);
	status = state->fabric_manager ? NV_ERR_STATE_IN_USE : NV_OK;
	os_mutex_unlock(&state->session_lock);
	if (status != NV_OK)
		return status;
	status = rm_cap_acquire(call, RM_CAP_FABRIC_MGMT, &to_session(object)->cap);
	if (status != NV_OK)
		return status;
	os_mutex_lock(&state->session_lock);
	if (state->fabric_manager)
		status = NV_ERR_STATE_IN_USE;
	else
		state->fabric_manager = true;
	os_mutex_unlock(&state->session_lock);
	if (status != NV_OK)
		rm_cap_release(call->rm, to_session(object)->cap);
	else
		object->client->fabric_manager = true;
	return status;
}

static void fabric_destruct(struct rm_call *call, struct rm_object *object)
{
	struct rm_class_state *state = call->rm->classes;

	os_mutex_lock(&state->session_lock);
	state->fabric_manager = false;
	state->fabric_initialized = false;
	os_mutex_unlock(&state->session_lock);
	object->client->fabric_manager = false;
	session_destruct(call, object);
}

static enum nv_status fabric_set_state(struct rm_call *call, void *params)
{
	os_mutex_lock(&call->rm->classes->session_lock);
	call->rm->classes->fabric_initialized = true;
	os_mutex_unlock(&call->rm->classes->session_lock);
	return NV_OK;
}

static enum nv_status fabric_clear_state(struct rm_call *call, void *params)
{
	os_mutex_lock(&call->rm->classes->session_lock);
	call->rm->classes->fabric_initialized = false;
	os_mutex_unlock(&call->rm->classes->session_lock);
	return NV_OK;
}

static const struct rm_control_handler fabric_controls[] = {
	{ NV000F_CTRL_CMD_SET_FM_STATE, fabric_set_state },
	{ NV000F_CTRL_CMD_CLEAR_FM_STATE, fabric_clear_state },
};

const struct rm_class rm_class_mig_config_session = {
	.iclass = ABI_ICLASS_MIGConfigSession,
	.object_size = sizeof(struct rm_session),
	.construct = config_construct,
	.destruct = session_destruct,
};

const struct rm_class rm_class_mig_monitor_session = {
	.iclass = ABI_ICLASS_MIGMonitorSession,
	.object_size = sizeof(struct rm_session),
	.construct = monitor_construct,
	.destruct = session_destruct,
};

const struct rm_class rm_class_fabric_manager_session = {
	.iclass = ABI_ICLASS_FmSessionApi,
	.object_size = sizeof(struct rm_session),
	.construct = fabric_construct,
	.destruct = fabric_destruct,
	.controls = fabric_controls,
	.control_count = ARRAY_SIZE(fabric_controls),
};

const struct rm_class rm_class_gpu_management = {
	.iclass = ABI_ICLASS_GpuManagementApi,
	.object_size = sizeof(struct rm_object),
};
