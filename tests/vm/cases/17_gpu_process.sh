# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug short
# leafhopper-gpu, the process with a GPU's engines and firmware: how it begins, ends, and rests.

# The processes in the order of their start: the parent, then one for each GPU.
processes() {
	pidof leafhopper-gpu | tr ' ' '\n' | sort -n
}

process_count() {
	[ "$(processes | grep -c .)" -eq "$1" ]
}

# returns WANTED COMMAND...
returns() {
	returns_wanted=$1
	shift
	returns_got=0
	"$@" >/tmp/output 2>&1 || returns_got=$?
	check_equal "$returns_wanted" "$returns_got" "$*"
}

temperatures() {
	smi --query-gpu=temperature.gpu --format=csv,noheader | tr '\n' ' '
}

test_refused() {
	returns 1 leafhopper-gpu
	logged 'leafhopper-gpu: /dev/softh100: No such file'
	returns 2 leafhopper-gpu --gpu one
	returns 2 leafhopper-gpu --nothing
	returns 2 leafhopper-gpu extra
	load_gpu 2
	returns 1 leafhopper-gpu
	returns 1 leafhopper-gpu --gpu 1
	returns 1 leafhopper-gpu --gpu 2
	returns 1 leafhopper-gpu --profiles /tmp
	logged 'profile h100-sxm-80gb: No such file'
	returns 1 leafhopper-gpu --scenario /nowhere
	process_count 3
	unload_gpu
}

test_scenario() {
	need_smi
	echo 'temperature gpu1 77' >/tmp/scenario
	modprobe softh100 gpus=2
	returns 0 leafhopper-gpu --scenario /tmp/scenario
	wait_for 5 gpu_count 2
	load_driver
	check_equal '30 77 ' "$(temperatures)" "temperatures"
	unload
	echo 'nonsense' >/tmp/scenario
	modprobe softh100
	returns 1 leafhopper-gpu --scenario /tmp/scenario
	logged 'leafhopper-gpu: h100 0: scenario, line 1'
	check_equal '' "$(processes)" "processes"
	modprobe -r softh100
}

# Without any profile in a file.
test_compiled_in() {
	files=$(find / -xdev -name '*.profile')
	for file in $files; do mv "$file" "$file.away"; done
	for profile in h100-sxm-80gb h100-pcie-80gb h200; do
		load_gpu 1 profile=$profile
		unload_gpu
	done
	for file in $files; do mv "$file.away" "$file"; done
}

test_firmware() {
	returns 0 leafhopper-gpu --firmware /tmp/firmware
	cmp /tmp/firmware /lib/firmware/nvidia/gsp_gh100.bin
	returns 1 leafhopper-gpu --firmware /nowhere/firmware
}

# A process that nobody needs takes no time, and one is needed by nobody between two requests.
test_idle() {
	load
	smi -L
	sleep 1
	before=$(for process in $(processes); do cut -d' ' -f14,15 "/proc/$process/stat"; done)
	sleep 3
	after=$(for process in $(processes); do cut -d' ' -f14,15 "/proc/$process/stat"; done)
	check_equal "$before" "$after" "time that an idle GPU takes"
	unload
}

# One that dies takes its GPU along and no other, and comes back.
# test_killed: 60 seconds
test_killed() {
	need_smi
	load 2
	expect 'NVRM: .*(fallen off the bus|79)'
	kill -9 "$(processes | tail -n 1)"
	wait_for 5 process_count 2
	logged 'GPU 1 is off the bus: its process died of signal 9'
	check_equal '30 ' "$(temperatures)" "temperatures of those left"
	returns 0 leafhopper-gpu
	wait_for 5 process_count 4
	bus=$(gpu_functions | tail -n 1)
	echo "$bus" >/sys/bus/pci/drivers/nvidia/unbind
	echo 1 >"/sys/bus/pci/devices/$bus/reset"
	echo "$bus" >/sys/bus/pci/drivers/nvidia/bind
	check_equal '30 30 ' "$(temperatures)" "temperatures"
	# The parents: whoever is not to be caught takes all along.
	kill -9 "$(processes | head -n 1)"
	wait_for 5 process_count 2
	kill "$(processes | head -n 1)"
	wait_for 5 process_count 0
	unload
}

# One that is stopped is a GPU that does not answer.
# test_stopped: 90 seconds
test_stopped() {
	need_smi
	load
	hold_client
	check_equal 0 "$(($(ask_client)))" "before"
	expect 'NVRM: .*(119|79|Timeout)'
	process=$(processes | tail -n 1)
	kill -STOP "$process"
	[ "$(($(ask_client 40)))" -ne 0 ] || fail "a stopped process answered"
	kill -CONT "$process"
	end_client
	unload
	load
	check_equal '30 ' "$(temperatures)" "temperatures"
	unload
}
