// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * /dev/softh100: where the process with a GPU's engines and firmware attaches. softh100.h says what
 * each request does; here they are checked.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

struct soft_file {
	struct mutex lock;    /* attaching */
	struct soft_pci *gpu; /* what it serves: set once; atomic */
};

static_assert(SOFTH100_WORK_COMMAND > H100_WORK_RESET);
static_assert(sizeof(struct softh100_links) <= PAGE_SIZE);
static_assert(SOFTH100_LINKS_MAX == SOFT_GPUS_MAX);

/* -- Attaching --------------------------------------------------------------------------------- */

static long get_machine(struct softh100_machine __user *user)
{
	struct softh100_machine machine = {
		.version = SOFTH100_VERSION,
		.gpus = soft_machine.gpus,
		.cc = soft_machine.cc,
	};

	strscpy(machine.profile, soft_machine.profile->name, sizeof(machine.profile));
	return copy_to_user(user, &machine, sizeof(machine)) ? -EFAULT : 0;
}

static bool same(const struct h100_function_identity *id, const struct softh100_attach *a)
{
	return id->vendor_id == a->vendor_id && id->device_id == a->device_id &&
	       id->subsystem_vendor_id == a->subsystem_vendor_id &&
	       id->subsystem_id == a->subsystem_id && id->revision == a->revision &&
	       id->link_generation == a->link_generation && id->link_width == a->link_width &&
	       id->bar_bytes[0] == a->bar_bytes[0] && id->bar_bytes[1] == a->bar_bytes[1] &&
	       id->bar_bytes[2] == a->bar_bytes[2] && id->video_bytes == a->video_bytes &&
	       soft_machine.cc == a->cc;
}

static long attach(struct file *file, const struct softh100_attach __user *user)
{
	struct soft_file *f = file->private_data;
	struct softh100_attach a;
	long rc;

	if (copy_from_user(&a, user, sizeof(a)))
		return -EFAULT;
	if (a.version != SOFTH100_VERSION)
		return -EPROTO;
	if (a.index >= soft_machine.gpus)
		return -ENODEV;
	if (!same(&soft_machine.profile->identity, &a))
		return -EINVAL;
	mutex_lock(&f->lock);
	rc = f->gpu ? -EBUSY : soft_gpu_attach(soft_machine.gpu[a.index], f, file->f_mapping);
	if (!rc)
		os_store_release(&f->gpu, soft_machine.gpu[a.index]);
	mutex_unlock(&f->lock);
	return rc;
}

/* -- Waiting for work -------------------------------------------------------------------------- */

/* Takes the work; that the GPU is taken away stays said. */
static u32 take_work(struct soft_pci *gpu)
{
	return os_fetch_and(&gpu->work, SOFTH100_WORK_REMOVED);
}

static ktime_t deadline_of(u64 timeout_ns)
{
	u64 now = ktime_get_ns();

	return timeout_ns < (u64)KTIME_MAX - now ? now + timeout_ns : KTIME_MAX;
}

static int wait_for_work(struct soft_pci *gpu, u64 timeout_ns, u32 *work)
{
	ktime_t deadline = deadline_of(timeout_ns);
	DECLARE_SWAITQUEUE(wait);
	bool forever = deadline == KTIME_MAX, late = false;
	int rc = 0;

	for (;;) {
		prepare_to_swait_exclusive(&gpu->waiters, &wait, TASK_INTERRUPTIBLE);
		*work = take_work(gpu);
		if (*work || late)
			break;
		if (signal_pending(current)) {
			rc = -EINTR;
			break;
		}
		late = schedule_hrtimeout(forever ? NULL : &deadline, HRTIMER_MODE_ABS) == 0;
	}
	finish_swait(&gpu->waiters, &wait);
	/* One wake reaches one waiter: what is left, or came meanwhile, is another's. */
	if (os_load_relaxed(&gpu->work))
		swake_up_one(&gpu->waiters);
	return rc;
}

static long wait(struct soft_pci *gpu, struct softh100_wait __user *user)
{
	struct softh100_wait w;
	int rc;

	if (copy_from_user(&w, user, sizeof(w)))
		return -EFAULT;
	rc = wait_for_work(gpu, w.timeout_ns, &w.work);
	if (rc)
		return rc;
	if (!copy_to_user(user, &w, sizeof(w)))
		return 0;
	if (w.work)
		soft_gpu_work(gpu, w.work);
	return -EFAULT;
}

/* -- Registers and interrupts ------------------------------------------------------------------ */

static long register_get(struct soft_pci *gpu, struct softh100_register __user *user)
{
	struct softh100_register r;

	if (copy_from_user(&r, user, sizeof(r)))
		return -EFAULT;
	if (!h100_register_exists(r.offset))
		return -EINVAL;
	r.value = h100_register_get(&gpu->function, r.offset);
	return copy_to_user(user, &r, sizeof(r)) ? -EFAULT : 0;
}

static long register_set(struct soft_pci *gpu, const struct softh100_register __user *user)
{
	struct softh100_register r;

	if (copy_from_user(&r, user, sizeof(r)))
		return -EFAULT;
	if (!h100_register_exists(r.offset))
		return -EINVAL;
	h100_register_set(&gpu->function, r.offset, r.value);
	return 0;
}

