// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Firmware images from where the kernel finds them.
 */
#include <linux/firmware.h>

#include "os/linux/pci.h"

struct held {
	struct list_head node;
	const struct firmware *image;
};

static LIST_HEAD(held_images);
static DEFINE_MUTEX(held_lock);

enum nv_status os_firmware_get(struct os_pci_dev *dev, const char *name, const void **data,
			       size_t *size)
{
	struct held *h = account_alloc(sizeof(*h), _RET_IP_);

	if (!h)
		return NV_ERR_NO_MEMORY;
	/* the caller says in the log what it lacks */
	if (firmware_request_nowarn(&h->image, name, &dev->pdev->dev)) {
		os_free(h);
		return NV_ERR_OBJECT_NOT_FOUND;
	}
	*data = h->image->data;
	*size = h->image->size;
	mutex_lock(&held_lock);
	list_add(&h->node, &held_images);
	mutex_unlock(&held_lock);
	return NV_OK;
}

void os_firmware_put(const void *data)
{
	struct held *h, *found = NULL;

	if (!data)
		return;
	mutex_lock(&held_lock);
	list_for_each_entry (h, &held_images, node) {
		if (h->image->data == data) {
			found = h;
			list_del(&h->node);
			break;
		}
	}
	mutex_unlock(&held_lock);
	OS_BUG_ON(!found);
	if (found) {
		release_firmware(found->image);
		os_free(found);
	}
}
