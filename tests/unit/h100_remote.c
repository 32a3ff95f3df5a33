// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A GPU whose firmware is in another process than its function: the boot and messages over the
 * calls of /dev/softh100, bad answers to them, processes that end at any instant, and commands.
 */
#include "fake_softh100.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "abi/spdm.h"
#include "base/bits.h"
#include "h100_driver.h"
#include "unit.h"

#define CLIENT 0xc1d00001u
#define DEVICE 0xa55a0000u
#define SUBDEVICE 0xc2000003u
#define INTERNAL 0xc2000001u
#define UNKNOWN_CONTROL 0x2080fefeu

#define FUNCTION_ALLOCS 2u /* the function's own */
static u64 live_before;

/* -- Fixtures ---------------------------------------------------------------------------------- */

static bool eventually(bool (*condition)(struct driver *d), struct driver *d)
{
	u32 i;

	for (i = 0; i < 3000 && !condition(d); i++)
		os_sleep_us(1000);
	return condition(d);
}

static bool on_bus(struct driver *d)
{
	return h100_function_present(&d->gpu->fn);
}

static bool gone(struct driver *d)
{
	return fake_ended(d->gpu);
}

/* What a driver's probe does. */
static void enable(struct driver *d)
{
	assert_true(eventually(on_bus, d));
	h100_cfg_write(d->gpu, 4, 2, 0x6);
	driver_interrupts(d);
}

static int open_machine(void **state, bool process, const struct h100_config *config)
{
	struct driver *d = malloc(sizeof(*d));

	live_before = unit_live();
	fake_no_process = !process;
	driver_open(d, config);
	d->no_lending = true;
	if (process)
		enable(d);
	*state = d;
	return 0;
}

static int open_with(void **state, bool process)
{
	return open_machine(state, process, NULL);
}

#define MACHINE_GPUS 3u
#define MACHINE_SELF 1u

static int open_one_of_three(void **state)
{
	const struct h100_config config = { .index = MACHINE_SELF, .count = MACHINE_GPUS };

	return open_machine(state, true, &config);
}

static int open_cold(void **state)
{
	return open_with(state, true);
}

static int open_confidential(void **state)
{
	const struct h100_config config = { .count = 1, .cc = H100_CC_ON };

	return open_machine(state, true, &config);
}

static int open_unserved(void **state)
{
	return open_with(state, false);
}

static int open_booted(void **state)
{
	open_cold(state);
	assert_int_equal(driver_boot(*state), NV_OK);
	return 0;
}

static int close_gpu(void **state)
{
	driver_close(*state);
	free(*state);
	assert_int_equal(unit_live(), live_before);
	return 0;
}

/* A word of the module's that its lock protects. */
static u64 locked(struct driver *d, const u64 *word)
{
	u64 value;

	pthread_mutex_lock(&d->gpu->lock);
	value = *word;
	pthread_mutex_unlock(&d->gpu->lock);
	return value;
}

static void check_messages(struct driver *d)
{
	NV0080_ALLOC_PARAMETERS device = { 0 };
	u32 params = 5;

	assert_int_equal(driver_alloc_object(d, CLIENT, 0, 0, NV01_ROOT, NULL, 0), NV_OK);
	assert_int_equal(driver_alloc_object(d, CLIENT, CLIENT, DEVICE, NV01_DEVICE_0, &device,
					     sizeof(device)),
			 NV_OK);
	assert_int_equal(
		driver_control(d, CLIENT, DEVICE, UNKNOWN_CONTROL, &params, sizeof(params)),
		NV_ERR_NOT_SUPPORTED);
	assert_int_equal(driver_free_object(d, CLIENT, CLIENT), NV_OK);
}

/* -- As in one process ------------------------------------------------------------------------- */

