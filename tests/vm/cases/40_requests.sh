# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full short
# Requests of programs through real system calls: those of the user-space host's tests, and wrong ones.

client() {
	load 2
	timeout 60 "$@"
	unload
}

test_basics() { client /vm/host_client basics; }
test_descriptors() { client /vm/host_client descriptors; }
test_faults() { client /vm/host_client faults; }
test_threads() { client /vm/host_client threads; }
test_signals() { client /vm/host_client signals; }
test_poll() { client /vm/host_client poll; }

# Rows I1 to I9 and R1 to R10: vm_client.
test_row_order() { client /vm/vm_client order; }
test_row_shapes() { client /vm/vm_client shapes; }
test_row_information() { client /vm/vm_client information; }
test_row_version() { client /vm/vm_client version; }
test_row_settings() { client /vm/vm_client settings; }
test_row_files() { client /vm/vm_client files; }
test_row_controls() { client /vm/vm_client controls; }
test_row_objects() { client /vm/vm_client objects; }
test_row_rights() { client /vm/vm_client rights; }
