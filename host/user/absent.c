// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the host says of parts that it can serve but that are not built yet, each until it is:
 * unified memory has no device nodes, nothing was prepared to be mapped.
 */
#include "h100/h100.h"
#include "uvm/uvm.h"

enum nv_status uvm_create(const struct uvm_config *config, struct uvm **out)
{
	return NV_ERR_NOT_SUPPORTED;
}

void uvm_destroy(struct uvm *uvm)
{
}

enum nv_status uvm_file_open(struct uvm *uvm, enum uvm_node node, void *host_ctx,
			     struct uvm_file **out)
{
	return NV_ERR_INVALID_DEVICE;
}

void uvm_file_close(struct uvm_file *file)
{
}

void *uvm_file_host_ctx(const struct uvm_file *file)
{
	return NULL;
}

enum uvm_result uvm_ioctl(struct uvm_file *file, u32 cmd, u64 arg)
{
	return UVM_RESULT_ENODEV;
}

bool uvm_file_poll(struct uvm_file *file)
{
	return false;
}

enum uvm_result uvm_file_mmap(struct uvm_file *file, u64 address, u64 size, u64 offset, u32 flags,
			      enum uvm_mmap_kind *kind)
{
	return UVM_RESULT_ENODEV;
}

void uvm_file_munmap(struct uvm_file *file, u64 address, u64 size)
{
}

void uvm_file_mm_gone(struct uvm_file *file)
{
}

enum uvm_result uvm_file_fault(struct uvm_file *file, u64 address, bool write,
			       struct uvm_extent *out,
			       enum uvm_result (*map)(void *ctx, const struct uvm_extent *extent),
			       void *ctx)
{
	return UVM_RESULT_ENODEV;
}
