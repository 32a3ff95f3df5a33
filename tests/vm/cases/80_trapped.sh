# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: trapped
# The driver's register accesses are ordinary ones that trap, so that nothing rests on the table of
# functions by which the model is reached otherwise.

# test_table: 120 seconds
test_table() {
	modinfo -p softh100 | grep -q '^trap:' || skip "softh100 has no parameter trap"
	load_gpu 1 trap=1
	load_driver
	/vm/vm_client controls
	need_smi
	timeout 60 nvidia-smi
	unload
}