static long fsp_receive(struct soft_pci *gpu, struct softh100_packet __user *user)
{
	struct softh100_packet packet;
	u32 *words;
	long rc = 0;

	if (copy_from_user(&packet, user, sizeof(packet)))
		return -EFAULT;
	words = os_alloc(H100_EMEM_WORDS * sizeof(*words));
	if (!words)
		return -ENOMEM;
	packet.size = h100_fsp_receive(&gpu->function, words,
				       min_t(u32, packet.size, H100_EMEM_WORDS * sizeof(*words)));
	if (copy_to_user(u64_to_user_ptr(packet.data), words, packet.size) ||
	    copy_to_user(user, &packet, sizeof(packet)))
		rc = -EFAULT;
	os_free(words);
	return rc;
}

static long fsp_send(struct soft_pci *gpu, const struct softh100_packet __user *user)
{
	struct softh100_packet packet;
	long rc = 0;
	u32 *words;

	if (copy_from_user(&packet, user, sizeof(packet)))
		return -EFAULT;
	if (packet.size == 0 || packet.size % 4 != 0 ||
	    packet.size > H100_EMEM_WORDS * sizeof(*words))
		return -EINVAL;
	words = os_alloc(packet.size);
	if (!words)
		return -ENOMEM;
	if (copy_from_user(words, u64_to_user_ptr(packet.data), packet.size))
		rc = -EFAULT;
	else
		h100_fsp_send(&gpu->function, words, packet.size);
	os_free(words);
	return rc;
}

static long set_wpr2(struct soft_pci *gpu, const struct softh100_range __user *user)
{
	struct softh100_range range;

	if (copy_from_user(&range, user, sizeof(range)))
		return -EFAULT;
	if (range.start > range.end || range.end > gpu->video.bytes)
		return -EINVAL;
	h100_wpr2_set(&gpu->function, range.start, range.end);
	return 0;
}

static long doorbells(struct soft_pci *gpu, struct softh100_doorbells __user *user)
{
	struct softh100_doorbells rung = { 0 };

	rung.count = h100_doorbells(&gpu->function, rung.tokens, ARRAY_SIZE(rung.tokens));
	return copy_to_user(user, &rung, sizeof(rung)) ? -EFAULT : 0;
}

static long bells(struct soft_pci *gpu, struct softh100_bells __user *user)
{
	struct softh100_bells reports = { 0 };

	soft_bells_take(gpu, &reports);
	return copy_to_user(user, &reports, sizeof(reports)) ? -EFAULT : 0;
}

/* Requests whose argument is one word. */
static long set_word(struct soft_pci *gpu, unsigned int request, const u32 __user *user)
{
	u32 value;

	if (get_user(value, user))
		return -EFAULT;
	switch (request) {
	case SOFTH100_FSP_READY:
		if (value > 1)
			return -EINVAL;
		h100_fsp_set_ready(&gpu->function, value != 0);
		return 0;
	case SOFTH100_GSP_RUN:
		if (value > H100_GSP_HALTED)
			return -EINVAL;
		h100_gsp_set_run(&gpu->function, value);
		return 0;
	case SOFTH100_GSP_INTERRUPT:
		h100_gsp_interrupt(&gpu->function, value);
		return 0;
	case SOFTH100_RAISE:
		if (value >= H100_INTR_LEAVES * 32)
			return -EINVAL;
		h100_intr_raise(&gpu->function, value);
		return 0;
	case SOFTH100_PRESENT:
		return value > 1 ? -EINVAL : soft_gpu_set_present(gpu, value != 0);
	case SOFTH100_ANSWER:
		return soft_command_answer(gpu, value);
	case SOFTH100_BELL_ARM:
		return soft_bell_arm(gpu, value);
	case SOFTH100_BELL_FREE:
		return soft_bell_free(gpu, value);
	case SOFTH100_LINKED:
		return value > 1 ? -EINVAL : soft_gpu_link(gpu, value != 0);
	default:
		return -ENOTTY;
	}
}

static long command(struct soft_pci *gpu, struct softh100_command __user *user)
{
	struct softh100_command *text = os_alloc(sizeof(*text));
	long rc;

	if (!text)
		return -ENOMEM;
	rc = soft_command_take(gpu, text);
	if (!rc && copy_to_user(user, text, sizeof(*text))) {
		soft_command_answer(gpu, EFAULT);
		rc = -EFAULT;
	}
	os_free(text);
	return rc;
}

/* -- The file ---------------------------------------------------------------------------------- */

