# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# Every allocation fails once: the driver refuses, leaks nothing, and goes on.

inject_file=/sys/kernel/debug/nvidia/alloc_fail

# sweep LEAST COMMAND...: the command with its first allocation of the driver failing, its second, ...;
# there must be so many
sweep() {
	least=$1
	shift
	n=1
	"$@" # what is kept for the next time is made
	wait_for 10 at_rest
	rest=$(live)
	most=$(rounds 4000 300)
	while [ $n -le "$most" ]; do
		# The command replaces the shell that armed its own process.
		sh -c 'echo "$0 $$" >'$inject_file'; exec "$@"' $n "$@" >/dev/null 2>&1 || true
		read -r _ struck <$inject_file
		echo 0 >$inject_file
		[ "$struck" -gt 0 ] || break
		n=$((n + 1))
	done
	echo "$((n - 1)) allocations failed"
	[ $n -gt "$least" ] || fail "only $((n - 1)) allocations were seen"
	wait_for 10 at_rest
	check_equal "$rest" "$(live)" "blocks and bytes afterwards"
}

# Clients' objects are freed behind them: the same twice in a row.
at_rest() {
	a=$(live)
	sleep 0.3
	[ "$a" = "$(live)" ]
}

# test_client_life: 1800 seconds
test_client_life() {
	load
	/vm/vm_client survive
	sweep 50 /vm/vm_client survive
	/vm/vm_client controls
	unload
}

# A GPU that stays open: what fails is of requests, not of its start.
# test_requests_of_open_gpu: 900 seconds
test_requests_of_open_gpu() {
	load
	hold_client
	sweep 5 /vm/vm_client survive
	end_client
	unload
}

# test_slab_failures: 900 seconds
test_slab_failures() {
	fail=/sys/kernel/debug/failslab
	[ -d $fail ] || skip "this kernel has no fault injection"
	load
	hold_client
	echo N >$fail/ignore-gfp-wait
	echo 0 >$fail/verbose
	echo 1 >$fail/task-filter
	echo -1 >$fail/times
	echo 100 >$fail/interval
	echo 10 >$fail/probability
	for _ in $(seq 100); do
		sh -c 'echo 1 >/proc/self/make-it-fail; exec /vm/vm_client survive' >/dev/null 2>&1 || true
	done
	echo 0 >$fail/probability
	end_client
	/vm/vm_client controls
	unload
}