static void test_boot(void **state)
{
	struct driver *d = *state;
	u32 messages;
	u64 start;

	assert_int_equal(driver_boot(d), NV_OK);
	start = REG_GET(NV_PFB_PRI_MMU_WPR2_ADDR_LO_VAL, driver_rd(d, NV_PFB_PRI_MMU_WPR2_ADDR_LO))
		<< 12;
	assert_true(h100_bar_read(d->gpu, 2, start, 8) == GSP_FW_WPR_META_MAGIC);
	driver_wr(d, NV_PGSP__LO + NV_PFALCON_FALCON_IRQSCLR, ~0u);
	driver_wr(d, LH_VF_BASE + NV_VIRTUAL_FUNCTION_PRIV_CPU_INTR_LEAF(LH_INTR_VECTOR_GSP / 32),
		  ~0u);
	messages = os_load_relaxed(&d->msix[LH_INTR_VECTOR_GSP / 64]);
	check_messages(d);
	assert_true(os_load_relaxed(&d->msix[LH_INTR_VECTOR_GSP / 64]) != messages);
	assert_int_equal(driver_cot(d), FSP_ERR_IFS_ERR_INVALID_STATE);
}

static void test_interrupted(void **state)
{
	struct driver *d = *state;

	pthread_mutex_lock(&d->gpu->lock);
	d->gpu->interrupt_every = 2;
	pthread_mutex_unlock(&d->gpu->lock);
	assert_int_equal(driver_boot(d), NV_OK);
	check_messages(d);
}

/* The module's own memory runs short now and then. */
static void test_no_memory(void **state)
{
	struct driver *d = *state;

	pthread_mutex_lock(&d->gpu->lock);
	d->gpu->no_memory_every = 3;
	pthread_mutex_unlock(&d->gpu->lock);
	assert_int_equal(driver_boot(d), NV_OK);
	check_messages(d);
}

static void test_short(void **state)
{
	static const u32 most[] = { 4, 7, 1000 };
	struct driver *d = *state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(most); i++) {
		os_store_relaxed(&d->gpu->short_bytes, most[i]);
		assert_int_equal(driver_boot(d), NV_OK);
		check_messages(d);
		assert_int_equal(fake_join(d->gpu, true), 0);
		fake_start(d->gpu);
		enable(d);
	}
}

/* The driver's function-level reset: the firmware starts from nothing. */
static void test_function_reset(void **state)
{
	struct driver *d = *state;
	u32 control = NV_EP_PCFG_GPU_DEVICE_CONTROL_STATUS;

	h100_cfg_write(d->gpu, control, 2, h100_cfg_read(d->gpu, control, 2) | 0x8000);
	assert_int_equal(h100_cfg_read(d->gpu, 4, 2) & 6, 0);
	enable(d);
	assert_int_equal(driver_boot(d), NV_OK);
	check_messages(d);
}

static void test_out_of_reach(void **state)
{
	struct driver *d = *state;

	d->unmapped = 1;
	assert_int_not_equal(driver_boot(d), NV_OK);
	assert_false(fake_ended(d->gpu));
	d->unmapped = 0;
	assert_int_equal(driver_boot(d), NV_OK);
	check_messages(d);
}

/* -- Processes that end ------------------------------------------------------------------------ */

static void test_terminated(void **state)
{
	struct driver *d = *state;

	assert_int_equal(fake_join(d->gpu, true), 0);
	assert_int_equal(driver_rd(d, NV_PMC_BOOT_0), ~0u);
	assert_int_equal(h100_cfg_read(d->gpu, 0, 4), ~0u);
	fake_start(d->gpu);
	enable(d);
	assert_int_equal(driver_boot(d), NV_OK);
	check_messages(d);
}

static void test_removed(void **state)
{
	struct driver *d = *state;

	fake_work(d->gpu, SOFTH100_WORK_REMOVED | H100_WORK_GSP);
	assert_int_equal(fake_join(d->gpu, false), 0);
}

static bool up_or_gone(struct driver *d)
{
	u32 hwcfg2 = driver_rd(d, NV_PGSP__LO + NV_PFALCON_FALCON_HWCFG2);

	return gone(d) || ((hwcfg2 & 0xffffff00u) != 0xbadf4100u &&
			   REG_GET(NV_PFALCON_FALCON_HWCFG2_RISCV_BR_PRIV_LOCKDOWN, hwcfg2) == 0);
}

static bool ready_or_gone(struct driver *d)
{
	return gone(d) || driver_rd(d, NV_THERM_I2CS_SCRATCH) == 0xff;
}

static bool on_bus_or_gone(struct driver *d)
{
	return gone(d) || on_bus(d);
}

