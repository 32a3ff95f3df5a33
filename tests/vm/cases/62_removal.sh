# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# GPUs that go: unbound, pulled, without their process, with a crashed firmware; idle and under load.

busy_clients() {
	busy=
	for _ in $(seq "$1"); do
		/vm/vm_client busy 2>/dev/null &
		busy="$busy $!"
	done
	sleep 1
}

end_busy() {
	# shellcheck disable=SC2086
	kill -9 $busy 2>/dev/null || true
	wait
}

works_again() {
	/vm/vm_client controls
	unload
}

# test_unbind_rebind: 60 seconds
test_unbind_rebind() {
	load 2
	device=$(gpu_functions | head -n 1)
	for _ in 1 2 3 4 5; do
		echo "$device" >/sys/bus/pci/drivers/nvidia/unbind
		[ ! -e "/sys/bus/pci/devices/$device/driver" ]
		/vm/host_client query
		echo "$device" >/sys/bus/pci/drivers/nvidia/bind
		[ -e "/sys/bus/pci/devices/$device/driver" ]
	done
	wait_for 5 test -c /dev/nvidia0
	works_again
}

# test_remove_and_rescan: 60 seconds
test_remove_and_rescan() {
	load
	device=$(gpu_functions)
	echo 1 >"/sys/bus/pci/devices/$device/remove"
	wait_for 5 gpu_count 0
	echo 1 >/sys/bus/pci/rescan
	wait_for 10 gpu_count 1
	wait_for 10 test -c /dev/nvidia0
	works_again
}

# Out of its slot while a client holds it: the client gets statuses, and closes.
# test_surprise_removal: 60 seconds
test_surprise_removal() {
	load
	hold_client
	echo remove >/sys/kernel/debug/softh100/0/slot
	[ "$(ask_client)" != 0 ] || fail "a GPU that is not there answered"
	end_client
	! /vm/vm_client controls 2>/dev/null || fail "opened a GPU that is not there"
	echo add >/sys/kernel/debug/softh100/0/slot
	wait_for 10 gpu_count 1
	wait_for 10 test -c /dev/nvidia0
	works_again
}

# test_surprise_removal_under_load: 120 seconds
test_surprise_removal_under_load() {
	load
	for _ in $(seq "$(rounds 5 2)"); do
		busy_clients 6
		echo remove >/sys/kernel/debug/softh100/0/slot
		sleep 1
		end_busy
		echo add >/sys/kernel/debug/softh100/0/slot
		wait_for 10 gpu_count 1
		wait_for 10 test -c /dev/nvidia0
	done
	works_again
}

# test_process_killed: 90 seconds
test_process_killed() {
	load
	hold_client
	killall -9 leafhopper-gpu
	[ "$(ask_client 60)" != 0 ] || fail "a GPU without its process answered"
	wait_for 5 logged 'Xid .*: 79'
	end_client
	unload
	load
	works_again
}

# test_process_killed_under_load: 120 seconds
test_process_killed_under_load() {
	load
	busy_clients 8
	killall -9 leafhopper-gpu
	sleep 2
	end_busy
	unload
	load
	works_again
}

# test_process_stopped: 120 seconds
test_process_stopped() {
	load
	hold_client
	killall -STOP leafhopper-gpu
	status=$(ask_client 100)
	killall -CONT leafhopper-gpu
	[ "$status" != 0 ] || fail "a GPU whose process is stopped answered"
	end_client
	unload
	load
	works_again
}

# test_gsp_crash_under_load: 120 seconds
test_gsp_crash_under_load() {
	load
	busy_clients 8
	inject 0 gsp-crash
	wait_for 20 logged 'Xid .*: (119|120)'
	sleep 1
	end_busy
	unload
	load
	works_again
}

# test_off_bus: 60 seconds
test_off_bus() {
	load
	hold_client
	inject 0 off-bus
	[ "$(ask_client 60)" != 0 ] || fail "a GPU off the bus answered"
	logged 'Xid .*: 79' || fail "no Xid 79"
	end_client
	unload
}

test_ecc() {
	need_smi
	load
	smi -pm 1 >/dev/null
	inject 0 ecc-sbe 3
	wait_for 10 counted 3
	unload
}

counted() {
	nvidia-smi -q -d ECC | grep -Eq "SRAM Correctable +: $1|DRAM Correctable +: $1"
}
