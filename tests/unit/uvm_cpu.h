/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A process's CPU before unified memory: what it has mapped it uses as it is, until the host takes
 * that away, or has stores wait; what it has not it asks for. The lock stands for what hardware
 * does at once.
 */
#ifndef TESTS_UVM_CPU_H
#define TESTS_UVM_CPU_H

#include <pthread.h>

#include "unit.h"
#include "uvm/uvm.h"

#define CPU_PAGE 0x1000ull
#define CPU_PAGES 4096u /* from the base on */

static struct {
	struct uvm_file *file;
	u64 base;
	u8 *mapped[CPU_PAGES];
	bool held[CPU_PAGES]; /* stores wait */
	pthread_mutex_t lock;
} cpu = { .lock = PTHREAD_MUTEX_INITIALIZER };

static inline void cpu_begin(struct uvm_file *file, u64 base)
{
	memset(cpu.mapped, 0, sizeof(cpu.mapped));
	memset(cpu.held, 0, sizeof(cpu.held));
	cpu.file = file;
	cpu.base = base;
}

/* What the host's unmap does. */
static inline void cpu_unmap(u64 address, u64 size)
{
	u64 page;

	pthread_mutex_lock(&cpu.lock);
	for (page = (address - cpu.base) / CPU_PAGE;
	     page < (address - cpu.base + size) / CPU_PAGE && page < CPU_PAGES; page++)
		cpu.mapped[page] = NULL;
	pthread_mutex_unlock(&cpu.lock);
}

/* What the host's protect does. */
static inline void cpu_hold(u64 address, u64 size)
{
	u64 page;

	pthread_mutex_lock(&cpu.lock);
	for (page = (address - cpu.base) / CPU_PAGE;
	     page < (address - cpu.base + size) / CPU_PAGE && page < CPU_PAGES; page++)
		cpu.held[page] = true;
	pthread_mutex_unlock(&cpu.lock);
}

/* And its discard: whoever looks at the memory itself finds nothing of use. */
static inline void cpu_discard(const struct uvm_extent *e)
{
	cpu_unmap(e->address, e->size);
	assert_true(e->offset + e->size <= e->pages->size);
	memset((u8 *)e->pages->cpu + e->offset, 0xee, e->size);
}

static inline enum uvm_result cpu_insert(void *ctx, const struct uvm_extent *e)
{
	u64 address = *(u64 *)ctx & ~(CPU_PAGE - 1);

	assert_true(address >= e->address && address - e->address < e->size && e->writable);
	assert_true(e->offset + e->size <= e->pages->size);
	pthread_mutex_lock(&cpu.lock);
	cpu.held[(address - cpu.base) / CPU_PAGE] = false;
	cpu.mapped[(address - cpu.base) / CPU_PAGE] =
		(u8 *)e->pages->cpu + e->offset + (address - e->address);
	pthread_mutex_unlock(&cpu.lock);
	return UVM_RESULT_OK;
}

/* As a program does it, whose races with the GPU's copies are its own. */
__attribute__((no_sanitize("thread"), noinline)) static u64 cpu_add_word(u64 *word, u64 add)
{
	u64 was = *word;

	if (add)
		*word += add;
	return was;
}

/* Adds to the word there, and gives what it was; false: a bus error. 0 only reads. */
static inline bool cpu_add(u64 address, u64 add, u64 *was)
{
	u64 page = (address - cpu.base) / CPU_PAGE;
	struct uvm_extent e;

	*was = 0;
	for (;;) {
		pthread_mutex_lock(&cpu.lock);
		if (cpu.mapped[page] && (!add || !cpu.held[page])) {
			*was = cpu_add_word((u64 *)(cpu.mapped[page] + address % CPU_PAGE), add);
			pthread_mutex_unlock(&cpu.lock);
			return true;
		}
		pthread_mutex_unlock(&cpu.lock);
		if (uvm_file_fault(cpu.file, address, true, &e, cpu_insert, &address))
			return false;
	}
}

#endif
