# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# Modules loaded at the same time, GPUs that come while others go.

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
