# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full
# NVIDIA's libcuda on the modules: the client suite of tests/cuda.

# test_copies: 240 seconds
test_copies() {
	load_cuda
	for kind in pageable pinned registered memory; do
		/vm/cuda_copy $kind
	done
	unload
}

# test_streams: 300 seconds
test_streams() {
	load_cuda
	cuda_client streams waits callbacks threads events values
	unload
}

# test_shapes: 180 seconds
test_shapes() {
	load_cuda
	cuda_client planes boxes sets
	unload
}

# test_memory: 240 seconds
test_memory() {
	load_cuda
	cuda_client mapped vmm managed pool pool-own
	unload
}

# test_shared: 240 seconds
test_shared() {
	load_cuda
	cuda_client ipc-memory vmm-shared ipc-events processes
	unload
}

# There is no multiprocessor: an error of that context alone.
# test_errors: 180 seconds
test_errors() {
	load_cuda
	expect 'NVRM: Xid .*: 13'
	cuda_client kernel-copy
	logged 'Xid \(PCI:0010:01:00.*\): 13' || fail "no line of the log"
	cuda_client pointers contexts
	unload
}

# test_two_gpus: 180 seconds
test_two_gpus() {
	load_cuda 2
	cuda_client gpus peers
	unload
}

# Each GPU's engines reach the other's memory, which is another process's.
# test_peers: 300 seconds
test_peers() {
	load_cuda 2
	cuda_client peer-access peer-both peer-shared peer-ipc
	unload
}
