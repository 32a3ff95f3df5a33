#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# Downloads NVIDIA's own user space from Debian's non-free component and unpacks it under
# build/nvidia, as test clients. Nothing is installed, and the machine's apt configuration is only
# read: a private one is derived from it.
#
# usage: tools/nvidia-userspace.sh DIRECTORY   (default build/nvidia)
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$top/build/nvidia}
packages="nvidia-smi libnvidia-ml1 libcuda1 nvtop python3-pynvml libncursesw6 libtinfo6 libdrm2"

if [ -e "$out/.complete" ]; then
	exit 0
fi

cat <<'TEXT'
Fetching nvidia-smi, libnvidia-ml1 and libcuda1 (Debian non-free), nvtop and python3-pynvml (contrib)
as test clients. NVIDIA's programs come under NVIDIA's own licence, which is unpacked beside them in
usr/share/doc/*/copyright; they are not part of Leafhopper. `NVIDIA=no` leaves them out.
TEXT

. "$top/tools/apt_private.sh"
rm -rf "$out"
apt_begin "$out.apt"
# Libraries that nvtop and python3-pynvml need are taken from the same source, never installed.
# shellcheck disable=SC2086
apt_unpack "$out" $packages
apt_end

lib=$out/usr/lib/x86_64-linux-gnu/nvidia/current
[ -x "$out/usr/lib/nvidia/current/nvidia-smi" ] && [ -e "$lib/libnvidia-ml.so.1" ] || {
	echo "the packages did not contain nvidia-smi and libnvidia-ml.so.1" >&2
	exit 1
}
# The driver's version is the one in the library's file name: hosts and tests read it here.
ls "$lib" | sed -n 's/^libnvidia-ml\.so\.\([0-9]*\.[0-9.]*\)$/\1/p' >"$out/version"
touch "$out/.complete"
echo "unpacked version $(cat "$out/version")"
