// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Firmware images by name, as the host registered them.
 */
#include <string.h>

#include "base/list.h"
#include "os/user/internal.h"

struct firmware {
	struct list_node node;
	const void *data;
	size_t size;
	char name[];
};

static struct {
	struct raw_mutex lock;
	struct list images;
} firmware = { .images = LIST_INIT(firmware.images) };

/* Lock held. */
static struct firmware *firmware_find(const char *name)
{
	struct firmware *f;

	list_for_each_entry (f, &firmware.images, node)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

enum nv_status os_user_firmware_register(const char *name, const void *data, size_t size)
{
	size_t length = strlen(name);
	struct firmware *f, *fresh = os_alloc(sizeof(*fresh) + length + 1);

	if (!fresh)
		return NV_ERR_NO_MEMORY;
	memcpy(fresh->name, name, length);
	fresh->data = data;
	fresh->size = size;
	raw_mutex_lock(&firmware.lock);
	f = firmware_find(name);
	if (f)
		list_del(&f->node);
	list_add_tail(&fresh->node, &firmware.images);
	raw_mutex_unlock(&firmware.lock);
	os_free(f);
	return NV_OK;
}

void os_user_firmware_unregister(const char *name)
{
	struct firmware *f;

	raw_mutex_lock(&firmware.lock);
	f = firmware_find(name);
	if (f)
		list_del(&f->node);
	raw_mutex_unlock(&firmware.lock);
	os_free(f);
}

enum nv_status os_firmware_get(struct os_pci_dev *dev, const char *name, const void **data,
			       size_t *size)
{
	enum nv_status status = NV_ERR_OBJECT_NOT_FOUND;
	struct firmware *f;

	lockdep_may_sleep("os_firmware_get");
	if (alloc_must_fail())
		return NV_ERR_NO_MEMORY;
	raw_mutex_lock(&firmware.lock);
	f = firmware_find(name);
	if (f) {
		*data = f->data;
		*size = f->size;
		alloc_count(0);
		status = NV_OK;
	}
	raw_mutex_unlock(&firmware.lock);
	return status;
}

void os_firmware_put(const void *data)
{
	if (data)
		alloc_uncount(0);
}
