# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug short
# Memory that clients map: what they see of it, and what becomes of it when its GPU goes.

# test_maps: 60 seconds
test_maps() {
	load
	/vm/vm_client maps
	/vm/vm_client userd
	rest=$(live)
	/vm/vm_client maps
	/vm/vm_client userd
	wait_for 10 at_rest
	check_equal "$rest" "$(live)" "blocks and bytes afterwards"
	unload
}

# Doorbells: stored to in every way, and taken away and given back meanwhile.
# test_bells: 120 seconds
test_bells() {
	load
	/vm/vm_client bells
	for _ in 1 2 3 4; do
		/vm/vm_client bells &
	done
	wait
	/vm/vm_client bells
	wait_for 10 at_rest
	rest=$(live_bells)
	/vm/vm_client bells
	wait_for 10 at_rest
	wait_for 10 bells_at_rest
	unload
}

# A user who rings without end keeps nobody else from the GPU.
# test_bell_storm: 60 seconds
test_bell_storm() {
	load
	for _ in 1 2 3 4; do
		/vm/vm_client bell-storm &
		ringers="$ringers $!"
	done
	sleep 1
	/vm/vm_client maps
	/vm/vm_client bells
	for ringer in $ringers; do
		kill -0 "$ringer" || fail "somebody stopped ringing"
		kill -9 "$ringer"
	done
	wait
	unload
}

live_bells() {
	cat /sys/kernel/debug/softh100/live
}

bells_at_rest() {
	[ "$rest" = "$(live_bells)" ]
}

at_rest() {
	a=$(live)
	sleep 0.3
	[ "$a" = "$(live)" ]
}

# Unbound below its mappings: a bus error for who touches them, and nothing for anybody else.
# test_unbound: 60 seconds
test_unbound() {
	load 2
	device=$(gpu_functions | head -n 1)
	hold_client hold-maps
	check_equal "there there there" "$(ask_client)" "mappings"
	echo "$device" >/sys/bus/pci/drivers/nvidia/unbind
	check_equal "gone gone gone" "$(ask_client)" "mappings of a GPU that was unbound"
	echo "$device" >/sys/bus/pci/drivers/nvidia/bind
	check_equal "gone gone gone" "$(ask_client)" "mappings after another was bound"
	end_client
	/vm/vm_client maps
	unload
}

# Who has it mapped when its GPU's process dies keeps what is mapped, for himself; the next GPU has none
# of it.
# test_process_killed: 60 seconds
test_process_killed() {
	load
	expect 'NVRM: .*(fallen off the bus|79)'
	hold_client hold-maps
	check_equal "there there there" "$(ask_client)" "mappings"
	killall -9 leafhopper-gpu
	wait_for 10 no_gpu_process
	check_equal "there there there" "$(ask_client)" "mappings that were touched"
	end_client
	unload
	load
	/vm/vm_client maps
	unload
}

# Through a suspend both kinds stay as they are.
# test_suspend: 60 seconds
test_suspend() {
	load
	hold_client hold-maps
	check_equal "there there there" "$(ask_client)" "mappings"
	echo suspend >/proc/driver/nvidia/suspend
	check_equal "there there there" "$(ask_client)" "mappings of a suspended driver"
	echo resume >/proc/driver/nvidia/suspend
	check_equal "there there there" "$(ask_client)" "mappings after the resume"
	end_client
	unload
}

# Clients with mappings are killed in any state.
# test_kills: 120 seconds
test_kills() {
	load
	for i in $(seq "$(rounds 40 10)"); do
		/vm/vm_client maps 2>/dev/null &
		victim=$!
		usleep $((i * 7919 % 200000))
		kill -9 $victim 2>/dev/null || true
		wait $victim || true
	done
	/vm/vm_client maps
	unload
}
