/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How a client wants memory mapped on a GPU: the numbers of UvmGpuMappingAttributes
 * (UvmGpuMappingType, UvmGpuCachingType, UvmGpuFormatType, UvmGpuFormatElementBits,
 * UvmGpuCompressionType).
 */
#ifndef UVM_ATTRIBUTES_H
#define UVM_ATTRIBUTES_H

#include "uvm/internal.h"

enum uvm_mapping_type {
	UVM_MAPPING_DEFAULT,
	UVM_MAPPING_READ_WRITE_ATOMIC,
	UVM_MAPPING_READ_WRITE,
	UVM_MAPPING_READ_ONLY,
	UVM_MAPPING_COUNT,
};

enum uvm_caching_type {
	UVM_CACHING_DEFAULT,
	UVM_CACHING_UNCACHED,
	UVM_CACHING_CACHED,
	UVM_CACHING_COUNT,
};

enum uvm_format_type { UVM_FORMAT_DEFAULT, UVM_FORMAT_BLOCK_LINEAR, UVM_FORMAT_COUNT };

/* 8, 16, 32, 64, 128 bits; 3 is not used. */
#define UVM_ELEMENT_DEFAULT 0u
#define UVM_ELEMENT_UNUSED 3u
#define UVM_ELEMENT_COUNT 7u

enum uvm_compression_type {
	UVM_COMPRESSION_DEFAULT,
	UVM_COMPRESSION_NO_PLC, /* compressed, but not behind the L2 */
	UVM_COMPRESSION_COUNT,
};

static inline bool uvm_attributes_ok(const UvmGpuMappingAttributes *a)
{
	return a->gpuMappingType < UVM_MAPPING_COUNT && a->gpuCachingType < UVM_CACHING_COUNT &&
	       a->gpuCompressionType < UVM_COMPRESSION_COUNT &&
	       a->gpuFormatType < UVM_FORMAT_COUNT && a->gpuElementBits < UVM_ELEMENT_COUNT &&
	       a->gpuElementBits != UVM_ELEMENT_UNUSED &&
	       (a->gpuFormatType == UVM_FORMAT_DEFAULT) ==
		       (a->gpuElementBits == UVM_ELEMENT_DEFAULT);
}

static inline enum uvm_protection uvm_mapping_protection(u32 mapping_type)
{
	switch (mapping_type) {
	case UVM_MAPPING_READ_ONLY:
		return UVM_PROTECTION_READ;
	case UVM_MAPPING_READ_WRITE:
		return UVM_PROTECTION_WRITE;
	default:
		return UVM_PROTECTION_ATOMIC;
	}
}

#endif
