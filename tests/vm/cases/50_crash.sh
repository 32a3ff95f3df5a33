# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full short
# A firmware that crashes: programs get their statuses, the driver says so, a new start works.

# test_gsp_crash: 60 seconds
test_gsp_crash() {
	load
	expect 'GSP'
	/vm/host_client hold &
	holder=$!
	sleep 0.5
	inject 0 gsp-crash
	wait_for 10 logged 'Xid.*(119|120|79)'
	kill $holder 2>/dev/null || true
	wait $holder || true
	unload
	load
	/vm/host_client basics
	unload
}
