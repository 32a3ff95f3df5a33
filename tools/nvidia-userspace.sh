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
packages="nvidia-smi libnvidia-ml1 libcuda1 nvidia-opencl-icd nvtop python3-pynvml clinfo ocl-icd-libopencl1
	libncursesw6 libtinfo6 libdrm2"

# What is there was unpacked from this very list.
if [ "$(cat "$out/.complete" 2>/dev/null)" = "$packages" ]; then
	exit 0
fi

cat <<'TEXT'
Fetching nvidia-smi, libnvidia-ml1, libcuda1 and nvidia-opencl-icd (Debian non-free), nvtop and
python3-pynvml (contrib) and clinfo (main) as test clients. NVIDIA's programs come under NVIDIA's own
licence, which is unpacked beside them in usr/share/doc/*/copyright; they are not part of Leafhopper.
`NVIDIA=no` leaves them out.
TEXT

. "$top/tools/apt_private.sh"
new=$out.new
rm -rf "$new"
apt_begin "$out.apt"
# Libraries that nvtop, python3-pynvml and clinfo need are taken from the same source, never installed.
# shellcheck disable=SC2086
apt_unpack "$new" $packages
apt_end

lib=$new/usr/lib/x86_64-linux-gnu/nvidia/current
[ -x "$new/usr/lib/nvidia/current/nvidia-smi" ] && [ -e "$lib/libnvidia-ml.so.1" ] || {
	echo "the packages did not contain nvidia-smi and libnvidia-ml.so.1" >&2
	exit 1
}
# The driver's version is the one in the library's file name: hosts and tests read it here.
ls "$lib" | sed -n 's/^libnvidia-ml\.so\.\([0-9]*\.[0-9.]*\)$/\1/p' >"$new/version"
printf '%s\n' "$packages" >"$new/.complete"
rm -rf "$out"
mv "$new" "$out"
echo "unpacked version $(cat "$out/version")"
