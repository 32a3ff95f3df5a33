# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# What the tests in the virtual machine share. A test is a function test_NAME in cases/*.sh; it runs
# in a shell of its own under `set -e`, fails by any command that fails, and starts without the
# modules. TEST_SECONDS (30) bounds it.

share=/share
# On the debug kernel, under emulation and beside other work, -q of two GPUs was seen to take more than 20.
smi_timeout=60

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
	# What udev would do.
	mkdir -p /dev/char
	for node in /dev/nvidia*; do
		[ ! -c "$node" ] || ln -sf "$node" "/dev/char/$((0x$(stat -c %t "$node"))):$((0x$(stat -c %T "$node")))"
	done
}

# Unified memory: without nvidia.ko it would be brought along.
load_uvm() {
	modprobe nvidia-uvm "$@"
	wait_for 10 test -c /dev/nvidia-uvm
}

load() {
	load_gpu "${1:-1}"
	load_driver
}

unload() {
	unload_driver
	unload_gpu
}

# nvidia-smi run by the administrator loads nvidia-uvm, which holds nvidia.
unload_driver() {
	! grep -q '^nvidia_uvm ' /proc/modules || rmmod nvidia_uvm
	modprobe -r nvidia
}

# The GPUs' processes hold the module; without them it goes.
unload_gpu() {
	killall leafhopper-gpu 2>/dev/null || true
	wait_for 10 no_gpu_process
	wait_for 5 modprobe -r softh100
}

no_gpu_process() {
	! pidof leafhopper-gpu
}

# hold_client [ROW]: a client with objects of GPU 0; ask_client: its status of a request to the firmware
hold_client() {
	rm -f /tmp/hold.in /tmp/hold.out
	mkfifo /tmp/hold.in
	/vm/vm_client "${1:-hold}" </tmp/hold.in >/tmp/hold.out 2>&1 &
	holder=$!
	exec 3>/tmp/hold.in
	wait_for 10 grep -q ready /tmp/hold.out
}

ask_client() {
	asked=$(wc -l </tmp/hold.out)
	echo >&3
	wait_for "${1:-15}" answered
	tail -n 1 /tmp/hold.out
}

answered() {
	[ "$(wc -l </tmp/hold.out)" -gt "$asked" ]
}

# Ends it in order; it must end well.
end_client() {
	exec 3>&-
	wait $holder
}

smi() {
	timeout $smi_timeout nvidia-smi "$@"
}

need_smi() {
	[ -x /usr/bin/nvidia-smi ] || skip "NVIDIA's programs are not there"
}

need_cuda() {
	[ -e /usr/lib/x86_64-linux-gnu/libcuda.so.1 ] || skip "NVIDIA's programs are not there"
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

# load_cuda [GPUS]: all modules that CUDA needs
load_cuda() {
	need_cuda
	load "${1:-1}"
	load_uvm
}

# cuda_client TEST...: each must pass
cuda_client() {
	for name in "$@"; do
		/vm/cuda_client "$name" >/tmp/client.out 2>&1 || fail "$name: $(cat /tmp/client.out)"
		tail -n 1 /tmp/client.out
		grep -q "^$name passed " /tmp/client.out || fail "$name: $(cat /tmp/client.out)"
	done
}
