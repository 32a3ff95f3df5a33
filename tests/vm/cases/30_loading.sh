# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full debug short
# Modules come and go.

# test_ten_loads: 60 seconds
test_ten_loads() {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		load
		/vm/host_client query
		unload
	done
}

test_driver_first() {
	modprobe nvidia
	wait_for 10 test -c /dev/nvidiactl
	load_gpu 1
	wait_for 10 test -c /dev/nvidia0
	/vm/host_client query
	unload
}

test_gpu_goes_first() {
	load
	killall leafhopper-gpu
	wait_for 10 no_gpu_process
	# The driver is bound to the bus that the module makes.
	! modprobe -r softh100 || fail "the bus went from under the driver"
	for device in $(gpu_functions); do
		echo 1 >"/sys/bus/pci/devices/$device/remove"
	done
	wait_for 5 modprobe -r softh100
	[ ! -e /dev/nvidia0 ] || fail "/dev/nvidia0 is still there"
	load_gpu 1
	wait_for 10 test -c /dev/nvidia0
	/vm/host_client query
	unload
}

test_busy_driver_stays() {
	load
	sleep 20 </dev/nvidiactl &
	sleep 0.2
	! modprobe -r nvidia || fail "removed with an open file"
	kill $!
}
