// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Secure queues: the CPU's end of their channels, and semaphores that are believed only where the
 * engine has encrypted what they say (uvm/queue.h).
 */
#include "uvm/queue.h"

#define SEAL_TAG 32u
#define SEAL_IV 48u
#define ROTATE_TRIES 1000u /* the engine ends a push a moment after its semaphore */
#define ROTATE_PAUSE_US 100u

struct uvm_seals {
	struct os_mutex lock; /* LOCK_RANK_UVM_POOL: the context, and IVs */
	struct csl_iv ivs[UVM_QUEUE_SLOTS];
	struct rm_uvm_buffer *memory; /* the value before it is encrypted, in video memory */
	u64 value_at, semaphore;      /* there; in the channel's address space */
};

enum nv_status uvm_seals_create(struct uvm_queue *queue)
{
	struct uvm_seals *seals = os_alloc(sizeof(*seals));
	enum nv_status status;

	if (!seals)
		return NV_ERR_NO_MEMORY;
	status = os_mutex_init(&seals->lock, LOCK_RANK_UVM_POOL, "uvm csl");
	if (status != NV_OK)
		goto free_seals;
	status = rm_uvm_buffer_alloc_video(queue->device->session, UVM_PAGE_4K, &seals->memory,
					   &seals->semaphore, &seals->value_at);
	if (status != NV_OK)
		goto destroy_lock;
	queue->seals = seals;
	return NV_OK;

destroy_lock:
	os_mutex_destroy(&seals->lock);
free_seals:
	os_free(seals);
	return status;
}

void uvm_seals_destroy(struct uvm_queue *queue)
{
	struct uvm_seals *seals = queue->seals;

	if (!seals)
		return;
	queue->seals = NULL;
	rm_uvm_buffer_free(seals->memory);
	os_mutex_destroy(&seals->lock);
	os_free(seals);
}

u64 uvm_seals_semaphore(const struct uvm_queue *queue)
{
	return queue->seals->semaphore;
}

/* -- Messages ---------------------------------------------------------------------------------- */

enum nv_status uvm_queue_log_encryption(struct uvm_queue *queue, struct csl_iv *iv)
{
	enum nv_status status;

	os_mutex_lock(&queue->seals->lock);
	status = rm_uvm_csl_increment_iv(queue->rm, CSL_OPERATION_DECRYPT, 1, iv);
	os_mutex_unlock(&queue->seals->lock);
	return status;
}

enum nv_status uvm_queue_encrypt(struct uvm_queue *queue, u32 bytes, const void *plain,
				 void *cipher, void *tag)
{
	enum nv_status status;
	struct csl_iv iv;

	os_mutex_lock(&queue->seals->lock);
	status = rm_uvm_csl_increment_iv(queue->rm, CSL_OPERATION_ENCRYPT, 1, &iv);
	if (status == NV_OK)
		status = rm_uvm_csl_encrypt(queue->rm, bytes, plain, &iv, cipher, tag);
	os_mutex_unlock(&queue->seals->lock);
	return status;
}

enum nv_status uvm_queue_decrypt(struct uvm_queue *queue, u32 bytes, const void *cipher,
				 const struct csl_iv *iv, void *plain, const void *tag)
{
	u8 own[CSL_CRYPT_AUTH_TAG_SIZE];
	enum nv_status status;

	os_memcpy(own, tag, sizeof(own));
	os_mutex_lock(&queue->seals->lock);
	status = rm_uvm_csl_decrypt(queue->rm, bytes, cipher, iv, plain, own);
	os_mutex_unlock(&queue->seals->lock);
	return status;
}

/* -- Semaphores -------------------------------------------------------------------------------- */

enum nv_status uvm_seal_push(struct uvm_push *push, u64 value)
{
	struct uvm_queue *queue = push->queue;
	struct uvm_seals *seals = queue->seals;
	struct uvm_secret secret;
	enum nv_status status;

	if (!seals)
		return NV_OK;
	secret = (struct uvm_secret){
		.plain = { RM_UVM_VIDEO, seals->value_at },
		.cipher = queue->address + uvm_seal_at(value),
		.tag = queue->address + uvm_seal_at(value) + SEAL_TAG,
		.iv = queue->address + uvm_seal_at(value) + SEAL_IV,
		.bytes = sizeof(u32),
	};
	push->ce->fill(push->ce, &push->methods, &secret.plain, bits_low32(value), 1,
		       UVM_ORDER_AFTER);
	status = push->ce->encrypt(push->ce, &push->methods, &secret, UVM_ORDER_AFTER);
	if (status == NV_OK)
		status = uvm_queue_log_encryption(queue, &seals->ivs[value % UVM_QUEUE_SLOTS]);
	return status;
}

/* Lock of the seals; done is less than value, so its slot is that push's. */
static bool is_true(struct uvm_queue *queue, u64 value)
{
	const u8 *at = queue->cpu + uvm_seal_at(value);
	u8 tag[CSL_CRYPT_AUTH_TAG_SIZE];
	u32 payload;

	if (value > os_load_acquire(&queue->pushed))
		return false;
	os_memcpy(tag, at + SEAL_TAG, sizeof(tag));
	return rm_uvm_csl_decrypt(queue->rm, sizeof(payload), at,
				  &queue->seals->ivs[value % UVM_QUEUE_SLOTS], &payload,
				  tag) == NV_OK &&
	       payload == bits_low32(value);
}

bool uvm_seal_check(struct uvm_queue *queue, u64 value)
{
	bool good = true;

	os_mutex_lock(&queue->seals->lock);
	if (os_load_acquire(&queue->done) < value) {
		good = is_true(queue, value);
		if (good)
			os_store_release(&queue->done, value);
	}
	os_mutex_unlock(&queue->seals->lock);
	if (!good && uvm_device_status(queue->device) == NV_OK) {
		os_log(OS_LOG_ERROR, "unified memory: a semaphore says what the GPU did not");
		uvm_queues_fail(queue->device, NV_ERR_INVALID_DATA);
	}
	return good;
}

/* -- Counters ---------------------------------------------------------------------------------- */

enum nv_status uvm_csl_rotate(struct rm_uvm_queue *queue, enum csl_operation operation)
{
	enum nv_status status = NV_OK;
	u32 tries;

	for (tries = 0; tries < ROTATE_TRIES; tries++) {
		status = rm_uvm_csl_rotate_iv(queue, operation);
		if (status != NV_ERR_INVALID_STATE)
			break;
		os_sleep_us(ROTATE_PAUSE_US);
	}
	return status;
}

enum nv_status uvm_seals_renew(struct uvm_queue *queue)
{
	static const enum csl_operation operations[] = { CSL_OPERATION_ENCRYPT,
							 CSL_OPERATION_DECRYPT };
	enum nv_status status = NV_OK;
	u32 i;

	for (i = 0; queue->seals && i < ARRAY_SIZE(operations) && status == NV_OK; i++) {
		u64 left = 0;

		os_mutex_lock(&queue->seals->lock);
		status = rm_uvm_csl_query_message_pool(queue->rm, operations[i], &left);
		os_mutex_unlock(&queue->seals->lock);
		if (status != NV_OK || left >= UVM_PUSH_MESSAGES)
			continue;
		status = uvm_queue_wait(queue, queue->pushed);
		if (status != NV_OK)
			break;
		os_mutex_lock(&queue->seals->lock);
		status = uvm_csl_rotate(queue->rm, operations[i]);
		os_mutex_unlock(&queue->seals->lock);
	}
	return status;
}
