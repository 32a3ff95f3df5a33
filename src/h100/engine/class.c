// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Engine classes by number.
 */
#include "h100/engine/classes.h"

#include "base/bits.h"

const struct h100_engine_class *h100_engine_class_find(u32 class_id)
{
	static const struct h100_engine_class *const classes[] = {
		&h100_compute_class,
		&h100_copy_class,
		&h100_sec2_class,
	};

	for (u32 i = 0; i < ARRAY_SIZE(classes); i++) {
		if (classes[i]->class_id == class_id)
			return classes[i];
	}
	return NULL;
}
