// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The CPU's end of UVM's secure channels (rm/uvm.h): contexts of rm/cc/csl.h. */
#include "rm/cc/session.h"
#include "rm/rm.h"
#include "rm/uvm/queue.h"

bool rm_uvm_is_confidential(const struct rm *rm)
{
	return rm_cc_is_enabled(rm);
}

enum nv_status rm_uvm_csl_increment_iv(struct rm_uvm_queue *queue, enum csl_operation operation,
				       u64 increment, struct csl_iv *iv)
{
	return csl_increment_iv(&queue->csl, operation, increment, iv);
}

enum nv_status rm_uvm_csl_encrypt(struct rm_uvm_queue *queue, u32 size, const void *plain,
				  struct csl_iv *iv, void *cipher, u8 tag[CSL_CRYPT_AUTH_TAG_SIZE])
{
	return csl_encrypt(&queue->csl, size, plain, iv, NULL, 0, cipher, tag);
}

enum nv_status rm_uvm_csl_decrypt(struct rm_uvm_queue *queue, u32 size, const void *cipher,
				  const struct csl_iv *iv, void *plain,
				  const u8 tag[CSL_CRYPT_AUTH_TAG_SIZE])
{
	return csl_decrypt(&queue->csl, size, cipher, iv, NULL, 0, plain, tag);
}

enum nv_status rm_uvm_csl_sign(struct rm_uvm_queue *queue, u32 size, const void *input,
			       u8 mac[CSL_SIGN_AUTH_TAG_SIZE])
{
	return csl_sign(&queue->csl, size, input, mac);
}

enum nv_status rm_uvm_csl_rotate_iv(struct rm_uvm_queue *queue, enum csl_operation operation)
{
	return csl_rotate_iv(&queue->csl, operation);
}

enum nv_status rm_uvm_csl_query_message_pool(struct rm_uvm_queue *queue,
					     enum csl_operation operation, u64 *messages)
{
	return csl_query_message_pool(&queue->csl, operation, messages);
}
