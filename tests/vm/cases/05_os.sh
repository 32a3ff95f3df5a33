# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full debug short
# os/linux keeps the contract of os.h; the module prints a line a test and loads if all pass.

# test_selftest: 60 seconds
test_selftest() {
	modprobe os_selftest
	! logged 'os_selftest: .*FAIL' || fail "a line of the log says FAIL"
	modprobe -r os_selftest
}

# A block that is left is named by its size and by the function that allocated it.
test_leak() {
	expect 'os_selftest: leak: '
	modprobe os_selftest leak=1
	logged 'os_selftest: leak: 123 bytes of leak_on_purpose[.a-z0-9]*\+.*\[os_selftest\]' || fail "no name of the block"
	logged 'os_selftest: leak: [0-9]* bytes of test_leak[.a-z0-9]*\+.*\[os_selftest\]' || fail "no name of the pages"
	logged 'os_selftest: leak: 2 blocks, ' || fail "no sum"
	modprobe -r os_selftest
}

# os/crypto.h on the kernel's cryptography; what it needs is loaded before.
# test_crypto: 240 seconds
test_crypto() {
	if ! modprobe os_selftest crypto=1; then
		! logged 'were built for a kernel without' || skip "this kernel was configured without"
		fail "it does not load"
	fi
	! logged 'os_selftest: .*FAIL' || fail "a line of the log says FAIL"
	modprobe -r os_selftest
}
