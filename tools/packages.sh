#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# Names the Debian packages that a task needs and installs those that are missing.
#
# usage: tools/packages.sh build|vm|check|full
set -eu

build="gcc libc6-dev meson ninja-build pkg-config python3 libssl-dev libipsec-mb-dev libcmocka-dev"
# Kernel modules and the virtual machine that tests them.
vm="$build gcc-12 libelf1 kmod busybox-static pciutils qemu-system-x86 seabios zstd"
check="$vm clang clang-format libclang-rt-14-dev cppcheck git ca-certificates"
# The last line: a kernel is built, and modules are looked at by sparse.
full="$check valgrind clang-tidy procps
	flex bison bc libelf-dev lz4 xz-utils sparse dkms"

case "${1:-}" in
build) want=$build ;;
vm) want=$vm ;;
check) want=$check ;;
full) want=$full ;;
*) echo "usage: $0 build|vm|check|full" >&2; exit 2 ;;
esac

missing=
for p in $want; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0

echo "These Debian packages are missing and will be installed:$missing"
as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "not root and no sudo: install them yourself" >&2; exit 1; }
	as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
	$as_root apt-get update -qq
	$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
