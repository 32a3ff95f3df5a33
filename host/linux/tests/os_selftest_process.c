// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The process that a request comes from, here the one that loads the module: its credentials and
 * its memory, which the driver's own threads have none of.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "os_selftest.h"

static void own_thread(void *arg)
{
	u64 user = *(u64 *)arg;
	struct os_cred cred;
	char byte;

	os_current_cred(&cred);
	CHECK(cred.pid == 0 && cred.uid == 0 && cred.gid == 0 && cred.admin);
	CHECK(!cred.started && !cred.space);
	CHECK(os_copy_from_user(&byte, user, 1) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_to_user(user, &byte, 1) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_to_user(user, &byte, 0) == NV_OK);
}

static void test_cred(void)
{
	const struct cred *old;
	struct cred *other;
	struct os_cred cred;

	os_current_cred(&cred);
	CHECK(cred.pid == task_tgid_nr(current) && cred.pid != 0);
	CHECK(cred.uid == 0 && cred.gid == 0 && cred.admin);
	CHECK(cred.started == current->group_leader->start_boottime && cred.space);
	other = prepare_creds();
	if (!CHECK(other))
		return;
	other->euid = KUIDT_INIT(1234);
	other->egid = KGIDT_INIT(5678);
	cap_clear(other->cap_effective);
	old = override_creds(other);
	os_current_cred(&cred);
	revert_creds(old);
	put_cred(other);
	CHECK(cred.uid == 1234 && cred.gid == 5678 && !cred.admin);
}

static void test_copies(void)
{
	u64 user = vm_mmap(NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, 0);
	struct os_thread *thread;
	char there[64] = "what goes there comes back", back[64];
	u64 edge = user + PAGE_SIZE;

	if (!CHECK(!IS_ERR_VALUE(user)))
		return;
	/* the second page goes, so that copies run into its place */
	vm_munmap(edge, PAGE_SIZE);
	CHECK(os_copy_to_user(user + 7, there, sizeof(there)) == NV_OK);
	CHECK(os_copy_from_user(back, user + 7, sizeof(back)) == NV_OK);
	CHECK(memcmp(there, back, sizeof(there)) == 0);
	CHECK(os_copy_to_user(edge - 10, there, 10) == NV_OK);
	CHECK(os_copy_to_user(edge - 10, there, 11) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_from_user(back, edge - 10, 11) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_from_user(back, 0, 1) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_from_user(back, ~0ull, 1) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_from_user(back, ~0ull - 3, 16) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_from_user(back, (u64)(uintptr_t)there, 8) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_to_user((u64)(uintptr_t)back, there, 8) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_copy_from_user(back, ~0ull, 0) == NV_OK);

	thread = os_thread_create("selftest own", own_thread, &user);
	CHECK(thread);
	os_thread_join(thread);
	vm_munmap(user, PAGE_SIZE);
}

static struct os_event event;

static void raise_late(void *arg)
{
	struct task_struct *task = arg;

	os_sleep_us(20000);
	set_tsk_thread_flag(task, TIF_SIGPENDING);
	wake_up_process(task);
}

static void wait_of_own_thread(void *arg)
{
	/* What nobody can send to it ends nothing. */
	set_thread_flag(TIF_SIGPENDING);
	*(enum nv_status *)arg = os_event_wait_signal(&event, 10000000);
	clear_thread_flag(TIF_SIGPENDING);
}

/* As if a signal had come to the process that loads the module. */
static void test_signals(void)
{
	enum nv_status status = NV_ERR_GENERIC;
	struct os_thread *thread;

	if (!CHECK(os_event_init(&event) == NV_OK))
		return;
	CHECK(os_event_wait_signal(&event, 0) == NV_ERR_TIMEOUT);
	CHECK(os_event_wait_signal(&event, 1000000) == NV_ERR_TIMEOUT);
	set_thread_flag(TIF_SIGPENDING);
	CHECK(os_event_wait_signal(&event, ~0ull) == NV_ERR_SIGNAL_PENDING);
	CHECK(os_event_wait(&event, 1000000) == NV_ERR_TIMEOUT);
	os_event_signal(&event);
	CHECK(os_event_wait_signal(&event, ~0ull) == NV_OK);
	os_event_reset(&event);
	clear_thread_flag(TIF_SIGPENDING);

	thread = os_thread_create("selftest raise", raise_late, current);
	if (CHECK(thread))
		CHECK(os_event_wait_signal(&event, ~0ull) == NV_ERR_SIGNAL_PENDING);
	os_thread_join(thread);
	clear_thread_flag(TIF_SIGPENDING);

	thread = os_thread_create("selftest own", wait_of_own_thread, &status);
	CHECK(thread);
	os_thread_join(thread);
	CHECK(status == NV_ERR_TIMEOUT);
	os_event_destroy(&event);
}

/* Pages of the process: both see what either writes, and they stay where its mapping goes. */
static void test_pins(void)
{
	u64 user = vm_mmap(NULL, 0, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, 0);
	u64 only_read = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	u64 edge = user + 3 * PAGE_SIZE;
	struct os_pages pages;
	u32 word = 0x1234;

	if (!CHECK(!IS_ERR_VALUE(user) && !IS_ERR_VALUE(only_read)))
		return;
	vm_munmap(edge, PAGE_SIZE);
	CHECK(os_pages_pin(NULL, user + 8, PAGE_SIZE, true, &pages) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_pages_pin(NULL, user, PAGE_SIZE - 1, true, &pages) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_pages_pin(NULL, user, 0, true, &pages) == NV_ERR_INVALID_ARGUMENT);
	CHECK(os_pages_pin(NULL, user, 4 * PAGE_SIZE, true, &pages) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_pages_pin(NULL, edge, PAGE_SIZE, true, &pages) == NV_ERR_INVALID_ADDRESS);
	CHECK(os_pages_pin(NULL, ~0ull << PAGE_SHIFT, PAGE_SIZE, true, &pages) ==
	      NV_ERR_INVALID_ADDRESS);
	CHECK(os_pages_pin(NULL, ~0ull << PAGE_SHIFT, 2 * PAGE_SIZE, true, &pages) ==
	      NV_ERR_INVALID_ADDRESS);
	CHECK(os_pages_pin(NULL, only_read, PAGE_SIZE, true, &pages) == NV_ERR_INVALID_ADDRESS);
	CHECK(!pages.cpu && !pages.impl);
	if (CHECK(os_pages_pin(NULL, only_read, PAGE_SIZE, false, &pages) == NV_OK))
		os_pages_free(&pages);

	CHECK(os_copy_to_user(user + PAGE_SIZE, &word, sizeof(word)) == NV_OK);
	if (!CHECK(os_pages_pin(NULL, user, 3 * PAGE_SIZE, true, &pages) == NV_OK))
		return;
	CHECK(pages.size == 3 * PAGE_SIZE && *(u32 *)(pages.cpu + PAGE_SIZE) == 0x1234);
	*(u32 *)(pages.cpu + 2 * PAGE_SIZE) = 0x5678;
	CHECK(os_copy_from_user(&word, user + 2 * PAGE_SIZE, sizeof(word)) == NV_OK);
	CHECK(word == 0x5678);
	vm_munmap(user, 3 * PAGE_SIZE);
	CHECK(*(u32 *)(pages.cpu + PAGE_SIZE) == 0x1234);
	os_pages_free(&pages);
	vm_munmap(only_read, PAGE_SIZE);
}

const struct selftest selftest_process[] = {
	{ "credentials", test_cred },
	{ "copies from and to a process", test_copies },
	{ "waits that a signal ends", test_signals },
	{ "pages of a process", test_pins },
	{},
};