/* A boot without a word about how it goes. */
static void try_boot(struct driver *d)
{
	NVDM_PAYLOAD_COT cot = { .version = 1, .size = sizeof(cot) };
	rpc_message_header_v *message;
	PACKED_REGISTRY_TABLE *table;
	size_t size;
	u32 i;

	assert_true(eventually(on_bus_or_gone, d));
	h100_cfg_write(d->gpu, 4, 2, 0x6);
	driver_interrupts(d);
	assert_true(eventually(ready_or_gone, d));
	driver_prepare(d);
	driver_message(d, NV_VGPU_MSG_FUNCTION_GSP_SET_SYSTEM_INFO, 32 + sizeof(GspSystemInfo));
	driver_send(d);
	message = driver_message(d, NV_VGPU_MSG_FUNCTION_SET_REGISTRY, 32 + sizeof(*table));
	table = (void *)(message + 1);
	table->size = sizeof(*table);
	driver_send(d);
	memcpy(cot.hash384, driver_section(".fwfmchash", &size), sizeof(cot.hash384));
	cot.gspFmcSysmemOffset = driver_bus(d->fmc);
	cot.gspBootArgsSysmemOffset = driver_bus(d->boot_params);
	driver_wr(d, NV_PFSP_EMEMC(0), (u32)REG_PREP(NV_PFSP_EMEMC_AINCW, 1));
	driver_wr(d, NV_PFSP_EMEMD(0), 0xc0000000u);
	driver_wr(d, NV_PFSP_EMEMD(0), 0x7eu | 0x10deu << 8 | (u32)NVDM_TYPE_COT << 24);
	for (i = 0; i < sizeof(cot) / 4; i++)
		driver_wr(d, NV_PFSP_EMEMD(0), ((const u32 *)&cot)[i]);
	driver_wr(d, NV_PFSP_QUEUE_TAIL(0), sizeof(cot) + 4);
	driver_wr(d, NV_PFSP_QUEUE_HEAD(0), 0);
	assert_true(eventually(up_or_gone, d));
}

/* As a process that is killed, and one whose module fails: at every call that a boot makes. */
static void fail_every_call(struct driver *d, int error)
{
	bool failed = true;
	u32 nth;

	for (nth = 1; failed; nth++) {
		int rc;

		d->gpu->calls = 0;
		d->gpu->fail_errno = error;
		d->gpu->fail_at = nth;
		fake_start(d->gpu);
		try_boot(d);
		failed = fake_ended(d->gpu);
		pthread_mutex_lock(&d->gpu->lock);
		d->gpu->fail_at = 0;
		pthread_mutex_unlock(&d->gpu->lock);
		rc = fake_join(d->gpu, true);
		if (failed)
			assert_int_equal(driver_rd(d, NV_PMC_BOOT_0), ~0u);
		if (failed && rc != 0)
			assert_true(rc == error || rc == ENOMEM);
		assert_int_equal(unit_live(), live_before + FUNCTION_ALLOCS);
	}
	assert_true(nth > 40);
	fake_start(d->gpu);
	enable(d);
	assert_int_equal(driver_boot(d), NV_OK);
}

static void test_gone_at_every_call(void **state)
{
	fail_every_call(*state, ENODEV);
}

static void test_error_at_every_call(void **state)
{
	fail_every_call(*state, EIO);
}

/* -- Commands ---------------------------------------------------------------------------------- */

static void test_commands(void **state)
{
	struct softh100_command endless;
	struct driver *d = *state;

	assert_int_equal(fake_command(d->gpu, "temperature 90\n"), 0);
	assert_int_equal(fake_command(d->gpu, "no such event"), EINVAL);
	assert_int_equal(fake_command(d->gpu, ""), EINVAL);
	memset(&endless, 'x', sizeof(endless));
	assert_int_equal(fake_command_raw(d->gpu, &endless), EINVAL);
	/* Nothing to be had, though the bit was set. */
	fake_work(d->gpu, SOFTH100_WORK_COMMAND);
	check_messages(d);

	assert_int_equal(fake_command(d->gpu, "off-bus"), 0);
	assert_int_equal(driver_rd(d, NV_PMC_BOOT_0), ~0u);
	assert_int_equal(fake_command(d->gpu, "on-bus"), 0);
	check_messages(d);

	assert_int_equal(fake_command(d->gpu, "gsp-crash"), 0);
	assert_int_equal(REG_GET(NV_PRISCV_RISCV_CPUCTL_HALTED,
				 driver_rd(d, NV_FALCON2_GSP_BASE + NV_PRISCV_RISCV_CPUCTL)),
			 1);
	assert_false(fake_ended(d->gpu));
}

