#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# Runs the tests in the virtual machine, each in a shell of its own.
#
# usage: runner.sh TIER|FILE[:TEST]...
#
# Of a tier all files whose third line says so: "# tiers: smoke full". Results go to /share/results, a
# line a test: ok|not ok|skip, its name, its seconds, why. Its output and the kernel's log go to
# /share/logs. After each test the modules are taken away and the kernel's log is looked at.

tests=/vm/tests
mkdir -p /share/logs
: >/share/results
dmesg -c >/share/logs/boot.log
sh /vm/dmesg_scan /share/logs/boot.log || exit 1
[ ! -e /sys/kernel/debug/kmemleak ] || echo scan=off >/sys/kernel/debug/kmemleak

now() {
	cut -d' ' -f1 /proc/uptime
}

# result KIND NAME START [WHY]
result() {
	seconds=$(awk -v a="$3" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }')
	echo "$1	$2	$seconds	${4:-}" >>/share/results
	echo "$1 $2 ($seconds s)${4:+: $4}"
}

# Takes away what a test left, whatever state it is in.
clean() {
	killall -9 nvidia-smi host_client vm_client softh100_client cuda_client cuda_copy 2>/dev/null
	sleep 0.05
	for module in nvidia_uvm nvidia softh100_selftest; do
		grep -q "^$module " /proc/modules && modprobe -r "$module" 2>&1
	done
	killall leafhopper-gpu 2>/dev/null && sleep 0.3
	killall -9 leafhopper-gpu 2>/dev/null && sleep 0.3
	for module in softh100 os_selftest; do
		grep -q "^$module " /proc/modules && modprobe -r "$module" 2>&1
	done
	! grep -Eq '^(nvidia|softh100) ' /proc/modules
}

# What nobody points to any more, of all tests: a scan takes a minute, so it is made once. What is
# found must be found twice, since a pointer may be in a register of a processor.
leaks() {
	[ -e /sys/kernel/debug/kmemleak ] || return 0
	start=$(now)
	echo kmemleak >/share/running
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak >/share/logs/kmemleak.log
	if [ -s /share/logs/kmemleak.log ]; then
		result "not ok" kmemleak "$start" "$(grep -c ^unreferenced /share/logs/kmemleak.log) objects"
	else
		result ok kmemleak "$start"
	fi
	rm -f /share/running
}

# run_test FILE NAME
run_test() {
	name=$(basename "$1" .sh).${2#test_}
	# Not in the share, which a test may let go for a while.
	log=/tmp/log
	rm -f /tmp/expected
	echo "$name" >/share/running
	start=$(now)
	limit=$(sed -n "s/^# $2: \([0-9]*\) seconds.*/\1/p" "$1")
	limit=${limit:-30}
	[ ! -e /sys/kernel/debug/kmemleak ] || limit=$((limit * 4))
	# By its path: busybox would take its own shell.
	timeout -k 5 "$limit" /bin/sh -ec ". $tests/lib.sh; . $1; $2" >"$log" 2>&1 </dev/null
	status=$?
	why=
	case $status in
	0) ;;
	77) why=$(sed -n 's/^SKIP: //p' "$log") ;;
	124|137|143) why="took more than $limit s" ;;
	*) why="status $status: $(tail -n 1 "$log" | cut -c1-160)" ;;
	esac
	if ! clean >>"$log"; then
		status=1
		why="${why:+$why; }the modules cannot be removed"
		stuck=1
	fi
	dmesg -c >"$log.kernel"
	reports=$(sh /vm/dmesg_scan "$log.kernel")
	if [ -n "$reports" ]; then
		status=1
		why="${why:+$why; }the kernel: $(echo "$reports" | head -n 1 | cut -c1-160)"
	fi
	cat "$log.kernel" >>"$log"
	cp "$log" "/share/logs/$name.log"
	rm -f "$log" "$log.kernel"
	case $status in
	0) result ok "$name" "$start" ;;
	77) result skip "$name" "$start" "$why" ;;
	*) result "not ok" "$name" "$start" "$why" ;;
	esac
	rm -f /share/running
}

functions() {
	sed -n 's/^\(test_[a-z0-9_]*\)().*/\1/p' "$1"
}

stuck=
for what in "$@"; do
	for file in "$tests"/cases/*.sh; do
		only=
		base=$(basename "$file" .sh)
		case "$what" in
		"$base") ;;
		"$base":*) only=test_${what#*:} ;;
		*) sed -n 3p "$file" | grep -Eq "^# tiers:.* $what( |$)" || continue ;;
		esac
		for function in $(functions "$file"); do
			[ -z "$only" ] || [ "$only" = "$function" ] || continue
			if [ -n "$stuck" ]; then
				result "not ok" "$base.${function#test_}" "$(now)" "not run: modules are stuck"
			else
				run_test "$file" "$function"
			fi
		done
	done
done
leaks
! grep -q '^not ok' /share/results
