# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke short
# NVIDIA's libcuda on the modules: one context, and copies from memory that the GPU sees too.

# test_context: 60 seconds
test_context() {
	need_cuda
	load
	load_uvm
	/vm/cuda_client mapped
	unload
}
