// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* A mapping's flags are set by a function (6.3). */
#include <linux/mm.h>

void conftest(struct vm_area_struct *vma);
void conftest(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_MIXEDMAP);
}
