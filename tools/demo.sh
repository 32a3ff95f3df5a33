#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# The main job, shown: NVIDIA's own nvidia-smi, or `leafhopper smi` without it, on a software GPU.
#
# usage: tools/demo.sh GPUS PROFILE yes|no     the last: whether NVIDIA's programs may be used
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
leafhopper=$top/build/plain/host/user/leafhopper
nvidia=$top/build/nvidia

if [ "$3" != no ] && [ -e "$nvidia/.complete" ]; then
	echo "\$ leafhopper run --gpus $1 --profile $2 -- nvidia-smi"
	LD_LIBRARY_PATH=$nvidia/usr/lib/x86_64-linux-gnu/nvidia/current \
		exec "$leafhopper" run --gpus "$1" --profile "$2" -- \
		"$nvidia/usr/lib/nvidia/current/nvidia-smi"
fi
echo "\$ leafhopper run --gpus $1 --profile $2 -- leafhopper smi"
exec "$leafhopper" run --gpus "$1" --profile "$2" -- "$leafhopper" smi
