// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The log of os.h in the kernel's. Lines that bear the driver's own prefix stay as they are, others
 * get the module's name. Clients have lines written: beyond what a start of all GPUs takes they are
 * counted instead.
 */
#include <linux/bug.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "os/linux/internal.h"

#define LOG_INTERVAL (5 * HZ)
#define LOG_BURST 200

/*
 * Whether there is room for another line; the kernel says how many there was none for. It would
 * also drop those that meet at its state, which the lock keeps from happening.
 */
static bool has_room(void)
{
	static DEFINE_RATELIMIT_STATE(limit, LOG_INTERVAL, LOG_BURST);
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long flags;
	bool room;

	if (in_nmi())
		return true;
	raw_spin_lock_irqsave(&lock, flags);
	room = ___ratelimit(&limit, os_module_name);
	raw_spin_unlock_irqrestore(&lock, flags);
	return room;
}

void os_log(enum os_log_level level, const char *fmt, ...)
{
	bool own = strstarts(fmt, "NVRM: ");
	const char *name = own ? "" : os_module_name, *colon = own ? "" : ": ";
	struct va_format line;
	va_list ap;

	if (level != OS_LOG_DEBUG && !has_room())
		return;
	va_start(ap, fmt);
	line.fmt = fmt;
	line.va = &ap;
	switch (level) {
	case OS_LOG_ERROR:
		printk(KERN_ERR "%s%s%pV\n", name, colon, &line);
		break;
	case OS_LOG_WARN:
		printk(KERN_WARNING "%s%s%pV\n", name, colon, &line);
		break;
	case OS_LOG_INFO:
		printk(KERN_INFO "%s%s%pV\n", name, colon, &line);
		break;
	case OS_LOG_DEBUG:
		pr_debug("%s%s%pV\n", name, colon, &line);
		break;
	}
	va_end(ap);
}

/* With the way there, but no more often than a log can bear. */
void os_bug(const char *file, int line, const char *what)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 10);

	if (__ratelimit(&limit))
		WARN(1, "%s: BUG at %s:%d: %s\n", os_module_name, file, line, what);
}
