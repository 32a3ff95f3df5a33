# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug short
# System memory as the GPU's process sees it; GPUs that come and go, processes that die, and what is
# left when loading fails: nothing.

. /vm/tests/softh100.sh

test_dma() {
	need_client
	modprobe softh100 gpus=1
	serve 0
	modprobe softh100_selftest quick=1
	why='Bad address'
	inject 0 read $(buffer coherent) 0x11
	inject 0 write $(buffer coherent) 0x77
	holds coherent 0x77
	inject 0 read $(buffer to) 0x22
	refused 0 write $(buffer to) 0x22
	holds to 0x22
	inject 0 write $(buffer from) 0x44
	holds from 0x44
	refused 0 read $(buffer from) 0x44
	set -- $(buffer coherent)
	address=$1
	inject 0 read $((address + 7)) 5000 0x77
	# One byte more than is mapped, before and behind: nothing moves.
	refused 0 write "$address" 65537 0x55
	refused 0 write $((address - 1)) 2 0x55
	holds coherent 0x77
	# Not the bus's master, then it is again.
	setpci -s "$(gpu_functions)" COMMAND=0002 2>/dev/null && {
		refused 0 read "$address" 16 0x77
		setpci -s "$(gpu_functions)" COMMAND=0006
		inject 0 read "$address" 16 0x77
	}
	# shellcheck disable=SC2086
	echo unmap >$(echo $buffers)
	refused 0 read "$address" 16 0x77
	modprobe -r softh100_selftest
	! logged 'left .* pages mapped' || fail "pages are left"
	# What a faulty driver leaves is taken from the device; a debug kernel says so itself.
	! is_debug_kernel || expect 'DMA-API: .*pending DMA allocations|DMA-API: Mapped at|WARNING: .* at .*kernel/dma/debug.c|Call Trace'
	modprobe softh100_selftest quick=1 hold=1
	set -- $(buffer to)
	address=$1
	inject 0 read "$address" 16 0x22
	rmmod softh100_selftest
	echo 1 >"/sys/bus/pci/devices/$(gpu_functions)/remove"
	logged 'left 24 pages mapped' || fail "nobody noticed what is left"
	refused 0 read "$address" 16 0x22
	unserve
}

test_inject() {
	need_client
	modprobe softh100 gpus=1
	why='No such device'
	refused 0 ok
	serve 0
	inject 0 ok
	why='Invalid argument'
	refused 0 fail
	refused 0 "$(head -c 300 /dev/zero | tr '\0' x)"
	# Taken and not answered: whoever is killed waiting is free, the next one's turn comes when
	# the process is gone.
	inject 0 hang &
	first=$!
	sleep 0.3
	kill -9 $first
	wait $first || true
	why='No such device'
	(refused 0 ok) &
	second=$!
	sleep 0.3
	unserve
	wait $second
	refused 0 ok
	serve 0
	inject 0 ok
	refused 0 die
	wait $server || true
	check_equal absent "$(cat $slot)" "slot of a GPU whose process died"
}

test_process_gone() {
	need_client
	modprobe softh100 gpus=1
	serve 0
	modprobe softh100_selftest quick=1
	bus=$(gpu_functions)
	inject 0 poke 0x10000 0x1234
	inject 0 video 0x10000 0x1234
	unserve
	check_equal absent "$(cat $slot)" "slot without a process"
	check_equal '0xffffffff' "$(od -An -tx4 -N4 "/sys/bus/pci/devices/$bus/config" | tr -d ' ' |
		sed 's/^/0x/')" "config space"
	serve 0
	# The function is reset: no memory is left, and its driver has to begin anew.
	inject 0 video 0x10000 0
	echo "$bus" >/sys/bus/pci/drivers/softh100_selftest/unbind
	echo "$bus" >/sys/bus/pci/drivers/softh100_selftest/bind
	inject 0 off-bus
	check_equal absent "$(cat $slot)" "slot of a GPU off the bus"
	inject 0 on-bus
	check_equal present "$(cat $slot)" "slot of a GPU that came back"
	modprobe -r softh100_selftest
	unserve
}

