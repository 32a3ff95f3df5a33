// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * AES-256-GCM by libipsec-mb, which has the CPU's vector AES where OpenSSL 3.0 does not. Its
 * functions for single messages keep nothing in the manager that they are reached by.
 */
#include "os/user/gcm.h"

#ifdef OS_IPSEC_MB
#include <intel-ipsec-mb.h>
#include <pthread.h>

#include "base/bits.h"

#define FAST (IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ)
#define ALIGNMENT 64u /* of the key */

struct cipher {
	struct gcm_key_data key;
	struct gcm_context_data message;
	bool encrypts;
	void *memory; /* what was allocated: the structure begins at a multiple of ALIGNMENT in it
		       */
};

static IMB_MGR *manager;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_manager(void)
{
	IMB_MGR *made = alloc_mb_mgr(0);

	if (!made)
		return;
	if ((made->features & FAST) != FAST) {
		free_mb_mgr(made);
		return;
	}
	init_mb_mgr_auto(made, NULL);
	manager = made;
}

static void *create(void)
{
	u8 *memory = os_alloc(sizeof(struct cipher) + ALIGNMENT);
	struct cipher *c;

	if (!memory)
		return NULL;
	c = (struct cipher *)align_up((u64)(uintptr_t)memory, (u64)ALIGNMENT);
	c->memory = memory;
	return c;
}

static void destroy(void *arg)
{
	struct cipher *c = arg;
	void *memory = c->memory;

	os_wipe(c, sizeof(*c));
	os_free(memory);
}

static enum nv_status set_key(void *arg, const u8 key[OS_GCM_KEY_SIZE])
{
	struct cipher *c = arg;

	IMB_AES256_GCM_PRE(manager, key, &c->key);
	return NV_OK;
}

static enum nv_status begin(void *arg, bool encrypt, const u8 iv[OS_GCM_IV_SIZE], const void *aad,
			    size_t aad_size)
{
	struct cipher *c = arg;

	c->encrypts = encrypt;
	IMB_AES256_GCM_INIT(manager, &c->key, &c->message, iv, aad, aad_size);
	return NV_OK;
}

static enum nv_status update(void *arg, const void *in, size_t size, void *out)
{
	struct cipher *c = arg;

	if (c->encrypts)
		IMB_AES256_GCM_ENC_UPDATE(manager, &c->key, &c->message, out, in, size);
	else
		IMB_AES256_GCM_DEC_UPDATE(manager, &c->key, &c->message, out, in, size);
	return NV_OK;
}

static enum nv_status make_tag(void *arg, u8 tag[OS_GCM_TAG_SIZE])
{
	struct cipher *c = arg;

	IMB_AES256_GCM_ENC_FINALIZE(manager, &c->key, &c->message, tag, OS_GCM_TAG_SIZE);
	os_wipe(&c->message, sizeof(c->message));
	return NV_OK;
}

static enum nv_status check_tag(void *arg, u8 tag[OS_GCM_TAG_SIZE])
{
	struct cipher *c = arg;
	u8 is[OS_GCM_TAG_SIZE];
	bool right;

	IMB_AES256_GCM_DEC_FINALIZE(manager, &c->key, &c->message, is, OS_GCM_TAG_SIZE);
	os_wipe(&c->message, sizeof(c->message));
	right = os_equal_secret(is, tag, sizeof(is));
	/* Of another text it is what would have made it pass. */
	os_wipe(is, sizeof(is));
	return right ? NV_OK : NV_ERR_INVALID_DATA;
}

const struct gcm_library *gcm_ipsec(void)
{
	static const struct gcm_library library = { create, destroy,  set_key,	begin,
						    update, make_tag, check_tag };

	pthread_once(&once, make_manager);
	return manager ? &library : NULL;
}
#else
const struct gcm_library *gcm_ipsec(void)
{
	return NULL;
}
#endif
