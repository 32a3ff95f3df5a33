# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# What becomes of clients of libcuda, and of GPUs, that go while copies are under way.

# start_copying: a client that copies until it is killed
start_copying() {
	/vm/cuda_client loop-small >/tmp/copying.out 2>&1 &
	copying=$!
	wait_for 60 grep -q '^copying ' /tmp/copying.out
	pid=$(sed -n 's/^copying //p' /tmp/copying.out)
}

stop_copying() {
	kill -9 "$pid" $copying 2>/dev/null || true
	wait $copying || true
	wait_for 20 copying_ended
}

copying_ended() {
	! kill -0 "$pid"
}

used() {
	smi --query-gpu=memory.used --format=csv,noheader,nounits -i 0
}

# all_live: what the three modules have
all_live() {
	cat /sys/kernel/debug/nvidia/live /sys/kernel/debug/nvidia-uvm/live /sys/kernel/debug/softh100/live
}

back_at() {
	[ "$before" = "$(all_live)" ]
}

# nvidia-smi shows a client's process and memory; killed, it leaves nothing.
# test_killed: 240 seconds
test_killed() {
	load_cuda
	smi -pm 1
	cuda_client sets
	rest=$(used)
	before=$(all_live)
	for _ in $(seq "$(rounds 4 2)"); do
		start_copying
		told=$(smi --query-compute-apps=pid,used_memory --format=csv,noheader,nounits)
		check_equal "$pid, $(used)" "$told" "the process and its memory"
		[ "$(used)" -gt $((rest + 16)) ] || fail "only $(used) MiB in use"
		stop_copying
		wait_for 20 back_at
		check_equal "$rest" "$(used)" "MiB in use"
	done
	# And while it makes its context.
	for delay in 500 1500 2500 4000; do
		/vm/cuda_client loop-small >/tmp/copying.out 2>&1 &
		copying=$!
		usleep ${delay}000
		killall -9 cuda_client
		wait $copying || true
		wait_for 20 back_at
	done
	cuda_client sets
	unload
}

# Unbound below a client: it fails, the other GPU's client goes on.
# test_unbound: 240 seconds
test_unbound() {
	load_cuda 2
	device=$(gpu_functions | head -n 1)
	start_copying
	echo "$device" >/sys/bus/pci/drivers/nvidia/unbind
	sleep 1
	stop_copying
	echo "$device" >/sys/bus/pci/drivers/nvidia/bind
	cuda_client sets gpus
	unload
}

# The GPU's process dies below a client.
# test_process_killed: 180 seconds
test_process_killed() {
	load_cuda
	expect 'NVRM: .*(fallen off the bus|79)'
	start_copying
	killall -9 leafhopper-gpu
	wait_for 10 no_gpu_process
	sleep 1
	stop_copying
	unload
	load_cuda
	cuda_client sets
	unload
}

# The process of a GPU dies while another GPU copies to its memory: an error there, and that one goes on.
# test_peer_killed: 180 seconds
test_peer_killed() {
	load_cuda 2
	expect 'NVRM: .*(fallen off the bus|79)' 'NVRM: Xid .*: 31'
	/vm/cuda_client peer-lost >/tmp/copying.out 2>&1 &
	copying=$!
	wait_for 60 grep -q '^copying' /tmp/copying.out
	# Its parent, the first GPU's and the second's were begun in this order.
	kill -9 "$(pidof leafhopper-gpu | tr ' ' '\n' | sort -n | tail -n 1)"
	wait_for 60 grep -q '^error [0-9]' /tmp/copying.out
	wait $copying || fail "the client: $(cat /tmp/copying.out)"
	check_equal 2 "$(pidof leafhopper-gpu | wc -w)" "processes left"
	/vm/vm_client survive
	check_equal 1 "$(smi -L | grep -c UUID)" "GPUs in nvidia-smi -L"
	unload
}

# A suspended driver leaves the rings to later.
# test_suspend: 120 seconds
test_suspend() {
	load_cuda
	start_copying
	for _ in 1 2 3; do
		echo suspend >/proc/driver/nvidia/suspend
		sleep 0.3
		echo resume >/proc/driver/nvidia/suspend
		sleep 0.3
	done
	kill -0 "$pid" || fail "the client ended: $(cat /tmp/copying.out)"
	cuda_client sets
	kill -0 "$pid" || fail "the client ended: $(cat /tmp/copying.out)"
	stop_copying
	unload
}
