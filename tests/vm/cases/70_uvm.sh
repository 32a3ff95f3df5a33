# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full debug short
# nvidia-uvm.ko: comes after nvidia.ko and goes before it; its nodes serve real system calls.

module_file() {
	modinfo -F filename nvidia-uvm
}

test_order() {
	expect 'nvidia_uvm: Unknown symbol'
	! insmod "$(module_file)" 2>/tmp/said || fail "loaded without nvidia.ko"
	grep -q 'Unknown symbol' /tmp/said || fail "insmod: $(cat /tmp/said)"
	logged 'nvidia_uvm: Unknown symbol nvidia_rm' || fail "the log does not say what is missing"
	load
	load_uvm
	logged 'nvidia-uvm: Loaded the UVM driver, major device number' || fail "no line in the log"
	! rmmod nvidia || fail "nvidia.ko went from under nvidia-uvm.ko"
	sleep 20 </dev/nvidia-uvm &
	sleep 0.2
	! rmmod nvidia_uvm || fail "removed with an open file"
	kill $!
	wait_for 5 rmmod nvidia_uvm
	[ ! -e /dev/nvidia-uvm ] || fail "/dev/nvidia-uvm is still there"
	! grep -q nvidia-uvm /proc/devices || fail "/proc/devices still lists nvidia-uvm"
	# By itself it brings what it needs.
	modprobe -r nvidia
	load_uvm
	grep -q '^nvidia ' /proc/modules
	unload
}

test_requests() {
	load
	load_uvm
	major=$(sed -n 's/^ *\([0-9]*\) nvidia-uvm$/\1/p' /proc/devices)
	for node in nvidia-uvm:0 nvidia-uvm-tools:1; do
		path=/dev/${node%:*}
		check_equal "$major:${node#*:}:666" \
			"$((0x$(stat -c %t "$path"))):$((0x$(stat -c %T "$path"))):$(stat -c %a "$path")" "$path"
	done
	before=$(cat /sys/kernel/debug/nvidia-uvm/live)
	/vm/vm_client uvm
	check_equal "$before" "$(cat /sys/kernel/debug/nvidia-uvm/live)" "live allocations"
	su nobody -s /bin/sh -c '/vm/vm_client uvm-opens'
	check_equal 0 "$(cat /sys/module/nvidia_uvm/parameters/uvm_enable_builtin_tests)" "built-in tests"
	/vm/vm_client uvm-tests-off
	unload
}

# test_builtin: 120 seconds
# The driver's tests of itself.
test_builtin() {
	load
	load_uvm uvm_enable_builtin_tests=1
	check_equal 1 "$(cat /sys/module/nvidia_uvm/parameters/uvm_enable_builtin_tests)" "built-in tests"
	before=$(cat /sys/kernel/debug/nvidia-uvm/live)
	/vm/vm_client uvm-tests
	/vm/vm_client uvm-tools
	check_equal "$before" "$(cat /sys/kernel/debug/nvidia-uvm/live)" "live allocations"
	! logged 'built-in test:' || fail "a test failed"
	unload
}
