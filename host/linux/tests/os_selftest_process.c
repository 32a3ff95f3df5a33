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

const struct selftest selftest_process[] = {
	{ "credentials", test_cred },
	{ "copies from and to a process", test_copies },
	{},
};
