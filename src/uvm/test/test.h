/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Built-in tests: ioctls (UVM_TEST_*, from 200 on) by which a client looks into a VA space, has
 * something fail, or has the running driver test its own parts with the GPUs that the file has
 * registered. They are there where uvm_config.builtin_tests says so.
 *
 *   probe.c   what a range, a block, a page, a group, a GPU is; splits, errors to come
 *   random.c  numbers for those that follow
 *   tree.c    trees of ranges        groups.c  range groups       blocks.c  managed ranges
 *   memory.c  system and video memory            chunks.c  chunks of video memory, eviction
 *   push.c    semaphores, trackers, pushes, channels              stress.c  very many of them
 *   copy.c    copy and host engines
 *   tables.c  page tables
 *   system.c  locks, work queues
 *
 * A test that finds what must not be logs it and gives NV_ERR_INVALID_STATE; one that lacks memory
 * gives NV_ERR_NO_MEMORY, one that GPUs fail gives their status. Whatever it was, nothing of the
 * test is left. Those that use GPUs hold the space's lock, so that none goes meanwhile; of GPUs in
 * confidential mode they ask nothing (NV_ERR_NOT_SUPPORTED). What may take long ends at a signal
 * (NV_ERR_SIGNAL_PENDING).
 */
#ifndef UVM_TEST_TEST_H
#define UVM_TEST_TEST_H

#include "uvm/command.h"
#include "uvm/queue.h"

/* The test of that number, or NULL. */
const struct uvm_command *uvm_test_command(u32 cmd);

/* NV_ERR_INVALID_STATE, and a line in the log. */
enum nv_status uvm_test_failed(const char *file, u32 line, const char *what);
/* NV_ERR_SIGNAL_PENDING when the calling thread has a signal to act on, else NV_OK. */
enum nv_status uvm_test_go_on(void);
/* Sleeps so long, unless a signal comes. */
enum nv_status uvm_test_sleep(u64 us);

/* Ends the function unless the condition holds. */
#define TEST_CHECK(condition)                                                   \
	do {                                                                    \
		if (!(condition))                                               \
			return uvm_test_failed(__FILE__, __LINE__, #condition); \
	} while (0)
/* Ends the function unless the call succeeds. */
#define TEST_OK(call)                        \
	do {                                 \
		enum nv_status ok_ = (call); \
		if (ok_ != NV_OK)            \
			return ok_;          \
	} while (0)

/* Runs the test on every GPU of the file's space, under its lock, until one fails. */
enum nv_status uvm_test_each_gpu(struct uvm_file *file,
				 enum nv_status (*run)(struct uvm_gpu *gpu, void *ctx), void *ctx);

/* -- random.c: the same for the same seed --------------------------------------------------------
 */

struct uvm_test_random {
	u64 state;
};

void uvm_test_random_init(struct uvm_test_random *random, u32 seed);
u64 uvm_test_random(struct uvm_test_random *random);
/* Any of first .. last alike. */
u64 uvm_test_random_in(struct uvm_test_random *random, u64 first, u64 last);

/* -- push.c --------------------------------------------------------------------------------------
 */

/* Words of a device's session that its channels write and the CPU reads, all 0 at first. */
struct uvm_test_words {
	struct rm_uvm_buffer *buffer;
	u32 *cpu;
	u64 address; /* of them on the GPU */
};

/* bytes is a multiple of the page size. */
enum nv_status uvm_test_words_alloc(struct uvm_gpu *gpu, u64 bytes, struct uvm_test_words *words);
void uvm_test_words_free(struct uvm_test_words *words);
u32 uvm_test_word(const struct uvm_test_words *words, u32 index);
/* Submits a push on that queue, after what the tracker (NULL: nothing) has, which writes the word.
 */
enum nv_status uvm_test_write_word(struct uvm_gpu *gpu, enum uvm_queue_kind kind,
				   struct uvm_tracker *after, const struct uvm_test_words *words,
				   u32 index, u32 value, struct uvm_tracker_entry *entry);

/* -- copy.c --------------------------------------------------------------------------------------
 */

/* Bytes that a copy reads or writes: system memory from offset on, or video memory. */
struct uvm_test_bytes {
	const struct os_pages *pages; /* as the GPU reaches them; NULL: video memory */
	u64 offset;		      /* in them, or in the GPU's memory */
};

/* Copies on the queue for that way, and waits. */
enum nv_status uvm_test_copy(struct uvm_gpu *gpu, struct uvm_test_bytes to,
			     struct uvm_test_bytes from, u64 size, enum uvm_order order);

/* -- The ioctls ----------------------------------------------------------------------------------
 */

enum nv_status uvm_test_get_gpu_ref_count(struct uvm_file *file, void *params);
enum nv_status uvm_test_peer_ref_count(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_range_info(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_range_split(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_range_inject_split_error(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_range_inject_add_error(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_space_inject_error(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_block_info(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_residency_info(struct uvm_file *file, void *params);
enum nv_status uvm_test_range_group_range_info(struct uvm_file *file, void *params);
enum nv_status uvm_test_range_group_range_count(struct uvm_file *file, void *params);
enum nv_status uvm_test_check_channel_va_space(struct uvm_file *file, void *params);
enum nv_status uvm_test_get_gpu_time(struct uvm_file *file, void *params);
enum nv_status uvm_test_pageable_type(struct uvm_file *file, void *params);
enum nv_status uvm_test_rng_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_range_tree_directed(struct uvm_file *file, void *params);
enum nv_status uvm_test_range_tree_random(struct uvm_file *file, void *params);
enum nv_status uvm_test_range_group_tree(struct uvm_file *file, void *params);
enum nv_status uvm_test_va_block(struct uvm_file *file, void *params);
enum nv_status uvm_test_kvmalloc(struct uvm_file *file, void *params);
enum nv_status uvm_test_mem_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_rm_mem_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_pmm_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_pmm_check_leak(struct uvm_file *file, void *params);
enum nv_status uvm_test_pmm_alloc_free_root(struct uvm_file *file, void *params);
enum nv_status uvm_test_evict_chunk(struct uvm_file *file, void *params);
enum nv_status uvm_test_inject_evict_error(struct uvm_file *file, void *params);
enum nv_status uvm_test_gpu_semaphore_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_tracker_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_push_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_channel_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_channel_stress(struct uvm_file *file, void *params);
enum nv_status uvm_test_ce_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_host_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_page_tree(struct uvm_file *file, void *params);
enum nv_status uvm_test_lock_sanity(struct uvm_file *file, void *params);
enum nv_status uvm_test_nv_kthread_q(struct uvm_file *file, void *params);
enum nv_status uvm_test_inject_tools_event(struct uvm_file *file, void *params);
enum nv_status uvm_test_increment_tools_counter(struct uvm_file *file, void *params);

#endif
