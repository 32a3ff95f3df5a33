// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A bell of the module's is a doorbell of the engines' from its first report on until it is gone.
 */
#include "host/linux/gpu/bell.h"

#include <errno.h>

#include "h100/h100.h"
#include "os/os.h"

#define BELL_BYTES 4096u
#define BELLS_BYTES ((size_t)SOFTH100_BELLS_MAX * BELL_BYTES)

int bells_open(struct bells *bells, struct h100_chip *chip)
{
	bells->chip = chip;
	bells->doorbell = os_alloc(SOFTH100_BELLS_MAX * sizeof(struct h100_doorbell *));
	if (!bells->doorbell)
		return ENOMEM;
	bells->pages = chip->calls->map(chip->ctx, SOFTH100_BELLS_OFFSET, BELLS_BYTES);
	if (bells->pages)
		return 0;
	os_free(bells->doorbell);
	return ENOMEM;
}

void bells_start(struct bells *bells, struct h100_fifo *fifo)
{
	bells->fifo = fifo;
}

void bells_close(struct bells *bells)
{
	bells->chip->calls->unmap(bells->chip->ctx, bells->pages, BELLS_BYTES);
	os_free(bells->doorbell);
}

/* -- Reports ----------------------------------------------------------------------------------- */

/* It is the engines' from here on, which look at it. */
static void bell_attach(struct bells *bells, const struct softh100_bell *bell)
{
	u8 *page = bells->pages + (size_t)bell->number * BELL_BYTES;

	if (h100_fifo_doorbell_attach(bells->fifo, bell->client, page,
				      (void *)(uintptr_t)bell->number,
				      &bells->doorbell[bell->number]) != NV_OK)
		remote_fail(bells->chip, ENOMEM);
}

static void bell_rang(struct bells *bells, const struct softh100_bell *bell)
{
	struct h100_doorbell *doorbell = bells->doorbell[bell->number];

	if (doorbell)
		h100_fifo_doorbell_rang(doorbell);
	else
		bell_attach(bells, bell);
}

static void bell_gone(struct bells *bells, const struct softh100_bell *bell)
{
	struct h100_doorbell **doorbell = &bells->doorbell[bell->number];
	__u32 number = bell->number;

	/* Its first ring, and its end, before anybody heard of it. */
	if (!*doorbell && bell->flags & SOFTH100_BELL_RUNG)
		bell_attach(bells, bell);
	if (*doorbell) {
		/* It may have been rung right before. */
		h100_fifo_doorbell_rang(*doorbell);
		h100_fifo_doorbell_destroy(*doorbell);
		*doorbell = NULL;
	}
	remote_must(bells->chip, SOFTH100_BELL_FREE, &number);
}

void bells_run(struct bells *bells)
{
	struct softh100_bells reports;
	u32 i;

	reports.count = 0;
	if (!remote_must(bells->chip, SOFTH100_BELLS, &reports))
		return;
	for (i = 0; i < reports.count && i < ARRAY_SIZE(reports.bells); i++) {
		const struct softh100_bell *bell = &reports.bells[i];

		if (bell->number >= SOFTH100_BELLS_MAX)
			return remote_fail(bells->chip, EPROTO);
		if (bell->flags & SOFTH100_BELL_GONE)
			bell_gone(bells, bell);
		else if (bell->flags & SOFTH100_BELL_RUNG)
			bell_rang(bells, bell);
	}
}

bool bells_arm(struct bells *bells, struct h100_doorbell *doorbell)
{
	__u32 number = (__u32)(uintptr_t)h100_doorbell_get_ctx(doorbell);

	return remote_must(bells->chip, SOFTH100_BELL_ARM, &number);
}
