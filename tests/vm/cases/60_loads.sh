# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# Modules loaded and unloaded many times, in any order, with every parameter.

# test_hundred_loads: 600 seconds
test_hundred_loads() {
	load
	/vm/vm_client survive
	unload
	before=$(free_kib)
	for _ in $(seq "$(rounds 100 10)"); do
		load
		/vm/vm_client survive
		unload
	done
	# What is not given back shows in the sum; caches and slabs move by some MiB.
	lost=$((before - $(free_kib)))
	echo "$lost KiB less memory"
	[ $lost -lt 32768 ] || fail "$lost KiB less memory"
}

free_kib() {
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# test_every_parameter: 400 seconds
test_every_parameter() {
	load_gpu 1
	modinfo -p nvidia | sed -n 's/^\([A-Za-z0-9_]*\):.*(int)$/\1/p' >/tmp/parameters
	[ "$(wc -l </tmp/parameters)" -gt 10 ] || fail "modinfo tells of few parameters"
	while read -r name; do
		for value in 0 1; do
			# Without these there is no GPU, or there are no nodes.
			case $name=$value in
			NVreg_RegisterPCIDriver=0|NVreg_ModifyDeviceFiles=0) modprobe nvidia "$name=$value" ;;
			*) load_driver "$name=$value" && /vm/vm_client survive ;;
			esac
			grep -q "^${name#NVreg_}: $value$" /proc/driver/nvidia/params ||
				fail "$name=$value: $(grep "^${name#NVreg_}:" /proc/driver/nvidia/params)"
			modprobe -r nvidia
		done
	done </tmp/parameters
	! modprobe nvidia NVreg_EnableMSI=many || fail "a word was taken for a number"
}

test_registry_parameters() {
	load_gpu 1
	load_driver NVreg_RegistryDwords='"A=1;Bb=0x20"' \
		NVreg_RegistryDwordsPerDevice="\"pci=$(gpu_functions);A=7\""
	grep -q 'RegistryDwords: "A=1;Bb=0x20"' /proc/driver/nvidia/params
	modprobe -r nvidia
}

# A GPU that a setting names by its UUID is not to be had; the others are.
# test_excluded: 60 seconds
test_excluded() {
	load 2
	first=$(gpu_functions | head -n 1)
	: </dev/nvidia0
	information=/proc/driver/nvidia/gpus/$first/information
	exec 4</dev/nvidia0
	uuid=$(sed -n 's/^GPU UUID:[^G]*//p' "$information")
	irq=$(sed -n 's/^IRQ:[^0-9]*//p' "$information")
	grep -Eq "^ *$irq:.* nvidia$" /proc/interrupts || fail "no interrupt $irq of nvidia"
	exec 4<&-
	unload_driver
	for name in ExcludedGpus GpuBlacklist; do
		modprobe nvidia NVreg_$name="GPU-nobody,$uuid"
		wait_for 10 test -c /dev/nvidia1
		logged "NVRM: GPU0 at $first is excluded" || fail "nobody says so"
		grep -q 'GPU Excluded:[^A-Za-z]*Yes' "$information"
		check_equal "$uuid" "$(sed -n 's/^GPU UUID:[^G]*//p' "$information")" "UUID of an excluded GPU"
		said=$(cat /dev/nvidia0 2>&1 || true)
		case "$said" in
		*'not permitted'*) ;;
		*) fail "open: $said" ;;
		esac
		if [ -x /usr/bin/nvidia-smi ]; then
			check_equal 1 "$(smi -L | grep -c UUID)" "GPUs in nvidia-smi -L"
			smi -B
		fi
		unload_driver
	done
}

# test_interrupt_kinds: 60 seconds
test_interrupt_kinds() {
	need_smi
	load_gpu 1
	load_driver
	hold_client
	grep -Eiq 'msi' /proc/interrupts
	end_client
	modprobe -r nvidia
	load_driver NVreg_EnableMSI=0
	hold_client
	check_equal 0 "$(ask_client)" "a request with INTx"
	end_client
}

test_profiles() {
	for profile in h100-pcie-80gb h200; do
		load_gpu 1 profile=$profile
		load_driver
		/vm/vm_client survive
		unload
	done
	! modprobe softh100 profile=nothing || fail "an unknown profile was taken"
	! modprobe softh100 gpus=0 || fail "0 GPUs were taken"
	! modprobe softh100 gpus=17 || fail "17 GPUs were taken"
}

# As many GPUs as the processor's physical addresses have room for, of 16 that are asked for.
# test_many_gpus: 90 seconds
test_many_gpus() {
	modprobe softh100 gpus=16 process=/usr/bin/leafhopper-gpu
	count=$(dmesg | sed -n 's/.*softh100: room for the BARs of \([0-9]*\) GPUs of 16.*/\1/p')
	count=${count:-16}
	wait_for 30 gpu_count "$count"
	[ "$count" -ge 2 ] || fail "room for $count GPUs"
	load_driver
	wait_for 20 test -c "/dev/nvidia$((count - 1))"
	if [ -x /usr/bin/nvidia-smi ]; then
		check_equal "$count" "$(timeout 60 nvidia-smi -L | wc -l)" "GPUs in nvidia-smi -L"
	fi
	unload
}
