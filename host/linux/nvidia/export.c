// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What nvidia-uvm.ko has of this module beside its instance: rm/uvm.h, and pages and registers of
 * devices, which are this module's os/linux's.
 */
#include <linux/export.h>

#include "os/linux/linux.h"
#include "rm/uvm.h"

EXPORT_SYMBOL_GPL(rm_uvm_enter);
EXPORT_SYMBOL_GPL(rm_uvm_leave);
EXPORT_SYMBOL_GPL(rm_uvm_listen);
EXPORT_SYMBOL_GPL(rm_uvm_file_get);
EXPORT_SYMBOL_GPL(rm_uvm_file_put);
EXPORT_SYMBOL_GPL(rm_uvm_gpu_get);
EXPORT_SYMBOL_GPL(rm_uvm_gpu_put);
EXPORT_SYMBOL_GPL(rm_uvm_gpu_is_lost);
EXPORT_SYMBOL_GPL(rm_uvm_gpu_pci);
EXPORT_SYMBOL_GPL(rm_uvm_peer_create);
EXPORT_SYMBOL_GPL(rm_uvm_peer_destroy);
EXPORT_SYMBOL_GPL(rm_uvm_vaspace_get);
EXPORT_SYMBOL_GPL(rm_uvm_vaspace_put);
EXPORT_SYMBOL_GPL(rm_uvm_vaspace_set_page_directory);
EXPORT_SYMBOL_GPL(rm_uvm_vaspace_unset_page_directory);
EXPORT_SYMBOL_GPL(rm_uvm_tlb_invalidate);
EXPORT_SYMBOL_GPL(rm_uvm_tlb_settled);
EXPORT_SYMBOL_GPL(rm_uvm_vaspace_pause);
EXPORT_SYMBOL_GPL(rm_uvm_vaspace_go_on);
EXPORT_SYMBOL_GPL(rm_uvm_memory_get);
EXPORT_SYMBOL_GPL(rm_uvm_memory_put);
EXPORT_SYMBOL_GPL(rm_uvm_memory_segment);
EXPORT_SYMBOL_GPL(rm_uvm_channel_get);
EXPORT_SYMBOL_GPL(rm_uvm_channel_bind);
EXPORT_SYMBOL_GPL(rm_uvm_channel_stop);
EXPORT_SYMBOL_GPL(rm_uvm_channel_put);
EXPORT_SYMBOL_GPL(rm_uvm_video_alloc);
EXPORT_SYMBOL_GPL(rm_uvm_video_free);
EXPORT_SYMBOL_GPL(rm_uvm_video_write);
EXPORT_SYMBOL_GPL(rm_uvm_session_create);
EXPORT_SYMBOL_GPL(rm_uvm_session_destroy);
EXPORT_SYMBOL_GPL(rm_uvm_buffer_alloc);
EXPORT_SYMBOL_GPL(rm_uvm_buffer_alloc_video);
EXPORT_SYMBOL_GPL(rm_uvm_buffer_free);
EXPORT_SYMBOL_GPL(rm_uvm_buffer_share);
EXPORT_SYMBOL_GPL(rm_uvm_queue_create);
EXPORT_SYMBOL_GPL(rm_uvm_queue_stop);
EXPORT_SYMBOL_GPL(rm_uvm_queue_destroy);
EXPORT_SYMBOL_GPL(rm_uvm_queue_error);
EXPORT_SYMBOL_GPL(rm_uvm_is_confidential);
EXPORT_SYMBOL_GPL(rm_uvm_csl_increment_iv);
EXPORT_SYMBOL_GPL(rm_uvm_csl_encrypt);
EXPORT_SYMBOL_GPL(rm_uvm_csl_decrypt);
EXPORT_SYMBOL_GPL(rm_uvm_csl_rotate_iv);
EXPORT_SYMBOL_GPL(rm_uvm_csl_sign);
EXPORT_SYMBOL_GPL(rm_uvm_csl_query_message_pool);

EXPORT_SYMBOL_GPL(os_pages_alloc);
EXPORT_SYMBOL_GPL(os_pages_free);
EXPORT_SYMBOL_GPL(os_pages_pin);
EXPORT_SYMBOL_GPL(os_pages_share);
EXPORT_SYMBOL_GPL(os_pages_dma);
EXPORT_SYMBOL_GPL(os_linux_pages_page);
EXPORT_SYMBOL_GPL(os_pci_rd32);
EXPORT_SYMBOL_GPL(os_pci_rd64);
EXPORT_SYMBOL_GPL(os_pci_wr64);
EXPORT_SYMBOL_GPL(os_pci_wr32);
EXPORT_SYMBOL_GPL(os_pci_wait);
