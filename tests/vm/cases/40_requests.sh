# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full short
# Requests of programs through real system calls: those of the user-space host's tests, and wrong ones.

client() {
	load 2
	timeout 60 "$@"
	unload
}

test_basics() { client /vm/host_client basics; }
test_files() { client /vm/host_client files; }
test_descriptors() { client /vm/host_client descriptors; }
test_faults() { client /vm/host_client faults; }
test_threads() { client /vm/host_client threads; }
test_signals() { client /vm/host_client signals; }
test_poll() { client /vm/host_client poll; }
