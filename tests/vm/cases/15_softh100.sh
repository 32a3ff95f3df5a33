# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full debug short
# The virtual PCI bus as a driver sees it, and what /dev/softh100 refuses.

. /vm/tests/softh100.sh

test_refused() {
	need_client
	modprobe softh100 gpus=2
	$client refuse
	modprobe -r softh100
}

# test_driver: 60 seconds
test_driver() {
	need_client
	modprobe softh100 gpus=2
	serve 0
	modprobe softh100_selftest
	logged 'selftest: passed' || fail "the selftest did not pass"
	! logged 'selftest: FAIL' || fail "a line of the log says FAIL"
	# Its registers are the driver's: nobody unloads them.
	! rmmod softh100 2>/dev/null || fail "softh100 went away below a driver"
	$client bars "$(gpu_functions)"
	modprobe -r softh100_selftest
	$client bars "$(gpu_functions)"
	unserve
}
