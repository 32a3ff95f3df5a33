// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The client's main: a row by its name. */
#include "client.h"

static const struct {
	const char *name;
	int (*run)(void);
} rows[] = {
	{ "order", row_order },
	{ "shapes", row_shapes },
	{ "information", row_information },
	{ "version", row_version },
	{ "settings", row_settings },
	{ "files", row_files },
	{ "controls", row_controls },
	{ "objects", row_objects },
	{ "parts", row_parts },
	{ "rights", row_rights },
	{ "hold", row_hold },
	{ "busy", row_busy },
	{ "survive", row_survive },
	{ "greedy", row_greedy },
	{ "loud", row_loud },
	{ "maps", row_maps },
	{ "userd", row_userd },
	{ "hold-maps", row_hold_maps },
	{ "bells", row_bells },
	{ "bell-storm", row_bell_storm },
	{ "uvm", row_uvm },
	{ "hold-uvm", row_hold_uvm },
	{ "uvm-opens", row_uvm_opens },
	{ "uvm-survive", row_uvm_survive },
	{ "uvm-tests", row_uvm_tests },
	{ "uvm-tests-off", row_uvm_tests_off },
	{ "uvm-tools", row_uvm_tools },
	{ "uvm-secret", row_uvm_secret },
	{ "hold-secret", row_hold_secret },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(argv[1], rows[i].name))
			return rows[i].run();
	}
	fprintf(stderr, "usage: vm_client ROW\n");
	return 2;
}
