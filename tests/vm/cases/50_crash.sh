# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full debug short
# A firmware that crashes: programs get their statuses, the driver says so, a new start works.

# test_gsp_crash: 60 seconds
test_gsp_crash() {
	load
	hold_client
	check_equal 0 "$(ask_client)" "before the crash"
	inject 0 gsp-crash
	wait_for 10 logged 'NVRM: Xid \(PCI:.*\): (119|120)'
	[ "$(ask_client)" != 0 ] || fail "a request was answered by a crashed firmware"
	end_client
	unload
	load
	/vm/host_client basics
	unload
}
