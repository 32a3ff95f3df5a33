// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Doorbells that clients have mapped: a page of memory for each mapping, in the place of the
 * register of that name, which the client stores to and the GPU's process looks at.
 *
 *   ARMED  not mapped to the client --its touch faults--> RUNG  mapped, reported to the process
 *      ^                                                    |
 *      `------------ the process has nothing to do ---------'   SOFTH100_BELL_ARM
 *
 * A bell whose mapping is gone stays until the process, which may be looking at it, frees it: so
 * long it counts in the share of the user who mapped it.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mm.h>

#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

/*
 * For so long the client keeps a page that it just got: its store is under way, and would not get
 * through if the page went again before.
 */
#define GRACE_NS (50 * NSEC_PER_USEC)

/* What one user has at most, and all users together: the rest is the administrator's. */
#define USER_BELLS (SOFTH100_BELLS_MAX / 2)
#define USERS_BELLS (SOFTH100_BELLS_MAX / 4 * 3)

/* All under soft_bells.lock; what does not change is read without. */
struct soft_bell {
	struct soft_pci *gpu;
	u32 number, client;
	u32 uid;      /* in whose share it is */
	bool counted; /* in one */
	struct page *page;
	struct address_space *space; /* where clients have it mapped; NULL: nowhere any more */
	pgoff_t first, count;
	u64 rung_ns;
	bool rung;  /* since it was reported */
	bool known; /* to the process, which frees it */
	struct list_head news;
};

void soft_bells_init(struct soft_bells *bells, pgoff_t base)
{
	mutex_init(&bells->lock);
	xa_init_flags(&bells->slots, XA_FLAGS_ALLOC);
	xa_init(&bells->users);
	INIT_LIST_HEAD(&bells->news);
	bells->base = base;
}

void soft_bells_destroy(struct soft_bells *bells)
{
	WARN_ON(!xa_empty(&bells->slots));
	xa_destroy(&bells->slots);
	WARN_ON(!xa_empty(&bells->users));
	xa_destroy(&bells->users);
}

/* -- Shares ------------------------------------------------------------------------------------ */

/* Lock held. 0, or -ENOMEM: no memory, or the share is used up. */
static int share_take(struct soft_bells *bells, u32 uid)
{
	unsigned long held = xa_to_value(xa_load(&bells->users, uid));
	int rc;

	if (held >= USER_BELLS || bells->counted >= USERS_BELLS)
		return -ENOMEM;
	rc = xa_err(xa_store(&bells->users, uid, xa_mk_value(held + 1), GFP_KERNEL_ACCOUNT));
	if (!rc)
		bells->counted++;
	return rc;
}

/* Lock held. An entry that is there already takes no memory. */
static void share_drop(struct soft_bells *bells, u32 uid)
{
	unsigned long held = xa_to_value(xa_load(&bells->users, uid));

	if (held > 1)
		xa_store(&bells->users, uid, xa_mk_value(held - 1), GFP_KERNEL);
	else
		xa_erase(&bells->users, uid);
	bells->counted--;
}

/* -- Bells ------------------------------------------------------------------------------------- */

/* Lock held. The bell is nobody's. */
static void bell_free(struct soft_bell *bell)
{
	struct soft_bells *bells = &bell->gpu->bells;

	list_del(&bell->news);
	xa_erase(&bells->slots, bell->number);
	if (bell->counted)
		share_drop(bells, bell->uid);
	if (bells->mapping)
		unmap_mapping_range(bells->mapping,
				    (loff_t)(bells->base + bell->number) << PAGE_SHIFT, PAGE_SIZE,
				    1);
	/* A client that has pinned it keeps it. */
	put_page(bell->page);
	os_free(bell);
}

/* Lock held. The process is to hear of it. */
static void bell_report(struct soft_bell *bell)
{
	struct soft_bells *bells = &bell->gpu->bells;

	if (!bells->mapping)
		return;
	if (list_empty(&bell->news))
		list_add_tail(&bell->news, &bells->news);
	soft_gpu_work(bell->gpu, SOFTH100_WORK_BELLS);
}

void soft_bells_bind(struct soft_pci *gpu, struct address_space *mapping)
{
	struct soft_bells *bells = &gpu->bells;
	struct soft_bell *bell;
	unsigned long number;

	mutex_lock(&bells->lock);
	bells->mapping = mapping;
	xa_for_each(&bells->slots, number, bell)
	{
		bell->known = false;
		bell->rung = false;
		list_del_init(&bell->news);
		if (!bell->space)
			bell_free(bell);
	}
	mutex_unlock(&bells->lock);
}

/* -- The driver's side ------------------------------------------------------------------------- */

/* Lock held. Its number, and its place in the share of the calling user. 0 or -errno. */
static int bell_number(struct soft_bell *bell)
{
	struct soft_bells *bells = &bell->gpu->bells;
	struct os_cred cred;
	int rc;

	os_current_cred(&cred);
	bell->uid = cred.uid;
	bell->counted = !cred.admin;
	rc = bell->counted ? share_take(bells, bell->uid) : 0;
	if (rc)
		return rc;
	rc = xa_alloc(&bells->slots, &bell->number, bell, XA_LIMIT(0, SOFTH100_BELLS_MAX - 1),
		      GFP_KERNEL_ACCOUNT);
	if (rc && bell->counted)
		share_drop(bells, bell->uid);
	return rc;
}

struct soft_bell *soft_bell_get(struct soft_pci *gpu, u32 client, struct address_space *space,
				unsigned long first, unsigned long count)
{
	struct soft_bell *bell = os_alloc(sizeof(*bell));
	int rc;

	if (!bell)
		return NULL;
	bell->gpu = gpu;
	bell->client = client;
	bell->space = space;
	bell->first = first;
	bell->count = count;
	INIT_LIST_HEAD(&bell->news);
	bell->page = os_linux_alloc_fails() ? NULL : alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!bell->page)
		goto fail_page;
	mutex_lock(&gpu->bells.lock);
	rc = bell_number(bell);
	mutex_unlock(&gpu->bells.lock);
	if (rc)
		goto fail_number;
	return bell;

fail_number:
	put_page(bell->page);
fail_page:
	os_free(bell);
	return NULL;
}

void soft_bell_put(struct soft_bell *bell)
{
	struct soft_bells *bells = &bell->gpu->bells;

	mutex_lock(&bells->lock);
	bell->space = NULL;
	/* What was rung is to be heard although nobody knows the bell yet. */
	if (bell->rung && bells->mapping)
		bell->known = true;
	if (bell->known)
		bell_report(bell);
	else
		bell_free(bell);
	mutex_unlock(&bells->lock);
}

int soft_bell_fault(struct soft_bell *bell, struct vm_fault *vmf)
{
	struct soft_bells *bells = &bell->gpu->bells;
	int rc;

	mutex_lock(&bells->lock);
	rc = vm_insert_page(vmf->vma, vmf->address, bell->page);
	bell->rung_ns = ktime_get_ns();
	bell->rung = true;
	bell_report(bell);
	mutex_unlock(&bells->lock);
	return rc;
}

/* -- The process's side ------------------------------------------------------------------------ */

void soft_bells_take(struct soft_pci *gpu, struct softh100_bells *out)
{
	struct soft_bells *bells = &gpu->bells;
	struct soft_bell *bell, *next;

	mutex_lock(&bells->lock);
	list_for_each_entry_safe (bell, next, &bells->news, news) {
		if (out->count == ARRAY_SIZE(out->bells))
			break;
		out->bells[out->count++] = (struct softh100_bell){
			.number = bell->number,
			.client = bell->client,
			.flags = (bell->rung ? SOFTH100_BELL_RUNG : 0) |
				 (bell->space ? 0 : SOFTH100_BELL_GONE),
		};
		bell->rung = false;
		bell->known = true;
		list_del_init(&bell->news);
	}
	if (!list_empty(&bells->news))
		soft_gpu_work(gpu, SOFTH100_WORK_BELLS);
	mutex_unlock(&bells->lock);
}

/* How long yet a store may be under way; 0: none is. Lock held. */
static u64 grace_ns(const struct soft_bell *bell)
{
	u64 since = ktime_get_ns() - bell->rung_ns;

	return since < GRACE_NS ? GRACE_NS - since : 0;
}

int soft_bell_arm(struct soft_pci *gpu, u32 number)
{
	struct soft_bells *bells = &gpu->bells;
	struct soft_bell *bell;
	u64 wait_ns;

	mutex_lock(&bells->lock);
	bell = xa_load(&bells->slots, number);
	wait_ns = bell ? grace_ns(bell) : 0;
	mutex_unlock(&bells->lock);
	if (wait_ns)
		usleep_range(DIV_ROUND_UP(wait_ns, NSEC_PER_USEC),
			     2 * DIV_ROUND_UP(wait_ns, NSEC_PER_USEC));
	mutex_lock(&bells->lock);
	bell = xa_load(&bells->slots, number);
	if (bell && bell->space)
		unmap_mapping_range(bell->space, (loff_t)bell->first << PAGE_SHIFT,
				    (loff_t)bell->count << PAGE_SHIFT, 1);
	mutex_unlock(&bells->lock);
	return bell ? 0 : -EINVAL;
}

int soft_bell_free(struct soft_pci *gpu, u32 number)
{
	struct soft_bells *bells = &gpu->bells;
	struct soft_bell *bell;
	int rc = -EINVAL;

	mutex_lock(&bells->lock);
	bell = xa_load(&bells->slots, number);
	if (bell && !bell->space) {
		bell_free(bell);
		rc = 0;
	}
	mutex_unlock(&bells->lock);
	return rc;
}

static vm_fault_t fault(struct vm_fault *vmf)
{
	struct soft_pci *gpu = vmf->vma->vm_private_data;
	struct soft_bell *bell;
	int rc = -EFAULT;

	mutex_lock(&gpu->bells.lock);
	bell = xa_load(&gpu->bells.slots, vmf->pgoff - gpu->bells.base);
	if (bell)
		rc = vm_insert_page(vmf->vma, vmf->address, bell->page);
	mutex_unlock(&gpu->bells.lock);
	return rc == 0 || rc == -EBUSY ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct vm_ops = { .fault = fault };

int soft_bells_mmap(struct soft_pci *gpu, struct vm_area_struct *vma)
{
	pgoff_t first = vma->vm_pgoff - (SOFTH100_BELLS_OFFSET >> PAGE_SHIFT);

	if (!(vma->vm_flags & VM_SHARED) || first > SOFTH100_BELLS_MAX ||
	    vma_pages(vma) > SOFTH100_BELLS_MAX - first)
		return -EINVAL;
	vma->vm_pgoff = gpu->bells.base + first;
#ifdef HAVE_VM_FLAGS_SET
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
#else
	vma->vm_flags |= VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY;
#endif
	vma->vm_private_data = gpu;
	vma->vm_ops = &vm_ops;
	return 0;
}
