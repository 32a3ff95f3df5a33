// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The look-ups of abi/tables.h: every entry is found by its key, nothing else is. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi/r535.h"
#include "abi/tables.h"

static void finds_every_control(void **state)
{
	u32 previous = 0;

	for (u32 i = 0; i < ABI_CONTROL_COUNT; i++) {
		const struct abi_control *c = abi_control_by_index(i);

		assert_int_equal(c->index, i);
		assert_ptr_equal(abi_control_find(c->cmd), c);
		assert_true(!i || c->cmd > previous);
		if (c->params)
			assert_int_equal(c->params->size, c->params_size);
		if (c->becomes)
			assert_non_null(abi_control_find(c->becomes));
		previous = c->cmd;
	}
	assert_null(abi_control_by_index(ABI_CONTROL_COUNT));
	assert_null(abi_control_find(0));
	assert_null(abi_control_find(0xffffffff));
	assert_null(abi_control_find(0x20809999));
}

static void finds_every_class(void **state)
{
	for (u32 i = 0; i < ABI_CLASS_COUNT; i++) {
		const struct abi_class *c = abi_class_by_index(i);

		assert_int_equal(c->index, i);
		assert_ptr_equal(abi_class_find(c->class_id), c);
		assert_true((c->params_mode == ABI_PARAMS_NONE) == (c->params_size == 0));
	}
	assert_null(abi_class_by_index(ABI_CLASS_COUNT));
	assert_null(abi_class_find(0xfffe));
	assert_int_equal(abi_class_find(NV20_SUBDEVICE_0)->iclass, ABI_ICLASS_Subdevice);
	assert_int_equal(abi_class_find(NV20_SUBDEVICE_0)->parents[0], ABI_ICLASS_Device);
	assert_int_equal(abi_class_find(NV01_ROOT)->parent_count, 0);
}

static void finds_every_structure(void **state)
{
	for (u32 i = 0; i < ABI_STRUCT_COUNT; i++) {
		const struct abi_struct *s = abi_struct_by_index(i);

		assert_ptr_equal(abi_struct_find(s->name), s);
	}
	assert_null(abi_struct_by_index(ABI_STRUCT_COUNT));
	assert_null(abi_struct_find(""));
	assert_null(abi_struct_find("NVOS54_PARAMETER"));
	assert_null(abi_struct_find("zzz"));
}

static void finds_escapes_and_rpcs(void **state)
{
	assert_string_equal(abi_escape_find(NV_ESC_RM_CONTROL)->params->name, "NVOS54_PARAMETERS");
	assert_null(abi_escape_find(0));
	assert_string_equal(abi_rpc_find(NV_VGPU_MSG_FUNCTION_GSP_RM_CONTROL)->name,
			    "GSP_RM_CONTROL");
	assert_string_equal(abi_rpc_event_find(NV_VGPU_MSG_EVENT_GSP_INIT_DONE)->name,
			    "GSP_INIT_DONE");
	assert_null(abi_rpc_find(0xffff));
}

static void names_statuses_and_classes(void **state)
{
	assert_string_equal(abi_status_name(NV_OK), "NV_OK");
	assert_string_equal(abi_status_name(NV_ERR_NOT_SUPPORTED), "NV_ERR_NOT_SUPPORTED");
	assert_string_equal(abi_status_name(0x12345678), "NV_STATUS_UNKNOWN");
	assert_string_equal(abi_iclass_name(ABI_ICLASS_Subdevice), "Subdevice");
	assert_string_equal(abi_iclass_name(0xffff), "UNKNOWN");
}

/* Offsets that the tables give are those of the compiler, and nothing reaches past its structure.
 */
static void fields_lie_within(void **state)
{
	for (u32 i = 0; i < ABI_STRUCT_COUNT; i++) {
		const struct abi_struct *s = abi_struct_by_index(i);

		for (u32 k = 0; k < s->field_count; k++) {
			const struct abi_field *f = &s->fields[k];

			assert_true(f->offset + (u64)f->size * f->count <= s->size);
			assert_true(f->counted_by == ~0u || f->counted_by < s->field_count);
			assert_true((f->kind == ABI_STRUCT || f->kind == ABI_UNION) ==
				    (f->sub != NULL));
			if (f->sub)
				assert_int_equal(f->sub->size, f->size);
		}
		for (u32 k = 0; k < s->nested_count; k++) {
			const struct abi_nested *n = &s->nested[k];

			assert_true(n->pointer_offset + 8 <= s->size);
			assert_true(n->count_offset + n->count_size <= s->size);
			assert_true(n->element_size > 0 && n->max_count > 0);
		}
	}
}

static void describes_embedded_pointers(void **state)
{
	const struct abi_struct *s = abi_struct_find("NV2080_CTRL_BUS_GET_INFO_PARAMS");

	assert_int_equal(s->nested_count, 1);
	assert_int_equal(s->nested[0].pointer_offset,
			 offsetof(NV2080_CTRL_BUS_GET_INFO_PARAMS, busInfoList));
	assert_int_equal(s->nested[0].count_offset,
			 offsetof(NV2080_CTRL_BUS_GET_INFO_PARAMS, busInfoListSize));
	assert_int_equal(s->nested[0].element_size, sizeof(NV2080_CTRL_BUS_INFO));
	assert_int_equal(s->nested[0].dir, ABI_INOUT);
	s = abi_struct_find("NV0000_CTRL_SYSTEM_GET_BUILD_VERSION_PARAMS");
	assert_int_equal(s->nested_count, 3);
	assert_true(s->nested[0].optional);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_control),
		cmocka_unit_test(finds_every_class),
		cmocka_unit_test(finds_every_structure),
		cmocka_unit_test(finds_escapes_and_rpcs),
		cmocka_unit_test(names_statuses_and_classes),
		cmocka_unit_test(fields_lie_within),
		cmocka_unit_test(describes_embedded_pointers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
