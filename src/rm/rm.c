// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The instance: made before the first GPU is found, gone after the last file is closed. Also its
 * power lock, which every request holds shared.
 */
#include "rm/instance.h"

#include "rm/api/api.h"
#include "rm/caps.h"
#include "rm/class/class.h"
#include "rm/class/state.h"
#include "rm/gpu/gpu.h"
#include "rm/options.h"
#include "rm/parameters.h"

static enum nv_status power_init(struct rm_power *power)
{
	enum nv_status status;

	status = os_percpu_rwlock_init(&power->lock, LOCK_RANK_POWER, "rm power");
	if (status != NV_OK)
		return status;
	status = os_event_init(&power->resumed);
	if (status != NV_OK)
		os_percpu_rwlock_destroy(&power->lock);
	return status;
}

static void power_fini(struct rm_power *power)
{
	os_event_destroy(&power->resumed);
	os_percpu_rwlock_destroy(&power->lock);
}

enum nv_status rm_power_wait(struct rm *rm, u32 *token)
{
	struct rm_power *power = &rm->power;
	enum nv_status status;

	do {
		os_percpu_rwlock_read_unlock(&power->lock, *token);
		status = os_event_wait_signal(&power->resumed, ~(u64)0);
		if (status != NV_OK)
			return status;
		*token = os_percpu_rwlock_read_lock(&power->lock);
	} while (power->suspended);
	return NV_OK;
}

void rm_power_suspend(struct rm *rm)
{
	os_percpu_rwlock_write_lock(&rm->power.lock);
	rm->power.suspended = true;
	os_event_reset(&rm->power.resumed);
	os_percpu_rwlock_write_unlock(&rm->power.lock);
}

void rm_power_resume(struct rm *rm)
{
	os_percpu_rwlock_write_lock(&rm->power.lock);
	rm->power.suspended = false;
	os_event_signal(&rm->power.resumed);
	os_percpu_rwlock_write_unlock(&rm->power.lock);
}

static const struct rm_numa numa_none = { .node = RM_NUMA_NO_NODE, .online = true };

static void options_free(struct rm *rm)
{
	u32 i;

	for (i = 0; i < RM_OPTION_COUNT; i++)
		os_free(rm->options[i]);
}

static enum nv_status options_copy(struct rm *rm, const struct rm_config *config)
{
	size_t size;
	u32 i;

	for (i = 0; i < RM_OPTION_COUNT; i++) {
		if (!config->options[i])
			continue;
		size = os_strnlen(config->options[i], ~(size_t)0) + 1;
		rm->options[i] = os_alloc(size);
		if (!rm->options[i]) {
			options_free(rm);
			return NV_ERR_NO_MEMORY;
		}
		os_memcpy(rm->options[i], config->options[i], size);
	}
	return NV_OK;
}

#define PARAMETER_ENTRY(name, value) { #name, (u32)(value) },

/* Each layer over the one before: what is documented, the host's own, and the option's. */
static enum nv_status registry_fill(struct rm *rm, const struct rm_config *config)
{
	static const struct rm_registry_entry parameters[] = { RM_PARAMETERS(PARAMETER_ENTRY) };
	const struct rm_registry_entry *entry;
	u32 i;

	if (rm_registry_init(&rm->registry, parameters, ARRAY_SIZE(parameters)) != NV_OK)
		return NV_ERR_NO_MEMORY;
	for (i = 0; i < config->registry_count; i++) {
		entry = &config->registry[i];
		if (rm_registry_write_dword(rm, NULL, entry->name, entry->value) != NV_OK)
			goto fail;
	}
	if (rm_options_apply(rm, rm->options[RM_OPTION_REGISTRY_DWORDS]) == NV_OK)
		return NV_OK;
fail:
	rm_registry_fini(&rm->registry);
	return NV_ERR_NO_MEMORY;
}

enum nv_status rm_create(const struct rm_config *config, struct rm **out)
{
	const char *version = config->version ? config->version : RM_DEFAULT_VERSION;
	struct handle_map_key key;
	struct rm *rm;
	enum nv_status status;
	u32 i;