static bool off_bus(struct driver *d)
{
	return driver_rd(d, NV_PMC_BOOT_0) == ~0u;
}

/* Events of the future are a wait's timeout. */
static bool is_linked(struct driver *d)
{
	return os_load_acquire(&d->gpu->links.gpu[MACHINE_SELF].linked) != 0;
}

static bool counts_taken(struct driver *d)
{
	struct softh100_link *own = &d->gpu->links.gpu[MACHINE_SELF];

	return os_load_acquire(&own->sent) == 0 && os_load_acquire(&own->received) == 0;
}

/* The other processes' GPUs: the module hears of the links' state, and of nothing else. */
static void test_links(void **state)
{
	u32 control = NV_EP_PCFG_GPU_DEVICE_CONTROL_STATUS;
	struct driver *d = *state;
	struct softh100_link *own = &d->gpu->links.gpu[MACHINE_SELF];

	/* The process, its own memory, the page and two GPUs' memory. */
	assert_true(eventually(is_linked, d));
	assert_int_equal(os_load_relaxed(&d->gpu->mapped), 2 + MACHINE_GPUS - 1);
	assert_int_equal(fake_command(d->gpu, "nvlink-down 3"), 0);
	assert_false(is_linked(d));
	assert_int_equal(fake_command(d->gpu, "nvlink-up 3"), 0);
	assert_true(is_linked(d));
	assert_int_equal(fake_command(d->gpu, "off-bus"), 0);
	assert_false(is_linked(d));
	assert_int_equal(fake_command(d->gpu, "on-bus"), 0);
	assert_true(is_linked(d));
	/* What others moved is counted once. */
	os_store_release(&own->sent, 1000u);
	os_store_release(&own->received, 3u);
	fake_work(d->gpu, SOFTH100_WORK_WOKEN);
	assert_true(eventually(counts_taken, d));
	/* A reset of the function takes the links down without a word of the process. */
	os_store_release(&own->linked, 0u);
	h100_cfg_write(d->gpu, control, 2, h100_cfg_read(d->gpu, control, 2) | 0x8000);
	assert_true(eventually(is_linked, d));
	for (u32 i = 0; i < SOFTH100_LINKS_MAX; i++) {
		if (i != MACHINE_SELF)
			assert_int_equal(d->gpu->links.gpu[i].linked, 0);
	}
}

static void test_scheduled(void **state)
{
	struct driver *d = *state;

	assert_int_equal(fake_command(d->gpu, "at 1h off-bus"), EINVAL);
	assert_int_equal(fake_command(d->gpu, "at 900ms off-bus"), 0);
	assert_true(eventually(off_bus, d));
	assert_in_range(locked(d, &d->gpu->longest_timeout_ns), 1, 900000000);
}

static void test_idle(void **state)
{
	struct driver *d = *state;
	u64 calls;

	os_sleep_us(20000);
	calls = locked(d, &d->gpu->calls);
	os_sleep_us(200000);
	assert_int_equal(locked(d, &d->gpu->calls), calls);
	assert_true(locked(d, &d->gpu->last_timeout_ns) == ~0ull);
}

/* -- Binding ----------------------------------------------------------------------------------- */

static int serve_once(struct h100 *fake)
{
	fake_start(fake);
	return fake_join(fake, true);
}

static void test_refused(void **state)
{
	struct driver *d = *state;
	struct h100 *fake = d->gpu;

	assert_int_equal(serve_once(fake), 0);
	fake->attached = true;
	assert_int_equal(serve_once(fake), EBUSY);
	fake->attached = false;
	fake->identity.revision++;
	assert_int_equal(serve_once(fake), EINVAL);
	fake->identity.revision--;
	fake->config.index = 1;
	assert_int_equal(serve_once(fake), ENODEV);
	fake->config.index = 0;
	fake->config.profile_size--;
	fake->config.scenario = "nonsense";
	fake->config.scenario_size = 8;
	assert_int_equal(serve_once(fake), EINVAL);
	fake->config.scenario = NULL;
	fake->config.profile = "nonsense";
	fake->config.profile_size = 8;
	assert_int_equal(serve_once(fake), EINVAL);
	fake->config.profile = fake->profile;
}