static long device_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	struct soft_file *f = file->private_data;
	void __user *user = (void __user *)arg;
	struct soft_pci *gpu;

	if (request == SOFTH100_MACHINE)
		return get_machine(user);
	if (request == SOFTH100_ATTACH)
		return attach(file, user);
	gpu = os_load_acquire(&f->gpu);
	if (!gpu)
		return -ENOTCONN;
	if (request == SOFTH100_WAIT)
		return wait(gpu, user);
	if (READ_ONCE(gpu->ejected))
		return -ENODEV;
	switch (request) {
	case SOFTH100_REGISTER_GET:
		return register_get(gpu, user);
	case SOFTH100_REGISTER_SET:
		return register_set(gpu, user);
	case SOFTH100_FSP_RECEIVE:
		return fsp_receive(gpu, user);
	case SOFTH100_FSP_SEND:
		return fsp_send(gpu, user);
	case SOFTH100_WPR2:
		return set_wpr2(gpu, user);
	case SOFTH100_COMMAND:
		return command(gpu, user);
	case SOFTH100_DOORBELLS:
		return doorbells(gpu, user);
	case SOFTH100_BELLS:
		return bells(gpu, user);
	case SOFTH100_WAKE:
		soft_gpu_work(gpu, SOFTH100_WORK_WOKEN);
		return 0;
	case SOFTH100_FSP_READY:
	case SOFTH100_GSP_RUN:
	case SOFTH100_GSP_INTERRUPT:
	case SOFTH100_RAISE:
	case SOFTH100_PRESENT:
	case SOFTH100_ANSWER:
	case SOFTH100_BELL_ARM:
	case SOFTH100_BELL_FREE:
	case SOFTH100_LINKED:
		return set_word(gpu, request, user);
	default:
		return -ENOTTY;
	}
}

/* Whose memory the file shows; an ERR_PTR. */
static struct soft_pci *memory_of(struct file *file)
{
	struct soft_pci *gpu = os_load_acquire(&((struct soft_file *)file->private_data)->gpu);

	if (!gpu)
		return ERR_PTR(-ENOTCONN);
	return READ_ONCE(gpu->ejected) ? ERR_PTR(-ENODEV) : gpu;
}

static ssize_t device_read(struct file *file, char __user *user, size_t size, loff_t *at)
{
	struct soft_pci *gpu = memory_of(file);

	return IS_ERR(gpu) ? PTR_ERR(gpu) : soft_dma_access(gpu, user, size, *at, false);
}

static ssize_t device_write(struct file *file, const char __user *user, size_t size, loff_t *at)
{
	struct soft_pci *gpu = memory_of(file);

	return IS_ERR(gpu) ? PTR_ERR(gpu)
			   : soft_dma_access(gpu, (char __user *)user, size, *at, true);
}

/* The page is there from the beginning, and nothing takes it away. */
static int mmap_links(struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) || vma_pages(vma) != 1 ||
	    vma->vm_pgoff != SOFTH100_LINKS_OFFSET >> PAGE_SHIFT)
		return -EINVAL;
	/* beyond all that is taken away from mappings */
	vma->vm_pgoff = SOFTH100_PEERS_OFFSET(SOFT_GPUS_MAX) >> PAGE_SHIFT;
	return vm_insert_page(vma, vma->vm_start, virt_to_page(soft_machine.links));
}

static int mmap_peer(struct vm_area_struct *vma)
{
	u64 place = vma->vm_pgoff - (SOFTH100_PEERS_OFFSET(0) >> PAGE_SHIFT);
	u64 pages = (SOFTH100_PEERS_OFFSET(1) - SOFTH100_PEERS_OFFSET(0)) >> PAGE_SHIFT;

	if (place / pages >= soft_machine.gpus)
		return -EINVAL;
	vma->vm_pgoff = place % pages;
	return soft_video_mmap_peer(&soft_machine.gpu[place / pages]->video, vma);
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct soft_pci *gpu = memory_of(file);

	if (IS_ERR(gpu))
		return (int)PTR_ERR(gpu);
	if (vma->vm_pgoff >= SOFTH100_PEERS_OFFSET(0) >> PAGE_SHIFT)
		return mmap_peer(vma);
	if (vma->vm_pgoff >= SOFTH100_BELLS_OFFSET >> PAGE_SHIFT)
		return soft_bells_mmap(gpu, vma);
	if (vma->vm_pgoff >= SOFTH100_LINKS_OFFSET >> PAGE_SHIFT)
		return mmap_links(vma);
	return soft_video_mmap(&gpu->video, vma);
}

static int device_open(struct inode *inode, struct file *file)
{
	struct soft_file *f = os_alloc(sizeof(*f));

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	file->private_data = f;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct soft_file *f = file->private_data;

	if (f->gpu)
		soft_gpu_detach(f->gpu);
	os_free(f);
	return 0;
}

static const struct file_operations ops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = device_read,
	.write = device_write,
	.mmap = device_mmap,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "softh100",
	.fops = &ops,
	.mode = 0600,
};

int soft_device_init(void)
{
	int rc = -ENOMEM;

	if (!os_linux_alloc_fails())
		soft_machine.links = (void *)get_zeroed_page(GFP_KERNEL);
	if (!soft_machine.links)
		return -ENOMEM;
	if (!os_linux_alloc_fails())
		rc = misc_register(&device);
	if (rc)
		free_page((unsigned long)soft_machine.links);
	return rc;
}

void soft_device_exit(void)
{
	misc_deregister(&device);
	free_page((unsigned long)soft_machine.links);
}
