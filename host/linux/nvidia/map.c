// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * mmap of a device node: what NV_ESC_RM_MAP_MEMORY prepared on the file. Pages appear as they are
 * touched: those of system memory are the driver's, those of video memory softh100.ko has. A GPU
 * that goes takes its mappings' memory along; who touches it then gets a bus error.
 *
 *   vma --- struct map (counted) --- rm_mapping       maps.list has every map
 *                         `--- soft_bell               a doorbell: softh100.ko's page
 *
 * mmap, faults and munmap come with the process's memory locked, under which the resource manager's
 * locks must not be waited for: what gives memory back runs on a workqueue.
 *
 * softh100.ko takes a doorbell's page away from processes to hear of the next store, so that each
 * doorbell has a place of its own in the address space of its node's inode.
 */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "host/linux/nvidia/nvidia.h"

#define BAR_REGISTERS 0u
/* Where doorbells begin in the inode's address space: above whatever else is mapped. */
#define BELL_FIRST_PAGE (1ul << 40)
#define BELL_PAGES_MAX (SZ_64K >> PAGE_SHIFT)

struct map {
	struct list_head node; /* maps.lock */
	refcount_t vmas;
	refcount_t references;	     /* one of all vmas, one of who revokes it */
	struct address_space *space; /* of the node's inode, which the vmas' file keeps */
	struct mutex lock;	     /* every page that a fault maps */
	bool gone;		     /* changes under maps.lock and lock */
	bool unmapped;		     /* while it is revoked; maps.lock */
	struct list_head revoked;    /* of who revokes it */
	struct rm_mapping *rm;	     /* once gone only of who revokes it */
	struct os_pci_dev *pci;	     /* of the mapping, while it is not gone */
	struct soft_bell *bell;	     /* NULL: none, or put: maps.lock, once no fault looks */
	pgoff_t first;		     /* page of the mapping's first byte in space */
	bool writable;
	struct work_struct work;
};

static struct {
	struct mutex lock;
	struct list_head list;
	struct workqueue_struct *queue;
	u64 bells;					/* that there ever were */
	const struct os_pci_dev *admitted[RM_MAX_GPUS]; /* GPUs that may be mapped; the rest NULL */
	const struct os_pci_dev *none;			/* always NULL */
} maps = {
	.lock = __MUTEX_INITIALIZER(maps.lock),
	.list = LIST_HEAD_INIT(maps.list),
};

/* maps.lock held. The place of that GPU, one that holds NULL if it has none. */
static const struct os_pci_dev **admitted(const struct os_pci_dev *pci)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(maps.admitted); i++)
		if (maps.admitted[i] == pci)
			return &maps.admitted[i];
	return &maps.none;
}

static void map_put(struct map *map)
{
	if (!refcount_dec_and_test(&map->references))
		return;
	if (map->rm)
		rm_mapping_put(map->rm);
	kfree(map);
}

static void map_work(struct work_struct *work)
{
	map_put(container_of(work, struct map, work));
}

static void map_opened(struct vm_area_struct *vma)
{
	struct map *map = vma->vm_private_data;

	refcount_inc(&map->vmas);
}

/* maps.lock held. Before the inode may go. */
static void put_bell(struct map *map)
{
	if (map->bell)
		os_linux_bell_put(map->pci, map->bell);
	map->bell = NULL;
}

static void map_closed(struct vm_area_struct *vma)
{
	struct map *map = vma->vm_private_data;

	if (!refcount_dec_and_mutex_lock(&map->vmas, &maps.lock))
		return;
	list_del(&map->node);
	put_bell(map);
	queue_work(maps.queue, &map->work);
	mutex_unlock(&maps.lock);
}

/* The page at offset of the mapping, referenced; NULL: there is none, or no memory for it. */
static struct page *map_page(const struct rm_mapping *rm, u64 offset)
{
	const struct rm_map_extent *extent = rm->extents;
	struct page *page;

	while (offset >= extent->size) {
		offset -= extent->size;
		if (++extent == rm->extents + rm->count)
			return NULL;
	}
	offset += extent->offset;
	if (extent->kind == RM_MAP_BAR)
		return os_linux_pci_bar_page(rm->pci, extent->bar, offset);
	page = os_linux_pages_page(extent->pages, offset);
	if (page)
		get_page(page);
	return page;
}

/* map->lock held, and it is not gone. 0 or -errno. */
static int map_insert(const struct map *map, struct vm_fault *vmf)
{
	struct page *page;
	int rc;

	if (map->bell)
		return os_linux_bell_fault(map->pci, map->bell, vmf);
	page = map_page(map->rm, (u64)(vmf->pgoff - map->first) << PAGE_SHIFT);
	if (!page)
		return -EFAULT;
	rc = vm_insert_page(vmf->vma, vmf->address, page);
	put_page(page);
	return rc;
}

static vm_fault_t map_fault(struct vm_fault *vmf)
{
	struct map *map = vmf->vma->vm_private_data;
	int rc = -EFAULT;

	mutex_lock(&map->lock);
	if (!map->gone)
		rc = map_insert(map, vmf);
	mutex_unlock(&map->lock);
	return rc == 0 || rc == -EBUSY ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct map_ops = {
	.open = map_opened,
	.close = map_closed,
	.fault = map_fault,
};

static void set_flags(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
#ifdef HAVE_VM_FLAGS_SET
	vm_flags_set(vma, set);
	vm_flags_clear(vma, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

static bool is_doorbell(const struct rm_mapping *rm)
{
	return rm->extents[0].kind == RM_MAP_BAR && rm->extents[0].bar == BAR_REGISTERS;
}

/* As the driver sees it: in a guest whose memory the CPU encrypts, what is shared is not. */
static pgprot_t protection(const struct rm_mapping *rm, pgprot_t prot)
{
	const struct rm_map_extent *first = &rm->extents[0];
	bool shared = first->kind != RM_MAP_BAR && first->pages->kind == OS_PAGES_SHARED;

	return shared ? pgprot_decrypted(prot) : prot;
}

/* Registers that a process may have are one page of doorbells. maps.lock held. 0 or -errno. */
static int map_bell(struct map *map, unsigned long pages)
{
	if (pages > BELL_PAGES_MAX)
		return -EINVAL;
	map->first = BELL_FIRST_PAGE + BELL_PAGES_MAX * maps.bells++;
	map->bell = os_linux_bell_get(map->pci, map->rm->client, map->space, map->first, pages);
	return map->bell ? 0 : -ENOMEM;
}

/*
 * Takes what was prepared on the file into map->rm, and the map into the list: under the lock, so
 * that a GPU that is being revoked meanwhile is in the list or is not mapped any more. 0 or -errno.
 */
static int map_begin(struct map *map, struct rm_file *rm, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT, size = vma->vm_end - vma->vm_start;
	bool write = vma->vm_flags & VM_WRITE;
	enum nv_status status;
	int rc = 0;

	mutex_lock(&maps.lock);
	status = rm_file_mmap(rm, offset, size, write, &map->rm);
	if (status != NV_OK) {
		rc = nvidia_errno(status);
	} else {
		map->pci = map->rm->pci;
		map->writable = map->rm->writable;
		if (!*admitted(map->pci))
			rc = nvidia_errno(NV_ERR_GPU_IS_LOST);
		else if (write && !map->writable)
			rc = -EACCES;
		else if (is_doorbell(map->rm))
			rc = map_bell(map, vma_pages(vma));
	}
	if (!rc)
		list_add(&map->node, &maps.list);
	mutex_unlock(&maps.lock);
	return rc;
}

int nvidia_map(struct file *file, struct rm_file *rm, struct vm_area_struct *vma)
{
	struct map *map;
	int rc;

	/* A copy of one's own would be no such memory. */
	if (!(vma->vm_flags & VM_SHARED) && (vma->vm_flags & VM_MAYWRITE))
		return -EINVAL;
	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return -ENOMEM;
	map->space = file->f_mapping;
	refcount_set(&map->vmas, 1);
	refcount_set(&map->references, 1);
	mutex_init(&map->lock);
	INIT_WORK(&map->work, map_work);
	rc = map_begin(map, rm, vma);
	if (rc) {
		queue_work(maps.queue, &map->work);
		return rc;
	}
	vma->vm_pgoff = map->first;
	vma->vm_page_prot = protection(map->rm, vma->vm_page_prot);
	/* A child gets none of it by itself, as with the documented driver. */
	set_flags(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY,
		  map->writable ? 0 : VM_MAYWRITE);
	vma->vm_private_data = map;
	vma->vm_ops = &map_ops;
	return 0;
}

void nvidia_maps_admit(const struct os_pci_dev *pci)
{
	mutex_lock(&maps.lock);
	*admitted(NULL) = pci;
	mutex_unlock(&maps.lock);
}

/* maps.lock held. All of that GPU's, with a reference each: no fault maps anything of them. */
static void revoke_all(const struct os_pci_dev *pci, struct list_head *revoked)
{
	struct map *map;

	list_for_each_entry (map, &maps.list, node) {
		if (map->gone || map->pci != pci)
			continue;
		mutex_lock(&map->lock);
		map->gone = true;
		mutex_unlock(&map->lock);
		refcount_inc(&map->references);
		list_add_tail(&map->revoked, revoked);
	}
}

/*
 * maps.lock held. Takes their pages from all who have them: of a doorbell its own, of other memory
 * once whatever is mapped there through that node; what of it is others' comes back by faults.
 */
static void unmap_all(struct list_head *revoked)
{
	struct map *map, *other;

	list_for_each_entry (map, revoked, revoked) {
		if (map->bell) {
			unmap_mapping_range(map->space, (loff_t)map->first << PAGE_SHIFT,
					    (loff_t)BELL_PAGES_MAX << PAGE_SHIFT, 1);
			put_bell(map);
			continue;
		}
		if (map->unmapped)
			continue;
		unmap_mapping_range(map->space, 0, (loff_t)BELL_FIRST_PAGE << PAGE_SHIFT, 1);
		list_for_each_entry (other, revoked, revoked)
			other->unmapped |= other->space == map->space;
	}
}

void nvidia_maps_revoke(const struct os_pci_dev *pci)
{
	struct map *map, *next;
	struct rm_mapping *rm;
	LIST_HEAD(revoked);

	mutex_lock(&maps.lock);
	*admitted(pci) = NULL;
	revoke_all(pci, &revoked);
	unmap_all(&revoked);
	mutex_unlock(&maps.lock);
	list_for_each_entry_safe (map, next, &revoked, revoked) {
		rm = map->rm;
		map->rm = NULL;
		rm_mapping_put(rm);
		map_put(map);
	}
	/* What is being given back already. */
	flush_workqueue(maps.queue);
}

int nvidia_maps_init(void)
{
	maps.queue = alloc_workqueue("nvidia maps", 0, 0);
	return maps.queue ? 0 : -ENOMEM;
}

void nvidia_maps_exit(void)
{
	destroy_workqueue(maps.queue);
}
