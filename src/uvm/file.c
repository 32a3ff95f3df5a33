// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The instance, and files from open to close (uvm/uvm.h). */
#include "uvm/event.h"
#include "uvm/evict.h"

#define RESUME_POLL_US 10000u

static const struct rm_uvm_listener listener = {
	.gone = uvm_spaces_gpu_gone,
	.suspend = uvm_spaces_suspend,
	.reclaim = uvm_evict_for_others,
};

enum nv_status uvm_create(const struct uvm_config *config, struct uvm **out)
{
	struct uvm *uvm = os_alloc(sizeof(*uvm));
	enum nv_status status;

	if (!uvm)
		return NV_ERR_NO_MEMORY;
	status = os_mutex_init(&uvm->lock, LOCK_RANK_UVM_GLOBAL, "uvm");
	if (status != NV_OK) {
		os_free(uvm);
		return status;
	}
	status = os_mutex_init(&uvm->devices_lock, LOCK_RANK_UVM_DEVICES, "uvm devices");
	if (status != NV_OK)
		goto destroy_lock;
	status = os_mutex_init(&uvm->across_lock, LOCK_RANK_UVM_ACROSS, "uvm across");
	if (status != NV_OK)
		goto destroy_devices_lock;
	list_init(&uvm->spaces);
	list_init(&uvm->devices);
	list_init(&uvm->holders);
	uvm->rm = config->rm;
	uvm->host = config->host;
	uvm->populate_managed = config->populate_managed;
	uvm->builtin_tests = config->builtin_tests;
	rm_uvm_listen(uvm->rm, &listener, uvm);
	*out = uvm;
	return NV_OK;

destroy_devices_lock:
	os_mutex_destroy(&uvm->devices_lock);
destroy_lock:
	os_mutex_destroy(&uvm->lock);
	os_free(uvm);
	return status;
}

void uvm_destroy(struct uvm *uvm)
{
	OS_BUG_ON(os_load_acquire(&uvm->files));
	rm_uvm_listen(uvm->rm, NULL, NULL);
	OS_BUG_ON(!list_empty(&uvm->devices));
	os_mutex_destroy(&uvm->across_lock);
	os_mutex_destroy(&uvm->devices_lock);
	os_mutex_destroy(&uvm->lock);
	os_free(uvm);
}

enum nv_status uvm_file_open(struct uvm *uvm, enum uvm_node node, void *host_ctx,
			     struct uvm_file **out)
{
	struct uvm_file *file = os_alloc(sizeof(*file));

	if (!file)
		return NV_ERR_NO_MEMORY;
	file->uvm = uvm;
	file->node = node;
	file->host_ctx = host_ctx;
	os_fetch_add(&uvm->files, 1);
	*out = file;
	return NV_OK;
}

static void space_mm_gone(struct uvm_space *space, bool wanted)
{
	struct rm *rm = space->uvm->rm;
	u32 token;

	/* Nor can a process's end be put off. */
	while (rm_uvm_enter(rm, &token) != NV_OK)
		os_sleep_us(RESUME_POLL_US);
	uvm_space_mm_gone(space, wanted);
	rm_uvm_leave(rm, token);
}

/* The process's hold on the space of another file ends. It may live on, and want its data. */
static void mm_close(struct uvm_file *file)
{
	struct uvm_file *of = file->mm_of;

	space_mm_gone(of->space, true);
	file->uvm->host->file_put(of);
}

void uvm_file_close(struct uvm_file *file)
{
	struct uvm *uvm = file->uvm;
	u32 state = os_load_acquire(&file->state), token;

	OS_BUG_ON(state == UVM_FILE_BUSY);
	if (state == UVM_FILE_TOOLS) {
		uvm_observer_close(file);
	} else if (state == UVM_FILE_MM) {
		mm_close(file);
	} else if (state == UVM_FILE_SPACE) {
		/* A close cannot fail: it waits for a resume whatever signals there are. */
		while (rm_uvm_enter(uvm->rm, &token) != NV_OK)
			os_sleep_us(RESUME_POLL_US);
		uvm_space_destroy(file->space);
		rm_uvm_leave(uvm->rm, token);
	}
	os_free(file);
	os_fetch_sub(&uvm->files, 1);
}

