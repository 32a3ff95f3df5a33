// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the firmware asks of its function, as ioctls of /dev/softh100; system memory by reads and
 * writes at the DMA address.
 */
#include "host/linux/gpu/remote.h"

#include <errno.h>
#include <string.h>

#include "os/os.h"

#define DMA_CHUNK_BYTES (1u << 20) /* of one read or write */
#define NO_MEMORY_TRIES 100u	   /* a millisecond apart */
#define ADDRESS_MAX ((u64)INT64_MAX)

/*
 * Whether a call that failed with -errno rc is to be made again: it was interrupted, or the module
 * had no memory for it, which passes.
 */
static bool again(ssize_t rc, u32 *tries)
{
	if (rc == -ENOMEM && (*tries)++ < NO_MEMORY_TRIES) {
		os_sleep_us(1000);
		return true;
	}
	return rc == -EINTR;
}

int remote_ioctl(struct h100_chip *chip, unsigned long request, void *arg)
{
	u32 tries = 0;
	int rc;

	do {
		rc = chip->calls->ioctl(chip->ctx, request, arg);
	} while (again(rc, &tries));
	return rc < 0 ? -rc : 0;
}

void remote_wake(struct h100_chip *chip)
{
	remote_ioctl(chip, SOFTH100_WAKE, NULL);
}

void remote_fail(struct h100_chip *chip, int error)
{
	if (os_cmpxchg32(&chip->error, 0, (u32)error))
		remote_wake(chip);
}

bool remote_must(struct h100_chip *chip, unsigned long request, void *arg)
{
	int rc = remote_error(chip) ? 0 : remote_ioctl(chip, request, arg);

	if (rc)
		remote_fail(chip, rc);
	return remote_error(chip) == 0;
}

static void must_set(struct h100_chip *chip, unsigned long request, u32 value)
{
	__u32 word = value;

	remote_must(chip, request, &word);
}

/* -- Binding ----------------------------------------------------------------------------------- */

int remote_machine(struct h100_chip *chip, struct softh100_machine *machine)
{
	int rc;

	memset(machine, 0, sizeof(*machine));
	rc = remote_ioctl(chip, SOFTH100_MACHINE, machine);
	if (rc)
		return rc;
	if (machine->version != SOFTH100_VERSION || machine->gpus == 0 ||
	    machine->cc > SOFTH100_CC_DEVTOOLS ||
	    !memchr(machine->profile, 0, sizeof(machine->profile)) || !machine->profile[0])
		return EPROTO;
	return 0;
}

int remote_attach(struct h100_chip *chip, const struct h100_function_identity *identity,
		  enum h100_cc cc)
{
	struct softh100_attach attach = {
		.version = SOFTH100_VERSION,
		.index = identity->index,
		.vendor_id = identity->vendor_id,
		.device_id = identity->device_id,
		.subsystem_vendor_id = identity->subsystem_vendor_id,
		.subsystem_id = identity->subsystem_id,
		.revision = identity->revision,
		.link_generation = identity->link_generation,
		.link_width = identity->link_width,
		.bar_bytes = { identity->bar_bytes[0], identity->bar_bytes[1],
			       identity->bar_bytes[2] },
		.cc = (__u32)cc,
		.video_bytes = identity->video_bytes,
	};

	return remote_ioctl(chip, SOFTH100_ATTACH, &attach);
}

/* -- function/chip.h --------------------------------------------------------------------------- */

u32 h100_chip_register_get(struct h100_chip *chip, u32 offset)
{
	struct softh100_register reg = { .offset = offset };

	return remote_must(chip, SOFTH100_REGISTER_GET, &reg) ? reg.value : ~0u;
}

void h100_chip_register_set(struct h100_chip *chip, u32 offset, u32 value)
{
	struct softh100_register reg = { .offset = offset, .value = value };

	remote_must(chip, SOFTH100_REGISTER_SET, &reg);
}

u32 h100_chip_doorbells(struct h100_chip *chip, u32 *tokens, u32 max)
{
	struct softh100_doorbells rung = { 0 };

	/* All that may come has to find room. */
	if (max < ARRAY_SIZE(rung.tokens) || !remote_must(chip, SOFTH100_DOORBELLS, &rung) ||
	    rung.count > ARRAY_SIZE(rung.tokens))
		return 0;
	memcpy(tokens, rung.tokens, rung.count * sizeof(rung.tokens[0]));
	return rung.count;
}