	if (os_strnlen(version, RM_VERSION_LENGTH) == RM_VERSION_LENGTH)
		return NV_ERR_INVALID_STRING_LENGTH;
	rm = os_alloc(sizeof(*rm));
	if (!rm)
		return NV_ERR_NO_MEMORY;
	os_memcpy(rm->version, version, os_strnlen(version, RM_VERSION_LENGTH));
	rm->host = config->host;
	rm->uvm_major = config->uvm_major;
	rm->cc_root = config->cc_root;
	rm->cc_root_bytes = config->cc_root_bytes;
	if (os_random(&rm->instance_id, sizeof(rm->instance_id)) != NV_OK)
		rm->instance_id = os_time_real_ns();
	list_init(&rm->gpu_files);
	list_init(&rm->closing);
	for (i = 0; i < RM_MAX_GPUS; i++)
		rm->numa[i] = numa_none;
	os_spinlock_init(&rm->event_lock, "rm events");

	status = power_init(&rm->power);
	if (status != NV_OK)
		goto fail_power;
	status = os_mutex_init(&rm->file_lock, LOCK_RANK_LEAF, "rm files");
	if (status != NV_OK)
		goto fail_file_lock;
	status = os_mutex_init(&rm->names_lock, LOCK_RANK_LEAF, "rm event names");
	if (status != NV_OK)
		goto fail_names_lock;
	status = os_mutex_init(&rm->uvm_lock, LOCK_RANK_UVM_LISTEN, "rm uvm");
	if (status != NV_OK)
		goto fail_uvm_lock;
	status = handle_map_key_init(&key);
	if (status != NV_OK)
		goto fail_names;
	handle_map_init(&rm->names, &key);
	status = options_copy(rm, config);
	if (status != NV_OK)
		goto fail_names;
	status = registry_fill(rm, config);
	if (status != NV_OK)
		goto fail_registry;
	for (i = 0; i < RM_CAPS; i++)
		rm->cap_modify[i] = (s32)rm_setting(rm, "ModifyDeviceFiles");
	status = rm_class_state_create(rm);
	if (status != NV_OK)
		goto fail_classes;
	status = rm_server_create(rm, rm_classes, rm_class_count, &rm->server);
	if (status != NV_OK)
		goto fail_server;
	*out = rm;
	return NV_OK;

fail_server:
	rm_class_state_destroy(rm);
fail_classes:
	rm_registry_fini(&rm->registry);
fail_registry:
	options_free(rm);
fail_names:
	os_mutex_destroy(&rm->uvm_lock);
fail_uvm_lock:
	os_mutex_destroy(&rm->names_lock);
fail_names_lock:
	os_mutex_destroy(&rm->file_lock);
fail_file_lock:
	power_fini(&rm->power);
fail_power:
	os_free(rm);
	return status;
}

void rm_destroy(struct rm *rm)
{
	if (!rm)
		return;
	OS_BUG_ON(rm->gpu_count != 0);
	OS_BUG_ON(handle_map_count(&rm->names) != 0);
	rm_server_destroy(rm->server);
	rm_class_state_destroy(rm);
	rm_registry_fini(&rm->registry);
	options_free(rm);
	handle_map_destroy(&rm->names);
	os_mutex_destroy(&rm->uvm_lock);
	os_mutex_destroy(&rm->names_lock);
	os_mutex_destroy(&rm->file_lock);
	power_fini(&rm->power);
	os_free(rm);
}

const char *rm_version(const struct rm *rm)
{
	return rm->version;
}

u32 rm_setting(struct rm *rm, const char *name)
{
	u32 value;

	return rm_registry_read_dword(rm, NULL, name, &value) == NV_OK ? value : 0;
}

struct rm_server *rm_server(const struct rm *rm)
{
	return rm->server;
}

struct rm_numa *rm_numa_of(struct rm *rm, const struct rm_gpu *gpu)
{
	return &rm->numa[gpu->instance];
}

void rm_numa_reset(struct rm *rm, const struct rm_gpu *gpu)
{
	os_mutex_lock(&rm->file_lock);
	rm->numa[gpu->instance] = numa_none;
	os_mutex_unlock(&rm->file_lock);
}
