// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * trap=1, for tests: BAR 0 as memory whose loads and stores trap (kmmio, which the kernel's MMIO
 * tracer is made of), so that a driver reaches the registers without the table of access.c. An
 * instruction is decoded, the model does what it means, and then the processor steps over it:
 * nothing answers behind the BAR, so a load's register is set afterwards.
 *
 * One processor and no tracer at the same time: while one steps, the page is open to the others.
 */
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mmiotrace.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/slab.h>

#include "host/linux/softh100/internal.h"
#include "os/linux/linux.h"

static bool trap;
module_param(trap, bool, 0444);
MODULE_PARM_DESC(trap, "tests: registers of BAR 0 by loads and stores that trap; one processor");

#if IS_ENABLED(CONFIG_MMIOTRACE) && IS_ENABLED(CONFIG_KPROBES) && defined(CONFIG_X86_64)

#define OPCODE_STORE 0x89
#define OPCODE_LOAD 0x8b
#define OPCODE_STORE_CONSTANT 0xc7
#define REX 0x40
#define REX_W 0x08
#define REX_R 0x04

struct mapping {
	struct kmmio_probe probe;
	struct soft_pci *gpu;
	void __iomem *registers;
	u64 accesses; /* atomic */
};

/* A load between its trap and the step over it. */
struct load {
	bool pending;
	u32 number;
	u64 value;
};
static DEFINE_PER_CPU(struct load, loads);

static int (*init)(void);
static void (*cleanup)(void);
static u32 users; /* of kmmio; under PCI's device locks, one driver at a time */
static DEFINE_MUTEX(users_lock);

/* A general register by the number that instructions use. */
static unsigned long *reg(struct pt_regs *regs, u32 number)
{
	static const u16 offsets[16] = {
		offsetof(struct pt_regs, ax),  offsetof(struct pt_regs, cx),
		offsetof(struct pt_regs, dx),  offsetof(struct pt_regs, bx),
		offsetof(struct pt_regs, sp),  offsetof(struct pt_regs, bp),
		offsetof(struct pt_regs, si),  offsetof(struct pt_regs, di),
		offsetof(struct pt_regs, r8),  offsetof(struct pt_regs, r9),
		offsetof(struct pt_regs, r10), offsetof(struct pt_regs, r11),
		offsetof(struct pt_regs, r12), offsetof(struct pt_regs, r13),
		offsetof(struct pt_regs, r14), offsetof(struct pt_regs, r15),
	};

	return (unsigned long *)((char *)regs + offsets[number]);
}

/* The bytes of a memory operand's address after ModRM. */
static u32 operand_bytes(const u8 *modrm)
{
	u32 mode = *modrm >> 6, bytes = 0;

	if ((*modrm & 7) == 4) {
		bytes = 1;
		if (mode == 0 && (modrm[1] & 7) == 5)
			bytes += 4;
	} else if (mode == 0 && (*modrm & 7) == 5) {
		bytes = 4;
	}
	return bytes + (mode == 1 ? 1 : mode == 2 ? 4 : 0);
}

static void before(struct kmmio_probe *probe, struct pt_regs *regs, unsigned long address)
{
	struct mapping *m = probe->private;
	struct load *load = this_cpu_ptr(&loads);
	const u8 *at = (const u8 *)regs->ip;
	u64 offset = address - probe->addr;
	u32 rex = 0, width, number;

	if ((*at & 0xf0) == REX)
		rex = *at++;
	width = rex & REX_W ? 8 : 4;
	number = (at[1] >> 3 & 7) | (rex & REX_R ? 8 : 0);
	load->pending = false;
	os_fetch_add(&m->accesses, 1);
	switch (*at) {
	case OPCODE_LOAD:
		load->number = number;
		load->value = h100_function_bar_read(&m->gpu->function, 0, offset, width);
		load->pending = true;
		break;
	case OPCODE_STORE:
		h100_function_bar_write(&m->gpu->function, 0, offset, width, *reg(regs, number));
		break;
	case OPCODE_STORE_CONSTANT:
		h100_function_bar_write(&m->gpu->function, 0, offset, width,
					*(const s32 *)(at + 2 + operand_bytes(at + 1)));
		break;
	default:
		WARN_ONCE(1, "softh100: instruction %*ph at %pS is no access to a register\n", 4,
			  at, (void *)regs->ip);
	}
}

static void after(struct kmmio_probe *probe, unsigned long condition, struct pt_regs *regs)
{
	struct load *load = this_cpu_ptr(&loads);

	if (load->pending)
		*reg(regs, load->number) = load->value;
	load->pending = false;
}

/* The kernel exports probes, but not what makes them work: the tracer calls these two. */
static void *find_function(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address = NULL;

	if (register_kprobe(&probe) == 0) {
		address = probe.addr;
		unregister_kprobe(&probe);
	}
	return address;
}

static int use(void)
{
	int rc = 0;

	mutex_lock(&users_lock);
	if (!init)
		init = find_function("kmmio_init");
	if (!cleanup)
		cleanup = find_function("kmmio_cleanup");
	if (!init || !cleanup)
		rc = -ENOENT;
	else if (users == 0)
		rc = init();
	if (!rc)
		users++;
	mutex_unlock(&users_lock);
	return rc;
}

static void unuse(void)
{
	mutex_lock(&users_lock);
	if (--users == 0)
		cleanup();
	mutex_unlock(&users_lock);
}

static struct mapping *mappings[SOFT_GPUS_MAX];

void __iomem *soft_trap_map(struct soft_pci *gpu, u64 *size)
{
	struct mapping *m;

	if (!trap || mappings[gpu->index])
		return NULL;
	m = os_alloc(sizeof(*m));
	if (!m)
		return NULL;
	*size = H100_BAR0_BYTES;
	m->gpu = gpu;
	if (use())
		goto fail_use;
	m->registers = ioremap(gpu->place.bar[0], H100_BAR0_BYTES);
	if (!m->registers)
		goto fail_map;
	m->probe.addr = (unsigned long)m->registers;
	m->probe.len = H100_BAR0_BYTES;
	m->probe.pre_handler = before;
	m->probe.post_handler = after;
	m->probe.private = m;
	if (register_kmmio_probe(&m->probe))
		goto fail_probe;
	mappings[gpu->index] = m;
	os_log(OS_LOG_INFO, "GPU %u: accesses to BAR 0 trap", gpu->index);
	return m->registers;

fail_probe:
	iounmap(m->registers);
fail_map:
	unuse();
fail_use:
	os_free(m);
	os_log(OS_LOG_ERROR, "GPU %u: accesses to BAR 0 cannot trap", gpu->index);
	return NULL;
}

void soft_trap_unmap(struct soft_pci *gpu, void __iomem *registers)
{
	struct mapping *m = mappings[gpu->index];

	if (!m || m->registers != registers)
		return;
	mappings[gpu->index] = NULL;
	unregister_kmmio_probe(&m->probe);
	/* The pages' own records go some time after a grace period. */
	synchronize_rcu();
	rcu_barrier();
	iounmap(m->registers);
	unuse();
	os_log(OS_LOG_INFO, "GPU %u: %llu accesses trapped", gpu->index, m->accesses);
	os_free(m);
}

#else

void __iomem *soft_trap_map(struct soft_pci *gpu, u64 *size)
{
	if (trap)
		os_log(OS_LOG_ERROR, "this kernel cannot trap accesses: no MMIOTRACE");
	return NULL;
}

void soft_trap_unmap(struct soft_pci *gpu, void __iomem *registers)
{
}

#endif
