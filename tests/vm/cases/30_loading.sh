# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full short
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

# At once: whichever comes to an end first, the GPUs are bound.
# test_both_at_once: 60 seconds
test_both_at_once() {
	for i in 1 2 3 4 5 6 7 8; do
		modprobe nvidia &
		usleep $((i * 20000))
		load_gpu 2
		wait $!
		wait_for 5 test -c /dev/nvidia0
		wait_for 5 test -c /dev/nvidia1
		unload
	done
}

# While one GPU comes the other goes: each has its files as long as it is there.
# test_come_and_go: 60 seconds
test_come_and_go() {
	load 2
	first=$(gpu_functions | head -n 1)
	second=$(gpu_functions | tail -n 1)
	driver=/sys/bus/pci/drivers/nvidia
	echo "$first" >$driver/unbind
	for _ in $(seq "$(rounds 30 10)"); do
		echo "$first" >$driver/bind &
		echo "$second" >$driver/unbind
		wait $!
		[ ! -e "/proc/driver/nvidia/gpus/$second" ] || fail "$second is left in /proc"
		[ -e "/proc/driver/nvidia/gpus/$first" ] || fail "$first is not in /proc"
		echo "$second" >$driver/bind &
		echo "$first" >$driver/unbind
		wait $!
		[ ! -e "/proc/driver/nvidia/gpus/$first" ] || fail "$first is left in /proc"
	done
	unload
}