static void test_allocations(void **state)
{
	struct driver *d = *state;
	u64 nth, failed;
	int rc;

	for (nth = 1, rc = ENOMEM; rc != 0; nth++) {
		failed = unit_failed();
		if (!os_user_fail_alloc(nth))
			skip();
		rc = serve_once(d->gpu);
		assert_int_equal(rc, unit_failed() != failed ? ENOMEM : 0);
		assert_int_equal(unit_live(), live_before + FUNCTION_ALLOCS);
		assert_int_equal(d->gpu->mapped, 0);
	}
	os_user_fail_alloc(0);
	assert_true(nth > 3);
}

/* -- Single calls ------------------------------------------------------------------------------ */

/* A module that answers what it is told to. */
struct liar {
	struct softh100_machine machine;
	int ioctl_rc;
	ssize_t moved; /* beyond what was asked for, when positive */
	u32 asked, packet_size;
	size_t most;
};

static int liar_ioctl(void *ctx, unsigned long request, void *arg)
{
	struct liar *liar = ctx;

	if (request == SOFTH100_MACHINE)
		*(struct softh100_machine *)arg = liar->machine;
	if (request == SOFTH100_FSP_RECEIVE)
		((struct softh100_packet *)arg)->size = liar->packet_size;
	return liar->ioctl_rc;
}

static ssize_t liar_pread(void *ctx, void *data, size_t size, u64 address)
{
	struct liar *liar = ctx;

	liar->asked++;
	liar->most = max(liar->most, size);
	return liar->moved > 0 ? (ssize_t)size + liar->moved : liar->moved < 0 ? liar->moved : 0;
}

static ssize_t liar_pwrite(void *ctx, const void *data, size_t size, u64 address)
{
	return liar_pread(ctx, NULL, size, address);
}

static const struct remote_calls liar_calls = { .ioctl = liar_ioctl,
						.pread = liar_pread,
						.pwrite = liar_pwrite };

static void test_machine(void **state)
{
	const struct softh100_machine good = { .version = SOFTH100_VERSION,
					       .gpus = 2,
					       .profile = "h200" };
	struct liar liar = { .machine = good };
	struct h100_chip chip = { .calls = &liar_calls, .ctx = &liar };
	struct softh100_machine machine;

	assert_int_equal(remote_machine(&chip, &machine), 0);
	assert_int_equal(machine.gpus, 2);
	assert_string_equal(machine.profile, "h200");
	liar.machine.version++;
	assert_int_equal(remote_machine(&chip, &machine), EPROTO);
	liar.machine = good;
	liar.machine.gpus = 0;
	assert_int_equal(remote_machine(&chip, &machine), EPROTO);
	liar.machine = good;
	liar.machine.profile[0] = '\0';
	assert_int_equal(remote_machine(&chip, &machine), EPROTO);
	liar.machine = good;
	liar.machine.cc = SOFTH100_CC_DEVTOOLS + 1;
	assert_int_equal(remote_machine(&chip, &machine), EPROTO);
	memset(liar.machine.profile, 'x', sizeof(liar.machine.profile));
	assert_int_equal(remote_machine(&chip, &machine), EPROTO);
	liar.ioctl_rc = -EIO;
	assert_int_equal(remote_machine(&chip, &machine), EIO);
}

static void test_lies(void **state)
{
	struct liar liar = { .moved = 1 };
	struct h100_chip chip = { .calls = &liar_calls, .ctx = &liar };
	static u8 bytes[3u << 20];

	/* More than was asked for, nothing at all, not mapped. */
	assert_false(remote_dma_read(&chip, 0x1000, bytes, 16));
	assert_false(remote_dma_write(&chip, 0x1000, bytes, 16));
	liar.moved = 0;
	assert_false(remote_dma_read(&chip, 0x1000, bytes, sizeof(bytes)));
	assert_true(liar.most == 1u << 20);
	liar.moved = -EFAULT;
	assert_false(remote_dma_write(&chip, 0x1000, bytes, 16));
	assert_int_equal(chip.error, 0);
	/* Addresses that no file has. */
	liar.asked = 0;
	assert_false(remote_dma_read(&chip, ~(u64)0, bytes, 1));
	assert_false(remote_dma_read(&chip, 1ull << 63, bytes, 1));
	assert_false(remote_dma_write(&chip, (1ull << 63) - 8, bytes, 16));
	assert_true(remote_dma_read(&chip, 0, bytes, 0));
	assert_int_equal(liar.asked, 0);
	/* A packet longer than the space for it. */
	liar.packet_size = 64;
	assert_int_equal(h100_chip_fsp_receive(&chip, bytes, 64), 64);
	assert_int_equal(h100_chip_fsp_receive(&chip, bytes, 60), 0);
	/* The first failure stays, and nothing is asked any more. */
	liar.moved = -EIO;
	assert_false(remote_dma_read(&chip, 0x1000, bytes, 16));
	assert_int_equal(chip.error, EIO);
	liar.moved = -ENODEV;
	liar.asked = 0;
	assert_false(remote_dma_write(&chip, 0x1000, bytes, 16));
	assert_int_equal(liar.asked, 0);
	assert_int_equal(chip.error, EIO);
	assert_int_equal(h100_chip_register_get(&chip, 0), ~0u);
	assert_false(h100_chip_bus_master(&chip));
}

