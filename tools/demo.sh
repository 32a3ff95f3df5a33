#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# The main job, shown: NVIDIA's own nvidia-smi, then a program that copies through NVIDIA's libcuda, on a
# software GPU; `leafhopper smi` where NVIDIA's programs are not there. Then a GPU in confidential mode is attested, managed
# memory moves there and back encrypted, and moves once more while somebody changes a bit of what is on its way.
#
# usage: tools/demo.sh GPUS PROFILE yes|no     the last: whether NVIDIA's programs may be used
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
leafhopper=$top/build/plain/host/user/leafhopper
nvidia=$top/build/nvidia

if [ "$3" != no ] && [ -e "$nvidia/.complete" ]; then
	LD_LIBRARY_PATH=$nvidia/usr/lib/x86_64-linux-gnu/nvidia/current
	export LD_LIBRARY_PATH
	echo "\$ leafhopper run --gpus $1 --profile $2 -- nvidia-smi"
	"$leafhopper" run --gpus "$1" --profile "$2" -- "$nvidia/usr/lib/nvidia/current/nvidia-smi"
	echo
	echo "\$ leafhopper run --gpus $1 --profile $2 -- tests/cuda/cuda_copy speed"
	"$leafhopper" run --gpus "$1" --profile "$2" -- "$top/build/plain/tests/cuda/cuda_copy" speed
	echo
	echo "\$ leafhopper run --cc on -- nvidia-smi conf-compute -f"
	"$leafhopper" run --cc on -- "$nvidia/usr/lib/nvidia/current/nvidia-smi" conf-compute -f
else
	echo "\$ leafhopper run --gpus $1 --profile $2 -- leafhopper smi"
	"$leafhopper" run --gpus "$1" --profile "$2" -- "$leafhopper" smi
fi
echo
echo "\$ leafhopper run --cc on -- leafhopper attest"
"$leafhopper" run --cc on -- "$leafhopper" attest
echo
# Managed memory, the GPU's, and as much for the comparison.
mib=1024
[ "$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)" -ge 4096 ] || mib=128
echo "\$ leafhopper run --cc on -- bench/bench_migration $mib"
"$leafhopper" run --cc on -- "$top/build/plain/bench/bench_migration" "$mib"
echo
echo "\$ leafhopper run --cc on --adversary docs/adversary/migration.txt -- bench/bench_migration 16"
if "$leafhopper" run --cc on --adversary "$top/docs/adversary/migration.txt" -- \
	"$top/build/plain/bench/bench_migration" 16; then
	echo 'The change went unnoticed.'
	exit 1
fi
