# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke
# 40_requests in one go, without loading the modules anew for each.

test_requests() {
	load 2
	for case in basics descriptors faults threads signals poll; do
		echo "$case"
		/vm/host_client $case
	done
	for row in order shapes information version settings files controls objects parts rights; do
		echo "$row"
		/vm/vm_client $row
	done
	unload
}
