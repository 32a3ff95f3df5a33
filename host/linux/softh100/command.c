// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Lines for the process (faults on purpose, written to debugfs), one at a time for each GPU, and
 * its answers.
 *
 *	NONE --write--> QUEUED --taken--> TAKEN --answered--> ANSWERED --writer--> NONE
 *	                  |                 '--writer killed--> ABANDONED --answered--> NONE
 *	                  '--writer killed--> NONE
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "host/linux/softh100/internal.h"

void soft_command_init(struct soft_pci *gpu)
{
	mutex_init(&gpu->inject);
	spin_lock_init(&gpu->command_lock);
	init_waitqueue_head(&gpu->answered);
}

/* The state if it is one of two, and then what it becomes. */
static bool advance(struct soft_pci *gpu, enum soft_command_state from, enum soft_command_state to)
{
	bool is;

	spin_lock(&gpu->command_lock);
	is = gpu->command_state == from;
	if (is)
		gpu->command_state = to;
	spin_unlock(&gpu->command_lock);
	return is;
}

static bool idle(struct soft_pci *gpu)
{
	return READ_ONCE(gpu->command_state) == SOFT_COMMAND_NONE;
}

static bool answered(struct soft_pci *gpu)
{
	return READ_ONCE(gpu->command_state) == SOFT_COMMAND_ANSWERED;
}

/* The writer is killed: what it asked for is not to reach the next one. */
static int give_up(struct soft_pci *gpu)
{
	if (!advance(gpu, SOFT_COMMAND_QUEUED, SOFT_COMMAND_NONE) &&
	    !advance(gpu, SOFT_COMMAND_TAKEN, SOFT_COMMAND_ABANDONED))
		advance(gpu, SOFT_COMMAND_ANSWERED, SOFT_COMMAND_NONE);
	return -EINTR;
}

static int queue(struct soft_pci *gpu, const char *text)
{
	int rc = 0;

	mutex_lock(&gpu->bind);
	if (!gpu->file || gpu->ejected) {
		rc = -ENODEV;
		goto unlock;
	}
	spin_lock(&gpu->command_lock);
	memset(&gpu->command, 0, sizeof(gpu->command));
	strscpy(gpu->command.text, text, sizeof(gpu->command.text));
	gpu->command_state = SOFT_COMMAND_QUEUED;
	spin_unlock(&gpu->command_lock);
	soft_gpu_work(gpu, SOFTH100_WORK_COMMAND);
unlock:
	mutex_unlock(&gpu->bind);
	return rc;
}

int soft_command_write(struct soft_pci *gpu, const char *text)
{
	int rc;

	if (strlen(text) >= sizeof(gpu->command.text))
		return -EINVAL;
	if (mutex_lock_killable(&gpu->inject))
		return -EINTR;
	/* One that was abandoned is with the process still. */
	if (wait_event_killable(gpu->answered, idle(gpu))) {
		rc = -EINTR;
		goto unlock;
	}
	rc = queue(gpu, text);
	if (rc)
		goto unlock;
	if (wait_event_killable(gpu->answered, answered(gpu))) {
		rc = give_up(gpu);
		goto unlock;
	}
	rc = gpu->answer;
	advance(gpu, SOFT_COMMAND_ANSWERED, SOFT_COMMAND_NONE);
unlock:
	mutex_unlock(&gpu->inject);
	return rc;
}

int soft_command_take(struct soft_pci *gpu, struct softh100_command *command)
{
	int rc = -EAGAIN;

	spin_lock(&gpu->command_lock);
	if (gpu->command_state == SOFT_COMMAND_QUEUED) {
		*command = gpu->command;
		gpu->command_state = SOFT_COMMAND_TAKEN;
		rc = 0;
	}
	spin_unlock(&gpu->command_lock);
	return rc;
}

int soft_command_answer(struct soft_pci *gpu, u32 answer)
{
	int rc = 0;

	if (answer >= MAX_ERRNO)
		return -EINVAL;
	spin_lock(&gpu->command_lock);
	if (gpu->command_state == SOFT_COMMAND_TAKEN) {
		gpu->answer = -(int)answer;
		gpu->command_state = SOFT_COMMAND_ANSWERED;
	} else if (gpu->command_state == SOFT_COMMAND_ABANDONED) {
		gpu->command_state = SOFT_COMMAND_NONE;
	} else {
		rc = -EINVAL;
	}
	spin_unlock(&gpu->command_lock);
	wake_up_all(&gpu->answered);
	return rc;
}

void soft_command_cancel(struct soft_pci *gpu)
{
	spin_lock(&gpu->command_lock);
	if (gpu->command_state == SOFT_COMMAND_QUEUED || gpu->command_state == SOFT_COMMAND_TAKEN) {
		gpu->answer = -ENODEV;
		gpu->command_state = SOFT_COMMAND_ANSWERED;
	} else if (gpu->command_state == SOFT_COMMAND_ABANDONED) {
		gpu->command_state = SOFT_COMMAND_NONE;
	}
	spin_unlock(&gpu->command_lock);
	wake_up_all(&gpu->answered);
}
