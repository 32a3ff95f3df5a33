/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The adversary of a machine, by a script of the user's (docs/adversary.md). */
#ifndef HOST_USER_ADVERSARY_H
#define HOST_USER_ADVERSARY_H

struct adversary;

/* What is wrong with the script is said on standard error. 0 or an errno. */
int machine_adversary_create(const char *script, struct adversary **out);
/* Logs what he did; NULL is ignored. No device that he watched is there any more. */
void machine_adversary_destroy(struct adversary *a);

#endif
