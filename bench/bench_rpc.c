// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A control that the GPU's firmware answers, from the ioctl's entry to its return, against what it
 * cannot do without: copying and check-summing its messages, a cheap control, and, where threads do
 * not run the firmware for each other, the bare hand-off between two threads that wait alike.
 *
 *   bench_rpc               all of it, one line a goal
 *   bench_rpc WHICH COUNT   so many calls of one of the controls below, for profilers
 */
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/r535.h"
#include "host/user/handoff.h"
#include "machine.h"

#define ROUNDS 300	   /* short ones: some fall between what else runs on the machine */
#define WAIT_SPIN_NS 3000u /* as os_pci_wait */

static u8 *params;

/* What the ratio is made of, for who looks for the part that costs. */
static void report_times(double routed, double messages, double cheap, double hand_off)
{
	if (getenv("BENCH_TIMES"))
		printf("  %.0f ns; its messages %.0f, cheap control %.0f, hand-off %.0f\n", routed,
		       messages, cheap, hand_off);
}

/* -- What cannot be spared --------------------------------------------------------------------- */

#define ELEMENT_HEADER 48u
#define MESSAGE_HEADER (32u + 24u)

static u64 __attribute__((noinline)) checksum(const u64 *words, size_t size)
{
	u64 sum = 0;

	for (size_t i = 0; i < size / 8; i++)
		sum ^= words[i];
	return sum;
}

/*
 * Request and reply, each copied into its queue and out of it, and summed up on both sides. Memory
 * of the real size of a queue would be cold no sooner: the firmware answers at once.
 */
static double messages_ns(u32 size, u32 calls)
{
	static u64 queue[128 * 1024 / 8], mine[128 * 1024 / 8], theirs[128 * 1024 / 8];
	size_t bytes = (ELEMENT_HEADER + MESSAGE_HEADER + size + 7) & ~7ull;
	u64 sum = 0;
	double start = machine_now();

	for (u32 i = 0; i < calls; i++) {
		for (u32 way = 0; way < 2; way++) {
			u64 *from = way ? theirs : mine, *to = way ? mine : theirs;

			sum += checksum(from, bytes);
			memcpy(queue, from, bytes);
			__asm__ volatile("" ::: "memory");
			memcpy(to, queue, bytes);
			sum += checksum(to, bytes);
			__asm__ volatile("" ::"r"(sum) : "memory");
		}
	}
	return (machine_now() - start) / calls;
}

/* -- The bare hand-off: one side waits as the driver does, the other as the GPU's thread ---------
 */

static struct {
	sem_t wake;
	_Alignas(64) u32 reply;
	u32 sleeps;
	u32 stop;
} hand;

static void *hand_main(void *arg)
{
	for (;;) {
		while (sem_wait(&hand.wake))
			;
		if (os_load_acquire(&hand.stop))
			return NULL;
		os_fetch_add(&hand.reply, 1);
		if (os_load_acquire(&hand.sleeps))
			syscall(SYS_futex, &hand.reply, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static double handoff_ns(u32 calls)
{
	double start = machine_now();

	for (u32 i = 0; i < calls; i++) {
		u32 before = os_load_acquire(&hand.reply);
		u64 until;

		sem_post(&hand.wake);
		until = os_time_ns() + WAIT_SPIN_NS;
		do {
			for (u32 j = 0; j < 16 && os_load_acquire(&hand.reply) == before; j++)
				handoff_pause();
		} while (os_load_acquire(&hand.reply) == before && os_time_ns() < until);
		while (os_load_acquire(&hand.reply) == before) {
			os_exchange(&hand.sleeps, 1);
			if (os_load_acquire(&hand.reply) == before)
				syscall(SYS_futex, &hand.reply, FUTEX_WAIT_PRIVATE, before, NULL,
					NULL, 0);
			os_exchange(&hand.sleeps, 0);
		}
	}
	return (machine_now() - start) / calls;
}

/* -- The two ways ------------------------------------------------------------------------------ */

static double control_ns(u32 cmd, u32 size, u32 calls)
{
	double start = machine_now();

	for (u32 i = 0; i < calls; i++)
		machine_control(cmd, params, size);
	return (machine_now() - start) / calls;
}

static double cheap_ns(u32 calls)
{
	double start = machine_now();

	for (u32 i = 0; i < calls; i++)
		machine_cheap();
	return (machine_now() - start) / calls;
}

static void compare(bool lend)
{
	machine_open(lend);
	for (u32 i = 0; i < MACHINE_CONTROLS; i++) {
		double routed = 1e18, messages = 1e18, cheap = 1e18, hand_off = lend ? 0 : 1e18;
		u32 size = machine_routed[i].size, calls = machine_routed[i].calls;

		/* By turns, so that all see the same machine. */
		for (u32 round = 0; round < ROUNDS; round++) {
			machine_least(&routed, control_ns(machine_routed[i].cmd, size, calls));
			machine_least(&messages, messages_ns(size, calls));
			machine_least(&cheap, cheap_ns(calls));
			if (!lend)
				machine_least(&hand_off, handoff_ns(calls));
		}
		if (lend)
			machine_report("lending: RPC / (its messages + cheap control)",
				       machine_routed[i].name, routed / (messages + cheap), 2.0);
		else
			machine_report("no lending: RPC / (hand-off + messages + control)",
				       machine_routed[i].name,
				       routed / (hand_off + messages + cheap), 1.5);
		report_times(routed, messages, cheap, hand_off);
	}
	machine_close();
}

int main(int argc, char **argv)
{
	pthread_t thread;

	params = calloc(1, 128 * 1024);
	if (!params || sem_init(&hand.wake, 0, 0))
		return 2;
	if (argc == 3) {
		const u32 which = (u32)atoi(argv[1]) % MACHINE_CONTROLS;
		machine_open(true);
		control_ns(machine_routed[which].cmd, machine_routed[which].size,
			   (u32)atoi(argv[2]));
		machine_close();
		free(params);
		return 0;
	}
	compare(true);
	if (pthread_create(&thread, NULL, hand_main, NULL))
		return 2;
	compare(false);
	os_store_release(&hand.stop, 1);
	sem_post(&hand.wake);
	pthread_join(thread, NULL);
	free(params);
	return 0;
}
