# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke short debug
# NVIDIA's libcuda on the modules: one context, and copies from memory that the GPU sees too.

# test_context: 120 seconds
test_context() {
	load_cuda
	/vm/cuda_client mapped
	unload
}
