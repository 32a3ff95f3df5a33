# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full debug short
# The GPU is there for the kernel and its tools, and the driver binds it.

test_bus() {
	load_gpu 2
	lspci -nn -d 10de: | tee /dev/stderr | grep -q '3D controller \[0302\].*\[10de:2330\]'
	for function in $(gpu_functions); do
		lspci -vvs "$function" | grep -q 'MSI-X:' || fail "$function has no MSI-X"
		# Registers cannot be had behind the driver's back.
		[ ! -s /sys/bus/pci/devices/"$function"/resource0 ] || ! dd bs=4 count=1 of=/dev/null \
			if=/sys/bus/pci/devices/"$function"/resource0 || fail "resource0 can be read"
	done
}

test_nodes() {
	load 2
	for node in nvidiactl:195:255 nvidia0:195:0 nvidia1:195:1; do
		path=/dev/${node%%:*}
		check_equal "${node#*:}" "$((0x$(stat -c %t "$path"))):$((0x$(stat -c %T "$path")))" "$path"
	done
	grep -q 'NVRM version' /proc/driver/nvidia/version
	check_equal 2 "$(ls /proc/driver/nvidia/gpus | wc -l)" "folders of GPUs"
	for file in information registry power; do
		for function in $(gpu_functions); do
			[ -e "/proc/driver/nvidia/gpus/$function/$file" ] || fail "no $file of $function"
		done
	done
	cat /proc/driver/nvidia/gpus/*/information
	grep -q nvidia-caps /proc/devices
	cat /proc/driver/nvidia/params >/dev/null
	[ -e /proc/driver/nvidia/capabilities/mig/config ]
}

# The project's own client uses the nodes that are there.
test_own_smi() {
	load 2
	check_equal 2 "$(leafhopper smi | tee /dev/stderr | grep -c 'NVIDIA H100 80GB HBM3')" "GPUs in leafhopper smi"
}

test_other_silicon_is_refused() {
	load_driver_without_gpu
	id=$(lspci -Dnd 1af4: | head -n 1 | cut -d' ' -f1)
	[ -n "$id" ] || skip "no device to offer"
	# By hand the driver is offered a device that is no software GPU.
	echo "1af4 1009" >/sys/bus/pci/drivers/nvidia/new_id 2>/dev/null || true
	for device in /sys/bus/pci/drivers/nvidia/*:*; do
		[ ! -e "$device" ] || fail "bound ${device##*/}"
	done
}

load_driver_without_gpu() {
	modprobe nvidia
	wait_for 10 test -d /sys/bus/pci/drivers/nvidia
}
