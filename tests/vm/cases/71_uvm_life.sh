# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# nvidia-uvm.ko many times, with processes killed and every allocation failed in turn.

# Nodes are the administrator's where a setting says so.
test_no_nodes() {
	load_gpu 1
	modprobe nvidia NVreg_ModifyDeviceFiles=0
	modprobe nvidia-uvm
	grep -q ' nvidia-uvm$' /proc/devices
	[ ! -e /dev/nvidia-uvm ] || fail "a node was made"
	unload
}

# test_ten_loads: 60 seconds
test_ten_loads() {
	load
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		load_uvm
		/vm/vm_client uvm-opens
		rmmod nvidia_uvm
	done
	unload
}

# Processes that are killed with memory of it.
test_killed() {
	load
	load_uvm
	before=$(live_uvm)
	for _ in $(seq 20); do
		/vm/vm_client uvm >/dev/null 2>&1 &
		sleep 0.05
		kill -9 $!
		wait $! || true
	done
	wait_for 10 uvm_at_rest
	check_equal "$before" "$(live_uvm)" "live allocations"
	unload
}

# A GPU goes while its page tables are a file's; what the CPU has of it stays.
test_gpu_removed() {
	load
	load_uvm
	before=$(live_uvm)
	for _ in 1 2 3; do
		hold_client hold-uvm
		gpu_functions >/sys/bus/pci/drivers/nvidia/unbind
		end_client
		check_equal "$before" "$(live_uvm)" "live allocations"
		gpu_functions >/sys/bus/pci/drivers/nvidia/bind
		wait_for 10 test -c /dev/nvidia0
	done
	# One that is killed is left nothing.
	hold_client hold-uvm
	kill -9 $holder
	wait $holder || true
	exec 3>&-
	wait_for 10 uvm_at_rest
	unload
}

live_uvm() {
	cat /sys/kernel/debug/nvidia-uvm/live
}

uvm_at_rest() {
	[ "$before" = "$(live_uvm)" ]
}

# test_failing_allocations: 300 seconds
test_failing_allocations() {
	load
	load_uvm
	before=$(live_uvm)
	for module in nvidia-uvm nvidia; do
		inject_file=/sys/kernel/debug/$module/alloc_fail
		n=1
		while [ $n -le "$(rounds 200 60)" ]; do
			# The command replaces the shell that armed its own process.
			sh -c 'echo "$0 $$" >'$inject_file'; exec /vm/vm_client uvm-survive' $n || true
			read -r _ struck <$inject_file
			echo 0 >$inject_file
			[ "$struck" -gt 0 ] || break
			n=$((n + 1))
		done
		echo "$((n - 1)) allocations of $module failed"
		[ $n -gt 5 ] || fail "only $((n - 1)) allocations of $module were seen"
		check_equal "$before" "$(live_uvm)" "live allocations of $module"
	done
	/vm/vm_client uvm
	unload
}
