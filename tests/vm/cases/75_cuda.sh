# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full
# NVIDIA's libcuda on the modules: the client suite of tests/cuda, and what becomes of clients and GPUs that
# go while copies are under way.

begin() {
	need_cuda
	load "${1:-1}"
	load_uvm
}

# client TEST...: each must pass
client() {
	for name in "$@"; do
		/vm/cuda_client "$name" >/tmp/client.out 2>&1 || fail "$name: $(cat /tmp/client.out)"
		tail -n 1 /tmp/client.out
		grep -q "^$name passed " /tmp/client.out || fail "$name: $(cat /tmp/client.out)"
	done
}

# test_copies: 240 seconds
test_copies() {
	begin
	for kind in pageable pinned registered memory; do
		/vm/cuda_copy $kind
	done
	unload
}

# test_streams: 300 seconds
test_streams() {
	begin
	client streams waits callbacks threads events values
	unload
}

# test_shapes: 180 seconds
test_shapes() {
	begin
	client planes boxes sets
	unload
}

# test_memory: 240 seconds
test_memory() {
	begin
	client mapped vmm managed pool pool-own
	unload
}

# test_shared: 240 seconds
test_shared() {
	begin
	client ipc-memory vmm-shared ipc-events processes
	unload
}

# There is no multiprocessor: an error of that context alone.
# test_errors: 180 seconds
test_errors() {
	begin
	expect 'NVRM: Xid .*: 13'
	client kernel-copy
	logged 'Xid \(PCI:0010:01:00.*\): 13' || fail "no line of the log"
	client pointers contexts
	unload
}

# test_two_gpus: 180 seconds
test_two_gpus() {
	begin 2
	client gpus peers
	unload
}

# -- Clients that are killed, GPUs that go ---------------------------------------------------------------------

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
	begin
	smi -pm 1
	client sets
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
	client sets
	unload
}

# Unbound below a client: it fails, the other GPU's client goes on.
# test_unbound: 240 seconds
test_unbound() {
	begin 2
	device=$(gpu_functions | head -n 1)
	start_copying
	echo "$device" >/sys/bus/pci/drivers/nvidia/unbind
	sleep 1
	stop_copying
	echo "$device" >/sys/bus/pci/drivers/nvidia/bind
	client sets gpus
	unload
}

# The GPU's process dies below a client.
# test_process_killed: 180 seconds
test_process_killed() {
	begin
	expect 'NVRM: .*(fallen off the bus|79)'
	start_copying
	killall -9 leafhopper-gpu
	wait_for 10 no_gpu_process
	sleep 1
	stop_copying
	unload
	begin
	client sets
	unload
}

# A suspended driver leaves the rings to later.
# test_suspend: 120 seconds
test_suspend() {
	begin
	start_copying
	for _ in 1 2 3; do
		echo suspend >/proc/driver/nvidia/suspend
		sleep 0.3
		echo resume >/proc/driver/nvidia/suspend
		sleep 0.3
	done
	kill -0 "$pid" || fail "the client ended: $(cat /tmp/copying.out)"
	client sets
	kill -0 "$pid" || fail "the client ended: $(cat /tmp/copying.out)"
	stop_copying
	unload
}