/* -- Doorbells --------------------------------------------------------------------------------- */

#define BELL_CLIENT 77u
#define HANG_S 60u /* then the test has failed */

/* Until the word is n at least. */
static void wait_count(struct h100 *fake, const u32 *word, u32 n)
{
	pthread_mutex_lock(&fake->lock);
	while (*word < n)
		pthread_cond_wait(&fake->changed, &fake->lock);
	pthread_mutex_unlock(&fake->lock);
}

static u32 number_of(struct h100 *fake, const u32 *word)
{
	u32 value;

	pthread_mutex_lock(&fake->lock);
	value = *word;
	pthread_mutex_unlock(&fake->lock);
	return value;
}

static void rung(struct h100 *fake, u32 number)
{
	u32 armed = number_of(fake, &fake->armed_times[number]);

	fake_bell(fake, number, BELL_CLIENT, SOFTH100_BELL_RUNG);
	os_store_relaxed(fake_bell_word(fake, number), 0x80003u);
	/* A store to a page that was armed in between would fault, and be told, once more. */
	for (os_sleep_us(1000); os_load_relaxed(fake_bell_word(fake, number)) != 0;
	     os_sleep_us(1000))
		fake_bell(fake, number, BELL_CLIENT, SOFTH100_BELL_RUNG);
	wait_count(fake, &fake->armed_times[number], armed + 1);
}

static void test_bells(void **state)
{
	struct driver *d = *state;
	struct h100 *fake = d->gpu;
	u32 i;

	/* The word is taken, and the page armed again, however often. */
	for (i = 0; i < 3; i++)
		rung(fake, 5);
	rung(fake, SOFTH100_BELLS_MAX - 1);
	rung(fake, 5);
	/* Freed once the page is not looked at any more; the fake's is inaccessible from then on.
	 */
	fake_bell(fake, 5, BELL_CLIENT, SOFTH100_BELL_GONE | SOFTH100_BELL_RUNG);
	wait_count(fake, &fake->freed, 1);
	assert_int_equal(fake->last_freed, 5);
	/* One that went before anybody heard of it; and another one of a number that was freed. */
	fake_bell(fake, 9, BELL_CLIENT, SOFTH100_BELL_GONE);
	wait_count(fake, &fake->freed, 2);
	assert_int_equal(fake->last_freed, 9);
	rung(fake, 5);
	/* With nobody ringing the process sleeps. */
	check_messages(d);
	/* What is left at the end is the process's to forget. */
	assert_int_equal(fake_join(fake, true), 0);
}

/* Clients that never stop ringing keep the firmware from nothing else. */
static void test_bell_storm(void **state)
{
	struct driver *d = *state;
	u32 i;

	fake_storm(d->gpu, BELL_CLIENT, true);
	alarm(HANG_S);
	for (i = 0; i < 20; i++)
		assert_int_equal(fake_command(d->gpu, "temperature 90\n"), 0);
	check_messages(d);
	/* What was stored is taken all the same. */
	os_store_relaxed(fake_bell_word(d->gpu, 31), 0x80003u);
	while (os_load_relaxed(fake_bell_word(d->gpu, 31)) != 0)
		os_sleep_us(100);
	fake_storm(d->gpu, BELL_CLIENT, false);
	check_messages(d);
	alarm(0);
}