test_slot() {
	need_client
	modprobe softh100 gpus=2
	serve 0
	modprobe softh100_selftest quick=1
	echo remove >$slot
	wait $server
	check_equal removed "$(cat $slot)" "slot of a GPU that was pulled out"
	check_equal '' "$(gpu_functions)" "GPUs"
	logged 'the device was gone already' || fail "the driver did not notice"
	$client attach 0 && fail "attached to a GPU that is not there"
	echo add >$slot
	serve 0
	gpu_count 1
	! echo push >$slot 2>/dev/null || fail "pushed"
	# The same by PCI's own files, the port above it included.
	bus=$(gpu_functions)
	echo 1 >"/sys/bus/pci/devices/$bus/remove"
	gpu_count 0
	echo 1 >/sys/bus/pci/rescan
	gpu_count 1
	port=$(lspci -Dd 1eaf: | head -n 1 | cut -d' ' -f1)
	echo 1 >"/sys/bus/pci/devices/$port/remove"
	gpu_count 0
	echo 1 >/sys/bus/pci/rescan
	gpu_count 1
	modprobe -r softh100_selftest
	unserve
}

test_room() {
	modprobe softh100 gpus=16
	ports=$(lspci -Dd 1eaf: | wc -l)
	[ "$ports" -ge 1 ] || fail "no room for any"
	[ "$ports" -eq 16 ] || logged "room for the BARs of $ports GPUs of 16"
	modprobe -r softh100
	! grep -q softh100 /proc/iomem || fail "a range is left"
	for wrong in gpus=0 gpus=17 gpus=-1 profile=nothing; do
		! modprobe softh100 $wrong 2>/dev/null || fail "$wrong was taken"
	done
	for profile in h100-sxm-80gb h100-pcie-80gb h200; do
		modprobe softh100 profile=$profile
		modprobe -r softh100
	done
	# A program that is not there is no reason to fail.
	modprobe softh100 process=/does/not/exist
	logged 'cannot start /does/not/exist'
	modprobe -r softh100
}

# test_failing_load: 90 seconds
test_failing_load() {
	nth=1
	until modprobe softh100 gpus=2 fail_load=$nth 2>/dev/null; do
		! grep -q softh100 /proc/iomem || fail "allocation $nth: a range is left"
		[ ! -e /sys/kernel/debug/softh100 ] || fail "allocation $nth: debugfs is left"
		! lspci -Dn | grep -q 1eaf: || fail "allocation $nth: a bus is left"
		nth=$((nth + 1))
		[ $nth -lt 100 ] || fail "loading never works"
	done
	echo "$nth points"
	[ $nth -ge 10 ] || fail "only $nth points"
	! logged 'softh100: leak' || fail "something leaks"
	modprobe -r softh100
}

# test_failing_attach: 60 seconds
test_failing_attach() {
	need_client
	modprobe softh100 gpus=1
	nth=1
	while :; do
		echo $nth >/sys/kernel/debug/softh100/alloc_fail
		$client refuse >/dev/null 2>&1 || true
		failed=$(cut -d' ' -f2 /sys/kernel/debug/softh100/alloc_fail)
		[ "$failed" != 0 ] || break
		nth=$((nth + 1))
		[ $nth -lt 60 ] || break
	done
	echo 0 >/sys/kernel/debug/softh100/alloc_fail
	[ $nth -gt 4 ] || fail "only $nth points"
	modprobe -r softh100
	! logged 'softh100: leak' || fail "something leaks"
}

# test_loads: 60 seconds
test_loads() {
	need_client
	count=0
	while [ $count -lt 10 ]; do
		modprobe softh100 gpus=1
		serve 0
		unserve
		modprobe -r softh100
		count=$((count + 1))
	done
	! logged 'softh100: leak' || fail "something leaks"
}

# test_trapped: 120 seconds
test_trapped() {
	need_smi
	# It would be the last that lockdep says: kmmio takes its lock in the debug exception too.
	! is_debug_kernel || skip "the kernel's own kmmio is no friend of lockdep's"
	cpu=/sys/devices/system/cpu/cpu1/online
	[ ! -e $cpu ] || echo 0 >$cpu
	load_gpu 1 trap=1
	load_driver
	logged 'accesses to BAR 0 trap' || skip "this kernel cannot trap accesses"
	smi -L
	unload
	[ ! -e $cpu ] || echo 1 >$cpu
	logged 'GPU 0: [0-9]{3,} accesses trapped' || fail "the registers were reached by another way"
}
