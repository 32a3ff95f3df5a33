# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# What the tests in the virtual machine share. A test is a function test_NAME in cases/*.sh; it runs
# in a shell of its own under `set -e`, fails by any command that fails, and starts without the
# modules. TEST_SECONDS (30) bounds it.

share=/share
smi_timeout=20

fail() {
	echo "FAILED: $*"
	exit 1
}

skip() {
	echo "SKIP: $*"
	exit 77
}

# check_equal WANTED GOT WHAT
check_equal() {
	[ "$1" = "$2" ] || fail "$3: wanted '$1', got '$2'"
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	wait_left=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		wait_left=$((wait_left - 1))
		[ "$wait_left" -gt 0 ] || fail "waited in vain for: $*"
		sleep 0.1
	done
}

# expect PATTERN: lines of the kernel's log that this test causes on purpose
expect() {
	echo "$1" >>/tmp/expected
}

# logged PATTERN: whether the kernel's log of this test has such a line
logged() {
	dmesg | grep -Eq "$1"
}

gpu_functions() {
	lspci -Dnd 10de: | cut -d' ' -f1
}

gpu_count() {
	[ "$(gpu_functions | wc -l)" -eq "$1" ]
}

# load_gpu COUNT [PARAMETER...]: the GPUs, each with its process
load_gpu() {
	gpus=$1
	shift
	modprobe softh100 gpus="$gpus" process=/usr/bin/leafhopper-gpu "$@"
	wait_for 20 gpu_count "$gpus"
}

load_driver() {
	modprobe nvidia "$@"
	wait_for 10 test -c /dev/nvidiactl
	wait_for 10 test -c /dev/nvidia0
}

load() {
	load_gpu "${1:-1}"
	load_driver
}

unload() {
	modprobe -r nvidia
	modprobe -r softh100
	! grep -Eq '^(nvidia|softh100) ' /proc/modules || fail "modules are still there"
	! pidof leafhopper-gpu >/dev/null || wait_for 5 no_gpu_process
}

no_gpu_process() {
	! pidof leafhopper-gpu
}

smi() {
	timeout $smi_timeout nvidia-smi "$@"
}

need_smi() {
	[ -x /usr/bin/nvidia-smi ] || skip "NVIDIA's programs are not there"
}

inject_file() {
	echo "/sys/kernel/debug/softh100/$1/inject"
}

# inject GPU WORDS...
inject() {
	inject_gpu=$1
	shift
	echo "$*" >"$(inject_file "$inject_gpu")"
}

# live: blocks and bytes that the driver has
live() {
	cat /sys/kernel/debug/nvidia/live
}

is_debug_kernel() {
	[ -e /sys/kernel/debug/kmemleak ]
}

# rounds FAST SLOW: a count, fewer where the kernel checks itself
rounds() {
	if is_debug_kernel; then echo "$2"; else echo "$1"; fi
}