static void test_bell_of_no_number(void **state)
{
	struct driver *d = *state;

	fake_bell(d->gpu, SOFTH100_BELLS_MAX, BELL_CLIENT, SOFTH100_BELL_RUNG);
	assert_int_equal(fake_join(d->gpu, false), EPROTO);
}

/* -- Confidential mode ------------------------------------------------------------------------- */

static u32 ask_responder(struct driver *d, NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS *p, u8 type)
{
	p->cmd.cmdType = type;
	return driver_control(d, INTERNAL, SUBDEVICE, NV2080_CTRL_INTERNAL_SPDM_PARTITION, p,
			      sizeof(*p));
}

/* The mode is the process's as it is the function's: registers, closed BARs, an SPDM responder. */
static void test_confidential(void **state)
{
	static const u8 get_version[] = { 0x10, 0x84, 0, 0 };
	NV2080_CTRL_INTERNAL_SPDM_PARTITION_PARAMS p = { 0 };
	NV_SPDM_DESC_HEADER *header;
	struct driver *d = *state;
	u8 bytes[4] = { 0 };
	u32 page;

	h100_bar_write(d->gpu, 2, 0x1000, 4, 0x1234);
	assert_int_equal((u32)h100_bar_read(d->gpu, 2, 0x1000, 4), ~0u);
	assert_int_equal(driver_boot(d), NV_OK);
	assert_int_equal(driver_rd(d, NV_PGC6_AON_SECURE_SCRATCH_GROUP_20), 1);
	/* Nothing is served before there is a session. */
	assert_int_equal(
		driver_control(d, INTERNAL, SUBDEVICE, UNKNOWN_CONTROL, bytes, sizeof(bytes)),
		NV_ERR_INVALID_STATE);
	page = driver_alloc(d, 1);
	header = (void *)driver_page(d, page);
	p.cmd.ccInit.ccInitCtx.dmaAddr.lo = (u32)driver_bus(page);
	p.cmd.ccInit.ccInitCtx.dmaAddr.hi = (u32)(driver_bus(page) >> 32);
	assert_int_equal(ask_responder(d, &p, RM_GSP_SPDM_CMD_ID_CC_INIT), NV_OK);
	assert_int_equal(p.msg.status, 0);
	header->msgType = NV_SPDM_MESSAGE_TYPE_NORMAL;
	header->msgSizeByte = sizeof(get_version);
	memcpy(header + 1, get_version, sizeof(get_version));
	assert_int_equal(ask_responder(d, &p, RM_GSP_SPDM_CMD_ID_CC_CTRL), NV_OK);
	assert_int_equal(p.msg.status, 0);
	assert_int_equal(((u8 *)(header + 1))[1], 0x04);
}

/* A process of another mode than the function's does not get onto the bus. */
static void test_other_mode(void **state)
{
	struct driver *d = *state;

	d->gpu->machine_cc = SOFTH100_CC_DEVTOOLS;
	fake_start(d->gpu);
	assert_int_equal(fake_join(d->gpu, false), EINVAL);
}

#define CONFIDENTIAL(name) cmocka_unit_test_setup_teardown(name, open_confidential, close_gpu)
#define COLD(name) cmocka_unit_test_setup_teardown(name, open_cold, close_gpu)
#define OF_THREE(name) cmocka_unit_test_setup_teardown(name, open_one_of_three, close_gpu)
#define BOOTED(name) cmocka_unit_test_setup_teardown(name, open_booted, close_gpu)
#define UNSERVED(name) cmocka_unit_test_setup_teardown(name, open_unserved, close_gpu)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COLD(test_boot),
		COLD(test_interrupted),
		COLD(test_no_memory),
		COLD(test_short),
		BOOTED(test_function_reset),
		COLD(test_out_of_reach),
		BOOTED(test_terminated),
		BOOTED(test_removed),
		UNSERVED(test_gone_at_every_call),
		UNSERVED(test_error_at_every_call),
		BOOTED(test_commands),
		BOOTED(test_scheduled),
		BOOTED(test_idle),
		BOOTED(test_bells),
		BOOTED(test_bell_storm),
		BOOTED(test_bell_of_no_number),
		UNSERVED(test_refused),
		UNSERVED(test_allocations),
		OF_THREE(test_links),
		CONFIDENTIAL(test_confidential),
		UNSERVED(test_other_mode),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