void h100_chip_raise(struct h100_chip *chip, u32 vector)
{
	must_set(chip, SOFTH100_RAISE, vector);
}

u32 h100_chip_fsp_receive(struct h100_chip *chip, void *data, u32 size)
{
	struct softh100_packet packet = { .data = (uintptr_t)data, .size = size };

	if (!remote_must(chip, SOFTH100_FSP_RECEIVE, &packet) || packet.size > size)
		return 0;
	return packet.size;
}

void h100_chip_fsp_send(struct h100_chip *chip, const void *data, u32 size)
{
	struct softh100_packet packet = { .data = (uintptr_t)data, .size = size };

	remote_must(chip, SOFTH100_FSP_SEND, &packet);
}

void h100_chip_fsp_set_ready(struct h100_chip *chip, bool ready)
{
	must_set(chip, SOFTH100_FSP_READY, ready);
}

void h100_chip_gsp_set_run(struct h100_chip *chip, enum h100_gsp_run run)
{
	must_set(chip, SOFTH100_GSP_RUN, run);
}

void h100_chip_gsp_interrupt(struct h100_chip *chip, u32 bits)
{
	must_set(chip, SOFTH100_GSP_INTERRUPT, bits);
}

void h100_chip_wpr2_set(struct h100_chip *chip, u64 start, u64 end)
{
	struct softh100_range range = { .start = start, .end = end };

	remote_must(chip, SOFTH100_WPR2, &range);
}

/* The module looks at every access. */
bool h100_chip_bus_master(struct h100_chip *chip)
{
	return remote_error(chip) == 0;
}

void h100_chip_set_present(struct h100_chip *chip, bool present)
{
	must_set(chip, SOFTH100_PRESENT, present);
}

/* -- System memory ----------------------------------------------------------------------------- */

/* How much of a piece was moved; 0: none of it can be, or more than there is. */
static size_t moved(struct h100_chip *chip, ssize_t got, size_t piece)
{
	/* EFAULT is the driver's affair: what it named is not mapped. */
	if (got < 0 && got != -EFAULT)
		remote_fail(chip, (int)-got);
	return got <= 0 || (size_t)got > piece ? 0 : (size_t)got;
}

static size_t read_piece(struct h100_chip *chip, u64 address, void *data, size_t size)
{
	size_t piece = size < DMA_CHUNK_BYTES ? size : DMA_CHUNK_BYTES;
	u32 tries = 0;
	ssize_t got;

	do {
		got = chip->calls->pread(chip->ctx, data, piece, address);
	} while (again(got, &tries));
	return moved(chip, got, piece);
}

static size_t write_piece(struct h100_chip *chip, u64 address, const void *data, size_t size)
{
	size_t piece = size < DMA_CHUNK_BYTES ? size : DMA_CHUNK_BYTES;
	u32 tries = 0;
	ssize_t got;

	do {
		got = chip->calls->pwrite(chip->ctx, data, piece, address);
	} while (again(got, &tries));
	return moved(chip, got, piece);
}

static bool in_range(struct h100_chip *chip, u64 address, size_t size)
{
	return remote_error(chip) == 0 && address <= ADDRESS_MAX && size <= ADDRESS_MAX - address;
}

bool remote_dma_read(void *ctx, u64 address, void *data, size_t size)
{
	struct h100_chip *chip = ctx;
	size_t done = 0, got = 1;

	if (!in_range(chip, address, size))
		return false;
	while (done < size && got != 0) {
		got = read_piece(chip, address + done, (u8 *)data + done, size - done);
		done += got;
	}
	return done == size;
}

bool remote_dma_write(void *ctx, u64 address, const void *data, size_t size)
{
	struct h100_chip *chip = ctx;
	size_t done = 0, got = 1;

	if (!in_range(chip, address, size))
		return false;
	while (done < size && got != 0) {
		got = write_piece(chip, address + done, (const u8 *)data + done, size - done);
		done += got;
	}
	return done == size;
}
