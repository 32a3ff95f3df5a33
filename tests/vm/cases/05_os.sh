# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full short
# os/linux keeps the contract of os.h; the module prints a line a test and loads if all pass.

# test_selftest: 60 seconds
test_selftest() {
	modprobe os_selftest
	! logged 'os_selftest: .*FAIL' || fail "a line of the log says FAIL"
	modprobe -r os_selftest
}