void *uvm_file_host_ctx(const struct uvm_file *file)
{
	return file->host_ctx;
}

u64 uvm_file_mm(const struct uvm_file *file)
{
	return os_load_acquire(&file->state) == UVM_FILE_SPACE ? file->space->mm : 0;
}

void uvm_file_mm_gone(struct uvm_file *file)
{
	if (os_load_acquire(&file->state) == UVM_FILE_SPACE)
		space_mm_gone(file->space, false);
}

enum uvm_poll uvm_file_poll(struct uvm_file *file)
{
	return file->node == UVM_NODE_TOOLS ? uvm_observer_poll(file) : UVM_POLL_NOTHING;
}

enum nv_status uvm_initialize(struct uvm_file *file, void *params)
{
	UVM_INITIALIZE_PARAMS *p = params;
	enum nv_status status;

	if (os_cmpxchg32(&file->state, UVM_FILE_NEW, UVM_FILE_BUSY)) {
		status = uvm_space_create(file, p->flags, &file->space);
		os_store_release(&file->state,
				 status == NV_OK ? (u32)UVM_FILE_SPACE : (u32)UVM_FILE_NEW);
		return status;
	}
	switch (os_load_acquire(&file->state)) {
	case UVM_FILE_SPACE:
		/* Again, and for every process that the file was handed to. */
		return p->flags == file->space->flags ? NV_OK : NV_ERR_INVALID_ARGUMENT;
	case UVM_FILE_MM:
		return NV_ERR_INVALID_ARGUMENT;
	default:
		return NV_ERR_BUSY_RETRY;
	}
}

/*
 * The space's process is named for good, by a file that lives as long as the process does; whoever
 * has both files may do so, and closes it for all.
 */
static enum nv_status mm_attach(struct uvm_space *space)
{
	enum nv_status status = NV_OK;

	os_mutex_lock(&space->lock);
	switch (space->mm_state) {
	case UVM_MM_ALIVE:
		status = NV_ERR_INVALID_STATE;
		break;
	case UVM_MM_RELEASED:
		status = NV_ERR_PAGE_TABLE_NOT_AVAIL;
		break;
	case UVM_MM_UNINITIALIZED:
		space->mm_state = UVM_MM_ALIVE;
		break;
	}
	os_mutex_unlock(&space->lock);
	return status;
}

enum nv_status uvm_mm_initialize(struct uvm_file *file, void *params)
{
	UVM_MM_INITIALIZE_PARAMS *p = params;
	struct uvm_file *of = file->uvm->host->file_get(p->uvmFd);
	enum nv_status status = NV_ERR_INVALID_ARGUMENT;

	if (!of)
		return status;
	if (of->node != UVM_NODE_UVM || of->uvm != file->uvm ||
	    os_load_acquire(&of->state) != UVM_FILE_SPACE)
		goto put;
	if (!of->space->mm) {
		/* Shared by processes: nobody's life counts. */
		status = NV_WARN_NOTHING_TO_DO;
		goto put;
	}
	if (!os_cmpxchg32(&file->state, UVM_FILE_NEW, UVM_FILE_BUSY)) {
		status = NV_ERR_IN_USE;
		goto put;
	}
	status = mm_attach(of->space);
	if (status == NV_OK)
		file->mm_of = of;
	os_store_release(&file->state, status == NV_OK ? (u32)UVM_FILE_MM : (u32)UVM_FILE_NEW);
	if (status == NV_OK)
		return NV_OK;
put:
	file->uvm->host->file_put(of);
	return status;
}
