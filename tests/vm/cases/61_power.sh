# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# The machine sleeps while clients are open; they go on afterwards with what they had.

# The transport of /share does not outlive a sleep: it is let go before and taken up after.
virtio=$(lspci -Dnd 1af4: | cut -d' ' -f1)

share_off() {
	umount /share
	echo virtio0 >/sys/bus/virtio/drivers/9pnet_virtio/unbind
	echo "$virtio" >/sys/bus/pci/drivers/virtio-pci/unbind
}

share_on() {
	echo "$virtio" >/sys/bus/pci/drivers/virtio-pci/bind
	wait_for 5 mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share
}

# sleep_machine HOW: everything that a sleep does up to the step HOW of the kernel's test facility
sleep_machine() {
	[ -e /sys/power/pm_test ] || skip "this kernel has no pm_test"
	share_off
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo "$1" >/sys/power/pm_test
	slept=0
	echo freeze >/sys/power/state || slept=$?
	echo none >/sys/power/pm_test
	share_on
	check_equal 0 "$slept" "status of the sleep"
}

# test_sleep_with_client: 90 seconds
test_sleep_with_client() {
	load
	hold_client
	check_equal 0 "$(ask_client)" "before sleep"
	for how in freezer devices; do
		sleep_machine $how
		check_equal 0 "$(ask_client)" "after sleep ($how)"
	done
	end_client
	/vm/vm_client controls
	unload
}

# test_sleep_under_load: 120 seconds
test_sleep_under_load() {
	load
	# The list of jobs of this shell is empty now and then.
	busy=
	for _ in 1 2 3 4; do
		/vm/vm_client busy &
		busy="$busy $!"
	done
	sleep 1
	for _ in 1 2 3; do
		sleep_machine devices
		sleep 0.5
	done
	for job in $busy; do
		kill -0 "$job" || fail "a client ended in a sleep"
		kill -9 "$job"
	done
	wait
	/vm/vm_client controls
	unload
}

# By the file that tools write, clients wait, whatever they ask for, until the driver resumes.
# test_suspend_file: 60 seconds
test_suspend_file() {
	load
	[ -e /proc/driver/nvidia/suspend ] || fail "no file suspend"
	hold_client
	echo suspend >/proc/driver/nvidia/suspend
	asked=$(wc -l </tmp/hold.out)
	echo >&3
	sleep 1
	! answered || fail "a request was served while the driver was suspended"
	echo resume >/proc/driver/nvidia/suspend
	wait_for 10 answered
	check_equal 0 "$(tail -n 1 /tmp/hold.out)" "the request that waited"
	# Killed while it waits, a client goes.
	echo suspend >/proc/driver/nvidia/suspend
	echo >&3
	sleep 0.3
	kill -9 $holder
	wait_for 5 gone $holder
	echo resume >/proc/driver/nvidia/suspend
	/vm/vm_client controls
	! echo nonsense >/proc/driver/nvidia/suspend || fail "a word that is none was taken"
	unload
}

gone() {
	! kill -0 "$1"
}

# Texts are there while the driver is suspended, so that nobody who takes a GPU away waits for whoever
# reads them; a client that waits sleeps.
# test_suspended: 60 seconds
test_suspended() {
	load 2
	first=$(gpu_functions | head -n 1)
	second=$(gpu_functions | tail -n 1)
	hold_client
	echo suspend >/proc/driver/nvidia/suspend
	asked=$(wc -l </tmp/hold.out)
	echo >&3
	while :; do
		cat /proc/driver/nvidia/version /proc/driver/nvidia/gpus/*/* >/dev/null 2>&1 || true
	done &
	reader=$!
	sleep 0.5
	before=$(switches $holder)
	sleep 2
	check_equal "$before" "$(switches $holder)" "how often a client was woken in vain"
	for _ in 1 2 3; do
		echo "$second" >/sys/bus/pci/drivers/nvidia/unbind
		[ ! -e "/proc/driver/nvidia/gpus/$second" ] || fail "$second is left in /proc"
		echo "$second" >/sys/bus/pci/drivers/nvidia/bind
	done
	timeout 5 cat "/proc/driver/nvidia/gpus/$first/power" "/proc/driver/nvidia/gpus/$first/information"
	kill $reader
	echo resume >/proc/driver/nvidia/suspend
	wait_for 10 answered
	check_equal 0 "$(tail -n 1 /tmp/hold.out)" "the request that waited"
	end_client
	unload
}

# How often a process has gone to sleep so far.
switches() {
	sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$1/status"
}

# plug 0|1: into mains, or out; whoever reads the adapter's state has ACPI notify of the change
plug() {
	printf "\\$((1 - $1))" | dd of=/dev/port bs=1 seek=1023 conv=notrunc 2>/dev/null
	check_equal "$1" "$(cat /sys/class/power_supply/ADP1/online)" "the adapter's state"
}

# The platform's AC adapter is pulled out: ACPI says so, and the GPU's firmware gets to know.
# test_power_source: 60 seconds
test_power_source() {
	modprobe ac 2>/dev/null && wait_for 5 test -e /sys/class/power_supply/ADP1/online ||
		skip "this kernel has no driver of AC adapters"
	load
	hold_client
	! logged 'the platform runs on' || fail "told without a change"
	plug 0
	wait_for 10 logged 'the platform runs on battery'
	! logged 'the platform runs on mains' || fail "mains"
	plug 1
	wait_for 10 logged 'the platform runs on mains'
	check_equal 0 "$(ask_client)" "afterwards"
	end_client
	# Nobody listens any more, and nobody is left to be called.
	unload
	plug 0
	plug 1
	modprobe -r ac
}
